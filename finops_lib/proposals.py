"""What the plan could say next, written in its own columns, so that accepting a proposal is copying a file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import warehouse
from .contract import FORMULA, contract
from .errors import UsageError
from .lake import Home

FILES = ("tag_alias", "tag_rule", "owner", "budget")
"""The plan files that proposals are made for, in the order in which they take effect."""

TO_BE_NAMED = "to be named"
"""Owner of a team that is proposed for the register: who answers for it, nobody but the organisation knows."""

UNDECIDED = 20
"""How many candidates without a known team the guide lists."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """One proposed row of the plan."""

    file: str
    """Plan table, such as tag_alias."""
    row: dict[str, str]
    """Its cells by column of the plan file."""
    said: str
    money: dict[str, Decimal]
    """Currency → effective cost that it concerns; of a budget its amount."""

    @property
    def amounts(self) -> str:
        return ", ".join(f"{currency} {amount:,.2f}" for currency, amount in sorted(self.money.items()))


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """What `suggest` wrote."""

    folder: Path
    written: list[Path]
    proposals: list[Proposal]
    left_out: int
    """Proposals that name something a spreadsheet would take for a formula; they are in no file."""


def suggest(home: Home, *, out: str | Path | None = None) -> Suggested:
    """Write what the plan could say next: its own rows and the proposed ones below them, file by file.

    Reads    the marts fct_plan_proposal and fct_unallocated, and the files in plan/, of which nothing is changed.
    Returns  the folder (`proposals/` in the home, or `out`), what was written there, and each proposal with the money
             it concerns.
    Refuses  UsageError where `out` is plan/ itself; NotBuiltError without a warehouse.
    """
    folder = Path(out) if out is not None else home.root / "proposals"
    if folder.resolve() == home.plan.resolve():
        raise UsageError(f"{folder} is the plan itself. Name another folder, and copy to the plan what you accept.")
    found = list(proposals(home))
    taken = [p for p in found if not any(cell.startswith(FORMULA) for cell in p.row.values())]
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in FILES:
        rows = [p.row for p in taken if p.file == name]
        file = folder / f"{name}.csv"
        file.unlink(missing_ok=True)
        if rows:
            columns, own = _own_rows(home, name)
            _write(file, columns, [*own, *rows])
            written.append(file)
    guide = folder / "README.md"
    guide.write_text("\n".join(_guide(home, taken, len(found) - len(taken))) + "\n", encoding="utf-8")
    return Suggested(
        folder=folder, written=[*written, guide], proposals=taken, left_out=len(found) - len(taken)
    )  # fmt: skip


def start(home: Home, files: Sequence[Path]) -> list[Proposal]:
    """Fill the given files of a plan that holds nothing yet with what is proposed for them."""
    started = []
    taken = [p for p in proposals(home) if not any(cell.startswith(FORMULA) for cell in p.row.values())]
    for file in files:
        of_file = [p for p in taken if p.file == file.stem]
        if of_file:
            _write(file, [c.name for c in contract(file.stem).delivered_columns], [p.row for p in of_file])
            started += of_file
    return started


def proposals(home: Home) -> Iterator[Proposal]:
    """Each row that the mart fct_plan_proposal proposes, the dearest of each file first."""
    frame = warehouse.mart(home, "fct_plan_proposal")
    keys = ["plan_file", "dimension", "field", "found", "proposed"]
    grouped: dict[tuple[str, ...], dict[str, Decimal]] = {}
    reasons: dict[tuple[str, ...], str] = {}
    for row in frame.iter_rows(named=True):
        # A budget is of one currency; anything else is one row of the plan, whatever currencies it concerns.
        key = (*(str(row[k]) for k in keys), row["billing_currency"] if row["plan_file"] == "budget" else "")
        grouped.setdefault(key, {})[row["billing_currency"]] = row["effective_cost"]
        reasons[key] = row["reason"]
    _, rules = _own_rows(home, "tag_rule")
    priority = max((int(r["priority"]) for r in rules if (r.get("priority") or "").isdigit()), default=0)
    names = {r["rule_id"] for r in rules}
    order = sorted(grouped, key=lambda key: (FILES.index(key[0]), _rank(key), -max(grouped[key].values()), key))
    for key in order:
        name, dimension, field, found, proposed, currency = key
        money = grouped[key]
        if name == "tag_alias" and field == "tag key":
            row, said = {"tag_key": proposed, "alias": found}, f"tag key {found} → {proposed}"
        elif name == "tag_alias":
            row, said = {"tag_key": dimension, "alias": found, "value": proposed}, f"{dimension} {found} → {proposed}"
        elif name == "tag_rule":
            priority += 10
            rule = _rule_id(field, found, names)
            row = {
                "rule_id": rule, "priority": str(priority), "dimension": dimension, "field": field,
                "operator": "equals", "pattern": found, "value": proposed,
            }  # fmt: skip
            said = f"{field} {found} → {dimension} {proposed}"
        elif name == "owner":
            row = {"subject_kind": dimension, "subject": found, "owner": TO_BE_NAMED}
            said = f"{dimension} {found}"
        else:
            amount = money[currency]
            row = {
                "budget_name": f"{found} {currency}", "month": proposed, "team": found,
                "amount": f"{amount.quantize(Decimal('0.01'))}", "currency": currency,
            }  # fmt: skip
            said = f"{found}, {proposed}"
        yield Proposal(file=name, row=row, said=f"{said} ({reasons[key]})", money=money)


def _rank(key: tuple[str, ...]) -> int:
    # Rules take effect in the order in which a charge was counted to them.
    order = ("api_key_id", "resource_id", "sub_account_id", "billing_account_id")
    return order.index(key[2]) if key[0] == "tag_rule" else 0


def _rule_id(field: str, found: str, names: set[str]) -> str:
    stem = f"proposed-{field}-{re.sub(r'[^a-z0-9]+', '-', found.lower()).strip('-')[:60]}"
    name, number = stem, 2
    while name in names:
        name, number = f"{stem}-{number}", number + 1
    names.add(name)
    return name


def _own_rows(home: Home, name: str) -> tuple[list[str], list[dict[str, str]]]:
    """The columns and rows that the plan has now: of its file, else of the lake."""
    known = [c.name for c in contract(name).delivered_columns]
    file = home.plan / f"{name}.csv"
    if file.exists():
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if set(reader.fieldnames or ()) <= set(known) and reader.fieldnames:
                columns = [*reader.fieldnames, *(c for c in known if c not in reader.fieldnames)]
                return columns, [{k: v for k, v in row.items() if k and v} for row in reader]
    rows = warehouse.dataset(home, name).select(known).iter_rows(named=True)
    return known, [{k: _text(v) for k, v in row.items() if v is not None} for row in rows]


def _text(value: Any) -> str:
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, Decimal) and value % 1 else str(value)


def _write(file: Path, columns: Sequence[str], rows: Sequence[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _guide(home: Home, taken: Sequence[Proposal], left_out: int) -> list[str]:
    lines = [
        "# What the plan could say next",
        "",
        "Each file holds the plan's rows of today and the proposed ones below them. To accept a file, copy it to",
        "plan/; to accept a part, delete the other proposed rows first. Then `finops ingest` plan/ and `finops build`.",
        f"Name an owner where it says `{TO_BE_NAMED}`.",
    ]
    for name in FILES:
        rows = [p for p in taken if p.file == name]
        if rows:
            lines += ["", f"## {name}.csv", "", "| proposed | money it concerns |", "|---|---|"]
            lines += [f"| {_cell(p.said)} | {p.amounts} |" for p in rows]
    lines += ["", "## What only you can decide", ""]
    undecided = list(_undecided(home, taken))
    if undecided:
        lines += ["Cost that no team has and no evidence points to one. Rules for the first of these catch most:", ""]
        lines += ["| what a rule could look at | effective cost |", "|---|---|"]
        lines += [f"| {_cell(what)} | {currency} {amount:,.2f} |" for what, currency, amount in undecided]
    else:
        lines += ["Nothing."]
    if left_out:
        lines += ["", f"{left_out} proposals are left out: a spreadsheet would take what they name for a formula."]
    return lines


def _undecided(home: Home, taken: Sequence[Proposal]) -> Iterator[tuple[str, str, Decimal]]:
    proposed = {(p.row["field"], p.row["pattern"]) for p in taken if p.file == "tag_rule"}
    sums: dict[tuple[str, str, str], Decimal] = {}
    for row in warehouse.mart(home, "fct_unallocated").iter_rows(named=True):
        if (row["field"], row["pattern"]) not in proposed:
            key = row["field"], row["pattern"], row["billing_currency"]
            sums[key] = sums.get(key, Decimal(0)) + row["effective_cost"]
    for (field, pattern, currency), amount in sorted(sums.items(), key=lambda one: -one[1])[:UNDECIDED]:
        yield f"{field} {pattern}", currency, amount


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")
