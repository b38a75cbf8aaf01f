"""AWS: the legacy Cost and Usage Report as csv.gz, then CUR 2.0 as Parquet, and a late correction of September 2026."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from . import company as co
from .base import (
    ZERO,
    Month,
    Run,
    clones,
    digest,
    exact,
    invoice_number,
    load,
    machines,
    noise,
    prices,
    resolved_team,
    tags,
    team_of_place,
    token_counts,
    uses,
    write_gzip,
    write_json,
)

CUR2_SINCE = date(2026, 1, 1)
"""First month delivered as CUR 2.0."""
CORRECTED = date(2026, 9, 1)
"""Closed month whose export is delivered again, data transfer re-rated."""
_REFUNDS = {date(2026, 3, 1): Decimal("-864.20"), date(2026, 9, 1): Decimal("-1240.50")}
_CREDIT_SHARE = Decimal("0.01")
_CREDITS_UNTIL = date(2026, 4, 1)
_TAX_RATE = Decimal("0.06")
_REGION, _LOCATION = "us-east-1", "US East (N. Virginia)"

Row = dict[str, Any]

_PRODUCTS = {
    "AmazonEC2": ("Amazon Elastic Compute Cloud", "Compute Instance"),
    "AmazonSageMaker": ("Amazon SageMaker", "ML Instance"),
    "AmazonBedrock": ("Amazon Bedrock", "Amazon Bedrock"),
    "AWSLambda": ("AWS Lambda", "Serverless"),
    "AmazonEKS": ("Amazon Elastic Container Service for Kubernetes", "Compute"),
    "AmazonS3": ("Amazon Simple Storage Service", "Storage"),
    "AWSDataTransfer": ("AWS Data Transfer", "Data Transfer"),
    "AmazonCloudWatch": ("AmazonCloudWatch", "Data Payload"),
    "ComputeSavingsPlans": ("Savings Plans for AWS Compute usage", "ComputeSavingsPlans"),
}
_OPERATIONS = {
    "AmazonEC2": "RunInstances", "AmazonSageMaker": "RunInstance", "AmazonBedrock": "InvokeModelInference",
    "AWSLambda": "Invoke", "AmazonEKS": "CreateOperation", "AmazonS3": "StandardStorage",
    "AWSDataTransfer": "InterZone-Out", "AmazonCloudWatch": "PutLogEvents",
}  # fmt: skip
_TOKEN_METERS = {
    "input_uncached": "input-tokens", "cache_read": "cache-read-input-token-count",
    "cache_write_5m": "cache-write-input-token-count", "output": "output-tokens",
}  # fmt: skip

_COLUMNS_BY_TYPE = """
string     identity_line_item_id identity_time_interval bill_invoice_id bill_invoicing_entity bill_billing_entity
string     bill_bill_type bill_payer_account_id bill_payer_account_name
timestamp  bill_billing_period_start_date bill_billing_period_end_date
string     line_item_usage_account_id line_item_usage_account_name line_item_line_item_type
timestamp  line_item_usage_start_date line_item_usage_end_date
string     line_item_product_code line_item_usage_type line_item_operation line_item_availability_zone
string     line_item_resource_id
double     line_item_usage_amount
string     line_item_currency_code line_item_unblended_rate
double     line_item_unblended_cost
string     line_item_blended_rate
double     line_item_blended_cost
string     line_item_line_item_description line_item_tax_type line_item_legal_entity
string     product_product_name product_region product_region_code product_location product_instance_type
string     product_product_family product_servicecode product_sku
string     pricing_currency pricing_rate_code pricing_rate_id pricing_term pricing_unit pricing_purchase_option
string     pricing_lease_contract_length pricing_offering_class pricing_public_on_demand_rate
double     pricing_public_on_demand_cost
string     reservation_reservation_arn reservation_subscription_id reservation_number_of_reservations
string     reservation_total_reserved_units reservation_units_per_reservation
double     reservation_effective_cost reservation_recurring_fee_for_usage
double     reservation_amortized_upfront_cost_for_usage reservation_unused_quantity
double     reservation_unused_recurring_fee reservation_unused_amortized_upfront_fee_for_billing_period
double     reservation_amortized_upfront_fee_for_billing_period reservation_upfront_value
string     savings_plan_savings_plan_arn savings_plan_savings_plan_rate savings_plan_offering_type
string     savings_plan_payment_option savings_plan_purchase_term
double     savings_plan_savings_plan_effective_cost savings_plan_recurring_commitment_for_billing_period
double     savings_plan_amortized_upfront_commitment_for_billing_period
string     savings_plan_total_commitment_to_date savings_plan_used_commitment
"""
"""CUR 2.0: rates and running commitments are text there."""
_COLUMNS = tuple((name, line.split()[0]) for line in _COLUMNS_BY_TYPE.split("\n") for name in line.split()[1:])
_ONLY_CUR2 = {"bill_payer_account_name", "line_item_usage_account_name"}
_IN_PRODUCT_MAP = {"product_product_name": "product_name", "product_region": "region"}
_TAG_KEYS = sorted({"team", "product", "use_case", "env", "experiment", *(f.key for f in co.FAULTS.values() if f.key)})


def write(run: Run) -> None:
    """Write every month, and the correction beside the inbox."""
    for month in run.months:
        rows = list(_lines(run, month))
        for n, row in enumerate(rows):
            row["identity_line_item_id"] = digest(month.text, n)[:40]
        if month.first < CUR2_SINCE:
            _write_legacy(run, month, rows)
        else:
            _write_cur2(run, month, rows, run.out / "inbox" / "aws", "20260101")
        if month.first == CORRECTED:
            _write_correction(run, month, rows)


def jobs(run: Run, month: Month) -> Iterator[tuple[co.Training, str, datetime, int, dict[str, Any]]]:
    """Training runs of a month: what, run id, start, billable seconds, and how it went."""
    rng = run.rng("jobs", month)
    for training in co.TRAININGS:
        for day in month.days:
            for n in range(run.scale):
                chance, length, later, luck, gain = rng.random(5)
                working = 1.25 if day.weekday() < 5 else 0.4
                if not training.since <= day < training.until or chance > training.weekly / 7 * working:
                    continue
                # A hundredth of an hour is the smallest step, so that hours and cost are exact decimals.
                seconds = int(training.hours * (0.5 + length) * 100) * 36
                start = datetime(day.year, day.month, day.day, tzinfo=UTC)
                start += timedelta(minutes=int(later * max(1, 1430 - seconds * (1.3 if training.spot else 1) / 60)))
                status = "failed" if luck < 0.07 else "stopped" if luck < 0.11 else "finished"
                interruptions = int(luck * 4) if training.spot else 0
                run_id = f"{training.experiment}-{day:%Y%m%d}" + (f"-{n + 1}" if n else "")
                age = (day - date(2025, 5, 1)).days / 600
                yield training, run_id, start, seconds, {
                    "status": status,
                    "interruptions": interruptions,
                    "epochs": max(1, int(training.hours * (0.5 + length) * 1.5)),
                    "metric": round(training.start_at + 0.08 * age + 0.02 * gain, 4),
                }  # fmt: skip


def job_arn(training: co.Training, run_id: str) -> str | None:
    """The resource that is this run alone; none for runs on a fleet of machines."""
    return None if training.fleet else f"arn:aws:sagemaker:{_REGION}:{training.place}:training-job/{run_id}"


def function_days(run: Run, month: Month) -> Iterator[tuple[co.Function, str, date, int, int]]:
    """Each function and day: function, ARN, day, invocations, billed seconds (whole, so that GB-seconds are exact)."""
    rng = run.rng("functions", month)
    for function in co.FUNCTIONS:
        for name in clones(function.name, run.scale):
            arn = f"arn:aws:lambda:{_REGION}:{function.place}:function:{name}"
            for day in month.days:
                calls = int(function.invocations * load(day, function.growth, function.weekend) * noise(rng))
                yield function, arn, day, calls, int(calls * function.mean_ms * noise(rng, 0.03) / 1000)


def _lines(run: Run, month: Month) -> Iterator[Row]:
    """The line items of a month, day by day, then what is billed once a month."""
    reserved_used = ZERO
    taxed: dict[str, Decimal] = defaultdict(lambda: ZERO)
    usage = ZERO
    rng = run.rng("aws", month)
    for day in month.days:
        for row, of_reservation in _machine_lines(run, month, day):
            reserved_used += of_reservation
            usage += row["line_item_unblended_cost"]
            yield row
        for row in _meter_lines(run, month, day, rng):
            taxed[row["line_item_usage_account_id"]] += row["line_item_unblended_cost"]
            usage += row["line_item_unblended_cost"]
            yield row
    for row in [*_job_lines(run, month), *_function_lines(run, month)]:
        usage += row["line_item_unblended_cost"]
        yield row
    yield _reservation_fee(run, month, reserved_used)
    yield from _monthly_lines(run, month, taxed, usage)


def _line(
    run: Run, month: Month, kind: str, *, day: date, product: str, usage_type: str, amount: Decimal, rate: Decimal,
    account: str, days: int = 1, cost: Decimal | None = None, effective: Decimal | None = None,
    owner: tuple[str, str, str | None] | None = None, workload: str = "", resource: str | None = None,
    unit: str = "Hrs", machine: str | None = None, team: str | None = None, **others: object,
) -> Row:  # fmt: skip
    """One line item; what it costs and whose it is goes into the truth.

    owner: use case, environment and tag fault. cost: amount × rate where not given. effective: cost where not given.
    """
    cost = amount * rate if cost is None else cost
    name, family = _PRODUCTS[product]
    sku = digest(product, usage_type)[:12].upper()
    start, end = _instant(day), _instant(day + timedelta(days=days))
    fault = owner[2] if owner else None
    if team is None:
        team = resolved_team(owner[0], fault, account) if owner else team_of_place(account)
    billed = ZERO if kind in ("SavingsPlanCoveredUsage", "SavingsPlanNegation") else cost
    run.truth.charge(
        co.AWS, month, team, billed, effective, fault=fault, workload=workload, resource=resource or ""
    )  # fmt: skip
    on_demand = kind in ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")
    is_usage = on_demand or kind == "SavingsPlanNegation"
    return {
        "identity_time_interval": f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
        "bill_invoice_id": None if month.is_open else invoice_number(co.AWS, month.text),
        "bill_invoicing_entity": "Amazon Web Services, Inc.",
        "bill_billing_entity": "AWS",
        "bill_bill_type": "Refund" if kind == "Refund" else "Anniversary",
        "bill_payer_account_id": co.ACCOUNTS[co.AWS],
        "bill_payer_account_name": "Lumenar",
        "bill_billing_period_start_date": _instant(month.first),
        "bill_billing_period_end_date": _instant(month.next),
        "line_item_usage_account_id": account,
        "line_item_usage_account_name": co.PLACES[account].name,
        "line_item_line_item_type": kind,
        "line_item_usage_start_date": start,
        "line_item_usage_end_date": end,
        "line_item_product_code": product,
        "line_item_usage_type": usage_type or None,
        "line_item_operation": _OPERATIONS.get(product) if is_usage else None,
        "line_item_resource_id": resource,
        "line_item_usage_amount": amount,
        "line_item_currency_code": "USD",
        "line_item_unblended_rate": str(rate) if usage_type else None,
        "line_item_unblended_cost": cost,
        "line_item_blended_rate": str(rate) if usage_type else None,
        "line_item_blended_cost": cost,
        "line_item_line_item_description": f"${rate} per {unit} of {usage_type}" if usage_type else kind,
        "line_item_legal_entity": "Amazon Web Services, Inc.",
        "product_product_name": name,
        "product_region": _REGION if is_usage else None,
        "product_region_code": _REGION if is_usage else None,
        "product_location": _LOCATION if is_usage else None,
        "product_instance_type": machine,
        "product_product_family": family,
        "product_servicecode": product,
        "product_sku": sku if usage_type else None,
        "pricing_currency": "USD",
        "pricing_rate_code": f"{sku}.JRTCKXETXF.6YS6EN2CT7" if usage_type else None,
        "pricing_rate_id": str(int(sku, 16) % 10**10) if usage_type else None,
        "pricing_term": "Reserved" if kind in ("DiscountedUsage", "RIFee") else "OnDemand" if is_usage else None,
        "pricing_unit": unit if is_usage or kind in ("RIFee", "SavingsPlanRecurringFee") else None,
        "pricing_public_on_demand_rate": str(rate) if on_demand else None,
        "pricing_public_on_demand_cost": amount * rate if on_demand else None,
        "tags": tags(*owner) if owner else {},
        **others,
    }


def _machine_lines(run: Run, month: Month, day: date) -> Iterator[tuple[Row, Decimal]]:
    """EC2 instances of a day with what the commitments make of them; beside each row the reserved hours it used."""
    reserved = Decimal(co.RESERVATION.units * 24 * run.scale)
    plan = co.SAVINGS_PLAN
    promised = plan.hourly * 24 * run.scale if day >= plan.since else ZERO
    left = promised
    negated: dict[tuple[str, str], tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    for fleet, instance, hours in machines(run, co.AWS, day):
        machine = co.MACHINES[fleet.machine]
        given: dict[str, Any] = {
            "day": day, "product": "AmazonEC2", "usage_type": f"BoxUsage:{fleet.machine}", "account": fleet.place,
            "owner": (fleet.use_case, fleet.environment, fleet.fault), "workload": fleet.name, "resource": instance,
            "machine": fleet.machine, "line_item_availability_zone": f"{_REGION}{'abc'[int(instance[-1], 16) % 3]}",
        }  # fmt: skip
        uncovered = hours
        if fleet.machine == "m5.4xlarge":
            covered = min(hours, reserved)
            if covered:
                reserved -= covered
                uncovered -= covered
                effective = covered * co.RESERVATION.hourly
                yield _line(
                    run, month, "DiscountedUsage", **given, amount=covered, rate=machine.price, cost=ZERO,
                    effective=effective, reservation_reservation_arn=co.RESERVATION.commitment_id,
                    reservation_effective_cost=effective, reservation_recurring_fee_for_usage=effective,
                    reservation_amortized_upfront_cost_for_usage=ZERO, line_item_unblended_rate="0",
                    line_item_blended_rate="0", pricing_purchase_option="No Upfront",
                    pricing_lease_contract_length="3yr", pricing_offering_class="standard",
                ), covered  # fmt: skip
        elif machine.covered_price and left:
            covered = min(hours, (left / machine.covered_price).quantize(Decimal("0.0001"), "ROUND_DOWN"))
            if covered:
                # What is left after whole steps of an hour goes to the last machine, so that a full plan is used up.
                effective = covered * machine.covered_price if covered == hours else left
                uncovered -= covered
                left -= effective
                hours_so_far, cost_so_far = negated[fleet.place, fleet.machine]
                negated[fleet.place, fleet.machine] = (hours_so_far + covered, cost_so_far + covered * machine.price)
                yield _line(
                    run, month, "SavingsPlanCoveredUsage", **given, amount=covered, rate=machine.price,
                    effective=effective, savings_plan_savings_plan_effective_cost=effective,
                    savings_plan_savings_plan_rate=str(machine.covered_price), **_plan_columns(),
                ), ZERO  # fmt: skip
        if uncovered:
            yield _line(run, month, "Usage", **given, amount=uncovered, rate=machine.price), ZERO
    for (account, name), (hours, cost) in sorted(negated.items()):
        yield _line(
            run, month, "SavingsPlanNegation", day=day, product="AmazonEC2", usage_type=f"BoxUsage:{name}",
            amount=hours, rate=co.MACHINES[name].price, cost=-cost, account=account, machine=name, team=co.POOL_TEAM,
            **_plan_columns(),
        ), ZERO  # fmt: skip
    if promised:
        used = promised - left
        so_far = run.truth.commitments.get((plan.commitment_id, month.text), {"purchased": ZERO, "used": ZERO})
        run.truth.commitment(plan, month, purchased=so_far["purchased"] + promised, used=so_far["used"] + used)
        yield _line(
            run, month, "SavingsPlanRecurringFee", day=day, product="ComputeSavingsPlans",
            usage_type="ComputeSP:3yrNoUpfront", amount=Decimal(24), rate=plan.hourly * run.scale,
            effective=promised - used, account=plan.place, resource=plan.commitment_id, team=co.POOL_TEAM,
            savings_plan_total_commitment_to_date=str(promised), savings_plan_used_commitment=str(used),
            savings_plan_recurring_commitment_for_billing_period=promised,
            savings_plan_amortized_upfront_commitment_for_billing_period=ZERO, **_plan_columns(),
        ), ZERO  # fmt: skip


def _plan_columns() -> dict[str, Any]:
    return {
        "savings_plan_savings_plan_arn": co.SAVINGS_PLAN.commitment_id,
        "savings_plan_offering_type": "ComputeSavingsPlans",
        "savings_plan_payment_option": "No Upfront",
        "savings_plan_purchase_term": "3yr",
    }


def _meter_lines(run: Run, month: Month, day: date, rng: Any) -> Iterator[Row]:
    """Bedrock tokens and plain meters of a day."""
    for use in uses(co.AWS, month):
        if not use.since <= day < use.until:
            continue
        price = prices(co.AWS, use.model, day)
        for profile in clones(use.key, run.scale):
            for kind, tokens in token_counts(use, day, rng)[0].items():
                if tokens:
                    yield _line(
                        run, month, "Usage", day=day, product="AmazonBedrock",
                        usage_type=f"USE1-{use.model}-{_TOKEN_METERS[kind]}", amount=Decimal(tokens).scaleb(-3),
                        rate=getattr(price, kind).scaleb(-3), account=str(use.place), unit="1K tokens",
                        owner=(use.use_case, use.environment, use.fault), workload=use.key,
                        resource=f"arn:aws:bedrock:{_REGION}:{use.place}:application-inference-profile/{profile}",
                    )  # fmt: skip
    for meter in co.METERS:
        if meter.vendor == co.AWS:
            for resource in clones(meter.resource, run.scale):
                quantity = meter.quantity * load(day, meter.growth, meter.weekend) * (noise(rng) if meter.growth else 1)
                constant = Decimal(int(meter.quantity)) if not meter.growth else exact(quantity, 3)
                amount = Decimal(int(quantity)) if meter.unit == "Requests" else constant
                yield _line(
                    run, month, "Usage", day=day, product=meter.service, usage_type=meter.meter, amount=amount,
                    rate=meter.price, account=meter.place, owner=(meter.use_case, meter.environment, meter.fault),
                    workload=meter.resource, resource=resource, unit=meter.unit,
                )  # fmt: skip


def _job_lines(run: Run, month: Month) -> Iterator[Row]:
    for training, run_id, start, seconds, _ in jobs(run, month):
        if not training.fleet:
            hours = Decimal(seconds // 36 * training.machines).scaleb(-2)
            yield _line(
                run, month, "Usage", day=start.date(), product="AmazonSageMaker",
                usage_type=f"USE1-Train:{training.machine}", amount=hours,
                rate=co.MACHINES[training.machine].price, account=training.place, machine=training.machine,
                owner=(training.use_case, training.environment, None), workload=training.experiment,
                resource=job_arn(training, run_id),
            )  # fmt: skip


def _function_lines(run: Run, month: Month) -> Iterator[Row]:
    for function, arn, day, calls, seconds in function_days(run, month):
        gb_seconds = Decimal(seconds * function.memory_mb // 1024)
        for meter, amount, rate, unit in (
            ("Lambda-GB-Second", gb_seconds, co.FUNCTION_PRICES[0], "Lambda-GB-Second"),
            ("Request", Decimal(calls), co.FUNCTION_PRICES[1], "Request"),
        ):
            yield _line(
                run, month, "Usage", day=day, product="AWSLambda", usage_type=meter, amount=amount, rate=rate,
                account=function.place, owner=(function.use_case, "production", None), workload=function.name,
                resource=arn, unit=unit,
            )  # fmt: skip


def _reservation_fee(run: Run, month: Month, used_hours: Decimal) -> Row:
    """The reservation's fee for the days so far, with the part of it that nothing used."""
    plan = co.RESERVATION
    hours = Decimal(plan.units * 24 * len(month.days) * run.scale)
    unused = (hours - used_hours) * plan.hourly
    run.truth.commitment(plan, month, purchased=hours * plan.hourly, used=used_hours * plan.hourly)
    return _line(
        run, month, "RIFee", day=month.first, days=len(month.days), product="AmazonEC2",
        usage_type="HeavyUsage:m5.4xlarge", amount=hours, rate=plan.hourly, effective=unused, account=plan.place,
        resource=plan.commitment_id, machine="m5.4xlarge", team=co.POOL_TEAM, pricing_purchase_option="No Upfront",
        pricing_lease_contract_length="3yr", pricing_offering_class="standard",
        reservation_reservation_arn=plan.commitment_id, reservation_subscription_id="3312086754",
        reservation_number_of_reservations=str(plan.units * run.scale), reservation_units_per_reservation="1",
        reservation_total_reserved_units=str(hours), reservation_unused_quantity=hours - used_hours,
        reservation_unused_recurring_fee=unused, reservation_upfront_value=ZERO,
        reservation_unused_amortized_upfront_fee_for_billing_period=ZERO,
        reservation_amortized_upfront_fee_for_billing_period=ZERO,
    )  # fmt: skip


def _monthly_lines(run: Run, month: Month, taxed: dict[str, Decimal], usage: Decimal) -> Iterator[Row]:
    """Tax, a promotional credit while it lasts, and refunds of the month before."""
    given: dict[str, Any] = {"usage_type": "", "amount": Decimal(1), "rate": ZERO}
    for account, amount in sorted(taxed.items()):
        cost = exact(float(amount * _TAX_RATE), 2)
        yield _line(
            run, month, "Tax", day=month.first, days=len(month.days), product="AmazonS3", account=account, cost=cost,
            **given, line_item_tax_type="USSalesTax", line_item_line_item_description="Tax of type USSalesTax",
        )  # fmt: skip
    if month.first < _CREDITS_UNTIL:
        cost = -exact(float(usage * _CREDIT_SHARE), 2)
        yield _line(
            run, month, "Credit", day=month.first, days=len(month.days), product="AmazonBedrock", account=co.AWS_PROD,
            cost=cost, **given, line_item_line_item_description="AWS Migration Acceleration Program credit",
        )  # fmt: skip
        run.truth.events["credits"].append({"vendor": co.AWS, "month": month.text, "amount": str(cost)})
    if month.first in _REFUNDS:
        cost = _REFUNDS[month.first]
        earlier = month.first - timedelta(days=10)
        yield _line(
            run, month, "Refund", day=earlier, product="AmazonCloudWatch", account=co.AWS_PROD, cost=cost, **given,
            line_item_line_item_description="Refund of log ingestion billed twice",
        )  # fmt: skip
        run.truth.events["refunds"].append(
            {"vendor": co.AWS, "month": month.text, "refunded_day": earlier.isoformat(), "amount": str(cost)}
        )


def _write_legacy(run: Run, month: Month, rows: list[Row]) -> None:
    period = f"{month.first:%Y%m%d}-{month.next:%Y%m%d}"
    folder = run.out / "inbox" / "aws" / "lumenar-cur" / period
    columns = [(name, kind) for name, kind in _COLUMNS if name not in _ONLY_CUR2]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    header = [_legacy_name(name) for name, _ in columns]
    table.writerow([*header, *(f"resourceTags/user:{key}" for key in _TAG_KEYS)])
    for row in rows:
        table.writerow([*(_text(row.get(name)) for name, _ in columns), *(row["tags"].get(k, "") for k in _TAG_KEYS)])
    write_gzip(run.truth.written(folder / "lumenar-cur-1.csv.gz"), text.getvalue())
    write_json(
        run.truth.written(folder / "lumenar-cur-Manifest.json"),
        {
            "assemblyId": digest(month.text)[:36],
            "account": co.ACCOUNTS[co.AWS],
            "columns": [dict(zip(("category", "name"), name.split("/", 1), strict=True)) for name in header],
            "charset": "UTF-8",
            "compression": "GZIP",
            "contentType": "text/csv",
            "reportId": digest("lumenar-cur"),
            "reportName": "lumenar-cur",
            "billingPeriod": {
                "start": f"{month.first:%Y%m%d}T000000.000Z",
                "end": f"{month.next:%Y%m%d}T000000.000Z",
            },
            "bucket": "lumenar-billing",
            "reportKeys": [f"lumenar-cur/{period}/lumenar-cur-1.csv.gz"],
        },
        indent=1,
    )


def _legacy_name(name: str) -> str:
    """savings_plan_used_commitment → savingsPlan/UsedCommitment, product_instance_type → product/instanceType."""
    known = {"product_product_name": "product/ProductName", "pricing_rate_code": "pricing/RateCode",
             "pricing_rate_id": "pricing/RateId", "pricing_lease_contract_length": "pricing/LeaseContractLength",
             "pricing_offering_class": "pricing/OfferingClass", "pricing_purchase_option": "pricing/PurchaseOption",
             "reservation_reservation_arn": "reservation/ReservationARN",
             "savings_plan_savings_plan_arn": "savingsPlan/SavingsPlanARN"}  # fmt: skip
    if name in known:
        return known[name]
    prefix = next(p for p in ("line_item", "savings_plan", name.split("_", 1)[0]) if name.startswith(p + "_"))
    words = "".join(w.capitalize() for w in name.removeprefix(prefix + "_").split("_"))
    if prefix in ("product", "pricing"):
        words = words[0].lower() + words[1:]
    return {"line_item": "lineItem", "savings_plan": "savingsPlan"}.get(prefix, prefix) + "/" + words


def _write_cur2(run: Run, month: Month, rows: list[Row], folder: Path, execution: str) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {"string": pa.string(), "double": pa.float64(), "timestamp": pa.timestamp("ms", tz="UTC")}
    pairs = pa.map_(pa.string(), pa.string())
    columns: dict[str, Any] = {}
    for name, kind in _COLUMNS:
        if name in _IN_PRODUCT_MAP:
            continue
        values = [row.get(name) for row in rows]
        if kind == "double":
            values = [None if v is None else float(v) for v in values]
        columns[name] = pa.array(values, types[kind])
    columns["product"] = pa.array(
        [[(key, row[name]) for name, key in _IN_PRODUCT_MAP.items() if row.get(name)] for row in rows], pairs
    )
    columns["resource_tags"] = pa.array([[(f"user_{k}", v) for k, v in row["tags"].items()] for row in rows], pairs)
    file = f"data/BILLING_PERIOD={month.text}/lumenar-cur2-00001.snappy.parquet"
    path = run.truth.written(folder / "lumenar-cur2" / file)
    pq.write_table(pa.table(columns), path, compression="snappy")
    write_json(
        run.truth.written(folder / "lumenar-cur2" / f"metadata/BILLING_PERIOD={month.text}/lumenar-cur2-Manifest.json"),
        {
            "account": co.ACCOUNTS[co.AWS],
            "executionId": digest(execution, month.text)[:36],
            "billingPeriod": {"start": f"{month.first}T00:00:00Z", "end": f"{month.next}T00:00:00Z"},
            "dataFiles": [f"s3://lumenar-billing/lumenar-cur2/{file}"],
        },
        indent=1,
    )
    return path


def _write_correction(run: Run, month: Month, rows: list[Row]) -> None:
    """September again, as delivered in October: data transfer at a lower price."""
    lower = Decimal("0.07")
    change = ZERO
    corrected = []
    for row in rows:
        if row["line_item_product_code"] == "AWSDataTransfer":
            cost = row["line_item_usage_amount"] * lower
            change += cost - row["line_item_unblended_cost"]
            row = {
                **row, "line_item_unblended_rate": str(lower), "line_item_blended_rate": str(lower),
                "line_item_unblended_cost": cost, "line_item_blended_cost": cost,
                "pricing_public_on_demand_rate": str(lower), "pricing_public_on_demand_cost": cost,
            }  # fmt: skip
        corrected.append(row)
    file = _write_cur2(run, month, corrected, run.out / "corrections" / "aws", "20261020")
    before = run.truth.totals[co.AWS, month.text][0]
    run.truth.events["late_correction"] = {
        "vendor": co.AWS, "billing_account_id": co.ACCOUNTS[co.AWS], "month": month.text,
        "file": file.relative_to(run.out).as_posix(), "rows": len(rows), "currency": "USD",
        "billed_before": str(before), "billed_after": str(before + change), "billed_change": str(change),
        "why": "data transfer re-rated from 0.09 to 0.07 a GB",
    }  # fmt: skip


def _instant(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else str(value)
