"""What only a look at a file's rows tells while files are collected: see `collect.Inspector`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...contract import literal, quoted
from ...errors import RefusedError
from ..adapters import Adapter
from ..collect.files import Delivered
from . import reading
from .database import Database, SQLError, plainly


@dataclass(frozen=True)
class FileInspector:
    """Looks into files, each by itself."""

    db: Database

    def parquet(self, file: Delivered) -> Delivered:
        """The file with its columns. Refuses: RefusedError for one that is damaged, or whose decimals are too wide."""
        return _parquet(self.db, file)

    def has_row(self, adapter: Adapter, file: Delivered) -> bool:
        """Whether the file has a row by which the adapter tells exports with equal columns apart."""
        try:
            raw = reading.raw_view(self.db, adapter, [file], strict=False)
            return bool(self.db.rows(f"select 1 from {raw} as raw where {adapter.holds} limit 1"))
        except SQLError:
            return False

    def with_date_order(self, adapter: Adapter, file: Delivered, *, told: str | None) -> Delivered:
        """The file with its order of day and month. Refuses: RefusedError where nothing tells it."""
        return reading.with_date_order(self.db, adapter, file, told=told)


def _parquet(db: Database, file: Delivered) -> Delivered:
    path = literal(str(file.path))
    try:
        shaped = {name: _shaped(quoted(name), of) for name, of in db.types(f"select * from read_parquet({path})")}
        replaced = [f"{sql} as {quoted(name)}" for name, sql in shaped.items() if sql != quoted(name)]
        projection = f"* replace ({', '.join(replaced)})" if replaced else "*"
        described = db.columns(f"select {projection} from read_parquet({path})")
        wide = db.rows(f"select name, precision from parquet_schema({path}) where precision > 38")
    except SQLError as error:
        raise RefusedError(f"{file.name}: this Parquet file is damaged ({plainly(error)}). Fetch it again.") from None
    if wide:
        raise RefusedError(
            f"{file.name}: found a DECIMAL of {wide[0][1]} digits in column {wide[0][0]}, wanted 38 or fewer, which "
            "can be read to the last digit. Export it as NUMERIC or as text."
        )
    return replace(
        file,
        format="parquet",
        header=tuple(name for name, _ in described),
        types=tuple(kind for _, kind in described),
        projection=projection,
    )


def _shaped(value: str, of: Any, depth: int = 0) -> str:
    """SQL that takes away what some writers put around lists: `list` in a struct, `element` in a struct."""
    if of.id == "struct" and [name for name, _ in of.children] == ["list"] and of.children[0][1].id == "list":
        return _shaped(f"{value}.list", of.children[0][1], depth)
    if of.id == "list":
        item, inner = f"e{depth}", of.child
        member = item
        if inner.id == "struct" and [name for name, _ in inner.children] in (["element"], ["item"]):
            member, inner = f"{item}.{inner.children[0][0]}", inner.children[0][1]
        shaped = _shaped(member, inner, depth + 1)
        return value if shaped == item else f"list_transform({value}, lambda {item}: {shaped})"
    if of.id == "struct":
        fields = {name: _shaped(f"{value}.{quoted(name)}", inner, depth) for name, inner in of.children}
        if any(sql != f"{value}.{quoted(name)}" for name, sql in fields.items()):
            packed = ", ".join(f"{quoted(name)} := {sql}" for name, sql in fields.items())
            return f"case when {value} is not null then struct_pack({packed}) end"
    return value
