"""Bill, invoice and usage: each gap has its amount and its reason, and what nothing explains stays unexplained."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from finops_lib import cli, pipeline
from finops_lib.analysis.reconciliation import Line, by_month, invoices, shown, statuses, usage
from finops_lib.errors import UsageError
from finops_lib.lake import Home

MONEY = pl.Decimal(38, 18)
INVOICE_SCHEMA = {
    "side": pl.String, "month": pl.String, "source": pl.String, "invoice_issuer": pl.String,
    "billing_account_id": pl.String, "invoice_id": pl.String, "billing_currency": pl.String, "amount": MONEY,
    "tax_amount": MONEY, "credit_amount": MONEY, "correction_amount": MONEY, "row_count": pl.Int64,
}  # fmt: skip
USAGE_SCHEMA = {
    "side": pl.String, "charge_date": pl.Date, "service_provider_name": pl.String, "billing_account_id": pl.String,
    "model": pl.String, "service_tier": pl.String, "kind": pl.String, "billing_currency": pl.String, "amount": MONEY,
    "tokens": MONEY, "unpriced_tokens": MONEY, "row_count": pl.Int64,
}  # fmt: skip


def amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def charges(total: str, *, invoice: str | None = "I-1", tax: str = "0", credit: str = "0", correction: str = "0",
            month: str = "2026-09", account: str = "a", currency: str = "USD",
            issuer: str = "AWS") -> dict[str, Any]:  # fmt: skip
    return {"side": "charges", "month": month, "source": "focus", "invoice_issuer": issuer,
            "billing_account_id": account, "invoice_id": invoice, "billing_currency": currency,
            "amount": amount(total), "tax_amount": amount(tax), "credit_amount": amount(credit),
            "correction_amount": amount(correction), "row_count": 1}  # fmt: skip


def invoice(total: str, *, side: str = "plan", invoice: str = "I-1", tax: str | None = None, credit: str | None = None,
            account: str | None = None, currency: str = "USD", month: str = "2026-09",
            issuer: str | None = None) -> dict[str, Any]:  # fmt: skip
    return {"side": side, "month": month, "source": side, "invoice_issuer": issuer,
            "billing_account_id": account, "invoice_id": invoice, "billing_currency": currency,
            "amount": amount(total), "tax_amount": amount(tax), "credit_amount": amount(credit),
            "correction_amount": None, "row_count": 1}  # fmt: skip


def compared(*rows: dict[str, Any]) -> list[Line]:
    return invoices(pl.DataFrame(rows, schema=INVOICE_SCHEMA))


def reasons(line: Line) -> dict[str, str]:
    return {r: shown(a) for r, a in line.reasons.items()} | (
        {"unexplained": shown(line.unexplained)} if line.unexplained else {}
    )


GAPS = {
    "nothing to explain": ([charges("100"), invoice("100")], {}),
    "tax the invoice of the plan leaves out": ([charges("119", tax="19"), invoice("100")], {"tax": "19.00"}),
    "a credit the invoice does not show": ([charges("90", credit="-10"), invoice("100")], {"credit": "-10.00"}),
    "tax and credit together": (
        [charges("109", tax="19", credit="-10"), invoice("100")], {"tax": "19.00", "credit": "-10.00"},
    ),
    "corrections of earlier months": (
        [charges("97.5", correction="-2.5"), invoice("100")], {"correction": "-2.50"},
    ),
    "half a cent": ([charges("100.004"), invoice("100")], {"rounding": "0.004"}),
    "tax and half a cent": (
        [charges("119.004", tax="19"), invoice("100")], {"tax": "19.00", "rounding": "0.004"},
    ),
    "tax that both sides have explains nothing": (
        [charges("119", tax="19"), invoice("118", side="invoice", tax="18", credit="0")], {"unexplained": "1.00"},
    ),
    "tax only the issuer states": (
        [charges("100"), invoice("119", side="invoice", tax="19", credit="0")], {"tax": "-19.00"},
    ),
    "charges that name no invoice yet": (
        [charges("90"), charges("10", invoice=None), invoice("100")], {"charges without an invoice id": "-10.00"},
    ),
    "an invoice without any charge": ([invoice("100")], {"unexplained": "-100.00"}),
    "money nobody can place": ([charges("101"), invoice("100")], {"unexplained": "1.00"}),
}  # fmt: skip


@pytest.mark.parametrize("case", list(GAPS))
def test_an_invoices_gap_has_its_reason_and_amount(case: str) -> None:
    rows, wanted = GAPS[case]
    [line] = [line for line in compared(*rows) if line.stated is not None]
    assert reasons(line) == wanted


def test_an_invoice_is_found_by_its_number_whatever_its_issuer_or_month_is_called() -> None:
    [line] = compared(charges("60"), charges("40", month="2026-10", account="b"), invoice("100", month="2026-11"))
    assert (line.billed, line.gap, line.units) == (
        Decimal(100), Decimal(0), (("focus", "a", "2026-09"), ("focus", "b", "2026-10")),
    )  # fmt: skip


def test_one_invoice_number_in_two_currencies_is_never_added_up() -> None:
    lines = compared(charges("90", currency="EUR"), invoice("100"))
    assert [(line.currency, reasons(line)) for line in lines] == [
        ("EUR", {"currency": "90.00"}), ("USD", {"currency": "-100.00"}),
    ]  # fmt: skip


def test_charges_without_an_invoice_are_shown_as_such() -> None:
    lines = compared(charges("5", invoice=None), charges("7", invoice="I-2"))
    assert [line.sentence for line in lines] == [
        "AWS, account a (2026-09, USD): billed 5.00, invoice none, gap +5.00: no invoice id +5.00.",
        "Invoice I-2 of AWS (2026-09, USD): billed 7.00, invoice none, gap +7.00: no invoice delivered +7.00.",
    ]


def test_an_invoice_of_an_account_stands_for_its_charges_that_name_none() -> None:
    other, line = compared(
        charges("100.25", invoice=None, issuer="OpenAI"),
        charges("7", invoice=None, issuer="Anthropic"),
        invoice("100", account="a", issuer="openai"),
    )
    assert (other.subject, other.billed) == ("Anthropic, account a", Decimal(7))
    assert line.sentence == (
        "Invoice I-1 of OpenAI (2026-09, USD): billed 100.25, the plan 100.00, gap +0.25: unexplained +0.25."
    )


def test_a_month_is_reconciled_when_all_its_invoices_match_and_closed_when_the_plan_says_so() -> None:
    rows = [
        charges("100"), invoice("100"), charges("0", invoice=None),
        charges("10", invoice="I-2", account="b"), invoice("11", invoice="I-2"),
        charges("10", invoice=None, account="c"),
        charges("119", invoice="I-3", account="d", tax="19"), invoice("100", invoice="I-3"),
        charges("5", invoice="I-4", account="e"),
    ]  # fmt: skip
    frame = pl.DataFrame(rows, schema=INVOICE_SCHEMA)
    found = statuses(frame, invoices(frame), closed=lambda source, account, month: account == "e")
    assert [(s.billing_account_id, s.status) for s in found] == [
        ("a", "reconciled"), ("b", "open"), ("c", "open"), ("d", "reconciled"), ("e", "closed"),
    ]  # fmt: skip


DAY = date(2026, 9, 10)


def bill(total: str, *, tokens: str | None = "1000", model: str | None = "m", tier: str = "standard",
         kind: str = "tokens", day: date = DAY, currency: str = "USD") -> dict[str, Any]:  # fmt: skip
    return {"side": "bill", "charge_date": day, "service_provider_name": "OpenAI", "billing_account_id": "o",
            "model": model, "service_tier": tier, "kind": kind, "billing_currency": currency, "amount": amount(total),
            "tokens": amount(tokens), "unpriced_tokens": None, "row_count": 1}  # fmt: skip


def used(total: str | None, *, tokens: str = "1000", model: str | None = "m", tier: str = "standard", day: date = DAY,
         unpriced: str = "0") -> dict[str, Any]:  # fmt: skip
    return {"side": "usage", "charge_date": day, "service_provider_name": "OpenAI", "billing_account_id": "o",
            "model": model, "service_tier": tier, "kind": "tokens", "billing_currency": "USD", "amount": amount(total),
            "tokens": amount(tokens), "unpriced_tokens": amount(unpriced), "row_count": 1}  # fmt: skip


LATER = [bill("1", day=date(2026, 9, 20)), used("1", day=date(2026, 9, 20))]
"""Days after, so that the day looked at is not among the last ones."""

DAYS = {
    "nothing to explain": ([bill("5"), used("5")], {}),
    "tax": ([bill("5"), bill("0.95", kind="tax", model=None, tokens=None), used("5")], {"tax": "0.95"}),
    "credit": ([bill("5"), bill("-5", kind="credit", model=None, tokens=None), used("5")], {"credit": "-5.00"}),
    "other items": ([bill("5"), bill("3", kind="other items", model=None, tokens=None), used("5")],
                    {"other items": "3.00"}),
    "priority tier that no bill shows": ([bill("5"), used("5"), used("2", tier="priority")],
                                         {"priority tier": "-2.00"}),
    "a day of no usage": ([bill("5")], {"no usage delivered": "5.00"}),
    "a day of no bill": ([used("5")], {"no bill delivered": "-5.00"}),
    "a model without a price": ([bill("5"), used(None, unpriced="1000")], {"unpriced model": "5.00"}),
    "a fraction of a cent": ([bill("5.003"), used("5")], {"rounding": "0.003"}),
    "another currency": ([bill("4", currency="EUR"), used("5")], {"currency": "4.00 and -5.00"}),
    "a discount nobody told": ([bill("4"), used("5")], {"unexplained": "-1.00"}),
    "tokens nobody counted": ([bill("5", tokens="1200"), used("4")], {"unexplained": "1.00"}),
}  # fmt: skip


@pytest.mark.parametrize("case", list(DAYS))
def test_a_vendors_gap_has_its_reason_and_amount(case: str) -> None:
    rows, wanted = DAYS[case]
    found: dict[str, str] = {}
    for line in usage(pl.DataFrame([*rows, *LATER], schema=USAGE_SCHEMA)):
        if line.day == DAY:
            for reason, said in reasons(line).items():
                found[reason] = f"{found[reason]} and {said}" if reason in found else said
    assert found == wanted


def test_the_last_days_may_lack_usage_that_is_still_to_come() -> None:
    rows = [
        used("5", day=date(2026, 9, 8)), bill("5", day=date(2026, 9, 8)),
        bill("5", day=date(2026, 9, 9)), used("3", tokens="600", day=date(2026, 9, 9)), bill("5"),
    ]  # fmt: skip
    lines = usage(pl.DataFrame(rows, schema=USAGE_SCHEMA))
    assert [(str(line.day), reasons(line)) for line in lines] == [
        ("2026-09-08", {}), ("2026-09-09", {"late usage": "2.00"}), ("2026-09-10", {"late usage": "5.00"}),
    ]  # fmt: skip


def test_what_stays_unexplained_says_whether_tokens_or_price_differ() -> None:
    frame = pl.DataFrame(
        [bill("4"), used("5"), bill("5", tokens="1200", model="n"), used("4", model="n"), *LATER], schema=USAGE_SCHEMA
    )
    assert [line.sentence for line in usage(frame) if line.unexplained] == [
        "OpenAI, account o (2026-09-10, m, USD): billed 4.00, usage at list price 5.00, gap -1.00: unexplained -1.00 "
        "(all 1,000 tokens were counted: the price is not the list price).",
        "OpenAI, account o (2026-09-10, n, USD): billed 5.00, usage at list price 4.00, gap +1.00: unexplained +1.00 "
        "(1,200 tokens were billed, 1,000 counted).",
    ]


def test_a_bill_that_does_not_tell_models_is_compared_by_the_day() -> None:
    frame = pl.DataFrame(
        [bill("9", model=None, kind="not told", tokens=None), used("5"), used("4", model="n"), *LATER],
        schema=USAGE_SCHEMA,
    )
    [line] = [line for line in usage(frame) if line.day == DAY]
    assert (line.model, line.billed, line.stated, line.unexplained) == ("all models", 9, 9, 0)


def test_a_month_adds_up_its_days_reason_by_reason_and_no_currency_to_another() -> None:
    rows = [bill("5.003"), used("5"), bill("7", day=date(2026, 9, 11)), *LATER, bill("2", currency="EUR")]
    months = by_month(usage(pl.DataFrame(rows, schema=USAGE_SCHEMA)))
    assert [(m.currency, m.billed, m.stated, reasons(m)) for m in months] == [
        ("EUR", Decimal(2), None, {"currency": "2.00"}),
        ("USD", Decimal("13.003"), Decimal(6), {"no usage delivered": "7.00", "rounding": "0.003"}),
    ]


def test_the_companys_bills_are_their_usage_at_list_price_but_for_what_is_not_counted_in_tokens(
    company: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    done = pipeline.reconcile(company)
    assert [line for line in done.unexplained if line.kind == "usage"] == []
    of_vendors = {m.subject: m for m in by_month(done.usage) if m.month == "2026-09"}
    assert of_vendors["OpenAI, account default"].reasons.keys() == {"other items"}
    assert of_vendors["Anthropic, account default"].reasons.keys() == {"other items"}
    assert of_vendors["AWS, account 004512087731"].reasons.keys() == {"no usage delivered"}
    assert cli.main(["--home", str(company.root), "reconcile", "--month", "2026-09"]) == 0
    assert "OpenAI, account default (2026-09, USD): billed" in capsys.readouterr().out
    assert cli.main(["--home", str(company.root), "reconcile", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    planted = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))["invoice_gap"]
    [said] = told["unexplained"]
    assert f"of {planted['vendor']} ({planted['month']}, USD)" in said
    assert f"unexplained -{planted['amount']}" in said
    with pytest.raises(
        UsageError, match=r"^There are no charges of 2019-01\. There are charges from 2026-05 to 2026-10"
    ):
        pipeline.reconcile(company, month="2019-01")
