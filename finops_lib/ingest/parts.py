"""Exports that are not complete alone: kept as delivered, adapted once every part is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import duckdb

from .. import lake
from ..contract import contract, literal, quoted
from ..lake import TIMELESS, Delivery, Unit
from . import checking, rejecting, settling, staging
from .adapters import Adapter, adapters
from .call import NONE_REJECTED, PARTS, Call, Outcome, Staged, by_name, named, refusals
from .checking import EXACT, Where, plain
from .files import first_line
from .rejecting import Rejected


def counts(db: duckdb.DuckDBPyConnection, reasons: dict[str, list[str]]) -> dict[Where, dict[str, int]]:
    """Rows of a staged part by unit and file; a file with a row of no unit is given its reason."""
    counts: dict[Where, dict[str, int]] = defaultdict(dict)
    for account, month, file, count, row in db.sql(
        "select x_account, x_month, x_source_file, count(*), min(x_source_row) from staged group by all"
    ).fetchall():
        if account is not None and month is not None:
            counts[(str(account), str(month))][str(file)] = int(count)
        elif file not in reasons:
            message = (
                f"{file}, row {row}: found no billing account or no month, wanted both to know what the row replaces. "
                "Correct the row at its source and deliver the file again."
            )
            reasons[file] = [message]
    return counts


def keep(
    call: Call,
    db: duckdb.DuckDBPyConnection,
    adapter: Adapter,
    entries: dict[str, list[dict[str, Any]]],
    counts: dict[Where, dict[str, int]],
    reasons: dict[str, list[str]],
    rejected: dict[Where, Rejected],
) -> list[Outcome]:
    """Keep a part as delivered; the charges it completes are made once every part of the call is kept."""
    if not counts and not reasons:
        message = f"{named(list(entries))}: holds a header and no rows; nothing to publish."
        return [Outcome(status="empty", source=adapter.name, message=message)]
    kept = []
    for where, contributing in sorted(counts.items()):
        if set(contributing) & set(reasons):
            continue
        unit = Unit(dataset=PARTS, source=adapter.name, billing_account=where[0], month=where[1])
        rows = sum(contributing.values())
        lacking = rejected.get(where, NONE_REJECTED)
        if lacking.rows:
            settling.keep_rejected(call, db, unit)
        files = [file for name in sorted(contributing) for file in entries[name]]
        delivery = Delivery(
            delivery_id=staging.delivery_id(call, files, adapter),
            dataset=PARTS,
            source=adapter.name,
            billing_account=where[0],
            month=where[1],
            files=files,
            adapter_sha256=adapter.sha256,
            rows_read=rows + lacking.rows,
            rows_published=rows,
            rows_rejected=lacking.rows,
            rows_merged=0,
            rows_added=0,
            billed_total={},
            effective_total={},
            delivered_at=call.began,
            rejected_total={c: plain(a) for c, a in sorted(lacking.billed.items())},
            rejected_unreadable=lacking.unreadable,
        )
        if taken := settling.taken(call, adapter, unit, sorted(contributing)):
            message = f"{taken} {unit} stays as it was."
            kept.append(Outcome(status="refused", source=adapter.name, unit=unit, message=message))
            continue
        with lake.locked(call.home):
            kept.append(settling.publish(call, db, adapter, unit, delivery, call.workdir, alone=False))
        call.kept.add((adapter.name, where))
    return [*refusals(adapter, reasons), *(o for o in kept if call.dry_run or o.status == "refused")]


def complete(call: Call) -> None:
    """Adapt the charges of every account and month of which a part has arrived, from all the parts there are."""
    for adapter in (a for a in adapters().values() if a.select is not None and a.parts and not call.dry_run):
        now = lake.current(call.home)
        for where, arrived in _to_complete(call, adapter, now):
            units = {name: _part_unit(name, where, now) for name in (adapter.name, *adapter.parts)}
            awaited = next((n for n in (adapter.name, *adapter.waits_for) if units[n] not in now), None)
            if awaited:
                of_month = " of that month" if awaited == adapter.name and where[1] != TIMELESS else ""
                message = (
                    f"{arrived}, account {where[0]}, {where[1]}: kept; its charges appear once the {awaited} "
                    f"export{of_month} is delivered too"
                )
                call.outcomes.append(Outcome(status="held", source=arrived, unit=units[arrived], message=message))
                continue
            # Parts that another ingestion replaces in between would not be the ones that the ledger names.
            with lake.locked(call.home):
                call.outcomes.extend(_from_parts(call, adapter, units, lake.current(call.home)))
    call.kept.clear()


def _to_complete(call: Call, adapter: Adapter, now: dict[Unit, Delivery]) -> list[tuple[Where, str]]:
    """Accounts and months whose charges this call may make or change, each with a part of them that arrived."""
    found: dict[Where, str] = {}
    for name, (account, month) in sorted(call.kept):
        if name not in (adapter.name, *adapter.parts):
            continue
        months = [month]
        if month == TIMELESS:
            # A part without months, such as a price list, is one of every month there is.
            ours = (PARTS, adapter.name, account)
            months = [u.month for u in now if (u.dataset, u.source, u.billing_account) == ours] or months
        for each in months:
            found.setdefault((account, each), name)
    return sorted(found.items())


def _part_unit(name: str, where: Where, now: dict[Unit, Delivery]) -> Unit:
    """Where a part of an account's month is kept: under that month, or under none where it has none."""
    of_month, timeless = (
        Unit(dataset=PARTS, source=name, billing_account=where[0], month=month) for month in (where[1], TIMELESS)
    )
    return timeless if timeless in now else of_month


def _from_parts(call: Call, adapter: Adapter, units: dict[str, Unit], now: dict[Unit, Delivery]) -> list[Outcome]:
    call.progress(f"adapting {adapter.name} {units[adapter.name].month}")
    entries = by_name([f for u in units.values() if u in now for f in now[u].files])
    notes = [f"no {name} delivery of this month yet" for name in adapter.parts if units[name] not in now]
    delivery_id = staging.delivery_id(call, [f for files in entries.values() for f in files], adapter)
    target = call.workdir / f"{adapter.name}-{units[adapter.name].month}-{delivery_id}.parquet"
    where = (units[adapter.name].billing_account, units[adapter.name].month)
    with staging.database(call) as db:
        rejecting.begin(db)
        for name, unit in units.items():
            _part_table(call, db, adapter, name, unit if unit in now else None)

        def stage() -> None:
            staging.stage(call, db, staging.in_contract_columns(db, adapter), target, delivery_id)

        try:
            stage()
        except duckdb.Error as error:
            message = f"{named(list(entries))}: the {adapter.name} adapter cannot read this ({first_line(error)})."
            return [Outcome(status="refused", source=adapter.name, message=message)]
        own = contract(adapter.dataset)
        rejected: dict[Where, Rejected] = {}
        where = (units[adapter.name].billing_account, units[adapter.name].month)
        counted = staging.delivered(db, adapter, of=where)
        if offences := checking.offences(db, adapter, own):
            rejecting.offenders(db, own)
            if call.accept_rejects:
                stage()
                offences = checking.offences(db, adapter, own)
                counted = staging.delivered(db, adapter, of=where)
            rejected = rejecting.placed(db, adapter)
        staged = Staged(
            file=target,
            delivery_id=delivery_id,
            entries=entries,
            counted=counted,
            offences=offences,
            rejected=_with_carried(rejected, [now[unit] for unit in units.values() if unit in now]),
            reasons={},
            of_all=notes,
        )
        return settling.settle(call, db, adapter, staged)


def _with_carried(rejected: dict[Where, Rejected], parts: Sequence[Delivery]) -> dict[Where, Rejected]:
    """What was rejected, and what of the parts was rejected when they were kept."""
    found = dict(rejected)
    for part in parts:
        if not part.rows_rejected:
            continue
        where = (part.billing_account, part.month)
        before = found.get(where, NONE_REJECTED)
        billed = dict(before.billed)
        for currency, amount in part.rejected_total.items():
            billed[currency] = EXACT.add(billed.get(currency, Decimal(0)), Decimal(amount))
        found[where] = Rejected(
            rows=before.rows + part.rows_rejected,
            billed=billed,
            unreadable=before.unreadable + part.rejected_unreadable,
        )
    return found


def _part_table(call: Call, db: duckdb.DuckDBPyConnection, adapter: Adapter, name: str, unit: Unit | None) -> None:
    """Give the SELECT one of its tables: `raw`, or a part it names, empty where none was delivered."""
    file = None if unit is None else literal(str(call.home.lake / unit.file))
    taken = "anti join rejected using (x_source_file, x_source_row)" if call.accept_rejects else ""
    if name == adapter.name:
        db.execute(f"create view raw_all as select * from read_parquet({file})")
        db.execute(f"create view raw as from raw_all {taken}")
        return
    db.execute(adapter.parts[name])
    db.execute(f"alter table {name} add column if not exists x_source_file varchar")
    db.execute(f"alter table {name} add column if not exists x_source_row bigint")
    if file is None:
        return
    columns = db.sql(f"describe {name}").fetchall()
    db.execute(f"drop table {name}")
    # What was kept before the part had a column has nothing in it.
    casts = ", ".join(f"cast({quoted(str(c))} as {t}) as {quoted(str(c))}" for c, t, *_ in columns)
    nothing = ", ".join(f"cast(null as {t}) as {quoted(str(c))}" for c, t, *_ in columns)
    db.execute(
        f"create view {name} as select {casts} from (select * from read_parquet({file}) "
        f"union all by name select {nothing} where false) {taken}"
    )
