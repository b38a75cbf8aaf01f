"""The house's import table, held by reading the imports; and the speed of what every command pays for."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "finops_lib"

MAY_IMPORT = {
    "errors": set(),
    "money": set(),
    "contract": {"errors"},
    "lake": {"errors"},
    "pricing": {"errors"},
    "ingest": {"contract", "lake", "pricing", "errors", "expectations", "money"},
    "expectations": {"contract", "errors"},
    "warehouse": {"contract", "lake", "errors"},
    "restatements": {"contract", "lake", "money", "errors"},
    "export": {"contract", "lake", "warehouse", "errors"},
    "conformance": {"contract", "lake", "warehouse", "errors"},
    "verification": {"contract", "lake", "warehouse", "money", "errors"},
    "analysis": {"errors"},
    "charts": {"errors"},
    "policy": {"warehouse", "lake", "analysis", "charts", "errors"},
    "reports": {"warehouse", "lake", "analysis", "charts", "errors"},
    "samples": {"errors"},
    "proposals": {"contract", "lake", "warehouse", "errors"},
    "pipeline": {
        "contract",
        "lake",
        "ingest",
        "conformance",
        "warehouse",
        "analysis",
        "policy",
        "reports",
        "proposals",
        "errors",
    },
    "cli": {
        "errors",
        "money",
        "lake",
        "ingest",
        "warehouse",
        "policy",
        "reports",
        "samples",
        "pipeline",
        "export",
        "conformance",
        "restatements",
        "proposals",
        "verification",
    },
}
"""Room of ours → rooms of ours it may import."""

HEAVY_ONLY_IN = {
    "prophet": {"analysis/forecast.py"},
    "dbt": {"warehouse/building.py"},
    "great_expectations": {"expectations.py"},
    "altair": {"charts.py", "reports"},
    "genai_prices": {"pricing.py", "samples"},
    "xlsxwriter": {"reports"},
}
"""Library → the only places that may import it."""

INGEST_ROOMS = {
    "collect": {"duckdb", "lake", "ingest.adapt", "ingest.admit", "ingest.companions", "ingest.facts"},
    "adapt": {"lake", "ingest.admit", "ingest.companions"},
    "admit": {"duckdb", "pathlib", "os", "contract", "ingest.adapt"},
    "companions": {"duckdb", "pathlib", "os", "contract", "ingest.adapt"},
    "facts": {"duckdb", "os", "contract", "ingest.adapt", "ingest.admit"},
}
"""Room of ingest → what it must not import: paths become batches, batches facts, facts verdicts; nothing goes back."""

LAKE_AS_VALUES = {"TIMELESS", "Closure", "Closures", "Delivery", "Partition", "Verdict", "healing", "standing_in"}
"""What admission may know of the lake: what it holds and what is to become of it, not how it is written."""

NO_INPUT_OUTPUT = ("pathlib", "duckdb", "os", "datetime.now", "open(", "time")
"""What analysis must not touch: it takes frames and gives frames."""


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        relative = file.relative_to(PACKAGE)
        room = relative.parts[0].removesuffix(".py")
        yield room, file, ast.parse(file.read_text(encoding="utf-8"))


def imported(file: Path, tree: ast.Module) -> Iterator[str]:
    """Absolute names of everything a module imports, wherever the statement stands."""
    package = ("finops_lib", *file.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            stem = ".".join(p for p in (base, node.module or "") if p)
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def test_every_room_imports_only_what_the_table_allows() -> None:
    wrong = []
    for room, file, tree in modules():
        if room == "__init__":
            continue
        for name in imported(file, tree):
            if name.startswith("finops_lib."):
                other = name.split(".")[1]
                if other != room and other not in MAY_IMPORT[room]:
                    wrong.append(f"{file.relative_to(ROOT)} imports {other}")
    assert wrong == []


def test_the_table_names_every_room_and_no_other() -> None:
    rooms = {room for room, _, _ in modules() if room != "__init__"}
    assert set(MAY_IMPORT) == rooms


def test_heavy_libraries_are_imported_in_one_place_each_and_only_when_needed() -> None:
    wrong = []
    for _, file, tree in modules():
        relative = str(file.relative_to(PACKAGE))
        for library, places in HEAVY_ONLY_IN.items():
            if any(n.split(".")[0] == library for n in imported(file, tree)) and not any(
                relative.startswith(p) for p in places
            ):
                wrong.append(f"{relative} imports {library}")
    assert wrong == []


def test_analysis_takes_frames_and_gives_frames() -> None:
    wrong = []
    for room, file, tree in modules():
        if room == "analysis":
            wrong += [
                f"{file.name}: {n}"
                for n in imported(file, tree)
                if n.split(".")[0] in ("pathlib", "duckdb", "os", "time")
            ]
            calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
            wrong += [f"{file.name}: {c}" for c in calls if c in ("open", "datetime.now", "date.today", "print")]
    assert wrong == []


SUMS = {"group_by", "agg", "over", "sum", "mean", "median", "cum_sum", "diff", "pct_change"}
"""What makes figures of a frame's rows: a mart's column has each figure already."""


@pytest.mark.parametrize("place", ["policy.py", "reports/content.py", "reports/__init__.py"])
def test_gates_and_reports_compute_no_figure(place: str) -> None:
    tree = ast.parse((PACKAGE / place).read_text(encoding="utf-8"))
    calls = {n.func.attr for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)}
    assert calls & SUMS == set()


def test_a_line_is_a_row_of_the_thresholds_and_no_number_in_python_or_sql() -> None:
    named = re.compile(r"^[A-Z_]*(LIMIT|THRESHOLD|TARGET|GRADES)[A-Z_]*$")
    found = [
        f"{file.name}: {target.id}"
        for room, file, tree in modules()
        if room in ("analysis", "charts", "policy", "reports")
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and named.match(target.id)
    ]
    compared = re.compile(r"(ratio|share|change|coverage|utilization|difference|days)\)* *(<|>|<=|>=) *-?0?\.\d")
    for file in sorted((ROOT / "dbt_project" / "models").rglob("*.sql")):
        text = file.read_text(encoding="utf-8")
        found += [f"{file.name}: {hit[0]}" for hit in compared.finditer(text)]
        found += [f"{file.name}: var()" for _ in re.finditer(r"\bvar\(", text)]
    assert found == []


def test_the_rooms_of_ingest_hand_over_one_way() -> None:
    wrong = []
    for room, file, tree in modules():
        if room != "ingest":
            continue
        own = file.relative_to(PACKAGE / "ingest").parts[0].removesuffix(".py")
        for name in imported(file, tree):
            inner = name.removeprefix("finops_lib.")
            wrong += [f"{own} imports {name}" for no in INGEST_ROOMS.get(own, ()) if f"{inner}.".startswith(f"{no}.")]
            if own in ("admit", "companions", "facts") and inner.startswith("lake."):
                wrong += [f"{own} imports {name}"] if inner.split(".")[1] not in LAKE_AS_VALUES else []
    assert wrong == []


def test_admission_touches_no_file_and_no_clock() -> None:
    for file in (PACKAGE / "ingest" / f"{name}.py" for name in ("admit", "companions", "facts")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        calls = {n.func.attr if isinstance(n.func, ast.Attribute) else ast.unparse(n.func)
                 for n in ast.walk(tree) if isinstance(n, ast.Call)}  # fmt: skip
        assert calls.isdisjoint({
            "open", "exists", "is_file", "read_text", "read_bytes", "write_text", "write_bytes", "glob", "unlink",
            "mkdir", "now", "today", "print", "execute", "sql", "rows", "run",
        })  # fmt: skip


def test_one_class_of_ingest_owns_the_database() -> None:
    users = {
        str(file.relative_to(PACKAGE / "ingest"))
        for room, file, tree in modules()
        if room == "ingest" and "duckdb" in imported(file, tree)
    }
    # The catalogue of adapters takes their declarations apart; it reads nobody's data.
    assert users == {"adapt/database.py", "adapters.py"}


def test_adapters_hold_no_python_and_do_not_know_the_lake() -> None:
    folder = PACKAGE / "adapters"
    assert [f.name for f in folder.rglob("*.*") if f.suffix not in (".sql", ".csv", ".md")] == []
    for file in folder.rglob("*.sql"):
        assert not re.search(r"read_parquet|read_csv|billing_month|copy\s*\(", file.read_text(encoding="utf-8")), (
            file.name
        )


@pytest.mark.parametrize("room", ["cli.py", "reports", "policy.py", "analysis"])
def test_no_sql_outside_the_rooms_that_own_it(room: str) -> None:
    place = PACKAGE / room
    for file in [place] if place.suffix else sorted(place.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.match(r"\s*(select|insert|create|copy)\s.+\s(from|table|view|to)\s", node.value), (
                    f"{file.name} line {node.lineno} holds SQL"
                )


def test_only_staging_reads_the_lake() -> None:
    readers = {
        f.parent.name
        for f in (ROOT / "dbt_project" / "models").rglob("*.sql")
        if re.search(r"\bsource\(", f.read_text(encoding="utf-8"))
    }
    assert readers == {"staging"}


def test_importing_the_library_loads_nothing_heavy() -> None:
    heavy = ["dbt", "prophet", "great_expectations", "altair", "polars", "pandas", "duckdb", "rich"]
    code = f"import finops_lib, finops_lib.cli, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
