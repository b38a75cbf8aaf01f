"""Is what was staged what the contract promises, and what does it add up to?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from ...contract import Column, Contract, Rule, literal, quoted
from ..adapters import Adapter
from ..facts import TIMELESS, AccountMonth, Total, in_rows
from .database import Database, Relation
from .reading import shown


def placement(contract: Contract) -> tuple[str, str]:
    """SQL for the billing account and the month of a staged row."""
    account = quoted(contract.account) if contract.account else literal(TIMELESS)
    # A plain timestamp is formatted in a third of the time that one with a time zone takes; both are UTC.
    time = f"make_timestamp(epoch_us({quoted(contract.month or '')}))"
    month = f"strftime({time}, '%Y-%m')" if contract.month else literal(TIMELESS)
    return account, month


def of(contract: Contract, where: AccountMonth) -> str:
    """SQL for the staged rows of one account-month."""
    account, month = placement(contract)
    return f"{account} = {literal(str(where.account))} and {month} = {literal(str(where.month))}"


def offences(
    db: Database, adapter: Adapter, contract: Contract, staged: Relation, raw: Relation
) -> dict[AccountMonth, list[str]]:
    """Broken promises of what is staged: one message each, naming file, row and column."""
    account, month = placement(contract)
    found: dict[AccountMonth, list[str]] = defaultdict(list)

    def explain(rule: Rule, count: int, where: AccountMonth) -> None:
        found[where].append(_explain(db, adapter, contract, staged, raw, rule, count, where))

    rules = contract.rules()
    counts = ", ".join(f"count(*) filter (where {r.offends})" for r in rules)
    # Rows that break no promise, which are nearly all, are tested once and counted for none.
    broken = " or ".join(f"({r.offends})" for r in rules)
    for a, m, *numbers in db.rows(f"select {account}, {month}, {counts} from {staged} where {broken} group by all"):
        for rule, count in zip(rules, numbers, strict=True):
            if count:
                explain(rule, count, AccountMonth(a, m))
    if present := contract.present_rules():
        columns = ", ".join(f"count({quoted(r.column)})" for r in present)
        for a, m, rows, *values in db.rows(
            f"select {account}, {month}, count(*), {columns} from {staged} group by all"
        ):
            for rule, count in zip(present, values, strict=True):
                if 0 < count < rows:
                    explain(rule, rows - count, AccountMonth(a, m))
    if not keyed_by_row(contract):
        for where, message in _repeated(db, contract, staged):
            found[where].append(message)
    return dict(found)


def keyed_by_row(contract: Contract) -> bool:
    """Whether the source row is part of the key, so that no two rows can have the same."""
    return bool({"x_SourceRow", "x_source_row"} & set(contract.key))


def _explain(
    db: Database,
    adapter: Adapter,
    contract: Contract,
    staged: Relation,
    raw: Relation,
    rule: Rule,
    count: int,
    where: AccountMonth,
) -> str:
    account, month = placement(contract)
    file, row = origin(contract)
    [(name, number, value)] = db.rows(
        f"select {file}, {row}, cast({quoted(rule.column)} as varchar) from {staged} where {rule.offends} "
        f"and {account} is not distinct from $1 and {month} is not distinct from $2 order by 1, 2 limit 1",
        where,
    )
    column, found = rule.column, value
    delivered = adapter.origin.get(rule.column)
    if delivered:
        rows = db.rows(
            f"select cast({delivered} as varchar) from {raw} where x_source_file = $1 and x_source_row = $2",
            [name, number],
        )
        if rows:
            column, found = f"{delivered} (which gives {rule.column})", rows[0][0]
    more = f" ({count} rows like it)" if count > 1 else ""
    wanted = adapter.wanted.get(rule.column, rule.wanted)
    return f"{name}, row {number}, column {column}: found {shown(found)}, wanted {wanted}{rule.nearest(value)}{more}."


def _repeated(db: Database, contract: Contract, staged: Relation) -> list[tuple[AccountMonth, str]]:
    account, month = placement(contract)
    key = ", ".join(quoted(k) for k in contract.key)
    file, row = origin(contract)
    rows = db.rows(
        f"select any_value({account}), any_value({month}), min({file}), max({row}), min({row}) from {staged} "
        f"group by {key} having count(*) > 1 order by 3, 4"
    )
    return [
        (
            AccountMonth(a, m),
            (
                f"{name}, row {last}, column {', '.join(contract.key)}: found the same key as in row {first}, "
                f"wanted each once ({contract.grain})."
            ),
        )
        for a, m, name, last, first in rows
    ]


def origin(contract: Contract) -> tuple[str, str]:
    """Names of the columns that say which file and row a staged row came from."""
    return ("x_SourceFile", "x_SourceRow") if contract.focus_dataset else ("x_source_file", "x_source_row")


def totals(
    db: Database, adapter: Adapter, contract: Contract, staged: Relation
) -> tuple[dict[AccountMonth, Total], Relation]:
    """Rows and exact sums of what is staged; no sums for datasets without those costs.

    Returns  them by account-month, and a table of the same by what the ledger keeps apart, in `BREAKDOWN`.
    """
    account, month = placement(contract)
    # Where several exports make one charge, the part number only tells which of them the row is from.
    added = "x_SourcePart > 1" if contract.focus_dataset and not adapter.companions else "false"
    currency = "BillingCurrency" if "BillingCurrency" in contract.names else "null"
    costs = list(dict.fromkeys(["BilledCost", "EffectiveCost", *(c.column for c in adapter.conserves)]))
    sums = ", ".join(f"sum({c}) as {c}" if c in contract.names else f"null as {c}" for c in costs)
    by = "".join(f"{c}, " for c in BREAKDOWN if c != "BillingCurrency") if has_breakdown(contract) else ""
    summed = db.table(
        "summed",
        f"select {account} as x_account, {month} as x_month, {by}{currency} as BillingCurrency, count(*) as rows, "
        f"count(*) filter (where {added}) as added, {sums} from {staged} group by all",
    )
    found: dict[AccountMonth, Total] = {}
    for a, m, c, rows, extra, *amounts in db.rows(
        "select x_account, x_month, BillingCurrency, sum(rows), sum(added), "
        f"{', '.join(f'sum({cost})' for cost in costs)} from {summed} group by all"
    ):
        where = AccountMonth(a, m)
        total = found.get(where, Total())
        found[where] = Total(
            rows=total.rows + int(rows),
            added=total.added + int(extra),
            costs={
                cost: {**total.costs.get(cost, {})} | ({} if amount is None else {str(c): amount})
                for cost, amount in zip(costs, amounts, strict=True)
            },
        )
    return found, summed


BREAKDOWN = ("ServiceName", "SubAccountId", "ChargeCategory", "BillingCurrency")
"""What the ledger keeps apart of each delivery, so that a restatement can be looked into after the data is gone."""


def has_breakdown(contract: Contract) -> bool:
    return {*BREAKDOWN, "BilledCost", "EffectiveCost"} <= set(contract.names)


def breakdown_of_staged(where: AccountMonth, summed: Relation) -> str:
    """A SELECT of rows and costs of one account-month as the ledger keeps them, of what `totals` summed."""
    return (
        f"select {', '.join(BREAKDOWN)}, rows, BilledCost as billed, EffectiveCost as effective from {summed} "
        f"where x_account = {literal(str(where.account))} and x_month = {literal(str(where.month))} order by all"
    )


def breakdown_of(query: str) -> str:
    """A SELECT of rows and costs of a query's charges as the ledger keeps them."""
    return (
        f"select {', '.join(BREAKDOWN)}, count(*) as rows, sum(BilledCost) as billed, "
        f"sum(EffectiveCost) as effective from ({query}) group by all order by all"
    )


def repaired(db: Database, contract: Contract, staged: Relation) -> dict[AccountMonth, str]:
    """What an adapter repaired: each column, how it was changed and on how many rows."""
    if "x_Repairs" not in contract.names:
        return {}
    rows_repaired = f"from {staged} where x_Repairs is not null"
    present = {str(key) for (key,) in db.rows(f"select distinct unnest(json_keys(x_Repairs)) {rows_repaired}")}
    columns = [c for c in contract.columns if c.name in present]
    if not columns:
        return {}
    account, month = placement(contract)
    # Rows are counted by what was repaired together, which are few kinds, before anything is taken apart.
    changes = ", ".join(f"{_change(c)} as change{i}" for i, c in enumerate(columns))
    counts: dict[AccountMonth, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for a, m, rows, *changed in db.rows(f"select {account}, {month}, count(*), {changes} {rows_repaired} group by all"):
        for column, change in zip(columns, changed, strict=True):
            if change is not None:
                counts[AccountMonth(a, m)][f"{column.name} {change}"] += rows
    return {where: _said(found) for where, found in counts.items()}


def _said(counts: Mapping[str, int]) -> str:
    changes: Sequence[str] = [f"{what} ({in_rows(rows)})" for what, rows in sorted(counts.items())]
    return "repaired: " + ", ".join(changes)


def _change(column: Column) -> str:
    """SQL that says how a column was repaired, with the value itself where FOCUS lists the values; else NULL."""
    name, path = quoted(column.name), literal(f"$.{column.name}")
    was = f"json_extract_string(x_Repairs, {path})"
    now = f"{was} || ' → ' || {name}" if column.values else "'rewritten'"
    return (
        f"case when not json_exists(x_Repairs, {path}) then null when {name} is null then 'left out' "
        f"when {was} is null then 'filled' else {now} end"
    )
