"""Trying a home's own adapters: what binds, what fits its contract, and whether their samples come out as expected."""

from __future__ import annotations

import csv
import tempfile
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ..contract import contract
from ..errors import first_line
from ..lake import Home, current
from .adapt import Database, SQLError
from .adapters import Adapter, adapters, own_files, use_own, vocabulary


def check_own(home: Home) -> dict[str, list[str]]:
    """Check the adapters of `<home>/adapters/`, each with its samples in `<home>/adapters/samples/<name>/`.

    Returns  name → what is wrong with it, nothing where it is as it should be.
    Refuses  UsageError for a file that is no adapter.
    """
    use_own(home)
    return {file.stem: _faults(adapters()[file.stem], file.parent / "samples" / file.stem) for file in own_files()}


def _faults(adapter: Adapter, samples: Path) -> list[str]:
    if wrong := _binds(adapter):
        return wrong
    files = sorted(f for f in samples.glob("*") if f.is_file() and f.name != "expected.csv")
    if not files:
        return [f"no sample: put an export of a few rows into {samples}, and what comes of it into expected.csv"]
    return _comes_out(adapter, files, samples / "expected.csv")


def _binds(adapter: Adapter) -> list[str]:
    """Its SELECT on an empty table of its own columns, beside the contract of its dataset."""
    own = contract(adapter.dataset)
    if adapter.select is None:
        return ["no SELECT from raw"]
    with tempfile.TemporaryDirectory() as folder, Database(workdir=Path(folder)) as db:
        vocabulary(db)
        columns = ", ".join(f'"{name}" {kind}' for name, kind, _ in adapter.columns)
        db.execute(f"create table raw ({columns}, x_source_file varchar, x_source_row bigint)")
        try:
            given = {name: str(kind) for name, kind, *_ in db.rows(f"describe {adapter.select}")}
        except SQLError as error:
            return [f"its SELECT cannot be run: {first_line(error)}"]
    wrong = [f"{name} is no column of {own.dataset}" for name in given if name not in own.names]
    for c in own.columns:
        kind = given.get(c.name, '"NULL"')
        if c.type == "decimal" and kind in ("DOUBLE", "FLOAT"):
            wrong.append(f"{c.name} is {kind}, wanted a decimal: amounts keep every digit")
        elif c.type in ("string", "json") and kind not in ("VARCHAR", "JSON", '"NULL"'):
            wrong.append(f"{c.name} is {kind}, wanted text")
    return wrong


def _comes_out(adapter: Adapter, files: list[Path], expected: Path) -> list[str]:
    from . import ingest

    with tempfile.TemporaryDirectory() as folder:
        trial = Home(folder)
        (trial.root / "adapters").symlink_to(files[0].parents[2], target_is_directory=True)
        done = ingest(trial, list(files), source=adapter.name, data_docs=False)
        if done.refused:
            return [f"its sample is refused: {o.message}" for o in done.refused]
        written = [str(trial.lake / p.file) for p in current(trial) if p.dataset == adapter.dataset]
        with Database(workdir=trial.root) as db:
            names = [name for name, *_ in db.rows("describe from read_parquet($1, union_by_name = true)", [written])]
            rows = [
                dict(zip(names, row, strict=True))
                for row in db.rows("from read_parquet($1, union_by_name = true)", [written])
            ]
    if not expected.exists():
        return [f"no {expected.name} in {expected.parent}: {len(rows)} rows came out that nobody has looked at"]
    with expected.open(encoding="utf-8", newline="") as file:
        wanted = list(csv.DictReader(file))
    columns = list(wanted[0]) if wanted else []
    if unknown := [c for c in columns if rows and c not in rows[0]]:
        return [f"{expected.name} has columns that {adapter.dataset} has not: {', '.join(unknown)}"]
    found = sorted(tuple(_text(row[c]) for c in columns) for row in rows)
    awaited = sorted(tuple(_text(row[c]) for c in columns) for row in wanted)
    lost = [row for row in awaited if row not in found]
    more = [row for row in found if row not in awaited]
    said = [f"expected and not there: {', '.join(row)}" for row in lost]
    said += [f"not expected: {', '.join(row)}" for row in more]
    if not said and len(found) != len(awaited):
        said = [f"{len(found)} rows came out, {len(awaited)} are expected"]
    return said


def _text(value: Any) -> str:
    """A value as a sample writes it: times as FOCUS has them, numbers without trailing zeros."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        return f"{Decimal(str(value)).normalize():f}"
    except InvalidOperation:
        return str(value)
