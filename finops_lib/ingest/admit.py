"""The third room: facts about what is staged, and the ledger, become verdicts. Pure: no file, no query, no clock.

What only rows of the lake can tell is asked first (`questions`), answered by the room that reads rows, and decided here
(`verdicts`). What keeps an account-month out is said, all of it; what keeps nothing out replaces what the lake held.

A closed month is never touched. A late delivery to it is refused, or its differences enter the first month that is not
closed, in a partition of their own for each closed month: the open month's own delivery does not replace them, and the
next restatement of the closed month does.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import combinations

from ..lake import Closure, Closures, Delivery, Partition, Verdict, healing, standing_in
from ..money import EXACT, Money, exact, listed
from .collect import Batch, named
from .collect.files import Delivered
from .collect.manifests import Manifest
from .facts import AccountMonth, Answer, Closing, Question, Rejected, Staged, Total, in_rows

CHARGES = "cost_and_usage"
"""The dataset whose months can be closed."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the lake holds, and which of its months are closed."""

    holds: Mapping[Partition, Delivery]
    closures: Closures
    shrink: Decimal | None = None
    """Share of its money that a month which is closed or nearly complete may lose at once; None for all of it."""
    damaged: Mapping[Partition, str] = field(default_factory=dict)
    """Of what it holds, the partitions whose file is not as it was left, and what is the matter with it."""
    forgotten: Collection[Partition] = ()
    """Partitions whose file stands in the lake, though the ledger does not know it."""


def partition(staged: Staged, where: AccountMonth) -> Partition | None:
    """What an account-month is of in the lake; none where rows tell no account or no month."""
    if where.account is None or where.month is None:
        return None
    return Partition(dataset=staged.dataset, source=staged.source, billing_account=where.account, month=where.month)


def claims(staged: Staged) -> dict[Partition, str]:
    """The partitions that the files of a batch give whole, and the first file of each, for the next batches."""
    return {
        here: min(files)
        for where, files in staged.read.items()
        if _claims(staged) and files and (here := partition(staged, where))
        if where in staged.totals or staged.is_companion
    }


def _claims(staged: Staged) -> bool:
    # What companion exports make together is claimed where each of them is stored.
    return staged.adapter.bucket is None and (staged.is_companion or not staged.adapter.companions)


def siblings(staged: Staged, holds: Mapping[Partition, Delivery], known: Sequence[Delivered]) -> list[Delivered]:
    """The known files that gave the months which a batch replaces, as far as they are not in it."""
    arrived = {entry["sha256"] for entries in staged.entries.values() for entry in entries}
    held = {sha for before in _replaced(staged, holds).values() for sha in _hashes(before)}
    return [f for f in known if f.sha256 in held - arrived]


def are_newer(batch: Batch, together: Staged, holds: Mapping[Partition, Delivery]) -> bool:
    """Whether files under new names are newer copies of what the lake holds, such as a month to date.

    Reads    together: the batch staged together with the files that it would replace.
    """
    replaced = _replaced(together, holds)
    names = {f["name"] for before in replaced.values() for f in before.files}
    ours = {f.name for f in batch.files}
    held = {where for where in replaced if ours & set(together.read.get(where, {}))}
    return not names & ours and bool(held) and held <= together.copies.keys()


def _replaced(staged: Staged, holds: Mapping[Partition, Delivery]) -> dict[AccountMonth, Delivery]:
    """What the lake holds of the months that a batch replaces whole: the last delivery of each, late ones included."""
    found: dict[AccountMonth, Delivery] = {}
    for where in staged.read if _claims(staged) else ():
        here = partition(staged, where)
        there = [d for p, d in holds.items() if here in (p, replace(p, month=p.corrects, corrects=""))]
        if here and there:
            found[where] = max(there, key=lambda d: d.delivered_at)
    return found


def _incomplete(staged: Staged, where: AccountMonth, replaced: Mapping[AccountMonth, Delivery]) -> Iterator[str]:
    """Why a file that comes again cannot replace what several files made together, where no manifest says it may."""
    before, files = replaced.get(where), staged.read.get(where, {})
    if before is None or files.keys() <= staged.manifests.keys():
        return
    arrived = {entry["sha256"] for entries in staged.entries.values() for entry in entries}
    again = sorted({f["name"] for f in before.files} & files.keys())
    gone = [f["name"] for f in before.files if f["name"] not in staged.entries and f["sha256"] not in arrived]
    if again and gone:
        yield (
            f"{named(again)}: comes again without {named(gone)}, and both together made {before.partition}. Deliver "
            f"them together; or take the month out with `finops withdraw {before.source} --account "
            f"{before.billing_account} --month {before.month}`, if there is no other file any more."
        )


def questions(staged: Staged, ledger: Ledger) -> dict[AccountMonth, Question]:
    """What to ask the rows of the lake about each account-month that arrives."""
    found = {}
    for where in staged.account_months:
        here = partition(staged, where)
        if here is None or staged.is_companion:
            continue
        route = _route(here, ledger)
        stands = here in ledger.holds and here not in ledger.damaged
        rivals = [r for r in _rivals(here, ledger) if r not in ledger.damaged]
        found[where] = Question(
            better=here.file if staged.adapter.same_money_as and stands else None,
            rivals=[r.file for r in rivals] if where in staged.totals else [],
            earlier=here.file if staged.adapter.bucket and (stands or here in ledger.forgotten) else None,
            closing=Closing(
                month=here.month,
                open_month=route.target.month,
                account=here.billing_account,
                history=[p.file for p in (here, *route.corrections) if p != route.target],
                held=[p.file for p in (here, *route.corrections)],
            )
            if route.closed and not _history_damaged(here, route, ledger)
            else None,
        )
    return found


def verdicts(
    staged: Staged,
    ledger: Ledger,
    answers: Mapping[AccountMonth, Answer],
    *,
    damaged: Sequence[str] = (),
    claimed: Mapping[Partition, str],
) -> list[Verdict]:
    """Decide what becomes of everything that is staged.

    Reads    answers to `questions`; damaged: files of the call that nothing could be read of; claimed: partitions that
             other files of the call gave, and the first of those.
    Returns  a verdict for each account-month, in their order, then one for each file that is refused.
    """
    refused = _with_siblings(staged, damaged)
    if not staged.account_months and not refused:
        return [_empty(staged)]
    superseded = {where for where, answer in answers.items() if answer.is_there_better}
    replaced = _replaced(staged, ledger.holds)
    problems = {
        where: [
            *_problems(staged, where),
            *_incomplete(staged, where, replaced),
            *_counted_twice(staged, where, ledger, answers, claimed),
        ]
        for where in staged.account_months
    }
    whole = not refused and not any(said for where, said in problems.items() if where not in superseded)
    found: list[Verdict] = []
    spoilt: dict[str, list[str]] = defaultdict(list)
    for where in staged.account_months:
        here, files = partition(staged, where), staged.read.get(where, {})
        verdict = Verdict(decision="refuse", source=staged.adapter.name, partition=here)
        if where in superseded:
            said = (
                f"{here}: left out, what {staged.adapter.name} says; the lake holds the same money from {staged.source}"
            )
            found.append(replace(verdict, decision="superseded", messages=(said,)))
        elif guilty := sorted(files.keys() & refused.keys()):
            # Its files say why, below.
            found.append(verdict)
            for name in guilty if here else []:
                spoilt[name].append(str(here))
        elif problems[where]:
            stays = f" {here} stays as it was." if here else ""
            found.append(replace(verdict, messages=tuple(f"{p}{stays}" for p in problems[where])))
        elif here is None:
            message = (
                f"{named(sorted(files))}: found {in_rows(sum(files.values()))} without a billing account or without a "
                "month, wanted both to know what they replace. Correct them at their source and deliver the file again."
            )
            found.append(replace(verdict, messages=(message,)))
        elif files or where in staged.totals:
            delivery = _delivery(staged, where, here, whole=whole or staged.is_companion)
            found.append(_settled(here, delivery, ledger, answers.get(where, Answer())))
        else:
            rows = in_rows(staged.rejected[where].rows)
            nothing = f"{here}: no row of it can be taken ({rows} rejected); what the lake holds of it stays."
            found.append(replace(verdict, messages=() if refused else (nothing,)))
    for name, messages in refused.items():
        stays = f" {', '.join(spoilt[name])} stays as it was." if spoilt[name] and not staged.is_companion else ""
        said_of_file = tuple(f"{message}{stays}" for message in messages)
        found.append(Verdict(decision="refuse", source=staged.adapter.name, messages=said_of_file))
    return found


def _with_siblings(staged: Staged, damaged: Sequence[str]) -> dict[str, Sequence[str]]:
    """Why files are refused: for themselves, or because they may hold the month of one whose months nobody can tell.

    Such files are named alike but for their digits: publishing part 1 without part 2 would make a short month.
    """
    located = {file for files in staged.read.values() for file in files}
    lost = [*damaged, *(name for name in staged.refused if name not in located)]

    def alike(name: str) -> str:
        return re.sub(r"\d+", "#", name)

    found = dict(staged.refused)
    for name in staged.entries:
        for bad in lost:
            if name not in found and name != bad and alike(name) == alike(bad):
                found[name] = [f"{name}: stays out, because {bad} was refused and may hold the same month."]
    return found


def _empty(staged: Staged) -> Verdict:
    adapter = staged.adapter
    held = f"no row that {adapter.name} reads" if adapter.rows or adapter.line else "a header and no rows"
    message = f"{named(list(staged.entries))}: holds {held}; nothing to publish."
    return Verdict(decision="empty", source=adapter.name, messages=(message,))


def _problems(staged: Staged, where: AccountMonth) -> list[str]:
    """Why an account-month is not what was promised or delivered."""
    copies = [staged.copies[where]] if where in staged.copies else []
    return [*staged.offences.get(where, []), *_lost_money(staged, where), *copies]


def _counted_twice(
    staged: Staged,
    where: AccountMonth,
    ledger: Ledger,
    answers: Mapping[AccountMonth, Answer],
    claimed: Mapping[Partition, str],
) -> Iterator[str]:
    """Why the same charges would come in twice: from two reports, two sources, or two deliveries of one call."""
    here, files = partition(staged, where), sorted(staged.read.get(where, {}))
    if here is None or not (where in staged.totals or staged.is_companion):
        return
    yield from _two_reports(files, staged.manifests)
    yield from _not_to_compare(here, staged, where, ledger)
    yield from _two_sources(here, ledger, answers.get(where, Answer()))
    first = claimed.get(here) if _claims(staged) else None
    if first is not None and files and first != files[0]:
        yield (
            f"{files[0]} and {first} came in one call as two deliveries of one month, and one would replace the other. "
            "Deliver the newer one alone."
        )


def _lost_money(staged: Staged, where: AccountMonth) -> Iterator[str]:
    """Costs that do not add up to what was delivered, to the last digit."""
    for column, of_column in staged.delivered.items():
        before = of_column.get(where, {})
        if before is None:
            continue
        after = staged.totals.get(where, Total()).costs.get(column, {})
        for c in sorted({*before, *after}):
            was, now = before.get(c, Decimal(0)), after.get(c, Decimal(0))
            if was != now:
                yield (
                    f"{staged.adapter.name}, column {column}: found {exact(now)} {c} after adapting, wanted the "
                    f"{exact(was)} {c} delivered."
                )


def _two_reports(files: Sequence[str], manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """Why files of two reports that one account exports of the same month cannot both count."""
    found = {manifests[name].describes: manifests[name] for name in files if name in manifests}
    for one, other in combinations(found.values(), 2):
        if one.scope and one.scope == other.scope and one.kind == other.kind:
            yield (
                f"{one.name} and {other.name} are two reports of the same account and month; together they would count "
                "it twice. Deliver the files of one of them."
            )
            return


def _rivals(here: Partition, ledger: Ledger) -> list[Partition]:
    """What other sources hold of an account and month in which the same bill may be.

    Sources spell an account in their own ways: it may be the last part of a path.
    """
    if here.dataset != CHARGES:
        return []
    return sorted(
        other
        for other in ledger.holds
        if (other.dataset, other.month) == (here.dataset, here.month)
        and other.source != here.source
        and not other.corrects
        and _spelt_alike(other.billing_account, here.billing_account)
    )


def _spelt_alike(one: str, other: str) -> bool:
    steps, others = (account.lower().strip("/").split("/") for account in (one, other))
    return steps[-1] in others or others[-1] in steps


def _two_sources(here: Partition, ledger: Ledger, answer: Answer) -> Iterator[str]:
    """Why what arrives would count a bill twice: one issuer's charges of one provider to one account in one month."""
    for other in _rivals(here, ledger):
        if other.file not in answer.shared:
            continue
        issuer, provider = answer.shared[other.file]
        before = ledger.holds[other]
        yield (
            f"{here}: the lake holds this account and month from {other.source} ({in_rows(before.rows_published)}, "
            f"billed {_billed(before)}), and both are charges of {provider} billed by {issuer}; together they would "
            f"count them twice. Keep {other.source}, or take it out with `finops withdraw {other.source} --account "
            f"{other.billing_account} --month {other.month}` and deliver this again."
        )
        return


def _not_to_compare(here: Partition, staged: Staged, where: AccountMonth, ledger: Ledger) -> Iterator[str]:
    """Why nobody can tell what would count twice: what the lake holds of it is damaged."""
    route = _route(here, ledger)
    needed = _history_damaged(here, route, ledger) if route.closed else []
    if here in needed and _restores(_delivery(staged, where, here, whole=True), ledger.holds[here]):
        needed = []
    if here not in ledger.damaged:
        # Those that are damaged together have been let in beside each other before.
        needed = [*needed, *(r for r in _rivals(here, ledger) if r in ledger.damaged)]
    if staged.adapter.bucket and here in ledger.damaged and not route.closed:
        held = ledger.holds[here]
        if not _hashes(held) <= _hashes(_delivery(staged, where, here, whole=True)):
            yield (
                f"{here}: its file of the lake {ledger.damaged[here]}, and what arrives is a part of what it held. "
                f"{healing(held)}, all in one call."
            )
    for other in needed:
        held = ledger.holds[other]
        yield (
            f"{here}: it must be compared with {other} ({in_rows(held.rows_published)}, billed "
            f"{_billed(held) or 'nothing'}), whose file of the lake {ledger.damaged[other]}. {healing(held)} first."
        )


def _history_damaged(here: Partition, route: _Route, ledger: Ledger) -> list[Partition]:
    """What of a closed month is damaged, but for what a late delivery replaces."""
    return [p for p in (here, *route.corrections) if p != route.target and p in ledger.damaged]


def _restores(delivery: Delivery, before: Delivery) -> bool:
    """Whether a delivery brings back what a damaged partition held, to the last digit."""
    return _hashes(delivery) == _hashes(before) and (
        delivery.rows_published, delivery.billed_total, delivery.effective_total
    ) == (before.rows_published, before.billed_total, before.effective_total)  # fmt: skip


def _delivery(staged: Staged, where: AccountMonth, here: Partition, *, whole: bool) -> Delivery:
    """The ledger entry that an account-month would have, before the lake is looked at."""
    files, total = staged.read.get(where, {}), staged.totals.get(where, Total())
    rejected = staged.rejected.get(where, Rejected())
    source_rows = sum(files.values())
    published = source_rows if staged.is_companion else total.rows
    return Delivery(
        delivery_id=staged.delivery_id,
        dataset=here.dataset,
        source=here.source,
        billing_account=here.billing_account,
        month=here.month,
        files=[entry for name in sorted(files) for entry in staged.entries[name]],
        adapter_sha256=staged.adapter.sha256,
        rows_read=source_rows + rejected.rows,
        rows_published=published,
        rows_rejected=rejected.rows,
        rows_merged=source_rows - (published - total.added),
        rows_added=total.added,
        billed_total=_texts(total.billed),
        effective_total=_texts(total.effective),
        delivered_at=staged.delivered_at,
        notes=[
            *staged.notes,
            *([] if staged.is_companion else sorted({staged.versions[n] for n in files if n in staged.versions})),
            *(said[where] for said in (staged.repaired, staged.repeated) if where in said),
            *([] if staged.is_companion else _missing(rejected)),
        ],
        rejected_total=_texts(rejected.billed),
        rejected_unreadable=rejected.unreadable,
        whole=whole,
    )


def _missing(rejected: Rejected) -> list[str]:
    """What an account-month lacks of its bill, said in its notes."""
    if not rejected.rows:
        return []
    unreadable = f"{in_rows(rejected.unreadable)} without a readable amount" if rejected.unreadable else ""
    missing = " and ".join(t for t in (listed(rejected.billed), unreadable) if t)
    return [f"{in_rows(rejected.rows)} rejected" + (f": {missing} missing" if missing else "")]


def _settled(here: Partition, delivery: Delivery, ledger: Ledger, answer: Answer) -> Verdict:
    """What becomes of an account-month that keeps its promises."""
    route = _route(here, ledger)
    verdict = Verdict(decision="publish", source=here.source, partition=route.target)
    before = ledger.holds.get(route.target)
    if route.closed and here in ledger.damaged and not answer.differences:
        route, before = _Route(target=here, closed=None, corrections=()), ledger.holds[here]
        verdict = replace(verdict, partition=here)
    if (standing := _corrections(route, ledger)) and not route.closed:
        message = (
            f"{here} is open again, but corrections of it stand in {', '.join(p.month for p in standing)}: it would be "
            "counted twice. Close it again in the plan; then this delivery replaces those corrections."
        )
        return replace(verdict, decision="refuse", messages=(message,))
    if route.closed and answer.differences:
        if here in ledger.forgotten and not answer.differences.rows and not _corrections(route, ledger):
            said = f"{_said(delivery, None)}; the ledger had forgotten it"
            return replace(verdict, partition=here, delivery=delivery, messages=(said,))
        delivery = _corrected(delivery, route, answer)
        if not delivery.rows_published and before is None:
            return replace(verdict, decision="unchanged", partition=here, messages=(f"{here}: unchanged",))
        if route.closed.late_delivery == "refuse":
            return replace(verdict, decision="refuse", partition=here, messages=(_late(here, route.closed, delivery),))
    elif answer.earlier and answer.earlier.rows:
        delivery = _with_earlier(delivery, before, answer)
    same_files = before is not None and _hashes(before) == _hashes(delivery)
    same = before and same_files and before.adapter_sha256 == delivery.adapter_sha256
    if before and same and route.target not in ledger.damaged:
        said = f"{route.target}: unchanged"
        return replace(verdict, decision="unchanged", delivery=before, messages=(said,))
    if before:
        delivery = replace(delivery, replaced=before.delivery_id, billed_change=_change(before, delivery))
    if shrunk := _shrunk(here, delivery, route, ledger):
        return replace(verdict, decision="held", delivery=delivery, messages=(shrunk,))
    decision = "correct" if route.closed else "replace" if before else "publish"
    said = _said(delivery, ledger.damaged.get(route.target))
    return replace(verdict, decision=decision, delivery=delivery, messages=(said,))


def _shrunk(here: Partition, delivery: Delivery, route: _Route, ledger: Ledger) -> str | None:
    """By what a month that is closed or nearly complete would shrink, where that is more than its plan allows."""
    there = {p: d for p in (here, *route.corrections, route.target) if (d := ledger.holds.get(p))}
    if (
        here.dataset != CHARGES
        or ledger.shrink is None
        or not (route.closed or _is_nearly_whole(there.get(here), ledger.shrink))
    ):
        return None
    after = {**there, route.target: delivery}
    for cost in ("billed", "effective"):
        was, now = (_sum(getattr(d, f"{cost}_total") for d in held.values()) for held in (there, after))
        for currency, before in was.items():
            lost = EXACT.subtract(before, now.get(currency, Decimal(0)))
            if before > 0 and lost > before * ledger.shrink:
                return (
                    f"{here}: held, because its {cost} cost would shrink by {lost / before:.1%}, from {currency} "
                    f"{exact(before)} to {exact(EXACT.subtract(before, lost))}; the plan's restatement_shrink allows "
                    f"{ledger.shrink:.1%}. Fetch the export again if a part of it is missing; if this is right, ingest "
                    "it with --accept-shrink."
                )
    return None


def _is_nearly_whole(held: Delivery | None, share: Decimal) -> bool:
    """Whether a delivery came after its month was over, or holds nearly every day of it."""
    if held is None:
        return False
    days = {key.split(" ")[0] for key in held.effective_by_day if key.startswith(held.month)}
    first = date.fromisoformat(f"{held.month}-01")
    return held.delivered_at[:7] > held.month or len(days) >= (1 - share) * monthrange(first.year, first.month)[1]


def _sum(totals: Iterable[Mapping[str, str]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for total in totals:
        for currency, amount in total.items():
            found[currency] = EXACT.add(found.get(currency, Decimal(0)), Decimal(amount))
    return found


@dataclass(frozen=True, kw_only=True)
class _Route:
    """Where an account-month goes: to its own partition, or as corrections to that of an open month."""

    target: Partition
    closed: Closure | None
    corrections: Sequence[Partition]
    """What holds corrections of the month, oldest first."""


def _route(here: Partition, ledger: Ledger) -> _Route:
    if here.dataset != CHARGES:
        return _Route(target=here, closed=None, corrections=())
    own = (here.dataset, here.source, here.billing_account)
    corrections = sorted(
        p for p in ledger.holds if p.corrects == here.month and (p.dataset, p.source, p.billing_account) == own
    )
    closed = ledger.closures.of(here.source, here.billing_account, here.month)
    if closed is None:
        return _Route(target=here, closed=None, corrections=corrections)
    month = _open_month(here, corrections, ledger.closures)
    return _Route(target=replace(here, month=month, corrects=here.month), closed=closed, corrections=corrections)


def _corrections(route: _Route, ledger: Ledger) -> list[Partition]:
    """What corrects a month in others by now."""
    return [p for p in route.corrections if ledger.holds[p].rows_published]


def _open_month(here: Partition, corrections: Sequence[Partition], closures: Closures) -> str:
    """Where corrections go: where the last ones stand if that month is open, else the first month that is."""

    def is_open(month: str) -> bool:
        return closures.of(here.source, here.billing_account, month) is None

    if corrections and is_open(corrections[-1].month):
        return corrections[-1].month
    month = date.fromisoformat(f"{here.month}-01")
    while not is_open(f"{month:%Y-%m}"):
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return f"{month:%Y-%m}"


def _corrected(delivery: Delivery, route: _Route, answer: Answer) -> Delivery:
    """The delivery as corrections of a closed month."""
    assert answer.differences is not None
    assert route.closed is not None
    rows, costs = answer.differences.rows, answer.differences.costs
    arrived = delivery.rows_read - delivery.rows_rejected
    return replace(
        delivery,
        month=route.target.month,
        corrects=route.target.corrects,
        rows_published=rows,
        rows_merged=max(arrived - rows, 0),
        rows_added=max(rows - arrived, 0),
        billed_total=_texts(costs["BilledCost"]),
        effective_total=_texts(costs["EffectiveCost"]),
        notes=[*delivery.notes, f"{delivery.month} is closed ({_row_of_plan(route.closed)}): differences only"],
    )


def _row_of_plan(closed: Closure) -> str:
    return f"{closed.file} row {closed.row}, closed on {closed.closed_on}"


def _late(here: Partition, closed: Closure, corrected: Delivery) -> str:
    return (
        f"{here} is closed ({_row_of_plan(closed)}) and refuses what comes late. The delivery would change it by "
        f"{_signed(corrected.billed_total) or 'nothing billed'} in {corrected.rows_published} corrections. Let the "
        "plan say correction to take them into the first month that is not closed."
    )


def _with_earlier(delivery: Delivery, before: Delivery | None, answer: Answer) -> Delivery:
    """The delivery as the partition will hold it: with the rows of earlier buckets that it does not replace."""
    assert answer.earlier is not None
    earlier = answer.earlier
    files = {f["sha256"]: f for f in delivery.files}
    files |= {f["sha256"]: f for f in before.files if f["name"] in earlier.files} if before else {}
    return replace(
        delivery,
        files=list(files.values()),
        rows_read=delivery.rows_read + earlier.rows,
        rows_published=delivery.rows_published + earlier.rows,
        billed_total=_added(delivery.billed_total, earlier.costs.get("BilledCost", {})),
        effective_total=_added(delivery.effective_total, earlier.costs.get("EffectiveCost", {})),
        notes=[*delivery.notes, f"rows kept from earlier deliveries: {earlier.rows}"],
    )


def _added(total: Mapping[str, str], more: Money) -> dict[str, str]:
    return _texts({c: EXACT.add(Decimal(total.get(c, "0")), more.get(c, Decimal(0))) for c in {*total, *more}})


def _change(before: Delivery, after: Delivery) -> dict[str, str]:
    was, now = before.billed_total, after.billed_total
    return _texts({c: EXACT.subtract(Decimal(now.get(c, "0")), Decimal(was.get(c, "0"))) for c in {*was, *now}})


def _texts(amounts: Money) -> dict[str, str]:
    return {currency: exact(amount) for currency, amount in sorted(amounts.items())}


def _hashes(delivery: Delivery) -> set[str]:
    return {f["sha256"] for f in delivery.files}


def _billed(delivery: Delivery) -> str:
    return ", ".join(f"{c} {a}" for c, a in delivery.billed_total.items())


def _signed(amounts: Mapping[str, str]) -> str:
    return ", ".join(f"{c} {'' if a.startswith('-') else '+'}{a}" for c, a in amounts.items())


def _said(delivery: Delivery, damage: str | None) -> str:
    said = f"{delivery.partition}: {in_rows(delivery.rows_published)}"
    if delivery.billed_total:
        said += f", billed {_billed(delivery)}"
    if delivery.replaced is not None:
        moved = _signed(delivery.billed_change)
        said += f"; replaces an earlier delivery{f', change {moved}' if moved else ''}"
    if damage:
        said += f"; heals what the lake had of it, whose file {damage}"
    return "; ".join([said, *delivery.notes])


def unchanged(batch: Batch, deliveries: Sequence[Delivery]) -> list[Verdict]:
    """What stands in the lake of a batch, where every file of it does, unchanged and whole: nothing need be read.

    Reads    the whole ledger, oldest first.
    """
    arrived = {f.sha256 for f in batch.files}
    newest: dict[tuple[str, str], Delivery] = {}
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for d in deliveries:
        if d.source == batch.adapter.name and d.dataset == batch.adapter.dataset:
            where = (d.billing_account, d.corrects or d.month)
            newest[where] = d
            seen[where] |= _hashes(d)
    standing = [d for d in newest.values() if not d.withdrawn and d.whole and d.adapter_sha256 == batch.adapter.sha256]
    settled = {sha for d in standing if _hashes(d) <= arrived for sha in _hashes(d)}
    # What gave a month that holds something else by now, or nothing, is wanted back there.
    for where, d in newest.items():
        settled -= seen[where] - (set() if d.withdrawn else _hashes(d))
    if not arrived <= settled:
        return []
    return [
        Verdict(decision="unchanged", source=batch.adapter.name, partition=p, delivery=d, messages=(f"{p}: unchanged",))
        for p, d in standing_in(deliveries).items()
        if d.source == batch.adapter.name and _hashes(d) <= arrived
    ]
