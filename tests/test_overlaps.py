"""Exports that overlap are said and refused, never silently added."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from test_ingest import charge, deliver, text
from test_manifests import CUR, assembly, line

from finops_lib import cli, lake
from finops_lib.ingest import ingest
from finops_lib.lake import Home

PAYER = "111122223333"


def write(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def charges(first: int, last: int, **more: Any) -> str:
    """One charge a day, each of its own amount."""
    rows = [
        charge(
            f"{day}.25", ChargePeriodStart=f"2026-09-{day:02}T00:00:00Z", ChargePeriodEnd=f"2026-09-{day:02}T23:00:00Z",
            **more,
        )
        for day in range(first, last + 1)
    ]  # fmt: skip
    return text(*rows)


def billed(home: Home) -> dict[tuple[str, str], str]:
    return {(u.source, u.month): d.billed_total["USD"] for u, d in lake.current(home).items()}


@pytest.mark.parametrize(
    ("issuer", "account"),
    [("AWS", PAYER), ("Amazon Web Services, Inc.", PAYER), ("AWS", f"/accounts/{PAYER}")],
)
def test_an_account_and_month_from_a_second_source_is_refused_until_the_first_is_withdrawn(
    home: Home, tmp_path: Path, issuer: str, account: str
) -> None:
    cur = write(tmp_path / "cur.csv", CUR + line("10"))
    focus = write(
        tmp_path / "focus.csv",
        text(charge("10", account=account, InvoiceIssuerName=issuer), charge("3", month=10, account=account)),
    )
    deliver(home, cur)
    assert deliver(home, focus) == [
        (
            "refused",
            f"cost_and_usage from focus, account {account}, 2026-09: the lake holds this account and month from "
            "aws_cur (1 row, billed USD 10), and both are charges of aws billed by aws; together they would count them "
            f"twice. Keep aws_cur, or take it out with `finops withdraw aws_cur --account {PAYER} --month 2026-09` and "
            f"deliver this again. cost_and_usage from focus, account {account}, 2026-09 stays as it was.",
        ),
        ("published", f"cost_and_usage from focus, account {account}, 2026-10: 1 row, billed USD 3; FOCUS 1.0"),
    ]
    assert cli.main(["--home", str(home.root), "withdraw", "aws_cur", "--account", PAYER, "--month", "2026-09"]) == 0
    assert [status for status, _ in deliver(home, focus)] == ["published", "unchanged"]
    assert billed(home) == {("focus", "2026-09"): "10", ("focus", "2026-10"): "3"}
    assert [status for status, _ in deliver(home, cur)] == ["refused"]


def test_two_sources_in_one_call_are_told_apart_too(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "in" / "cur.csv", CUR + line("10"))
    write(tmp_path / "in" / "focus.csv", text(charge("10", account=PAYER)))
    assert [(s, m[:60]) for s, m in deliver(home, tmp_path / "in")] == [
        ("published", f"cost_and_usage from aws_cur, account {PAYER}, 2026-09: 1 row, bill"[:60]),
        ("refused", f"cost_and_usage from focus, account {PAYER}, 2026-09: the lake holds"[:60]),
    ]


def test_another_provider_another_issuer_and_another_account_are_no_overlap(home: Home, tmp_path: Path) -> None:
    deliver(home, write(tmp_path / "cur.csv", CUR + line("10")))
    rows = [
        charge("1", account=PAYER, InvoiceIssuerName="Anthropic", ProviderName="Anthropic", PublisherName="Anthropic"),
        charge("2", account=PAYER, InvoiceIssuerName="Reseller GmbH"),
        charge("3", account="444455556666"),
    ]
    assert {s for s, _ in deliver(home, write(tmp_path / "focus.csv", text(*rows)))} == {"published"}
    assert sum(Decimal(d.billed_total["USD"]) for d in lake.current(home).values()) == 16


def test_a_month_to_date_beside_the_month_is_refused_with_the_amount_it_would_add(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "in" / "to-12.csv", charges(1, 12))
    write(tmp_path / "in" / "to-25.csv", charges(1, 25))
    [(status, message)] = deliver(home, tmp_path / "in")
    assert (status, message) == (
        "refused",
        "to-12.csv and to-25.csv hold the same charges: together they would count 12 charges twice, billed USD 81. "
        "They look like copies of one month, such as a month to date and the month; deliver the newest of them alone. "
        "cost_and_usage from focus, account a-1, 2026-09 stays as it was.",
    )
    assert [s for s, _ in deliver(home, tmp_path / "in" / "to-25.csv")] == ["published"]
    assert billed(home) == {("focus", "2026-09"): "331.25"}


def test_of_many_copies_every_charge_beyond_the_first_is_in_the_amount(home: Home, tmp_path: Path) -> None:
    for last in (10, 11, 12):
        write(tmp_path / "in" / f"to-{last}.csv", charges(1, last))
    [(status, message)] = deliver(home, tmp_path / "in")
    # Days 1 to 10 came three times and day 11 twice: 2 × 57.5 + 11.25.
    assert status == "refused"
    assert message.startswith(
        "to-11.csv and to-12.csv hold the same charges (and 2 more pairs of files): together they would count 21 "
        "charges twice, billed USD 126.25."
    )


def test_parts_of_a_month_are_not_taken_for_copies(home: Home, tmp_path: Path) -> None:
    # Half of the second part's charges less one stand in the first: fees that are alike.
    fees = [charge("0.5", category="Usage") for _ in range(9)]
    own = [charge(f"{n}.75") for n in range(1, 11)]
    write(tmp_path / "in" / "part-1.csv", charges(1, 20) + text(*fees, header=[]).lstrip())
    write(tmp_path / "in" / "part-2.csv", text(*own, *fees))
    # Rows without money are alike in every part.
    free = [charge("0") for _ in range(50)]
    write(tmp_path / "in" / "part-3.csv", text(*free, charge("7.5")))
    write(tmp_path / "in" / "part-4.csv", text(*free, charge("8.5")))
    assert [s for s, _ in deliver(home, tmp_path / "in")] == ["published"]


def test_two_small_files_are_copies_only_if_all_of_one_stands_in_the_other(home: Home, tmp_path: Path) -> None:
    write(tmp_path / "a" / "one.csv", charges(1, 3))
    write(tmp_path / "a" / "two.csv", charges(1, 2) + charges(4, 5).split("\n", 1)[1])
    assert [s for s, _ in deliver(home, tmp_path / "a")] == ["published"]
    write(tmp_path / "b" / "one.csv", charges(1, 3))
    write(tmp_path / "b" / "two.csv", charges(1, 4))
    assert [s for s, _ in deliver(home, tmp_path / "b")] == ["refused"]


def test_of_more_rows_than_are_compared_a_sample_tells_copies_and_the_amount_stays_exact(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finops_lib.ingest.adapt import comparing

    monkeypatch.setattr(comparing, "SAMPLE", 100)
    rows = [charge(f"{n}.000000000000000001") for n in range(1, 401)]
    write(tmp_path / "a" / "part-1.csv", text(*rows[:200]))
    write(tmp_path / "a" / "part-2.csv", text(*rows[200:]))
    assert [s for s, _ in deliver(home, tmp_path / "a")] == ["published"]
    write(tmp_path / "b" / "old.csv", text(*rows[:300]))
    write(tmp_path / "b" / "new.csv", text(*rows))
    [(status, message)] = deliver(home, tmp_path / "b")
    assert status == "refused"
    assert "would count 300 charges twice, billed USD 45150.0000000000000003." in message


def test_the_parts_that_one_manifest_names_are_never_compared(home: Home, tmp_path: Path) -> None:
    assembly(tmp_path / "s3", "aaaa", "10", "10", parts=("cur-1.csv", "cur-2.csv"))
    for part in ("cur-1.csv", "cur-2.csv"):
        write(tmp_path / "s3/cur/20260901-20261001/aaaa" / part, CUR + line("10") * 20 + line(part[4]))
    assert [s for s, _ in deliver(home, tmp_path / "s3")] == ["published"]
    assert billed(home) == {("aws_cur", "2026-09"): "403"}


def test_two_reports_of_one_account_in_one_call_are_refused(home: Home, tmp_path: Path) -> None:
    assembly(tmp_path / "s3", "aaaa", "10")
    other = (tmp_path / "s3" / "cur").rename(tmp_path / "s3" / "hourly")
    for manifest in other.rglob("*Manifest.json"):
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("cur/2026", "hourly/2026").replace(
            '"reportName": "cur"', '"reportName": "hourly"'
        ), encoding="utf-8")  # fmt: skip
    assembly(tmp_path / "s3", "bbbb", "10.5")
    done = ingest(home, [tmp_path / "s3"], data_docs=False)
    assert [(o.status, o.message) for o in done.outcomes] == [
        (
            "refused",
            "cur/20260901-20261001/cur-Manifest.json and hourly/20260901-20261001/cur-Manifest.json are two reports of "
            "the same account and month; together they would count it twice. Deliver the files of one of them. "
            f"cost_and_usage from aws_cur, account {PAYER}, 2026-09 stays as it was.",
        )
    ]
    assert lake.current(home) == {}


def test_a_month_with_a_manifest_and_again_without_one_is_refused_the_second_time(home: Home, tmp_path: Path) -> None:
    assembly(tmp_path / "s3", "aaaa", "10")
    write(tmp_path / "s3" / "by-hand.csv", CUR + line("11"))
    assert [(s, m) for s, m in deliver(home, tmp_path / "s3")] == [
        ("published", f"cost_and_usage from aws_cur, account {PAYER}, 2026-09: 1 row, billed USD 11"),
        (
            "refused",
            "cur/20260901-20261001/aaaa/cur-1.csv and by-hand.csv came in one call as two deliveries of one month, and "
            "one would replace the other. Deliver the newer one alone. "
            f"cost_and_usage from aws_cur, account {PAYER}, 2026-09 stays as it was.",
        ),
    ]


def test_ten_charges_that_are_half_of_a_file_make_it_a_copy_and_one_charge_less_or_one_row_more_does_not(
    home: Home, tmp_path: Path
) -> None:
    def month(folder: str, shared: int, own: int) -> list[str]:
        for account in ("a-1", "a-2"):
            both = [charge(f"{n}.5", account=account) for n in range(shared)]
            for part in ("1", "2"):
                # Those of the second part are more, so that the first is the smaller one.
                mine = [charge(f"{part}{n}.75", account=account) for n in range(own + 5 * int(part) - 5)]
                file = tmp_path / folder / account / f"part-{part}.csv"
                write(file, text(*both, *mine))
        return [
            s for account in ("a-1", "a-2") for s, _ in deliver(home, tmp_path / folder / account, accept_shrink=True)
        ]

    assert month("half", 10, 10) == ["refused", "refused"]
    assert month("less than half", 10, 11) == ["published", "published"]
    assert month("less than ten", 9, 9) == ["published", "published"]


def test_a_charge_that_one_file_repeats_is_shared_as_often_as_both_hold_it(home: Home, tmp_path: Path) -> None:
    fee = charge("0.5")
    write(tmp_path / "in" / "part-1.csv", text(fee, *(charge(f"{n}.25") for n in range(9))))
    write(tmp_path / "in" / "part-2.csv", text(*[fee] * 12, *(charge(f"{n}.75") for n in range(3))))
    assert [s for s, _ in deliver(home, tmp_path / "in")] == ["published"]
