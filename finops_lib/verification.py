"""Are the lake, its ledger and the warehouse still what was written? Every byte is read, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import duckdb

from . import lake, warehouse
from .contract import literal
from .errors import DamagedError, FinopsError, first_line
from .lake import Delivery, Home
from .money import exact

CHARGES = "cost_and_usage"
"""The dataset whose amounts the ledger keeps."""

NOT_OF_THE_LAKE = ("_ledger", "_staging", "_rejected")
"""Folders beside the datasets."""

ORIGINS = ("x_SourceFile", "x_source_file")
"""Columns that say which file a row came from."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is not as it was left."""

    file: Path
    said: str
    """What is the matter with it."""
    remedy: str

    @property
    def sentence(self) -> str:
        return f"{self.file} {self.said}. {self.remedy}."


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What `verify` found."""

    partitions: int
    rows: int
    """Rows of all partitions, as the ledger has them."""
    findings: list[Finding]


def verify(home: Home, *, progress: Callable[[str], None] = lambda _: None) -> Verified:
    """Compare the lake with its ledger, and the warehouse in force with both.

    Reads    every file of the lake to its last byte, the ledger with its breakdowns, and what the warehouse was built
             from. Without the lock: what is delivered meanwhile is looked at again.
    Returns  how much there is, and a finding with its remedy for each thing that is not as it was left.
    Refuses  DamagedError for a ledger that a newer version wrote.
    """
    findings = list(_of_ledger(home, progress))
    holds = lake.current(home)
    for number, (partition, delivery) in enumerate(sorted(holds.items()), start=1):
        progress(f"{number} of {len(holds)}: {partition}")
        findings += _of_partition(home, delivery)
    progress("looking for stray files")
    findings += _strays(home)
    findings += _of_warehouse(home)
    rows = sum(d.rows_published for d in holds.values())
    return Verified(partitions=len(holds), rows=rows, findings=findings)


def _of_ledger(home: Home, progress: Callable[[str], None]) -> Iterator[Finding]:
    for file in lake.unreadable(home):
        yield Finding(
            file=file,
            said="is no entry of the ledger that can be read",
            remedy="The lake stays as it is. Deliver the original of what it told of again, then delete it",
        )
    for delivery in lake.deliveries(home):
        kept = lake.breakdown(home, delivery)
        if kept is None:
            continue
        progress(f"breakdown of {delivery.partition}")
        billed = _sums(kept, "billed")
        if isinstance(billed, str):
            wrong = f"cannot be read ({billed})"
        elif delivery.billed_total and billed != _amounts(delivery.billed_total):
            wrong = f"adds up to billed {_money(billed)}, and its delivery to {_money(_amounts(delivery.billed_total))}"
        else:
            continue
        lost = "" if lake.holding(home, delivery.partition) == delivery else (
            f"; delivery {delivery.id} of {delivery.partition} can then no longer be compared with others"
        )  # fmt: skip
        yield Finding(file=kept, said=wrong, remedy=f"Delete it; totals stay in the ledger{lost}")


def _of_partition(home: Home, delivery: Delivery) -> Iterator[Finding]:
    said = _damage(home, delivery)
    # Somebody may have published it anew between the reading of the ledger and that of its file.
    while said and (now := lake.holding(home, delivery.partition)) != delivery:
        if now is None:
            return
        delivery, said = now, _damage(home, now)
    if said:
        p = delivery.partition
        remedy = lake.healing(delivery)
        if not delivery.parquet_sha256 and lake.damage(home, delivery) is None:
            # Ingestion cannot tell such a file from a whole one.
            remedy = f"Delete it. {remedy}"
        withdrawal = f"`finops withdraw {p.source} --account {p.billing_account} --month {p.month}`"
        yield Finding(file=home.lake / p.file, said=said, remedy=f"{remedy}, or take it out with {withdrawal}")


def _damage(home: Home, delivery: Delivery) -> str | None:
    """What is the matter with the file of a partition."""
    return lake.damage(home, delivery, thoroughly=True) or _misread(home.lake / delivery.partition.file, delivery)


def _misread(file: Path, delivery: Delivery) -> str | None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as opened:
            parquet = pq.ParquetFile(opened)
            rows = sum(parquet.read_row_group(n).num_rows for n in range(parquet.num_row_groups))
    except (OSError, ValueError, pa.ArrowException) as error:
        return f"cannot be read to its end ({first_line(error)})"
    if rows != delivery.rows_published:
        return f"holds {rows} rows, and the ledger says {delivery.rows_published}"
    if delivery.dataset != CHARGES:
        return None
    for column, total in (("BilledCost", delivery.billed_total), ("EffectiveCost", delivery.effective_total)):
        found = _sums(file, column, currency="BillingCurrency")
        if isinstance(found, str):
            return f"cannot be read to its end ({found})"
        if found != _amounts(total):
            return f"adds up to {column} {_money(found)}, and the ledger says {_money(_amounts(total))}"
    return None


def _sums(file: Path, column: str, *, currency: str = "BillingCurrency") -> dict[str, Decimal] | str:
    """What a column of a Parquet file adds up to, by currency; or why it cannot be read."""
    try:
        with duckdb.connect() as db:
            rows = db.execute(
                f"select {currency}, sum({column}) from read_parquet({literal(str(file))}, hive_partitioning = false) "
                f"group by all having sum({column}) <> 0"
            ).fetchall()
    except duckdb.Error as error:
        return first_line(error)
    return {str(c): amount for c, amount in rows}


def _amounts(total: dict[str, str]) -> dict[str, Decimal]:
    return {c: Decimal(a) for c, a in total.items() if Decimal(a)}


def _money(amounts: dict[str, Decimal]) -> str:
    return ", ".join(f"{c} {exact(a)}" for c, a in sorted(amounts.items())) or "nothing"


def _strays(home: Home) -> Iterator[Finding]:
    """Files below the datasets that are of no partition."""
    known = {home.lake / p.file for p in lake.current(home)}
    for folder in sorted(home.lake.iterdir()) if home.lake.is_dir() else []:
        if folder.name in NOT_OF_THE_LAKE:
            continue
        for file in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            # Hidden files are of the disk's own tools; a hidden Parquet file would be read.
            if file.is_file() and file not in known and (file.suffix == ".parquet" or file.name[0] != "."):
                yield from _stray(home, file)


def _stray(home: Home, file: Path) -> Iterator[Finding]:
    if not file.match("*/source=*/billing_month=*/*.parquet"):
        yield Finding(file=file, said="is nothing of the lake, and nothing reads it", remedy="Delete it")
        return
    # It may have been published, or replaced by a withdrawal, since the ledger was read.
    if not file.exists() or file in {home.lake / p.file for p in lake.current(home)}:
        return
    command = lake.MADE_BY.get(file.relative_to(home.lake).parts[0])
    again = f", or make it anew with `{command}`" if command else ""
    if not command and (originals := _originals(file)):
        again = f", or deliver what it came from ({originals}) again with `finops ingest`"
    counts = ", yet builds count it" if lake.footer(file) is not None else " and cannot be read"
    yield Finding(file=file, said=f"is not of the ledger{counts}", remedy=f"Delete it{again}")


def _originals(file: Path) -> str:
    """The files that rows of a Parquet file say they came from."""
    for column in ORIGINS:
        try:
            with duckdb.connect() as db:
                found = db.execute(
                    f'select distinct "{column}" from read_parquet({literal(str(file))}) order by 1 limit 6'
                ).fetchall()
        except duckdb.Error:
            continue
        names = [str(name) for (name,) in found if name]
        return ", ".join([*names[:5], *(["and others"] if names[5:] else [])])
    return ""


def _of_warehouse(home: Home) -> Iterator[Finding]:
    if not lake.current(home):
        return
    build = f"Build it with `finops --home {home.root} build`"
    if not home.warehouse.exists():
        yield Finding(file=home.warehouse, said="does not exist yet", remedy=build)
        return
    try:
        said = warehouse.outdated(home)
    except DamagedError:
        # Which file of the lake it is has been found above.
        return
    except FinopsError as error:
        said = str(error).removeprefix(f"{home.warehouse} ").split(". ")[0]
    if said:
        yield Finding(file=home.warehouse, said=said, remedy=build)
