"""What arrives beside what is there: copies among the files, and questions about the lake's own rows.

Adding up two deliveries of one bill would double it without breaking any promise of the contract, so each is looked
for. Files of one manifest are one delivery together and are never compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ...contract import Contract, literal, quoted
from ...money import listed
from ..adapters import Adapter
from ..collect.manifests import Manifest
from ..facts import AccountMonth, Closing, Differences, Earlier, in_rows
from .checking import of, origin, placement
from .database import Database, Relation

SAMPLE = 100_000
"""Rows of an account-month that are compared; of more, those whose hash divides evenly."""
ENOUGH = 10
"""Equal charges that make two files suspicious, where they are at least half of the smaller one."""
FEW = 3
"""Charges of a smaller file, all of which must stand in the other."""
SAME = (
    "SubAccountId", "ServiceName", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
    "ChargePeriodStart", "ChargePeriodEnd", "ConsumedQuantity", "ConsumedUnit", "PricingQuantity", "PricingUnit",
    "RegionId", "AvailabilityZone", "ResourceId", "SkuId", "SkuMeter", "SkuPriceId", "CommitmentDiscountId", "Tags",
    "BilledCost", "EffectiveCost", "ContractedCost", "ListCost", "BillingCurrency", "x_Model", "x_TokenKind",
    "x_ServiceTier", "x_ApiKeyId",
)  # fmt: skip
"""Columns by which two charges are the same; an invoice's number, which comes later than its charges, is none."""
PAID = "(BilledCost <> 0 or EffectiveCost <> 0)"
ORIGIN = ("x_SourceFile", "x_SourceRow", "x_SourcePart", "x_Repairs")
"""Columns of a charge that its correction has anew."""


@dataclass(frozen=True, kw_only=True)
class _Pair:
    one: str
    other: str
    shared: int
    smaller: int


def copies(
    db: Database,
    own: Contract,
    staged: Relation,
    read: Mapping[AccountMonth, Mapping[str, int]],
    manifests: Mapping[str, Manifest],
) -> dict[AccountMonth, str]:
    """Account-months of which most charges of one file stand in another, with the amount that would count twice."""
    if own.focus_dataset != "CostAndUsage":
        return {}
    found = {}
    for where, files in sorted(read.items(), key=lambda item: item[0].order):
        told = {manifests.get(name) for name in files}
        if len(files) > 1 and (None in told or len(told) > 1):
            rows = f"{staged} where {of(own, where)} and {PAID}"
            if pairs := _pairs(db, rows, sum(files.values()), manifests):
                found[where] = _said(db, rows, pairs)
    return found


def _pairs(db: Database, rows: str, count: int, manifests: Mapping[str, Manifest]) -> list[_Pair]:
    step = max(1, count // SAMPLE)
    # Two columns tell nearly always that files are different; only where they do not are all columns read.
    quick = "hash(ChargePeriodStart, BilledCost)"
    sampled = f"{rows} and {quick} % {step} = 0"
    suspects = _compared(db, sampled, quick, manifests)
    if not suspects:
        return []
    return _compared(db, f"{sampled} and {_from(suspects)}", f"hash({_columns()})", manifests)


def _compared(db: Database, rows: str, key: str, manifests: Mapping[str, Manifest]) -> list[_Pair]:
    """Pairs of files that share most of the smaller one, by what `key` says of a charge."""
    pairs = db.rows(
        f"with charges as (select x_SourceFile as file, {key} as charge, count(*) as times from {rows} group by all), "
        "sizes as (select file, sum(times) as size from charges group by file), "
        "pairs as (select one.file as one, other.file as other, sum(least(one.times, other.times)) as shared "
        "from charges one join charges other using (charge) where one.file < other.file group by all) "
        "select one, other, shared, least(a.size, b.size) from pairs join sizes a on a.file = one "
        "join sizes b on b.file = other order by shared desc, one, other"
    )
    return [
        _Pair(one=str(one), other=str(other), shared=int(shared), smaller=int(smaller))
        for one, other, shared, smaller in pairs
        if manifests.get(one) is None or manifests.get(one) != manifests.get(other)
        if (shared >= ENOUGH and 2 * shared >= smaller) or (shared >= FEW and shared == smaller)
    ]


def _said(db: Database, rows: str, pairs: Sequence[_Pair]) -> str:
    doubled = db.rows(
        f"with charges as (select x_SourceFile, {_columns()}, count(*) as times from {rows} and {_from(pairs)} "
        "group by all), again as (select BillingCurrency, BilledCost, sum(times) - max(times) as times from charges "
        f"group by {_columns()}) "
        "select BillingCurrency, sum(times), sum(BilledCost * times) from again where times > 0 group by 1 order by 1"
    )
    money = listed({currency: amount for currency, _, amount in doubled})
    count = sum(int(times) for _, times, _ in doubled)
    first, more = pairs[0], len(pairs) - 1
    like = f" (and {more} more pair{'' if more == 1 else 's'} of files)" if more else ""
    return (
        f"{first.one} and {first.other} hold the same charges{like}: together they would count {count} charges twice, "
        f"billed {money}. They look like copies of one month, such as a month to date and the month; deliver the "
        "newest of them alone."
    )


def repeated(db: Database, own: Contract, staged: Relation) -> dict[AccountMonth, str]:
    """Account-months of an export without line ids of which charges stand there twice, and what they come to."""
    if own.focus_dataset != "CostAndUsage":
        return {}
    [(count,)] = db.rows(f"select count(*) from {staged}")
    step = max(1, count // SAMPLE)
    account, month = placement(own)
    found: dict[AccountMonth, tuple[int, dict[str, Any]]] = {}
    sampled = f"{staged} where {PAID} and hash(ChargePeriodStart, BilledCost) % {step} = 0"
    for a, m, c, times, billed in db.rows(
        "select account, month, BillingCurrency, sum(times - 1), sum(BilledCost * (times - 1)) from ("
        f"select {account} as account, {month} as month, {_columns()}, count(*) as times from {sampled} "
        "group by all having count(*) > 1) group by all order by 3"
    ):
        where = AccountMonth(a, m)
        rows, money = found.get(where, (0, {}))
        found[where] = rows + int(times) * step, {**money, str(c): billed * step}
    about = "about " if step > 1 else ""
    return {
        where: f"{about}{in_rows(rows)} equal to another, billed {about}{listed(money)}: no line id tells whether twice"
        for where, (rows, money) in found.items()
    }


def _from(pairs: Sequence[_Pair]) -> str:
    return (
        f"x_SourceFile in ({', '.join(literal(name) for name in sorted({n for p in pairs for n in (p.one, p.other)}))})"
    )


def _columns() -> str:
    return ", ".join(quoted(c) for c in SAME)


def bills(db: Database, charges: str) -> set[tuple[str, str]]:
    """Issuer and provider of some charges, companies of one provider under its one name."""
    rows = db.rows(
        "select distinct coalesce(issuers.provider, lower(InvoiceIssuerName)), "
        "coalesce(providers.provider, lower(ServiceProviderName)) "
        f"from (select distinct InvoiceIssuerName, ServiceProviderName from {charges}) "
        "left join focus_providers issuers on issuers.spelling = lower(trim(InvoiceIssuerName)) "
        "left join focus_providers providers on providers.spelling = lower(trim(ServiceProviderName))"
    )
    return {(str(issuer), str(provider)) for issuer, provider in rows}


def is_of_another_adapter(db: Database, adapter: Adapter, file: Path) -> bool:
    """Whether a file of the lake came by another adapter than this one."""
    other = f"select 1 from {held_in([file])} where x_Adapter <> {literal(adapter.name)} limit 1"
    return bool(db.rows(other))


def held_in(files: Sequence[Path]) -> str:
    """FROM clause over files of the lake."""
    listed_files = ", ".join(literal(str(f)) for f in files)
    return f"read_parquet([{listed_files}], hive_partitioning = false, union_by_name = true)"


def _held(own: Contract, files: Sequence[Path]) -> str:
    """A SELECT of what the lake holds in some files; what came before the contract had a column has nothing in it."""
    there = [f for f in files if f.exists()]
    return f"select * from {held_in(there)} union all by name {own.empty()}" if there else own.empty()


def earlier(db: Database, own: Contract, bucket: str, arrived: str, files: Sequence[Path]) -> Earlier:
    """The held rows that a delivery of some buckets leaves in place."""
    query = _what_stays(own, bucket, arrived, _held(own, files))
    file, _ = origin(own)
    names = frozenset(str(name) for (name,) in db.rows(f"select distinct {file} from ({query})"))
    rows, costs = _summed(db, own, query)
    return Earlier(query=query, rows=rows, files=names, costs=costs)


def _what_stays(own: Contract, bucket: str, arrived: str, held: str) -> str:
    """A SELECT of the held rows that are of no bucket of what arrived.

    A request without an id stays; a charge without a bucket belongs to a delivery of the whole month, which replaces
    every charge and is replaced by any delivery.
    """
    delivered = f"select {bucket} from ({arrived})"
    if own.focus_dataset:
        return f"select * from ({held}) where {bucket} not in ({delivered})"
    other = f"{bucket} is null or {bucket} not in ({delivered} where {bucket} is not null)"
    return f"select * from ({held}) where {other}"


def differences(
    db: Database, own: Contract, closing: Closing, bucket: str | None, arrived: str, lake: Path, target: Path
) -> Differences:
    """What a delivery changes of a closed month, written to `target`.

    Returns  corrections that add up to new minus held, exactly, in every cost and quantity; charges that differ in
             anything else, such as a unit price, are taken back and charged anew.
    """
    new = arrived
    if bucket:
        held = _held(own, [lake / f for f in closing.held])
        new = f"{arrived} union all by name {_what_stays(own, bucket, arrived, held)}"
    history = _held(own, [lake / f for f in closing.history])
    db.write(_new_minus_held(own, closing, new, history), target)
    query = f"select * from read_parquet({literal(str(target))})"
    rows, costs = _summed(db, own, query)
    return Differences(query=query, rows=rows, costs=costs)


def _new_minus_held(own: Contract, closing: Closing, new: str, history: str) -> str:
    """A SELECT of new minus history, grouped by all that tells charges apart.

    Unit prices tell them apart too: a correction whose price is not the price of its quantity would be none of FOCUS.
    """
    first = date.fromisoformat(f"{closing.open_month}-01")
    last = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    fixed = {
        "ChargeClass": "'Correction'",
        "BillingPeriodStart": f"timestamptz '{first} 00:00:00+00'",
        "BillingPeriodEnd": f"timestamptz '{last} 00:00:00+00'",
    }
    amounts = [c.name for c in own.columns if c.type == "decimal" and not c.name.endswith("UnitPrice")]
    keys = [c.name for c in own.columns if c.name not in (*amounts, *fixed, *ORIGIN)]
    made = {
        **fixed,
        "x_SourceFile": literal(f"corrections of {closing.month} in {closing.open_month}, account {closing.account}"),
        "x_SourceRow": "row_number() over (order by ChargePeriodStart, ServiceName, SkuPriceId, BilledCost)",
        "x_SourcePart": "1",
        "x_Repairs": "null",
    }
    sums = ", ".join(f"sum({quoted(a)}) as {quoted(a)}" for a in amounts)
    differing = " or ".join(f"coalesce(sum({quoted(a)}), 0) <> 0" for a in amounts)
    columns = ", ".join(
        f"cast({made[c.name]} as {c.sql_type}) as {quoted(c.name)}" if c.name in made else quoted(c.name)
        for c in own.columns
    )
    told = ", ".join(map(quoted, keys))
    plus = ", ".join(map(quoted, amounts))
    minus = ", ".join(f"-{quoted(a)} as {quoted(a)}" for a in amounts)
    return (
        f"select {columns} from (select {told}, {sums} from (select {told}, {plus} from ({new}) union all by name "
        f"select {told}, {minus} from ({history})) group by {told} having {differing})"
    )


def _summed(db: Database, own: Contract, query: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Rows and exact costs by currency of a query over a contract's columns."""
    costs = [c for c in ("BilledCost", "EffectiveCost") if c in own.names]
    currency = "BillingCurrency" if "BillingCurrency" in own.names else "null"
    sums = "".join(f", sum({c})" for c in costs)
    found: dict[str, dict[str, Any]] = {c: {} for c in costs}
    count = 0
    for c, rows, *amounts in db.rows(f"select {currency}, count(*){sums} from ({query}) group by 1 order by 1"):
        count += int(rows)
        for cost, amount in zip(costs, amounts, strict=True):
            if amount is not None:
                found[cost][str(c)] = amount
    return count, found
