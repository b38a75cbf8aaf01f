"""Who owns what in the sample company: held against what was planted, and against sums made from the lake by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from test_company import total

from finops_lib import lake, warehouse
from finops_lib.lake import Home
from finops_lib.money import EXACT

ZERO = Decimal(0)


@pytest.fixture(scope="module")
def truth(company: Home) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((company.root / "truth.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def attributed(company: Home) -> pl.DataFrame:
    """Every charge of the lake with its dimensions, before any pool is split."""
    return warehouse.mart(company, "int_charges_attributed")


def test_a_team_is_of_its_business_unit_and_what_has_no_team_is_of_its_accounts(
    attributed: pl.DataFrame, truth: dict[str, Any]
) -> None:
    units = truth["business_units"]
    known = attributed.filter(pl.col("team").is_in(list(units)))
    assert dict(known.select("team", "business_unit").unique().rows()) == units
    assert set(known["business_unit_evidence"]) == {f"rule:business-unit-of-{team}" for team in units}
    accounts = {a["account_id"]: a["business_unit"] for a in truth["accounts"]}
    owners = attributed.filter(
        (pl.col("team") == "unallocated") & pl.col("service_provider_name").is_in(["AWS", "Microsoft"])
    ).select(pl.coalesce("sub_account_id", "billing_account_id"), "business_unit", "business_unit_evidence")
    found = dict(owners.select("sub_account_id", "business_unit").unique().rows())
    assert found == {account: accounts[account] for account in found}
    assert len(found) > 1
    assert {"account:ou-lmnr-workloads"} < set(owners["business_unit_evidence"])


def test_an_ai_vendors_project_and_an_owners_cost_centre_are_found(
    company: Home, attributed: pl.DataFrame, truth: dict[str, Any]
) -> None:
    projects = attributed.filter(pl.col("service_provider_name") == "OpenAI")
    assert projects.filter(pl.col("project") != pl.col("sub_account_id")).height == 0
    owners = warehouse.dataset(company, "owner").filter(pl.col("subject_kind") == "team")
    centers = dict(owners.select("subject", "cost_center").rows())
    shares = warehouse.mart(company, "fct_allocated_cost").filter(pl.col("allocation") == "shared")
    assert set(shares.select("team", "cost_center").unique().rows()) <= set(centers.items())
    assert set(shares["team"]) <= set(truth["shared_platform"]["consumers"])


def test_other_spellings_of_a_key_and_a_value_are_the_team_they_mean(
    attributed: pl.DataFrame, truth: dict[str, Any]
) -> None:
    for spelled, fault in (("Data Plattform", "misspelt data-platform"), ("team_name", "other key")):
        rows = attributed.filter(pl.col("tags").str.contains(spelled, literal=True))
        planted = [f for f in truth["tag_faults"] if f["fault"] == fault]
        assert set(rows["team"]) == {f["team_found"] for f in planted}
        assert set(rows["team_evidence"]) == {"rule:team-from-tag-team"}
        assert total(rows["effective_cost"]) == total(Decimal(f["effective"]) for f in planted)


def test_the_platform_is_split_by_tokens_and_so_is_what_commitments_left_unused(
    company: Home, truth: dict[str, Any]
) -> None:
    platform = truth["shared_platform"]
    pools: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for planted in truth["teams"]:
        if planted["team"] == platform["team"]:
            key = planted["month"], planted["currency"]
            pools[key] = EXACT.add(pools[key], Decimal(planted["effective"]))
    tokens: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in warehouse.mart(company, "int_token_charges_counted").iter_rows(named=True):
        if row["team"] in platform["consumers"] and row["tokens"]:
            tokens[f"{row['charge_date']:%Y-%m}"][row["team"]] += row["tokens"]
    shares = warehouse.mart(company, "fct_allocated_cost").filter(pl.col("allocation") == "shared")
    assert set(shares["allocation_path"]) == {
        platform["team"], f"{platform['receives']} > {platform['team']}",
    }  # fmt: skip
    found = {
        (month, currency, team): total(rows["effective_cost"])
        for (month, currency, team), rows in shares.group_by("billing_month", "billing_currency", "team")
    }
    for (month, currency), pool in pools.items():
        parts = {team: found[month, currency, team] for team in tokens[month]}
        assert total(parts.values()) == pool
        everything = sum(tokens[month].values())
        for team, part in parts.items():
            assert float(part) == pytest.approx(float(pool * tokens[month][team] / everything), rel=1e-9)
    unused = shares.filter(pl.col("allocation_path").str.starts_with(platform["receives"]))
    planted = [Decimal(c["unused"]) for c in truth["commitments"] if c["vendor"] in ("AWS", "Microsoft")]
    assert total(unused["effective_cost"]) == total(planted)


def test_closed_months_are_posted_to_the_last_digit_of_their_bills(company: Home) -> None:
    closed = lake.closures(company)
    charges = warehouse.dataset(company, "cost_and_usage")
    billed: dict[tuple[str, str], Decimal] = {}
    open_months = set()
    for (month, currency), rows in charges.group_by("billing_month", "BillingCurrency"):
        accounts = rows.select("x_Adapter", "BillingAccountId").unique().rows()
        if all(closed.of(source, account, str(month)) for source, account in accounts):
            billed[str(month), str(currency)] = total(rows["BilledCost"])
        else:
            open_months.add(month)
    wanted = {key: amount for key, amount in billed.items() if key[0] not in open_months}
    posted = warehouse.mart(company, "fct_chargeback")
    found = {
        (month, currency): total(rows["billed_cost"])
        for (month, currency), rows in posted.group_by("month", "billing_currency")
    }
    assert found == wanted
    for _, rows in posted.group_by("month", "billing_currency"):
        assert sorted(rows["line_number"]) == list(range(1, rows.height + 1))


def test_the_coverage_of_the_team_tag_is_that_of_the_charges_themselves(company: Home) -> None:
    charges = warehouse.dataset(company, "cost_and_usage").filter(pl.col("ChargeCategory") == "Usage")
    carried: dict[str | None, set[str]] = {
        tags: {key.lower().removeprefix("user_") for key, value in json.loads(tags or "{}").items() if value}
        for tags in charges["Tags"].unique()
    }
    tagging = {p for p, t in charges.select("ServiceProviderName", "Tags").unique().rows() if carried[t]}
    sums: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for when, currency, provider, tags, cost in charges.select(
        "ChargePeriodStart", "BillingCurrency", "ServiceProviderName", "Tags", "EffectiveCost"
    ).iter_rows():
        of = sums[f"{when:%Y-%m}", currency]
        counts = True, provider in tagging, bool(carried[tags] & {"team", "team_name"})
        sums[f"{when:%Y-%m}", currency] = [EXACT.add(a, cost) if c else a for a, c in zip(of, counts, strict=True)]
    mart = warehouse.mart(company, "fct_tag_coverage").filter(
        (pl.col("tag_key") == "team") & (pl.col("scope") == "total")
    )
    found = {
        (r["month"], r["billing_currency"]): [r["effective_cost"], r["taggable_cost"], r["covered_cost"]]
        for r in mart.iter_rows(named=True)
    }
    assert found == sums
    assert "OpenAI" not in tagging


def test_the_first_candidate_would_catch_more_than_any_other(company: Home, attributed: pl.DataFrame) -> None:
    mart = warehouse.mart(company, "fct_unallocated").filter(pl.col("reason") == "no rule")
    lost = attributed.filter(pl.col("team") == "unallocated").with_columns(
        month=pl.col("charge_date").dt.strftime("%Y-%m")
    )
    for column in ("billing_account_id", "sub_account_id", "service_name", "x_api_key_id"):
        wanted = {
            (month, currency, value): total(rows["effective_cost"])
            for (month, currency, value), rows in lost.filter(pl.col(column).is_not_null()).group_by(
                "month", "billing_currency", column
            )
        }
        rows = mart.filter(pl.col("field") == column.removeprefix("x_"))
        assert {
            (r["month"], r["billing_currency"], r["pattern"]): r["effective_cost"] for r in rows.iter_rows(named=True)
        } == wanted
    for _, rows in mart.group_by("month", "billing_currency"):
        assert rows.sort("candidate_rank")["effective_cost"].is_sorted(descending=True)
