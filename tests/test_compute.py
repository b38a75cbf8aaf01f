"""What machines do for their money: GPUs, training runs and functions of the sample company, added up a second time."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any

import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.lake import Home
from finops_lib.money import EXACT
from finops_lib.samples import company as co

GPU_MACHINES = {name: machine.gpus for name, machine in co.MACHINES.items() if machine.gpus}


def total(amounts: Any) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))


@pytest.fixture(scope="module")
def machine_charges(company: Home) -> list[dict[str, Any]]:
    """Charges of machines with GPUs: what telemetry calls the machine, its device hours, and its costs."""
    charges = warehouse.dataset(company, "cost_and_usage").filter(pl.col("ChargeCategory") == "Usage")
    found = []
    for row in charges.iter_rows(named=True):
        details = json.loads(row["SkuPriceDetails"] or "{}")
        kind = details.get("InstanceType")
        machine = row["ResourceId"] if row["ServiceProviderName"] == "AWS" else row["ResourceName"]
        hours = Decimal(0)
        if row["ServiceProviderName"] == "Google Cloud":
            if row["ServiceName"] != "Compute Engine":
                continue
            if row["ChargeDescription"].startswith("Nvidia"):
                hours = row["ConsumedQuantity"] / 3600
        elif kind not in GPU_MACHINES or row["CommitmentDiscountStatus"] == "Unused":
            continue
        else:
            hours = row["ConsumedQuantity"] * GPU_MACHINES[kind]
        day = row["ChargePeriodStart"].date()
        found.append({"day": day, "machine": machine, "kind": kind, "device_hours": hours, "charge": row})
    return found


def test_the_machines_that_stand_idle_are_those_of_the_abandoned_experiment(
    company: Home, machine_charges: list[dict[str, Any]]
) -> None:
    planted = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))["abandoned_experiment"]
    since = date.fromisoformat(planted["first_day_without_runs"])
    idle = warehouse.mart(company, "fct_gpu_idle").filter(pl.col("idle_days") > 0)
    assert sorted(set(idle["resource_id"])) == planted["resources"]
    assert idle["first_idle_day"].min() == since
    assert total(idle["idle_days_list_cost"]) == Decimal(planted["list_cost_since"])
    mine = [c for c in machine_charges if c["machine"] in planted["resources"] and c["day"] >= since]
    assert total(idle["idle_days_cost"]) == total(c["charge"]["EffectiveCost"] for c in mine)
    assert idle["idle_days"].sum() == len({(c["machine"], c["day"]) for c in mine})
    use = warehouse.mart(company, "fct_gpu_utilization").filter(
        (pl.col("charge_date") >= since) & (pl.col("team") == "research") & (pl.col("device_class") == "A10G")
    )
    wasted = use.filter(pl.col("grade") == "below target")["idle_cost"]
    assert float(total(wasted)) > 0.99 * float(total(idle["idle_days_cost"]))


def test_gpu_hours_and_their_cost_are_those_of_the_bill(company: Home, machine_charges: list[dict[str, Any]]) -> None:
    use = warehouse.mart(company, "fct_gpu_utilization")
    assert set(use["hours_basis"]) == {"bill"}
    for currency in ("EUR", "USD"):
        bought = [c for c in machine_charges if c["charge"]["BillingCurrency"] == currency]
        rows = use.filter(pl.col("billing_currency") == currency)
        assert total(rows["effective_cost"]) == total(c["charge"]["EffectiveCost"] for c in bought)
        wanted = float(total(c["device_hours"] for c in bought))
        assert float(total(rows["bought_hours"])) == pytest.approx(wanted, rel=1e-12)
        parts = total(total(rows[c].drop_nulls()) for c in ("used_cost", "idle_cost", "unmeasured_cost"))
        assert parts == total(rows["effective_cost"])


def test_gpu_hours_used_are_what_telemetry_saw_of_the_hours_paid_for(
    company: Home, machine_charges: list[dict[str, Any]]
) -> None:
    bought: dict[tuple[str, date], float] = defaultdict(float)
    for charge in machine_charges:
        bought[charge["machine"], charge["day"]] += float(charge["device_hours"])
    telemetry = warehouse.dataset(company, "gpu_utilization")
    devices = telemetry.group_by("resource_id", pl.col("usage_start").dt.date()).len()
    count = {(machine, day): n for machine, day, n in devices.iter_rows()}
    used: dict[str, float] = defaultdict(float)
    measured: dict[str, float] = defaultdict(float)
    for row in telemetry.filter(pl.col("utilization_ratio").is_not_null()).iter_rows(named=True):
        machine = row["resource_id"], row["usage_start"].date()
        hours = bought[machine] / count[machine]
        measured[row["purpose"]] += hours
        used[row["purpose"]] += hours * row["utilization_ratio"]
    use = warehouse.mart(company, "fct_gpu_utilization")
    for purpose in ("inference", "training"):
        rows = use.filter(pl.col("purpose") == purpose)
        assert float(total(rows["used_hours"].drop_nulls())) == pytest.approx(used[purpose], rel=1e-9)
        assert float(total(rows["measured_hours"].drop_nulls())) == pytest.approx(measured[purpose], rel=1e-9)
    assert total(use["unmeasured_hours"].drop_nulls()) > 0
    assert use.filter(pl.col("measured_hours").is_null())["utilization_ratio"].is_null().all()


def test_the_heatmap_holds_every_device_hour_once(company: Home) -> None:
    telemetry = warehouse.dataset(company, "gpu_utilization")
    heat = warehouse.mart(company, "fct_gpu_heatmap")
    assert total(heat["device_hours"]) == 24 * telemetry.height
    weekend = heat.filter(pl.col("weekday") >= 6)
    days = telemetry.filter(pl.col("usage_start").dt.weekday() >= 6)
    assert total(weekend["device_hours"]) == 24 * days.height
    assert heat["hour_of_day"].is_null().all()  # telemetry of the sample company is daily


def test_a_run_costs_its_job_on_the_bill_else_its_hours_at_the_months_rate(company: Home) -> None:
    charges = warehouse.dataset(company, "cost_and_usage")
    runs = warehouse.mart(company, "fct_training_run_cost")
    jobs = charges.filter(pl.col("ResourceId").str.contains(":training-job/"))
    billed = runs.filter(pl.col("cost_basis") == "bill")
    assert total(billed["effective_cost"]) == total(jobs["EffectiveCost"])
    assert billed.height == jobs["ResourceId"].n_unique()
    machines = charges.filter(
        (pl.col("ChargeCategory") == "Usage")
        & (pl.col("SkuPriceDetails").str.json_path_match("$.InstanceType") == "p4d.24xlarge")
        & (pl.col("ConsumedUnit") == "Hours")
    ).with_columns(month=pl.col("ChargePeriodStart").dt.strftime("%Y-%m"))
    rates = {
        month: float(total(rows["EffectiveCost"])) / float(total(rows["ConsumedQuantity"]))
        for (month,), rows in machines.group_by("month")
    }
    estimated = runs.filter(pl.col("cost_basis") == "rate")
    assert set(estimated["experiment"]) == {"agent-lab-rl"}
    for run in estimated.iter_rows(named=True):
        hours = run["billable_seconds"] / 3600 * run["instance_count"]
        assert float(run["effective_cost"]) == pytest.approx(hours * rates[f"{run['started_at']:%Y-%m}"], rel=1e-12)


def test_runs_and_what_they_do_not_explain_are_the_bill_of_their_machines(company: Home) -> None:
    charges = warehouse.dataset(company, "cost_and_usage").filter(pl.col("ChargeCategory") == "Usage")
    kinds = charges["SkuPriceDetails"].str.json_path_match("$.InstanceType")
    reconciled = warehouse.mart(company, "fct_training_reconciliation")
    for (kind,), rows in reconciled.group_by("instance_type"):
        assert total(rows["effective_cost"]) == total(charges.filter(kinds == kind)["EffectiveCost"]), kind
    difference = reconciled.filter(pl.col("cost_basis") == "difference")
    assert set(difference["instance_type"]) == {"p4d.24xlarge"}
    assert (difference["effective_cost"] > 0).all()
    runs = warehouse.mart(company, "fct_training_run_cost")
    assert reconciled["runs"].sum() == runs.height


def test_a_points_gain_is_over_the_best_run_before_and_lost_runs_have_their_cost(company: Home) -> None:
    runs = warehouse.mart(company, "fct_training_run_cost").sort("started_at", "run_id")
    best: dict[str, float] = {}
    gains = 0
    for run in runs.iter_rows(named=True):
        value, before = run["metric_value"], best.get(run["experiment"])
        assert run["previous_best_value"] == before
        if value is None:
            assert run["no_gain_reason"] == "no metric"
            continue
        if before is not None and value > before:
            gains += 1
            wanted = float(run["effective_cost"]) / ((value - before) * 100)
            assert run["cost_per_point_gained"] == pytest.approx(wanted, rel=1e-9)
        else:
            assert run["cost_per_point_gained"] is None
            assert run["no_gain_reason"] in ("first run", "no gain")
        best[run["experiment"]] = max(value, before or value)
    assert gains > 10
    lost = runs.filter(pl.col("status").is_in(["failed", "stopped"]))
    assert total(runs["unfinished_cost"].drop_nulls()) == total(lost["effective_cost"])
    interrupted = runs.filter(pl.col("spot_interruptions") > 0)
    assert set(interrupted["experiment"]) == {t.experiment for t in co.TRAININGS if t.spot}
    assert total(runs["interrupted_cost"].drop_nulls()) == total(interrupted["effective_cost"])


def test_every_function_is_billed_for_what_telemetry_counted(company: Home) -> None:
    functions = warehouse.mart(company, "fct_serverless_unit_cost")
    charges = warehouse.dataset(company, "cost_and_usage").filter(pl.col("ServiceName") == "AWS Lambda")
    usage = charges.filter(pl.col("ChargeCategory") == "Usage")
    runs = warehouse.dataset(company, "function_run")
    assert total(functions["effective_cost"]) == total(charges["EffectiveCost"])
    assert set(functions["function_name"]) == {f.name for f in co.FUNCTIONS}
    for row in functions.iter_rows(named=True):
        mine = runs.filter(
            (pl.col("function_name") == row["function_name"])
            & (pl.col("usage_start").dt.strftime("%Y-%m") == row["month"])
        )
        bill = usage.filter(
            (pl.col("ResourceId") == row["resource_id"])
            & (pl.col("ChargePeriodStart").dt.strftime("%Y-%m") == row["month"])
        )
        assert row["invocations"] == mine["invocations"].sum() == row["billed_requests"]
        assert row["effective_cost"] == total(bill["EffectiveCost"])
        wanted = float(row["effective_cost"]) / row["invocations"] * 1e6
        assert row["effective_cost_per_1m_invocations"] == pytest.approx(wanted, rel=1e-12)
        assert abs(row["unexplained_cost"]) < Decimal("0.001")
        [memory] = set(mine["memory_size_mb"])
        started = float(mine["init_duration_ms"].sum()) * memory / 1024 / 1000 * float(co.FUNCTION_PRICES[0])
        assert float(row["cold_start_cost"]) == pytest.approx(started, rel=1e-9)
        used = max(mine["max_memory_used_mb"])
        spare = mine["billed_duration_ms"].sum() / 1000 * (memory - used) / 1024 * float(co.FUNCTION_PRICES[0])
        assert float(row["spare_memory_cost"]) == pytest.approx(spare, rel=1e-9)
        assert row["spare_memory_ratio"] == pytest.approx(1 - used / memory, rel=1e-12)
    cold = functions.sort("cold_start_ratio", descending=True)["function_name"][0]
    assert cold == max(co.FUNCTIONS, key=lambda f: f.cold).name


def test_a_spot_run_waited_for_what_it_was_not_billed(company: Home) -> None:
    runs = warehouse.mart(company, "fct_training_run_cost").filter(pl.col("is_spot") & pl.col("ended_at").is_not_null())
    for run in runs.iter_rows(named=True):
        lasted = (run["ended_at"] - run["started_at"]).total_seconds()
        assert run["spot_wait_seconds"] == lasted - run["billable_seconds"] > 0
