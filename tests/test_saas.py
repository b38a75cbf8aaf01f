"""Databricks, Snowflake and MongoDB Atlas: what is used is priced or refused; the bill adds up to the last digit."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home, current

from conftest import ROOT  # isort: skip

SAMPLES = ROOT / "data" / "samples"
USAGE = SAMPLES / "databricks_usage" / "usage.csv"
PRICES = SAMPLES / "databricks_list_prices" / "list_prices.csv"


def billed(home: Home) -> Decimal:
    return sum(warehouse.dataset(home, "cost_and_usage")["BilledCost"], Decimal(0))


def said(home: Home, *files: Path) -> list[tuple[str, str]]:
    return [(o.status, o.message) for o in ingest(home, files, data_docs=False).outcomes]


def changed(file: Path, out: Path, **columns: str) -> Path:
    """A copy of a CSV with every row's columns set."""
    with file.open(encoding="utf-8", newline="") as handle:
        rows = [{**row, **columns} for row in csv.DictReader(handle)]
    with out.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return out


# ---------------------------------------------------------------------------------------------------------- Databricks


def test_usage_waits_for_its_price_list_and_is_never_billed_at_nothing(home: Home) -> None:
    assert said(home, USAGE) == [
        (
            "held",
            f"databricks_usage, account 23e22ba4-0001, {month}: kept; its charges appear once the "
            "databricks_list_prices export is delivered too",
        )
        for month in ("2026-09", "2026-10")
    ]
    assert {u.dataset for u in current(home)} == {"_parts"}
    assert [s for s, _ in said(home, PRICES)] == ["published", "published"]
    assert billed(home) == Decimal("70003.203851835185185186")


def test_a_price_list_without_usage_waits_for_it(home: Home) -> None:
    [(status, message)] = said(home, PRICES)
    assert status == "held"
    assert message == (
        "databricks_list_prices, account 23e22ba4-0001, all: kept; its charges appear once the databricks_usage "
        "export is delivered too"
    )


def test_a_new_price_list_prices_every_month_in_the_lake_anew(home: Home, tmp_path: Path) -> None:
    assert [s for s, _ in said(home, USAGE, PRICES)] == ["published", "published"]
    dearer = changed(PRICES, tmp_path / "new.csv", pricing='{"default": "1", "effective_list": {"default": "1"}}')
    assert [m for _, m in said(home, dearer)] == [
        "cost_and_usage from databricks_usage, account 23e22ba4-0001, 2026-09: 1 row, billed USD 1; "
        "replaces an earlier delivery, change USD +0.85",
        "cost_and_usage from databricks_usage, account 23e22ba4-0001, 2026-10: 8 rows, "
        "billed USD 1000027.845678901234567923; replaces an earlier delivery, change USD +930024.791827066049382737",
    ]
    [delivery] = [d for d in current(home).values() if d.dataset == "cost_and_usage" and d.month == "2026-10"]
    assert {f["name"] for f in delivery.files} == {"usage.csv", "new.csv"}
    assert (delivery.rows_read, delivery.rows_published, delivery.rows_merged) == (8, 8, 0)


def test_a_sku_without_a_price_is_refused_by_row_and_name(home: Home, tmp_path: Path) -> None:
    unknown = changed(USAGE, tmp_path / "usage.csv", sku_name="PREMIUM_BRAND_NEW", usage_date="2026-10-05")
    refused = [m for s, m in said(home, unknown, PRICES) if s == "refused"]
    assert refused[0] == (
        "usage.csv, row 1, column sku_name (which gives BilledCost): found 'PREMIUM_BRAND_NEW', wanted a value "
        "(9 rows like it). cost_and_usage from databricks_usage, account 23e22ba4-0001, 2026-10 stays as it was."
    )


def test_a_price_of_another_unit_prices_nothing(home: Home, tmp_path: Path) -> None:
    rows = PRICES.read_text(encoding="utf-8").splitlines()
    dearer = [row.replace('""default"":""', '""default"":""9') for row in rows if ",DBU," in row]
    other = [row.replace(",DBU,", ",API_CALL,") for row in dearer]
    both = tmp_path / "both.csv"
    both.write_text("\n".join([*rows, *other]) + "\n", encoding="utf-8")
    assert [s for s, _ in said(home, USAGE, both)] == ["published", "published"]
    assert billed(home) == Decimal("70003.203851835185185186")


def test_a_retraction_and_its_restatement_are_summed_and_never_deduplicated(home: Home) -> None:
    ingest(home, [USAGE, PRICES], data_docs=False)
    rows = warehouse.dataset(home, "cost_and_usage").to_dicts()
    restated = [r for r in rows if str(r["ChargePeriodStart"]).startswith("2026-10-05 10")]
    assert [r["BilledCost"] for r in sorted(restated, key=lambda r: r["x_SourceRow"])] == [1, -1, Decimal("0.85")]
    assert [r["ChargeClass"] for r in sorted(restated, key=lambda r: r["x_SourceRow"])] == [None, None, "Correction"]


def test_prices_that_overlap_are_refused_rather_than_billed_twice(home: Home, tmp_path: Path) -> None:
    overlapping = changed(PRICES, tmp_path / "prices.csv", price_end_time="", cloud="AWS")
    outcomes = said(home, USAGE, overlapping)
    assert [s for s, _ in outcomes] == ["refused"] * 6  # two months, three costs each
    assert outcomes[0][1] == (
        "databricks_usage, column BilledCost: found 10.14 USD after adapting, wanted the 9.99 USD delivered. "
        "cost_and_usage from databricks_usage, account 23e22ba4-0001, 2026-09 stays as it was."
    )
    assert {unit.dataset for unit in current(home)} == {"_parts"}


def test_databricks_on_azure_is_refused_because_microsoft_bills_it(home: Home, tmp_path: Path) -> None:
    azure = changed(USAGE, tmp_path / "usage.csv", cloud="AZURE")
    assert said(home, azure) == [
        (
            "refused",
            "usage.csv: Azure Databricks is billed by Microsoft, so this usage is on Azure's bill already and would "
            "count twice. Deliver Azure's cost export instead.",
        )
    ]


@pytest.mark.parametrize("form", ["parquet", "json"])
def test_a_warehouse_may_export_the_tables_in_its_own_types(form: str, home: Home, tmp_path: Path) -> None:
    keys = ("job_id", "job_name", "endpoint_id", "endpoint_name", "warehouse_id")
    metadata = json.dumps(dict.fromkeys(keys, "VARCHAR"))
    pricing = '{"default": "VARCHAR", "effective_list": {"default": "VARCHAR"}}'
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(
            f"copy (select * replace (cast(usage_quantity as decimal(38, 18)) as usage_quantity, "
            f"cast(cast(custom_tags as json) as map(varchar, varchar)) as custom_tags, "
            f"from_json(cast(usage_metadata as json), '{metadata}') as usage_metadata, "
            f"cast(usage_start_time as timestamptz) as usage_start_time, cast(usage_date as date) as usage_date) "
            f"from read_csv('{USAGE}', all_varchar = true)) to '{tmp_path / f'usage.{form}'}' (format {form})"
        )
        db.execute(
            f"copy (select * replace (from_json(cast(pricing as json), '{pricing}') as pricing) "
            f"from read_csv('{PRICES}', all_varchar = true)) to '{tmp_path / f'prices.{form}'}' (format {form})"
        )
    assert [s for s, _ in said(home, tmp_path)] == ["published", "published"]
    assert billed(home) == Decimal("70003.203851835185185186")


def test_who_ran_it_is_nowhere_in_the_lake(home: Home) -> None:
    ingest(home, [USAGE, PRICES], data_docs=False)
    with duckdb.connect() as db:
        for file in home.lake.rglob("*.parquet"):
            [(text,)] = db.sql(f"select string_agg(cast(r as varchar)) from read_parquet('{file}') as r").fetchall()
            assert "planted.person" not in text
    assert json.dumps([d.notes for d in current(home).values()]).count("planted.person") == 0


# ----------------------------------------------------------------------------------------------------------- Snowflake


def test_prepaid_snowflake_usage_is_spent_and_not_billed_again(home: Home) -> None:
    file = SAMPLES / "snowflake_usage" / "usage_in_currency_daily.csv"
    assert said(home, file)[0][0] == "published"
    rows = warehouse.dataset(home, "cost_and_usage")
    totals = [sum(rows[c], Decimal(0)) for c in ("BilledCost", "EffectiveCost", "ContractedCost")]
    # Overage 30 + support 500 - credit 12.34 is invoiced; with the prepaid 67.50 + 7.66 - 6.75 - 1.66 it was spent;
    # with the 4.05 and 180.00 that were free it is the whole statement.
    assert totals == [Decimal("517.66"), Decimal("584.41"), Decimal("768.46")]
    in_credits = rows.filter(rows["PricingCurrency"] == "Credits")
    assert sum(in_credits["PricingCurrencyEffectiveCost"], Decimal(0)) == 35


def test_an_unknown_balance_source_is_refused_by_row(home: Home, tmp_path: Path) -> None:
    file = changed(
        SAMPLES / "snowflake_usage" / "usage_in_currency_daily.csv", tmp_path / "usage.csv", BALANCE_SOURCE="barter"
    )
    assert said(home, file)[0] == (
        "refused",
        "usage.csv, row 1, column balance_source (which gives BilledCost): found 'barter', wanted a value (9 rows like "
        "it). cost_and_usage from snowflake_usage, account LUMENAR, 2026-10 stays as it was.",
    )


def test_an_unknown_billing_type_is_refused_by_row(home: Home, tmp_path: Path) -> None:
    file = changed(
        SAMPLES / "snowflake_usage" / "usage_in_currency_daily.csv", tmp_path / "usage.csv",
        BILLING_TYPE="gift", IS_ADJUSTMENT="false",
    )  # fmt: skip
    assert "column billing_type (which gives ChargeCategory): found 'gift'" in said(home, file)[0][1]


def test_metering_is_billed_at_the_rate_of_its_day_and_never_beside_usage_in_currency(home: Home) -> None:
    metering = SAMPLES / "snowflake_metering" / "metering_daily_history.csv"
    rates = SAMPLES / "snowflake_metering" / "rate_sheet_daily.csv"
    usage = SAMPLES / "snowflake_usage" / "usage_in_currency_daily.csv"
    assert said(home, metering) == [
        (
            "held",
            "snowflake_metering, account LUMENAR, 2026-10: kept; its charges appear once the snowflake_rate_sheet "
            "export is delivered too",
        )
    ]
    assert said(home, rates)[0][0] == "published"
    # 26 × 2.70 + 0.123456789 × 2.70 + 1 × 2.65
    assert billed(home) == Decimal("73.1833333303")
    assert said(home, usage)[0][1] == (
        "cost_and_usage from snowflake_usage, account LUMENAR, 2026-10: 9 rows, billed USD 517.66; "
        "replaces an earlier delivery, change USD +444.4766666697"
    )
    assert [s for s, _ in said(home, metering, usage)] == ["unchanged", "superseded"]
    assert said(home, rates)[0][1] == (
        "cost_and_usage from snowflake_usage, account LUMENAR, 2026-10: left out, what snowflake_metering says; "
        "the lake holds the same money from snowflake_usage"
    )
    assert set(warehouse.dataset(home, "cost_and_usage")["x_Adapter"]) == {"snowflake_usage"}


def test_credits_without_a_rate_are_refused_and_never_billed_at_nothing(home: Home, tmp_path: Path) -> None:
    metering = changed(
        SAMPLES / "snowflake_metering" / "metering_daily_history.csv", tmp_path / "m.csv", USAGE_DATE="2026-10-09"
    )
    outcomes = said(home, metering, SAMPLES / "snowflake_metering" / "rate_sheet_daily.csv")
    assert outcomes[0] == (
        "refused",
        "m.csv, row 1, column service_type (which gives BilledCost): found 'WAREHOUSE_METERING', wanted a value "
        "(3 rows like it). cost_and_usage from snowflake_usage, account LUMENAR, 2026-10 stays as it was.",
    )


# --------------------------------------------------------------------------------------------------------------- Atlas


def test_an_atlas_invoice_adds_up_to_the_amount_billed(home: Home) -> None:
    assert said(home, SAMPLES / "atlas_invoice" / "2026-10.json")[0][0] == "published"
    rows = warehouse.dataset(home, "cost_and_usage")
    assert billed(home) == Decimal("94.51")
    assert {c: sum(part["BilledCost"], Decimal(0)) for (c,), part in rows.group_by("ChargeCategory")} == {
        "Usage": Decimal("96.6"),
        "Credit": Decimal("-10"),
        "Tax": Decimal("7.9"),
        "Adjustment": Decimal("0.01"),
    }


def test_the_final_atlas_invoice_replaces_the_pending_one(home: Home, tmp_path: Path) -> None:
    pending = json.loads((SAMPLES / "atlas_invoice" / "pending.json").read_text(encoding="utf-8"))
    (tmp_path / "pending.json").write_text(json.dumps(pending), encoding="utf-8")
    said(home, tmp_path / "pending.json")
    assert billed(home) == Decimal("12.96")
    assert warehouse.dataset(home, "cost_and_usage")["InvoiceId"].to_list() == [None]
    final = {**pending, "statusName": "INVOICED", "amountBilledCents": 1246}
    (tmp_path / "final.json").write_text(json.dumps(final), encoding="utf-8")
    assert said(home, tmp_path / "final.json")[0][1].endswith("change USD -0.5")
    rows = warehouse.dataset(home, "cost_and_usage").sort("BilledCost", descending=True)
    assert rows.select("InvoiceId", "BilledCost").rows() == [
        ("66aa02", Decimal("12.96")), ("66aa02", Decimal("-0.5")),
    ]  # fmt: skip


def test_an_invoice_without_its_lines_is_refused(home: Home, tmp_path: Path) -> None:
    invoice = json.loads((SAMPLES / "atlas_invoice" / "2026-10.json").read_text(encoding="utf-8"))
    del invoice["lineItems"]
    (tmp_path / "listed.json").write_text(json.dumps(invoice), encoding="utf-8")
    [(status, message)] = said(home, tmp_path / "listed.json")
    assert status == "refused"
    assert "The nearest is atlas_invoice, which also needs the column line_items" in message
