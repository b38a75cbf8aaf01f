"""Azure's exports: what its meters mean, what a commitment adds up to, and what a shared sample comes to."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import vocabulary
from finops_lib.lake import Home

SAMPLES = Path(__file__).parent.parent / "data" / "samples"


@pytest.fixture(scope="module")
def words() -> duckdb.DuckDBPyConnection:
    db = duckdb.connect()
    vocabulary(db)
    return db


@pytest.mark.parametrize(
    ("family", "meter", "model", "kind", "tier", "scope"),
    [
        ("Azure OpenAI", "gpt-4o-mini-0718-Batch-Inp-glbl Tokens", "gpt-4o-mini", "input_uncached", "batch", "global"),
        ("Azure OpenAI", "gpt 4.1 cached Inp Data Zone Tokens", "gpt-4.1", "cache_read", "standard", "geo"),
        ("Azure OpenAI", "gpt-4o-0806-Outp-regnl Tokens", "gpt-4o", "output", "standard", "regional"),
        ("Azure OpenAI", "gpt-4o-0806-FT-inp-glbl Tokens", "ft:gpt-4o", "input_uncached", "standard", "global"),
        ("Azure OpenAI", "gpt-4o-0806-FT-Trng-glbl tkn Tokens", "gpt-4o", None, "standard", "global"),
        ("Azure OpenAI", "gpt-4o-rt-aud-1217 cchd Inp glbl Tokens", "gpt-4o-realtime-preview", "cache_read", "standard",
         "global"),
        ("Azure OpenAI", "gpt4omini-aud1217-txt Outp glbl Tokens", "gpt-4o-mini-audio-preview", "output", "standard",
         "global"),
        ("Azure OpenAI", "gpt-image-1-inp-cached-img-glbl Tokens", "gpt-image-1", "cache_read", "standard", "global"),
        ("Azure OpenAI", "gpt-35-turbo16K-0125 Inp-glbl Tokens", "gpt-3.5-turbo-16k", "input_uncached", "standard",
         "global"),
        ("Azure OpenAI", "gpt-4-8K-Inp-glbl Tokens", "gpt-4", "input_uncached", "standard", "global"),
        ("Azure OpenAI", "embedding-ada-glbl Tokens", "text-embedding-ada-002", "input_uncached", "standard", "global"),
        ("Azure OpenAI GPT5", "5.4 nano pp Inp Gl 1M Tokens", "gpt-5.4-nano", "input_uncached", "priority", "global"),
        ("Azure OpenAI GPT5", "5.1 flex opt Dz 1M Tokens", "gpt-5.1", "output", "flex", "geo"),
        ("Azure OpenAI GPT5", "5.4 Cd Wr Std Gl 1M Tokens", "gpt-5.4", "cache_write_5m", "standard", "global"),
        ("Azure OpenAI GPT5", "GPT 5 Chat cchd Inpt Glbl 1M Tokens", "gpt-5-chat", "cache_read", "standard", "global"),
        ("Azure OpenAI Reasoning", "o4-mini 0416 Inp glbl Tokens", "o4-mini", "input_uncached", "standard", "global"),
        ("Azure Deepseek Models", "V3-0324 Outp DZone Tokens", "deepseek-v3", "output", "standard", "geo"),
        ("Azure Fireworks Models", "FW GLM 5.2 Inp DZ Tokens", "glm-5.2", "input_uncached", "standard", "geo"),
        ("MAI Models", "Image 2.5 Flash Image Input glbl Tokens", "mai-image-2.5-flash", "input_uncached", "standard",
         "global"),
    ],
)  # fmt: skip
def test_a_meter_tells_model_direction_tier_and_region_scope(
    words: duckdb.DuckDBPyConnection, family: str, meter: str, model: str, kind: str | None, tier: str, scope: str
) -> None:
    [found] = words.execute(
        "select azure_model(w, $2), azure_token_kind(w), azure_service_tier(w), azure_region_scope(w) "
        "from (select azure_words($1) as w)",
        [meter, family],
    ).fetchall()
    assert found == (model, kind, tier, scope)


def test_used_and_unused_parts_of_a_commitment_are_what_was_billed_for_it(home: Home) -> None:
    folder = SAMPLES / "azure_amortized"
    assert ingest(home, [folder / "amortized.csv", folder / "actual.csv"], data_docs=False).refused == []
    charges = warehouse.dataset(home, "cost_and_usage").filter(pl.col("CommitmentDiscountId").is_not_null())
    found = {}
    for (commitment,), rows in charges.group_by("CommitmentDiscountType"):
        of = {s: r for (s,), r in rows.group_by("CommitmentDiscountStatus")}
        found[commitment] = (of[None]["BilledCost"].sum(), of["Used"]["EffectiveCost"].sum(),
                             of["Unused"]["EffectiveCost"].sum(), of["Used"]["BilledCost"].sum())  # fmt: skip
        assert rows["CommitmentDiscountId"].n_unique() == 1
    assert found == {
        "Reservation": (Decimal("12.95"), Decimal("4.2"), Decimal("8.75"), Decimal(0)),
        "Savings Plan": (Decimal("3.0625"), Decimal("2.625"), Decimal("0.4375"), Decimal(0)),
    }


def test_costs_in_the_pricing_currency_add_up_beside_those_billed(home: Home) -> None:
    ingest(home, [SAMPLES / "azure_actual" / "mca_day_first.csv"], data_docs=False)
    charges = warehouse.dataset(home, "cost_and_usage").filter(pl.col("PricingCurrency") == "USD")
    assert charges["EffectiveCost"].sum() == Decimal("11.470086")
    assert charges["PricingCurrencyEffectiveCost"].sum() == Decimal("14.3370370367")


@pytest.mark.parametrize(
    ("file", "outcome"),
    [
        ("BOM.csv", "refused: BOM.csv, row 1, column PreTaxCost: found nothing, wanted a value (a number)"),
        ("MissingBrackets.csv", "refused: MissingBrackets.csv: no source reads this file. The nearest is azure_actual, "
                                "which also needs the column billing_currency"),
        ("German.csv", "published: account 11111111-12ab-34dc-56ef-123456abcdef, 2021-02: 1 row, billed USD 0.075"),
        ("EnterpriseCamel.csv", "published: account 11111111-1111-1111-1111-123456789012, 2021-02: 1 row, billed USD "
                                "0.012"),
        ("azure_camelCased.csv", "published: account 2639de71-ca37-4a17-a104-17665a50e7fc, 2019-07: 3 rows, billed USD "
                                 "0.00011016"),
        ("EA-Reservations-Recommendations.csv", "refused: EA-Reservations-Recommendations.csv: These are Azure's "
                                                "advice what to reserve, not charges: nothing of it was bought"),
        ("EA_NoRows.csv", "empty: EA_NoRows.csv: holds a header and no rows; nothing to publish."),
    ],
)  # fmt: skip
def test_exports_of_others_come_in_or_say_why_not(home: Home, shared_samples: Path, file: str, outcome: str) -> None:
    first = ingest(home, [shared_samples / "azure" / file], data_docs=False).outcomes[0]
    said = f"{first.status}: {first.message}".replace("cost_and_usage from azure_actual, ", "")
    assert said.startswith(outcome)


def test_a_charge_type_that_is_not_known_is_the_only_reason_said(home: Home, tmp_path: Path) -> None:
    header = (
        "billingAccountId,billingPeriodStartDate,subscriptionId,date,chargeType,cost,billingCurrency,meterCategory,"
        "consumedService,meterId\n"
    )
    rows = [f"a,2026-09-01,s,2026-09-03,{kind},2.5,EUR,Storage,Microsoft.Storage,m\n" for kind in ("Usage", "Barter")]
    for n, lines in enumerate([rows, rows[1:]]):
        (tmp_path / f"{n}.csv").write_text(header + "".join(lines))
        [refused] = ingest(home, [tmp_path / f"{n}.csv"], data_docs=False).refused
        assert refused.message.startswith(
            f"{n}.csv, row {2 - n}, column charge_type (which gives ChargeCategory): found 'Barter', wanted a value."
        )


def test_rows_that_are_alike_are_matched_one_by_one_and_none_is_lost(home: Home, tmp_path: Path) -> None:
    columns = (
        "billingAccountId,billingPeriodStartDate,subscriptionId,date,chargeType,costInBillingCurrency,billingCurrency,"
        "meterCategory,consumedService,meterId"
    )

    def export(name: str, *costs: tuple[str, str]) -> Path:
        rows = [f"a,2026-09-01,s,{day},Usage,{cost},EUR,Storage,Microsoft.Storage,m" for day, cost in costs]
        file = tmp_path / f"{name}.csv"
        file.write_text("\n".join([columns, *rows]) + "\n")
        return file

    third, fourth = "2026-09-03", "2026-09-04"
    actual = export("actual", (third, "2.5"), (third, "2.5"), (fourth, "7"))
    amortized = export("amortized", (third, "2.5"), (third, "2.5"), (third, "0.25"), (fourth, "1"), (fourth, "6"))
    assert ingest(home, [actual, amortized], data_docs=False).refused == []
    charges = warehouse.dataset(home, "cost_and_usage")
    daily = charges.group_by(pl.col("ChargePeriodStart").dt.day()).agg(
        pl.len(), pl.col("BilledCost", "EffectiveCost").sum()
    )
    assert sorted(daily.rows()) == [(3, 3, Decimal(5), Decimal("5.25")), (4, 2, Decimal(7), Decimal(7))]
