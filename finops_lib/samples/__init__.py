"""The sample company, written in the vendors' own export formats."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write"]


def write(out: str | Path, *, months: int = 18, scale: int = 1, seed: int = 7) -> list[Path]:
    """Write the exports, the plan and the truth of the sample company.

    Reads    months: how many up to October 2026, whose data ends on the 25th; scale: how many times the resources;
             seed: the same one gives the same bytes.
    Returns  the files written: inbox/<vendor>/…, inbox/telemetry/…, corrections/… (a late delivery, to be ingested
             on its own), plan/<dataset>.csv and truth.json, which says what was planted and what everything sums to.
    Refuses  UsageError for months or scale below 1.
    """
    from ..errors import UsageError
    from . import anthropic, aws, azure, base, gcp, openai, plan, telemetry, truth

    if months < 1 or scale < 1:
        raise UsageError(f"The samples were asked for {months} months at scale {scale}. Both must be 1 or more.")
    run = base.Run(Path(out), base.months_back(months), scale, seed, base.Truth())
    for module in (aws, azure, gcp, openai, anthropic, telemetry, plan, truth):
        module.write(run)
    return run.truth.files
