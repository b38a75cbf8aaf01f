"""Files of sources that have no adapter: a YAML beside them says which column means what, and becomes one."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from ...contract import ORIGIN, Column, contract, literal, quoted
from ...errors import RefusedError
from ..adapters import Adapter, Conserved, adapters
from .files import Delivered

SOURCE = "csv_map"
FOLDER_MAP = "map.yml"
"""Map of every file of its folder that has none of its own."""
KEYS = ("source", "columns", "constants", "values", "tags", "row_covers", "dates", "timezone")
DERIVED = {
    "EffectiveCost": '"BilledCost"',
    "ContractedCost": '"BilledCost"',
    "ListCost": '"BilledCost"',
    "BillingPeriodStart": """date_trunc('month', "ChargePeriodStart")""",
    "BillingPeriodEnd": """date_trunc('month', "BillingPeriodStart") + interval 1 month""",
    "ServiceSubcategory": """'Other (' || "ServiceCategory" || ')'""",
    "ChargeFrequency": """case "ChargeCategory" when 'Usage' then 'Usage-Based' else 'One-Time' end""",
    "InvoiceIssuerName": '"ServiceProviderName"',
}
"""FOCUS columns that follow from others where the map does not give them."""


def find(file: Path) -> Path | None:
    """The map of a delivered file: `<file>.map.yml` beside it, else `map.yml` in its folder."""
    return next((m for m in (Path(f"{file}.map.yml"), file.with_name(FOLDER_MAP)) if m.is_file()), None)


def adapter(file: Delivered, beside: Path) -> Adapter:
    """The adapter that a map makes for a file.

    Reads    the map `beside` and the header of the file.
    Returns  an adapter like those of `adapters/`: raw columns, SELECT, account, month, and BilledCost to be conserved.
    Refuses  RefusedError for a map that is no YAML, names what FOCUS does not have, or leaves out what it wants; and
             for a file without the columns that the map takes.
    """
    try:
        content = beside.read_bytes()
        said = _load(content[: LARGEST + 1].decode(), beside.name)
    except UnicodeDecodeError:
        raise RefusedError(f"{beside.name}: this is no text in UTF-8. Save it as UTF-8.") from None
    except OSError as error:
        raise RefusedError(f"{beside.name}: cannot be opened ({error.strerror}). Let it be read.") from None
    made = _compile(said, beside.name, sha256=hashlib.sha256(content).hexdigest())
    focus_of = {header: focus for focus, header in said["columns"].items()}
    for header in [name for name, *_ in made.columns if name not in file.header]:
        what = f"{focus_of[header]} is taken" if header in focus_of else "Tags are taken"
        raise RefusedError(
            f"{file.name}: {what} from a column {header!r} that is not there. Found: {', '.join(file.header)}. "
            f"Correct {beside.name} or export the file with that column."
        )
    return made


class _Plain(yaml.BaseLoader):
    """YAML of texts, lists and mappings: what YAML would repeat, guess or let the last one win is refused."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            line = self.get_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise yaml.YAMLError(f"line {line}: found an alias (*), wanted every value written out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                what = f"{key.value} is given twice" if isinstance(key, yaml.ScalarNode) else "a name is no text"
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: {what}, wanted each name once")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


LARGEST = 1 << 20
"""Bytes of a map."""
KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "columns": (lambda v: _is_texts(v), "a delivered column for each FOCUS column"),
    "constants": (lambda v: _is_texts(v), "one value for each FOCUS column"),
    "values": (
        lambda v: isinstance(v, dict) and all(map(_is_texts, v.values())),
        "for each FOCUS column what its delivered values mean, such as {usage: Usage}",
    ),
    "tags": (lambda v: isinstance(v, list) and all(isinstance(t, str) for t in v), "a list such as [Team, Project]"),
}
"""What stands under a key of the map, if it is not one text."""
ONE_TEXT: tuple[Callable[[Any], bool], str] = lambda v: isinstance(v, str), "one text"


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


def _load(text: str, name: str) -> dict[str, Any]:
    """What a map says: texts, and under each key what belongs there."""
    if len(text) > LARGEST:
        raise RefusedError(f"{name}: found more than {LARGEST >> 10} kB, wanted a map of some lines.")
    try:
        said = yaml.load(text, Loader=_Plain)  # noqa: S506 - it makes nothing but texts, lists and mappings
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        what = f"line {where.line + 1}: {getattr(error, 'problem', '')}" if where else str(error).splitlines()[0]
        raise RefusedError(f"{name}: this is not valid YAML ({what}).") from None
    except RecursionError:
        raise RefusedError(f"{name}: this is nested too deep, wanted a map of some lines.") from None
    if not isinstance(said, dict) or not said.get("columns"):
        raise RefusedError(
            f"{name}: found no columns, wanted at least `columns:` with a delivered column for each FOCUS column."
        )
    for key, value in said.items():
        if key not in KEYS:
            raise RefusedError(f"{name}: found the key {key!r}, wanted one of {', '.join(KEYS)}.")
        fits, wanted = KINDS.get(key, ONE_TEXT)
        if value and not fits(value):
            found = repr(value)
            raise RefusedError(
                f"{name}: {key}: found {found if len(found) <= 60 else found[:57] + '...'}, wanted {wanted}."
            )
    return {key: value for key, value in said.items() if value}


def _compile(said: dict[str, Any], name: str, *, sha256: str) -> Adapter:
    def refuse(what: str) -> RefusedError:
        return RefusedError(f"{name}: {what}")

    source = said.get("source")
    if not isinstance(source, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", source) or source in adapters():
        raise refuse(
            f"found source {source!r}, wanted a new name of small letters, digits and _, such as `source: pinecone`."
        )
    own = contract("cost_and_usage")
    columns: dict[str, str] = said["columns"]
    constants: dict[str, str] = said.get("constants", {})
    values: dict[str, dict[str, str]] = said.get("values", {})
    tags: list[str] = said.get("tags", [])
    ours = [c for c in own.names if c.lower() not in ORIGIN]
    for focus in (*columns, *constants):
        if focus not in ours:
            near = difflib.get_close_matches(focus, ours, n=1, cutoff=0)[0]
            raise refuse(f"{focus} is no column of cost_and_usage; the nearest is {near}.")
    twice = [
        *sorted(columns.keys() & constants.keys()),
        *(["Tags"] if tags and {"Tags"} & {*columns, *constants} else []),
    ]
    if twice:
        raise refuse(f"{twice[0]} is given twice, wanted it either from a column or as a constant.")
    for focus in values:
        if focus not in columns:
            raise refuse(f"values of {focus} are translated, but no column is taken for it.")
    if "BilledCost" not in columns:
        raise refuse("found no column for BilledCost, wanted one: its sum must arrive to the last digit.")
    covers = said.get("row_covers")
    if covers not in (None, "hour", "day", "month"):
        raise refuse(f"found row_covers {covers!r}, wanted hour, day or month.")
    derived = dict(DERIVED)
    if covers:
        derived["ChargePeriodEnd"] = f'"ChargePeriodStart" + interval 1 {covers}'
    lacking = [
        c.name for c in own.columns if c.required and c.name in ours and c.name not in {*columns, *constants, *derived}
    ]
    if lacking:
        hint = " (or row_covers: day)" if "ChargePeriodEnd" in lacking else ""
        raise refuse(f"found nothing for {', '.join(lacking)}{hint}, wanted a column or a constant for each.")
    time = _time(said.get("dates"), said.get("timezone"), refuse)
    select = {focus: _value(own.column(focus), header, values.get(focus), time) for focus, header in columns.items()}
    select |= {focus: _constant(own.column(focus), value) for focus, value in constants.items()}
    if tags:
        pairs = ", ".join(f"struct_pack(k := {literal(t)}, v := {quoted(t)})" for t in tags)
        present = f"list_filter([{pairs}], lambda e: e.v is not null)"
        select["Tags"] = f"case when len({present}) > 0 then cast(to_json(map_from_entries({present})) as varchar) end"
    given = ", ".join(f"{sql} as {quoted(focus)}" for focus, sql in select.items())
    following = "".join(f", {sql} as {quoted(focus)}" for focus, sql in derived.items() if focus not in select)
    query = (
        f"with mapped as (select {given}, x_source_file as x_SourceFile, x_source_row as x_SourceRow from raw) "
        f"select *{following} from mapped"
    )
    start = select.get("BillingPeriodStart", select["ChargePeriodStart"])
    return Adapter(
        name=source,
        title=f"Files of {source}, as {name} says.",
        dataset=own.dataset,
        formats=("csv", "parquet"),
        columns=tuple(
            (header, _raw_type(header, columns, own.column), True)
            for header in dict.fromkeys([*columns.values(), *tags])
        ),
        select=query,
        companions={},
        account=select["BillingAccountId"],
        month=f"strftime({start}, '%Y-%m')",
        billed=(quoted(columns["BilledCost"]), select["BillingCurrency"]),
        conserves=tuple(
            Conserved(column=focus, sql=select[focus])
            for focus in columns
            if focus.endswith("Cost") and focus != "BilledCost"
        ),
        origin={focus: quoted(header) for focus, header in columns.items()},
        sha256=sha256,
    )


def _raw_type(header: str, columns: dict[str, str], column: Callable[[str], Column]) -> str:
    types = {column(focus).type for focus, of in columns.items() if of == header}
    return "DECIMAL(38,18)" if types == {"decimal"} else "VARCHAR"


def _value(column: Column, header: str, values: dict[str, str] | None, time: Callable[[str], str]) -> str:
    delivered = quoted(header)
    if values:
        cases = " ".join(f"when {literal(k)} then {literal(v)}" for k, v in values.items())
        return f"case {delivered} {cases} end"
    return time(delivered) if column.type == "timestamp" else f"cast({delivered} as {column.sql_type})"


def _constant(column: Column, value: str) -> str:
    return f"cast({literal(value)} as {column.sql_type})"


def _time(dates: Any, zone: Any, refuse: Callable[[str], RefusedError]) -> Callable[[str], str]:
    """SQL that makes an instant of a text; one that cannot be read is NULL, which the lake refuses by its row."""
    if zone is not None:
        import zoneinfo

        if zone not in zoneinfo.available_timezones():
            raise refuse(f"found timezone {zone!r}, wanted a name such as Europe/Berlin; without one times are UTC.")
    parse = f"try_strptime({{}}, {literal(str(dates))})" if dates else "try_cast({} as timestamp)"

    def instant(text: str) -> str:
        if not dates and zone is None:
            return f"try_cast({text} as timestamptz)"
        return f"timezone({literal(str(zone or 'UTC'))}, {parse.format(text)})"

    return instant
