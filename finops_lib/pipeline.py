"""What takes several rooms at once: starting a home, delivering a forecast, the scheduled run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import lake, proposals, warehouse
from .contract import Contract, contracts
from .errors import FinopsError, NotBuiltError, UsageError
from .ingest import Ingested, ingest
from .lake import Home

if TYPE_CHECKING:
    from .analysis.reconciliation import Comparison

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Status:
    """Whether one account's month is open, reconciled or closed."""

    month: str
    source: str
    billing_account_id: str
    status: str


@dataclass(frozen=True, kw_only=True)
class Reconciled:
    """What `reconcile` found."""

    invoices: list[Comparison]
    usage: list[Comparison]
    """One per vendor, account, day and model."""
    months: list[Comparison]
    """The same, one per vendor, account and month."""
    statuses: list[Status]
    unexplained: list[Comparison]
    """Lines with more unexplained than the plan tolerates, or than was asked for."""


def init(home: Home, *, progress: Progress = lambda _: None) -> list[Path]:
    """Make the folders of a home and a commented skeleton of each plan file that is not there yet.

    Where the lake holds charges, the new files start with what `finops plan suggest` would propose for them; the marts
    are built first where they are not there.

    Returns  what was written.
    Refuses  UsageError when every plan file exists already: nothing is ever overwritten.
    """
    written = []
    for folder in (home.plan, home.inbox):
        folder.mkdir(parents=True, exist_ok=True)
    for own in contracts().values():
        file = home.plan / f"{own.dataset}.csv"
        if own.plan and not file.exists():
            file.write_text(_skeleton(own), encoding="utf-8")
            written.append(file)
    guide = home.plan / "README.md"
    if not guide.exists():
        guide.write_text(_guide(), encoding="utf-8")
        written.append(guide)
    if not written:
        raise UsageError(f"{home.plan} is complete already; nothing was written. Edit the files there.")
    if any(unit.dataset == "cost_and_usage" for unit in lake.current(home)):
        if not home.warehouse.exists():
            progress("building the marts, to start the plan from the charges")
            warehouse.build(home)
        proposals.start(home, written)
    return written


def _skeleton(own: Contract) -> str:
    # CSV knows no comments, so the explanation stands in plan/README.md and the file holds its header alone.
    return ",".join(c.name for c in own.delivered_columns) + "\n"


def _guide() -> str:
    lines = [
        "# The plan: what your organisation decides, as CSV anyone in finance can edit",
        "",
        "Bring it in with `finops ingest plan` (or `finops run`). A mistake is refused with file, row and column,",
        "and the plan of before stays in force.",
    ]
    for own in contracts().values():
        if own.plan:
            lines += [
                "",
                f"## {own.dataset}.csv",
                "",
                f"{own.description} One row: {own.grain.removeprefix('one ')}.",
                "",
            ]
            lines += ["| column | must be there | meaning |", "|---|---|---|"]
            for c in own.delivered_columns:
                values = f" One of {', '.join(c.values)}." if c.values else ""
                lines.append(f"| {c.name} | {'yes' if c.required else 'no'} | {c.description}{values} |")
            if own.dataset == "threshold":
                lines += ["", "What holds where the file says nothing:", ""]
                lines += [
                    "| measure | edition | grade | value | unit | meaning | source |",
                    "|---|---|---|---|---|---|---|",
                ]
                for d in warehouse.default_thresholds():
                    listed = (d[k] for k in ("measure", "edition", "grade", "value", "unit", "meaning", "source"))
                    lines.append(f"| {' | '.join(listed)} |")
    return "\n".join(lines) + "\n"


def forecast(home: Home, *, progress: Progress = lambda _: None) -> Ingested:
    """Forecast daily effective cost, in total and by team, and deliver it to the lake like any other export.

    Reads    the mart fct_allocated_cost: what was reported and estimated up to the data date, and what is known of the
             days after it.
    Returns  what the delivery did; the marts that show a forecast are rebuilt.
    Refuses  NotBuiltError without a warehouse; ShortHistoryError when no series is long enough.
    """
    from .analysis.forecast import forecasts, period_ends
    from .analysis.spend import daily_history, days_ahead

    data_through = warehouse.data_date(home)
    allocated = warehouse.mart(home, "fct_allocated_cost")
    history = daily_history(allocated, data_through=data_through)
    ahead = days_ahead(allocated, data_through=data_through, until=period_ends(data_through).year)
    progress("fitting and backtesting")
    expected, accuracy = forecasts(history, data_through=data_through, ahead=ahead)
    with lake.staging(home) as folder:
        files = []
        for name, frame in (("forecast", expected), ("forecast_accuracy", accuracy)):
            file = folder / f"{name}-{data_through}.parquet"
            frame.write_parquet(file)
            files.append(file)
        delivered = ingest(home, files, source="direct", progress=progress)
    progress("rebuilding what shows a forecast")
    warehouse.build(home, select=["stg_forecast+", "stg_forecast_accuracy+"])
    return delivered


def reconcile(home: Home, *, month: str | None = None, tolerance: Decimal | None = None) -> Reconciled:
    """Compare charges with invoices, and AI vendors' bills with their usage at list price.

    Reads    the marts fct_invoice_gap, fct_usage_gap, fct_reconciliation_reason and fct_month_status. `month` narrows
             what is returned; `tolerance` stands for the plan's in what is called unexplained, not in the marts.
    Refuses  NotBuiltError without a warehouse; UsageError for a month that the lake has no charges of.
    """
    import polars as pl

    from .analysis import reconciliation

    invoice_gaps = warehouse.mart(home, "fct_invoice_gap")
    usage_gaps = warehouse.mart(home, "fct_usage_gap")
    months = warehouse.mart(home, "fct_month_status")
    if month is not None:
        known = sorted({*invoice_gaps["month"], *invoice_gaps["last_month"], *usage_gaps["month"]})
        if month not in known:
            span = f"from {known[0]} to {known[-1]}" if known else "of no month"
            raise UsageError(f"There are no charges of {month}. There are charges {span}.")
        invoice_gaps = invoice_gaps.filter(pl.lit(month).is_between(pl.col("month"), pl.col("last_month")))
        usage_gaps, months = usage_gaps.filter(month=month), months.filter(month=month)
    reasons = warehouse.mart(home, "fct_reconciliation_reason")
    invoices = reconciliation.invoices(invoice_gaps, reasons)
    usage = reconciliation.usage(usage_gaps, reasons)
    return Reconciled(
        invoices=invoices,
        usage=usage,
        months=reconciliation.by_month(usage_gaps, reasons),
        statuses=[
            Status(**row)
            for row in months.sort("month", "source", "billing_account_id")
            .select("month", "source", "billing_account_id", "status")
            .iter_rows(named=True)
        ],
        unexplained=[
            line
            for line in (*invoices, *usage)
            if (line.status == reconciliation.UNEXPLAINED if tolerance is None else abs(line.unexplained) > tolerance)
        ],
    )


def month_statuses(home: Home) -> dict[tuple[str, str, str], str]:
    """Source, account and month of every charge of the lake → open, reconciled or closed.

    Reads    the plan's closed months as they are today, and the mart fct_month_status: without a warehouse nothing is
             known to be reconciled.
    """
    closures = lake.closures(home)
    found = {
        (d.source, d.billing_account, d.month): "open" for d in lake.deliveries(home) if d.dataset == "cost_and_usage"
    }
    try:
        months = warehouse.mart(home, "fct_month_status")
    except NotBuiltError:
        pass
    else:
        found |= {(r["source"], r["billing_account_id"], r["month"]): r["status"] for r in months.iter_rows(named=True)}
    return {unit: "closed" if closures.of(*unit) else status for unit, status in found.items()}


def run(home: Home, *, progress: Progress = lambda _: None) -> dict[str, Any]:
    """The scheduled whole: new files of inbox/ and plan/, conformance, build, forecast, check, report, one summary.

    Returns  the summary, which is also written to reports/runs/: each step with status (done, failed, skipped) and
             what it said. A step that fails does not stop the ones that can do without it.
    """
    from . import conformance
    from .analysis import governance
    from .policy import check
    from .reports import report

    began = datetime.now(UTC)
    steps: list[dict[str, str]] = []

    def step(name: str, work: Callable[[], tuple[bool, str]]) -> bool:
        progress(name)
        try:
            fine, said = work()
        except FinopsError as error:
            fine, said = False, str(error)
        steps.append({"step": name, "status": "done" if fine else "failed", "said": said})
        return fine

    def bring_in() -> tuple[bool, str]:
        folders = [f for f in (home.inbox, home.plan) if f.exists()]
        done = ingest(home, folders, new_only=True, progress=progress)
        said = [*done.lines(), *(o.message for o in done.refused)]
        return not done.refused, "; ".join(said) or "no new files"

    def conform() -> tuple[bool, str]:
        try:
            findings = conformance.check(home)
        except NotBuiltError as error:
            return True, str(error)
        broken = [f for f in findings if f.offenders and f.rule.severity == "error"]
        said = [f"{f.rule.sentence} Found {f.offenders}, the first: {f.file}, row {f.row}" for f in broken]
        return not broken, "; ".join(said) or f"{len(findings)} rules of FOCUS, none broken"

    def build() -> tuple[bool, str]:
        built = warehouse.build(home)
        said = f"{built.succeeded} passed, {built.failed} failed, {built.skipped} skipped"
        late = []
        if not built.failed:
            through = warehouse.data_date(home)
            behind = governance.behind(warehouse.mart(home, "fct_data_freshness"), through=through)
            late = [f"data through {through}, but {behind}"] if behind else []
        return built.failed == 0, "; ".join([said, *late, *built.messages, *built.findings])

    def look_ahead() -> tuple[bool, str]:
        done = forecast(home, progress=progress)
        return not done.refused, "; ".join(o.message for o in done.outcomes)

    def gates() -> tuple[bool, str]:
        verdicts = check(home)
        failed = [f"{v.gate}: found {v.found}, wanted {v.wanted}" for v in verdicts if v.passed is False]
        return not failed, "; ".join(failed) or f"{len(verdicts)} gates, none failed"

    step("ingest", bring_in)
    step("conformance", conform)
    step("build", build)
    step("forecast", look_ahead)
    step("check", gates)
    step("report", lambda: (True, str(report(home))))
    summary: dict[str, Any] = {
        "began": began.isoformat(timespec="seconds"),
        "seconds": round((datetime.now(UTC) - began).total_seconds(), 1),
        "steps": steps,
    }
    folder = home.reports / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{began:%Y%m%dT%H%M%SZ}.json"
    summary["written"] = str(file)
    file.write_text(json.dumps(summary, indent=1), encoding="utf-8")
    return summary
