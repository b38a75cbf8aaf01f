"""Exports written by others: each is read, to the last digit, or refused for the right reason."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest
from conftest import SHARED

from finops_lib.ingest import ingest
from finops_lib.lake import Home

SAMPLES = SHARED / "sources" / "samples"
UNKNOWN = "no source reads this file. It resembles no export that is known."
NO_AMORTIZED = "; no azure_amortized delivery of this month yet"

OUTCOMES: dict[str, list[tuple[str, str]]] = {
    "aws_cur/2022-07-01-alt-columns.csv": [
        ("published", "cost_and_usage from aws_cur, account 999999, 2022-07: 2 rows, billed USD 0")
    ],
    "aws_cur/2023-06-01-not-final.csv": [
        ("published", "cost_and_usage from aws_cur, account 9999999999999, 2023-06: 4 rows, billed NOK 30")
    ],
    "aws_cur/2023-06-01.csv": [
        ("published", "cost_and_usage from aws_cur, account 0099999999999, 2023-06: 4 rows, billed NOK 30")
    ],
    "aws_cur/MockTestReport-00001.csv.zip": [
        ("published", "cost_and_usage from aws_cur, account 123456789012, 2024-01: 3 rows, billed USD 0.045152")
    ],
    "aws_cur/MockTestReportV2-00001.csv.gz": [
        ("published", "cost_and_usage from aws_cur, account 123456789012, 2024-09: 4 rows, billed USD 0.108304")
    ],
    "aws_cur/*-Manifest.json": [],
    "aws_cur/cur2_columns.json": [("refused", f"cur2_columns.json: {UNKNOWN}")],
    "aws_cur/empty_frame.csv": [("empty", "empty_frame.csv: holds a header and no rows; nothing to publish.")],
    "aws_cur/test_local_bucket_prefix.tar.gz": [
        (
            "published",
            "cost_and_usage from aws_cur, account 4090136019287, 2018-08: 6190 rows, billed USD "
            "29684.780682464855373938",
        )
    ],
    "aws_focus/columns_*.json": [("refused", "columns_")],
    "azure/BOM.csv": [
        ("refused", "BOM.csv, row 1, column PreTaxCost: found nothing, wanted a value (a number)."),
        ("refused", "BOM.csv, row 1, column Currency: found nothing, wanted a value (text)."),
    ],
    "azure/EA-Reservations-Recommendations.csv": [
        (
            "refused",
            "EA-Reservations-Recommendations.csv: These are Azure's advice what to reserve, not charges",
        )
    ],
    "azure/EA_ActualCost_Small.csv": [
        (
            "published",
            f"cost_and_usage from azure_actual, account 8611537, 2023-09: 11 rows, billed USD 8.5450077867419368"
            f"{NO_AMORTIZED}",
        )
    ],
    "azure/EA_AmortizedCost_Small.csv": [
        (
            "held",
            "azure_amortized, account 8611537, 2023-09: kept; its charges appear once the azure_actual export of that "
            "month is delivered too",
        )
    ],
    "azure/EA_NoRows.csv": [("empty", "EA_NoRows.csv: holds a header and no rows; nothing to publish.")],
    "azure/EnterpriseCamel.csv": [
        (
            "published",
            "cost_and_usage from azure_actual, account 11111111-1111-1111-1111-123456789012, 2021-02: 1 row, billed "
            f"USD 0.012{NO_AMORTIZED}",
        )
    ],
    "azure/German.csv": [
        (
            "published",
            "cost_and_usage from azure_actual, account 11111111-12ab-34dc-56ef-123456abcdef, 2021-02: 1 row, billed "
            f"USD 0.075{NO_AMORTIZED}",
        )
    ],
    "azure/MissingBrackets.csv": [
        (
            "refused",
            "MissingBrackets.csv: no source reads this file. The nearest is azure_actual, which also needs the column "
            "billing_currency.",
        )
    ],
    "azure/azure_camelCased.csv": [
        (
            "published",
            "cost_and_usage from azure_actual, account 2639de71-ca37-4a17-a104-17665a50e7fc, 2019-07: 3 rows, billed "
            f"USD 0.00011016{NO_AMORTIZED}",
        )
    ],
    "azure/camel_azure_version_2.csv": [
        (
            "refused",
            "camel_azure_version_2.csv, column date: found '08/01/2023', and nothing in this file tells whether the "
            "month or the day stands first. Deliver it with --dates month-first or --dates day-first",
        )
    ],
    "azure/costreport_*.csv": [
        (
            "published",
            "cost_and_usage from azure_actual, account 0039de71-ca37-4a17-a104-17665a50e7fc, 2019-07: 3 rows, billed "
            f"USD 0.00011016{NO_AMORTIZED}",
        )
    ],
    "azure/schemas/*.json": [("refused", "")],
    "bedrock/invocation_log_converse_stream.json": [
        ("published", "ai_usage from bedrock_invocations, account XXXXXXXXXXXXX, 2025-03: 1 row")
    ],
    "dcgm/default-counters.csv": [("refused", f"default-counters.csv: {UNKNOWN}")],
    "dcgm/readme_sample.prom": [
        (
            "refused",
            "readme_sample.prom, row 8, column instant (which gives usage_start): found nothing, wanted a time",
        ),
        ("refused", "readme_sample.prom, row 8, column instant (which gives usage_end): found nothing, wanted a value"),
        ("note", "readme_sample.prom: 25 of 34 lines hold nothing that dcgm reads."),
    ],
    "focus/focus_1_0_sample.csv": [
        (
            "published",
            "cost_and_usage from focus, account /providers/Microsoft.Billing/billingAccounts/8611537, 2024-09: "
            "51 rows, billed USD 1.97651418586; FOCUS 1.0",
        ),
        (
            "published",
            "cost_and_usage from focus, account 1234567890123, 2024-09: 942 rows, billed USD 18.0066386184; FOCUS 1.0; "
            "repaired: ",
        ),
        (
            "published",
            "cost_and_usage from focus, account 20209880, 2024-09: 6 rows, billed USD 0.29707392473; FOCUS 1.0; "
            "repaired: ChargeFrequency Usage-based → Usage-Based (6 rows)",
        ),
        (
            "published",
            "cost_and_usage from focus, account 20209880, 2024-10: 1 row, billed USD 0.24; FOCUS 1.0; repaired: ",
        ),
    ],
    "gcp/2022-08-01_5.csv": [
        (
            "published",
            "cost_and_usage from gcp_detailed, account 018984-D0AAA4-940B88, 2022-08: 9 rows, billed USD 0.000012",
        )
    ],
    "gcp/bigquery_schema_detailed_resource_v1.json": [
        ("refused", f"bigquery_schema_detailed_resource_v1.json: {UNKNOWN}")
    ],
    "gcp/derived_nested_from_koku.ndjson": [
        ("published", "cost_and_usage from gcp_detailed, account 000000-B0BBA4-940A77, 2020-11: 33 rows, billed USD 0"),
        (
            "published",
            "cost_and_usage from gcp_detailed, account 018984-D0AAA4-940B88, 2022-08: 9 rows, billed USD 0.000012",
        ),
    ],
    "lambda/cloudwatch_log.json": [
        ("empty", "cloudwatch_log.json: holds no row that lambda_report reads; nothing to publish."),
        ("note", "cloudwatch_log.json: 2 of 2 rows hold nothing that lambda_report reads."),
    ],
    "lambda/cloudwatch_log_coldstart.json": [
        ("published", "function_run from lambda_report, account 601427279990, 2020-06: 1 row"),
        ("note", "cloudwatch_log_coldstart.json: 2 of 3 rows hold nothing that lambda_report reads."),
    ],
    "lambda/cloudwatch_log_lambda_invocation.json": [
        ("published", "function_run from lambda_report, account 601427279990, 2020-03: 1 row"),
        ("note", "cloudwatch_log_lambda_invocation.json: 18 of 19 rows hold nothing that lambda_report reads."),
    ],
    "lambda/cloudwatch_log_timeout.json": [
        ("published", "function_run from lambda_report, account 601427279990, 2020-06: 1 row"),
        ("note", "cloudwatch_log_timeout.json: 3 of 4 rows hold nothing that lambda_report reads."),
    ],
    "lambda/platform_report.ndjson": [
        (
            "refused",
            "platform_report.ndjson, row 1, column x_source_file (which gives function_name): found "
            "'platform_report.ndjson', wanted a file or folder named aws-lambda-<function>",
        )
    ],
    "lambda/report_lines.txt": [
        ("refused", "report_lines.txt, row 1, column timestamp (which gives usage_start): found nothing"),
        ("refused", "report_lines.txt, row 1, column timestamp (which gives usage_end): found nothing"),
        (
            "refused",
            "report_lines.txt, row 1, column x_source_file (which gives function_name): found 'report_lines.txt'",
        ),
        ("note", "report_lines.txt: 1 of 6 lines hold nothing that lambda_report reads."),
    ],
    "llm_usage/usages_half.json": [("refused", f"usages_half.json: {UNKNOWN}")],
    "mlflow/metric_history.json": [("refused", f"metric_history.json: {UNKNOWN}")],
    "mlflow/search_runs.json": [("published", "training_run from mlflow_runs, account default, 2026-11: 3 rows")],
    "openai/cookbook_usage_completions_real_buckets.json": [
        ("published", "ai_usage from openai_usage, account default, 2025-01: 12 rows")
    ],
    "openai/docs_example_organization_costs.json": [
        ("published", "cost_and_usage from openai_costs, account default, 2024-11: 1 row, billed USD 0.06")
    ],
    "openai/docs_example_organization_usage_completions.json": [
        ("published", "ai_usage from openai_usage"),
        ("note", "docs_example_organization_usage_completions.json: has_more says that another page follows"),
    ],
    "openai/docs_example_organization_usage_[!c]*.json": [("published", "ai_usage from openai_")],
    "openai/docs_example_organization_usage_code*.json": [("published", "ai_usage from openai_")],
    "opencost/allocation-example-output.json": [
        ("published", "cluster_allocation from opencost_allocation, account default-cluster, 2023-07: 3 rows")
    ],
    "opencost/cloudCost-example-output.json": [
        ("refused", "cloudCost-example-output.json: These are sums of a cloud provider's bill, made by OpenCost")
    ],
    "opencost/export-sample.csv": [
        ("published", "cluster_allocation from opencost_csv, account default, 2023-01: 2 rows")
    ],
    "reference/*.csv": [("refused", "")],
}
"""What becomes of each sample: statuses and how their messages begin; tables that are no exports resemble none."""

FILES = sorted(str(f.relative_to(SAMPLES)) for f in SAMPLES.rglob("*") if f.is_file() and f.name != "README.md")


@pytest.mark.parametrize("name", FILES)
def test_a_sample_of_others_is_read_or_refused_for_the_right_reason(name: str, home: Home) -> None:
    [wanted] = [outcomes for pattern, outcomes in OUTCOMES.items() if fnmatch(name, pattern)]
    done = ingest(home, [SAMPLES / name], data_docs=False)
    assert [o.status for o in done.outcomes] == [status for status, _ in wanted]
    for outcome, (_, message) in zip(done.outcomes, wanted, strict=True):
        assert outcome.message.startswith(message) if message else UNKNOWN in outcome.message


def test_the_samples_of_others_are_there() -> None:
    if not SAMPLES.exists():
        pytest.skip("../shared/sources/samples is not beside the project: exports of others cannot be read")
    assert len(FILES) >= 60


def test_two_exports_of_the_same_money_are_added_up_once(home: Home, shared_samples: Path) -> None:
    azure = shared_samples / "azure"
    done = ingest(home, [azure / "EA_ActualCost_Small.csv", azure / "EA_AmortizedCost_Small.csv"], data_docs=False)
    [published] = [o.delivery for o in done.outcomes if o.delivery]
    assert published.billed_total == {"USD": "8.5450077867419368"}
    assert published.effective_total == {"USD": "16.296932136636644627"}
    assert (published.rows_read, published.rows_published) == (39, 29)
