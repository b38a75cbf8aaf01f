"""Figures of one page never contradict each other: every pair that names the same thing is compared."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from marts_by_hand import DATA_DATE, costs, everything

from finops_lib import charts, policy, warehouse
from finops_lib.lake import Home
from finops_lib.reports import content
from finops_lib.reports.content import Report, compose

Marts = dict[str, pl.DataFrame]
Thing = tuple[str, str]
"""What a figure is of, and its currency."""

UNFORECAST = "Budgets whose month end nobody has forecast"


def table(report: Report, name: str) -> pl.DataFrame:
    return next(t.rows for s in report.sections for t in s.tables if t.name == name)


def by_currency(rows: pl.DataFrame, value: pl.Expr, *, currency: str = "billing_currency") -> Iterator[tuple[str, Any]]:
    yield from rows.group_by(currency).agg(value.alias("value")).select(currency, "value").drop_nulls().iter_rows()


def said(report: Report) -> Iterator[tuple[Thing, str, Any]]:
    """Every value that the page shows in more than one place: what it is of, where it stands, what it is."""
    cost = pl.col("effective_cost")
    spend, services = table(report, "spend_by_month").filter(month=report.month), table(report, "services")
    teams, lifecycle = table(report, "teams"), table(report, "lifecycle")
    budgets, outlook = table(report, "budgets"), table(report, "outlook").filter(period="month")
    outlook = outlook.filter(pl.col("period_end").dt.strftime("%Y-%m") == report.month)
    whole = budgets.filter(pl.all_horizontal(pl.col("product", "use_case", "service_name", "lifecycle").is_null()))
    all_bound, of_teams = whole.filter(pl.col("team").is_null()), whole.filter(pl.col("team").is_not_null())
    added = of_teams.join(all_bound, on="billing_currency", how="anti")

    figures = {
        "Total spend": "spend",
        "Share allocated": "allocated",
        "Cost per 1M tokens": "price",
        "ROI on bills": "ROI on bills",
        "ROI on all cost": "ROI on all cost",
    }
    for f in report.figures:
        if f.value is not None and f.name in figures:
            yield (figures[f.name], f.currency or ""), "card", f.value
        elif f.value is not None:
            yield ("used" if "team" not in f.shown else "used of teams", f.currency or ""), "card", f.value

    for where, rows in {"spend": spend, "services": services, "teams": teams, "lifecycle": lifecycle}.items():
        for currency, value in by_currency(rows, cost.sum()):
            yield ("spend", currency), where, value
    for currency, value in by_currency(all_bound, pl.col("actual_cost").sum()):
        yield ("spend", currency), "budgets", value
    for currency, value in by_currency(outlook, pl.col("actual").sum(), currency="currency"):
        yield ("spend", currency), "outlook", value

    for (team, currency), rows in teams.group_by("team", "billing_currency"):
        yield (f"spend of {team}", str(currency)), "teams", rows["effective_cost"].sum()
        yield (f"spend of {team}", str(currency)), "team in all", rows["team_cost"][0]
    for (team, currency), rows in of_teams.group_by("team", "billing_currency"):
        yield (f"spend of {team}", str(currency)), "budgets", rows["actual_cost"].sum()

    has_owner = pl.col("allocation").is_in(["direct", "shared"])
    owned = cost.filter(has_owner).sum().cast(pl.Float64) / cost.sum().cast(pl.Float64)
    for currency, value in by_currency(teams, owned):
        yield ("allocated", currency), "teams", value

    for column in ("expected", "low", "high"):
        for currency, value in by_currency(outlook, pl.col(column).sum(), currency="currency"):
            yield (column, currency), "outlook", value
    for thing, column in {"expected": "expected_cost", "low": "expected_low", "high": "expected_high"}.items():
        for currency, value in by_currency(all_bound.drop_nulls(column), pl.col(column).sum()):
            yield (thing, currency), "budgets", value

    for currency, value in by_currency(all_bound, pl.col("budget_amount").sum()):
        yield ("budget", currency), "budgets", value
    for currency, value in by_currency(outlook.drop_nulls("budget"), pl.col("budget").sum(), currency="currency"):
        yield ("budget", currency), "outlook", value
    for currency, value in by_currency(all_bound, pl.col("expected_ratio").first()):
        yield ("used", currency), "budgets", value
    for currency, value in by_currency(outlook, pl.col("expected_ratio").first(), currency="currency"):
        yield ("used", currency), "outlook", value
    if not added["expected_cost"].null_count():
        used = pl.col("expected_cost").sum().cast(pl.Float64) / pl.col("budget_amount").sum().cast(pl.Float64)
        for currency, value in by_currency(added, used):
            yield ("used of teams", currency), "budgets", value

    prices = table(report, "token_prices")
    price = cost.sum().cast(pl.Float64) / pl.col("tokens").sum().cast(pl.Float64) * 1_000_000
    for currency, value in by_currency(prices, price):
        yield ("price", currency), "token prices", value

    for currency, value in by_currency(budgets.filter(status="unknown"), pl.len()):
        yield (UNFORECAST, currency), "budgets", value
    for currency, value in by_currency(
        table(report, "not_known").filter(unknown=UNFORECAST), pl.col("rows").sum(), currency="currency"
    ):
        yield (UNFORECAST, currency), "not known", value


def says(sentence: str, amount: object, currency: str) -> bool:
    """Whether a sentence names the amount, rounded as it is."""
    for number, thousands in re.findall(rf"{currency} (-?[\d,]*\.?\d+)([kMB]?)", sentence):
        unit = Decimal({"": 1, "k": 10**3, "M": 10**6, "B": 10**9}[thousands])
        decimals = len(number.partition(".")[2])
        if abs(Decimal(number.replace(",", "")) * unit - Decimal(str(amount))) <= unit / 10**decimals / 2:
            return True
    return False


def worded(report: Report) -> Iterator[str]:
    """What sentences of the page do not say, although a table of it does."""
    findings = {d.name: charts.finding(d.chart) for s in report.sections for d in s.drawings}
    values: dict[Thing, dict[str, Any]] = defaultdict(dict)
    for thing, where, value in said(report):
        values[thing][where] = value
    budgets = table(report, "budgets")

    for figure in (f for f in report.figures if f.name == "Forecast versus budget" and f.value is not None):
        currency, of_teams = figure.currency or "", "team" in figure.shown
        own = budgets.filter(
            pl.all_horizontal(pl.col("product", "use_case", "service_name", "lifecycle").is_null()),
            pl.col("team").is_not_null() if of_teams else pl.col("team").is_null(),
            billing_currency=currency,
        )
        amounts = [own[column].sum() for column in ("budget_amount", "actual_cost", "expected_cost")]
        yield from (f"card, {a}: {figure.meaning}" for a in amounts if not says(figure.meaning, a, currency))
        if of_teams:
            covered = float(own["actual_cost"].sum()) / float(values["spend", currency]["teams"])
            added = f"{own.height} team budget{'' if own.height == 1 else 's'}"
            begin = f"{added}, {charts.percent(covered)} of {currency} spend:"
            yield from [] if figure.meaning.startswith(begin) else [f"card, {begin} {figure.meaning}"]

    for (currency,), own in budgets.group_by("billing_currency"):
        finding = findings[f"budgets-{str(currency).lower()}"]
        for status, words in {"over": "over", "at risk": "at risk", "unknown": "without an expectation"}.items():
            many = own.filter(status=status).height
            counted = rf"\b{many or '[Nn]one'} (of {own.height} budgets? (is|are) )?{words}"
            if (many or status != "unknown") and not re.search(counted, finding):
                yield f"chart, {many} {status}: {finding}"

    for name, finding in findings.items():
        currency = name[-3:].upper()
        titled = {"forecast": ("expected", "budget"), "spend": ("spend",)}.get(name[:-4], ())
        for thing in titled:
            amount = values[thing, currency].get("spend" if thing == "spend" else "outlook")
            if amount is not None and not says(finding, amount, currency):
                yield f"chart, {amount}: {finding}"


def contradictions(report: Report) -> list[str]:
    places: dict[Thing, list[tuple[str, Any]]] = defaultdict(list)
    for thing, where, value in said(report):
        places[thing].append((where, value))
    found = [
        f"{' '.join(thing)}: {one} says {a}, {other} says {b}"
        for thing, values in places.items()
        for (one, a), (other, b) in combinations(values, 2)
        if (a != b if isinstance(a, Decimal) and isinstance(b, Decimal) else float(a) != pytest.approx(float(b)))
    ]
    return found + list(worded(report))


def test_a_page_of_everything_contradicts_itself_nowhere() -> None:
    report = compose(everything(), data_date=DATA_DATE)
    assert contradictions(report) == []
    things: dict[Thing, set[str]] = defaultdict(set)
    for thing, where, _ in said(report):
        things[thing].add(where)
    assert things["spend", "USD"] == {"card", "spend", "services", "teams", "lifecycle", "budgets", "outlook"}
    assert things["expected", "USD"] == things["budget", "USD"] == {"budgets", "outlook"}
    assert things["used", "USD"] == {"card", "budgets", "outlook"}
    assert things["used of teams", "EUR"] == {"card", "budgets"}
    assert things[UNFORECAST, "USD"] == {"budgets", "not known"}


def test_a_page_of_bills_alone_contradicts_itself_nowhere() -> None:
    assert contradictions(compose(costs(), data_date=DATA_DATE)) == []


@pytest.mark.parametrize(
    ("name", "column", "value", "told"),
    [
        ("fct_company_budget", "expected_ratio", 1.2, "used USD: card says 1.2, budgets says 1.1"),
        ("fct_company_budget", "actual_cost", Decimal(99), "card, 100.000000000000000000: 2026-10 is expected"),
        ("fct_company_budget", "budgets", 2, "card, 1 team budget, 100 % of EUR spend: 2 team budgets"),
        ("fct_company_budget", "coverage", 0.5, "card, 1 team budget, 100 % of EUR spend: 1 team budget, 50 %"),
        ("fct_budget_status", "actual_cost", Decimal(99), "spend USD: card says 100"),
        ("fct_budget_status", "expected_low", Decimal(99), "low USD: outlook says 115.0, budgets says 99"),
        ("fct_budget_scope", "budget_amount", Decimal(99), "budget USD: budgets says 110"),
        ("fct_forecast", "expected", 4.5, "expected USD: outlook says 127.0, budgets says 121"),
    ],
)
def test_a_figure_that_differs_in_one_place_is_found(name: str, column: str, value: object, told: str) -> None:
    marts = everything()
    marts[name] = marts[name].with_columns(pl.lit(value).cast(marts[name].schema[column]).alias(column))
    assert any(told in found for found in contradictions(compose(marts, data_date=DATA_DATE)))


def test_the_report_of_the_sample_company_contradicts_neither_itself_nor_the_gates_nor_the_kpis(company: Home) -> None:
    marts = {name: warehouse.mart(company, name) for name in content.MARTS}
    marts["assumption"] = warehouse.dataset(company, "assumption")
    through = warehouse.data_date(company)
    report = compose(marts, data_date=through)
    assert contradictions(report) == []
    assert contradictions(compose(marts, data_date=through, month="2026-09")) == []

    budgets = table(report, "budgets")
    gates = {verdict.gate: verdict for verdict in policy.check(company)}
    for status in ("over", "at risk"):
        named = {fact["subject"] for fact in gates[f"budgets {status}"].facts}
        assert named == set(budgets.filter(status=status)["budget_name"])

    keys = ["month", "billing_currency"]
    variances = warehouse.mart(company, "fct_kpi").filter(kpi="budget_variance").drop_nulls("value")
    scopes = marts["fct_budget_scope"].filter(
        pl.all_horizontal(pl.col("product", "use_case", "service_name", "lifecycle").is_null())
    )
    both = variances.join(scopes, on=[*keys, "team"], nulls_equal=True)
    assert both.height == variances.height > 0
    assert both["value"].to_list() == both["variance_ratio"].to_list()
    ended = both.filter(pl.col("team").is_null()).join(marts["fct_company_budget"], on=keys, suffix="_of_company")
    assert ended["actual_cost"].to_list() == ended["actual_cost_of_company"].to_list()


def test_euros_bound_by_teams_are_not_hidden_by_a_budget_for_all_dollars() -> None:
    figures = {f.currency: f for f in compose(everything(), data_date=DATA_DATE).figures if "budget" in f.name}
    assert figures["USD"].shown == "110 % of USD budget"
    assert figures["EUR"].shown == "101 % of EUR team budgets"
    assert figures["EUR"].meaning.startswith("1 team budget, 100 % of EUR spend: ")
