"""A month is the old or the new one, whatever happens while it comes in: killed, stopped, a full disk, two at once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from time import monotonic

import duckdb
import pytest
from test_ingest import charge, deliver, text
from test_manifests import assembly

from finops_lib import lake
from finops_lib.ingest import Interrupted, ingest
from finops_lib.lake import Home

KILLS = 50
MONTHS = (9, 10)
RUNNER = """
import os, signal, sys, time
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import adapters
from finops_lib.lake import Home
adapters()  # read once, as every child would
for line in sys.stdin:
    life, home, *files = line.rstrip("\\n").split("\\t")
    child = os.fork()
    if child == 0:
        done = ingest(Home(home), files, source="focus", accept_shrink=True, data_docs=False)
        os._exit(1 if done.refused else 0)
    if life:
        time.sleep(float(life))
        os.kill(child, signal.SIGKILL)
    print(os.waitpid(child, 0)[1], flush=True)
"""
"""Ingests in a process of its own for each line, all of which share the time it takes to start Python."""


def bill(file: Path, *costs: str, months: tuple[int, ...] = MONTHS) -> Path:
    file.write_text(text(*[charge(cost, month=month) for month in months for cost in costs]), encoding="utf-8")
    return file


def agreed(home: Home) -> dict[str, Decimal]:
    """Billed cost by month, after asserting that data, footer, ledger and breakdown say the same of each."""
    found = {}
    now = lake.current(home)
    files = {f for f in (home.lake / "cost_and_usage").rglob("*") if f.is_file()}
    assert files == {home.lake / unit.file for unit in now}
    with duckdb.connect() as db:
        for unit, delivery in now.items():
            kept = lake.breakdown(home, delivery)
            assert kept is not None
            [(billed,)], [(broken_down,)] = (
                db.sql(f"select sum({column}) from read_parquet('{file}')").fetchall()
                for column, file in (("BilledCost", home.lake / unit.file), ("billed", kept))
            )
            assert billed == broken_down == Decimal(delivery.billed_total["USD"])
            assert lake.footer_id(home.lake / unit.file) == delivery.delivery_id
            found[unit.month] = billed
    return found


class Runner:
    """Starts ingestions that can be killed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, home: Home, file: Path, *, life: float | None = None) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{'' if life is None else life}\t{home.root}\t{file}\n")
        self.process.stdin.flush()

    def ended(self) -> int:
        """Wait status of what was started: 0 when it came to its end."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def test_killed_at_fifty_points_every_month_is_the_old_or_the_new_one_and_the_next_run_ends_it(
    home: Home, tmp_path: Path
) -> None:
    old, new = bill(tmp_path / "old.csv", "1", "2.5"), bill(tmp_path / "new.csv", "1.000000000000000001", "4", "-0.25")
    sums = {old: Decimal("3.5"), new: Decimal("4.750000000000000001")}
    months = [f"2026-{month:02}" for month in MONTHS]
    runner = Runner()
    try:
        runner.start(home, old)
        assert runner.ended() == 0
        took = []
        for file in (new, old):
            began = monotonic()
            runner.start(home, file)
            assert runner.ended() == 0
            took.append(monotonic() - began)
        # Months are published near the end: half of the points lie there.
        chance = random.Random(7)
        points = [chance.uniform(*((0, 1) if n % 2 else (0.6, 1.2))) for n in range(KILLS)]
        seen: dict[str, int] = {"old": 0, "new": 0, "between": 0, "ended": 0}
        there, wanted = old, new
        for point in points:
            runner.start(home, wanted, life=min(took) * point)
            ended = runner.ended() == 0
            found = agreed(home)
            assert list(found) == months
            assert set(found.values()) <= {sums[there], sums[wanted]}
            whole = [month for month in months if found[month] == sums[wanted]]
            # Months are published in their order.
            assert whole == months[: len(whole)]
            seen["ended" if ended else "new" if whole == months else "between" if whole else "old"] += 1
            if whole == months:
                there, wanted = wanted, there
        runner.start(home, wanted)
        assert runner.ended() == 0
    finally:
        runner.close()
    assert set(agreed(home).values()) == {sums[wanted]}
    assert not home.staging.exists()
    assert list(home.ledger.glob("*.pending")) == []
    assert seen["old"] >= 5
    assert sum(seen.values()) == KILLS


def test_killed_at_any_step_of_a_publication_the_ledger_tells_what_the_data_are(home: Home, tmp_path: Path) -> None:
    """Every call to the file system that publishing makes is the last one once."""
    there, wanted = (bill(tmp_path / f"{n}.csv", n, months=(9,)) for n in ("1", "2"))
    deliver(home, there)
    steps, seen = 0, set()
    while True:
        child = os.fork()
        if child == 0:
            _die_at(steps)
            ingest(home, [wanted], accept_shrink=True, data_docs=False)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        [amount] = agreed(home).values()
        arrived = amount == Decimal(wanted.stem)
        assert arrived or amount == Decimal(there.stem)
        seen.add(arrived)
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        # Whoever comes next finishes or forgets it, clears away what lies about, and brings the month in.
        [outcome] = ingest(home, [wanted], accept_shrink=True, data_docs=False).outcomes
        assert outcome.status == ("unchanged" if arrived else "published")
        assert list(agreed(home).values()) == [Decimal(wanted.stem)]
        assert not home.staging.exists()
        assert list(home.ledger.glob("*.pending")) == []
        there, wanted = wanted, there
        steps += 1
    assert steps > 10
    assert seen == {False, True}


def _die_at(step: int) -> None:
    """Kill this process at the n-th change that publishing makes to the file system."""
    left = step

    def counted(change: Callable[..., object]) -> Callable[..., object]:
        def wrapped(*arguments: object, **options: object) -> object:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return change(*arguments, **options)

        return wrapped

    for name in ("replace", "fsync"):
        setattr(os, name, counted(getattr(os, name)))
    Path.write_text = counted(Path.write_text)  # type: ignore[assignment,method-assign]


def test_two_ingestions_of_a_month_at_once_end_in_one_of_both(home: Home, tmp_path: Path) -> None:
    old, *both = [bill(tmp_path / f"{n}.csv", n) for n in ("1", "2", "3")]
    runners = [Runner(), Runner()]
    try:
        runners[0].start(home, old)
        assert runners[0].ended() == 0
        for _ in range(4):
            for runner, file in zip(runners, both, strict=True):
                runner.start(home, file)
            assert [runner.ended() for runner in runners] == [0, 0]
            assert len(set(agreed(home).values()) - {Decimal(2), Decimal(3)}) == 0
            assert not home.staging.exists()
    finally:
        for runner in runners:
            runner.close()
    # Each line of the ledger names the one before it as what it replaced.
    for month in MONTHS:
        lines = [d for d in lake.deliveries(home) if d.month == f"2026-{month:02}"]
        assert [d.replaced for d in lines] == [None, *(d.delivery_id for d in lines[:-1])]
        change = sum((Decimal(d.billed_change["USD"]) for d in lines[1:]), Decimal(1))
        assert change == Decimal(lines[-1].billed_total["USD"])


def test_what_another_ingestion_is_working_on_is_not_cleared_away(home: Home) -> None:
    with lake.staging(home) as first:
        (first / "work").write_text("", encoding="utf-8")
        with lake.staging(home) as second:
            assert first != second
        assert (first / "work").exists()
    assert not home.staging.exists()
    dead = home.staging / "4711-dead"
    dead.mkdir(parents=True)
    (dead / "half").write_text("", encoding="utf-8")
    (home.staging / ".4711-dead.lock").write_text("", encoding="utf-8")
    with lake.staging(home) as mine:
        assert [f.name for f in home.staging.iterdir() if f.is_dir()] == [mine.name]
    assert not home.staging.exists()


LIMITED = """
import resource, signal, sys
from finops_lib import cli, lake
import finops_lib.ingest as rooms
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit = int(sys.argv[1])
full = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
if sys.argv[2] == "everything":
    full()
else:
    publish = lake.publish
    lake.publish = lambda *a, **k: (full(), publish(*a, **k))[1]
rooms._documented = lambda call: None
sys.exit(cli.main(sys.argv[3:]))
"""
"""The command line on a disk where no file can grow beyond a limit: from the start, or once publishing begins."""


@pytest.mark.parametrize(
    ("limit", "when"), [(0, "everything"), (1500, "everything"), (9000, "everything"), (0, "ledger"), (300, "ledger")]
)
def test_a_full_disk_leaves_the_month_as_it_was_and_says_so(home: Home, tmp_path: Path, limit: int, when: str) -> None:
    deliver(home, bill(tmp_path / "old.csv", "1"))
    before = agreed(home)
    new = bill(tmp_path / "new.csv", *map(str, range(2, 40)))
    command = [sys.executable, "-c", LIMITED, str(limit), when, "--home", str(home.root), "ingest", str(new)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot be written (File too large): what was being written did not enter the lake, and what stood" in (
        " ".join(done.stderr.split())
    )
    assert agreed(home) == before
    assert list(home.ledger.glob("*.pending")) == []
    assert [s for s, _ in deliver(home, new)] == ["published"] * 2
    assert not home.staging.exists()


def test_months_that_were_published_before_an_interruption_stay_and_the_next_run_goes_on(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = three_assemblies(tmp_path / "s3")

    def progress(said: str) -> None:
        if said.startswith("reading") and len(lake.deliveries(home)) == 1:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stopped:
        ingest(home, [tmp_path / "s3"], data_docs=False, progress=progress)
    assert [o.message for o in stopped.value.done.outcomes] == [
        "cost_and_usage from aws_cur, account 111122223333, 2026-08: 1 row, billed USD 8"
    ]
    assert stopped.value.left == [
        f"aws_cur of {period}: cur/{period}-{end}/aaaa/cur-1.csv" for period, end in months[1:]
    ]
    assert not home.staging.exists()
    done = ingest(home, [tmp_path / "s3"], data_docs=False)
    assert [(o.status, o.partition.month) for o in done.outcomes if o.partition] == [
        ("unchanged", "2026-08"), ("published", "2026-09"), ("published", "2026-10"),
    ]  # fmt: skip


def three_assemblies(folder: Path) -> list[tuple[str, str]]:
    """Three months of one report, each with its manifest."""
    months = [("20260801", "20260901"), ("20260901", "20261001"), ("20261001", "20261101")]
    for start, end in months:
        assembly(folder / start, "aaaa", str(int(start[4:6])))
        period = (folder / start / "cur" / "20260901-20261001").rename(folder / start / "cur" / f"{start}-{end}")
        for file in [f for f in period.rglob("*") if f.is_file()]:
            said = file.read_text(encoding="utf-8")
            said = said.replace("2026-10-01", "END").replace("20261001", "LAST").replace("20260901", start)
            said = said.replace("2026-09-", f"{start[:4]}-{start[4:6]}-").replace("LAST", end)
            file.write_text(said.replace("END", f"{end[:4]}-{end[4:6]}-01"), encoding="utf-8")
        (folder / "cur").mkdir(exist_ok=True)
        period.rename(folder / "cur" / period.name)
        (folder / start / "cur").rmdir()
        (folder / start).rmdir()
    return months


def test_ctrl_c_ends_with_130_and_says_what_was_published_and_what_is_left(home: Home, tmp_path: Path) -> None:
    three_assemblies(tmp_path / "s3")
    command = [sys.executable, "-c", STOPPED, "--home", str(home.root), "ingest", str(tmp_path / "s3")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 130, done.stderr
    assert done.stdout == (
        "published: cost_and_usage from aws_cur, account 111122223333, 2026-08: 1 row, billed USD 8\n1 published\n"
    )
    assert done.stderr.splitlines()[-3:] == [
        "left: aws_cur of 20260901: cur/20260901-20261001/aaaa/cur-1.csv",
        "left: aws_cur of 20261001: cur/20261001-20261101/aaaa/cur-1.csv",
        "finops: stopped. What was published stays; run the same command again to go on.",
    ]
    assert [u.month for u in lake.current(home)] == ["2026-08"]


STOPPED = """
import os, signal, sys, threading
from finops_lib import cli
from finops_lib import lake
from finops_lib.ingest.adapt import Adapting
signal.signal(signal.SIGINT, signal.default_int_handler)
publish, stage = lake.publish, Adapting._staged
published, stopped = [], threading.Event()
def counting(*a, **k):
    published.append(1)
    return publish(*a, **k)
def press():
    if not stopped.wait(1):
        os.kill(os.getpid(), signal.SIGINT)
def stopping(room, query, facts):
    if not published:
        return stage(room, query, facts)
    threading.Thread(target=press, daemon=True).start()
    try:
        stage(room, "select sum(a.range * b.range) as n from range(3000000) a, range(3000000) b", facts)
    finally:
        stopped.set()
lake.publish = counting
Adapting._staged = stopping
sys.exit(cli.main(sys.argv[1:]))
"""
"""The command line, interrupted from the keyboard while DuckDB reads the second month."""
