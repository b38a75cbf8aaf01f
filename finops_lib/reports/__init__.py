"""What an executive gets: one page that opens anywhere, its charts, its tables, and the figures as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finops_lib.lake import Home


def report(home: Home, *, month: str | None = None, out: Path | str | None = None) -> Path:
    """Write the report of a month: `index.html`, `charts/`, `tables.xlsx` and `report.json`.

    Reads    the marts of content.MARTS.
    Returns  the folder it wrote, `reports/<month>` of the home unless `out` names another. The same data give the same
             bytes. Without `month` it is the month of the last reported usage.
    Refuses  NotBuiltError when the warehouse is not built or holds no charge; UsageError for a month without charges.
    """
    from finops_lib import lake, warehouse

    from .content import MARTS, compose
    from .writing import write

    build, marts = warehouse.snapshot(home, MARTS)
    through = warehouse.data_through(home, marts["fct_data_freshness"])
    missing = warehouse.missing_money(home)
    composed = compose(marts, data_date=through, build=build.said, month=month, missing=missing)
    with lake.locked(home, doing="a report"):
        return write(composed, Path(out) if out else home.reports / composed.month)
