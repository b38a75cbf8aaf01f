"""Google Cloud: the detailed billing export, first as NDJSON, then as nested Parquet."""

from __future__ import annotations

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
    digest,
    exact,
    load,
    machines,
    noise,
    number,
    prices,
    resolved_team,
    tags,
    token_counts,
    uses,
)

PARQUET_SINCE = date(2025, 9, 1)
"""First month delivered as Parquet."""
_PROMOTION = ("Google Cloud for Startups credit", Decimal("0.02"), date(2026, 7, 1))
"""Name, share of Vertex AI cost and end of the promotion."""
_CUD = ("Committed Usage Discount: L4 GPU", Decimal("0.37"), "Nvidia L4 GPU")
"""Name, share of the list price and SKU prefix of the committed use discount."""
_TAX_RATE = Decimal("0.005")

_SERVICES = {
    "Vertex AI": "C7E2-9256-1C43", "Compute Engine": "6F81-5844-456A", "Kubernetes Engine": "CCD8-9BF1-090E",
    "Cloud Storage": "95FF-2EF5-5EA1", "Invoice": "INVOICE",
}  # fmt: skip
_VERTEX = {
    "gemini-2.5-flash": ("Gemini 2.5 Flash GA Text Input - Predictions", "Gemini 2.5 Flash GA Text Input Caching",
                         "Gemini 2.5 Flash GA Text Output - Predictions"),
    "gemini-2.5-pro": ("Gemini 2.5 Pro Text Input - Predictions", "Gemini 2.5 Pro Text Input Caching",
                       "Gemini 2.5 Pro Text Output - Predictions"),
}  # fmt: skip
_BASE_UNITS = {"hour": ("seconds", 3600), "gibibyte hour": ("byte-seconds", 1024**3 * 3600), "count": ("count", 1),
               "gibibyte month": ("byte-seconds", 1024**3 * 2628000)}  # fmt: skip
_REGION = {"location": "europe-west4", "country": "NL", "region": "europe-west4", "zone": None}

Row = dict[str, Any]


def write(run: Run) -> None:
    """Write every month."""
    for month in run.months:
        rows = list(_rows(run, month))
        name = f"gcp_billing_export_resource_v1_{co.ACCOUNTS[co.GCP].replace('-', '_')}-{month.text}"
        folder = run.out / "inbox" / "gcp"
        if month.first < PARQUET_SINCE:
            lines = "".join(json.dumps(row, default=number) + "\n" for row in rows)
            run.truth.written(folder / f"{name}.ndjson").write_text(lines, encoding="utf-8")
        else:
            _write_parquet(run.truth.written(folder / f"{name}.parquet"), rows)


def _rows(run: Run, month: Month) -> Iterator[Row]:
    rng = run.rng("gcp", month)
    taxable = ZERO
    for day in month.days:
        for row in _usage_rows(run, month, day, rng):
            taxable += row["cost"]
            yield row
    tax = exact(float(taxable * _TAX_RATE), 2)
    run.truth.charge(co.GCP, month, co.UNALLOCATED, tax)
    yield _row(
        month, month.first, "Invoice", "Tax", None, ZERO, "", ZERO, cost=tax, cost_type="tax", days=len(month.days)
    )


def _usage_rows(run: Run, month: Month, day: date, rng: Any) -> Iterator[Row]:
    for use in uses(co.GCP, month):
        if use.since <= day < use.until:
            price = prices(co.GCP, use.model, day)
            for resource in clones(use.key, run.scale):
                counts = token_counts(use, day, rng)[0]
                for sku, kind in zip(_VERTEX[use.model], ("input_uncached", "cache_read", "output"), strict=True):
                    if counts[kind]:
                        yield _charge(run, month, day, "Vertex AI", sku, use, use.key, resource,
                                      Decimal(counts[kind]), "count", getattr(price, kind).scaleb(-6))  # fmt: skip
    for fleet, node, hours in machines(run, co.GCP, day):
        for sku, description, per_hour, unit, unit_price in co.SKUS[fleet.machine]:
            yield _charge(run, month, day, "Compute Engine", description, fleet, fleet.name, node, per_hour * hours,
                          unit, unit_price, sku=sku, machine=fleet.machine)  # fmt: skip
    for meter in co.METERS:
        if meter.vendor == co.GCP:
            for resource in clones(meter.resource, run.scale):
                factor = load(day, meter.growth, meter.weekend) * noise(rng) if meter.growth else 1
                yield _charge(run, month, day, meter.service, meter.meter, meter, meter.resource, resource,
                              exact(meter.quantity * factor, 3), meter.unit, meter.price)  # fmt: skip


def _charge(
    run: Run, month: Month, day: date, service: str, description: str, owner: co.Tokens | co.Fleet | co.Meter,
    workload: str, resource: str, amount: Decimal, unit: str, price: Decimal, *, sku: str | None = None,
    machine: str | None = None,
) -> Row:  # fmt: skip
    """One usage row with its credits; what remains of the cost goes into the truth."""
    cost = amount * price
    credits_ = []
    if service == "Vertex AI" and day < _PROMOTION[2]:
        credits_.append(_credit(_PROMOTION[0], "PROMOTION", -(cost * _PROMOTION[1]).quantize(Decimal("1e-6"))))
    if description.startswith(_CUD[2]):
        credits_.append(_credit(_CUD[0], "COMMITTED_USAGE_DISCOUNT", -cost * _CUD[1]))
    net = cost + sum((c["amount"] for c in credits_), ZERO)
    place = str(owner.place)
    team = resolved_team(owner.use_case, owner.fault, place)
    run.truth.charge(co.GCP, month, team, net, fault=owner.fault, workload=workload, resource=resource)
    return _row(
        month, day, service, description, place, amount, unit, price, cost=cost, credits=credits_, resource=resource,
        labels=tags(owner.use_case, owner.environment, owner.fault), sku=sku, machine=machine,
    )  # fmt: skip


def _credit(name: str, kind: str, amount: Decimal) -> Row:
    return {"name": name, "amount": amount, "full_name": name, "id": name.lower().replace(" ", "-"), "type": kind}


def _row(
    month: Month, day: date, service: str, description: str, place: str | None, amount: Decimal, unit: str,
    price: Decimal, *, cost: Decimal, credits: list[Row] | None = None, resource: str | None = None,  # noqa: A002
    labels: dict[str, str] | None = None, sku: str | None = None, machine: str | None = None,
    cost_type: str = "regular", days: int = 1,
) -> Row:  # fmt: skip
    base_unit, factor = _BASE_UNITS.get(unit, (None, 1))
    d = digest("sku", description).upper()
    regular = cost_type == "regular"
    return {
        "billing_account_id": co.ACCOUNTS[co.GCP],
        "service": {"id": _SERVICES[service], "description": service},
        "sku": {"id": sku or f"{d[:4]}-{d[4:8]}-{d[8:12]}", "description": description},
        "usage_start_time": f"{day}T00:00:00Z",
        "usage_end_time": f"{day + timedelta(days=days)}T00:00:00Z",
        "project": None if place is None else {
            "id": place, "number": str(int(digest(place)[:10], 16)), "name": co.PLACES[place].name,
            "labels": [{"key": "division", "value": "ai"}], "ancestry_numbers": "/481516234200/",
            "ancestors": [{"resource_name": "organizations/481516234200", "display_name": "lumenar.example"}],
        },
        "labels": [{"key": k, "value": v.lower().replace(" ", "-")} for k, v in (labels or {}).items()],
        "system_labels": [{"key": "compute.googleapis.com/machine_spec", "value": machine}] if machine else [],
        "location": _REGION if regular else None,
        "resource": {"name": resource, "global_name": f"//lumenar/{place}/{resource}"} if resource else None,
        "tags": [],
        "price": {
            "effective_price": price, "tier_start_amount": ZERO, "unit": unit, "pricing_unit_quantity": Decimal(1),
            "list_price": price,
        } if regular else None,
        "transaction_type": "GOOGLE",
        "seller_name": "Google Cloud EMEA Limited" if regular else None,
        "export_time": f"{day + timedelta(days=days)}T06:15:00Z",
        "cost": cost,
        "currency": "USD",
        "currency_conversion_rate": Decimal(1),
        "usage": {
            "amount": amount * factor, "unit": base_unit, "amount_in_pricing_units": amount, "pricing_unit": unit,
        } if regular else None,
        "credits": credits or [],
        "invoice": {"month": f"{month.first:%Y%m}", "publisher_type": "GOOGLE"},
        "cost_type": cost_type,
        "adjustment_info": None,
        "cost_at_list": cost,
    }  # fmt: skip


def _write_parquet(file: Any, rows: list[Row]) -> None:
    """The nested table: FLOAT columns are doubles, NUMERIC ones decimals, as the warehouse has them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text, real, moment = pa.string(), pa.float64(), pa.timestamp("us", tz="UTC")
    numeric = pa.decimal128(38, 9)
    pairs = pa.list_(pa.struct({"key": text, "value": text}))
    ancestors = pa.list_(pa.struct({"resource_name": text, "display_name": text}))
    schema = pa.schema({
        "billing_account_id": text,
        "service": pa.struct({"id": text, "description": text}),
        "sku": pa.struct({"id": text, "description": text}),
        "usage_start_time": moment, "usage_end_time": moment,
        "project": pa.struct({"id": text, "number": text, "name": text, "labels": pairs, "ancestry_numbers": text,
                              "ancestors": ancestors}),
        "labels": pairs, "system_labels": pairs,
        "location": pa.struct({"location": text, "country": text, "region": text, "zone": text}),
        "resource": pa.struct({"name": text, "global_name": text}),
        "tags": pa.list_(pa.struct({"key": text, "value": text, "inherited": pa.bool_(), "namespace": text})),
        "price": pa.struct({"effective_price": numeric, "tier_start_amount": numeric, "unit": text,
                            "pricing_unit_quantity": numeric, "list_price": numeric}),
        "transaction_type": text, "seller_name": text, "export_time": moment, "cost": real, "currency": text,
        "currency_conversion_rate": real,
        "usage": pa.struct({"amount": real, "unit": text, "amount_in_pricing_units": real, "pricing_unit": text}),
        "credits": pa.list_(pa.struct({"name": text, "amount": real, "full_name": text, "id": text, "type": text})),
        "invoice": pa.struct({"month": text, "publisher_type": text}),
        "cost_type": text,
        "adjustment_info": pa.struct({"id": text, "description": text, "mode": text, "type": text}),
        "cost_at_list": real,
    })  # fmt: skip
    columns = {name: pa.array([_typed(row[name], schema.field(name).type) for row in rows], schema.field(name).type)
               for name in schema.names}  # fmt: skip
    pq.write_table(pa.table(columns, schema=schema), file, compression="zstd")


def _typed(value: Any, kind: Any) -> Any:
    """A value as its Arrow type wants it: doubles from decimals, instants from text."""
    import datetime

    import pyarrow as pa

    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {field.name: _typed(value.get(field.name), field.type) for field in kind}
    if pa.types.is_list(kind):
        return [_typed(item, kind.value_type) for item in value]
    if pa.types.is_floating(kind):
        return float(value)
    if pa.types.is_timestamp(kind):
        return datetime.datetime.fromisoformat(value)
    return value
