"""A month that several files make: none of them replaces what the others hold."""

from __future__ import annotations

import zipfile
from decimal import Decimal

import pytest

from finops_lib import lake
from finops_lib.ingest import ingest
from finops_lib.lake import Home

from test_ingest import charge, text  # isort: skip

HELD = "cost_and_usage from focus, account a-1, 2026-09"


def run(home: Home) -> list[tuple[str, str]]:
    done = ingest(home, [home.inbox], new_only=True, data_docs=False)
    return [(o.status, o.message) for o in done.outcomes]


def write(home: Home, name: str, *costs: str) -> None:
    home.inbox.mkdir(parents=True, exist_ok=True)
    (home.inbox / name).write_text(text(*(charge(c) for c in costs)), encoding="utf-8")


def pack(home: Home, **members: str) -> None:
    home.inbox.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(home.inbox / "bill.zip", "w") as archive:
        for name, cost in members.items():
            archive.writestr(f"{name}.csv", text(charge(cost)))


def billed(home: Home) -> Decimal:
    return sum((Decimal(d.billed_total["USD"]) for d in lake.current(home).values()), Decimal(0))


def test_one_of_two_files_that_changes_is_read_with_the_other(home: Home) -> None:
    write(home, "a.csv", "530")
    write(home, "b.csv", "7")
    run(home)
    write(home, "b.csv", "8")
    assert run(home) == [
        ("published", f"{HELD}: 2 rows, billed USD 538; replaces an earlier delivery, change USD +1; FOCUS 1.0")
    ]
    assert run(home) == []


def test_a_further_file_of_a_month_adds_to_those_that_are_still_there(home: Home) -> None:
    write(home, "2026-09-03.csv", "530")
    run(home)
    write(home, "2026-09-04.csv", "7")
    run(home)
    write(home, "2026-09-05.csv", "3")
    run(home)
    assert billed(home) == 540


def test_a_newer_copy_of_a_month_to_date_replaces_the_older_one(home: Home) -> None:
    write(home, "through-05.csv", "1", "2", "3")
    run(home)
    write(home, "through-06.csv", "1", "2", "3", "4")
    assert run(home) == [
        ("published", f"{HELD}: 4 rows, billed USD 10; replaces an earlier delivery, change USD +4; FOCUS 1.0")
    ]


def test_an_archive_with_one_changed_member_keeps_the_others(home: Home) -> None:
    pack(home, a="530", b="7")
    run(home)
    pack(home, a="530", b="8")
    run(home)
    assert billed(home) == 538


def test_a_chain_of_months_is_read_with_all_of_its_files(home: Home) -> None:
    home.inbox.mkdir(parents=True)
    for name, rows in {
        "a.csv": [charge("1")],
        "b.csv": [charge("2"), charge("3", month=10)],
        "c.csv": [charge("4", month=10)],
    }.items():
        (home.inbox / name).write_text(text(*rows), encoding="utf-8")
    run(home)
    write(home, "a.csv", "5")
    run(home)
    assert {p.month: d.billed_total["USD"] for p, d in lake.current(home).items()} == {"2026-09": "7", "2026-10": "7"}


@pytest.mark.parametrize("scheduled", [True, False], ids=["run", "ingest"])
def test_a_file_that_comes_again_without_its_sibling_is_refused(home: Home, scheduled: bool) -> None:
    write(home, "a.csv", "530")
    write(home, "b.csv", "7")
    run(home)
    write(home, "b.csv", "8")
    (home.inbox / "a.csv").unlink()
    done = ingest(home, [home.inbox], new_only=scheduled, data_docs=False)
    assert [(o.status, o.message) for o in done.outcomes] == [
        (
            "refused",
            f"b.csv: comes again without a.csv, and both together made {HELD}. Deliver them together; or take the "
            "month out with `finops withdraw focus --account a-1 --month 2026-09`, if there is no other file any more. "
            f"{HELD} stays as it was.",
        )
    ]
    assert billed(home) == 537
