"""From delivered files to the view `raw` of their adapter: bound by column, cast."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from ...contract import literal, quoted
from ...errors import RefusedError
from ..adapters import Adapter, sql_type
from ..collect.files import PART, Delivered, unpacked
from ..collect.recognising import bindings, flattened, gathered
from . import dates
from .database import Database, Relation, SQLError, plainly


def _reader(adapter: Adapter, file: Delivered, *alike: Delivered) -> str:
    """FROM clause over one file or several of one shape: columns as delivered, plus x_source_path and x_source_row.

    Rows of Parquet are numbered file by file, all others through the files.
    """
    paths = ", ".join(literal(str(f.path)) for f in (file, *alike))
    if file.format == "parquet":
        rows = f"read_parquet([{paths}], file_row_number = true, filename = 'x_source_path')"
        return f"(select {file.projection}, file_row_number + 1 as x_source_row from {rows})"
    if file.format == "csv":
        # Rows are counted as they stream by, so the file is read by one thread: in parallel they come in any order.
        return f"(select *, row_number() over () as x_source_row from {_csv(adapter, file, 'parallel = false')})"
    if file.format == "lines":
        assert adapter.line is not None
        pattern, groups = literal(adapter.line), ", ".join(literal(h) for h in file.header)
        # A group that took no part is empty text, as in a CSV.
        columns = ", ".join(f"nullif(found[{literal(h)}], '') as {quoted(h)}" for h in file.header)
        return (
            f"(select {columns}, x_source_path, x_source_row from (select regexp_extract(line, {pattern}, [{groups}]) "
            f"as found, x_source_path, x_source_row from {_lines(file, *alike)} where regexp_matches(line, {pattern})))"
        )
    shape = "array" if file.array else "unstructured"
    size = max(f.document_size for f in (file, *alike))
    records = (
        f"select x_source_path, {exact_json('json')} as r0 from read_json_objects([{paths}], format = '{shape}', "
        f"maximum_object_size = {size}, filename = 'x_source_path')"
    )
    around = ["r0"]
    for depth, key in enumerate(adapter.records, start=1):
        # A list key that is absent was already unwrapped by whoever saved the file.
        inner = f"r{depth}"
        steps = ", ".join(f"json_extract({around[-1]}, '$.{k.strip()}')" for k in key.split("|"))
        step = f"coalesce({steps})"
        opened = exact_json(f"({step} ->> '$')")
        listed = (
            steps
            if key == "*"
            else f"case when json_type({step}) = 'ARRAY' then cast({step} as json[]) "
            f"when json_type({step}) = 'VARCHAR' then [try_cast({opened} as json)] "
            f"when {step} is null then [{around[-1]}] else [] end"
        )
        # Without its list a record is read quickly as often as the list is long.
        short = around[-1]
        if key != "*":
            gone = literal(json.dumps(_without(key)))
            short = (
                f"case when json_type({step}) = 'ARRAY' then json_merge_patch({short}, {gone}::json) else {short} end"
            )
        outer = ", ".join([*around[:-1], f"{short} as {around[-1]}"])
        records = f"select x_source_path, {outer}, {listed} as listed from ({records})"
        records = f"select x_source_path, {', '.join(around)}, unnest(listed) as {inner} from ({records})"
        around.append(inner)
    merged = ", ".join(reversed(around))
    return f"(select {merged}, x_source_path, row_number() over () as x_source_row from ({records}))"


LONG = r"-?[0-9.]{17,}(?:[eE][-+]?[0-9]+)?"
"""A number of which a double may not keep every digit: it keeps 15."""
HAS_LONG = literal(rf"(?:^|[:,\[])\s*{LONG}")
STRING_OR_LONG = literal(rf'("[^"\\]*(?:\\.[^"\\]*)*")|({LONG})')
"""Strings are found too, so that no number is found inside of one."""


def exact_json(document: str) -> str:
    """SQL for a JSON document with its long numbers in quotes: DuckDB takes numbers out of JSON as doubles."""
    # No JSON holds a bare control character: chr(1) is a quote to be, and nothing twice in a row.
    marked = f"regexp_replace({document}, {STRING_OR_LONG}, '\\1' || chr(1) || '\\2' || chr(1), 'gs')"
    changed = f"replace(replace({marked}, chr(1) || chr(1), ''), chr(1), '\"')"
    return f"case when regexp_matches({document}, {HAS_LONG}) then {changed} else {document} end"


def _without(key: str) -> dict[str, Any]:
    """The JSON merge patch that takes a list out of its record; `key` as in `-- records:`."""
    patch: dict[str, Any] = {}
    for path in key.split("|"):
        *around, last = path.strip().split(".")
        inner = patch
        for name in around:
            inner = inner.setdefault(name, {})
        inner[last] = None
    return patch


def _lines(*files: Delivered) -> str:
    """FROM clause over the lines of text files: each one text, whatever quotes and delimiters it holds."""
    nothing = literal("\x1f\x1e\x1d\x1c")
    paths = ", ".join(literal(str(f.path)) for f in files)
    return (
        f"(select line, x_source_path, row_number() over () as x_source_row from read_csv([{paths}], header = false, "
        f"auto_detect = false, columns = {{line: 'VARCHAR'}}, delim = {nothing}, quote = '', escape = '', "
        "strict_mode = false, parallel = false, max_line_size = 16777216, filename = 'x_source_path'))"
    )


def _csv(adapter: Adapter, file: Delivered, *options: str) -> str:
    columns = "{" + ", ".join(f"{literal(h)}: 'VARCHAR'" for h in file.header) + "}"
    nulls = ["", *adapter.null]
    given = ", ".join(
        [
            literal(str(file.path)), "header = true", "auto_detect = false", f"columns = {columns}",
            f"delim = {literal(file.delimiter)}", "quote = '\"'", "escape = '\"'",
            # DuckDB's own buffer would be sixteen of the longest lines, for each thread.
            f"nullstr = [{', '.join(literal(n) for n in nulls)}]", "max_line_size = 16777216",
            "buffer_size = 33554432", *options,
        ]
    )  # fmt: skip
    return f"read_csv({given})"


def converted(db: Database, adapter: Adapter, file: Delivered, *, workdir: Path) -> Delivered:
    """A CSV file as Parquet of the columns that the adapter reads, rows in their order; any other file as it is.

    An export is read several times: to adapt it, to count it, to name what is wrong with it. Parquet is read by all
    threads and knows its row numbers, CSV is read by all threads only as long as nobody asks for them.
    Refuses  RefusedError naming the row in which the file stops to be CSV.
    """
    if file.format != "csv":
        return file
    out = workdir / f"{file.sha256[:16]}-{adapter.name}.parquet"
    used = ", ".join(quoted(h) for h in _used(adapter, file)) or "1 as nothing"
    try:
        db.run("set preserve_insertion_order = true")
        # Rows in order wait in memory until a row group is full: small ones wait less.
        db.write(f"select {used} from {_csv(adapter, file)}", out, "row_group_size 30720")
    except SQLError as error:
        raise RefusedError(reading_error(file, error)) from None
    finally:
        db.run("set preserve_insertion_order = false")
    if said := _swallowed(db, adapter, file, out):
        raise RefusedError(said)
    return replace(file, path=out, format="parquet")


def _swallowed(db: Database, adapter: Adapter, file: Delivered, read: Path) -> str | None:
    """Why the quotes of a CSV cannot be right: rows stand inside of a value, or a line break in one that names."""
    [(rows,)] = db.rows(f"select count(*) from read_parquet({literal(str(read))})")
    with unpacked(file) as content:
        breaks = sum(part.count(b"\n") for part in iter(lambda: content.read(PART), b""))
    if breaks <= rows + 1:
        return None
    bound = bindings(adapter, file)
    naming = {bound[name] for name in adapter.required if bound.get(name) in file.header}
    delimiters = len(file.header) - 1
    for header in file.header:
        value = quoted(header)
        row_inside = (
            f"length({value}) - length(replace({value}, {literal(file.delimiter)}, '')) >= {delimiters} "
            f"and not json_valid({value})"
        )
        conditions = [*([row_inside] if delimiters else []), *(["true"] if header in naming else [])]
        for row, text in db.rows(
            f"select x_source_row, {value} from {_reader(adapter, file)} where contains({value}, chr(10)) "
            f"and ({' or '.join(conditions) or 'false'}) order by 1 limit 1"
        ):
            found = "a line break" if adapter.private else f"a line break in {shown(text)}"
            return (
                f"{file.name}, row {row}, column {header}: found {found}, wanted one value: a quote that stands alone "
                "swallows what follows it. Export the file again."
            )
    return None


def _used(adapter: Adapter, file: Delivered) -> list[str]:
    """The delivered columns that the adapter reads, in their order."""
    bound = bindings(adapter, file)
    headers = set(bound.values())
    for name, kind, _ in adapter.columns:
        if bound.get(name) not in file.header:
            headers |= {header for header, _ in flattened(name, kind, file).values()}
            headers |= {header for _, header in gathered(name, file)} if kind == "JSON" else set()
    return [h for h in file.header if h in headers]


def _text(adapter: Adapter, file: Delivered, name: str, kind: str, bound: dict[str, str]) -> str:
    """SQL for one raw column before its cast: text for scalars, JSON or the delivered nesting otherwise."""
    if file.format == "json":
        levels = [f"r{d}" for d in range(len(adapter.records), -1, -1)]
        key = bound.get(name, name)
        path = literal(f"${key}" if re.fullmatch(r"\[\d+\]", key) else "$." + json.dumps(key))
        if _nested(kind) or kind == "JSON":
            found = [f"nullif(json_extract({level}, {path}), json('null'))" for level in levels]
            return f"coalesce({', '.join(found)})"
        return f"nullif(coalesce({', '.join(f'json_extract_string({level}, {path})' for level in levels)}), '')"
    delivered = dict(zip(file.header, file.types, strict=True))
    header = bound[name]
    if header not in delivered and _nested(kind):
        fields = [f"cast({quoted(h)} as varchar)" for h, _ in flattened(name, kind, file).values()]
        return f"coalesce({', '.join(fields)})"
    if header not in delivered:
        given = [(json.dumps(k, ensure_ascii=False), f"cast({quoted(h)} as varchar)") for k, h in gathered(name, file)]
        # Put together as text: through a list and a map it would be the same, six times slower.
        pairs = ", ".join(f"{literal(key + ':')} || cast(to_json({value}) as varchar)" for key, value in given)
        some = f"coalesce({', '.join(value for _, value in given)}) is not null"
        return f"case when {some} then '{{' || concat_ws(',', {pairs}) || '}}' end"
    return _column(header, delivered[header], kind, file)


def _column(header: str, delivered: str, kind: str, file: Delivered) -> str:
    """SQL for a delivered column of CSV or Parquet before its cast."""
    if kind == "JSON" and delivered.startswith(("STRUCT", "MAP")):
        return f"to_json({quoted(header)})"
    if _nested(kind) and delivered == kind:
        return quoted(header)
    if _nested(kind) and delivered != "VARCHAR":
        return f"to_json({quoted(header)})"
    if delivered in ("DOUBLE", "FLOAT") and kind != delivered:
        # Straight from double to decimal would keep binary noise; its shortest text is what was meant.
        return f"cast({quoted(header)} as varchar)"
    if file.format == "parquet" and delivered == "VARCHAR":
        # CSV has no other way to say nothing; some writers carry the habit into Parquet.
        return f"nullif({quoted(header)}, '')"
    return quoted(header)


def raw_view(
    db: Database,
    adapter: Adapter,
    files: Sequence[Delivered],
    *,
    strict: bool,
    view: str = "raw",
    without: Relation | None = None,
) -> Relation:
    """Make a view of the files in the adapter's columns and types.

    Strict, a value that does not fit its type or a required one that is missing ends the query; otherwise it is NULL.
    The rows of `without`, by x_source_file and x_source_row, are left out.
    """
    selects = [
        f"select {columns}, {_origin(db, adapter, alike)} from {_reader(adapter, *alike)}"
        for columns, alike in _alike(files, lambda file: _columns(adapter, file, strict=strict))
    ]
    rows = " union all ".join(selects)
    if without:
        rows = f"select * from ({rows}) anti join {without} using (x_source_file, x_source_row)"
    read = f" where {adapter.rows}" if adapter.rows else ""
    return db.view(view, f"select * from ({rows}){read}")


STATEMENTS = 8
"""How many statements read the text files of one shape."""


def _alike(files: Sequence[Delivered], sql: Callable[[Delivered], str]) -> Iterator[tuple[str, list[Delivered]]]:
    """What to select, and the files of which one statement can select it.

    DuckDB plans every part of a UNION by itself, and begins to read all of them at once, each with buffers of its own.
    """
    shapes: dict[tuple[object, ...], list[Delivered]] = defaultdict(list)
    for file in files:
        schema = () if file.format == "json" else (file.header, file.types, file.path if file.format == "csv" else None)
        shapes[sql(file), file.format, file.array, file.projection, *schema].append(file)
    for (selected, *_), alike in shapes.items():
        # Files whose rows are counted as they stream by are read by one thread each: in parts for several.
        part = len(alike) if alike[0].format == "parquet" else -(-len(alike) // STATEMENTS)
        for i in range(0, len(alike), part):
            yield str(selected), alike[i : i + part]


def _columns(adapter: Adapter, file: Delivered, *, strict: bool) -> str:
    """SQL of every column of the adapter, from those of a file."""
    bound = bindings(adapter, file)
    columns = []
    for name, kind, optional in adapter.columns:
        if name not in bound and file.format != "json":
            columns.append(f"cast(null as {kind}) as {quoted(name)}")
            continue
        value = _value(adapter, file, name, kind, bound, strict=strict)
        if strict and not optional:
            value = f"coalesce({value}, error('required'))"
        columns.append(f"{value} as {quoted(name)}")
    return ", ".join(columns)


def _origin(db: Database, adapter: Adapter, files: Sequence[Delivered]) -> str:
    """SQL of x_source_file and x_source_row, from what `_reader` gives of the files."""
    if len(files) == 1:
        return f"{literal(files[0].name)} as x_source_file, x_source_row"
    names = ", ".join(f"{literal(str(f.path))}: {literal(f.name)}" for f in files)
    named = f"map {{{names}}}[x_source_path] as x_source_file"
    if files[0].format == "parquet":
        return f"{named}, x_source_row"
    rows = _lines(*files) if files[0].format == "lines" else _reader(adapter, *files)
    counted = dict(db.rows(f"select x_source_path, count(*) from {rows} group by all"))
    before = accumulate((counted.get(str(f.path), 0) for f in files), initial=0)
    starts = ", ".join(f"{literal(str(f.path))}: {rows}" for f, rows in zip(files, before, strict=False))
    return f"{named}, x_source_row - map {{{starts}}}[x_source_path] as x_source_row"


def passed_over(db: Database, adapter: Adapter, files: Sequence[Delivered], raw: Relation) -> Iterator[tuple[str, str]]:
    """Files that hold more than the adapter reads: name, and how much of it is passed over."""
    if adapter.line is None and adapter.rows is None:
        return
    read = dict(db.rows(f"select x_source_file, count(*) from {raw} group by all"))
    for file in files:
        noun, rows = ("lines", _lines(file)) if file.format == "lines" else ("rows", _reader(adapter, file))
        [(count,)] = db.rows(f"select count(*) from {rows}")
        if count > read.get(file.name, 0):
            yield file.name, f"{count - read.get(file.name, 0)} of {count} {noun}"


MORE = {
    "has_more": "= 'true'", "hasMore": "= 'true'", "next_page": "<> ''", "next_page_token": "<> ''",
    "nextPageToken": "<> ''", "nextToken": "<> ''", "NextToken": "<> ''", "nextLink": "<> ''", "next_link": "<> ''",
}  # fmt: skip
"""How an API says in a page that another one follows."""


def unfinished(db: Database, files: Sequence[Delivered]) -> dict[str, str]:
    """Files of pages of which none is the last, and what each says of the next."""
    found: dict[str, str] = {}
    for file in files:
        if file.format != "json" or not (keys := [key for key in MORE if key in file.header]):
            continue
        # Where a page says whether there is more, what it calls the next one decides nothing.
        telling = [key for key in keys if "more" in key.lower()] or keys
        says = {key: f"coalesce(json_extract_string(json, '$.{key}') {MORE[key]}, false)" for key in telling}
        shape = "array" if file.array else "unstructured"
        [(pages, more, *of_key)] = db.rows(
            f"select count(*), count(*) filter (where {' or '.join(says.values())}), "
            f"{', '.join(f'count(*) filter (where {said})' for said in says.values())} "
            f"from read_json_objects({literal(str(file.path))}, format = '{shape}', "
            f"maximum_object_size = {file.document_size})"
        )
        if more < pages:
            return {}
        key = next(key for key, count in zip(says, of_key, strict=True) if count)
        found[file.name] = (
            f"{file.name}: {key} says that another page follows, which is not there. Fetch the pages that follow and "
            "deliver them together with this one."
        )
    return found


def with_date_order(db: Database, adapter: Adapter, file: Delivered, *, told: str | None) -> Delivered:
    """The file with the order of day and month in the columns that the adapter names as dates.

    Refuses  RefusedError for a file in which that cannot be told.
    """
    bound = bindings(adapter, file)
    texts = {bound[name]: _text(adapter, file, name, "DATE", bound) for name in adapter.dates if name in bound}
    try:
        return dates.ordered(db, file, texts, _reader(adapter, file), told=told) if texts else file
    except SQLError as error:
        raise RefusedError(reading_error(file, error)) from None


def _value(adapter: Adapter, file: Delivered, name: str, kind: str, bound: dict[str, str], *, strict: bool) -> str:
    """SQL for one raw column: its text cast, or a struct put together from the columns its fields came as."""
    text = _text(adapter, file, name, kind, bound)
    if name in adapter.dates:
        value = dates.parsed(text, file.date_order)
        return f"case when {text} is not null then coalesce({value}, error('no date')) end" if strict else value
    types = dict(zip(file.header, file.types, strict=True))
    if _nested(kind) and types.get(bound.get(name, "")) == kind:
        # Delivered as declared: through JSON and back it would be the same, five times slower.
        return text
    if types.get(bound.get(name, "")) == "DOUBLE" and kind.startswith("DECIMAL"):
        return _decimal(quoted(bound[name]), kind, _cast(text, kind, strict=strict))
    flat = {} if bound.get(name) in types else flattened(name, kind, file)
    if not flat:
        return _cast(
            text, kind, strict=strict, printed=file.format != "json" and types.get(bound.get(name, name)) == "VARCHAR"
        )
    fields = []
    for field, child in sql_type(kind).children:
        value = f"cast(null as {child})"
        if field in flat:
            header, of = flat[field]
            value = _cast(_column(header, types[header], of, file), of, strict=strict, printed=True)
        fields.append(f"{quoted(field)} := {value}")
    return f"case when {text} is not null then struct_pack({', '.join(fields)}) end"


def _values(adapter: Adapter, file: Delivered, bound: dict[str, str]) -> Iterator[tuple[str, str, str, str, bool]]:
    """What the adapter reads of a file: column as delivered, type, its text, its value, whether it may be absent."""
    types = dict(zip(file.header, file.types, strict=True))
    for name, kind, optional in adapter.columns:
        if name not in bound and file.format != "json":
            continue
        text = _text(adapter, file, name, kind, bound)
        column, value = bound.get(name, name), _value(adapter, file, name, kind, bound, strict=False)
        yield column, kind, text, value, optional
        if _nested(kind) and types.get(column) != kind and (column in types or file.format == "json"):
            yield from (
                (f"{column}{leaf}", of, given, read, True) for leaf, of, given, read in _leaves(text, value, kind)
            )
        if bound.get(name) not in types:
            for header, of in flattened(name, kind, file).values():
                field = _column(header, types[header], of, file)
                yield header, of, field, _cast(field, of, strict=False, printed=True), True


def _nested(kind: str) -> bool:
    return kind.endswith("[]") or kind.startswith(("STRUCT", "MAP"))


def _cast(text: str, kind: str, *, strict: bool, printed: bool = False) -> str:
    """SQL that casts the text of a value; `printed` says that a list may be as Python prints it instead of JSON."""
    if kind == "VARCHAR":
        return f"cast({text} as varchar)"
    if kind == "JSON":
        # What JSON holds already was made exact where its document was read.
        exact = exact_json(text) if printed else text
        return f"{'' if strict else 'try_'}cast({exact} as json)"
    if _nested(kind):
        value = f"from_json({'' if strict else 'try_'}cast({text} as json), {literal(_json_structure(kind))})"
        if printed and kind.endswith("[]"):
            nothing, null = literal("(['\"]:) None([,}])"), literal(r"\1 NULL\2")
            python = f"try_cast(regexp_replace({text}, {nothing}, {null}, 'g') as {kind})"
            value = f"case when json_valid({text}) then {value} else {python} end"
        if not strict:
            return value
        # Both make nothing of a value of another shape, in silence, and of a number that is none inside of it.
        inside = (f"{given} is not null and {read} is null" for _, _, given, read in _leaves(text, value, kind))
        misfits = " or ".join([f"{text} is not null and {value} is null", *inside])
        return f"case when {misfits} then error('shape') else {value} end"
    return f"{'' if strict else 'try_'}cast({text} as {kind})"


def _leaves(text: str, value: str, kind: str) -> Iterator[tuple[str, str, str, str]]:
    """The numbers, times and truths inside of a nested value: name, type, SQL of what was delivered and what is read.

    What stands in a list is compared by how many there are.
    """

    def found(t: Any, path: str, read: str, depth: int) -> Iterator[tuple[str, str, str]]:
        if t.id == "struct":
            for name, child in t.children:
                yield from found(child, f"{path}.{json.dumps(name)}", f"{read}.{quoted(name)}", depth)
        elif t.id == "list":
            member = f"m{depth}"
            for inner, of, sql in found(t.child, f"{path}[*]", member, depth + 1):
                listed = sql if "[*]" in inner.removeprefix(f"{path}[*]") else f"[{sql}]"
                yield inner, of, f"flatten(list_transform({read}, lambda {member}: {listed}))"
        elif t.id not in ("varchar", "map", "json") and str(t) != "JSON":
            yield path, str(t), read

    for path, of, read in found(sql_type(kind), "$", value, 0):
        given = f"case when json_valid({text}) then json_extract_string({text}, {literal(path)}) end"
        name = path.removeprefix("$").replace('"', "")
        if "[*]" not in path:
            yield name, of, f"nullif({given}, '')", read
        else:
            given = f"list_filter({given}, lambda g: g <> '')"
            read = f"len(list_filter({read}, lambda v: v is not null))"
            yield (
                name, of, f"case when len({given}) > 0 then array_to_string({given}, ', ') end",
                f"case when len({given}) = {read} then 1 end",
            )  # fmt: skip


def _decimal(number: str, kind: str, through_text: str) -> str:
    """SQL for the decimal that a double prints as, six times as fast as through its text.

    A whole number of up to 15 digits over a power of ten that gives the double back is the one shortest text of it.
    """
    digits = min(10, int(kind.rstrip(")").split(",")[1]))
    whole = f"try_cast(round({number} * 1e{digits}) as bigint)"
    unit = f"cast({10**-digits:.{digits}f} as decimal({digits}, {digits}))" if digits else "1"
    return (
        f"case when abs({number}) < 1e{15 - digits} and {whole} / 1e{digits} = {number} "
        f"then cast({whole} * {unit} as {kind}) else {through_text} end"
    )


def _json_structure(kind: str) -> str:
    """DuckDB's nested type as the structure that from_json takes: missing fields become NULL."""

    def structure(t: Any) -> Any:
        if t.id == "list":
            return [structure(t.child)]
        if t.id == "struct":
            return {name: structure(child) for name, child in t.children}
        if t.id == "map":
            return f"MAP({t.children[0][1]}, {t.children[1][1]})"
        return str(t)

    return json.dumps(structure(sql_type(kind)))


def misfits(db: Database, adapter: Adapter, files: Sequence[Delivered]) -> dict[str, list[str]]:
    """Why the strict reading failed: messages by file name, each naming row and column."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in _suspects(db, adapter, files):
        try:
            for column, kind, text, misfit in _misfits(adapter, file):
                rows = db.rows(
                    f"select x_source_row, {_sayable(adapter, kind, text)}, count(*) over () "
                    f"from {_reader(adapter, file)} where {misfit} order by 1 limit 1"
                )
                for row, given, count in rows:
                    more = f" ({count} rows like it)" if count > 1 else ""
                    wanted = _plain_type(kind) if given is not None else f"a value ({_plain_type(kind)})"
                    if file.date_order and column in _dated(adapter, file):
                        wanted += f", {file.date_order} as in the rest of the file"
                    what = given if given == _unsaid(kind) else shown(given)
                    found[file.name].append(
                        f"{file.name}, row {row}, column {column}: found {what}, wanted {wanted}{more}. "
                        "Correct the value at its source and deliver the file again."
                    )
        except SQLError as error:
            found[file.name].append(reading_error(file, error))
    return found


def _suspects(db: Database, adapter: Adapter, files: Sequence[Delivered]) -> Iterator[Delivered]:
    """The files with a value that misfits, and those read together with one that cannot be read at all."""
    for some, alike in _alike(files, lambda file: " or ".join(misfit for *_, misfit in _misfits(adapter, file))):
        try:
            paths = db.rows(f"select distinct x_source_path from {_reader(adapter, *alike)} where {some}")
        except SQLError:
            yield from alike
        else:
            yield from (file for file in alike if (str(file.path),) in paths)


def misfit_rows(adapter: Adapter, file: Delivered) -> Iterator[str]:
    """SELECTs of x_source_file, x_source_row and the reason, for the rows that the strict reading stops at."""
    for column, kind, text, misfit in _misfits(adapter, file):
        reason = f"{literal(column + ': found ')} || coalesce(left({_sayable(adapter, kind, text)}, 60), 'nothing')"
        yield (
            f"select {literal(file.name)}, x_source_row, {reason} || {literal(', wanted ' + _plain_type(kind))} "
            f"from {_reader(adapter, file)} where {misfit}"
        )


def _misfits(adapter: Adapter, file: Delivered) -> Iterator[tuple[str, str, str, str]]:
    """Column as delivered, type, SQL of its text, and SQL of whether a row's value misfits, for each column read."""
    for column, kind, text, value, optional in _values(adapter, file, bindings(adapter, file)):
        missing = "" if optional else f" or {text} is null"
        yield column, kind, text, f"(({text} is not null and {value} is null){missing})"
        if kind.startswith("DECIMAL"):
            # Of a few of these the sum is no DECIMAL any more.
            yield column, LARGE, text, f"coalesce(abs({value}) >= 1e17, false)"


LARGE = "a number below 10^17"


def _unsaid(kind: str) -> str:
    """What a message says instead of a value that may be a prompt, an address or a key: where one was not wanted."""
    return "another shape" if _nested(kind) or kind == "JSON" else "text"


def _sayable(adapter: Adapter, kind: str, text: str) -> str:
    """SQL for a value as a message may show it: of a log nothing but what is written like a number or a time."""
    unsaid = literal(_unsaid(kind))
    if unsaid == "'another shape'":
        return f"case when {text} is not null then {unsaid} end"
    given = f"cast({text} as varchar)"
    if not adapter.private:
        return given
    harmless = f"regexp_full_match({given}, '[-+0-9.,:/ TZeE]*')"
    return f"case when {harmless} then {given} when {text} is not null then {unsaid} end"


def _dated(adapter: Adapter, file: Delivered) -> set[str]:
    bound = bindings(adapter, file)
    return {bound[name] for name in adapter.dates if name in bound}


def _plain_type(kind: str) -> str:
    if kind.startswith("DECIMAL"):
        return "a number"
    return {
        "BIGINT": "a whole number",
        "DOUBLE": "a number",
        "DATE": "a date such as 2026-10-31",
        "TIMESTAMP WITH TIME ZONE": "a time such as 2026-10-31T00:00:00Z",
        "BOOLEAN": "true or false",
        "JSON": "JSON",
        "VARCHAR": "text",
    }.get(kind, kind.lower())


def shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def reading_error(file: Delivered, error: Exception) -> str:
    """Why a file cannot be read, in a sentence that names it and the row."""
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    byte = re.search(r"at byte (\d+).*: ([^:]+?)\.?$", text.splitlines()[0])
    if "GZIP" in text or "gzip" in text:
        return f"{file.name}: the gzip stream ends before its end: the file is truncated. Fetch it again."
    if line and counts:
        return (
            f"{file.name}, row {int(line[1]) - 1}: found {counts[2]} columns, wanted {counts[1]} as in the header "
            f"(line {line[1]} of the file). Export it again; an unquoted delimiter or a cut line does this."
        )
    if line:
        # The reason stands last; what stands before it is the row itself, which may hold a prompt.
        reason = [*re.findall(r"\n([^\n]+)\n+Possible [Ff]ixes", text), "cannot be parsed"][-2:][0]
        return f"{file.name}, row {int(line[1]) - 1}: {reason.strip()} (line {line[1]} of the file). Export it again."
    if byte:
        return f"{file.name}: this is not valid JSON ({byte[2]}, at byte {byte[1]}). Fetch it again."
    return f"{file.name}: cannot be read ({plainly(error)}). Fetch it again."
