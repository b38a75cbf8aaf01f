"""From the files of one source to a Parquet file in the columns of its contract, and what was delivered in it."""

from __future__ import annotations

import hashlib
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import duckdb

from .. import lake
from ..contract import contract, literal, quoted
from ..errors import RefusedError
from ..lake import TIMELESS
from . import rejecting
from .adapters import Adapter, vocabulary
from .call import Call, Costs, Counted
from .checking import EXACT, Where
from .files import Delivered
from .reading import STATEMENTS, converted, raw_view, write_parquet
from .rejecting import Rejected


@contextmanager
def database(call: Call) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database with what adapters' SELECTs may use."""
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set preserve_insertion_order = false")
        # This optimizer has the whole table read once for each file or month that rows are grouped by.
        db.execute("set disabled_optimizers = 'partitioned_execution'")
        limit_memory(db)
        db.execute(f"set temp_directory = {literal(str(call.workdir / 'spill'))}")
        if call.account is not None:
            db.execute(f"set variable account = {literal(call.account)}")
        vocabulary(db)
        with _stopped_by_ctrl_c(db):
            yield db


@contextmanager
def _stopped_by_ctrl_c(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Tell DuckDB of Ctrl-C: by itself it waits until each of its other threads has read to its end."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def stop(*_: object) -> NoReturn:
        db.interrupt()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def limit_memory(db: duckdb.DuckDBPyConnection, documents: Sequence[int] = ()) -> None:
    """Let DuckDB spill early; what its JSON reader allocates for each statement and thread at once comes on top."""
    [(threads,)] = db.sql("select current_setting('threads')").fetchall()
    buffers = 2 * int(threads) * sum(sorted(documents)[-STATEMENTS:])
    db.execute(f"set memory_limit = '{512 + 256 * int(threads) + (buffers >> 20)}MB'")


def readable(
    call: Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, files: Sequence[Delivered]
) -> tuple[list[Delivered], dict[str, list[str]]]:
    """The files in a form that can be read again and again, and why others cannot be read at all."""
    found, reasons = [], {}
    for i, file in enumerate(files, start=1):
        if len(files) > 1:
            call.progress(f"reading {adapter.name}: file {i} of {len(files)}, {file.name}")
        try:
            with lake.writing(call.home):
                found.append(converted(db, adapter, file, workdir=call.workdir))
        except RefusedError as error:
            reasons[file.name] = [str(error)]
    return found, reasons


def is_unreadable(db: duckdb.DuckDBPyConnection, adapter: Adapter, file: Delivered) -> bool:
    """Whether not even values that misfit can be passed over in a file."""
    raw_view(db, adapter, [file], strict=False)
    try:
        db.sql("select count(*) from raw").fetchall()
    except duckdb.Error:
        return True
    return False


def adapted(db: duckdb.DuckDBPyConnection, adapter: Adapter) -> str:
    """The SELECT that adapts `raw`; of a part it keeps the rows as delivered, beside their account and month."""
    if adapter.kept:
        return f"select *, {adapter.account} as x_account, {adapter.month} as x_month from raw"
    return in_contract_columns(db, adapter)


def in_contract_columns(db: duckdb.DuckDBPyConnection, adapter: Adapter) -> str:
    """The adapter's SELECT in the columns, order and types of its contract; what it does not select is NULL."""
    own = contract(adapter.dataset)
    assert adapter.select is not None
    select = adapter.select.strip().rstrip(";")
    given = {str(d[0]) for d in db.sql(f"describe {select}").fetchall()}
    unknown = given - set(own.names)
    if unknown:
        raise RefusedError(
            f"The {adapter.name} adapter gives columns that {adapter.dataset} does not have: "
            f"{', '.join(sorted(unknown))}."
        )
    defaults = {
        "x_Adapter": literal(adapter.name),
        "x_adapter": literal(adapter.name),
        "x_SourcePart": "1",
    }
    columns = []
    for c in own.columns:
        value = quoted(c.name) if c.name in given else defaults.get(c.name, "null")
        columns.append(f"cast({value} as {c.sql_type}) as {quoted(c.name)}")
    query = f"select {', '.join(columns)} from ({select}\n)"
    if adapter.dataset == "ai_usage":
        from .. import pricing

        return pricing.priced(db, query)
    return query


def stage(call: Call, db: duckdb.DuckDBPyConnection, query: str, target: Path, delivery_id: str) -> None:
    """Write a query to a Parquet file and show it as the view `staged`."""
    copy(call, db, query, target, f", kv_metadata {{finops_delivery: {literal(delivery_id)}}}")
    db.execute(f"create or replace view staged as select * from read_parquet({literal(str(target))})")


def copy(call: Call, db: duckdb.DuckDBPyConnection, query: str, target: Path, options: str = "") -> None:
    """Write a query to a Parquet file."""
    with lake.writing(call.home):
        write_parquet(db, query, target, options)


def delivered(db: duckdb.DuckDBPyConnection, adapter: Adapter, *, of: Where | None = None) -> Counted:
    """What was delivered, parts included: source rows by unit and file, and every cost that is to arrive whole.

    Charges are made from their parts one unit at a time: `of` says which.
    """
    account = adapter.account or literal(TIMELESS)
    month = adapter.month or literal(TIMELESS)
    amount, currency = adapter.billed or ("null::decimal(38, 18)", "null")
    counts: dict[Where, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    conserved = [c for c in adapter.conserves if c.part is None]
    costs: Costs = {c: {} for c in [*(["BilledCost"] if adapter.billed else []), *(c.column for c in conserved)]}

    def add(column: str, where: Where, currency: Any, total: Decimal | None, *, complete: bool) -> None:
        by_unit = costs.setdefault(column, {})
        found = by_unit.setdefault(where, {})
        if not complete:
            by_unit[where] = None
        elif found is not None and total is not None:
            found[str(currency)] = EXACT.add(found.get(str(currency), Decimal(0)), total)

    sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
    for a, m, file, c, rows, billed, *more in db.sql(
        f"select {account}, {month}, x_source_file, {currency}, count(*), sum(x_billed){sums} "
        f"from (select *, {amount} as x_billed from raw) as raw group by all"
    ).fetchall():
        where = (str(a), str(m))
        counts[where][str(file)] += int(rows)
        if adapter.billed:
            add("BilledCost", where, c, billed, complete=True)
        for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
            add(cost.column, where, c, total, complete=known == rows)
    for part in adapter.parts:
        assert of is not None
        # What charges wait for, such as a price list, is no charge itself: its rows count where it is kept.
        rows_are_charges = part not in adapter.waits_for
        conserved = [c for c in adapter.conserves if c.part == part]
        sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
        found = db.sql(
            f"select x_source_file, {currency if conserved else 'null'}, count(*){sums} from {part} group by all"
        ).fetchall()
        for file, c, rows, *more in found:
            counts[of][str(file)] += int(rows) if rows_are_charges else 0
            for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
                add(cost.column, of, c, total, complete=known == rows)
        for cost in conserved if not found else []:
            add(cost.column, of, None, None, complete=False)
    return counts, costs


def rejected_rows(db: duckdb.DuckDBPyConnection, adapter: Adapter, files: Sequence[Delivered]) -> dict[Where, Rejected]:
    """Rows put aside so far, by the account and month they tell."""
    if not db.sql("select 1 from rejected limit 1").fetchall():
        return {}
    raw_view(db, adapter, files, strict=False, view="raw_all")
    return rejecting.placed(db, adapter)


def delivery_id(call: Call, files: Sequence[Delivered] | Sequence[dict[str, Any]], adapter: Adapter) -> str:
    """What names a delivery: its files, how they are read, and when, because the same files may come again."""
    hashes = sorted(f.sha256 if isinstance(f, Delivered) else f["sha256"] for f in files)
    return hashlib.sha256("".join([*hashes, adapter.sha256, call.began]).encode()).hexdigest()[:16]
