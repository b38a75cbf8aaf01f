"""Data Docs: what Great Expectations checked in each delivery, and what failed, as pages that open offline.

The suites are the contracts, put in Great Expectations' words. It runs them as SQL over a view of the staged Parquet,
so no rows are loaded: a million of them take seconds. It runs in a process of its own, because importing it takes
many seconds and because with duckdb-engine it leaves noise on the standard error as it ends.
Its own pages want style sheets and scripts from the network, so its results are put on pages of ours.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any

import duckdb

from .contract import Contract, literal, quoted
from .errors import FinopsError

SHOWN = 5
"""Offending values that a page shows of each expectation."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """What one source delivered of one dataset, as it was staged; one Parquet file for each account and month.

    Several months are checked at once faster than one by one: Great Expectations takes most of a second to begin.
    """

    title: str
    delivered_at: str
    """ISO 8601; the index lists the newest first."""
    contract: Contract
    parquet: Sequence[Path] = ()
    """Files or globs; none where nothing could be staged, and then nothing is checked."""
    refusals: Sequence[str] = ()
    """Why it, or part of it, did not enter the lake."""


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """One promise of a contract in Great Expectations' words."""

    kind: str
    """Class of great_expectations.expectations."""
    arguments: dict[str, Any]
    column: str
    """Column it is about; empty for the whole dataset."""
    promise: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of one expectation."""

    column: str
    promise: str
    passed: bool
    unexpected: int | None
    """Rows that break it; None where it is not about rows."""
    examples: list[str] = field(default_factory=list)
    error: str | None = None
    """Why it could not be checked; then it has not passed."""


def document(deliveries: Sequence[Delivery], *, out: Path) -> Path:
    """Check each delivery against its contract and write a page about it.

    Reads    the deliveries' Parquet, and the index that is there already.
    Returns  the index page of the folder `out`; it lists every delivery ever documented there, newest first.
    Refuses  FinopsError when Great Expectations itself cannot run. A broken promise refuses nothing: guarding the
             lake is ingestion's part, this shows it.
    """
    out.mkdir(parents=True, exist_ok=True)
    listed = {entry["page"]: entry for entry in _listed(out)}
    for delivery, results in zip(deliveries, _results(deliveries), strict=True):
        page = f"{re.sub('[^a-z0-9]+', '-', f'{delivery.delivered_at} {delivery.title}'.lower()).strip('-')[:180]}.html"
        failed = sum(not r.passed for r in results)
        listed[page] = {
            "page": page,
            "title": delivery.title,
            "delivered_at": delivery.delivered_at,
            "dataset": delivery.contract.dataset,
            "checked": len(results),
            "failed": failed,
            "refusals": len(delivery.refusals),
        }
        _write(out / page, _page(delivery, results))
    entries = sorted(listed.values(), key=lambda e: (e["delivered_at"], e["title"]), reverse=True)
    _write(out / "deliveries.json", json.dumps(entries, indent=1) + "\n")
    _write(out / "index.html", _index(entries))
    return out / "index.html"


def expectations(contract: Contract, *, present: Sequence[str]) -> list[Expectation]:
    """Everything a contract promises, as expectations.

    Reads    `present`: columns that every month has a value of. One that FOCUS does not make mandatory may be absent
             from a month, and is then not expected to be filled.
    Returns  the columns and their types, then column by column, then rows, then the key.
    """
    whole = [
        Expectation(
            kind="ExpectTableColumnsToMatchSet",
            arguments={"column_set": list(contract.names), "exact_match": True},
            column="",
            promise=f"the {len(contract.names)} columns of the contract and no other",
        ),
        _any_of(
            {c.name: f"typeof({quoted(c.name)}) <> typeof(cast(null as {c.sql_type}))" for c in contract.columns},
            promise="every column has the type of the contract",
        ),
    ]
    key = ", ".join(contract.key)
    unique = Expectation(
        kind="ExpectCompoundColumnsToBeUnique" if len(contract.key) > 1 else "ExpectColumnValuesToBeUnique",
        arguments={"column_list": list(contract.key)} if len(contract.key) > 1 else {"column": contract.key[0]},
        column="",
        promise=f"one row for each {key}",
    )
    empty = _any_of(
        {c.name: f"coalesce({quoted(c.name)} = '', false)" for c in contract.columns if c.type in ("string", "json")},
        promise="no text is empty: what is unknown is NULL",
    )
    return [*whole, *_of_columns(contract, set(present)), empty, *_of_rows(contract), unique]


def _of_columns(contract: Contract, present: set[str]) -> Iterator[Expectation]:
    for c in contract.columns:
        about = {"column": c.name}
        if c.required or (not c.nulls and c.name in present):
            kept = "never NULL" if c.required else "never NULL, since it is present"
            yield Expectation(kind="ExpectColumnValuesToNotBeNull", arguments=about, column=c.name, promise=kept)
        if c.values:
            yield Expectation(
                kind="ExpectColumnValuesToBeInSet",
                arguments={**about, "value_set": list(c.values)},
                column=c.name,
                promise=f"one of {', '.join(c.values)}",
            )
        if c.minimum is not None or c.maximum is not None:
            ends = [f"at least {c.minimum:g}" if c.minimum is not None else ""]
            ends.append(f"at most {c.maximum:g}" if c.maximum is not None else "")
            yield Expectation(
                kind="ExpectColumnValuesToBeBetween",
                arguments={**about, "min_value": c.minimum, "max_value": c.maximum},
                column=c.name,
                promise=" and ".join(filter(None, ends)),
            )


BY_ROWS = "UnexpectedRowsExpectation"
"""Kind of the expectations that are a query for rows that break them."""

NATIVE = ("not null", "no empty text", "allowed values", "minimum", "maximum")
"""Rules of a contract that have an expectation of their own."""


def _of_rows(contract: Contract) -> Iterator[Expectation]:
    for rule in contract.rules():
        if rule.name not in NATIVE:
            yield _rows(quoted(rule.column), rule.offends, column=rule.column, promise=rule.wanted)


def _any_of(conditions: dict[str, str], *, promise: str) -> Expectation:
    """Rows on which any column offends, shown by the name of the first that does."""
    named = " ".join(f"when {condition} then {literal(name)}" for name, condition in conditions.items())
    return _rows(f"case {named} end as offending", " or ".join(conditions.values()), column="", promise=promise)


def _rows(shown: str, offends: str, *, column: str, promise: str) -> Expectation:
    query = f"select {shown} from {{batch}} where {offends}"
    # Great Expectations formats the query, so other braces are doubled; SQLAlchemy takes :names for parameters.
    query = query.replace("{", "{{").replace("}", "}}").replace("{{batch}}", "{batch}").replace(":", "\\:")
    return Expectation(kind=BY_ROWS, arguments={"unexpected_rows_query": query}, column=column, promise=promise)


def _results(deliveries: Sequence[Delivery]) -> list[list[Result]]:
    """The results of each delivery, in order; Great Expectations is not started when there is nothing to check."""
    jobs = {i: _job(d) for i, d in enumerate(deliveries) if d.parquet}
    found: dict[int, list[Result]] = {}
    if jobs:
        environment = {**os.environ, "GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "finops_lib.expectations"],
            input=json.dumps(list(jobs.values())),
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        if done.returncode:
            raise FinopsError(f"Great Expectations could not run, so there are no Data Docs: {_last_line(done.stderr)}")
        answers = json.loads(done.stdout)
        found = {i: [Result(**r) for r in answer] for i, answer in zip(jobs, answers, strict=True)}
    return [found.get(i, []) for i in range(len(deliveries))]


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if re.match(r"\w+(\.\w+)*(Error|Exception)", line)), text)


def _job(delivery: Delivery) -> dict[str, Any]:
    files = ", ".join(literal(str(f)) for f in delivery.parquet)
    read = f"read_parquet([{files}], hive_partitioning = false, union_by_name = true"
    rows = f"select * from {read})"
    with duckdb.connect() as db:
        names = [row[0] for row in db.execute(f"describe {rows}").fetchall()]
        filled = ", ".join(f"count({quoted(name)}) > 0" for name in names)
        by_file = f"select {filled} from {read}, filename = 'x_delivered_in') group by x_delivered_in"
        months = db.execute(by_file).fetchall()
    present = [name for i, name in enumerate(names) if all(month[i] for month in months)]
    return {"rows": rows, "expectations": [asdict(e) for e in expectations(delivery.contract, present=present)]}


def validate(jobs: Sequence[dict[str, Any]]) -> list[list[Result]]:
    """Run each job's expectations over a view of its rows, in one ephemeral context without analytics."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    _keep_connection()
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        views = Path(folder) / "staged.duckdb"
        with duckdb.connect(str(views)) as db:
            for i, job in enumerate(jobs):
                db.execute(f"create view delivery_{i} as {job['rows']}")
        source = context.data_sources.add_sql("staged", connection_string=f"duckdb:///{views}")
        for i, job in enumerate(jobs):
            asset = source.add_table_asset(f"delivery_{i}", table_name=f"delivery_{i}")
            batch = asset.add_batch_definition_whole_table("all").get_batch()
            found.append(_validated(batch, [Expectation(**e) for e in job["expectations"]]))
    return found


def _validated(batch: Any, wanted: Sequence[Expectation]) -> list[Result]:
    import great_expectations as gx

    found = {}
    # Offending rows of a query are shown only in the COMPLETE format, which would list every offender of the others.
    for result_format in ("SUMMARY", "COMPLETE"):
        suite = gx.ExpectationSuite(
            name=result_format,
            expectations=[
                getattr(gx.expectations, e.kind)(**e.arguments, meta={"ordinal": n})
                for n, e in enumerate(wanted)
                if (e.kind == BY_ROWS) == (result_format == "COMPLETE")
            ],
        )
        answers = batch.validate(
            suite, result_format={"result_format": result_format, "partial_unexpected_count": SHOWN}
        )
        for answer in answers.results:
            n = answer.expectation_config.meta["ordinal"]
            found[n] = _result(wanted[n], answer)
    return [found[n] for n in range(len(wanted))]


def _keep_connection() -> None:
    """Make Great Expectations keep its connection to DuckDB, as it does for SQLite.

    It closes the connection before it fetches, and DuckDB's cursors do not outlive theirs: every expectation would
    fail. A test fails as soon as this is no longer needed.
    """
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

    dialect = StrEnum("dialect", {"DUCKDB": "duckdb"})
    engine._PERSISTED_CONNECTION_DIALECTS = (*engine._PERSISTED_CONNECTION_DIALECTS, *dialect)


def _result(wanted: Expectation, answer: Any) -> Result:
    said = answer.result
    rows = [next(iter(row.values())) for row in said.get("details", {}).get("unexpected_rows", [])]
    errors = re.findall(r"'exception_message': (['\"])(.+?)\1[,}]", str(answer.exception_info))
    return Result(
        column=wanted.column,
        promise=wanted.promise,
        passed=bool(answer.success),
        unexpected=said.get("observed_value" if wanted.kind == BY_ROWS else "unexpected_count"),
        examples=list(dict.fromkeys(map(str, rows or said.get("partial_unexpected_list", []))))[:SHOWN],
        error=errors[0][1] if errors else None,
    )


def _listed(out: Path) -> list[dict[str, Any]]:
    file = out / "deliveries.json"
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return found


def _write(file: Path, text: str) -> None:
    """Whole or not at all: a reader never sees half a page."""
    unfinished = file.with_suffix(f"{file.suffix}.part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .35rem .6rem; vertical-align: top;
border-bottom: 1px solid #d9dee3; } td.number { text-align: right; font-variant-numeric: tabular-nums; }
.passed { color: #1a6b3a; } .failed { color: #a32020; font-weight: 600; } code { overflow-wrap: anywhere; }
"""


def _html(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def _page(delivery: Delivery, results: Sequence[Result]) -> str:
    failed = sum(not r.passed for r in results)
    refusals = "".join(f"<li>{escape(text)}</li>" for text in delivery.refusals)
    checks = "\n".join(
        f'<tr><td class="{"passed" if r.passed else "failed"}">{_outcome(r)}</td><td>{escape(r.column)}</td>'
        f'<td>{escape(r.promise)}</td><td class="number">{"" if r.unexpected is None else f"{r.unexpected:,}"}</td>'
        f"<td><code>{escape(r.error or ', '.join(r.examples))}</code></td></tr>"
        for r in sorted(results, key=lambda r: r.passed)
    )
    return _html(
        delivery.title,
        f"<p>{escape(delivery.contract.description)} Delivered {escape(delivery.delivered_at)}.</p>\n"
        + (f'<h2 class="failed">Refused</h2>\n<ul>{refusals}</ul>\n' if refusals else "")
        + (
            f"<h2>{len(results)} expectations, {failed} failed</h2>\n<table><thead><tr><th></th><th>column</th>"
            "<th>expected</th><th>rows against it</th><th>such as</th></tr></thead>\n"
            f"<tbody>\n{checks}\n</tbody></table>"
            if results
            else "<p>Nothing could be staged, so nothing was checked.</p>"
        )
        + '\n<p><a href="index.html">All deliveries</a></p>',
    )


def _outcome(result: Result) -> str:
    return "passed" if result.passed else "not checked" if result.error else "failed"


def _index(entries: Sequence[dict[str, Any]]) -> str:
    rows = "\n".join(
        f'<tr><td>{escape(e["delivered_at"])}</td><td><a href="{escape(e["page"])}">{escape(e["title"])}</a></td>'
        f'<td>{escape(e["dataset"])}</td><td class="number">{e["checked"]}</td>'
        f'<td class="number {"failed" if e["failed"] else "passed"}">{e["failed"]}</td>'
        f'<td class="number {"failed" if e["refusals"] else "passed"}">{e["refusals"]}</td></tr>'
        for e in entries
    )
    return _html(
        "Deliveries and what was checked",
        "<p>Every delivery, newest first. Expectations come from the contracts and were run by Great Expectations; "
        "a refusal kept rows out of the lake.</p>\n"
        "<table><thead><tr><th>delivered</th><th>delivery</th><th>dataset</th><th>expectations</th><th>failed</th>"
        f"<th>refusals</th></tr></thead>\n<tbody>\n{rows}\n</tbody></table>",
    )


if __name__ == "__main__":
    print(json.dumps([[asdict(r) for r in results] for results in validate(json.load(sys.stdin))]))
