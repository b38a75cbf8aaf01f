"""A month that is closed or nearly complete loses no large part of its money unless somebody accepts it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from finops_lib import cli, lake
from finops_lib.ingest import ingest
from finops_lib.lake import Home

from test_ingest import charge, text  # isort: skip

HELD = "cost_and_usage from focus, account a-1, 2026-09"
SAID = (
    f"{HELD}: held, because its billed cost would shrink by 12.3%, from USD 530 to 465; the plan's restatement_shrink "
    "allows 5.0%. Fetch the export again if a part of it is missing; if this is right, ingest it with --accept-shrink."
)


def deliver(home: Home, folder: Path, *rows: list[str], **options: bool) -> list[tuple[str, str]]:
    file = folder / "bill.csv"
    file.write_text(text(*rows), encoding="utf-8")
    return [(o.status, o.message) for o in ingest(home, [file], data_docs=False, **options).outcomes]


def plan(home: Home, folder: Path, name: str, content: str) -> None:
    file = folder / f"{name}.csv"
    file.write_text(content, encoding="utf-8")
    assert ingest(home, [file], data_docs=False).refused == []


def billed(home: Home) -> Decimal:
    found = [d for d in lake.current(home).values() if d.dataset == "cost_and_usage"]
    return sum((Decimal(d.billed_total["USD"]) for d in found), Decimal(0))


@pytest.mark.parametrize("scheduled", [True, False], ids=["run", "ingest"])
def test_a_month_that_is_over_is_held_until_its_shrinking_is_accepted(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str], scheduled: bool
) -> None:
    deliver(home, tmp_path, charge("530"))
    assert deliver(home, tmp_path, charge("465"), new_only=scheduled) == [("held", SAID)]
    assert billed(home) == 530
    assert cli.main(["--home", str(home.root), "deliveries"]) == 0
    assert f"held: {SAID}" in capsys.readouterr().out
    assert deliver(home, tmp_path, charge("465"), accept_shrink=True) == [
        ("published", f"{HELD}: 1 row, billed USD 465; replaces an earlier delivery, change USD -65; FOCUS 1.0")
    ]
    assert lake.held(home) == []


def test_growth_and_small_corrections_are_not_held(home: Home, tmp_path: Path) -> None:
    for cost in ("530", "504", "900"):
        assert [status for status, _ in deliver(home, tmp_path, charge(cost))] == ["published"]


def test_a_currency_that_is_gone_is_held(home: Home, tmp_path: Path) -> None:
    deliver(home, tmp_path, charge("530"), charge("1", BillingCurrency="EUR"))
    [(status, said)] = deliver(home, tmp_path, charge("530"))
    assert status == "held"
    assert "shrink by 100.0%, from EUR 1 to 0" in said


def test_an_open_month_of_which_days_are_missing_may_shrink(home: Home, tmp_path: Path) -> None:
    period = {"BillingPeriodStart": "2027-09-01T00:00:00Z", "BillingPeriodEnd": "2027-10-01T00:00:00Z"}

    def day(number: int, cost: str) -> list[str]:
        start, end = f"2027-09-{number:02}T00:00:00Z", f"2027-09-{number:02}T23:00:00Z"
        return charge(cost, ChargePeriodStart=start, ChargePeriodEnd=end, **period)

    deliver(home, tmp_path, *(day(n, "10") for n in range(1, 20)))
    assert deliver(home, tmp_path, *(day(n, "8") for n in range(1, 20)))[0][0] == "published"
    deliver(home, tmp_path, *(day(n, "10") for n in range(1, 31)))
    assert deliver(home, tmp_path, *(day(n, "8") for n in range(1, 31)))[0][0] == "held"


def test_the_plan_says_how_much_may_go(home: Home, tmp_path: Path) -> None:
    plan(home, tmp_path, "threshold", "measure,edition,grade,value,owner,evidence\nrestatement_shrink,,limit,0.2,,\n")
    deliver(home, tmp_path, charge("530"))
    assert deliver(home, tmp_path, charge("465"))[0][0] == "published"


def test_corrections_that_shrink_a_closed_month_are_held(home: Home, tmp_path: Path) -> None:
    deliver(home, tmp_path, charge("530"))
    header = "month,source_name,billing_account_id,closed_on,late_delivery,owner,evidence\n"
    plan(home, tmp_path, "closed_month", f"{header}2026-09,,,2026-10-05,correction,,\n")
    assert deliver(home, tmp_path, charge("465")) == [("held", SAID)]
    assert billed(home) == 530
    assert deliver(home, tmp_path, charge("520"))[0][0] == "published"
    assert billed(home) == 520
    assert deliver(home, tmp_path, charge("465"))[0][0] == "held"
    assert deliver(home, tmp_path, charge("465"), accept_shrink=True)[0][0] == "published"
    assert billed(home) == 465
