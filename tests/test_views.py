"""The numbers a reader is shown, worked out beside them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from marts_by_hand import DATA_DATE, EXACT, empty, everything, mart

from finops_lib.analysis import roi, views

MARTS = everything()
USD = pl.col("billing_currency") == "USD"


def test_a_month_is_open_until_its_last_day_is_in_the_data() -> None:
    assert views.is_open("2026-10", data_date=date(2026, 10, 30))
    assert not views.is_open("2026-10", data_date=date(2026, 10, 31))
    assert not views.is_open("2026-09", data_date=date(2026, 10, 25))


def test_the_currency_with_most_charges_comes_first() -> None:
    assert views.currencies(MARTS["fct_monthly_cost"]) == ["USD", "EUR"]


def test_a_months_cost_is_compared_only_when_it_is_whole() -> None:
    months = views.spend(MARTS["fct_monthly_cost"], month="2026-10", data_date=DATA_DATE).filter(USD)
    by_month = {
        row["month"]: (row["month_cost"], row["to_date"], row["change"]) for row in months.iter_rows(named=True)
    }
    assert by_month == {
        "2026-08": (Decimal(300), False, None),
        "2026-09": (Decimal(400), False, pytest.approx(1 / 3)),
        "2026-10": (Decimal(100), True, None),
    }


def test_currencies_are_never_added_up() -> None:
    months = views.spend(MARTS["fct_monthly_cost"], month="2026-10", data_date=DATA_DATE)
    assert months.filter(~USD)["month_cost"].to_list() == [EXACT]


def test_shares_of_teams_and_unallocated_add_up_to_the_bill() -> None:
    teams = views.teams(MARTS["fct_showback"], MARTS["fct_kpi"], month="2026-10").filter(USD)
    assert teams["effective_cost"].sum() == Decimal(100)
    assert teams.select("team", "team_cost", "share").unique(maintain_order=True).rows() == [
        ("search", Decimal(64), 0.64), ("fraud", Decimal(30), 0.3), ("unallocated", Decimal(6), 0.06),
    ]  # fmt: skip
    assert teams["allocated_share"].unique().to_list() == [0.94]


def test_a_price_cut_shows_as_change_of_the_price_whatever_the_volume() -> None:
    prices = views.token_prices(MARTS["fct_model_unit_cost"], MARTS["fct_kpi"], month="2026-10", data_date=DATA_DATE)
    assert prices.select("month", "cost_per_1m_tokens", "change", "is_cut", "month_per_1m").rows() == [
        ("2026-08", 5.0, None, False, 5.0), ("2026-09", 2.5, -0.5, True, 2.5), ("2026-10", 2.5, 0.0, False, 2.5),
    ]  # fmt: skip


def test_requests_without_a_bill_or_price_cost_an_unknown_amount_and_not_0() -> None:
    requests = views.requests(MARTS["fct_model_unit_cost"], month="2026-10")
    assert requests.select("model", "billed_per_1k", "estimated_per_1k", "effective_cost").rows() == [
        ("gpt-a", 20.0, 19.0, Decimal(20)), ("gpt-b", 0.5, 0.5, Decimal(2)), ("gpt-c", None, None, None),
    ]  # fmt: skip


def test_experiments_are_held_against_production_and_not_against_everything() -> None:
    months = views.lifecycles(MARTS["fct_lifecycle_share"], month="2026-10", data_date=DATA_DATE)
    assert months["experiment_ratio"].unique().to_list() == [0.4]
    assert months.select("experiment_limit", "limit_share", "status").unique().rows() == [(0.3, 0.15, "over")]
    assert months["share"].sum() == pytest.approx(1)


def test_the_dearest_run_comes_first_and_one_without_a_price_last() -> None:
    runs = views.training_runs(MARTS["fct_training_run_cost"], month="2026-10")
    assert runs.select("run_id", "effective_cost").rows() == [("r1", Decimal(75)), ("r2", Decimal(25)), ("r3", None)]


def test_a_kpi_has_one_row_with_the_grade_of_every_edition_and_what_is_missing_comes_last() -> None:
    found = views.kpis(MARTS["fct_kpi"], month="2026-10")
    assert found.select("kpi", "billing_currency", "value", "grade_2023", "grade_2026").rows() == [
        ("cost_per_1m_tokens", "USD", 2.5, None, None),
        ("spend_allocated", "USD", 0.94, "run", "walk"),
        ("spend_allocated", "EUR", 1.0, "run", None),
        ("spend_unallocated", "USD", 0.06, "within limit", None),
        ("spend_unallocated", "EUR", 0.0, "within limit", None),
        ("llm_error_rate", None, None, None, None),
    ]
    assert found["missing_reason"].to_list()[-1] == "no source counts it"


def test_drivers_are_those_of_the_last_whole_month_and_no_more_than_asked_for() -> None:
    def moved(kind: str, start: date, rank: int, currency: str = "USD") -> dict[str, object]:
        return {"period_kind": kind, "period_start": start, "driver_rank": rank, "billing_currency": currency}

    august, september = date(2026, 8, 1), date(2026, 9, 1)
    rows = [
        moved("month", august, 1), moved("month", september, 2), moved("month", september, 1),
        moved("month", september, 1, "EUR"), moved("month", september, 16), moved("week", date(2026, 9, 28), 1),
    ]  # fmt: skip
    found = views.drivers(mart("fct_top_drivers", rows), month="2026-10")
    assert found.select("period_start", "billing_currency", "driver_rank").rows() == [
        (september, "USD", 1), (september, "USD", 2), (september, "EUR", 1),
    ]  # fmt: skip
    assert views.drivers(mart("fct_top_drivers", rows), month="2026-08").height == 1
    assert views.drivers(mart("fct_top_drivers", rows), month="2026-10", top=None).height == 4


def test_a_team_is_listed_beside_everything_only_where_its_tags_fell_suddenly() -> None:
    def covered(scope: str, value: str, finding: str, change: float, month: str = "2026-10") -> dict[str, object]:
        return {
            "month": month, "scope": scope, "scope_value": value, "finding": finding, "coverage_change": change,
            "tag_key": "team", "billing_currency": "USD",
        }  # fmt: skip

    rows = [
        covered("team", "fraud", "lower", -0.01), covered("team", "search", "sudden fall", -0.2),
        covered("total", "all", "lower", -0.02), covered("team", "search", "sudden fall", -0.2, "2026-09"),
    ]  # fmt: skip
    found = views.tag_coverage(mart("fct_tag_coverage", rows), month="2026-10")
    assert found["scope_value"].to_list() == ["all", "search"]


def test_a_mart_is_shown_of_its_last_month_of_its_last_day_or_whole() -> None:
    months = mart("fct_chargeback", [{"month": "2026-08"}, {"month": "2026-09"}, {"month": "2026-11"}])
    assert views.of_month(months, "2026-10")["month"].to_list() == ["2026-09"]
    hours = [datetime(2026, 10, 24, 5, tzinfo=UTC), datetime(2026, 10, 25, 5, tzinfo=UTC)]
    rates = mart("fct_spend_rate", [{"hour_start": hour} for hour in hours])
    assert views.of_month(rates, "2026-10")["hour_start"].to_list() == hours[1:]
    assert views.of_month(mart("dim_threshold", [{"measure": "a"}, {"measure": "b"}]), "2026-10").height == 2


def test_the_budget_line_is_the_budget_for_everything_and_not_that_of_some_teams() -> None:
    def line(budgets: pl.DataFrame) -> list[float]:
        path = views.forecast_path(MARTS["fct_forecast"], history=MARTS["fct_daily_cost"], budgets=budgets)
        october = path.filter(pl.col("charge_date") >= date(2026, 10, 1))
        return october["budget_per_day"].drop_nulls().unique().to_list()

    company = MARTS["fct_company_budget"]
    assert line(company) == [pytest.approx(110 / 31)]
    assert line(company.with_columns(binds=pl.lit("teams"))) == []


def test_a_day_is_either_past_or_forecast() -> None:
    path = views.forecast_path(
        MARTS["fct_forecast"], history=MARTS["fct_daily_cost"], budgets=MARTS["fct_company_budget"]
    )
    assert path.filter(pl.col("actual").is_not_null() & pl.col("expected").is_not_null()).is_empty()
    assert path["expected"].count() == 6


def test_the_closest_call_is_the_use_case_an_error_would_soonest_turn() -> None:
    moved = roi.sensitivity(MARTS["fct_use_case_value"], MARTS["fct_use_case_return"])
    assert views.closest_calls(moved)["use_case"].unique().to_list() == ["pilot"]


def test_everything_unknown_is_listed_with_its_size_and_what_brings_it() -> None:
    found = views.not_known(MARTS, month="2026-10").select("unknown", "rows", "currency", "effective_cost")
    assert found.rows() == [
        ("Cost without a team", 2, "USD", Decimal(6)),
        ("Cost that is neither experiment nor production", 3, "USD", Decimal(30)),
        ("Requests whose model and day have no price", 500, "USD", None),
        ("Requests that are on no bill", 500, "USD", None),
        ("Training runs without a price", 1, None, None),
        ("Budgets whose month end nobody has forecast", 1, "USD", None),
    ]
    september = views.not_known(MARTS, month="2026-09").rows()
    assert [(r[0], r[1], r[4]) for r in september] == [("Use cases whose benefit nobody has reported", 1, Decimal(5))]


def test_nothing_unknown_is_an_empty_list() -> None:
    assert views.not_known(empty(), month="2026-10").is_empty()
