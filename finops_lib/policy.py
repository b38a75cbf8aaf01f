"""The gates: what the mart fct_gate found, said in words. Where there is nothing to judge by, nothing has passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from . import warehouse
from .lake import Home

if TYPE_CHECKING:
    import polars as pl

SHOWN = 5
"""Offenders that a verdict names; its facts hold all."""

MARTS = ("fct_gate",)

GATES: Mapping[str, str] = MappingProxyType(
    {
        "share unallocated": "Accept what `finops plan suggest` proposes for cost that has no team, or one that "
        "plan/owner.csv does not register; tag the rest at the source.",
        "share unpriced": "Update genai-prices; until it knows the models, read their cost from the bill.",
        "lifecycle unknown": "Add rules to plan/lifecycle_rule.csv until what is unknown is small.",
        "experiment beside production": "Ask the owners of the largest experiments which of them can stop.",
        "budgets over": "Ask each budget's owner to stop spend or to change plan/budget.csv.",
        "budgets at risk": "Show each budget's owner what is expected by the end of the month, while it can be "
        "changed.",
        "forecast error": "Do not promise a month end from this forecast; look for the change that broke the pattern.",
        "unapproved services": "Approve it in plan/approved_service.csv, or ask the team that uses it to stop.",
        "unexplained invoices": "Ask the issuer what the gap is for before paying; `finops reconcile` tells it to the "
        "last digit.",
        "stale data": "Deliver the newest export of each source that is behind, or remove the source.",
    }
)
"""What to do when a gate has not passed; its threshold is a row of plan/threshold.csv or a shipped default."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One gate's answer; its facts are plain JSON, amounts as exact decimal texts."""

    gate: str
    passed: bool | None
    """None where there are no data to judge by."""
    found: str
    wanted: str
    todo: str
    """What to do when it has not passed; empty when it has."""
    source: str
    facts: list[dict[str, Any]] = field(default_factory=list)


def check(home: Home) -> list[Verdict]:
    """Judge the warehouse by every gate.

    Reads    the mart fct_gate of `home`.
    Returns  one verdict per gate, in the order of `GATES`.
    Refuses  NotBuiltError when the warehouse is not built.
    """
    return verdicts(warehouse.mart(home, "fct_gate"))


def verdicts(found: pl.DataFrame) -> list[Verdict]:
    """Say in words what every gate found.

    Reads    the mart fct_gate.
    Returns  one verdict per gate, in the order of `GATES`; a gate passes where each of its answers does, and has no
             verdict where it has no answer.
    """
    rows = list(found.iter_rows(named=True))
    return [_verdict(gate, [row for row in rows if row["gate"] == gate]) for gate in GATES]


def _verdict(gate: str, rows: Sequence[Mapping[str, Any]]) -> Verdict:
    answers = [row for row in rows if row["subject"] is None and row["is_passed"] is not None]
    passed = all(row["is_passed"] for row in answers) if answers else None
    offenders = [row for row in rows if row["subject"] is not None and row["is_passed"] is False]
    facts = [row for row in rows if row["subject"] is not None or (row["value"] is not None and row["unit"] != "count")]
    return Verdict(
        gate=gate,
        passed=passed,
        found=_found(answers, offenders) if answers else "no data",
        wanted=_wanted(rows[0]) if rows else "data",
        todo="" if passed else GATES[gate],
        source=rows[0]["source"] if rows else "",
        facts=[{key: _plain(row[key]) for key in FACTS if row[key] is not None} for row in facts],
    )


FACTS = ("billing_currency", "subject", "detail", "since", "value", "threshold", "part", "whole")
"""What a fact tells of a row, where the row has it."""


def _found(answers: Sequence[Mapping[str, Any]], offenders: Sequence[Mapping[str, Any]]) -> str:
    match answers[0]["unit"]:
        case "count":
            named = sorted(offenders, key=lambda row: row["precedence"] or 0)
            but = "".join(f"; {row['detail']}" for row in answers if row["detail"])
            return (_listed([_named(row) for row in named]) or "none") + but
        case _:
            return ", ".join(f"{_of(row['billing_currency'])}{row['value']:.1%}" for row in answers)


def _named(offender: Mapping[str, Any]) -> str:
    """Who offends; of a source that has stopped also since when, beside its habit."""
    if offender["gate"] != "stale data":
        return str(offender["subject"])
    return f"{offender['subject']}: last usage {offender['since']:%-d %B}, {offender['detail']}"


def _wanted(row: Mapping[str, Any]) -> str:
    match row["unit"]:
        case "count":
            return f"at most {row['threshold']:.0f}" if row["threshold"] else "none"
        case _:
            return f"at most {100 * row['threshold']:.10g}%"


def _listed(named: Sequence[str]) -> str:
    names = list(dict.fromkeys(named))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _of(currency: str | None) -> str:
    return f"{currency} " if currency else ""


def _plain(value: Any) -> Any:
    """A value as JSON knows it; amounts keep every digit as text."""
    return f"{value:f}" if isinstance(value, Decimal) else value.isoformat() if isinstance(value, date) else value
