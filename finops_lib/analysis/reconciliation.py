"""What the marts say of bill, invoice and usage, as comparisons people can read: a gap, its reasons, a sentence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

UNEXPLAINED = "unexplained"
"""The last of a gap's reasons, and the status of a comparison with more of it than is tolerated."""
_NONE = Decimal(0)
_SUBJECT = ("month", "service_provider_name", "billing_account_id", "billing_currency")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One comparison: what was billed, what the other side says, and why they differ."""

    kind: str
    """invoice or usage."""
    month: str
    subject: str
    """Invoice id, or vendor and account."""
    issuer: str = ""
    """Who issued the invoice, as its charges say; empty where the subject is no invoice."""
    currency: str
    billed: Decimal | None
    stated: Decimal | None
    """Total of the invoice, or usage at list price; None where nothing was delivered."""
    stated_by: str
    """invoice (InvoiceDetail), plan, nothing or usage."""
    day: date | None = None
    model: str | None = None
    gap: Decimal
    unexplained: Decimal
    reasons: dict[str, Decimal] = field(default_factory=dict)
    hint: str = ""
    status: str = ""

    @property
    def why(self) -> str:
        """Its reasons with their amounts in cents, and last what is unexplained."""
        parts = {**self.reasons, **({UNEXPLAINED: self.unexplained} if self.unexplained else {})}
        return "; ".join(r if r == "rounding" else f"{r} {round(a, 2):+,.2f}" for r, a in parts.items())

    @property
    def sentence(self) -> str:
        """The gap in a sentence; empty where there is none."""
        if not self.gap and not self.reasons:
            return ""
        what = f"Invoice {self.subject} of {self.issuer}" if self.issuer else self.subject
        when = f"{self.day}" if self.day else self.month
        model = f", {self.model}" if self.model else ""
        parts = [f"{reason} {shown(amount, sign=True)}" for reason, amount in self.reasons.items()]
        if self.unexplained:
            hint = f" ({self.hint})" if self.hint else ""
            parts.append(f"unexplained {shown(self.unexplained, sign=True)}{hint}")
        other = {"usage": "usage at list price", "nothing": "invoice"}.get(self.stated_by, f"the {self.stated_by}")
        sides = f"billed {shown(self.billed)}, {other} {shown(self.stated)}"
        return (
            f"{what} ({when}{model}, {self.currency}): {sides}, gap {shown(self.gap, sign=True)}: {'; '.join(parts)}."
        )


def invoices(gaps: pl.DataFrame, reasons: pl.DataFrame) -> list[Comparison]:
    """Tell the comparisons of charges with invoices.

    Reads    the marts fct_invoice_gap and fct_reconciliation_reason.
    Returns  a comparison per invoice id, currency and side that states a total, and for charges without an invoice.
    """
    why = _reasons(reasons, ["comparison_id"], kind="invoice")
    lines = [
        Comparison(
            kind="invoice",
            month=row["month"],
            subject=row["invoice_id"] or f"{row['invoice_issuer']}, account {row['billing_account_id']}",
            issuer=(row["invoice_issuer"] or "an issuer nobody names") if row["invoice_id"] else "",
            currency=row["billing_currency"],
            billed=row["billed_cost"],
            stated=row["stated_amount"],
            stated_by=row["stated_by"],
            gap=row["gap"],
            unexplained=row["unexplained_gap"],
            reasons=why.get((row["comparison_id"],), {}),
            hint="" if row["billed_cost"] is not None else "the lake holds no charge of it",
            status=row["status"],
        )
        for row in gaps.iter_rows(named=True)
    ]
    return sorted(lines, key=lambda line: (line.month, line.subject, line.currency, line.stated_by))


def usage(gaps: pl.DataFrame, reasons: pl.DataFrame) -> list[Comparison]:
    """Tell the comparisons of a vendor's bill with its own counts at list price.

    Reads    the marts fct_usage_gap and fct_reconciliation_reason.
    Returns  a comparison per vendor, account, day, currency and model; one of all models for a
             day on which one side does not tell the model.
    """
    why = _reasons(reasons, ["comparison_id"], kind="usage")
    lines = [
        Comparison(
            **_usage(row), day=row["charge_date"], model=row["model"], status=row["status"],
            reasons=why.get((row["comparison_id"],), {}), hint=_hint(row["billed_tokens"], row["counted_tokens"]),
        )
        for row in gaps.iter_rows(named=True)
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (line.subject, line.day, line.currency, line.model))


def by_month(gaps: pl.DataFrame, reasons: pl.DataFrame) -> list[Comparison]:
    """Tell the same by month, vendor, account and currency: days added up, reasons included."""
    added = ("billed_cost", "list_cost", "gap", "unexplained_gap")
    months = gaps.group_by(_SUBJECT).agg(
        # The sum of nothing known is unknown, which polars calls 0.
        pl.when(pl.col(c).count() > 0).then(pl.col(c).sum()).alias(c)
        for c in added
    )
    told = reasons.join(gaps.select("comparison_id", *_SUBJECT[1:3]), on="comparison_id")
    why = _reasons(told, list(_SUBJECT), kind="usage")
    return [
        Comparison(**_usage(row), reasons=why.get(tuple(row[c] for c in _SUBJECT), {}))
        for row in months.sort(_SUBJECT).iter_rows(named=True)
    ]


def table(lines: Sequence[Comparison]) -> pl.DataFrame:
    """Lines as rows, those with something unexplained first, the largest gap before the others."""
    columns = ("month", "subject", "issuer", "currency", "billed", "stated", "gap", "unexplained", "why", "status")
    schema = {c: pl.Decimal(38, 18) if c in columns[4:8] else pl.String for c in columns}
    ordered = sorted(lines, key=lambda line: (line.status != UNEXPLAINED, -abs(line.unexplained), -abs(line.gap)))
    return pl.DataFrame(
        [[None if (value := getattr(line, c)) == "" else value for c in columns] for line in ordered],
        schema=schema,
        orient="row",
    )


def _usage(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kind": "usage", "month": row["month"], "currency": row["billing_currency"], "stated_by": "usage",
        "subject": f"{row['service_provider_name']}, account {row['billing_account_id']}",
        "billed": row["billed_cost"], "stated": row["list_cost"], "gap": row["gap"],
        "unexplained": row["unexplained_gap"],
    }  # fmt: skip


def _reasons(reasons: pl.DataFrame, key: list[str], *, kind: str) -> dict[tuple[Any, ...], dict[str, Decimal]]:
    """The reasons of each comparison, or of what else `key` tells apart, in their order; unexplained is none."""
    found: dict[tuple[Any, ...], dict[str, Decimal]] = defaultdict(dict)
    told = reasons.filter((pl.col("kind") == kind) & (pl.col("reason") != UNEXPLAINED))
    added = told.group_by(*key, "reason_order", "reason").agg(pl.col("amount").sum())
    for *of, _, reason, amount in added.sort(*key, "reason_order").iter_rows():
        if amount:
            found[tuple(of)][reason] = amount
    return found


def _hint(billed: Decimal | None, counted: Decimal | None) -> str:
    if not billed:
        return ""
    if billed != (counted or _NONE):
        return f"{billed:,.0f} tokens were billed, {counted or _NONE:,.0f} counted"
    return f"all {billed:,.0f} tokens were counted: the price is not the list price"


def shown(amount: Decimal | None, *, sign: bool = False) -> str:
    """An amount with every digit it has, at least cents, thousands apart."""
    if amount is None:
        return "none"
    text = f"{amount:{'+' if sign else ''},f}"
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits.rstrip('0').ljust(2, '0')}"
