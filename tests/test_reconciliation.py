"""What the marts of gaps say is told to the last digit, in the order of its reasons; what nothing explains is named."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from marts_by_hand import mart

from finops_lib import cli, pipeline, warehouse
from finops_lib.analysis.reconciliation import by_month, invoices, shown, table, usage
from finops_lib.errors import UsageError
from finops_lib.lake import Home


def gap(key: str, billed: str | None, stated: str | None, *, unexplained: str = "0", **others: Any) -> dict[str, Any]:
    row = {
        "comparison_id": key, "month": "2026-09", "last_month": "2026-09", "invoice_id": key, "invoice_issuer": "AWS",
        "billing_currency": "USD", "stated_by": "plan", "billed_cost": billed and Decimal(billed),
        "stated_amount": stated and Decimal(stated), "gap": Decimal(billed or 0) - Decimal(stated or 0),
        "unexplained_gap": Decimal(unexplained), "status": "unexplained" if Decimal(unexplained) else "matched",
    }  # fmt: skip
    return row | others


def day(key: str, number: int, billed: str | None, counted: str | None, *, unexplained: str = "0",
        **others: Any) -> dict[str, Any]:  # fmt: skip
    row = {
        "comparison_id": key, "month": "2026-09", "charge_date": date(2026, 9, number), "model": "m",
        "service_provider_name": "OpenAI", "billing_account_id": "o", "billing_currency": "USD",
        "billed_cost": billed and Decimal(billed), "list_cost": counted and Decimal(counted),
        "billed_tokens": Decimal(1000), "counted_tokens": Decimal(1000),
        "gap": Decimal(billed or 0) - Decimal(counted or 0), "unexplained_gap": Decimal(unexplained),
        "status": "unexplained" if Decimal(unexplained) else "explained",
    }  # fmt: skip
    return row | others


def reasons(*rows: tuple[str, str, int, str, str], currency: str = "USD", month: str = "2026-09") -> pl.DataFrame:
    return mart(
        "fct_reconciliation_reason",
        [
            {"kind": kind, "comparison_id": key, "reason_order": order, "reason": reason, "amount": Decimal(amount),
             "month": month, "billing_currency": currency}
            for kind, key, order, reason, amount in rows
        ],
    )  # fmt: skip


def test_an_invoices_sentence_names_both_sides_and_its_reasons_in_order() -> None:
    gaps = [
        gap("I-1", "109", "100"),
        gap("I-2", None, "100", unexplained="-100", invoice_issuer=None, stated_by="invoice"),
        gap("n", "5", None, invoice_id=None, billing_account_id="a", stated_by="nothing", status="explained"),
        gap("I-3", "100.0035", "100", month="2026-08", billing_currency="EUR"),
        gap("I-4", "1234.5", "1234.5"),
    ]
    why = reasons(
        ("invoice", "I-1", 5, "credit", "-10"), ("invoice", "I-1", 4, "tax", "19"),
        ("invoice", "I-2", 9, "unexplained", "-100"), ("invoice", "n", 1, "no invoice id", "5"),
        ("invoice", "I-3", 8, "rounding", "0.0035"), ("usage", "I-4", 1, "tax", "3"),
    )  # fmt: skip
    lines = invoices(mart("fct_invoice_gap", gaps), why)
    assert [line.sentence for line in lines] == [
        "Invoice I-3 of AWS (2026-08, EUR): billed 100.0035, the plan 100.00, gap +0.0035: rounding +0.0035.",
        "AWS, account a (2026-09, USD): billed 5.00, invoice none, gap +5.00: no invoice id +5.00.",
        "Invoice I-1 of AWS (2026-09, USD): billed 109.00, the plan 100.00, gap +9.00: tax +19.00; credit -10.00.",
        "Invoice I-2 of an issuer nobody names (2026-09, USD): billed none, the invoice 100.00, gap -100.00: "
        "unexplained -100.00 (the lake holds no charge of it).",
        "",
    ]
    assert [(row["subject"], row["issuer"], row["why"]) for row in table(lines).iter_rows(named=True)] == [
        ("I-2", "an issuer nobody names", "unexplained -100.00"),
        ("I-1", "AWS", "tax +19.00; credit -10.00"),
        ("AWS, account a", None, "no invoice id +5.00"),
        ("I-3", "AWS", "rounding"),
        ("I-4", "AWS", None),
    ]


def test_what_stays_unexplained_says_whether_tokens_or_price_differ() -> None:
    gaps = [
        day("m", 10, "4", "5", unexplained="-1"),
        day("n", 10, "5", "4", unexplained="1", model="n", billed_tokens=Decimal(1200)),
        day("o", 11, "5", "4", unexplained="1", counted_tokens=None),
        day("p", 12, "5", "4", unexplained="1", billed_tokens=None),
    ]
    assert [line.sentence for line in usage(mart("fct_usage_gap", gaps), reasons())] == [
        "OpenAI, account o (2026-09-10, m, USD): billed 4.00, usage at list price 5.00, gap -1.00: unexplained -1.00 "
        "(all 1,000 tokens were counted: the price is not the list price).",
        "OpenAI, account o (2026-09-10, n, USD): billed 5.00, usage at list price 4.00, gap +1.00: unexplained +1.00 "
        "(1,200 tokens were billed, 1,000 counted).",
        "OpenAI, account o (2026-09-11, m, USD): billed 5.00, usage at list price 4.00, gap +1.00: unexplained +1.00 "
        "(1,000 tokens were billed, 0 counted).",
        "OpenAI, account o (2026-09-12, m, USD): billed 5.00, usage at list price 4.00, gap +1.00: unexplained +1.00.",
    ]


def test_a_month_adds_up_its_days_reason_by_reason_and_no_vendor_account_month_or_currency_to_another() -> None:
    gaps = [
        day("1", 1, "5.003", "5"), day("2", 2, "7", None), day("3", 3, "1", "3", unexplained="-2"),
        day("4", 4, "1", None, billing_currency="EUR"), day("5", 5, "1", None, billing_account_id="p"),
        day("6", 6, "1", None, service_provider_name="Anthropic"), day("7", 7, None, "9", month="2026-10"),
    ]  # fmt: skip
    why = pl.concat(
        [
            reasons(
                ("usage", "1", 13, "rounding", "0.003"), ("usage", "2", 8, "no usage delivered", "7"),
                ("usage", "2", 2, "tax", "3"), ("usage", "3", 2, "tax", "-3"), ("usage", "3", 14, "unexplained", "-2"),
                ("usage", "5", 2, "tax", "1"), ("usage", "6", 3, "credit", "1"),
            ),
            reasons(("usage", "4", 1, "currency", "1"), currency="EUR"),
            reasons(("usage", "7", 10, "no bill delivered", "-9"), month="2026-10"),
        ]
    )  # fmt: skip
    found = by_month(mart("fct_usage_gap", gaps), why)
    assert [(m.month, m.subject, m.currency, m.billed, m.stated, m.gap, m.unexplained) for m in found] == [
        ("2026-09", "Anthropic, account o", "USD", 1, None, 1, 0),
        ("2026-09", "OpenAI, account o", "EUR", 1, None, 1, 0),
        ("2026-09", "OpenAI, account o", "USD", Decimal("13.003"), 8, Decimal("5.003"), -2),
        ("2026-09", "OpenAI, account p", "USD", 1, None, 1, 0),
        ("2026-10", "OpenAI, account o", "USD", None, 9, -9, 0),
    ]
    assert [{r: shown(a) for r, a in m.reasons.items()} for m in found] == [
        {"credit": "1.00"}, {"currency": "1.00"}, {"no usage delivered": "7.00", "rounding": "0.003"},
        {"tax": "1.00"}, {"no bill delivered": "-9.00"},
    ]  # fmt: skip


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two invoices over two months, one of them with 0.03 unexplained where 0.05 is tolerated."""
    marts = {
        "fct_invoice_gap": mart(
            "fct_invoice_gap",
            [
                gap("I-1", "100", "99", unexplained="1", last_month="2026-11"),
                gap("I-2", "10.03", "10", unexplained="0.03", status="matched", month="2026-10", last_month="2026-10"),
            ],
        ),
        "fct_usage_gap": mart("fct_usage_gap", [day("u", 9, "5", "5")]),
        "fct_reconciliation_reason": reasons(),
        "fct_month_status": mart(
            "fct_month_status",
            [
                {"source": "focus", "billing_account_id": "a", "month": month, "status": status}
                for month, status in (("2026-10", "reconciled"), ("2026-09", "open"))
            ],
        ),
    }
    monkeypatch.setattr(warehouse, "mart", lambda _, name: marts[name])
    monkeypatch.setattr(warehouse, "marts", lambda _, names: {name: marts[name] for name in names})


def test_a_month_shows_the_invoices_that_have_charges_in_it(delivered: None, home: Home) -> None:
    found = {
        month: ([i.subject for i in done.invoices], len(done.usage), [s.status for s in done.statuses])
        for month in (None, "2026-09", "2026-10", "2026-11")
        for done in [pipeline.reconcile(home, month=month)]
    }
    assert found == {
        None: (["I-1", "I-2"], 1, ["open", "reconciled"]),
        "2026-09": (["I-1"], 1, ["open"]),
        "2026-10": (["I-1", "I-2"], 0, ["reconciled"]),
        "2026-11": (["I-1"], 0, []),
    }
    with pytest.raises(
        UsageError, match=r"^There are no charges of 2019-01\. There are charges from 2026-09 to 2026-11\.$"
    ):
        pipeline.reconcile(home, month="2019-01")


def test_the_plans_tolerance_holds_unless_another_is_asked_for(
    delivered: None, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    def unexplained(tolerance: str | None) -> list[str]:
        given = None if tolerance is None else Decimal(tolerance)
        return [line.subject for line in pipeline.reconcile(home, tolerance=given).unexplained]

    assert {t: unexplained(t) for t in (None, "0.03", "0.029", "1", "0.99")} == {
        None: ["I-1"], "0.03": ["I-1"], "0.029": ["I-1", "I-2"], "1": [], "0.99": ["I-1"],
    }  # fmt: skip
    home.root.mkdir(parents=True)
    assert cli.main(["--home", str(home.root), "reconcile"]) == 3
    assert capsys.readouterr().out.endswith("\n3 comparisons, 1 with more unexplained than the plan tolerates\n")
    assert cli.main(["--home", str(home.root), "reconcile", "--tolerance", "1"]) == 0
    assert capsys.readouterr().out.endswith("\n3 comparisons, 0 with more unexplained than 1\n")


def test_a_ledger_says_closed_by_the_plan_of_today_and_else_what_was_built(
    delivered: None, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"month": m, "source": None, "billing_account": None, "closed_on": date(2026, 10, 5)} for m in ("2026-10",)]
    closures = pipeline.lake.Closures(
        tuple(pipeline.lake.Closure(**row, late_delivery="refuse", file="closed_month.csv", row=1) for row in rows)
    )
    monkeypatch.setattr(pipeline.lake, "closures", lambda _: closures)
    assert pipeline.month_statuses(home) == {("focus", "a", "2026-09"): "open", ("focus", "a", "2026-10"): "closed"}


def test_the_companys_bills_are_their_usage_at_list_price_but_for_what_is_not_counted_in_tokens(
    company: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    done = pipeline.reconcile(company)
    assert [line for line in done.unexplained if line.kind == "usage"] == []
    of_vendors = {m.subject: m for m in done.months if m.month == "2026-09"}
    assert of_vendors["OpenAI, account default"].reasons.keys() == {"other items"}
    assert of_vendors["Anthropic, account default"].reasons.keys() == {"other items"}
    assert of_vendors["AWS, account 004512087731"].reasons.keys() == {"no usage delivered"}
    assert cli.main(["--home", str(company.root), "reconcile", "--month", "2026-09"]) == 0
    assert "OpenAI, account default (2026-09, USD): billed" in capsys.readouterr().out
    assert cli.main(["--home", str(company.root), "reconcile", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    planted = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))["invoice_gap"]
    [said] = told["unexplained"]
    assert f"of {planted['vendor']} ({planted['month']}, USD)" in said
    assert f"unexplained -{planted['amount']}" in said
