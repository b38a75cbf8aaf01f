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
    text = beside.read_text(encoding="utf-8")
    made = _compile(text, beside.name)
    focus_of = {header: focus for focus, header in _mapped(text).items()}
    for header in [name for name, *_ in made.columns if name not in file.header]:
        what = f"{focus_of[header]} is taken" if header in focus_of else "Tags are taken"
        raise RefusedError(
            f"{file.name}: {what} from a column {header!r} that is not there. Found: {', '.join(file.header)}. "
            f"Correct {beside.name} or export the file with that column."
        )
    return made


def _mapped(text: str) -> dict[str, str]:
    return dict(yaml.safe_load(text).get("columns") or {})


def _compile(text: str, name: str) -> Adapter:
    def refuse(what: str) -> RefusedError:
        return RefusedError(f"{name}: {what}")

    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise refuse(f"this is not valid YAML ({str(error).splitlines()[0]}).") from None
    if not isinstance(said, dict) or not isinstance(said.get("columns"), dict):
        raise refuse("found no columns, wanted at least `columns:` with a delivered column for each FOCUS column.")
    for key in said:
        if key not in KEYS:
            raise refuse(f"found the key {key!r}, wanted one of {', '.join(KEYS)}.")
    source = said.get("source")
    if not isinstance(source, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", source) or source in adapters():
        raise refuse(
            f"found source {source!r}, wanted a new name of small letters, digits and _, such as `source: pinecone`."
        )
    own = contract("cost_and_usage")
    columns: dict[str, str] = {k: str(v) for k, v in said["columns"].items()}
    constants: dict[str, Any] = dict(said.get("constants") or {})
    values: dict[str, dict[Any, Any]] = dict(said.get("values") or {})
    tags: list[str] = [str(t) for t in said.get("tags") or []]
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
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def _raw_type(header: str, columns: dict[str, str], column: Callable[[str], Column]) -> str:
    types = {column(focus).type for focus, of in columns.items() if of == header}
    return "DECIMAL(38,18)" if types == {"decimal"} else "VARCHAR"


def _value(column: Column, header: str, values: dict[Any, Any] | None, time: Callable[[str], str]) -> str:
    delivered = quoted(header)
    if values:
        cases = " ".join(f"when {literal(str(k))} then {literal(str(v))}" for k, v in values.items())
        return f"case {delivered} {cases} end"
    return time(delivered) if column.type == "timestamp" else f"cast({delivered} as {column.sql_type})"


def _constant(column: Column, value: Any) -> str:
    return f"cast({literal(str(value))} as {column.sql_type})"


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
