"""Whether 09/04 is September or April is decided once per file, from the file, or the file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.ingest.adapt import dates
from finops_lib.lake import Home, deliveries

HEADER = "SubscriptionId,Date,ChargeType,Cost,BillingCurrency,MeterCategory,ConsumedService"


def file_of(folder: Path, *written: str, name: str = "bill.csv") -> Path:
    file = folder / name
    rows = [f"s-1,{date},Usage,1,EUR,Storage," for date in written]
    file.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return file


def days(home: Home) -> list[str]:
    rows = warehouse.dataset(home, "cost_and_usage").sort("x_SourceRow")
    return [d.strftime("%Y-%m-%d") for d in rows["ChargePeriodStart"]]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (["9/4/2026", "09/13/2026", "09/05/26"], ["2026-09-04", "2026-09-13", "2026-09-05"]),
        (["4/9/2026", "13/09/2026", "05-09-26"], ["2026-09-04", "2026-09-13", "2026-09-05"]),
        (["2026-09-04", "2026-09-05 00:00:00", "2026-09-06T00:00:00Z"], ["2026-09-04", "2026-09-05", "2026-09-06"]),
        (["04.09.2026", "5.9.26"], ["2026-09-04", "2026-09-05"]),
        (["05/03/2026", "06/03/2026"], ["2026-03-05", "2026-03-06"]),
        (["03/05/2026", "03/06/2026"], ["2026-03-05", "2026-03-06"]),
        (["02/02/2026", "2026-02-03"], ["2026-02-02", "2026-02-03"]),
    ],
    ids=[
        "a day above 12 puts the month first",
        "a day above 12 puts the day first",
        "ISO needs no decision",
        "dots put the day first",
        "days of one March, not firsts of May and June",
        "days of one March, not of May and June",
        "the same both ways",
    ],
)
def test_a_file_tells_how_it_writes_its_dates(home: Home, tmp_path: Path, written: list[str], meant: list[str]) -> None:
    assert ingest(home, [file_of(tmp_path, *written)], data_docs=False).refused == []
    assert days(home) == meant


@pytest.mark.parametrize("written", [["08/01/2026"], ["01/01/2026", "02/01/2026"]], ids=["one date", "firsts"])
def test_dates_that_mean_two_things_are_refused_until_someone_says_which(
    home: Home, tmp_path: Path, written: list[str]
) -> None:
    file = file_of(tmp_path, *written)
    [refused] = ingest(home, [file], data_docs=False).refused
    found = max(written)
    assert refused.message == (
        f"bill.csv, column Date: found '{found}', and nothing in this file tells whether the month or the day stands "
        "first. Deliver it with --dates month-first or --dates day-first, as its exporter writes them."
    )
    assert deliveries(home) == []
    assert ingest(home, [file], data_docs=False, dates="day-first").refused == []
    assert {d[:7] for d in days(home)} == {"2026-01"}


def test_what_a_file_shows_outweighs_what_was_said_of_it(home: Home, tmp_path: Path) -> None:
    ingest(home, [file_of(tmp_path, "09/04/2026", "09/30/2026")], data_docs=False, dates="day-first")
    assert days(home) == ["2026-09-04", "2026-09-30"]


def test_a_file_in_two_orders_is_refused(home: Home, tmp_path: Path) -> None:
    [refused] = ingest(home, [file_of(tmp_path, "09/30/2026", "30/09/2026")], data_docs=False).refused
    assert refused.message == (
        "bill.csv, column Date: found '09/30/2026', and the month stands first in some dates of this file and the day "
        "in others. Export it with one order."
    )


def test_a_later_row_in_the_other_order_is_refused_by_its_row(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dates, "LOOKED_AT", 1)
    [refused] = ingest(home, [file_of(tmp_path, "09/30/2026", "30/09/2026")], data_docs=False).refused
    assert refused.message.startswith(
        "bill.csv, row 2, column Date: found '30/09/2026', wanted a date such as 2026-10-31, month-first as in the "
        "rest of the file."
    )


def test_a_part_whose_dates_nobody_can_tell_keeps_its_siblings_out(home: Home, tmp_path: Path) -> None:
    file_of(tmp_path, "09/04/2026", "09/30/2026", name="part_1.csv")
    file_of(tmp_path, "09/04/2026", name="part_2.csv")
    messages = [o.message for o in ingest(home, [tmp_path], data_docs=False).refused]
    assert messages[1].startswith("part_1.csv: stays out, because part_2.csv was refused and may hold the same month.")
    assert deliveries(home) == []


def test_an_mca_export_of_one_day_is_read_once_its_order_is_said(home: Home, shared_samples: Path) -> None:
    file = shared_samples / "azure" / "camel_azure_version_2.csv"
    assert "found '08/01/2023', and nothing in this file tells" in ingest(home, [file]).refused[0].message
    assert ingest(home, [file], dates="month-first", data_docs=False).refused == []
    assert set(days(home)) == {"2023-08-01"}
