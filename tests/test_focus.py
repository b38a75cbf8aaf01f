"""FOCUS deliveries: what is repaired is listed, versions are told, datasets beside the charges go in and out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from finops_lib import cli, lake, warehouse
from finops_lib.errors import NotBuiltError, UsageError
from finops_lib.export import datasets, export_focus
from finops_lib.ingest import ingest
from finops_lib.lake import Home

SAMPLES = Path(__file__).parent.parent / "data" / "samples"


def notes(home: Home, *paths: Path) -> dict[str, list[str]]:
    """Notes of the ledger by billing account and month, after delivering files that are all taken."""
    done = ingest(home, paths, data_docs=False)
    assert done.refused == []
    return {f"{d.billing_account} {d.month}": d.notes for d in lake.current(home).values()}


def test_every_mended_column_is_counted_in_the_ledger_and_said(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    repaired = (
        "repaired: BillingPeriodEnd rewritten (2 rows), ChargeCategory adjustment → Adjustment (1 row), "
        "ChargeCategory usage → Usage (1 row), ChargeClass correction → Correction (1 row), "
        "PricingCategory standard → Standard (1 row), Tags left out (1 row), Tags rewritten (1 row)"
    )
    assert cli.main(["--home", str(home.root), "ingest", str(SAMPLES / "focus" / "gcp_view_1_0.csv")]) == 0
    assert f"billed USD 3.24; FOCUS 1.0; {repaired}" in capsys.readouterr().out
    [delivery] = lake.deliveries(home)
    assert delivery.notes == ["FOCUS 1.0", repaired]
    assert cli.main(["--home", str(home.root), "deliveries"]) == 0
    assert f"note: {repaired}" in capsys.readouterr().out


def test_what_aws_leaves_empty_is_filled_or_left_out_in_sight(home: Home) -> None:
    assert notes(home, SAMPLES / "focus" / "aws_1_0_gaps.csv") == {
        "000777 2026-09": ["FOCUS 1.0", "repaired: InvoiceIssuerName filled (1 row), PricingQuantity left out (1 row)"]
    }


def test_a_value_that_focus_does_not_have_is_refused_by_row_and_column(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    text = (SAMPLES / "focus" / "aws_1_0_gaps.csv").read_text(encoding="utf-8")
    file.write_text(text.replace("Usage-Based", "Sometimes"), encoding="utf-8")
    [refusal] = ingest(home, [file], data_docs=False).refused
    assert refusal.message == (
        "bill.csv, row 1, column ChargeFrequency: found 'Sometimes', wanted one of One-Time, Recurring, Usage-Based. "
        "cost_and_usage from focus, account 000777, 2026-09 stays as it was."
    )


@pytest.mark.parametrize(
    ("file", "version"),
    [
        ("oci_draft.csv", "FOCUS 1.0-preview"),
        ("azure_1_0_preview.csv", "FOCUS 1.0-preview"),
        ("azure_1_2.csv", "FOCUS 1.2"),
        ("aws_azure_oci_1_0.csv", "FOCUS 1.0"),
        ("aws_1_2.snappy.parquet", "FOCUS 1.2"),
        ("snowflake_1_3.csv", "FOCUS 1.3"),
        ("openai_1_4.csv.gz", "FOCUS 1.4"),
    ],
)
def test_the_version_is_told_from_the_columns(home: Home, file: str, version: str) -> None:
    assert {found[0] for found in notes(home, SAMPLES / "focus" / file).values()} == {version}


def test_contract_commitments_of_1_3_and_1_4_stand_side_by_side(home: Home) -> None:
    folder = SAMPLES / "focus_contract_commitment"
    assert notes(home, folder / "commitments_1_3.csv") == {"default all": ["FOCUS 1.3"]}
    # A delivery replaces the commitments it holds, and no others.
    assert notes(home, folder / "commitments_1_4.csv") == {
        "default all": ["FOCUS 1.4", "rows kept from earlier deliveries: 2"]
    }
    assert warehouse.dataset(home, "contract_commitment")["ContractCommitmentId"].sort().to_list() == [
        "cc1", "cc2", "cc9",
    ]  # fmt: skip


def test_an_invoice_delivered_again_replaces_itself_and_leaves_the_others(home: Home, tmp_path: Path) -> None:
    sample = SAMPLES / "focus_invoice_detail" / "invoices_1_4.csv"
    ingest(home, [sample], data_docs=False)
    head, *_, credit = sample.read_text(encoding="utf-8").splitlines()
    again = tmp_path / "again.csv"
    again.write_text("\n".join([head, credit.replace("-40,", "-45.5,")]) + "\n", encoding="utf-8")
    [outcome] = ingest(home, [again], data_docs=False).outcomes
    assert outcome.message == (
        "invoice_detail from focus_invoice_detail, account acct-13, 2026-09: 3 rows, "
        "billed USD 1387.926400000000000001; replaces an earlier delivery, change USD -5.5; FOCUS 1.4; "
        "rows kept from earlier deliveries: 2"
    )


@pytest.mark.parametrize(
    ("dataset", "version", "columns"),
    [
        ("ContractCommitment", "1.3", 13),
        ("ContractCommitment", "1.4", 30),
        ("BillingPeriod", "1.4", 6),
        ("InvoiceDetail", "1.4", 22),
    ],
)
def test_the_other_datasets_are_exported_with_the_columns_of_their_version(
    home: Home, tmp_path: Path, dataset: str, version: str, columns: int
) -> None:
    own = datasets()[dataset]
    folder = SAMPLES / f"focus_{own.dataset}"
    ingest(home, [f for f in sorted(folder.iterdir()) if f.name != "expected.csv"], data_docs=False)
    out = tmp_path / "out.parquet"
    rows = export_focus(home, version=version, out=out, dataset=dataset)
    found = pl.read_parquet(out)
    assert rows == found.height == 3
    assert len([c for c in found.columns if not c.startswith("x_")]) == columns


def test_an_exported_dataset_comes_back_as_it_was(home: Home, tmp_path: Path) -> None:
    ingest(home, [SAMPLES / "focus_invoice_detail" / "invoices_1_4.csv"], data_docs=False)
    out = tmp_path / "invoices.csv"
    command = ["--home", str(home.root), "export", "focus", "--dataset", "InvoiceDetail", "--out", str(out)]
    assert cli.main(command) == 0
    other = Home(tmp_path / "other")
    assert ingest(other, [out], data_docs=False).refused == []
    mine, theirs = (warehouse.dataset(h, "invoice_detail").drop("x_SourceFile") for h in (home, other))
    assert mine.sort("InvoiceDetailId").drop("x_SourceRow").equals(theirs.sort("InvoiceDetailId").drop("x_SourceRow"))
    assert sum(theirs["BilledCost"], Decimal(0)) == Decimal("1393.426400000000000001")


def test_a_dataset_that_a_version_does_not_have_is_wrong_usage(home: Home, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with pytest.raises(UsageError, match=r"^InvoiceDetail came with FOCUS 1\.4: found version 1\.3, wanted 1\.4 or"):
        export_focus(home, version="1.3", out=out, dataset="InvoiceDetail")
    with pytest.raises(UsageError, match=r"^There is no FOCUS dataset 'Prices'\. Datasets: BillingPeriod, Contract"):
        export_focus(home, version="1.4", out=out, dataset="Prices")
    with pytest.raises(NotBuiltError, match=r"holds no BillingPeriod yet\. Bring one in with `finops ingest PATH`\.$"):
        export_focus(home, version="1.4", out=out, dataset="BillingPeriod")


def test_a_reservation_event_nobody_knows_is_refused_by_row(home: Home, tmp_path: Path) -> None:
    text = (SAMPLES / "azure_reservation_transactions" / "ea.csv").read_text(encoding="utf-8")
    file = tmp_path / "ea.csv"
    file.write_text(text.replace("Refund", "Exchange"), encoding="utf-8")
    [refusal] = ingest(home, [file], data_docs=False).refused
    assert refusal.message.startswith(
        "ea.csv, row 5, column EventType (which gives ContractCommitmentType): found 'Exchange', wanted a value."
    )


def test_addresses_of_people_who_bought_reservations_never_enter_the_lake(home: Home) -> None:
    ingest(home, [SAMPLES / "azure_reservation_transactions"], data_docs=False)
    held = [f.read_bytes() for f in home.lake.rglob("*") if f.is_file()]
    assert len(held) >= 4
    assert [b for b in held if b"person@example.com" in b] == []


def test_the_parts_of_an_invoice_add_up_to_its_total(home: Home) -> None:
    ingest(home, [SAMPLES / "aws_invoices", SAMPLES / "azure_invoices"], data_docs=False)
    totals: dict[str, Decimal] = {}
    for row in warehouse.dataset(home, "invoice_detail").iter_rows(named=True):
        totals[row["InvoiceId"]] = totals.get(row["InvoiceId"], Decimal(0)) + row["BilledCost"]
    assert totals == {
        "EUINGB26-1001": Decimal("1428.57"), "EUCNGB26-7": Decimal("-20.00"), "2045551": Decimal("107.5"),
        "G0010": Decimal("1070.99"), "C0002": Decimal("-50"), "E0700": Decimal("33.99"),
    }  # fmt: skip
