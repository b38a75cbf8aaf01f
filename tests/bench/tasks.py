"""What is measured, each in a process of its own: `python tests/bench/tasks.py TASK ARGUMENT...`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from finops_lib.contract import literal


def rewrite(given: str, out: str) -> None:
    """DuckDB alone, with the settings of an ingest: read every column, write it again."""
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set preserve_insertion_order = false")
        rows = f"read_csv({literal(given)}, all_varchar = true)" if given.endswith(".csv") else literal(given)
        db.execute(f"copy (select * from {rows}) to {literal(out)} (format parquet)")


def ingest(root: str, *files: str) -> None:
    """From exports to the lake: recognised, adapted, checked, added up, published."""
    from finops_lib.ingest import ingest
    from finops_lib.lake import Home

    done = ingest(Home(root), files, data_docs=False)
    if done.refused or not done.outcomes:
        sys.exit("; ".join(o.message for o in done.refused) or "nothing was ingested")


def data_docs(root: str) -> None:
    """The pages about a delivery that an ingest ends with."""
    from finops_lib import expectations, lake
    from finops_lib.contract import contract
    from finops_lib.lake import Home

    home = Home(root)
    pages = [
        expectations.Delivery(
            title=str(unit),
            delivered_at=delivery.delivered_at,
            contract=contract(unit.dataset),
            parquet=[home.lake / unit.file],
            refusals=[],
        )
        for unit, delivery in lake.current(home).items()
    ]
    expectations.document(pages, out=home.reports / "data_docs")


def conformance(root: str) -> None:
    """Every rule of our own over a lake."""
    from finops_lib.conformance import check
    from finops_lib.lake import Home

    check(Home(root))


def export(root: str, out: str) -> None:
    """A lake as FOCUS 1.2, which the official validator reads."""
    from finops_lib.export import export_focus
    from finops_lib.lake import Home

    export_focus(Home(root), version="1.2", out=Path(out))


def build(root: str, *full_refresh: str) -> None:
    """The marts of a lake, with every test."""
    from finops_lib import warehouse
    from finops_lib.lake import Home

    built = warehouse.build(Home(Path(root)), full_refresh=bool(full_refresh))
    if built.failed:
        sys.exit("; ".join(built.messages))


TASKS: dict[str, Callable[..., None]] = {
    t.__name__: t for t in (rewrite, ingest, data_docs, conformance, export, build)
}

if __name__ == "__main__":
    TASKS[sys.argv[1]](*sys.argv[2:])
