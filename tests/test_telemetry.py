"""Telemetry beside the bill: logs read line by line, deliveries that add up, and nothing personal in the lake."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.lake import Home, current

SAMPLES = Path(__file__).parent.parent / "data" / "samples"


def deliver(home: Home, *files: Path, **options: object) -> list[tuple[str, str]]:
    done = ingest(home, list(files), data_docs=False, **options)  # type: ignore[arg-type]
    return [(o.status, o.message) for o in done.outcomes]


def report(request: str, billed: int, *, time: str | None = "2026-10-03T05:00:00Z") -> str:
    text = f"REPORT RequestId: {request}\tDuration: {billed}.00 ms\tBilled Duration: {billed} ms\tMemory Size: 128 MB\t"
    return f"{time} {text}Max Memory Used: 60 MB\t" if time else f"{text}Max Memory Used: 60 MB\t"


def billed(home: Home) -> dict[str, int]:
    rows = warehouse.dataset(home, "function_run")
    return dict(zip(rows["request_id"], rows["billed_duration_ms"], strict=True))


def everything(folder: Path) -> bytes:
    """All that stands in files of the lake, Parquet decoded."""
    import duckdb

    found = b""
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        found += file.read_bytes()
        if file.suffix == ".parquet":
            found += str(duckdb.sql(f"select * from read_parquet('{file}')").fetchall()).encode()
    return found


# --------------------------------------------------------------------------------------------------------------- lines


def test_a_log_is_read_line_by_line_and_the_lines_passed_over_are_counted(home: Home, tmp_path: Path) -> None:
    log = tmp_path / "aws-lambda-checkout.log"
    quoted = 'INFO "an unclosed quote, a comma; a \x1f separator'
    log.write_text("\n".join([quoted, report("r-1", 100), "", "XRAY TraceId: 1\tSampled: true", report("r-2", 7)]))
    assert deliver(home, log) == [
        ("published", "function_run from lambda_report, account default, 2026-10: 2 rows"),
        ("note", "aws-lambda-checkout.log: 3 of 5 lines hold nothing that lambda_report reads."),
    ]
    rows = warehouse.dataset(home, "function_run").sort("x_source_row")
    assert rows.select("request_id", "x_source_row").rows() == [("r-1", 2), ("r-2", 5)]
    [delivery] = current(home).values()
    assert (delivery.rows_read, delivery.rows_published, delivery.rows_rejected, delivery.rows_merged) == (2, 2, 0, 0)


def test_a_gzipped_log_with_windows_line_ends_is_read_as_any_other(home: Home, tmp_path: Path) -> None:
    log = tmp_path / "aws-lambda-checkout.log.gz"
    log.write_bytes(gzip.compress(f"{report('r-1', 100)}\r\n{report('r-2', 7)}\n".encode()))
    assert [status for status, _ in deliver(home, log)] == ["published"]
    assert billed(home) == {"r-1": 100, "r-2": 7}


def test_a_log_without_a_row_is_empty_and_not_an_error(home: Home, tmp_path: Path) -> None:
    batch = tmp_path / "batch.json"
    events = [{"id": "1", "timestamp": 1791003600000, "message": "[ERROR] no report here"}]
    batch.write_text(json.dumps({"logGroup": "/aws/lambda/a", "logStream": "s", "owner": "1", "logEvents": events}))
    assert deliver(home, batch) == [
        ("empty", "batch.json: holds no row that lambda_report reads; nothing to publish."),
        ("note", "batch.json: 1 of 1 rows hold nothing that lambda_report reads."),
    ]


# ------------------------------------------------------------------------------------------------------------- lambda


def test_two_logs_of_a_day_add_up_and_the_same_log_again_changes_nothing(home: Home, tmp_path: Path) -> None:
    first, second = tmp_path / "aws-lambda-checkout.1.log", tmp_path / "aws-lambda-checkout.2.log"
    first.write_text(report("r-1", 100) + "\n" + report("r-2", 7) + "\n")
    # The second file overlaps the first, and holds a retry of its request.
    second.write_text(report("r-2", 7) + "\n" + report("r-2", 8, time="2026-10-03T05:03:00Z") + "\n")
    deliver(home, first)
    deliver(home, second)
    rows = warehouse.dataset(home, "function_run").sort("usage_start", "request_id")
    assert sorted(zip(rows["request_id"], rows["billed_duration_ms"], strict=True)) == [
        ("r-1", 100), ("r-2", 7), ("r-2", 8),
    ]  # fmt: skip
    for again in (first, second, first):
        deliver(home, again)
        assert warehouse.dataset(home, "function_run")["billed_duration_ms"].sum() == 115


def test_text_that_names_no_function_and_no_time_is_refused_with_what_to_do(home: Home, tmp_path: Path) -> None:
    log = tmp_path / "report.txt"
    log.write_text(report("r-1", 100, time=None) + "\n")
    told = [message for status, message in deliver(home, log) if status == "refused"]
    assert any(
        "report.txt, row 1, column x_source_file (which gives function_name): found 'report.txt', wanted a log group "
        "/aws/lambda/<function>, or a file or folder named aws-lambda-<function>, such as "
        "aws-lambda-checkout.2026-10-31.log." in m
        for m in told
    )
    assert any(
        "report.txt, row 1, column timestamp (which gives usage_start): found nothing, wanted the time of each line, "
        "as `aws logs tail` writes it, or a file named by its day, such as aws-lambda-checkout.2026-10-31.log." in m
        for m in told
    )
    assert current(home) == {}


def test_nothing_that_a_function_logged_enters_the_lake(home: Home) -> None:
    deliver(home, SAMPLES / "lambda_report" / "a-subscription-batch.json")
    assert b"planted.person@example.com" in (SAMPLES / "lambda_report" / "a-subscription-batch.json").read_bytes()
    assert b"planted" not in everything(home.lake)
    assert b"111122223333" in everything(home.lake)


def test_real_lambda_logs_come_in_with_their_figures(home: Home, shared_samples: Path) -> None:
    logs = shared_samples / "lambda"
    deliver(home, *sorted(logs.glob("cloudwatch_log*.json")))
    rows = warehouse.dataset(home, "function_run").sort("usage_start")
    columns = ("function_name", "duration_ms", "billed_duration_ms", "init_duration_ms", "failed_invocations")
    assert rows.select(columns).rows() == [
        ("hello-dog-node-dev-hello12x", Decimal("619.31"), 700, None, None),
        ("storms-cloudwatch-event", Decimal("1.76"), 100, Decimal("120.96"), None),
        ("storms-cloudwatch-event", Decimal("3003.16"), 3000, Decimal("127.02"), 1),
    ]


@pytest.mark.parametrize(
    ("name", "count", "total"), [("report_lines.txt", 5, 5015), ("platform_report.ndjson", 3, 30200)]
)
def test_real_reports_come_in_once_their_file_names_the_function(
    name: str, count: int, total: int, home: Home, shared_samples: Path, tmp_path: Path
) -> None:
    file = shared_samples / "lambda" / name
    assert [s for s, _ in deliver(home, file)][:1] == ["refused"]
    named = tmp_path / f"aws-lambda-checkout.2026-10-31{file.suffix}"
    named.write_bytes(file.read_bytes())
    deliver(home, named)
    rows = warehouse.dataset(home, "function_run")
    assert (len(rows), rows["billed_duration_ms"].sum()) == (count, total)


# ---------------------------------------------------------------------------------------------------------------- gpus


def scrape(device: str, *labels: str, util: object, time: str = "") -> str:
    known = ",".join([f'UUID="{device}"', 'modelName="NVIDIA A100-SXM4-40GB"', *labels])
    return f"DCGM_FI_PROF_GR_ENGINE_ACTIVE{{{known}}} {util}{time}\n"


def device_hours(home: Home) -> float:
    rows = warehouse.dataset(home, "gpu_utilization")
    hours = (rows["usage_end"] - rows["usage_start"]).dt.total_seconds() / 3600
    return float((hours * rows["device_fraction"]).sum())


def test_the_exporters_no_value_is_unknown_and_not_busy_nor_idle(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "n.2026-10-03T12-00-00Z.prom"
    blanks = ["9223372036854775794", "9.223372036854776e+18", "2147483632", "140737488355330", "NaN"]
    file.write_text("".join(scrape(f"GPU-{i}", util=blank) for i, blank in enumerate(blanks)))
    deliver(home, file)
    rows = warehouse.dataset(home, "gpu_utilization")
    assert rows["utilization_ratio"].to_list() == [None] * 5
    assert device_hours(home) == 5


@pytest.mark.parametrize(
    "cut",
    [
        [],
        ["7g.40gb"],
        ["3g.20gb", "2g.10gb"],
        ["1g.5gb", "1g.5gb", "1g.5gb", "1g.5gb"],
        ["1c.3g.20gb", "4g.20gb+me"],
    ],
)
def test_a_device_is_one_device_hour_however_it_is_cut_and_shared(cut: list[str], home: Home, tmp_path: Path) -> None:
    file = tmp_path / "n.2026-10-03T12-00-00Z.prom"
    whole = scrape("GPU-1", util="0.5")
    parts = [
        scrape("GPU-1", f'GPU_I_ID="{i}"', f'GPU_I_PROFILE="{profile}"', f'pod="p-{pod}"', util="0.5")
        for i, profile in enumerate(cut)
        for pod in range(i + 1)
    ]
    file.write_text(whole + "".join(parts))
    deliver(home, file)
    assert device_hours(home) == pytest.approx(1, abs=1e-12)


def test_four_quarter_gpu_pods_add_up_to_one_gpu_hour(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "n.2026-10-03T12-00-00Z.prom"
    file.write_text("".join(scrape("GPU-1", f'namespace="a",pod="p-{i}"', util="0.9") for i in range(4)))
    deliver(home, file)
    assert warehouse.dataset(home, "gpu_utilization")["device_fraction"].to_list() == [0.25] * 4


def test_scrapes_of_hours_and_of_nodes_add_up_and_the_same_scrape_again_changes_nothing(
    home: Home, tmp_path: Path
) -> None:
    files = []
    for node in (1, 2):
        for hour in (12, 13):
            files.append(tmp_path / f"node-{node}.2026-10-03T{hour}-30-00Z.prom")
            files[-1].write_text(scrape(f"GPU-{node}", util=f"0.{node}{hour}"))
    for file in files:
        deliver(home, file)
    assert device_hours(home) == 4
    for file in files:
        deliver(home, file)
    rows = warehouse.dataset(home, "gpu_utilization").sort("device_id", "usage_start")
    assert rows["utilization_ratio"].to_list() == [0.112, 0.113, 0.212, 0.213]
    assert [s for s, _ in deliver(home, *files)] == ["unchanged"]


def test_samples_of_an_hour_in_two_files_of_a_delivery_are_averaged(home: Home, tmp_path: Path) -> None:
    for minute, util in (("00", "0.25"), ("30", "0.75")):
        (tmp_path / f"n.20261003T12{minute}00Z.prom").write_text(scrape("GPU-1", util=util))
    deliver(home, *sorted(tmp_path.glob("*.prom")))
    rows = warehouse.dataset(home, "gpu_utilization")
    assert rows.select("utilization_ratio", "samples").rows() == [(0.5, 2)]


def test_an_instant_query_is_read_like_a_range(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "vector.json"
    series = {
        "metric": {"__name__": "DCGM_FI_DEV_GPU_UTIL", "UUID": "GPU-1", "modelName": "L4"},
        "value": [1791028800.25, "45"],
    }
    file.write_text(json.dumps({"status": "success", "data": {"resultType": "vector", "result": [series]}}))
    deliver(home, file)
    rows = warehouse.dataset(home, "gpu_utilization")
    assert rows.select("device_id", "utilization_ratio").rows() == [("GPU-1", 0.45)]
    assert str(rows["usage_start"][0]) == "2026-10-03 12:00:00+00:00"


def test_a_scrape_without_a_time_is_refused_with_what_to_do(home: Home, shared_samples: Path) -> None:
    told = deliver(home, shared_samples / "dcgm" / "readme_sample.prom")
    assert [m for _, m in told if "usage_start" in m] == [
        "readme_sample.prom, row 8, column instant (which gives usage_start): found nothing, wanted a time on each "
        "line, or a file named by the time of the scrape in UTC, such as node-7.2026-10-31T12-00-00Z.prom."
    ]
    assert current(home) == {}


def test_the_readme_scrape_comes_in_once_its_file_says_when_it_was(
    home: Home, shared_samples: Path, tmp_path: Path
) -> None:
    named = tmp_path / "node.2026-10-03T12-00-00Z.prom"
    named.write_bytes((shared_samples / "dcgm" / "readme_sample.prom").read_bytes())
    deliver(home, named)
    rows = warehouse.dataset(home, "gpu_utilization")
    assert rows.select("device_id", "gpu_model", "utilization_ratio", "device_fraction").rows() == [
        ("GPU-604ac76c-d9cf-fef3-62e9-d92044ab6e52", None, None, 1.0)
    ]


# ---------------------------------------------------------------------------------------------------------------- runs


@pytest.mark.parametrize("adapter", ["mlflow_runs", "wandb_runs"])
def test_who_ran_a_training_never_enters_the_lake(adapter: str, home: Home) -> None:
    files = [f for f in (SAMPLES / adapter).iterdir() if f.name != "expected.csv"]
    assert any(b"planted.person" in f.read_bytes() for f in files)
    # A page of MLflow's says that another one follows, which is noted.
    assert {s for s, _ in deliver(home, *files)} - {"note"} == {"published"}
    assert b"planted" not in everything(home.root)
    assert b"ranking" in everything(home.root)


def run(run_id: str, **info: object) -> dict[str, object]:
    known = {"run_id": run_id, "status": "RUNNING", "start_time": 1791003600000, "end_time": None, **info}
    return {"info": known, "data": {"metrics": {}, "params": {}, "tags": {}}}


def test_a_run_that_ends_later_replaces_itself_and_no_other(home: Home, tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    first.write_text(json.dumps([run("a"), run("b")]))
    second.write_text(json.dumps([run("a", status="FINISHED", end_time=1791007200000)]))
    for file in (first, second, second):
        deliver(home, file)
    rows = warehouse.dataset(home, "training_run").sort("run_id")
    assert rows.select("run_id", "status").rows() == [("a", "finished"), ("b", "running")]


def test_a_state_that_nobody_knows_is_refused_by_its_row(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "runs.json"
    file.write_text(json.dumps([run("a"), run("b", status="PAUSED")]))
    [(status, message)] = deliver(home, file)
    assert status == "refused"
    assert message.startswith(
        "runs.json, row 2, column info ->> '$.status' (which gives status): found 'PAUSED', "
        "wanted RUNNING, SCHEDULED, FINISHED, FAILED or KILLED."
    )


def test_real_mlflow_runs_come_in_with_their_last_metrics(home: Home, shared_samples: Path) -> None:
    deliver(home, shared_samples / "mlflow" / "search_runs.json")
    rows = warehouse.dataset(home, "training_run").sort("run_name")
    columns = (
        "run_name",
        "team",
        "model",
        "instance_type",
        "status",
        "metric_name",
        "metric_value",
        "billable_seconds",
    )
    assert rows.select(columns).rows() == [
        (f"ft-{n}", "ml-platform", "llama-3-8b", "p4d.24xlarge", "finished", "loss", 0.4, None) for n in range(3)
    ]


def test_the_metadata_of_a_run_alone_is_refused_with_what_to_export(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "wandb-metadata.json"
    file.write_text(
        json.dumps({"os": "Linux", "python": "3.11", "startedAt": "2026-10-03T05:00:00", "email": "a@b.example"})
    )
    assert deliver(home, file) == [
        (
            "refused",
            "wandb-metadata.json: It says neither how the run ended nor what it reached. Export the runs from the W&B "
            "API as JSON, each with id, state, createdAt, config, summaryMetrics and metadata, and deliver that file.",
        )
    ]


def test_the_lines_that_a_function_logged_as_json_stand_beside_its_reports(home: Home, tmp_path: Path) -> None:
    metrics = {"durationMs": 101.51, "billedDurationMs": 102, "memorySizeMB": 128, "maxMemoryUsedMB": 33}
    own = {"timestamp": "2026-10-05T10:00:00Z", "level": "INFO", "message": "hello", "requestId": "r-1"}
    platform = {"requestId": "r-1", "status": "success", "metrics": metrics}
    line = {"time": "2026-10-05T10:00:00.123Z", "type": "platform.report", "record": platform}
    log = tmp_path / "aws-lambda-checkout.ndjson"
    log.write_text(f"{json.dumps(own)}\n{json.dumps(line)}\n", encoding="utf-8")
    assert deliver(home, log)[1:] == [
        ("note", "aws-lambda-checkout.ndjson: 1 of 2 rows hold nothing that lambda_platform reads.")
    ]
    assert billed(home) == {"r-1": 102}


def test_jobs_in_an_object_are_jobs(home: Home, tmp_path: Path) -> None:
    [sample] = (SAMPLES / "sagemaker_training").glob("*.json")
    jobs = json.loads(sample.read_text(encoding="utf-8"))
    (tmp_path / "jobs.json").write_text(json.dumps({"TrainingJobs": jobs}), encoding="utf-8")
    deliver(home, tmp_path / "jobs.json")
    together = Home(tmp_path / "together")
    deliver(together, sample)
    runs = [sorted(warehouse.dataset(h, "training_run")["run_id"].to_list()) for h in (home, together)]
    assert runs[0] == runs[1] != []
