"""What the rooms hand over to each other: facts about a delivery, frozen, without a connection behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from ..lake import TIMELESS as TIMELESS
from ..money import EXACT, Money
from .adapters import Adapter
from .collect.manifests import Manifest

COMPANIONS = "_parts"
"""Folder of the lake for exports that are stored as delivered, because several make one set of charges together."""


class AccountMonth(NamedTuple):
    """What a delivery replaces of its source: one billing account's month. None where rows tell none."""

    account: str | None
    month: str | None

    @property
    def order(self) -> tuple[bool, str, bool, str]:
        return self.account is None, self.account or "", self.month is None, self.month or ""


Costs = Mapping[str, Mapping[AccountMonth, Money | None]]
"""What was delivered of each cost column, by account-month and currency; None where some rows do not state it."""


@dataclass(frozen=True, kw_only=True)
class Total:
    """What is staged of one account-month."""

    rows: int = 0
    added: int = 0
    """Second and later charges of a source row."""
    costs: Mapping[str, Money] = field(default_factory=dict)
    """By column."""

    @property
    def billed(self) -> Money:
        return self.costs.get("BilledCost", {})

    @property
    def effective(self) -> Money:
        return self.costs.get("EffectiveCost", {})


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """What was rejected of one account-month."""

    rows: int = 0
    billed: Money = field(default_factory=dict)
    """Of the rows whose amount can be read."""
    unreadable: int = 0
    """Rows whose amount or currency cannot be read."""

    def __add__(self, other: Rejected) -> Rejected:
        billed = dict(self.billed)
        for currency, amount in other.billed.items():
            billed[currency] = EXACT.add(billed.get(currency, Decimal(0)), amount)
        return Rejected(rows=self.rows + other.rows, billed=billed, unreadable=self.unreadable + other.unreadable)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a call of `ingest` was told that matters wherever its batches are."""

    workdir: Path
    began: str
    """When the call began, which names its deliveries too: the same files may come again."""
    account: str | None
    accept_rejects: bool
    accept_shrink: bool
    progress: Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A batch in the columns of its contract, and all that is known of it before the lake is asked."""

    adapter: Adapter
    dataset: str
    source: str
    """Source under which it lies in the lake."""
    delivery_id: str
    delivered_at: str
    file: Path
    """The Parquet file that was checked; not there where nothing could be read."""
    entries: Mapping[str, Sequence[dict[str, Any]]] = field(default_factory=dict)
    """Ledger entries by file name: two exports may well call a file the same."""
    read: Mapping[AccountMonth, Mapping[str, int]] = field(default_factory=dict)
    """Source rows by file."""
    delivered: Costs = field(default_factory=dict)
    totals: Mapping[AccountMonth, Total] = field(default_factory=dict)
    offences: Mapping[AccountMonth, Sequence[str]] = field(default_factory=dict)
    """Broken promises of the contract."""
    copies: Mapping[AccountMonth, str] = field(default_factory=dict)
    """Why two files of it look like copies of one month."""
    rejected: Mapping[AccountMonth, Rejected] = field(default_factory=dict)
    repaired: Mapping[AccountMonth, str] = field(default_factory=dict)
    """What the adapter repaired."""
    repeated: Mapping[AccountMonth, str] = field(default_factory=dict)
    """Rows that came more than once, and whether they count."""
    refused: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Why files, by name, keep the account-months they are of out of the lake."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """Version of its format that a file tells, by the file's name."""
    manifests: Mapping[str, Manifest] = field(default_factory=dict)
    """The manifest that names a file, by the file's name."""
    notes: Sequence[str] = ()
    """What the ledger says of every account-month."""
    passed_over: Sequence[str] = ()
    """What files hold that the export's adapter does not read."""

    @property
    def is_companion(self) -> bool:
        """Whether it is stored as delivered."""
        return self.dataset == COMPANIONS

    @property
    def account_months(self) -> list[AccountMonth]:
        return sorted({*self.totals, *self.read, *self.rejected}, key=lambda where: where.order)


@dataclass(frozen=True, kw_only=True)
class Closing:
    """How a delivery to a closed month is compared with what the lake holds of that month."""

    month: str
    """The closed month."""
    open_month: str
    """Where its corrections go."""
    account: str
    history: Sequence[Path]
    """The closed month and its corrections, without those that are replaced."""
    held: Sequence[Path]
    """The closed month and all of its corrections."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What only rows of the lake tell of an account-month that arrives; files are named below the lake."""

    better: Path | None = None
    """Where a better export of the same charges may be."""
    rivals: Sequence[Path] = ()
    """Where other sources may hold the same bill."""
    earlier: Path | None = None
    """Where earlier rows are, of which a delivery of some buckets leaves the others in place."""
    closing: Closing | None = None


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """Rows that the lake holds and a delivery leaves in place."""

    query: str
    rows: int
    files: frozenset[str]
    """Names of the files they came in."""
    costs: Mapping[str, Money]


@dataclass(frozen=True, kw_only=True)
class Differences:
    """What a delivery changes of a closed month, as corrections."""

    query: str
    rows: int
    costs: Mapping[str, Money]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the rows of the lake told."""

    is_there_better: bool = False
    shared: Mapping[Path, tuple[str, str]] = field(default_factory=dict)
    """Rivals that hold charges of an issuer and a provider that arrive too."""
    earlier: Earlier | None = None
    differences: Differences | None = None


def in_rows(count: int) -> str:
    return f"{count} row{'' if count == 1 else 's'}"
