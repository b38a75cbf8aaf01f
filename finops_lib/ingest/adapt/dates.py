"""In what order a file writes day and month: decided once per file, by what stands in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...errors import RefusedError
from ..collect.files import Delivered
from .database import Database

MONTH_FIRST, DAY_FIRST = ORDERS = ("month-first", "day-first")
_FORMATS = {
    MONTH_FIRST: ("%m/%d/%y", "%m/%d/%Y", "%m-%d-%y", "%m-%d-%Y"),
    DAY_FIRST: ("%d/%m/%y", "%d/%m/%Y", "%d-%m-%y", "%d-%m-%Y"),
}
_DOTTED = ("%d.%m.%y", "%d.%m.%Y")
_WRITTEN = r"^\s*(\d{1,2})[/-](\d{1,2})[/-](\d+)"
LOOKED_AT = 10_000
"""Rows that mostly tell; a later one that contradicts them is refused as a date that does not fit."""


def parsed(text: str, order: str) -> str:
    """SQL for the date that a text means in a file of that order; NULL where it means none."""
    formats = ", ".join(f"'{f}'" for f in (*_DOTTED, *_FORMATS.get(order, ())))
    day = f"regexp_extract(trim(cast({text} as varchar)), '^[^ T]+')"
    # Only four digits are a year here: %Y would read 05-09-26 as the year 5.
    iso = f"try_strptime(regexp_extract({day}, '^[0-9]{{4}}-.*'), '%Y-%m-%d')"
    return f"cast(coalesce({iso}, try_strptime({day}, [{formats}])) as date)"


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The dates of one column that could be read both ways or one."""

    column: str
    first_above_12: bool
    second_above_12: bool
    same_both_ways: bool
    months: tuple[int, int]
    """How many months the column spans, read month first and day first."""
    firsts: tuple[bool, bool]
    """Whether all are the first of a month, read month first and day first."""
    example: str | None


def ordered(db: Database, file: Delivered, texts: dict[str, str], reader: str, *, told: str | None) -> Delivered:
    """The file with the order in which it writes day and month.

    Reads    SQL for the text of each date column over `reader`; `told` is what the user says of files that do not tell.
    Returns  the order that a number above 12 shows; else what was told; else the order in which a column's dates are
             days of one month, where the other would make them days of several that are not all firsts. A file whose
             dates mean the same both ways, or are not written so, has either.
    Refuses  RefusedError for a file that shows both orders, or neither.
    """
    seen = [_seen(db, column, text, f"{reader} limit {LOOKED_AT}") for column, text in texts.items()]
    if not _shown(seen):
        seen = [_seen(db, column, text, reader) for column, text in texts.items()]
    orders = _shown(seen) or ({told} if told else _likely(seen))
    if not orders and all(s.same_both_ways for s in seen):
        orders = {MONTH_FIRST}
    if len(orders) == 1:
        return replace(file, date_order=orders.pop())
    doubtful = next(s for s in seen if not s.same_both_ways)
    reason, remedy = (
        ("the month stands first in some dates of this file and the day in others", "Export it with one order.")
        if orders
        else (
            "nothing in this file tells whether the month or the day stands first",
            f"Deliver it with --dates {MONTH_FIRST} or --dates {DAY_FIRST}, as its exporter writes them.",
        )
    )
    raise RefusedError(f"{file.name}, column {doubtful.column}: found {doubtful.example!r}, and {reason}. {remedy}")


def _shown(seen: list[_Seen]) -> set[str]:
    found = {MONTH_FIRST for s in seen if s.second_above_12}
    return found | {DAY_FIRST for s in seen if s.first_above_12}


def _likely(seen: list[_Seen]) -> set[str]:
    found = set()
    for s in seen:
        for order, other in ((0, 1), (1, 0)):
            if s.months[order] == 1 and s.months[other] > 1 and not s.firsts[other]:
                found.add(ORDERS[order])
    return found


def _seen(db: Database, column: str, text: str, reader: str) -> _Seen:
    part = f"regexp_extract(cast({text} as varchar), '{_WRITTEN}', ['a', 'b', 'y'])"
    [(first, second, same, by_first, by_second, first_is_1, second_is_1, example)] = db.rows(
        f"""
        select
            coalesce(bool_or(a > 12), false), coalesce(bool_or(b > 12), false), coalesce(bool_and(a = b), true),
            count(distinct (a, y)), count(distinct (b, y)),
            coalesce(bool_and(a = 1), false), coalesce(bool_and(b = 1), false),
            coalesce(min(delivered) filter (where a <> b), min(delivered))
        from (
            select delivered, cast(p.a as integer) as a, cast(p.b as integer) as b, p.y as y
            from (select cast({text} as varchar) as delivered, {part} as p from {reader})
            where p.a <> ''
        )
        """
    )
    return _Seen(
        column=column,
        first_above_12=bool(first),
        second_above_12=bool(second),
        same_both_ways=bool(same),
        months=(int(by_first), int(by_second)),
        firsts=(bool(second_is_1), bool(first_is_1)),
        example=example,
    )
