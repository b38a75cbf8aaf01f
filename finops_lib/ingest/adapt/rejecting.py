"""Rows that cannot be taken: which, why, and how much money stands on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from ...contract import Contract, literal, quoted
from ..adapters import Adapter
from ..collect.files import Delivered
from ..facts import TIMELESS, AccountMonth, Rejected
from .checking import keyed_by_row, origin
from .database import Database, Relation
from .reading import misfit_rows


def nothing_rejected(db: Database) -> Relation:
    """An empty table of rejected rows."""
    return db.table(
        "rejected",
        "select null::varchar as x_source_file, null::bigint as x_source_row, null::varchar as reason limit 0",
    )


def reject_misfits(db: Database, adapter: Adapter, files: Sequence[Delivered], rejected: Relation) -> None:
    """Reject every row with a value that does not fit its column, or without one that is required."""
    for file in files:
        for query in misfit_rows(adapter, file):
            db.run(f"insert into {rejected} {query}")


def reject_offenders(db: Database, own: Contract, staged: Relation, rejected: Relation) -> None:
    """Reject every source row of which a staged row breaks a promise of the contract."""
    file, row = origin(own)
    queries = [
        f"select {file}, {row}, {literal(rule.column + ': found ')} || coalesce(left(cast({quoted(rule.column)} as "
        f"varchar), 60), 'nothing') || {literal(', wanted ' + rule.wanted)} from {staged} where {rule.offends}"
        for rule in own.rules()
    ]
    if not keyed_by_row(own):
        key = ", ".join(quoted(k) for k in own.key)
        queries.append(
            f"select {file}, {row}, {literal('found a key that another row has too, wanted each once')} from {staged} "
            f"qualify row_number() over (partition by {key} order by {file}, {row}) > 1"
        )
    # What a value that did not fit has left empty is no second reason.
    misfit = db.table("misfit", f"select distinct x_source_file, x_source_row from {rejected}")
    for query in queries:
        db.run(
            f"insert into {rejected} select found.* from ({query}) as found(x_source_file, x_source_row, reason) "
            f"anti join {misfit} using (x_source_file, x_source_row)"
        )


def located(
    db: Database, adapter: Adapter, rejected: Relation, everything: Relation
) -> tuple[dict[AccountMonth, Rejected], Relation]:
    """The rejected rows of all that were delivered, by the account-month they are of, and a table of them.

    A row that tells no account or no month is of the account-month that the other rows of its file are of; where these
    are of several, of each of them, since any may lack it.
    """
    account, month = adapter.account or literal(TIMELESS), adapter.month or literal(TIMELESS)
    amount, currency = adapter.billed or ("null::decimal(38, 18)", "null")
    table = db.table(
        "located",
        f"with rows as (select x_source_file, x_source_row, {account} as account, {month} as month, "
        f"cast({amount} as decimal(38, 18)) as amount, {currency} as currency from {everything} as raw), "
        "places as (select distinct x_source_file, account, month from rows where account is not null and month is not "
        "null), reasons as (select x_source_file, x_source_row, string_agg(distinct reason, '; ' order by reason) as "
        f"reason from {rejected} group by all) "
        "select x_source_file, x_source_row, reason, cast(places.account as varchar) as account, places.month, amount, "
        "currency from reasons join rows using (x_source_file, x_source_row) join places using (x_source_file) "
        "where places.account = coalesce(rows.account, places.account) "
        "and places.month = coalesce(rows.month, places.month)",
    )
    found: dict[AccountMonth, Rejected] = defaultdict(Rejected)
    for a, m, c, rows, known, total in db.rows(
        f"select account, month, currency, count(*), count(amount), sum(amount) from {table} group by all"
    ):
        readable = c is not None and total is not None
        found[AccountMonth(a, m)] += Rejected(
            rows=int(rows),
            billed={str(c): total} if readable else {},
            unreadable=int(rows - known) if readable else int(rows),
        )
    return dict(found), table


def write(
    db: Database, where: AccountMonth, located: Relation, everything: Relation, target: Path, *, private: bool
) -> Path:
    """Write the rejected rows of one account-month, each with its reason and as it was delivered.

    Telemetry is named by file and row alone: what was delivered may hold what people typed.
    """
    delivered = "cast(null as varchar)" if private else f"cast(to_json({everything}) as varchar)"
    return db.write(
        f"select {located}.* exclude (account, month), {delivered} as delivered from {located} "
        f"left join {everything} using (x_source_file, x_source_row) "
        f"where {located}.account = {literal(str(where.account))} and {located}.month = {literal(str(where.month))} "
        "order by x_source_file, x_source_row",
        target,
    )
