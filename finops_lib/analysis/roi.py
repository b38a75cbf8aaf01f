"""What a return on investment would be if one assumption were wrong. The return itself is a mart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import polars as pl


class Flow(NamedTuple):
    """What a month cost and brought, and how many months after the first one's start it ends."""

    months: int
    bills: float
    people: float
    benefit: float


def sensitivity(value: pl.DataFrame, returns: pl.DataFrame, *, swing: float = 0.2) -> pl.DataFrame:
    """How far each use case's return moves when one assumption is wrong: the bars of a tornado chart.

    Reads    the marts fct_use_case_value, and fct_use_case_return of one month, up to which months count. `swing` is
             how far each driver is moved, down and up.
    Returns  use_case, currency, driver (benefit, running cost, people cost, setup cost, discount rate), change
             (-swing, +swing), roi, npv, and the mart's own as base_roi, base_npv; one driver moves, all others stay.
             A driver that is 0 or unknown has no bar, nor has a use case without a known benefit or cost. All float:
             these are what-ifs, not accounts.
    """
    found: list[dict[str, object]] = []
    for base in returns.sort("use_case", "currency").iter_rows(named=True):
        if base["benefit"] is None or base["cost"] is None:
            continue
        flows = _flows(value, base)
        drivers = {
            "benefit": 1.0,
            "running cost": 1.0,
            "people cost": 1.0 if base["organisation_cost"] else 0.0,
            "setup cost": float(base["setup_cost"] or 0),
            "discount rate": float(base["discount_rate"] or 0),
        }
        for driver, level in drivers.items():
            for change in (-swing, swing) if level else ():
                moved = _worth(flows, {**drivers, driver: level * (1 + change)})
                found.append(
                    {
                        "use_case": base["use_case"],
                        "currency": base["currency"],
                        "driver": driver,
                        "change": change,
                        "roi": moved["roi"],
                        "npv": None if base["npv"] is None else moved["npv"],
                        "base_roi": base["roi"],
                        "base_npv": base["npv"],
                    }
                )
    return pl.DataFrame(found, schema=_SENSITIVITY)


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


def _flows(value: pl.DataFrame, base: Mapping[str, Any]) -> list[Flow]:
    months = value.filter(
        pl.col("use_case") == base["use_case"],
        pl.col("currency") == base["currency"],
        pl.col("month") <= base["month"],
    ).select(
        "month",
        pl.col("effective_cost", "organisation_cost").cast(pl.Float64).fill_null(0),
        pl.when("is_measured").then("benefit").cast(pl.Float64).fill_null(0),
    )
    first = _ordinal(str(base["first_month"]))
    return [Flow(_ordinal(month) - first + 1, *amounts) for month, *amounts in months.iter_rows()]


def _ordinal(month: str) -> int:
    return int(month[:4]) * 12 + int(month[5:])


def _worth(flows: Sequence[Flow], drivers: Mapping[str, float]) -> dict[str, float | None]:
    """ROI and NPV with benefit, bills and people multiplied, setup cost and discount rate as given."""
    moved = [
        (
            f.months,
            f.bills * drivers["running cost"] + f.people * drivers["people cost"],
            f.benefit * drivers["benefit"],
        )
        for f in flows
    ]
    cost = sum(spent for _, spent, _ in moved) + drivers["setup cost"]
    net = sum(benefit for _, _, benefit in moved) - cost
    monthly = (1 + drivers["discount rate"]) ** (1 / 12)
    npv = sum((benefit - spent) / monthly**months for months, spent, benefit in moved) - drivers["setup cost"]
    return {"roi": net / cost if cost else None, "npv": npv}
