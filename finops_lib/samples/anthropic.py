"""Anthropic: the cost report, whose amounts are cents as text, and the usage report of messages, per month."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from . import company as co
from .base import Run, clones, prices, team_of_place, token_counts, uses, write_json

_TOKEN_TYPES = {
    "input_uncached": ("uncached_input_tokens", "Input Tokens"),
    "cache_read": ("cache_read_input_tokens", "Input Tokens, Cache Read"),
    "cache_write_5m": ("cache_creation.ephemeral_5m_input_tokens", "Input Tokens, Cache Write"),
    "output": ("output_tokens", "Output Tokens"),
}
_NAMES = {
    "claude-3-7-sonnet-20250219": "Claude Sonnet 3.7", "claude-sonnet-4-20250514": "Claude Sonnet 4",
    "claude-opus-4-1-20250805": "Claude Opus 4.1", "claude-3-5-haiku-20241022": "Claude Haiku 3.5",
    "claude-haiku-4-5-20251001": "Claude Haiku 4.5",
}  # fmt: skip
_SEARCHES = {"wrkspc_assistant": 40_000}
"""Requests between two web searches, per workspace that searches."""
_SEARCH_PRICE = Decimal("0.01")

Cell = tuple[str | None, str, str]


def write(run: Run) -> None:
    """Write both reports of every month. The cost report knows workspaces only; the usage report keys as well."""
    for month in run.months:
        costs, usage = [], []
        rng = run.rng("anthropic", month)
        for day in month.days:
            tokens: dict[Cell, Counter[str]] = {}
            searches: Counter[str | None] = Counter()
            usage_rows = []
            for use in uses(co.ANTHROPIC, month):
                if not use.since <= day < use.until:
                    continue
                for key in clones(use.key, run.scale):
                    counts, requests = token_counts(use, day, rng)
                    tokens.setdefault((use.place, use.model, use.tier), Counter()).update(counts)
                    searched = requests * 100 // _SEARCHES[use.place] if use.place in _SEARCHES else 0
                    searches[use.place] += searched
                    usage_rows.append(_usage(use, key, counts, searched))
            cost_rows = []
            for (workspace, model, tier), counts in tokens.items():
                team = team_of_place(workspace)
                price = prices(co.ANTHROPIC, model, day)
                for kind, (token_type, words) in _TOKEN_TYPES.items():
                    if counts[kind]:
                        cost = counts[kind] * getattr(price, kind).scaleb(-6)
                        cost *= co.BATCH_DISCOUNT if tier == "batch" else 1
                        fault = None if workspace else "untagged"
                        run.truth.charge(co.ANTHROPIC, month, team, cost, fault=fault, workload="default workspace")
                        batch = " (Batch)" if tier == "batch" else ""
                        cost_rows.append(_cost(
                            workspace, cost, f"{_NAMES[model]} Usage{batch} - {words}", cost_type="tokens", model=model,
                            token_type=token_type, service_tier=tier, context_window="0-200k", inference_geo="global",
                        ))  # fmt: skip
            for workspace, count in searches.items():
                if count:
                    cost = count * _SEARCH_PRICE
                    run.truth.charge(co.ANTHROPIC, month, team_of_place(workspace), cost)
                    cost_rows.append(_cost(workspace, cost, "Web Search Usage", cost_type="web_search"))
            costs.append(_bucket(day, cost_rows))
            usage.append(_bucket(day, usage_rows))
        folder = run.out / "inbox" / "anthropic"
        for name, buckets in (("cost-report", costs), ("usage-report-messages", usage)):
            page = {"data": buckets, "has_more": False, "next_page": None}
            write_json(run.truth.written(folder / f"anthropic-{name}-{month.text}.json"), page)


def _cost(workspace: str | None, cost: Decimal, description: str, **dimensions: str) -> dict[str, Any]:
    known = ("cost_type", "model", "token_type", "service_tier", "context_window", "inference_geo")
    return {
        "currency": "USD",
        "amount": f"{cost * 100:f}",
        "workspace_id": workspace,
        "description": description,
        **{name: dimensions.get(name) for name in known},
    }


def _usage(use: co.Tokens, key: str, counts: dict[str, int], searches: int) -> dict[str, Any]:
    return {
        "uncached_input_tokens": counts["input_uncached"],
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": counts["cache_write_5m"]},
        "cache_read_input_tokens": counts["cache_read"],
        "output_tokens": counts["output"],
        "server_tool_use": {"web_search_requests": searches},
        "api_key_id": key,
        "workspace_id": use.place,
        "model": use.model,
        "service_tier": use.tier,
        "context_window": "0-200k",
        "inference_geo": "global",
    }


def _bucket(day: date, results: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "starting_at": f"{day}T00:00:00Z",
        "ending_at": f"{day + timedelta(days=1)}T00:00:00Z",
        "results": results,
    }
