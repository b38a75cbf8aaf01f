"""The lake's charges as a FOCUS dataset of a chosen version, for tools that read FOCUS."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from .contract import contract, literal, quoted
from .errors import NotBuiltError, UsageError
from .lake import Home
from .warehouse import dataset_sql

VERSIONS = ("1.2", "1.3", "1.4")

UP_TO_1_3 = {
    "ProviderName": 'coalesce("HostProviderName", "ServiceProviderName")',
    "PublisherName": '"ServiceProviderName"',
}
"""Columns that 1.4 removed: who sold the service on its platform, and who made it."""


def export_focus(home: Home, *, version: str, out: str | Path) -> int:
    """Write every charge as FOCUS `version`, with a metadata file beside it.

    Reads    the lake's cost_and_usage. Columns of later versions are left out, columns that were removed come back,
             and columns below Mandatory that no charge fills are absent, as FOCUS has it.
    Returns  the number of charges written; Parquet or CSV by the ending of `out`.
    Refuses  UsageError for another version or ending; NotBuiltError for a lake without charges.
    """
    if version not in VERSIONS:
        raise UsageError(f"There is no FOCUS version {version!r} to export. Versions: {', '.join(VERSIONS)}.")
    target = Path(out)
    if target.suffix not in (".parquet", ".csv"):
        raise UsageError(f"{target}: found the ending {target.suffix or 'nothing'}, wanted .parquet or .csv.")
    own = contract("cost_and_usage")
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"create view charges as {dataset_sql(home, own)}")
        filled = ", ".join(f"count({quoted(c.name)})" for c in own.columns)
        [(rows, *counts)] = db.sql(f"select count(*), {filled} from charges").fetchall()
        if not rows:
            raise NotBuiltError(f"{home.root} holds no charges yet. Bring in a bill with `finops ingest PATH`.")
        columns = [
            c
            for c, count in zip(own.columns, counts, strict=True)
            if c.name.startswith("x_")
            or ((c.introduced or "9") <= version and (count == rows or (count and c.nulls) or c.level == "Mandatory"))
        ]
        focus = {c.name: quoted(c.name) for c in columns if not c.name.startswith("x_")}
        if version <= "1.3":
            focus |= UP_TO_1_3
        selected = {k: focus[k] for k in sorted(focus)}
        selected |= {c.name: quoted(c.name) for c in columns if c.name.startswith("x_")}
        written = ", ".join(f"{_spelled(k, v, target)} as {quoted(k)}" for k, v in selected.items())
        shape = "format csv, header true" if target.suffix == ".csv" else "format parquet, compression zstd"
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        db.execute(f"copy (select {written} from charges) to {literal(str(part))} ({shape})")
        part.replace(target)
    metadata = {
        "DataGenerator": {"DataGenerator": "focus-warehouse"},
        "Schema": {
            "FocusVersion": version,
            "ColumnDefinition": [{"ColumnName": k, "DataType": _focus_type(k)} for k in selected],
        },
    }
    target.with_name(f"{target.name}.metadata.json").write_text(json.dumps(metadata, indent=1), encoding="utf-8")
    return int(rows)


def _spelled(name: str, value: str, target: Path) -> str:
    """A time in CSV is text as FOCUS spells it; everything else is as it is."""
    if target.suffix == ".csv" and name.endswith(("PeriodStart", "PeriodEnd")):
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')"
    return value


def _focus_type(name: str) -> str:
    if name in UP_TO_1_3:
        return "STRING"
    kind = contract("cost_and_usage").column(name).type
    return {"timestamp": "DATETIME", "bigint": "DECIMAL"}.get(kind, kind.upper())
