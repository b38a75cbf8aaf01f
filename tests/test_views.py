"""The numbers a reader is shown, worked out beside them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from marts_by_hand import DATA_DATE, EXACT, empty, everything

from finops_lib import policy
from finops_lib.analysis import roi, views

MARTS = everything()
USD = pl.col("billing_currency") == "USD"


def test_a_month_is_open_until_its_last_day_is_in_the_data() -> None:
    assert views.is_open("2026-10", data_date=date(2026, 10, 30))
    assert not views.is_open("2026-10", data_date=date(2026, 10, 31))
    assert not views.is_open("2026-09", data_date=date(2026, 10, 25))


def test_the_currency_with_most_charges_comes_first() -> None:
    assert views.currencies(MARTS["fct_daily_cost"]) == ["USD", "EUR"]


def test_a_months_cost_is_compared_only_when_it_is_whole() -> None:
    months = views.spend(MARTS["fct_daily_cost"], month="2026-10", data_date=DATA_DATE).filter(USD)
    by_month = {
        row["month"]: (row["month_cost"], row["to_date"], row["change"]) for row in months.iter_rows(named=True)
    }
    assert by_month == {
        "2026-08": (Decimal(300), False, None),
        "2026-09": (Decimal(400), False, pytest.approx(1 / 3)),
        "2026-10": (Decimal(100), True, None),
    }


def test_a_month_after_a_gap_has_nothing_to_be_compared_with() -> None:
    gap = MARTS["fct_daily_cost"].filter(pl.col("charge_date").dt.month() != 9)
    assert views.spend(gap, month="2026-10", data_date=date(2026, 10, 31))["change"].drop_nulls().is_empty()


def test_currencies_are_never_added_up() -> None:
    months = views.spend(MARTS["fct_daily_cost"], month="2026-10", data_date=DATA_DATE)
    assert months.filter(~USD)["month_cost"].to_list() == [EXACT]


def test_shares_of_teams_and_unallocated_add_up_to_the_bill() -> None:
    teams = views.teams(MARTS["fct_allocated_cost"], month="2026-10").filter(USD)
    assert teams["effective_cost"].sum() == Decimal(100)
    assert teams.select("team", "team_cost", "share").unique(maintain_order=True).rows() == [
        ("search", Decimal(64), 0.64), ("fraud", Decimal(30), 0.3), ("unallocated", Decimal(6), 0.06),
    ]  # fmt: skip
    assert teams["allocated_share"].unique().to_list() == [0.94]


def test_a_price_cut_shows_as_change_of_the_price_whatever_the_volume() -> None:
    prices = views.token_prices(MARTS["fct_token_unit_cost"], month="2026-10", data_date=DATA_DATE)
    assert prices.select("month", "cost_per_1m_tokens", "change").rows() == [
        ("2026-08", 5.0, None), ("2026-09", 2.5, -0.5), ("2026-10", 2.5, 0.0),
    ]  # fmt: skip


def test_requests_without_a_bill_or_price_cost_an_unknown_amount_and_not_0() -> None:
    requests = views.requests(MARTS["fct_inference_unit_cost"], month="2026-10")
    assert requests.select("model", "billed_per_1k", "estimated_per_1k", "effective_cost").rows() == [
        ("gpt-a", 20.0, 19.0, Decimal(20)), ("gpt-b", 0.5, 0.5, Decimal(2)), ("gpt-c", None, None, None),
    ]  # fmt: skip


def test_a_billed_price_counts_only_requests_that_are_on_the_bill() -> None:
    rows = MARTS["fct_inference_unit_cost"].with_columns(model=pl.lit("one"), billing_currency=pl.lit("USD"))
    one = views.requests(rows, month="2026-10").row(0, named=True)
    assert one["requests"] == 5500
    assert one["billed_per_1k"] == pytest.approx(1000 * 22 / 5000)


def test_experiments_are_held_against_production_and_not_against_everything() -> None:
    months = views.lifecycles(MARTS["fct_lifecycle_cost"], month="2026-10", data_date=DATA_DATE)
    assert months["experiment_ratio"].unique().to_list() == [0.4]
    assert months["limit_share"].unique().to_list() == [pytest.approx(0.3 * 0.5)]
    assert months["share"].sum() == pytest.approx(1)


def test_the_line_drawn_is_the_line_the_gate_holds() -> None:
    assert policy.GATES["experiment beside production"].limit == views.EXPERIMENT_LIMIT


def test_money_lost_in_runs_is_that_of_failed_and_stopped_ones() -> None:
    runs = views.training_runs(MARTS["fct_training_run_cost"], month="2026-10")
    assert runs.select("run_id", "effective_cost", "total_cost", "lost_cost").rows()[:2] == [
        ("r1", Decimal(75), Decimal(100), Decimal(25)), ("r2", Decimal(25), Decimal(100), Decimal(25)),
    ]  # fmt: skip
    assert runs["effective_cost"][2] is None


def test_the_budget_line_is_the_budget_for_everything_and_not_that_of_some_teams() -> None:
    def line(status: pl.DataFrame) -> list[float]:
        path = views.forecast_path(MARTS["fct_forecast"], history=MARTS["fct_daily_cost"], status=status)
        october = path.filter(pl.col("charge_date") >= date(2026, 10, 1))
        return october["budget_per_day"].drop_nulls().unique().to_list()

    status = MARTS["fct_budget_status"]
    assert line(status) == [pytest.approx(110 / 31)]
    assert line(status.filter(pl.col("team").is_not_null())) == []


def test_a_day_is_either_past_or_forecast() -> None:
    path = views.forecast_path(
        MARTS["fct_forecast"], history=MARTS["fct_daily_cost"], status=MARTS["fct_budget_status"]
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
