"""Spoilt exports end in a clear refusal or the right money: a few of each sample, all of them by `make mutations`."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from mutations import exports  # isort: skip

EACH = 2
FILES = exports.samples()
KNOWN: dict[Path, tuple[str, set[str]]] = {}


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_a_spoilt_export_is_refused_clearly_or_read_right(file: Path, tmp_path: Path) -> None:
    chosen = random.Random(f"{file.parent.name}/{file.name}").sample(exports.mutations(file), EACH)
    results = [exports.tried(file, mutation, 1, KNOWN, tmp_path / "try") for mutation in chosen]
    assert [r for r in results if r.verdict in exports.WRONG] == []


@pytest.mark.parametrize(
    ("may", "state", "outcomes", "verdict"),
    [
        ("wrong", "other", [("published", "x: 2 rows")], "doubt"),
        ("same", "other", [("published", "x: 2 rows")], "doubt"),
        ("any", "other", [("published", "x: 2 rows")], "untold"),
        ("wrong", "as before", [("published", "x: 1 row")], "right"),
        ("wrong", "other", [("published", "x"), ("note", "passed over")], "noted"),
        ("wrong", "none", [("refused", "x.csv: found 1, wanted 2.")], "refused"),
        ("wrong", "none", [("refused", "x.csv: Binder Error: no such function")], "unclear"),
        ("wrong", "none", [("refused", "x.csv: cannot open '/tmp/finops/x.csv'")], "unclear"),
    ],
)
def test_the_judge_knows_what_is_wrong(may: str, state: str, outcomes: list[tuple[str, str]], verdict: str) -> None:
    said = " | ".join(f"{status}: {message}" for status, message in outcomes)
    assert exports._judged(may, state, outcomes, set(), ("as before", set()), said) == verdict
