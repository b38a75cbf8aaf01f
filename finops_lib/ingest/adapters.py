"""Reading `adapters/*.sql`: one export format each, discovered by listing the folder."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import duckdb

from ..contract import Contract, contract, contracts, literal, quoted
from ..errors import UsageError
from ..lake import Home

DIRECT = "direct"
"""Source of files that already have a dataset's own columns; plan files come in as `plan`."""


@dataclass(frozen=True, kw_only=True)
class Conserved:
    """A cost that arrives whole: the sum of a contract's column is the sum of what was delivered for it."""

    column: str
    sql: str
    companion: str | None = None
    """Other export whose rows hold it; None for `raw`."""


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """One export format, as its SQL file states it."""

    name: str
    title: str
    dataset: str
    formats: tuple[str, ...]
    columns: tuple[tuple[str, str, bool], ...]
    """name, SQL type and whether it may be absent, of each column of `raw`."""
    select: str | None
    """None for an export that only completes another."""
    companions: dict[str, str]
    """Companion exports, which the SELECT reads too: adapter name → create statement."""
    needs: tuple[str, ...] = ()
    """Columns that recognise the export without having a value on every row."""
    records: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    """DATE columns in which some exporters write the month first and others the day: each file decides."""
    account: str | None = None
    month: str | None = None
    billed: tuple[str, str] | None = None
    conserves: tuple[Conserved, ...] = ()
    """Costs that add up like the billed amount, in its currency, wherever every row of an account-month states them."""
    origin: dict[str, str] = field(default_factory=dict)
    holds: str | None = None
    named: str | None = None
    bucket: str | None = None
    """SQL over the contract's columns: a delivery replaces the values it holds within its months; without one it
    replaces them whole."""
    key: str | None = None
    """Columns of `raw` that no two of its rows have alike: a row that comes again counts once."""
    null: tuple[str, ...] = ()
    line: str | None = None
    """Text files only: what a line looks like that is a row; its named groups are the columns."""
    rows: str | None = None
    """SQL over `raw`, true on the rows that are read; the export holds others too."""
    wanted: dict[str, str] = field(default_factory=dict)
    """What to deliver instead, by column of the contract, where the contract's own words would not help."""
    versions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Versions of the format and the delivered columns that tell each, the first that fits wins."""
    refused: str | None = None
    """Why an export that is recognised is not taken, and what to deliver instead."""
    waits_for: tuple[str, ...] = ()
    """Companions without which no charge can be made."""
    same_money_as: str | None = None
    """Adapter of a better export of the same charges: of one month the lake holds that one, or else this one."""
    quirks: tuple[str, ...] = ()
    """Peculiarities of the export that the adapter handles, a sentence each."""
    not_covered: tuple[str, ...] = ()
    """What the export may hold that the adapter does not read, a sentence each."""
    headers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Other spellings of a raw column, best first."""
    sha256: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(name for name, _, optional in self.columns if not optional)

    @property
    def recognised_by(self) -> tuple[str, ...]:
        return (*self.required, *self.needs)

    @property
    def source(self) -> str:
        """Source under which its charges lie in the lake."""
        return self.same_money_as or self.name

    @property
    def private(self) -> bool:
        """Whether it reads a log, which may hold what people typed, rather than a bill or a plan."""
        own = contract(self.dataset)
        return own.focus_dataset is None and not own.plan

    @property
    def is_companion(self) -> bool:
        """Whether its rows are stored as delivered, because several exports make one set of charges together."""
        return self.select is None or bool(self.companions)


def folder() -> Path:
    return Path(str(resources.files("finops_lib") / "adapters"))


_own: set[Path] = set()
"""The folder of a home's own adapters, where it has one."""


def use_own(home: Home) -> None:
    """Read the adapters and lookups of `<home>/adapters/` beside ours, from here on."""
    wanted = {f for f in (home.root.resolve() / "adapters",) if f.is_dir()}
    if wanted != _own:
        _own.clear()
        _own.update(wanted)
        adapters.cache_clear()


def own_files() -> list[Path]:
    """The SQL files of a home's own adapters."""
    return sorted(file for own in _own for file in own.glob("*.sql"))


@cache
def adapters() -> dict[str, Adapter]:
    """Every source by name: the SQL files of `adapters/`, those of the home, then each contract's own columns.

    Refuses  UsageError for an adapter of the home that has the name of one of ours, or is none.
    """
    found = {file.stem: _read_adapter(file) for file in sorted(folder().glob("*.sql"))}
    for file in own_files():
        if file.stem in found:
            raise UsageError(f"{file}: there is a source {file.stem} already. Give the file another name.")
        try:
            found[file.stem] = _read_adapter(file)
        except (duckdb.Error, ValueError, KeyError, IndexError) as error:
            raise UsageError(
                f"{file}: is no adapter ({str(error).splitlines()[0]}). It wants `create table raw (…)` and one SELECT "
                "from raw; docs/extending.md shows one."
            ) from None
    for own in contracts().values():
        if own.focus_dataset is None:
            adapter = _own_columns(own)
            found[f"{adapter.name}:{own.dataset}"] = adapter
    return found


def sources() -> list[dict[str, str]]:
    """What can be read: one row per adapter with what it reads, how it is recognised, what a delivery replaces, its
    quirks and what is not covered."""
    rows = []
    for adapter in adapters().values():
        recognised = ", ".join(adapter.recognised_by) + (f"; and a row where {adapter.holds}" if adapter.holds else "")
        rows.append(
            {
                "source": adapter.name,
                "reads": adapter.title,
                "formats": ", ".join(adapter.formats),
                "recognised by": recognised,
                "dataset": adapter.dataset,
                "replaces": "nothing: it is refused" if adapter.refused else _replaces(adapter),
                "quirks": " ".join(adapter.quirks),
                "not covered": " ".join([*adapter.not_covered, *([adapter.refused] if adapter.refused else [])]),
            }
        )
    return [*rows, MAPPED]


MAPPED = {
    "source": "csv_map",
    "reads": "Any other CSV or Parquet file of charges, as a YAML beside it says: docs/csv_map.md.",
    "formats": "csv, parquet",
    "recognised by": "<file>.map.yml beside the file, or map.yml in its folder",
    "dataset": "cost_and_usage",
    "replaces": "billing account and month",
    "quirks": "The map names the source; what it leaves out and FOCUS wants is asked for by name.",
    "not covered": "Amounts in other notation than 1234.56; files whose rows are not one charge each.",
}


def sources_page() -> str:
    """The sources as a page of Markdown: what each reads and replaces, its quirks, and what is not covered."""
    lines = [
        "# Sources",
        "",
        "What `finops ingest` reads. A file is recognised by its columns, whatever it is called; `finops sources` says",
        "the same list. Made by `make docs` from the heads of `finops_lib/adapters/*.sql`.",
    ]
    for dataset in dict.fromkeys(a.dataset for a in adapters().values()):
        lines += ["", f"## {dataset}", "", contract(dataset).description]
        for adapter in (a for a in adapters().values() if a.dataset == dataset):
            replaces = "nothing: it is refused" if adapter.refused else _replaces(adapter)
            lines += ["", f"### {adapter.name}", "", adapter.title, ""]
            lines += [f"- **Formats:** {', '.join(adapter.formats)}. **A delivery replaces** {replaces}."]
            lines += [f"- {quirk}" for quirk in adapter.quirks]
            lines += [f"- **Not covered:** {text}" for text in (*adapter.not_covered, *filter(None, [adapter.refused]))]
    return "\n".join(lines) + "\n"


REPLACED = {
    "request_id": "the requests it holds",
    "row(request_id, usage_start)": "the invocations it holds",
    "run_id": "the runs it holds",
    "row(device_id, usage_start)": "the hours it holds of each device",
    "ContractCommitmentId": "the commitments it holds",
    "InvoiceId": "the invoices it holds",
    "x_ChargeReference": "the charges it holds, by their reference",
    "x_Partition": "the partitions it holds, or billing account and month",
}
"""What a delivery replaces, by its buckets; all others are columns of days."""


def _replaces(adapter: Adapter) -> str:
    if adapter.bucket is not None:
        return REPLACED.get(adapter.bucket, "the days it holds")
    return "the dataset" if contract(adapter.dataset).month is None else "billing account and month"


def line_patterns() -> dict[str, tuple[str, ...]]:
    """What rows of text files look like, each with the columns that such a line holds."""
    return {a.line: tuple(re.compile(a.line).groupindex) for a in adapters().values() if a.line}


def envelopes() -> set[tuple[str, str]]:
    """Object and list key of exports whose list of records lies in an object, such as data.result."""
    steps = {key.partition(".") for adapter in adapters().values() for key in adapter.records}
    return {(around, key) for around, dot, key in steps if dot}


def _read_adapter(file: Path) -> Adapter:
    text = file.read_text(encoding="utf-8")
    head = text.split("create table", 1)[0]
    directives: dict[str, list[str]] = defaultdict(list)
    title = []
    for line in re.findall(r"^--[ ]?(.*)$", head, flags=re.MULTILINE):
        directive = re.match(
            r"(dataset|formats|records|dates|account|month|billed|conserves|origin|holds|named|null|raw|bucket|key|needs|version"
            r"|quirk|not covered|refused|waits for|same money as|line|rows|wanted):\s*(.+)$",
            line.strip(),
        )
        if directive:
            directives[directive[1]].append(directive[2].strip())
        elif not directives:
            title.append(line.strip())

    def one(key: str) -> str | None:
        return directives[key][0] if directives[key] else None

    def listed(key: str, separator: str = ",") -> tuple[str, ...]:
        return tuple(v.strip() for v in (one(key) or "").split(separator) if v.strip())

    statements = duckdb.extract_statements(text)
    creates = [s.query for s in statements if s.type == duckdb.StatementType.CREATE]
    selects = [s.query for s in statements if s.type == duckdb.StatementType.SELECT]
    tables = {re.findall(r"(?i)create\s+table\s+(\w+)", q)[0]: q for q in creates}
    like = one("raw")
    completed = _read_adapter(file.with_name(f"{like}.sql")) if like else None
    billed = one("billed")
    return Adapter(
        name=file.stem,
        title=" ".join(" ".join(title).split()),
        dataset=one("dataset") or "cost_and_usage",
        formats=listed("formats") or ("csv",),
        columns=completed.columns if completed else _columns(tables["raw"]),
        select=selects[0] if selects else None,
        companions={name: q for name, q in tables.items() if name != "raw"},
        needs=completed.needs if completed else listed("needs"),
        records=listed("records", ">"),
        dates=completed.dates if completed else listed("dates"),
        account=one("account") or (completed.account if completed else None),
        month=one("month") or (completed.month if completed else None),
        billed=(billed.rsplit(" in ", 1)[0], billed.rsplit(" in ", 1)[1]) if billed else None,
        conserves=tuple(c for text in directives["conserves"] for c in _conserved(text)),
        origin=dict(re.split(r"\s+from\s+", o, maxsplit=1) for o in directives["origin"]),
        holds=one("holds"),
        named=one("named"),
        bucket=one("bucket"),
        key=one("key"),
        null=listed("null") or (completed.null if completed else ()),
        line=one("line"),
        rows=one("rows"),
        wanted=dict(re.split(r"\s+as\s+", w, maxsplit=1) for w in directives["wanted"]),
        versions=tuple(
            (version, tuple(c.strip() for c in columns.split(",")))
            for version, columns in (v.split(" with ", 1) for v in directives["version"])
        ),
        refused=one("refused"),
        waits_for=tuple(directives["waits for"]),
        same_money_as=one("same money as"),
        quirks=tuple(directives["quirk"]),
        not_covered=tuple(directives["not covered"]),
        headers=completed.headers if completed else _headers(file.with_suffix(".headers.csv")),
        sha256=_version(file, text) if completed is None else _version(file, text + completed.sha256),
    )


def _conserved(text: str) -> list[Conserved]:
    """`EffectiveCost, ListCost from cost`, or `EffectiveCost of azure_amortized from cost`."""
    columns, sql = re.split(r"\s+from\s+", text, maxsplit=1)
    columns, _, companion = columns.partition(" of ")
    return [Conserved(column=c.strip(), sql=sql, companion=companion.strip() or None) for c in columns.split(",")]


def _columns(create: str) -> tuple[tuple[str, str, bool], ...]:
    with _scratch().cursor() as db:
        db.execute("begin")
        db.execute(create)
        columns = db.sql("describe raw").fetchall()
        db.execute("rollback")
    return tuple((str(n), str(t), null == "YES") for n, t, null, *_ in columns)


@cache
def sql_type(kind: str) -> Any:
    """DuckDB's own description of an SQL type."""
    with _scratch().cursor() as db:
        return db.sql(f"select cast(null as {kind}) as v").types[0]


@cache
def _scratch() -> duckdb.DuckDBPyConnection:
    """An empty database to bind declarations in: making one for each takes ten times as long."""
    return duckdb.connect()


def _headers(file: Path) -> dict[str, tuple[str, ...]]:
    spellings: dict[str, list[str]] = defaultdict(list)
    if file.exists():
        with file.open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                spellings[row["column"]].append(row["header"])
    return {column: tuple(headers) for column, headers in spellings.items()}


class Runs(Protocol):
    """A connection, as far as vocabulary needs one."""

    def execute(self, sql: str, /) -> object: ...


def vocabulary(db: Runs) -> None:
    """Give a connection what every SELECT may use: the lookups of the folder as views, then its macros."""
    for file in sorted(f for own in (folder(), *_own) for f in own.glob("*.csv")):
        if not file.name.endswith(".headers.csv"):
            rows = f"read_csv({literal(str(file))}, all_varchar = true, header = true)"
            db.execute(f"create view {file.stem} as select * from {rows}")
    for macros in _macros():
        db.execute(macros)


@cache
def _macros() -> dict[str, tuple[str, ...]]:
    """Text of each file of macros → the names it defines."""
    texts = [file.read_text(encoding="utf-8") for file in sorted((folder() / "macros").glob("*.sql"))]
    return {text: tuple(re.findall(r"create macro (\w+)", text)) for text in texts}


def _version(file: Path, text: str) -> str:
    """Hash of everything that decides what comes out: when it changes, the same files are adapted anew."""
    for macros, names in reversed(_macros().items()):  # later files use earlier ones
        text += macros if any(f"{name}(" in text for name in names) else ""
    lookups = sorted(
        f
        for own in (folder(), *_own)
        for f in own.glob("*.csv")
        if f.name.split(".")[0] in text or f.stem == f"{file.stem}.headers"
    )
    return hashlib.sha256(b"".join([text.encode(), *(f.read_bytes() for f in lookups)])).hexdigest()


PRICED = ("price_status", "estimated_cost", "estimated_cost_currency")
"""Columns of ai_usage that the price book fills."""


def _own_columns(own: Contract) -> Adapter:
    columns = [c for c in own.delivered_columns if c.name not in PRICED]
    names = ", ".join(quoted(c.name) for c in columns)
    month = f"strftime({quoted(own.month)}, '%Y-%m')" if own.month else None
    return Adapter(
        name="plan" if own.plan else DIRECT,
        title=f"{own.description} A file in the columns of the dataset itself.",
        dataset=own.dataset,
        formats=("csv", "parquet"),
        columns=tuple((c.name, "JSON" if c.type == "json" else c.sql_type, not c.required) for c in columns),
        select=f"select {names}, x_source_file, x_source_row from raw",
        companions={},
        account=quoted(own.account) if own.account else None,
        month=month,
        origin={},
        sha256=hashlib.sha256(repr(own).encode()).hexdigest(),
    )
