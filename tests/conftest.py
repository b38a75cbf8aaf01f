"""What several tests need: an empty home, the sample company once, the shared samples where they are."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from once import FOLDER, once

from finops_lib.lake import Home

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="finops-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def shared_samples() -> Path:
    """Exports written by others; they are not part of the project."""
    folder = SHARED / "sources" / "samples"
    if not folder.exists():
        pytest.skip("../shared/sources/samples is not beside the project: exports of others cannot be read")
    return folder


def _company(root: Path) -> None:
    from test_dbt import keep_parse

    from finops_lib import pipeline, samples, warehouse
    from finops_lib.ingest import ingest
    from finops_lib.reports import report

    home = Home(root)
    samples.write(root, months=6)
    assert ingest(home, [home.inbox, home.plan]).refused == []
    assert ingest(home, [root / "corrections"], data_docs=False).refused == []
    keep_parse(root / ".dbt" / "target")
    assert warehouse.build(home).messages == []
    assert pipeline.forecast(home).refused == []
    report(home)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample company's last six months, all the way: exports, lake, marts, forecast, report.

    Each worker has a copy, since some tests deliver to it.
    """
    made = once("company", _company)
    home = Home(tmp_path_factory.mktemp("company") / "home")
    shutil.copytree(made, home.root)
    return home
