"""Every mart, small enough to add up in the head: three months of two currencies, the last one open."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

DATA_DATE = date(2026, 10, 25)
MONEY, WHEN = pl.Decimal(38, 18), pl.Datetime("us", "UTC")
EXACT = Decimal("10.123456789012345678")

_TEXT = {
    "service_provider_name", "billing_account_id", "sub_account_id", "service_category", "service_name",
    "charge_category", "billing_currency", "team", "product", "use_case", "model", "environment", "allocation",
    "team_evidence", "allocation_rule", "driver", "origin_team", "month", "token_kind", "service_tier", "account_id",
    "project_id", "estimated_currency", "run_id", "run_name", "experiment", "status", "instance_type", "metric_name",
    "cost_basis", "lifecycle", "evidence", "budget_name", "owner", "forecast_id", "scope", "scope_value", "currency",
    "unit_name", "dataset", "source", "name", "to_currency",
}  # fmt: skip
_MONEY = {
    "billed_cost", "effective_cost", "contracted_cost", "list_cost", "estimated_cost", "budget_amount", "actual_cost",
    "forecast_cost", "expected_cost", "expected_low", "expected_high", "revenue", "estimated_margin",
    "spread_cost", "standing_cost", "known_future_cost", "benefit", "margin", "value",
}  # fmt: skip
_COUNT = {
    "charge_count", "requests", "unpriced_requests", "instance_count", "billable_seconds", "spot_interruptions",
    "epochs", "unconverted_cost_charges", "active_users", "eligible_users", "row_count", "horizon_days", "folds",
    "days_behind", "usual_gap_days", "allowed_days",
}  # fmt: skip
_DATE = {"charge_date", "data_through", "first_date", "last_date", "valid_from"}

COLUMNS = {
    "fct_daily_cost": "charge_date service_provider_name billing_account_id sub_account_id service_category "
    "service_name charge_category billing_currency billed_cost effective_cost contracted_cost list_cost "
    "estimated_cost estimated_margin charge_count",
    "fct_allocated_cost": "charge_date team product use_case model environment service_provider_name service_category "
    "service_name charge_category allocation team_evidence allocation_rule driver driver_quantity driver_ratio "
    "origin_team billing_currency billed_cost effective_cost estimated_cost estimated_margin spread_cost standing_cost "
    "charge_count",
    "fct_token_unit_cost": "month service_provider_name model token_kind service_tier team use_case billing_currency "
    "tokens billed_cost effective_cost effective_cost_per_1m_tokens",
    "fct_inference_unit_cost": "charge_date service_provider_name account_id project_id model billing_currency "
    "requests tokens effective_cost estimated_cost estimated_currency unpriced_requests cost_per_request_billed "
    "cost_per_request_estimated",
    "fct_training_run_cost": "run_id run_name experiment team use_case model status started_at ended_at instance_type "
    "instance_count billable_seconds is_spot spot_interruptions epochs metric_name metric_value billing_currency "
    "effective_cost cost_basis cost_per_epoch cost_per_metric_point",
    "fct_lifecycle_cost": "charge_date lifecycle evidence team use_case service_provider_name billing_currency "
    "billed_cost effective_cost charge_count",
    "fct_budget_status": "budget_name month team product use_case service_name lifecycle owner billing_currency "
    "budget_amount actual_cost estimated_cost known_future_cost forecast_cost expected_cost expected_low "
    "expected_high consumed_ratio expected_ratio status data_through",
    "fct_forecast": "forecast_id data_through scope scope_value currency model charge_date expected low high "
    "known_cost actual_cost estimated_cost is_reported",
    "fct_forecast_accuracy": "forecast_id data_through scope scope_value currency model horizon_days folds wape bias "
    "coverage skill",
    "fct_use_case_value": "use_case month currency effective_cost unconverted_cost_charges units accepted_units "
    "unit_name revenue hours_saved satisfaction active_users eligible_users benefit cost_per_accepted_unit margin roi",
    "fct_data_freshness": "dataset source service_provider_name billing_account_id first_date last_date row_count "
    "days_behind usual_gap_days allowed_days status",
    "assumption": "name use_case value currency to_currency valid_from owner source",
}


def mart(name: str, rows: list[dict[str, Any]] | None = None) -> pl.DataFrame:
    """A mart of these rows; what a row does not name is NULL."""
    columns = COLUMNS[name].split()
    schema = {c: _type(c, name) for c in columns}
    whole = [{c: row.get(c) for c in columns} for row in rows or []]
    assert not {c for row in rows or [] for c in row} - set(columns)
    return pl.DataFrame(whole, schema=schema)


def _type(column: str, name: str) -> pl.DataType | type[pl.DataType]:
    if column == "tokens":
        return pl.Decimal(38, 6) if name == "fct_token_unit_cost" else pl.Int64
    kinds: list[tuple[set[str], pl.DataType | type[pl.DataType]]] = [
        (_TEXT, pl.String), (_MONEY, MONEY), (_COUNT, pl.Int64), (_DATE, pl.Date), ({"started_at", "ended_at"}, WHEN),
        ({"is_spot", "is_reported"}, pl.Boolean),
    ]  # fmt: skip
    return next((kind for names, kind in kinds if column in names), pl.Float64)


def empty() -> dict[str, pl.DataFrame]:
    """Every mart without a row."""
    return {name: mart(name) for name in COLUMNS}


def costs() -> dict[str, pl.DataFrame]:
    """What a home has that holds bills and nothing else."""
    daily = [
        _charge(8, "AWS", 200), _charge(8, "OpenAI", 100), _charge(9, "AWS", 300), _charge(9, "OpenAI", 100),
        _charge(10, "AWS", 71), _charge(10, "OpenAI", 29), _charge(10, "Microsoft", EXACT, currency="EUR"),
    ]  # fmt: skip
    return {
        **empty(),
        "fct_daily_cost": mart("fct_daily_cost", daily),
        "fct_allocated_cost": mart(
            "fct_allocated_cost",
            [
                _share("search", "direct", 60), _share("search", "shared", 4), _share("fraud", "direct", 30),
                _share("unallocated", "unallocated", 6), _share("fraud", "direct", EXACT, currency="EUR"),
            ],
        ),
        "fct_lifecycle_cost": mart(
            "fct_lifecycle_cost",
            [_stage("experiment", 20), _stage("production", 50), _stage("unknown", 30)],
        ),
        "fct_data_freshness": mart(
            "fct_data_freshness",
            [
                {
                    "dataset": "cost_and_usage", "source": "focus", "first_date": date(2026, 8, 1),
                    "last_date": DATA_DATE, "row_count": 7,
                }
            ],
        ),
    }  # fmt: skip


def everything() -> dict[str, pl.DataFrame]:
    """What a home has that holds bills, usage, runs, a plan, a forecast and outcomes."""
    return {
        **costs(),
        "fct_token_unit_cost": mart(
            "fct_token_unit_cost",
            [_tokens("2026-08", 2_000_000, 10), _tokens("2026-09", 2_000_000, 5), _tokens("2026-10", 4_000_000, 10)],
        ),
        "fct_inference_unit_cost": mart(
            "fct_inference_unit_cost",
            [
                _requests("gpt-a", requests=1000, cost=20, estimate=19),
                _requests("gpt-b", requests=4000, cost=2, estimate=2),
                _requests("gpt-c", requests=500, cost=None, estimate=None, unpriced=500),
            ],
        ),
        "fct_training_run_cost": mart(
            "fct_training_run_cost",
            [_run("r1", "finished", 75), _run("r2", "failed", 25), _run("r3", "running", None)],
        ),
        "fct_budget_status": mart(
            "fct_budget_status",
            [
                _budget("company", 110, 100, 121, status="at risk", low=115, high=127),
                _budget("search", 60, 64, 70, team="search", status="over"),
                _budget("pilot", 50, 20, None, lifecycle="experiment"),
            ],
        ),
        "fct_forecast": mart("fct_forecast", [_day(26 + n, 3.5) for n in range(6)]),
        "fct_forecast_accuracy": mart(
            "fct_forecast_accuracy", [_error("prophet", 0.08), _error("seasonal_naive", 0.14)]
        ),
        "fct_use_case_value": mart(
            "fct_use_case_value", [_value("search", 40, 100), _value("pilot", 20, 15), _value("chat", 5, None)]
        ),
        "assumption": mart(
            "assumption", [{"name": "discount_rate", "value": Decimal("0.1"), "owner": "f", "source": "s"}]
        ),
    }


def _charge(month: int, provider: str, cost: Decimal | int, *, currency: str = "USD") -> dict[str, Any]:
    return {
        "charge_date": date(2026, month, 3), "service_provider_name": provider, "billing_account_id": "1",
        "service_category": "Compute", "service_name": f"{provider} things", "charge_category": "Usage",
        "billing_currency": currency, "billed_cost": Decimal(cost), "effective_cost": Decimal(cost),
        "contracted_cost": Decimal(cost), "list_cost": Decimal(cost), "charge_count": 1 if currency == "EUR" else 2,
    }  # fmt: skip


def _share(team: str, allocation: str, cost: Decimal | int, *, currency: str = "USD") -> dict[str, Any]:
    return {
        "charge_date": date(2026, 10, 3), "team": team, "allocation": allocation, "billing_currency": currency,
        "billed_cost": Decimal(cost), "effective_cost": Decimal(cost), "charge_count": 2,
    }  # fmt: skip


def _stage(lifecycle: str, cost: int) -> dict[str, Any]:
    return {
        "charge_date": date(2026, 10, 3), "lifecycle": lifecycle, "evidence": "rule:1", "billing_currency": "USD",
        "billed_cost": Decimal(cost), "effective_cost": Decimal(cost), "charge_count": 3,
    }  # fmt: skip


def _tokens(month: str, tokens: int, cost: int) -> dict[str, Any]:
    return {
        "month": month, "service_provider_name": "OpenAI", "model": "gpt-a", "token_kind": "output",
        "service_tier": "standard", "team": "search", "use_case": "search", "billing_currency": "USD",
        "tokens": Decimal(tokens), "billed_cost": Decimal(cost), "effective_cost": Decimal(cost),
    }  # fmt: skip


def _requests(
    model: str, *, requests: int, cost: int | None, estimate: int | None, unpriced: int = 0
) -> dict[str, Any]:
    return {
        "charge_date": date(2026, 10, 3), "service_provider_name": "OpenAI", "account_id": "1", "model": model,
        "billing_currency": None if cost is None else "USD", "requests": requests, "tokens": requests,
        "effective_cost": None if cost is None else Decimal(cost), "estimated_currency": "USD",
        "estimated_cost": None if estimate is None else Decimal(estimate), "unpriced_requests": unpriced,
    }  # fmt: skip


def _run(run: str, status: str, cost: int | None) -> dict[str, Any]:
    return {
        "run_id": run, "run_name": f"run {run}", "team": "fraud", "use_case": "fraud", "model": "net", "status": status,
        "started_at": datetime(2026, 10, 3, tzinfo=UTC), "billing_currency": None if cost is None else "USD",
        "effective_cost": None if cost is None else Decimal(cost), "cost_basis": "unpriced" if cost is None else "bill",
    }  # fmt: skip


def _budget(
    name: str, amount: int, actual: int, expected: int | None, *, low: int | None = None, high: int | None = None,
    status: str = "within", team: str | None = None, lifecycle: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "budget_name": name, "month": "2026-10", "team": team, "lifecycle": lifecycle, "billing_currency": "USD",
        "budget_amount": Decimal(amount), "actual_cost": Decimal(actual),
        "expected_cost": None if expected is None else Decimal(expected),
        "expected_low": None if low is None else Decimal(low), "expected_high": None if high is None else Decimal(high),
        "consumed_ratio": actual / amount, "expected_ratio": None if expected is None else expected / amount,
        "status": status, "data_through": DATA_DATE,
    }  # fmt: skip


def _day(day: int, expected: float) -> dict[str, Any]:
    return {
        "forecast_id": "2026-10-25", "data_through": DATA_DATE, "scope": "total", "scope_value": "all",
        "currency": "USD", "model": "prophet", "charge_date": date(2026, 10, day), "expected": expected,
        "low": expected - 1, "high": expected + 1,
    }  # fmt: skip


def _error(model: str, wape: float) -> dict[str, Any]:
    return {
        "forecast_id": "2026-10-25", "data_through": DATA_DATE, "scope": "total", "scope_value": "all",
        "currency": "USD", "model": model, "horizon_days": 30, "folds": 4, "wape": wape, "bias": 0.01, "coverage": 0.8,
        "skill": 0.4,
    }  # fmt: skip


def _value(use_case: str, cost: int, benefit: int | None) -> dict[str, Any]:
    return {
        "use_case": use_case, "month": "2026-09", "currency": "USD", "effective_cost": Decimal(cost),
        "unconverted_cost_charges": 0, "benefit": None if benefit is None else Decimal(benefit),
    }  # fmt: skip
