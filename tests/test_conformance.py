"""Every conformance rule finds the offender planted for it, and nothing among charges that are as they should be."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest

from finops_lib import cli, conformance, lake, warehouse
from finops_lib.conformance import Finding, check, rules
from finops_lib.contract import contract, quoted
from finops_lib.errors import NotBuiltError
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import adapters, folder
from finops_lib.lake import Delivery, Home

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
Row = dict[str, Any]

USAGE: Row = {
    "BilledCost": 6, "EffectiveCost": 6, "ContractedCost": 6, "ListCost": 9, "BillingCurrency": "USD",
    "BillingAccountId": "A-1", "BillingAccountType": "Payer", "SubAccountId": "S-1", "SubAccountName": "Search",
    "BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-05T00:00:00Z", "ChargePeriodEnd": "2026-10-06T00:00:00Z",
    "ChargeCategory": "Usage", "ChargeFrequency": "Usage-Based", "ChargeDescription": "node",
    "ServiceProviderName": "AWS", "HostProviderName": "AWS", "InvoiceIssuerName": "AWS",
    "ServiceCategory": "Compute", "ServiceSubcategory": "Virtual Machines", "ServiceName": "EC2",
    "RegionId": "us-east-1", "RegionName": "US East", "ResourceId": "i-1", "ResourceName": "node-1",
    "SkuId": "K-1", "SkuPriceId": "K-1/0", "PricingCategory": "Standard",
    "PricingQuantity": 3, "PricingUnit": "Hours", "ListUnitPrice": 3, "ContractedUnitPrice": 2,
    "ConsumedQuantity": 3, "ConsumedUnit": "Hours", "Tags": '{"team": "search", "n": 1, "what": "a: {b}"}',
    "PricingCurrency": "USD", "PricingCurrencyEffectiveCost": 6, "PricingCurrencyListUnitPrice": 3,
    "PricingCurrencyContractedUnitPrice": 2, "SkuPriceDetails": '{"GpuCount": 1}',
}  # fmt: skip
UNPRICED: Row = dict.fromkeys(
    ("SkuId", "SkuPriceId", "PricingCategory", "PricingQuantity", "PricingUnit", "ListUnitPrice", "ContractedUnitPrice",
     "ConsumedQuantity", "ConsumedUnit", "PricingCurrencyListUnitPrice", "PricingCurrencyContractedUnitPrice",
     "SkuPriceDetails"),
)  # fmt: skip
COMMITMENT: Row = {
    "CommitmentDiscountId": "ri-1", "CommitmentDiscountCategory": "Usage", "CommitmentDiscountType": "Reserved",
}  # fmt: skip
TAX: Row = {**UNPRICED, "ChargeCategory": "Tax", "ContractedCost": 6, "ListCost": 6}
CREDIT: Row = {
    **UNPRICED, "ChargeCategory": "Credit", "BilledCost": -1, "EffectiveCost": -1, "ContractedCost": -1, "ListCost": -1,
    "PricingCurrencyEffectiveCost": -1,
}  # fmt: skip
PURCHASE: Row = {
    **COMMITMENT, "ChargeCategory": "Purchase", "ChargeFrequency": "Recurring", "ResourceId": "ri-1",
    "EffectiveCost": 0, "PricingCurrencyEffectiveCost": 0, "ConsumedQuantity": None, "ConsumedUnit": None,
}  # fmt: skip
USED: Row = {
    **COMMITMENT, "CommitmentDiscountStatus": "Used", "PricingCategory": "Committed", "BilledCost": 0,
    "EffectiveCost": 4, "PricingCurrencyEffectiveCost": 4,
}  # fmt: skip
UNUSED: Row = {
    **USED, "CommitmentDiscountStatus": "Unused", "ResourceId": "ri-1", "EffectiveCost": 2,
    "PricingCurrencyEffectiveCost": 2, "ConsumedQuantity": None, "ConsumedUnit": None,
}  # fmt: skip
SPLIT: Row = {
    "AllocatedMethodId": "m", "AllocatedResourceId": "pod", "AllocatedResourceName": "chat",
    "AllocatedTags": '{"team": "chat"}', "ChargeDescription": "split node",
}  # fmt: skip


def share(ratio: str) -> str:
    return json.dumps({"Elements": [{"AllocatedRatio": float(ratio), "UsageUnit": "vCPU-Hours", "UsageQuantity": 1}]})


CLEAN: tuple[Row, ...] = (
    {},
    {"ChargeDescription": "euros", "PricingCurrency": "EUR", "PricingCurrencyEffectiveCost": 3,
     "PricingCurrencyListUnitPrice": "1.5", "PricingCurrencyContractedUnitPrice": 1},
    {"ChargeDescription": "last month", "ChargeClass": "Correction", "ChargePeriodStart": "2026-09-05T00:00:00Z",
     "ChargePeriodEnd": "2026-09-06T00:00:00Z"},
    TAX, CREDIT, PURCHASE, USED, UNUSED,
    {**SPLIT, "AllocatedMethodDetails": share("0.25")},
    {**SPLIT, "AllocatedMethodDetails": share("0.75"), "AllocatedResourceId": None, "AllocatedResourceName": None,
     "AllocatedTags": None},
)  # fmt: skip

PLANTED: dict[str, tuple[Row, ...]] = {
    "account_has_one_currency": ({"BillingCurrency": "EUR", "PricingCurrency": "EUR"},),
    "allocated_part_names_its_method": ({"AllocatedTags": "{}"},),
    "allocated_resource_id_has_its_name": ({"AllocatedMethodId": "m", "AllocatedResourceId": "pod"},),
    "allocated_resource_name_has_its_id": ({"AllocatedMethodId": "m", "AllocatedResourceName": "chat"},),
    "billing_currency_is_national": ({"BillingCurrency": "Tokens", "BillingAccountId": "A-2"},),
    "billing_period_ends_after_it_starts": ({"BillingPeriodEnd": "2026-10-01T00:00:00Z", "ChargeClass": "Correction"},),
    "capacity_reservation_status_is_listed": ({"CapacityReservationStatus": "used"},),
    "capacity_reservation_status_is_on_its_usage": ({"CapacityReservationId": "cr-1"},),
    "charge_category_is_listed": ({"ChargeCategory": "usage"},),
    "charge_class_is_listed": ({"ChargeClass": "correction"},),
    "charge_frequency_is_listed": ({"ChargeFrequency": "Monthly"},),
    "charge_period_ends_after_it_starts": ({"ChargePeriodEnd": "2026-10-05T00:00:00Z"},),
    "commitment_costs_what_was_bought": ({**USED, "ResourceId": "i-2"},),
    "commitment_discount_category_is_listed": ({**USED, "CommitmentDiscountCategory": "Money", "EffectiveCost": 0},),
    "commitment_discount_quantity_has_its_unit": ({"CommitmentDiscountQuantity": 1},),
    "commitment_discount_status_is_listed": ({**USED, "CommitmentDiscountStatus": "used", "EffectiveCost": 0},),
    "commitment_is_named_with_its_kind": ({**USED, "CommitmentDiscountType": None, "EffectiveCost": 0},),
    "commitment_purchase_is_its_own_resource": ({**PURCHASE, "ResourceId": "i-1", "BilledCost": 0},),
    "commitment_status_is_on_its_usage_alone": ({**USED, "CommitmentDiscountStatus": None, "EffectiveCost": 0},),
    "committed_usage_names_its_commitment": ({"PricingCategory": "Committed"},),
    "consumed_quantity_has_its_unit": ({"ConsumedUnit": None},),
    "contracted_cost_is_price_times_quantity": ({"ContractedCost": "6.00000001"},),
    "covered_usage_is_billed_nothing": ({**USED, "BilledCost": 4},),
    "credit_costs_what_it_is_billed": ({**CREDIT, "ListCost": 0},),
    "list_cost_is_price_times_quantity": ({"ListCost": "8.99999999"},),
    "no_charge_is_repeated": ({"ChargeDescription": "twice"}, {"ChargeDescription": "twice"}),
    "nothing_is_priced_without_a_sku_price": ({"SkuPriceId": None, "SkuId": None},),
    "pricing_category_is_listed": ({"PricingCategory": "On-Demand"},),
    "pricing_currency_has_one_rate": ({"PricingCurrency": "EUR", "PricingCurrencyEffectiveCost": 5},),
    "pricing_quantity_has_its_unit": ({"PricingUnit": None},),
    "purchase_covers_all_or_nothing": ({**PURCHASE, "EffectiveCost": 1, "ChargeFrequency": "One-Time"},),
    "region_id_has_its_name": ({"RegionName": None},),
    "region_name_has_its_id": ({"RegionId": None},),
    "resource_name_has_its_id": ({"ResourceId": None},),
    "resource_type_has_its_id": ({"ResourceId": None, "ResourceName": None, "ResourceType": "Instance"},),
    "same_currency_is_same_amount": ({"PricingCurrencyEffectiveCost": 5},),
    "service_has_one_category": ({"ServiceCategory": "Storage", "ServiceSubcategory": "Object Storage"},),
    "service_subcategory_is_of_its_category": ({"ServiceSubcategory": "Data Warehouses"},),
    "sku_price_comes_with_prices": ({"ListUnitPrice": None},),
    "sku_price_details_are_one_flat_object": ({"SkuPriceDetails": '{"Gpu": {"Count": 1}}'},),
    "sku_price_details_have_their_price": ({**UNPRICED, "SkuPriceDetails": '{"GpuCount": 1}'},),
    "sku_price_has_one_sku": ({"SkuId": "K-2"},),
    "split_ratios_add_up_to_one": ({**SPLIT, "AllocatedMethodDetails": share("0.5"), "SkuPriceId": "K-9"},),
    "sub_account_id_has_its_name": ({"SubAccountName": None},),
    "sub_account_name_has_its_id": ({"SubAccountId": None},),
    "allocated_tags_are_one_flat_object": ({"AllocatedMethodId": "m", "AllocatedTags": "[1]"},),
    "tags_are_one_flat_object": ({"Tags": '{"team": ["a", "b"]}'},),
    "tax_and_credit_effective_cost_is_billed": ({**TAX, "EffectiveCost": 5},),
    "tax_names_no_price": ({**TAX, "SkuId": "K-1"},),
    "text_is_never_a_placeholder": ({"ResourceType": "Not Applicable"},),
    "uncovered_usage_effective_cost_is_billed": ({"EffectiveCost": 5},),
    "unit_prices_are_not_negative": ({"ListUnitPrice": -3, "ListCost": -9},),
    "unused_commitment_consumes_nothing": ({**UNUSED, "ConsumedQuantity": 3, "ConsumedUnit": "Hours"},),
    "unused_commitment_is_its_own_resource": ({**UNUSED, "ResourceId": "i-1"},),
    "usage_lies_in_its_billing_period": ({"ChargePeriodStart": "2026-09-30T23:00:00Z"},),
    "usage_names_its_sku": ({**UNPRICED},),
    "used_commitment_is_priced_as_committed": ({**USED, "PricingCategory": "Standard"},),
}  # fmt: skip
"""Rule → rows that break it."""

BESIDE: dict[str, tuple[Row, str, Row]] = {
    "invoice_is_the_sum_of_its_charges": (
        {"InvoiceId": "I-1"}, "invoice_detail",
        {"InvoiceIssuerName": "AWS", "InvoiceId": "I-1", "BillingCurrency": "USD", "BilledCost": "6.01"},
    ),
    "invoice_detail_is_the_sum_of_its_charges": (
        {"InvoiceDetailId": "D-1"}, "invoice_detail",
        {"InvoiceIssuerName": "AWS", "InvoiceDetailId": "D-1", "BilledCost": "5.99"},
    ),
    "contract_applied_is_a_known_commitment": (
        {"ContractApplied": '{"Elements": [{"ContractCommitmentId": "c-2"}]}'}, "contract_commitment",
        {"ContractCommitmentId": "c-1"},
    ),
    "contract_commitment_states_its_measure": (
        {}, "contract_commitment", {"ContractCommitmentCategory": "Spend", "BillingCurrency": "USD"},
    ),
}  # fmt: skip
"""Rule → a charge and a row of another dataset that do not go together."""

SHOWN_ELSEWHERE = {
    "contract_commitment_has_one_contract",
    "custom_columns_start_with_x",
    "lake_holds_the_money_of_its_ledger",
}


def put_beside(home: Home, dataset: str, *rows: Row) -> None:
    """Rows of another dataset of FOCUS, straight into a lake."""
    own = contract(dataset)
    folder = home.lake / dataset / "source=focus" / "billing_month=2026-10"
    folder.mkdir(parents=True)
    with duckdb.connect() as db:
        db.execute(own.ddl("rows").replace(" not null", ""))
        for i, row in enumerate(rows, start=1):
            full = {"x_SourceFile": "beside.csv", "x_SourceRow": i, **row}
            names, marks = ", ".join(quoted(c) for c in full), ", ".join("?" for _ in full)
            db.execute(f"insert into rows ({names}) values ({marks})", list(full.values()))
        db.execute(f"copy rows to '{folder / 'rows.parquet'}' (format parquet)")


def put(home: Home, charges: Iterable[tuple[str, Row]], *, billed: str | None = None, extra: str = "") -> None:
    """Charges straight into a lake, as no adapter would: each with the file it is from."""
    own = contract("cost_and_usage")
    units: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for i, (file, change) in enumerate(charges, start=1):
        origin = {"x_Adapter": "focus", "x_SourceFile": file, "x_SourceRow": i, "x_SourcePart": 1}
        row = {**USAGE, **origin, **change}
        units[row["BillingAccountId"], row["BillingPeriodStart"][:7]].append(row)
    staged = home.root / "staged.parquet"
    home.root.mkdir(parents=True, exist_ok=True)
    for (account, month), rows in units.items():
        with duckdb.connect() as db:
            db.execute("set timezone = 'UTC'")
            db.execute(own.ddl("charges").replace(" not null", ""))
            for row in rows:
                names = ", ".join(quoted(c) for c in row)
                db.execute(
                    f"insert into charges ({names}) values ({', '.join('?' for _ in row)})",
                    [str(v) if isinstance(v, int) else v for v in row.values()],
                )
            db.execute(f"copy (select *{extra} from charges) to '{staged}' (format parquet)")
        totals: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            totals[row["BillingCurrency"]] += Decimal(row["BilledCost"])
        delivery = Delivery(
            delivery_id="d", dataset="cost_and_usage", source="focus", billing_account=account, month=month, files=[],
            adapter_sha256="", rows_read=len(rows), rows_published=len(rows), rows_rejected=0, rows_merged=0,
            rows_added=0, billed_total={c: billed or str(a) for c, a in totals.items()}, effective_total={},
            delivered_at=datetime(2026, 11, 1, tzinfo=UTC).isoformat(),
        )  # fmt: skip
        lake.publish(home, delivery, staged)


def clean() -> list[tuple[str, Row]]:
    return [("clean.csv", row) for row in CLEAN]


def broken(findings: list[Finding]) -> dict[str, tuple[int, str | None, int | None]]:
    return {f.rule.id: (f.offenders, f.file, f.row) for f in findings if f.offenders}


def test_no_rule_finds_an_offender_among_charges_that_are_as_they_should_be(home: Home) -> None:
    put(home, clean())
    assert broken(check(home)) == {}


def test_every_rule_has_an_offender_planted_for_it() -> None:
    assert set(PLANTED) | set(BESIDE) | SHOWN_ELSEWHERE == {rule.id for rule in rules()}


@pytest.mark.parametrize("rule", sorted(PLANTED))
def test_a_planted_offender_is_found_by_its_file_and_row(rule: str, home: Home) -> None:
    planted = [("a planted.csv", row) for row in PLANTED[rule]]
    put(home, planted + clean())
    offenders, file, row = broken(check(home))[rule]
    assert offenders >= 1
    assert file == "a planted.csv"
    assert row in range(1, len(planted) + 1)


@pytest.mark.parametrize("rule", sorted(BESIDE))
def test_what_does_not_go_together_with_another_dataset_is_found(rule: str, home: Home) -> None:
    charge, dataset, row = BESIDE[rule]
    put(home, [("a planted.csv", charge)])
    assert broken(check(home)) == {}
    put_beside(home, dataset, row)
    found = "beside.csv" if rule == "contract_commitment_states_its_measure" else "a planted.csv"
    assert broken(check(home)) == {rule: (1, found, 1)}


def test_what_goes_together_with_the_other_datasets_is_not_found(home: Home) -> None:
    applied = '{"Elements": [{"ContractCommitmentId": "c-1"}]}'
    put(home, [("a.csv", {"InvoiceId": "I-1", "InvoiceDetailId": "D-1", "ContractApplied": applied})])
    invoice = {"InvoiceIssuerName": "AWS", "InvoiceId": "I-1", "BillingCurrency": "USD"}
    put_beside(home, "invoice_detail", {**invoice, "InvoiceDetailId": "D-1", "BilledCost": "6"})
    commitment = {"ContractCommitmentId": "c-1", "ContractCommitmentCategory": "Usage"}
    measure = {"ContractCommitmentQuantity": 5, "ContractCommitmentUnit": "Hours"}
    put_beside(home, "contract_commitment", {**commitment, **measure, "ContractId": "k-1"})
    assert broken(check(home)) == {}


def test_a_commitment_of_two_contracts_is_found(home: Home) -> None:
    put(home, [("a.csv", {})])
    rows = [{"ContractCommitmentId": "c-1", "ContractId": contract_id} for contract_id in ("k-1", "k-2")]
    put_beside(home, "contract_commitment", *rows)
    assert broken(check(home)) == {"contract_commitment_has_one_contract": (2, "beside.csv", 1)}


def test_a_month_that_lost_a_billionth_of_a_cent_is_found(home: Home) -> None:
    put(home, [("a.csv", {})], billed="6.00000000001")
    assert broken(check(home)) == {"lake_holds_the_money_of_its_ledger": (1, "a.csv", 1)}


def test_a_custom_column_without_x_is_found(home: Home) -> None:
    put(home, [("a.csv", {})], extra=", 1 as CostCenter")
    assert broken(check(home)) == {"custom_columns_start_with_x": (1, None, None)}


def test_a_month_published_before_the_contract_had_a_column_is_read_with_nothing_in_it(home: Home) -> None:
    put(home, [("a.csv", {})], extra=" exclude (x_Partition)")
    assert broken(check(home)) == {}
    assert warehouse.dataset(home, "cost_and_usage")["x_Partition"].to_list() == [None]


def test_a_price_is_compared_in_exact_decimals_beyond_the_precision_of_a_double(home: Home) -> None:
    exact = {"PricingQuantity": "1000000.000000001", "ListUnitPrice": "0.123456789012345678",
             "ListCost": "123456.789012345801456789", "ContractedUnitPrice": None}  # fmt: skip
    off = {**exact, "ListCost": "123456.789135925801469134"}
    put(home, [("exact.csv", exact), ("off.csv", off)])
    assert broken(check(home))["list_cost_is_price_times_quantity"] == (1, "off.csv", 2)
    with duckdb.connect() as db:
        db.execute(conformance.MACROS)
        [(product,)] = db.sql(
            "select product(1000000.000000001::decimal(38, 18), 0.123456789012345678::decimal(38, 18))"
        ).fetchall()
    assert product == Decimal("123456.789012345801456789")


def test_a_lake_without_charges_is_not_conformant_but_empty(home: Home) -> None:
    with pytest.raises(NotBuiltError, match="holds no charges yet"):
        check(home)


MAKE_CHARGES = sorted(
    a.name for a in adapters().values() if a.dataset == "cost_and_usage" and a.select and (SAMPLES / a.name).exists()
)


# What the focus adapter passes on is as its provider delivered it.
@pytest.mark.parametrize("adapter", [a for a in MAKE_CHARGES if a != "focus"])
def test_what_an_adapter_makes_breaks_no_rule(adapter: str, home: Home) -> None:
    files = [f for f in sorted((SAMPLES / adapter).iterdir()) if f.name != "expected.csv"]
    assert ingest(home, files, data_docs=False).refused == []
    assert broken([f for f in check(home) if f.rule.severity == "error"]) == {}


def test_lookups_of_services_give_a_subcategory_of_its_category() -> None:
    listed = Path(conformance.__file__).parent / "service_subcategories.csv"
    with listed.open(encoding="utf-8", newline="") as handle:
        known = {(row["category"], row["subcategory"]) for row in csv.DictReader(handle)}
    own = contract("cost_and_usage")
    assert {s for _, s in known} == set(own.column("ServiceSubcategory").values)
    assert {c for c, _ in known} == set(own.column("ServiceCategory").values)
    wrong = []
    for file in folder().glob("*_services.csv"):
        with file.open(encoding="utf-8", newline="") as handle:
            table = csv.DictReader(handle)
            subcategory = next(c for c in table.fieldnames or () if c.endswith("subcategory"))
            category = subcategory.replace("subcategory", "category")
            wrong += [(file.name, row) for row in table if (row[category], row[subcategory]) not in known]
    assert wrong == []


def test_the_command_prints_every_rule_and_fails_on_an_error_only(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    put(home, [("a.csv", {"RegionName": None})])
    assert cli.main(["--home", str(home.root), "conformance"]) == 0
    out = capsys.readouterr().out.splitlines()
    said = "A charge with RegionId has RegionName. Found 1 offender, the first: a.csv, row 1"
    assert f"warning region_id_has_its_name: {said}" in out
    assert "holds   charge_period_ends_after_it_starts: A charge period ends after it starts." in out
    assert out[-1] == f"{len(rules())} rules: {len(rules()) - 1} hold, 0 broken, 1 with a warning"
    put(home, [("a.csv", {"RegionId": None})])
    assert cli.main(["--home", str(home.root), "conformance", "--json"]) == 3
    found = {f["rule"]: f for f in json.loads(capsys.readouterr().out)}
    assert found["region_name_has_its_id"] == {
        "rule": "region_name_has_its_id", "sentence": "A charge with RegionName has RegionId.",
        "focus": "RegionId, RegionName", "since": "1.0", "severity": "error", "offenders": 1, "file": "a.csv", "row": 1,
    }  # fmt: skip


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The script of `make conformance`, with an allow-list of one rule for one adapter."""
    spec = importlib.util.spec_from_file_location("official", Path(__file__).parent / "conformance" / "official.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "official", module)
    spec.loader.exec_module(module)
    allowed = tmp_path / "allowed.csv"
    allowed.write_text("rule,adapters,reason\nTags-C-1-M,aws_cur gcp_detailed,because\n", encoding="utf-8")
    monkeypatch.setattr(module, "ALLOWED", allowed)
    return module


def test_the_allow_list_of_the_official_validator_is_exact_both_ways(official: ModuleType) -> None:
    def verdict(**failed: str) -> Any:
        named = {rule.replace("_", "-"): message for rule, message in failed.items()}
        return official.Verdict(rows=1, passed=1, skipped=0, failed=named, following=0)

    assert official.judged({"aws_cur": verdict(Tags_C_1_M="no"), "gcp_detailed": verdict(Tags_C_1_M="no")}) == []
    assert official.judged({"aws_cur": verdict(Tags_C_1_M="no", SkuId_C_2_M="null")}) == [
        "gcp_detailed: is in allowed.csv and makes no charges",
        "aws_cur: SkuId-C-2-M fails and is not allowed to: null",
    ]
    assert official.judged({"aws_cur": verdict(), "gcp_detailed": verdict(Tags_C_1_M="no")}) == [
        "aws_cur: Tags-C-1-M is allowed to fail and no longer does"
    ]


def test_a_failure_that_only_follows_from_another_is_not_its_own(official: ModuleType) -> None:
    rule = {"ValidationCriteria": {"Requirement": {"ColumnName": "InvoiceId"}}}
    assert official.follows(rule, "X: AND failed - failed child rules: [Y]", {"InvoiceId"})
    assert official.follows(rule, "Validation rule X failed", {"Tags"})
    assert not official.follows(rule, "Validation rule X failed", {"InvoiceId"})
    assert not official.follows(rule, "InvoiceId MUST be NULL.", {"InvoiceId"})


def test_without_python_3_12_the_official_validator_is_skipped_with_a_message(
    official: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(official, "python_3_12", lambda: None)
    assert official.main() == 0
    assert capsys.readouterr().out == (
        "conformance: skipped. The official validator needs Python 3.12, and there is none here.\n"
    )
