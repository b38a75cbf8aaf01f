"""What an exporter says it delivered: which files belong together, and which delivery of a period is the newest.

AWS and Azure put a manifest beside their files. An export that is written anew each day leaves every day's copy of the
month in the folder; adding them up would multiply the bill, and file names do not tell. The newest manifest does.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

NAME = re.compile(r"manifest\.json$", re.IGNORECASE)
"""What manifests are called: `manifest.json` (Azure), `<report>-Manifest.json` (AWS)."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One manifest: what it describes, how new it is, and the files it names."""

    name: str
    describes: tuple[str, ...]
    """Exporter, report and period: of several with the same, the newest counts."""
    age: tuple[int, str, float]
    """Larger is newer."""
    files: tuple[str, ...]
    kind: str
    """The exporter's word for the dataset, such as AmortizedCost; empty for AWS."""

    @property
    def period(self) -> str:
        """The exporter's name of the month."""
        return self.describes[-1]

    @property
    def scope(self) -> str:
        """Whose charges it lists: the account or the scope it was exported for; empty where it does not say."""
        _, account, report, _ = self.describes
        named = re.match(r"arn:[^:]*:[^:]*:[^:]*:(\d+):", report)
        return account or (named[1] if named else "")


@dataclass(frozen=True, kw_only=True)
class Sorted:
    """What the manifests of a delivery say of its files, by name."""

    superseded: dict[str, str]
    """File → the manifest whose delivery replaced it."""
    incomplete: dict[str, str]
    """File → why its delivery is not whole."""
    in_force: dict[str, Manifest]
    """File → the manifest that names it, where that is the newest of its period."""


def read(name: str, path: Path) -> Manifest | None:
    """One manifest of AWS (legacy, Data Exports) or Azure; None for any other JSON of that name."""
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
        if "blobs" in said:
            config, run = said["exportConfig"], said["runInfo"]
            return Manifest(
                name=name,
                describes=("azure", str(config["resourceId"]), str(config["type"]), str(run["startDate"])[:7]),
                age=(0, str(run["submittedTime"]), 0.0),
                files=tuple(str(b["blobName"]) for b in said["blobs"]),
                kind=str(config["type"]),
            )
        files = tuple(str(f).removeprefix("s3://") for f in said.get("reportKeys") or said.get("dataFiles") or ())
        period = str((said.get("billingPeriod") or {}).get("start") or _period(files)).replace("-", "")[:8]
        report = str(said.get("exportArn") or said.get("reportName") or PurePosixPath(name).name)
        # Beside the assemblies' own manifests the period's folder holds one that names the assembly in force.
        depth = len(PurePosixPath(name).parts)
        stamp = re.match(r"\d{8}T?\d*", PurePosixPath(name).parent.name.replace("-", ""))
        in_force = stamp is None or bool(re.fullmatch(r"\d{8}-\d{8}", PurePosixPath(name).parent.name))
        return Manifest(
            name=name,
            describes=("aws", str(said.get("account", "")), report, period),
            age=(-depth if in_force else -99, stamp[0] if stamp else "", path.stat().st_mtime),
            files=files,
            kind="",
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError):
        return None


def sort(manifests: Sequence[Manifest], names: Sequence[str]) -> Sorted:
    """Which of the files count, by the newest manifest of each report and period."""
    groups: dict[tuple[str, ...], list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        groups[manifest.describes].append(manifest)
    superseded: dict[str, str] = {}
    incomplete: dict[str, str] = {}
    in_force: dict[str, Manifest] = {}
    for group in groups.values():
        *older, newest = sorted(group, key=lambda m: m.age)
        found = {file: _find(file, newest.name, names) for file in newest.files}
        present = {name for name in found.values() if name is not None}
        in_force |= dict.fromkeys(present, newest)
        earlier = {_find(file, manifest.name, names) for manifest in older for file in manifest.files}
        superseded |= {name: newest.name for name in earlier if name is not None and name not in present}
        missing = [file for file, name in found.items() if name is None]
        if missing:
            why = f"{newest.name} also names {', '.join(missing)}, which is not there"
            incomplete |= dict.fromkeys(present, why)
    return Sorted(superseded=superseded, incomplete=incomplete, in_force=in_force)


def _find(file: str, manifest: str, names: Sequence[str]) -> str | None:
    """The delivered file that a manifest means: the one whose path ends most like it."""
    # A zip is unpacked by now: its file carries the archive's name.
    wanted = PurePosixPath(file.removesuffix(".zip")).parts[::-1]

    def alike(name: str) -> tuple[int, int]:
        ending = 0
        for ours, theirs in zip(PurePosixPath(name).parts[::-1], wanted, strict=False):
            if ours != theirs:
                break
            ending += 1
        start = 0
        for ours, theirs in zip(PurePosixPath(name).parts, PurePosixPath(manifest).parts, strict=False):
            if ours != theirs:
                break
            start += 1
        return ending, start

    best = max(names, key=alike, default=None)
    return best if best is not None and alike(best)[0] else None


def _period(files: Sequence[str]) -> str:
    found = re.search(r"BILLING_PERIOD=(\d{4}-\d{2})|(\d{8})-\d{8}", " ".join(files))
    return next((g for g in found.groups() if g), "") if found else ""
