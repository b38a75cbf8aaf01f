"""Frame in, chart out: one theme, one colour per thing everywhere, a title that states what was found.

Every chart shows one currency and draws what its frame holds; what a title says is read from the frame. An empty frame
gives a sentence that says what is missing and what brings it. `NEEDS` holds those sentences by chart.
"""

from __future__ import annotations

import html
import json
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zlib import crc32

import altair as alt
import polars as pl

from .errors import UsageError

Chart = alt.Chart | alt.LayerChart
Amount = Decimal | float | int

WIDTH = 880
"""Width of every chart in pixels, labels included; a page of a report and half a slide."""

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
"""Liberation Sans has Arial's widths, so that labels measured on one machine fit on another."""

INK, PALE, GRID = "#1f2933", "#616e7c", "#e4e7eb"

ORANGE, SKY, GREEN, YELLOW, BLUE, RED, PURPLE, BLACK, GREY, SLATE = (
    "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#222222", "#9AA5B1", "#5B6770",
)  # fmt: skip
"""Okabe & Ito, "Color Universal Design", 2008: told apart with any colour vision. Grey is what is not known,
slate what is estimated."""

COLOURS: Mapping[str, str] = MappingProxyType(
    {
        "AWS": ORANGE, "Microsoft": SKY, "Google Cloud": GREEN, "OpenAI": BLUE, "Anthropic": RED,
        "direct": BLUE, "shared": SKY, "unregistered": ORANGE, "unallocated": GREY,
        "experiment": PURPLE, "production": BLUE, "unknown": GREY,
        "actual": BLUE, "estimated": SLATE, "forecast": SKY, "budget": BLACK,
        "within": GREEN, "at risk": ORANGE, "over": RED, "no spend": GREY,
        "finished": GREEN, "running": SKY, "stopped": ORANGE, "failed": RED,
        "gain": BLUE, "loss": RED,
    }
)  # fmt: skip
"""The colour of each thing, in every chart."""

OTHERS = (PURPLE, YELLOW, "#882255", "#44AA99", "#999933", "#AA4499", "#332288", "#117733")
"""Colours of vendors without one of their own (Tol's muted scheme beside the two left of Okabe and Ito)."""

NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "spend": "There are no charges for this month. Bring in a bill with `finops ingest PATH`, then `finops build`.",
        "teams": "There are no charges to allocate. Bring in a bill with `finops ingest PATH`, then `finops build`.",
        "tokens": "No charge counts tokens. They come with the cost exports of OpenAI, Anthropic, Amazon Bedrock, "
        "Azure OpenAI or Vertex AI: `finops ingest PATH`.",
        "requests": "Nobody has counted requests. They come with usage exports such as OpenAI's completions usage: "
        "`finops ingest PATH`.",
        "lifecycle": "There are no charges to classify. Bring in a bill with `finops ingest PATH`; what is an "
        "experiment stands in plan/lifecycle_rule.csv.",
        "training": "No training run started in this month. Runs come as a training_run delivery: "
        "`finops ingest PATH`.",
        "budgets": "No budget covers this month. Write plan/budget.csv, then `finops ingest` it and `finops build`.",
        "forecast": "There is no forecast. Run `finops forecast`, then `finops build`; it wants three weeks of daily "
        "cost at least.",
        "roi": "No use case has a month with both a cost and a benefit. Benefits come as an outcome delivery and "
        "plan/assumption.csv: `finops ingest PATH`.",
        "sensitivity": "No use case has a return to test. Benefits come as an outcome delivery and "
        "plan/assumption.csv: `finops ingest PATH`.",
    }
)  # fmt: skip
"""What is missing when a chart has nothing to show, and what brings it."""


def spend(frame: pl.DataFrame, *, data_date: date) -> Chart:
    """Stacked bars of each month's cost by provider; an open month is paler and marked.

    Reads    analysis.views.spend, one currency.
    Returns  a chart, or the sentence NEEDS["spend"].
    """
    if frame.is_empty():
        return nothing("spend")
    currency = _one(frame, "billing_currency")
    last = frame.filter(pl.col("month") == frame["month"].max()).row(0, named=True)
    changes = frame.filter(pl.col("change").is_not_null())
    share = "all" if last["share"] == 1 else percent(last["share"])
    found = f"{last['service_provider_name']} is {share} of "
    found += f"{month_name(last['month'])}'s {money(last['month_cost'], currency)}{_so_far(last)}"
    if changes.height:
        whole = changes.row(-1, named=True)
        found += f"; {month_name(whole['month'])} {_moved(whole['change'])} on {month_name(_before(whole['month']))}"
    providers = _by_size(frame, "service_provider_name")
    months = frame.unique("month").sort("month")
    bars = (
        alt.Chart(_ranked(frame, "service_provider_name", providers))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=_month_axis(frame),
            y=_money_axis("effective_cost", frame["month_cost"], currency, stack="zero"),
            color=_colour("service_provider_name", providers),
            opacity=_paler_while_open(),
            order=alt.Order("rank:Q"),
        )
    )
    totals = (
        alt.Chart(_plain(months).with_columns(label=pl.Series([short(v) for v in months["month_cost"]])))
        .mark_text(dy=-7, fontSize=10, color=PALE)
        .encode(x=_month_axis(frame), y=alt.Y("month_cost:Q"), text="label:N")
    )
    return _finish(_layer(bars, totals), found, _basis(currency, data_date), height=300)


def teams(frame: pl.DataFrame, *, month: str, data_date: date, top: int = 16) -> Chart:
    """Bars of each team's cost in a month: its own, its share of pools, what is unregistered, and what has no team.

    Reads    analysis.views.teams, one currency.
    Returns  a chart of the `top` dearest teams, or the sentence NEEDS["teams"].
    """
    if frame.is_empty():
        return nothing("teams")
    currency = _one(frame, "billing_currency")
    first = frame.row(0, named=True)
    dearest = frame.filter(pl.col("allocation") != "unallocated")
    found = f"{percent(first['allocated_share'])} of {money(first['month_cost'], currency)} has a team"
    if dearest.height:
        team = dearest.row(0, named=True)
        found += f"; {team['team']} costs most: {money(team['team_cost'], currency)}, {percent(team['share'])}"
    names = frame["team"].unique(maintain_order=True).to_list()
    shown = frame.filter(pl.col("team").is_in(names[:top]))
    kinds = [k for k in ("direct", "shared", "unregistered", "unallocated") if k in shown["allocation"]]
    bars = (
        alt.Chart(_ranked(shown, "allocation", kinds))
        .mark_bar()
        .encode(
            x=_money_axis("effective_cost", shown["team_cost"], currency, axis_of=alt.X, stack="zero"),
            y=_names("team", names[:top]),
            color=_colour("allocation", kinds),
            order=alt.Order("rank:Q"),
        )
    )
    labels = _end_labels(
        shown.unique("team", maintain_order=True), "team", "team_cost",
        lambda row: f"{short(row['team_cost'])} · {percent(row['share'])}", names[:top],
    )  # fmt: skip
    more = [f"{len(names) - top} smaller teams are in the table only"] if len(names) > top else []
    return _finish(
        bars + labels,
        found,
        _basis(currency, data_date, _when(month, data_date), *more),
        height=_rows(names[:top]),
    )


def token_prices(frame: pl.DataFrame, *, data_date: date, top: int = 9) -> Chart:
    """A line per model of what a million tokens cost each month, on a scale where equal steps are equal ratios.

    Reads    analysis.views.token_prices, one currency.
    Returns  a chart of the `top` dearest models, or the sentence NEEDS["tokens"].
    """
    frame = frame.filter(pl.col("cost_per_1m_tokens") > 0)
    if frame.is_empty():
        return nothing("tokens")
    currency = _one(frame, "billing_currency")
    models = frame["model"].unique(maintain_order=True).to_list()
    shown = frame.filter(pl.col("model").is_in(models[:top]))
    last = frame.filter(pl.col("month") == frame["month"].max()).row(0, named=True)
    found = f"1M tokens cost {money(last['month_per_1m'], currency)} in {month_name(last['month'])}{_so_far(last)}"
    cuts = shown.filter(pl.col("is_cut")).sort("change")
    if cuts.height:
        cut = cuts.row(0, named=True)
        found += f"; {cut['model']} fell most, by {percent(-cut['change'])} in {month_name(cut['month'], year=True)}"
    line = alt.Chart(_plain(shown)).encode(
        x=_month_axis(frame),
        y=alt.Y(
            "cost_per_1m_tokens:Q",
            scale=alt.Scale(type="log", nice=False, padding=14),
            axis=alt.Axis(
                format="~r",
                values=_ratio_ticks(shown["cost_per_1m_tokens"]),
                title=f"{currency} per 1M tokens (log scale)",
            ),
        ),
        color=_colour("service_provider_name", shown["service_provider_name"].unique(maintain_order=True).to_list()),
        detail="model:N",
    )
    ends = shown.sort("month").group_by("service_provider_name", "model", maintain_order=True).last()
    names = (
        alt.Chart(_plain(_spread(ends, "cost_per_1m_tokens", shown, height=340)))
        .mark_text(align="left", dx=10, fontSize=11)
        .encode(
            x=_month_axis(frame),
            y=alt.Y("label_at:Q"),
            text="label:N",
            color=_colour(
                "service_provider_name", shown["service_provider_name"].unique(maintain_order=True).to_list()
            ),
        )
    )
    dots = line.mark_point(filled=True, size=28).encode(opacity=_paler_while_open())
    chart = _layer(line.mark_line(strokeWidth=2), dots, names)
    more = [f"the {top} dearest of {len(models)} models"] if len(models) > top else []
    notes = ["all kinds of token together", *more]
    return _finish(chart, found, _basis(currency, data_date, *notes), height=340)


def requests(frame: pl.DataFrame, *, month: str, data_date: date, top: int = 14) -> Chart:
    """Bars per model of what a thousand requests cost as billed, with a tick where the price book has it.

    Reads    analysis.views.requests, one currency.
    Returns  a chart of the `top` dearest models per request, or the sentence NEEDS["requests"].
    """
    frame = frame.filter(pl.coalesce("billed_per_1k", "estimated_per_1k").is_not_null())
    if frame.is_empty():
        return nothing("requests")
    currency = _one(frame, "currency")
    shown = frame.head(top).with_columns(per_1k=pl.coalesce("billed_per_1k", "estimated_per_1k"))
    dearest, cheapest = shown.row(0, named=True), shown.row(-1, named=True)
    found = f"A thousand requests cost {money(dearest['per_1k'], currency)} on {dearest['model']}"
    if shown.height > 1:
        found += f" and {money(cheapest['per_1k'], currency)} on {cheapest['model']}"
    names = shown["model"].to_list()
    bars = (
        alt.Chart(_plain(shown))
        .mark_bar()
        .encode(
            x=_money_axis("billed_per_1k", shown["per_1k"], f"{currency} per 1,000 requests", axis_of=alt.X),
            y=_names("model", names),
            color=_colour("service_provider_name", _by_name(shown, "service_provider_name")),
        )
    )
    ticks = (
        alt.Chart(_plain(shown))
        .mark_tick(color=BLACK, opacity=1, thickness=2, size=18)
        .encode(x=alt.X("estimated_per_1k:Q"), y=_names("model", names))
    )
    labels = _end_labels(
        shown, "model", "per_1k", lambda row: f"{short(row['per_1k'])} · {short(row['requests'])} requests", names
    )
    more = [f"the {top} dearest of {frame.height} models"] if frame.height > top else []
    notes = ["bar: as billed, tick: by the price book", *more]
    return _finish(
        _layer(bars, ticks, labels),
        found,
        _basis(currency, data_date, _when(month, data_date), *notes),
        height=_rows(names),
    )


def lifecycle(frame: pl.DataFrame, *, data_date: date) -> Chart:
    """Stacked shares of experiment, production and unknown by month, with a mark where experiments reach the threshold.

    Reads    analysis.views.lifecycles, one currency.
    Returns  a chart, or the sentence NEEDS["lifecycle"].
    """
    frame = frame.filter(pl.col("share").is_not_null())
    if frame.is_empty():
        return nothing("lifecycle")
    currency = _one(frame, "billing_currency")
    last = frame.filter(pl.col("month") == frame["month"].max()).row(0, named=True)
    when, ratio = month_name(last["month"], year=True) + _so_far(last), last["experiment_ratio"]
    if ratio is None:
        found = f"No cost is known to be production's in {when}, so experiments have nothing to be held against"
    else:
        side = "over" if last["status"] == "over" else "within"
        limit = percent(last["experiment_limit"])
        found = f"Experiments cost {percent(ratio)} of what production costs in {when}, {side} the {limit} threshold"
    kinds = [k for k in ("experiment", "production", "unknown") if k in frame["lifecycle"]]
    bars = (
        alt.Chart(_ranked(frame, "lifecycle", kinds))
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=_month_axis(frame),
            y=alt.Y(
                "share:Q",
                stack="zero",
                scale=alt.Scale(nice=False),
                axis=alt.Axis(format=".0%", title="Share of effective cost", tickCount=5),
            ),
            color=_colour("lifecycle", kinds),
            opacity=_paler_while_open(),
            order=alt.Order("rank:Q"),
        )
    )
    months = _plain(frame.unique("month").sort("month"))
    marks = (
        alt.Chart(months.filter(pl.col("limit_share") > 0))
        .mark_tick(color=BLACK, opacity=1, thickness=2.5, orient="horizontal", bandSize=34)
        .encode(x=_month_axis(frame), y=alt.Y("limit_share:Q"))
    )
    mark = f"black mark: experiments at {percent(last['experiment_limit'])} of production"
    return _finish(_layer(bars, marks), found, _basis(currency, data_date, mark), height=280)


def training(frame: pl.DataFrame, *, month: str, data_date: date, top: int = 15) -> Chart:
    """Bars of what the dearest training runs cost, coloured by how they ended.

    Reads    analysis.views.training_runs, one currency; runs without a price have none and are counted in words.
    Returns  a chart of the `top` dearest runs, or the sentence NEEDS["training"].
    """
    priced = frame.filter(pl.col("effective_cost").is_not_null())
    if priced.is_empty():
        return nothing("training")
    currency = _one(priced, "billing_currency")
    first = priced.row(0, named=True)
    total = money(first["month_cost"], currency)
    lost = money(first["month_unfinished_cost"] or 0, currency)
    found = f"{priced.height} training runs cost {total}; {lost} of it went into runs that never finished"
    shown = priced.head(top).with_columns(run=pl.coalesce("run_name", "run_id"))
    names = shown["run_id"].to_list()
    called = dict(zip(names, shown["run"], strict=True))
    statuses = [s for s in ("finished", "running", "stopped", "failed") if s in shown["status"]]
    bars = (
        alt.Chart(_plain(shown))
        .mark_bar()
        .encode(
            x=_money_axis("effective_cost", shown["effective_cost"], currency, axis_of=alt.X),
            y=_names("run_id", names, called=called),
            color=_colour("status", statuses),
        )
    )
    labels = _end_labels(
        shown, "run_id", "effective_cost", lambda row: f"{short(row['effective_cost'])} · {row['team']}", names
    )
    unpriced = frame.height - priced.height
    notes = [
        f"runs started in {_when(month, data_date)}",
        *([f"the {top} dearest"] if priced.height > top else []),
        *([f"{unpriced} runs have no price and no bar"] if unpriced else []),
    ]
    return _finish(_layer(bars, labels), found, _basis(currency, data_date, *notes), height=_rows(names))


def budgets(frame: pl.DataFrame, *, month: str, data_date: date) -> Chart:
    """Each budget as a bar of what is spent and what is still expected, against the budget as 100 %.

    Reads    analysis.views.budgets, one currency.
    Returns  a chart, or the sentence NEEDS["budgets"].
    """
    if frame.is_empty():
        return nothing("budgets")
    currency = _one(frame, "billing_currency")
    over, risky = (frame.filter(pl.col("status") == status).height for status in ("over", "at risk"))
    found = f"{over or 'None'} of {_count(frame.height, 'budget')} {'is' if over < 2 else 'are'} over"
    unknown = frame.filter(pl.col("status") == "unknown").height
    found += f" and {risky or 'none'} at risk in {_when(month, data_date)}"
    found += f", {unknown} without an expectation" if unknown else ""
    worst = frame.row(0, named=True)
    fullest = worst["expected_ratio"] if worst["expected_ratio"] is not None else worst["consumed_ratio"]
    if fullest is not None:
        word = "is expected to end at" if worst["expected_ratio"] is not None else "has used"
        found += f"; {worst['budget_name']} {word} {percent(fullest)}"
    names = frame["budget_name"].to_list()
    percent_axis = alt.Axis(format=".0%", title="Share of the budget", tickCount=6)
    base = alt.Chart(_plain(frame)).encode(y=_names("budget_name", names))
    ahead = base.mark_bar(color=COLOURS["forecast"], clip=True).encode(
        x=alt.X("consumed_ratio:Q", axis=percent_axis, scale=_ratio_scale(frame)), x2="expected_ratio:Q"
    )
    spent = base.mark_bar(color=COLOURS["actual"], clip=True).encode(x=alt.X("consumed_ratio:Q"))
    interval = base.mark_rule(color=INK, clip=True).encode(x=alt.X("low_ratio:Q"), x2="high_ratio:Q")
    line = alt.Chart(_plain(frame).head(1)).mark_rule(color=COLOURS["budget"], strokeWidth=2).encode(x=alt.datum(1.0))
    labels = _end_labels(
        frame.with_columns(
            at=pl.max_horizontal("consumed_ratio", "expected_ratio", "high_ratio", pl.lit(1.0)).clip(upper_bound=_MOST)
        ),
        "budget_name", "at", _budget_label, names,
    )  # fmt: skip
    notes = ["dark: spent, light: expected by the end of the month, thin line: range, black line: the budget"]
    if frame["expectation_basis"].str.starts_with("share").any():
        notes.append("by share: expected by its part of a wider forecast")
    return _finish(
        _layer(ahead, spent, interval, line, labels), found, _basis(currency, data_date, *notes), height=_rows(names)
    )


def forecast(frame: pl.DataFrame, *, outlook: pl.DataFrame, accuracy: pl.DataFrame, data_date: date) -> Chart:
    """Daily cost and its forecast with the 80 % interval, beside the budget per day.

    Reads    analysis.views.forecast_path, one currency; `outlook` from analysis.forecast.outlook; `accuracy` from
             analysis.views.accuracy.
    Returns  a chart whose subtitle names the backtest's error, or the sentence NEEDS["forecast"].
    """
    if frame["expected"].count() == 0:
        return nothing("forecast")
    currency = _one(frame, "currency")
    ends = outlook.filter(pl.col("scope") == "total", pl.col("currency") == currency, pl.col("period") != "quarter")
    found = "; ".join(
        f"{_period(row)}{' is expected to end' if row['period'] == 'month' else ''} at "
        f"{money(row['expected'], currency)}{_against(row, currency)}"
        for row in ends.iter_rows(named=True)
    )
    shown = _plain(frame)
    days = alt.X("charge_date:T", axis=alt.Axis(title=None, format="%b %Y", tickCount="month", labelFlush=False))
    cost = {
        # A day that is reported in part would look like a fall.
        "actual": pl.when(pl.col("estimated").is_null()).then("actual"),
        "estimated": pl.when(_beside(pl.col("estimated").is_not_null())).then(
            pl.coalesce(pl.col("actual") + pl.col("estimated").fill_null(0), "expected")
        ),
        "forecast": pl.col("expected"),
        "budget": pl.col("budget_per_day"),
    }
    drawn = {
        kind: shown.select("charge_date", cost=value.cast(pl.Float64), kind=pl.lit(kind)).drop_nulls()
        for kind, value in cost.items()
    }
    if not frame["estimated"].count():
        drawn.pop("estimated")
    kinds = [kind for kind, days_of in drawn.items() if days_of.height]
    lines = (
        alt.Chart(pl.concat(drawn.values()))
        .mark_line(strokeWidth=1.8, interpolate="step-after")
        .encode(
            x=days,
            y=_money_axis("cost", frame["high"].append(frame["actual"].cast(pl.Float64)), f"{currency} per day"),
            color=_colour("kind", kinds, symbol="stroke"),
            strokeDash=alt.condition(alt.datum.kind == "estimated", alt.value([3, 2]), alt.value([1, 0])),
        )
    )
    band = (
        alt.Chart(shown.filter(pl.col("expected").is_not_null()))
        .mark_area(color=COLOURS["forecast"], opacity=0.28, interpolate="step-after")
        .encode(x=days, y=alt.Y("low:Q"), y2="high:Q")
    )
    notes = ["band: 80 % of days", _error(accuracy.filter(pl.col("currency") == currency), _one(frame, "model"))]
    if frame["estimated"].count():
        notes.append("dashed: estimated, not reported yet")
    return _finish(_layer(band, lines), found, _basis(currency, data_date, *notes), height=300)


def roi(frame: pl.DataFrame, *, data_date: date) -> Chart:
    """Bars of each use case's return on all its cost, a loss in another colour, and a ring where bills alone put it.

    Reads    fct_use_case_return of one month, one currency; use cases without a return are counted in words.
    Returns  a chart, or the sentence NEEDS["roi"].
    """
    known = frame.filter(pl.col("roi").is_not_null()).sort("roi", "use_case", descending=[True, False])
    if known.is_empty():
        return nothing("roi")
    currency = _one(known, "currency")
    best, losing = known.row(0, named=True), known.filter(pl.col("roi") < 0).height
    found = f"{best['use_case']} returns most: {signed(best['roi'])} on {money(best['cost'], currency)}"
    found += f"; {losing or 'none'} of {_count(known.height, 'use case')} cost more than brought"
    names = known["use_case"].to_list()
    shown = known.with_columns(
        kind=pl.when(pl.col("roi") < 0).then(pl.lit("loss")).otherwise(pl.lit("gain")),
        end=pl.max_horizontal("roi", "roi_of_bills"),
    )
    bars = (
        alt.Chart(_plain(shown))
        .mark_bar()
        .encode(
            x=alt.X(
                "roi:Q",
                axis=_return_axis("Return on cost: (benefit − cost) ÷ cost"),
                scale=alt.Scale(domainMax=max(_ROOM * 1.15 * _largest(shown["end"]), 0.25), nice=False),
            ),
            y=_names("use_case", names),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=["gain", "loss"], range=[COLOURS["gain"], COLOURS["loss"]]),
                legend=None,
            ),
        )
    )
    rings = (
        alt.Chart(_plain(shown))
        .mark_point(shape="circle", filled=False, size=70, color=INK)
        .encode(x=alt.X("roi_of_bills:Q"), y=_names("use_case", names))
    )
    zero = alt.Chart(_plain(shown).head(1)).mark_rule(color=INK).encode(x=alt.datum(0))
    labels = _end_labels(
        shown, "use_case", "end",
        lambda row: f"  {signed(row['roi'])} on {short(row['cost'])}, bills {signed(row['roi_of_bills'])}", names,
    )  # fmt: skip
    unknown = frame.filter(pl.col("use_case") != "unallocated").height - known.height
    notes = [
        f"{_name(known['first_month'].min())} to {_name(known['month'].max())}",
        "bar: all cost, ring: bills alone",
        *([f"{_count(unknown, 'use case')} without a known return left out"] if unknown else []),
    ]
    drawn = _layer(bars, zero, rings, labels)
    return _finish(drawn, found, _basis(currency, data_date, *notes), height=_rows(names))


def sensitivity(frame: pl.DataFrame, *, data_date: date) -> Chart:
    """A tornado: how far one use case's net present value moves when one assumption is wrong.

    Reads    analysis.roi.sensitivity, one use case and currency.
    Returns  a chart (of the return where there is no discount rate), or the sentence NEEDS["sensitivity"].
    """
    measure, called = ("npv", "net present value") if frame["npv"].count() else ("roi", "return")
    known = frame.filter(pl.col(measure).is_not_null())
    if known.is_empty():
        return nothing("sensitivity")
    currency, base = _one(known, "currency"), float(known[f"base_{measure}"][0])
    use_case, swing = _one(known, "use_case"), _largest(known["change"])

    def say(value: float) -> str:
        return money(value, currency) if measure == "npv" else signed(value)

    widest = known.group_by("driver").agg(width=(pl.col(measure) - base).abs().max())
    names = widest.sort("width", "driver", descending=[True, False])["driver"].to_list()
    low = -_largest(-known.filter(pl.col("driver") == names[0])[measure])
    found = f"{use_case}: {names[0]} matters most; {percent(swing)} off, it takes the {called} "
    found += f"from {say(base)} to {say(low)}"
    shown = _plain(known).with_columns(
        base=pl.lit(base),
        moved=pl.when(pl.col("change") < 0)
        .then(pl.lit(f"assumption {percent(swing)} lower"))
        .otherwise(pl.lit(f"assumption {percent(swing)} higher")),
        label=pl.Series([say(v) for v in known[measure]]),
        left=pl.col(measure) < base,
    )
    kinds = [f"assumption {percent(swing)} lower", f"assumption {percent(swing)} higher"]
    title = f"{called.capitalize()}, {currency}" if measure == "npv" else called.capitalize()
    values = pl.concat([shown[measure], pl.Series(measure, [base])])
    axis = (
        _money_axis(measure, values, title, axis_of=alt.X, zero=False, padding=90)
        if measure == "npv"
        else alt.X("roi:Q", axis=_return_axis(title), scale=alt.Scale(zero=False, padding=90))
    )
    bars = (
        alt.Chart(shown)
        .mark_bar(size=18)
        .encode(
            x=axis,
            x2="base:Q",
            y=_names("driver", names),
            color=alt.Color("moved:N", scale=alt.Scale(domain=kinds, range=[ORANGE, BLUE]), legend=alt.Legend()),
        )
    )
    ends = [
        alt.Chart(shown.filter(pl.col("left") == left, pl.col(measure) != base))
        .mark_text(align="right" if left else "left", dx=-5 if left else 5, fontSize=11, color=INK)
        .encode(x=alt.X(f"{measure}:Q"), y=_names("driver", names), text="label:N")
        for left in (True, False)
    ]
    rule = alt.Chart(shown.head(1)).mark_rule(color=INK).encode(x=alt.X("base:Q"))
    return _finish(_layer(bars, *ends, rule), found, _basis(currency, data_date), height=_rows(names))


def nothing(what: str) -> Chart:
    """The sentence that says what is missing, as a chart of its own."""
    lines = textwrap.wrap(NEEDS[what].replace("`", ""), 110)
    empty = alt.Chart(pl.DataFrame({"text": ["\n".join(lines)]}))
    note = empty.mark_text(align="left", fontSize=13, color=PALE, lineBreak="\n", baseline="top").encode(
        text="text:N", x=alt.value(0), y=alt.value(4)
    )
    return _finish(_layer(note), _NOTHING, (), height=24 * len(lines))


def shows(chart: Chart) -> bool:
    """Whether a chart has anything to show."""
    return bool(_title(chart)["text"] != [_NOTHING])


def finding(chart: Chart) -> str:
    """What a chart found, in one sentence: its title."""
    return f"{' '.join(_title(chart)['text'])}."


def noted(chart: Chart, note: str) -> Chart:
    """The chart with one note more in its subtitle; without a note as it is."""
    if not note or not shows(chart):
        return chart
    title = _title(chart)
    notes = [*" ".join(title.get("subtitle", [])).split(" · "), note]
    return chart.properties(title=alt.TitleParams(text=title["text"], subtitle=_subtitle(notes)))


def basis(chart: Chart) -> str:
    """What a chart's numbers are: its subtitle."""
    return " ".join(_title(chart).get("subtitle", []))


def alt_text(chart: Chart) -> str:
    """A chart in words, for who cannot see it."""
    return f"{finding(chart)} {basis(chart)}".strip()


def svg(chart: Chart, *, name: str) -> str:
    """A chart as SVG without links to anything outside, with alternative text.

    Returns  the same text for the same chart; ids begin with `name`, so that many fit in one page.
    """
    import vl_convert

    drawn = str(vl_convert.vegalite_to_svg(_spec(chart), allowed_base_urls=[]))
    ids = {found: f"{name}-{n}" for n, found in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', drawn)))}
    drawn = re.sub(r'\bid="([^"]+)"', lambda m: f'id="{ids[m[1]]}"', drawn)
    drawn = re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{ids[m[1]]})", drawn)
    head, body = drawn.split(">", 1)
    described = f'<title id="{name}-title">{html.escape(alt_text(chart))}</title>'
    return f'{head} role="img" aria-labelledby="{name}-title">{described}{body}'


def png(chart: Chart, *, scale: float = 2) -> bytes:
    """A chart as PNG, `scale` pixels to a point."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(_spec(chart), scale=scale, allowed_base_urls=[])
    return drawn


def moved_most(drivers: pl.DataFrame) -> str:
    """What a table of analysis.views.drivers found."""
    if drivers.is_empty():
        return "What moved the bill most from month to month"
    first = drivers.row(0, named=True)
    change = first["cost_change"]
    named = [w for w in (first["model"], first["sku"]) if w not in (None, "none", "unknown")]
    return (
        f"What moved the bill of {first['period_start']:%B %Y}: {first['team']}'s {' '.join(named)} most, "
        f"{money(abs(change), first['billing_currency'])} {'more' if change > 0 else 'less'} than in "
        f"{first['previous_start']:%B}"
    )


def falls(tagged: pl.DataFrame, when: str) -> str:
    """What a table of analysis.views.tag_coverage found."""
    fallen = tagged.filter(pl.col("finding") == "sudden fall")
    if fallen.is_empty():
        return f"Tags in {when}: none fell suddenly"
    first = fallen.row(0, named=True)
    more = f", and {fallen.height - 1} more fell" if fallen.height > 1 else ""
    return (
        f"Tags in {when}: {first['tag_key']} of {first['scope_value']} fell from {percent(first['coverage_before'])} "
        f"to {percent(first['coverage'])}{more}"
    )


def committed(commitments: pl.DataFrame, when: str) -> str:
    """What a table of fct_commitments found."""
    known = commitments.filter(pl.col("utilization").is_not_null()).sort("utilization", "commitment_id")
    if known.is_empty():
        return f"Commitments in {when}"
    least = known.row(0, named=True)
    return (
        f"Commitments in {when}: the least used is {least['service_provider_name']}'s "
        f"{(least['commitment_type'] or 'commitment').lower()}, {percent(least['utilization'])} of it"
    )


def stood_idle(machines: pl.DataFrame, when: str) -> str:
    """What a table of analysis.views.idle_machines found."""
    if machines.is_empty():
        return f"Machines with GPUs that stood idle in {when}"
    first = machines.row(0, named=True)
    cost = money(first["idle_days_cost"], first["billing_currency"])
    return f"{_count(machines.height, 'machine')} with GPUs stood idle in {when}; {first['team']}'s dearest cost {cost}"


def graded(kpis: pl.DataFrame, when: str) -> str:
    """What a table of analysis.views.kpis found, by the first edition that grades."""
    column = next((name for name in kpis.columns if name.startswith("grade_")), None)
    if column is None:
        return f"KPIs of the company in {when}"
    counts = dict(kpis.drop_nulls(column).group_by(column).len().iter_rows())
    grades = ("run", "walk", "crawl", "within limit", "below run", "below walk", "below crawl", "over limit")
    said = ", ".join(f"{counts[grade]} {grade}" for grade in grades if grade in counts)
    return f"KPIs of the company in {when}: {said} by the edition {column.removeprefix('grade_')}"


def crossed(gates: pl.DataFrame) -> str:
    """What the answers of fct_gate found."""
    judged = gates.group_by("gate").agg(pl.col("is_passed").drop_nulls().all(), known=pl.col("is_passed").count())
    known = judged.filter(pl.col("known") > 0)
    failed = known.filter(~pl.col("is_passed")).sort("gate")["gate"].to_list()
    return f"{known.height - len(failed)} of {_count(known.height, 'gate')} passed" + (
        f"; not {', '.join(failed)}" if failed else ""
    )


def show_in_notebooks() -> None:
    """Make notebooks draw charts as pictures, which need no network and survive every export, and tables plain."""
    alt.renderers.register("finops", _drawn_for_notebook)
    alt.renderers.enable("finops")
    pl.Config(
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        trim_decimal_zeros=True,
        tbl_rows=40,
        tbl_cols=20,
    )


def money(value: Amount | None, currency: str) -> str:
    """An amount as a reader says it: `USD 402k`, `USD 1.28M`, `USD 0.00312`; three digits that count."""
    return "unknown" if value is None else f"{currency} {short(value)}"


def short(value: Amount) -> str:
    """A number in three digits that count."""
    rounded = float(f"{float(value):.3g}")
    sign, size = "−" if rounded < 0 else "", abs(rounded)
    for unit, name in ((1e9, "B"), (1e6, "M")):
        if size >= unit:
            return f"{sign}{_digits(size / unit)}{name}"
    if size >= 10_000:
        return f"{sign}{_digits(size / 1000)}k"
    if size >= 100 or size == 0:
        return f"{sign}{round(abs(float(value))):,}"
    return f"{sign}{_digits(size)}" if size >= 1 else f"{sign}{Decimal(f'{size:.3g}'):f}"


def percent(value: float | None) -> str:
    """A share as a reader says it; what is not all, or more than all, is never shown as 100 %."""
    if value is None:
        return "an unknown share"
    size = abs(value) * 100
    if 1e-7 < size < 0.05:
        return f"{'−' if value < 0 else ''}<0.1 %"
    if 100 + 1e-7 < size < 101:
        shown = f"{math.ceil(size * 10) / 10:.1f}"
    elif 99 < size < 100 or (size < 10 and size != round(size)):
        shown = f"{math.floor(size * 10) / 10 if size > 99 else size:.1f}"
    else:
        shown = f"{size:,.0f}"
    return f"{'−' if value < 0 and float(shown.replace(',', '')) else ''}{shown.removesuffix('.0')} %"


def signed(value: float) -> str:
    """A change or return with its sign."""
    said = percent(value)
    return said if value < 0 or said == "0 %" else f"+{said}"


def month_name(month: str, *, year: bool = False) -> str:
    """`October`, or `October 2026`."""
    return f"{date.fromisoformat(f'{month}-01'):{'%B %Y' if year else '%B'}}"


def colour(thing: str, taken: Iterable[str] = ()) -> str:
    """The colour of a thing: its own, or else one that its name always leads to, unless another in sight took it."""
    if thing in COLOURS:
        return COLOURS[thing]
    start = crc32(thing.encode()) % len(OTHERS)
    free = [c for c in (*OTHERS[start:], *OTHERS[:start]) if c not in taken]
    return free[0] if free else GREY


@alt.theme.register("finops", enable=False)
def theme() -> alt.theme.ThemeConfig:
    """How every chart looks."""
    return alt.theme.ThemeConfig(
        {
            "background": "white",
            "config": {
                "font": FONT,
                "view": {"stroke": None},
                "title": {
                    "anchor": "start", "frame": "bounds", "fontSize": 16, "fontWeight": 600, "color": INK, "offset": 14,
                    "subtitleFontSize": 12, "subtitleColor": PALE, "subtitlePadding": 6, "lineHeight": 20,
                    "subtitleLineHeight": 16,
                },
                "axis": {
                    "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "titleColor": PALE,
                    "labelColor": INK, "gridColor": GRID, "domain": False, "ticks": False, "labelPadding": 6,
                    "titlePadding": 10, "labelLimit": 240,
                },
                "legend": {
                    "orient": "top", "direction": "horizontal", "title": None, "labelFontSize": 11,
                    "symbolType": "square", "symbolSize": 110, "labelColor": INK, "titleFontSize": 11,
                    "titleFontWeight": "normal", "titleColor": PALE, "offset": 10, "columnPadding": 16,
                    "symbolOpacity": 1,
                },
                "text": {"font": FONT},
            },
        }
    )  # fmt: skip


_NOTHING = "Nothing to show yet"

_ROOM = 1.2
"""How much longer than its longest bar a lying axis is, for the labels at the bars' ends."""

_MOST = 2.5
"""Budgets used beyond this are cut off at it, so that one does not flatten the others; their labels say more."""


def _finish(chart: Chart, found: str, basis: Sequence[str], *, height: int) -> Chart:
    alt.theme.enable("finops")
    return chart.properties(
        width=WIDTH, height=height, padding={"left": 8, "top": 8, "right": 12, "bottom": 8},
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        title=alt.TitleParams(text=_lines(found, 110), subtitle=_subtitle(basis)),
    )  # fmt: skip


def _beside(days: pl.Expr) -> pl.Expr:
    """These days, and those before and after them, so that a line over few days can be seen."""
    return days | days.shift(1, fill_value=False) | days.shift(-1, fill_value=False)


def _subtitle(notes: Sequence[str]) -> list[str]:
    return _lines(" · ".join(note.replace(" ", _HOLD) for note in notes), 160)


_HOLD = "\N{NO-BREAK SPACE}"


def _lines(text: str, width: int) -> list[str]:
    """A text in lines that part no number from its unit."""
    held = re.sub(r"(?<=\b[A-Z]{3}) (?=[−\d])|(?<=\d) (?=%)", _HOLD, text)
    return [line.replace(_HOLD, " ") for line in textwrap.wrap(held, width)]


def _layer(*charts: Chart) -> alt.LayerChart:
    return alt.LayerChart(layer=list(charts))


def _largest(values: pl.Series) -> float:
    """The largest known value; 0 where none is."""
    return max((float(v) for v in values.drop_nulls()), default=0.0)


def _basis(currency: str, data_date: date, *notes: str) -> tuple[str, ...]:
    return (f"Effective cost, {currency}", *notes, f"data through {data_date:%-d %B %Y}")


def _title(chart: Chart) -> dict[str, Any]:
    found: dict[str, Any] = chart.title.to_dict()
    return found


def _spec(chart: Chart) -> dict[str, Any]:
    alt.theme.enable("finops")
    with alt.data_transformers.enable("default", max_rows=None):
        found: dict[str, Any] = chart.to_dict()
    return found


def _drawn_for_notebook(spec: dict[str, Any], **_: Any) -> tuple[dict[str, bytes], dict[str, Any]]:
    """A picture twice as fine as it is shown, and its alternative text where Jupyter looks for it."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(spec, scale=2, allowed_base_urls=[])
    said = " ".join([*spec["title"]["text"], *spec["title"]["subtitle"]])
    return {"image/png": drawn}, {"image/png": {"width": WIDTH, "alt": said}}


def _one(frame: pl.DataFrame, column: str) -> str:
    """The only value of a column that a chart may not mix."""
    values = frame[column].unique().sort().to_list()
    if len(values) != 1:
        given = ", ".join(map(str, values))
        raise UsageError(f"A chart shows one {column.replace('_', ' ')} and was given {given}: filter its frame.")
    return str(values[0])


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """A frame as a drawing needs it: a drawing has no use for eighteen decimals, and JSON no place for them."""
    return frame.with_columns(pl.col(pl.Decimal).cast(pl.Float64))


def _ranked(frame: pl.DataFrame, column: str, order: Sequence[str]) -> pl.DataFrame:
    """A frame that says which part of a stack comes first."""
    ranks = pl.DataFrame({column: order, "rank": range(len(order))})
    return _plain(frame).join(ranks, on=column, how="left")


def _month_axis(frame: pl.DataFrame) -> alt.X:
    """Months as `Oct`, the year under the first and each January, `to date` under an open one."""
    names = "['Jan','Feb','Mar','Apr','May','Jun','Jul','Aug','Sep','Oct','Nov','Dec']"
    number = "toNumber(slice(datum.value, 5, 7))"
    opened = frame.filter(pl.col("to_date"))["month"].unique().sort().to_list()
    year = f"(datum.index == 0 || {number} == 1 ? slice(datum.value, 0, 4) : '')"
    label = f"[{names}[{number} - 1], indexof({opened}, datum.value) >= 0 ? 'to date' : {year}]"
    months = frame["month"].unique().sort().to_list()
    return alt.X(
        "month:O",
        sort=months,
        axis=alt.Axis(title=None, labelExpr=label, labelAngle=0),
        scale=alt.Scale(domain=months, paddingInner=0.1, paddingOuter=1.0 if len(months) < 6 else 0.1),
    )


def _money_axis(
    column: str,
    values: pl.Series,
    title: str,
    *,
    axis_of: type[alt.X] | type[alt.Y] = alt.Y,
    zero: bool = True,
    padding: int = 0,
    **channel: Any,
) -> Any:
    """An axis of money with few ticks and short numbers; one that lies has room for labels at its right end."""
    large = max(_largest(values), _largest(-values)) >= 1000
    number = "replace(format(datum.value, '~s'), 'G', 'B')" if large else "format(datum.value, ',~r')"
    axis = alt.Axis(title=title, labelExpr=f"datum.value == 0 ? '0' : {number}", tickCount=6)
    scale = alt.Scale(zero=zero)
    if padding:
        scale = alt.Scale(zero=zero, padding=padding)
    elif axis_of is alt.X:
        scale = alt.Scale(zero=zero, domainMax=_largest(values) * _ROOM or 1, nice=False)
    return axis_of(f"{column}:Q", axis=axis, scale=scale, **channel)


def _return_axis(title: str) -> alt.Axis:
    return alt.Axis(title=title, tickCount=6, labelExpr="datum.value == 0 ? '0' : format(datum.value, '+.0%')")


def _names(column: str, order: Sequence[str], *, called: Mapping[str, str] | None = None) -> alt.Y:
    label = f"({json.dumps(dict(called))})[datum.value]" if called else alt.Undefined
    return alt.Y(
        f"{column}:N", sort=list(order), scale=alt.Scale(paddingInner=0.32),
        axis=alt.Axis(title=None, grid=False, labelExpr=label),
    )  # fmt: skip


def _colour(column: str, things: Sequence[str], *, symbol: str = "square") -> alt.Color:
    colours: list[str] = []
    for thing in things:
        colours.append(colour(thing, colours))
    scale = alt.Scale(domain=list(things), range=colours)
    legend = (
        alt.Legend(symbolType=symbol, symbolStrokeWidth=3 if symbol == "stroke" else 0) if len(things) > 1 else None
    )
    return alt.Color(f"{column}:N", scale=scale, legend=legend)


def _paler_while_open() -> Any:
    return alt.condition("datum.to_date", alt.value(0.5), alt.value(1.0))


def _end_labels(
    frame: pl.DataFrame, name: str, at: str, say: Callable[[dict[str, Any]], str], order: Sequence[str]
) -> Chart:
    """A label at the right end of each bar, which is the zero line where the bar goes left."""
    said = pl.Series([say(row) for row in frame.iter_rows(named=True)], dtype=pl.String)
    labelled = _plain(frame).with_columns(pl.col(at).clip(lower_bound=0), label=said)
    labels = alt.Chart(labelled).mark_text(align="left", dx=5, fontSize=11, color=INK)
    drawn: alt.Chart = labels.encode(x=alt.X(f"{at}:Q"), y=_names(name, order), text="label:N")
    return drawn


def _spread(ends: pl.DataFrame, column: str, shown: pl.DataFrame, *, height: int) -> pl.DataFrame:
    """Where labels at the ends of lines stand on a log scale, at least a line of text apart."""
    placed = ends.sort(column)
    low, high = -math.log(_largest(1 / shown[column])), math.log(_largest(shown[column]))
    gap = max(high - low, 0.1) * 15 / height
    at: list[float] = []
    for value in placed[column]:
        at.append(max(math.log(value), at[-1] + gap) if at else math.log(value))
    highest = [high - gap * above for above in reversed(range(len(at)))]
    return placed.with_columns(
        label_at=pl.Series([math.exp(min(a, h)) for a, h in zip(at, highest, strict=True)]),
        label=pl.col("model") + pl.Series([f"  {short(v)}" for v in placed[column]]),
    )


def _ratio_ticks(values: pl.Series) -> list[float]:
    """1, 2 and 5 in every power of ten that the values reach."""
    low, high = math.floor(-math.log10(_largest(1 / values))), math.ceil(math.log10(_largest(values)))
    return [step * 10.0**power for power in range(low, high + 1) for step in (1, 2, 5)]


def _by_size(frame: pl.DataFrame, column: str) -> list[str]:
    sizes = frame.group_by(column).agg(pl.col("effective_cost").sum())
    return sizes.sort("effective_cost", column, descending=[True, False])[column].to_list()


def _by_name(frame: pl.DataFrame, column: str) -> list[str]:
    return frame[column].unique().sort().to_list()


def _rows(names: Sequence[str]) -> int:
    return 26 * len(names) + 6


def _ratio_scale(frame: pl.DataFrame) -> alt.Scale:
    columns = ("consumed_ratio", "expected_ratio", "high_ratio")
    top = max(_largest(frame[column]) for column in columns)
    return alt.Scale(domain=[0, 1.3 * min(max(top, 1.0), _MOST)], nice=False)


def _budget_label(row: Mapping[str, Any]) -> str:
    allowed = short(row["budget_amount"])
    if row["expected_cost"] is None:
        return f"{row['status']} · {short(row['actual_cost'])} spent of {allowed}"
    by_share = " (by share)" if (row["expectation_basis"] or "").startswith("share") else ""
    return f"{row['status']} · {short(row['expected_cost'])} of {allowed}{by_share}"


def _when(month: str, data_date: date) -> str:
    """A month, `to date` while days of it are still to come."""
    still_open = f"{data_date + timedelta(days=1):%Y-%m}" <= month
    return f"{month_name(month, year=True)}{' to date' if still_open else ''}"


def _so_far(row: Mapping[str, Any]) -> str:
    return " to date" if row["to_date"] else ""


def _moved(change: float) -> str:
    if abs(change) < 0.0005:
        return "stayed level"
    return f"{'rose' if change > 0 else 'fell'} {percent(abs(change))}"


def _before(month: str) -> str:
    return f"{date.fromisoformat(f'{month}-01') - timedelta(days=1):%Y-%m}"


def _name(month: Any) -> str:
    return month_name(str(month), year=True)


def _period(row: Mapping[str, Any]) -> str:
    end: date = row["period_end"]
    return f"{end:%B}" if row["period"] == "month" else f"{end:%Y}"


def _against(row: Mapping[str, Any], currency: str) -> str:
    if row["budget"] is None or row["expected_ratio"] is None:
        return ""
    off = row["expected_ratio"] - 1
    return f", {percent(abs(off))} {'over' if off > 0 else 'under'} its budget of {money(row['budget'], currency)}"


def _error(measured: pl.DataFrame, model: str) -> str:
    """The backtest of the model that answers, beside repeating last week, at every horizon that was tested."""
    tested = measured.drop_nulls("wape").sort("horizon_days").partition_by("model", as_dict=True)
    errors = {name: [percent(wape) for wape in rows["wape"]] for (name,), rows in tested.items()}
    called = {"prophet": "Prophet", "seasonal_naive": "last week repeated"}.get(model, model)
    if model not in errors:
        return f"forecast by {called}, whose error nobody could measure yet"
    ahead = " and ".join(str(days) for days in tested[(model,)]["horizon_days"])
    said = f"forecast by {called}, wrong by {' and '.join(errors[model])} of cost {ahead} days ahead in backtest"
    if model == "seasonal_naive" or "seasonal_naive" not in errors:
        return said
    return f"{said} (last week repeated: {' and '.join(errors['seasonal_naive'])})"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _digits(size: float) -> str:
    """A number from 1 up to 1000 in three digits, without zeros that say nothing."""
    shown = f"{size:.2f}" if size < 10 else f"{size:.1f}" if size < 100 else f"{size:.0f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown
