"""What-ifs of a return on investment, by hand. The return itself is a mart, with unit tests beside it."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from marts_by_hand import mart

from finops_lib.analysis.roi import sensitivity

ONE_PERCENT_A_MONTH = 1.01**12 - 1


def _month(month: str, bills: str, people: str | None, benefit: str | None, **changed: object) -> dict[str, object]:
    return {
        "use_case": "triage", "currency": "USD", "month": month, "effective_cost": Decimal(bills),
        "organisation_cost": None if people is None else Decimal(people),
        "benefit": None if benefit is None else Decimal(benefit), "is_measured": benefit is not None, **changed,
    }  # fmt: skip


VALUE = mart(
    "fct_use_case_value",
    [
        _month("2026-01", "1000", "10", "500"),
        _month("2026-02", "700", None, None),
        _month("2026-03", "1000", "10", "5550.10"),
        _month("2026-04", "9999", None, "9999"),
        _month("2026-03", "9999", None, "9999", use_case="other"),
        _month("2026-03", "9999", None, "9999", currency="EUR"),
    ],
)
NPV = -1500 - 510 / 1.01 - 700 / 1.01**2 + 4540.10 / 1.01**3
BASE = {
    "use_case": "triage", "currency": "USD", "month": "2026-03", "first_month": "2026-01", "bill_cost": Decimal(2700),
    "setup_cost": Decimal(1500), "organisation_cost": Decimal(20), "cost": Decimal(4220),
    "benefit": Decimal("6050.10"), "net": Decimal("1830.10"), "roi": 1830.10 / 4220, "npv": NPV,
    "discount_rate": ONE_PERCENT_A_MONTH,
}  # fmt: skip


def _returns(**changed: object) -> pl.DataFrame:
    return mart("fct_use_case_return", [{**BASE, **changed}])


def test_each_driver_moves_alone_by_a_fifth_and_unmeasured_months_stay_in_the_cost() -> None:
    found = sensitivity(VALUE, _returns())
    assert found.select("driver", "change").rows() == [
        (driver, change)
        for driver in ("benefit", "running cost", "people cost", "setup cost", "discount rate")
        for change in (-0.2, 0.2)
    ]
    by_driver = {
        (d, change): (roi, npv) for d, change, roi, npv in found.select("driver", "change", "roi", "npv").rows()
    }
    # benefit 6050.10 × 1.2 on 4220; bills 2700 × 0.8, people 20 × 1.2, setup 1500 × 1.2 beside the rest
    assert by_driver["benefit", 0.2][0] == pytest.approx(7260.12 / 4220 - 1)
    assert by_driver["running cost", -0.2][0] == pytest.approx(6050.10 / (2160 + 20 + 1500) - 1)
    assert by_driver["people cost", 0.2][0] == pytest.approx(6050.10 / (2700 + 24 + 1500) - 1)
    assert by_driver["setup cost", 0.2] == (pytest.approx(6050.10 / 4520 - 1), pytest.approx(NPV - 300))
    assert by_driver["discount rate", 0.2][0] == pytest.approx(BASE["roi"])
    assert found["base_roi"].unique().to_list() == [BASE["roi"]]
    assert found["base_npv"].unique().to_list() == [NPV]


def test_a_driver_that_is_not_moved_gives_the_worth_of_the_mart() -> None:
    unmoved = sensitivity(VALUE, _returns(), swing=0.0)
    assert unmoved["roi"].to_list() == pytest.approx([BASE["roi"]] * 10)
    assert unmoved["npv"].to_list() == pytest.approx([NPV] * 10)


def test_a_driver_that_is_not_there_has_no_bar() -> None:
    found = sensitivity(VALUE, _returns(discount_rate=None, npv=None, organisation_cost=None, setup_cost=None))
    assert found["driver"].unique().sort().to_list() == ["benefit", "running cost"]
    assert found["npv"].to_list() == [None] * 4


@pytest.mark.parametrize("unknown", ["benefit", "cost"])
def test_a_return_that_is_not_known_has_no_what_if(unknown: str) -> None:
    assert sensitivity(VALUE, _returns(**{unknown: None})).is_empty()


def test_no_use_case_no_row() -> None:
    assert sensitivity(VALUE.clear(), _returns().clear()).is_empty()
