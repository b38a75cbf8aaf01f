"""truth.json: what was planted and what everything sums to, so that tests can ask whether the product found it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from . import company as co
from .base import ZERO, Run, machines, prices, total, write_json
from .plan import undated


def write(run: Run) -> None:
    """Write truth.json. Amounts are exact decimal texts; teams are those the plan arrives at before sharing."""
    known = run.truth
    content = {
        "company": "Lumenar",
        "seed": run.seed,
        "scale": run.scale,
        "months": [m.text for m in run.months],
        "months_are": "billing months; a refund's day lies in the month before",
        "data_through": co.LAST_DAY,
        "totals": [
            {"vendor": vendor, "billing_account_id": co.ACCOUNTS[vendor], "month": month,
             "currency": co.CURRENCIES[vendor], "billed": str(billed), "effective": str(effective)}
            for (vendor, month), (billed, effective) in sorted(known.totals.items())
        ],
        "teams": [
            {"vendor": vendor, "month": month, "team": team, "currency": co.CURRENCIES[vendor], "billed": str(billed),
             "effective": str(effective)}
            for (vendor, month, team), (billed, effective) in sorted(known.teams.items())
        ],
        "unallocated": [_unallocated(run, currency) for currency in ("EUR", "USD")],
        "commitments": [
            {"commitment_id": which.commitment_id, "vendor": which.vendor, "kind": which.kind,
             "currency": co.CURRENCIES[which.vendor], "month": month, **{k: str(v) for k, v in amounts.items()}}
            for which in co.COMMITMENTS
            for (commitment_id, month), amounts in sorted(known.commitments.items())
            if commitment_id == which.commitment_id
        ],
        "tag_faults": [
            {"vendor": vendor, "workload": workload, "fault": fault, "key": co.FAULTS[fault].key,
             "value": co.FAULTS[fault].value, "repaired": co.FAULTS[fault].repaired, "team_found": found["team"],
             "currency": co.CURRENCIES[vendor],
             "resources": sorted(found["resources"]), "effective": str(found["effective"])}
            for (vendor, workload, fault), found in sorted(known.faults.items())
        ],
        "shared_platform": {
            "team": co.POOL_TEAM, "driver": "tokens", "consumers": [t for t in co.TEAMS if t != co.POOL_TEAM],
            "receives": "charge_kind:unused_commitment",
        },
        "business_units": co.BUSINESS_UNITS,
        "accounts": [
            {"vendor": a.vendor, "account_id": a.account_id, "business_unit": _unit_above(a), "is_sub_account":
             a.account_id in co.PLACES}
            for a in co.TREE
        ],
        "abandoned_experiment": _abandoned(run),
        "promotion": _promotion(run),
        "experiment_past_its_end": _overrun(run),
        "price_cuts": [_price_cut(*cut) for cut in co.PRICE_CUTS if _within(run, cut[2])],
        "runaway_key": _runaway(run),
        "broken_line": _broken_line(run),
        "unapproved_model": {"vendor": co.UNAPPROVED[0], "model": co.UNAPPROVED[1]},
        "organisation_cost": known.events["organisation_cost"],
        "reporting_currency": {
            "currency": co.REPORTING_CURRENCY,
            "rates": [{"from": "EUR", "since": since, "rate": str(rate)} for since, rate in co.EUR_IN_USD],
        },
        "credits": known.events["credits"],
        "refunds": known.events["refunds"],
        "late_correction": known.events["late_correction"] or None,
        "invoice_gap": known.events["invoice_gap"] or None,
    }  # fmt: skip
    write_json(known.written(run.out / "truth.json"), content, indent=1)


def _within(run: Run, day: date) -> bool:
    return run.months[0].first <= day < run.months[-1].end


def _unit_above(account: co.Account) -> str | None:
    """Business unit of an account: its own, else that of the nearest one above."""
    above = {a.account_id: a for a in co.TREE if a.vendor == account.vendor}
    while account.business_unit is None and account.parent:
        account = above[account.parent]
    return account.business_unit


def _unallocated(run: Run, currency: str) -> dict[str, Any]:
    amounts = {key: effective for key, (_, effective) in run.truth.teams.items() if co.CURRENCIES[key[0]] == currency}
    lost = total(amount for (_, _, team), amount in amounts.items() if team == co.UNALLOCATED)
    return {"currency": currency, "effective": str(lost), "share": round(float(lost / total(amounts.values())), 6)}


def _abandoned(run: Run) -> dict[str, Any] | None:
    """Machines of the abandoned experiment and what they cost at list price after its last run."""
    if not run.months[-1].end > co.ABANDONED_ON:
        return None
    found: set[str] = set()
    cost = ZERO
    for month in run.months:
        for day in month.days:
            for fleet, machine, hours in machines(run, co.AWS, day) if day >= co.ABANDONED_ON else ():
                if fleet.use_case == co.ORPHANED:
                    found.add(machine)
                    cost += hours * co.MACHINES[fleet.machine].price
    return {
        "use_case": co.ORPHANED, "vendor": co.AWS, "first_day_without_runs": co.ABANDONED_ON,
        "resources": sorted(found), "list_cost_since": str(cost), "currency": "USD", "owner": None,
    }  # fmt: skip


def _overrun(run: Run) -> dict[str, Any] | None:
    """The planned experiment that costs something from its planned end on."""
    [planned] = [e for e in co.EXPERIMENTS if e.use_case == co.ORPHANED]
    if not run.months[-1].end > planned.end:
        return None
    return {
        "experiment": planned.name, "use_case": planned.use_case, "planned_end": planned.end, "budget": planned.budget,
        "currency": "USD",
    }  # fmt: skip


def _promotion(run: Run) -> dict[str, Any] | None:
    if not _within(run, co.PROMOTED_ON):
        return None
    return {
        "use_case": "voice-support", "date": co.PROMOTED_ON, "from": "pilot", "to": "production",
        "projects": {"proj_voice_pilot": "until", "proj_voice_prod": "from"},
        "accounts": {co.AWS_SANDBOX: "until", co.AWS_PROD: "from"},
    }  # fmt: skip


def _price_cut(vendor: str, model: str, day: date) -> dict[str, Any]:
    delivered = next(p.model for p in co.PRICES if p.vendor == vendor and undated(p.model) == model)
    before, after = (prices(vendor, delivered, d) for d in (day - timedelta(days=1), day))
    return {
        "vendor": vendor, "model": model, "date": day, "currency": co.CURRENCIES[vendor],
        "per_1m_tokens_before": {k: str(getattr(before, k)) for k in ("input_uncached", "cache_read", "output")},
        "per_1m_tokens_after": {k: str(getattr(after, k)) for k in ("input_uncached", "cache_read", "output")},
    }  # fmt: skip


def _runaway(run: Run) -> dict[str, Any] | None:
    key = co.RUNAWAY
    if not _within(run, key.first_day):
        return None
    days = [key.first_day + timedelta(days=n) for n in range((key.last_day - key.first_day).days + 1)]
    costs: dict[date, Decimal] = {day: run.truth.keys[key.api_key_id, day] for day in days}
    return {
        "vendor": co.OPENAI, "project_id": "proj_marketing", "team": "marketing", "api_key_id": key.api_key_id,
        "first_day": key.first_day, "last_day": key.last_day, "factor": key.factor, "currency": "USD",
        "days": [{"date": day, "billed": str(cost)} for day, cost in costs.items()],
        "billed": str(total(costs.values())),
    }  # fmt: skip


def _broken_line(run: Run) -> dict[str, Any] | None:
    """The runaway key's use case and month, whose texts then cost more than the plan's line."""
    key = co.RUNAWAY
    if not _within(run, key.first_day):
        return None
    use_case = next(u.use_case for u in co.TOKENS if u.key == key.api_key_id)
    metric, _, threshold, _ = next(t for t in co.TARGETS if t[1] == use_case)
    return {
        "use_case": use_case, "metric": metric, "month": f"{key.first_day:%Y-%m}", "threshold": str(threshold),
        "currency": "USD",
    }  # fmt: skip
