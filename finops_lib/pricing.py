"""The dated price book: what tokens cost at list price on the day they were used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

PROVIDERS = {
    "OpenAI": "openai",
    "Anthropic": "anthropic",
    "Google Cloud": "google",
    "Microsoft": "azure",
    "AWS": "aws",
    "Mistral AI": "mistral",
    "xAI": "x-ai",
    "Fireworks AI": "fireworks",
    "Moonshot AI": "moonshotai",
    "Z.ai": "zai",
}
"""ServiceProviderName → genai-prices' id of who serves the model, where that is not the name in lower case."""

KINDS = {
    "input_uncached_tokens": ("input_mtok",),
    "cache_read_tokens": ("cache_read_mtok", "input_mtok"),
    "cache_write_5m_tokens": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "cache_write_1h_tokens": ("cache_write_1h_mtok",),
    "output_tokens": ("output_mtok",),
}
"""Token column of ai_usage → genai-prices' price per million of it, and what stands in where the book has none: a kind
that is priced no differently costs what the next one costs. An hour's cache write costs more wherever it is sold."""

PARTS = {
    "input_audio_tokens": ("input_uncached_tokens", "input_audio_mtok"),
    "input_image_tokens": ("input_uncached_tokens", "input_image_mtok"),
    "cache_read_audio_tokens": ("cache_read_tokens", "cache_audio_read_mtok"),
    "cache_read_image_tokens": ("cache_read_tokens", "cache_image_read_mtok"),
    "output_audio_tokens": ("output_tokens", "output_audio_mtok"),
    "output_image_tokens": ("output_tokens", "output_image_mtok"),
}
"""Column of a part → the column it is part of, and its own price. Without one it costs what the whole costs."""

CONTEXTS = {
    "standard": {},
    "batch": {"processing": "batch"},
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
}
"""Service tier → what genai-prices calls it."""

HALF_PRICE = {("OpenAI", "batch"), ("OpenAI", "flex"), ("Anthropic", "batch")}
"""Tiers published at half the standard price, for days of which the book has no price of the tier."""


_DIGITS = Decimal(1).scaleb(-18)
"""A token's price keeps 18 decimals; a few prices of the book, such as a third of a cent, have no end."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Prices of one model from one length of input on."""

    above: int
    """Input tokens of one request that must be exceeded; -1 for the first step."""
    prices: dict[str, Decimal]
    """USD per million tokens, by column of KINDS and PARTS."""


@cache
def price(vendor: str, model: str, day: date, tier: str = "standard") -> tuple[Step, ...]:
    """List prices of a model on one day, by length of input.

    Returns  the steps, shortest input first; none where the book does not know the model, who serves it, or the tier.
             A column is not in a step whose price the book does not tell.
    Source   genai-prices (pydantic), whose data ships with the package; nothing is fetched.
    """
    from genai_prices.data_snapshot import get_snapshot

    context = CONTEXTS.get(tier)
    if context is None:
        return ()
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    try:
        _, found = get_snapshot().find_provider_model(model, None, PROVIDERS.get(vendor, vendor.lower()), None)
    except LookupError:
        return ()
    factor = Decimal(1)
    has_tier = any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(noon))
        for variant in found.price_variants or ()
    )
    if context and not has_tier:
        if (vendor, tier) not in HALF_PRICE:
            return ()
        factor = Decimal("0.5")
    listed = found.get_prices(noon, context)
    names = {name for chain in KINDS.values() for name in chain} | {name for _, name in PARTS.values()}
    tiered = {name: getattr(listed, name) for name in names}
    starts = sorted({t.start for value in tiered.values() for t in getattr(value, "tiers", ())})
    steps = [Step(above=above, prices=_at(tiered, above, factor)) for above in (-1, *starts)]
    return tuple(steps) if any(step.prices for step in steps) else ()


def _at(tiered: dict[str, Any], above: int, factor: Decimal) -> dict[str, Decimal]:
    """Prices by column for inputs of more than `above` tokens."""

    def one(name: str) -> Decimal | None:
        value = tiered[name]
        reached = [t.price for t in getattr(value, "tiers", ()) if t.start <= above]
        value = reached[-1] if reached else getattr(value, "base", value)
        return None if value is None else Decimal(value) * factor

    prices: dict[str, Decimal] = {}
    for column, chain in KINDS.items():
        value = next((v for v in map(one, chain) if v is not None), None)
        if value is not None:
            prices[column] = value
    for column, (whole, name) in PARTS.items():
        value = one(name)
        if value is None:
            value = prices.get(whole)
        if value is not None:
            prices[column] = value
    return prices


def priced(db: duckdb.DuckDBPyConnection, query: str) -> str:
    """Fill price_status, estimated_cost and its currency of an ai_usage query.

    A row is priced when every kind of token it has any of has a price; otherwise it is "unpriced" and its cost NULL.
    Where long inputs cost more, one request is priced by its own input, and a bucket of requests by the class of
    context that its source tells; without one it is priced as short requests.
    """
    rows = db.sql(
        "select distinct vendor, model, model_delivered, cast(usage_start as date), coalesce(service_tier, 'standard') "
        f"from ({query}) where model is not null and usage_start is not null"
    ).fetchall()
    columns = (*KINDS, *PARTS)
    keys = ("p_vendor", "p_model", "p_day", "p_tier", "p_above", "p_upto")
    book: dict[str, list[object]] = {name: [] for name in (*keys, *(f"p_{c}" for c in columns))}
    for vendor, model, delivered, day, tier in rows:
        steps = price(vendor, delivered or model, day, tier) or price(vendor, model, day, tier)
        for i, step in enumerate(steps):
            book["p_vendor"].append(vendor)
            book["p_model"].append(delivered or model)
            book["p_day"].append(day)
            book["p_tier"].append(tier)
            book["p_above"].append(step.above)
            book["p_upto"].append(steps[i + 1].above if i + 1 < len(steps) else None)
            for column in columns:
                # Per single token, so that SQL only multiplies: DuckDB divides decimals as doubles.
                each = step.prices[column].scaleb(-6).quantize(_DIGITS) if column in step.prices else None
                book[f"p_{column}"].append(each)
    money = pa.decimal128(20, 18)
    db.register(
        "price_book",
        pa.table(
            {
                **{n: pa.array(book[n], pa.string()) for n in ("p_vendor", "p_model", "p_tier")},
                "p_day": pa.array(book["p_day"], pa.date32()),
                **{n: pa.array(book[n], pa.int64()) for n in ("p_above", "p_upto")},
                **{f"p_{c}": pa.array(book[f"p_{c}"], money) for c in columns},
            }
        ),
    )
    total = f"cast({' + '.join(_cost(kind) for kind in KINDS)} as decimal(38, 18))"
    reach = (
        "case when request_id is not null then coalesce(total_tokens - output_tokens, 0) "
        "else coalesce(1000 * try_cast(regexp_extract(context_window, '^([0-9]+)k-', 1) as bigint) + 1, 0) end"
    )
    return (
        f"select u.* replace (case when {total} is null then 'unpriced' else 'priced' end as price_status, "
        f"{total} as estimated_cost, case when {total} is not null then 'USD' end as estimated_cost_currency) "
        f"from ({query}) u left join price_book on p_vendor = vendor and p_model = coalesce(model_delivered, model) "
        "and p_day = cast(usage_start as date) and p_tier = coalesce(service_tier, 'standard') "
        f"and {reach} > p_above and ({reach} <= p_upto or p_upto is null)"
    )


def _cost(kind: str) -> str:
    """SQL of what one kind of token costs, its parts at their own prices; NULL where it has tokens and no price."""
    parts = [part for part, (whole, _) in PARTS.items() if whole == kind]
    rest = " - ".join([kind, *(f"coalesce({part}, 0)" for part in parts)])
    counted = [(f"({rest})", kind), *((f"coalesce({part}, 0)", part) for part in parts)]
    costs = " + ".join(
        f"case when {count} = 0 then 0 else cast({count} as decimal(18, 0)) * p_{column} end"
        for count, column in counted
    )
    return f"({costs})"
