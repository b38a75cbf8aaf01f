"""Experiments and production of the sample company: what was planted is found, with its date and its cost."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.lake import Home
from finops_lib.money import EXACT
from finops_lib.samples import company as co

Charge = dict[str, Any]


@pytest.fixture(scope="module")
def truth(company: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def charges(company: Home) -> list[Charge]:
    """The lake's charges with the use case that their own tag, or the place they are billed to, names."""
    rows = warehouse.dataset(company, "cost_and_usage").select(
        "ChargePeriodStart", "BillingCurrency", "BilledCost", "EffectiveCost", "ListCost", "ResourceId",
        "SubAccountId", "Tags",
    )  # fmt: skip
    found = []
    for row in rows.iter_rows(named=True):
        delivered = json.loads(row["Tags"] or "{}")
        tags = {key.lower().removeprefix("user:").removeprefix("user_"): value for key, value in delivered.items()}
        place = co.PLACES.get(row["SubAccountId"] or "")
        found.append(
            {
                **row,
                "day": row["ChargePeriodStart"].date(),
                "use_case": tags.get("use_case") or (place.use_case if place else None),
                "env": tags.get("env") or (place.environment if place else None),
                "experiment": tags.get("experiment"),
            }
        )
    return found


def spent(charges: Iterable[Charge], column: str, wanted: Callable[[Charge], bool]) -> dict[str, Decimal]:
    """Cost per currency of the charges that are wanted."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in charges:
        if wanted(row):
            sums[row["BillingCurrency"]] = EXACT.add(sums[row["BillingCurrency"]], row[column])
    return dict(sums)


def test_the_promotion_is_found_on_its_day_with_the_cost_of_a_month_on_both_sides(
    company: Home, truth: dict[str, Any], charges: list[Charge]
) -> None:
    planted = truth["promotion"]
    day = date.fromisoformat(planted["date"])
    promotions = warehouse.mart(company, "fct_lifecycle_promotion")
    assert set(promotions.filter(pl.col("subject_kind") == "use_case")["subject"]) == {planted["use_case"]}
    rows = promotions.filter(pl.col("subject") == planted["use_case"])
    assert set(rows["promoted_on"]) == {day}
    assert set(rows["last_experiment_date"]) == {day - timedelta(days=1)}
    assert set(zip(rows["evidence_before"], rows["evidence_after"], strict=True)) == {
        (f"rule:environment-{planted['from']}", f"rule:environment-{planted['to']}")
    }
    of_it, month = [c for c in charges if c["use_case"] == planted["use_case"]], timedelta(days=30)
    before = spent(of_it, "EffectiveCost", lambda c: day - month <= c["day"] < day)
    after = spent(of_it, "EffectiveCost", lambda c: day <= c["day"] < day + month)
    assert dict(zip(rows["billing_currency"], rows["effective_cost_before"], strict=True)) == before
    assert dict(zip(rows["billing_currency"], rows["effective_cost_after"], strict=True)) == after
    for row in rows.iter_rows(named=True):
        assert (row["days_before"], row["days_after"]) == (30, 30)
        assert row["effective_cost_per_day_after"] == pytest.approx(float(after[row["billing_currency"]]) / 30)


def test_a_resource_that_stayed_through_the_promotion_is_found_too(company: Home) -> None:
    rows = warehouse.mart(company, "fct_lifecycle_promotion").filter(pl.col("subject_kind") == "resource")
    assert [(r.rsplit("/", 1)[1], d) for r, d in zip(rows["subject"], rows["promoted_on"], strict=True)] == [
        ("call-notes", co.PROMOTED_ON)
    ]


def test_the_abandoned_experiment_is_orphaned_since_its_last_run_and_costs_what_its_charges_say(
    company: Home, truth: dict[str, Any], charges: list[Charge]
) -> None:
    planted = truth["abandoned_experiment"]
    first_day = date.fromisoformat(planted["first_day_without_runs"])
    runs = warehouse.dataset(company, "training_run").filter(pl.col("use_case") == planted["use_case"])
    last_run = max(end.date() for end in runs["ended_at"])
    orphans = warehouse.mart(company, "fct_orphaned_experiment").filter(pl.col("status") == "orphaned")
    [row] = orphans.iter_rows(named=True)
    assert (row["subject"], row["owner"], row["last_run_on"], row["last_request_on"], row["billing_currency"]) == (
        planted["use_case"], planted["owner"], last_run, None, planted["currency"],
    )  # fmt: skip
    assert row["idle_since"] == last_run + timedelta(days=1) <= first_day
    assert row["idle_days"] == (co.LAST_DAY - last_run).days
    cost = spent(
        charges, "EffectiveCost", lambda c: c["use_case"] == planted["use_case"] and c["day"] >= row["idle_since"]
    )
    assert {row["billing_currency"]: row["effective_cost_since"]} == cost
    # The machines that were planted are in it: from the planted day on they cost what was planted.
    of_machines = spent(
        charges, "ListCost", lambda c: c["ResourceId"] in planted["resources"] and c["day"] >= first_day
    )
    assert of_machines == {planted["currency"]: Decimal(planted["list_cost_since"])}


def test_an_experiment_with_an_owner_is_idle_and_not_orphaned(company: Home) -> None:
    rows = warehouse.mart(company, "fct_orphaned_experiment").filter(pl.col("status") == "idle")
    assert [(r.rsplit("/", 1)[1], o) for r, o in zip(rows["subject"], rows["owner"], strict=True)] == [
        ("lumenar-research-data", co.OWNERS["research"][0])
    ]


def test_the_experiment_past_its_end_is_found_and_the_one_promoted_in_time_is_not(
    company: Home, truth: dict[str, Any], charges: list[Charge]
) -> None:
    planted = truth["experiment_past_its_end"]
    end = date.fromisoformat(planted["planned_end"])
    rows = {r["experiment"]: r for r in warehouse.mart(company, "fct_experiment_overrun").iter_rows(named=True)}
    assert {name: row["status"] for name, row in rows.items()} == {
        planted["experiment"]: "past its end", "voice-pilot": "ended", "agents": "running",
    }  # fmt: skip
    row = rows[planted["experiment"]]
    whole = spent(charges, "EffectiveCost", lambda c: c["use_case"] == planted["use_case"])
    past = spent(charges, "EffectiveCost", lambda c: c["use_case"] == planted["use_case"] and c["day"] >= end)
    assert {row["billing_currency"]: row["effective_cost"]} == whole
    assert {row["billing_currency"]: row["effective_cost_past_end"]} == past
    assert row["days_past_end"] == (co.LAST_DAY - end).days + 1
    assert row["is_over_budget"] == (whole[planted["currency"]] > planted["budget"])
    agents = spent(charges, "EffectiveCost", lambda c: c["experiment"] == "agent-lab")
    assert {"USD": rows["agents"]["effective_cost"]} == agents


def test_experiments_are_a_share_of_production_with_the_unknown_beside_them(
    company: Home, charges: list[Charge]
) -> None:
    share = warehouse.mart(company, "fct_lifecycle_share").filter(pl.col("scope") == "company")
    bill: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in charges:
        key = (f"{row['day']:%Y-%m}", row["BillingCurrency"])
        bill[key] = EXACT.add(bill[key], row["EffectiveCost"])
    pilots = spent(charges, "EffectiveCost", lambda c: c["env"] in ("pilot", "experiment"))
    for row in share.iter_rows(named=True):
        parts = EXACT.add(EXACT.add(row["experiment_cost"], row["production_cost"]), row["unknown_cost"])
        assert parts == row["effective_cost"] == bill[row["month"], row["billing_currency"]]
        assert row["experiment_limit"] == 0.30
    assert share.filter(pl.col("billing_currency") == "EUR")["experiment_cost"].sum() == 0
    assert "EUR" not in pilots
    # Every tagged pilot and experiment is in it; the rest is told by accounts and keys.
    assert share["experiment_cost"].sum() >= pilots["USD"] > 0
    budgets = warehouse.dataset(company, "budget").filter(pl.col("lifecycle") == "experiment")
    allowed = dict(zip(budgets["month"], budgets["amount"], strict=True))
    for row in share.filter(pl.col("billing_currency") == "USD").iter_rows(named=True):
        assert row["experiment_budget"] == allowed[row["month"]]
        assert row["experiment_budget_status"] == (
            "over" if row["experiment_cost"] > allowed[row["month"]] else "within"
        )


def test_jobs_are_temporary_and_machines_that_stay_are_persistent(company: Home, charges: list[Charge]) -> None:
    rows = warehouse.mart(company, "fct_lifecycle_cost")
    assert set(rows["persistence"]) == {"temporary", "persistent", "unknown"}
    jobs = spent(charges, "EffectiveCost", lambda c: ":training-job/" in (c["ResourceId"] or ""))
    temporary = rows.filter(pl.col("persistence") == "temporary")
    assert {evidence.split(":")[0] for evidence in temporary["persistence_evidence"]} == {"run"}
    assert {"USD": temporary["effective_cost"].sum()} == jobs
