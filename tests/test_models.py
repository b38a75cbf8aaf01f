"""One model, one name: whatever a vendor, cloud or gateway calls it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from finops_lib.ingest.adapters import folder, vocabulary

SPELLINGS = {
    "claude-sonnet-4": [
        "claude-sonnet-4-20250514", "claude-sonnet-4-0", "claude-4-sonnet", "Claude4Sonnet", "Sonnet4",
        "Claude Sonnet 4",
        "anthropic/claude-sonnet-4", "claude-sonnet-4@20250514", "anthropic.claude-sonnet-4-20250514-v1:0",
        "us.anthropic.claude-sonnet-4-20250514-v1:0", "global.anthropic.claude-sonnet-4-20250514-v1:0",
        "bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", "vertex_ai/claude-sonnet-4@20250514",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
    ],
    "claude-opus-4-6": ["Claude4.6Opus", "claude-opus-4.6", "anthropic/claude-opus-4.6:batch"],
    "claude-opus-4-8": ["anthropic.claude-opus-4-8", "regional.anthropic.claude-opus-4-8-v1:0"],
    "claude-sonnet-4-6": ["anthropic/claude-4.6-sonnet-20260217", "claude-sonnet-4-6"],
    "claude-haiku-4-5": ["claude-haiku-4-5-20251001", "anthropic/claude-haiku-4.5"],
    "claude-3-5-sonnet": ["Claude3.5Sonnet", "claude3.5sonnetv2", "us.anthropic.claude-3-5-sonnet-20241022-v2:0"],
    "claude-3-7-sonnet": ["claude-3-7-sonnet-latest", "anthropic/claude-3.7-sonnet:thinking"],
    "claude-3-sonnet": ["Claude3Sonnet", "claude-3-sonnet-20240229"],
    "claude-instant": ["ClaudeInstant", "anthropic.claude-instant-v1"],
    "gpt-4o": ["gpt-4o-2024-08-06", "gpt-4o-0806", "GPT-4o-2024-08-06", "azure/gpt-4o", "azure/eu/gpt-4o", "gpt 4o"],
    "gpt-4o-mini": ["gpt-4o-mini-0718", "gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini:batch"],
    "gpt-4.1": ["gpt 4.1", "gpt-4.1-2025-04-14"],
    "gpt-3.5-turbo": ["gpt-35-turbo", "gpt-3.5-turbo-0125", "gpt-35-turbo-0613"],
    "gpt-4-turbo": ["gpt-4-turbo-2024-04-09", "openai/gpt-4-1106-preview"],
    "gpt-5.4-mini": ["gpt-5.4-mini-2026-03-17"],
    "gpt-oss-20b": ["gpt-oss:20b", "openai.gpt-oss-20b-1:0", "@cf/openai/gpt-oss-20b"],
    "gpt-4o-realtime-preview": ["gpt-4o-realtime-preview-2024-12-17"],
    "text-embedding-3-small": ["azure/text-embedding-3-small"],
    "omni-moderation": ["omni-moderation-2024-09-26", "omni-moderation-latest"],
    "o3": ["o3-2025-04-16"],
    "ft:gpt-4o-mini": ["ft:gpt-4o-mini-2024-07-18:lumenar::abc123", "gpt-4o-mini-2024-07-18.ft-0f2e"],
    "gemini-2.5-flash": [
        "Gemini 2.5 Flash", "Gemini 2.5 Flash GA", "models/gemini-2.5-flash", "google/gemini-2.5-flash",
        "vertex_ai/gemini-2.5-flash", "projects/p-1/locations/global/publishers/google/models/gemini-2.5-flash",
    ],
    "gemini-2.0-flash": ["gemini-2.0-flash-001", "google/gemini-2.0-flash-001"],
    "gemini-1.5-pro": ["google/gemini-pro-1.5", "gemini-1.5-pro-002"],
    "gemini-2.5-flash-preview": ["gemini-2.5-flash-preview-05-20", "google/gemini-2.5-flash-preview-09-2025"],
    "nova-lite": ["NovaLite", "us.amazon.nova-lite-v1:0", "amazon/nova-lite-v1"],
    "nova-2-lite": ["Nova2.0Lite", "global.amazon.nova-2-lite-v1:0"],
    "titan-embed-text": ["TitanEmbeddingsG1-Text", "amazon.titan-embed-text-v1"],
    "titan-embed-text-v2": ["TitanEmbeddingV2-Text", "amazon.titan-embed-text-v2:0"],
    "llama-3.1-8b-instruct": [
        "Llama3-1-8B", "meta.llama3-1-8b-instruct-v1:0", "meta-llama/llama-3.1-8b-instruct:free",
        "llama-3.1-8b-instant",
    ],
    "llama-4-scout-17b-instruct": ["meta-llama/Llama-4-Scout-17B-16E-Instruct", "meta.llama4-scout-17b-instruct-v1:0"],
    "mistral-large-2407": ["MistralLarge2407", "mistral.mistral-large-2407-v1:0"],
    "mistral-large": ["mistral-large-latest", "mistralai/mistral-large"],
    "mistral-7b-instruct": ["mistral.mistral-7b-instruct-v0:2", "Mistral7B"],
    "deepseek-r1": ["us.deepseek.r1-v1:0", "deepseek-ai/DeepSeek-R1", "deepseek/deepseek-r1-0528"],
    "command-r-plus": ["cohere.command-r-plus-v1:0", "cohere/command-r-plus-08-2024"],
    "glm-4.7": ["zai-glm-4.7", "GLM-4.7"],
}  # fmt: skip
UNKNOWN = {
    "openai/my-Deployment-2025-01-02": "my-deployment-2025-01-02",
    "claude-opus-4-6-fast": "claude-opus-4-6-fast",
    "team-a/router": "team-a/router",
    "us.anthropic.claude-next": "claude-next",
    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3": (
        "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3"
    ),
    "  ": None,
    None: None,
}


@pytest.fixture(scope="module")
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        vocabulary(connection)
        yield connection


@pytest.fixture(scope="module")
def listed() -> list[dict[str, str]]:
    with (folder() / "ai_models.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def canonical(db: duckdb.DuckDBPyConnection, delivered: str | None) -> str | None:
    [(name,)] = db.execute("select canonical_model(?)", [delivered]).fetchall()
    return None if name is None else str(name)


@pytest.mark.parametrize("model", list(SPELLINGS))
def test_every_spelling_of_a_model_is_the_vendors_own_name(model: str, db: duckdb.DuckDBPyConnection) -> None:
    assert {spelled: canonical(db, spelled) for spelled in [model, *SPELLINGS[model]]} == dict.fromkeys(
        [model, *SPELLINGS[model]], model
    )


@pytest.mark.parametrize("delivered", list(UNKNOWN))
def test_an_unknown_model_is_kept_as_delivered(delivered: str | None, db: duckdb.DuckDBPyConnection) -> None:
    assert canonical(db, delivered) == UNKNOWN[delivered]


def test_every_model_of_the_table_is_found_by_its_own_name_and_by_its_aliases(
    db: duckdb.DuckDBPyConnection, listed: list[dict[str, str]]
) -> None:
    wrong = [
        row["alias"]
        for row in listed
        if canonical(db, row["model"]) != row["model"] or canonical(db, row["alias"]) != row["model"]
    ]
    assert wrong == []


def test_a_model_has_one_vendor_family_version_and_date(listed: list[dict[str, str]]) -> None:
    facts: dict[str, set[tuple[str, ...]]] = {}
    for row in listed:
        facts.setdefault(row["model"], set()).add(tuple(row[c] for c in ("vendor", "family", "version", "valid_from")))
        assert row["vendor"]
        assert row["family"]
        if row["valid_from"]:
            date.fromisoformat(row["valid_from"])
    assert [model for model, found in facts.items() if len(found) > 1] == []
    assert len(facts) == 302
