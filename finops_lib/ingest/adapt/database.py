"""The one owner of a DuckDB connection: its settings, its memory, Ctrl-C, and how a query is written to a file."""

from __future__ import annotations

import errno
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NewType, NoReturn, Self

import duckdb

from ...contract import literal
from ...errors import no_room

SQLError = duckdb.Error
"""What DuckDB says of a query that cannot be answered."""

Relation = NewType("Relation", str)
"""Name of a table or view of a connection; who makes one hands over its name."""


class Database:
    """An empty database in memory, closed at the end of a `with`."""

    def __init__(self, *, workdir: Path) -> None:
        self._workdir = workdir
        self._ending = ExitStack()

    def __enter__(self) -> Self:
        self.connection = self._ending.enter_context(duckdb.connect())
        self.run("set timezone = 'UTC'")
        self.run("set preserve_insertion_order = false")
        # This optimizer has the whole table read once for each file or month that rows are grouped by.
        self.run("set disabled_optimizers = 'partitioned_execution'")
        self.limit_memory()
        self.run(f"set temp_directory = {literal(str(self._workdir / 'spill'))}")
        self._ending.enter_context(_stopped_by_ctrl_c(self.connection))
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()

    def limit_memory(self, buffers: int = 0) -> None:
        """Let DuckDB spill early; the bytes that a reader allocates at once for each thread come on top."""
        [(threads,)] = self.rows("select current_setting('threads')")
        self.run(f"set memory_limit = '{512 + 256 * int(threads) + (int(threads) * buffers >> 20)}MB'")

    def rows(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        try:
            return self.connection.execute(query, list(parameters)).fetchall()
        except UnicodeDecodeError:
            # DuckDB quotes a part of the file, cut in the middle of a letter.
            raise duckdb.InvalidInputException("a text in it is not UTF-8") from None

    def run(self, statement: str) -> None:
        self.connection.execute(statement)

    execute = run

    def view(self, name: str, query: str) -> Relation:
        self.run(f"create or replace view {name} as {query}")
        return Relation(name)

    def table(self, name: str, query: str) -> Relation:
        self.run(f"create or replace table {name} as {query}")
        return Relation(name)

    def columns(self, query: str) -> list[tuple[str, str]]:
        """Name and type of each column of a query."""
        return [(str(name), str(kind)) for name, kind, *_ in self.rows(f"describe {query}")]

    def types(self, query: str) -> list[tuple[str, Any]]:
        """Name of each column of a query, and DuckDB's own description of its type."""
        relation = self.connection.sql(query)
        return list(zip(relation.columns, relation.types, strict=True))

    def write(self, query: str, target: Path, *options: str) -> Path:
        """Write a query to a Parquet file, within the limit of memory where that can be done.

        Refuses  OSError where the disk has no room for it.
        """
        sql = f"copy ({query}) to {literal(str(target))} ({', '.join(['format parquet', *options])})"
        try:
            try:
                self.run(sql)
            except duckdb.OutOfMemoryException:
                # What readers and writers hold cannot spill. The limit leaves room to others; it refuses no bill.
                self.run("reset memory_limit")
                self.run(sql)
        except duckdb.Error as error:
            if said := no_room(error):
                raise OSError(errno.ENOSPC, said) from None
            raise
        return target


@contextmanager
def _stopped_by_ctrl_c(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Tell DuckDB of Ctrl-C: by itself it waits until each of its other threads has read to its end."""
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def stop(*_: object) -> NoReturn:
        connection.interrupt()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def plainly(error: Exception) -> str:
    """What a library says of a value or a file, without its own names and the paths of a work folder."""
    said = str(error).strip().splitlines()[0]
    said = re.sub(r"^(\w+ )*Error: ", "", said)
    if isinstance(error, INTERNAL) or "function" in said:
        return "its columns do not have the shape that is wanted"
    if "overflow" in said.lower():
        return "a number in it, or the sum of some, is too large"
    if value := re.match(r"(?i)could not (?:convert|cast)[^\"']*([\"'].*[\"'])", said):
        return f"found {value[1]}, which does not fit where it stands or is used"
    said = re.sub(r" (in|of|at end of|for) file ['\"][^'\"]*['\"],?", "", said)
    said = re.sub(r" in record/value \d+|DECIMAL\(\d+(,\d+)?\)|['\"]?/[^\s'\"]*/[^\s'\"]*['\"]?", "", said)
    return said.rstrip(" .;:").replace("  ", " ")


INTERNAL = (duckdb.BinderException, duckdb.CatalogException, duckdb.InternalException, duckdb.ParserException)
"""What DuckDB says of a query rather than of what it reads."""
