"""What an exporter's manifest decides: the newest delivery of a month counts, a part that is missing holds it back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finops_lib import lake, pipeline
from finops_lib.ingest import ingest
from finops_lib.lake import Home

CUR = (
    "bill/PayerAccountId,lineItem/UsageAccountId,lineItem/LineItemType,lineItem/ProductCode,lineItem/UnblendedCost,"
    "lineItem/CurrencyCode,bill/BillingPeriodStartDate,bill/BillingPeriodEndDate,lineItem/UsageStartDate,"
    "lineItem/UsageEndDate,bill/BillingEntity\n"
)


def line(cost: str) -> str:
    return (
        f"111122223333,111122223333,Usage,AmazonEC2,{cost},USD,2026-09-01T00:00:00Z,2026-10-01T00:00:00Z,"
        "2026-09-02T00:00:00Z,2026-09-02T01:00:00Z,AWS\n"
    )


def assembly(inbox: Path, name: str, *costs: str, parts: tuple[str, ...] = ("cur-1.csv",)) -> None:
    """One legacy delivery: the parts with a line each and a manifest, below the period's folder."""
    period = inbox / "cur" / "20260901-20261001"
    folder = period / name
    folder.mkdir(parents=True)
    for part, cost in zip(parts, costs, strict=False):
        (folder / part).write_text(CUR + line(cost), encoding="utf-8")
    said = json.dumps(
        {
            "assemblyId": name,
            "account": "111122223333",
            "reportName": "cur",
            "billingPeriod": {"start": "20260901T000000.000Z", "end": "20261001T000000.000Z"},
            "reportKeys": [f"cur/20260901-20261001/{name}/{part}" for part in parts],
        }
    )
    (folder / "cur-Manifest.json").write_text(said, encoding="utf-8")
    (period / "cur-Manifest.json").write_text(said, encoding="utf-8")


def billed(home: Home) -> dict[str, dict[str, str]]:
    return {u.month: d.billed_total for u, d in lake.current(home).items() if u.dataset == "cost_and_usage"}


def test_of_two_assemblies_of_a_month_only_the_one_the_manifest_names_counts(home: Home, tmp_path: Path) -> None:
    assembly(tmp_path / "s3", "aaaa", "10")
    assembly(tmp_path / "s3", "0000", "11.5")
    done = ingest(home, [tmp_path / "s3"], data_docs=False)
    assert [(o.status, o.message) for o in done.outcomes] == [
        (
            "superseded",
            "cur/20260901-20261001/aaaa/cur-1.csv: left out; cur/20260901-20261001/cur-Manifest.json names a newer "
            "delivery of it",
        ),
        ("published", "cost_and_usage from aws_cur, account 111122223333, 2026-09: 1 row, billed USD 11.5"),
    ]
    assert billed(home) == {"2026-09": {"USD": "11.5"}}


def test_a_delivery_without_one_of_the_files_its_manifest_names_stays_out(home: Home, tmp_path: Path) -> None:
    assembly(tmp_path / "s3", "aaaa", "10", parts=("cur-1.csv", "cur-2.csv"))
    done = ingest(home, [tmp_path / "s3"], data_docs=False)
    assert [(o.status, o.message) for o in done.outcomes] == [
        (
            "refused",
            "cur/20260901-20261001/aaaa/cur-1.csv: stays out, because cur/20260901-20261001/cur-Manifest.json also "
            "names cur/20260901-20261001/aaaa/cur-2.csv, which is not there. Fetch the whole delivery.",
        )
    ]
    assert billed(home) == {}


def test_a_later_part_of_the_same_delivery_brings_its_earlier_parts_with_it(home: Home, tmp_path: Path) -> None:
    home.inbox.mkdir(parents=True)
    assembly(home.inbox, "aaaa", "10", "2.5", parts=("cur-1.csv", "cur-2.csv"))
    ingest(home, [home.inbox], data_docs=False)
    assert billed(home) == {"2026-09": {"USD": "12.5"}}
    changed = home.inbox / "cur" / "20260901-20261001" / "aaaa" / "cur-2.csv"
    changed.write_text(CUR + line("3"), encoding="utf-8")
    done = ingest(home, [home.inbox], new_only=True, data_docs=False)
    assert [o.message for o in done.outcomes] == [
        "cost_and_usage from aws_cur, account 111122223333, 2026-09: 2 rows, billed USD 13; "
        "replaces an earlier delivery, change USD +0.5"
    ]
    assert ingest(home, [home.inbox], new_only=True, data_docs=False).outcomes == []


AZURE = "SubscriptionId,BillingAccountId,Date,MeterCategory,MeterId,ChargeType,Quantity,EffectivePrice,UnitPrice,Cost,"
AZURE += "BillingCurrency,BillingPeriodStartDate,BillingPeriodEndDate,PublisherName,ResourceId,UnitOfMeasure,"
AZURE += "Frequency,PricingModel,ConsumedService,Product\n"


def azure(folder: Path, run: str, submitted: str, cost: str, kind: str = "ActualCost") -> None:
    out = folder / "exports" / "20260901-20260930" / run
    out.mkdir(parents=True)
    (out / "part_0.csv").write_text(
        AZURE + f"sub-1,ea-1,09/02/2026,Storage,m-1,Usage,1,{cost},{cost},{cost},EUR,09/01/2026,09/30/2026,Microsoft,"
        "/subscriptions/sub-1/x,1 GB,UsageBased,OnDemand,Microsoft.Storage,Blob\n",
        encoding="utf-8",
    )
    (out / "manifest.json").write_text(
        json.dumps(
            {
                "exportConfig": {"exportName": "daily", "resourceId": "/ea/1", "type": kind},
                "runInfo": {"submittedTime": submitted, "runId": run, "startDate": "2026-09-01T00:00:00"},
                "blobs": [{"blobName": f"exports/20260901-20260930/{run}/part_0.csv"}],
            }
        ),
        encoding="utf-8",
    )


def test_of_daily_month_to_date_exports_the_one_submitted_last_counts(home: Home, tmp_path: Path) -> None:
    azure(tmp_path / "blob", "b", "2026-09-04T05:00:00Z", "4")
    azure(tmp_path / "blob", "a", "2026-09-05T05:00:00Z", "5")
    azure(tmp_path / "blob", "c", "2026-09-03T05:00:00Z", "3")
    done = ingest(home, [tmp_path / "blob"], data_docs=False)
    assert sorted(o.status for o in done.outcomes) == ["published", "superseded", "superseded"]
    assert billed(home) == {"2026-09": {"EUR": "5"}}


def test_the_manifest_tells_an_amortized_export_whose_rows_do_not(home: Home, tmp_path: Path) -> None:
    azure(tmp_path / "blob", "a", "2026-09-05T05:00:00Z", "5")
    azure(tmp_path / "blob", "m", "2026-09-05T05:01:00Z", "4.75", kind="AmortizedCost")
    ingest(home, [tmp_path / "blob"], data_docs=False)
    assert billed(home) == {"2026-09": {"EUR": "5"}}
    [delivery] = [d for u, d in lake.current(home).items() if u.dataset == "cost_and_usage"]
    assert delivery.effective_total == {"EUR": "4.75"}


@pytest.mark.parametrize("text", ["", "[]", '{"blobs": []}', '{"entries": [1]}', "not json"])
def test_a_file_that_is_only_called_manifest_changes_nothing(home: Home, tmp_path: Path, text: str) -> None:
    assembly(tmp_path / "s3", "aaaa", "10")
    (tmp_path / "s3" / "manifest.json").write_text(text, encoding="utf-8")
    ingest(home, [tmp_path / "s3"], data_docs=False)
    assert billed(home) == {"2026-09": {"USD": "10"}}


def test_a_scheduled_run_reads_each_delivery_once(home: Home) -> None:
    home.inbox.mkdir(parents=True)
    assembly(home.inbox, "aaaa", "10")
    first = pipeline.run(home)["steps"][0]
    assert (
        first["said"] == "published: cost_and_usage from aws_cur, account 111122223333, 2026-09: 1 row, billed USD 10"
    )
    assert pipeline.run(home)["steps"][0]["said"] == "no new files"
