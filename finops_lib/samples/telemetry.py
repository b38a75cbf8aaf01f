"""Companions of the bill, in the columns of their contracts: GPU utilisation, training runs, functions and outcomes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from . import company as co
from .aws import function_days, job_arn, jobs
from .base import Month, Run, load, machines, noise, uuid

_WEEKDAYS = 5
_IDLE = 0.004
"""GPU utilisation of machines that nobody uses any more."""


def write(run: Run) -> None:
    """Write one file per dataset and month."""
    datasets = {
        "gpu_utilization": _gpus, "training_run": _trainings, "function_run": _functions, "outcome": _outcomes,
    }  # fmt: skip
    for name, rows_of in datasets.items():
        for month in run.months:
            rows = list(rows_of(run, month))
            if rows:
                text = io.StringIO()
                table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
                table.writeheader()
                table.writerows(rows)
                file = run.out / "inbox" / "telemetry" / f"{name}-{month.text}.csv"
                run.truth.written(file).write_text(text.getvalue(), encoding="utf-8")


def _gpus(run: Run, month: Month) -> Iterator[dict[str, Any]]:
    """A day of each GPU. One device in two hundred has no value, as exporters do."""
    rng = run.rng("gpu", month)
    for vendor in (co.AWS, co.AZURE, co.GCP):
        for day in month.days:
            for fleet, machine, _ in machines(run, vendor, day):
                gpus = co.MACHINES[fleet.machine].gpus
                abandoned = fleet.use_case == "orion-distill" and day >= co.ABANDONED_ON
                weekend = 1 if day.weekday() < _WEEKDAYS else 0.5 + fleet.weekend / 2
                busy = _IDLE if abandoned else fleet.busy * weekend
                for n in range(gpus):
                    used = min(busy * noise(rng, 0.12), 0.99)
                    unknown = rng.random() < 0.005
                    yield {
                        **_period(day, 1),
                        "provider": vendor,
                        "account_id": co.ACCOUNTS[vendor],
                        "resource_id": machine,
                        "device_id": f"GPU-{uuid(machine, n)}",
                        "gpu_model": co.MACHINES[fleet.machine].gpu_model,
                        "purpose": fleet.purpose,
                        "team": None if abandoned or fleet.use_case == "shared-platform" else _team(fleet.use_case),
                        "utilization_ratio": None if unknown else round(used, 4),
                        "memory_used_ratio": None if unknown else round(min(used * 1.2 + 0.05, 0.98), 4),
                    }


def _trainings(run: Run, month: Month) -> Iterator[dict[str, Any]]:
    for training, run_id, start, seconds, how in jobs(run, month):
        runs_on = training.fleet is not None and start.date() == co.LAST_DAY
        lasted = int(seconds * (1.3 if training.spot else 1))
        yield {
            "run_id": run_id,
            "run_name": run_id,
            "experiment": training.experiment,
            "account_id": co.ACCOUNTS[co.AWS],
            "team": _team(training.use_case),
            "use_case": training.use_case,
            "model": training.model,
            "status": "running" if runs_on else how["status"],
            "started_at": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "ended_at": None if runs_on else f"{start + timedelta(seconds=lasted):%Y-%m-%dT%H:%M:%SZ}",
            "billable_seconds": seconds,
            "instance_type": training.machine,
            "instance_count": training.machines,
            "resource_id": job_arn(training, run_id),
            "is_spot": str(training.spot).lower(),
            "spot_interruptions": how["interruptions"],
            "epochs": how["epochs"],
            "metric_name": training.metric,
            "metric_value": None if how["status"] == "failed" else how["metric"],
        }


def _functions(run: Run, month: Month) -> Iterator[dict[str, Any]]:
    rng = run.rng("function runs", month)
    for function, arn, day, calls, seconds in function_days(run, month):
        cold = int(calls * function.cold * noise(rng, 0.2))
        yield {
            **_period(day, 1),
            "provider": co.AWS,
            "account_id": co.ACCOUNTS[co.AWS],
            "function_name": arn.rsplit(":", 1)[1],
            "resource_id": arn,
            "invocations": calls,
            "failed_invocations": int(calls * function.failing * noise(rng, 0.3)),
            "cold_starts": cold,
            "billed_duration_ms": seconds * 1000,
            "init_duration_ms": cold * 640,
            "memory_size_mb": function.memory_mb,
            "max_memory_used_mb": int(function.memory_mb * 0.6),
            "external_api_calls": int(calls * function.external_calls),
        }


def _outcomes(run: Run, month: Month) -> Iterator[dict[str, Any]]:
    """What each use case brought in a month; the open month so far."""
    rng = run.rng("outcome", month)
    elapsed = len(month.days) / (month.next - month.first).days
    for outcome in co.OUTCOMES:
        growth = load(month.first, outcome.growth, 1) / load(month.first, 0, 1)
        factor = growth * noise(rng, 0.05) * elapsed
        if month.first < outcome.since:
            continue
        units = round(outcome.units * factor)
        revenue = None if outcome.revenue is None else Decimal(round(outcome.revenue * factor * 100)).scaleb(-2)
        yield {
            "use_case": outcome.use_case,
            "period_start": month.first,
            "period_end": month.end,
            "unit_name": outcome.unit_name,
            "units": units,
            "accepted_units": int(units * min(outcome.accepted * noise(rng, 0.02), 1)),
            "revenue": revenue,
            "currency": None if revenue is None else "USD",
            "hours_saved": None if outcome.hours_saved is None else round(outcome.hours_saved * factor, 1),
            "satisfaction": None if outcome.satisfaction is None else round(outcome.satisfaction * noise(rng, 0.02), 3),
            "active_users": None if outcome.active_users is None else min(
                round(outcome.active_users * growth), outcome.eligible_users or 0),
            "eligible_users": outcome.eligible_users,
        }  # fmt: skip


def _period(day: date, days: int) -> dict[str, str]:
    return {"usage_start": f"{day}T00:00:00Z", "usage_end": f"{day + timedelta(days=days)}T00:00:00Z"}


def _team(use_case: str) -> str:
    return co.USE_CASES[use_case].team
