"""What the pages show to copy is what it says it is."""

from __future__ import annotations

import ast
import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from finops_lib import pipeline

ROOT = Path(__file__).parent.parent
SCHEDULING = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def shown(language: str) -> list[str]:
    """The pieces of the page on scheduling in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", SCHEDULING, re.DOTALL | re.MULTILINE)


def test_every_page_that_a_page_links_to_is_there() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert missing == []


def test_the_page_on_scheduling_knows_the_exit_codes_and_the_cron_line_of_the_readme() -> None:
    codes = {code for row in re.findall(r"^\| ([\d, ]+) \|", SCHEDULING, re.MULTILINE) for code in row.split(", ")}
    assert codes == set(re.findall(r"^\| (\d+) \|", README, re.MULTILINE))
    [line] = shown("cron")
    assert line in README


def test_the_service_and_its_timer_are_units_that_systemd_takes(tmp_path: Path) -> None:
    service, timer = shown("ini")
    for text, section in ((service, "Service"), (timer, "Timer")):
        # systemd allows a key twice; none is here.
        unit = configparser.ConfigParser(interpolation=None)
        unit.read_string(text)
        assert {"Unit", section} <= set(unit.sections())
    assert "SuccessExitStatus=3" in service
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here: the units were parsed only")
    # It looks whether the program is there.
    (tmp_path / "finops.service").write_text(re.sub(r"ExecStart=\S+", "ExecStart=/bin/true", service))
    (tmp_path / "finops.timer").write_text(timer)
    units = [str(tmp_path / name) for name in ("finops.service", "finops.timer")]
    judged = subprocess.run(
        ["systemd-analyze", "--recursive-errors=no", "verify", *units], capture_output=True, text=True, check=False
    )
    assert (judged.returncode, [line for line in judged.stderr.splitlines() if "finops." in line]) == (0, [])


@pytest.mark.parametrize(
    ("code", "said", "ends"), [(0, "", 0), (3, "::warning::", 0), (1, "::error::", 1), (4, "::error::", 4)]
)
def test_the_workflow_ends_as_the_exit_code_says_and_shows_no_amount(
    tmp_path: Path, code: int, said: str, ends: int
) -> None:
    [text] = shown("yaml")
    workflow = yaml.safe_load(text)
    # YAML 1.1 reads the key `on` as true.
    assert workflow[True]["schedule"] == [{"cron": "15 6 * * *"}]
    steps = workflow["jobs"]["run"]["steps"]
    assert all(("uses" in step) != ("run" in step) for step in steps)
    assert not [step for step in steps if "secrets." in step.get("run", "")]
    [script] = [step["run"] for step in steps if step.get("name") == "run"]
    program = tmp_path / "warehouse" / ".venv" / "bin" / "finops"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho USD 12,345\nexit {code}\n")
    program.chmod(0o755)
    # As GitHub runs it.
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == ends
    assert done.stdout.startswith(said)
    assert "12,345" not in done.stdout + done.stderr
    assert (tmp_path / "run.log").read_text() == "USD 12,345\n"


def test_the_airflow_and_dagster_pieces_are_python() -> None:
    airflow, dagster = (ast.parse(text) for text in shown("python"))
    assert {node.name for node in ast.walk(airflow) if isinstance(node, ast.FunctionDef)} == {"costs", "run", "gates"}
    assert [node.name for node in dagster.body if isinstance(node, ast.FunctionDef)] == ["finops_run"]
    named = {node.targets[0].id: node.value for node in dagster.body if isinstance(node, ast.Assign)}
    assert {*ast.literal_eval(named["ASSETS"]), *ast.literal_eval(named["CHECKS"])} == set(pipeline.STEPS)
