"""The one place for exact money and its text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal

EXACT = Context(prec=100)
"""Arithmetic on sums of money: Python's default context rounds after 28 digits, a DECIMAL(38,18) holds 38."""

Money = Mapping[str, Decimal]
"""Exact amounts by currency."""


def exact(amount: Decimal) -> str:
    """An amount as exact decimal text, without exponent and without trailing zeros."""
    text = f"{amount:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text


def listed(amounts: Money) -> str:
    """Amounts by currency for a message: `EUR 3, USD 12.5`."""
    return ", ".join(f"{currency} {exact(amount)}" for currency, amount in sorted(amounts.items()))
