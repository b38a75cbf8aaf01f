"""What will be spent to the end of the month, the quarter and the year, and how wrong such forecasts have been.

Two models compete for every series: Prophet, and the seasonal naive that repeats last week. Prophet answers only
where it was less wrong on days it had not seen; otherwise last week answers, and the row says so.
Money becomes float here and nowhere else: a prediction has no cents.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from ..errors import ShortHistoryError, UsageError

Model = Literal["prophet", "seasonal_naive"]
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

INTERVAL = 0.8
"""Share of days that low to high shall hold."""

WEEK = 7

SHORTEST: dict[Model, int] = {"prophet": 60, "seasonal_naive": 21}
"""Days of history a model wants: eight whole weeks to learn a weekly pattern; three to see its error twice."""

HORIZONS = (30, 90)
"""Days ahead that the backtest looks: about a month end, about a quarter end."""

FOLDS = 4
"""Rolling origins per horizon, `FOLD_STEP` days apart; the folds of the longer horizon overlap."""

FOLD_STEP = 30

FIT_SECONDS = 20
"""After this long Prophet has failed on the series (it has been seen to stall on tiny ones)."""

SAMPLES = 500
"""Predictive samples behind Prophet's interval; fixed, like the seed, so that the same days give the same forecast."""

SERIES = ("scope", "scope_value", "currency")


class PeriodEnds(NamedTuple):
    """Last days of the month, quarter and year that the first forecast day is in."""

    month: date
    quarter: date
    year: date


class Days(NamedTuple):
    """One prediction per day: what is expected and the ends of the interval."""

    expected: Floats
    low: Floats
    high: Floats


class Fold(NamedTuple):
    """What a model said of days it had not seen, beside what they cost."""

    origin: int
    """Days of history it had seen."""
    days: Days
    actual: Floats


def period_ends(data_through: date) -> PeriodEnds:
    """Where the periods end that the day after `data_through` is in.

    On the last day of a month that is the next month: the old one has nothing left to forecast.
    """
    first = data_through + timedelta(days=1)
    quarter = (first.month + 2) // 3 * 3
    return PeriodEnds(
        month=_month_end(first.year, first.month),
        quarter=_month_end(first.year, quarter),
        year=date(first.year, 12, 31),
    )


def forecast(history: pl.DataFrame, *, until: date, model: Model | None = None) -> pl.DataFrame:
    """Extend one daily cost series.

    Reads    charge_date (UTC day), effective_cost (one currency). A day without a row, between the first day and
             the last, cost 0; nothing is assumed before the first day or after the last.
    Returns  charge_date, expected, low, high (80 % interval), model; from the day after the last one to `until`.
             Without `model` the better one in the backtest answers, its interval widened until it would have held
             80 % of the days tested; a model asked for by name gives its own. Days below 0 are forecast only for a
             series that had such days (credits, refunds); any other is floored at 0.
    Refuses  ShortHistoryError under 60 days: weekly seasonality wants eight whole weeks. The seasonal naive,
             when asked for by name, answers from 21. UsageError where `until` is not after the history.
    Source   Taylor & Letham, "Forecasting at Scale", Am. Statistician 72(1), 2018.
    """
    first, costs = _series(history)
    wanted: Model = model or "prophet"
    if len(costs) < SHORTEST[wanted]:
        raise ShortHistoryError(
            f"The history has {len(costs)} days; {wanted} wants at least {SHORTEST[wanted]}. "
            "Deliver earlier months, or wait for more days."
        )
    last = first + timedelta(days=len(costs) - 1)
    days = (until - last).days
    if days < 1:
        raise UsageError(f"The history goes to {last} and the forecast to {until}: ask for a day after {last}.")
    if model is None:
        model, ahead = _answer(first, costs, days, _backtest(first, costs))
    else:
        ahead = _predict(model, first, costs, days)
    return _frame(last, ahead, model)


def forecasts(
    history: pl.DataFrame, *, data_through: date, ahead: pl.DataFrame | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Forecast every series to the end of the year, and say how wrong the models were.

    Reads    scope, scope_value, currency, charge_date (UTC day), effective_cost, and where there are such
             estimated_cost and spread_cost. Days after `data_through` are not looked at. What is learnt from is what
             was reported and estimated, without charges longer than a day; models are tested on reported days alone.
             `ahead`: as analysis.spend.days_ahead has it: what it knows of the days to come, and what goes on, is added
             and never forecast. A series that has been silent for a week or more has stopped and costs 0 since; a
             shorter silence is a bill still to come, and is forecast.
    Returns  the rows of the datasets `forecast` (from the day after `data_through` to the end of that day's year)
             and `forecast_accuracy`, whose coverage is that of intervals widened by what the other folds taught.
             A series of less than 21 days has neither; one too short to test Prophet on a month it has not seen
             (90 days) is answered by the seasonal naive, and has no accuracy.
    Source   Hyndman & Athanasopoulos, "Forecasting: Principles and Practice", 3rd ed., 5.8 and 5.10.
    """
    until = period_ends(data_through).year
    rows: list[pl.DataFrame] = []
    errors: list[dict[str, object]] = []
    known = _learnt_from(history.filter(pl.col("charge_date") <= data_through))
    for keys, series in sorted(known.partition_by(*SERIES, as_dict=True).items()):
        first, costs = _series(series)
        unreported = len(costs) - _reported(series, first)
        silent = (data_through - first).days + 1 - len(costs)
        if silent >= WEEK:
            costs = np.concatenate([costs, np.zeros(silent)])
        if len(costs) < SHORTEST["seasonal_naive"]:
            continue
        names = dict(zip(SERIES, keys, strict=True))
        tested = _backtest(first, costs[: len(costs) - unreported])
        last = first + timedelta(days=len(costs) - 1)
        model, predicted = _answer(first, costs, (until - last).days, tested)
        answered = _frame(last, predicted, model).filter(pl.col("charge_date") > data_through)
        answered = _with_known(answered, None if ahead is None else ahead.filter(**names))
        rows.append(answered.with_columns(pl.lit(value).alias(name) for name, value in names.items()))
        errors.extend({**names, **error} for error in _accuracy(tested))
    run = {
        "forecast_id": pl.lit(data_through.isoformat()),
        "generated_at": pl.lit(datetime.combine(data_through + timedelta(days=1), time(), UTC)),
        "data_through": pl.lit(data_through),
    }
    return (
        pl.concat([pl.DataFrame(schema=_FORECAST), *(r.select(_FORECAST.names()) for r in rows)])
        .with_columns(**run)
        .select(*run, *SERIES, "model", "charge_date", "expected", "low", "high", "known_cost"),
        pl.DataFrame(errors, schema=_ACCURACY).with_columns(**run).select(*run, *_ACCURACY),
    )


def outlook(forecast: pl.DataFrame, history: pl.DataFrame, budgets: pl.DataFrame) -> pl.DataFrame:
    """Where each series will stand at the end of the month, the quarter and the year, beside its budget.

    Reads    `forecast`: the mart fct_forecast (one run). `history`: as analysis.spend.daily_history has it. `budgets`:
             the mart fct_budget_scope; the scopes of a whole team or of everything are compared.
    Returns  scope, scope_value, currency, model, period (month, quarter, year), period_end, actual (reported so far),
             estimated (days not reported yet), known (billed already for days to come), expected = actual + estimated
             + known + what is forecast, low, high (the estimate's margin included), budget (NULL unless every month of
             the period has one), expected_ratio = expected / budget.
             low and high add up the days' bounds, as the mart fct_budget_status does. That is wider than 80 % where
             errors cancel out, but they rarely do: a wrong trend is wrong every day. In the sample company's
             backtest such intervals held 80 to 100 % of the sums of 7, 30 and 90 days; treating days as
             independent held as few as 40 %.
    """
    if forecast.is_empty():
        return pl.DataFrame(schema=_OUTLOOK)
    through = forecast.get_column("charge_date").min()
    assert isinstance(through, date)
    ends = period_ends(through - timedelta(days=1))
    allowed = _budgets_of_series(budgets)
    found: list[dict[str, object]] = []
    for keys, series in sorted(forecast.partition_by(*SERIES, as_dict=True).items()):
        spent = history.filter(
            *(pl.col(name) == value for name, value in zip(SERIES, keys, strict=True)),
            pl.col("charge_date") < through,
        )
        for period, end, start in zip(PeriodEnds._fields, ends, _starts(ends), strict=True):
            ahead = series.filter(pl.col("charge_date") <= end).sort("charge_date")
            so_far = spent.filter(pl.col("charge_date") >= start)
            actual, estimated, margin = (
                float(so_far.get_column(name).sum()) if name in so_far.columns else 0.0
                for name in ("effective_cost", "estimated_cost", "estimated_margin")
            )
            known = float(ahead.get_column("known_cost").sum()) if "known_cost" in ahead.columns else 0.0
            days = Days(*(ahead.get_column(name).to_numpy() for name in Days._fields))
            told = actual + estimated
            expected = told + float(days.expected.sum())
            budget = allowed.get((*keys, f"{end:%Y-%m}"), {}).get(period)
            found.append(
                {
                    **dict(zip(SERIES, keys, strict=True)),
                    "model": series.get_column("model")[0],
                    "period": period,
                    "period_end": end,
                    "actual": actual,
                    "estimated": estimated,
                    "known": known,
                    "expected": expected,
                    "low": told - margin + float(days.low.sum()),
                    "high": told + margin + float(days.high.sum()),
                    "budget": budget,
                    "expected_ratio": expected / budget if budget else None,
                }
            )
    return pl.DataFrame(found, schema=_OUTLOOK)


_NAMES = {"scope": pl.String, "scope_value": pl.String, "currency": pl.String}
_DAYS = {"charge_date": pl.Date, "expected": pl.Float64, "low": pl.Float64, "high": pl.Float64, "model": pl.String}
_FORECAST = pl.Schema({**_NAMES, **_DAYS, "known_cost": pl.Float64})
_ACCURACY = pl.Schema(
    {
        **_NAMES,
        "model": pl.String,
        "horizon_days": pl.Int64,
        "folds": pl.Int64,
        "wape": pl.Float64,
        "bias": pl.Float64,
        "coverage": pl.Float64,
        "skill": pl.Float64,
    }
)
_OUTLOOK = pl.Schema(
    {
        **_NAMES,
        "model": pl.String,
        "period": pl.String,
        "period_end": pl.Date,
        "actual": pl.Float64,
        "estimated": pl.Float64,
        "known": pl.Float64,
        "expected": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "budget": pl.Float64,
        "expected_ratio": pl.Float64,
    }
)


def _learnt_from(history: pl.DataFrame) -> pl.DataFrame:
    """The series to forecast, as effective_cost: what was reported and estimated, without charges longer than a day."""
    cost = pl.col("effective_cost").cast(pl.Float64)
    if "estimated_cost" not in history.columns:
        return history.with_columns(effective_cost=cost, estimated=False)
    estimated = pl.col("estimated_cost")
    return history.with_columns(
        effective_cost=cost + estimated.cast(pl.Float64) - pl.col("spread_cost").cast(pl.Float64),
        estimated=estimated != 0,
    )


def _reported(series: pl.DataFrame, first: date) -> int:
    """How many days of a series no part of which is an estimate."""
    day = series.filter("estimated")["charge_date"].min()
    last = series["charge_date"].max()
    assert isinstance(last, date)
    return ((day if isinstance(day, date) else last + timedelta(days=1)) - first).days


def _with_known(answered: pl.DataFrame, ahead: pl.DataFrame | None) -> pl.DataFrame:
    """A forecast with what is known of its days, or goes on, added to the expectation and to both ends."""
    if ahead is None:
        return answered.with_columns(known_cost=pl.lit(0.0))
    added = pl.col("standing_cost").fill_null(0.0)
    return (
        answered.join(ahead.select("charge_date", "known_cost", "standing_cost"), on="charge_date", how="left")
        .with_columns(pl.col("expected", "low", "high") + added, pl.col("known_cost").fill_null(0.0))
        .drop("standing_cost")
    )


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


def _starts(ends: PeriodEnds) -> PeriodEnds:
    return PeriodEnds(
        month=ends.month.replace(day=1),
        quarter=ends.quarter.replace(day=1, month=ends.quarter.month - 2),
        year=ends.year.replace(day=1, month=1),
    )


def _series(history: pl.DataFrame) -> tuple[date, Floats]:
    """The first day and the cost of every day from it to the last, 0 where there is no row."""
    daily = (
        history.group_by("charge_date")
        .agg(pl.col("effective_cost").sum().cast(pl.Float64))
        .sort("charge_date")
        .upsample("charge_date", every="1d")
        .with_columns(pl.col("effective_cost").fill_null(0.0))
    )
    if daily.is_empty():
        return date.min, np.zeros(0)
    return daily.get_column("charge_date")[0], daily.get_column("effective_cost").to_numpy()


def _frame(last: date, ahead: Days, model: Model) -> pl.DataFrame:
    days = [last + timedelta(days=i + 1) for i in range(len(ahead.expected))]
    return pl.DataFrame({"charge_date": days, **ahead._asdict(), "model": [model] * len(days)}, schema=_DAYS)


def _answer(first: date, costs: Floats, days: int, tested: dict[Model, dict[int, list[Fold]]]) -> tuple[Model, Days]:
    """The forecast of the model whose absolute errors over all folds are smaller; last week's where Prophet fails."""
    wrong = {model: sum(map(_error, _all_folds(tested, model))) for model in tested}
    if "prophet" in wrong and wrong["prophet"] < wrong["seasonal_naive"]:
        try:
            return "prophet", _predict(
                "prophet", first, costs, days, factor=_conformal_factor(_all_folds(tested, "prophet"))
            )
        except _FAILURES:
            pass
    factor = _conformal_factor(_all_folds(tested, "seasonal_naive"))
    return "seasonal_naive", _predict("seasonal_naive", first, costs, days, factor=factor)


def _all_folds(tested: dict[Model, dict[int, list[Fold]]], model: Model) -> list[Fold]:
    return [fold for folds in tested[model].values() for fold in folds]


def _conformal_factor(folds: list[Fold]) -> float:
    """How many times wider the interval must be to hold 80 % of the days tested; never narrower than the model's own.

    Source   Split conformal prediction: Lei et al., "Distribution-Free Predictive Inference for Regression",
             J. Am. Statistical Association 113(523), 2018.
    """
    if not folds:
        return 1.0
    errors = np.concatenate([f.actual - f.days.expected for f in folds])
    above = np.concatenate([f.days.high - f.days.expected for f in folds])
    below = np.concatenate([f.days.expected - f.days.low for f in folds])
    widths = np.where(errors > 0, above, below)
    known = widths > 0
    return max(1.0, float(np.quantile(np.abs(errors[known]) / widths[known], INTERVAL))) if known.any() else 1.0


def _covered(fold: Fold, others: list[Fold]) -> Floats:
    """1 for each day inside the interval that the other folds would have made of it."""
    factor = _conformal_factor([f for f in others if f.origin != fold.origin])
    error = fold.actual - fold.days.expected
    below, above = fold.days.expected - fold.days.low, fold.days.high - fold.days.expected
    return ((-below * factor <= error) & (error <= above * factor)).astype(np.float64)


def _backtest(first: date, costs: Floats) -> dict[Model, dict[int, list[Fold]]]:
    """What each model said at rolling origins that leave it 60 days or more to learn from.

    Both models are tested on the same folds; Prophet is absent where it failed on any, or where there was none.
    """
    origins = {
        horizon: [cut for i in range(FOLDS) if (cut := len(costs) - horizon - i * FOLD_STEP) >= SHORTEST["prophet"]]
        for horizon in HORIZONS
    }
    longest = {cut: max(h for h in HORIZONS if cut in origins[h]) for cuts in origins.values() for cut in cuts}
    tested: dict[Model, dict[int, list[Fold]]] = {}
    models: tuple[Model, ...] = ("seasonal_naive", "prophet") if longest else ("seasonal_naive",)
    for model in models:
        try:
            said = {cut: _predict(model, first, costs[:cut], days) for cut, days in longest.items()}
        except _FAILURES:
            continue
        tested[model] = {
            horizon: [Fold(cut, Days(*(x[:horizon] for x in said[cut])), costs[cut : cut + horizon]) for cut in cuts]
            for horizon, cuts in origins.items()
            if cuts
        }
    return tested


def _accuracy(tested: dict[Model, dict[int, list[Fold]]]) -> Iterator[dict[str, object]]:
    for model, horizons in tested.items():
        for horizon, folds in horizons.items():
            actual = sum(float(f.actual.sum()) for f in folds)
            naive = sum(_error(f) for f in tested["seasonal_naive"][horizon])
            covered = np.concatenate([_covered(f, _all_folds(tested, model)) for f in folds])
            yield {
                "model": model,
                "horizon_days": horizon,
                "folds": len(folds),
                "wape": sum(_error(f) for f in folds) / actual if actual > 0 else None,
                "bias": sum(float((f.days.expected - f.actual).sum()) for f in folds) / actual if actual > 0 else None,
                "coverage": float(covered.mean()),
                "skill": 1 - sum(_error(f) for f in folds) / naive if naive else None,
            }


def _error(fold: Fold) -> float:
    return float(np.abs(fold.days.expected - fold.actual).sum())


def _predict(model: Model, first: date, costs: Floats, days: int, *, factor: float = 1.0) -> Days:
    """`days` days after the series, the interval around the expectation, floored at 0 where no day was below it."""
    said = _prophet(first, costs, days) if model == "prophet" else _seasonal_naive(costs, days)
    floor = 0.0 if costs.min() >= 0 else -np.inf
    below, above = np.maximum(said.expected - said.low, 0), np.maximum(said.high - said.expected, 0)
    return Days(
        *(np.maximum(x, floor) for x in (said.expected, said.expected - factor * below, said.expected + factor * above))
    )


def _seasonal_naive(costs: Floats, days: int) -> Days:
    """Last week again and again; the interval holds 80 % of the errors this made as many weeks ahead."""
    expected = np.resize(costs[-WEEK:], days)
    low, high = np.zeros(days), np.zeros(days)
    tail = (1 - INTERVAL) / 2
    enough = len(costs) - 2 * WEEK
    for start in range(0, days, WEEK):
        back = min(start + WEEK, enough // WEEK * WEEK)
        low[start : start + WEEK], high[start : start + WEEK] = np.quantile(
            costs[back:] - costs[:-back], [tail, 1 - tail]
        )
    return Days(expected, expected + low, expected + high)


_FAILURES = (RuntimeError, ValueError, TimeoutError, ImportError, AttributeError, OSError)
"""What Prophet and the Stan program under it have been seen to raise, on a series or where they are badly installed."""


def _prophet(first: date, costs: Floats, days: int) -> Days:
    """Prophet's expectation and interval.

    Weekly pattern always, yearly from two years on (Prophet's own rule), none within the day; patterns grow with the
    trend, since twice the spend has twice the weekend dip. The trend may bend
    up to the last tenth of the history, since a price cut of last month is what matters for the next.
    """
    with _quiet():
        import pandas as pd  # type: ignore[import-untyped]
        from prophet import Prophet

        known = pd.DataFrame({"ds": pd.date_range(first, periods=len(costs)), "y": costs})
        model = Prophet(
            interval_width=INTERVAL,
            uncertainty_samples=SAMPLES,
            weekly_seasonality=True,
            daily_seasonality=False,
            seasonality_mode="multiplicative",
            changepoint_range=0.9,
            changepoint_prior_scale=0.05,
        )
        model.fit(known, seed=1, timeout=FIT_SECONDS)
        ahead = pd.DataFrame({"ds": pd.date_range(first + timedelta(days=len(costs)), periods=days)})
        said = model.predict(ahead)
    columns: Sequence[str] = ("yhat", "yhat_lower", "yhat_upper")
    return Days(*(said[name].to_numpy(dtype=np.float64) for name in columns))


@contextmanager
def _quiet() -> Iterator[None]:
    """No log lines or warnings from Prophet's libraries, and their random numbers always the same ones.

    Prophet draws from numpy's global generator, so that one is seeded, and put back as it was.
    """
    state, disabled = np.random.get_state(), logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    np.random.seed(1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)
        logging.disable(disabled)


def _budgets_of_series(budgets: pl.DataFrame) -> dict[tuple[object, ...], dict[str, float | None]]:
    """By series and month, what its scope may spend in that month, and in its quarter and year."""
    narrower = pl.col("product", "use_case", "service_name", "lifecycle")
    whole = budgets.filter(pl.all_horizontal(narrower.is_null())).select(
        pl.when(pl.col("team").is_null()).then(pl.lit("total")).otherwise(pl.lit("team")),
        pl.col("team").fill_null("all"),
        "billing_currency",
        "month",
        pl.col("budget_amount", "quarter_budget_amount", "year_budget_amount").cast(pl.Float64),
    )
    return {row[:4]: dict(zip(PeriodEnds._fields, row[4:], strict=True)) for row in whole.iter_rows()}
