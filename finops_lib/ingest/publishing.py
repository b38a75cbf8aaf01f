"""The way of a delivery from its files into the lake."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from .. import lake
from ..contract import contract
from ..errors import FinopsError, RefusedError, is_stop
from ..lake import TIMELESS, Delivery, Home
from . import checking, parts, recognising, rejecting, settling, staging
from .adapters import Adapter, adapters
from .call import PARTS, Batch, Call, Ingested, Interrupted, Outcome, Progress, Staged, by_name, named, refusals
from .checking import Where
from .files import Delivered, first_line
from .reading import misfits, passed_over, raw_view, version


def ingest(
    home: Home,
    paths: Sequence[str | Path],
    *,
    source: str | None = None,
    account: str | None = None,
    dates: str | None = None,
    accept_rejects: bool = False,
    new_only: bool = False,
    dry_run: bool = False,
    data_docs: bool = True,
    progress: Progress = lambda _: None,
) -> Ingested:
    """Bring exports into the lake, month by month; whatever is refused leaves the lake as it was.

    Reads    files, folders, globs and archives as delivered; `account` names the billing account of exports that do
             not say it themselves, and `dates` (month-first, day-first) how those write dates that do not tell;
             with `accept_rejects`, rows that cannot be taken are left out and counted instead of keeping their month
             out; with `new_only`, files that the ledger knows are not read again.
    Returns  one outcome per unit or refused file, in the order of the work.
    Refuses  UsageError for paths or sources that do not exist; anything wrong inside a file is an outcome.
    """
    with lake.writing(home), lake.locked(home):
        pass  # what died while it published is finished or forgotten, also where nothing new comes in
    with lake.staging(home) as workdir:
        call = Call(
            home=home,
            workdir=workdir,
            account=account,
            dates=dates,
            dry_run=dry_run,
            progress=progress,
            began=datetime.now(UTC).isoformat(timespec="microseconds"),
            closures=lake.closures(home),
            kept=set(),
            damaged=[],
            accept_rejects=accept_rejects,
            rejects=[],
            outcomes=[],
            published=[],
            taken={},
        )
        left = [str(path) for path in paths]
        try:
            batches = recognising.batches(call, paths, source, new_only=new_only)
            # Charges of two exports are made month by month where manifests tell the months of both.
            by_month = all(batch.period for batch in batches if batch.adapter.kept)
            left = [str(batch) for batch in batches]
            for i, batch in enumerate(batches):
                left = [str(b) for b in batches[i:]]
                _brought(call, batch)
                if i + 1 == len(batches) or (by_month and batches[i + 1].period > batch.period):
                    parts.complete(call)
            left = ["the pages of what was checked"]
            documented = _data_docs(call) if data_docs and not dry_run else None
        except (KeyboardInterrupt, RuntimeError) as stop:
            if not is_stop(stop):
                raise
            call.outcomes.extend([o for o in call.published if o not in call.outcomes])
            raise Interrupted(_ingested(call, None), left) from None
    return _ingested(call, documented)


def _ingested(call: Call, documented: Path | None) -> Ingested:
    return Ingested(
        outcomes=[replace(o, staged=None) for o in call.outcomes], data_docs=documented, rejects=sorted(call.rejects)
    )


def _data_docs(call: Call) -> Path | None:
    try:
        with lake.writing(call.home):
            return _documented(call, call.outcomes)
    except FinopsError as error:
        # The lake is whole already; pages about it that cannot be written refuse nothing.
        call.outcomes.append(Outcome(status="note", source=None, message=str(error)))
        return None


def _brought(call: Call, batch: Batch) -> None:
    try:
        call.outcomes.extend(_ingest_group(call, batch.adapter, batch.files))
    except RefusedError as error:
        call.outcomes.append(Outcome(status="refused", source=batch.adapter.name, message=str(error)))


def _ingest_group(call: Call, adapter: Adapter, files: list[Delivered]) -> list[Outcome]:
    if _already_there(call, adapter, files):
        return [
            Outcome(status="unchanged", source=adapter.name, unit=d.unit, delivery=d, message=f"{d.unit}: unchanged")
            for d in lake.current(call.home).values()
            if d.source == adapter.name and {f["sha256"] for f in d.files} <= {f.sha256 for f in files}
        ]
    call.progress(f"reading {adapter.name}: {len(files)} file{'s' if len(files) > 1 else ''}")
    with staging.database(call) as db:
        rejecting.begin(db)
        files, reasons = staging.readable(call, db, adapter, files)
        staging.limit_memory(db, [f.document_size for f in files if f.format == "json"])
        target = call.workdir / f"{adapter.name}-{adapter.dataset}.parquet"
        delivery_id = staging.delivery_id(call, files, adapter)

        why: dict[str, list[str]] = {}

        def stage(*, strict: bool) -> None:
            raw_view(db, adapter, files, strict=strict, without="rejected" if call.accept_rejects else None)
            staging.stage(call, db, staging.adapted(db, adapter), target, delivery_id)

        try:
            if not files:
                return refusals(adapter, reasons)
            stage(strict=True)
        except duckdb.Error as error:
            # The fast reading stops at the first misfit without saying where; read again, slowly, to name it.
            why = misfits(db, adapter, files)
            if not why:
                names = named([f.name for f in files])
                # What is quoted is a value.
                said = re.sub(r"['\"].*['\"]", "…", first_line(error)) if adapter.private else first_line(error)
                message = f"{names}: the {adapter.name} adapter cannot read this ({said})."
                return [Outcome(status="refused", source=adapter.name, message=message)]
            unreadable = {f.name for f in files if f.name in why and staging.is_unreadable(db, adapter, f)}
            files = [f for f in files if f.name not in unreadable]
            reasons |= {name: found for name, found in why.items() if name in unreadable or not call.accept_rejects}
            if not files:
                return refusals(adapter, reasons)
            rejecting.misfits(db, adapter, [f for f in files if f.name in why])
            try:
                stage(strict=False)
            except duckdb.Error:
                # The SELECT cannot do without the values that are missing: then none of the files is judged further.
                return refusals(adapter, why)
        entries = by_name([f.entry for f in files])
        if adapter.kept:
            counts = parts.counts(db, reasons)
            reasons = _with_siblings(call, [f.name for f in files], reasons, counts)
            rejected = staging.rejected_rows(db, adapter, files)
            return parts.keep(call, db, adapter, entries, counts, reasons, rejected)
        own = contract(adapter.dataset)
        offences = checking.offences(db, adapter, own)
        if offences:
            rejecting.offenders(db, own)
            if call.accept_rejects:
                stage(strict=False)
                offences = checking.offences(db, adapter, own)
        counted = staging.delivered(db, adapter)
        for name in {name for name in why if name not in reasons} - {f for found in counted[0].values() for f in found}:
            reasons[name] = [*why[name], f"{name}: no row of it can be taken."]
        staged = Staged(
            file=target,
            delivery_id=delivery_id,
            entries=entries,
            counted=counted,
            offences=offences,
            rejected=staging.rejected_rows(db, adapter, files),
            reasons=_with_siblings(call, [f.name for f in files], reasons, counted[0]),
            notes={f.name: told for f in files if (told := version(adapter, f))},
            manifests={f.name: f.manifest for f in files if f.manifest},
        )
        notes = [
            Outcome(
                status="note",
                source=adapter.name,
                message=f"{name}: {passed} of {count} {unit} hold nothing that {adapter.name} reads.",
            )
            for name, unit, passed, count in passed_over(db, adapter, [f for f in files if f.name not in reasons])
        ]
        return [*settling.settle(call, db, adapter, staged), *notes]


def _with_siblings(
    call: Call, names: Sequence[str], reasons: dict[str, list[str]], counts: dict[Where, dict[str, int]]
) -> dict[str, list[str]]:
    """The reasons, and one more for each file that may hold the month of a file whose months nobody can tell.

    Such files are named alike but for their digits: publishing part 1 without part 2 would make a short month.
    """
    located = {file for per_file in counts.values() for file in per_file}
    lost = [*call.damaged, *(set(reasons) - located)]

    def alike(name: str) -> str:
        return re.sub(r"\d+", "#", name)

    extended = dict(reasons)
    for name in names:
        for bad in lost:
            if name not in extended and name != bad and alike(name) == alike(bad):
                extended[name] = [f"{name}: stays out, because {bad} was refused and may hold the same month."]
    return extended


def _already_there(call: Call, adapter: Adapter, files: Sequence[Delivered]) -> bool:
    """Whether every file stands in the lake unchanged and whole, so that nothing need be read."""
    arrived = {f.sha256 for f in files}
    newest: dict[tuple[str, str], Delivery] = {}
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for d in lake.deliveries(call.home):
        if d.source == adapter.name and d.dataset == adapter.dataset:
            where = (d.billing_account, d.corrects or d.month)
            newest[where] = d
            seen[where] |= {f["sha256"] for f in d.files}
    held = [d for d in newest.values() if not d.withdrawn and d.whole and d.adapter_sha256 == adapter.sha256]
    settled = {f["sha256"] for d in held for f in d.files if {g["sha256"] for g in d.files} <= arrived}
    # What gave a month that holds something else by now, or nothing, is wanted back there.
    for where, d in newest.items():
        settled -= seen[where] - (set() if d.withdrawn else {f["sha256"] for f in d.files})
    return bool(files) and arrived <= settled


def _documented(call: Call, outcomes: Sequence[Outcome]) -> Path | None:
    """Let Great Expectations say what was checked: one page per source and dataset of this call."""
    from .. import expectations

    groups: dict[tuple[str, str], list[Outcome]] = defaultdict(list)
    for o in outcomes:
        if o.status in ("published", "refused") and not (o.unit and o.unit.dataset == PARTS):
            dataset = (
                o.unit.dataset if o.unit else next((a.dataset for a in adapters().values() if a.name == o.source), "")
            )
            groups[(o.source or "not recognised", dataset or "cost_and_usage")].append(o)
    if not groups:
        return None
    call.progress("writing Data Docs")
    pages = []
    for (source, dataset), found in sorted(groups.items()):
        months = sorted({o.unit.month for o in found if o.unit and o.unit.month != TIMELESS})
        span = f", {months[0]} to {months[-1]}" if len(months) > 1 else f", {months[0]}" if months else ""
        pages.append(
            expectations.Delivery(
                title=f"{dataset} from {source}{span}",
                delivered_at=call.began[:19] + "Z",
                contract=contract(dataset),
                parquet=sorted({o.staged for o in found if o.staged is not None and o.staged.exists()}),
                refusals=[o.message for o in found if o.status == "refused"],
            )
        )
    return expectations.document(pages, out=call.home.reports / "data_docs")
