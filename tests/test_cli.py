"""The command line: names, exit codes, and no traceback for anything a user can do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import pytest

from finops_lib import cli, lake
from finops_lib.contract import contracts
from finops_lib.lake import Home

COMMANDS = (
    "init", "plan", "samples", "sources", "ingest", "withdraw", "deliveries", "build", "forecast", "report", "check",
    "export", "verify", "run",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 100


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = capsys.readouterr().out
    assert [c for c in COMMANDS if f"\n    {c}" not in listed] == []


def test_wrong_usage_ends_with_2() -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["ingest"])
    assert ended.value.code == 2


def test_a_path_that_is_not_there_ends_with_2_and_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--home", str(tmp_path), "ingest", str(tmp_path / "bill.csv")]) == 2
    assert capsys.readouterr().err == (
        f"finops: There is no file or folder {tmp_path / 'bill.csv'}. Check the path; "
        "patterns are expanded as in a shell.\n"
    )


@pytest.mark.parametrize("command", ["build", "run", "report", "deliveries"])
def test_a_home_that_is_not_there_is_refused_with_the_nearest_folder(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "company").mkdir()
    wanted = tmp_path / "compny"
    assert cli.main([command, "--home", str(wanted)]) == 2
    assert capsys.readouterr().err == (
        f"finops: There is no home {wanted}. In {tmp_path} there is company. "
        f"Start one with `finops init --home {wanted}`.\n"
    )
    assert not wanted.exists()


def test_an_address_is_no_home(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--home", "s3://bucket/home", "build"])
    assert ended.value.code == 2
    assert "argument --home: found s3://bucket/home, wanted a folder of this machine\n" in capsys.readouterr().err


def test_a_command_spelt_wrongly_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["biuld"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("finops: error: there is no 'biuld'. Did you mean build?\n")


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"finops {version('focus-warehouse')}\n"


def test_who_comes_second_is_told_who_writes_and_ends_with_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert cli.main(["--home", str(home), "init"]) == 0
    said: list[str] = []

    def second() -> None:
        # The lock is a thread's as much as a process's.
        assert cli.main(["--home", str(home), "ingest", str(home / "plan")]) == 4
        said.append(capsys.readouterr().err)
        assert cli.main(["--home", str(home), "ingest", "--dry-run", str(home / "plan")]) == 0
        assert cli.main(["--home", str(home), "deliveries"]) == 0

    with lake.locked(Home(home), doing="finops run"):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert re.fullmatch(
        rf"finops: {re.escape(str(home))} is being written by finops run \(process \d+ on \S+, since [^)]*\)\. "
        r"Try again when it has ended, or wait for it with `finops --wait SECONDS`\.\n",
        said[0],
    )
    assert cli.main(["--home", str(home), "ingest", str(home / "plan")]) == 0
    assert not [f for f in home.iterdir() if f.name == lake.HOLDER]


def test_what_a_command_makes_only_its_user_can_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert cli.main(["--home", str(home), "init"]) == 0
    assert cli.main(["--home", str(home), "ingest", str(home / "plan")]) == 0
    open_to_others = [f for f in home.rglob("*") if f.stat().st_mode & 0o077]
    assert open_to_others == []


def test_a_refusal_ends_with_1_and_is_said_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bill = tmp_path / "bill.csv"
    bill.write_text("", encoding="utf-8")
    assert cli.main(["--home", str(tmp_path / "home"), "ingest", str(bill)]) == 1
    assert "refused: bill.csv: the file is empty (0 bytes)." in capsys.readouterr().err


def test_an_option_of_another_export_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--home", str(tmp_path), "export", "allocation", "--version", "1.3", "--out", str(tmp_path / "x.csv")]
    assert cli.main(command) == 2
    assert capsys.readouterr().err == (
        "finops: `--dataset` and `--version` are of `finops export focus`; allocated cost is one table.\n"
    )


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["build"], "has no lake yet. Bring in a delivery with `finops ingest PATH`.\n"),
        (["report"], "warehouse.duckdb does not exist yet. Build it with `finops --home {home} build`.\n"),
        (["check"], "warehouse.duckdb does not exist yet. Build it with `finops --home {home} build`.\n"),
        (["forecast"], "warehouse.duckdb does not exist yet. Build it with `finops --home {home} build`.\n"),
        (
            ["export", "focus", "--out", "{home}/x.parquet"],
            "holds no charges yet. Bring in a bill with `finops ingest PATH`.\n",
        ),
        (
            ["export", "allocation", "--out", "{home}/x.parquet"],
            "warehouse.duckdb does not exist yet. Build it with `finops --home {home} build`.\n",
        ),
    ],
)  # fmt: skip
def test_a_command_too_early_names_the_one_that_comes_before(
    command: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    assert cli.main(["--home", str(home), *(c.format(home=home) for c in command)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("finops: ")
    assert error.endswith(said.format(home=home))
    assert error.count("\n") == 1


def test_init_writes_a_plan_that_explains_itself_and_can_be_ingested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert cli.main(["--home", str(home), "init"]) == 0
    plan = {d.dataset for d in contracts().values() if d.plan}
    assert {f.stem for f in (home / "plan").glob("*.csv")} == plan
    guide = (home / "plan" / "README.md").read_text(encoding="utf-8")
    assert [
        c.name for d in contracts().values() if d.plan for c in d.delivered_columns if f"| {c.name} |" not in guide
    ] == []
    assert "| experiment_to_production | 2023 | limit | 0.30 | ratio |" in guide
    assert cli.main(["--home", str(home), "ingest", str(home / "plan")]) == 0
    (home / "plan" / "budget.csv").write_text("mine", encoding="utf-8")
    assert cli.main(["--home", str(home), "init"]) == 2
    assert (home / "plan" / "budget.csv").read_text(encoding="utf-8") == "mine"


def test_a_threshold_of_an_unknown_measure_is_refused_with_the_nearest_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "threshold.csv"
    file.write_text("measure,edition,grade,value\nexperiments_to_production,,limit,0.1\n", encoding="utf-8")
    assert cli.main(["--home", str(tmp_path / "home"), "ingest", str(file)]) == 1
    told = capsys.readouterr()
    said = " ".join((told.out + told.err).split())
    assert "row 1, column measure: found 'experiments_to_production', wanted one of the" in said
    assert "values plan/README.md lists (the nearest is experiment_to_production)." in said


def test_sources_and_deliveries_speak_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["sources", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {"focus", "aws_cur", "azure_actual", "azure_amortized", "gcp_detailed", "openai_costs", "openai_usage",
            "anthropic_cost", "anthropic_usage", "plan", "direct"} <= {s["source"] for s in found}  # fmt: skip
    assert cli.main(["--home", str(tmp_path), "deliveries", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_interrupting_says_that_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_sources", stop)
    assert cli.main(["sources"]) == 130
    assert capsys.readouterr().err == (
        "finops: stopped. What was published stays; run the same command again to go on.\n"
    )


def test_the_command_is_installed_under_its_name() -> None:
    command = Path(sys.executable).with_name("finops")
    done = subprocess.run([command, "--help"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("usage: finops")
