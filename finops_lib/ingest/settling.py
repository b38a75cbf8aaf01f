"""Whether what is staged keeps its promises; each unit that does replaces what the lake held of it."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from .. import lake
from ..contract import Contract, contract, literal
from ..errors import RefusedError
from ..lake import Delivery, Unit
from . import checking, closing, overlaps, rejecting, staging
from .adapters import Adapter
from .call import NONE_REJECTED, NOTHING, PARTS, Call, Costs, Outcome, Staged, in_rows, named
from .checking import EXACT, Where, plain
from .rejecting import Rejected


def settle(call: Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, staged: Staged) -> list[Outcome]:
    """Check what is staged and publish every unit that keeps its promises."""
    own = contract(adapter.dataset)
    call.progress(f"checking {adapter.name}")
    read, delivered = staged.counted
    published = checking.totals(db, adapter, own)
    mended = checking.repairs(db, own)
    lost = _lost_money(adapter, delivered, published)
    spoilt: dict[str, list[str]] = {name: [] for name in staged.reasons}
    if not published and not read and not staged.reasons:
        names = named(list(staged.entries))
        held = f"no row that {adapter.name} reads" if adapter.rows or adapter.line else "a header and no rows"
        return [Outcome(status="empty", source=adapter.name, message=f"{names}: holds {held}; nothing to publish.")]
    copies = overlaps.between_files(db, own, read, staged.manifests)
    problems = {
        where: [*staged.offences.get(where, []), *lost.get(where, []), *([copies[where]] if where in copies else [])]
        for where in sorted(set(published) | set(read) | set(staged.rejected))
    }
    with lake.locked(call.home):
        outcomes = _settled(call, db, adapter, staged, problems, published, mended, spoilt)
    for name, found in staged.reasons.items():
        kept = f" {', '.join(spoilt[name])} stays as it was." if spoilt[name] else ""
        outcomes += [
            Outcome(status="refused", source=adapter.name, message=f"{message}{kept}", staged=staged.file)
            for message in found
        ]
    return outcomes


def _settled(
    call: Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    staged: Staged,
    problems: dict[Where, list[str]],
    published: dict[Where, checking.Total],
    mended: dict[Where, str],
    spoilt: dict[str, list[str]],
) -> list[Outcome]:
    """Publish the units without a problem, while nobody else publishes."""
    read, _ = staged.counted
    now = lake.current(call.home)
    units = {
        where: Unit(dataset=adapter.dataset, source=adapter.source, billing_account=where[0], month=where[1])
        for where in problems
    }
    outcomes: list[Outcome] = []
    superseded = {where for where, unit in units.items() if _is_there_better(call, db, adapter, unit)}
    for where, unit in units.items():
        if where not in superseded and where in published:
            problems[where] += _overlaps(call, db, adapter, unit, sorted(read.get(where, {})), staged, now)
    whole = not staged.reasons and not any(problems.values())
    for where, unit in units.items():
        contributing = read.get(where, {})
        if where in superseded:
            message = f"{unit}: left out, what {adapter.name} says; the lake holds the same money from {adapter.source}"
            outcomes.append(Outcome(status="superseded", source=adapter.name, unit=unit, message=message))
            continue
        rejected = staged.rejected.get(where, NONE_REJECTED)
        if rejected.rows:
            keep_rejected(call, db, unit)
        if set(contributing) & set(staged.reasons):
            for name in set(contributing) & set(staged.reasons):
                spoilt[name].append(str(unit))
            continue
        if problems[where]:
            outcomes += [
                Outcome(
                    status="refused",
                    source=adapter.name,
                    unit=unit,
                    staged=staged.file,
                    message=f"{p} {unit} stays as it was." if "None" not in where else p,
                )
                for p in problems[where]
            ]
            continue
        if not contributing and where not in published:
            continue
        total = published.get(where, NOTHING)
        source_rows = sum(contributing.values())
        delivery = Delivery(
            delivery_id=staged.delivery_id,
            dataset=adapter.dataset,
            source=adapter.source,
            billing_account=where[0],
            month=where[1],
            files=[file for name in sorted(contributing) for file in staged.entries[name]],
            adapter_sha256=adapter.sha256,
            rows_read=source_rows + rejected.rows,
            rows_published=total.rows,
            rows_rejected=rejected.rows,
            rows_merged=source_rows - (total.rows - total.added),
            rows_added=total.added,
            billed_total={c: plain(a) for c, a in sorted(total.billed.items())},
            effective_total={c: plain(a) for c, a in sorted(total.effective.items())},
            delivered_at=call.began,
            notes=[
                *staged.of_all,
                *sorted({staged.notes[name] for name in contributing if name in staged.notes}),
                *([mended[where]] if where in mended else []),
                *_missing(rejected),
            ],
            rejected_total={c: plain(a) for c, a in sorted(rejected.billed.items())},
            rejected_unreadable=rejected.unreadable,
            whole=whole,
        )
        outcomes.append(publish(call, db, adapter, unit, delivery, staged.file, alone=len(published) == 1))
    return outcomes


def _overlaps(
    call: Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    unit: Unit,
    files: Sequence[str],
    staged: Staged,
    now: dict[Unit, Delivery],
) -> list[str]:
    """Why a unit would count the same charges twice."""
    found = [
        overlaps.between_reports(files, staged.manifests),
        overlaps.between_sources(db, call.home, unit, now),
        None if adapter.parts else taken(call, adapter, unit, files),
    ]
    return [message for message in found if message is not None]


def taken(call: Call, adapter: Adapter, unit: Unit, files: Sequence[str]) -> str | None:
    """Why a unit that other files of this call gave already cannot be given once more."""
    if adapter.bucket is not None or not files:
        return None
    first = call.taken.setdefault(unit, files[0])
    if first == files[0]:
        return None
    return (
        f"{files[0]} and {first} came in one call as two deliveries of one month, and one would replace the other. "
        "Deliver the newer one alone."
    )


def keep_rejected(call: Call, db: duckdb.DuckDBPyConnection, unit: Unit) -> None:
    if not call.dry_run:
        own = None if unit.dataset == PARTS else contract(unit.dataset)
        private = own is not None and own.focus_dataset is None and not own.plan
        call.rejects.append(rejecting.keep(db, call.home, unit, private=private))


def _missing(rejected: Rejected) -> list[str]:
    """What a unit lacks of its bill, said in its notes."""
    if not rejected.rows:
        return []
    money = ", ".join(f"{c} {plain(a)}" for c, a in sorted(rejected.billed.items()))
    unreadable = f"{in_rows(rejected.unreadable)} without a readable amount" if rejected.unreadable else ""
    missing = " and ".join(t for t in (money, unreadable) if t)
    return [f"{in_rows(rejected.rows)} rejected" + (f": {missing} missing" if missing else "")]


def _is_there_better(call: Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, unit: Unit) -> bool:
    """Whether the lake holds this money from the better of two exports of it."""
    if adapter.same_money_as is None or lake.holding(call.home, unit) is None:
        return False
    file = literal(str(call.home.lake / unit.file))
    return bool(
        db.sql(f"select 1 from read_parquet({file}) where x_Adapter <> {literal(adapter.name)} limit 1").fetchall()
    )


def _lost_money(adapter: Adapter, delivered: Costs, published: dict[Where, checking.Total]) -> dict[Where, list[str]]:
    """Units with a cost that does not add up to what was delivered, to the last digit."""
    lost: dict[Where, list[str]] = defaultdict(list)
    for column, by_unit in delivered.items():
        for where in {**by_unit, **published}:
            before, after = by_unit.get(where, {}), published.get(where, NOTHING).costs.get(column, {})
            if before is None:
                continue
            for c in sorted({*before, *after}):
                was, now = before.get(c, Decimal(0)), after.get(c, Decimal(0))
                if was != now:
                    lost[where].append(
                        f"{adapter.name}, column {column}: found {plain(now)} {c} after adapting, wanted the "
                        f"{plain(was)} {c} delivered."
                    )
    return lost


def publish(
    call: Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    unit: Unit,
    delivery: Delivery,
    staged: Path,
    *,
    alone: bool,
) -> Outcome:
    """Put one unit of `staged` in its place, unless it is there already; call under `lake.locked`."""
    try:
        return _put(call, db, adapter, unit, delivery, staged, alone=alone)
    except RefusedError as error:
        return Outcome(status="refused", source=unit.source, unit=unit, message=f"{unit}: {error}")


def _put(
    call: Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    unit: Unit,
    delivery: Delivery,
    staged: Path,
    *,
    alone: bool,
) -> Outcome:
    before = lake.holding(call.home, unit)
    account, month = ("x_account", "x_month") if unit.dataset == PARTS else checking.placement(contract(unit.dataset))
    rows = "* exclude (x_account, x_month)" if unit.dataset == PARTS else "*"
    arrived = (
        f"select {rows} from staged "
        f"where {account} = {literal(unit.billing_account)} and {month} = {literal(unit.month)}"
    )
    query = arrived
    with lake.writing(call.home):
        late = closing.late(
            db, call.home, call.closures, delivery, arrived, workdir=call.workdir,
            stays=partial(_what_stays, adapter, contract(unit.dataset), arrived) if adapter.bucket else None,
        )  # fmt: skip
    if late:
        if late.message:
            return Outcome(status="refused", source=unit.source, unit=unit, message=late.message)
        if late.same:
            return Outcome(status="unchanged", source=unit.source, unit=unit, message=f"{unit}: unchanged")
        unit, delivery, query, before = late.unit, late.delivery, late.query, lake.holding(call.home, late.unit)
    elif before and adapter.bucket:
        stays = _what_stays(adapter, contract(unit.dataset), arrived, _held(call.home.lake / unit.file))
        delivery = _with_what_stays(db, delivery, before, stays)
        query = f"{arrived} union all by name {stays}"
    hashes = sorted(f["sha256"] for f in delivery.files)
    if (
        before
        and sorted(f["sha256"] for f in before.files) == hashes
        and before.adapter_sha256 == delivery.adapter_sha256
    ):
        return Outcome(status="unchanged", source=unit.source, unit=unit, delivery=before, message=f"{unit}: unchanged")
    if before:
        change = {
            c: plain(
                EXACT.subtract(Decimal(delivery.billed_total.get(c, "0")), Decimal(before.billed_total.get(c, "0")))
            )
            for c in sorted(set(before.billed_total) | set(delivery.billed_total))
        }
        delivery = replace(delivery, replaced=before.delivery_id, billed_change=change)
    message = _said(unit, delivery)
    if call.dry_run:
        return Outcome(status="would publish", source=unit.source, unit=unit, delivery=delivery, message=message)
    file = staged
    if not alone or query != arrived:
        file = call.workdir / f"{hashlib.sha256(str(unit).encode()).hexdigest()[:16]}.parquet"
        staging.copy(call, db, query, file, f", kv_metadata {{finops_delivery: {literal(delivery.delivery_id)}}}")
    kept = None
    if unit.dataset != PARTS and checking.is_broken_down(contract(unit.dataset)):
        kept = call.workdir / "breakdown.parquet"
        own = checking.broken_down(unit, None if query == arrived else query)
        staging.copy(call, db, own, kept)
    with lake.writing(call.home):
        delivery = lake.publish(call.home, delivery, file, kept=kept)
    if not delivery.rows_rejected:
        rejecting.forget(call.home, unit)
    published = Outcome(
        status="published", source=unit.source, unit=unit, delivery=delivery, message=message,
        staged=call.home.lake / unit.file,
    )  # fmt: skip
    call.published.append(published)
    return published


def _held(file: Path) -> str:
    return f"select * from read_parquet({literal(str(file))}, hive_partitioning = false)"


def _what_stays(adapter: Adapter, own: Contract, arrived: str, held: str) -> str:
    """A SELECT of the held rows of a unit that a delivery of some of its buckets leaves in place.

    A request without an id stays; a charge without a bucket belongs to a delivery of the whole month, which replaces
    every charge and is replaced by any delivery.
    """
    # A month published before the contract had the bucket's column has nothing in it.
    before = f"{held} union all by name {own.empty()}"
    bucket, delivered = adapter.bucket, f"select {adapter.bucket} from ({arrived})"
    if own.focus_dataset:
        return f"select * from ({before}) where {bucket} not in ({delivered})"
    kept = f"{bucket} is null or {bucket} not in ({delivered} where {bucket} is not null)"
    return f"select * from ({before}) where {kept}"


def _with_what_stays(db: duckdb.DuckDBPyConnection, delivery: Delivery, before: Delivery, stays: str) -> Delivery:
    """The delivery as the unit will hold it: with the rows of earlier buckets that it does not replace."""
    files: dict[str, dict[str, Any]] = {f["sha256"]: f for f in delivery.files}
    count = 0
    own = contract(delivery.dataset)
    totals = {"BilledCost": dict(delivery.billed_total), "EffectiveCost": dict(delivery.effective_total)}
    if delivery.billed_total:
        sums_of = ", ".join(f"sum({cost})" if cost in own.names else "null" for cost in totals)
        for currency, rows, *sums in db.sql(
            f"select BillingCurrency, count(*), {sums_of} from ({stays}) group by 1"
        ).fetchall():
            count += int(rows)
            for total, amount in zip(totals.values(), sums, strict=True):
                if amount is not None:
                    total[currency] = plain(EXACT.add(Decimal(total.get(currency, "0")), amount))
    else:
        [(count,)] = db.sql(f"select count(*) from ({stays})").fetchall()
    if not count:
        return delivery
    file, _ = checking.origin(own)
    names = {str(name) for (name,) in db.sql(f"select distinct {file} from ({stays})").fetchall()}
    files |= {f["sha256"]: f for f in before.files if f["name"] in names}
    return replace(
        delivery,
        files=list(files.values()),
        rows_read=delivery.rows_read + count,
        rows_published=delivery.rows_published + count,
        billed_total=dict(sorted(totals["BilledCost"].items())),
        effective_total=dict(sorted(totals["EffectiveCost"].items())),
        notes=[*delivery.notes, f"rows kept from earlier deliveries: {count}"],
    )


def _said(unit: Unit, delivery: Delivery) -> str:
    rows = f"{delivery.rows_published} row{'' if delivery.rows_published == 1 else 's'}"
    money = ", ".join(f"{c} {a}" for c, a in delivery.billed_total.items())
    said = f"{unit}: {rows}" + (f", billed {money}" if money else "")
    if delivery.replaced is not None:
        moved = ", ".join(f"{c} {'+' if not a.startswith('-') else ''}{a}" for c, a in delivery.billed_change.items())
        said += f"; replaces an earlier delivery{f', change {moved}' if moved else ''}"
    return "; ".join([said, *delivery.notes])
