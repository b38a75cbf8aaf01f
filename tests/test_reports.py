"""What is written equals what the marts hold, opens offline, and hides nothing that is not known."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from marts_by_hand import DATA_DATE, EXACT, costs, empty, everything

from finops_lib import charts, warehouse
from finops_lib.errors import UsageError
from finops_lib.lake import Home
from finops_lib.reports import report
from finops_lib.reports.content import MARTS, Column, cell, compose
from finops_lib.reports.writing import write

Marts = dict[str, pl.DataFrame]


class Page(HTMLParser):
    """Every start tag with its attributes, and the text that is read."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, table: str, column: str) -> list[Decimal]:
        """Exact values of one column of one table, from its data attributes."""
        inside, found = False, []
        for tag, attributes in self.tags:
            if tag == "table":
                inside = attributes["data-table"] == table
            if inside and attributes.get("data-column") == column:
                found.append(Decimal(str(attributes["data-value"])))
        return found


def _written(marts: Marts, folder: Path, **named: Any) -> tuple[Path, Page]:
    out = write(compose(marts, data_date=DATA_DATE, **named), folder)
    return out, Page((out / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Page]:
    return _written(everything(), tmp_path_factory.mktemp("whole"))


def _sheet(folder: Path, name: str) -> list[dict[str, Any]]:
    rows = openpyxl.load_workbook(folder / "tables.xlsx")[name].iter_rows(min_row=4, values_only=True)
    head = next(rows)
    return [dict(zip((str(h) for h in head), row, strict=True)) for row in rows]


def test_the_figures_are_the_marts_own(whole: tuple[Path, Page]) -> None:
    figures = json.loads((whole[0] / "report.json").read_text(encoding="utf-8"))["figures"]
    assert [(f["name"], f["currency"], f["value"] and Decimal(f["value"]), f["shown"]) for f in figures] == [
        ("Total spend", "USD", Decimal(100), "USD 100"),
        ("Total spend", "EUR", EXACT, "EUR 10.1"),
        ("Share allocated", "USD", Decimal("0.94"), "94 % of USD"),
        ("Share allocated", "EUR", Decimal(1), "100 % of EUR"),
        ("Cost per 1M tokens", "USD", Decimal("2.5"), "USD 2.5"),
        ("Forecast versus budget", "USD", Decimal("1.1"), "110 % of USD budget"),
        ("Forecast versus budget", "EUR", Decimal("1.0123456789012346"), "101 % of EUR team budgets"),
        ("ROI on bills", "USD", Decimal(str(55 / 60)), "+92 % on USD"),
        ("ROI on all cost", "USD", Decimal(str(30 / 85)), "+35 % on USD"),
    ]
    assert {(f["data_date"], f["basis"]) for f in figures} == {("2026-10-25", "Effective cost")}


def test_the_page_shows_each_figure_with_its_exact_value_basis_and_date(whole: tuple[Path, Page]) -> None:
    written = json.loads((whole[0] / "report.json").read_text(encoding="utf-8"))["figures"]
    shown = [a for _, a in whole[1].tags if "data-figure" in a]
    assert [(a["data-figure"], a["data-value"], a["data-date"], a["data-basis"]) for a in shown] == [
        (f["name"], f["value"], f["data_date"], f["basis"]) for f in written
    ]


def test_amounts_on_the_page_keep_every_digit_of_the_mart(whole: tuple[Path, Page]) -> None:
    marts = everything()
    assert EXACT in whole[1].values("services", "effective_cost")
    october = marts["fct_monthly_cost"].filter(pl.col("month") == "2026-10")
    assert sum(whole[1].values("services", "effective_cost")) == october["effective_cost"].sum()
    assert sum(whole[1].values("teams", "effective_cost")) == marts["fct_showback"]["effective_cost"].sum()
    assert sum(whole[1].values("lifecycle", "effective_cost")) == marts["fct_lifecycle_cost"]["effective_cost"].sum()
    assert sum(whole[1].values("budgets", "budget_amount")) == marts["fct_budget_status"]["budget_amount"].sum()


def test_amounts_in_the_workbook_are_numbers_and_stand_beside_all_their_digits(whole: tuple[Path, Page]) -> None:
    rows = _sheet(whole[0], "services")
    euro = next(row for row in rows if row["Currency"] == "EUR")
    assert euro["Effective cost"] == pytest.approx(float(EXACT), rel=1e-15)
    assert euro["Effective cost, exact"] == str(EXACT)
    assert sum(Decimal(row["Effective cost, exact"]) for row in rows) == Decimal(100) + EXACT


def test_the_workbook_names_basis_mart_and_data_date_of_every_sheet(whole: tuple[Path, Page]) -> None:
    book = openpyxl.load_workbook(whole[0] / "tables.xlsx")
    assert book.sheetnames[0] == "figures"
    for sheet in book:
        assert "data through 2026-10-25" in str(sheet["A2"].value)
    assert book["teams"]["A2"].value == "Effective cost · fct_showback · data through 2026-10-25"


def test_what_is_unknown_is_called_unknown_and_never_0(whole: tuple[Path, Page]) -> None:
    run = next(row for row in _sheet(whole[0], "training_runs") if row["Run"] == "r3")
    assert (run["Effective cost"], run["Effective cost, exact"], run["Currency"]) == ("unknown",) * 3
    assert len(whole[1].values("training_runs", "effective_cost")) == 2
    assert "Requests whose model and day have no price" in whole[1].text
    assert "Training runs without a price" in whole[1].text


def test_the_page_loads_nothing_from_anywhere(whole: tuple[Path, Page]) -> None:
    html = (whole[0] / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"https?://(?!www\.w3\.org/)[^\s\"']+", html) == []
    assert not {tag for tag, _ in whole[1].tags} & {"script", "img", "iframe", "object", "embed", "base"}
    assert "@import" not in html
    assert re.findall(r"url\((?!#)", html) == []


def test_every_chart_is_on_the_page_with_words_and_in_both_formats(whole: tuple[Path, Page]) -> None:
    summary = json.loads((whole[0] / "report.json").read_text(encoding="utf-8"))
    names = [c["name"] for s in summary["sections"] for c in s["charts"]]
    assert len(names) == 13
    pictures = [a for tag, a in whole[1].tags if tag == "svg"]
    assert [a["aria-labelledby"] for a in pictures] == [f"{n}-title" for n in names]
    for name in names:
        assert (whole[0] / "charts" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (whole[0] / "charts" / f"{name}.svg").read_text(encoding="utf-8").startswith("<svg")


def test_no_two_things_on_the_page_share_an_id(whole: tuple[Path, Page]) -> None:
    ids = [a["id"] for _, a in whole[1].tags if "id" in a]
    assert len(ids) == len(set(ids))


def test_the_summary_lists_every_file_with_its_hash(whole: tuple[Path, Page]) -> None:
    files = json.loads((whole[0] / "report.json").read_text(encoding="utf-8"))["files"]
    on_disk = {str(f.relative_to(whole[0])) for f in whole[0].rglob("*") if f.is_file()} - {"report.json"}
    assert {f["path"] for f in files} == on_disk
    for file in files:
        assert hashlib.sha256((whole[0] / file["path"]).read_bytes()).hexdigest() == file["sha256"]


def test_the_same_data_give_the_same_bytes(whole: tuple[Path, Page], tmp_path: Path) -> None:
    again, _ = _written(everything(), tmp_path)
    for file in (f for f in whole[0].rglob("*") if f.is_file()):
        assert file.read_bytes() == (again / file.relative_to(whole[0])).read_bytes(), file.name


def test_text_of_a_bill_is_escaped_on_the_page(tmp_path: Path) -> None:
    marts = costs()
    evil = "<script>alert('x')</script><img src=x onerror=alert(1)>"
    marts["fct_showback"] = marts["fct_showback"].with_columns(team=pl.lit(evil))
    marts["fct_monthly_cost"] = marts["fct_monthly_cost"].with_columns(service_name=pl.lit(evil))
    _, page = _written(marts, tmp_path)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert evil in page.text


def test_text_of_a_bill_is_never_a_formula_or_a_link(tmp_path: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "https://example.org"]
    marts = costs()
    marts["fct_showback"] = marts["fct_showback"].with_columns(team=pl.Series(texts))
    folder, _ = _written(marts, tmp_path)
    cells = [c for c in openpyxl.load_workbook(folder / "tables.xlsx")["teams"]["A"] if c.value in texts]
    assert {c.value for c in cells} == set(texts)
    assert {(c.data_type, c.hyperlink) for c in cells} == {("s", None)}


def test_a_home_with_bills_only_says_what_is_missing_and_what_brings_it(tmp_path: Path) -> None:
    folder, page = _written(costs(), tmp_path)
    for name in ("tokens", "requests", "training", "budgets", "forecast", "roi"):
        assert charts.NEEDS[name].replace("`", "") in page.text
    figures = json.loads((folder / "report.json").read_text(encoding="utf-8"))["figures"]
    unknown = {
        f["name"]: (f["value"], f["shown"]) for f in figures if f["name"] not in ("Total spend", "Share allocated")
    }
    assert unknown == {
        "Cost per 1M tokens": (None, "unknown"),
        "Forecast versus budget": (None, "unknown"),
        "ROI on bills": (None, "unknown"),
        "ROI on all cost": (None, "unknown"),
    }


def test_marts_without_a_row_make_a_report_of_what_is_missing(tmp_path: Path) -> None:
    folder, page = _written(empty(), tmp_path)
    summary = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert {f["shown"] for f in summary["figures"]} == {"unknown"}
    assert list((folder / "charts").iterdir()) == []
    assert all(charts.NEEDS[name].replace("`", "") in page.text for name in charts.NEEDS if name != "sensitivity")
    assert [a for _, a in page.tags if "data-value" in a] == []


def test_a_month_that_is_not_over_is_to_date_and_an_earlier_one_is_whole(tmp_path: Path) -> None:
    assert compose(everything(), data_date=DATA_DATE).title == "AI spend, October 2026 to date"
    september = compose(everything(), data_date=DATA_DATE, month="2026-09")
    assert (september.title, september.figures[0].value) == ("AI spend, September 2026", Decimal(400))
    _, page = _written(everything(), tmp_path, month="2026-09")
    assert "AWS is 75 % of September's USD 400; September rose 33 % on August" in page.text


def test_a_month_without_charges_is_refused() -> None:
    with pytest.raises(UsageError) as refused:
        compose(everything(), data_date=DATA_DATE, month="2027-01")
    assert str(refused.value) == (
        "There are no charges in 2027-01. There are in 2026-08 to 2026-10: ask for one of those."
    )


@pytest.mark.parametrize("month", ["2026-13", "October", "2026-1", "../2026-10"])
def test_a_month_that_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(UsageError) as refused:
        compose(everything(), data_date=DATA_DATE, month=month)
    assert str(refused.value) == f"{month!r} is not a month. Write it as YYYY-MM, such as 2026-10."


def test_writing_again_removes_charts_that_are_gone_and_nothing_else(tmp_path: Path) -> None:
    _written(everything(), tmp_path)
    (tmp_path / "charts" / "notes.txt").write_text("mine", encoding="utf-8")
    _written(empty(), tmp_path)
    assert [f.name for f in (tmp_path / "charts").iterdir()] == ["notes.txt"]


def test_long_tables_are_whole_in_the_workbook_and_the_page_says_so(tmp_path: Path) -> None:
    marts = everything()
    run = marts["fct_training_run_cost"].head(1)
    marts["fct_training_run_cost"] = pl.concat(run.with_columns(run_id=pl.lit(f"run {n:03}")) for n in range(70))
    folder, page = _written(marts, tmp_path)
    assert "The first 60 of 70 rows; all are in tables.xlsx, sheet training_runs." in page.text
    assert len(_sheet(folder, "training_runs")) == 70


def test_report_reads_every_mart_of_a_home_and_writes_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marts, asked = everything(), []
    build = warehouse.Published(
        build_id="0123456789ab", built_at=datetime(2026, 10, 26, tzinfo=UTC), product="1.2.3", models="m",
        own_models="", lake="lake", datasets={}, deliveries=7, last_delivery=datetime(2026, 10, 25, 6, 15, tzinfo=UTC),
    )  # fmt: skip
    monkeypatch.setattr(
        warehouse, "snapshot", lambda _, names: (build, {n: asked.append(n) or marts[n] for n in names})
    )
    monkeypatch.setattr(warehouse, "data_through", lambda *_: DATA_DATE)
    home = Home(tmp_path)
    assert report(home) == home.reports / "2026-10"
    assert (home.reports / "2026-10" / "index.html").exists()
    assert tuple(asked) == MARTS
    said = "build 0123456789ab by finops 1.2.3, from 7 deliveries, the last of 2026-10-25 06:15:00 UTC"
    assert f"; {said}.</footer>" in (home.reports / "2026-10" / "index.html").read_text(encoding="utf-8")
    assert json.loads((home.reports / "2026-10" / "report.json").read_text(encoding="utf-8"))["build"] == said
    assert report(home, month="2026-09", out=tmp_path / "elsewhere") == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("money", Decimal("1234.5"), "1,234"), ("money", Decimal("12.345"), "12.34"), ("money", None, "unknown"),
        ("price", 0.00312, "0.00312"), ("share", 0.5, "50 %"), ("change", 0.5, "+50 %"), ("count", 12345, "12,345"),
        ("text", "<b>", "<b>"),
    ],
)  # fmt: skip
def test_a_cell_is_rounded_for_reading(kind: Any, value: Any, said: str) -> None:
    assert cell(value, Column(name="x", title="X", kind=kind)) == said


def test_money_that_was_rejected_is_said_at_the_head_of_the_report(tmp_path: Path) -> None:
    sentence = "cost_and_usage from focus, account <a>, 2026-09: 2 rows were rejected, USD 8"
    out, page = _written(everything(), tmp_path, missing=[sentence])
    assert "These figures lack money that was billed:" in page.text
    assert sentence in page.text
    assert "account &lt;a&gt;" in (out / "index.html").read_text(encoding="utf-8")
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["missing"] == [sentence]
    assert "lack money" not in _written(everything(), tmp_path / "whole")[1].text


def test_the_report_tells_the_months_invoices_after_those_of_any_month_with_a_gap_unexplained(
    whole: tuple[Path, Page],
) -> None:
    invoices = _sheet(whole[0], "invoices")
    assert [(r["Month"], r["Invoice"], Decimal(r["Gap, exact"]), r["Reasons"]) for r in invoices] == [
        ("2026-09", "I-9", 7, "unexplained +7.00"),
        ("2026-10", "OpenAI, account o", 29, "no invoice id +29.00"),
        ("2026-10", "I-10", 11, "tax +11.00"),
    ]
    [vendor] = _sheet(whole[0], "vendor_counts")
    assert (vendor["Vendor"], vendor["Reasons"]) == ("OpenAI, account o", "tax +1.50")
    assert Decimal(vendor["Billed, exact"]) == Decimal("10.5")
    assert Decimal(vendor["Counted, at list price, exact"]) == 9
    assert [r["Month"] for r in _sheet(whole[0], "open_months")] == ["2026-09", "2026-10"]


def test_where_no_invoice_and_no_count_was_delivered_the_report_asks_nothing_about_them(tmp_path: Path) -> None:
    marts = everything()
    for name in ("fct_invoice_gap", "fct_usage_gap"):
        stated = {"fct_invoice_gap": pl.col("stated_by") == "nothing", "fct_usage_gap": pl.col("list_cost").is_null()}
        marts[name] = marts[name].filter(stated[name])
    assert "Invoices and counts" not in _written(marts, tmp_path)[1].text
