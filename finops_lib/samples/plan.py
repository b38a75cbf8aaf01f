"""The plan of Lumenar: budgets, rules, owners and assumptions, as its finance department would keep them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from . import company as co
from .base import Month, Run, invoice_number, load

Row = dict[str, object]

_AHEAD = (Month(date(2026, 11, 1)), Month(date(2026, 12, 1)))
"""Months budgeted beyond the data."""
_COMMITTED = ("arn:aws:savingsplans:%", "arn:aws:ec2:%:reserved-instances/%", "/providers/Microsoft.Capacity/%")
_EXPERIMENTAL = ("pilot", "experiment")
_PRODUCTIVE = ("production", "staging")
_CLOSED_COLUMNS = ("source_name", "billing_account_id", "month", "closed_on", "late_delivery")
_INVOICE_COLUMNS = ("invoice_issuer", "invoice_id", "billing_account_id", "month", "currency", "amount")
_OPEN_MONTHS = 2
"""The last months, whose books are not closed: the open one and the one that is corrected late."""


def write(run: Run) -> None:
    """Write one CSV per plan dataset."""
    plan = {
        "budget": _budgets(run), "tag_rule": _tag_rules(), "lifecycle_rule": _lifecycle_rules(),
        "shared_cost_rule": _shared_cost_rules(), "owner": _owners(), "approved_service": _approved(),
        "assumption": _assumptions(), "organisation_cost": _organisation_costs(run),
        "target": _targets(), "tag_alias": _tag_aliases(), "account": _accounts(),
        "closed_month": _closed_months(run), "invoice": _invoices(run),
        "experiment": _experiments(), "threshold": _thresholds(),
    }  # fmt: skip
    for name, rows in plan.items():
        text = io.StringIO()
        found = list(rows)
        # In the company's first months nothing is closed or invoiced yet.
        nothing = _INVOICE_COLUMNS if name == "invoice" else _CLOSED_COLUMNS
        table = csv.DictWriter(text, list(found[0]) if found else nothing, lineterminator="\n")
        table.writeheader()
        table.writerows(found)
        run.truth.written(run.out / "plan" / f"{name}.csv").write_text(text.getvalue(), encoding="utf-8")


def _budgets(run: Run) -> Iterator[Row]:
    for month in (*run.months, *_AHEAD):
        for team, amount in co.BUDGETS.items():
            yield _budget(run, month, team, amount, team=team)
        for team, amount in co.EUR_BUDGETS.items():
            yield _budget(run, month, f"{team} on Azure", amount, team=team, currency="EUR")
        yield _budget(run, month, "company", co.OTHER_BUDGETS["company"], owner="Sofia Brandt")
        yield _budget(
            run, month, "experiments", co.OTHER_BUDGETS["experiments"], lifecycle="experiment", owner="Elif Demir"
        )
        yield _budget(
            run, month, "Bedrock", co.OTHER_BUDGETS["Bedrock"], service_name="Amazon Bedrock", owner="Grace Adeyemi"
        )


def _budget(
    run: Run, month: Month, name: str, base: int, *, team: str | None = None, currency: str = "USD",
    lifecycle: str | None = None, service_name: str | None = None, owner: str | None = None,
) -> Row:  # fmt: skip
    """A budget of a month: the one of October 2026, grown evenly and rounded to hundreds."""
    growth = load(month.first, co.BUDGET_GROWTH, 1) / load(month.first, 0, 1)
    return {
        "budget_name": name, "month": month.text, "team": team, "product": None, "use_case": None,
        "service_name": service_name, "lifecycle": lifecycle,
        "amount": Decimal(round(base * growth / 100) * 100 * run.scale), "currency": currency,
        "owner": owner or co.OWNERS[str(team)][0],
    }  # fmt: skip


def _tag_rules() -> Iterator[Row]:
    for name, fault in co.FAULTS.items():
        if fault.value and fault.repaired and name not in co.ALIASED:
            team = name.removeprefix("misspelt ")
            yield _tag_rule(f"team spelt {fault.value}", 10, "team", "tag", "team", "equals", fault.value, team)
    for dimension, key in (("product", "product"), ("use_case", "use_case"), ("environment", "env"), ("team", "team")):
        yield _tag_rule(f"{dimension} from tag {key}", 20, dimension, "tag", key, "present", None)
    for place, known in co.PLACES.items():
        product = co.USE_CASES[known.use_case].product if known.use_case else None
        found = (("team", known.team), ("product", product), ("use_case", known.use_case),
                 ("environment", known.environment))  # fmt: skip
        for dimension, value in found:
            if value:
                yield _tag_rule(
                    f"{dimension} of {place}", 30, dimension, "sub_account_id", None, "equals", place, value
                )
    for n, pattern in enumerate(_COMMITTED, 1):
        yield _tag_rule(f"commitments {n}", 40, "team", "resource_id", None, "like", pattern, co.POOL_TEAM)
    for training in co.TRAININGS:
        if not training.fleet:
            pattern = f"%:training-job/{training.experiment}-%"
            name = f"model of {training.experiment}"
            yield _tag_rule(name, 10, "model", "resource_id", None, "like", pattern, training.model)
    for vendor, pattern in ((co.OPENAI, "proj_%"), (co.ANTHROPIC, "wrkspc_%")):
        yield _tag_rule(f"project of {vendor}", 20, "project", "sub_account_id", None, "like", pattern)
    for team, unit in co.BUSINESS_UNITS.items():
        yield _tag_rule(f"business unit of {team}", 10, "business_unit", "team", None, "equals", team, unit)


def _tag_rule(
    name: str, priority: int, dimension: str, field: str, key: str | None, operator: str, pattern: str | None,
    value: str | None = None,
) -> Row:  # fmt: skip
    return {
        "rule_id": name.replace(" ", "-").lower(), "priority": priority, "dimension": dimension, "field": field,
        "tag_key": key, "operator": operator, "pattern": pattern, "value": value, "valid_from": None, "valid_to": None,
    }  # fmt: skip


def _lifecycle_rules() -> Iterator[Row]:
    rules = [("experiment-tag", 10, "experiment", "tag", "experiment", "present", None),
             ("sandbox-keys", 10, "experiment", "api_key_id", None, "like", "%sandbox%"),
             *((f"environment-{e}", 20, "experiment", "environment", None, "equals", e) for e in _EXPERIMENTAL),
             *((f"environment-{e}", 20, "production", "environment", None, "equals", e) for e in _PRODUCTIVE),
             ("research-account", 30, "experiment", "sub_account_id", None, "equals", co.AWS_RESEARCH),
             ("research-project", 30, "experiment", "sub_account_id", None, "equals", "lumenar-research")]  # fmt: skip
    for rule_id, priority, lifecycle, field, key, operator, pattern in rules:
        yield {
            "rule_id": rule_id, "priority": priority, "lifecycle": lifecycle, "persistence": None, "field": field,
            "tag_key": key, "operator": operator, "pattern": pattern, "valid_from": None, "valid_to": None,
        }  # fmt: skip


def _shared_cost_rules() -> Iterator[Row]:
    """What commitments leave unused goes to the platform, and the platform's cost to those who use it."""
    yield _shared_cost_rule(
        "unused-commitments", "fixed", co.POOL_TEAM, pool_field="charge_kind", pool_value="unused_commitment",
        share=Decimal(1),
    )  # fmt: skip
    for team in co.TEAMS:
        if team != co.POOL_TEAM:
            yield _shared_cost_rule("platform-by-tokens", "tokens", team, pool_team=co.POOL_TEAM)


def _shared_cost_rule(
    rule_id: str, driver: str, consumer_team: str, *, pool_team: str | None = None, pool_field: str | None = None,
    pool_value: str | None = None, share: Decimal | None = None,
) -> Row:  # fmt: skip
    return {
        "rule_id": rule_id, "pool_team": pool_team, "driver": driver, "consumer_team": consumer_team,
        "valid_from": None, "valid_to": None, "pool_field": pool_field, "pool_value": pool_value, "share": share,
    }  # fmt: skip


def _tag_aliases() -> Iterator[Row]:
    for name in co.ALIASED:
        fault = co.FAULTS[name]
        if fault.value:
            yield {"tag_key": "team", "alias": fault.value, "value": name.removeprefix("misspelt ")}
        else:
            yield {"tag_key": "team", "alias": fault.key, "value": None}


def _accounts() -> Iterator[Row]:
    for account in co.TREE:
        yield {
            "provider": account.vendor, "account_id": account.account_id, "account_name": account.name,
            "parent_account_id": account.parent, "environment": None, "project": None, "application": None,
            "use_case": None, "product": None, "team": None, "cost_center": None,
            "business_unit": account.business_unit,
        }  # fmt: skip


def _closed_months(run: Run) -> Iterator[Row]:
    """Books are closed on the 10th of the month after next."""
    for month, after_next in zip(run.months[:-_OPEN_MONTHS], run.months[_OPEN_MONTHS:], strict=True):
        yield dict(zip(_CLOSED_COLUMNS, (None, None, month.text, after_next.first.replace(day=10), "correction"),
                       strict=True))  # fmt: skip


def _invoices(run: Run) -> Iterator[Row]:
    """What every vendor asked for, in cents; one of them asks for something that its export does not hold."""
    corrected = run.truth.events["late_correction"] or {}
    gap = run.truth.events["invoice_gap"] = _invoice_gap(run)
    for (vendor, text), (billed, _) in sorted(run.truth.totals.items()):
        if text == run.months[-1].text:
            continue
        late = (vendor, text) == (corrected.get("vendor"), corrected.get("month"))
        amount = Decimal(corrected["billed_after"]) if late else billed
        if gap and (vendor, text) == (gap["vendor"], gap["month"]):
            amount += Decimal(gap["amount"])
        # AWS's charges name their invoice; the others' are those of their account.
        account = None if vendor == co.AWS else co.ACCOUNTS[vendor]
        yield dict(zip(_INVOICE_COLUMNS, (vendor, invoice_number(vendor, text), account, text,
                       co.CURRENCIES[vendor], amount.quantize(Decimal("0.01"))), strict=True))  # fmt: skip


def _invoice_gap(run: Run) -> dict[str, str] | None:
    if len(run.months) < _OPEN_MONTHS + 1:
        return None
    return {
        "vendor": co.GCP, "month": run.months[-_OPEN_MONTHS - 1].text, "currency": "USD", "amount": "812.40",
        "why": "support bought by telephone, which the export does not hold",
    }  # fmt: skip


def _owners() -> Iterator[Row]:
    for team, (owner, cost_center) in co.OWNERS.items():
        yield {"subject_kind": "team", "subject": team, "owner": owner, "cost_center": cost_center}
    for name, use_case in co.USE_CASES.items():
        if name == co.ORPHANED:
            continue
        owner, cost_center = co.OWNERS[use_case.team]
        yield {"subject_kind": "use_case", "subject": name, "owner": owner, "cost_center": cost_center}
    for vendor in co.ACCOUNTS:
        yield {"subject_kind": "vendor", "subject": vendor, "owner": co.OWNERS[co.POOL_TEAM][0], "cost_center": None}


def _experiments() -> Iterator[Row]:
    for planned in co.EXPERIMENTS:
        yield {
            "experiment": planned.name, "use_case": planned.use_case,
            "tag_key": None if planned.tag is None else "experiment", "tag_value": planned.tag,
            "owner": planned.owner, "planned_start": planned.start, "planned_end": planned.end,
            "budget": planned.budget, "currency": None if planned.budget is None else "USD",
        }  # fmt: skip


def _thresholds() -> Iterator[Row]:
    yield {
        "measure": "orphaned_experiment_days", "edition": None, "grade": "limit", "value": 30,
        "owner": co.OWNERS[co.POOL_TEAM][0], "evidence": "cloud policy 2026",
    }  # fmt: skip


def _approved() -> Iterator[Row]:
    """The clouds as a whole, the model vendors model by model, all but the one nobody asked about."""
    for vendor in (co.AWS, co.AZURE, co.GCP):
        yield _approval(vendor, None, date(2025, 1, 15))
    models = {
        (u.vendor, undated(u.model)): u.since for u in reversed(co.TOKENS) if u.vendor in (co.OPENAI, co.ANTHROPIC)
    }
    for (vendor, model), since in sorted(models.items()):
        if (vendor, model) != co.UNAPPROVED:
            yield _approval(vendor, model, max(since, date(2025, 1, 15)))


def _approval(vendor: str, model: str | None, day: date) -> Row:
    return {
        "service_provider_name": vendor, "service_name": None, "model": model, "approved_on": day,
        "owner": co.OWNERS[co.POOL_TEAM][0],
    }  # fmt: skip


def undated(model: str) -> str:
    """A model's name without its date: gpt-4o-mini-2024-07-18 → gpt-4o-mini."""
    return re.sub(r"-(20\d{6}|20\d\d-\d\d-\d\d)$", "", model)


def _targets() -> Iterator[Row]:
    for metric, use_case, threshold, since in co.TARGETS:
        owner = co.OWNERS[co.USE_CASES[use_case].team][0] if use_case else "Sofia Brandt"
        yield {
            "metric": metric, "use_case": use_case, "threshold": threshold, "currency": "USD", "valid_from": since,
            "owner": owner,
        }  # fmt: skip


def _assumptions() -> Iterator[Row]:
    finance, team = "Sofia Brandt", {name: co.OWNERS[u.team][0] for name, u in co.USE_CASES.items()}
    for use_case, rate in co.HOURLY_RATE.items():
        yield _assumption("hourly_rate", use_case, rate, finance, "payroll, loaded", currency="USD")
    for use_case, value in co.VALUES.items():
        yield _assumption("value_per_unit", use_case, value, team[use_case], "average loss avoided", currency="USD")
    for use_case, share in co.ATTRIBUTION.items():
        yield _assumption("attribution", use_case, share, team[use_case], "holdout experiment of spring 2026")
    for use_case, cost in co.SETUP_COSTS.items():
        yield _assumption("setup_cost", use_case, cost, team[use_case], "project accounts", currency="USD")
    for since, rate in co.EUR_IN_USD:
        yield _assumption("exchange_rate", None, rate, finance, "treasury's planning rate", currency="EUR",
                          to_currency="USD", valid_from=since)  # fmt: skip
    yield _assumption("reporting_currency", None, Decimal(1), finance, "group accounts", currency=co.REPORTING_CURRENCY)
    yield _assumption("discount_rate", None, Decimal("0.08"), finance, "cost of capital 2026")
    yield _assumption("margin", None, Decimal(1), finance, "outcomes report revenue net of goods sold")


def _assumption(
    name: str, use_case: str | None, value: Decimal, owner: str, evidence: str, *, currency: str | None = None,
    to_currency: str | None = None, valid_from: date | None = None,
) -> Row:  # fmt: skip
    return {
        "name": name, "use_case": use_case, "value": value, "currency": currency, "to_currency": to_currency,
        "valid_from": valid_from, "owner": owner, "evidence": evidence,
    }  # fmt: skip


def _organisation_costs(run: Run) -> Iterator[Row]:
    """What payroll and the ledger say, month by month; people of the open month are paid for all of it."""
    for month in run.months:
        for category, team, amount, currency, evidence in co.ORGANISATION_COSTS:
            run.truth.events["organisation_cost"].append(
                {"month": month.text, "category": category, "team": team, "currency": currency, "amount": str(amount)}
            )
            yield {
                "month": month.text, "category": category, "team": team, "amount": amount, "currency": currency,
                "owner": "Sofia Brandt", "evidence": evidence,
            }  # fmt: skip
