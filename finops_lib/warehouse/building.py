"""Builds the marts beside the warehouse in force, tests them there, and puts them in its place by one rename.

Whoever has the former file open goes on reading the rows it had. What fails a test, or dies, is never in force.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from .. import lake
from ..contract import contracts, literal, project
from ..errors import DamagedError, FinopsError, NotBuiltError, UsageError
from ..lake import Home
from .doors import BUILD, Published, plan_findings, product_version, published
from .spark import need_spark

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunnerResult

TARGETS = ("duckdb", "spark")

STORAGE = "v1.2.0"
"""The oldest DuckDB that can read a warehouse: what other tools of today come with."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Built:
    """What one dbt build did."""

    models: int
    """Models and seeds that were built."""
    tests: int
    """Tests that passed."""
    warned: int
    failed: int
    skipped: int
    seconds: float
    messages: list[str]
    """One line per model or test that did not succeed."""
    slowest: list[tuple[str, float]]
    """The three models that took longest, with their seconds."""
    findings: list[str]
    """What the plan names and nobody has, and what it names twice: a sentence each."""
    notes: list[str]
    """What is to be known of the build as a whole, such as which warehouse is in force after one that failed."""
    results: Path | None
    """dbt's own run_results.json; none where nothing had to be built."""

    @property
    def succeeded(self) -> int:
        return self.models + self.tests

    @property
    def said(self) -> str:
        """What was done, in one line; empty where nothing had to be."""
        if self.results is None:
            return ""
        return (
            f"{self.models} models built and {self.tests} tests passed, {self.failed} failed, {self.warned} warned, "
            f"{self.skipped} skipped in {self.seconds:.0f} s"
        )


def build(
    home: Home,
    *,
    select: Sequence[str] = (),
    target: str = "duckdb",
    full_refresh: bool = False,
    progress: Progress = lambda *_: None,
) -> Built:
    """Build and test the marts over the lake, and publish them.

    Reads    the lake of `home`: only what stands downstream of datasets that changed since the last build, and of the
             charges only the months that did, unless `full_refresh` says otherwise or the models are others than then;
             where nothing changed nothing is built. `select` is dbt's selection syntax.
             Connections are those of the project's own profiles.yml, or of the one in the folder that
             DBT_PROFILES_DIR names; FINOPS_LAKE says where another machine's Spark finds the lake.
    Returns  the counts of models and tests. Where one failed, the former warehouse stays in force.
    Refuses  UsageError for an unknown target, FinopsError when dbt cannot start at all or Spark is not there,
             DamagedError where a file of the lake cannot be read.
    """
    if target not in TARGETS:
        raise UsageError(f"There is no target {target!r}. Targets: {', '.join(TARGETS)}.")
    if not home.lake.exists():
        raise NotBuiltError(f"{home.root} has no lake yet. Bring in a delivery with `finops ingest PATH`.")
    with lake.locked(home, doing="a build"):
        if damaged := lake.damaged_files(home):
            more = f" {len(damaged) - 1} more cannot be read; `finops verify` names them." if damaged[1:] else ""
            raise DamagedError(f"{damaged[0]}{more}")
        if target == "spark":
            return _on_spark(home, select, full_refresh=full_refresh, progress=progress)
        return _beside(home, select, full_refresh=full_refresh, progress=progress)


def _beside(home: Home, select: Sequence[str], *, full_refresh: bool, progress: Progress) -> Built:
    former, notes = _former(home)
    here = _state(home)
    notes += lake.unreadable_said(home)
    if astray := _astray(home):
        full_refresh = True
        notes.append(
            f"{len(astray)} {'file' if len(astray) == 1 else 'files'} of the lake not as the ledger says, the first "
            f"{astray[0]}: everything is built anew. `finops verify` says what to do."
        )
    if former is None or former.models != here.models:
        full_refresh = True
    changed = [d for d, checksum in here.datasets.items() if former is None or former.datasets.get(d) != checksum]
    # Whatever is built, the views of the lake are made anew before it; where the lake moved they alone have to be.
    others = ["stg_delivery"] if former and former.lake != here.lake else []
    if former and former.own_models != here.own_models:
        others.append("package:this")
    if former and not (select or full_refresh or changed or others):
        return replace(
            NOTHING,
            findings=plan_findings(home),
            notes=[*notes, f"nothing changed since what was built {_when(former)}"],
        )
    chosen = list(select)
    if not (select or full_refresh):
        chosen = [*others, *(f"source:finops.lake.{d}+" for d in _read_by_dbt(changed))]
    folder = home.root / ".dbt" / "next"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    beside = folder / home.warehouse.name
    if former:
        shutil.copyfile(home.warehouse, beside)
    else:
        with duckdb.connect(str(beside), config={"storage_compatibility_version": STORAGE}) as db:
            db.execute(f"create schema {BUILD.split('.')[0]}")
    built = _dbt(
        home, folder, chosen, target="duckdb", full_refresh=full_refresh,
        # What stands beside what changed is there, so that every test of both can run.
        options=[] if select else ["--indirect-selection", "eager"], progress=progress,
    )  # fmt: skip
    if select and not built.succeeded + built.failed + built.warned + built.skipped:
        raise UsageError(
            f"Nothing is called {' '.join(select)}. `--select` takes dbt's selection, such as fct_daily_cost."
        )
    if built.failed:
        stays = f"what was built {_when(former)} stays in force" if former else "there is no warehouse yet"
        return replace(built, notes=[*notes, f"not published: {stays}; what failed stands in {beside}"])
    if select:
        # Of what was not selected, the warehouse is as old as it was.
        here = replace(former, built_at=here.built_at) if former else replace(here, datasets={}, models="")
    _sign(beside, here)
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(beside, home.warehouse)
    shutil.rmtree(folder, ignore_errors=True)
    return replace(built, findings=plan_findings(home), notes=notes)


NOTHING = Built(
    models=0, tests=0, warned=0, failed=0, skipped=0, seconds=0.0, messages=[], slowest=[], findings=[], notes=[],
    results=None,
)  # fmt: skip


def _former(home: Home) -> tuple[Published | None, list[str]]:
    """What the warehouse in force was built from, where a build can begin with it."""
    if not home.warehouse.exists():
        return None, []
    try:
        found = published(home)
    except NotBuiltError:
        return None, [f"{home.warehouse} was not built by this version, and is built anew"]
    with duckdb.connect() as db:
        db.execute(f"attach {literal(str(home.warehouse.resolve()))} as former (read_only)")
        [(tags,)] = db.execute("select tags from duckdb_databases() where database_name = 'former'").fetchall()
    return (found if str(tags.get("storage_version", "")).startswith(STORAGE) else None), []


def _when(built: Published | None) -> str:
    return f"on {built.built_at:%F %T} UTC (build {built.build_id})" if built else "before"


def outdated(home: Home) -> str | None:
    """Why the warehouse in force is not what a build would now make; nothing where it is.

    Refuses  NotBuiltError where there is none, or one that does not say what it was built from.
    """
    former, here = published(home), _state(home)
    if former.lake != here.lake:
        return f"was built from {former.lake}"
    if changed := [d for d, checksum in here.datasets.items() if former.datasets.get(d) != checksum]:
        return f"is older than the lake: since what was built {_when(former)}, {', '.join(changed)} changed"
    return "was built by other models than those of this version" if former.models != here.models else None


def _state(home: Home) -> Published:
    """What a build would now be built from."""
    ledger = lake.deliveries(home)
    datasets = {}
    for dataset in contracts():
        found = hashlib.sha256()
        for d in ledger:
            if d.dataset == dataset:
                found.update(f"{d.delivered_at} {d.delivery_id} {d.partition}\n".encode())
        for file in sorted((home.lake / dataset).glob("source=*/billing_month=*/*.parquet")):
            stands = file.stat()
            found.update(f"{file.relative_to(home.lake)} {stands.st_size} {stands.st_mtime_ns}\n".encode())
        if dataset == "closed_month":
            # A month may close by the calendar alone.
            found.update(repr(lake.closures(home)).encode())
        datasets[dataset] = found.hexdigest()[:16]
    models, product, own = _models(), product_version(), home.root / "dbt"
    own_models = _checksum(own, "*") if own.exists() else ""
    state = json.dumps([[d.delivery_id for d in ledger], models, own_models, product, datasets["closed_month"]])
    return Published(
        build_id=hashlib.sha256(state.encode()).hexdigest()[:12],
        built_at=datetime.now(UTC),
        product=product,
        models=models,
        own_models=own_models,
        lake=os.environ.get("FINOPS_LAKE", str(home.lake.resolve())),
        datasets=datasets,
        deliveries=len(ledger),
        last_delivery=max((datetime.fromisoformat(d.delivered_at) for d in ledger), default=None),
    )


def _models() -> str:
    """What tells the models of one version from those of another: months built by others are no good."""
    versions = " ".join(metadata.version(name) for name in ("dbt-core", "dbt-duckdb", "duckdb"))
    return hashlib.sha256((versions + _checksum(project(), "models", "macros", "seeds")).encode()).hexdigest()[:16]


def _checksum(folder: Path, *parts: str) -> str:
    found = hashlib.sha256()
    for file in sorted(f for part in parts for f in folder.glob(f"{part}/**/*") if f.is_file()):
        if not {"dbt_packages", "target", "logs"} & set(file.relative_to(folder).parts):
            found.update(str(file.relative_to(folder)).encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def _project(home: Home) -> Path:
    """The dbt project that is built: ours, or the home's own, of which ours is a package."""
    own = home.root.resolve() / "dbt"
    if not (own / "dbt_project.yml").exists():
        return project()
    package = own / "dbt_packages" / "finops"
    if package.resolve() != project():
        package.parent.mkdir(exist_ok=True)
        package.unlink(missing_ok=True)
        package.symlink_to(project(), target_is_directory=True)
    return own


def _astray(home: Home) -> list[str]:
    """Files of charges that the ledger does not know, or that are others than it says: their months are not told by it
    from those that were built."""
    known = {p.file: d.delivery_id for p, d in lake.current(home).items() if p.dataset == "cost_and_usage"}
    files = (home.lake / "cost_and_usage").glob("source=*/billing_month=*/*.parquet")
    found = {file.relative_to(home.lake): file for file in files}
    others = {file for file in known.keys() & found.keys() if lake.footer_id(found[file]) != known[file]}
    return sorted(str(file) for file in (known.keys() ^ found.keys()) | others)


def _read_by_dbt(changed: Sequence[str]) -> list[str]:
    return [*changed, *["delivery"] * ("cost_and_usage" in changed)]


def _sign(file: Path, state: Published) -> None:
    with duckdb.connect(str(file)) as db:
        db.execute("set timezone = 'UTC'")
        db.execute(
            f"create or replace table {BUILD} as select $1 as build_id, $2::timestamptz as built_at, $3 as product, "
            "$4 as models, $5 as own_models, $6 as lake, $7 as datasets, $8::bigint as deliveries, "
            "$9::timestamptz as last_delivery",
            [state.build_id, state.built_at, state.product, state.models, state.own_models, state.lake,
             json.dumps(state.datasets), state.deliveries, state.last_delivery],
        )  # fmt: skip
        db.execute("checkpoint")


def _on_spark(home: Home, select: Sequence[str], *, full_refresh: bool, progress: Progress) -> Built:
    need_spark(own_session="DBT_PROFILES_DIR" not in os.environ)
    folder = home.root / ".dbt"
    folder.mkdir(exist_ok=True)
    models, built_with = _models(), folder / "spark.models"
    if not built_with.exists() or built_with.read_text(encoding="utf-8") != models:
        full_refresh = True
    built = _dbt(home, home.root, select, target="spark", full_refresh=full_refresh, options=[], progress=progress)
    if not select and not built.failed:
        built_with.write_text(models, encoding="utf-8")
    return built


def _dbt(
    home: Home, folder: Path, select: Sequence[str], *, target: str, full_refresh: bool, options: Sequence[str],
    progress: Progress,
) -> Built:  # fmt: skip
    """Run dbt in this process: who stops or kills it leaves no child behind, and a second build starts at once."""
    logs = home.root.resolve() / ".dbt"
    results = logs / ("target" if target == "duckdb" else target)
    profiles = str(Path(os.environ.get("DBT_PROFILES_DIR", project())).resolve())
    arguments = [
        "--no-use-colors", "--log-level", "none", "build",
        "--project-dir", str(_project(home)), "--profiles-dir", profiles, "--profile", "finops", "--target", target,
        "--target-path", str(results), "--log-path", str(logs / "logs"),
        # Debug lines are a quarter of the interpreter's work, and tens of megabytes a build.
        "--log-level-file", "info",
        # Unit tests prove the models on rows made up for them: the data of a home has nothing to add to that.
        "--exclude-resource-type", "unit_test",
        *options,
        *(["--full-refresh"] if full_refresh else []),
        *(["--select", *select] if select else []),
    ]  # fmt: skip
    variables = {
        # Relative: where dbt's profile changes with every home, it parses the project anew for each.
        "FINOPS_WAREHOUSE": home.warehouse.name,
        "FINOPS_LAKE": os.environ.get("FINOPS_LAKE", str(home.lake.resolve())),
        "FINOPS_SPARK_HOME": str(home.spark.resolve()),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    errors: list[str] = []

    def follow(event: Any) -> None:
        if event.info.level == "error" and event.info.msg.strip():
            errors.append(event.info.msg.strip())
        data = event.data
        if hasattr(data, "node_info") and hasattr(data, "total") and hasattr(data, "index"):
            progress(str(data.node_info.node_name), int(data.index), int(data.total))

    with _variables(variables), contextlib.chdir(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from dbt.cli.main import dbtRunner

        try:
            done: dbtRunnerResult = dbtRunner(callbacks=[follow]).invoke(arguments)
        finally:
            _let_go()
    if isinstance(done.exception, KeyboardInterrupt):
        raise done.exception
    if done.exception is not None or done.result is None:
        said = errors[0] if errors else str(done.exception)
        raise FinopsError(f"dbt could not build the warehouse: {said}.")
    return _summary(results / "run_results.json")


def _let_go() -> None:
    """Close the database that dbt keeps open for its next invocation, which may be of another home by the same name."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    manager: Any = DuckDBConnectionManager
    if manager._ENV is not None:
        manager.env().close()
    manager.close_all_connections()


@contextlib.contextmanager
def _variables(wanted: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _summary(results: Path) -> Built:
    run: dict[str, Any] = json.loads(results.read_text(encoding="utf-8"))
    # What dbt runs before the models, so that they can read the lake, is neither a model nor a test.
    ran = [r for r in run["results"] if not r["unique_id"].startswith("operation.") or r["status"] != "success"]
    by_status: dict[str, list[dict[str, Any]]] = {}
    for result in ran:
        by_status.setdefault(result["status"], []).append(result)
    models = by_status.get("success", [])
    bad = by_status.get("error", []) + by_status.get("fail", [])
    return Built(
        models=len(models),
        tests=len(by_status.get("pass", [])),
        warned=len(by_status.get("warn", [])),
        failed=len(bad),
        skipped=len(by_status.get("skipped", [])),
        seconds=float(run["elapsed_time"]),
        messages=[f"{_name(r)}: {(r['message'] or r['status']).strip()}" for r in bad + by_status.get("warn", [])],
        slowest=[
            (_name(r), float(r["execution_time"]))
            for r in sorted(models, key=lambda r: float(r["execution_time"]), reverse=True)[:3]
        ],
        findings=[],
        notes=[],
        results=results,
    )


def _name(result: dict[str, Any]) -> str:
    """Name of a model or test."""
    return str(result["unique_id"].split(".")[2])
