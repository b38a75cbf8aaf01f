"""Every cost that a source states arrives whole, or its month stays out of the lake."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from finops_lib.contract import contract
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import Adapter, adapters
from finops_lib.lake import Home, current

from conftest import ROOT  # isort: skip

SAMPLES = ROOT / "data" / "samples"
CONSERVING = [a for a in adapters().values() if a.conserves]


def with_select(monkeypatch: pytest.MonkeyPatch, adapter: Adapter, **columns: str) -> None:
    """Let an adapter give other values in some columns of its charges."""
    mutated = ", ".join(f"{sql} as {column}" for column, sql in columns.items())
    changed = replace(adapter, select=f"select * replace ({mutated}) from ({adapter.select})", sha256="mutated")
    monkeypatch.setitem(adapters(), adapter.name, changed)


def refused(home: Home, files: Sequence[Path]) -> list[str]:
    return [o.message for o in ingest(home, files, data_docs=False).refused]


def test_every_source_of_charges_conserves_more_than_the_billed_cost() -> None:
    charges = {a.name for a in adapters().values() if a.dataset == "cost_and_usage" and a.select and a.billed}
    assert {a.name for a in CONSERVING} == charges
    for adapter in CONSERVING:
        assert {c.column for c in adapter.conserves} <= set(contract(adapter.dataset).names)
        assert {c.companion for c in adapter.conserves} <= {None, *adapter.companions}


@pytest.mark.parametrize("adapter", CONSERVING, ids=[a.name for a in CONSERVING])
def test_a_cent_lost_in_any_cost_that_is_conserved_keeps_the_month_out(
    adapter: Adapter, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = list(dict.fromkeys(c.column for c in adapter.conserves))
    with_select(monkeypatch, adapter, **{c: f"cast({c} - 0.01 as decimal(38, 18))" for c in columns})
    folders = dict.fromkeys([adapter.name, *(c.companion for c in adapter.conserves if c.companion)])
    files = [f for name in folders for f in sorted((SAMPLES / name).iterdir()) if f.name != "expected.csv"]
    found = [m for m in refused(home, files) if "after adapting" in m]
    assert {m.split(":")[0] for m in found} == {f"{adapter.name}, column {c}" for c in columns}
    out = {m.removesuffix(" stays as it was.").split("delivered. ")[1] for m in found}
    assert out & {str(unit) for unit in current(home)} == set()


def changed(source: Path, target: Path, **columns: str) -> Path:
    """A sample with other values in some columns of its first row."""
    with source.open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[0] |= columns
    with target.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return target


FOCUS = SAMPLES / "focus" / "snowflake_1_3.csv"


def test_the_refusal_names_the_column_what_was_found_and_what_was_wanted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_select(monkeypatch, adapters()["focus"], EffectiveCost="EffectiveCost - if(x_SourceRow = 2, 0.01, 0)")
    assert refused(home, [FOCUS]) == [
        "focus, column EffectiveCost: found 11.99 USD after adapting, wanted the 12 USD delivered. "
        "cost_and_usage from focus, account acct-13, 2026-09 stays as it was."
    ]


def test_a_cost_that_some_rows_lack_is_mended_and_not_compared(home: Home, tmp_path: Path) -> None:
    lacking = changed(FOCUS, tmp_path / "lacking.csv", ContractedCost="")
    assert refused(home, [lacking]) == []
    [delivery] = current(home).values()
    assert delivery.notes[-1].startswith("repaired: ContractedCost filled (1 row)")


def test_the_amortized_cost_of_azure_arrives_whole_as_soon_as_it_is_delivered(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    actual, amortized = (SAMPLES / "azure_amortized" / f for f in ("actual.csv", "amortized.csv"))
    with_select(monkeypatch, adapters()["azure_actual"], EffectiveCost="cast(EffectiveCost + 0.01 as decimal(38, 18))")
    assert refused(home, [actual]) == []
    messages = refused(home, [amortized])
    assert len(messages) == 1
    assert messages[0].startswith("azure_actual, column EffectiveCost: found ")
