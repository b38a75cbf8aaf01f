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
from decimal import Decimal
from pathlib import Path
from typing import Any

from ...contract import contract, literal, quoted
from ...errors import RefusedError
from ...money import EXACT
from ..adapters import Adapter, vocabulary
from ..collect import Batch, named
from ..collect.files import Delivered
from ..collect.recognising import version
from ..facts import COMPANIONS, TIMELESS, AccountMonth, Answer, Costs, Question, Rejected, Staged
from . import checking, comparing, reading, rejecting
from .database import Database, Relation, SQLError, first_line
from .inspecting import FileInspector

__all__ = ["Adapting", "Database", "FileInspector", "adapting"]


@contextmanager
def adapting(
    *, workdir: Path, began: str, account: str | None, accept_rejects: bool, progress: Callable[[str], None]
) -> Iterator[Adapting]:
    """A database with what adapters' SELECTs may use, for one batch."""
    with Database(workdir=workdir) as db:
        if account is not None:
            db.run(f"set variable account = {literal(account)}")
        vocabulary(db)
        yield Adapting(
            db=db,
            workdir=workdir,
            began=began,
            accept_rejects=accept_rejects,
            progress=progress,
            rejected=rejecting.nothing_rejected(db),
        )


@dataclass(frozen=True, kw_only=True)
class Adapted:
    """Where the rows of a batch are, for as long as its database is open."""

    staged: Relation
    summed: Relation | None = None
    """What the ledger keeps apart of each account-month."""
    located: Relation | None = None
    """The rejected rows by account-month, and all rows that were delivered."""
    everything: Relation | None = None


@dataclass(frozen=True, kw_only=True)
class Adapting:
    """One batch at work."""

    db: Database
    workdir: Path
    began: str
    """When the call began, which names the delivery too: the same files may come again."""
    accept_rejects: bool
    progress: Callable[[str], None]
    rejected: Relation

    def batch(self, batch: Batch) -> tuple[Staged, Adapted | None]:
        """Stage files as they were delivered; of a companion export the rows as they are, beside where they belong.

        Returns  the facts, and where the rows are: nowhere, where none of the files can be read at all.
        Refuses  OSError where the disk has no room for it.
        """
        adapter = batch.adapter
        files, refused = self._readable(adapter, batch.files)
        facts = Staged(
            adapter=adapter,
            dataset=COMPANIONS if adapter.is_companion else adapter.dataset,
            source=adapter.name if adapter.is_companion else adapter.source,
            delivery_id=self._delivery_id(adapter, [f.sha256 for f in files]),
            delivered_at=self.began,
            refused=refused,
        )
        if not files:
            return facts, None
        # A document takes twice its size, for each statement that reads some of them at the same time.
        documents = sorted(f.document_size for f in files if f.format == "json")
        self.db.limit_memory(2 * sum(documents[-reading.STATEMENTS :]))
        file = self.workdir / f"{adapter.name}-{adapter.dataset}.parquet"

        def stage(*, strict: bool) -> tuple[Relation, Relation]:
            without = self.rejected if self.accept_rejects else None
            raw = reading.raw_view(self.db, adapter, files, strict=strict, without=without)
            return self._staged(self._select(adapter, raw), file, facts.delivery_id), raw

        misfits: dict[str, list[str]] = {}
        try:
            staged, raw = stage(strict=True)
        except SQLError as error:
            # The fast reading stops at the first misfit without saying where; read again, slowly, to name it.
            misfits = reading.misfits(self.db, adapter, files)
            if not misfits:
                return replace(
                    facts, refused=refused | self._not_adapted(adapter, [f.name for f in files], error)
                ), None
            unreadable = {f.name for f in files if f.name in misfits and self._is_unreadable(adapter, f)}
            files = [f for f in files if f.name not in unreadable]
            refused |= {n: said for n, said in misfits.items() if n in unreadable or not self.accept_rejects}
            if not files:
                return replace(facts, refused=refused), None
            rejecting.reject_misfits(self.db, adapter, [f for f in files if f.name in misfits], self.rejected)
            try:
                staged, raw = stage(strict=False)
            except SQLError:
                # The SELECT cannot do without the values that are missing: then none of the files is judged further.
                return replace(facts, refused=refused | misfits), None
        facts = replace(
            facts,
            file=file,
            entries=by_name([f.entry for f in files]),
            manifests={f.name: f.manifest for f in files if f.manifest},
            versions={f.name: told for f in files if (told := version(adapter, f))},
        )
        adapted = Adapted(staged=staged)
        if adapter.is_companion:
            read, astray = _read_of_companion(self.db, staged)
            facts = replace(facts, read=read, refused=astray | refused)
        else:
            facts, adapted = self._checked(facts, staged, raw, lambda: stage(strict=False))
            spent = {name for found in facts.read.values() for name in found}
            for name in misfits.keys() - refused.keys() - spent:
                refused[name] = [*misfits[name], f"{name}: no row of it can be taken."]
            facts = replace(
                facts,
                refused=refused,
                passed_over=[
                    f"{name}: {part} hold nothing that {adapter.name} reads."
                    for name, part in reading.passed_over(
                        self.db, adapter, [f for f in files if f.name not in refused], raw
                    )
                ],
            )
        if self._has_rejected():
            everything = reading.raw_view(self.db, adapter, files, strict=False, view="everything")
            lacking, located = rejecting.located(self.db, adapter, self.rejected, everything)
            facts, adapted = replace(facts, rejected=lacking), replace(adapted, located=located, everything=everything)
        return facts, adapted

    def companions(
        self,
        adapter: Adapter,
        where: AccountMonth,
        stored: Mapping[str, Path | None],
        entries: Sequence[dict[str, Any]],
        rejected: Mapping[AccountMonth, Rejected],
    ) -> tuple[Staged, Adapted | None]:
        """Stage the charges of one account-month, which companion exports make together.

        Reads    stored: the file in which each of them is stored as delivered, none where it has not come; entries of
                 the ledger of all of them; and what was rejected when they came.
        """
        facts = Staged(
            adapter=adapter,
            dataset=adapter.dataset,
            source=adapter.source,
            delivery_id=self._delivery_id(adapter, [f["sha256"] for f in entries]),
            delivered_at=self.began,
            entries=by_name(entries),
            notes=[f"no {n} delivery of this month yet" for n in adapter.companions if stored[n] is None],
        )
        file = self.workdir / f"{adapter.name}-{where.month}-{facts.delivery_id}.parquet"
        without = f"anti join {self.rejected} using (x_source_file, x_source_row)" if self.accept_rejects else ""
        everything = self.db.view("everything", f"select * from read_parquet({literal(str(stored[adapter.name]))})")
        raw = self.db.view("raw", f"select * from {everything} {without}")
        for name in adapter.companions:
            self._companion_table(adapter, name, stored[name], without)

        def stage() -> tuple[Relation, Relation]:
            return self._staged(self._select(adapter, raw, companions=True), file, facts.delivery_id), raw

        try:
            staged, _ = stage()
        except SQLError as error:
            return replace(facts, refused=self._not_adapted(adapter, list(facts.entries), error)), None
        facts = replace(facts, file=file)
        facts, adapted = self._checked(facts, staged, raw, stage, of=where)
        lacking = dict(rejected)
        if self._has_rejected():
            found, located = rejecting.located(self.db, adapter, self.rejected, everything)
            adapted = replace(adapted, located=located, everything=everything)
            lacking |= {w: lacking.get(w, Rejected()) + more for w, more in found.items()}
        return replace(facts, rejected=lacking), adapted

    def _checked(
        self,
        facts: Staged,
        staged: Relation,
        raw: Relation,
        stage: Callable[[], tuple[Relation, Relation]],
        *,
        of: AccountMonth | None = None,
    ) -> tuple[Staged, Adapted]:
        """All that is known of what is staged; with rows accepted that are rejected, of what is left without them."""
        db, adapter, own = self.db, facts.adapter, contract(facts.adapter.dataset)
        offences = checking.offences(db, adapter, own, staged, raw)
        if offences:
            rejecting.reject_offenders(db, own, staged, self.rejected)
            if self.accept_rejects:
                staged, raw = stage()
                offences = checking.offences(db, adapter, own, staged, raw)
        self.progress(f"checking {adapter.name}")
        read, delivered = _delivered(db, adapter, raw, of=of)
        totals, summed = checking.totals(db, adapter, own, staged)
        checked = replace(
            facts,
            read=read,
            delivered=delivered,
            totals=totals,
            offences=offences,
            copies=comparing.copies(db, own, staged, read, facts.manifests),
            repaired=checking.repaired(db, own, staged),
        )
        return checked, Adapted(staged=staged, summed=summed)

    def answer(self, facts: Staged, adapted: Adapted, where: AccountMonth, question: Question, lake: Path) -> Answer:
        """What rows of the lake tell of one account-month that arrives."""
        db, adapter = self.db, facts.adapter
        shared: dict[Path, tuple[str, str]] = {}
        if question.rivals:
            arriving = comparing.bills(db, f"{adapted.staged} where {checking.of(contract(facts.dataset), where)}")
            for rival in question.rivals:
                both = sorted(arriving & comparing.bills(db, comparing.held_in([lake / rival])))
                shared |= {rival: both[0]} if both else {}
        arrived = self._arrived(facts, adapted, where)
        earlier = differences = None
        if question.closing:
            target = self.workdir / f"late-{_mark(where)}.parquet"
            differences = comparing.differences(
                db, contract(facts.dataset), question.closing, adapter.bucket, arrived, lake, target
            )
        elif question.earlier and adapter.bucket:
            earlier = comparing.earlier(db, contract(facts.dataset), adapter.bucket, arrived, [lake / question.earlier])
        return Answer(
            is_there_better=bool(question.better)
            and comparing.is_of_another_adapter(db, adapter, lake / str(question.better)),
            shared=shared,
            earlier=earlier,
            differences=differences,
        )

    def written(self, facts: Staged, adapted: Adapted, where: AccountMonth, answer: Answer) -> tuple[Path, Path | None]:
        """Parquet files of all that an account-month is to hold, and of its breakdown where the ledger keeps one."""
        arrived = self._arrived(facts, adapted, where)
        rows = arrived
        if answer.differences:
            rows = answer.differences.query
        elif answer.earlier:
            rows = f"{arrived} union all by name {answer.earlier.query}"
        if rows == arrived and facts.account_months == [where] and where in facts.totals and facts.file:
            file = facts.file
        else:
            file = self.workdir / f"{_mark(where)}.parquet"
            self.db.write(rows, file, _footer(facts.delivery_id))
        if facts.is_companion or not checking.has_breakdown(contract(facts.dataset)):
            return file, None
        if rows == arrived and adapted.summed:
            breakdown = checking.breakdown_of_staged(where, adapted.summed)
        else:
            breakdown = checking.breakdown_of(rows)
        return file, self.db.write(breakdown, self.workdir / "breakdown.parquet")

    def written_rejects(self, facts: Staged, adapted: Adapted, where: AccountMonth) -> Path | None:
        """A Parquet file of the rejected rows of an account-month, each with its reason."""
        if not adapted.located or not adapted.everything:
            return None
        target = self.workdir / f"{_mark(where)}-rejected.parquet"
        private = facts.adapter.private and not facts.is_companion
        return rejecting.write(self.db, where, adapted.located, adapted.everything, target, private=private)

    def _arrived(self, facts: Staged, adapted: Adapted, where: AccountMonth) -> str:
        if facts.is_companion:
            place = f"x_account = {literal(str(where.account))} and x_month = {literal(str(where.month))}"
            return f"select * exclude (x_account, x_month) from {adapted.staged} where {place}"
        return f"select * from {adapted.staged} where {checking.of(contract(facts.dataset), where)}"

    def _readable(
        self, adapter: Adapter, files: Sequence[Delivered]
    ) -> tuple[list[Delivered], dict[str, Sequence[str]]]:
        """The files in a form that can be read again and again, and why others cannot be read at all."""
        self.progress(f"reading {adapter.name}: {len(files)} file{'s' if len(files) > 1 else ''}")
        found: list[Delivered] = []
        refused: dict[str, Sequence[str]] = {}
        for i, file in enumerate(files, start=1):
            if len(files) > 1:
                self.progress(f"reading {adapter.name}: file {i} of {len(files)}, {file.name}")
            try:
                found.append(reading.converted(self.db, adapter, file, workdir=self.workdir))
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

    def _not_adapted(self, adapter: Adapter, files: Sequence[str], error: Exception) -> dict[str, Sequence[str]]:
        # What is quoted is a value.
        said = re.sub(r"['\"].*['\"]", "…", first_line(error)) if adapter.private else first_line(error)
        return {named(files): [f"{named(files)}: the {adapter.name} adapter cannot read this ({said})."]}

    def _has_rejected(self) -> bool:
        return bool(self.db.rows(f"select 1 from {self.rejected} limit 1"))

    def _select(self, adapter: Adapter, raw: Relation, *, companions: bool = False) -> str:
        """The SELECT that adapts `raw`; of a companion export it gives the rows as delivered and where they belong."""
        if adapter.is_companion and not companions:
            return f"select *, {adapter.account} as x_account, {adapter.month} as x_month from {raw}"
        own = contract(adapter.dataset)
        assert adapter.select is not None
        select = adapter.select.strip().rstrip(";")
        given = {name for name, _ in self.db.columns(select)}
        if unknown := given - set(own.names):
            raise RefusedError(
                f"The {adapter.name} adapter gives columns that {adapter.dataset} does not have: "
                f"{', '.join(sorted(unknown))}."
            )
        defaults = {"x_Adapter": literal(adapter.name), "x_adapter": literal(adapter.name), "x_SourcePart": "1"}
        columns = []
        for c in own.columns:
            value = quoted(c.name) if c.name in given else defaults.get(c.name, "null")
            columns.append(f"cast({value} as {c.sql_type}) as {quoted(c.name)}")
        query = f"select {', '.join(columns)} from ({select}\n)"
        if adapter.dataset == "ai_usage":
            from ... import pricing

            return pricing.priced(self.db.connection, query)
        return query

    def _staged(self, query: str, file: Path, delivery_id: str) -> Relation:
        self.db.write(query, file, _footer(delivery_id))
        return self.db.view("staged", f"select * from read_parquet({literal(str(file))})")

    def _companion_table(self, adapter: Adapter, name: str, file: Path | None, without: str) -> None:
        """Give the SELECT a companion export it names, empty where none was delivered."""
        self.db.run(adapter.companions[name])
        self.db.run(f"alter table {name} add column if not exists x_source_file varchar")
        self.db.run(f"alter table {name} add column if not exists x_source_row bigint")
        if file is None:
            return
        columns = self.db.columns(name)
        self.db.run(f"drop table {name}")
        # What was stored before the export had a column has nothing in it.
        casts = ", ".join(f"cast({quoted(c)} as {t}) as {quoted(c)}" for c, t in columns)
        nothing = ", ".join(f"cast(null as {t}) as {quoted(c)}" for c, t in columns)
        self.db.view(
            name,
            f"select {casts} from (select * from read_parquet({literal(str(file))}) "
            f"union all by name select {nothing} where false) {without}",
        )

    def _delivery_id(self, adapter: Adapter, hashes: Sequence[str]) -> str:
        """What names a delivery: its files, how they are read, and when, because the same files may come again."""
        return hashlib.sha256("".join([*sorted(hashes), adapter.sha256, self.began]).encode()).hexdigest()[:16]


def _footer(delivery_id: str) -> str:
    return f"kv_metadata {{finops_delivery: {literal(delivery_id)}}}"


def _mark(where: AccountMonth) -> str:
    return hashlib.sha256(repr(tuple(where)).encode()).hexdigest()[:16]


def by_name(entries: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Ledger entries by file name."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        found[entry["name"]].append(entry)
    return dict(found)


def _read_of_companion(
    db: Database, staged: Relation
) -> tuple[dict[AccountMonth, dict[str, int]], dict[str, Sequence[str]]]:
    """Rows of a staged companion export by file, and why a file with a row of no account-month is refused."""
    read: dict[AccountMonth, dict[str, int]] = defaultdict(dict)
    astray: dict[str, Sequence[str]] = {}
    for account, month, file, count, row in db.rows(
        f"select x_account, x_month, x_source_file, count(*), min(x_source_row) from {staged} group by all"
    ):
        if account is not None and month is not None:
            read[AccountMonth(str(account), str(month))][str(file)] = int(count)
        else:
            astray[str(file)] = [
                (
                    f"{file}, row {row}: found no billing account or no month, wanted both to know what the row "
                    "replaces. Correct the row at its source and deliver the file again."
                )
            ]
    return dict(read), astray


def _delivered(
    db: Database, adapter: Adapter, raw: Relation, *, of: AccountMonth | None
) -> tuple[dict[AccountMonth, dict[str, int]], Costs]:
    """What was delivered, companions included: source rows by file, and every cost that is to arrive whole.

    Charges that several exports make are made one account-month at a time: `of` says which.
    """
    account, month = adapter.account or literal(TIMELESS), adapter.month or literal(TIMELESS)
    amount, currency = adapter.billed or ("null::decimal(38, 18)", "null")
    read: dict[AccountMonth, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    conserved = [c for c in adapter.conserves if c.companion is None]
    costs: dict[str, dict[AccountMonth, dict[str, Decimal] | None]] = {
        c: {} for c in [*(["BilledCost"] if adapter.billed else []), *(c.column for c in conserved)]
    }

    def add(column: str, where: AccountMonth, currency: Any, total: Decimal | None, *, complete: bool) -> None:
        of_column = costs.setdefault(column, {})
        found = of_column.setdefault(where, {})
        if not complete:
            of_column[where] = None
        elif found is not None and total is not None:
            found[str(currency)] = EXACT.add(found.get(str(currency), Decimal(0)), total)

    sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
    for a, m, file, c, rows, billed, *more in db.rows(
        f"select {account}, {month}, x_source_file, {currency}, count(*), sum(x_billed){sums} "
        f"from (select *, {amount} as x_billed from {raw}) as raw group by all"
    ):
        where = AccountMonth(None if a is None else str(a), None if m is None else str(m))
        read[where][str(file)] += int(rows)
        if adapter.billed:
            add("BilledCost", where, c, billed, complete=True)
        for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
            add(cost.column, where, c, total, complete=known == rows)
    for name in adapter.companions:
        assert of is not None
        # What charges wait for, such as a price list, is no charge itself: its rows count where it is stored.
        rows_are_charges = name not in adapter.waits_for
        conserved = [c for c in adapter.conserves if c.companion == name]
        sums = "".join(f", count({c.sql}), sum({c.sql})" for c in conserved)
        found = db.rows(
            f"select x_source_file, {currency if conserved else 'null'}, count(*){sums} from {name} group by all"
        )
        for file, c, rows, *more in found:
            read[of][str(file)] += int(rows) if rows_are_charges else 0
            for cost, known, total in zip(conserved, more[::2], more[1::2], strict=True):
                add(cost.column, of, c, total, complete=known == rows)
        for cost in conserved if not found else []:
            add(cost.column, of, None, None, complete=False)
    return {where: dict(found) for where, found in read.items()}, costs
