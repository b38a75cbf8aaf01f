"""What every vendor module needs: the calendar, how use grows, token arithmetic, and the record of truth."""

from __future__ import annotations

import gzip
import hashlib
import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from . import company as co

if TYPE_CHECKING:
    import numpy as np

ZERO = Decimal(0)
_FIRST_MONTH = date(2025, 5, 1)
_LAST_MONTH = date(2026, 10, 1)
_WEEKDAY = (1.02, 1.06, 1.05, 1.02, 0.92)
_DAYS_PER_MONTH = 30.4375


class Month(NamedTuple):
    """A month of the export; the last one is still open."""

    first: date

    @property
    def text(self) -> str:
        return f"{self.first:%Y-%m}"

    @property
    def next(self) -> date:
        return self.first + timedelta(days=monthrange(self.first.year, self.first.month)[1])

    @property
    def end(self) -> date:
        """First day that is not in the export."""
        return min(self.next, co.LAST_DAY + timedelta(days=1))

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.end - self.first).days)]

    @property
    def is_open(self) -> bool:
        return self.end < self.next


class Run(NamedTuple):
    """One writing of the samples: where to, how much, by which seed, and what became true on the way."""

    out: Path
    months: tuple[Month, ...]
    scale: int
    seed: int
    truth: Truth

    def rng(self, name: str, month: Month) -> np.random.Generator:
        """A source of noise that depends on nothing but seed, name and month."""
        import numpy as np

        return np.random.default_rng([self.seed, int(digest(name)[:8], 16), month.first.year, month.first.month])


def months_back(count: int) -> tuple[Month, ...]:
    """The last `count` months up to the open one, oldest first."""
    last = _LAST_MONTH.year * 12 + _LAST_MONTH.month - 1
    return tuple(Month(date(n // 12, n % 12 + 1, 1)) for n in range(last - count + 1, last + 1))


def load(day: date, growth: float, weekend: float) -> float:
    """Use on a day relative to a working day of October 2026."""
    months = (day - _LAST_MONTH).days / _DAYS_PER_MONTH
    return float((1 + growth) ** months) * (_WEEKDAY[day.weekday()] if day.weekday() < 5 else weekend)


def count_between(first: int, last: int, day: date, since: date, until: date) -> int:
    """Machines on a day, growing evenly from the first to the last day of a fleet."""
    start, end = max(since, _FIRST_MONTH), min(until, co.LAST_DAY)
    share = min(max((day - start).days / max((end - start).days, 1), 0), 1)
    return round(first + (last - first) * share)


def noise(rng: np.random.Generator, sigma: float = 0.06) -> float:
    """A factor around 1."""
    return float(rng.lognormal(-sigma * sigma / 2, sigma))


def exact(value: float, digits: int) -> Decimal:
    """A quantity with so many digits after the point."""
    return Decimal(round(value * 10**digits)).scaleb(-digits)


def digest(*parts: object) -> str:
    """Hexadecimal digits that stand for the parts: ids without chance."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


def invoice_number(vendor: str, month: str) -> str:
    """Number of the invoice that a vendor writes for a month."""
    return str(int(digest(vendor.lower(), month)[:8], 16))


def uuid(*parts: object) -> str:
    """An id in the form of a UUID."""
    d = digest(*parts)
    return f"{d[:8]}-{d[8:12]}-4{d[13:16]}-a{d[17:20]}-{d[20:32]}"


def clones(name: str, scale: int) -> list[str]:
    """The resources that stand in for one at this scale; the first keeps its plain name."""
    return [name, *(f"{name}-{n}" for n in range(2, scale + 1))]


def prices(vendor: str, model: str, day: date) -> co.Price:
    """The price list of a model on a day."""
    return max(
        (p for p in co.PRICES if (p.vendor, p.model) == (vendor, model) and p.since <= day), key=lambda p: p.since
    )


def token_counts(use: co.Tokens, day: date, rng: np.random.Generator) -> tuple[dict[str, int], int]:
    """Tokens of each kind, disjoint, and the requests that carried them."""
    factor = load(day, use.growth, use.weekend) * noise(rng)
    if use.key == co.RUNAWAY.api_key_id and co.RUNAWAY.first_day <= day <= co.RUNAWAY.last_day:
        factor *= co.RUNAWAY.factor
    total = int(use.millions * 1_000_000 * factor)
    read, written = int(total * use.cached * noise(rng, 0.03)), int(total * use.written * noise(rng, 0.03))
    counts = {
        "input_uncached": max(total - read - written, 0),
        "cache_read": read,
        "cache_write_5m": written,
        "output": int(total * use.output * noise(rng, 0.04)),
    }
    return counts, max(total // use.request_tokens, 1)


def uses(vendor: str, month: Month) -> list[co.Tokens]:
    """Token uses of a vendor that are alive in a month."""
    return [u for u in co.TOKENS if u.vendor == vendor and u.since < month.end and u.until > month.first]


def machines(run: Run, vendor: str, day: date) -> Iterator[tuple[co.Fleet, str, Decimal]]:
    """Each machine that runs on a day, with its id and hours. No chance in it: bill and telemetry agree."""
    for fleet in co.FLEETS:
        if fleet.vendor != vendor or not fleet.since <= day < fleet.until:
            continue
        count = count_between(fleet.first, fleet.last, day, fleet.since, fleet.until)
        hours = Decimal(24) if day.weekday() < 5 else exact(24 * fleet.weekend, 2)
        for n in range(count * run.scale):
            yield fleet, f"i-0{digest(fleet.name, n)[:16]}" if vendor == co.AWS else f"{fleet.name}-{n + 1}", hours


def tags(use_case: str, environment: str, fault: str | None) -> dict[str, str]:
    """Tags as somebody typed them."""
    owner = co.USE_CASES[use_case]
    right = {"team": owner.team, "product": owner.product, "use_case": use_case, "env": environment}
    if environment == "experiment":
        right["experiment"] = use_case
    if fault is None:
        return right
    wrong = co.FAULTS[fault]
    others = {k: v for k, v in right.items() if k != "team"} if wrong.others else {}
    return {wrong.key: wrong.value or owner.team, **others} if wrong.key else others


def resolved_team(use_case: str, fault: str | None, place: str | None) -> str:
    """The team that the plan's tag rules arrive at; a misspelt name that no rule repairs is a team of its own."""
    wrong = co.FAULTS[fault] if fault else None
    if wrong is None or wrong.repaired:
        return co.USE_CASES[use_case].team
    return wrong.value.lower() if wrong.value else team_of_place(place)


def team_of_place(place: str | None) -> str:
    """The team that has a sub account to itself."""
    known = co.PLACES.get(place) if place else None
    return known.team if known and known.team else co.UNALLOCATED


class Truth:
    """What was planted, and every total a test may ask for."""

    def __init__(self) -> None:
        self.totals: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        self.teams: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        self.faults: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.commitments: dict[tuple[str, str], dict[str, Decimal]] = {}
        self.events: dict[str, Any] = defaultdict(list)
        self.keys: dict[tuple[str, date], Decimal] = defaultdict(lambda: ZERO)
        """Cost of each API key and day."""
        self.files: list[Path] = []

    def charge(
        self,
        vendor: str,
        month: Month,
        team: str,
        billed: Decimal,
        effective: Decimal | None = None,
        *,
        fault: str | None = None,
        workload: str = "",
        resource: str = "",
    ) -> None:
        """Remember one charge under its vendor, month and team, and under what is wrong with its tags."""
        effective = billed if effective is None else effective
        total = self.totals[vendor, month.text]
        total[0] += billed
        total[1] += effective
        of_team = self.teams[vendor, month.text, team]
        of_team[0] += billed
        of_team[1] += effective
        if fault:
            nothing = {"resources": set(), "effective": ZERO, "team": team}
            known = self.faults.setdefault((vendor, workload, fault), nothing)
            known["resources"].add(resource)
            known["effective"] += effective

    def commitment(self, which: co.Commitment, month: Month, *, purchased: Decimal, used: Decimal) -> None:
        """Remember what a month of a commitment cost and how much of it was used."""
        self.commitments[which.commitment_id, month.text] = {
            "purchased": purchased, "used": used, "unused": purchased - used,
        }  # fmt: skip

    def written(self, file: Path) -> Path:
        """Remember a file, and make sure its folder is there."""
        file.parent.mkdir(parents=True, exist_ok=True)
        self.files.append(file)
        return file


def write_gzip(file: Path, text: str) -> None:
    """A gzip file whose bytes do not depend on the clock."""
    with file.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.write(text.encode())


def write_json(file: Path, content: object, indent: int | None = None) -> None:
    """JSON with exact numbers; Decimals are written with the digits they have."""
    file.write_text(json.dumps(content, indent=indent, default=_plain, ensure_ascii=False) + "\n", encoding="utf-8")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))


def number(value: Decimal) -> float | int:
    """A JSON number that reads back as exactly this decimal."""
    whole = int(value)
    if whole == value:
        return whole
    short = float(value)
    if Decimal(repr(short)) != value:
        raise ValueError(f"{value} has more digits than a JSON number keeps.")
    return short


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Exact sum."""
    return sum(amounts, ZERO)
