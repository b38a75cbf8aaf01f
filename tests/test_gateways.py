"""Gateways' and applications' logs: each request once, its tokens in disjoint kinds, and nothing of what was said."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from finops_lib import lake, warehouse
from finops_lib.ingest import Ingested, ingest
from finops_lib.ingest.adapters import adapters
from finops_lib.lake import Home

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
PLANTED = "vault code"
"""Part of the prompt that stands in every sample of a log."""
LOGS = sorted(a.name for a in adapters().values() if a.bucket == "request_id")


def files(source: str) -> list[Path]:
    return [f for f in sorted((SAMPLES / source).iterdir()) if f.name != "expected.csv"]


def everything(home: Home) -> str:
    """All that lies below a home, Parquet unpacked."""
    found = []
    for file in sorted(f for f in home.root.rglob("*") if f.is_file()):
        if file.suffix == ".parquet":
            found += [str(row) for row in duckdb.sql(f"from read_parquet('{file}')").fetchall()]
        else:
            found.append(file.read_bytes().decode("utf-8", errors="replace"))
    return "\n".join(found)


def said(done: Ingested) -> str:
    return "\n".join(o.message for o in done.outcomes)


@pytest.mark.parametrize("source", LOGS)
def test_prompts_and_addresses_never_enter_the_home(source: str, home: Home) -> None:
    delivered = "".join(f.read_text(encoding="utf-8") for f in files(source))
    assert PLANTED in delivered
    assert "alice@lumenar.example" in delivered
    done = ingest(home, files(source))
    assert done.refused == []
    kept = everything(home)
    assert len(kept) > 1000
    assert PLANTED not in kept + said(done)
    assert "alice@" not in kept + said(done)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cut.csv", 'request_id,call_type\nr,"a\nWhat does the vault code say?\nNothing.",x\n'),
        ("quoted.csv", 'request_id,call_type\nr,"a\nWhat does the vault code say?\nNo" thing"\n'),
        ("metadata.csv", "request_id,call_type,metadata\nr,completion,What does the vault code say?\n"),
        ("cut.ndjson", '{"request_id": "r", "messages": "What does the vault code say?"}\n{"request_id": "vault code'),
    ],
)
def test_a_refused_log_is_refused_without_quoting_it(name: str, text: str, home: Home, tmp_path: Path) -> None:
    columns = "startTime,prompt_tokens,completion_tokens,total_tokens"
    head, _, rows = text.partition("\n")
    spoilt = tmp_path / name
    spoilt.write_text(
        text if name.endswith(".ndjson") else f"{columns},{head}\n2026-10-05T00:00:00Z,1,1,2,{rows}", encoding="utf-8"
    )
    done = ingest(home, [spoilt], source="litellm_spend")
    assert [o.status for o in done.outcomes] == ["refused"]
    assert PLANTED not in everything(home) + said(done)


@pytest.mark.parametrize("source", LOGS)
def test_the_same_log_twice_changes_nothing_and_one_by_one_is_the_same_as_together(
    source: str, home: Home, tmp_path: Path
) -> None:
    together = Home(tmp_path / "together")
    ingest(together, files(source), data_docs=False)
    for _ in range(2):
        for file in files(source):
            assert ingest(home, [file], data_docs=False).refused == []
    once, twice = (warehouse.dataset(h, "ai_usage")["request_id"].to_list() for h in (together, home))
    assert sorted(twice) == sorted(once)
    assert len(set(once)) == len(once)
    for delivery in lake.current(home).values():
        assert delivery.rows_read == delivery.rows_published + delivery.rows_merged


@pytest.mark.parametrize("source", ["helicone_requests", "langfuse_observations", "litellm_spend"])
def test_a_log_as_parquet_says_what_it_says_as_csv(source: str, home: Home, tmp_path: Path) -> None:
    [file] = [f for f in files(source) if f.suffix == ".csv"]
    parquet = tmp_path / f"{file.stem}.parquet"
    duckdb.sql(f"copy (from read_csv('{file}', all_varchar = true, nullstr = ['', '\\N', 'None'])) to '{parquet}'")
    unlike = ["x_source_file", "x_source_row"]
    told = []
    for at, form in (("csv", file), ("parquet", parquet)):
        own = Home(tmp_path / at)
        assert ingest(own, [form], data_docs=False).refused == []
        told.append(warehouse.dataset(own, "ai_usage").drop(unlike).sort("request_id").to_dicts())
    assert told[0] == told[1]


def test_the_lake_keeps_what_each_counted_beside_each_other(home: Home) -> None:
    """The lake keeps both; which of them counts is int_ai_usage_counted's choice, proved by its unit test."""
    for source in ("bedrock_invocations", "litellm_spend"):
        ingest(home, files(source), data_docs=False)
    rows = warehouse.dataset(home, "ai_usage")
    assert set(zip(rows["source"], rows["counted_by"], strict=True)) == {
        ("bedrock_invocations", "vendor"), ("litellm_spend", "gateway")
    }  # fmt: skip


REQUEST = {
    "request_id": "r-1", "call_type": "acompletion", "startTime": "2026-10-05T10:00:00Z", "prompt_tokens": 1000,
    "completion_tokens": 500, "total_tokens": 1500, "model": "gpt-4o", "custom_llm_provider": "openai",
}  # fmt: skip
OBSERVATION = {
    "id": "o-1", "type": "GENERATION", "projectId": "p", "startTime": "2026-10-05T10:00:00Z", "model": "gpt-4o",
    "usageDetails": {"input": 800, "input_cached_tokens": 200, "output": 500, "total": 1500},
    "calculatedTotalCost": 0.00725,
}  # fmt: skip
HELICONE = {
    "request_id": "h-1", "request_created_at": "2026-10-05T10:00:00Z", "response_status": 200,
    "request_model": "gpt-4o", "provider": "OPENAI", "prompt_tokens": 1000, "completion_tokens": 500,
    "prompt_cache_read_tokens": 0, "prompt_cache_write_tokens": 0, "cost": 0.0075,
}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "source", "reported"),
    [
        (REQUEST, "litellm_spend", None),
        (OBSERVATION, "langfuse_observations", Decimal("0.00725")),
        (HELICONE, "helicone_requests", Decimal("0.0075")),
    ],
)
def test_a_page_of_the_api_says_what_its_records_say(
    record: dict[str, object], source: str, reported: Decimal | None, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "page.json").write_text(json.dumps({"data": [record], "meta": {"page": 1}}), encoding="utf-8")
    [outcome] = ingest(home, [tmp_path / "page.json"], data_docs=False).outcomes
    assert (outcome.status, outcome.source) == ("published", source)
    [row] = warehouse.dataset(home, "ai_usage").to_dicts()
    assert (row["model"], row["total_tokens"], row["reported_cost"]) == ("gpt-4o", 1500, reported)


def test_a_total_by_openais_name_is_no_kind_of_token(home: Home, tmp_path: Path) -> None:
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    (tmp_path / "o.json").write_text(json.dumps([{**OBSERVATION, "usageDetails": usage}]), encoding="utf-8")
    ingest(home, [tmp_path / "o.json"], data_docs=False)
    [row] = warehouse.dataset(home, "ai_usage").to_dicts()
    assert (row["input_uncached_tokens"], row["output_tokens"], row["total_tokens"]) == (10, 5, 15)


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [("prompt_tokens", "the vault code", "text"), ("startTime", 1790812800.5, "'1790812800.5'")],
)
def test_what_is_no_number_and_no_time_is_refused_without_quoting_it(
    column: str, value: object, shown: str, home: Home, tmp_path: Path
) -> None:
    spoilt = [REQUEST, {**REQUEST, "request_id": "r-2", column: value}]
    (tmp_path / "s.json").write_text(json.dumps(spoilt), encoding="utf-8")
    done = ingest(home, [tmp_path / "s.json"])
    [message] = {o.message for o in done.outcomes}
    assert message.startswith(f"s.json, row 2, column {column}: found {shown}, wanted a ")
    assert PLANTED not in everything(home) + said(done)


def test_a_span_whose_count_is_no_number_counts_nothing(home: Home, tmp_path: Path) -> None:
    told = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": "the vault code", "gen_ai.usage.output_tokens": "5",
    }  # fmt: skip
    attributes = [{"key": k, "value": {"stringValue": v}} for k, v in told.items()]
    span = {"traceId": "t", "spanId": "s", "startTimeUnixNano": "1791194400123456789", "attributes": attributes}
    document = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}
    (tmp_path / "o.json").write_text(json.dumps(document), encoding="utf-8")
    done = ingest(home, [tmp_path / "o.json"])
    [row] = warehouse.dataset(home, "ai_usage").to_dicts()
    assert (row["total_tokens"], row["price_status"], row["estimated_cost"]) == (None, "unpriced", None)
    assert PLANTED not in everything(home) + said(done)


def test_the_events_of_a_stream_tell_what_was_cached(home: Home, tmp_path: Path) -> None:
    start = {"input_tokens": 1000, "cache_read_input_tokens": 200, "cache_creation_input_tokens": 0, "output_tokens": 1}
    events = [
        {"type": "message_start", "message": {"model": "claude-sonnet-4-20250514", "usage": start}},
        {"type": "content_block_delta", "delta": {"text": "the vault code"}},
        {"type": "message_delta", "usage": {"output_tokens": 500}},
    ]
    log = {
        "schemaType": "ModelInvocationLog", "timestamp": "2026-10-05T10:00:00Z", "accountId": "123456789012",
        "requestId": "r", "operation": "InvokeModelWithResponseStream",
        "modelId": "us.anthropic.claude-sonnet-4-20250514-v1:0",
        "input": {"inputTokenCount": 1000}, "output": {"outputBodyJson": events},
    }  # fmt: skip
    (tmp_path / "b.json").write_text(json.dumps(log), encoding="utf-8")
    done = ingest(home, [tmp_path / "b.json"])
    [row] = warehouse.dataset(home, "ai_usage").to_dicts()
    counts = [row[f"{k}_tokens"] for k in ("input_uncached", "cache_read", "cache_write_5m", "output", "total")]
    assert counts == [1000, 200, 0, 500, 1700]
    # 1000 × 3 + 200 × 0.30 + 500 × 15 USD per million
    assert row["estimated_cost"] == Decimal("0.01056")
    assert PLANTED not in everything(home) + said(done)
