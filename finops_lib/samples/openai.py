"""OpenAI: pages of the costs and of the usage endpoints, one file per month and kind."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from . import company as co
from .base import Month, Run, clones, load, noise, number, prices, resolved_team, token_counts, uses, write_json

_LINE_ITEMS = {"input_uncached": "input", "cache_read": "cached input", "output": "output"}
_IMAGES = ("proj_marketing", "key_marketing_images", 420, Decimal("0.04"))
"""Project, key, images a day and price of an image."""
_IMAGES_USE_CASE = "campaign-copy"


def write(run: Run) -> None:
    """Write costs, completions and embeddings of every month; the first is the second and third times the price."""
    for month in run.months:
        costs, completions, embeddings = [], [], []
        rng = run.rng("openai", month)
        for day in month.days:
            cost_rows: list[dict[str, Any]] = []
            usage_rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
            for use in uses(co.OPENAI, month):
                if use.since <= day < use.until:
                    for key in clones(use.key, run.scale):
                        counts, requests = token_counts(use, day, rng)
                        cost_rows += _costs(run, month, day, use, key, counts)
                        usage_rows[use.output == 0].append(_usage(use, key, counts, requests))
            for key in clones(_IMAGES[1], run.scale):
                images = int(_IMAGES[2] * load(day, 0.05, 0.2) * noise(rng))
                cost = images * _IMAGES[3]
                run.truth.charge(co.OPENAI, month, co.USE_CASES[_IMAGES_USE_CASE].team, cost)
                cost_rows.append(_cost("Image models", _IMAGES[0], key, cost, images, "images"))
            costs.append(_bucket(day, cost_rows))
            completions.append(_bucket(day, usage_rows[False]))
            embeddings.append(_bucket(day, usage_rows[True]))
        folder = run.out / "inbox" / "openai"
        for name, buckets in (("costs", costs), ("usage-completions", completions), ("usage-embeddings", embeddings)):
            page = {"object": "page", "data": buckets, "has_more": False, "next_page": None}
            write_json(run.truth.written(folder / f"openai-{name}-{month.text}.json"), page)


def _costs(run: Run, month: Month, day: date, use: co.Tokens, key: str, counts: dict[str, int]) -> list[dict[str, Any]]:
    price = prices(co.OPENAI, use.model, day)
    team = resolved_team(use.use_case, use.fault, use.place)
    found = []
    for kind, name in _LINE_ITEMS.items():
        if counts[kind]:
            cost = counts[kind] * getattr(price, kind).scaleb(-6)
            run.truth.charge(co.OPENAI, month, team, cost, fault=use.fault, workload=use.key, resource=key)
            run.truth.keys[key, day] += cost
            found.append(_cost(f"{use.model}, {name}", use.place, key, cost, counts[kind], "tokens"))
    return found


def _cost(line_item: str, project: str | None, key: str, cost: Decimal, quantity: int, unit: str) -> dict[str, Any]:
    return {
        "object": "organization.costs.result",
        "amount": {"value": number(cost), "currency": "usd"},
        "line_item": line_item,
        "project_id": project,
        "api_key_id": key,
        "quantity": quantity,
        "quantity_unit": unit,
    }


def _usage(use: co.Tokens, key: str, counts: dict[str, int], requests: int) -> dict[str, Any]:
    """One usage result. The input contains what was cached, as OpenAI counts it."""
    dimensions = {"project_id": use.place, "user_id": None, "api_key_id": key, "model": use.model}
    if use.output == 0:
        return {
            "object": "organization.usage.embeddings.result",
            "input_tokens": counts["input_uncached"],
            "num_model_requests": requests,
            **dimensions,
        }
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": counts["input_uncached"] + counts["cache_read"],
        "input_cached_tokens": counts["cache_read"],
        "input_cache_write_tokens": 0,
        "input_uncached_tokens": counts["input_uncached"],
        "output_tokens": counts["output"],
        "input_text_tokens": counts["input_uncached"],
        "output_text_tokens": counts["output"],
        "input_cached_text_tokens": counts["cache_read"],
        "input_audio_tokens": 0,
        "input_cached_audio_tokens": 0,
        "output_audio_tokens": 0,
        "input_image_tokens": 0,
        "input_cached_image_tokens": 0,
        "output_image_tokens": 0,
        "num_model_requests": requests,
        **dimensions,
        "batch": False,
        "service_tier": "default",
    }


def _bucket(day: date, results: list[dict[str, Any]]) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {
        "object": "bucket",
        "start_time": int(start.timestamp()),
        "end_time": int((start + timedelta(days=1)).timestamp()),
        "results": results,
    }
