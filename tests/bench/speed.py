"""How fast, and in how much memory? `make bench` measures it here, against what others need on the same machine.

Every figure is a ratio of two programs that ran one after the other on the same data; the data is made first, below a
temporary folder. Each runs in a process of its own, start-up included; what is compared is the fastest of its runs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

sys.path.insert(0, str(Path(__file__).parent.parent / "conformance"))

import generating
import official

from finops_lib.lake import Home

P = ParamSpec("P")
T = TypeVar("T")

ROOT = Path(__file__).parent.parent.parent
TASKS = Path(__file__).with_name("tasks.py")
FIGURES = ROOT / "docs" / "bench.md"
CONVERTER = ROOT / ".venv-focus-converter"
CONVERTER_PACKAGES = (
    "focus-converter==1.0.0", "multimethod<2", "click<8.2", "sqlalchemy<2.1", "python-dateutil<3",
)  # fmt: skip

PARTS = {
    "parquet": "Ingest of Parquet",
    "csv": "Ingest of CSV",
    "conformance": "Conformance",
    "build": "Builds",
    "month": "Ingest of a large month",
}
"""What can be measured, and its section of the page."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one process took."""

    seconds: float
    cpu: float
    memory: float
    """Highest resident memory of the process in GB; of its children the largest counts."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One promise about speed, and how far it was kept."""

    what: str
    found: str
    wanted: str
    met: bool


def measured(command: Sequence[str | Path], *, folder: Path) -> Run:
    """Run a command to its end and say what it took; one that fails ends the bench with its last words."""
    said = folder / "said.txt"
    began = time.perf_counter()
    with said.open("w") as out:
        process = subprocess.Popen([str(c) for c in command], stdout=out, stderr=subprocess.STDOUT, cwd=folder)
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    # The official validator's exit code says nothing.
    if process.returncode and "Total: " not in said.read_text():
        sys.exit(f"bench: {command[0]} ended with {process.returncode}: {said.read_text()[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    run = Run(seconds=seconds, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss * unit / 1e9)
    print(f"  {run.seconds:.1f} s, {run.cpu:.1f} s of CPU, {run.memory:.2f} GB", flush=True)
    return run


def task(name: str, *arguments: str | Path, folder: Path) -> Run:
    """Run one of our own tasks."""
    print(f"bench: {name}", flush=True)
    return measured([sys.executable, TASKS, name, *arguments], folder=folder)


def ingested(files: Sequence[Path], *, folder: Path) -> tuple[Run, Path]:
    """An ingest into an empty home."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    return task("ingest", home, *files, folder=folder), home


def best(runs: Sequence[Run]) -> Run:
    """The fastest run, with the memory of the largest."""
    fastest = min(runs, key=lambda r: r.seconds)
    return Run(seconds=fastest.seconds, cpu=min(r.cpu for r in runs), memory=max(r.memory for r in runs))


def parquet(company: Path, folder: Path, *, rows: int, repeat: int) -> tuple[list[Figure], list[str]]:
    """An ingest of Parquet against DuckDB rewriting the same file, taking turns."""
    print(f"bench: making {rows:,} rows of CUR 2.0", flush=True)
    file = made(generating.cur2, company, folder / "cur2.parquet", rows=rows)
    ours, floor = [], []
    for _ in range(repeat):
        floor.append(task("rewrite", file, folder / "rewritten.parquet", folder=folder))
        run, home = ingested([file], folder=folder)
        ours.append(run)
    docs = task("data_docs", home, folder=folder)
    we, they = best(ours), best(floor)
    ratio, cpu = we.seconds / they.seconds, we.cpu / they.cpu
    facts = [
        f"CUR 2.0, {rows / 1e6:g} million rows of {generating.columns(file)} columns, Parquet of "
        f"{file.stat().st_size / 1e6:.0f} MB: rewritten unchanged by DuckDB in {took(they)}; ingested in {took(we)}, "
        f"checks included. Data Docs, written after that, took {took(docs)}.",
    ]
    (folder / "rewritten.parquet").unlink()
    file.unlink()
    return [
        Figure(what="ingest of Parquet ÷ DuckDB rewriting it", found=f"{ratio:.2f} × (CPU {cpu:.2f} ×)",
               wanted="at most 1.5 ×", met=ratio <= 1.5),
        Figure(what="memory of that ingest", found=f"{we.memory:.2f} GB", wanted="at most 1.5 GB",
               met=we.memory <= 1.5),
    ], facts  # fmt: skip


def took(run: Run) -> str:
    """A run in words."""
    return f"{run.seconds:.1f} s ({run.cpu:.1f} s of CPU, {run.memory:.2f} GB)"


def csv(company: Path, folder: Path, *, rows: int, repeat: int) -> tuple[list[Figure], list[str]]:
    """An ingest of a legacy CSV against focus-converter."""
    print(f"bench: making {rows:,} rows of a legacy CUR", flush=True)
    file = made(generating.legacy, company, folder / "cur.csv", rows=rows)
    said = f"Legacy CUR, {rows / 1e6:g} million rows of 94 columns, CSV of {file.stat().st_size / 1e9:.2f} GB"
    converter = converter_prepared()
    ours, theirs, floor = [], [], []
    for _ in range(repeat):
        floor.append(task("rewrite", file, folder / "rewritten.parquet", folder=folder))
        ours.append(ingested([file], folder=folder)[0])
        if converter:
            print("bench: focus-converter", flush=True)
            out = folder / "converted"
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            command: list[str | Path] = [
                converter, "convert", "--provider", "aws-cur", "--data-format", "csv", "--data-path", file,
                "--export-path", out, "--column-prefix", "", "--no-export-include-source-columns",
            ]  # fmt: skip
            theirs.append(measured(command, folder=folder))
            if not any(f.stat().st_size for f in out.rglob("*.parquet")):
                sys.exit("bench: focus-converter wrote nothing")
    file.unlink()
    we = best(ours)
    fact = f"{said}: rewritten unchanged by DuckDB in {took(best(floor))}; ingested in {took(we)}"
    if not theirs:
        return [], [f"{fact}; focus-converter could not be installed here and was not measured."]
    they = best(theirs)
    faster, cpu, share = they.seconds / we.seconds, they.cpu / we.cpu, we.memory / they.memory
    return [
        Figure(what="focus-converter 1.0.0 ÷ ingest of a legacy CSV", found=f"{faster:.1f} × (CPU {cpu:.1f} ×)",
               wanted="at least 3 ×", met=faster >= 3),
        Figure(what="memory of that ingest ÷ focus-converter's", found=f"{share:.2f}", wanted="at most 0.25",
               met=share <= 0.25),
    ], [f"{fact}; converted by focus-converter 1.0.0 in {took(they)}."]  # fmt: skip


def converter_prepared() -> Path | None:
    """The command of focus-converter in its own environment, made where it is not there; None where it cannot be."""
    command = CONVERTER / "bin" / "focus-converter"
    if not command.exists():
        print("bench: installing focus-converter into its own environment", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(CONVERTER)], check=True)
        pip = [str(CONVERTER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, *CONVERTER_PACKAGES], check=False).returncode:
            print("bench: focus-converter cannot be installed here; skipped", flush=True)
            return None
    return command


def conformance(company: Path, folder: Path, *, rows: int, repeat: int) -> tuple[list[Figure], list[str]]:
    """Our own rules against the official validator, on the same charges."""
    file = made(generating.cur2, company, folder / "cur2.parquet", rows=rows)
    _, home = ingested([file], folder=folder)
    we = best([task("conformance", home, folder=folder) for _ in range(repeat)])
    python = official.python_3_12()
    said = f"Conformance of {rows / 1e6:g} million rows: our own rules in {took(we)}"
    if python is None:
        return [], [f"{said}; the official validator needs Python 3.12, which is not here, and was not measured."]
    package = official.prepared(python)
    out = folder / "focus.parquet"
    task("export", home, out, folder=folder)
    print("bench: the official validator", flush=True)
    (folder / "focus_validator").symlink_to(package)
    they = measured(official.command(package, out), folder=folder)
    faster, cpu = they.seconds / we.seconds, they.cpu / we.cpu
    return [
        Figure(what="official validator 2.2.1 ÷ our own rules", found=f"{faster:.0f} × (CPU {cpu:.0f} ×)",
               wanted="at least 20 ×", met=faster >= 20),
    ], [f"{said}; the official validator 2.2.1 in {took(they)}."]  # fmt: skip


def month(company: Path, folder: Path, *, rows: int, files: int = 10) -> tuple[list[Figure], list[str]]:
    """One month as large as the largest, in several files as such exports come."""
    print(f"bench: making {rows:,} rows of CUR 2.0 in {files} files", flush=True)
    parts = [
        made(generating.cur2, company, folder / f"cur2-{part}.parquet", rows=rows // files, part=part)
        for part in range(files)
    ]
    run, _ = ingested(parts, folder=folder)
    size = sum(p.stat().st_size for p in parts) / 1e9
    for part in parts:
        part.unlink()
    return [
        Figure(what=f"memory of a month of {rows / 1e6:g} million rows", found=f"{run.memory:.2f} GB",
               wanted="at most 3 GB", met=run.memory <= 3),
    ], [
        f"A month of {rows / 1e6:g} million rows in {files} Parquet files, {size:.1f} GB: ingested in {took(run)}."
    ]  # fmt: skip


def builds(folder: Path, *, sizes: Sequence[int], months: int = 25) -> tuple[list[Figure], list[str]]:
    """Builds of marts at several sizes: all anew, and when one month comes to many; at the middle size, to one, too."""
    print(f"bench: making {months} months of the sample company", flush=True)
    base = made(generating.lake, folder / "base", months=months)
    named = sorted({p.name.removeprefix("billing_month=") for p in base.lake.glob("cost_and_usage/*/*")})
    figures, facts = [], []
    for size in sizes:
        home, rows = made(generating.enlarged, base, folder / "home", rows=size)
        late = Home(folder / "late")

        def added(count: int, home: Home = home, late: Home = late) -> Run:
            """The build after a month has come to those before it."""
            generating.moved(late, home, after="")
            generating.moved(home, late, after=named[count - 2])
            shutil.rmtree(home.root / ".dbt", ignore_errors=True)
            home.warehouse.unlink(missing_ok=True)
            task("build", home.root, folder=folder)
            generating.moved(late, home, after="")
            generating.moved(home, late, after=named[count - 1])
            return task("build", home.root, folder=folder)

        said = f"{rows / 1e6:.1f} million charges in {months} months"
        if size == sizes[len(sizes) // 2]:
            few, many = added(2), added(months)
            ratio, cpu = many.seconds / few.seconds, many.cpu / few.cpu
            figures.append(
                Figure(what=f"adding month {months} ÷ adding month 2, {said}",
                       found=f"{ratio:.2f} × (CPU {cpu:.2f} ×)", wanted="at most 1.3 ×", met=ratio <= 1.3)
            )  # fmt: skip
        else:
            many = added(months)
        full = task("build", home.root, "full refresh", folder=folder)
        memory = max(many.memory, full.memory)
        figures.append(
            Figure(what=f"memory of a build, {said}", found=f"{memory:.2f} GB", wanted="at most 4 GB", met=memory <= 4)
        )
        facts.append(
            f"Build of {said}, every test included: all of it in {took(full)}, month {months} added in {took(many)}."
        )
        shutil.rmtree(home.root)
        shutil.rmtree(late.root)
    return figures, facts


def made(make: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """What a function of `generating` makes, in a process of its own: what is measured would inherit its memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        return alone.submit(make, *args, **options).result()


def section(figures: Sequence[Figure], facts: Sequence[str]) -> str:
    """What was measured of one part, as its section of the page."""
    lines = [
        "| what | found | wanted | |",
        "|---|---:|---:|---|",
        *(f"| {f.what} | {f.found} | {f.wanted} | {'kept' if f.met else '**not kept**'} |" for f in figures),
        "",
        *(f"- {fact}" for fact in facts),
    ]
    return "\n".join(lines if figures else lines[3:])


def page(sections: dict[str, str]) -> str:
    """The sections, by title, as a page of the documentation."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    head = [
        "# Speed",
        "",
        "Measured by `make bench`, each section in one run, each program in a process of its own, start-up included,",
        "on exports made from the sample company's line items. Of several runs the fastest counts.",
        f"The machine has {os.cpu_count()} cores and {memory:.0f} GB of memory; others may have used it meanwhile.",
        "Trust the ratios: a busy machine changes those of CPU time least; what several cores save they do not tell.",
    ]
    told = [f"## {title}\n\n{sections[title].strip()}" for title in PARTS.values() if title in sections]
    return "\n\n".join(["\n".join(head), *told]) + "\n"


def main() -> int:
    """Measure what is asked for, and write its sections of the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all but the last by default, as it takes long"
    )
    parser.add_argument("--quick", action="store_true", help="a twentieth of the data, and no page")
    parser.add_argument("--month-rows", type=int, default=100_000_000, metavar="N", help="rows of the large month")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each program (default 3)")
    options = parser.parse_args()
    share = 20 if options.quick else 1
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    titled = re.split(r"^## (.+)$", FIGURES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    sections = dict(zip(titled[1::2], titled[2::2], strict=True))
    with tempfile.TemporaryDirectory(prefix="finops-bench-") as name:
        folder = Path(name)
        company = made(generating.company, folder / "company")
        for part in options.parts or list(PARTS)[:-1]:
            if part == "parquet":
                figures, facts = parquet(company, folder, rows=10_000_000 // share, repeat=options.repeat)
            elif part == "csv":
                figures, facts = csv(company, folder, rows=1_280_000 // share, repeat=options.repeat)
            elif part == "conformance":
                figures, facts = conformance(company, folder, rows=1_000_000 // share, repeat=options.repeat)
            elif part == "build":
                figures, facts = builds(folder / "builds", sizes=[size * 1_000_000 // share for size in (1, 5, 20)])
            else:
                figures, facts = month(company, folder, rows=options.month_rows // share)
            sections[PARTS[part]] = section(figures, facts)
            print(sections[PARTS[part]], flush=True)
            if not options.quick:
                FIGURES.write_text(page(sections), encoding="utf-8")
    if not options.quick:
        print(f"bench: {FIGURES.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
