"""What AI vendors report of usage and cost: nothing counted twice, nothing unknown counted as 0."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home

DAY = 1790812800
"""2026-10-01 00:00 UTC."""


def page(file: Path, kind: str, **counts: object) -> Path:
    result = {"object": f"organization.usage.{kind}.result", "project_id": "proj_1", **counts}
    bucket = {"object": "bucket", "start_time": DAY, "end_time": DAY + 86_400, "results": [result]}
    file.write_text(json.dumps({"object": "page", "data": [bucket], "has_more": False}), encoding="utf-8")
    return file


def delivered(home: Home, file: Path) -> None:
    assert [o.status for o in ingest(home, [file], data_docs=False).outcomes] == ["published"]


def test_embeddings_of_a_day_leave_that_days_completions_alone(home: Home, tmp_path: Path) -> None:
    completions = {"input_tokens": 10, "input_cached_tokens": 4, "output_tokens": 5, "num_model_requests": 1}
    delivered(home, page(tmp_path / "completions.json", "completions", **completions))
    delivered(home, page(tmp_path / "embeddings.json", "embeddings", input_tokens=7, num_model_requests=2))
    delivered(home, page(tmp_path / "later.json", "completions", **{**completions, "output_tokens": 6}))
    rows = warehouse.dataset(home, "ai_usage").sort("operation")
    assert rows["operation"].to_list() == ["completion", "embedding"]
    assert rows["total_tokens"].to_list() == [16, 7]


def test_images_searches_and_sessions_have_no_tokens_rather_than_0(home: Home, tmp_path: Path) -> None:
    delivered(home, page(tmp_path / "images.json", "images", images=3, num_model_requests=2))
    [row] = warehouse.dataset(home, "ai_usage").to_dicts()
    assert (row["quantity"], row["quantity_unit"], row["requests"]) == (3, "Images", 2)
    assert [row[c] for c in row if c.endswith("_tokens")] == [None] * 13
    assert (row["price_status"], row["estimated_cost"]) == ("unpriced", None)


def test_a_completion_without_its_cached_input_is_refused_rather_than_taken_for_0(home: Home, tmp_path: Path) -> None:
    file = page(tmp_path / "c.json", "completions", input_tokens=10, output_tokens=5, num_model_requests=1)
    [outcome] = ingest(home, [file], data_docs=False).outcomes
    assert outcome.status == "refused"
    assert "input_cached_tokens" in outcome.message


def test_an_image_result_that_counts_nothing_is_refused(home: Home, tmp_path: Path) -> None:
    [outcome] = ingest(home, [page(tmp_path / "i.json", "images")], data_docs=False).outcomes
    assert outcome.status == "refused"
    assert "something is counted" in outcome.message


def test_the_addresses_of_claude_codes_users_are_nowhere_in_the_lake(home: Home) -> None:
    sample = Path(__file__).parent.parent / "data" / "samples" / "anthropic_code" / "code_page.json"
    assert sample.read_text(encoding="utf-8").lower().count("ada@lumenar.example") == 2
    delivered(home, sample)
    rows = warehouse.dataset(home, "ai_usage").sort("x_source_row")
    assert rows["user_id"].to_list() == ["sha256:5d6ac9f1e8117e44"] * 2 + [None, "sha256:5d6ac9f1e8117e44"]
    ledger = "".join(f.read_text(encoding="utf-8") for f in home.ledger.iterdir())
    assert "lumenar.example" not in str(rows.to_dicts()).lower() + ledger.lower()


def test_anthropics_amounts_are_cents_and_openais_are_dollars_even_as_text(home: Home, tmp_path: Path) -> None:
    cents = {"amount": "123.45", "currency": "USD", "cost_type": "tokens", "description": "Claude Sonnet 4 Usage"}
    span = {"starting_at": "2026-10-01T00:00:00Z", "ending_at": "2026-10-02T00:00:00Z"}
    anthropic = tmp_path / "cost_report.json"
    anthropic.write_text(json.dumps({"data": [{**span, "results": [cents]}], "has_more": False}), encoding="utf-8")
    dollars = {"amount": {"value": "1.2345", "currency": "usd"}, "line_item": "gpt-4o, input"}
    openai = tmp_path / "costs.json"
    bucket = {"start_time": DAY, "end_time": DAY + 86_400, "results": [dollars]}
    openai.write_text(json.dumps({"object": "page", "data": [bucket]}), encoding="utf-8")
    delivered(home, anthropic)
    delivered(home, openai)
    charges = warehouse.dataset(home, "cost_and_usage")
    assert charges["BilledCost"].to_list() == [Decimal("1.2345")] * 2
    assert charges["BillingCurrency"].to_list() == ["USD"] * 2


@pytest.mark.parametrize(
    "nothing",
    [
        '{"object": "page", "data": [{"object": "bucket", "start_time": 1, "end_time": 2, "results": []}]}',
        '{"object": "page", "data": [], "has_more": false, "next_page": null}',
        '{"object": "bucket", "results": []}\n{"object": "bucket", "results": []}\n',
        '{"data": [{"starting_at": "2026-10-01T00:00:00Z", "results": []}], "has_more": false}',
        "[]",
        "{}",
        "[{}, {}]",
        '{"runs": []}',
        '{"code": 200, "data": [{}, null]}',
        '{"resourceSpans": [{"scopeSpans": [{"spans": []}]}]}',
        '{"status": "success", "data": {"resultType": "matrix", "result": []}}',
    ],
)
def test_what_an_api_answers_where_there_is_nothing_is_empty_and_no_error(
    nothing: str, home: Home, tmp_path: Path
) -> None:
    (tmp_path / "page.json").write_text(nothing, encoding="utf-8")
    [outcome] = ingest(home, [tmp_path / "page.json"], data_docs=False).outcomes
    assert (outcome.status, outcome.message) == (
        "empty", "page.json: holds no record, as an API answers where there is nothing; nothing to publish.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "something",
    [
        '{"data": [{"id": 1, "tags": []}]}',
        '[{"id": 1, "labels": []}]',
        '{"data": {"amount": 5}}',
        '{"error": "denied"}',
    ],
)
def test_records_that_nobody_reads_are_refused_and_not_empty(something: str, home: Home, tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text(something, encoding="utf-8")
    assert [o.status for o in ingest(home, [tmp_path / "page.json"], data_docs=False).outcomes] == ["refused"]


def test_a_result_after_a_day_of_empty_minutes_is_read(home: Home, tmp_path: Path) -> None:
    file = page(
        tmp_path / "c.json", "completions",
        input_tokens=10, input_cached_tokens=0, output_tokens=5, num_model_requests=1,
    )  # fmt: skip
    told = json.loads(file.read_text(encoding="utf-8"))
    empty = {"object": "bucket", "start_time": DAY - 60, "end_time": DAY, "results": []}
    told["data"] = [empty] * 1440 + told["data"]
    file.write_text(json.dumps(told), encoding="utf-8")
    delivered(home, file)
    assert warehouse.dataset(home, "ai_usage")["total_tokens"].to_list() == [15]
