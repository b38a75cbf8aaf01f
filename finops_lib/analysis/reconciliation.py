"""Is the bill what the invoice says, and what the vendor's own counts come to? Every gap with its amount and reason.

A reason is decided by rules in a stated order and takes its amount from evidence on one of the two sides; what no rule
explains stays unexplained. Amounts are exact and of one currency; nothing is added up across currencies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Context, Decimal
from itertools import combinations
from typing import Any

import polars as pl

CENT = Decimal("0.01")
"""Invoices are stated in cents: a gap of no more is rounding."""
LATE_DAYS = 2
"""Last days of a vendor's data on which counts may still come in."""
INVOICE_REASONS = (
    "no invoice id", "no invoice delivered", "currency", "tax", "credit", "correction", "charges without an invoice id",
    "rounding",
)  # fmt: skip
"""Reasons for a gap between charges and invoice, in the order in which they are looked for."""
USAGE_REASONS = (
    "currency", "tax", "credit", "adjustment", "purchase", "other items", "priority tier", "no usage delivered",
    "late usage", "no bill delivered", "late bill", "unpriced model", "rounding",
)  # fmt: skip
"""Reasons for a gap between bill and usage at list price, in the order in which they are looked for."""
MATCHING = {"tax", "credit", "correction", "rounding"}
"""Reasons with which an invoice still counts as reconciled."""
Account = tuple[str, str, str]
"""Billing account, month and currency."""
_EXACT = Context(prec=100)
_NONE = Decimal(0)


@dataclass(frozen=True, kw_only=True)
class Line:
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
    """invoice (InvoiceDetail), plan or usage."""
    day: date | None = None
    model: str | None = None
    reasons: dict[str, Decimal] = field(default_factory=dict)
    hint: str = ""
    units: tuple[tuple[str, str, str], ...] = ()
    """Source, billing account and month of the charges."""

    @property
    def gap(self) -> Decimal:
        return _minus(self.billed or _NONE, self.stated or _NONE)

    @property
    def unexplained(self) -> Decimal:
        return _minus(self.gap, _total(self.reasons.values()))

    @property
    def matches(self) -> bool:
        return self.billed is not None and self.stated is not None and set(self.reasons) <= MATCHING

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


@dataclass(frozen=True, kw_only=True)
class Status:
    """Whether one account's month is open, reconciled or closed."""

    month: str
    source: str
    billing_account_id: str
    status: str


def _total(amounts: Iterable[Decimal]) -> Decimal:
    total = _NONE
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def _minus(a: Decimal, b: Decimal) -> Decimal:
    return _EXACT.subtract(a, b)


def _sum(rows: Iterable[dict[str, Any]], column: str = "amount") -> Decimal:
    return _total(r[column] for r in rows if r[column] is not None)


# ------------------------------------------------------------------------------------------------------------ invoices


def invoices(amounts: pl.DataFrame) -> list[Line]:
    """Compare the charges of each invoice with what the invoice says.

    Reads    the mart fct_invoice_reconciliation.
    Returns  a line per invoice id, currency and side that states a total. Charges that name no invoice stand for an
             invoice of the plan that names their account and month, and have lines of their own otherwise.
    """
    sides: dict[str, dict[tuple[str, str], list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    nameless: dict[tuple[Account, str], list[dict[str, Any]]] = defaultdict(list)
    for row in amounts.iter_rows(named=True):
        if row["invoice_id"] is None:
            account = (row["billing_account_id"], row["month"], row["billing_currency"])
            nameless[account, row["invoice_issuer"]].append(row)
        else:
            sides[row["side"]][row["invoice_id"], row["billing_currency"]].append(row)
    charges, lines = sides["charges"], []
    taken: set[tuple[Account, str]] = set()
    stated_ids = {invoice for side in ("invoice", "plan") for invoice, _ in sides[side]}
    charged_ids = {invoice for invoice, _ in charges}
    for side in ("invoice", "plan"):
        for (invoice, currency), stated in sorted(sides[side].items()):
            charged = charges.get((invoice, currency), [])
            if side == "plan" and invoice not in charged_ids:
                meant = [key for key in nameless if key not in taken and any(_stands_for(r, *key) for r in stated)]
                charged = [row for key in meant for row in nameless[key]]
                taken |= set(meant)
            elsewhere = invoice in charged_ids and not charged
            beside = {((r["billing_account_id"], r["month"], currency), r["invoice_issuer"]) for r in charged} - taken
            unnamed = _total(_sum(nameless[key]) for key in beside if key in nameless)
            lines.append(_invoice(invoice, currency, charged, stated, side, elsewhere, unnamed))
    for (invoice, currency), charged in sorted(charges.items()):
        if (invoice, currency) not in {*sides["invoice"], *sides["plan"]}:
            reason = "currency" if invoice in stated_ids else "no invoice delivered"
            lines.append(_alone(invoice, currency, charged, reason))
    for key, charged in sorted(nameless.items()):
        if key not in taken:
            lines.append(_alone("", key[0][2], charged, "no invoice id"))
    return sorted(lines, key=lambda line: (line.month, line.subject, line.currency, line.stated_by))


def _stands_for(stated: dict[str, Any], account: Account, issuer: str) -> bool:
    """Whether an invoice of the plan stands for an account's charges that name none."""
    named = stated["invoice_issuer"]
    return (stated["billing_account_id"], stated["month"], stated["billing_currency"]) == account and (
        named is None or named.casefold() == issuer.casefold()
    )


def _invoice(
    invoice: str,
    currency: str,
    charged: Sequence[dict[str, Any]],
    stated: Sequence[dict[str, Any]],
    side: str,
    elsewhere: bool,
    nameless: Decimal,
) -> Line:
    line = Line(
        kind="invoice",
        month=min(r["month"] for r in charged or stated),
        subject=invoice,
        issuer=_issuer(charged or stated),
        currency=currency,
        billed=_sum(charged) if charged else None,
        stated=_sum(stated),
        stated_by=side,
        units=_units(charged),
    )
    if elsewhere:
        return _with(line, {"currency": line.gap})
    if not charged:
        return _with(line, {}, "the lake holds no charge of it")
    reasons: dict[str, Decimal] = {}
    left = line.gap
    parts = {"tax": "tax_amount", "credit": "credit_amount", "correction": "correction_amount"}
    guessed: dict[str, Decimal] = {}
    for reason, column in parts.items():
        ours = _sum(charged, column)
        if all(r[column] is not None for r in stated):
            theirs = _sum(stated, column)
            # Only what one side has and the other has nothing of explains itself.
            if (ours == 0) != (theirs == 0):
                reasons[reason] = _minus(ours, theirs)
                left = _minus(left, reasons[reason])
        elif ours:
            guessed[reason] = ours
    if abs(left) > CENT:
        combined = [c for n in range(1, len(guessed) + 1) for c in combinations(guessed, n)]
        fitting = next((c for c in combined if abs(_minus(left, _total(guessed[r] for r in c))) <= CENT), ())
        for reason in fitting:
            reasons[reason] = guessed[reason]
            left = _minus(left, guessed[reason])
    if abs(left) > CENT and nameless and abs(_EXACT.add(left, nameless)) <= CENT:
        reasons["charges without an invoice id"] = -nameless
        left = _EXACT.add(left, nameless)
    if left and abs(left) <= CENT:
        reasons["rounding"] = left
    return _with(line, reasons)


def _alone(subject: str, currency: str, charged: Sequence[dict[str, Any]], reason: str) -> Line:
    line = Line(
        kind="invoice",
        month=min(r["month"] for r in charged),
        subject=subject or f"{charged[0]['invoice_issuer']}, account {charged[0]['billing_account_id']}",
        issuer=_issuer(charged) if subject else "",
        currency=currency,
        billed=_sum(charged),
        stated=None,
        stated_by="nothing",
        units=_units(charged),
    )
    return _with(line, {reason: line.gap})


def _issuer(rows: Sequence[dict[str, Any]]) -> str:
    return next((r["invoice_issuer"] for r in rows if r["invoice_issuer"]), "an issuer nobody names")


def _units(charged: Sequence[dict[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    return tuple(sorted({(r["source"], r["billing_account_id"], r["month"]) for r in charged}))


def _with(line: Line, reasons: dict[str, Decimal], hint: str = "") -> Line:
    return Line(**{**line.__dict__, "reasons": {r: a for r, a in reasons.items() if a}, "hint": hint})


# --------------------------------------------------------------------------------------------------------------- usage


def usage(amounts: pl.DataFrame) -> list[Line]:
    """Compare a vendor's bill with its own counts at list price.

    Reads    the mart fct_usage_reconciliation.
    Returns  a line per vendor, account, day, currency and model; of a day on which one side does not tell the model,
             one line of all models.
    """
    days: dict[tuple[str, str, date], list[dict[str, Any]]] = defaultdict(list)
    last: dict[tuple[str, str, str], date] = {}
    for row in amounts.iter_rows(named=True):
        vendor, account, day = row["service_provider_name"], row["billing_account_id"], row["charge_date"]
        days[vendor, account, day].append(row)
        if row["kind"] in ("tokens", "not told"):
            last[row["side"], vendor, account] = max(day, last.get((row["side"], vendor, account), day))
    lines = []
    for (vendor, account, day), rows in sorted(days.items()):
        for key, group in sorted(_groups(rows).items()):
            lines.append(_usage(vendor, account, day, *key, group, rows, last))
    return lines


def _groups(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Rows of a vendor's day by currency and model; what has no model, such as tax, is by itself."""
    told = all(r["model"] is not None for r in rows if r["kind"] == "tokens") and all(
        r["kind"] != "not told" for r in rows
    )
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for r in rows:
        groups[r["billing_currency"], (r["model"] or "no model") if told else "all models"].append(r)
    return groups


def _usage(
    vendor: str,
    account: str,
    day: date,
    currency: str,
    model: str,
    group: Sequence[dict[str, Any]],
    whole_day: Sequence[dict[str, Any]],
    last: dict[tuple[str, str, str], date],
) -> Line:
    bill = [r for r in group if r["side"] == "bill"]
    used = [r for r in group if r["side"] == "usage"]
    line = Line(
        kind="usage",
        month=f"{day:%Y-%m}",
        day=day,
        subject=f"{vendor}, account {account}",
        model=model,
        currency=currency,
        billed=_sum(bill) if bill else None,
        stated=_sum(used) if any(r["amount"] is not None for r in used) else None,
        stated_by="usage",
    )
    reasons: dict[str, Decimal] = {}
    of_tokens = [r for r in whole_day if r["kind"] in ("tokens", "not told")]
    billed_in = {r["billing_currency"] for r in of_tokens if r["side"] == "bill"}
    used_in = {r["billing_currency"] for r in of_tokens if r["side"] == "usage"}
    for kind in ("tax", "credit", "adjustment", "purchase", "other items"):
        reasons[kind] = _sum(r for r in bill if r["kind"] == kind)
    left = _minus(line.gap, _total(reasons.values()))
    if (bill and used_in and currency not in used_in) or (used and billed_in and currency not in billed_in):
        return _with(line, {"currency": left, **reasons})
    ours, theirs = (_sum(r for r in rows if r["service_tier"] == "priority") for rows in (bill, used))
    if (ours == 0) != (theirs == 0) and not any(r["unpriced_tokens"] for r in used):
        reasons["priority tier"] = _minus(ours, theirs)
        left = _minus(left, reasons["priority tier"])
    tokens = [_sum(rows, "tokens") for rows in ([r for r in bill if r["kind"] == "tokens"], used)]
    if left and abs(left) > CENT:
        reason = _missing_side(day, billed_in, used_in, last, vendor, account)
        ending = max(d for (_, v, a), d in last.items() if (v, a) == (vendor, account)) if of_tokens else day
        if reason:
            reasons[reason] = left
        elif day > ending - timedelta(days=LATE_DAYS) and left > 0 and tokens[0] > tokens[1]:
            reasons["late usage"] = left
        elif left > 0 and any(r["unpriced_tokens"] for r in used):
            reasons["unpriced model"] = left
    elif left:
        reasons["rounding"] = left
    return _with(line, reasons, _hint(tokens))


def _missing_side(
    day: date,
    billed_in: set[str],
    used_in: set[str],
    last: dict[tuple[str, str, str], date],
    vendor: str,
    account: str,
) -> str | None:
    """Why a whole side of a vendor's day is not there: it is not delivered at all, or not yet."""
    for here, side, missing, late in (
        (used_in, "usage", "no usage delivered", "late usage"),
        (billed_in, "bill", "no bill delivered", "late bill"),
    ):
        if not here:
            until = last.get((side, vendor, account))
            return late if until is not None and day > until else missing
    return None


def _hint(tokens: Sequence[Decimal]) -> str:
    billed, counted = tokens
    if not billed:
        return ""
    if billed != counted:
        return f"{billed:,.0f} tokens were billed, {counted:,.0f} counted"
    return f"all {billed:,.0f} tokens were counted: the price is not the list price"


# --------------------------------------------------------------------------------------------------------- what is said


def by_month(lines: Sequence[Line]) -> list[Line]:
    """Usage lines of days added up to one per month, vendor, account and currency, reasons included."""
    groups: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.month, line.subject, line.currency].append(line)
    months = []
    for (month, subject, currency), days in sorted(groups.items()):
        reasons: dict[str, Decimal] = defaultdict(Decimal)
        for line in days:
            for reason, amount in line.reasons.items():
                reasons[reason] = _EXACT.add(reasons[reason], amount)
        billed, stated = ([getattr(d, side) for d in days] for side in ("billed", "stated"))
        months.append(
            Line(
                kind="usage",
                month=month,
                subject=subject,
                currency=currency,
                billed=_total(b for b in billed if b is not None) if any(b is not None for b in billed) else None,
                stated=_total(s for s in stated if s is not None) if any(s is not None for s in stated) else None,
                stated_by="usage",
                reasons={r: reasons[r] for r in USAGE_REASONS if reasons.get(r)},
            )
        )
    return months


def statuses(
    amounts: pl.DataFrame, lines: Sequence[Line], *, closed: Callable[[str, str, str], bool], tolerance: Decimal = CENT
) -> list[Status]:
    """Whether each source's account and month is closed, reconciled or open.

    Reads    the mart fct_invoice_reconciliation, the lines of `invoices`, and what the plan closes.
    Returns  closed where the plan says so; reconciled where every charge is on an invoice that was delivered and no
             more than the tolerance of it is unexplained; else open.
    """
    on: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for line in lines:
        for unit in line.units:
            nothing_asked = line.stated is None and not line.billed
            on[unit].append(nothing_asked or (line.matches and abs(line.unexplained) <= tolerance))
    units = {
        (r["source"], r["billing_account_id"], r["month"])
        for r in amounts.iter_rows(named=True)
        if r["side"] == "charges"
    }
    return [
        Status(
            month=month,
            source=source,
            billing_account_id=account,
            status="closed" if closed(source, account, month) else "reconciled" if all(on[unit]) else "open",
        )
        for unit in sorted(units, key=lambda u: (u[2], u[0], u[1]))
        for source, account, month in [unit]
    ]


def shown(amount: Decimal | None, *, sign: bool = False) -> str:
    """An amount with every digit it has, at least cents, thousands apart."""
    if amount is None:
        return "none"
    text = f"{amount:{'+' if sign else ''},f}"
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits.rstrip('0').ljust(2, '0')}"
