"""What the verdicts say of what fct_gate found. What it finds is proved beside the model."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from finops_lib import policy, warehouse
from finops_lib.errors import NotBuiltError
from finops_lib.lake import Home
from finops_lib.policy import GATES, Verdict, verdicts

SCHEMA = {
    "gate": pl.String, "billing_currency": pl.String, "subject": pl.String, "detail": pl.String, "since": pl.Date,
    "precedence": pl.Int64,
    "value": pl.Float64, "unit": pl.String, "threshold": pl.Float64, "is_passed": pl.Boolean,
    "part": pl.Decimal(38, 18), "whole": pl.Decimal(38, 18), "decided_by": pl.String, "source": pl.String,
    "data_through": pl.Date,
}  # fmt: skip


def row(gate: str, unit: str = "ratio", **others: Any) -> dict[str, Any]:
    named = {"gate": gate, "unit": unit, "threshold": 0.2, "source": "a page", "decided_by": "default"}
    return dict.fromkeys(SCHEMA) | named | others


def judged(*rows: dict[str, Any]) -> dict[str, Verdict]:
    return {v.gate: v for v in verdicts(pl.DataFrame(rows, schema=SCHEMA))}


def test_a_gate_without_anything_to_judge_by_has_not_passed() -> None:
    found = judged(*(row(gate) for gate in GATES))
    assert list(found) == list(GATES)
    assert {(v.passed, v.found, bool(v.todo)) for v in found.values()} == {(None, "no data", True)}


def test_every_currency_is_said_and_the_worst_one_decides() -> None:
    usd = row("share unallocated", billing_currency="USD", value=0.2, is_passed=True)
    eur = row("share unallocated", billing_currency="EUR", value=0.5, is_passed=False)
    good = judged(usd)["share unallocated"]
    assert (good.passed, good.found, good.wanted, good.todo) == (True, "USD 20.0%", "at most 20%", "")
    bad = judged(eur, usd)["share unallocated"]
    assert (bad.passed, bad.found, bad.todo) == (False, "EUR 50.0%, USD 20.0%", GATES["share unallocated"])


def test_the_line_that_is_said_is_the_one_that_was_judged_by() -> None:
    gate = "experiment beside production"
    found = judged(row(gate, value=0.15, threshold=0.125, is_passed=False, source="the board"))[gate]
    assert (found.wanted, found.source) == ("at most 12.5%", "the board")


def test_a_currency_that_cannot_be_judged_is_left_out_of_the_sentence() -> None:
    gate = "experiment beside production"
    found = judged(row(gate, billing_currency="EUR", part=Decimal(5)), row(gate, value=0.1, is_passed=True))[gate]
    assert (found.passed, found.found) == (True, "10.0%")


def over(name: str) -> dict[str, Any]:
    amounts = {"part": Decimal(11), "whole": Decimal(10)}
    return row("budgets over", "count", billing_currency="USD", subject=name, detail="Ada", is_passed=False) | amounts


def test_offenders_are_named_and_a_long_list_is_whole_in_the_facts_alone() -> None:
    count = row("budgets over", "count", value=7.0, threshold=0.0, is_passed=False)
    found = judged(count, *(over(f"b{i}") for i in range(7)))["budgets over"]
    assert (found.passed, found.wanted) == (False, "none")
    assert found.found == "b0, b1, b2, b3, b4 and 2 more"
    assert len(found.facts) == 7
    assert found.facts[0] == {
        "billing_currency": "USD", "subject": "b0", "detail": "Ada", "threshold": 0.2,
        "part": "11.000000000000000000", "whole": "10.000000000000000000",
    }  # fmt: skip


def test_of_budgets_that_overlap_every_one_is_checked_and_the_narrowest_is_named_first() -> None:
    count = row("budgets over", "count", value=3.0, threshold=0.0, is_passed=False)
    narrow = [over(name) | {"precedence": n} for name, n in (("all", 3), ("search", 2), ("search on GPUs", 1))]
    assert judged(count, *narrow)["budgets over"].found == "search on GPUs, search, all"


def test_a_gate_that_passes_says_how_many_budgets_nobody_can_judge() -> None:
    unknown = "1 of 2 budgets has no expectation"
    passed = row("budgets at risk", "count", value=0.0, threshold=0.0, is_passed=True, detail=unknown)
    found = judged(passed)["budgets at risk"]
    assert (found.passed, found.found) == (True, "none; 1 of 2 budgets has no expectation")


def test_without_offenders_there_are_none_and_no_facts() -> None:
    found = judged(row("budgets over", "count", value=0.0, threshold=0.0, is_passed=True))["budgets over"]
    assert (found.passed, found.found, found.facts) == (True, "none", [])


def test_a_source_that_has_stopped_is_named_with_its_last_day_and_its_habit() -> None:
    gate = "stale data"
    whole = row(gate, "count", value=1.0, threshold=0.0, is_passed=False, detail="2 sources, 1 late")
    stopped = row(
        gate, "count", subject="OpenAI (openai_costs), account X", detail="usually every day", is_passed=False,
        since=date(2026, 10, 3),
    )  # fmt: skip
    found = judged(whole, stopped)[gate]
    assert (found.found, found.wanted) == (
        "OpenAI (openai_costs), account X: last usage 3 October, usually every day; 2 sources, 1 late",
        "none",
    )
    assert found.facts[0]["since"] == "2026-10-03"
    good = judged(row(gate, "count", value=0.0, threshold=0.0, is_passed=True, detail="2 sources, 0 late"))[gate]
    assert (good.passed, good.found) == (True, "none; 2 sources, 0 late")


def test_a_verdict_is_plain_json_with_exact_amounts() -> None:
    tiny = row("share unallocated", value=0.0, is_passed=True, part=Decimal("0.000000000000000001"))
    found = judged(tiny)["share unallocated"]
    assert json.loads(json.dumps(asdict(found)))["facts"][0]["part"] == "0.000000000000000001"


def test_every_gate_of_the_mart_has_words_and_says_what_to_do(company: Home) -> None:
    assert set(warehouse.mart(company, "fct_gate")["gate"]) == set(GATES)
    assert all(todo.endswith(".") for todo in GATES.values())
    assert {v.source for v in policy.check(company)} & {"", None} == set()


def test_a_home_that_is_not_built_is_refused(home: Home) -> None:
    with pytest.raises(NotBuiltError):
        policy.check(home)
