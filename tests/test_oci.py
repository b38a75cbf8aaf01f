"""Oracle's cost reports: a month of many files, each charge once, corrections beside what they correct."""

from __future__ import annotations

import gzip
import shutil
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home, current

SAMPLES = Path(__file__).parent.parent / "data" / "samples" / "oci_cost"
EARLY, LATE = SAMPLES / "0001000000900001-00001.csv", SAMPLES / "0001000000900002-00001.csv"


def billed(home: Home) -> dict[str, str]:
    return {str(u.month): d.billed_total["EUR"] for u, d in current(home).items() if u.billing_account == "77001"}


def test_a_later_report_adds_to_the_month_that_earlier_ones_began(home: Home) -> None:
    assert ingest(home, [EARLY], data_docs=False).refused == []
    assert billed(home) == {"2026-09": "2.181800481298076439"}
    assert ingest(home, [LATE], data_docs=False).refused == []
    assert billed(home) == {"2026-09": "2.121800481298076439", "2026-10": "0.03"}


def test_a_report_delivered_again_changes_nothing(home: Home) -> None:
    for files in ([EARLY, LATE], [EARLY], [LATE], [LATE, EARLY]):
        assert ingest(home, files, data_docs=False).refused == []
        assert billed(home) == {"2026-09": "2.121800481298076439", "2026-10": "0.03"}


def test_a_charge_that_comes_again_in_another_file_is_there_once(home: Home, tmp_path: Path) -> None:
    ingest(home, [EARLY, LATE], data_docs=False)
    again = tmp_path / "downloaded-again.csv.gz"
    with EARLY.open("rb") as given, gzip.open(again, "wb") as written:
        shutil.copyfileobj(given, written)
    assert ingest(home, [again], data_docs=False).refused == []
    rows = warehouse.dataset(home, "cost_and_usage")
    assert rows["x_ChargeReference"].n_unique() == rows.height == 8
    assert billed(home) == {"2026-09": "2.121800481298076439", "2026-10": "0.03"}


def test_only_a_line_that_says_so_is_a_correction(home: Home) -> None:
    assert "ref-00" in EARLY.read_text(encoding="utf-8")
    ingest(home, [EARLY, LATE], data_docs=False)
    corrections = warehouse.dataset(home, "cost_and_usage").filter(pl.col("ChargeClass") == "Correction")
    assert corrections.select("x_ChargeReference", "x_CorrectedReference", "BilledCost").rows() == [
        ("ref-11", "ref-01", Decimal("-0.06"))
    ]


def test_a_line_that_may_or_may_not_correct_is_refused(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "report.csv"
    file.write_bytes(LATE.read_bytes().replace(b",true,ref-01", b",perhaps,ref-01"))
    [refused] = ingest(home, [file], data_docs=False).refused
    assert refused.message == (
        "report.csv, row 1, column lineItem/isCorrection: found 'perhaps', wanted true or false. Correct the value at "
        "its source and deliver the file again. cost_and_usage from oci_cost, account 77001, 2026-09, "
        "cost_and_usage from oci_cost, account 77001, 2026-10 stays as it was."
    )


@pytest.mark.parametrize("tag", ["Oracle-Tags.CreatedBy", "DevRel\\hol-4cb4.release"])
def test_every_tag_column_is_a_tag_whatever_its_name(home: Home, tag: str) -> None:
    import json

    ingest(home, [EARLY], data_docs=False)
    tags = [json.loads(t) for t in warehouse.dataset(home, "cost_and_usage")["Tags"] if t is not None]
    assert [tag in t for t in tags] == [True]
