"""Notebooks stay thin: a question, calls of the library, charts, an answer. Running them is `make notebooks`."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.py"))
LONGEST_FUNCTION = 5


def _markdown(text: str) -> list[str]:
    cells = re.split(r"^# %%", text, flags=re.M)
    return [re.sub(r"^# ?", "", c, flags=re.M) for c in cells if c.startswith(" [markdown]")]


def test_there_are_four_and_only_text_is_kept() -> None:
    assert [n.stem for n in NOTEBOOKS] == [
        "01_spend", "02_unit_cost", "03_experiment_or_production", "04_forecast_and_roi",
    ]  # fmt: skip
    assert list(FOLDER.glob("*.ipynb")) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_a_notebook_asks_one_question_in_its_heading_and_ends_with_the_answer(notebook: Path) -> None:
    cells = _markdown(notebook.read_text(encoding="utf-8"))
    headings = [line for c in cells for line in c.splitlines() if line.startswith("# ")]
    assert len(headings) == 1
    assert headings[0].endswith("?")
    assert cells[-1].split("\n", 1)[1].strip() == "## Answer"
    last = notebook.read_text(encoding="utf-8").rsplit("# %%", 1)[1]
    assert "charts.finding(" in last


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_a_notebook_holds_no_query_no_formula_and_no_long_function(notebook: Path) -> None:
    tree = ast.parse(notebook.read_text(encoding="utf-8"))
    texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert not [t for t in texts if re.search(r"\b(select|from|join|where)\b", t, re.I)]
    assert not [n for n in ast.walk(tree) if isinstance(n, (ast.BinOp, ast.AugAssign))]
    for function in (n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))):
        assert (function.end_lineno or 0) - function.lineno + 1 <= LONGEST_FUNCTION, function.name


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_a_notebook_opens_the_home_it_is_told_and_draws_without_a_network(notebook: Path) -> None:
    text = notebook.read_text(encoding="utf-8")
    assert 'Home(os.environ.get("FINOPS_HOME", "demo"))' in text
    assert "charts.show_in_notebooks()" in text
    assert "http" not in text
