"""Taking one account's month of one source out of the lake again, remembered in the ledger like a delivery."""

from __future__ import annotations

from .. import lake
from ..errors import RefusedError, UsageError
from ..lake import Delivery, Home
from . import rejecting
from .adapters import adapters


def withdraw(home: Home, source: str, *, account: str, month: str) -> list[Delivery]:
    """Take out what a source gave of an account and month, in every dataset, and what is kept to make it from.

    Returns  one entry of the ledger per unit.
    Refuses  RefusedError where there is nothing of it, naming the accounts and months that there are, and for a month
             that the plan has closed.
    """
    kept = {adapter.name for adapter in adapters().values() if adapter.source == source and adapter.kept}
    with lake.writing(home), lake.locked(home):
        now = lake.current(home)
        charged = [u for u in now if u.source == source or (u.dataset.startswith("_") and u.source in kept)]
        # Corrections of a closed month are that month's, wherever they stand.
        ours = [u for u in charged if not u.corrects]
        if not ours:
            known = ", ".join(sorted({u.source for u in now})) or "nothing"
            raise UsageError(f"The lake holds nothing from {source!r}. It holds: {known}.")
        units = [u for u in ours if (u.billing_account, u.month) == (account, month)]
        if not units:
            listed = ", ".join(f"{a} {m}" for a, m in sorted({(u.billing_account, u.month) for u in ours}))
            raise RefusedError(
                f"The lake holds nothing from {source} of account {account}, {month}. It holds: {listed}."
            )
        if closed := lake.closures(home).of(source, account, month):
            raise RefusedError(
                f"{source}, account {account}, {month} is closed ({closed.file} row {closed.row}, closed on "
                f"{closed.closed_on}): what the lake holds of it stays."
            )
        # What charges are made from goes last: cut short, the same command finds it and goes on.
        gone = []
        for unit in sorted(units, key=lambda u: (u.dataset.startswith("_"), u)):
            gone.append(lake.withdraw(home, unit))
            rejecting.forget(home, unit)
    return gone
