"""Rows that cannot be taken: which, why, how much money stands on them, and where they are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from ..contract import Contract, literal, quoted
from ..lake import TIMELESS, Home, Unit
from .adapters import Adapter
from .checking import Where, origin
from .files import Delivered
from .reading import misfit_rows, write_parquet

FOLDER = "_rejected"
"""Folder of the lake for rejected rows, one Parquet file per unit."""


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """What was rejected of one unit."""

    rows: int
    billed: dict[str, Decimal]
    """By currency, of the rows whose amount can be read."""
    unreadable: int
    """Rows whose amount or currency cannot be read."""


def begin(db: duckdb.DuckDBPyConnection) -> None:
    """Make the table of rejected rows, empty."""
    db.execute("create or replace table rejected (x_source_file varchar, x_source_row bigint, reason varchar)")


def misfits(db: duckdb.DuckDBPyConnection, adapter: Adapter, files: Sequence[Delivered]) -> None:
    """Reject every row with a value that does not fit its column, or without one that is required."""
    for file in files:
        for query in misfit_rows(adapter, file):
            db.execute(f"insert into rejected {query}")


def offenders(db: duckdb.DuckDBPyConnection, own: Contract) -> None:
    """Reject every source row of which a staged row breaks a promise of the contract."""
    file, row = origin(own)
    queries = [
        f"select {file}, {row}, {literal(rule.column + ': found ')} || coalesce(left(cast({quoted(rule.column)} as "
        f"varchar), 60), 'nothing') || {literal(', wanted ' + rule.wanted)} from staged where {rule.offends}"
        for rule in own.rules()
    ]
    if not {"x_SourceRow", "x_source_row"} & set(own.key):
        key = ", ".join(quoted(k) for k in own.key)
        queries.append(
            f"select {file}, {row}, {literal('found a key that another row has too, wanted each once')} from staged "
            f"qualify row_number() over (partition by {key} order by {file}, {row}) > 1"
        )
    # What a value that did not fit has left empty is no second reason.
    db.execute("create or replace table misfit as select distinct x_source_file, x_source_row from rejected")
    for query in queries:
        db.execute(
            f"insert into rejected select found.* from ({query}) as found(x_source_file, x_source_row, reason) "
            "anti join misfit using (x_source_file, x_source_row)"
        )


def placed(db: duckdb.DuckDBPyConnection, adapter: Adapter) -> dict[Where, Rejected]:
    """The rejected rows of the view `raw_all` by unit.

    A row that tells no account or no month is of the unit that the other rows of its file are of; where these are of
    several, of each of them, since any may lack it.
    """
    account, month = adapter.account or literal(TIMELESS), adapter.month or literal(TIMELESS)
    amount, currency = adapter.billed or ("null::decimal(38, 18)", "null")
    db.execute(
        f"create or replace table placed as with rows as (select x_source_file, x_source_row, {account} as account, "
        f"{month} as month, cast({amount} as decimal(38, 18)) as amount, {currency} as currency from raw_all as raw), "
        "units as (select distinct x_source_file, account, month from rows where account is not null and month is not "
        "null), reasons as (select x_source_file, x_source_row, string_agg(distinct reason, '; ' order by reason) as "
        "reason from rejected group by all) "
        "select x_source_file, x_source_row, reason, cast(units.account as varchar) as account, units.month, amount, "
        "currency from reasons join rows using (x_source_file, x_source_row) join units using (x_source_file) "
        "where units.account = coalesce(rows.account, units.account) "
        "and units.month = coalesce(rows.month, units.month)"
    )
    found: dict[Where, Rejected] = defaultdict(lambda: Rejected(rows=0, billed={}, unreadable=0))
    for a, m, c, rows, known, total in db.sql(
        "select account, month, currency, count(*), count(amount), sum(amount) from placed group by all"
    ).fetchall():
        before = found[(str(a), str(m))]
        readable = c is not None and total is not None
        found[(str(a), str(m))] = Rejected(
            rows=before.rows + int(rows),
            billed=before.billed | ({str(c): total} if readable else {}),
            unreadable=before.unreadable + int(rows - (known if readable else 0)),
        )
    return dict(found)


def keep(db: duckdb.DuckDBPyConnection, home: Home, unit: Unit, *, private: bool) -> Path:
    """Write the rejected rows of one unit beside the lake's data, in place of earlier ones.

    Telemetry is named by file and row alone: what was delivered may hold what people typed.
    """
    target = home.lake / FOLDER / unit.file
    where = f"placed.account = {literal(unit.billing_account)} and placed.month = {literal(unit.month)}"
    delivered = "cast(null as varchar)" if private else "cast(to_json(raw_all) as varchar)"
    target.parent.mkdir(parents=True, exist_ok=True)
    write_parquet(
        db,
        f"select placed.* exclude (account, month), {delivered} as delivered from placed "
        f"left join raw_all using (x_source_file, x_source_row) where {where} order by x_source_file, x_source_row",
        target,
    )
    return target


def forget(home: Home, unit: Unit) -> None:
    """Remove what an earlier delivery of the unit left there."""
    (home.lake / FOLDER / unit.file).unlink(missing_ok=True)
