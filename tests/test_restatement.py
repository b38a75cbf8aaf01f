"""What a restatement changed can be looked into after the data is gone; what was taken out is remembered."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from test_ingest import HEADER, charge, deliver, snapshot, text

from finops_lib import cli, lake, warehouse
from finops_lib.errors import RefusedError, UsageError
from finops_lib.ingest import ingest, withdraw
from finops_lib.lake import Delivery, Home
from finops_lib.restatements import difference


def bill(home: Home, name: str, *rows: list[str]) -> Delivery:
    """Deliver one file and give its line of the ledger."""
    header = [*HEADER, "SubAccountId"]
    file = home.root.parent / name
    file.write_text(text(*rows, header=header), encoding="utf-8")
    assert ingest(home, [file], data_docs=False, accept_shrink=True).refused == []
    return lake.deliveries(home)[-1]


def of(sub_account: str, cost: str, **more: Any) -> list[str]:
    return [*charge(cost, **more), sub_account]


@pytest.fixture
def restated(home: Home) -> tuple[Delivery, Delivery]:
    first = bill(
        home, "first.csv", of("s-1", "10"), of("s-1", "0.000000000000000001"), of("s-2", "4", ServiceName="Amazon S3"),
        of("s-2", "7", BillingCurrency="EUR"), of("s-3", "1"),
    )  # fmt: skip
    second = bill(
        home, "second.csv", of("s-1", "12.5"), of("s-2", "4", ServiceName="Amazon S3"),
        of("s-2", "-3", category="Credit"), of("s-2", "7.25", BillingCurrency="EUR"),
    )  # fmt: skip
    return first, second


def test_a_restatement_is_told_by_service_account_and_charge_kind_largest_change_first(
    home: Home, restated: tuple[Delivery, Delivery]
) -> None:
    first, second = restated
    found = difference(home, second.id)
    assert (found.before, found.after) == (first, second)
    assert [(c.currency, c.service, c.sub_account, c.charge, c.billed, c.rows) for c in found.changes] == [
        ("EUR", "Amazon EC2", "s-2", "Usage", Decimal("0.25"), 0),
        ("USD", "Amazon EC2", "s-2", "Credit", Decimal(-3), 1),
        ("USD", "Amazon EC2", "s-1", "Usage", Decimal("2.499999999999999999"), -1),
        ("USD", "Amazon EC2", "s-3", "Usage", Decimal(-1), -1),
    ]
    assert {c: lake_text(found.total(c)[0]) for c in found.currencies} == second.billed_change
    assert second.billed_change == {"EUR": "0.25", "USD": "-1.500000000000000001"}


def lake_text(amount: Decimal) -> str:
    return f"{amount:f}".rstrip("0").rstrip(".")


def test_the_breakdown_in_the_ledger_adds_up_to_its_totals(home: Home, restated: tuple[Delivery, Delivery]) -> None:
    for delivery in restated:
        file = lake.breakdown(home, delivery)
        with duckdb.connect() as db:
            sums = db.sql(
                f"select BillingCurrency, sum(rows), sum(billed), sum(effective) from read_parquet('{file}') "
                "group by 1 order by 1"
            ).fetchall()
        assert {c: lake_text(billed) for c, _, billed, _ in sums} == delivery.billed_total
        assert {c: lake_text(effective) for c, _, _, effective in sums} == delivery.effective_total
        assert sum(rows for _, rows, *_ in sums) == delivery.rows_published


def test_the_ledger_keeps_what_each_day_cost_of_what_comes_again_every_day(home: Home) -> None:
    correction = [*charge("-3"), "s-1", "Correction"]
    file = home.root.parent / "bill.csv"
    rows = [
        of("s-1", "10"), of("s-2", "0.000000000000000001"), of("s-2", "7", BillingCurrency="EUR"),
        of("s-1", "5", ChargePeriodStart="2026-09-04T00:00:00Z", ChargePeriodEnd="2026-09-05T00:00:00Z"),
        of("s-1", "9", ChargePeriodEnd="2026-10-01T00:00:00Z"),
        of("s-1", "100", category="Purchase", ChargeFrequency="One-Time"),
    ]  # fmt: skip
    header = [*HEADER, "SubAccountId", "ChargeClass"]
    file.write_text(text(*([*row, ""] for row in rows), correction, header=header), encoding="utf-8")
    assert ingest(home, [file], data_docs=False).refused == []
    [delivery] = lake.deliveries(home)
    assert {key: Decimal(cost) for key, cost in delivery.effective_by_day.items()} == {
        "2026-09-03 EUR": Decimal(7),
        "2026-09-03 USD": Decimal("10.000000000000000001"),
        "2026-09-04 USD": Decimal(5),
    }
    assert lake.withdraw(home, delivery.partition).effective_by_day == {}


def test_any_two_deliveries_of_a_month_compare_in_the_order_they_came(
    home: Home, restated: tuple[Delivery, Delivery]
) -> None:
    first, _ = restated
    third = bill(home, "third.csv", of("s-1", "10"))
    for named in ((third.id, first.id), (first.id[:6], third.delivery_id[:9])):
        found = difference(home, *named)
        assert (found.before.id, found.after.id) == (first.id, third.id)
        assert found.total("USD")[0] == Decimal("-5.000000000000000001")
        assert found.total("EUR")[0] == Decimal(-7)


def test_an_id_that_is_unknown_ambiguous_or_of_another_month_is_explained(
    home: Home, restated: tuple[Delivery, Delivery]
) -> None:
    first, second = restated
    october = bill(home, "october.csv", of("s-1", "1", month=10))
    cases = {
        ("xyz",): "There is no delivery 'xyz'. `finops deliveries` shows the id of each.",
        (first.id,): (
            f"{first.id} is the first delivery of cost_and_usage from focus, account a-1, 2026-09: it replaced nothing "
            "to compare with."
        ),
        (second.id, october.id): (
            f"{second.id} is cost_and_usage from focus, account a-1, 2026-09, {october.id} is cost_and_usage from "
            "focus, account a-1, 2026-10: only deliveries of one unit can be compared."
        ),
    }
    for named, message in cases.items():
        with pytest.raises(UsageError) as caught:
            difference(home, *named)
        assert str(caught.value) == message


def test_a_delivery_of_two_months_is_named_by_the_id_of_each_month(home: Home) -> None:
    delivery = bill(home, "two.csv", of("s-1", "1"), of("s-1", "1", month=10))
    one, two = lake.deliveries(home)
    with pytest.raises(UsageError) as caught:
        difference(home, delivery.delivery_id)
    assert str(caught.value) == (
        f"{delivery.delivery_id!r} may be any of 2 deliveries: {one.id} ({one.partition}, {one.delivered_at[:19]}); "
        f"{two.id} ({two.partition}, {two.delivered_at[:19]}). Say more of the id."
    )


def test_a_delivery_from_before_the_ledger_kept_breakdowns_is_compared_as_long_as_its_rows_are_there(
    home: Home, restated: tuple[Delivery, Delivery]
) -> None:
    first, second = restated
    for delivery, gone in ((second, False), (first, True)):
        file = lake.breakdown(home, delivery)
        assert file is not None
        file.unlink()
        if not gone:
            assert difference(home, second.id).total("EUR")[0] == Decimal("0.25")
            continue
        with pytest.raises(UsageError, match=f"^{first.id} .* came in before the ledger kept its breakdown, and its"):
            difference(home, second.id)


def test_the_command_shows_the_difference_as_text_and_as_json(
    home: Home, restated: tuple[Delivery, Delivery], capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = restated
    assert cli.main(["--home", str(home.root), "deliveries", "--diff", second.id]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "cost_and_usage from focus, account a-1, 2026-09"
    assert shown[3:5] == [
        "EUR: billed +0.25, effective +0.25",
        "  +0.25  Amazon EC2, s-2, Usage: billed 7 → 7.25, effective +0.25, rows +0",
    ]
    assert shown[5] == "USD: billed -1.500000000000000001, effective -1.500000000000000001"
    assert cli.main(["--home", str(home.root), "deliveries", "--diff", first.id, second.id, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["billed_change"] == second.billed_change
    assert (told["before"], told["after"], len(told["changes"])) == (first.id, second.id, 4)
    assert cli.main(["--home", str(home.root), "deliveries", "--diff", "nothing"]) == 2
    assert "There is no delivery 'nothing'" in capsys.readouterr().err


def test_what_is_withdrawn_leaves_the_lake_and_stays_in_the_ledger(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = tmp_path / "bill.csv"
    both.write_text(text(charge("1.5"), charge("2", month=10)), encoding="utf-8")
    deliver(home, both)
    command = ["--home", str(home.root), "withdraw", "focus", "--account", "a-1", "--month", "2026-09"]
    assert cli.main(command) == 0
    assert capsys.readouterr().out == ("withdrawn: cost_and_usage from focus, account a-1, 2026-09, billed USD -1.5\n")
    assert warehouse.dataset(home, "cost_and_usage")["BilledCost"].to_list() == [Decimal(2)]
    assert [u.month for u in lake.current(home)] == ["2026-10"]
    first, _, gone = lake.deliveries(home)
    assert (gone.withdrawn, gone.replaced, gone.billed_change) == (True, first.delivery_id, {"USD": "-1.5"})
    assert difference(home, gone.id).total("USD")[0] == Decimal("-1.5")
    before = snapshot(home)
    assert cli.main(command) == 1
    assert capsys.readouterr().err == (
        "finops: The lake holds nothing from focus of account a-1, 2026-09. It holds: a-1 2026-10.\n"
    )
    assert snapshot(home) == before
    # A scheduled run does not bring it back; delivering it again does.
    assert ingest(home, [both], new_only=True, data_docs=False).outcomes == []
    assert [s for s, _ in deliver(home, both)] == ["published", "unchanged"]
    again = lake.current(home)[gone.partition]
    assert (again.replaced, again.billed_total) == (None, {"USD": "1.5"})


def test_a_withdrawal_that_died_before_the_data_went_is_forgotten_and_after_it_is_remembered(home: Home) -> None:
    delivery = bill(home, "first.csv", of("s-1", "10"))
    withdraw(home, "focus", account="a-1", month="2026-09")
    gone = lake.deliveries(home)[-1]
    [entry] = home.ledger.glob(f"*{gone.delivery_id}*.json")
    pending = entry.rename(entry.with_suffix(".pending"))
    assert lake.current(home) == {}
    assert lake.deliveries(home) == [delivery, gone]
    (home.lake / delivery.partition.file).write_bytes(b"PAR1")
    with lake.locked(home):
        assert not pending.exists()
    assert lake.deliveries(home) == [delivery]


def test_azure_s_parts_go_with_the_charges_that_are_made_from_them(home: Home, tmp_path: Path) -> None:
    header = "SubscriptionId,Date,ChargeType,Cost,BillingCurrency,MeterCategory,ConsumedService\n"
    (tmp_path / "actual.csv").write_text(header + "s-1,2026-09-01,Usage,2.5,EUR,Storage,\n", encoding="utf-8")
    deliver(home, tmp_path / "actual.csv")
    assert [d.partition.dataset for d in withdraw(home, "azure_actual", account="s-1", month="2026-09")] == [
        "cost_and_usage", "_parts",
    ]  # fmt: skip
    assert lake.current(home) == {}
    with pytest.raises(UsageError) as caught:
        withdraw(home, "azure_actual", account="s-1", month="2026-09")
    assert str(caught.value) == "The lake holds nothing from 'azure_actual'. It holds: nothing."


def test_a_file_that_was_replaced_in_one_of_its_months_comes_back_there_when_it_is_delivered_again(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "both.csv").write_text(text(charge("1"), charge("2", month=10)), encoding="utf-8")
    (tmp_path / "september.csv").write_text(text(charge("3")), encoding="utf-8")
    deliver(home, tmp_path / "both.csv")
    deliver(home, tmp_path / "september.csv")
    assert [s for s, _ in deliver(home, tmp_path / "both.csv", accept_shrink=True)] == ["published", "unchanged"]
    assert [d.billed_total for d in lake.current(home).values()] == [{"USD": "1"}, {"USD": "2"}]
    assert [s for s, _ in deliver(home, tmp_path / "both.csv")] == ["unchanged", "unchanged"]


def test_a_month_that_was_refused_is_read_again_though_another_of_its_file_was_published(
    home: Home, tmp_path: Path
) -> None:
    (tmp_path / "both.csv").write_text(text(charge(category="Gift"), charge("2", month=10)), encoding="utf-8")
    for then in ("published", "unchanged"):
        assert [s for s, _ in deliver(home, tmp_path / "both.csv")] == ["refused", then]
        assert [d.whole for d in lake.deliveries(home)] == [False]


def test_a_closed_month_cannot_be_withdrawn(home: Home) -> None:
    delivery = bill(home, "first.csv", of("s-1", "10"))
    plan = home.root.parent / "closed_month.csv"
    plan.write_text("month,closed_on,late_delivery\n2026-09,2026-10-05,correction\n", encoding="utf-8")
    assert [s for s, _ in deliver(home, plan)] == ["published"]
    with pytest.raises(RefusedError) as caught:
        withdraw(home, "focus", account="a-1", month="2026-09")
    assert str(caught.value) == (
        "focus, account a-1, 2026-09 is closed (closed_month.csv row 1, closed on 2026-10-05): what the lake holds of "
        "it stays."
    )
    assert lake.holding(home, delivery.partition) == delivery
