"""Rows that cannot be taken keep their month out, or are left out where the user says so, and then they are shown."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_ingest import charge, text

from finops_lib import cli, lake, warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home


def rejected(home: Home) -> list[tuple[object, ...]]:
    files = sorted((home.lake / "_rejected").rglob("*.parquet"))
    with duckdb.connect() as db:
        return [
            row
            for file in files
            for row in db.sql(
                "select x_source_file, x_source_row, reason, amount, currency, json_extract_string(delivered, "
                f"'$.ServiceName') from read_parquet('{file}')"
            ).fetchall()
        ]


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    file = tmp_path / "bill.csv"
    rows = [
        charge("1.5"),
        charge("twelve"),
        charge("4", category="usage"),
        charge("8", ChargePeriodEnd=""),
        charge("2"),
    ]
    file.write_text(text(*rows), encoding="utf-8")
    return file


def test_a_month_with_rejected_rows_stays_out_and_the_rows_lie_aside_with_their_reasons(home: Home, bill: Path) -> None:
    done = ingest(home, [bill], data_docs=False)
    assert {o.status for o in done.outcomes} == {"refused"}
    assert lake.current(home) == {}
    found = rejected(home)
    assert [r[1] for r in found] == [2, 4]
    assert str(found[0][2]).startswith("BilledCost: found twelve, wanted a number")
    assert found[0][3:] == (None, "USD", "Amazon EC2")
    assert found[1][3:] == (Decimal("8"), "USD", "Amazon EC2")
    assert [str(f.relative_to(home.lake)) for f in done.rejects] == [
        "_rejected/cost_and_usage/source=focus/billing_month=2026-09/a-1.parquet"
    ]


def test_accepting_rejects_publishes_the_rest_and_the_ledger_says_what_is_missing(home: Home, bill: Path) -> None:
    done = ingest(home, [bill], accept_rejects=True, data_docs=False)
    [delivery] = lake.current(home).values()
    assert done.refused == []
    assert (delivery.rows_read, delivery.rows_published, delivery.rows_rejected) == (5, 3, 2)
    assert delivery.billed_total == {"USD": "7.5"}
    assert delivery.rejected_total == {"USD": "8"}
    assert delivery.rejected_unreadable == 1
    assert "2 rows rejected: USD 8 and 1 row without a readable amount missing" in delivery.notes
    assert warehouse.missing_money(home) == [
        "cost_and_usage from focus, account a-1, 2026-09: 2 rows were rejected, USD 8 and 1 of them without a readable "
        "amount"
    ]
    assert [r[1] for r in rejected(home)] == [2, 4]


def test_a_corrected_delivery_removes_what_was_rejected(home: Home, bill: Path) -> None:
    ingest(home, [bill], accept_rejects=True, data_docs=False)
    bill.write_text(text(charge("1.5"), charge("12")), encoding="utf-8")
    ingest(home, [bill], data_docs=False)
    assert rejected(home) == []
    [delivery] = lake.current(home).values()
    assert (delivery.rows_rejected, delivery.rejected_total, delivery.notes) == (0, {}, ["FOCUS 1.0"])


def test_a_broken_promise_of_the_contract_is_rejected_by_its_row(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_text(text(charge("1"), charge("3", category="Gift")), encoding="utf-8")
    done = ingest(home, [file], accept_rejects=True, data_docs=False)
    [delivery] = lake.current(home).values()
    assert done.refused == []
    assert (delivery.billed_total, delivery.rejected_total) == ({"USD": "1"}, {"USD": "3"})
    [(_, row, reason, amount, *_)] = rejected(home)
    assert (row, amount) == (2, Decimal(3))
    assert str(reason).startswith("ChargeCategory: found Gift, wanted one of Usage")


def test_a_file_of_which_no_row_can_be_taken_is_refused_even_so(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_text(text(charge("one"), charge("two")), encoding="utf-8")
    done = ingest(home, [file], accept_rejects=True, data_docs=False)
    assert {o.status for o in done.outcomes} == {"refused"}
    assert done.refused[-1].message == "bill.csv: no row of it can be taken."
    assert lake.current(home) == {}


def test_the_command_line_says_where_rejected_rows_lie(
    home: Home, bill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--home", str(home.root), "ingest", str(bill)]) == 1
    assert f"rejected rows, each with its reason: {home.lake / '_rejected'}" in capsys.readouterr().out
    assert cli.main(["--home", str(home.root), "ingest", "--accept-rejects", str(bill)]) == 0
    assert "2 rows rejected: USD 8 and 1 row without a readable amount missing" in capsys.readouterr().out


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    costs=st.lists(
        st.tuples(st.decimals(min_value=-1000, max_value=1000, places=18), st.booleans()), min_size=1, max_size=12
    )
)
def test_what_is_published_and_what_is_rejected_add_up_to_what_was_delivered(
    tmp_path_factory: pytest.TempPathFactory, costs: list[tuple[Decimal, bool]]
) -> None:
    root = tmp_path_factory.mktemp("h")
    file = root / "bill.csv"
    rows = [charge(f"{cost:f}", category="Usage" if good else "Gift") for cost, good in costs]
    file.write_text(text(charge("0"), *rows), encoding="utf-8")
    ingest(Home(root / "home"), [file], accept_rejects=True, data_docs=False)
    [delivery] = lake.current(Home(root / "home")).values()
    assert delivery.rows_read == delivery.rows_published + delivery.rows_rejected == len(costs) + 1
    totals = [Decimal(t.get("USD", "0")) for t in (delivery.billed_total, delivery.rejected_total)]
    assert totals == [sum((c for c, good in costs if good is kept), Decimal(0)) for kept in (True, False)]


def test_rows_of_an_export_in_two_parts_are_left_out_the_same_way(home: Home) -> None:
    azure = Path(__file__).parent.parent / "data" / "samples" / "azure_amortized"
    actual = (azure / "actual.csv").read_text(encoding="utf-8-sig").splitlines()
    at = next(csv.reader([actual[0]])).index("chargeType")
    row = next(csv.reader([actual[1]]))
    row[at] = "Gift"
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(row)
    spoilt = home.root.parent / "actual.csv"
    spoilt.write_text("\n".join([actual[0], out.getvalue(), *actual[2:]]) + "\n", encoding="utf-8")
    files = [spoilt, azure / "amortized.csv"]
    assert {o.status for o in ingest(home, files, data_docs=False).outcomes} == {"refused"}
    done = ingest(home, files, accept_rejects=True, data_docs=False)
    assert done.refused == []
    ingest(Home(home.root.parent / "whole"), [azure / "actual.csv", azure / "amortized.csv"], data_docs=False)
    for unit, whole in lake.current(Home(home.root.parent / "whole")).items():
        if unit.dataset == "cost_and_usage":
            lacking = lake.current(home)[unit]
            for currency, amount in whole.billed_total.items():
                parts = [Decimal(t.get(currency, "0")) for t in (lacking.billed_total, lacking.rejected_total)]
                assert sum(parts) == Decimal(amount)
            assert lacking.rows_read == lacking.rows_published + lacking.rows_rejected + lacking.rows_merged


def test_a_rejected_row_without_a_currency_or_an_amount_is_counted_where_it_belongs(home: Home, tmp_path: Path) -> None:
    places = [("a-1", 9), ("a-1", 10), ("a-2", 9), ("a-2", 10)]
    rows = []
    for n, (account, month) in enumerate(places, start=1):
        good = [charge(f"{n}", account=account, month=month, BillingCurrency=c) for c in ("EUR", "USD")]
        gifts = [charge(f"{n}0", account=account, month=month, BillingCurrency="EUR", category="Gift")]
        without_currency = [charge("7", account=account, month=month, BillingCurrency="") for _ in range(n)]
        without_amount = [charge("seven", account=account, month=month) for _ in range(2 * n)]
        rows += [*good, *gifts, *without_currency, *without_amount]
    file = tmp_path / "bill.csv"
    file.write_text(text(*rows), encoding="utf-8")
    ingest(home, [file], accept_rejects=True, data_docs=False)
    assert [
        (d.billing_account, d.month, d.rows_rejected, d.rejected_unreadable, d.rejected_total, d.billed_total)
        for _, d in sorted(lake.current(home).items())
    ] == [
        (account, f"2026-{month:02}", 1 + 3 * n, 3 * n, {"EUR": f"{n}0"}, {"EUR": f"{n}", "USD": f"{n}"})
        for n, (account, month) in enumerate(places, start=1)
    ]


def test_what_was_rejected_when_an_export_was_stored_is_added_to_what_is_rejected_of_the_charges_it_makes(
    home: Home, tmp_path: Path
) -> None:
    azure = Path(__file__).parent.parent / "data" / "samples" / "azure_amortized"
    with (azure / "actual.csv").open(encoding="utf-8-sig", newline="") as handle:
        header, *rows = csv.reader(handle)
    cost, quantity, kind = (header.index(c) for c in ("costInBillingCurrency", "quantity", "chargeType"))
    rows[3][quantity] = "one"
    rows[4][kind] = "Gift"
    assert [rows[3][cost], rows[4][cost]] == ["12.95", "3.0625"]
    with (tmp_path / "actual.csv").open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *rows])
    done = ingest(home, [tmp_path / "actual.csv", azure / "amortized.csv"], accept_rejects=True, data_docs=False)
    assert done.refused == []
    by_dataset = {(p.dataset, p.source): d for p, d in lake.current(home).items()}
    stored, charges = by_dataset["_parts", "azure_actual"], by_dataset["cost_and_usage", "azure_actual"]
    assert (stored.rows_rejected, stored.rejected_total) == (1, {"EUR": "12.95"})
    assert (charges.rows_rejected, charges.rejected_total) == (2, {"EUR": "16.0125"})
    assert charges.notes[-1] == "2 rows rejected: EUR 16.0125 missing"


def test_a_bill_of_which_no_row_can_be_taken_leaves_the_month_as_it_was_and_says_so(home: Home, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(text(charge("3")), encoding="utf-8")
    bad.write_text(text(charge("4", category="Gift"), charge("5", category="Gift")), encoding="utf-8")
    ingest(home, [good], data_docs=False)
    before = lake.current(home)
    done = ingest(home, [bad], accept_rejects=True, data_docs=False)
    assert [(o.status, o.message) for o in done.outcomes] == [
        (
            "refused",
            "cost_and_usage from focus, account a-1, 2026-09: no row of it can be taken (2 rows rejected); what the "
            "lake holds of it stays.",
        )
    ]
    assert lake.current(home) == before
    assert [row[1] for row in rejected(home)] == [1, 2]
