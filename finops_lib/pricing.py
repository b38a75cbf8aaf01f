"""The dated price book: what tokens cost at list price on the day they were used."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cache

import duckdb
import pyarrow as pa

PROVIDERS = {
    "OpenAI": "openai",
    "Anthropic": "anthropic",
    "Google Cloud": "google",
    "Microsoft": "azure",
    "AWS": "aws",
}
"""ServiceProviderName → genai-prices' id of who serves the model."""

KINDS = {
    "input_uncached_tokens": "input_mtok",
    "cache_read_tokens": "cache_read_mtok",
    "cache_write_5m_tokens": "cache_write_mtok",
    "cache_write_1h_tokens": "cache_write_1h_mtok",
    "output_tokens": "output_mtok",
}
"""Token column of ai_usage → genai-prices' price per million of it."""

TIER_FACTOR = {"batch": Decimal("0.5"), "flex": Decimal("0.5")}
"""Share of the standard price that OpenAI and Anthropic publish for a tier; other tiers than standard are unpriced."""


@cache
def price(vendor: str, model: str, day: date) -> dict[str, Decimal] | None:
    """List price in USD per million tokens of each kind on one day, standard tier, shortest context.

    Returns  None where the book does not know the model or who serves it. A kind the book prices no differently
             costs what uncached input costs; an hour's cache write without a price of its own is not in the result.
    Source   genai-prices (pydantic), whose data ships with the package; nothing is fetched.
    """
    from genai_prices import Usage, calc_price

    provider = PROVIDERS.get(vendor)
    if provider is None:
        return None
    try:
        found = calc_price(
            Usage(input_tokens=1, output_tokens=1),
            model,
            provider_id=provider,
            genai_request_timestamp=datetime.combine(day, time(12), tzinfo=UTC),
        ).model_price
    except LookupError:
        return None
    prices: dict[str, Decimal] = {}
    for kind, attribute in KINDS.items():
        value = getattr(found, attribute, None)
        value = getattr(value, "base", value)
        if value is None and kind in ("cache_read_tokens", "cache_write_5m_tokens"):
            value = prices.get("input_uncached_tokens")
        if value is not None:
            prices[kind] = Decimal(str(value))
    return prices or None


def priced(db: duckdb.DuckDBPyConnection, query: str) -> str:
    """Fill price_status, estimated_cost and its currency of an ai_usage query.

    A row is priced when every kind of token it has any of has a price; otherwise it is "unpriced" and its cost NULL.
    """
    rows = db.sql(
        "select distinct vendor, model, model_delivered, cast(usage_start as date), coalesce(service_tier, 'standard') "
        f"from ({query}) where model is not null"
    ).fetchall()
    book: dict[str, list[object]] = {
        "p_vendor": [], "p_model": [], "p_day": [], "p_tier": [], **{f"p_{k}": [] for k in KINDS}
    }  # fmt: skip
    for vendor, model, delivered, day, tier in rows:
        factor = Decimal(1) if tier == "standard" else TIER_FACTOR.get(tier)
        known = (price(vendor, delivered or model, day) or price(vendor, model, day)) if factor is not None else None
        if known is None or factor is None:
            continue
        for name, value in zip(
            ("p_vendor", "p_model", "p_day", "p_tier"), (vendor, delivered or model, day, tier), strict=True
        ):
            book[name].append(value)
        for kind in KINDS:
            # Per single token, so that SQL only multiplies: DuckDB divides decimals as doubles.
            book[f"p_{kind}"].append(known[kind] * factor / 1_000_000 if kind in known else None)
    money = pa.decimal128(20, 18)
    db.register(
        "price_book",
        pa.table(
            {
                **{n: pa.array(book[n], pa.string()) for n in ("p_vendor", "p_model", "p_tier")},
                "p_day": pa.array(book["p_day"], pa.date32()),
                **{f"p_{k}": pa.array(book[f"p_{k}"], money) for k in KINDS},
            }
        ),
    )
    cost = " + ".join(f"case when {k} = 0 then 0 else cast({k} as decimal(18, 0)) * p_{k} end" for k in KINDS)
    total = f"cast({cost} as decimal(38, 18))"
    return (
        f"select u.* replace (case when {total} is null then 'unpriced' else 'priced' end as price_status, "
        f"{total} as estimated_cost, case when {total} is not null then 'USD' end as estimated_cost_currency) "
        f"from ({query}) u left join price_book on p_vendor = vendor and p_model = coalesce(model_delivered, model) "
        "and p_day = cast(usage_start as date) and p_tier = coalesce(service_tier, 'standard')"
    )
