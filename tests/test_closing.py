"""A closed month keeps its history: what comes late is a correction or is refused, exact to the last digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_ingest import HEADER, charge, deliver, text

from finops_lib import cli, conformance, lake, warehouse
from finops_lib.contract import contract
from finops_lib.lake import Home, Partition
from finops_lib.money import EXACT, exact

CLOSED = "month,source_name,billing_account_id,closed_on,late_delivery\n"


@pytest.fixture(autouse=True, scope="module")
def _any_restatement_is_accepted() -> Iterator[None]:
    """What a month may lose at once is told in test_shrinking."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lake, "limit", lambda *_: Decimal(10**30))
        yield


def close(home: Home, *rows: str) -> None:
    """Deliver a plan of closed months, such as "2026-09,,,2026-10-05,correction"."""
    file = home.root / "plan" / "closed_months.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(CLOSED + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    [(status, _)] = deliver(home, file)
    assert status == "published"


def bill(home: Home, name: str, *rows: list[str]) -> list[tuple[str, str]]:
    file = home.root / "bills" / f"{name}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(*rows), encoding="utf-8")
    return deliver(home, file)


def billed(home: Home) -> dict[tuple[str, str, str | None], str]:
    """BilledCost by billing month, month of use and class."""
    sql = warehouse.dataset_sql(home, contract("cost_and_usage"))
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        rows = db.sql(
            "select billing_month, strftime(ChargePeriodStart, '%Y-%m'), ChargeClass, sum(BilledCost) "
            f"from ({sql}) group by all order by all"
        ).fetchall()
    return {(month, used, kind): exact(amount) for month, used, kind, amount in rows}


def corrections(home: Home, *columns: str) -> list[tuple[object, ...]]:
    frame = warehouse.dataset(home, "cost_and_usage")
    found = frame.filter(frame["ChargeClass"] == "Correction").sort("x_SourceFile", "x_SourceRow")
    return found.select(columns).rows()


def history(home: Home) -> bytes:
    return (home.lake / "cost_and_usage/source=focus/billing_month=2026-09/a-1.parquet").read_bytes()


def test_a_late_delivery_of_a_closed_month_becomes_corrections_in_the_first_open_month(home: Home) -> None:
    bill(home, "september", charge("1.5"), charge("2", ServiceName="Amazon S3"), charge("7", ServiceName="Amazon EKS"))
    bill(home, "october", charge("10", month=10))
    before = history(home)
    close(home, "2026-09,,,2026-10-05,correction")
    done = bill(home, "again", charge("1.25"), charge("2", ServiceName="Amazon S3"), charge("0.000000000000000001"))
    assert done == [
        (
            "published",
            "cost_and_usage from focus, account a-1, 2026-10, corrections of 2026-09: 2 rows, "
            "billed USD -7.249999999999999999; FOCUS 1.0; 2026-09 is closed (closed_months.csv row 1, closed on "
            "2026-10-05): differences only",
        )
    ]
    assert history(home) == before
    assert billed(home) == {
        ("2026-09", "2026-09", None): "10.5",
        ("2026-10", "2026-09", "Correction"): "-7.249999999999999999",
        ("2026-10", "2026-10", None): "10",
    }
    start, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    used = datetime(2026, 9, 3, tzinfo=UTC)
    file = "corrections of 2026-09 in 2026-10, account a-1"
    assert corrections(
        home, "ServiceName", "BilledCost", "ListCost", "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart",
        "x_SourceFile", "x_SourceRow", "x_Adapter",
    ) == [
        ("Amazon EC2", Decimal("-0.249999999999999999"), Decimal("-0.249999999999999999"), start, end, used, file, 1,
         "focus"),
        ("Amazon EKS", Decimal("-7"), Decimal("-7"), start, end, used, file, 2, "focus"),
    ]  # fmt: skip
    entry = lake.deliveries(home)[-1]
    assert (entry.month, entry.corrects, entry.rows_read, entry.rows_published, entry.rows_merged) == (
        "2026-10", "2026-09", 3, 2, 1,
    )  # fmt: skip
    assert [f["name"] for f in entry.files] == ["again.csv"]


def test_the_same_restatement_twice_corrects_once_and_a_second_one_replaces_the_first(home: Home) -> None:
    bill(home, "september", charge("5"))
    close(home, "2026-09,,,2026-10-05,correction")
    bill(home, "first", charge("6"))
    assert bill(home, "first", charge("6")) == [
        ("unchanged", "cost_and_usage from focus, account a-1, 2026-10, corrections of 2026-09: unchanged")
    ]
    assert billed(home)["2026-10", "2026-09", "Correction"] == "1"
    [(status, said)] = bill(home, "second", charge("4.5"))
    assert status == "published"
    assert "billed USD -0.5; replaces an earlier delivery, change USD -1.5;" in said
    assert billed(home) == {("2026-09", "2026-09", None): "5", ("2026-10", "2026-09", "Correction"): "-0.5"}


def test_the_first_version_delivered_again_takes_the_corrections_back(home: Home) -> None:
    bill(home, "september", charge("5"))
    close(home, "2026-09,,,2026-10-05,correction")
    bill(home, "restated", charge("6"))
    [(status, said)] = bill(home, "september", charge("5"))
    assert status == "published"
    assert said.startswith(
        "cost_and_usage from focus, account a-1, 2026-10, corrections of 2026-09: 0 rows; replaces an "
        "earlier delivery, change USD -1;"
    )
    assert billed(home) == {("2026-09", "2026-09", None): "5"}
    assert [status for status, _ in bill(home, "restated", charge("6"))] == ["published"]
    assert billed(home)["2026-10", "2026-09", "Correction"] == "1"


def test_the_open_months_own_delivery_leaves_corrections_in_it_alone(home: Home) -> None:
    bill(home, "september", charge("5"))
    close(home, "2026-09,,,2026-10-05,correction")
    bill(home, "restated", charge("6"))
    bill(home, "october", charge("10", month=10))
    bill(home, "october-2", charge("11", month=10))
    assert billed(home) == {
        ("2026-09", "2026-09", None): "5",
        ("2026-10", "2026-09", "Correction"): "1",
        ("2026-10", "2026-10", None): "11",
    }


def test_corrections_of_a_month_that_has_closed_since_are_history_too(home: Home) -> None:
    bill(home, "september", charge("5"))
    bill(home, "october", charge("10", month=10))
    close(home, "2026-09,,,2026-10-05,correction")
    bill(home, "first", charge("6"))
    close(home, "2026-09,,,2026-10-05,correction", "2026-10,,,2026-11-05,correction")
    bill(home, "second", charge("6.25"))
    bill(home, "october-2", charge("9", month=10))
    assert billed(home) == {
        ("2026-09", "2026-09", None): "5",
        ("2026-10", "2026-09", "Correction"): "1",
        ("2026-10", "2026-10", None): "10",
        ("2026-11", "2026-09", "Correction"): "0.25",
        ("2026-11", "2026-10", "Correction"): "-1",
    }
    bill(home, "third", charge("6"))
    assert billed(home)["2026-10", "2026-09", "Correction"] == "1"
    assert ("2026-11", "2026-09", "Correction") not in billed(home)


def test_a_closed_month_that_refuses_says_by_how_much_the_delivery_would_have_changed_it(home: Home) -> None:
    bill(home, "september", charge("5"), charge("3", BillingCurrency="EUR"))
    close(home, "2026-09,,,2026-10-05,correction", "2026-09,focus,a-1,2026-10-06,refuse")
    before = sorted(home.lake.rglob("*.parquet"))
    assert bill(home, "late", charge("4.75"), charge("3.5", BillingCurrency="EUR")) == [
        (
            "refused",
            "cost_and_usage from focus, account a-1, 2026-09 is closed (closed_months.csv row 2, closed on 2026-10-06) "
            "and refuses what comes late. The delivery would change it by EUR +0.5, USD -0.25 in 2 corrections. Let "
            "the plan say correction to take them into the first month that is not closed.",
        )
    ]
    assert sorted(home.lake.rglob("*.parquet")) == before
    assert bill(home, "other", charge("1", account="a-2"))[0][0] == "published"
    assert billed(home)["2026-10", "2026-09", "Correction"] == "1"


def test_a_late_delivery_that_says_the_same_changes_nothing_even_where_the_month_refuses(home: Home) -> None:
    bill(home, "september", charge("5"), charge("2"))
    close(home, "2026-09,,,2026-10-05,refuse")
    entries = len(lake.deliveries(home))
    assert bill(home, "again", charge("2"), charge("5")) == [
        ("unchanged", "cost_and_usage from focus, account a-1, 2026-09: unchanged")
    ]
    assert len(lake.deliveries(home)) == entries


def test_a_month_is_open_until_the_day_it_closes_and_a_plan_closes_nothing_to_what_comes_with_it(home: Home) -> None:
    bill(home, "september", charge("5"))
    close(home, "2026-09,,,2999-01-01,refuse")
    assert bill(home, "restated", charge("6"))[0][0] == "published"
    close(home, "2026-09,,,2026-10-05,refuse")
    fresh = Home(home.root / "fresh")
    assert {s for s, _ in deliver(fresh, home.root / "plan", home.root / "bills" / "restated.csv")} == {"published"}
    assert lake.closures(fresh, on=date(2026, 10, 4)).of("focus", "a-1", "2026-09") is None
    assert lake.closures(fresh, on=date(2026, 10, 5)).of("focus", "a-1", "2026-09") is not None


def test_a_month_with_corrections_cannot_be_opened_again_unseen(home: Home) -> None:
    bill(home, "september", charge("5"))
    close(home, "2026-09,,,2026-10-05,correction")
    bill(home, "restated", charge("6"))
    close(home, "2026-08,,,2026-10-05,correction")
    assert bill(home, "whole", charge("6.5")) == [
        (
            "refused",
            "cost_and_usage from focus, account a-1, 2026-09 is open again, but corrections of it stand in 2026-10: it "
            "would be counted twice. Close it again in the plan; then this delivery replaces those corrections.",
        )
    ]


def test_a_price_that_changed_is_taken_back_and_charged_anew(home: Home, tmp_path: Path) -> None:
    def priced(name: str, price: str, quantity: str) -> Path:
        cost = exact(EXACT.multiply(Decimal(price), Decimal(quantity)))
        more = ["SkuId", "SkuPriceId", "ListUnitPrice", "ContractedUnitPrice", "PricingQuantity", "PricingUnit"]

        file = tmp_path / f"{name}.csv"
        row = [*charge(cost), "sku", "price", price, price, quantity, "Hours"]
        file.write_text(text(row, header=[*HEADER, *more]), encoding="utf-8")
        return file

    deliver(home, priced("september", "0.10", "100"))
    close(home, "2026-09,,,2026-10-05,correction")
    deliver(home, priced("restated", "0.09", "100"))
    assert corrections(home, "ListUnitPrice", "PricingQuantity", "ListCost", "PricingUnit") == [
        (Decimal("0.1"), Decimal(-100), Decimal(-10), "Hours"),
        (Decimal("0.09"), Decimal(100), Decimal(9), "Hours"),
    ]
    broken = [f.rule.id for f in conformance.check(home) if f.offenders and f.rule.severity == "error"]
    assert broken == []


def test_days_delivered_late_one_by_one_correct_their_own_day_and_leave_the_other_corrections(
    home: Home, tmp_path: Path
) -> None:
    def costs(name: str, **days: float) -> Path:
        start = {day: int(datetime(2026, 9, int(day[1:]), tzinfo=UTC).timestamp()) for day in days}
        buckets = [
            {
                "object": "bucket", "start_time": start[day], "end_time": start[day] + 86400,
                "results": [{"object": "organization.costs.result", "amount": {"value": value, "currency": "usd"},
                             "line_item": "gpt-4o-2024-08-06, input", "organization_id": "o"}],
            }
            for day, value in days.items()
        ]  # fmt: skip
        file = tmp_path / f"{name}.json"
        page = {"object": "page", "data": buckets, "has_more": False, "next_page": None}
        file.write_text(json.dumps(page), encoding="utf-8")
        return file

    deliver(home, costs("september", d3=1, d5=2, d7=4))
    close(home, "2026-09,openai_costs,,2026-10-05,correction")
    deliver(home, costs("third", d3=1.5))
    deliver(home, costs("fifth", d5=2.25))
    assert corrections(home, "ChargePeriodStart", "BilledCost") == [
        (datetime(2026, 9, 3, tzinfo=UTC), Decimal("0.5")),
        (datetime(2026, 9, 5, tzinfo=UTC), Decimal("0.25")),
    ]
    deliver(home, costs("third-again", d3=1))
    assert corrections(home, "ChargePeriodStart", "BilledCost") == [(datetime(2026, 9, 5, tzinfo=UTC), Decimal("0.25"))]


def test_the_ledger_holds_the_money_of_the_lake_with_corrections_in_it(home: Home) -> None:
    bill(home, "september", charge("5"))
    close(home, "2026-09,,,2026-10-05,correction")
    bill(home, "october", charge("10", month=10))
    bill(home, "restated", charge("6"))
    [finding] = [f for f in conformance.check(home) if f.rule.id == "lake_holds_the_money_of_its_ledger"]
    assert finding.offenders == 0
    unit = Partition(
        dataset="cost_and_usage", source="focus", billing_account="a-1", month="2026-10", corrects="2026-09"
    )
    assert (home.lake / unit.file).name == "a-1_corrects-2026-09.parquet"


def test_the_ledger_says_which_months_are_open_and_which_are_closed(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    bill(home, "bill", charge("5"), charge("10", month=10))
    close(home, "2026-09,,,2026-10-05,correction")
    assert cli.main(["--home", str(home.root), "deliveries", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(d["dataset"], d["month"], d["month_status"]) for d in told] == [
        ("cost_and_usage", "2026-09", "closed"), ("cost_and_usage", "2026-10", "open"), ("closed_month", "all", None),
    ]  # fmt: skip
    assert cli.main(["--home", str(home.root), "deliveries"]) == 0
    assert capsys.readouterr().out.count("    month: closed\n") == 1


AMOUNTS = st.decimals(min_value=Decimal("-999999"), max_value=Decimal("999999"), places=18, allow_nan=False)
VERSION = st.lists(
    st.tuples(AMOUNTS, st.sampled_from(["USD", "EUR"]), st.sampled_from(["Amazon EC2", "Amazon S3"])), max_size=5
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(versions=st.lists(VERSION.filter(bool), min_size=2, max_size=4), closing=st.booleans())
def test_corrections_add_up_to_new_minus_old_exactly_per_currency(
    tmp_path_factory: pytest.TempPathFactory, versions: list[list[tuple[Decimal, str, str]]], closing: bool
) -> None:
    home = Home(tmp_path_factory.mktemp("closed"))
    for n, version in enumerate(versions):
        rows = [charge(exact(a), BillingCurrency=c, ServiceName=s) for a, c, s in version]
        assert {s for s, _ in bill(home, f"v{n}", *rows)} <= {"published", "unchanged"}
        if n == 0:
            close(home, "2026-09,,,2026-10-05,correction")
        elif n == 1 and closing:
            close(home, "2026-09,,,2026-10-05,correction", "2026-10,,,2026-11-05,correction")
    frame = warehouse.dataset(home, "cost_and_usage")
    for currency in ("USD", "EUR"):
        wanted = Decimal(0)
        for amount, c, _ in versions[-1]:
            wanted = EXACT.add(wanted, amount if c == currency else Decimal(0))
        held = Decimal(0)
        for amount in frame.filter(frame["BillingCurrency"] == currency)["BilledCost"]:
            held = EXACT.add(held, amount)
        assert held == wanted


@pytest.mark.parametrize("column", ["EffectiveCost", "ListCost", "ContractedCost"])
def test_a_late_change_of_one_cost_alone_is_a_correction_of_that_cost_in_its_account_month_and_currency(
    home: Home, column: str
) -> None:
    used = "ServiceName", "BillingAccountId", "BillingCurrency"

    def month(changed: dict[tuple[str, str], str]) -> list[list[str]]:
        return [
            charge("5", account=account, BillingCurrency=currency, **{column: changed.get((account, currency), "5")})
            for account in ("a-1", "a-2")
            for currency in ("EUR", "USD")
        ]

    bill(home, "september", *month({}))
    bill(home, "august", *(charge("5", month=8, account=account) for account in ("a-1", "a-2")))
    close(home, "2026-08,,,2026-09-05,correction", "2026-09,,,2026-10-05,correction")
    bill(home, "again", *month({("a-1", "USD"): "4.25", ("a-2", "EUR"): "7"}))
    assert corrections(home, *used, "BilledCost", column, "x_SourceFile") == [
        (
            "Amazon EC2", account, currency, Decimal(0), Decimal(amount),
            f"corrections of 2026-09 in 2026-10, account {account}",
        )
        for account, currency, amount in (("a-1", "USD", "-0.75"), ("a-2", "EUR", "2"))
    ]  # fmt: skip
    changed = {(d.billing_account, d.corrects, d.month): d for d in lake.current(home).values() if d.corrects}
    assert {place: d.billed_total for place, d in changed.items()} == {
        ("a-1", "2026-09", "2026-10"): {"USD": "0"}, ("a-2", "2026-09", "2026-10"): {"EUR": "0"},
    }  # fmt: skip
