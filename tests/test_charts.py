"""Charts say the number that is in their frame, in one colour per thing, and a sentence where there is nothing."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from marts_by_hand import DATA_DATE, empty, everything

from finops_lib import charts
from finops_lib.analysis import forecast, roi, spend, views
from finops_lib.errors import UsageError

MONTH = "2026-10"
Marts = dict[str, pl.DataFrame]


def _usd(frame: pl.DataFrame) -> pl.DataFrame:
    column = "billing_currency" if "billing_currency" in frame.columns else "currency"
    return frame.filter(pl.col(column) == "USD")


def _forecast(m: Marts) -> charts.Chart:
    history = spend.daily_history(m["fct_allocated_cost"], data_through=DATA_DATE)
    return charts.forecast(
        _usd(views.forecast_path(m["fct_forecast"], history=m["fct_daily_cost"], budgets=m["fct_company_budget"])),
        outlook=forecast.outlook(m["fct_forecast"], history, m["fct_budget_scope"]),
        accuracy=views.accuracy(m["fct_forecast_accuracy"]),
        data_date=DATA_DATE,
    )


DRAWN: dict[str, Callable[[Marts], charts.Chart]] = {
    "spend": lambda m: charts.spend(
        _usd(views.spend(m["fct_monthly_cost"], month=MONTH, data_date=DATA_DATE)), data_date=DATA_DATE
    ),
    "teams": lambda m: charts.teams(
        _usd(views.teams(m["fct_showback"], m["fct_kpi"], month=MONTH)), month=MONTH, data_date=DATA_DATE
    ),
    "tokens": lambda m: charts.token_prices(
        _usd(views.token_prices(m["fct_model_unit_cost"], m["fct_kpi"], month=MONTH, data_date=DATA_DATE)),
        data_date=DATA_DATE,
    ),
    "requests": lambda m: charts.requests(
        _usd(views.requests(m["fct_model_unit_cost"], month=MONTH)), month=MONTH, data_date=DATA_DATE
    ),
    "lifecycle": lambda m: charts.lifecycle(
        _usd(views.lifecycles(m["fct_lifecycle_share"], month=MONTH, data_date=DATA_DATE)), data_date=DATA_DATE
    ),
    "training": lambda m: charts.training(
        views.training_runs(m["fct_training_run_cost"], month=MONTH), month=MONTH, data_date=DATA_DATE
    ),
    "budgets": lambda m: charts.budgets(
        _usd(views.budgets(m["fct_budget_status"], month=MONTH)), month=MONTH, data_date=DATA_DATE
    ),
    "forecast": _forecast,
    "roi": lambda m: charts.roi(m["fct_use_case_return"], data_date=DATA_DATE),
    "sensitivity": lambda m: charts.sensitivity(
        views.closest_calls(roi.sensitivity(m["fct_use_case_value"], m["fct_use_case_return"])), data_date=DATA_DATE
    ),
}

SAYS = {
    "spend": "AWS is 71 % of October's USD 100 to date; September rose 33 % on August.",
    "teams": "94 % of USD 100 has a team; search costs most: USD 64, 64 %.",
    "tokens": "1M tokens cost USD 2.5 in October to date; gpt-a fell most, by 50 % in September 2026.",
    "requests": "A thousand requests cost USD 20 on gpt-a and USD 0.5 on gpt-b.",
    "lifecycle": "Experiments cost 40 % of what production costs in October 2026 to date, over the 30 % threshold.",
    "training": "2 training runs cost USD 100; USD 25 of it went into runs that never finished.",
    "budgets": "1 of 3 budgets is over and 1 at risk in October 2026 to date, 1 without an expectation; "
    "search is expected to end at 117 %.",
    "forecast": "October is expected to end at USD 121, 10 % over its budget of USD 110; 2026 at USD 121.",
    "roi": "search returns most: +67 % on USD 60; 1 of 2 use cases cost more than brought.",
    "sensitivity": "pilot: running cost matters most; 20 % off, it takes the net present value from USD −4.96 to "
    "USD −8.93.",
}


def test_every_chart_is_tried_here() -> None:
    assert set(DRAWN) == set(SAYS) == set(charts.NEEDS)


@pytest.mark.parametrize("name", DRAWN)
def test_a_title_states_the_number_of_the_frame(name: str) -> None:
    assert charts.finding(DRAWN[name](everything())) == SAYS[name]


@pytest.mark.parametrize("name", DRAWN)
def test_a_subtitle_names_basis_currency_and_data_date(name: str) -> None:
    said = charts.basis(DRAWN[name](everything()))
    assert said.startswith("Effective cost, USD")
    assert said.endswith("data through 25 October 2026")


@pytest.mark.parametrize("name", DRAWN)
def test_a_chart_is_valid_and_draws_the_same_picture_twice_without_asking_anyone(name: str) -> None:
    drawn = [charts.svg(DRAWN[name](everything()), name="a") for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert 'role="img" aria-labelledby="a-title"' in drawn[0]
    assert "href" not in drawn[0]
    assert "http" not in drawn[0].replace("http://www.w3.org/", "")
    assert "NaN" not in drawn[0]
    assert "undefined" not in drawn[0]


@pytest.mark.parametrize("name", DRAWN)
def test_an_empty_frame_gives_a_sentence_that_says_what_brings_it(name: str) -> None:
    chart = DRAWN[name](empty())
    assert not charts.shows(chart)
    (rows,) = chart.to_dict()["datasets"].values()
    said = rows[0]["text"]
    assert said.replace("\n", " ") == charts.NEEDS[name].replace("`", "")
    assert "finops" in said


def test_two_currencies_are_refused_and_never_drawn_as_one() -> None:
    both = views.spend(everything()["fct_monthly_cost"], month=MONTH, data_date=DATA_DATE)
    with pytest.raises(
        UsageError, match=r"^A chart shows one billing currency and was given EUR, USD: filter its frame\.$"
    ):
        charts.spend(both, data_date=DATA_DATE)


def test_an_open_month_is_paler_and_says_to_date() -> None:
    bars = DRAWN["spend"](everything()).to_dict()["layer"][0]["encoding"]
    assert bars["opacity"]["condition"] == {"test": "datum.to_date", "value": 0.5}
    assert "indexof(['2026-10'], datum.value) >= 0 ? 'to date'" in bars["x"]["axis"]["labelExpr"]


def test_a_vendor_has_the_same_colour_in_every_chart() -> None:
    def colours(name: str) -> dict[str, str]:
        scale = DRAWN[name](everything()).to_dict()["layer"][0]["encoding"]["color"]["scale"]
        return dict(zip(scale["domain"], scale["range"], strict=True))

    assert colours("spend")["OpenAI"] == colours("tokens")["OpenAI"] == colours("requests")["OpenAI"] == charts.BLUE


@pytest.mark.parametrize(
    "group",
    [
        ("AWS", "Microsoft", "Google Cloud", "OpenAI", "Anthropic"),
        ("direct", "shared", "unallocated"),
        ("experiment", "production", "unknown"),
        ("actual", "forecast", "budget"),
        ("within", "at risk", "over", "no spend"),
        ("finished", "running", "stopped", "failed"),
        ("gain", "loss"),
    ],
)
def test_things_that_stand_side_by_side_never_share_a_colour(group: tuple[str, ...]) -> None:
    assert len({charts.colour(thing) for thing in group}) == len(group)


def test_a_vendor_nobody_foresaw_has_a_colour_of_its_own() -> None:
    assert charts.colour("Oracle") == charts.colour("Oracle")
    assert charts.colour("Oracle", [charts.colour("Oracle")]) != charts.colour("Oracle")


def test_text_of_a_bill_stays_text_in_a_drawing() -> None:
    marts = everything()
    evil = marts["fct_showback"].with_columns(team=pl.lit("<script>alert(1)</script>"))
    assert "<script" not in charts.svg(DRAWN["teams"]({**marts, "fct_showback": evil}), name="a")


def test_a_budget_that_is_expected_by_share_or_not_at_all_says_so_beside_its_bar() -> None:
    own = _usd(views.budgets(everything()["fct_budget_status"], month=MONTH))
    by_share = own.with_columns(
        expectation_basis=pl.when(pl.col("budget_name") == "company").then(pl.lit("share of total forecast"))
    )
    spec = str(charts.budgets(by_share, month=MONTH, data_date=DATA_DATE).to_dict())
    for label in ("over · 70 of 60", "at risk · 121 of 110 (by share)", "unknown · 20 spent of 50"):
        assert f"'{label}'" in spec
    assert "by share: expected by its part of a wider forecast" in spec
    assert "by share" not in str(charts.budgets(own, month=MONTH, data_date=DATA_DATE).to_dict())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (402_183.12, "402k"), (1_284_000, "1.28M"), (999_999, "1M"), (9_999.6, "10k"), (4021.4, "4,021"),
        (12_345, "12.3k"),
        (99.96, "100"), (5, "5"), (2.5, "2.5"), (0, "0"), (0.00312, "0.00312"), (0.000012, "0.000012"),
        (-864.2, "−864"), (3e9, "3B"),
    ],
)  # fmt: skip
def test_an_amount_has_three_digits_that_count(value: float, said: str) -> None:
    assert charts.short(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.0, "100 %"), (0.9996, "99.9 %"), (1.0004, "100.1 %"), (1.0043, "100.5 %"),
        (1.0 + 2e-16, "100 %"), (0.71, "71 %"), (0.076, "7.6 %"), (0.06, "6 %"), (0.0001, "<0.1 %"),
        (0.0, "0 %"), (-0.22, "−22 %"), (1.19, "119 %"), (12.5, "1,250 %"),
    ],
)  # fmt: skip
def test_a_share_that_is_not_all_or_more_than_all_is_never_said_to_be_all(value: float, said: str) -> None:
    assert charts.percent(value) == said


@pytest.mark.parametrize(("value", "said"), [(0.5, "+50 %"), (-0.5, "−50 %"), (0.0, "0 %"), (2e-16, "0 %")])
def test_a_change_has_a_sign_unless_there_is_none(value: float, said: str) -> None:
    assert charts.signed(value) == said


def test_unknown_is_said_and_never_0() -> None:
    assert charts.money(None, "USD") == "unknown"
    assert charts.percent(None) == "an unknown share"


def test_a_notebook_gets_a_picture_with_words() -> None:
    charts.show_in_notebooks()
    data, metadata = DRAWN["roi"](everything())._repr_mimebundle_()
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"].startswith("search returns most")
