"""The second room: a batch becomes rows in the columns of its contract, and facts about them. No lake.

Everything that needs SQL happens on one `Database`, which lives as long as its batch: reading and adapting, checking,
adding up, comparing with files of the lake that are named to it, and writing what a verdict puts in place.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...contract import contract, literal
from ...errors import RefusedError
from ..adapters import Adapter, vocabulary
from ..collect import Batch, named
from ..collect.files import Delivered
from ..collect.recognising import version
from ..facts import COMPANIONS, AccountMonth, Answer, Question, Rejected, Settings, Staged
from . import checking, comparing, reading, rejecting, staging
from .database import Database, Relation, SQLError, plainly
from .inspecting import FileInspector

__all__ = ["Adapted", "Adapting", "Database", "FileInspector", "SQLError", "adapting", "plainly"]


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """Facts about a batch, and where its rows are for as long as its database is open."""

    facts: Staged
    staged: Relation | None = None
    """None where nothing could be read at all."""
    summed: Relation | None = None
    """What the ledger keeps apart of each account-month."""
    located: Relation | None = None
    """The rejected rows by account-month."""
    everything: Relation | None = None
    """All rows that were delivered, rejected ones included."""


@contextmanager
def adapting(settings: Settings) -> Iterator[Adapting]:
    """A database with what adapters' SELECTs may use, for one batch."""
    with Database(workdir=settings.workdir) as db:
        if settings.account is not None:
            db.run(f"set variable account = {literal(settings.account)}")
        vocabulary(db)
        yield Adapting(db=db, settings=settings, rejected=rejecting.nothing_rejected(db))


@dataclass(frozen=True, kw_only=True)
class Adapting:
    """One batch at work."""

    db: Database
    settings: Settings
    rejected: Relation

    def batch(self, batch: Batch) -> Adapted:
        """Stage files as they were delivered; of a companion export the rows as they are, beside where they belong.

        Refuses  OSError where the disk has no room for it.
        """
        adapter = batch.adapter
        files, refused = self._readable(adapter, batch.files)
        facts = Staged(
            adapter=adapter,
            dataset=COMPANIONS if adapter.is_companion else adapter.dataset,
            source=adapter.name if adapter.is_companion else adapter.source,
            delivery_id=self._delivery_id(adapter, [f.sha256 for f in files]),
            delivered_at=self.settings.began,
            file=self.settings.workdir / f"{adapter.name}-{adapter.dataset}.parquet",
        )
        # A document takes twice its size, for each statement that reads some of them at the same time.
        documents = sorted(f.document_size for f in files if f.format == "json")
        self.db.limit_memory(2 * sum(documents[-reading.STATEMENTS :]))

        pages = self._unfinished(files)
        if pages and not adapter.private:
            return Adapted(facts=replace(facts, refused=refused | {name: [said] for name, said in pages.items()}))
        repeated = self._repeated(adapter, files)
        if repeated:
            contradicted = rejecting.reject_contradictions(self.db, adapter, repeated, self.rejected)
            refused |= {} if self.settings.accept_rejects else contradicted

        def stage(*, strict: bool) -> tuple[Relation, Relation]:
            without = self.rejected if self.settings.accept_rejects else None
            if repeated:
                left_out = f"union all select x_source_file, x_source_row from {without}" if without else ""
                equal = f"select x_source_file, x_source_row from {repeated} where is_equal"
                without = self.db.view("left_out", f"{equal} {left_out}")
            raw = reading.raw_view(self.db, adapter, files, strict=strict, without=without)
            if adapter.is_companion:
                return self._staged(staging.as_delivered(adapter, raw), facts), raw
            return self._staged(staging.in_contract_columns(self.db, adapter), facts), raw

        misfits: dict[str, list[str]] = {}
        try:
            if not files:
                return Adapted(facts=replace(facts, refused=refused))
            staged, raw = stage(strict=True)
        except SQLError as error:
            # The fast reading stops at the first misfit without saying where; read again, slowly, to name it.
            misfits = reading.misfits(self.db, adapter, files)
            if not misfits:
                return self._not_adapted(replace(facts, refused=refused), [f.name for f in files], error)
            unreadable = {f.name for f in files if f.name in misfits and self._is_unreadable(adapter, f)}
            files = [f for f in files if f.name not in unreadable]
            refused |= {n: m for n, m in misfits.items() if n in unreadable or not self.settings.accept_rejects}
            if not files:
                return Adapted(facts=replace(facts, refused=refused))
            rejecting.reject_misfits(self.db, adapter, [f for f in files if f.name in misfits], self.rejected)
            try:
                staged, raw = stage(strict=False)
            except SQLError:
                # The SELECT cannot do without the values that are missing: then none of the files is judged further.
                return Adapted(facts=replace(facts, refused=refused | misfits))
        facts = replace(
            facts,
            entries=_by_name([f.entry for f in files]),
            manifests={f.name: f.manifest for f in files if f.manifest},
            versions={f.name: told for f in files if (told := version(adapter, f))},
        )
        for name in adapter.companions:
            staging.companion_table(self.db, adapter, name, None, "")
        if adapter.is_companion:
            read, astray = staging.read_of_companion(self.db, staged)
            adapted = Adapted(facts=replace(facts, read=read, refused=astray | refused), staged=staged)
        else:
            try:
                adapted = self._checked(facts, staged, raw, lambda: stage(strict=False))
            except SQLError as error:
                large = reading.misfits(self.db, adapter, files)
                if not large:
                    return self._not_adapted(replace(facts, refused=refused), [f.name for f in files], error)
                return Adapted(facts=replace(facts, refused=refused | large))
            adapted_of = {name for found in adapted.facts.read.values() for name in found}
            for name in misfits.keys() - refused.keys() - adapted_of:
                refused[name] = [*misfits[name], f"{name}: no row of it can be taken."]
            passed_over = reading.passed_over(self.db, adapter, [f for f in files if f.name not in refused], raw)
            notes = [*pages.values()]
            notes += [f"{name}: {part} hold nothing that {adapter.name} reads." for name, part in passed_over]
            adapted = replace(adapted, facts=replace(adapted.facts, refused=refused, passed_over=notes))
        if repeated:
            everything = reading.raw_view(self.db, adapter, files, strict=False, view="everything")
            adapted = self._with_repeated(adapted, repeated, everything)
        return self._with_rejected(
            adapted, lambda: reading.raw_view(self.db, adapter, files, strict=False, view="everything")
        )

    def companions(
        self,
        adapter: Adapter,
        where: AccountMonth,
        stored: Mapping[str, Path],
        entries: Sequence[dict[str, Any]],
        rejected: Mapping[AccountMonth, Rejected],
    ) -> Adapted:
        """Stage the charges of one account-month, which companion exports make together.

        Reads    stored: the files in which those that came are stored as delivered; their entries of the ledger; and
                 what was rejected when they came.
        """
        delivery_id = self._delivery_id(adapter, [f["sha256"] for f in entries])
        facts = Staged(
            adapter=adapter,
            dataset=adapter.dataset,
            source=adapter.source,
            delivery_id=delivery_id,
            delivered_at=self.settings.began,
            file=self.settings.workdir / f"{adapter.name}-{where.month}-{delivery_id}.parquet",
            entries=_by_name(entries),
            rejected=rejected,
            notes=[f"no {n} delivery of this month yet" for n in adapter.companions if n not in stored],
        )
        left_out = f"anti join {self.rejected} using (x_source_file, x_source_row)"
        without = left_out if self.settings.accept_rejects else ""
        everything = self.db.view("everything", f"select * from read_parquet({literal(str(stored[adapter.name]))})")
        raw = self.db.view("raw", f"select * from {everything} {without}")
        for name in adapter.companions:
            staging.companion_table(self.db, adapter, name, stored.get(name), without)

        def stage() -> tuple[Relation, Relation]:
            return self._staged(staging.in_contract_columns(self.db, adapter), facts), raw

        try:
            staged, _ = stage()
            checked = self._checked(facts, staged, raw, stage, of=where)
        except SQLError as error:
            return self._not_adapted(facts, list(facts.entries), error)
        return self._with_rejected(checked, lambda: everything)

    def answer(self, adapted: Adapted, where: AccountMonth, question: Question, lake: Path) -> Answer:
        """What rows of the lake tell of one account-month that arrives."""
        db, adapter, own = self.db, adapted.facts.adapter, contract(adapted.facts.dataset)
        shared: dict[Path, tuple[str, str]] = {}
        if question.rivals:
            arriving = comparing.bills(db, f"{adapted.staged} where {checking.of(own, where)}")
            for rival in question.rivals:
                both = sorted(arriving & comparing.bills(db, comparing.held_in([lake / rival])))
                shared |= {rival: both[0]} if both else {}
        arrived = self._arrived(adapted, where)
        earlier = differences = None
        if question.closing:
            target = self._file(where, "late")
            differences = comparing.differences(db, own, question.closing, adapter.bucket, arrived, lake, target)
        elif question.earlier and adapter.bucket:
            earlier = comparing.earlier(db, own, adapter.bucket, arrived, [lake / question.earlier])
        better = question.better and comparing.is_of_another_adapter(db, adapter, lake / question.better)
        return Answer(is_there_better=bool(better), shared=shared, earlier=earlier, differences=differences)

    def written(self, adapted: Adapted, where: AccountMonth, answer: Answer) -> tuple[Path, Path | None]:
        """Parquet files of all that an account-month is to hold, and of its breakdown where the ledger keeps one."""
        facts, arrived = adapted.facts, self._arrived(adapted, where)
        rows = arrived
        if answer.differences:
            rows = answer.differences.query
        elif answer.earlier:
            rows = f"{arrived} union all by name {answer.earlier.query}"
        if rows == arrived and facts.account_months == list(facts.totals) == [where] and facts.file:
            file = facts.file
        else:
            file = self.db.write(rows, self._file(where, "data"), _footer(facts))
        if facts.is_companion or not checking.has_breakdown(contract(facts.dataset)):
            return file, None
        if rows == arrived and adapted.summed:
            breakdown = checking.breakdown_of_staged(where, adapted.summed)
        else:
            breakdown = checking.breakdown_of(rows)
        return file, self.db.write(breakdown, self._file(where, "breakdown"))

    def written_rejects(self, adapted: Adapted, where: AccountMonth) -> Path | None:
        """A Parquet file of the rejected rows of an account-month, each with its reason."""
        if not adapted.located or not adapted.everything or where not in adapted.facts.rejected:
            return None
        private = adapted.facts.adapter.private and not adapted.facts.is_companion
        target = self._file(where, "rejected")
        return rejecting.write(self.db, where, adapted.located, adapted.everything, target, private=private)

    def _checked(
        self,
        facts: Staged,
        staged: Relation,
        raw: Relation,
        stage: Callable[[], tuple[Relation, Relation]],
        *,
        of: AccountMonth | None = None,
    ) -> Adapted:
        """All that is known of what is staged; with rejected rows accepted, of what is left without them."""
        db, adapter, own = self.db, facts.adapter, contract(facts.dataset)
        offences = checking.offences(db, adapter, own, staged, raw)
        if offences:
            rejecting.reject_offenders(db, own, staged, self.rejected)
            if self.settings.accept_rejects:
                staged, raw = stage()
                offences = checking.offences(db, adapter, own, staged, raw)
        self.settings.progress(f"checking {adapter.name}")
        read, delivered = staging.delivered(db, adapter, raw, of=of)
        totals, summed = checking.totals(db, adapter, own, staged)
        checked = replace(
            facts,
            read=read,
            delivered=delivered,
            totals=totals,
            offences=offences,
            copies=comparing.copies(db, own, staged, read, facts.manifests),
            repaired=checking.repaired(db, own, staged),
            repeated={} if rejecting.is_keyed(db, adapter, raw) else comparing.repeated(db, own, staged),
        )
        return Adapted(facts=checked, staged=staged, summed=summed)

    def _unfinished(self, files: Sequence[Delivered]) -> dict[str, str]:
        try:
            return reading.unfinished(self.db, files)
        except SQLError:
            return {}  # what cannot be read is told of where it is read

    def _repeated(self, adapter: Adapter, files: Sequence[Delivered]) -> Relation | None:
        """The rows that come again by their own key; none where a file cannot be read, which is told of later."""
        if not files or adapter.key is None:
            return None
        try:
            everything = reading.raw_view(self.db, adapter, files, strict=False, view="everything")
            return rejecting.repeats(self.db, adapter, everything)
        except SQLError:
            return None

    def _with_repeated(self, adapted: Adapted, repeated: Relation, everything: Relation) -> Adapted:
        """With the equal rows that came again among those that were read."""
        facts = adapted.facts
        once = rejecting.counted_once(self.db, facts.adapter, repeated, everything)
        read = {where: dict(files) for where, files in facts.read.items()}
        for where, (files, _) in once.items():
            for name, count in files.items():
                read.setdefault(where, {})[name] = read.get(where, {}).get(name, 0) + count
        said = {**facts.repeated, **{where: note for where, (_, note) in once.items()}}
        return replace(adapted, facts=replace(facts, read=read, repeated=said))

    def _with_rejected(self, adapted: Adapted, delivered: Callable[[], Relation]) -> Adapted:
        """With what was rejected, added to what was rejected before."""
        if not self.db.rows(f"select 1 from {self.rejected} limit 1"):
            return adapted
        everything = delivered()
        found, located = rejecting.located(self.db, adapted.facts.adapter, self.rejected, everything)
        before = adapted.facts.rejected
        total = {**before, **{where: before.get(where, Rejected()) + more for where, more in found.items()}}
        facts = replace(adapted.facts, rejected=total)
        return replace(adapted, facts=facts, located=located, everything=everything)

    def _readable(
        self, adapter: Adapter, files: Sequence[Delivered]
    ) -> tuple[list[Delivered], dict[str, Sequence[str]]]:
        """The files in a form that can be read again and again, and why others cannot be read at all."""
        self.settings.progress(f"reading {adapter.name}: {len(files)} file{'s' if len(files) > 1 else ''}")
        found: list[Delivered] = []
        refused: dict[str, Sequence[str]] = {}
        for i, file in enumerate(files, start=1):
            if len(files) > 1:
                self.settings.progress(f"reading {adapter.name}: file {i} of {len(files)}, {file.name}")
            try:
                found.append(reading.converted(self.db, adapter, file, workdir=self.settings.workdir))
            except RefusedError as error:
                refused[file.name] = [str(error)]
        return found, refused

    def _is_unreadable(self, adapter: Adapter, file: Delivered) -> bool:
        """Whether not even values that misfit can be passed over in a file."""
        try:
            self.db.rows(f"select count(*) from {reading.raw_view(self.db, adapter, [file], strict=False)}")
        except SQLError:
            return True
        return False

    def _not_adapted(self, facts: Staged, files: Sequence[str], error: Exception) -> Adapted:
        private = facts.adapter.private
        # What is quoted is a value.
        said = re.sub(r"['\"].*['\"]", "…", plainly(error)) if private else plainly(error)
        message = f"{named(files)}: the {facts.adapter.name} adapter cannot read this ({said}). Export it again."
        return Adapted(facts=replace(facts, refused={**facts.refused, named(files): [message]}, rejected={}))

    def _staged(self, query: str, facts: Staged) -> Relation:
        file = self.db.write(query, facts.file, _footer(facts))
        return self.db.view("staged", f"select * from read_parquet({literal(str(file))})")

    def _arrived(self, adapted: Adapted, where: AccountMonth) -> str:
        """A SELECT of what is staged of one account-month."""
        if adapted.facts.is_companion:
            place = f"x_account = {literal(str(where.account))} and x_month = {literal(str(where.month))}"
            return f"select * exclude (x_account, x_month) from {adapted.staged} where {place}"
        return f"select * from {adapted.staged} where {checking.of(contract(adapted.facts.dataset), where)}"

    def _file(self, where: AccountMonth, what: str) -> Path:
        name = hashlib.sha256(repr(tuple(where)).encode()).hexdigest()[:16]
        return self.settings.workdir / f"{name}-{what}.parquet"

    def _delivery_id(self, adapter: Adapter, hashes: Sequence[str]) -> str:
        """What names a delivery: its files, how they are read, and when, because the same files may come again."""
        said = "".join([*sorted(hashes), adapter.sha256, self.settings.began])
        return hashlib.sha256(said.encode()).hexdigest()[:16]


def _footer(facts: Staged) -> str:
    return f"kv_metadata {{finops_delivery: {literal(facts.delivery_id)}}}"


def _by_name(entries: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Ledger entries by file name."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        found[entry["name"]].append(entry)
    return dict(found)
