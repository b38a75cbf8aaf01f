"""Which export a file is, and which files belong together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .. import lake
from ..errors import RefusedError
from ..lake import Home
from . import mapping
from .adapters import adapters
from .call import Batch, Call, Outcome
from .files import Delivered, collect, holds_no_record, sniff
from .reading import recognise, with_date_order


def batches(call: Call, paths: Sequence[str | Path], source: str | None, *, new_only: bool) -> list[Batch]:
    """The files by source and month, months in their order; those that no manifest gives a month come first."""
    batches: dict[tuple[str, str], Batch] = {}
    known: set[tuple[str, str]] = set()
    outcomes = call.outcomes
    for given in paths:
        try:
            collected = collect([given], workdir=call.workdir)
        except RefusedError as error:
            outcomes.append(Outcome(status="refused", source=source, message=str(error)))
            continue
        outcomes += [Outcome(status="superseded", source=source, message=m) for m in collected.superseded]
        outcomes += [Outcome(status="refused", source=source, message=m) for m in collected.incomplete]
        for file in _not_known(call.home, collected.files) if new_only else collected.files:
            call.progress(f"recognising {file.name}")
            try:
                sniffed = sniff(file, workdir=call.workdir)
            except RefusedError as error:
                call.damaged.append(file.name)
                outcomes.append(Outcome(status="refused", source=source, message=str(error)))
                continue
            try:
                beside = mapping.find(file.path) if source in (None, mapping.SOURCE) else None
                adapter = mapping.adapter(sniffed, beside) if beside else recognise(sniffed, source=source)
            except RefusedError as error:
                outcomes.append(_not_recognised(sniffed, source, error))
                continue
            try:
                sniffed = with_date_order(adapter, sniffed, told=call.dates)
            except RefusedError as error:
                call.damaged.append(file.name)
                outcomes.append(Outcome(status="refused", source=adapter.name, message=str(error)))
                continue
            key = next((k for k, a in adapters().items() if a is adapter), f"{adapter.name}:{adapter.sha256}")
            if (key, file.sha256) in known:
                continue
            known.add((key, file.sha256))
            period = file.manifest.period if file.manifest else ""
            batch = Batch(key=key, adapter=adapter, period=period, files=[])
            batches.setdefault((period, key), batch).files.append(sniffed)
    return [batches[place] for place in sorted(batches)]


def _not_recognised(file: Delivered, source: str | None, error: RefusedError) -> Outcome:
    """Why a file has no adapter: nobody reads its like, or it holds nothing that would tell."""
    ways = [a.records for a in adapters().values() if "json" in a.formats and source in (None, a.name)]
    if file.format == "json" and holds_no_record(file, ways):
        message = f"{file.name}: holds no record, as an API answers where there is nothing; nothing to publish."
        return Outcome(status="empty", source=source, message=message)
    return Outcome(status="refused", source=source, message=str(error))


def _not_known(home: Home, files: Sequence[Delivered]) -> list[Delivered]:
    """The files that no delivery of the ledger brought in, and those that a manifest puts together with one of them."""
    entries = [f for d in lake.deliveries(home) if d.whole or d.withdrawn for f in d.files]
    known = {f["sha256"] for f in entries} | {f.get("archive_sha256") for f in entries}
    new = [f for f in files if f.sha256 not in known and (f.archive is None or f.archive not in known)]
    together = {f.manifest for f in new if f.manifest}
    return [f for f in files if f in new or f.manifest in together]
