"""What the forecast promises: which model answers, how wrong it was, and where a period ends."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import polars as pl
import pytest

from finops_lib.analysis import forecast as module
from finops_lib.analysis.forecast import forecast, forecasts, outlook, period_ends
from finops_lib.contract import contract
from finops_lib.errors import ShortHistoryError, UsageError

FIRST = date(2025, 5, 1)
WEEKLY = [100, 110, 120, 130, 140, 50, 40]


def daily(costs: list[float], *, first: date = FIRST) -> pl.DataFrame:
    days = [first + timedelta(days=i) for i in range(len(costs))]
    return pl.DataFrame(
        {"charge_date": days, "effective_cost": [Decimal(str(round(c, 6))) for c in costs]},
        schema_overrides={"effective_cost": pl.Decimal(38, 18)},
    )


def named(frame: pl.DataFrame, *, scope: str = "team", value: str = "search", currency: str = "USD") -> pl.DataFrame:
    return frame.with_columns(scope=pl.lit(scope), scope_value=pl.lit(value), currency=pl.lit(currency))


def growing(days: int, *, seed: int = 0) -> list[float]:
    """A trend that last week cannot know, a weekly pattern that grows with it, and noise."""
    noise = np.random.default_rng(seed).normal(0, 3, days)
    return [WEEKLY[i % 7] * (1 + i / 120) + float(noise[i]) for i in range(days)]


@pytest.mark.parametrize(
    ("data_through", "month", "quarter", "year"),
    [
        (date(2026, 10, 25), date(2026, 10, 31), date(2026, 12, 31), date(2026, 12, 31)),
        (date(2026, 10, 31), date(2026, 11, 30), date(2026, 12, 31), date(2026, 12, 31)),
        (date(2026, 12, 31), date(2027, 1, 31), date(2027, 3, 31), date(2027, 12, 31)),
        (date(2028, 2, 1), date(2028, 2, 29), date(2028, 3, 31), date(2028, 12, 31)),
    ],
)
def test_periods_end_where_the_day_after_the_data_is(
    data_through: date, month: date, quarter: date, year: date
) -> None:
    assert period_ends(data_through) == (month, quarter, year)


def test_the_seasonal_naive_repeats_last_week() -> None:
    found = forecast(daily([*WEEKLY * 4, *(2 * c for c in WEEKLY)]), until=date(2025, 6, 14), model="seasonal_naive")
    assert found["charge_date"].to_list() == [date(2025, 6, 5) + timedelta(days=i) for i in range(10)]
    assert found["expected"].to_list() == [2 * c for c in [*WEEKLY, *WEEKLY[:3]]]
    assert found["model"].unique().to_list() == ["seasonal_naive"]


def test_its_interval_is_the_middle_eighty_percent_of_its_own_errors() -> None:
    # Ninety flat weeks, then ten of which each costs 1 more a day: most errors are 0, one in ten is 1.
    flat = [10.0] * 7 * 90 + [10.0 + week for week in range(1, 11) for _ in range(7)]
    found = forecast(daily(flat), until=FIRST + timedelta(days=len(flat)), model="seasonal_naive").row(0, named=True)
    errors = np.array(flat[7:]) - np.array(flat[:-7])
    assert found["low"] == found["expected"] == 20
    assert found["high"] == 20 + np.quantile(errors, 0.9)


def test_a_day_without_a_row_between_the_first_and_the_last_cost_nothing() -> None:
    weekdays = daily([c if i % 7 < 5 else 0 for i, c in enumerate(WEEKLY * 4)])
    sparse = weekdays.filter(pl.col("effective_cost") > 0)
    until = date(2025, 6, 10)
    whole = forecast(weekdays.head(26), until=until, model="seasonal_naive")
    assert forecast(sparse, until=until, model="seasonal_naive").equals(whole)


def test_prophet_finds_a_trend_that_last_week_misses() -> None:
    found = forecast(daily(growing(300)), until=FIRST + timedelta(days=329))
    assert found["model"].unique().to_list() == ["prophet"]
    truth = np.array([WEEKLY[i % 7] * (1 + i / 120) for i in range(300, 330)])
    assert float(np.abs(found["expected"].to_numpy() - truth).mean()) < 3
    assert (found["low"] <= found["expected"]).all()
    assert (found["expected"] <= found["high"]).all()


def test_the_same_history_gives_the_same_forecast_whatever_was_drawn_before() -> None:
    history = daily(growing(150))
    until = FIRST + timedelta(days=160)
    first = forecast(history, until=until, model="prophet")
    np.random.default_rng()
    np.random.seed(99)
    before = np.random.get_state()[1].tolist()
    assert forecast(history, until=until, model="prophet").equals(first)
    assert np.random.get_state()[1].tolist() == before


def test_prophet_says_nothing_and_leaves_logging_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    forecast(daily(growing(90)), until=FIRST + timedelta(days=95), model="prophet")
    assert capfd.readouterr() == ("", "")
    assert logging.root.manager.disable == logging.NOTSET


def test_under_sixty_days_there_is_no_forecast() -> None:
    with pytest.raises(ShortHistoryError) as refused:
        forecast(daily(growing(59)), until=date(2025, 12, 31))
    assert str(refused.value) == (
        "The history has 59 days; prophet wants at least 60. Deliver earlier months, or wait for more days."
    )


def test_a_forecast_of_the_past_is_refused() -> None:
    with pytest.raises(UsageError, match="ask for a day after 2025-07-09"):
        forecast(daily(growing(70)), until=date(2025, 7, 9))


def test_costs_that_never_were_negative_are_not_forecast_below_zero() -> None:
    falling = [max(0.0, 200 - 1.5 * i) for i in range(160)]
    with_credits = [*falling[:80], -50.0, *falling[81:]]
    until = FIRST + timedelta(days=200)
    floored = forecast(daily(falling), until=until, model="prophet")
    assert floored.select(pl.min_horizontal(pl.col("expected", "low").min())).item() == 0
    assert forecast(daily(with_credits), until=until, model="prophet")["low"].min() < 0


THROUGH = FIRST + timedelta(days=299)


def test_both_results_have_exactly_the_columns_of_their_contracts() -> None:
    found = forecasts(named(daily(growing(300))), data_through=THROUGH)
    for frame, dataset in zip(found, ("forecast", "forecast_accuracy"), strict=True):
        assert tuple(frame.columns) == tuple(c.name for c in contract(dataset).delivered_columns)


def test_the_run_is_named_by_its_data_and_reaches_the_end_of_the_year() -> None:
    rows, accuracy = forecasts(named(daily(growing(300))), data_through=THROUGH)
    assert (rows["charge_date"].min(), rows["charge_date"].max()) == (date(2026, 2, 25), date(2026, 12, 31))
    for frame in (rows, accuracy):
        assert frame["forecast_id"].unique().to_list() == ["2026-02-24"]
        assert frame["generated_at"].unique().to_list() == [datetime(2026, 2, 25, tzinfo=UTC)]
        assert frame["data_through"].unique().to_list() == [date(2026, 2, 24)]


def test_the_backtest_measures_both_models_on_the_same_days() -> None:
    # A straight line: last week is always 7 × 0.5 too low, for each week ahead
    line = [100 + 0.5 * i for i in range(300)]
    _, accuracy = forecasts(named(daily(line)), data_through=THROUGH)
    assert accuracy.select("model", "horizon_days", "folds").rows() == [
        (model, horizon, 4) for model in ("seasonal_naive", "prophet") for horizon in (30, 90)
    ]
    naive = accuracy.filter(model="seasonal_naive", horizon_days=30).row(0, named=True)
    errors = sum(3.5 * (1 + i // 7) for i in range(30)) * 4
    actual = sum(line[cut + i] for cut in (270, 240, 210, 180) for i in range(30))
    assert naive["wape"] == pytest.approx(errors / actual)
    assert naive["bias"] == pytest.approx(-errors / actual)
    assert naive["skill"] == 0
    prophet = accuracy.filter(model="prophet", horizon_days=30).row(0, named=True)
    assert prophet["skill"] == pytest.approx(1 - prophet["wape"] / naive["wape"])


def test_folds_leave_sixty_days_to_learn_from() -> None:
    _, accuracy = forecasts(named(daily(growing(155))), data_through=FIRST + timedelta(days=154))
    assert accuracy.filter(model="prophet").select("horizon_days", "folds").rows() == [(30, 3), (90, 1)]


def folds(errors: list[float], *, width: float) -> list[module.Fold]:
    """One fold of one day for each error, all with the same half-width."""
    day, wide = np.array([100.0]), np.array([width])
    return [module.Fold(i, module.Days(day, day - wide, day + wide), day + e) for i, e in enumerate(errors)]


def test_an_interval_is_widened_until_it_would_have_held_eighty_percent_and_never_narrowed() -> None:
    assert module._conformal_factor(folds([1, -2, 3, -4, 5, 6], width=2)) == np.quantile([1, 2, 3, 4, 5, 6], 0.8) / 2
    assert module._conformal_factor(folds([1, -1, 1], width=2)) == 1
    assert module._conformal_factor(folds([1, 2, 3], width=0)) == 1
    assert module._conformal_factor([]) == 1


def test_coverage_is_of_intervals_that_did_not_know_the_day() -> None:
    tested = folds([2, 2, 2, 8], width=1)
    # the day that was 8 wrong is judged by the others (±2), which are judged with its help (±5.6 at least)
    assert [module._covered(f, tested).tolist() for f in tested] == [[1], [1], [1], [0]]


def lopsided(origin: int, *errors: float) -> module.Fold:
    """A fold of a day for each error, whose interval reaches 1 below what is expected and 4 above."""
    expected = np.full(len(errors), 100.0)
    return module.Fold(origin, module.Days(expected, expected - 1, expected + 4), expected + np.array(errors))


def test_an_error_is_held_against_the_side_of_the_interval_that_it_is_on() -> None:
    assert module._conformal_factor([lopsided(0, 4), lopsided(1, 4)]) == 1
    assert module._conformal_factor([lopsided(0, -4), lopsided(1, -4)]) == 4
    others = [lopsided(1, 4), lopsided(2, -1)]
    assert module._covered(lopsided(0, 3, -3), others).tolist() == [1, 0]


def test_an_interval_is_widened_on_each_side_by_its_own_width(monkeypatch: pytest.MonkeyPatch) -> None:
    day = np.full(2, 100.0)
    monkeypatch.setattr(module, "_prophet", lambda *_: module.Days(day, day - 1, day + 4))
    said = module._predict("prophet", FIRST, np.array([100.0] * 60), 2, factor=3)
    assert (said.low.tolist(), said.high.tolist()) == ([97.0, 97.0], [112.0, 112.0])


def test_a_fold_is_not_judged_by_an_interval_that_learnt_from_it() -> None:
    known, unlike = folds([2, 2], width=1), module.Fold(9, *folds([8], width=1)[0][1:])
    twice = module.Fold(9, module.Days(*(np.resize(x, 2) for x in unlike.days)), np.resize(unlike.actual, 2))
    assert module._covered(twice, [*known, twice]).tolist() == [0, 0]


def test_a_tie_is_last_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_prophet", lambda _, costs, days: module._seasonal_naive(costs, days))
    rows, accuracy = forecasts(named(daily(growing(300))), data_through=THROUGH)
    assert set(accuracy["model"]) == {"prophet", "seasonal_naive"}
    assert set(rows["model"]) == {"seasonal_naive"}


def test_last_week_answers_where_prophet_was_no_better() -> None:
    rows, accuracy = forecasts(named(daily(WEEKLY * 30)), data_through=FIRST + timedelta(days=209))
    assert rows["model"].unique().to_list() == ["seasonal_naive"]
    assert accuracy.filter(model="seasonal_naive")["wape"].to_list() == [0, 0]
    assert accuracy["skill"].to_list() == [None] * 4


@pytest.mark.parametrize("failure", [TimeoutError("20 s"), RuntimeError("Stan"), ImportError("no Stan")])
def test_last_week_answers_where_prophet_fails(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    def fails(*_: object) -> None:
        raise failure

    monkeypatch.setattr(module, "_prophet", fails)
    rows, accuracy = forecasts(named(daily(growing(300))), data_through=THROUGH)
    assert rows["model"].unique().to_list() == ["seasonal_naive"]
    assert accuracy["model"].unique().to_list() == ["seasonal_naive"]


def test_a_series_too_short_for_a_backtest_is_answered_by_last_week_and_one_of_two_weeks_by_nobody() -> None:
    through = FIRST + timedelta(days=99)
    history = pl.concat(
        [
            named(daily(growing(80), first=FIRST + timedelta(days=20)), value="young"),
            named(daily(growing(20), first=FIRST + timedelta(days=80)), value="newborn"),
        ]
    )
    rows, accuracy = forecasts(history, data_through=through)
    assert rows.select("scope_value", "model").unique().rows() == [("young", "seasonal_naive")]
    assert accuracy.is_empty()


def test_a_series_silent_for_a_week_has_stopped_and_a_shorter_silence_is_a_bill_to_come() -> None:
    history = daily(WEEKLY * 10)
    last = FIRST + timedelta(days=69)
    stopped, _ = forecasts(named(history), data_through=last + timedelta(days=7))
    late, _ = forecasts(named(history), data_through=last + timedelta(days=6))
    assert stopped["expected"].unique().to_list() == [0]
    assert late["charge_date"].min() == last + timedelta(days=7)
    assert late["expected"].head(3).to_list() == [40, 100, 110]


def test_days_after_the_data_are_not_looked_at_and_currencies_stay_apart() -> None:
    through = FIRST + timedelta(days=69)
    history = pl.concat(
        [
            named(daily(WEEKLY * 12)),
            named(daily([10.0 * c for c in WEEKLY] * 10), currency="EUR"),
        ]
    )
    rows, _ = forecasts(history, data_through=through)
    firsts = rows.group_by("currency").agg(pl.col("charge_date").min(), pl.col("expected").first()).sort("currency")
    assert firsts.rows() == [
        ("EUR", through + timedelta(days=1), 1000),
        ("USD", through + timedelta(days=1), 100),
    ]


def test_no_history_no_rows() -> None:
    rows, accuracy = forecasts(named(daily(WEEKLY)).clear(), data_through=THROUGH)
    assert rows.is_empty()
    assert accuracy.is_empty()


BUDGET_SCHEMA = {
    "month": pl.String, "team": pl.String, "product": pl.String, "use_case": pl.String, "service_name": pl.String,
    "lifecycle": pl.String, "billing_currency": pl.String, "budget_amount": pl.Decimal(38, 18),
    "quarter_budget_amount": pl.Decimal(38, 18), "year_budget_amount": pl.Decimal(38, 18),
}  # fmt: skip


def scope(
    month: str, amount: int, *, quarter: int | None = None, year: int | None = None, team: str | None = "search",
    product: str | None = None, currency: str = "USD",
) -> dict[str, object]:  # fmt: skip
    amounts = zip(
        ("budget_amount", "quarter_budget_amount", "year_budget_amount"), (amount, quarter, year), strict=True
    )
    row = dict.fromkeys(BUDGET_SCHEMA) | {"month": month, "team": team, "product": product}
    return row | {"billing_currency": currency} | {n: None if a is None else Decimal(a) for n, a in amounts}


def ahead(first: date, last: date, *, expected: float, width: float) -> pl.DataFrame:
    days = pl.date_range(first, last, eager=True)
    return named(
        pl.DataFrame({"charge_date": days}).with_columns(
            expected=pl.lit(expected),
            low=pl.lit(expected - width),
            high=pl.lit(expected + width),
            model=pl.lit("prophet"),
        )
    )


def test_the_outlook_adds_what_is_spent_to_what_is_expected_and_compares_whole_periods_only() -> None:
    spent = named(daily([10.0] * 25, first=date(2026, 10, 1)))
    late = named(daily([99.0] * 3, first=date(2026, 10, 26)))
    found = outlook(
        ahead(date(2026, 10, 26), date(2026, 12, 31), expected=10, width=3),
        pl.concat([spent, late]),
        pl.DataFrame(
            [scope("2026-10", 400, quarter=1000), scope("2026-11", 200, quarter=1000),
             scope("2026-12", 400, quarter=1000), scope("2026-10", 5, product="x"), scope("2026-10", 7, team=None),
             scope("2026-10", 8, currency="EUR"), scope("2026-10", 9, team="fraud")],
            schema=BUDGET_SCHEMA,
        ),
    )  # fmt: skip
    assert found.select("period", "period_end", "actual", "expected", "budget", "expected_ratio").rows() == [
        ("month", date(2026, 10, 31), 250, 310, 400, pytest.approx(0.775)),
        ("quarter", date(2026, 12, 31), 250, 920, 1000, pytest.approx(0.92)),
        ("year", date(2026, 12, 31), 250, 920, None, None),
    ]
    assert found["low"].to_list() == [310 - 3 * 6, 920 - 3 * 67, 920 - 3 * 67]
    assert found["high"].to_list() == [310 + 3 * 6, 920 + 3 * 67, 920 + 3 * 67]


def test_everything_is_compared_with_the_budget_for_everything_of_its_currency_month_and_year() -> None:
    found = outlook(
        ahead(date(2026, 11, 1), date(2026, 12, 31), expected=10, width=3).with_columns(
            scope=pl.lit("total"), scope_value=pl.lit("all")
        ),
        named(daily([10.0] * 31, first=date(2026, 10, 1)), scope="total", value="all"),
        pl.DataFrame(
            [scope("2026-11", 300, quarter=900, year=3600, team=None), scope("2026-11", 1, quarter=2, year=3),
             scope("2026-10", 4, quarter=900, year=3600, team=None),
             scope("2026-12", 5, quarter=900, year=3600, team=None),
             scope("2026-11", 6, quarter=7, year=8, team=None, currency="EUR")],
            schema=BUDGET_SCHEMA,
        ),
    )  # fmt: skip
    assert found["budget"].to_list() == [300, 900, 3600]


def test_estimated_days_are_learnt_from_and_longer_charges_are_not_and_what_is_known_is_added() -> None:
    last = FIRST + timedelta(days=34)
    bare = named(daily(WEEKLY * 5))
    nothing = pl.lit(Decimal(0)).cast(pl.Decimal(38, 18))
    day, cost = pl.col("charge_date"), pl.col("effective_cost")
    fee = pl.lit(Decimal(1000)).cast(pl.Decimal(38, 18))
    told = bare.with_columns(
        effective_cost=pl.when(day > last - timedelta(days=2)).then(nothing).otherwise(cost) + fee,
        estimated_cost=pl.when(day > last - timedelta(days=2)).then(cost).otherwise(nothing),
        spread_cost=fee,
    )
    coming = named(
        pl.DataFrame({"charge_date": [last + timedelta(days=1)], "known_cost": [1000.0], "standing_cost": [1000.0]})
    )
    plain, _ = forecasts(bare, data_through=last)
    found, _ = forecasts(told, data_through=last, ahead=coming)
    assert found["expected"][0] == pytest.approx(plain["expected"][0] + 1000)
    assert found["low"][0] == pytest.approx(plain["low"][0] + 1000)
    assert found["known_cost"].to_list()[:2] == [1000, 0]
    assert found["expected"].to_list()[1:] == pytest.approx(plain["expected"].to_list()[1:])


def test_models_are_not_tested_on_days_that_are_estimates(monkeypatch: pytest.MonkeyPatch) -> None:
    last = FIRST + timedelta(days=34)
    tested: list[int] = []
    monkeypatch.setattr(module, "_backtest", lambda _, costs: tested.append(len(costs)) or {"seasonal_naive": {}})
    zero = pl.lit(Decimal(0)).cast(pl.Decimal(38, 18))
    guess = pl.when(pl.col("charge_date") > last - timedelta(days=3)).then(pl.lit(Decimal(1))).otherwise(zero)
    history = named(daily(WEEKLY * 5)).with_columns(estimated_cost=guess.cast(pl.Decimal(38, 18)), spread_cost=zero)
    forecasts(history, data_through=last)
    assert tested == [32]


def test_the_outlook_tells_reported_estimated_and_known_apart() -> None:
    spent = named(daily([10.0] * 25, first=date(2026, 10, 1))).with_columns(
        estimated_cost=pl.lit(Decimal(2)), estimated_margin=pl.lit(Decimal(1))
    )
    coming = ahead(date(2026, 10, 26), date(2026, 12, 31), expected=10, width=3).with_columns(known_cost=pl.lit(4.0))
    found = outlook(coming, spent, pl.DataFrame(schema=BUDGET_SCHEMA)).filter(period="month").row(0, named=True)
    assert (found["actual"], found["estimated"], found["known"]) == (250, 50, 24)
    assert (found["low"], found["expected"], found["high"]) == (360 - 18 - 25, 360, 360 + 18 + 25)


def test_no_forecast_no_outlook() -> None:
    nothing = ahead(date(2026, 10, 26), date(2026, 10, 26), expected=1, width=1).clear()
    assert outlook(nothing, named(daily(WEEKLY)), pl.DataFrame(schema=BUDGET_SCHEMA)).is_empty()
