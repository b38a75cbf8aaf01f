"""What takes several rooms at once: starting a home, delivering a forecast, the scheduled run."""

from __future__ import annotations

import hashlib
import json
import os
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from . import lake, proposals, warehouse
from .contract import Contract, contracts
from .errors import FinopsError, NotBuiltError, UsageError, is_stop
from .ingest import Ingested, Outcome, ingest
from .lake import Home

if TYPE_CHECKING:
    import polars as pl

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
    Returns  what the delivery did; the marts that show a forecast are rebuilt. Where the figures are those of the
             forecast that the lake holds, nothing is made again.
    Refuses  NotBuiltError without a warehouse; ShortHistoryError when no series is long enough.
    """
    from .analysis.forecast import forecasts, period_ends
    from .analysis.spend import daily_history, days_ahead

    with lake.locked(home, doing="a forecast"):
        marts = warehouse.marts(home, ["fct_data_freshness", "fct_allocated_cost"])
        data_through = warehouse.data_through(home, marts["fct_data_freshness"])
        allocated = marts["fct_allocated_cost"]
        history = daily_history(allocated, data_through=data_through)
        ahead = days_ahead(allocated, data_through=data_through, until=period_ends(data_through).year)
        ending = f"{data_through}-{_made_from(history, ahead)}.parquet"
        standing = {d.dataset: d for d in lake.current(home).values() for f in d.files if f["name"].endswith(ending)}
        if standing.keys() >= {"forecast", "forecast_accuracy"}:
            warehouse.build(home)  # which may have been cut short when that forecast came
            said = [f"{d.partition}: made from the same figures already" for d in standing.values()]
            return Ingested(outcomes=[Outcome(status="unchanged", source="direct", message=s) for s in said])
        progress("fitting and backtesting")
        expected, accuracy = forecasts(history, data_through=data_through, ahead=ahead)
        with lake.staging(home) as folder:
            files = []
            for name, frame in (("forecast", expected), ("forecast_accuracy", accuracy)):
                file = folder / f"{name}-{ending}"
                frame.write_parquet(file)
                files.append(file)
            delivered = ingest(home, files, source="direct", progress=progress)
        progress("rebuilding what shows a forecast")
        warehouse.build(home)
    return delivered


def _made_from(history: pl.DataFrame, ahead: pl.DataFrame) -> str:
    """What tells one forecast from another before it is made: its figures, and who makes it of them."""
    from .analysis import forecast as maker

    found = hashlib.sha256(Path(maker.__file__).read_bytes())
    for frame in (history, ahead):
        found.update(frame.sort(frame.columns).write_csv().encode())
    return found.hexdigest()[:12]


def reconcile(home: Home, *, month: str | None = None, tolerance: Decimal | None = None) -> Reconciled:
    """Compare charges with invoices, and AI vendors' bills with their usage at list price.

    Reads    the marts fct_invoice_gap, fct_usage_gap, fct_reconciliation_reason and fct_month_status. `month` narrows
             what is returned; `tolerance` stands for the plan's in what is called unexplained, not in the marts.
    Refuses  NotBuiltError without a warehouse; UsageError for a month that the lake has no charges of.
    """
    import polars as pl

    from .analysis import reconciliation

    names = ("fct_invoice_gap", "fct_usage_gap", "fct_month_status", "fct_reconciliation_reason")
    invoice_gaps, usage_gaps, months, reasons = warehouse.marts(home, names).values()
    if month is not None:
        known = sorted({*invoice_gaps["month"], *invoice_gaps["last_month"], *usage_gaps["month"]})
        if month not in known:
            span = f"from {known[0]} to {known[-1]}" if known else "of no month"
            raise UsageError(f"There are no charges of {month}. There are charges {span}.")
        invoice_gaps = invoice_gaps.filter(pl.lit(month).is_between(pl.col("month"), pl.col("last_month")))
        usage_gaps, months = usage_gaps.filter(month=month), months.filter(month=month)
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


STEPS = ("ingest", "conformance", "build", "forecast", "check", "report")
"""What `run` does, in this order."""

NEEDS_BUILD = ("forecast", "check", "report")
"""Steps that would say of new data what an older warehouse holds, where the build has failed."""


@dataclass(frozen=True, kw_only=True)
class Did:
    """What one step of a run came to."""

    status: str = "done"
    """done, failed, or not passed where it did its work and what it judged is not as it should be."""
    said: str
    counts: Mapping[str, int] = field(default_factory=dict)
    artifacts: Sequence[Path] = ()
    """What it wrote."""
    messages: Sequence[str] = ()


def run(home: Home, *, progress: Progress = lambda _: None) -> dict[str, Any]:
    """The scheduled whole: new files of inbox/ and plan/, conformance, build, forecast, check, report, one summary.

    Returns  the summary, which is also written to reports/runs/, whatever went wrong: each step with status (done,
             failed, not passed, skipped, stopped), seconds, what it said, counts, artifacts and messages. A step that
             fails does not stop the ones that can do without it.
    """
    began = datetime.now(UTC)
    kept = home.reports / "runs" / f"{began:%Y%m%dT%H%M%SZ}"
    file = kept.with_suffix(".json")
    steps: list[dict[str, Any]] = []
    summary: dict[str, Any] = {"began": began.isoformat(timespec="seconds"), "steps": steps, "written": str(file)}
    try:
        with lake.locked(home, doing="finops run"):
            for number, name in enumerate(STEPS, start=1):
                progress(f"{number} of {len(STEPS)}: {name}")
                say = partial(_say, progress, f"{number} of {len(STEPS)}")
                steps.append(_step(home, name, steps, kept, say))
                if steps[-1]["status"] == "stopped":
                    raise KeyboardInterrupt
    finally:
        summary["seconds"] = round((datetime.now(UTC) - began).total_seconds(), 1)
        with suppress(NotBuiltError):
            summary["build"] = warehouse.published(home).build_id
        file.parent.mkdir(parents=True, exist_ok=True)
        written = file.with_suffix(".new")
        written.write_text(json.dumps(summary, indent=1), encoding="utf-8")
        os.replace(written, file)
    return summary


def _say(progress: Progress, at: str, said: str) -> None:
    progress(f"{at}: {said}")


def _step(home: Home, name: str, before: Sequence[dict[str, Any]], kept: Path, progress: Progress) -> dict[str, Any]:
    began = monotonic()
    built = next((s["status"] for s in before if s["step"] == "build"), "done")
    if name in NEEDS_BUILD and built != "done":
        did = Did(status="skipped", said="the build failed: what was published before it stays, and so does its report")
    else:
        try:
            did = _WORK[name](home, kept, progress)
        except FinopsError as error:
            did = Did(status="failed", said=str(error))
        except (KeyboardInterrupt, RuntimeError) as stop:
            if not is_stop(stop):
                raise
            did = Did(status="stopped", said="stopped; the next run goes on from here")
        except Exception as error:  # noqa: BLE001 - a schedule wants the other steps, and a summary that names this one
            log = _keep(kept / f"{name}.log", traceback.format_exc())
            said = f"a fault of finops ({type(error).__name__}); please report it with {log.name}"
            did = Did(status="failed", said=said, artifacts=[log])
    return {
        "step": name,
        "status": did.status,
        "said": did.said,
        "seconds": round(monotonic() - began, 1),
        "counts": dict(did.counts),
        "artifacts": [str(path) for path in did.artifacts],
        "messages": list(did.messages),
    }


def _keep(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def _bring_in(home: Home, _: Path, progress: Progress) -> Did:
    done = ingest(home, [f for f in (home.inbox, home.plan) if f.exists()], new_only=True, progress=progress)
    refused, waiting = [o.message for o in done.refused], lake.held(home)
    return Did(
        status="failed" if refused else "not passed" if waiting else "done",
        said="; ".join([*done.lines(), *refused, *waiting]) or "no new files",
        counts=Counter(o.status for o in done.outcomes),
        artifacts=[*done.rejects, *([done.data_docs] if done.data_docs else [])],
        messages=[*refused, *waiting],
    )


def _conform(home: Home, _: Path, __: Progress) -> Did:
    from . import conformance

    try:
        findings = conformance.check(home)
    except NotBuiltError as error:
        return Did(said=str(error))
    broken = [f for f in findings if f.offenders and f.rule.severity == "error"]
    said = [f"{f.rule.sentence} Found {f.offenders}, the first: {f.file}, row {f.row}" for f in broken]
    return Did(
        status="not passed" if broken else "done",
        said="; ".join(said) or f"{len(findings)} rules of FOCUS, none broken",
        counts={"rules": len(findings), "broken": len(broken)},
        messages=said,
    )


def _built(home: Home, kept: Path, progress: Progress) -> Did:
    from .analysis import governance

    built = warehouse.build(home, progress=lambda name, i, total: progress(f"build, {i} of {total}: {name}"))
    late = []
    if not built.failed:
        freshness = warehouse.mart(home, "fct_data_freshness")
        through = warehouse.data_through(home, freshness)
        behind = governance.behind(freshness, through=through)
        late = [f"data through {through}, but {behind}"] if behind else []
    artifacts = []
    if built.results:
        artifacts = [_keep(kept / "build.run_results.json", built.results.read_text(encoding="utf-8"))]
    return Did(
        status="failed" if built.failed else "done",
        said="; ".join([*filter(None, [built.said]), *late, *built.notes, *built.messages, *built.findings]),
        counts={"models": built.models, "tests": built.tests, "failed": built.failed, "skipped": built.skipped},
        artifacts=artifacts,
        messages=[*built.messages, *built.findings],
    )


def _look_ahead(home: Home, _: Path, progress: Progress) -> Did:
    done = forecast(home, progress=progress)
    return Did(
        status="failed" if done.refused else "done",
        said="; ".join(o.message for o in done.outcomes),
        counts=Counter(o.status for o in done.outcomes),
    )


def _gates(home: Home, _: Path, __: Progress) -> Did:
    from .policy import check

    verdicts = check(home)
    failed = [f"{v.gate}: found {v.found}, wanted {v.wanted}" for v in verdicts if v.passed is False]
    return Did(
        status="not passed" if failed else "done",
        said="; ".join(failed) or f"{len(verdicts)} gates, none failed",
        counts={"gates": len(verdicts), "failed": len(failed)},
        messages=failed,
    )


def _reported(home: Home, _: Path, __: Progress) -> Did:
    from .reports import report

    folder = report(home)
    return Did(said=str(folder), artifacts=[folder])


_WORK: dict[str, Callable[[Home, Path, Progress], Did]] = {
    "ingest": _bring_in,
    "conformance": _conform,
    "build": _built,
    "forecast": _look_ahead,
    "check": _gates,
    "report": _reported,
}
