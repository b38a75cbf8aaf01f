"""Every mart, small enough to add up in the head: three months of two currencies, the last one open."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import yaml

DATA_DATE = date(2026, 10, 25)
MONEY, WHEN = pl.Decimal(38, 18), pl.Datetime("us", "UTC")
EXACT = Decimal("10.123456789012345678")

TYPES: dict[str, pl.DataType | type[pl.DataType]] = {
    "string": pl.String, "decimal(38,18)": MONEY, "decimal(38,6)": pl.Decimal(38, 6),
    "decimal(38,9)": pl.Decimal(38, 9),
    "bigint": pl.Int64, "int": pl.Int32,
    "double": pl.Float64, "date": pl.Date, "timestamp": WHEN, "boolean": pl.Boolean,
}  # fmt: skip
MODELS = Path(__file__).parent.parent / "dbt_project" / "models" / "marts"

SCHEMAS: dict[str, dict[str, pl.DataType | type[pl.DataType]]] = {
    model["name"]: {c["name"]: TYPES[c["data_type"]] for c in model["columns"]}
    for file in sorted(MODELS.rglob("*.yml"))
    for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
} | {
    "assumption": {
        "name": pl.String, "use_case": pl.String, "value": MONEY, "currency": pl.String, "to_currency": pl.String,
        "valid_from": pl.Date, "owner": pl.String, "source": pl.String,
    }
}  # fmt: skip
"""What each mart promises to hold, by its contract."""


def mart(name: str, rows: list[dict[str, Any]] | None = None) -> pl.DataFrame:
    """A mart of these rows; what a row does not name is NULL."""
    schema = SCHEMAS[name]
    assert not {c for row in rows or [] for c in row} - set(schema)
    return pl.DataFrame([{c: row.get(c) for c in schema} for row in rows or []], schema=schema)


def empty() -> dict[str, pl.DataFrame]:
    """Every mart without a row."""
    return {name: mart(name) for name in SCHEMAS}


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
        "fct_monthly_cost": mart(
            "fct_monthly_cost",
            [
                _month("2026-08", "AWS", 200, 300, 2 / 3), _month("2026-08", "OpenAI", 100, 300, 1 / 3),
                _month("2026-09", "AWS", 300, 400, 0.75, change=1 / 3),
                _month("2026-09", "OpenAI", 100, 400, 0.25, change=1 / 3),
                _month("2026-10", "AWS", 71, 100, 0.71), _month("2026-10", "OpenAI", 29, 100, 0.29),
                _month("2026-10", "Microsoft", EXACT, EXACT, 1.0, currency="EUR"),
            ],
        ),
        "fct_showback": mart(
            "fct_showback",
            [
                _statement("search", "direct", 60, 64, 0.64), _statement("search", "shared", 4, 64, 0.64),
                _statement("fraud", "direct", 30, 30, 0.3), _statement("unallocated", "unallocated", 6, 6, 0.06),
                _statement("fraud", "direct", EXACT, EXACT, 1.0, month_cost=EXACT, currency="EUR"),
            ],
        ),
        "fct_lifecycle_share": mart(
            "fct_lifecycle_share",
            [
                {
                    "month": "2026-10", "scope": scope, "team": team, "billing_currency": "USD",
                    "experiment_cost": Decimal(20), "production_cost": Decimal(50), "unknown_cost": Decimal(30),
                    "effective_cost": Decimal(100), "experiment_share": 0.2, "production_share": 0.5,
                    "unknown_share": 0.3, "experiment_ratio": 0.4, "experiment_limit": 0.3, "limit_share": 0.15,
                    "status": "over",
                }
                for scope, team in (("company", None), ("team", "search"))
            ],
        ),
        "fct_kpi": mart("fct_kpi", ALLOCATION),
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


def _reconciled() -> dict[str, pl.DataFrame]:
    """An invoice of October that matches but for tax, one of September with 7 unexplained, charges without one, and
    two vendors, of which one counts."""

    def invoice(key: str, month: str, billed: str, stated: str | None, **others: Any) -> dict[str, Any]:
        row = {"comparison_id": key, "month": month, "last_month": month, "invoice_id": key, "invoice_issuer": "AWS",
               "billing_currency": "USD", "stated_by": "plan", "billed_cost": Decimal(billed),
               "stated_amount": stated and Decimal(stated), "gap": Decimal(billed) - Decimal(stated or 0),
               "unexplained_gap": Decimal(0), "status": "matched"}  # fmt: skip
        return row | others

    def day(key: str, vendor: str, number: int, counted: str | None, **others: Any) -> dict[str, Any]:
        row = {"comparison_id": key, "month": "2026-10", "charge_date": date(2026, 10, number),
               "service_provider_name": vendor, "billing_account_id": "o", "model": "m", "billing_currency": "USD",
               "billed_cost": Decimal(10), "list_cost": counted and Decimal(counted),
               "gap": Decimal(10) - Decimal(counted or 0), "unexplained_gap": Decimal(0),
               "status": "explained"}  # fmt: skip
        return row | others

    def reason(key: str, order: int, name: str, amount: str, kind: str = "invoice") -> dict[str, Any]:
        return {"comparison_id": key, "reason_order": order, "reason": name, "amount": Decimal(amount), "kind": kind,
                "month": "2026-09" if key == "I-9" else "2026-10", "billing_currency": "USD"}  # fmt: skip

    seven = {"unexplained_gap": Decimal(7), "status": "unexplained"}
    return {
        "fct_invoice_gap": mart(
            "fct_invoice_gap",
            [
                invoice("I-8", "2026-08", "200", "200"),
                invoice("I-9", "2026-09", "300", "293", **seven),
                invoice("I-10", "2026-10", "71", "60"),
                invoice("none", "2026-10", "29", None, invoice_id=None, invoice_issuer="OpenAI", stated_by="nothing",
                        billing_account_id="o", status="explained"),
            ],
        ),
        "fct_usage_gap": mart(
            "fct_usage_gap",
            [day("u1", "OpenAI", 1, "9"), day("u2", "OpenAI", 2, None, billed_cost=Decimal("0.5"), gap=Decimal("0.5")),
             day("u3", "AWS", 1, None)],
        ),
        "fct_reconciliation_reason": mart(
            "fct_reconciliation_reason",
            [
                reason("I-9", 9, "unexplained", "7"), reason("I-10", 4, "tax", "11"),
                reason("none", 1, "no invoice id", "29"), reason("u1", 2, "tax", "1", "usage"),
                reason("u2", 2, "tax", "0.5", "usage"), reason("u3", 8, "no usage delivered", "10", "usage"),
            ],
        ),
        "fct_month_status": mart(
            "fct_month_status",
            [
                {"source": "focus", "billing_account_id": "a", "month": month, "comparisons": 2,
                 "open_comparisons": n, "status": status}
                for month, n, status in (("2026-08", 0, "reconciled"), ("2026-09", 1, "open"), ("2026-10", 1, "open"))
            ],
        ),
    }  # fmt: skip


def _kpi(kpi: str, value: float | None, part: float, whole: float, **named: Any) -> dict[str, Any]:
    row = {
        "kpi": kpi, "month": "2026-10", "scope": "company", "billing_currency": "USD", "unit": "ratio", "value": value,
        "numerator": Decimal(str(part)), "denominator": Decimal(str(whole)),
    }  # fmt: skip
    return row | named


ALLOCATION = [
    _kpi("spend_allocated", 0.94, 94, 100, edition="2023", grade="run"),
    _kpi("spend_allocated", 0.94, 94, 100, edition="2026", grade="walk"),
    _kpi("spend_allocated", 1.0, 10, 10, edition="2023", grade="run", billing_currency="EUR"),
    _kpi("spend_unallocated", 0.06, 6, 100, edition="2023", grade="within limit"),
    _kpi("spend_unallocated", 0.0, 0, 10, edition="2023", grade="within limit", billing_currency="EUR"),
    _kpi("spend_allocated", 0.5, 1, 2, edition="2023", grade="crawl", scope="team", team="search"),
]


def everything() -> dict[str, pl.DataFrame]:
    """What a home has that holds bills, usage, runs, a plan, a forecast and outcomes."""
    return {
        **costs(),
        "fct_token_unit_cost": mart(
            "fct_token_unit_cost",
            [_tokens("2026-08", 2_000_000, 10), _tokens("2026-09", 2_000_000, 5), _tokens("2026-10", 4_000_000, 10)],
        ),
        "fct_kpi": mart(
            "fct_kpi",
            [
                *ALLOCATION,
                *(
                    _kpi("cost_per_1m_tokens", value, part, whole, month=month, unit="money per 1M tokens")
                    for month, value, part, whole in (
                        ("2026-08", 5.0, 10, 2),
                        ("2026-09", 2.5, 5, 2),
                        ("2026-10", 2.5, 10, 4),
                    )
                ),
                _kpi("llm_error_rate", None, 0, 0, billing_currency=None, missing_reason="no source counts it"),
            ],
        ),
        "fct_model_unit_cost": mart(
            "fct_model_unit_cost",
            [
                _model("gpt-a", "2026-08", tokens=2_000_000, cost=10, per_1m=5.0),
                _model("gpt-a", "2026-09", tokens=2_000_000, cost=5, per_1m=2.5, change=-0.5, cut=True),
                _model("gpt-a", tokens=4_000_000, cost=10, per_1m=2.5, change=0.0)
                | _requested(1000, billed=20, estimate=19, billed_1k=20.0, estimated_1k=19.0),
                _model("gpt-b") | _requested(4000, billed=2, estimate=2, billed_1k=0.5, estimated_1k=0.5),
                _model("gpt-c") | _requested(500, unpriced=500),
            ],
        ),
        "fct_gate": mart(
            "fct_gate",
            [
                _gate("share unallocated", 0.06, 0.2),
                _gate("forecast error", None, 0.2),
                _gate("experiment beside production", 0.4, 0.3),
            ],
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
        **_budgets(
            _budget("company", 110, 100, 121, status="at risk", low=115, high=127),
            _budget("search", 60, 64, 70, team="search", status="over"),
            _budget("pilot", 50, 20, None, lifecycle="experiment", status="unknown"),
            _budget("fraud on Azure", 10, EXACT, EXACT, team="fraud", currency="EUR", status="over"),
        ),
        "fct_forecast": mart("fct_forecast", [_day(26 + n, 3.5) for n in range(6)]),
        "fct_forecast_accuracy": mart(
            "fct_forecast_accuracy", [_error("prophet", 0.08), _error("seasonal_naive", 0.14)]
        ),
        "fct_use_case_value": mart(
            "fct_use_case_value", [_value("search", 40, 100, 10), _value("pilot", 20, 15), _value("chat", 5, None)]
        ),
        **_reconciled(),
        "fct_use_case_return": mart(
            "fct_use_case_return",
            [
                _return("search", bills=40, people=10, setup=10, benefit=100, roi=40 / 60, npv=39.6),
                _return("pilot", bills=20, people=None, setup=None, benefit=15, roi=-0.25, npv=-4.96),
                _return("chat", bills=5, people=None, setup=None, benefit=None, roi=None, npv=None),
            ],
        ),
        "fct_company_return": mart(
            "fct_company_return",
            [
                _company("bills", bills=60, cost=60, roi=55 / 60, left_out="setup, people and organisation"),
                _company("all cost", bills=65, cost=85, setup=10, people=10, roi=30 / 85),
            ],
        ),
    }


def _charge(month: int, provider: str, cost: Decimal | int, *, currency: str = "USD") -> dict[str, Any]:
    return {
        "charge_date": date(2026, month, 3), "service_provider_name": provider, "billing_account_id": "1",
        "service_category": "Compute", "service_name": f"{provider} things", "charge_category": "Usage",
        "billing_currency": currency, "billed_cost": Decimal(cost), "effective_cost": Decimal(cost),
        "contracted_cost": Decimal(cost), "list_cost": Decimal(cost), "charge_count": 1 if currency == "EUR" else 2,
    }  # fmt: skip


def _month(
    month: str, provider: str, cost: Decimal | int, month_cost: Decimal | int, share: float, *,
    change: float | None = None, currency: str = "USD",
) -> dict[str, Any]:  # fmt: skip
    amounts = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "provider_billed_cost", "provider_cost")
    return dict.fromkeys(amounts, Decimal(cost)) | {
        "month": month, "service_provider_name": provider, "service_category": "Compute",
        "service_name": f"{provider} things", "billing_currency": currency,
        "charge_count": 1 if currency == "EUR" else 2,
        "provider_share": share, "month_cost": Decimal(month_cost), "month_change": change,
    }  # fmt: skip


def _statement(
    team: str, allocation: str, cost: Decimal | int, team_cost: Decimal | int, share: float, *,
    month_cost: Decimal | int = 100, currency: str = "USD",
) -> dict[str, Any]:  # fmt: skip
    return {
        "month": "2026-10", "team": team, "line": "direct", "billing_currency": currency, "allocation": allocation,
        "billed_cost": Decimal(cost), "effective_cost": Decimal(cost), "allocation_cost": Decimal(cost),
        "team_cost": Decimal(team_cost), "team_share": share, "month_cost": Decimal(month_cost), "charge_count": 2,
    }  # fmt: skip


def _model(
    model: str, month: str = "2026-10", *, tokens: int | None = None, cost: int | None = None,
    per_1m: float | None = None, change: float | None = None, cut: bool = False,
) -> dict[str, Any]:  # fmt: skip
    return {
        "month": month, "service_provider_name": "OpenAI", "model": model, "currency": "USD",
        "tokens": None if tokens is None else Decimal(tokens), "token_cost": None if cost is None else Decimal(cost),
        "cost_per_1m_tokens": per_1m, "token_price_change": change, "is_token_price_cut": cut,
    }  # fmt: skip


def _requested(
    requests: int, *, billed: int | None = None, estimate: int | None = None, billed_1k: float | None = None,
    estimated_1k: float | None = None, unpriced: int = 0,
) -> dict[str, Any]:  # fmt: skip
    return {
        "requests": requests, "request_cost": None if billed is None else Decimal(billed),
        "estimated_request_cost": None if estimate is None else Decimal(estimate), "unpriced_requests": unpriced,
        "cost_per_1k_requests": billed_1k, "estimated_cost_per_1k_requests": estimated_1k,
    }  # fmt: skip


def _gate(gate: str, value: float | None, threshold: float) -> dict[str, Any]:
    return {
        "gate": gate, "value": value, "unit": "ratio", "threshold": threshold, "billing_currency": "USD",
        "is_passed": None if value is None else value <= threshold, "decided_by": "default", "source": "a page",
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
        "month_cost": None if cost is None else Decimal(100),
        "month_unfinished_cost": None if cost is None else Decimal(25),
    }  # fmt: skip


def _budgets(*rows: dict[str, Any]) -> dict[str, pl.DataFrame]:
    """The marts of budgets, each the only one of its scope."""
    alike = set(SCHEMAS["fct_budget_scope"])
    whole = [row for row in rows if row["lifecycle"] is None]
    company = [row for row in whole if row["team"] is None or row["billing_currency"] == "EUR"]
    shown = set(SCHEMAS["fct_company_budget"])
    bound = {
        "USD": {"binds": "everything", "month_cost": Decimal(100), "coverage": 1.0},
        "EUR": {"binds": "teams", "month_cost": EXACT, "coverage": 1.0},
    }
    return {
        "fct_budget_status": mart("fct_budget_status", list(rows)),
        "fct_budget_scope": mart(
            "fct_budget_scope", [{k: v for k, v in row.items() if k in alike} | {"budgets": 1} for row in rows]
        ),
        "fct_company_budget": mart(
            "fct_company_budget",
            [
                {k: v for k, v in row.items() if k in shown} | {"budgets": 1} | bound[row["billing_currency"]]
                for row in company
            ],
        ),
    }


def _budget(
    name: str, amount: int, actual: Decimal | int, expected: Decimal | int | None, *, low: int | None = None,
    high: int | None = None, status: str = "within", team: str | None = None, lifecycle: str | None = None,
    currency: str = "USD",
) -> dict[str, Any]:  # fmt: skip
    scope = f"team {team}" if team else f"lifecycle {lifecycle}" if lifecycle else "everything"
    return {
        "budget_name": name, "month": "2026-10", "team": team, "lifecycle": lifecycle, "billing_currency": currency,
        "scope": scope, "precedence": {"team": 1, "life": 2, "ever": 3}[scope[:4]], "scope_budgets": 1,
        "scope_share": 1.0, "scope_amount": Decimal(amount), "budget_amount": Decimal(amount),
        "actual_cost": Decimal(actual), "expectation_basis": None if expected is None else "own forecast",
        "expected_cost": None if expected is None else Decimal(expected),
        "expected_low": None if low is None else Decimal(low),
        "expected_high": None if high is None else Decimal(high),
        "consumed_ratio": float(actual / amount),
        "expected_ratio": None if expected is None else float(expected / amount),
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


def _value(use_case: str, cost: int, benefit: int | None, people: int | None = None) -> dict[str, Any]:
    return {
        "use_case": use_case, "month": "2026-09", "currency": "USD", "effective_cost": Decimal(cost),
        "organisation_cost": None if people is None else Decimal(people), "unconverted_cost_charges": 0,
        "has_outcome": benefit is not None, "is_measured": benefit is not None,
        "benefit": None if benefit is None else Decimal(benefit),
        "unmeasured_reason": "no outcome is reported" if benefit is None else None,
    }  # fmt: skip


def _return(
    use_case: str, *, bills: int, people: int | None, setup: int | None, benefit: int | None, roi: float | None,
    npv: float | None,
) -> dict[str, Any]:  # fmt: skip
    cost = bills + (people or 0) + (setup or 0)
    return {
        "use_case": use_case, "currency": "USD", "month": "2026-10", "first_month": "2026-09",
        "months_measured": 0 if benefit is None else 1, "months_unmeasured": 1 if benefit is None else 0,
        "bill_cost": Decimal(bills), "cost": Decimal(cost), "setup_cost": None if setup is None else Decimal(setup),
        "organisation_cost": None if people is None else Decimal(people),
        "benefit": None if benefit is None else Decimal(benefit),
        "roi_of_bills": None if benefit is None else benefit / bills - 1,
        "net": None if benefit is None else Decimal(benefit - cost), "roi": roi, "npv": npv, "discount_rate": 0.1,
    }  # fmt: skip


def _company(
    basis: str, *, bills: int, cost: int, roi: float, setup: int | None = None, people: int | None = None,
    left_out: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "month": "2026-10", "currency": "USD", "basis": basis, "use_cases": 2, "benefit": Decimal(115),
        "bill_cost": Decimal(bills), "cost": Decimal(cost), "net": Decimal(115 - cost), "roi": roi,
        "setup_cost": None if setup is None else Decimal(setup),
        "organisation_cost": None if people is None else Decimal(people), "left_out": left_out,
    }  # fmt: skip
