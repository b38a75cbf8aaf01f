"""Every source has its own date: what it has not reported is estimated, and known days to come are not forecast."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from conftest import SHARED
from test_ingest import HEADER, charge

from finops_lib import policy, warehouse
from finops_lib.analysis import governance
from finops_lib.analysis.forecast import forecasts, outlook, period_ends
from finops_lib.analysis.spend import daily_history, days_ahead
from finops_lib.ingest import ingest
from finops_lib.lake import Home
from finops_lib.reports.content import compose

MARTS = (
    "fct_allocated_cost", "fct_daily_cost", "fct_monthly_cost", "fct_data_freshness", "fct_budget_status",
    "fct_budget_scope", "fct_forecast", "fct_gate",
)  # fmt: skip
THROUGH = date(2026, 10, 28)
WEEK = {0: 40, 1: 42, 2: 44, 3: 43, 4: 41, 5: 20, 6: 18}
"""What a day costs, by weekday."""


def days(first: date, last: date) -> Iterator[date]:
    yield from (first + timedelta(days=i) for i in range((last - first).days + 1))


def focus(day: date, cost: object, account: str, provider: str, *, until: date | None = None, **more: str) -> list[str]:
    following = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    names = {"ProviderName": provider, "PublisherName": provider, "InvoiceIssuerName": provider}
    period = {
        "BillingPeriodStart": f"{day:%Y-%m}-01T00:00:00Z", "BillingPeriodEnd": f"{following}T00:00:00Z",
        "ChargePeriodStart": f"{day}T00:00:00Z", "ChargePeriodEnd": f"{until or day + timedelta(days=1)}T00:00:00Z",
    }  # fmt: skip
    whole: dict[str, Any] = {**names, **period, "ServiceName": f"{provider} Cloud", **more}
    return charge(str(cost), account=account, **whole)


def built(home: Home) -> None:
    # Tests of models that are not built here would fail.
    models_only = ("--exclude-resource-type", "test", "unit_test")
    found = warehouse.build(home, select=[*(f"+{name}" for name in MARTS), *models_only])
    assert found.messages == []


def expected(home: Home) -> pl.DataFrame:
    """The outlook of the month, from the marts as `finops forecast` reads them."""
    through = warehouse.data_date(home)
    allocated = warehouse.mart(home, "fct_allocated_cost")
    history = daily_history(allocated, data_through=through)
    ahead = days_ahead(allocated, data_through=through, until=period_ends(through).year)
    predicted, _ = forecasts(history, data_through=through, ahead=ahead)
    found = outlook(predicted, history, warehouse.mart(home, "fct_budget_scope"))
    return found.filter(pl.col("period") == "month")


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One company with every kind of source: on time, late, weekly, new, ended, in two currencies, and a fee."""
    home = Home(tmp_path_factory.mktemp("late") / "home")
    first = date(2026, 8, 1)
    rows = [
        *(focus(d, WEEK[d.weekday()], "a-1", "Acme") for d in days(first, THROUGH)),
        *(focus(d, 7, "a-1", "Acme", BillingCurrency="EUR") for d in days(first, THROUGH)),
        *(focus(d, 10, "a-2", "Acme") for d in days(first, date(2026, 10, 26))),
        *(focus(d, 14, "w-1", "Weekly") for d in days(first, date(2026, 10, 21)) if d.weekday() == 0),
        *(focus(d, 5, "g-1", "Gone") for d in days(date(2026, 5, 1), date(2026, 6, 30))),
        *(focus(d, 3, "n-1", "New") for d in days(date(2026, 10, 23), date(2026, 10, 27))),
        focus(
            date(2026, 10, 1), 9000, "a-1", "Acme", until=date(2026, 11, 1), ChargeCategory="Purchase",
            ChargeFrequency="Recurring", ServiceName="Acme Platform", Tags="{}",
        ),
        focus(
            date(2026, 10, 27), 62, "a-1", "Acme", until=date(2026, 10, 31), ChargeCategory="Purchase",
            ChargeFrequency="One-Time", ServiceName="Acme Training", Tags="{}",
        ),
    ]  # fmt: skip
    home.inbox.mkdir(parents=True)
    with (home.inbox / "bill.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    (home.inbox / "openai-costs.json").write_text(openai(first, date(2026, 10, 23)), encoding="utf-8")
    home.plan.mkdir()
    rule = "rule_id,priority,dimension,value,field,tag_key,operator,pattern,valid_from,valid_to\n"
    rule += "fee-until,1,team,search,service_name,,equals,Acme Platform,,2026-10-16\n"
    rule += "fee-from,1,team,vision,service_name,,equals,Acme Platform,2026-10-16,\n"
    (home.plan / "tag_rule.csv").write_text(rule, encoding="utf-8")
    budget = "budget_name,month,amount,currency,team\nall,2026-10,20000,USD,\nvision,2026-10,5000,USD,vision\n"
    (home.plan / "budget.csv").write_text(budget, encoding="utf-8")
    assert ingest(home, [home.inbox, home.plan], data_docs=False).refused == []
    built(home)
    return home


def openai(first: date, last: date) -> str:
    def instant(day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())

    found = [
        {
            "object": "bucket", "start_time": instant(d), "end_time": instant(d + timedelta(days=1)),
            "results": [
                {
                    "object": "organization.costs.result", "organization_id": "org-1",
                    "amount": {"value": WEEK[d.weekday()] / 2, "currency": "usd"},
                    "line_item": "gpt-4o-2024-08-06, input", "project_id": "proj_abc",
                }
            ],
        }
        for d in days(first, last)
    ]  # fmt: skip
    return json.dumps({"object": "page", "data": found, "has_more": False, "next_page": None})


def test_each_source_and_account_says_its_own_date_and_what_it_usually_does(late: Home) -> None:
    found = warehouse.mart(late, "fct_data_freshness").filter(pl.col("dataset") == "cost_and_usage")
    assert found.select("service_provider_name", "billing_account_id", "last_date", "usual_gap_days", "status").sort(
        "service_provider_name", "billing_account_id"
    ).rows() == [
        ("Acme", "a-1", date(2026, 10, 28), 1, "current"),
        ("Acme", "a-2", date(2026, 10, 26), 1, "late"),
        ("Gone", "g-1", date(2026, 6, 30), 1, "ended"),
        ("New", "n-1", date(2026, 10, 27), 1, "late"),
        ("OpenAI", "org-1", date(2026, 10, 23), 1, "stopped"),
        ("Weekly", "w-1", date(2026, 10, 19), 7, "stopped"),
    ]  # fmt: skip
    assert warehouse.data_date(late) == THROUGH
    assert governance.behind(warehouse.mart(late, "fct_data_freshness"), through=THROUGH) == (
        "Weekly through 19 October, OpenAI through 23 October, Acme account a-2 through 26 October, "
        "New through 27 October"
    )


def test_the_gate_names_what_has_stopped_for_longer_than_its_habit(late: Home) -> None:
    [verdict] = [v for v in policy.check(late) if v.gate == "stale data"]
    assert (verdict.passed, verdict.found) == (
        False,
        "OpenAI (openai_costs), account org-1, cost_and_usage: last usage 23 October, usually every day, "
        "Weekly (focus), account w-1, cost_and_usage: last usage 19 October, usually every 7 days; 5 sources, 2 late",
    )


def test_days_not_reported_are_estimated_by_weekday_beside_what_was_billed(late: Home) -> None:
    daily = warehouse.mart(late, "fct_daily_cost").filter(pl.col("estimated_cost") != 0)
    found = daily.select("service_provider_name", "billing_account_id", "charge_date", "estimated_cost").sort(
        "service_provider_name", "billing_account_id", "charge_date"
    )
    assert [(p, a, d.day, float(c)) for p, a, d, c in found.iter_rows()] == [
        ("Acme", "a-2", 27, 10), ("Acme", "a-2", 28, 10),
        ("New", "n-1", 28, 3),
        *(("OpenAI", "org-1", d, pytest.approx(WEEK[date(2026, 10, d).weekday()] / 2)) for d in range(24, 29)),
        ("Weekly", "w-1", 26, 14),
    ]  # fmt: skip
    assert daily["effective_cost"].sum() == daily["billed_cost"].sum() == 0
    assert daily.filter(pl.col("charge_count") > 0).is_empty()


def test_a_fee_of_9000_is_no_spike_and_who_owns_it_from_the_16th_pays_from_the_16th(late: Home) -> None:
    fee = warehouse.mart(late, "fct_allocated_cost").filter(pl.col("service_name") == "Acme Platform")
    by_day = fee.sort("charge_date")
    assert by_day["effective_cost"].sum() == Decimal(9000)
    assert by_day["effective_cost"].cast(pl.Float64).to_list() == pytest.approx([9000 / 31] * 31)
    assert by_day["billed_cost"].to_list() == [Decimal(9000), *[Decimal(0)] * 30]
    assert by_day["charge_count"].sum() == 1
    assert by_day["team"].to_list() == ["search"] * 15 + ["vision"] * 16


def test_budgets_tell_reported_estimated_and_known_days_apart(late: Home) -> None:
    status = {row["budget_name"]: row for row in warehouse.mart(late, "fct_budget_status").iter_rows(named=True)}
    whole = status["all"]
    own = sum(WEEK[d.weekday()] for d in days(date(2026, 10, 1), THROUGH))
    openai_cost = sum(WEEK[d.weekday()] / 2 for d in days(date(2026, 10, 1), date(2026, 10, 23)))
    once = 2 * 62 / 4
    reported = own + openai_cost + 26 * 10 + 3 * 14 + 5 * 3 + 9000 / 31 * 28 + once
    assert float(whole["actual_cost"]) == pytest.approx(reported)
    missing = sum(WEEK[d.weekday()] / 2 for d in days(date(2026, 10, 24), THROUGH)) + 2 * 10 + 14 + 3
    assert float(whole["estimated_cost"]) == pytest.approx(missing)
    assert float(whole["known_future_cost"]) == pytest.approx(9000 / 31 * 3 + once)
    assert float(status["vision"]["known_future_cost"]) == pytest.approx(9000 / 31 * 3)


def test_what_is_known_of_days_to_come_is_added_and_never_forecast_and_only_what_recurs_goes_on(late: Home) -> None:
    allocated = warehouse.mart(late, "fct_allocated_cost")
    ahead = days_ahead(allocated, data_through=THROUGH, until=date(2026, 12, 31)).filter(
        pl.col("scope") == "total", pl.col("currency") == "USD"
    )
    october, november = (ahead.filter(pl.col("charge_date").dt.month() == m) for m in (10, 11))
    assert october["known_cost"].to_list() == pytest.approx([9000 / 31 + 62 / 4, 9000 / 31 + 62 / 4, 9000 / 31])
    assert october["standing_cost"].to_list() == pytest.approx(october["known_cost"].to_list())
    assert november["known_cost"].to_list() == [0] * 30
    assert november["standing_cost"].sum() == pytest.approx(9000)
    vision = days_ahead(allocated, data_through=THROUGH, until=date(2026, 12, 31)).filter(scope_value="vision")
    assert vision.filter(pl.col("charge_date").dt.month() == 11)["standing_cost"].sum() == pytest.approx(9000)


def test_last_week_s_hole_is_not_repeated_and_the_month_end_is_that_of_every_source(late: Home) -> None:
    month = expected(late).filter(scope="total", currency="USD").row(0, named=True)
    assert (month["actual"] > 0, month["estimated"] > 0, month["known"] > 0) == (True, True, True)
    truth = sum(WEEK[d.weekday()] * 1.5 for d in days(date(2026, 10, 1), date(2026, 10, 31)))
    truth += 31 * 10 + 4 * 14 + 9 * 3 + 9000 + 62
    assert month["expected"] == pytest.approx(truth, rel=0.005)
    assert month["low"] <= truth <= month["high"]
    assert month["expected"] >= month["actual"] + month["estimated"] + month["known"]


def test_the_report_says_whose_days_are_missing_wherever_a_total_stands(late: Home) -> None:
    from marts_by_hand import empty

    marts = {**empty(), **{name: warehouse.mart(late, name) for name in MARTS}}
    report = compose(marts, data_date=THROUGH)
    assert "OpenAI through 23 October" in report.behind
    meanings = [f.meaning for f in report.figures if f.name == "Total spend"]
    assert all("OpenAI through 23 October" in meaning for meaning in meanings)
    assert any("days not reported yet are estimated at USD" in meaning for meaning in meanings)
    assert any("of it are of days still to come" in meaning for meaning in meanings)


def test_the_shared_case_of_a_lagging_provider(tmp_path: Path) -> None:
    case = SHARED / "cases" / "lagging_provider"
    if not case.exists():
        pytest.skip("../shared/cases/lagging_provider is not beside the project")
    home = Home(tmp_path / "home")
    home.plan.mkdir(parents=True)
    budget = "budget_name,month,amount,currency\nall,2026-10,20000,USD\n"
    (home.plan / "budget.csv").write_text(budget, encoding="utf-8")
    assert ingest(home, [case, home.plan], data_docs=False).refused == []
    built(home)
    assert governance.behind(warehouse.mart(home, "fct_data_freshness"), through=THROUGH) == "OpenAI through 23 October"
    missing = warehouse.mart(home, "fct_daily_cost").filter(pl.col("estimated_cost") != 0)
    assert missing["charge_date"].sort().to_list() == list(days(date(2026, 10, 24), THROUGH))
    assert set(missing["service_provider_name"]) == {"OpenAI"}
    [status] = warehouse.mart(home, "fct_budget_status").iter_rows(named=True)
    assert status["estimated_cost"] == missing["estimated_cost"].sum() > 0


@pytest.mark.parametrize("removed", [2, 3])
def test_without_the_last_days_of_aws_the_month_is_expected_to_end_where_it_does_with_them(
    removed: int, company: Home, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(company.lake, home.lake)
    through = warehouse.data_date(company)
    first = through - timedelta(days=removed - 1)
    [october] = home.lake.glob("cost_and_usage/source=aws_cur/billing_month=2026-10/*.parquet")
    cut = tmp_path / "cut.parquet"
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(
            f"copy (select * from read_parquet('{october}', hive_partitioning = false) "
            f"where ChargePeriodStart < timestamptz '{first} 00:00:00+00') to '{cut}'"
        )
    cut.replace(october)
    built(home)
    assert warehouse.data_date(home) == through
    keys = ["scope", "scope_value", "currency"]
    both = expected(company).join(expected(home), on=keys, suffix="_late")
    total = both.filter(scope="total", currency="USD").row(0, named=True)
    assert total["estimated_late"] > 0 == total["estimated"]
    assert total["expected_late"] == pytest.approx(total["expected"], rel=0.015)
    assert total["low_late"] <= total["expected"] <= total["high_late"]
