"""Taking one account's month of one source out of the lake again, remembered in the ledger like a delivery."""

from __future__ import annotations

from .. import lake
from ..errors import RefusedError, UsageError
from ..lake import Delivery, Home
from .adapters import adapters, use_own
from .facts import COMPANIONS


def withdraw(home: Home, source: str, *, account: str, month: str) -> list[Delivery]:
    """Take out what a source gave of an account and month, in every dataset, and what is kept to make it from.

    Returns  one entry of the ledger per partition.
    Refuses  RefusedError where there is nothing of it, naming the accounts and months that there are, and for a month
             that the plan has closed.
    """
    use_own(home)
    companions = {a.name for a in adapters().values() if a.source == source and a.is_companion}
    with lake.writing(home), lake.locked(home):
        now = lake.current(home)
        charged = [p for p in now if p.source == source or (p.dataset == COMPANIONS and p.source in companions)]
        # Corrections of a closed month are that month's, wherever they stand.
        ours = [p for p in charged if not p.corrects]
        if not ours:
            known = ", ".join(sorted({p.source for p in now})) or "nothing"
            raise UsageError(f"The lake holds nothing from {source!r}. It holds: {known}.")
        found = [p for p in ours if (p.billing_account, p.month) == (account, month)]
        if not found:
            listed = ", ".join(f"{a} {m}" for a, m in sorted({(p.billing_account, p.month) for p in ours}))
            raise RefusedError(
                f"The lake holds nothing from {source} of account {account}, {month}. It holds: {listed}."
            )
        if closed := lake.closures(home).of(source, account, month):
            raise RefusedError(
                f"{source}, account {account}, {month} is closed ({closed.file} row {closed.row}, closed on "
                f"{closed.closed_on}): what the lake holds of it stays."
            )
        # What charges are made from goes last: cut short, the same command finds it and goes on.
        return [lake.withdraw(home, p) for p in sorted(found, key=lambda p: (p.dataset == COMPANIONS, p))]
