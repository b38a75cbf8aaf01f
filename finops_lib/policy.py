"""The gates: facts of the warehouse in, verdicts out. Where there are no facts, nothing has passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from . import warehouse
from .lake import Home

if TYPE_CHECKING:
    import polars as pl

WINDOW = 30
"""Days up to the data date over which shares are taken: a gate shall notice this month, whatever day of it is."""

HORIZON = 30
"""Days ahead at which the forecast is judged: about a month end."""

SHOWN = 5
"""Offenders that a verdict names; its facts hold all."""

MARTS = (
    "fct_allocated_cost",
    "fct_budget_status",
    "fct_data_freshness",
    "fct_forecast",
    "fct_forecast_accuracy",
    "fct_inference_unit_cost",
    "fct_lifecycle_cost",
)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What is tolerated, who says so, and what to do when it is more."""

    limit: float
    source: str
    todo: str


GATES: Mapping[str, Gate] = MappingProxyType(
    {
        "share unallocated": Gate(
            limit=0.20,
            source="FinOps Foundation maturity model 2023: Walk allocates 80 % of spend",
            todo="Add a rule to plan/tag_rule.csv for the largest rows without a team, or tag them at the source.",
        ),
        "share unpriced": Gate(
            limit=0.01,
            source="our judgement: an estimate that leaves out more than 1 % of tokens misleads",
            todo="Update genai-prices; until it knows the models, read their cost from the bill.",
        ),
        "lifecycle unknown": Gate(
            limit=0.20,
            source="FinOps Foundation, cost allocation: 80 % of cost tagged or in a known hierarchy",
            todo="Add rules to plan/lifecycle_rule.csv until what is unknown is small.",
        ),
        "experiment beside production": Gate(
            limit=0.30,
            source="FinOps Foundation, workload management: alert above 30 % of production (their example)",
            todo="Ask the owners of the largest experiments which of them can stop.",
        ),
        "budgets over": Gate(
            limit=0,
            source="a budget is a limit",
            todo="Ask each budget's owner to stop spend or to change plan/budget.csv.",
        ),
        "budgets at risk": Gate(
            limit=0,
            source="a budget is a limit",
            todo="Show each budget's owner what is expected by the end of the month, while it can be changed.",
        ),
        "forecast error": Gate(
            limit=0.20,
            source="FinOps Foundation maturity model 2023: Crawl is within 20 %",
            todo="Do not promise a month end from this forecast; look for the change that broke the pattern.",
        ),
        "unapproved services": Gate(
            limit=0,
            source="the organisation's own plan/approved_service.csv",
            todo="Approve it in plan/approved_service.csv, or ask the team that uses it to stop.",
        ),
        "stale data": Gate(
            limit=0,
            source="each source's own habit; our judgement: providers finish a day's bill within three days",
            todo="Deliver the newest export of each source that is behind, or remove the source.",
        ),
    }
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One gate's answer; its facts are plain JSON, amounts as exact decimal texts."""

    gate: str
    passed: bool | None
    """None where there are no data to judge by."""
    found: str
    wanted: str
    todo: str
    """What to do when it has not passed; empty when it has."""
    source: str
    facts: list[dict[str, Any]] = field(default_factory=list)


def check(home: Home) -> list[Verdict]:
    """Judge the warehouse by every gate.

    Reads    the marts of `home` and its plan's approved services, as of the data date.
    Returns  one verdict per gate, in the order of `GATES`.
    Refuses  NotBuiltError when the warehouse is not built.
    """
    facts = {name: warehouse.mart(home, name) for name in MARTS}
    facts["approved_service"] = warehouse.dataset(home, "approved_service")
    return verdicts(facts, data_through=warehouse.data_date(home))


def verdicts(facts: Mapping[str, pl.DataFrame], *, data_through: date) -> list[Verdict]:
    """Judge facts by every gate.

    Reads    `facts`: the marts of `MARTS` and approved_service, by name.
    Returns  one verdict per gate, in the order of `GATES`.
    """
    return list(_verdicts(facts, data_through))


def _verdicts(facts: Mapping[str, pl.DataFrame], data_through: date) -> Iterator[Verdict]:
    import polars as pl

    from .analysis import forecast, governance, spend

    def lately(name: str) -> pl.DataFrame:
        return governance.recent(facts[name], data_through=data_through, days=WINDOW)

    allocated = lately("fct_allocated_cost")
    yield _at_most("share unallocated", spend.share_allocated(allocated), "unallocated_share", by="billing_currency")
    yield _at_most("share unpriced", governance.share_unpriced(lately("fct_inference_unit_cost")), "share")
    shares = governance.lifecycle_shares(lately("fct_lifecycle_cost"))
    yield _at_most("lifecycle unknown", shares, "unknown_share", by="billing_currency")
    yield _at_most("experiment beside production", shares, "experiment_ratio", by="billing_currency")

    budgets = facts["fct_budget_status"].filter(month=f"{data_through:%Y-%m}")
    listed = budgets.select(
        "budget_name", "owner", "billing_currency", "budget_amount", "actual_cost", "expected_cost", "status"
    )
    yield _none_of("budgets over", listed.filter(status="over"), "budget_name", known=len(budgets))
    forecast_known = budgets.get_column("expected_cost").count()
    yield _none_of("budgets at risk", listed.filter(status="at risk"), "budget_name", known=forecast_known)

    accuracy = governance.answered_accuracy(
        facts["fct_forecast_accuracy"], facts["fct_forecast"], horizon_days=HORIZON
    ).with_columns(grade=pl.col("wape").map_elements(forecast.accuracy_grade, return_dtype=pl.String))
    yield _at_most("forecast error", accuracy.filter(scope="total"), "wape", by="currency")

    approved = facts["approved_service"]
    unapproved = governance.unapproved_spend(allocated, approved)
    what = ("service_provider_name", "service_name", "model")
    yield _none_of("unapproved services", unapproved, *what, known=len(approved))
    yield _fresh(governance.staleness(facts["fct_data_freshness"]))


def _at_most(name: str, rows: pl.DataFrame, measure: str, *, by: str | None = None) -> Verdict:
    """Pass where every measured row is within the limit."""
    gate, known = GATES[name], rows.drop_nulls(measure)
    measured = [(f"{row[by]} " if by else "", row[measure]) for row in known.iter_rows(named=True)]
    return _verdict(
        name,
        passed=all(value <= gate.limit for _, value in measured) if measured else None,
        found=", ".join(f"{which}{value:.1%}" for which, value in measured),
        wanted=f"at most {gate.limit:.0%}",
        facts=rows,
    )


def _none_of(name: str, offenders: pl.DataFrame, *labels: str, known: int) -> Verdict:
    """Pass where there are no offenders among what is known."""
    shown = ["/".join(row) for row in offenders.select(labels).unique(maintain_order=True).iter_rows()]
    more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
    return _verdict(
        name,
        passed=offenders.is_empty() if known else None,
        found=", ".join(shown[:SHOWN]) + more or "none",
        wanted="none",
        facts=offenders,
    )


def _fresh(sources: pl.DataFrame) -> Verdict:
    stopped = sources.filter(sources.get_column("status") == "stopped")
    late = sources.filter(sources.get_column("status") == "late").height
    listed = "; ".join(_last_seen(row) for row in stopped.iter_rows(named=True))
    return _verdict(
        "stale data",
        passed=stopped.is_empty() if len(sources) else None,
        found=listed or f"{len(sources)} sources, {late or 'none'} late, none stopped",
        wanted="every source as often as it used to report",
        facts=sources,
    )


def _last_seen(source: Mapping[str, Any]) -> str:
    provider, account = source["service_provider_name"], source["billing_account_id"]
    named = f"{provider} ({source['source']})" if provider else source["source"]
    usual = source["usual_gap_days"]
    return (
        f"{named}{f', account {account}' if account else ''}: last usage {source['last_date']:%-d %B}, usually every "
        f"{'day' if usual == 1 else f'{usual} days'}"
    )


def _verdict(name: str, *, passed: bool | None, found: str, wanted: str, facts: pl.DataFrame) -> Verdict:
    return Verdict(
        gate=name,
        passed=passed,
        found="no data" if passed is None else found,
        wanted=wanted,
        todo="" if passed else GATES[name].todo,
        source=GATES[name].source,
        facts=[{key: _plain(value) for key, value in row.items()} for row in facts.iter_rows(named=True)],
    )


def _plain(value: Any) -> Any:
    """A value as JSON knows it; amounts keep every digit as text."""
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value
