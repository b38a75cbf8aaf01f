"""Which export a file is, by its columns: the adapter that reads it, and which delivered column is which of its own."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...errors import RefusedError, UsageError
from ..adapters import Adapter, adapters, sql_type
from .files import Delivered


def _spelling(header: str) -> str:
    bracketed = re.search(r"\(([A-Za-z]\w*)\)\s*$", header)
    return re.sub(r"[^a-z0-9]", "", (bracketed[1] if bracketed else header).lower())


def bindings(adapter: Adapter, file: Delivered) -> dict[str, str]:
    """raw column → delivered column, for those that are there."""
    opened = [inner for key, inner in file.opened if key in adapter.records]
    present = {_spelling(h): h for h in reversed((*opened, *file.header))}
    found: dict[str, str] = {}
    for name, kind, _ in adapter.columns:
        for spelling in (name, *adapter.headers.get(name, ())):
            if spelling in file.header or _spelling(spelling) in present:
                found[name] = spelling if spelling in file.header else present[_spelling(spelling)]
                break
        else:
            if (kind == "JSON" and gathered(name, file)) or flattened(name, kind, file):
                found[name] = name
    return found


def refuse_doubled(adapter: Adapter, file: Delivered) -> None:
    """Refuse a file in which a column that is read stands twice: which of them counts, nobody can tell."""
    if file.format == "json":
        return
    for header in bindings(adapter, file).values():
        alike = [h for h in file.header if _spelling(h) == _spelling(header)]
        if header in file.doubled or (header in alike and len(alike) > 1):
            spelt = f", spelt {' and '.join(map(repr, alike))}" if len(alike) > 1 else ""
            raise RefusedError(
                f"{file.name}: found the column {header!r} more than once in its header{spelt}, wanted it once. Export "
                "it again, or take the wrong one out."
            )


def flattened(name: str, kind: str, file: Delivered) -> dict[str, tuple[str, str]]:
    """Fields of a struct column that were delivered as columns of their own: header and SQL type of each."""
    if file.format == "json" or kind.endswith("[]") or not kind.startswith("STRUCT"):
        return {}
    present = {_spelling(h): h for h in reversed(file.header)}
    return {
        field: (present[_spelling(name + field)], str(child))
        for field, child in sql_type(kind).children
        if _spelling(name + field) in present
    }


def gathered(name: str, file: Delivered) -> list[tuple[str, str]]:
    """Delivered columns that together are one JSON column: key and header of each."""
    stem = _spelling(name)
    found = []
    for header in file.header:
        group, slash, key = header.partition("/")
        if slash and _spelling(group) == stem:
            found.append((key, header))
        elif not slash and header.lower().startswith(f"{name}_"):
            found.append((header[len(name) + 1 :], header))
    return found


def version(adapter: Adapter, file: Delivered) -> str | None:
    """The version of its format that a file's columns tell, where the adapter says how."""
    present = {_spelling(header) for header in file.header}
    return next((v for v, columns in adapter.versions if {_spelling(c) for c in columns} <= present), None)


def recognise(file: Delivered, *, has_row: Callable[[Adapter, Delivered], bool], source: str | None = None) -> Adapter:
    """The one adapter whose required columns the file has, and of several the most particular.

    Reads    has_row: whether a file has a row by which an adapter tells exports with equal columns apart.
    Refuses  RefusedError naming the adapter that came nearest and the columns it lacks.
    """
    candidates = [a for k, a in adapters().items() if source is None or source in (a.name, k)]
    if not candidates:
        known = ", ".join(dict.fromkeys(a.name for a in adapters().values()))
        raise UsageError(f"There is no source {source!r}. Sources: {known}; `finops sources` describes them.")
    fitting = [a for a in candidates if file.format in a.formats and set(a.recognised_by) <= set(bindings(a, file))]
    telling = [a for a in fitting if a.holds]
    decided = [a for a in telling if has_row(a, file)] or [
        # Only where the content tells nothing does a name decide: then both readings give the same money.
        a
        for a in telling
        if a.named and re.search(a.named, (file.manifest and file.manifest.kind) or file.name, flags=re.IGNORECASE)
    ]
    fitting = decided or [a for a in fitting if not a.holds]
    if fitting:
        found = max(fitting, key=lambda a: (len(a.recognised_by), len(bindings(a, file))))
        if found.refused:
            raise RefusedError(f"{file.name}: {found.refused}")
        return found
    lacking = {
        k: [r for r in a.recognised_by if r not in bindings(a, file)] for k, a in adapters().items() if a in candidates
    }
    # Columns alone do not make a file nearest to an export that is known by what its rows hold.
    lacking = {k: v for k, v in lacking.items() if v or file.format not in adapters()[k].formats} or lacking
    nearest = min(lacking, key=lambda k: (len(lacking[k]) / max(1, len(adapters()[k].recognised_by)), len(lacking[k])))
    missing = lacking[nearest]
    shown = ", ".join(file.header[:8]) + (f" and {len(file.header) - 8} more" if len(file.header) > 8 else "")
    if not missing:
        other = f"reads {', '.join(adapters()[nearest].formats)}, not {file.format}"
        holds = f"has no row where {adapters()[nearest].holds}"
        reason = f"{nearest} has its columns but {holds if file.format in adapters()[nearest].formats else other}"
    elif source is None and len(adapters()[nearest].recognised_by) <= 3 * len(missing):
        reason = "It resembles no export that is known"
    else:
        noun = "column" if len(missing) == 1 else "columns"
        reason = f"The nearest is {nearest}, which also needs the {noun} {', '.join(missing)}"
    raise RefusedError(
        f"{file.name}: no source reads this file. {reason}. Found: {shown}. "
        "Export it with those columns, or see `finops sources`."
    )
