"""One line, drawn in the plan: mart, KPI, gate, chart title and report say the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from finops_lib import policy, warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home
from finops_lib.reports import report

LINE = "measure,edition,grade,value,owner,evidence\nexperiment_to_production,,limit,0.10,Ada,the board decided so\n"


@pytest.fixture(scope="module")
def stricter(company: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample company with a line of its own: experiments may cost 10 % of production."""
    home = Home(tmp_path_factory.mktemp("stricter") / "home")
    shutil.copytree(company.root, home.root)
    file = home.plan / "threshold.csv"
    file.write_text(LINE, encoding="utf-8")
    assert ingest(home, [file]).refused == []
    marts = ["dim_threshold", "fct_lifecycle_share", "fct_kpi", "fct_gate"]
    assert warehouse.build(home, select=[*marts, "stg_threshold"]).messages == []
    return home


def test_a_line_of_the_plan_is_the_one_that_everything_says(stricter: Home) -> None:
    line = warehouse.mart(stricter, "dim_threshold").filter(pl.col("measure") == "experiment_to_production")
    assert line.select("edition", "grade", "value", "decided_by", "owner", "source").rows() == [
        ("2023", "limit", 0.1, "plan", "Ada", "the board decided so")
    ]

    shares = warehouse.mart(stricter, "fct_lifecycle_share")
    assert shares["experiment_limit"].unique().to_list() == [0.1]
    month, now = "2026-10", (pl.col("scope") == "company") & (pl.col("billing_currency") == "USD")
    of_month = shares.filter(now, pl.col("month") == month).row(0, named=True)
    assert (of_month["status"], of_month["experiment_ratio"] > 0.1) == ("over", True)

    kpis = warehouse.mart(stricter, "fct_kpi").filter(now, pl.col("month") == month)
    kpi = kpis.filter(pl.col("kpi") == "experiment_to_production").row(0, named=True)
    assert (kpi["grade"], kpi["value"]) == ("over limit", of_month["experiment_ratio"])

    gate = next(v for v in policy.check(stricter) if v.gate == "experiment beside production")
    assert (gate.passed, gate.wanted, gate.source) == (False, "at most 10%", "the board decided so")

    folder: Path = report(stricter)
    summary = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    findings = {chart["name"]: chart for section in summary["sections"] for chart in section["charts"]}
    assert findings["lifecycle-usd"]["finding"].endswith("over the 10 % threshold.")
    assert "black mark: experiments at 10 % of production" in findings["lifecycle-usd"]["basis"]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert "over the 10 % threshold" in page
    assert "the board decided so" in page


def test_without_a_plan_every_line_is_a_shipped_default_that_says_who_says_so(company: Home) -> None:
    lines = warehouse.mart(company, "dim_threshold")
    own = set(warehouse.dataset(company, "threshold")["measure"])
    assert set(lines.filter(pl.col("decided_by") == "plan")["measure"]) == own
    shipped = {(d["measure"], d["edition"], d["grade"]): d for d in warehouse.default_thresholds()}
    for line in lines.filter(pl.col("decided_by") == "default").iter_rows(named=True):
        default = shipped[line["measure"], line["edition"], line["grade"]]
        assert (line["value"], line["source"]) == (float(default["value"]), default["source"])
