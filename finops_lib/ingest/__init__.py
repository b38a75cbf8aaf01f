"""Exports enter the lake in three rooms; read them in this order.

    paths ──collect──► batches ──adapt──► staged facts ──admit──► verdicts ──lake.commit──► the lake

`collect` finds the files and learns which export each is. `adapt` owns the database: it makes rows of a contract out of
a batch, checks and adds them up, and gives facts. `admit` decides by the facts and the ledger what becomes of each
billing account's month. `lake.commit` does it: what is refused leaves the lake as it was. Facts stand in `facts`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from .. import lake
from ..contract import contract, default_thresholds
from ..errors import DamagedError, FinopsError, RefusedError, is_stop
from ..lake import TIMELESS, Closures, Content, Delivery, Home, Partition, Verdict
from . import adapt, adapters, admit, collect, companions
from .adapt import Adapted, Adapting
from .adapters import sources, sources_page, use_own
from .collect import Batch
from .collect.files import Delivered
from .facts import COMPANIONS, AccountMonth, Answer, Settings
from .outcomes import Ingested, Interrupted, Outcome
from .trying import check_own
from .withdrawing import withdraw

__all__ = [
    "Ingested",
    "Interrupted",
    "Outcome",
    "check_own",
    "ingest",
    "sources",
    "sources_page",
    "use_own",
    "withdraw",
]


def ingest(
    home: Home,
    paths: Sequence[str | Path],
    *,
    source: str | None = None,
    account: str | None = None,
    dates: str | None = None,
    accept_rejects: bool = False,
    accept_shrink: bool = False,
    new_only: bool = False,
    dry_run: bool = False,
    data_docs: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Ingested:
    """Bring exports into the lake, month by month; whatever is refused leaves the lake as it was.

    Reads    files, folders, globs and archives as delivered; `account` names the billing account of exports that do
             not say it themselves, and `dates` (month-first, day-first) how those write dates that do not tell;
             with `accept_rejects`, rows that cannot be taken are left out and counted instead of keeping their month
             out; with `accept_shrink`, a month that is closed or nearly complete may lose more than the plan's
             `restatement_shrink` of its money; with `new_only`, files that the ledger knows are not read again.
    Returns  one outcome per partition or refused file, in the order of the work.
    Refuses  UsageError for paths or sources that do not exist; anything wrong inside a file is an outcome.
    """
    use_own(home)
    # What died while it published is finished or forgotten, also where nothing new comes in.
    held = nullcontext() if dry_run else lake.locked(home, doing="an ingestion")
    with held, lake.staging(home) as workdir:
        began = datetime.now(UTC).isoformat(timespec="microseconds")
        settings = Settings(
            workdir=workdir,
            began=began,
            account=account,
            accept_rejects=accept_rejects,
            accept_shrink=accept_shrink,
            progress=progress,
        )
        call = _Call(
            home=home, settings=settings, source=source, dates=dates, dry_run=dry_run, closures=_closures(home)
        )
        call.did(*(Verdict(decision="note", source=None, messages=(said,)) for said in lake.unreadable_said(home)))
        left = [str(path) for path in paths]
        try:
            with adapt.Database(workdir=workdir) as db:
                collected = collect.from_paths(
                    paths, workdir=workdir, inspector=adapt.FileInspector(db), source=source, dates=dates,
                    known=_known(home) if new_only else (), progress=progress,
                )  # fmt: skip
            call.known.extend(collected.known)
            call.did(*(Verdict(decision=a.status, source=a.source, messages=(a.message,)) for a in collected.asides))
            left = [str(batch) for batch in collected.batches]
            # Charges of companion exports are made month by month where manifests tell the months of all.
            by_month = all(batch.period for batch in collected.batches if batch.adapter.is_companion)
            arrived = 0
            for i, batch in enumerate(collected.batches):
                left = left[-(len(collected.batches) - i) :]
                call.bring(batch, collected.damaged)
                if i + 1 == len(collected.batches) or (by_month and collected.batches[i + 1].period > batch.period):
                    call.complete(call.done[arrived:])
                    arrived = len(call.done)
            left = ["the pages of what was checked"]
            documented = _documented(call) if data_docs and not dry_run else None
        except (KeyboardInterrupt, RuntimeError) as stop:
            if not is_stop(stop):
                raise
            raise Interrupted(_ingested(call, None), left) from None
    return _ingested(call, documented)


@dataclass(frozen=True, kw_only=True)
class _Done:
    """A verdict that was carried out, or in a dry run would be."""

    verdict: Verdict
    checked: Path | None = None
    stored: bool = False
    """Whether it is a companion export that is stored now: what is said is said of the charges that it makes."""


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One call of `ingest`: what it was told, and what it has done so far."""

    home: Home
    settings: Settings
    source: str | None
    dates: str | None
    dry_run: bool
    closures: Closures | DamagedError
    """The closed months when the call began: a plan that comes with charges closes no month to them. Where nobody can
    tell them, why; then the plan alone comes in."""
    done: list[_Done] = field(default_factory=list)
    claimed: dict[Partition, str] = field(default_factory=dict)
    """Partitions that a batch of this call gave, and the first of its files."""
    known: list[Delivered] = field(default_factory=list)
    """Files that are there and are only read where a new one is of the same month."""

    def did(self, *verdicts: Verdict) -> None:
        self.done.extend(_Done(verdict=verdict) for verdict in verdicts)

    def bring(
        self, batch: Batch, damaged: Sequence[str], *, instead_of: Batch | None = None, alone: bool = False
    ) -> None:
        """Bring the files of one batch into the lake, with those known ones that gave the same months.

        Reads    instead_of: the batch without those; `alone` where they turned out to be older copies of its files.
        """
        standing = admit.unchanged(batch, lake.deliveries(self.home))
        if standing and not self._has_lost([v.delivery for v in standing if v.delivery]):
            self.did(*standing)
            return
        try:
            with lake.writing(self.home), adapt.adapting(self.settings) as room:
                adapted = room.batch(batch)
                holds = lake.current(self.home)
                older = instead_of is not None and admit.are_newer(instead_of, adapted.facts, holds)
                siblings = [] if alone else admit.siblings(adapted.facts, holds, self.known)
                if not older and not siblings:
                    self._settle(room, adapted, damaged)
                    return
                together = collect.with_siblings(
                    batch, siblings, workdir=self.settings.workdir, inspector=adapt.FileInspector(room.db),
                    source=self.source, dates=self.dates,
                )  # fmt: skip
            if older and instead_of:
                self.bring(instead_of, damaged, alone=True)
            else:
                self.bring(together, damaged, instead_of=instead_of or batch, alone=together == batch)
        except RefusedError as error:
            self.did(Verdict(decision="refuse", source=batch.adapter.name, messages=(str(error),)))
        except Exception as error:  # whatever a file does to a library, its neighbours come in
            if is_stop(error):
                raise
            said = collect.unforeseen([f.name for f in batch.files], error)
            self.did(Verdict(decision="refuse", source=batch.adapter.name, messages=(said,)))

    def _shrink(self) -> Decimal:
        """Share of its money that a month which is closed or nearly complete may lose at once."""
        measure = "restatement_shrink"
        shipped = next(Decimal(d["value"]) for d in default_thresholds() if d["measure"] == measure)
        planned = lake.limit(self.home, measure)
        return shipped if planned is None else planned

    def _has_lost(self, deliveries: Sequence[Delivery]) -> bool:
        """Whether the lake or the ledger lacks something of what deliveries of one batch left."""
        if lake.unreadable(self.home) or {d.delivery_id for d in deliveries} & lake.forgotten(self.home):
            return True
        return any(lake.damage(self.home, d, thoroughly=True) for d in deliveries)

    def _damaged(self, partitions: Iterable[Partition]) -> dict[Partition, str]:
        holds = lake.current(self.home)
        found = {p: lake.damage(self.home, holds[p], thoroughly=True) for p in partitions if p in holds}
        return {p: said for p, said in found.items() if said}

    def complete(self, done: Sequence[_Done]) -> None:
        """Make the charges of every account-month of which a companion export has been stored."""
        arrived = [d.verdict.partition for d in done if d.stored and d.verdict.partition]
        if not arrived or self.dry_run:
            return
        for together in companions.completed(list(adapters.adapters().values()), arrived, lake.current(self.home)):
            if together.waiting:
                self.did(together.waiting)
                continue
            try:
                self._complete(together)
            except RefusedError as error:
                self.did(Verdict(decision="refuse", source=together.adapter.name, messages=(str(error),)))
            except Exception as error:  # one month that cannot be made stops no other
                if isinstance(error, FinopsError) or is_stop(error):
                    raise
                said = collect.unforeseen([f"{together.adapter.name}, {together.where.month}"], error)
                self.did(Verdict(decision="refuse", source=together.adapter.name, messages=(said,)))

    def _complete(self, together: companions.Together) -> None:
        for p, damage in self._damaged(together.stored.values()).items():
            raise RefusedError(f"{p}: its file of the lake {damage}. {lake.healing(together.holds[p])}.")
        with lake.writing(self.home), adapt.adapting(self.settings) as room:
            self.settings.progress(f"adapting {together.adapter.name} {together.where.month}")
            stored = {n: self.home.lake / p.file for n, p in together.stored.items() if p in together.holds}
            entries = [f for d in together.deliveries for f in d.files]
            adapted = room.companions(together.adapter, together.where, stored, entries, together.rejected)
            self._settle(room, adapted, ())

    def _settle(self, room: Adapting, adapted: Adapted, damaged: Sequence[str]) -> None:
        """From facts to verdicts, and from verdicts to the lake."""
        facts = adapted.facts
        if isinstance(self.closures, DamagedError) and facts.dataset == admit.CHARGES:
            raise RefusedError(str(self.closures))
        closures = Closures() if isinstance(self.closures, DamagedError) else self.closures
        holds, months = lake.current(self.home), {where.month for where in facts.account_months}
        near = [p for p in holds if p.dataset == facts.dataset and months & {p.month, p.corrects}]
        shrink = None if self.settings.accept_shrink else self._shrink()
        here = {p for where in facts.account_months if (p := admit.partition(facts, where)) and p not in holds}
        ledger = admit.Ledger(
            holds=holds, closures=closures, shrink=shrink, damaged=self._damaged(near),
            forgotten={p for p in here if lake.footer(self.home.lake / p.file) is not None},
        )  # fmt: skip
        try:
            answers = {
                where: room.answer(adapted, where, question, self.home.lake)
                for where, question in admit.questions(facts, ledger).items()
            }
        except adapt.SQLError as error:
            raise RefusedError(
                f"What the lake holds cannot be compared ({adapt.plainly(error)}). `finops verify` says what heals it."
            ) from None
        verdicts = admit.verdicts(facts, ledger, answers, damaged=damaged, claimed=self.claimed)
        self.claimed.update(admit.claims(facts) | self.claimed)

        def content(verdict: Verdict) -> Content:
            if verdict.arrived is None:
                return Content()
            where = AccountMonth(verdict.arrived.billing_account, verdict.arrived.month)
            rejects = room.written_rejects(adapted, where)
            if not verdict.enters:
                return Content(rejects=rejects)
            answer = answers.get(where, Answer())
            if verdict.partition == verdict.arrived:
                answer = replace(answer, differences=None)
            data, breakdown = room.written(adapted, where, answer)
            return Content(data=data, breakdown=breakdown, rejects=rejects)

        for verdict in verdicts if self.dry_run else lake.commit(self.home, verdicts, content):
            stored = facts.is_companion and (verdict.enters or verdict.decision == "unchanged")
            self.done.append(_Done(verdict=verdict, checked=facts.file, stored=stored))
        self.did(*(Verdict(decision="note", source=facts.adapter.name, messages=(n,)) for n in facts.passed_over))


def _closures(home: Home) -> Closures | DamagedError:
    try:
        return lake.closures(home)
    except DamagedError as error:
        return error


def _known(home: Home) -> set[str]:
    """sha256 of every file and archive that the ledger knows and that need not be read again."""
    ledger = lake.deliveries(home)
    entries = [f for d in ledger if d.whole or d.withdrawn for f in d.files]
    # What the lake has lost comes in again.
    forgotten = lake.forgotten(home)
    standing = lake.standing_in(ledger).values()
    lost = [f for d in standing if d.delivery_id in forgotten or lake.damage(home, d) for f in d.files]
    return _sha256s(entries) - _sha256s(lost)


def _sha256s(files: Sequence[Mapping[str, str]]) -> set[str]:
    return {f["sha256"] for f in files} | {f["archive_sha256"] for f in files if "archive_sha256" in f}


def _outcomes(call: _Call) -> Iterator[Outcome]:
    for d in call.done:
        if call.dry_run or not d.stored:
            yield from Outcome.of(d.verdict, dry_run=call.dry_run)


def _ingested(call: _Call, documented: Path | None) -> Ingested:
    return Ingested(
        outcomes=list(_outcomes(call)),
        data_docs=documented,
        rejects=sorted({d.verdict.rejects for d in call.done if d.verdict.rejects}),
    )


def _documented(call: _Call) -> Path | None:
    """Let Great Expectations say what was checked: one page per source and dataset of this call."""
    from .. import expectations

    groups: dict[tuple[str, str], list[_Done]] = defaultdict(list)
    datasets = {adapter.name: adapter.dataset for adapter in reversed(adapters.adapters().values())}
    for done in call.done:
        verdict = done.verdict
        if verdict.messages and (verdict.enters or verdict.decision in ("refuse", "refused")):
            if verdict.partition and verdict.partition.dataset == COMPANIONS:
                continue
            dataset = verdict.partition.dataset if verdict.partition else datasets.get(verdict.source or "")
            groups[verdict.source or "not recognised", dataset or "cost_and_usage"].append(done)
    if not groups:
        return None
    call.settings.progress("writing Data Docs")
    pages = []
    for (source, dataset), found in sorted(groups.items()):
        months = sorted({p.month for d in found if (p := d.verdict.partition) and p.month != TIMELESS})
        span = f", {months[0]} to {months[-1]}" if len(months) > 1 else f", {months[0]}" if months else ""
        files = {
            call.home.lake / d.verdict.partition.file if d.verdict.enters and d.verdict.partition else d.checked
            for d in found
        }
        pages.append(
            expectations.Delivery(
                title=f"{dataset} from {source}{span}",
                delivered_at=call.settings.began[:19] + "Z",
                contract=contract(dataset),
                parquet=sorted(f for f in files if f is not None and f.exists()),
                refusals=[message for d in found if not d.verdict.enters for message in d.verdict.messages],
            )
        )
    try:
        with lake.writing(call.home):
            return expectations.document(pages, out=call.home.reports / "data_docs")
    except FinopsError as error:
        # The lake is whole already; pages about it that cannot be written refuse nothing.
        call.did(Verdict(decision="note", source=None, messages=(str(error),)))
        return None
