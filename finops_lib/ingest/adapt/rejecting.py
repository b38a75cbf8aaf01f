"""Rows that cannot be taken: which, why, and how much money stands on them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from ...contract import Contract, literal, quoted
from ...money import EXACT, listed
from ..adapters import Adapter
from ..collect.files import Delivered
from ..facts import TIMELESS, AccountMonth, Rejected, in_rows
from .checking import keyed_by_row, origin
from .database import Database, Relation
from .reading import misfit_rows


def nothing_rejected(db: Database) -> Relation:
    """An empty table of rejected rows."""
    return db.table(
        "rejected",
        "select null::varchar as x_source_file, null::bigint as x_source_row, null::varchar as reason limit 0",
    )


def repeats(db: Database, adapter: Adapter, everything: Relation) -> Relation | None:
    """A table of the rows whose key an earlier row has too: where that is, and whether they are equal in all."""
    if adapter.key is None:
        return None
    first, *_ = adapter.key.split(",")
    keyed = f"from {everything} where {first} is not null"
    if db.rows(f"select count(*) - count(distinct hash({adapter.key})) {keyed}") == [(0,)]:
        return None
    row = f"hash({', '.join(quoted(name) for name, *_ in adapter.columns)})"
    return db.table(
        "repeated",
        f"select x_source_file, x_source_row, first_value(x_source_file) over same as first_file, "
        f"first_value(x_source_row) over same as first_row, {row} = first_value({row}) over same as is_equal {keyed} "
        f"window same as (partition by {adapter.key} order by x_source_file, x_source_row) "
        "qualify row_number() over same > 1",
    )


def is_keyed(db: Database, adapter: Adapter, raw: Relation) -> bool:
    """Whether every row has its key, so that none can come twice unnoticed."""
    first = adapter.key.split(",")[0] if adapter.key else None
    return first is not None and (
        first.strip('"') in adapter.required or not db.rows(f"select 1 from {raw} where {first} is null limit 1")
    )


def reject_contradictions(
    db: Database, adapter: Adapter, repeated: Relation, rejected: Relation
) -> dict[str, list[str]]:
    """Reject the rows that have an earlier row's key and say something else; a message for each of their files."""
    key = (adapter.key or "").replace('"', "")
    what = literal(f"found the {key} of row ") + " || first_row || " + literal(" with other values, wanted each once")
    contradicting = f"from {repeated} where not is_equal"
    db.run(f"insert into {rejected} select x_source_file, x_source_row, {what} {contradicting}")
    found = {}
    for file, row, first_file, first, count in db.rows(
        "select x_source_file, min(x_source_row), arg_min(first_file, x_source_row), "
        f"arg_min(first_row, x_source_row), count(*) {contradicting} group by x_source_file order by 1"
    ):
        of = "" if first_file == file else f" of {first_file}"
        more = f" ({count} rows like it)" if count > 1 else ""
        found[str(file)] = [
            (
                f"{file}, row {row}, column {key}: found the same as in row {first}{of} with other values, wanted each "
                f"once{more}. Export it again, each page and line once."
            )
        ]
    return found


def counted_once(
    db: Database, adapter: Adapter, repeated: Relation, everything: Relation
) -> dict[AccountMonth, tuple[dict[str, int], str]]:
    """The equal rows that do not count again: how many of each file, and what is said of them."""
    account, month = adapter.account or literal(TIMELESS), adapter.month or literal(TIMELESS)
    amount, currency = adapter.billed or ("null::decimal(38, 18)", "null")
    files: dict[AccountMonth, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    money: dict[AccountMonth, dict[str, Decimal]] = defaultdict(dict)
    for a, m, file, c, count, billed in db.rows(
        f"select {account}, {month}, x_source_file, {currency}, count(*), sum({amount}) from (select * from "
        f"{everything} semi join (select * from {repeated} where is_equal) using (x_source_file, x_source_row)) as raw "
        "group by all"
    ):
        where = AccountMonth(None if a is None else str(a), None if m is None else str(m))
        files[where][str(file)] += int(count)
        if c is not None and billed is not None:
            money[where][str(c)] = EXACT.add(money[where].get(str(c), Decimal(0)), billed)
    return {
        where: (
            dict(of_file),
            f"{in_rows(sum(of_file.values()))} repeated, counted once"
            + (f": {listed(money[where])}" if any(money[where].values()) else ""),
        )
        for where, of_file in files.items()
    }


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
