"""What a report says, before it is written anywhere: figures, sections, charts and tables of one month."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Literal

import polars as pl

from finops_lib import charts
from finops_lib.analysis import forecast, governance, roi, spend, views
from finops_lib.errors import UsageError

MARTS = (
    "fct_daily_cost",
    "fct_allocated_cost",
    "fct_token_unit_cost",
    "fct_inference_unit_cost",
    "fct_training_run_cost",
    "fct_lifecycle_cost",
    "fct_budget_status",
    "fct_forecast",
    "fct_forecast_accuracy",
    "fct_use_case_value",
    "fct_data_freshness",
)

Kind = Literal["text", "money", "price", "share", "change", "count", "number", "date"]

BASIS = "Effective cost"

_OF = {
    "Share allocated": "of {currency}",
    "Forecast versus budget": "of {currency} budget",
    "ROI": "on {currency}",
}
"""What each share is a share of."""

RESTS_ON = {
    "Total spend": "fct_daily_cost",
    "Share allocated": "fct_allocated_cost",
    "Cost per 1M tokens": "fct_token_unit_cost",
    "Forecast versus budget": "fct_budget_status",
    "ROI": "fct_use_case_value",
}
"""The mart behind each headline figure."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    title: str
    kind: Kind = "text"
    absent: str = "unknown"
    """What a NULL is called."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table, the same on the page and in the workbook."""

    name: str
    title: str
    mart: str
    columns: tuple[Column, ...]
    rows: pl.DataFrame
    basis: str = BASIS


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One chart and the name of its files."""

    name: str
    chart: charts.Chart


@dataclass(frozen=True, kw_only=True)
class Section:
    """One question: its charts, its tables, and what is missing to answer it."""

    name: str
    title: str
    question: str
    drawings: Sequence[Drawing] = ()
    tables: Sequence[Table] = ()
    missing: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Headline:
    """One of the five figures in one currency."""

    name: str
    shown: str
    value: Decimal | float | None
    currency: str | None
    unit: str
    meaning: str
    mart: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """A month, told."""

    month: str
    to_date: bool
    data_date: date
    figures: Sequence[Headline]
    behind: str = ""
    """The sources that have not reported the last days, in words."""
    sections: Sequence[Section] = field(default_factory=tuple)
    missing: Sequence[str] = ()
    """What the figures lack, because rows of the bills were rejected."""

    @property
    def title(self) -> str:
        return f"AI spend, {charts.month_name(self.month, year=True)}{' to date' if self.to_date else ''}"


def compose(
    marts: Mapping[str, pl.DataFrame], *, data_date: date, month: str | None = None, missing: Sequence[str] = ()
) -> Report:
    """Tell a month from the marts.

    Reads    every mart of MARTS, and the dataset assumption; any of them may have no rows. `missing` says what the
             figures lack of the bills.
    Returns  the report; where a mart says nothing, a sentence that says what is missing and what brings it.
    Refuses  UsageError for a month that is no month, or that has no charges while others have.
    """
    month = month or views.month_of(data_date)
    daily = marts["fct_daily_cost"]
    _check(month, daily)
    order = views.currencies(daily)
    behind = governance.behind(marts["fct_data_freshness"], through=_last_day(month, data_date))
    facts = _Facts(marts=marts, month=month, data_date=data_date, order=order, behind=behind)
    return Report(
        month=month,
        to_date=views.is_open(month, data_date=data_date),
        data_date=data_date,
        behind=behind,
        missing=missing,
        figures=_figures(facts),
        sections=[
            _spend(facts), _allocation(facts), _unit_cost(facts), _lifecycle(facts), _plan(facts), _returns(facts),
            _unknown(facts), _sources(facts),
        ],
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Facts:
    marts: Mapping[str, pl.DataFrame]
    month: str
    data_date: date
    order: Sequence[str]
    """Currencies of the bill, the main one first."""
    behind: str
    """The sources that have not reported the last days, in words."""

    def returns(self) -> pl.DataFrame:
        value = views.through(self.marts["fct_use_case_value"], self.month)
        return roi.roi(value, **views.assumed(self.marts["assumption"])._asdict())

    def charts(
        self, name: str, frame: pl.DataFrame, draw: Callable[[pl.DataFrame], charts.Chart], *, currency: str
    ) -> tuple[list[Drawing], list[str]]:
        """A chart per currency, or the sentence that says what is missing."""
        found = frame[currency].drop_nulls().unique().sort().to_list()
        found.sort(key=lambda c: self.order.index(c) if c in self.order else len(self.order))
        drawn = [
            Drawing(
                name=_slug(f"{name} {c}"),
                chart=charts.noted(draw(frame.filter(pl.col(currency) == c)), self.behind),
            )
            for c in found
        ]
        shown = [d for d in drawn if charts.shows(d.chart)]
        return shown, [] if shown else [charts.NEEDS[name]]


def _check(month: str, daily: pl.DataFrame) -> None:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month):
        raise UsageError(f"{month!r} is not a month. Write it as YYYY-MM, such as 2026-10.")
    known = daily["charge_date"].dt.strftime("%Y-%m").unique().sort().to_list()
    if known and month not in known:
        raise UsageError(
            f"There are no charges in {month}. There are in {known[0]} to {known[-1]}: ask for one of those."
        )


def _last_day(month: str, data_date: date) -> date:
    """The last day of a month that there is data of."""
    year, number = map(int, month.split("-"))
    return min(date(year, number, monthrange(year, number)[1]), data_date)


def _figures(facts: _Facts) -> list[Headline]:
    found = spend.headline_figures(
        views.in_month(facts.marts["fct_daily_cost"], facts.month),
        allocated=views.in_month(facts.marts["fct_allocated_cost"], facts.month),
        tokens=views.in_month(facts.marts["fct_token_unit_cost"], facts.month),
        budgets=facts.marts["fct_budget_status"],
        returns=facts.returns(),
        data_through=_last_day(facts.month, facts.data_date),
        behind=facts.behind,
    )
    names = list(RESTS_ON)
    rank = {c: n for n, c in enumerate(facts.order)}
    found.sort(key=lambda f: (names.index(f.name), rank.get(f.currency or "", len(rank))))
    return [
        Headline(
            name=f.name, shown=_shown(f), value=f.value, currency=f.currency, unit=f.unit, meaning=f.meaning,
            mart=RESTS_ON[f.name],
        )
        for f in found
    ]  # fmt: skip


def _shown(figure: spend.Figure) -> str:
    if figure.value is None:
        return "unknown"
    if figure.unit != "share" or isinstance(figure.value, Decimal):
        return charts.money(figure.value, figure.currency or "")
    said = charts.signed(figure.value) if figure.name == "ROI" else charts.percent(figure.value)
    return f"{said} {_OF[figure.name]}".format(currency=figure.currency)


def _spend(facts: _Facts) -> Section:
    daily = facts.marts["fct_daily_cost"]
    months = views.spend(daily, month=facts.month, data_date=facts.data_date)
    drawn, missing = facts.charts(
        "spend", months, partial(charts.spend, data_date=facts.data_date), currency="billing_currency"
    )
    return Section(
        name="spend",
        title="Spend",
        question="Who is paid how much, and is it more than before?",
        drawings=drawn,
        missing=missing,
        tables=[
            Table(
                name="spend_by_month", title="Cost by month and provider", mart="fct_daily_cost",
                basis="Effective cost; Billed cost beside it",
                rows=months.sort("month", descending=True, maintain_order=True),
                columns=(
                    Column(name="month", title="Month"),
                    Column(name="service_provider_name", title="Provider"),
                    _CURRENCY,
                    _money("effective_cost", "Effective cost"),
                    Column(name="share", title="Share of month", kind="share", absent="none"),
                    _money("billed_cost", "Billed cost"),
                ),
            ),
            Table(
                name="services", title=f"Cost by service in {_in(facts)}", mart="fct_daily_cost",
                basis="Effective, Billed, Contracted and List cost",
                rows=views.services(daily, month=facts.month),
                columns=(
                    Column(name="service_provider_name", title="Provider"),
                    Column(name="service_name", title="Service"),
                    Column(name="service_category", title="Category"),
                    _CURRENCY,
                    _money("effective_cost", "Effective cost"),
                    _money("billed_cost", "Billed cost"),
                    _money("contracted_cost", "Contracted cost"),
                    _money("list_cost", "List cost"),
                ),
            ),
        ],
    )  # fmt: skip


def _allocation(facts: _Facts) -> Section:
    teams = views.teams(facts.marts["fct_allocated_cost"], month=facts.month)
    drawn, missing = facts.charts(
        "teams", teams, partial(charts.teams, month=facts.month, data_date=facts.data_date), currency="billing_currency"
    )
    return Section(
        name="allocation",
        title="Allocation",
        question="Which team does the money belong to, and how much belongs to nobody yet?",
        drawings=drawn,
        missing=missing,
        tables=[
            Table(
                name="teams", title=f"Cost by team in {_in(facts)}", mart="fct_allocated_cost", rows=teams,
                columns=(
                    Column(name="team", title="Team"),
                    Column(name="allocation", title="How it became theirs"),
                    _CURRENCY,
                    _money("effective_cost", "Effective cost"),
                    _money("team_cost", "Team in all"),
                    Column(name="share", title="Team's share", kind="share", absent="none"),
                ),
            ),
        ],
    )  # fmt: skip


def _unit_cost(facts: _Facts) -> Section:
    month, data_date = facts.month, facts.data_date
    tokens = views.token_prices(facts.marts["fct_token_unit_cost"], month=month, data_date=data_date)
    requests = views.requests(facts.marts["fct_inference_unit_cost"], month=month)
    runs = views.training_runs(facts.marts["fct_training_run_cost"], month=month)
    parts = [
        facts.charts("tokens", tokens, partial(charts.token_prices, data_date=data_date), currency="billing_currency"),
        facts.charts(
            "requests", requests, partial(charts.requests, month=month, data_date=data_date), currency="currency"
        ),
        facts.charts(
            "training", runs, partial(charts.training, month=month, data_date=data_date), currency="billing_currency"
        ),
    ]
    return Section(
        name="unit-cost",
        title="Unit cost",
        question="What do a million tokens, a thousand requests and a training run cost?",
        drawings=[d for drawn, _ in parts for d in drawn],
        missing=[m for _, missing in parts for m in missing],
        tables=[
            Table(
                name="token_prices", title=f"Cost per 1M tokens by model in {_in(facts)}", mart="fct_token_unit_cost",
                rows=views.in_month(tokens, month),
                columns=(
                    Column(name="service_provider_name", title="Provider"),
                    Column(name="model", title="Model"),
                    _CURRENCY,
                    Column(name="cost_per_1m_tokens", title="Cost per 1M tokens", kind="price"),
                    Column(name="change", title="On the month before", kind="change", absent="new"),
                    Column(name="tokens", title="Tokens", kind="count"),
                    _money("effective_cost", "Effective cost"),
                ),
            ),
            Table(
                name="requests", title=f"Cost per 1,000 requests by model in {_in(facts)}",
                mart="fct_inference_unit_cost", rows=requests,
                basis="Effective cost as billed; estimate by the price book",
                columns=(
                    Column(name="service_provider_name", title="Provider"),
                    Column(name="model", title="Model"),
                    Column(name="currency", title="Currency"),
                    Column(name="requests", title="Requests", kind="count"),
                    Column(name="billed_per_1k", title="Per 1,000, billed", kind="price"),
                    Column(name="estimated_per_1k", title="Per 1,000, estimated", kind="price"),
                    _money("effective_cost", "Effective cost"),
                    _money("estimated_cost", "Estimated cost"),
                    Column(name="unpriced_requests", title="Unpriced requests", kind="count"),
                ),
            ),
            Table(
                name="training_runs", title=f"Training runs started in {_in(facts)}", mart="fct_training_run_cost",
                rows=runs, basis="Effective cost; basis says whether billed or derived from hourly rates",
                columns=(
                    Column(name="run_id", title="Run"),
                    Column(name="team", title="Team"),
                    Column(name="model", title="Model"),
                    Column(name="status", title="Ended as"),
                    Column(name="billing_currency", title="Currency"),
                    _money("effective_cost", "Effective cost"),
                    Column(name="cost_basis", title="Basis"),
                    Column(name="epochs", title="Epochs", kind="count", absent="–"),
                    Column(name="metric_name", title="Metric", absent="–"),
                    Column(name="metric_value", title="Value", kind="number", absent="–"),
                ),
            ),
        ],
    )  # fmt: skip


def _lifecycle(facts: _Facts) -> Section:
    mart = facts.marts["fct_lifecycle_cost"]
    months = views.lifecycles(mart, month=facts.month, data_date=facts.data_date)
    drawn, missing = facts.charts(
        "lifecycle",
        months,
        partial(charts.lifecycle, data_date=facts.data_date, limit=views.EXPERIMENT_LIMIT),
        currency="billing_currency",
    )
    return Section(
        name="lifecycle",
        title="Experiment or production",
        question="How much is tried out, how much runs the business, and how do we know?",
        drawings=drawn,
        missing=missing,
        tables=[
            Table(
                name="lifecycle", title=f"Evidence for {_in(facts)}", mart="fct_lifecycle_cost",
                rows=views.evidence(mart, month=facts.month),
                columns=(
                    Column(name="lifecycle", title="Lifecycle"),
                    Column(name="evidence", title="Known from"),
                    _CURRENCY,
                    _money("effective_cost", "Effective cost"),
                    Column(name="charge_count", title="Charges", kind="count"),
                ),
            ),
        ],
    )  # fmt: skip


def _plan(facts: _Facts) -> Section:
    month, data_date, marts = facts.month, facts.data_date, facts.marts
    status = views.budgets(marts["fct_budget_status"], month=month)
    history = spend.daily_history(marts["fct_allocated_cost"], data_through=data_date)
    outlook = forecast.outlook(marts["fct_forecast"], history, marts["fct_budget_status"])
    measured = views.accuracy(marts["fct_forecast_accuracy"])
    path = views.forecast_path(
        marts["fct_forecast"], history=marts["fct_daily_cost"], status=marts["fct_budget_status"]
    )
    parts = [
        facts.charts(
            "forecast",
            path,
            partial(charts.forecast, outlook=outlook, accuracy=measured, data_date=data_date),
            currency="currency",
        ),
        facts.charts(
            "budgets", status, partial(charts.budgets, month=month, data_date=data_date), currency="billing_currency"
        ),
    ]
    return Section(
        name="budget-and-forecast",
        title="Budget and forecast",
        question="Will the money last, and how sure is that?",
        drawings=[d for drawn, _ in parts for d in drawn],
        missing=[m for _, missing in parts for m in missing],
        tables=[
            Table(
                name="outlook", title="Expected at the end of month, quarter and year", mart="fct_forecast",
                rows=outlook.filter(pl.col("scope") == "total"),
                basis="Effective cost; range of 80 %",
                columns=(
                    Column(name="period", title="Period"),
                    Column(name="period_end", title="Ends on", kind="date"),
                    Column(name="currency", title="Currency"),
                    _money("actual", "Spent so far"),
                    _money("estimated", "Estimated"),
                    _money("known", "Known of days to come"),
                    _money("expected", "Expected"),
                    _money("low", "Low"),
                    _money("high", "High"),
                    Column(name="budget", title="Budget", kind="money", absent="none"),
                    Column(name="expected_ratio", title="Expected of budget", kind="share", absent="–"),
                    Column(name="model", title="Model"),
                ),
            ),
            Table(
                name="accuracy", title="How wrong such forecasts were on days they had not seen",
                mart="fct_forecast_accuracy", rows=measured, basis="Rolling backtest on Effective cost",
                columns=(
                    Column(name="currency", title="Currency"),
                    Column(name="model", title="Model"),
                    Column(name="horizon_days", title="Days ahead", kind="count"),
                    Column(name="folds", title="Tests", kind="count"),
                    Column(name="wape", title="Error (WAPE)", kind="share"),
                    Column(name="bias", title="Bias", kind="change"),
                    Column(name="coverage", title="Days inside the 80 % range", kind="share"),
                ),
            ),
            Table(
                name="budgets", title=f"Budgets of {_in(facts)}", mart="fct_budget_status", rows=status,
                columns=(
                    Column(name="budget_name", title="Budget"),
                    Column(name="team", title="Team", absent="every"),
                    Column(name="owner", title="Owner", absent="nobody"),
                    _CURRENCY,
                    _money("budget_amount", "Budget"),
                    _money("actual_cost", "Spent"),
                    _money("estimated_cost", "Estimated"),
                    _money("expected_cost", "Expected"),
                    Column(name="expected_ratio", title="Expected of budget", kind="share"),
                    Column(name="status", title="Status"),
                ),
            ),
        ],
    )  # fmt: skip


def _returns(facts: _Facts) -> Section:
    value = views.through(facts.marts["fct_use_case_value"], facts.month)
    returns, assumed = facts.returns(), views.assumed(facts.marts["assumption"])
    moved = views.closest_calls(roi.sensitivity(value, **assumed._asdict()))
    drawn, missing = facts.charts("roi", returns, partial(charts.roi, data_date=facts.data_date), currency="currency")
    tested, _ = facts.charts(
        "sensitivity", moved, partial(charts.sensitivity, data_date=facts.data_date), currency="currency"
    )
    return Section(
        name="roi",
        title="Return on investment",
        question="Which use cases bring more than they cost, and what would change that?",
        drawings=[*drawn, *tested],
        missing=missing,
        tables=[
            Table(
                name="roi", title=f"Return of each use case up to {_in(facts)}", mart="fct_use_case_value",
                rows=returns,
                basis="Effective cost in the outcome's currency, setup included; benefits by plan/assumption.csv",
                columns=(
                    Column(name="use_case", title="Use case"),
                    Column(name="currency", title="Currency"),
                    _money("cost", "Cost"),
                    _money("benefit", "Benefit"),
                    _money("net", "Net"),
                    Column(name="roi", title="Return on cost", kind="change"),
                    _money("npv", "Net present value"),
                    Column(name="payback_month", title="Paid back in", absent="not yet"),
                    Column(name="months", title="Months known", kind="count"),
                    Column(name="months_unknown", title="Months unknown", kind="count"),
                ),
            ),
            Table(
                name="use_case_value", title=f"Use cases in {_in(facts)}", mart="fct_use_case_value",
                rows=views.in_month(value, facts.month).sort("use_case"),
                basis="Effective cost converted to the outcome's currency",
                columns=(
                    Column(name="use_case", title="Use case"),
                    Column(name="currency", title="Currency"),
                    _money("effective_cost", "Effective cost"),
                    _money("benefit", "Benefit"),
                    Column(name="accepted_units", title="Accepted units", kind="number"),
                    Column(name="unit_name", title="Unit", absent="–"),
                    Column(name="cost_per_accepted_unit", title="Cost per accepted unit", kind="price"),
                    Column(name="satisfaction", title="Satisfied users", kind="share"),
                    Column(name="unconverted_cost_charges", title="Charges not converted", kind="count"),
                ),
            ),
        ],
    )  # fmt: skip


def _unknown(facts: _Facts) -> Section:
    found = views.not_known(facts.marts, month=facts.month)
    nothing = (
        f"Every charge of {_in(facts)} has a team and a lifecycle, every request a price, every run a cost, "
        "every budget an expectation."
    )
    return Section(
        name="not-known",
        title="What is not known",
        question="What do the figures above leave open, and what would close it?",
        missing=[nothing] if found.is_empty() and facts.order else [],
        tables=[
            Table(
                name="not_known", title=f"Not known in {_in(facts)}", mart="all marts", rows=found,
                columns=(
                    Column(name="unknown", title="What is not known"),
                    Column(name="rows", title="How many", kind="count"),
                    Column(name="counted", title="Of what"),
                    Column(name="currency", title="Currency"),
                    _money("effective_cost", "Effective cost"),
                    Column(name="remedy", title="What brings it"),
                ),
            ),
        ],
    )  # fmt: skip


def _sources(facts: _Facts) -> Section:
    return Section(
        name="sources",
        title="What this rests on",
        question="Which deliveries were read, and how fresh are they?",
        tables=[
            Table(
                name="data_freshness", title="Deliveries in the lake", mart="fct_data_freshness", basis="Days in UTC",
                rows=facts.marts["fct_data_freshness"].sort(
                    "dataset", "source", "service_provider_name", "billing_account_id"
                ),
                columns=(
                    Column(name="dataset", title="Dataset"),
                    Column(name="source", title="Source"),
                    Column(name="service_provider_name", title="Provider", absent="–"),
                    Column(name="billing_account_id", title="Account", absent="–"),
                    Column(name="first_date", title="From", kind="date", absent="–"),
                    Column(name="last_date", title="To", kind="date", absent="–"),
                    Column(name="row_count", title="Rows", kind="count"),
                    Column(name="days_behind", title="Days behind", kind="count", absent="–"),
                    Column(name="usual_gap_days", title="Usually every … days", kind="count", absent="–"),
                    Column(name="status", title="Status", absent="–"),
                ),
            ),
        ],
    )  # fmt: skip


_CURRENCY = Column(name="billing_currency", title="Currency")


def _money(name: str, title: str) -> Column:
    return Column(name=name, title=title, kind="money")


def _in(facts: _Facts) -> str:
    to_date = " to date" if views.is_open(facts.month, data_date=facts.data_date) else ""
    return f"{charts.month_name(facts.month, year=True)}{to_date}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def cell(value: Any, column: Column) -> str:
    """A value as a reader sees it, rounded; its full digits stand beside it in the page and the workbook."""
    if value is None:
        return column.absent
    match column.kind:
        case "money":
            return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
        case "price":
            return charts.short(value)
        case "share":
            return charts.percent(value)
        case "change":
            return charts.signed(value)
        case "count":
            return f"{value:,.0f}"
        case "number":
            return f"{value:,.10g}"
        case _:
            return str(value)


def exact(value: Any) -> str:
    """A value in full: every digit that the mart holds."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
