"""What is staged of `raw`, and what was delivered in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ...contract import contract, literal, quoted
from ...errors import RefusedError
from ...money import EXACT
from ..adapters import Adapter
from ..facts import TIMELESS, AccountMonth, Costs
from .database import Database, Relation


def as_delivered(adapter: Adapter, raw: Relation) -> str:
    """A SELECT of the rows of a companion export as they are, beside the account and month they are of."""
    return f"select *, {adapter.account} as x_account, {adapter.month} as x_month from {raw}"


def in_contract_columns(db: Database, adapter: Adapter) -> str:
    """The adapter's SELECT in the columns, order and types of its contract; what it does not select is NULL."""
    own = contract(adapter.dataset)
    assert adapter.select is not None
    select = adapter.select.strip().rstrip(";")
    given = {name for name, _ in db.columns(select)}
    if unknown := given - set(own.names):
        raise RefusedError(
            f"The {adapter.name} adapter gives columns that {adapter.dataset} does not have: "
            f"{', '.join(sorted(unknown))}."
        )
    defaults = {"x_Adapter": literal(adapter.name), "x_adapter": literal(adapter.name), "x_SourcePart": "1"}
    columns = []
    for c in own.columns:
        value = quoted(c.name) if c.name in given else defaults.get(c.name, "null")
        columns.append(f"cast({value} as {c.sql_type}) as {quoted(c.name)}")
    query = f"select {', '.join(columns)} from ({select}\n)"
    if adapter.dataset == "ai_usage":
        from ... import pricing

        return pricing.priced(db.connection, query)
    return query


def companion_table(db: Database, adapter: Adapter, name: str, file: Path | None, without: str) -> None:
    """Give the SELECT a companion export it names, empty where none was delivered."""
    db.run(adapter.companions[name])
    db.run(f"alter table {name} add column if not exists x_source_file varchar")
    db.run(f"alter table {name} add column if not exists x_source_row bigint")
    if file is None:
        return
    columns = db.columns(name)
    db.run(f"drop table {name}")
    # What was stored before the export had a column has nothing in it.
    casts = ", ".join(f"cast({quoted(c)} as {t}) as {quoted(c)}" for c, t in columns)
    nothing = ", ".join(f"cast(null as {t}) as {quoted(c)}" for c, t in columns)
    db.view(
        name,
        f"select {casts} from (select * from read_parquet({literal(str(file))}) "
        f"union all by name select {nothing} where false) {without}",
    )


def read_of_companion(
    db: Database, staged: Relation
) -> tuple[dict[AccountMonth, dict[str, int]], dict[str, Sequence[str]]]:
    """Rows of a staged companion export by file, and why a file with a row of no account-month is refused."""
    read: dict[AccountMonth, dict[str, int]] = defaultdict(dict)
    astray: dict[str, Sequence[str]] = {}
    [(latest,)] = db.rows("select strftime(now() + interval 2 years, '%Y-%m')")
    for account, month, file, count, row in db.rows(
        f"select x_account, x_month, x_source_file, count(*), min(x_source_row) from {staged} group by all"
    ):
        if month is not None and month != TIMELESS and not "2000" <= month <= latest:
            astray[str(file)] = [
                (
                    f"{file}, row {row}: found a time in {month}, wanted one from the year 2000 to {latest}. Correct "
                    "the row at its source and deliver the file again."
                )
            ]
        elif account is not None and month is not None:
            read[AccountMonth(str(account), str(month))][str(file)] = int(count)
        else:
            astray[str(file)] = [
                (
                    f"{file}, row {row}: found no billing account or no month, wanted both to know what the row "
                    "replaces. Correct the row at its source and deliver the file again."
                )
            ]
    return dict(read), astray


def delivered(
    db: Database, adapter: Adapter, raw: Relation, *, of: AccountMonth | None
) -> tuple[dict[AccountMonth, dict[str, int]], Costs]:
    """What was delivered, companions included: source rows by file, and every cost that is to arrive whole.

    Charges that several exports make are made one account-month at a time: `of` says which.
    """
    account, month = adapter.account or literal(TIMELESS), adapter.month or literal(TIMELESS)
    amount, currency = adapter.billed or ("null::decimal(38, 18)", "null")
    read: dict[AccountMonth, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    conserved = [c for c in adapter.conserves if c.companion is None]
    costs: dict[str, dict[AccountMonth, dict[str, Decimal] | None]] = {
        c: {} for c in [*(["BilledCost"] if adapter.billed else []), *(c.column for c in conserved)]
    }

    def add(column: str, where: AccountMonth, currency: Any, total: Decimal | None, *, complete: bool) -> None:
        of_column = costs.setdefault(column, {})
        found = of_column.setdefault(where, {})
        if not complete:
            of_column[where] = None
        elif found is not None and total is not None:
            found[str(currency)] = EXACT.add(found.get(str(currency), Decimal(0)), total)

    sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
    for a, m, file, c, rows, billed, *more in db.rows(
        f"select {account}, {month}, x_source_file, {currency}, count(*), sum(x_billed){sums} "
        f"from (select *, {amount} as x_billed from {raw}) as raw group by all"
    ):
        where = AccountMonth(None if a is None else str(a), None if m is None else str(m))
        read[where][str(file)] += int(rows)
        if adapter.billed:
            add("BilledCost", where, c, billed, complete=True)
        for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
            add(cost.column, where, c, total, complete=known == rows)
    for name in adapter.companions:
        assert of is not None
        # What charges wait for, such as a price list, is no charge itself: its rows count where it is stored.
        rows_are_charges = name not in adapter.waits_for
        conserved = [c for c in adapter.conserves if c.companion == name]
        sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
        found = db.rows(
            f"select x_source_file, {currency if conserved else 'null'}, count(*){sums} from {name} group by all"
        )
        for file, c, rows, *more in found:
            read[of][str(file)] += int(rows) if rows_are_charges else 0
            for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
                add(cost.column, of, c, total, complete=known == rows)
        for cost in conserved if not found else []:
            add(cost.column, of, None, None, complete=False)
    return {where: dict(found) for where, found in read.items()}, costs
