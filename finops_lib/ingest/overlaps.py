"""Is the same bill delivered twice: by two sources, by two reports, or in two files of one delivery?

Adding such deliveries up would double the bill without breaking any promise of the contract, so each is looked for and
refused by name. Files of one manifest are parts of one delivery and are never compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

import duckdb

from ..contract import Contract, contract, literal, quoted
from ..lake import Delivery, Home, Unit
from .checking import Where, placement, plain
from .manifests import Manifest

SAMPLE = 100_000
"""Rows of a unit that are compared; of more, those whose hash divides evenly."""
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


def between_sources(db: duckdb.DuckDBPyConnection, home: Home, unit: Unit, now: Mapping[Unit, Delivery]) -> str | None:
    """Why the staged rows of a unit would count a bill twice that the lake holds from another source.

    A bill is one issuer's charges of one provider to one billing account in one month. Sources spell the three in their
    own ways: an account may be the last part of a path, a provider any of its companies.
    """
    if contract(unit.dataset).focus_dataset != "CostAndUsage":
        return None
    others = [
        other
        for other in sorted(now)
        if (other.dataset, other.month) == (unit.dataset, unit.month)
        and other.source != unit.source
        and not other.corrects
        and _alike(other.billing_account, unit.billing_account)
    ]
    if not others:
        return None
    arriving = _bills(db, f"staged where {_of(contract(unit.dataset), (unit.billing_account, unit.month))}")
    for other in others:
        file = literal(str(home.lake / other.file))
        shared = sorted(arriving & _bills(db, f"read_parquet({file}, hive_partitioning = false)"))
        if not shared:
            continue
        before = now[other]
        money = ", ".join(f"{c} {a}" for c, a in before.billed_total.items())
        return (
            f"{unit}: the lake holds this account and month from {other.source} ({before.rows_published} "
            f"row{'' if before.rows_published == 1 else 's'}, billed {money}), and both are charges of "
            f"{shared[0][1]} billed by {shared[0][0]}; together they would count them twice. Keep {other.source}, or "
            f"take it out with `finops withdraw {other.source} --account {other.billing_account} --month "
            f"{other.month}` and deliver this again."
        )
    return None


def _bills(db: duckdb.DuckDBPyConnection, source: str) -> set[tuple[str, str]]:
    """Issuer and provider of some charges, companies of one provider under its one name."""
    rows = db.sql(
        "select distinct coalesce(issuers.provider, lower(InvoiceIssuerName)), "
        "coalesce(providers.provider, lower(ServiceProviderName)) "
        f"from (select distinct InvoiceIssuerName, ServiceProviderName from {source}) "
        "left join focus_providers issuers on issuers.spelling = lower(trim(InvoiceIssuerName)) "
        "left join focus_providers providers on providers.spelling = lower(trim(ServiceProviderName))"
    ).fetchall()
    return {(str(issuer), str(provider)) for issuer, provider in rows}


def _alike(one: str, other: str) -> bool:
    parts, others = (account.lower().strip("/").split("/") for account in (one, other))
    return parts[-1] in others or others[-1] in parts


def between_reports(files: Sequence[str], manifests: Mapping[str, Manifest]) -> str | None:
    """Why files of two reports that one account exports of the same month cannot both count."""
    found = {manifests[name].describes: manifests[name] for name in sorted(files) if name in manifests}
    for one, other in combinations(found.values(), 2):
        if one.scope and one.scope == other.scope and one.kind == other.kind:
            return (
                f"{one.name} and {other.name} are two reports of the same account and month; together they would count "
                "it twice. Deliver the files of one of them."
            )
    return None


@dataclass(frozen=True, kw_only=True)
class _Pair:
    one: str
    other: str
    shared: int
    smaller: int


def between_files(
    db: duckdb.DuckDBPyConnection,
    own: Contract,
    counts: Mapping[Where, Mapping[str, int]],
    manifests: Mapping[str, Manifest],
) -> dict[Where, str]:
    """Units of `staged` of which most charges of one file stand in another, with the amount that would count twice."""
    if own.focus_dataset != "CostAndUsage":
        return {}
    found = {}
    for where, files in counts.items():
        told = {manifests.get(name) for name in files}
        if len(files) > 1 and (None in told or len(told) > 1):
            pairs = _pairs(db, own, where, sum(files.values()), manifests)
            if pairs:
                found[where] = _said(db, own, where, pairs)
    return found


def _pairs(
    db: duckdb.DuckDBPyConnection, own: Contract, where: Where, rows: int, manifests: Mapping[str, Manifest]
) -> list[_Pair]:
    step = max(1, rows // SAMPLE)
    # Two columns tell nearly always that files are different; only where they do not are all columns read.
    quick = "hash(ChargePeriodStart, BilledCost)"
    suspects = _compared(db, own, where, quick, f"{quick} % {step} = 0", manifests)
    if not suspects:
        return []
    listed = ", ".join(literal(name) for name in sorted({n for p in suspects for n in (p.one, p.other)}))
    return _compared(
        db, own, where, f"hash({_columns()})", f"{quick} % {step} = 0 and x_SourceFile in ({listed})", manifests
    )


def _compared(
    db: duckdb.DuckDBPyConnection, own: Contract, where: Where, key: str, chosen: str, manifests: Mapping[str, Manifest]
) -> list[_Pair]:
    """Pairs of files that share most of the smaller one, by what `key` says of a charge."""
    rows = db.sql(
        f"with charges as (select x_SourceFile as file, {key} as charge, count(*) as times from staged "
        f"where {_of(own, where)} and {PAID} and {chosen} group by all), "
        "sizes as (select file, sum(times) as size from charges group by file), "
        "pairs as (select one.file as one, other.file as other, sum(least(one.times, other.times)) as shared "
        "from charges one join charges other using (charge) where one.file < other.file group by all) "
        "select one, other, shared, least(a.size, b.size) from pairs join sizes a on a.file = one "
        "join sizes b on b.file = other order by shared desc, one, other"
    ).fetchall()
    pairs = [_Pair(one=str(o), other=str(t), shared=int(n), smaller=int(s)) for o, t, n, s in rows]
    return [
        p
        for p in pairs
        if (manifests.get(p.one) is None or manifests.get(p.one) != manifests.get(p.other))
        and (
            (p.shared >= ENOUGH and 2 * p.shared >= p.smaller)
            or (p.shared >= FEW and p.shared == p.smaller)
        )
    ]  # fmt: skip


def _said(db: duckdb.DuckDBPyConnection, own: Contract, where: Where, pairs: Sequence[_Pair]) -> str:
    listed = ", ".join(literal(name) for name in sorted({n for p in pairs for n in (p.one, p.other)}))
    rows = db.sql(
        f"with charges as (select x_SourceFile, {_columns()}, count(*) as times from staged where {_of(own, where)} "
        f"and {PAID} and x_SourceFile in ({listed}) group by all), "
        f"again as (select BillingCurrency, BilledCost, sum(times) - max(times) as times from charges "
        f"group by {_columns()}) "
        "select BillingCurrency, sum(times), sum(BilledCost * times) from again where times > 0 group by 1 order by 1"
    ).fetchall()
    money = ", ".join(f"{currency} {plain(Decimal(amount))}" for currency, _, amount in rows)
    count = sum(int(times) for _, times, _ in rows)
    first, more = pairs[0], len(pairs) - 1
    like = f" (and {more} more pair{'' if more == 1 else 's'} of files)" if more else ""
    return (
        f"{first.one} and {first.other} hold the same charges{like}: together they would count {count} charges twice, "
        f"billed {money}. They look like copies of one month, such as a month to date and the month; deliver the "
        "newest of them alone."
    )


def _of(own: Contract, where: Where) -> str:
    account, month = placement(own)
    return f"{account} = {literal(where[0])} and {month} = {literal(where[1])}"


def _columns() -> str:
    return ", ".join(quoted(c) for c in SAME)
