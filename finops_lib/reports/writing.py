"""A report as files: a page that opens without a network, charts, a workbook, and the figures as data.

The same report gives the same bytes: no clock is read, the date of the data stands in for it.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import tempfile
from datetime import UTC, date, datetime, time
from importlib import resources
from pathlib import Path
from typing import Any

import polars as pl

from finops_lib import charts

from .content import BASIS, Column, Headline, Report, Table, cell, exact

ROWS_ON_PAGE = 60
"""Longer tables are whole in the workbook only; the page says so."""

LONGEST_CELL = 32_767
"""Characters a cell of a workbook holds."""


def write(report: Report, folder: Path) -> Path:
    """Write a report, whole: it is made beside the folder and takes its place at the end.

    Returns  the folder, holding index.html, charts/<name>.svg and .png, tables.xlsx and report.json. Charts that an
             earlier report left there and this one has no more are removed; nothing else is touched.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{glob.escape(folder.name)}-*"):
        # By a report that was killed.
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as beside:
        made = Path(beside) / folder.name
        _make(report, made)
        _replace(folder, made)
    return folder


def _make(report: Report, folder: Path) -> None:
    drawings = folder / "charts"
    drawings.mkdir(parents=True)
    svgs: dict[str, str] = {}
    for drawing in (d for s in report.sections for d in s.drawings):
        svgs[drawing.name] = charts.svg(drawing.chart, name=drawing.name)
        (drawings / f"{drawing.name}.svg").write_text(svgs[drawing.name], encoding="utf-8")
        (drawings / f"{drawing.name}.png").write_bytes(charts.png(drawing.chart))
    (folder / "index.html").write_text(_page(report, svgs), encoding="utf-8")
    _workbook(report, folder / "tables.xlsx")
    files = ["index.html", "tables.xlsx", *(f"charts/{name}.{kind}" for name in svgs for kind in ("png", "svg"))]
    summary = {**_summary(report), "files": [_file(folder, name) for name in files]}
    (folder / "report.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _replace(folder: Path, made: Path) -> None:
    ours = _earlier(folder)
    there = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()} if folder.exists() else set()
    if folder.exists() and not there <= ours:
        # Somebody keeps files of their own here: ours change one by one, the page and its summary last.
        files = sorted((f for f in made.rglob("*") if f.is_file()), key=lambda f: (f.parent == made, f.name))
        for file in files:
            (folder / file.relative_to(made)).parent.mkdir(parents=True, exist_ok=True)
            os.replace(file, folder / file.relative_to(made))
        for gone in (there & ours) - {str(f.relative_to(made)) for f in files}:
            (folder / gone).unlink(missing_ok=True)
        return
    if folder.exists():
        os.replace(folder, made.with_name("before"))
    os.replace(made, folder)


def _earlier(folder: Path) -> set[str]:
    """Files that an earlier report wrote here."""
    try:
        listed = json.loads((folder / "report.json").read_text(encoding="utf-8"))["files"]
        return {"report.json", *(file["path"] for file in listed)}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _file(folder: Path, name: str) -> dict[str, Any]:
    content = (folder / name).read_bytes()
    return {"path": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _summary(report: Report) -> dict[str, Any]:
    return {
        "title": report.title,
        "month": report.month,
        "to_date": report.to_date,
        "data_date": report.data_date.isoformat(),
        "behind": report.behind,
        "build": report.build,
        "basis": BASIS,
        "missing": list(report.missing),
        "figures": [_figure(f, report.data_date) for f in report.figures],
        "sections": [
            {
                "title": section.title,
                "charts": [
                    {"name": d.name, "finding": charts.finding(d.chart), "basis": charts.basis(d.chart)}
                    for d in section.drawings
                ],
                "tables": [
                    {"name": t.name, "title": t.title, "mart": t.mart, "basis": t.basis, "rows": t.rows.height}
                    for t in section.tables
                ],
                "missing": list(section.missing),
            }
            for section in report.sections
        ],
        "sheets": [
            {"name": t.name, "title": t.title, "mart": t.mart, "basis": t.basis, "rows": t.rows.height}
            for t in report.sheets
        ],
    }


def _figure(figure: Headline, data_date: date) -> dict[str, Any]:
    return {
        "name": figure.name,
        "shown": figure.shown,
        "value": None if figure.value is None else exact(figure.value),
        "unit": figure.unit,
        "currency": figure.currency,
        "meaning": figure.meaning,
        "mart": figure.mart,
        "basis": BASIS,
        "data_date": data_date.isoformat(),
    }


def _page(report: Report, svgs: dict[str, str]) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = (resources.files("finops_lib.reports") / "page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source).render(
        report=report,
        figures={name: [f for f in report.figures if f.name == name] for name in _names(report)},
        # Drawn by our own renderer, which escapes the texts in it; escaping again would show the markup.
        drawn={name: Markup(svg) for name, svg in svgs.items()},  # noqa: S704
        basis=BASIS,
        day=f"{report.data_date:%-d %B %Y}",
        cell=cell,
        exact=exact,
        finding=charts.finding,
        is_number=_is_number,
        limit=ROWS_ON_PAGE,
    )


def _names(report: Report) -> list[str]:
    return list(dict.fromkeys(f.name for f in report.figures))


def _is_number(column: Column) -> bool:
    return column.kind not in ("text", "date", "truth")


def _workbook(report: Report, file: Path) -> None:
    import xlsxwriter

    # A text is written as text whatever it begins with: nothing on a bill becomes a formula or a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(file), options) as book:
        made = datetime.combine(report.data_date, time(), UTC).replace(tzinfo=None)
        book.set_properties({"title": report.title, "created": made, "comments": report.build})
        book.set_calc_mode("manual")
        formats = {name: book.add_format(look) for name, look in _LOOKS.items()}
        tables = (t for s in report.sections for t in s.tables)
        for table in (_figures_table(report), *tables, *report.sheets):
            _sheet(book.add_worksheet(table.name), table, report, formats)


_LOOKS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 14},
    "note": {"font_color": "#616E7C"},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "text": {},
    "date": {},
    "truth": {},
    "money": {"num_format": "#,##0.00"},
    "price": {"num_format": "#,##0.000000"},
    "share": {"num_format": "0.0%"},
    "change": {"num_format": "+0.0%;-0.0%;0.0%"},
    "count": {"num_format": "#,##0"},
    "number": {"num_format": "#,##0.##########"},
    "measure": {"num_format": "#,##0.##########"},
    "exact": {"font_color": "#9AA5B1", "align": "right"},
}


def _sheet(sheet: Any, table: Table, report: Report, formats: dict[str, Any]) -> None:
    """Title, basis and data date above; the table; and at the right every amount again with all its digits, as text."""
    amounts = [c for c in table.columns if c.kind in ("money", "price") and table.rows.schema[c.name] == pl.Decimal]
    sheet.write_string(0, 0, table.title, formats["title"])
    sheet.write_string(1, 0, f"{table.basis} · {table.mart} · data through {report.data_date}", formats["note"])
    for at, title in enumerate([*(c.title for c in table.columns), *(f"{c.title}, exact" for c in amounts)]):
        sheet.write_string(3, at, title, formats["head"])
    for down, row in enumerate(table.rows.iter_rows(named=True), start=4):
        for at, column in enumerate(table.columns):
            _write(sheet, down, at, row[column.name], column, formats)
        for at, column in enumerate(amounts, start=len(table.columns)):
            value = row[column.name]
            sheet.write_string(down, at, column.absent if value is None else exact(value), formats["exact"])
    last = len(table.columns) + len(amounts) - 1
    sheet.freeze_panes(4, 1)
    sheet.autofilter(3, 0, 3 + table.rows.height, last)
    for at, column in enumerate(table.columns):
        sheet.set_column(at, at, _width(column, table.rows))
    if amounts:
        sheet.set_column(len(table.columns), last, 30)


def _write(sheet: Any, down: int, at: int, value: Any, column: Column, formats: dict[str, Any]) -> None:
    if value is not None and _is_number(column):
        sheet.write_number(down, at, float(value), formats[column.kind])
    else:
        text = cell(value, column)
        sheet.write_string(down, at, text[:LONGEST_CELL], formats["note" if value is None else "text"])


def _width(column: Column, rows: pl.DataFrame) -> int:
    if _is_number(column):
        return 16
    longest = rows[column.name].cast(pl.String).str.len_chars().max()
    return min(60, 2 + max(10, len(column.title), longest if isinstance(longest, int) else 0))


def _figures_table(report: Report) -> Table:
    """The headline figures as the workbook's first sheet. A share and an amount have no common format: all as text."""
    rows = [
        {
            "name": f.name,
            "shown": f.shown,
            "exact": None if f.value is None else exact(f.value),
            "unit": f.unit,
            "currency": f.currency,
            "meaning": f.meaning,
            "mart": f.mart,
        }
        for f in report.figures
    ]
    titles = {
        "name": "Figure",
        "shown": "Value",
        "exact": "Value, exact",
        "unit": "Unit",
        "currency": "Currency",
        "meaning": "Meaning",
        "mart": "From",
    }
    return Table(
        name="figures",
        title=report.title,
        mart="headline figures",
        rows=pl.DataFrame(rows, schema=dict.fromkeys(titles, pl.String)),
        columns=tuple(Column(name=name, title=title, absent="–") for name, title in titles.items()),
    )
