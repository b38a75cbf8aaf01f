"""The datasets as data: one YAML file each in `contracts/`, everything else derived from it.

A contract names every column once, with its type, whether it may be null, the values it may take, its unit or
currency column and its description. From it come the lake's table definition, the checks that guard the lake,
the dbt source with its docs, and the Great Expectations suite.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from .errors import UsageError

SQL_TYPES = {
    "string": "varchar",
    "json": "varchar",
    "decimal": "decimal(38, 18)",
    "bigint": "bigint",
    "double": "double",
    "timestamp": "timestamptz",
    "date": "date",
    "boolean": "boolean",
}
"""Contract type → DuckDB type. JSON is stored as text, as FOCUS has it; timestamps are instants in UTC."""

EARLIEST = "timestamptz '2000-01-01 00:00:00+00'"
"""Nothing that is read here was sold before."""

DBT_TYPES = {**{t: t for t in SQL_TYPES}, "json": "string", "decimal": "decimal(38,18)"}
"""Contract type → what dbt calls it, which is also what Spark does."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a dataset, as its contract states it."""

    name: str
    type: str
    nulls: bool
    description: str
    level: str = "Mandatory"
    """FOCUS feature level. A column that is not Mandatory may be absent, that is null on every row of a month;
    where it is present its `nulls` rule holds."""
    may_be_unknown: bool = False
    """FOCUS wants a value on every row, but sources that do not say one are taken: then it is null."""
    introduced: str | None = None
    values: tuple[str, ...] = ()
    pattern: str | None = None
    codes: str | None = None
    """The standard whose codes are its values."""
    minimum: float | None = None
    maximum: float | None = None
    unit: str | None = None
    currency: str | None = None
    dimension: str | None = None
    """Dimension that its values are names of, or the column that says which; staging shows them as they are
    registered."""

    @property
    def sql_type(self) -> str:
        return SQL_TYPES[self.type]

    @property
    def required(self) -> bool:
        """Whether no row may be without it."""
        return not self.nulls and self.level == "Mandatory" and not self.may_be_unknown


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A promise of the contract, as the condition under which a row breaks it."""

    name: str
    column: str
    """Column to show of an offending row."""
    offends: str
    """SQL condition, true on offending rows and never null."""
    wanted: str
    allowed: tuple[str, ...] = ()
    """The values it lets through, where it lists them."""

    def nearest(self, value: Any) -> str:
        """The allowed value that somebody who wrote `value` will have meant, as a remark; empty where none is near."""
        near = get_close_matches(str(value), self.allowed, n=1, cutoff=0.6)
        return f" (the nearest is {near[0]})" if near else ""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """One dataset of the lake."""

    dataset: str
    description: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    month: str | None = None
    """Column whose UTC month places a row in the lake; without one the dataset is replaced whole."""
    account: str | None = None
    """Column that, with source and month, names what one delivery replaces."""
    plan: bool = False
    """Whether the organisation writes it by hand, in `plan/<dataset>.csv`."""
    focus_dataset: str | None = None
    late_after_days: int | None = None
    """Days without any delivery after which something is amiss; dbt's source freshness warns then."""
    built_by_month: bool = False
    """Whether a build reads only the months that changed, for which staging shows the folder that a row lies in."""
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @property
    def delivered_columns(self) -> tuple[Column, ...]:
        """The columns a delivery may hold: all but the ones ingestion itself adds."""
        return tuple(c for c in self.columns if c.name not in ORIGIN and c.name.lower() not in ORIGIN)

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)

    def ddl(self, table: str) -> str:
        """`create table` with every column and its nullability."""
        body = ", ".join(f"{quoted(c.name)} {c.sql_type}{' not null' if c.required else ''}" for c in self.columns)
        return f"create table {table} ({body})"

    def empty(self) -> str:
        """A SELECT of no rows with the contract's columns and types."""
        return (
            f"select {', '.join(f'cast(null as {c.sql_type}) as {quoted(c.name)}' for c in self.columns)} where false"
        )

    def rules(self) -> list[Rule]:
        """Every promise of the contract about single rows, in column order."""
        found: list[Rule] = []
        for c in self.columns:
            name = quoted(c.name)
            if c.required:
                found.append(Rule(name="not null", column=c.name, offends=f"{name} is null", wanted="a value"))
            if c.type in ("string", "json") and not c.values and not c.codes:
                found.append(
                    Rule(
                        name="no empty text",
                        column=c.name,
                        offends=f"coalesce({name} = '', false)",
                        wanted="a value, or nothing at all",
                    )
                )
            if c.values:
                listed = ", ".join(literal(v) for v in c.values)
                lists = "plan/README.md" if self.plan else "FOCUS"
                shown = (
                    ", ".join(c.values) if len(c.values) <= 8 else f"one of the {len(c.values)} values {lists} lists"
                )
                found.append(
                    Rule(
                        name="allowed values",
                        column=c.name,
                        offends=f"coalesce({name} not in ({listed}), false)",
                        wanted=shown if len(c.values) > 8 else f"one of {shown}",
                        allowed=c.values,
                    )
                )
            if c.codes:
                listed = ", ".join(literal(v) for v in currencies())
                found.append(
                    Rule(
                        name="codes",
                        column=c.name,
                        offends=f"coalesce({name} not in ({listed}), false)",
                        wanted=f"a national currency of {c.codes}, such as EUR",
                        allowed=currencies(),
                    )
                )
            if c.type == "decimal" and c.currency and not self.plan:
                found.append(
                    Rule(
                        name="sane amount",
                        column=c.name,
                        offends=f"coalesce(abs({name}) >= 1e17::decimal(38, 18), false)",
                        wanted="an amount below 10^17",
                    )
                )
            if c.type in ("timestamp", "date") and not self.plan:
                # What a source plans may lie ahead, such as the end of a commitment; what is billed hardly does.
                years = 2 if c.name == self.month else 20
                found.append(
                    Rule(
                        name="sane time",
                        column=c.name,
                        offends=f"coalesce({name} < {EARLIEST} or {name} > now() + interval {years} years, false)",
                        wanted=f"a time between the year 2000 and {years} years from now",
                    )
                )
            if c.pattern:
                found.append(
                    Rule(
                        name="pattern",
                        column=c.name,
                        offends=f"coalesce(not regexp_matches({name}, {literal(c.pattern)}), false)",
                        wanted=f"text that matches {c.pattern}",
                    )
                )
            if c.minimum is not None:
                found.append(
                    Rule(
                        name="minimum",
                        column=c.name,
                        offends=f"coalesce({name} < {c.minimum:g}, false)",
                        wanted=f"{c.minimum:g} or more",
                    )
                )
            if c.maximum is not None:
                found.append(
                    Rule(
                        name="maximum",
                        column=c.name,
                        offends=f"coalesce({name} > {c.maximum:g}, false)",
                        wanted=f"{c.maximum:g} or less",
                    )
                )
            if c.type == "json":
                found.append(
                    Rule(
                        name="valid JSON",
                        column=c.name,
                        offends=f"coalesce(not json_valid({name}), false)",
                        wanted="valid JSON",
                    )
                )
        for promise, offends in self.checks.items():
            found.append(
                Rule(
                    name=promise.replace("_", " "),
                    column=min((c.name for c in self.columns if c.name in offends), key=offends.find),
                    offends=f"coalesce({offends}, false)",
                    wanted=promise.replace("_", " "),
                )
            )
        return found

    def present_rules(self) -> list[Rule]:
        """Promises that hold only where the column is present in a month at all (FOCUS levels below Mandatory)."""
        return [
            Rule(name="not null where present", column=c.name, offends=f"{quoted(c.name)} is null", wanted="a value")
            for c in self.columns
            if not c.nulls and not c.required and not c.may_be_unknown
        ]


FOLDER = [
    {"name": "lake_source", "description": "Adapter whose folder of the lake the row lies in."},
    {"name": "lake_month", "description": "Billing month whose folder of the lake the row lies in."},
]
"""What staging shows of where a row lies in the lake."""

ORIGIN = ("x_adapter", "x_sourcefile", "x_sourcerow", "x_sourcepart", "x_source_file", "x_source_row")
"""Columns that say where a row came from, in lower case; ingestion fills them."""


def quoted(name: str) -> str:
    """A column name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text, as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


@cache
def contracts() -> dict[str, Contract]:
    """Every dataset of the lake by name, in the order of the files."""
    folder = resources.files("finops_lib") / "contracts"
    files = sorted((f for f in folder.iterdir() if re.match(r"[a-z]\w*\.yml$", f.name)), key=lambda f: f.name)
    return {own.dataset: own for own in map(_read, files)}


@cache
def currencies() -> tuple[str, ...]:
    """The national currencies of ISO 4217."""
    text = (resources.files("finops_lib") / "contracts" / "_currencies.yml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text))


@cache
def ledger() -> Contract:
    """What the warehouse sees of the ledger; it is no dataset that anybody delivers."""
    return _read(resources.files("finops_lib") / "contracts" / "_delivery.yml")


def _read(file: Traversable) -> Contract:
    # The parser in C, where PyYAML was built with it, is eight times as fast.
    loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return _parse(yaml.load(file.read_text(encoding="utf-8"), Loader=loader))  # noqa: S506 - both are safe


def contract(dataset: str) -> Contract:
    """The contract of one dataset.

    Refuses  UsageError for a dataset that does not exist, with the ones that do.
    """
    try:
        return contracts()[dataset]
    except KeyError:
        raise UsageError(f"There is no dataset {dataset!r}. Datasets: {', '.join(contracts())}.") from None


def _parse(raw: dict[str, Any]) -> Contract:
    columns = tuple(Column(**{**c, "values": tuple(c.get("values", ()))}) for c in raw.pop("columns"))
    return Contract(**{**raw, "columns": columns, "key": tuple(raw["key"])})


def project() -> Path:
    """The dbt project: beside the package in a checkout, inside it when installed."""
    here = Path(__file__).resolve().parent
    inside = here / "dbt_project"
    return inside if inside.exists() else here.parent / "dbt_project"


def default_thresholds() -> list[dict[str, str]]:
    """The thresholds that hold where plan/threshold.csv names none, as shipped."""
    with (project() / "seeds" / "threshold_default.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def snake(name: str) -> str:
    """A column's name as dbt spells it."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def dbt_columns() -> str:
    """`models/staging/_lake_columns.md`: what the columns of a charge mean, for every model that shows them.

    Returns  a dbt docs block per column of cost_and_usage, by its name in snake_case.
    """

    def said(c: Column) -> str:
        values = f" One of {', '.join(c.values)}." if 0 < len(c.values) <= 8 else ""
        return f"{c.description}{values}{'' if c.required or 'null' in c.description else ' May be null.'}"

    head = "<!-- Generated from the contracts by finops_lib.contract.dbt_columns: change those, not this file. -->\n"
    blocks = (f"{{% docs {snake(c.name)} %}}{said(c)}{{% enddocs %}}\n" for c in contract("cost_and_usage").columns)
    return head + "".join(blocks)


def dbt_sources() -> str:
    """`models/staging/_lake.yml`: the lake as dbt sources, and what staging shows of it, with every description.

    Returns  YAML text. Sources have types, from which Spark reads the lake. Staging columns are the contract's in
             snake_case; a dataset whose key is more than the origin of its rows has that key tested, so that no join
             on it can multiply rows.
    """

    def columns(found: Contract, spelled: Callable[[str], str]) -> list[dict[str, str]]:
        return [{"name": spelled(c.name), "description": c.description} for c in found.columns]

    def typed(found: Contract) -> list[dict[str, str]]:
        return [
            {**shown, "data_type": DBT_TYPES[c.type]}
            for shown, c in zip(columns(found, str), found.columns, strict=True)
        ]

    def has_key(found: Contract) -> bool:
        return not any(name.lower() in ORIGIN for name in found.key)

    def named_key(found: Contract) -> bool:
        # Staging shows two spellings of one name alike, so that only the lake itself has one row for each.
        return any(found.column(name).dimension for name in found.key)

    def unique(found: Contract, spelled: Callable[[str], str]) -> list[dict[str, Any]]:
        return [{"unique_grain": {"arguments": {"columns": [spelled(name) for name in found.key]}}}]

    def staged(found: Contract) -> dict[str, Any]:
        model: dict[str, Any] = {
            "name": f"stg_{found.dataset}",
            "description": f"{found.description} Grain: {found.grain}.",
            "columns": [*columns(found, snake), *(FOLDER if found.built_by_month else [])],
        }
        if has_key(found) and not named_key(found):
            model["data_tests"] = unique(found, snake)
        return model

    def table(found: Contract) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "name": found.dataset,
            "description": f"{found.description} Grain: {found.grain}.",
            "columns": typed(found),
        }
        if has_key(found) and named_key(found):
            shown["data_tests"] = unique(found, str)
        if found.late_after_days:
            # A dataset that nobody has ever delivered is not late.
            shown["config"] = {
                "freshness": {"warn_after": {"count": found.late_after_days, "period": "day"}},
                "loaded_at_query": "select coalesce(max(delivered_at), current_timestamp) as delivered_at "
                f"from lake.{ledger().dataset} where dataset = {literal(found.dataset)}",
            }
        return shown

    shown = [*contracts().values(), ledger()]
    tables = [table(c) for c in shown]
    lake = {"name": "lake", "schema": "lake", "description": "The lake, one relation per dataset.", "tables": tables}
    body = {"version": 2, "sources": [lake], "models": [staged(c) for c in shown]}
    head = "# Generated from the contracts by finops_lib.contract.dbt_sources: change those, not this file.\n"
    return head + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120)
