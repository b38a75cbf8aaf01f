"""What Data Docs show of a delivery, and that Great Expectations checks what the contracts promise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from finops_lib import expectations
from finops_lib.contract import contract, contracts, literal
from finops_lib.errors import FinopsError
from finops_lib.expectations import Delivery, Result, document

BUDGET = contract("budget")
FORECAST = contract("forecast")
GOOD = {"budget_name": "gpu", "month": "2026-10", "amount": 10, "currency": "USD", "x_adapter": "plan",
        "x_source_file": "budget.csv", "x_source_row": 1}  # fmt: skip
BAD = (
    GOOD | {"lifecycle": "prod"},
    GOOD | {"amount": -1, "month": "2026-13", "x_source_row": 2},
    GOOD | {"owner": "", "budget_name": None, "x_source_row": 3},
)


def parquet(file: Path, rows: Sequence[dict[str, object]], *, dataset: str = "budget") -> Path:
    own = contract(dataset)
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"create table rows as {own.empty()}")
        for row in rows:
            marks = ", ".join("?" * len(row))
            names = ", ".join(f'"{name}"' for name in row)
            db.execute(f"insert into rows ({names}) values ({marks})", list(row.values()))
        db.execute(f"copy rows to {literal(str(file))} (format parquet)")
    return file


def delivery(title: str, at: str, files: Sequence[Path] = (), refusals: Sequence[str] = ()) -> Delivery:
    return Delivery(title=title, delivered_at=at, contract=BUDGET, parquet=files, refusals=refusals)


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three deliveries, checked by Great Expectations in one go."""
    folder = tmp_path_factory.mktemp("docs: {3} 'quoted'")
    good, bad = parquet(folder / "good.parquet", [GOOD]), parquet(folder / "bad.parquet", BAD)
    deliveries = [
        delivery("Good budgets", "2026-10-26T08:00:00Z", [good]),
        delivery("Bad <b>budgets</b>", "2026-10-27T08:00:00Z", [bad], ["bad.csv, row 1: <script>alert(1)</script>"]),
        delivery("Unreadable budgets", "2026-10-25T08:00:00Z", refusals=["torn.csv: the file ends in the middle."]),
    ]
    return document(deliveries, out=folder / "out").parent


def page(docs: Path, title: str) -> str:
    listed = json.loads((docs / "deliveries.json").read_text(encoding="utf-8"))
    return (docs / next(e["page"] for e in listed if e["title"] == title)).read_text(encoding="utf-8")


def checks(html: str) -> Iterator[tuple[str, ...]]:
    """The rows of a page's table of expectations, as text."""
    for row in re.findall(r"<tr><td class=.*?</tr>", html):
        yield tuple(re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", row))


def test_a_delivery_that_keeps_its_contract_fails_nothing(docs: Path) -> None:
    found = list(checks(page(docs, "Good budgets")))
    assert {outcome for outcome, *_ in found} == {"passed"}
    assert len(found) == len(expectations.expectations(BUDGET, present=()))


def test_every_broken_promise_is_shown_with_its_rows_and_a_value(docs: Path) -> None:
    failed = {row[1:] for row in checks(page(docs, "Bad <b>budgets</b>")) if row[0] != "passed"}
    assert failed == {
        ("budget_name", "never NULL", "1", "None"),
        ("lifecycle", "one of experiment, production", "1", "prod"),
        ("amount", "at least 0", "1", "-1.000000000000000000"),
        ("month", "text that matches ^20[0-9]{2}-(0[1-9]|1[0-2])$", "1", "2026-13"),
        ("", "no text is empty: what is unknown is NULL", "1", "owner"),
    }


def test_pages_hold_data_as_text_never_as_markup(docs: Path) -> None:
    html = page(docs, "Bad <b>budgets</b>")
    assert "<script" not in html
    assert "<b>" not in html
    assert "bad.csv, row 1: &lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_delivery_that_could_not_be_staged_says_why(docs: Path) -> None:
    html = page(docs, "Unreadable budgets")
    assert "<li>torn.csv: the file ends in the middle.</li>" in html
    assert "Nothing could be staged, so nothing was checked." in html


def test_the_index_lists_the_newest_first_with_what_failed(docs: Path) -> None:
    rows = re.findall(r"<tr><td>(.*?)</td>.*?<a href=\"(.*?)\">(.*?)</a>.*?</tr>", (docs / "index.html").read_text())
    assert [(at, title) for at, _, title in rows] == [
        ("2026-10-27T08:00:00Z", "Bad &lt;b&gt;budgets&lt;/b&gt;"),
        ("2026-10-26T08:00:00Z", "Good budgets"),
        ("2026-10-25T08:00:00Z", "Unreadable budgets"),
    ]
    assert all((docs / href).exists() for _, href, _ in rows)
    listed = json.loads((docs / "deliveries.json").read_text(encoding="utf-8"))
    assert [(e["failed"], e["refusals"]) for e in listed] == [(5, 1), (0, 0), (0, 1)]


def test_pages_open_without_a_network(docs: Path) -> None:
    class Loaded(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "link", "img", "iframe")
            assert all(name != "src" and not (value or "").startswith(("http", "//")) for name, value in attrs)

    for file in docs.glob("*.html"):
        Loaded().feed(file.read_text(encoding="utf-8"))
        assert "url(" not in file.read_text(encoding="utf-8")


def test_documenting_again_adds_to_the_index_and_a_refusal_needs_no_great_expectations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("Great Expectations was started"))
    document([delivery("First", "2026-01-01T00:00:00Z", refusals=["x"])], out=tmp_path)
    index = document([delivery("Second", "2026-01-02T00:00:00Z", refusals=["y"])], out=tmp_path)
    assert re.findall(r"\.html\">(.*?)</a>", index.read_text()) == ["Second", "First"]
    again = document([delivery("Second", "2026-01-02T00:00:00Z", refusals=["y"])], out=tmp_path)
    assert again.read_text().count("Second") == 1


def test_no_delivery_leaves_an_index_that_says_nothing(tmp_path: Path) -> None:
    assert "<tbody>\n\n</tbody>" in document([], out=tmp_path).read_text()


def test_great_expectations_that_cannot_run_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess(
        [], 1, "", "Traceback …\nModuleNotFoundError: No module named 'gx'\nleaked 3\n"
    )
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    file = parquet(tmp_path / "good.parquet", [GOOD])
    with pytest.raises(FinopsError) as raised:
        document([delivery("Good", "2026-01-01T00:00:00Z", [file])], out=tmp_path / "out")
    assert str(raised.value) == (
        "Great Expectations could not run, so there are no Data Docs: ModuleNotFoundError: No module named 'gx'"
    )


def test_every_rule_of_every_contract_is_expected() -> None:
    for own in contracts().values():
        found = expectations.expectations(own, present=own.names)
        queries = [str(e.arguments.get("unexpected_rows_query")) for e in found]
        by_kind = {kind: {e.column for e in found if e.kind == kind} for kind in {e.kind for e in found}}
        assert by_kind.get("ExpectColumnValuesToNotBeNull", set()) == {c.name for c in own.columns if not c.nulls}
        assert by_kind.get("ExpectColumnValuesToBeInSet", set()) == {c.name for c in own.columns if c.values}
        bounded = {c.name for c in own.columns if c.minimum is not None or c.maximum is not None}
        assert by_kind.get("ExpectColumnValuesToBeBetween", set()) == bounded
        others = [r for r in own.rules() if r.name not in expectations.NATIVE]
        assert [e.promise for e in found if e.kind == expectations.BY_ROWS and e.column] == [r.wanted for r in others]
        assert any("= ''" in query for query in queries)


def test_a_column_that_focus_lets_be_absent_is_expected_only_where_every_month_has_it(tmp_path: Path) -> None:
    own = contract("cost_and_usage")
    optional = next(c.name for c in own.columns if not c.nulls and not c.required and c.type == "string")
    row: dict[str, object] = {"x_Adapter": "a", optional: "x"}
    files = [
        parquet(tmp_path / "with.parquet", [row, row | {optional: None}], dataset="cost_and_usage"),
        parquet(tmp_path / "without.parquet", [row | {optional: None}], dataset="cost_and_usage"),
    ]

    def expected(parquet_files: Sequence[Path]) -> bool:
        job = expectations._job(Delivery(title="t", delivered_at="", contract=own, parquet=parquet_files))
        return any(e["column"] == optional and "never NULL" in e["promise"] for e in job["expectations"])

    assert expected(files[:1])
    assert not expected(files)


CHILD = """
import json, socket, sys, warnings
warnings.simplefilter("ignore")
from dataclasses import asdict
from finops_lib import expectations
{setup}
print(json.dumps([[asdict(r) for r in results] for results in expectations.validate(json.load(sys.stdin))]))
"""


def validated(jobs: Sequence[object], *, setup: str) -> list[Result]:
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(setup=setup)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=True,
    )
    return [Result(**r) for results in json.loads(done.stdout) for r in results]


def test_the_patch_that_keeps_the_connection_is_still_needed(tmp_path: Path) -> None:
    job = expectations._job(delivery("Good", "", [parquet(tmp_path / "good.parquet", [GOOD])]))
    found = validated([job], setup="expectations._keep_connection = lambda: None")
    assert any(r.error for r in found), "Great Expectations now works with duckdb-engine: drop _keep_connection"


def test_great_expectations_asks_nothing_of_the_network_and_what_it_cannot_check_has_not_passed(tmp_path: Path) -> None:
    file = parquet(tmp_path / "good.parquet", [GOOD])
    with duckdb.connect() as db:
        db.execute(f"copy (select * exclude (currency), 'x' as extra from '{file}') to '{tmp_path / 'other.parquet'}'")
    jobs = [expectations._job(delivery("x", "", [f])) for f in (file, tmp_path / "other.parquet")]
    refused = "socket.socket.connect = socket.getaddrinfo = lambda *_: sys.exit('asked the network')"
    found = validated(jobs, setup=refused)
    good, other = found[: len(found) // 2], found[len(found) // 2 :]
    assert all(r.passed for r in good)
    unlike = {(r.column, r.passed, bool(r.error)) for r in other if r.column in ("", "currency")}
    assert ("currency", False, True) in unlike
    assert ("", False, False) in unlike
    assert all(r.passed for r in other if r.column == "month")
