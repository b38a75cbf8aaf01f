"""Exports as large as real ones, made with DuckDB from the line items of the sample company.

Every line item becomes many: ids, resources, owners, hours and amounts vary, and the columns that the sample leaves out
are there, filled or empty as in real exports. Rows of commitments keep their amounts, so that they still add up.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from finops_lib import samples
from finops_lib.contract import literal, quoted
from finops_lib.ingest import ingest
from finops_lib.lake import Home

CUR2_MONTH, LEGACY_MONTH = "2026-10", "20251201-20260101"
MONTHS = 11
"""Months of the sample company: the last one in the newer format, the first one in the older."""

_FILLED = {
    "line_item_normalization_factor": "case when product_instance_type is not null then 4.0 end",
    "line_item_normalized_usage_amount": "case when product_instance_type is not null then 4.0 * usage end",
    "product_instance_family": "case when product_instance_type is not null then 'GPU instance' end",
    "product_instancesku": "case when product_instance_type is not null then left(sha1(product_sku), 16) end",
    "product_location_type": "case when product_location is not null then 'AWS Region' end",
    "product_operation": "line_item_operation",
    "product_pricing_unit": "pricing_unit",
    "product_usagetype": "line_item_usage_type",
    "cost_category": "map {'Team': 'Team ' || owner % 40, 'Stage': if(owner % 5 = 0, 'Production', 'Development')}",
    "discount": "cast(map {} as map(varchar, double))",
}
"""Columns of the newer format that the sample leaves out, with their values."""
_EMPTY = {
    "double": """
        discount_bundled_discount discount_total_discount line_item_net_unblended_cost
        reservation_net_amortized_upfront_cost_for_usage
        reservation_net_amortized_upfront_fee_for_billing_period reservation_net_effective_cost
        reservation_net_recurring_fee_for_usage reservation_net_unused_amortized_upfront_fee_for_billing_period
        reservation_net_unused_recurring_fee reservation_net_upfront_value
        savings_plan_net_amortized_upfront_commitment_for_billing_period
        savings_plan_net_recurring_commitment_for_billing_period savings_plan_net_savings_plan_effective_cost
        split_line_item_actual_usage split_line_item_net_split_cost split_line_item_net_unused_cost
        split_line_item_public_on_demand_split_cost split_line_item_reserved_usage split_line_item_split_cost
        split_line_item_split_usage split_line_item_split_usage_ratio split_line_item_unused_cost""",
    "varchar": """
        line_item_net_unblended_rate product_comment product_fee_code product_fee_description product_from_location
        product_from_location_type product_from_region_code product_to_location product_to_location_type
        product_to_region_code reservation_availability_zone reservation_end_time reservation_modification_status
        reservation_normalized_units_per_reservation reservation_start_time
        reservation_total_reserved_normalized_units savings_plan_end_time savings_plan_instance_type_family
        savings_plan_region savings_plan_start_time split_line_item_parent_resource_id""",
}
"""Columns that are there and empty for a payer without private prices and without split costs."""


def company(folder: Path) -> Path:
    """The sample company's exports: the line items from which all data is made."""
    samples.write(folder, months=MONTHS)
    return folder


def cur2(folder: Path, out: Path, *, rows: int, part: int = 0) -> Path:
    """About as many rows of a Cost and Usage Report 2.0 in one Parquet file; only whole copies of the month add up."""
    [seed] = (folder / "inbox" / "aws").rglob(f"BILLING_PERIOD={CUR2_MONTH}/*.parquet")
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set preserve_insertion_order = false")
        db.execute(
            "create table seed as select * replace (map_concat(product, map {'servicecode': "
            "coalesce(product_servicecode, ''), 'usagetype': coalesce(line_item_usage_type, ''), 'operation': "
            "coalesce(line_item_operation, ''), 'tenancy': 'Shared', 'operating_system': 'Linux', 'location_type': "
            "'AWS Region'}) as product, map_concat(resource_tags, map {'user_owner': 'owner-' || owner, "
            "'aws_created_by': 'AssumedRole:' || owner % 50}) as resource_tags) from (select *, "
            "hash(identity_line_item_id) % 400 as owner from "
            f"read_parquet({literal(str(seed))}, hive_partitioning = false))"
        )
        [(seeds,)] = db.sql("select count(*) from seed").fetchall()
        names = [str(d[0]) for d in db.sql("describe select * exclude (owner) from seed").fetchall()]
        commitments = "line_item_line_item_type like 'SavingsPlan%' or line_item_line_item_type = 'RIFee'"
        varied = {
            "identity_line_item_id": f"sha1(identity_line_item_id || copy || '-{part}')",
            "identity_time_interval": "strftime(make_timestamp(epoch_us(hour)), '%Y-%m-%dT%H:%M:%SZ') || '/' || "
            "strftime(make_timestamp(epoch_us(hour) + 3600000000), '%Y-%m-%dT%H:%M:%SZ')",
            "line_item_usage_start_date": "hour",
            "line_item_usage_end_date": "make_timestamptz(epoch_us(hour) + 3600000000)",
            "line_item_resource_id": f"line_item_resource_id || '-{part}-' || (copy // 24)",
            "line_item_usage_amount": "usage",
            "line_item_unblended_cost": "round(line_item_unblended_cost * factor, 10)",
            "line_item_blended_cost": "round(line_item_blended_cost * factor, 10)",
            "pricing_public_on_demand_cost": "round(pricing_public_on_demand_cost * factor, 10)",
            "reservation_effective_cost": "round(reservation_effective_cost * factor, 10)",
        }
        selected = [f"{varied.get(n, quoted(n))} as {quoted(n)}" for n in names]
        selected += [f"{value} as {name}" for name, value in _FILLED.items()]
        selected += [f"cast(null as {kind}) as {name}" for kind, empty in _EMPTY.items() for name in empty.split()]
        db.execute(
            f"copy (select {', '.join(selected)} from (select seed.*, copy, "
            f"if({commitments}, 1, 1 + (hash(identity_line_item_id, copy, {part}) % 99991) / 100000) as factor, "
            "round(line_item_usage_amount * factor, 10) as usage, "
            "make_timestamptz(epoch_us(line_item_usage_start_date) + copy % 24 * 3600000000) as hour "
            f"from range({round(rows / seeds)}) as copies(copy), seed)) to {literal(str(out))} (format parquet)"
        )
    return out


def columns(file: Path) -> int:
    """How many columns a Parquet file has."""
    return len(pq.read_schema(file).names)


def legacy(folder: Path, out: Path, *, rows: int, width: int = 94) -> Path:
    """About as many rows of a legacy Cost and Usage Report in one CSV file."""
    [seed] = (folder / "inbox" / "aws").rglob(f"{LEGACY_MONTH}/*.csv.gz")
    from_seed = f"read_csv({literal(str(seed))}, all_varchar = true)"
    with gzip.open(seed, "rt", encoding="utf-8") as handle:
        names = handle.readline().strip().split(",")
    # The product's attributes are columns of their own there, as many as a month's services have.
    attributes = {
        "usagetype": '"lineItem/UsageType"', "operation": '"lineItem/Operation"', "tenancy": "'Shared'",
        "operatingSystem": "'Linux'", "locationType": "'AWS Region'", "vcpu": "'8'", "memory": "'32 GiB'",
        "servicename": '"product/ProductName"', "group": "null", "groupDescription": "null", "storageMedia": "null",
        "volumeType": "null", "transferType": "null", "fromLocation": "null", "fromLocationType": "null",
        "toLocation": "null", "toLocationType": "null", "cacheEngine": "null", "databaseEngine": "null",
        "licenseModel": "null", "networkPerformance": "null", "physicalProcessor": "null", "storage": "null",
        "engineCode": "null", "deploymentOption": "null", "messageDeliveryFrequency": "null", "queueType": "null",
        "availability": "null", "durability": "null", "provisioned": "null", "version": "null", "endpointType": "null",
    }  # fmt: skip
    with duckdb.connect() as db:
        db.execute("set preserve_insertion_order = false")
        [(seeds,)] = db.sql(f"select count(*) from {from_seed}").fetchall()
        amounts = ("lineItem/UsageAmount", "lineItem/UnblendedCost", "lineItem/BlendedCost")
        priced = (*amounts, "pricing/publicOnDemandCost", "reservation/EffectiveCost")
        varied = {
            "identity/LineItemId": 'sha1("identity/LineItemId" || copy)',
            "lineItem/ResourceId": "\"lineItem/ResourceId\" || '-' || (copy // 24)",
        } | {n: f"cast(round(cast({quoted(n)} as decimal(38, 10)) * factor, 10) as varchar)" for n in priced}
        selected = [f"{varied.get(n, quoted(n))} as {quoted(n)}" for n in names]
        more = [f"{value} as {quoted('product/' + name)}" for name, value in attributes.items()]
        commitments = "\"lineItem/LineItemType\" like 'SavingsPlan%' or \"lineItem/LineItemType\" = 'RIFee'"
        db.execute(
            f"copy (select {', '.join([*selected, *more][:width])} from (select seed.*, copy, "
            f'if({commitments}, 1, 1 + cast(hash("identity/LineItemId", copy) % 997 as decimal(18, 3)) '
            f"* cast(0.001 as decimal(4, 3))) as factor "
            f"from range({round(rows / seeds)}) as copies(copy), {from_seed} as seed)) "
            f"to {literal(str(out))} (format csv, header)"
        )
    return out


def lake(folder: Path, *, months: int) -> Home:
    """A home with the lake of a sample company of as many months, the last in October 2026."""
    home = Home(folder)
    samples.write(folder, months=months)
    done = ingest(home, [home.inbox, home.plan], data_docs=False)
    if done.refused:
        raise SystemExit("bench: " + "; ".join(o.message for o in done.refused))
    return home


def enlarged(base: Home, folder: Path, *, rows: int) -> tuple[Home, int]:
    """The home again, with about as many charges: days of usage in hours, and each resource several times.

    Returns  the home and how many charges it has.
    """
    home = Home(folder)
    shutil.copytree(base.root, folder)
    files = sorted((home.lake / "cost_and_usage").rglob("*.parquet"))
    copies = -(-rows // (_rows(files) * 24))
    hours = -(-rows // (_rows(files) * copies))
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute("set preserve_insertion_order = false")
        for file in files:
            whole_day = "ChargePeriodEnd - ChargePeriodStart = interval 1 day"
            db.execute(
                f"copy (select charges.* replace (if({whole_day}, ChargePeriodStart + hour * interval 1 hour, "
                f"ChargePeriodStart) as ChargePeriodStart, if({whole_day}, ChargePeriodStart + (hour + 1) * interval 1 "
                "hour, ChargePeriodEnd) as ChargePeriodEnd, if(copy = 0, ResourceId, ResourceId || '-' || copy) as "
                f"ResourceId) from read_parquet({literal(str(file))}, hive_partitioning = false) as charges, "
                f"range({hours}) as hours(hour), range({copies}) as copies(copy)) "
                f"to {literal(str(file.with_suffix('.larger')))} (format parquet, compression zstd)"
            )
            file.with_suffix(".larger").replace(file)
    return home, _rows(files)


def _rows(files: Sequence[Path]) -> int:
    return sum(pq.read_metadata(f).num_rows for f in files)


def moved(home: Home, to: Home, *, after: str) -> None:
    """Move every dataset's months after one, with what the ledger knows of them, from one home to another."""
    for partition in home.lake.glob("*/source=*/billing_month=20*"):
        if partition.name.removeprefix("billing_month=") > after:
            _move(partition, home, to)
    for entry in home.ledger.glob("*.json"):
        month = json.loads(entry.read_text(encoding="utf-8"))["month"]
        if month[:2] == "20" and month > after:
            _move(entry, home, to)


def _move(path: Path, home: Home, to: Home) -> None:
    there = to.root / path.relative_to(home.root)
    there.parent.mkdir(parents=True, exist_ok=True)
    path.rename(there)
