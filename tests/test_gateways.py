"""Gateways' and applications' logs: each request once, its tokens in disjoint kinds, and nothing of what was said."""

from __future__ import annotations

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
