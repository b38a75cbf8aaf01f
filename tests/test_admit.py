"""What becomes of a delivery is decided from facts alone: one verdict for every account-month, and no money lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from finops_lib.ingest import admit, companions
from finops_lib.ingest.adapters import Adapter, adapters
from finops_lib.ingest.collect.manifests import Manifest
from finops_lib.ingest.facts import COMPANIONS, AccountMonth, Answer, Differences, Earlier, Rejected, Staged, Total
from finops_lib.lake import TIMELESS, Closure, Closures, Delivery, Partition, Verdict
from finops_lib.money import EXACT, Money

ACCOUNTS, MONTHS, CURRENCIES = ("a-1", "a-2"), ("2026-09", "2026-10"), ("EUR", "USD")
"""Two of each: a mix-up of one of them is seen."""
PLACES = [AccountMonth(account, month) for account in ACCOUNTS for month in MONTHS]
FILES = ("a.csv", "b.csv")
AMOUNTS = st.decimals(min_value=-(10**18), max_value=10**18, places=18)


def adapter(**more: Any) -> Adapter:
    return replace(adapters()["focus"], bucket=None, sha256="reads", **more)


def entry(name: str, version: str = "") -> dict[str, Any]:
    return {"name": name, "sha256": f"sha of {name}{version}", "bytes": 1}


def staged(**more: Any) -> Staged:
    given: dict[str, Any] = {
        "adapter": adapter(), "dataset": "cost_and_usage", "source": "focus", "delivery_id": "d-1",
        "delivered_at": "2026-11-01T00:00:00.000000+00:00", "file": Path("staged.parquet"),
        "entries": {name: [entry(name)] for name in FILES},
    }  # fmt: skip
    return Staged(**(given | more))


def one(place: AccountMonth, amount: str, *, effective: str | None = None, **more: Any) -> Staged:
    """A delivery of one charge of one account-month."""
    costs = {"BilledCost": {"USD": Decimal(amount)}, "EffectiveCost": {"USD": Decimal(effective or amount)}}
    return staged(
        read={place: {"a.csv": 1}}, totals={place: Total(rows=1, costs=costs)},
        delivered={"BilledCost": {place: costs["BilledCost"]}}, **more,
    )  # fmt: skip


def ledger(*deliveries: Delivery, closed: tuple[Closure, ...] = ()) -> admit.Ledger:
    return admit.Ledger(holds={d.partition: d for d in deliveries}, closures=Closures(closed))


def closure(month: str, source: str | None, account: str | None, late: str = "correction", row: int = 1) -> Closure:
    return Closure(
        month=month, source=source, billing_account=account, closed_on=date(2026, 11, 1), late_delivery=late,
        file="closed_months.csv", row=row,
    )  # fmt: skip


def verdicts(given: Staged, held: admit.Ledger, **more: Any) -> list[Verdict]:
    return admit.verdicts(given, held, more.pop("answers", {}), claimed=more.pop("claimed", {}), **more)


def entered(given: Staged, held: admit.Ledger, **more: Any) -> list[Delivery]:
    return [v.delivery for v in verdicts(given, held, **more) if v.enters and v.delivery]


money = st.dictionaries(st.sampled_from(CURRENCIES), AMOUNTS)


@st.composite
def deliveries(draw: st.DrawFn) -> Staged:
    """Any delivery: rows merged and added, rejected ones, lost money, offences, files refused."""
    places = draw(st.lists(st.sampled_from(PLACES), unique=True, max_size=4))
    read, totals, billed, offences, rejected = {}, {}, {}, {}, {}
    for place in places:
        read[place] = draw(st.dictionaries(st.sampled_from(FILES), st.integers(1, 9), min_size=1))
        amounts = draw(money)
        rows = draw(st.integers(0, 9))
        totals[place] = Total(
            rows=rows, added=draw(st.integers(0, rows)), costs={"BilledCost": amounts, "EffectiveCost": draw(money)}
        )
        lost = draw(st.sampled_from([Decimal(0), Decimal(0), Decimal("0.000000000000000001")]))
        billed[place] = {c: EXACT.add(a, lost) for c, a in amounts.items()}
        if draw(st.integers(0, 5)) == 0:
            offences[place] = ["a promise is broken."]
        if draw(st.booleans()):
            rejected[place] = Rejected(rows=draw(st.integers(1, 5)), billed=draw(money), unreadable=1)
    refused = {name: [f"{name}: cannot be read."] for name in FILES if draw(st.integers(0, 5)) == 0}
    return staged(
        read=read, totals=totals, delivered={"BilledCost": billed}, offences=offences, rejected=rejected,
        refused=refused,
    )  # fmt: skip


@given(given=deliveries())
def test_every_account_month_gets_one_verdict_and_enters_only_whole(given: Staged) -> None:
    found = verdicts(given, ledger())
    of_places = [v for v in found if v.partition]
    assert [(v.partition.billing_account, v.partition.month) for v in of_places if v.partition] == sorted(given.read)
    for verdict in of_places:
        assert verdict.partition is not None
        place = AccountMonth(verdict.partition.billing_account, verdict.partition.month)
        keeps = (
            place not in given.offences
            and given.delivered["BilledCost"][place] == given.totals[place].billed
            and not given.read[place].keys() & given.refused.keys()
        )
        assert verdict.enters is keeps
        assert verdict.decision == ("publish" if keeps else "refuse")
    said = [m for v in found if v.decision == "refuse" for m in v.messages]
    assert all(any(m.startswith(f"{name}: cannot be read.") for m in said) for name in given.refused)


@given(given=deliveries())
def test_rows_and_money_of_the_ledger_add_up_to_what_was_delivered(given: Staged) -> None:
    for delivery in entered(given, ledger()):
        place = AccountMonth(delivery.billing_account, delivery.month)
        assert (
            delivery.rows_read + delivery.rows_added
            == delivery.rows_published + delivery.rows_rejected + delivery.rows_merged
        )
        assert delivery.rows_rejected == given.rejected.get(place, Rejected()).rows
        assert amounts(delivery.billed_total) == given.delivered["BilledCost"][place]
        assert amounts(delivery.rejected_total) == given.rejected.get(place, Rejected()).billed
        assert [f["name"] for f in delivery.files] == sorted(given.read[place])


@given(given=deliveries())
def test_the_same_delivery_again_changes_nothing(given: Staged) -> None:
    held = ledger(*entered(given, ledger()))
    again = verdicts(replace(given, delivery_id="d-2"), held)
    assert [v.delivery for v in again if v.decision == "unchanged"] == list(held.holds.values())
    assert not any(v.enters for v in again)


@given(before=deliveries(), after=deliveries())
def test_a_replacement_says_by_how_much_it_changes_each_currency(before: Staged, after: Staged) -> None:
    held = ledger(*entered(before, ledger()))
    newer = replace(after, entries={name: [entry(name, " again")] for name in FILES}, delivery_id="d-2")
    for delivery in entered(newer, held):
        old = held.holds.get(delivery.partition)
        assert delivery.replaced == (old.delivery_id if old else None)
        was, now = amounts(old.billed_total if old else {}), amounts(delivery.billed_total)
        zero = Decimal(0)
        change = {c: EXACT.subtract(now.get(c, zero), was.get(c, zero)) for c in {*was, *now}}
        assert amounts(delivery.billed_change) == (change if old else {})


def amounts(texts: Any) -> dict[str, Decimal]:
    return {currency: Decimal(text) for currency, text in texts.items()}


@given(given=deliveries(), late=st.sampled_from(["correction", "refuse"]), change=money)
def test_what_the_lake_holds_of_a_closed_month_is_never_replaced(given: Staged, late: str, change: Money) -> None:
    closed = closure("2026-09", None, "a-1", late)
    held = ledger(*entered(given, ledger()), closed=(closed,))
    newer = replace(given, entries={name: [entry(name, " again")] for name in FILES})
    asked = admit.questions(newer, held)
    differences = Differences(query="", rows=3, costs={"BilledCost": change, "EffectiveCost": {}})
    answers = {where: Answer(differences=differences if q.closing else None) for where, q in asked.items()}
    assert {where for where, q in asked.items() if q.closing} == {w for w in newer.read if w == PLACES[0]}
    for verdict in verdicts(newer, held, answers=answers):
        here = verdict.partition
        if not verdict.enters or here is None:
            continue
        if here.corrects:
            assert (here.billing_account, here.corrects, here.month) == ("a-1", "2026-09", "2026-10")
            assert late == "correction"
            assert verdict.delivery is not None
            assert amounts(verdict.delivery.billed_total) == change
        else:
            assert (here.billing_account, here.month) != ("a-1", "2026-09")


def test_of_the_rows_that_close_a_month_the_one_that_names_the_account_wins() -> None:
    for account, other in (ACCOUNTS, ACCOUNTS[::-1]):
        rows = (
            closure("2026-09", "focus", None, row=1), closure("2026-09", None, account, row=2),
            closure("2026-09", None, None, row=3), closure("2026-10", "aws_cur", None, row=4),
            closure("2026-10", "focus", account, row=5), closure("2026-10", None, account, row=6),
        )  # fmt: skip
        for ordered in (rows, rows[::-1]):
            closures = Closures(ordered)
            assert {
                (source, who, month): found.row if (found := closures.of(source, who, month)) else None
                for source in ("focus", "aws_cur")
                for who in (account, other)
                for month in MONTHS
            } == {
                ("focus", account, "2026-09"): 2, ("focus", other, "2026-09"): 1,
                ("aws_cur", account, "2026-09"): 2, ("aws_cur", other, "2026-09"): 3,
                ("focus", account, "2026-10"): 5, ("focus", other, "2026-10"): None,
                ("aws_cur", account, "2026-10"): 6, ("aws_cur", other, "2026-10"): 4,
            }  # fmt: skip


def test_corrections_go_where_the_last_ones_stand_and_skip_every_closed_month() -> None:
    place = PLACES[0]
    [first] = entered(one(place, "1"), ledger())
    closed = (closure("2026-09", None, None), closure("2026-10", None, "a-1"), closure("2026-11", "aws_cur", None))
    [asked] = admit.questions(one(place, "2"), ledger(first, closed=closed)).values()
    assert asked.closing is not None
    assert (asked.closing.month, asked.closing.open_month) == ("2026-09", "2026-11")
    standing = [replace(first, month=month, corrects="2026-09") for month in ("2026-12", "2026-11")]
    [asked] = admit.questions(one(place, "2"), ledger(first, *standing, closed=closed)).values()
    assert asked.closing is not None
    assert asked.closing.open_month == "2026-12"
    # What is replaced there is no history.
    assert [f.parts[2] for f in asked.closing.history] == ["billing_month=2026-09", "billing_month=2026-11"]
    assert len(asked.closing.held) == 3


def test_a_month_that_was_opened_again_is_not_counted_beside_its_corrections() -> None:
    [first] = entered(one(PLACES[0], "1"), ledger())
    standing = replace(first, month="2026-11", corrects="2026-09")
    [verdict] = verdicts(one(PLACES[0], "2", delivery_id="d-2"), ledger(first, standing))
    assert verdict.decision == "refuse"
    assert verdict.messages[0].startswith(
        "cost_and_usage from focus, account a-1, 2026-09 is open again, but corrections of it stand in 2026-11: it"
    )
    # Those of another account or of another month are none of its own.
    for other in (replace(standing, billing_account="a-2"), replace(standing, corrects="2026-10")):
        newer = one(PLACES[0], "2", entries={"a.csv": [entry("a.csv", " again")]})
        assert [v.enters for v in verdicts(newer, ledger(first, other))] == [True]


def test_a_month_that_two_files_of_a_call_give_whole_is_taken_from_the_first_alone() -> None:
    given = one(PLACES[0], "1")
    own = admit.claims(given)
    assert own == {admit.partition(given, PLACES[0]): "a.csv"}
    assert [v.decision for v in verdicts(given, ledger(), claimed=own)] == ["publish"]
    second = staged(read={p: {"b.csv": 1} for p in PLACES}, totals={p: Total(rows=1) for p in PLACES})
    found = verdicts(second, ledger(), claimed=own)
    assert [v.decision for v in found] == ["refuse", "publish", "publish", "publish"]
    assert found[0].messages == (
        "b.csv and a.csv came in one call as two deliveries of one month, and one would replace the other. Deliver "
        "the newer one alone. cost_and_usage from focus, account a-1, 2026-09 stays as it was.",
    )
    by_bucket = replace(second, adapter=replace(second.adapter, bucket="InvoiceId"))
    assert admit.claims(by_bucket) == {}
    assert all(v.enters for v in verdicts(by_bucket, ledger(), claimed=own))


def test_rows_that_stay_from_earlier_deliveries_are_counted_with_their_money() -> None:
    place = PLACES[0]
    [before] = entered(one(place, "10", effective="11"), ledger())
    stays = Earlier(
        query="", rows=2, files=frozenset({"a.csv"}),
        costs={"BilledCost": {"EUR": Decimal(3), "USD": Decimal(4)}, "EffectiveCost": {"USD": Decimal(5)}},
    )  # fmt: skip
    newer = replace(one(place, "1", effective="2", entries={"b.csv": [entry("b.csv")]}), read={place: {"b.csv": 1}})
    [delivery] = entered(newer, ledger(before), answers={place: Answer(earlier=stays)})
    assert delivery.billed_total == {"EUR": "3", "USD": "5"}
    assert delivery.effective_total == {"USD": "7"}
    assert (delivery.rows_read, delivery.rows_published) == (3, 3)
    assert [f["name"] for f in delivery.files] == ["b.csv", "a.csv"]
    assert delivery.billed_change == {"EUR": "3", "USD": "-5"}


def test_the_same_bill_from_another_source_is_refused_and_another_month_or_account_of_it_is_not() -> None:
    [other] = entered(replace(one(PLACES[0], "5"), source="aws_cur"), ledger())
    answers = {p: Answer(shared={other.partition.file: ("aws", "aws")}) for p in PLACES}
    given = staged(read={p: {"a.csv": 1} for p in PLACES}, totals={p: Total(rows=1) for p in PLACES})
    found = verdicts(given, ledger(other), answers=answers)
    assert [v.decision for v in found] == ["refuse", "publish", "publish", "publish"]
    assert "the lake holds this account and month from aws_cur (1 row, billed USD 5)" in found[0].messages[0]
    assert {w: len(q.rivals) for w, q in admit.questions(given, ledger(other)).items()} == {
        p: int(p == PLACES[0]) for p in PLACES
    }


def test_two_reports_of_one_account_are_two_only_where_scope_and_kind_are_the_same() -> None:
    def report(name: str, kind: str = "", account: str = "1") -> Manifest:
        return Manifest(
            name=f"{name}.json", describes=("aws", account, name, "20260901"), age=(0, "", 0.0), files=(), kind=kind
        )

    for other, refused in (
        (report("two"), True),
        (report("two", kind="x"), False),
        (report("two", account="2"), False),
    ):
        given = staged(
            read={PLACES[0]: {"a.csv": 1, "b.csv": 1}}, totals={PLACES[0]: Total(rows=2)},
            manifests={"a.csv": report("one"), "b.csv": other},
        )  # fmt: skip
        assert [v.decision == "refuse" for v in verdicts(given, ledger())] == [refused]


def test_a_file_may_hold_the_month_of_one_like_it_that_nothing_could_be_read_of() -> None:
    given = staged(
        entries={n: [entry(n)] for n in ("part-1.csv", "other.csv")},
        read={PLACES[0]: {"part-1.csv": 1}, PLACES[1]: {"other.csv": 1}},
        totals={p: Total(rows=1) for p in PLACES[:2]},
    )
    found = verdicts(given, ledger(), damaged=["part-2.csv"])
    assert [v.decision for v in found] == ["refuse", "publish", "refuse"]
    assert found[2].messages == (
        "part-1.csv: stays out, because part-2.csv was refused and may hold the same month. cost_and_usage from focus, "
        "account a-1, 2026-09 stays as it was.",
    )


def test_rows_that_tell_no_account_or_no_month_enter_nowhere() -> None:
    lost = staged(read={AccountMonth(None, "2026-09"): {"a.csv": 2}, AccountMonth("a-1", None): {"b.csv": 1}})
    found = verdicts(lost, ledger())
    assert [(v.decision, v.partition) for v in found] == [("refuse", None), ("refuse", None)]
    assert found[1].messages[0].startswith("a.csv: found 2 rows without a billing account or without a month, wanted")


def test_a_month_of_which_every_row_is_rejected_is_said_and_stays_as_it_was() -> None:
    lost = staged(
        rejected={PLACES[0]: Rejected(rows=2)}, read={PLACES[1]: {"a.csv": 1}}, totals={PLACES[1]: Total(rows=1)}
    )
    found = verdicts(lost, ledger())
    assert [v.decision for v in found] == ["refuse", "publish"]
    assert found[0].messages == (
        "cost_and_usage from focus, account a-1, 2026-09: no row of it can be taken (2 rows rejected); what the lake "
        "holds of it stays.",
    )


def stored(name: str, place: AccountMonth, rejected: dict[str, str], unreadable: int) -> Delivery:
    return Delivery(
        delivery_id=f"{name} {place}", dataset=COMPANIONS, source=name, billing_account=str(place.account),
        month=str(place.month), files=[entry(name)], adapter_sha256="", rows_read=5, rows_published=3, rows_rejected=2,
        rows_merged=0, rows_added=0, billed_total={}, effective_total={}, delivered_at="", rejected_total=rejected,
        rejected_unreadable=unreadable,
    )  # fmt: skip


def test_what_was_rejected_of_companion_exports_is_added_up_by_account_month_and_currency() -> None:
    azure = adapters()["azure_actual"]
    [other] = azure.companions
    holds = [
        stored(name, place, {"EUR": f"{weight}.5", "USD": f"{weight * i}"}, weight)
        for name, weight in ((azure.name, 1), (other, 10))
        for i, place in enumerate(PLACES, start=2)
    ]
    arrived = [d.partition for d in holds]
    found = list(companions.completed(list(adapters().values()), arrived, {d.partition: d for d in holds}))
    assert [t.where for t in found] == PLACES
    for i, together in enumerate(found, start=2):
        assert together.waiting is None
        assert together.rejected == {
            together.where: Rejected(rows=4, billed={"EUR": Decimal(12), "USD": Decimal(11 * i)}, unreadable=11)
        }
    more = Rejected(rows=1, billed={"USD": Decimal(1), "GBP": Decimal(2)}, unreadable=1)
    total = found[0].rejected[PLACES[0]] + more
    assert total == Rejected(rows=5, billed={"EUR": Decimal(12), "USD": Decimal(23), "GBP": Decimal(2)}, unreadable=12)


def test_charges_wait_for_the_export_they_cannot_do_without_and_an_export_without_months_is_of_every_month() -> None:
    databricks = adapters()["databricks_usage"]
    [rates] = databricks.waits_for
    usage = [stored(databricks.name, place, {}, 0) for place in PLACES]
    holds = {d.partition: d for d in usage}
    [one_waits, *_] = companions.completed(list(adapters().values()), list(holds), holds)
    assert one_waits.waiting is not None
    assert one_waits.waiting.messages == (
        f"databricks_usage, account a-1, 2026-09: kept; its charges appear once the {rates} export is delivered too",
    )
    sheet = stored(rates, AccountMonth("a-2", TIMELESS), {}, 0)
    together = list(
        companions.completed(list(adapters().values()), [sheet.partition], {**holds, sheet.partition: sheet})
    )
    assert [(t.where, t.waiting) for t in together] == [(AccountMonth("a-2", m), None) for m in MONTHS]
    assert {t.stored[rates] for t in together} == {
        Partition(dataset=COMPANIONS, source=rates, billing_account="a-2", month=TIMELESS)
    }
