"""A cluster's cost is split to the last digit it was delivered with, and never added to the bill it is a part of."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home, current

from conftest import ROOT  # isort: skip

SAMPLES = ROOT / "data" / "samples"


def allocation(name: str, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "properties": {"cluster": "c1"},
        "window": {"start": "2026-10-05T00:00:00Z", "end": "2026-10-06T00:00:00Z"},
        "cpuCoreHours": 24,
        "cpuCost": 1.5,
        "ramCost": 0.5,
        "totalCost": 2,
        **changed,
    }


def deliver(home: Home, file: Path, *windows: dict[str, Any] | None) -> list[str]:
    file.write_text(json.dumps({"code": 200, "data": list(windows)}), encoding="utf-8")
    return [o.message for o in ingest(home, [file], data_docs=False).refused]


def test_a_cluster_costs_what_its_workloads_and_its_idle_capacity_cost(home: Home) -> None:
    assert ingest(home, [SAMPLES / "opencost_allocation"], data_docs=False).refused == []
    rows = warehouse.dataset(home, "cluster_allocation")
    assert sum(rows["total_cost"], Decimal(0)) == Decimal("81.21925")
    assert {k: sum(part["total_cost"], Decimal(0)) for (k,), part in rows.group_by("kind")} == {
        "workload": Decimal("23.20193"),
        "idle": Decimal("57.70732"),
        "unallocated": Decimal("0.2"),
        "unmounted": Decimal("0.11"),
    }


def test_a_quarter_gpu_and_the_idle_rest_are_the_whole_gpu(home: Home) -> None:
    assert ingest(home, [SAMPLES / "opencost_allocation"], data_docs=False).refused == []
    rows = warehouse.dataset(home, "cluster_allocation")
    assert [h for h in rows["gpu_hours"].drop_nulls() if h] == [Decimal(6), Decimal(18)]
    assert sum(rows["gpu_hours"].drop_nulls(), Decimal(0)) == 24


def test_a_split_of_a_cluster_is_no_charge(home: Home) -> None:
    assert ingest(home, [SAMPLES / "opencost_allocation", SAMPLES / "opencost_csv"], data_docs=False).refused == []
    assert {unit.dataset for unit in current(home)} == {"cluster_allocation"}
    assert all(delivery.billed_total == {} for delivery in current(home).values())
    readers = [
        f.name for f in (ROOT / "dbt_project" / "models").rglob("*.sql")
        if "cluster_allocation" in f.read_text(encoding="utf-8") and "cost_and_usage" in f.read_text(encoding="utf-8")
    ]  # fmt: skip
    assert readers == []


def test_parts_that_do_not_add_up_to_their_total_are_refused_by_row(home: Home, tmp_path: Path) -> None:
    window = {"a": allocation("a"), "b": allocation("b", totalCost=2.0002)}
    assert deliver(home, tmp_path / "a.json", window) == [
        "a.json, row 2, column total_cost: found '2.000200000000000000', wanted parts add up to the total within "
        "0.0001. cluster_allocation from opencost_allocation, account c1, 2026-10 stays as it was."
    ]
    assert deliver(home, tmp_path / "b.json", {"a": allocation("a", totalCost=2.0001)}) == []


def test_a_csv_whose_parts_exceed_the_total_is_refused(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(
        "Date,Namespace,Pod,Container,CPUCost,RAMCost,TotalCost\n2026-10-05,web,web-1,main,1,1,1.5\n", encoding="utf-8"
    )
    [refused] = ingest(home, [file], account="c1", data_docs=False).refused
    assert "wanted parts add up to the total within 0.0001" in refused.message


def test_a_cost_that_is_no_number_stays_unknown(home: Home, tmp_path: Path) -> None:
    assert deliver(home, tmp_path / "a.json", {"a": allocation("a", gpuCost=None)}) == []
    assert warehouse.dataset(home, "cluster_allocation")["gpu_cost"].to_list() == [None]
    assert deliver(home, tmp_path / "b.json", {"a": allocation("a", totalCost=None)}) == [
        "b.json, row 1, column totalCost: found nothing, wanted a value (a number). "
        "Correct the value at its source and deliver the file again."
        " cluster_allocation from opencost_allocation, account c1, 2026-10 stays as it was."
    ]


def test_a_day_delivered_again_replaces_that_day_of_that_cluster(home: Home, tmp_path: Path) -> None:
    next_day = {"start": "2026-10-06T00:00:00Z", "end": "2026-10-07T00:00:00Z"}
    first, second = {"a": allocation("a")}, {"a": allocation("a", window=next_day)}
    other = {"a": allocation("a", properties={"cluster": "c2"})}
    assert deliver(home, tmp_path / "a.json", first, None, second, other) == []
    assert deliver(home, tmp_path / "b.json", {"a": allocation("a", cpuCost=2.5, totalCost=3)}) == []
    rows = warehouse.dataset(home, "cluster_allocation")
    assert sorted((r["cluster"], r["usage_start"].day, int(r["total_cost"])) for r in rows.to_dicts()) == [
        ("c1", 5, 3), ("c1", 6, 2), ("c2", 5, 2),
    ]  # fmt: skip


def test_two_rows_of_one_allocation_and_window_are_refused(home: Home, tmp_path: Path) -> None:
    [refused] = deliver(home, tmp_path / "a.json", {"a": allocation("a")}, {"a": allocation("a")})
    assert refused.startswith(
        "a.json, row 2, column cluster, usage_start, usage_end, allocation: found the same key as in row 1, "
    )


def test_sums_of_a_cloud_bill_are_refused_because_the_bill_would_count_twice(home: Home, shared_samples: Path) -> None:
    file = shared_samples / "opencost" / "cloudCost-example-output.json"
    assert [o.message for o in ingest(home, [file], data_docs=False).outcomes] == [
        "cloudCost-example-output.json: These are sums of a cloud provider's bill, made by OpenCost without currency, "
        "account or kind of charge, and would count that bill twice. Deliver the provider's own export."
    ]


def test_the_published_opencost_samples_arrive_as_they_add_up(home: Home, shared_samples: Path) -> None:
    folder = shared_samples / "opencost"
    files = [folder / "allocation-example-output.json", folder / "export-sample.csv"]
    assert ingest(home, files, data_docs=False).refused == []
    rows = warehouse.dataset(home, "cluster_allocation")
    totals = {s: sum(part["total_cost"], Decimal(0)) for (s,), part in rows.group_by("x_adapter")}
    assert totals == {
        "opencost_allocation": Decimal("1.77816"),
        "opencost_csv": Decimal("0.020987493472023010"),
    }
    assert rows["resource_id"].drop_nulls().to_list() == ["i-123458f89b9d35c11"]
