"""What several tests need: an empty home, the sample company once, the shared samples where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops_lib.lake import Home

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


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


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The sample company's last six months, all the way: exports, lake, marts, forecast, report."""
    from finops_lib import pipeline, samples, warehouse
    from finops_lib.ingest import ingest
    from finops_lib.reports import report

    root = tmp_path_factory.mktemp("company")
    samples.write(root, months=6)
    home = Home(root)
    assert ingest(home, [home.inbox, home.plan]).refused == []
    assert ingest(home, [root / "corrections"], data_docs=False).refused == []
    assert warehouse.build(home).messages == []
    assert pipeline.forecast(home).refused == []
    report(home)
    return home
