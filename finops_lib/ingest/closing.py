"""A delivery to a closed month: refused, or its differences as corrections in the first month that is not closed.

What the lake holds of a closed month is never touched. Its corrections lie in a unit of their own, one for each closed
month: the open month's own delivery does not replace them, and the next restatement of the closed month does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb

from .. import lake
from ..contract import Contract, contract, literal, quoted
from ..lake import Closure, Closures, Delivery, Home, Unit
from .checking import plain
from .reading import write_parquet

CHARGES = "cost_and_usage"
ORIGIN = ("x_SourceFile", "x_SourceRow", "x_SourcePart", "x_Repairs")
"""Columns of a charge that its correction has anew."""


@dataclass(frozen=True, kw_only=True)
class Late:
    """What becomes of a delivery to a closed month."""

    unit: Unit
    delivery: Delivery
    query: str
    """A SELECT of the corrections."""
    message: str = ""
    """Why it is refused; empty where it is not."""
    same: bool = False
    """Whether it says what the lake says already."""


def late(
    db: duckdb.DuckDBPyConnection,
    home: Home,
    closures: Closures,
    delivery: Delivery,
    arrived: str,
    *,
    stays: Callable[[str], str] | None,
    workdir: Path,
) -> Late | None:
    """Turn a delivery to a closed month into corrections, or say why it is refused; None for a month that is open.

    Reads    arrived: a SELECT of the delivered charges. `stays` makes, from a SELECT of what the lake holds, one of the
             charges that the delivery leaves in place; without it the delivery is the whole month.
    Returns  corrections that add up to new minus held, exactly, in every cost and quantity; charges that differ in
             anything else, such as a unit price, are taken back and charged anew.
    """
    unit = delivery.unit
    if unit.dataset != CHARGES:
        return None
    closed = closures.of(unit.source, unit.billing_account, unit.month)
    corrections = _corrections(home, unit)
    if closed is None:
        standing = [u for u in corrections if (d := lake.holding(home, u)) and d.rows_published]
        if not standing:
            return None
        message = (
            f"{unit} is open again, but corrections of it stand in {', '.join(u.month for u in standing)}: it would be "
            "counted twice. Close it again in the plan; then this delivery replaces those corrections."
        )
        return Late(unit=unit, delivery=delivery, query=arrived, message=message)
    target = replace(unit, month=_open_month(closures, unit, corrections), corrects=unit.month)
    own = contract(CHARGES)
    history = _held(home, own, [unit, *(u for u in corrections if u != target)])
    replaced = lake.holding(home, target)
    new = arrived
    if stays is not None:
        everything = _held(home, own, [unit, *corrections])
        new = f"{arrived} union all by name {stays(everything)}"
    file = workdir / f"late-{delivery.delivery_id}-{len(list(workdir.glob('late-*')))}.parquet"
    write_parquet(db, _differences(own, target, new, history), file)
    query = f"select * from read_parquet({literal(str(file))})"
    totals = db.sql(
        f"select BillingCurrency, count(*), sum(BilledCost), sum(EffectiveCost) from ({query}) group by 1 order by 1"
    ).fetchall()
    rows = sum(int(count) for _, count, *_ in totals)
    taken = delivery.rows_read - delivery.rows_rejected
    corrected = replace(
        delivery,
        month=target.month,
        corrects=unit.month,
        rows_published=rows,
        rows_merged=max(taken - rows, 0),
        rows_added=max(rows - taken, 0),
        billed_total={str(c): plain(billed) for c, _, billed, _ in totals},
        effective_total={str(c): plain(effective) for c, _, _, effective in totals},
        notes=[*delivery.notes, f"{unit.month} is closed ({_row_of_plan(closed)}): differences only"],
    )
    same = not rows and replaced is None
    return Late(
        unit=target,
        delivery=corrected,
        query=query,
        message=_refusal(unit, closed, corrected) if closed.late_delivery == "refuse" and not same else "",
        same=same,
    )


def _row_of_plan(closed: Closure) -> str:
    return f"{closed.file} row {closed.row}, closed on {closed.closed_on}"


def _refusal(unit: Unit, closed: Closure, corrected: Delivery) -> str:
    money = ", ".join(f"{c} {'' if a.startswith('-') else '+'}{a}" for c, a in corrected.billed_total.items())
    return (
        f"{unit} is closed ({_row_of_plan(closed)}) and refuses what comes late. The delivery would change it by "
        f"{money or 'nothing billed'} in {corrected.rows_published} corrections. Let the plan say correction to take "
        "them into the first month that is not closed."
    )


def _corrections(home: Home, unit: Unit) -> list[Unit]:
    """The units that hold corrections of a month, oldest first."""
    name = replace(unit, corrects=unit.month).file.name
    folder = home.lake / unit.dataset / f"source={unit.source}"
    months = sorted(f.parent.name.removeprefix("billing_month=") for f in folder.glob(f"billing_month=*/{name}"))
    return [replace(unit, month=month, corrects=unit.month) for month in months]


def _open_month(closures: Closures, unit: Unit, corrections: list[Unit]) -> str:
    """Where corrections go: where the last ones stand if that month is open, else the first month that is."""
    if corrections and closures.of(unit.source, unit.billing_account, corrections[-1].month) is None:
        return corrections[-1].month
    month = unit.month
    while closures.of(unit.source, unit.billing_account, month) is not None:
        month = f"{_next(_first(month)):%Y-%m}"
    return month


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _next(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _held(home: Home, own: Contract, units: list[Unit]) -> str:
    """A SELECT of what the lake holds in some units; months published before the contract had a column have none."""
    files = [literal(str(home.lake / u.file)) for u in units if (home.lake / u.file).exists()]
    if not files:
        return own.empty()
    listed = f"read_parquet([{', '.join(files)}], hive_partitioning = false, union_by_name = true)"
    return f"select * from {listed} union all by name {own.empty()}"


def _differences(own: Contract, target: Unit, new: str, history: str) -> str:
    """A SELECT of new minus history, grouped by all that tells charges apart.

    Unit prices tell them apart too: a correction whose price is not the price of its quantity would be none of FOCUS.
    """
    first = _first(target.month)
    fixed = {
        "ChargeClass": "'Correction'",
        "BillingPeriodStart": f"timestamptz '{first} 00:00:00+00'",
        "BillingPeriodEnd": f"timestamptz '{_next(first)} 00:00:00+00'",
    }
    amounts = [c.name for c in own.columns if c.type == "decimal" and not c.name.endswith("UnitPrice")]
    keys = [c.name for c in own.columns if c.name not in (*amounts, *fixed, *ORIGIN)]
    file = f"corrections of {target.corrects} in {target.month}, account {target.billing_account}"
    made = {
        **fixed,
        "x_SourceFile": literal(file),
        "x_SourceRow": "row_number() over (order by ChargePeriodStart, ServiceName, SkuPriceId, BilledCost)",
        "x_SourcePart": "1",
        "x_Repairs": "null",
    }
    sums = ", ".join(f"sum({quoted(a)}) as {quoted(a)}" for a in amounts)
    kept = " or ".join(f"coalesce(sum({quoted(a)}), 0) <> 0" for a in amounts)
    columns = ", ".join(
        f"cast({made[c.name]} as {c.sql_type}) as {quoted(c.name)}" if c.name in made else quoted(c.name)
        for c in own.columns
    )
    told = ", ".join(map(quoted, keys))
    plus = ", ".join(map(quoted, amounts))
    minus = ", ".join(f"-{quoted(a)} as {quoted(a)}" for a in amounts)
    return (
        f"select {columns} from (select {told}, {sums} from (select {told}, {plus} from ({new}) union all by name "
        f"select {told}, {minus} from ({history})) group by {told} having {kept})"
    )
