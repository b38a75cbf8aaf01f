"""The sample company: reproducible, exact to the last digit, and honest about what was planted."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from finops_lib import samples
from finops_lib.contract import contract, contracts
from finops_lib.errors import UsageError
from finops_lib.samples import company as co
from finops_lib.samples.base import prices
from finops_lib.samples.plan import undated

ZERO = Decimal(0)
MONTHS = 11  # from December 2025: the last legacy report, and every event of 2026


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("samples")
    samples.write(out, months=MONTHS)
    return out


@pytest.fixture(scope="module")
def truth(written: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((written / "truth.json").read_text(encoding="utf-8"))
    return found


def test_the_same_seed_gives_the_same_bytes_however_many_months_are_asked_for(written: Path, tmp_path: Path) -> None:
    files = samples.write(tmp_path, months=2)
    assert all(file.exists() for file in files)
    monthly = [f.relative_to(tmp_path) for f in files if "plan" not in f.parts and f.name != "truth.json"]
    assert len(monthly) > 20
    assert [f for f in monthly if (tmp_path / f).read_bytes() != (written / f).read_bytes()] == []


def test_another_seed_gives_another_bill(written: Path, tmp_path: Path) -> None:
    samples.write(tmp_path, months=1, seed=8)
    name = "inbox/openai/openai-costs-2026-10.json"
    assert (tmp_path / name).read_bytes() != (written / name).read_bytes()


def test_scale_multiplies_the_rows(written: Path, tmp_path: Path) -> None:
    samples.write(tmp_path, months=1, scale=3)
    one, three = (next((folder / "inbox/aws").rglob("*2026-10/*.parquet")) for folder in (written, tmp_path))
    assert 2.8 < pl.read_parquet(three).height / pl.read_parquet(one).height < 3.2


def test_no_months_are_refused_with_what_was_wanted(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"^The samples were asked for 0 months at scale 1\. Both must be 1 or more\.$"
    ):
        samples.write(tmp_path, months=0)


# What stands in the files, read with nothing of the generator's.


def aws_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Line items of both report formats under the names of CUR 2.0, with `month`."""
    for file in sorted(folder.rglob("*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as text:
            for row in csv.DictReader(text):
                yield {
                    "month": row["bill/BillingPeriodStartDate"][:7],
                    "kind": row["lineItem/LineItemType"],
                    "cost": Decimal(row["lineItem/UnblendedCost"]),
                    "plan_cost": Decimal(row["savingsPlan/SavingsPlanEffectiveCost"] or 0),
                    "plan_total": Decimal(row["savingsPlan/TotalCommitmentToDate"] or 0),
                    "plan_used": Decimal(row["savingsPlan/UsedCommitment"] or 0),
                    "reserved_cost": Decimal(row["reservation/EffectiveCost"] or 0),
                    "reserved_unused": Decimal(row["reservation/UnusedRecurringFee"] or 0),
                    "team": row["resourceTags/user:team"],
                }
    for file in sorted(folder.rglob("*.parquet")):
        for row in pl.read_parquet(file).iter_rows(named=True):
            yield {
                "month": f"{row['bill_billing_period_start_date']:%Y-%m}",
                "kind": row["line_item_line_item_type"],
                "cost": decimal(row["line_item_unblended_cost"]),
                "plan_cost": decimal(row["savings_plan_savings_plan_effective_cost"]),
                "plan_total": decimal(row["savings_plan_total_commitment_to_date"]),
                "plan_used": decimal(row["savings_plan_used_commitment"]),
                "reserved_cost": decimal(row["reservation_effective_cost"]),
                "reserved_unused": decimal(row["reservation_unused_recurring_fee"]),
                "team": row["resource_tags"].get("user_team", ""),
            }


def azure_rows(folder: Path, kind: str) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob(f"inbox/azure/EA_{kind}Cost_*.csv")):
        with file.open(encoding="utf-8-sig", newline="") as text:
            for row in csv.DictReader(text):
                yield row | {"month": f"{file.stem[-6:-2]}-{file.stem[-2:]}", "Cost": Decimal(row["Cost"])}


def gcp_rows(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("inbox/gcp/*")):
        rows = (
            pl.read_parquet(file).iter_rows(named=True)
            if file.suffix == ".parquet"
            else (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
        )
        yield from ({**row, "month": file.stem[-7:]} for row in rows)


def pages(folder: Path, pattern: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Buckets of JSON pages with the month of their file."""
    for file in sorted(folder.glob(pattern)):
        for bucket in json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)["data"]:
            yield file.stem[-7:], bucket


def decimal(value: float | str | None) -> Decimal:
    """A number as its shortest text says it."""
    return Decimal(str(value)) if value is not None else ZERO


def billed_and_effective(folder: Path) -> dict[tuple[str, str], list[Decimal]]:
    """Per vendor and month, straight from the vendors' own fields."""
    found: dict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])

    def add(vendor: str, month: str, billed: Decimal, effective: Decimal) -> None:
        found[vendor, month][0] += billed
        found[vendor, month][1] += effective

    for row in aws_lines(folder / "inbox/aws"):
        effective = {
            "SavingsPlanCoveredUsage": row["plan_cost"],
            "SavingsPlanNegation": ZERO,
            "SavingsPlanRecurringFee": row["plan_total"] - row["plan_used"],
            "DiscountedUsage": row["reserved_cost"],
            "RIFee": row["reserved_unused"],
        }.get(row["kind"], row["cost"])
        add(co.AWS, row["month"], row["cost"], effective)
    for row in azure_rows(folder, "Actual"):
        add(co.AZURE, row["month"], row["Cost"], ZERO)
    for row in azure_rows(folder, "Amortized"):
        add(co.AZURE, row["month"], ZERO, row["Cost"])
    for row in gcp_rows(folder):
        cost = decimal(row["cost"]) + sum((decimal(c["amount"]) for c in row["credits"]), ZERO)
        add(co.GCP, row["month"], cost, cost)
    for month, bucket in pages(folder, "inbox/openai/openai-costs-*.json"):
        for result in bucket["results"]:
            add(co.OPENAI, month, Decimal(result["amount"]["value"]), Decimal(result["amount"]["value"]))
    for month, bucket in pages(folder, "inbox/anthropic/anthropic-cost-report-*.json"):
        for result in bucket["results"]:
            add(co.ANTHROPIC, month, Decimal(result["amount"]) / 100, Decimal(result["amount"]) / 100)
    return found


def test_every_total_of_the_truth_stands_in_the_files(written: Path, truth: dict[str, Any]) -> None:
    told = {(t["vendor"], t["month"]): [Decimal(t["billed"]), Decimal(t["effective"])] for t in truth["totals"]}
    assert len(told) == 5 * MONTHS
    assert billed_and_effective(written) == told


def test_the_teams_of_the_truth_add_up_to_its_totals(truth: dict[str, Any]) -> None:
    by_team: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for row in truth["teams"]:
        by_team[row["vendor"], row["month"]] += Decimal(row["effective"])
    assert by_team == {(t["vendor"], t["month"]): Decimal(t["effective"]) for t in truth["totals"]}
    assert {row["team"] for row in truth["teams"]} == {*co.TEAMS, "visoin", "unallocated"}


def test_between_six_and_ten_percent_stay_unallocated(truth: dict[str, Any]) -> None:
    assert {u["currency"]: 0.06 < u["share"] < 0.10 for u in truth["unallocated"]} == {"EUR": True, "USD": True}


def test_aws_commitments_add_up_to_their_fees_to_the_last_digit(written: Path, truth: dict[str, Any]) -> None:
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for row in aws_lines(written / "inbox/aws"):
        for column in ("cost", "plan_cost", "plan_total", "plan_used", "reserved_cost", "reserved_unused"):
            sums[row["kind"]][column] += row[column]
    fee = sums["SavingsPlanRecurringFee"]
    assert fee["cost"] == fee["plan_total"] > 0
    assert sums["SavingsPlanCoveredUsage"]["plan_cost"] == fee["plan_used"]
    assert sums["SavingsPlanCoveredUsage"]["cost"] == -sums["SavingsPlanNegation"]["cost"] > 0
    unused = sums["RIFee"]["reserved_unused"]
    assert sums["RIFee"]["cost"] == sums["DiscountedUsage"]["reserved_cost"] + unused
    assert unused > 0
    told = [c for c in truth["commitments"] if c["vendor"] == co.AWS]
    assert sum(Decimal(c["purchased"]) for c in told) == fee["cost"] + sums["RIFee"]["cost"]
    assert sum(Decimal(c["unused"]) for c in told) == fee["plan_total"] - fee["plan_used"] + unused


def test_azure_actual_and_amortized_agree_on_all_that_is_not_committed(written: Path) -> None:
    actual, amortized = (list(azure_rows(written, kind)) for kind in ("Actual", "Amortized"))
    loose = [[r for r in rows if r["PricingModel"] == "OnDemand"] for rows in (actual, amortized)]
    assert loose[0] == loose[1]
    assert len(loose[0]) > 5000
    free = [r for r in actual if r["PricingModel"] == "Reservation" and r["ChargeType"] == "Usage"]
    priced = [r for r in amortized if r["PricingModel"] == "Reservation" and r["ChargeType"] == "Usage"]
    assert [r["Quantity"] for r in free] == [r["Quantity"] for r in priced]
    assert {r["Cost"] for r in free} == {ZERO}


def test_the_azure_reservation_adds_up_month_by_month(written: Path, truth: dict[str, Any]) -> None:
    bought: dict[str, Decimal] = defaultdict(lambda: ZERO)
    spread: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"Usage": ZERO, "UnusedReservation": ZERO})
    for row in azure_rows(written, "Actual"):
        bought[row["month"]] += row["Cost"] if row["ChargeType"] == "Purchase" else ZERO
    for row in azure_rows(written, "Amortized"):
        if row["PricingModel"] == "Reservation":
            spread[row["month"]][row["ChargeType"]] += row["Cost"]
    assert bought == {month: sum(parts.values()) for month, parts in spread.items()}
    told = {c["month"]: Decimal(c["unused"]) for c in truth["commitments"] if c["vendor"] == co.AZURE}
    assert {month: parts["UnusedReservation"] for month, parts in spread.items()} == told


def test_azure_rows_cost_their_quantity_times_their_price_and_hold_no_braces(written: Path) -> None:
    rows = list(azure_rows(written, "Actual"))
    assert {r["Cost"] - Decimal(r["Quantity"]) * Decimal(r["EffectivePrice"]) for r in rows} == {ZERO}
    assert not [r["Tags"] for r in rows if r["Tags"].startswith("{")]
    assert all((written / f"inbox/azure/EA_{k}Cost_202610.csv").read_bytes()[:3] == b"\xef\xbb\xbf" for k in
               ("Actual", "Amortized"))  # fmt: skip


def test_openai_costs_are_usage_times_the_price_of_the_day(written: Path) -> None:
    expected: dict[tuple[int, str, str], Decimal] = {}
    for pattern in ("completions", "embeddings"):
        for _, bucket in pages(written, f"inbox/openai/openai-usage-{pattern}-*.json"):
            day = datetime.fromtimestamp(bucket["start_time"], UTC).date()
            for use in bucket["results"]:
                price = prices(co.OPENAI, use["model"], day)
                cached = use.get("input_cached_tokens", 0)
                for kind, tokens, each in (
                    ("input", use["input_tokens"] - cached, price.input_uncached),
                    ("cached input", cached, price.cache_read),
                    ("output", use.get("output_tokens", 0), price.output),
                ):
                    if tokens:
                        item = f"{use['model']}, {kind}"
                        expected[bucket["start_time"], use["api_key_id"], item] = tokens * each / 1_000_000
    billed = {
        (bucket["start_time"], result["api_key_id"], result["line_item"]): Decimal(result["amount"]["value"])
        for _, bucket in pages(written, "inbox/openai/openai-costs-*.json")
        for result in bucket["results"]
        if result["quantity_unit"] == "tokens"
    }
    assert billed == expected
    assert len(billed) > 10_000


def test_anthropic_cents_are_usage_times_the_price_of_the_day(written: Path) -> None:
    expected: dict[tuple[str, str | None, str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for _, bucket in pages(written, "inbox/anthropic/anthropic-usage-report-messages-*.json"):
        for use in bucket["results"]:
            price = prices(co.ANTHROPIC, use["model"], date.fromisoformat(bucket["starting_at"][:10]))
            share = Decimal("0.5") if use["service_tier"] == "batch" else Decimal(1)
            for token_type, tokens, each in (
                ("uncached_input_tokens", use["uncached_input_tokens"], price.input_uncached),
                ("cache_read_input_tokens", use["cache_read_input_tokens"], price.cache_read),
                (
                    "cache_creation.ephemeral_5m_input_tokens",
                    use["cache_creation"]["ephemeral_5m_input_tokens"],
                    price.cache_write_5m,
                ),
                ("output_tokens", use["output_tokens"], price.output),
            ):
                if tokens:
                    cell = (bucket["starting_at"], use["workspace_id"], use["model"], use["service_tier"], token_type)
                    expected[cell] += tokens * each * share / 10_000
    billed = {
        (b["starting_at"], r["workspace_id"], r["model"], r["service_tier"], r["token_type"]): Decimal(r["amount"])
        for _, b in pages(written, "inbox/anthropic/anthropic-cost-report-*.json")
        for r in b["results"]
        if r["cost_type"] == "tokens"
    }
    assert billed == expected
    assert len(billed) > 5_000


@pytest.mark.parametrize(
    "price", [p for p in co.PRICES if p.vendor in (co.OPENAI, co.ANTHROPIC)], ids=lambda p: p.model
)
def test_model_vendors_charge_their_list_price(price: co.Price) -> None:
    from genai_prices import Usage, calc_price

    later = [p.since for p in co.PRICES if (p.vendor, p.model) == (price.vendor, price.model) and p.since > price.since]
    day = max(price.since, date(2025, 5, 1)) if later else co.LAST_DAY
    used = {
        "input_uncached": Usage(input_tokens=1000),
        "output": Usage(output_tokens=1000),
        "cache_read": Usage(input_tokens=1000, cache_read_tokens=1000),
        "cache_write_5m": Usage(input_tokens=1000, cache_write_tokens=1000),
    }
    for kind, usage in used.items():
        if getattr(price, kind):
            listed = calc_price(
                usage, price.model, provider_id=price.vendor.lower(),
                genai_request_timestamp=datetime(day.year, day.month, day.day, tzinfo=UTC),
            )  # fmt: skip
            assert listed.total_price * 1000 == getattr(price, kind), kind


def test_the_late_correction_changes_one_closed_month_by_what_the_truth_says(
    written: Path, truth: dict[str, Any]
) -> None:
    correction = truth["late_correction"]
    again = list(aws_lines(written / "corrections"))
    before = [row for row in aws_lines(written / "inbox/aws") if row["month"] == correction["month"]]
    assert {row["month"] for row in again} == {"2026-09"}
    assert len(again) == len(before) == correction["rows"]
    change = sum(row["cost"] for row in again) - sum(row["cost"] for row in before)
    assert change == Decimal(correction["billed_change"]) < -1000
    assert sum(row["cost"] for row in again) == Decimal(correction["billed_after"])
    relative = Path(correction["file"]).relative_to("corrections")
    assert (written / "inbox" / relative).exists()


def test_the_runaway_key_cost_what_the_truth_says(written: Path, truth: dict[str, Any]) -> None:
    runaway = truth["runaway_key"]
    daily: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for _, bucket in pages(written, "inbox/openai/openai-costs-2026-09.json"):
        for result in bucket["results"]:
            if result["api_key_id"] == runaway["api_key_id"]:
                day = datetime.fromtimestamp(bucket["start_time"], UTC).date().isoformat()
                daily[day] += Decimal(result["amount"]["value"])
    mad = {d["date"]: Decimal(d["billed"]) for d in runaway["days"]}
    assert {day: daily[day] for day in mad} == mad
    assert sum(mad.values()) == Decimal(runaway["billed"])
    assert min(mad.values()) > 15 * max(cost for day, cost in daily.items() if day not in mad)


def test_the_price_cut_shows_in_what_a_million_tokens_cost(written: Path, truth: dict[str, Any]) -> None:
    (cut,) = truth["price_cuts"]
    assert (cut["model"], cut["date"]) == ("gpt-5.6-luna", "2026-07-30")
    paid = defaultdict(set)
    for _, bucket in pages(written, "inbox/openai/openai-costs-*.json"):
        day = datetime.fromtimestamp(bucket["start_time"], UTC).date().isoformat()
        for result in bucket["results"]:
            if result["line_item"] == f"{cut['model']}, output":
                paid[day < cut["date"]].add(Decimal(result["amount"]["value"]) / result["quantity"] * 1_000_000)
    assert paid == {
        True: {Decimal(cut["per_1m_tokens_before"]["output"])},
        False: {Decimal(cut["per_1m_tokens_after"]["output"])},
    }


def test_the_abandoned_experiment_is_billed_but_has_no_runs(written: Path, truth: dict[str, Any]) -> None:
    lost = truth["abandoned_experiment"]
    runs = pl.concat(
        pl.read_csv(f, infer_schema=False) for f in sorted(written.glob("inbox/telemetry/training_run-*.csv"))
    )
    last = runs.filter(pl.col("use_case") == lost["use_case"])["started_at"].max()
    assert isinstance(last, str)
    assert last < lost["first_day_without_runs"]
    october = pl.read_parquet(next((written / "inbox/aws").rglob("BILLING_PERIOD=2026-10/*.parquet")))
    assert set(lost["resources"]) <= set(october["line_item_resource_id"])
    busy = pl.read_csv(written / "inbox/telemetry/gpu_utilization-2026-10.csv", infer_schema=False)
    idle = busy.filter(pl.col("resource_id").is_in(lost["resources"]))["utilization_ratio"].drop_nulls()
    assert max(map(float, idle)) < 0.01


def test_the_promoted_pilot_moves_its_project_on_the_day(written: Path, truth: dict[str, Any]) -> None:
    days: dict[str, set[str]] = defaultdict(set)
    for _, bucket in pages(written, "inbox/openai/openai-costs-*.json"):
        for result in bucket["results"]:
            days[result["project_id"]].add(datetime.fromtimestamp(bucket["start_time"], UTC).date().isoformat())
    assert max(days["proj_voice_pilot"]) < truth["promotion"]["date"] == min(days["proj_voice_prod"])


def test_misspelt_teams_stand_in_the_bill_and_only_the_mended_ones_in_the_plan(
    written: Path, truth: dict[str, Any]
) -> None:
    billed = {row["team"] for row in aws_lines(written / "inbox/aws")}
    rules = pl.read_csv(written / "plan/tag_rule.csv", infer_schema_length=None)
    aliases = pl.read_csv(written / "plan/tag_alias.csv", infer_schema_length=None)
    told = {*rules.filter(dimension="team")["pattern"], *aliases["alias"]}
    faults = {f["value"]: f for f in truth["tag_faults"] if f["value"]}
    assert set(faults) == {"suport-bot", "recomendations", "Data Plattform", "visoin"}
    assert {value: (value in billed, value in told) for value in faults} == {
        value: (True, fault["repaired"]) for value, fault in faults.items()
    }
    assert {f["workload"]: f["team_found"] for f in truth["tag_faults"] if f["value"] == "visoin"} == {
        "vision-label": "visoin"
    }


def test_plan_and_telemetry_have_the_columns_and_keys_of_their_contracts(written: Path) -> None:
    plan = {f.stem: [f] for f in sorted(written.glob("plan/*.csv"))}
    assert set(plan) == {c.dataset for c in contracts().values() if c.plan}
    for name in ("gpu_utilization", "training_run", "function_run", "outcome"):
        plan[name] = sorted(written.glob(f"inbox/telemetry/{name}-*.csv"))
        assert len(plan[name]) == MONTHS
    for name, files in plan.items():
        wanted = contract(name)
        frame = pl.concat(pl.read_csv(f, infer_schema=False) for f in files)
        known = wanted.delivered_columns
        assert frame.columns == [c.name for c in known if c.name in frame.columns], name
        assert {c.name for c in known if not c.nulls} <= set(frame.columns), name
        key = [k for k in wanted.key if k in frame.columns]
        assert frame.select(key).is_duplicated().sum() == 0, name


def test_the_one_unapproved_model_is_used_and_not_in_the_plan(written: Path, truth: dict[str, Any]) -> None:
    used = {
        undated(result["model"])
        for _, bucket in pages(written, "inbox/openai/openai-usage-*.json")
        for result in bucket["results"]
    }
    approved = pl.read_csv(written / "plan/approved_service.csv").filter(service_provider_name=co.OPENAI)["model"]
    assert used - set(approved) == {truth["unapproved_model"]["model"]}
