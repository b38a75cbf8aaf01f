"""Is what was staged what the contract promises, and is all the money still there?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Context, Decimal

import duckdb

from ..contract import Column, Contract, Rule, literal, quoted
from ..lake import TIMELESS, Unit
from .adapters import Adapter
from .reading import shown

EXACT = Context(prec=100)
"""Arithmetic on sums of money: Python's default context rounds after 28 digits, a DECIMAL(38,18) holds 38."""

Where = tuple[str, str]
"""Billing account and month of a unit."""


def placement(contract: Contract) -> tuple[str, str]:
    """SQL for the billing account and the month of a staged row."""
    account = quoted(contract.account) if contract.account else f"'{TIMELESS}'"
    # A plain timestamp is formatted in a third of the time that one with a time zone takes; both are UTC.
    plain_time = f"make_timestamp(epoch_us({quoted(contract.month or '')}))"
    month = f"strftime({plain_time}, '%Y-%m')" if contract.month else f"'{TIMELESS}'"
    return account, month


def offences(db: duckdb.DuckDBPyConnection, adapter: Adapter, contract: Contract) -> dict[Where, list[str]]:
    """Broken promises of the table `staged` by unit: one message each, naming file, row and column."""
    account, month = placement(contract)
    found: dict[Where, list[str]] = defaultdict(list)

    rules = contract.rules()
    counts = ", ".join(f"count(*) filter (where {r.offends})" for r in rules)
    # Rows that break no promise, which are nearly all, are tested once and counted for none.
    broken = " or ".join(f"({r.offends})" for r in rules)
    for where_account, where_month, *numbers in db.sql(
        f"select {account}, {month}, {counts} from staged where {broken} group by all"
    ).fetchall():
        for rule, count in zip(rules, numbers, strict=True):
            if count:
                message = _explain(db, adapter, contract, rule, count, where_account, where_month)
                found[(str(where_account), str(where_month))].append(message)
    if present := contract.present_rules():
        columns = ", ".join(f"count({quoted(r.column)})" for r in present)
        for where_account, where_month, rows, *values in db.sql(
            f"select {account}, {month}, count(*), {columns} from staged group by all"
        ).fetchall():
            for rule, count in zip(present, values, strict=True):
                if 0 < count < rows:
                    message = _explain(db, adapter, contract, rule, rows - count, where_account, where_month)
                    found[(str(where_account), str(where_month))].append(message)
    if not {"x_SourceRow", "x_source_row"} & set(contract.key):
        for where, message in _repeated(db, contract, account, month):
            found[where].append(message)
    return dict(found)


def _explain(
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    contract: Contract,
    rule: Rule,
    count: int,
    account: str | None,
    month: str | None,
) -> str:
    account_sql, month_sql = placement(contract)
    file, row = origin(contract)
    [(name, number, value)] = db.execute(
        f"select {file}, {row}, cast({quoted(rule.column)} as varchar) from staged where {rule.offends} "
        f"and {account_sql} is not distinct from $1 and {month_sql} is not distinct from $2 order by 1, 2 limit 1",
        [account, month],
    ).fetchall()
    column, found = rule.column, value
    delivered = adapter.origin.get(rule.column)
    if delivered:
        rows = db.execute(
            f"select cast({delivered} as varchar) from raw where x_source_file = $1 and x_source_row = $2",
            [name, number],
        ).fetchall()
        if rows:
            column, found = f"{delivered} (which gives {rule.column})", rows[0][0]
    more = f" ({count} rows like it)" if count > 1 else ""
    wanted = adapter.wanted.get(rule.column, rule.wanted)
    return f"{name}, row {number}, column {column}: found {shown(found)}, wanted {wanted}{rule.nearest(value)}{more}."


def _repeated(db: duckdb.DuckDBPyConnection, contract: Contract, account: str, month: str) -> list[tuple[Where, str]]:
    key = ", ".join(quoted(k) for k in contract.key)
    file, row = origin(contract)
    rows = db.sql(
        f"select any_value({account}), any_value({month}), min({file}), max({row}), min({row}), count(*) from staged "
        f"group by {key} having count(*) > 1 order by 3, 4"
    ).fetchall()
    return [
        (
            (str(a), str(m)),
            (
                f"{name}, row {last}, column {', '.join(contract.key)}: found the same key as in row {first}, "
                f"wanted each once ({contract.grain})."
            ),
        )
        for a, m, name, last, first, _ in rows
    ]


def origin(contract: Contract) -> tuple[str, str]:
    """Names of the columns that say which file and row a staged row came from."""
    return ("x_SourceFile", "x_SourceRow") if contract.focus_dataset else ("x_source_file", "x_source_row")


@dataclass(frozen=True, kw_only=True)
class Total:
    """What is staged of one unit; amounts by currency, exact."""

    rows: int
    added: int
    """Second and later charges of a source row."""
    costs: dict[str, dict[str, Decimal]]
    """By column, then by currency."""

    @property
    def billed(self) -> dict[str, Decimal]:
        return self.costs.get("BilledCost", {})

    @property
    def effective(self) -> dict[str, Decimal]:
        return self.costs.get("EffectiveCost", {})


def totals(db: duckdb.DuckDBPyConnection, adapter: Adapter, contract: Contract) -> dict[Where, Total]:
    """Rows and exact sums of `staged` by unit; no sums for datasets without those costs.

    Leaves the table `held`: the same by unit and by what `broken_down` keeps.
    """
    account, month = placement(contract)
    # Where two exports make one charge, the part number only tells which of them the row is from.
    added = "x_SourcePart > 1" if contract.focus_dataset and not adapter.parts else "false"
    currency = "BillingCurrency" if "BillingCurrency" in contract.names else "null"
    costs = list(dict.fromkeys(["BilledCost", "EffectiveCost", *(c.column for c in adapter.conserves)]))
    sums = ", ".join(f"sum({c}) as {c}" if c in contract.names else f"null as {c}" for c in costs)
    by = "".join(f"{c}, " for c in BROKEN_DOWN if c != "BillingCurrency") if is_broken_down(contract) else ""
    db.execute(
        f"create or replace table held as select {account} as x_account, {month} as x_month, {by}"
        f"{currency} as BillingCurrency, count(*) as rows, count(*) filter (where {added}) as added, {sums} "
        "from staged group by all"
    )
    found: dict[Where, Total] = {}
    for a, m, c, rows, extra, *amounts in db.sql(
        "select x_account, x_month, BillingCurrency, sum(rows), sum(added), "
        f"{', '.join(f'sum({cost})' for cost in costs)} from held group by all"
    ).fetchall():
        where = (str(a), str(m))
        total = found.get(where, Total(rows=0, added=0, costs={}))
        found[where] = Total(
            rows=total.rows + int(rows),
            added=total.added + int(extra),
            costs={
                cost: total.costs.get(cost, {}) | ({} if amount is None else {str(c): amount})
                for cost, amount in zip(costs, amounts, strict=True)
            },
        )
    return found


BROKEN_DOWN = ("ServiceName", "SubAccountId", "ChargeCategory", "BillingCurrency")
"""What the ledger keeps apart of each delivery, so that a restatement can be looked into after the data is gone."""


def is_broken_down(contract: Contract) -> bool:
    return {*BROKEN_DOWN, "BilledCost", "EffectiveCost"} <= set(contract.names)


def broken_down(unit: Unit, query: str | None) -> str:
    """A SELECT of rows and costs of one unit as the ledger keeps them: of the table `held`, or of another query."""
    by = ", ".join(BROKEN_DOWN)
    if query is None:
        where = f"x_account = {literal(unit.billing_account)} and x_month = {literal(unit.month)}"
        return (
            f"select {by}, rows, BilledCost as billed, EffectiveCost as effective from held where {where} order by all"
        )
    return (
        f"select {by}, count(*) as rows, sum(BilledCost) as billed, sum(EffectiveCost) as effective "
        f"from ({query}) group by all order by all"
    )


def repairs(db: duckdb.DuckDBPyConnection, contract: Contract) -> dict[Where, str]:
    """What an adapter mended in `staged`, by unit: each column, how it was changed and on how many rows."""
    if "x_Repairs" not in contract.names:
        return {}
    mended = "from staged where x_Repairs is not null"
    present = {str(key) for (key,) in db.sql(f"select distinct unnest(json_keys(x_Repairs)) {mended}").fetchall()}
    columns = [c for c in contract.columns if c.name in present]
    if not columns:
        return {}
    account, month = placement(contract)
    # Rows are counted by what was mended together, which are few kinds, before anything is taken apart.
    changes = ", ".join(f"{_change(c)} as change{i}" for i, c in enumerate(columns))
    counts: dict[Where, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for a, m, rows, *changed in db.sql(
        f"select {account}, {month}, count(*), {changes} {mended} group by all"
    ).fetchall():
        for column, change in zip(columns, changed, strict=True):
            if change is not None:
                counts[(str(a), str(m))][f"{column.name} {change}"] += rows
    return {
        where: "mended: " + ", ".join(f"{what} ({n} row{'' if n == 1 else 's'})" for what, n in sorted(found.items()))
        for where, found in counts.items()
    }


def _change(column: Column) -> str:
    """SQL that says how a column was mended, with the value itself where FOCUS lists the values; NULL if it was not."""
    name, path = quoted(column.name), literal(f"$.{column.name}")
    was = f"json_extract_string(x_Repairs, {path})"
    now = f"{was} || ' → ' || {name}" if column.values else "'rewritten'"
    return (
        f"case when not json_exists(x_Repairs, {path}) then null when {name} is null then 'left out' "
        f"when {was} is null then 'filled' else {now} end"
    )


def plain(amount: Decimal) -> str:
    """An amount as exact decimal text, without exponent and without trailing zeros."""
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
