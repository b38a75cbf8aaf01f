"""Return on investment, by hand."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops_lib.analysis.roi import roi, sensitivity

MONEY = pl.Decimal(38, 18)
ONE_PERCENT_A_MONTH = 1.01**12 - 1


def value(*rows: tuple[str, str, str | None, str | None], currency: str = "USD") -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "use_case": use_case,
                "month": month,
                "currency": currency,
                "effective_cost": None if cost is None else Decimal(cost),
                "benefit": None if benefit is None else Decimal(benefit),
            }
            for use_case, month, cost, benefit in rows
        ],
        schema={
            "use_case": pl.String, "month": pl.String, "currency": pl.String,
            "effective_cost": MONEY, "benefit": MONEY,
        },
    )  # fmt: skip


THREE_MONTHS = value(
    ("triage", "2026-01", "1000", "500"),
    ("triage", "2026-02", "1000", "2020"),
    ("triage", "2026-03", "1000", "3030.10"),
)
SETUP = {("triage", "USD"): Decimal(1500)}


def test_three_months_by_hand() -> None:
    # cost 1500 + 3 × 1000, benefit 5550.10; balance after each month: -2000, -980, +1050.10
    # NPV at 1 % a month: -1500 - 500/1.01 + 1020/1.0201 + 2030.10/1.030301
    assert roi(THREE_MONTHS, discount_rate=ONE_PERCENT_A_MONTH, setup_cost=SETUP).to_dicts() == [
        {
            "use_case": "triage",
            "currency": "USD",
            "first_month": "2026-01",
            "last_month": "2026-03",
            "months": 3,
            "months_unknown": 0,
            "cost_unmeasured": None,
            "setup_cost": Decimal(1500),
            "cost": Decimal(4500),
            "benefit": Decimal("5550.10"),
            "net": Decimal("1050.10"),
            "roi": pytest.approx(1050.10 / 4500),
            "npv": pytest.approx(-1500 - 500 / 1.01 + 1020 / 1.0201 + 2030.10 / 1.030301),
            "payback_month": "2026-03",
        }
    ]


def test_a_month_with_unknown_cost_or_benefit_is_left_out_and_shown() -> None:
    found = roi(
        value(
            ("triage", "2026-01", "1000", "1500"),
            ("triage", "2026-02", "700", None),
            ("triage", "2026-03", None, "9000"),
        ),
        discount_rate=None,
    ).row(0, named=True)
    assert (found["months"], found["months_unknown"], found["cost_unmeasured"]) == (1, 2, Decimal(700))
    assert (found["cost"], found["benefit"], found["roi"], found["npv"]) == (Decimal(1000), Decimal(1500), 0.5, None)


def test_a_use_case_never_measured_has_no_amounts_rather_than_zeros() -> None:
    found = roi(value(("pilot", "2026-01", "10", None)), discount_rate=0.1).row(0, named=True)
    amounts = ("setup_cost", "cost", "benefit", "net", "roi", "npv", "payback_month", "first_month")
    assert {name: found[name] for name in amounts} == dict.fromkeys(amounts)
    assert found["cost_unmeasured"] == Decimal(10)


def test_a_benefit_at_no_cost_has_a_net_and_no_roi() -> None:
    found = roi(value(("free", "2026-01", "0", "10")), discount_rate=0.1).row(0, named=True)
    assert (found["net"], found["roi"]) == (Decimal(10), None)


def test_two_currencies_of_a_use_case_stay_apart() -> None:
    both = pl.concat([THREE_MONTHS, value(("triage", "2026-01", "1", "3"), currency="EUR")])
    assert roi(both, discount_rate=None).select("currency", "net").rows() == [
        ("EUR", Decimal(2)),
        ("USD", Decimal("2550.10")),
    ]


def test_a_return_that_is_lost_again_has_not_paid_back() -> None:
    lost = value(("x", "2026-01", "10", "20"), ("x", "2026-02", "50", "0"), ("x", "2026-03", "0", "40"))
    assert roi(lost, discount_rate=None)["payback_month"].to_list() == ["2026-03"]
    assert roi(lost.head(2), discount_rate=None)["payback_month"].to_list() == [None]


def test_a_gap_between_months_discounts_by_the_calendar() -> None:
    gap = value(("x", "2025-12", "0", "0"), ("x", "2026-02", "0", "101"))
    found = roi(gap, discount_rate=ONE_PERCENT_A_MONTH)
    assert found["npv"].to_list() == [pytest.approx(101 / 1.01**3)]


def test_no_use_case_no_row() -> None:
    assert roi(THREE_MONTHS.clear(), discount_rate=0.1).is_empty()
    assert sensitivity(THREE_MONTHS.clear(), discount_rate=0.1).is_empty()


AMOUNT = st.decimals(min_value=0, max_value=10**12, places=18)


@given(st.lists(st.tuples(AMOUNT, AMOUNT), min_size=1, max_size=18))
def test_net_is_benefits_minus_costs_to_the_last_digit(months: list[tuple[Decimal, Decimal]]) -> None:
    rows = [("x", f"2026-{i + 1:02}", str(cost), str(benefit)) for i, (cost, benefit) in enumerate(months)]
    found = roi(value(*rows), discount_rate=0.1)["net"].item()
    assert Fraction(found) == sum(Fraction(benefit) - Fraction(cost) for cost, benefit in months)


def test_each_driver_moves_alone_by_a_fifth() -> None:
    found = sensitivity(THREE_MONTHS, discount_rate=ONE_PERCENT_A_MONTH, setup_cost=SETUP)
    assert found.select("driver", "change").rows() == [
        (driver, change)
        for driver in ("benefit", "running cost", "setup cost", "discount rate")
        for change in (-0.2, 0.2)
    ]
    # benefit 5550.10 × 1.2 on cost 4500; running cost 3000 × 0.8 + 1500; setup 1500 × 1.2 + 3000
    by_driver = {(driver, change): worth for driver, change, worth in found.select("driver", "change", "roi").rows()}
    assert by_driver["benefit", 0.2] == pytest.approx(6660.12 / 4500 - 1)
    assert by_driver["running cost", -0.2] == pytest.approx(5550.10 / 3900 - 1)
    assert by_driver["setup cost", 0.2] == pytest.approx(5550.10 / 4800 - 1)
    assert by_driver["discount rate", 0.2] == pytest.approx(1050.10 / 4500)
    base = roi(THREE_MONTHS, discount_rate=ONE_PERCENT_A_MONTH, setup_cost=SETUP).row(0, named=True)
    assert found["base_roi"].unique().to_list() == [pytest.approx(base["roi"])]
    assert found["base_npv"].unique().to_list() == [pytest.approx(base["npv"])]


def test_a_driver_that_is_not_there_has_no_bar() -> None:
    found = sensitivity(THREE_MONTHS, discount_rate=None)
    assert found["driver"].unique().sort().to_list() == ["benefit", "running cost"]
    assert found["npv"].to_list() == [None] * 4
