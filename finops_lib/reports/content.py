"""What a report says, before it is written anywhere: figures, sections, charts and tables of one month."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from finops_lib import charts
from finops_lib.analysis import forecast, governance, reconciliation, roi, spend, views
from finops_lib.errors import UsageError

MARTS = (
    "fct_daily_cost",
    "fct_allocated_cost",
    "fct_token_unit_cost",
    "fct_inference_unit_cost",
    "fct_training_run_cost",
    "fct_lifecycle_cost",
    "fct_budget_status",
    "fct_budget_scope",
    "fct_company_budget",
    "fct_forecast",
    "fct_forecast_accuracy",
    "fct_use_case_value",
    "fct_use_case_return",
    "fct_company_return",
    "fct_data_freshness",
    "fct_invoice_gap",
    "fct_usage_gap",
    "fct_reconciliation_reason",
    "fct_month_status",
    "fct_monthly_cost",
    "fct_spend_category",
    "fct_top_drivers",
    "fct_showback",
    "fct_tag_coverage",
    "fct_model_unit_cost",
    "fct_lifecycle_share",
    "fct_orphaned_experiment",
    "fct_experiment_overrun",
    "fct_commitments",
    "fct_gpu_idle",
    "fct_kpi",
    "fct_gate",
    "dim_threshold",
    "fct_chargeback",
    "fct_reporting_currency_cost",
    "fct_unallocated",
    "fct_spend_rate",
    "fct_data_transfer",
    "fct_lifecycle_promotion",
    "fct_gpu_utilization",
    "fct_gpu_heatmap",
    "fct_serverless_unit_cost",
    "fct_token_efficiency",
    "fct_token_cost_change",
    "fct_token_estimated_cost",
    "fct_vendor_unit_cost",
    "fct_self_host_break_even",
    "fct_inference_component_cost",
    "fct_use_case_unit_cost",
    "fct_training_reconciliation",
    "fct_invoice_reconciliation",
    "fct_usage_reconciliation",
)

Kind = Literal["text", "money", "price", "share", "change", "count", "number", "measure", "date", "truth"]

BASIS = "Effective cost"

_OF = {
    "Share allocated": "of {currency}",
    "ROI on bills": "on {currency}",
    "ROI on all cost": "on {currency}",
}
"""What each share is a share of."""

RESTS_ON = {
    "Total spend": "fct_monthly_cost",
    "Share allocated": "fct_kpi",
    "Cost per 1M tokens": "fct_kpi",
    "Forecast versus budget": "fct_company_budget",
    "ROI on bills": "fct_company_return",
    "ROI on all cost": "fct_company_return",
}
"""The mart behind each headline figure."""

SHEETS = {
    "fct_showback": "Statement of each team",
    "fct_chargeback": "Posted to cost centres, the last closed month",
    "fct_reporting_currency_cost": "Cost of teams in the reporting currency",
    "fct_unallocated": "What rules would catch of the cost without a team",
    "fct_spend_category": "Categories of spend by team",
    "fct_spend_rate": "Spend of each hour, the last day of data",
    "fct_commitments": "Commitments",
    "fct_top_drivers": "What moved the bill",
    "fct_kpi": "KPIs of the company and each team",
    "fct_data_transfer": "Data transfer",
    "fct_tag_coverage": "Tag coverage by key and team",
    "fct_lifecycle_promotion": "Experiments that became production",
    "fct_gpu_utilization": "GPU hours bought, allocated and used by day",
    "fct_gpu_heatmap": "Use of GPUs by hour of the week",
    "fct_serverless_unit_cost": "Serverless functions",
    "fct_token_efficiency": "Cached and reasoning tokens by team",
    "fct_token_cost_change": "What changed the cost of tokens",
    "fct_token_estimated_cost": "Tokens by the price book",
    "fct_vendor_unit_cost": "Vendors beside each other",
    "fct_self_host_break_even": "Where self-hosting breaks even",
    "fct_inference_component_cost": "Components of use cases",
    "fct_use_case_unit_cost": "Unit costs of use cases",
    "fct_training_reconciliation": "Training beside the bill",
    "fct_invoice_reconciliation": "What charges and invoices say",
    "fct_usage_reconciliation": "What AI vendors bill and count",
    "dim_threshold": "Thresholds that figures are held against",
}
"""Marts that are whole in the workbook alone: what they hold of the month."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table."""

    name: str
    title: str
    kind: Kind = "text"
    absent: str = "unknown"
    """What a NULL is called."""
    unit: str = ""
    """Of a measure: the column that says its unit."""


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
    """One of the first figures in one currency."""

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
    build: str = ""
    """Which build of the warehouse it tells of, in words."""
    behind: str = ""
    """The sources that have not reported the last days, in words."""
    sections: Sequence[Section] = field(default_factory=tuple)
    sheets: Sequence[Table] = ()
    """Tables that only the workbook has."""
    missing: Sequence[str] = ()
    """What the figures lack, because rows of the bills were rejected."""

    @property
    def title(self) -> str:
        return f"AI spend, {charts.month_name(self.month, year=True)}{' to date' if self.to_date else ''}"


def compose(
    marts: Mapping[str, pl.DataFrame],
    *,
    data_date: date,
    build: str = "",
    month: str | None = None,
    missing: Sequence[str] = (),
) -> Report:
    """Tell a month from the marts.

    Reads    every mart of MARTS; any of them may have no rows. `missing` says what the figures lack of the bills,
             `build` which build of the warehouse the marts are of.
    Returns  the report; where a mart says nothing, a sentence that says what is missing and what brings it.
    Refuses  UsageError for a month that is no month, or that has no charges while others have.
    """
    month = month or views.month_of(data_date)
    monthly = marts["fct_monthly_cost"]
    _check(month, monthly)
    order = views.currencies(monthly)
    behind = governance.behind(marts["fct_data_freshness"], through=_last_day(month, data_date))
    facts = _Facts(marts=marts, month=month, data_date=data_date, order=order, behind=behind)
    return Report(
        month=month,
        to_date=views.is_open(month, data_date=data_date),
        data_date=data_date,
        build=build,
        behind=behind,
        missing=missing,
        figures=_figures(facts),
        sections=[
            _spend(facts), _allocation(facts), _unit_cost(facts), _capacity(facts), _lifecycle(facts), _plan(facts),
            _returns(facts), *_invoices(facts), _measures(facts), _unknown(facts), _sources(facts),
        ],
        sheets=_sheets(facts),
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


def _check(month: str, monthly: pl.DataFrame) -> None:
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month):
        raise UsageError(f"{month!r} is not a month. Write it as YYYY-MM, such as 2026-10.")
    known = monthly["month"].unique().sort().to_list()
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
        facts.marts["fct_monthly_cost"],
        kpis=facts.marts["fct_kpi"],
        budgets=facts.marts["fct_company_budget"],
        company=views.in_month(facts.marts["fct_company_return"], facts.month),
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
    said = charts.signed(figure.value) if figure.name.startswith("ROI") else charts.percent(figure.value)
    return f"{said} {figure.of or _OF[figure.name].format(currency=figure.currency)}"


def _spend(facts: _Facts) -> Section:
    monthly = facts.marts["fct_monthly_cost"]
    months = views.spend(monthly, month=facts.month, data_date=facts.data_date)
    drivers = views.drivers(facts.marts["fct_top_drivers"], month=facts.month)
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
                name="spend_by_month", title="Cost by month and provider", mart="fct_monthly_cost",
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
                name="services", title=f"Cost by service in {_in(facts)}", mart="fct_monthly_cost",
                basis="Effective, Billed, Contracted and List cost",
                rows=views.services(monthly, month=facts.month),
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
            Table(
                name="drivers", title=charts.moved_most(drivers), mart="fct_top_drivers", rows=drivers,
                basis="Effective cost; of what is new, ended or has no quantity nobody can say why",
                columns=(
                    Column(name="team", title="Team"),
                    Column(name="service_name", title="Service"),
                    Column(name="model", title="Model"),
                    Column(name="sku", title="SKU", absent="–"),
                    _CURRENCY,
                    _money("previous_cost", "Month before"),
                    _money("current_cost", "Month"),
                    _money("cost_change", "Change"),
                    _money("price_effect", "By price"),
                    _money("volume_effect", "By volume"),
                    _money("mix_effect", "By mix"),
                    Column(name="change_kind", title="Kind"),
                ),
            ),
            Table(
                name="categories", title=f"Where the money went in {_in(facts)}, people by the plan included",
                mart="fct_spend_category", basis="Effective cost of bills; amounts of plan/organisation_cost.csv",
                rows=views.categories(facts.marts["fct_spend_category"], month=facts.month),
                columns=(
                    Column(name="category", title="Category"),
                    Column(name="source", title="Known from"),
                    _CURRENCY,
                    _money("category_cost", "Cost"),
                    Column(name="category_share", title="Share of month", kind="share", absent="none"),
                ),
            ),
        ],
    )  # fmt: skip


def _allocation(facts: _Facts) -> Section:
    teams = views.teams(facts.marts["fct_showback"], facts.marts["fct_kpi"], month=facts.month)
    tagged = views.tag_coverage(facts.marts["fct_tag_coverage"], month=facts.month)
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
                name="teams", title=f"Cost by team in {_in(facts)}", mart="fct_showback", rows=teams,
                columns=(
                    Column(name="team", title="Team"),
                    Column(name="allocation", title="How it became theirs"),
                    _CURRENCY,
                    _money("effective_cost", "Effective cost"),
                    _money("team_cost", "Team in all"),
                    Column(name="share", title="Team's share", kind="share", absent="none"),
                ),
            ),
            Table(
                name="tags", title=charts.falls(tagged, _in(facts)), mart="fct_tag_coverage", rows=tagged,
                basis="Effective cost of usage of providers that tag",
                columns=(
                    Column(name="tag_key", title="Tag"),
                    Column(name="scope_value", title="Of"),
                    _CURRENCY,
                    Column(name="coverage", title="Carries it", kind="share"),
                    Column(name="coverage_before", title="Month before", kind="share"),
                    Column(name="finding", title="Finding"),
                    _money("covered_cost", "Cost with it"),
                    _money("taggable_cost", "Cost that could carry it"),
                ),
            ),
        ],
    )  # fmt: skip


def _unit_cost(facts: _Facts) -> Section:
    month, data_date = facts.month, facts.data_date
    tokens = views.token_prices(
        facts.marts["fct_model_unit_cost"], facts.marts["fct_kpi"], month=month, data_date=data_date
    )
    requests = views.requests(facts.marts["fct_model_unit_cost"], month=month)
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
                name="token_prices", title=f"Cost per 1M tokens by model in {_in(facts)}", mart="fct_model_unit_cost",
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
                mart="fct_model_unit_cost", rows=requests,
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


def _capacity(facts: _Facts) -> Section:
    commitments = views.commitments(facts.marts["fct_commitments"], month=facts.month)
    idle = views.idle_machines(facts.marts["fct_gpu_idle"], month=facts.month)
    nothing = "Nothing was committed to, and no machine with a GPU is known to have stood idle."
    return Section(
        name="capacity",
        title="Commitments and GPUs",
        question="Is what was bought ahead, and what runs, used?",
        missing=[nothing] if commitments.is_empty() and idle.is_empty() and facts.order else [],
        tables=[
            Table(
                name="commitment", title=charts.committed(commitments, _in(facts)), mart="fct_commitments",
                rows=commitments, basis="Effective cost; savings against List cost",
                columns=(
                    Column(name="service_provider_name", title="Provider"),
                    Column(name="commitment_type", title="Commitment", absent="by its meter"),
                    Column(name="kind", title="Of"),
                    _CURRENCY,
                    _money("amortized_cost", "Cost"),
                    Column(name="utilization", title="Used", kind="share"),
                    _money("unused_cost", "Wasted"),
                    Column(name="coverage", title="Covers of what it could", kind="share"),
                    Column(name="effective_savings_rate", title="Saves", kind="share"),
                    Column(name="break_even_utilization", title="Breaks even at", kind="share"),
                    Column(name="id_end", title="Id", absent="–"),
                ),
            ),
            Table(
                name="idle_gpus", title=charts.stood_idle(idle, _in(facts)), mart="fct_gpu_idle", rows=idle,
                columns=(
                    Column(name="resource_id", title="Machine"),
                    Column(name="team", title="Team"),
                    Column(name="device_class", title="GPU"),
                    _CURRENCY,
                    Column(name="idle_days", title="Idle days", kind="count"),
                    Column(name="billed_days", title="Billed days", kind="count"),
                    Column(name="utilization_ratio", title="Use", kind="share"),
                    _money("idle_days_cost", "Cost of idle days"),
                    _money("effective_cost", "Cost in all"),
                    Column(name="first_idle_day", title="Since", kind="date"),
                ),
            ),
        ],
    )  # fmt: skip


def _lifecycle(facts: _Facts) -> Section:
    mart = facts.marts["fct_lifecycle_cost"]
    months = views.lifecycles(facts.marts["fct_lifecycle_share"], month=facts.month, data_date=facts.data_date)
    drawn, missing = facts.charts(
        "lifecycle", months, partial(charts.lifecycle, data_date=facts.data_date), currency="billing_currency"
    )
    orphans = facts.marts["fct_orphaned_experiment"].sort("effective_cost_since", "subject", nulls_last=True)
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
            Table(
                name="orphans", title="Experiments that are billed though nothing runs for them",
                mart="fct_orphaned_experiment", rows=orphans.reverse(),
                columns=(
                    Column(name="subject", title="Experiment"),
                    Column(name="team", title="Team"),
                    Column(name="status", title="Status"),
                    Column(name="owner", title="Owner", absent="nobody"),
                    Column(name="idle_since", title="Idle since", kind="date"),
                    Column(name="idle_days", title="Days", kind="count"),
                    _CURRENCY,
                    _money("effective_cost_since", "Cost since"),
                ),
            ),
            Table(
                name="experiments", title="Planned experiments beside their end and budget",
                mart="fct_experiment_overrun",
                rows=facts.marts["fct_experiment_overrun"].sort("experiment", "billing_currency"),
                columns=(
                    Column(name="experiment", title="Experiment"),
                    Column(name="owner", title="Owner", absent="nobody"),
                    Column(name="status", title="Status"),
                    Column(name="planned_end", title="Planned end", kind="date", absent="none"),
                    Column(name="billing_currency", title="Currency"),
                    _money("effective_cost", "Effective cost"),
                    Column(name="budget", title="Budget", kind="money", absent="none"),
                    Column(name="effective_cost_past_end", title="Cost past its end", kind="money", absent="–"),
                ),
            ),
        ],
    )  # fmt: skip


def _plan(facts: _Facts) -> Section:
    month, data_date, marts = facts.month, facts.data_date, facts.marts
    status = views.budgets(marts["fct_budget_status"], month=month)
    history = spend.daily_history(marts["fct_allocated_cost"], data_through=data_date)
    outlook = forecast.outlook(marts["fct_forecast"], history, marts["fct_budget_scope"])
    measured = views.accuracy(marts["fct_forecast_accuracy"])
    path = views.forecast_path(
        marts["fct_forecast"], history=marts["fct_daily_cost"], budgets=marts["fct_company_budget"]
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
                    Column(name="budget", title="Budget for everything", kind="money", absent="none"),
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
                    Column(name="scope", title="Binds"),
                    Column(name="owner", title="Owner", absent="nobody"),
                    _CURRENCY,
                    _money("budget_amount", "Budget"),
                    _money("actual_cost", "Spent"),
                    _money("estimated_cost", "Estimated"),
                    _money("expected_cost", "Expected"),
                    Column(name="expected_ratio", title="Expected of budget", kind="share"),
                    Column(name="expectation_basis", title="Expected from", absent="–"),
                    Column(name="status", title="Status"),
                ),
            ),
        ],
    )  # fmt: skip


def _returns(facts: _Facts) -> Section:
    value = facts.marts["fct_use_case_value"]
    returns = views.in_month(facts.marts["fct_use_case_return"], facts.month).sort("use_case", "currency")
    company = views.in_month(facts.marts["fct_company_return"], facts.month)
    drawn, missing = facts.charts("roi", returns, partial(charts.roi, data_date=facts.data_date), currency="currency")
    tested, _ = facts.charts(
        "sensitivity", views.closest_calls(roi.sensitivity(value, returns)),
        partial(charts.sensitivity, data_date=facts.data_date), currency="currency",
    )  # fmt: skip
    return Section(
        name="roi",
        title="Return on investment",
        question="Which use cases bring more than they cost, and what would change that?",
        drawings=[*drawn, *tested],
        missing=missing,
        tables=[
            Table(
                name="company_return", title=f"Return of AI up to {_in(facts)}, on two bases",
                mart="fct_company_return", rows=company.sort("currency", "basis", descending=[False, True]),
                basis="Effective cost; benefits, setup and people by the plan",
                columns=(
                    Column(name="basis", title="On"),
                    Column(name="currency", title="Currency"),
                    _money("bill_cost", "Bills"),
                    _plan_money("setup_cost", "Setup"),
                    _plan_money("organisation_cost", "People and organisation"),
                    _money("cost", "Cost"),
                    _money("benefit", "Benefit"),
                    _money("net", "Net"),
                    Column(name="roi", title="Return on cost", kind="change"),
                    Column(name="left_out", title="Left out", absent="nothing"),
                ),
            ),
            Table(
                name="roi", title=f"Return of each use case up to {_in(facts)}", mart="fct_use_case_return",
                rows=returns,
                basis="Effective cost in the outcome's currency; unmeasured months cost, and bring nothing known",
                columns=(
                    Column(name="use_case", title="Use case"),
                    Column(name="currency", title="Currency"),
                    _money("bill_cost", "Bills"),
                    _plan_money("setup_cost", "Setup"),
                    _plan_money("organisation_cost", "People and organisation"),
                    _money("cost", "Cost"),
                    _money("benefit", "Benefit"),
                    _money("net", "Net"),
                    Column(name="roi", title="Return on cost", kind="change"),
                    Column(name="roi_of_bills", title="Return on bills", kind="change"),
                    _money("npv", "Net present value"),
                    Column(name="payback_month", title="Paid back in", absent="not yet"),
                    Column(name="months_measured", title="Months measured", kind="count"),
                    Column(name="months_unmeasured", title="Months unmeasured", kind="count"),
                    Column(name="not_counted", title="Not counted", absent="–"),
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
                    Column(name="shared_cost", title="of it shared", kind="money", absent="–"),
                    _money("benefit", "Benefit"),
                    Column(name="unmeasured_reason", title="Unmeasured because", absent="–"),
                    Column(name="accepted_units", title="Accepted units", kind="number"),
                    Column(name="unit_name", title="Unit", absent="–"),
                    Column(name="cost_per_accepted_unit", title="Cost per accepted unit", kind="price"),
                    Column(name="accepted_unit_status", title="Beside its threshold", absent="–"),
                    Column(name="rework_cost", title="Cost of rework", kind="money", absent="–"),
                    Column(name="satisfaction", title="Satisfied users", kind="share"),
                    Column(name="unconverted_cost_charges", title="Charges not converted", kind="count"),
                ),
            ),
        ],
    )  # fmt: skip


def _invoices(facts: _Facts) -> list[Section]:
    """Nothing where neither an invoice nor a vendor's count was delivered: there is nothing to compare."""
    gaps, counts = facts.marts["fct_invoice_gap"], facts.marts["fct_usage_gap"]
    vendor = ["month", "service_provider_name", "billing_account_id"]
    counted = counts.filter(pl.col("list_cost").is_not_null()).select(vendor).unique()
    if gaps.filter(pl.col("stated_by") != "nothing").is_empty() and counted.is_empty():
        return []
    reasons = facts.marts["fct_reconciliation_reason"]
    due = pl.col("month") <= facts.month
    shown = gaps.filter((due & (pl.col("last_month") >= facts.month)) | (due & (pl.col("status") == "unexplained")))
    vendors = counts.join(counted, on=vendor, how="semi").filter(month=facts.month)
    sides = (
        Column(name="currency", title="Currency"), _money("billed", "Billed"),
        Column(name="stated", title="Invoiced", kind="money", absent="none"), _money("gap", "Gap"),
        _money("unexplained", "Unexplained"), Column(name="why", title="Reasons"),
    )  # fmt: skip
    return [
        Section(
            name="invoices",
            title="Invoices and counts",
            question="Is the bill what the invoices and the vendors' own counts say?",
            tables=[
                Table(
                    name="invoices", title=f"Invoices of {_in(facts)}, and any before with a gap unexplained",
                    mart="fct_invoice_gap", basis="Billed cost; amounts as the issuer or the plan states them",
                    rows=reconciliation.table(reconciliation.invoices(shown, reasons)),
                    columns=(
                        Column(name="month", title="Month"), Column(name="issuer", title="Issuer", absent="–"),
                        Column(name="subject", title="Invoice"), *sides,
                    ),
                ),
                Table(
                    name="vendor_counts", title=f"Vendors that count, in {_in(facts)}", mart="fct_usage_gap",
                    basis="Billed cost; the vendor's own count at list price",
                    rows=reconciliation.table(reconciliation.by_month(vendors, reasons)),
                    columns=(
                        Column(name="subject", title="Vendor"), *sides[:2],
                        Column(name="stated", title="Counted, at list price", kind="money", absent="none"), *sides[3:],
                    ),
                ),
                Table(
                    name="open_months", title="Months neither reconciled nor closed", mart="fct_month_status",
                    basis="Invoices compared with billed cost",
                    rows=facts.marts["fct_month_status"].filter(due, status="open").sort("month", "source"),
                    columns=(
                        Column(name="month", title="Month"), Column(name="source", title="Source"),
                        Column(name="billing_account_id", title="Account"),
                        Column(name="open_comparisons", title="Comparisons that do not match", kind="count"),
                        Column(name="comparisons", title="of", kind="count"),
                    ),
                ),
            ],
        )
    ]  # fmt: skip


def _measures(facts: _Facts) -> Section:
    kpis = views.kpis(facts.marts["fct_kpi"], month=facts.month)
    grades = [name for name in kpis.columns if name.startswith("grade_")]
    gates = facts.marts["fct_gate"].filter(pl.col("subject").is_null())
    return Section(
        name="measures",
        title="KPIs and gates",
        question="How do the Foundation's measures grade this, and which of our own thresholds are crossed?",
        tables=[
            Table(
                name="kpis", title=charts.graded(kpis, _in(facts)), mart="fct_kpi", rows=_said(kpis),
                basis="Effective cost; docs/metrics.md has each formula",
                columns=(
                    Column(name="said", title="KPI"),
                    Column(name="billing_currency", title="Currency", absent="–"),
                    Column(name="value", title="Value", kind="measure", unit="unit", absent="–"),
                    Column(name="unit", title="Unit"),
                    *(Column(name=g, title=f"By {g.removeprefix('grade_')}", absent="–") for g in grades),
                    Column(name="missing_reason", title="Why there is none", absent=""),
                ),
            ),
            Table(
                name="gates", title=charts.crossed(gates), mart="fct_gate", rows=gates.sort("gate", "billing_currency"),
                basis="The last days up to the data date; thresholds of plan/threshold.csv or default",
                columns=(
                    Column(name="gate", title="Gate"),
                    Column(name="billing_currency", title="Currency", absent="–"),
                    Column(name="value", title="Found", kind="measure", unit="unit", absent="no data"),
                    Column(name="threshold", title="At most", kind="measure", unit="unit"),
                    Column(name="unit", title="Unit"),
                    Column(name="is_passed", title="Passed", kind="truth"),
                    Column(name="decided_by", title="Threshold by"),
                    Column(name="source", title="Because"),
                ),
            ),
        ],
    )  # fmt: skip


def _said(kpis: pl.DataFrame) -> pl.DataFrame:
    return kpis.with_columns(said=pl.col("kpi").str.replace_all("_", " "))


def _sheets(facts: _Facts) -> list[Table]:
    """Whole marts of the month, their columns as they are, for those who want to look further."""
    return [
        Table(
            name=name.partition("_")[2], title=title, mart=name, rows=views.of_month(facts.marts[name], facts.month),
            basis="Every column of the mart",
            columns=tuple(
                Column(name=column, title=column.replace("_", " "), kind=_kind(column, dtype), absent="")
                for column, dtype in facts.marts[name].schema.items()
            ),
        )
        for name, title in SHEETS.items()
    ]  # fmt: skip


def _kind(column: str, dtype: pl.DataType) -> Kind:
    if isinstance(dtype, pl.Decimal):
        return "money" if dtype.scale == 18 else "number"
    if dtype.is_float():
        return "share" if column.endswith(("share", "ratio", "coverage", "utilization", "rate")) else "number"
    return "count" if dtype.is_integer() else "truth" if dtype == pl.Boolean else "text"


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


def _plan_money(name: str, title: str) -> Column:
    return Column(name=name, title=title, kind="money", absent="not stated")


def _in(facts: _Facts) -> str:
    to_date = " to date" if views.is_open(facts.month, data_date=facts.data_date) else ""
    return f"{charts.month_name(facts.month, year=True)}{to_date}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def cell(value: Any, column: Column, row: Mapping[str, Any] = MappingProxyType({})) -> str:
    """A value as a reader sees it, rounded; its full digits stand beside it in the page and the workbook."""
    if value is None:
        return column.absent
    match column.kind:
        case "money":
            said = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
            return "0.00" if said == "-0.00" else said
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
        case "measure":
            return charts.percent(value) if row[column.unit] == "ratio" else charts.short(value)
        case "truth":
            return "yes" if value else "no"
        case _:
            return str(value)


def exact(value: Any) -> str:
    """A value in full: every digit that the mart holds."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
