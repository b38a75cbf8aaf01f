"""What a use case brings beside what it costs. Money is exact; discounting and ratios are float."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

import polars as pl

SetupCosts = Mapping[tuple[str, str], Decimal]
"""One-off cost before the first month, by use case and currency."""

SWING = 0.2
"""How far `sensitivity` moves each driver, down and up, unless told otherwise."""

DIGITS = 76
"""Twice what a DECIMAL(38,18) holds: sums of amounts are exact."""


class Month(NamedTuple):
    """One measured month of a use case."""

    month: str
    cost: Decimal
    benefit: Decimal


class Flow(NamedTuple):
    """What a measured month cost and brought, and how many months after the first one's start it ends."""

    months: int
    cost: float
    benefit: float


def roi(
    value: pl.DataFrame, *, discount_rate: Decimal | float | None, setup_cost: SetupCosts | None = None
) -> pl.DataFrame:
    """Return on investment of each use case over the months in which both its cost and its benefit are known.

    Reads    the mart fct_use_case_value: use_case, month, currency, effective_cost, benefit. `discount_rate` is
             annual, such as 0.1; without one there is no NPV. A use case that `setup_cost` does not name had none.
    Returns  use_case, currency, first_month, last_month, months (measured), months_unknown (left out because cost or
             benefit is not known), cost_unmeasured (what those cost, where known), setup_cost, cost (setup included),
             benefit, net = benefit - cost, roi = net / cost, npv, payback_month.
             A use case without a measured month has NULL amounts, never 0.
             NPV: setup is paid at the start of the first measured month, each month's net arrives at its end, and a
             month discounts by (1 + discount_rate)^(1/12). Payback: the month from which the undiscounted net, setup
             included, stays at 0 or above to the end; NULL where it has not come.
    Source   FinOps Foundation KPI library, "Return on Investment".
    """
    found: list[dict[str, object]] = []
    with localcontext(prec=DIGITS):
        for use_case, currency, months, measured in _use_cases(value):
            unmeasured = months.filter(~_MEASURED).get_column("effective_cost").drop_nulls()
            row: dict[str, object] = {
                "use_case": use_case,
                "currency": currency,
                "months": len(measured),
                "months_unknown": len(months) - len(measured),
                "cost_unmeasured": unmeasured.sum() if len(unmeasured) else None,
            }
            if measured:
                setup = (setup_cost or {}).get((use_case, currency), Decimal(0))
                cost = sum((m.cost for m in measured), setup)
                benefit = sum((m.benefit for m in measured), Decimal(0))
                row |= {
                    "first_month": measured[0].month,
                    "last_month": measured[-1].month,
                    "setup_cost": setup,
                    "cost": cost,
                    "benefit": benefit,
                    "net": benefit - cost,
                    "roi": float((benefit - cost) / cost) if cost else None,
                    "npv": _npv(_flows(measured), setup=float(setup), rate=discount_rate),
                    "payback_month": _payback(measured, setup=setup),
                }
            found.append(row)
    return pl.DataFrame(found, schema=_ROI)


def sensitivity(
    value: pl.DataFrame,
    *,
    discount_rate: Decimal | float | None,
    setup_cost: SetupCosts | None = None,
    swing: float = SWING,
) -> pl.DataFrame:
    """How far each use case's return moves when one assumption is wrong: the bars of a tornado chart.

    Reads    as `roi`.
    Returns  use_case, currency, driver (benefit, running cost, setup cost, discount rate), change (-swing, +swing),
             roi, npv, base_roi, base_npv; one driver moves, all others stay. A driver that is 0 or unknown has no
             bar, nor has a use case without a measured month. All float: these are what-ifs, not accounts.
    """
    found: list[dict[str, object]] = []
    for use_case, currency, _, measured in _use_cases(value):
        flows = _flows(measured)
        drivers = {
            "benefit": 1.0,
            "running cost": 1.0,
            "setup cost": float((setup_cost or {}).get((use_case, currency), 0)),
            "discount rate": float(discount_rate or 0),
        }
        base = _worth(flows, drivers, discounted=discount_rate is not None)
        for driver, level in drivers.items() if flows else ():
            for change in (-swing, swing) if level else ():
                moved = _worth(flows, {**drivers, driver: level * (1 + change)}, discounted=discount_rate is not None)
                found.append(
                    {
                        "use_case": use_case,
                        "currency": currency,
                        "driver": driver,
                        "change": change,
                        **moved,
                        **{f"base_{name}": worth for name, worth in base.items()},
                    }
                )
    return pl.DataFrame(found, schema=_SENSITIVITY)


_MEASURED = pl.all_horizontal(pl.col("effective_cost", "benefit").is_not_null())
_ROI: dict[str, pl.DataType | type[pl.DataType]] = {
    "use_case": pl.String,
    "currency": pl.String,
    "first_month": pl.String,
    "last_month": pl.String,
    "months": pl.Int64,
    "months_unknown": pl.Int64,
    "cost_unmeasured": pl.Decimal(38, 18),
    "setup_cost": pl.Decimal(38, 18),
    "cost": pl.Decimal(38, 18),
    "benefit": pl.Decimal(38, 18),
    "net": pl.Decimal(38, 18),
    "roi": pl.Float64,
    "npv": pl.Float64,
    "payback_month": pl.String,
}
_SENSITIVITY = {
    "use_case": pl.String,
    "currency": pl.String,
    "driver": pl.String,
    "change": pl.Float64,
    "roi": pl.Float64,
    "npv": pl.Float64,
    "base_roi": pl.Float64,
    "base_npv": pl.Float64,
}


def _use_cases(value: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame, list[Month]]]:
    """Each use case and currency with all its months and the measured ones, in order."""
    for key, months in sorted(value.partition_by("use_case", "currency", as_dict=True).items(), key=str):
        rows = months.filter(_MEASURED).sort("month").select("month", "effective_cost", "benefit").iter_rows()
        yield *key, months, [Month(*row) for row in rows]


def _flows(measured: Sequence[Month]) -> list[Flow]:
    return [
        Flow(_ordinal(m.month) - _ordinal(measured[0].month) + 1, float(m.cost), float(m.benefit)) for m in measured
    ]


def _ordinal(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def _npv(flows: Sequence[Flow], *, setup: float, rate: Decimal | float | None) -> float | None:
    if rate is None:
        return None
    monthly: float = (1 + float(rate)) ** (1 / 12)
    return sum((f.benefit - f.cost) / monthly**f.months for f in flows) - setup


def _payback(measured: Sequence[Month], *, setup: Decimal) -> str | None:
    paid_back, balance = None, -setup
    for m in measured:
        balance += m.benefit - m.cost
        if balance < 0:
            paid_back = None
        elif paid_back is None:
            paid_back = m.month
    return paid_back


def _worth(flows: Sequence[Flow], drivers: Mapping[str, float], *, discounted: bool) -> dict[str, float | None]:
    """ROI and NPV with benefit and running cost multiplied, setup cost and discount rate as given."""
    moved = [Flow(f.months, f.cost * drivers["running cost"], f.benefit * drivers["benefit"]) for f in flows]
    cost = sum(f.cost for f in moved) + drivers["setup cost"]
    net = sum(f.benefit for f in moved) - cost
    rate = drivers["discount rate"] if discounted else None
    return {"roi": net / cost if cost else None, "npv": _npv(moved, setup=drivers["setup cost"], rate=rate)}
