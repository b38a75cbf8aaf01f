"""What each gate lets through, what it stops, and when it has nothing to say."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from finops_lib import policy, warehouse
from finops_lib.errors import NotBuiltError
from finops_lib.lake import Home
from finops_lib.policy import GATES, Verdict, verdicts

THROUGH = date(2026, 10, 25)
MONEY = pl.Decimal(38, 18)
TEXT, DAY, FLOAT = pl.String, pl.Date, pl.Float64
AI = "AI and Machine Learning"

SCHEMAS: dict[str, dict[str, Any]] = {
    "fct_allocated_cost": {
        "charge_date": DAY, "team": TEXT, "model": TEXT, "service_provider_name": TEXT, "service_category": TEXT,
        "service_name": TEXT, "charge_category": TEXT, "allocation": TEXT, "billing_currency": TEXT,
        "effective_cost": MONEY,
    },
    "fct_budget_status": {
        "budget_name": TEXT, "month": TEXT, "owner": TEXT, "billing_currency": TEXT, "budget_amount": MONEY,
        "actual_cost": MONEY, "expected_cost": MONEY, "status": TEXT,
    },
    "fct_data_freshness": {
        "dataset": TEXT, "source": TEXT, "service_provider_name": TEXT, "billing_account_id": TEXT, "last_date": DAY,
        "days_behind": pl.Int64, "usual_gap_days": pl.Int64, "allowed_days": pl.Int64, "status": TEXT,
    },
    "fct_forecast": {"scope": TEXT, "scope_value": TEXT, "currency": TEXT, "model": TEXT},
    "fct_forecast_accuracy": {
        "scope": TEXT, "scope_value": TEXT, "currency": TEXT, "model": TEXT, "horizon_days": pl.Int64, "wape": FLOAT,
        "bias": FLOAT, "coverage": FLOAT, "skill": FLOAT,
    },
    "fct_inference_unit_cost": {"charge_date": DAY, "model": TEXT, "tokens": pl.Int64, "estimated_cost": MONEY},
    "fct_lifecycle_cost": {"charge_date": DAY, "lifecycle": TEXT, "billing_currency": TEXT, "effective_cost": MONEY},
    "approved_service": {"service_provider_name": TEXT, "service_name": TEXT, "model": TEXT, "approved_on": DAY},
}  # fmt: skip


def judged(**facts: list[dict[str, Any]]) -> dict[str, Verdict]:
    frames = {name: pl.DataFrame(facts.get(name, []), schema=schema) for name, schema in SCHEMAS.items()}
    return {v.gate: v for v in verdicts(frames, data_through=THROUGH)}


def charge(cost: str, *, allocation: str = "direct", currency: str = "USD", **others: Any) -> dict[str, Any]:
    row = {
        "charge_date": THROUGH, "model": "unknown", "service_category": "Compute", "charge_category": "Usage",
        "allocation": allocation, "billing_currency": currency, "effective_cost": Decimal(cost),
    }  # fmt: skip
    return row | others


def tokens(model: str, count: int, *, priced: bool = True) -> dict[str, Any]:
    estimate = Decimal(1) if priced else None
    return {"charge_date": THROUGH, "model": model, "tokens": count, "estimated_cost": estimate}


def spent(lifecycle: str, cost: str) -> dict[str, Any]:
    return {"charge_date": THROUGH, "lifecycle": lifecycle, "billing_currency": "USD", "effective_cost": Decimal(cost)}


def test_without_facts_no_gate_has_passed() -> None:
    found = judged()
    assert list(found) == list(GATES)
    assert {(v.passed, v.found, bool(v.todo)) for v in found.values()} == {(None, "no data", True)}


def test_every_currency_must_be_allocated_and_the_worst_one_decides() -> None:
    charges = [charge("80"), charge("20", allocation="unallocated"), charge("1", currency="EUR")]
    good = judged(fct_allocated_cost=charges)["share unallocated"]
    assert (good.passed, good.found, good.wanted, good.todo) == (True, "EUR 0.0%, USD 20.0%", "at most 20%", "")
    bad = judged(fct_allocated_cost=[*charges, charge("1", allocation="unallocated", currency="EUR")])
    assert (bad["share unallocated"].passed, bad["share unallocated"].found) == (False, "EUR 50.0%, USD 20.0%")


def test_only_the_last_thirty_days_are_judged() -> None:
    old = charge("1000", allocation="unallocated", charge_date=THROUGH - timedelta(days=30))
    edge = charge("10", charge_date=THROUGH - timedelta(days=29))
    assert judged(fct_allocated_cost=[old, edge])["share unallocated"].found == "USD 0.0%"


def test_tokens_without_a_price_are_counted_whether_or_not_requests_are() -> None:
    found = judged(fct_inference_unit_cost=[tokens("known", 95), tokens("new-model", 5, priced=False)])[
        "share unpriced"
    ]
    assert (found.passed, found.found) == (False, "5.0%")
    assert found.facts == [{"tokens": 100, "unpriced_tokens": 5, "share": 0.05, "models": ["new-model"]}]


def test_experiments_may_cost_thirty_percent_of_production() -> None:
    lifecycle = [spent("production", "100"), spent("experiment", "30"), spent("unknown", "20")]
    found = judged(fct_lifecycle_cost=lifecycle)
    assert (found["experiment beside production"].passed, found["experiment beside production"].found) == (
        True,
        "USD 30.0%",
    )
    assert (found["lifecycle unknown"].passed, found["lifecycle unknown"].found) == (True, "USD 13.3%")
    more = judged(fct_lifecycle_cost=[*lifecycle, spent("experiment", "0.01"), spent("unknown", "90")])
    assert more["experiment beside production"].passed is False
    assert more["lifecycle unknown"].passed is False


def test_experiments_without_any_production_cannot_be_compared() -> None:
    assert judged(fct_lifecycle_cost=[spent("experiment", "5")])["experiment beside production"].passed is None


def budget(name: str, status: str, *, month: str = "2026-10", expected: str | None = "9") -> dict[str, Any]:
    return {
        "budget_name": name, "month": month, "owner": "Ada", "billing_currency": "USD", "budget_amount": Decimal(10),
        "actual_cost": Decimal(5), "expected_cost": None if expected is None else Decimal(expected), "status": status,
    }  # fmt: skip


def test_budgets_of_this_month_that_are_over_or_at_risk_are_named_with_their_owner() -> None:
    found = judged(
        fct_budget_status=[
            budget("search", "over"),
            budget("fraud", "at risk", expected="12.5"),
            budget("speech", "within"),
            budget("vision", "over", month="2026-09"),
        ]
    )
    assert (found["budgets over"].passed, found["budgets over"].found) == (False, "search")
    assert (found["budgets at risk"].passed, found["budgets at risk"].found) == (False, "fraud")
    assert found["budgets at risk"].facts == [
        {
            "budget_name": "fraud", "owner": "Ada", "billing_currency": "USD",
            "budget_amount": "10.000000000000000000", "actual_cost": "5.000000000000000000",
            "expected_cost": "12.500000000000000000", "status": "at risk",
        }
    ]  # fmt: skip


def test_without_a_forecast_no_budget_is_said_to_be_safe() -> None:
    found = judged(fct_budget_status=[budget("search", "within", expected=None)])
    assert (found["budgets over"].passed, found["budgets at risk"].passed) == (True, None)


def accuracy(model: str, wape: float, *, horizon: int = 30, scope: str = "total") -> dict[str, Any]:
    return {
        "scope": scope, "scope_value": "all", "currency": "USD", "model": model, "horizon_days": horizon, "wape": wape,
        "bias": 0.0, "coverage": 0.8, "skill": 0.1,
    }  # fmt: skip


def test_the_forecast_is_graded_by_the_model_that_answered_at_the_month_end() -> None:
    answered = [{"scope": "total", "scope_value": "all", "currency": "USD", "model": "prophet"}] * 2
    found = judged(
        fct_forecast=answered,
        fct_forecast_accuracy=[
            accuracy("prophet", 0.14),
            accuracy("seasonal_naive", 0.5),
            accuracy("prophet", 0.9, horizon=90),
            accuracy("prophet", 0.9, scope="team"),
        ],
    )["forecast error"]
    assert (found.passed, found.found) == (True, "USD 14.0%")
    assert [fact["grade"] for fact in found.facts] == ["Walk (FinOps Foundation 2023)"]
    worse = judged(fct_forecast=answered, fct_forecast_accuracy=[accuracy("prophet", 0.201)])["forecast error"]
    assert worse.passed is False


def ai(provider: str, service: str, model: str, **others: Any) -> dict[str, Any]:
    return charge("1", service_provider_name=provider, service_name=service, model=model, service_category=AI, **others)


def approval(provider: str, service: str | None, model: str | None, on: date | None = None) -> dict[str, Any]:
    return {"service_provider_name": provider, "service_name": service, "model": model, "approved_on": on}


@pytest.mark.parametrize(
    ("used", "approved", "passes"),
    [
        (ai("OpenAI", "API", "gpt-4o"), approval("OpenAI", None, None), True),
        (ai("OpenAI", "API", "gpt-4o"), approval("openai", "api", "GPT-4o"), True),
        (ai("OpenAI", "API", "gpt-4o"), approval("OpenAI", None, "gpt-4o-mini"), False),
        (ai("OpenAI", "API", "unknown"), approval("OpenAI", "API", "gpt-4o"), True),
        (ai("OpenAI", "API", "unknown"), approval("OpenAI", "Other", "gpt-4o"), False),
        (ai("OpenAI", "API", "gpt-4o"), approval("Anthropic", None, None), False),
        (ai("OpenAI", "API", "gpt-4o"), approval("OpenAI", None, None, THROUGH), True),
        (ai("OpenAI", "API", "gpt-4o"), approval("OpenAI", None, None, THROUGH + timedelta(days=1)), False),
        (ai("OpenAI", "API", "gpt-4o", charge_category="Tax"), approval("AWS", None, None), True),
        (ai("AWS", "EC2", "x") | {"service_category": "Compute"}, approval("OpenAI", None, None), True),
    ],
)
def test_ai_needs_an_approval_that_covers_it_on_the_day(
    used: dict[str, Any], approved: dict[str, Any], passes: bool
) -> None:
    found = judged(fct_allocated_cost=[used], approved_service=[approved])["unapproved services"]
    assert found.passed is passes


def test_a_service_without_approval_is_named_once_however_often_it_was_used() -> None:
    found = judged(
        fct_allocated_cost=[ai("Acme", "LLM", "m1"), ai("Acme", "LLM", "m1", charge_date=date(2026, 10, 1))],
        approved_service=[approval("OpenAI", None, None)],
    )["unapproved services"]
    assert found.found == "Acme/LLM/m1"
    assert [(f["first_date"], f["effective_cost"]) for f in found.facts] == [("2026-10-01", "2.000000000000000000")]


def test_an_empty_approval_list_approves_nothing_and_accuses_nobody() -> None:
    assert judged(fct_allocated_cost=[ai("Acme", "LLM", "m1")])["unapproved services"].passed is None


def fresh(
    dataset: str,
    source: str,
    behind: int | None,
    status: str | None,
    *,
    provider: str | None = None,
    account: str | None = None,
    usual: int = 1,
) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "source": source,
        "service_provider_name": provider,
        "billing_account_id": account,
        "last_date": None if behind is None else THROUGH - timedelta(days=behind),
        "days_behind": behind,
        "usual_gap_days": usual,
        "allowed_days": max(usual, 3),
        "status": status,
    }


def test_a_source_that_stopped_for_longer_than_its_habit_fails_by_name_and_one_that_is_late_or_ended_does_not() -> None:
    rows = [
        fresh("cost_and_usage", "aws_cur", 0, "current"),
        fresh("ai_usage", "openai_usage", 3, "late"),
        fresh("cost_and_usage", "oci", 200, "ended"),
        fresh("outcome", "direct", None, None),
        fresh("budget", "plan", None, None),
    ]
    good = judged(fct_data_freshness=rows)["stale data"]
    assert (good.passed, good.found) == (True, "3 sources, 1 late, none stopped")
    stopped = fresh("cost_and_usage", "openai_costs", 5, "stopped", provider="OpenAI", account="org-1")
    weekly = fresh("cost_and_usage", "csv_map", 9, "stopped", provider="Acme", account="a", usual=7)
    bad = judged(fct_data_freshness=[*rows, stopped, weekly])["stale data"]
    assert (bad.passed, bad.found) == (
        False,
        "Acme (csv_map), account a: last usage 16 October, usually every 7 days; "
        "OpenAI (openai_costs), account org-1: last usage 20 October, usually every day",
    )
    assert [row["status"] for row in bad.facts] == ["ended", "stopped", "stopped", "late", "current"]
    assert judged()["stale data"].passed is None


def test_a_long_list_is_cut_in_the_sentence_and_whole_in_the_facts() -> None:
    found = judged(fct_budget_status=[budget(f"b{i}", "over") for i in range(7)])["budgets over"]
    assert found.found == "b0, b1, b2, b3, b4 and 2 more"
    assert len(found.facts) == 7


def test_a_verdict_is_plain_json_with_exact_amounts() -> None:
    found = judged(fct_allocated_cost=[charge("0.000000000000000001")])["share unallocated"]
    assert json.loads(json.dumps(asdict(found)))["facts"][0]["effective_cost"] == "0.000000000000000001"


def test_every_gate_says_where_its_limit_comes_from_and_what_to_do() -> None:
    assert all(gate.source and gate.todo.endswith(".") for gate in GATES.values())


def test_check_judges_the_marts_and_the_approval_list_of_a_home(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setattr(warehouse, "mart", lambda _, name: pl.DataFrame(schema=SCHEMAS[name]))
    monkeypatch.setattr(warehouse, "dataset", lambda _, name: pl.DataFrame(schema=SCHEMAS[name]))
    monkeypatch.setattr(warehouse, "data_date", lambda _: THROUGH)
    assert policy.check(home) == list(judged().values())


def test_a_home_that_is_not_built_is_refused(home: Home) -> None:
    with pytest.raises(NotBuiltError):
        policy.check(home)
