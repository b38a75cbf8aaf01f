"""AWS's Cost and Usage Report: what its many forms have in common, and what each one must not do to the money."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home

PLAN = "arn:aws:savingsplans::000123456789:savingsplan/p"
RESERVATION = "arn:aws:ec2:us-east-1:000123456789:reserved-instances/r"

Row = Mapping[str, str]


def line(kind: str, cost: str, *, month: str = "09", **more: str) -> Row:
    """One line item in the columns that every report has."""
    return {
        "bill_payer_account_id": "000123456789",
        "bill_billing_period_start_date": f"2026-{month}-01T00:00:00Z",
        "line_item_line_item_type": kind,
        "line_item_product_code": "AmazonEC2",
        "line_item_usage_type": "BoxUsage:m5.large",
        "line_item_usage_start_date": f"2026-{month}-02T00:00:00Z",
        "line_item_usage_end_date": f"2026-{month}-02T01:00:00Z",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": cost,
        **more,
    }


def report(file: Path, rows: Sequence[Row]) -> Path:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def charges(home: Home, *files: Path) -> pl.DataFrame:
    done = ingest(home, files, data_docs=False)
    assert [o.message for o in done.refused] == []
    return warehouse.dataset(home, "cost_and_usage").sort("BillingPeriodStart", "x_SourceRow", "x_SourcePart")


def total(rows: pl.DataFrame, column: str) -> Decimal:
    return sum(rows[column], Decimal(0))


def test_an_upfront_fee_is_spent_once_over_the_months_it_pays_for(home: Home, tmp_path: Path) -> None:
    rows: list[Row] = [
        line("Fee", "30", month="06", reservation_reservation_arn=RESERVATION),
        line("SavingsPlanUpfrontFee", "60", month="06", savings_plan_savings_plan_arn=PLAN),
    ]
    for month, used in (("06", "7.5"), ("07", "10"), ("08", "0")):
        unused = str(Decimal(10) - Decimal(used))
        rows += [
            line(
                "RIFee", "0", month=month, reservation_reservation_arn=RESERVATION,
                reservation_unused_recurring_fee="0",
                reservation_unused_amortized_upfront_fee_for_billing_period=unused,
            ),
            line(
                "DiscountedUsage", "0", month=month, reservation_reservation_arn=RESERVATION,
                reservation_effective_cost=used, line_item_usage_amount="1", pricing_unit="Hrs",
            ),
            line(
                "SavingsPlanRecurringFee", "5", month=month, savings_plan_savings_plan_arn=PLAN,
                savings_plan_total_commitment_to_date="25", savings_plan_used_commitment="24",
            ),
            line(
                "SavingsPlanCoveredUsage", "40", month=month, savings_plan_savings_plan_arn=PLAN,
                savings_plan_savings_plan_effective_cost="24",
            ),
            line("SavingsPlanNegation", "-40", month=month, savings_plan_savings_plan_arn=PLAN),
        ]  # fmt: skip
    found = charges(home, report(tmp_path / "term.csv", rows))
    for commitment, paid in ((RESERVATION, Decimal(30)), (PLAN, Decimal(75))):
        own = found.filter(pl.col("CommitmentDiscountId") == commitment)
        assert total(own.filter(pl.col("ChargeCategory") == "Purchase"), "BilledCost") == paid
        assert total(own.filter(pl.col("ChargeCategory") == "Usage"), "EffectiveCost") == paid
        assert total(own, "BilledCost") == total(own, "EffectiveCost") == paid
    july = found.filter(pl.col("billing_month") == "2026-07", pl.col("CommitmentDiscountId") == RESERVATION)
    assert (total(july, "BilledCost"), total(july, "EffectiveCost")) == (Decimal(0), Decimal(10))


@pytest.mark.parametrize("given", ["rows", "net", "both", "net of 0 on the row"])
def test_a_discount_is_counted_once_however_the_report_shows_it(home: Home, tmp_path: Path, given: str) -> None:
    usage = line("Usage", "100", line_item_product_code="AmazonS3", pricing_public_on_demand_cost="100")
    discount = line("EdpDiscount", "-9", line_item_product_code="AmazonS3")
    rows: dict[str, list[Row]] = {
        "rows": [usage, discount],
        "net": [{**usage, "line_item_net_unblended_cost": "91", "discount_edp_discount": "-9"}],
        "both": [{**usage, "line_item_net_unblended_cost": "91"}, discount],
        "net of 0 on the row": [
            {**usage, "line_item_net_unblended_cost": "91"},
            {**discount, "line_item_net_unblended_cost": "0"},
        ],
    }
    found = charges(home, report(tmp_path / "discounted.csv", rows[given]))
    assert [total(found, c) for c in ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")] == [91, 91, 91, 100]


def test_pods_on_an_instance_add_nothing_to_its_bill_and_say_their_share(home: Home, tmp_path: Path) -> None:
    pod = {"split_line_item_parent_resource_id": "i-1", "line_item_operation": "EKSPod-EC2"}
    found = charges(
        home,
        report(
            tmp_path / "pods.csv",
            [
                line("Usage", "4", line_item_resource_id="i-1"),
                line("Usage", "0", split_line_item_split_cost="2.5", split_line_item_unused_cost="0.5", **pod),
                line("Usage", "0", split_line_item_split_cost="0.75", split_line_item_unused_cost="0.25", **pod),
            ],
        ),
    )
    assert [total(found, c) for c in ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")] == [4, 4, 4, 4]
    shares = found.filter(pl.col("x_SplitParentResourceId") == "i-1")
    assert total(shares, "x_SplitCost") + total(shares, "x_SplitUnusedCost") == 4
    assert found["AllocatedMethodId"].null_count() == 3


def test_maps_are_the_same_as_a_map_as_json_text_and_as_columns(home: Home, tmp_path: Path) -> None:
    plain = line("Usage", "1", line_item_product_code="mpxyz", bill_billing_entity="AWS Marketplace")
    maps: dict[str, dict[str, Any]] = {
        "product": {"product_name": "Example Search", "region": "us-east-1"},
        "resource_tags": {"user_team": "search", "aws_created_by": "ann"},
        "cost_category": {"unit": "platform"},
        "discount": {"total_discount": -0.5},
    }
    texts = [
        {**plain, "bill_payer_account_id": "1", **{name: json.dumps(pairs) for name, pairs in maps.items()}},
    ]
    columns = {"product_product_name": "Example Search", "product_region": "us-east-1"}
    columns |= {
        f"{name}_{key}": str(v) for name, pairs in maps.items() if name != "product" for key, v in pairs.items()
    }
    flat = [{**plain, "bill_payer_account_id": "2", **columns}]
    mapped = tmp_path / "map.parquet"
    with duckdb.connect() as db:
        scalars = ", ".join(f"'{v}' as {k}" for k, v in {**plain, "bill_payer_account_id": "3"}.items())
        nested = ", ".join(f"map {pairs!r} as {name}" for name, pairs in maps.items())
        db.execute(f"copy (select {scalars}, {nested}) to '{mapped}' (format parquet)")
    found = charges(home, report(tmp_path / "text.csv", texts), report(tmp_path / "flat.csv", flat), mapped)
    read = ("ServiceName", "RegionId", "Tags", "x_CostCategories", "x_Discounts")
    seen = {
        tuple(
            json.dumps({k: str(v) for k, v in json.loads(row[c]).items()}) if row[c].startswith("{") else row[c]
            for c in read
        )
        for row in found.to_dicts()
    }
    assert seen == {
        (
            "Example Search", "us-east-1", '{"team": "search", "aws_created_by": "ann"}', '{"unit": "platform"}',
            '{"total_discount": "-0.5"}',
        )
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            line("Rebate", "1"),
            "column line_item_line_item_type (which gives ChargeCategory): found 'Rebate', wanted a value",
        ),
        (
            {k: v for k, v in line("Usage", "").items() if k != "line_item_unblended_cost"},
            "column line_item_unblended_cost (which gives BilledCost): found nothing, wanted a value",
        ),
        (
            line("SavingsPlanCoveredUsage", "1", savings_plan_savings_plan_arn=PLAN),
            "column EffectiveCost: found nothing, wanted a value",
        ),
    ],
)
def test_what_is_not_known_is_refused_and_never_0(home: Home, tmp_path: Path, row: Row, message: str) -> None:
    done = ingest(home, [report(tmp_path / "unknown.csv", [line("Usage", "1"), row])], data_docs=False)
    if "line_item_unblended_cost" not in row:
        done = ingest(home, [report(tmp_path / "costless.csv", [row])], data_docs=False)
    assert any(message in o.message for o in done.refused)
    assert not (home.lake / "cost_and_usage").exists()


def test_a_price_is_given_only_where_price_times_quantity_is_the_cost(home: Home, tmp_path: Path) -> None:
    def priced(quantity: str, rate: str, cost: str) -> Row:
        return line(
            "Usage", cost, line_item_usage_amount=quantity, line_item_unblended_rate=rate, pricing_unit="Hrs",
            pricing_public_on_demand_rate=rate, pricing_public_on_demand_cost=cost,
        )  # fmt: skip

    rows = [
        priced("12345678901234", "0.0000002", "2469135.7802468"),
        priced("3", "0.1", "0.3000000001"),
        priced("0.5", "0.0000000001", "0.00000000005"),
    ]
    found = charges(home, report(tmp_path / "priced.csv", rows))
    assert found["ListUnitPrice"].to_list() == [Decimal("2E-7"), None, None]
    assert found["ContractedUnitPrice"].to_list() == [Decimal("2E-7"), None, None]
    assert found["PricingQuantity"][0] == Decimal("12345678901234")


@pytest.mark.parametrize(
    ("usage_type", "name", "read"),
    [
        ("USE1-Claude3Sonnet-input-tokens", None, ("claude-3-sonnet", "input_uncached", "standard", "regional")),
        ("USE1-Claude4.6Opus-output-tokens-batch", None, ("claude-opus-4-6", "output", "batch", "regional")),
        (
            "EUC1-Claude4Sonnet-cache-write-input-token-count-1-hour-cross-region-global",
            None,
            ("claude-sonnet-4", "cache_write_1h", "standard", "global"),
        ),
        ("EU-NovaPro-cache-read-input-token-count", None, ("nova-pro", "cache_read", "standard", "regional")),
        (
            "USW2-anthropic.claude-opus-4-8-mantle-cache-write-tokens-global-standard",
            None,
            ("claude-opus-4-8", "cache_write_5m", "standard", "global"),
        ),
        (
            "USE1-Nova2.0Pro-text-input-tokens-priority-cross-region-global",
            None,
            ("nova-2-pro", "input_uncached", "priority", "global"),
        ),
        (
            "USE1-MP:USE1_CacheReadInputTokenCount-Units",
            "Claude 3.5 Sonnet v2",
            ("claude-3-5-sonnet", "cache_read", "standard", "regional"),
        ),
        (
            "APN1-MP:APN1_cache_write_tokens_1h_global_batch-Units",
            "Claude Opus 4.8",
            ("claude-opus-4-8", "cache_write_1h", "batch", "global"),
        ),
    ],
)
def test_a_bedrock_usage_type_says_model_token_kind_tier_and_region_scope(
    home: Home, tmp_path: Path, usage_type: str, name: str | None, read: tuple[str, ...]
) -> None:
    edition = {"product_product_name": f"{name} (Amazon Bedrock Edition)", "bill_billing_entity": "AWS Marketplace"}
    given = {"line_item_usage_type": usage_type, "line_item_product_code": "mp1" if name else "AmazonBedrock"}
    found = charges(home, report(tmp_path / "tokens.csv", [line("Usage", "1", **given, **(edition if name else {}))]))
    details: dict[str, Any] = json.loads(found["SkuPriceDetails"][0])
    assert tuple(found[c][0] for c in ("x_Model", "x_TokenKind", "x_ServiceTier")) == read[:3]
    assert details["x_RegionScope"] == read[3]
    assert found["ServiceName"][0] == "Amazon Bedrock"


def test_a_legacy_folder_with_its_manifests_adds_up_to_the_last_digit(home: Home, shared_samples: Path) -> None:
    found = charges(home, shared_samples / "aws_cur" / "test_local_bucket_prefix.tar.gz")
    assert (found.height, total(found, "BilledCost")) == (6190, Decimal("29684.780682464855373938"))


@pytest.mark.parametrize(("file", "invoice"), [("2023-06-01-not-final.csv", None), ("2023-06-01.csv", "987654321")])
def test_covered_usage_whose_negation_is_not_in_the_report_keeps_its_money(
    home: Home, shared_samples: Path, file: str, invoice: str | None
) -> None:
    found = charges(home, shared_samples / "aws_cur" / file)
    assert found.sort("ChargeCategory")["ChargeCategory"].to_list() == ["Adjustment", "Usage", "Usage", "Usage"]
    assert [total(found, c) for c in ("BilledCost", "EffectiveCost")] == [Decimal(30), Decimal("0.3")]
    assert set(found["BillingCurrency"]) == {"NOK"}
    assert set(found["InvoiceId"]) == {invoice}


def test_the_unused_share_of_a_discounted_plan_has_no_binary_noise(home: Home, tmp_path: Path) -> None:
    fee = line(
        "SavingsPlanRecurringFee",
        "0.1",
        line_item_net_unblended_cost="0.09",
        savings_plan_savings_plan_arn=PLAN,
        savings_plan_total_commitment_to_date="0.1",
        savings_plan_used_commitment="0.06",
    )
    found = charges(home, report(tmp_path / "cur.csv", [fee]))
    assert found["EffectiveCost"].to_list() == [Decimal(0), Decimal("0.036")]


def test_a_rate_code_tells_the_sku_where_the_product_columns_do_not(home: Home, tmp_path: Path) -> None:
    code = "SKU1.JRTCKXETXF.6YS6EN2CT7"
    rows = [line("Usage", "1", pricing_rate_code=code, product_sku=sku) for sku in ("SKU1", "")]
    found = charges(home, report(tmp_path / "cur.csv", rows))
    assert set(found.select("SkuId", "SkuPriceId").rows()) == {("SKU1", code)}


def test_a_discount_is_in_the_net_cost_only_of_the_payers_months_that_have_net_costs(
    home: Home, tmp_path: Path
) -> None:
    def month(payer: str, number: str, **net: str) -> list[Row]:
        own = {"bill_payer_account_id": payer, "line_item_product_code": "AmazonS3"}
        return [line("Usage", "100", month=number, **own, **net), line("EdpDiscount", "-9", month=number, **own)]

    rows = [
        *month("111", "09", line_item_net_unblended_cost="91"),
        *month("111", "10"),
        *month("222", "09"),
        *month("222", "10", line_item_net_unblended_cost="92"),
    ]
    found = charges(home, report(tmp_path / "two-payers.csv", rows))
    amounts = found.group_by("BillingAccountId", "billing_month").agg(pl.col("BilledCost").sort()).sort(pl.all())
    assert amounts.rows() == [
        ("111", "2026-09", [Decimal(0), Decimal(91)]),
        ("111", "2026-10", [Decimal(-9), Decimal(100)]),
        ("222", "2026-09", [Decimal(-9), Decimal(100)]),
        ("222", "2026-10", [Decimal(0), Decimal(92)]),
    ]


@pytest.mark.parametrize(
    "fee",
    [
        line("RIFee", "5", reservation_reservation_arn=RESERVATION),
        line("SavingsPlanRecurringFee", "5", savings_plan_savings_plan_arn=PLAN),
    ],
)
def test_what_a_commitment_left_unused_is_refused_where_the_report_does_not_say_it(
    home: Home, tmp_path: Path, fee: Row
) -> None:
    [refused] = ingest(home, [report(tmp_path / "fee.csv", [line("Usage", "1"), fee])], data_docs=False).refused
    assert refused.message == (
        "fee.csv, row 2, column EffectiveCost: found nothing, wanted a value. cost_and_usage from aws_cur, account "
        "000123456789, 2026-09 stays as it was."
    )
