"""The typed, read-only doors to what was built, and to the lake below it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import duckdb

from .. import lake
from ..contract import Contract, contract, literal, quoted
from ..errors import DamagedError, NotBuiltError, first_line, no_room
from ..lake import Home

if TYPE_CHECKING:
    import polars as pl

BUILD = "published.build"
"""The one row of a warehouse that says what it was built from."""


@dataclass(frozen=True, kw_only=True)
class Published:
    """What the warehouse in force was built from."""

    build_id: str
    """The same for the same ledger, models and version."""
    built_at: datetime
    product: str
    """Version of the product."""
    models: str
    """Checksum of the models."""
    own_models: str
    """Checksum of the home's own dbt project; empty where it has none."""
    lake: str
    """Folder of the lake."""
    datasets: dict[str, str]
    """Dataset of the lake → checksum of what its ledger and its files were."""
    deliveries: int
    """Entries of the ledger then."""
    last_delivery: datetime | None
    """When the last of them came."""

    @property
    def said(self) -> str:
        """Which build it is and what it knew, for whoever compares two figures."""
        last = f", the last of {self.last_delivery:%F %T} UTC" if self.last_delivery else ""
        return f"build {self.build_id} by finops {self.product}, from {self.deliveries} deliveries{last}"


def dataset_sql(home: Home, own: Contract) -> str:
    """A SELECT over one dataset of the lake, typed as its contract says, plus source and billing_month.

    Without a delivery it is a SELECT of no rows, so that a model of an unused dataset still builds.
    """
    if any((home.lake / own.dataset).glob("source=*/billing_month=*/*.parquet")):
        files = literal(str(home.lake.resolve() / own.dataset / "source=*" / "billing_month=*" / "*.parquet"))
        # Months published before the contract had a column have nothing in it.
        return (
            f"select * from read_parquet({files}, hive_partitioning = true, union_by_name = true, "
            f"hive_types = {{'source': varchar, 'billing_month': varchar}}) union all by name {own.empty()}"
        )
    columns = own.empty().removesuffix(" where false")
    return f"{columns}, cast(null as varchar) as source, cast(null as varchar) as billing_month where false"


@contextmanager
def reading_lake(home: Home) -> Iterator[None]:
    """Turn files of the lake that are damaged into one message.

    Refuses  DamagedError, which says what heals them.
    """
    try:
        yield
    except duckdb.Error as error:
        if damaged := lake.damaged_files(home):
            raise DamagedError(damaged[0]) from None
        if no_room(error) or not isinstance(error, (duckdb.IOException, duckdb.InvalidInputException)):
            raise
        raise DamagedError(
            f"A file of {home.lake} cannot be read: {first_line(error)}. `finops verify` says which, and what heals it."
        ) from None


def mart(home: Home, name: str) -> pl.DataFrame:
    """One mart, whole.

    Returns  its rows with exact decimals, ordered by its columns from left to right.
    Refuses  NotBuiltError when the warehouse or the mart is not there, with the command that builds it.
    """
    return marts(home, [name])[name]


def marts(home: Home, names: Iterable[str]) -> dict[str, pl.DataFrame]:
    """Several marts of one and the same build, whole, by name; each as `mart` gives it."""
    with open_warehouse(home) as db:
        return _marts(home, db, names)


def snapshot(home: Home, names: Iterable[str]) -> tuple[Published, dict[str, pl.DataFrame]]:
    """Marts as `marts` gives them, and the build that they are of: what is published meanwhile does not mix with it."""
    with open_warehouse(home) as db:
        return _published(home, db), _marts(home, db, names)


def _marts(home: Home, db: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[str, pl.DataFrame]:
    import polars as pl

    found = {}
    for name in names:
        try:
            frame = pl.from_arrow(db.sql(f"select * from {quoted(name)} order by all").to_arrow_table())
        except duckdb.CatalogException:
            raise not_built(home, name, _near(db, name)) from None
        assert isinstance(frame, pl.DataFrame)
        found[name] = frame
    return found


def _near(db: duckdb.DuckDBPyConnection, name: str) -> str | None:
    there = db.sql("select table_name from duckdb_tables() where schema_name = 'main'").fetchall()
    return next(iter(difflib.get_close_matches(name, [n for (n,) in there], n=1)), None)


def dataset(home: Home, name: str) -> pl.DataFrame:
    """One small dataset of the lake, such as a plan table, as delivered.

    Refuses  UsageError for a dataset that does not exist.
    """
    import polars as pl

    with reading_lake(home), duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        frame = pl.from_arrow(db.sql(dataset_sql(home, contract(name))).to_arrow_table())
    assert isinstance(frame, pl.DataFrame)
    return frame


def data_date(home: Home) -> date:
    """The last day any provider has reported usage for: the date every figure is as of. Each source's own is in
    fct_data_freshness.

    Refuses  NotBuiltError when there are no charges.
    """
    return data_through(home, mart(home, "fct_data_freshness"))


def data_through(home: Home, freshness: pl.DataFrame) -> date:
    """`data_date`, of a mart fct_data_freshness already read."""
    found = freshness.filter(_is_cost())["last_date"].max()
    if not isinstance(found, date):
        raise NotBuiltError(f"{home.root} holds no charges yet. Bring in a bill with `finops ingest PATH`.")
    return found


def plan_findings(home: Home) -> list[str]:
    """What the plan names and nobody has, and what it names twice: the sentences of fct_plan_finding, errors first.

    Returns  nothing where there is no such mart yet.
    """
    try:
        found = mart(home, "fct_plan_finding")
    except NotBuiltError:
        return []
    return [f"{row['severity']}: {row['message']}" for row in found.sort("severity").iter_rows(named=True)]


def missing_money(home: Home) -> list[str]:
    """What the lake lacks of its bills because rows of a delivery were rejected: a sentence for each unit.

    Source   the ledger; a delivery with rejected rows is there only where its user accepted that.
    """
    found = []
    for unit, delivery in sorted(lake.current(home).items()):
        if not delivery.rows_rejected or unit.dataset.startswith("_"):
            continue
        money = ", ".join(f"{c} {a}" for c, a in delivery.rejected_total.items())
        unreadable = delivery.rejected_unreadable
        amounts = [money] * bool(money) + [f"{unreadable} of them without a readable amount"] * bool(unreadable)
        rows = f"{delivery.rows_rejected} row{' was' if delivery.rows_rejected == 1 else 's were'} rejected"
        found.append(f"{unit}: {rows}" + (f", {' and '.join(amounts)}" if amounts else ""))
    return found


def _is_cost() -> pl.Expr:
    import polars as pl

    return pl.col("dataset") == "cost_and_usage"


def open_warehouse(home: Home) -> duckdb.DuckDBPyConnection:
    """A read-only connection to what is in force, in UTC. It keeps these rows when another build is published.

    Refuses  NotBuiltError when nothing was built yet, or what is there is no warehouse.
    """
    if not home.warehouse.exists():
        raise NotBuiltError(f"{home.warehouse} does not exist yet. Build it with `finops --home {home.root} build`.")
    # Attached to a database of its own: opened by its path, a file that was replaced meanwhile is shared with whoever
    # in this process still has the former one open.
    db = duckdb.connect()
    try:
        db.execute(f"attach {literal(str(home.warehouse.resolve()))} as warehouse (read_only)")
    except duckdb.Error as error:
        db.close()
        raise NotBuiltError(
            f"{home.warehouse} cannot be read as a warehouse: {first_line(error)}. Delete it and build it again with "
            f"`finops --home {home.root} build`; everything in it comes from the lake."
        ) from None
    db.execute("use warehouse; set timezone = 'UTC'")
    return db


def published(home: Home) -> Published:
    """What the warehouse in force was built from.

    Refuses  NotBuiltError where there is none, or one that does not say.
    """
    with open_warehouse(home) as db:
        return _published(home, db)


def _published(home: Home, db: duckdb.DuckDBPyConnection) -> Published:
    try:
        [row] = db.execute(f"from {BUILD}").fetchall()
        found = dict(zip([c[0] for c in db.description or ()], row, strict=True))
        return Published(**{**found, "datasets": json.loads(found["datasets"])})
    except (duckdb.Error, ValueError, TypeError):
        raise not_built(home, "record of its build") from None


def product_version() -> str:
    """Version of this product."""
    from importlib.metadata import version

    return version("focus-warehouse")


def not_built(home: Home, wanted: str, near: str | None = None) -> NotBuiltError:
    """The error for a relation that the warehouse does not have."""
    hint = f"Did you mean {near}?" if near else f"Build it with `finops --home {home.root} build`."
    return NotBuiltError(f"{home.warehouse} has no {wanted}. {hint}")
