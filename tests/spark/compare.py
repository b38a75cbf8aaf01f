"""`make spark`: build the marts of a home on a Spark cluster and compare every row with DuckDB's.

The cluster is a standalone one of one master and two workers on loopback; it is stopped whatever happens. Amounts,
counts, texts and dates must be the same; ratios may differ by a billionth.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

sys.path.insert(0, str(Path(__file__).parent))

import cluster

from finops_lib import warehouse
from finops_lib.contract import literal, quoted
from finops_lib.errors import FinopsError
from finops_lib.lake import Home

TOLERANCE = "1e-9"
SHOWN = 3
"""Rows shown of a mart that differs."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One mart on both engines."""

    mart: str
    ours: int
    theirs: int
    differing: int
    """Rows that only one engine has, or that differ."""
    examples: list[str] = field(default_factory=list)


def grains(manifest: dict[str, Any]) -> dict[str, list[str]]:
    """Mart → the columns that tell its rows apart, from dbt's manifest."""
    marts = {
        node["unique_id"]: node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["path"].startswith("marts/")
    }
    return {
        marts[node["attached_node"]]: node["test_metadata"]["kwargs"]["columns"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
        and (node.get("test_metadata") or {}).get("name") == "unique_grain"
        and node["attached_node"] in marts
    }


def compared(db: duckdb.DuckDBPyConnection, mart: str, *, ours: str, theirs: str, grain: Sequence[str]) -> Compared:
    """Two relations of the same mart, row for row.

    Reads    `ours` and `theirs` as they stand in a FROM clause; `grain` tells rows apart, null like any other value.
    Returns  how many rows each has and how many differ. Columns of one side alone make every row differ.
    """
    types = _types(db, ours)
    here, there = set(types), set(_types(db, theirs))
    counts = [int(db.sql(f"select count(*) from {side}").fetchall()[0][0]) for side in (ours, theirs)]
    if here != there:
        said = f"columns of one engine alone: {', '.join(sorted(here ^ there))}"
        return Compared(mart=mart, ours=counts[0], theirs=counts[1], differing=max(*counts, 1), examples=[said])
    same = " and ".join(_same(quoted(name), kind) for name, kind in types.items())
    keys = " and ".join(f"ours.{quoted(name)} is not distinct from theirs.{quoted(name)}" for name in grain)
    aligned = ", ".join(f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in types.items())
    db.execute(
        "create or replace temp table differing as "
        f"with ours as (select *, true as is_here from {ours}), "
        f"theirs as (select {aligned}, true as is_there from {theirs}) "
        f"select ours, theirs from ours full join theirs on {keys} "
        f"where is_here is null or is_there is null or not ({same})"
    )
    rows = db.sql(f"select ours, theirs, count(*) over () from differing limit {SHOWN}").fetchall()
    return Compared(
        mart=mart,
        ours=counts[0],
        theirs=counts[1],
        differing=max(rows[0][2] if rows else 0, abs(counts[0] - counts[1])),
        examples=[said for row in rows for said in _said(row[0], row[1], grain)],
    )


def _types(db: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    return {str(row[0]): str(row[1]) for row in db.sql(f"describe select * from {relation}").fetchall()}


def _same(name: str, kind: str) -> str:
    exact = f"ours.{name} is not distinct from theirs.{name}"
    if kind not in ("DOUBLE", "FLOAT"):
        return exact
    near = f"abs(ours.{name} - theirs.{name}) <= {TOLERANCE} * greatest(1, abs(ours.{name}))"
    return f"({exact} or coalesce({near}, false))"


def _said(ours: dict[str, Any], theirs: dict[str, Any], grain: Sequence[str]) -> Iterator[str]:
    """What differs in a pair of rows; a side without a row is all null."""
    key = {name: ours[name] if ours[name] is not None else theirs[name] for name in grain}
    for name, value in ours.items():
        if name not in ("is_here", *grain) and value != theirs[name]:
            yield f"{name}: DuckDB {value}, Spark {theirs[name]}  of {key}"


def compare(home: Home, *, schema: str) -> list[Compared]:
    """Every mart of a home that both engines have built."""
    manifest = json.loads((home.root / ".dbt" / "spark" / "manifest.json").read_text(encoding="utf-8"))
    found = []
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"attach {literal(str(home.warehouse))} as built (read_only)")
        for mart, grain in sorted(grains(manifest).items()):
            folder = home.spark / "warehouse" / f"{schema}.db" / mart
            files = f"read_parquet({literal(str(folder / '*.parquet'))})"
            ours = f"built.main.{quoted(mart)}"
            theirs = files if any(folder.glob("*.parquet")) else f"(select * from {ours} where false)"
            found.append(compared(db, mart, ours=ours, theirs=theirs, grain=grain))
    return found


def build(home: Home, target: str) -> bool:
    """Build everything for a target, and say how it went."""
    print(f"spark: building on {target}", flush=True)
    began = time.perf_counter()
    built = warehouse.build(home, target=target)
    for message in built.messages:
        print(f"  {message}")
    print(
        f"  {built.succeeded} models and tests passed, {built.failed} failed, {built.skipped} skipped "
        f"in {time.perf_counter() - began:.0f} s",
        flush=True,
    )
    return not built.failed


def show(found: Sequence[Compared]) -> None:
    """The table of marts."""
    width = max(len(c.mart) for c in found)
    print(f"{'mart':{width}}{'DuckDB':>12}{'Spark':>12}{'differing':>12}")
    for c in found:
        print(f"{c.mart:{width}}{c.ours:>12,}{c.theirs:>12,}{c.differing:>12,}")
        for said in c.examples:
            print(f"    {said}")


def main() -> int:
    """Build on both, compare, and say whether all is the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("home", help="a home with a lake, such as demo")
    parser.add_argument("--local", action="store_true", help="in one process, without a cluster")
    options = parser.parse_args()
    home = Home(options.home)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    schema = os.environ.setdefault("FINOPS_SPARK_SCHEMA", "finops")
    try:
        warehouse.need_spark()
        fine = build(home, "duckdb")
        shutil.rmtree(home.spark, ignore_errors=True)
        if options.local:
            fine &= build(home, "spark")
        else:
            with tempfile.TemporaryDirectory(prefix="finops-spark-") as folder:
                print("spark: starting one master and two workers", flush=True)
                with cluster.running(Path(folder)) as running:
                    os.environ.update(FINOPS_SPARK_MASTER=running.url, SPARK_LOCAL_IP=cluster.LOOPBACK)
                    fine &= build(home, "spark")
                    applications = running.state()["completedapps"]
            print(f"spark: the cluster is stopped; its workers ran {len(applications)} application", flush=True)
            fine &= bool(applications)
        found = compare(home, schema=schema)
    except FinopsError as error:
        print(f"spark: {error}", file=sys.stderr)
        return 1
    show(found)
    differing = [c.mart for c in found if c.differing]
    rows = sum(c.ours for c in found)
    print(f"{len(found)} marts of {rows:,} rows; {len(differing)} differ {', '.join(differing)}".rstrip())
    return 0 if fine and found and not differing else 1


if __name__ == "__main__":
    sys.exit(main())
