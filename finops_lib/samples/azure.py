"""Azure: the same money as actual and as amortized cost, in the layout of an enterprise agreement, billed in EUR."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from . import company as co
from .base import (
    ZERO,
    Month,
    Run,
    clones,
    count_between,
    digest,
    exact,
    load,
    machines,
    noise,
    prices,
    resolved_team,
    tags,
    token_counts,
    uses,
    uuid,
)

_COLUMNS = """
BillingAccountId BillingAccountName BillingPeriodStartDate BillingPeriodEndDate BillingProfileId BillingProfileName
AccountOwnerId AccountName SubscriptionId SubscriptionName Date Product PartNumber MeterId ServiceFamily
MeterCategory MeterSubCategory MeterRegion MeterName Quantity EffectivePrice Cost UnitPrice BillingCurrency
ResourceLocation AvailabilityZone ConsumedService ResourceId ResourceName ServiceInfo1 ServiceInfo2 AdditionalInfo
Tags InvoiceSectionId InvoiceSection CostCenter UnitOfMeasure ResourceGroup ReservationId ReservationName
ProductOrderId ProductOrderName OfferId IsAzureCreditEligible Term PublisherName PlanName ChargeType Frequency
PublisherType PayGPrice PricingModel CostAllocationRuleName benefitId benefitName
"""
_HEADER = _COLUMNS.split()
_METERS = {
    "gpt 4.1": ("gpt 4.1 Inp glbl Tokens", "gpt 4.1 cached Inp glbl Tokens", "gpt 4.1 Outp glbl Tokens", "1K"),
    "gpt-4o-mini-0718": (
        "gpt-4o-mini-0718-Inp-glbl Tokens", "gpt 4o mini 0718 cached Inp glbl Tokens",
        "gpt-4o-mini-0718-Outp-glbl Tokens", "1K",
    ),
    "GPT 5 Mini": (
        "GPT 5 Mini Inpt Glbl 1M Tokens", "GPT 5 Mini cchd Inpt Glbl 1M Tokens", "GPT 5 Mini outpt Glbl 1M Tokens",
        "1M",
    ),
}  # fmt: skip
"""Meters of a model for input, cached input and output, and the unit they are sold in."""
_BLOCKS = {"1K": 3, "1M": 6}
_MACHINE_METERS = {
    "Standard_NC24ads_A100_v4": ("NCads A100 v4 Series", "NC24ads A100 v4"),
    "Standard_D8s_v5": ("Dsv5 Series", "D8s v5"),
}
_RESERVATION = "0e8d5a7b-41c2-4f96-a3be-5d27c1f6b894"
_OPENAI = ("AI + Machine Learning", "Azure OpenAI Service", "Azure OpenAI", "Microsoft.CognitiveServices", "accounts")

Row = dict[str, Any]


def write(run: Run) -> None:
    """Write actual and amortized of every month, built from the same usage."""
    for month in run.months:
        actual, amortized = [], []
        for in_actual, in_amortized in _rows(run, month):
            actual += [in_actual] if in_actual else []
            amortized += [in_amortized] if in_amortized else []
            billed, effective = ((r["Cost"] if r else ZERO) for r in (in_actual, in_amortized))
            row = in_actual or in_amortized or {}
            run.truth.charge(
                co.AZURE, month, row["team"], billed, effective, fault=row["fault"], workload=row["workload"],
                resource=row["ResourceId"],
            )  # fmt: skip
        for kind, rows in (("Actual", actual), ("Amortized", amortized)):
            file = run.out / "inbox" / "azure" / f"EA_{kind}Cost_{month.first:%Y%m}.csv"
            text = io.StringIO()
            table = csv.DictWriter(text, _HEADER, extrasaction="ignore", lineterminator="\r\n")
            table.writeheader()
            table.writerows(rows)
            run.truth.written(file).write_bytes(text.getvalue().encode("utf-8-sig"))


def _rows(run: Run, month: Month) -> Iterator[tuple[Row | None, Row | None]]:
    """Each charge as it stands in actual and in amortized."""
    rng = run.rng("azure", month)
    used = ZERO
    for day in month.days:
        for use in uses(co.AZURE, month):
            if use.since <= day < use.until:
                for account in clones(use.key, run.scale):
                    yield from _token_rows(month, day, use, account, token_counts(use, day, rng)[0])
        for meter in co.METERS:
            if meter.vendor == co.AZURE:
                for resource in clones(meter.resource, run.scale):
                    quantity = exact(meter.quantity * load(day, meter.growth, meter.weekend) * noise(rng), 3)
                    service = ("Storage", "Storage", "General Block Blob v2", "Microsoft.Storage", "storageAccounts")
                    row = _row(month, day, meter.place, resource, service, meter.meter, meter.unit, quantity,
                               meter.price, owner=(meter.use_case, meter.environment, meter.fault))  # fmt: skip
                    yield row, row
        for fleet, name, hours in machines(run, co.AZURE, day):
            series, meter_name = _MACHINE_METERS[fleet.machine]
            service = ("Compute", "Virtual Machines", series, "Microsoft.Compute", "virtualMachines")
            row = _row(month, day, fleet.place, name, service, meter_name, "1 Hour", hours,
                       co.MACHINES[fleet.machine].price, owner=(fleet.use_case, fleet.environment, fleet.fault),
                       AdditionalInfo=json.dumps({"ServiceType": fleet.machine}), workload=fleet.name)  # fmt: skip
            yield row, row
        if day >= co.PROVISIONED.since:
            rows = list(_provisioned_rows(run, month, day))
            used += sum((r["Quantity"] for r, _ in rows if r and r["PricingModel"] == "Reservation"), ZERO)
            yield from rows
    days = sum(day >= co.PROVISIONED.since for day in month.days)
    if days:
        hours = Decimal(co.PROVISIONED.units * 24 * days * run.scale)
        price = co.PROVISIONED.hourly
        run.truth.commitment(co.PROVISIONED, month, purchased=hours * price, used=used * price)
        yield _commitment_row(month, max(month.first, co.PROVISIONED.since), "Purchase", hours, price), None


def _token_rows(
    month: Month, day: date, use: co.Tokens, account: str, counts: dict[str, int]
) -> Iterator[tuple[Row, Row]]:
    price = prices(co.AZURE, use.model, day)
    *meters, unit = _METERS[use.model]
    block = _BLOCKS[unit]
    for meter, kind in zip(meters, ("input_uncached", "cache_read", "output"), strict=True):
        if counts[kind]:
            row = _row(
                month, day, str(use.place), account, _OPENAI, meter, unit, Decimal(counts[kind]).scaleb(-block),
                getattr(price, kind).scaleb(block - 6), owner=(use.use_case, use.environment, use.fault),
            )  # fmt: skip
            yield row, row


def _provisioned_rows(run: Run, month: Month, day: date) -> Iterator[tuple[Row | None, Row | None]]:
    """Provisioned throughput of a day: what the reservation covers is free in actual and priced in amortized."""
    plan = co.PROVISIONED
    left = Decimal(plan.units * 24 * run.scale)
    for deployment in co.DEPLOYMENTS:
        units = count_between(deployment.first, deployment.last, day, date(2025, 5, 1), co.LAST_DAY)
        hours = Decimal(units * run.scale) * (24 if day.weekday() < 5 else exact(24 * deployment.weekend, 2))
        covered = min(hours, left)
        left -= covered
        given = (month, day, plan.place, deployment.resource, _OPENAI, "Provisioned Managed Global Unit", "1 Hour")
        owner = (deployment.use_case, "production", None)
        benefit = _benefit(_RESERVATION)
        if covered:
            free = _row(*given, covered, ZERO, unit_price=co.PROVISIONED_PRICE, owner=owner, **benefit)
            yield free, {**free, **_cost(covered, plan.hourly)}
        if hours - covered:
            row = _row(*given, hours - covered, co.PROVISIONED_PRICE, owner=owner)
            yield row, row
    if left:
        yield None, _commitment_row(month, day, "UnusedReservation", left, plan.hourly)


def _commitment_row(month: Month, day: date, kind: str, hours: Decimal, price: Decimal) -> Row:
    """A charge of the reservation itself: its purchase, which names the order alone, or what nobody used of it."""
    benefit = _benefit(_RESERVATION if kind == "UnusedReservation" else "")
    row = _row(
        month, day, co.PROVISIONED.place, "", _OPENAI, "Provisioned Managed Global Unit", "1 Hour", hours, price,
        **benefit, ChargeType=kind, ConsumedService="Microsoft.Capacity",
        ResourceId=benefit["benefitId"], ResourceGroup="", Frequency="Recurring", PayGPrice=ZERO,
    )  # fmt: skip
    return row | {"team": co.POOL_TEAM}


def _benefit(reservation: str) -> dict[str, Any]:
    order = co.PROVISIONED.commitment_id.split("/")[-1]
    return {
        "ReservationId": reservation or order, "ReservationName": co.PROVISIONED.name, "ProductOrderId": order,
        "ProductOrderName": "Azure OpenAI provisioned throughput, Global, 1 Month", "Term": 1,
        "PricingModel": "Reservation", "benefitId": f"{co.PROVISIONED.commitment_id}/reservations/{reservation}",
        "benefitName": co.PROVISIONED.name,
    }  # fmt: skip


def _cost(quantity: Decimal, price: Decimal) -> dict[str, Decimal]:
    return {"Quantity": quantity, "EffectivePrice": price, "Cost": quantity * price}


def _row(
    month: Month, day: date, place: str, resource: str, service: tuple[str, str, str, str, str], meter: str, unit: str,
    quantity: Decimal, price: Decimal, *, unit_price: Decimal | None = None,
    owner: tuple[str, str, str | None] | None = None, **others: object,
) -> Row:  # fmt: skip
    """One charge. Its Tags stand without braces, as the portal's exports have them."""
    family, category, sub_category, provider, kind = service
    group = f"rg-{resource.split('-')[0]}"
    given = tags(*owner) if owner else {}
    listed = price if unit_price is None else unit_price
    return {
        "BillingAccountId": co.ACCOUNTS[co.AZURE], "BillingAccountName": "Lumenar",
        "BillingPeriodStartDate": f"{month.first:%m/%d/%Y}",
        "BillingPeriodEndDate": f"{month.next - timedelta(days=1):%m/%d/%Y}",
        "BillingProfileId": co.ACCOUNTS[co.AZURE], "BillingProfileName": "Lumenar",
        "AccountOwnerId": "cloud@lumenar.example", "AccountName": "Lumenar Cloud",
        "SubscriptionId": place, "SubscriptionName": co.PLACES[place].name, "Date": f"{day:%m/%d/%Y}",
        "Product": f"{sub_category} - {meter} - EU West", "PartNumber": f"AA{digest(meter)[0].upper()}-"
        f"{int(digest(meter)[1:6], 16) % 100000:05d}", "MeterId": uuid("meter", meter),
        "ServiceFamily": family, "MeterCategory": category, "MeterSubCategory": sub_category, "MeterRegion": "EU West",
        "MeterName": meter, **_cost(quantity, price), "UnitPrice": listed, "BillingCurrency": "EUR",
        "ResourceLocation": "westeurope", "ConsumedService": provider,
        "ResourceId": f"/subscriptions/{place}/resourceGroups/{group}/providers/{provider}/{kind}/{resource}",
        "ResourceName": resource, "Tags": json.dumps(given)[1:-1], "InvoiceSection": "Lumenar AI",
        "UnitOfMeasure": unit, "ResourceGroup": group, "OfferId": "MS-AZR-0017P", "IsAzureCreditEligible": "True",
        "PublisherName": "Microsoft", "ChargeType": "Usage", "Frequency": "UsageBased", "PublisherType": "Azure",
        "PayGPrice": listed, "PricingModel": "OnDemand",
        "team": resolved_team(owner[0], owner[2], place) if owner else co.UNALLOCATED,
        "fault": owner[2] if owner else None, "workload": resource, **others,
    }  # fmt: skip
