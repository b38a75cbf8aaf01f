"""The lake's FOCUS datasets in a chosen version, for tools that read FOCUS.

A spreadsheet runs a text of a CSV that begins with = + - @, a tab or a carriage return as a formula. Such a text gets
an apostrophe before it, by which spreadsheets know a text; numbers stay numbers. Parquet keeps every text as it is.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from .contract import FORMULA, Contract, contracts, literal, quoted
from .errors import NotBuiltError, UsageError
from .lake import Home
from .warehouse import dataset_sql, not_built, open_warehouse, reading_lake

VERSIONS = ("1.2", "1.3", "1.4")

CHARGES = "CostAndUsage"

DIMENSIONS = (
    "team", "product", "use_case", "model", "environment", "application", "project", "cost_center", "business_unit",
)  # fmt: skip

UP_TO_1_3 = {
    "ProviderName": 'case when "InvoiceIssuerName" = "ServiceProviderName" then "ServiceProviderName" '
    'else coalesce("HostProviderName", "ServiceProviderName") end',
    "PublisherName": '"ServiceProviderName"',
}
"""Columns that 1.4 removed: who sold the service (its maker, or the platform it runs on), and who made it."""


def datasets() -> dict[str, Contract]:
    """The datasets of the lake that FOCUS defines, by FOCUS's name for them."""
    return {c.focus_dataset: c for c in contracts().values() if c.focus_dataset}


def export_focus(home: Home, *, version: str, out: str | Path, dataset: str = CHARGES) -> int:
    """Write every row of a dataset as FOCUS `version`, with a metadata file beside it.

    Reads    the lake's rows of that FOCUS dataset. Columns of later versions are left out, columns that were removed
             come back, and columns below Mandatory that no row fills are absent, as FOCUS has it. A Mandatory column
             that no source states is there and empty.
    Returns  the number of rows written; Parquet or CSV by the ending of `out`.
    Refuses  UsageError for another version, dataset or ending; NotBuiltError for a lake without such rows.
    """
    if version not in VERSIONS:
        raise UsageError(f"There is no FOCUS version {version!r} to export. Versions: {', '.join(VERSIONS)}.")
    own = datasets().get(dataset)
    if own is None:
        raise UsageError(f"There is no FOCUS dataset {dataset!r}. Datasets: {', '.join(datasets())}.")
    since = min(c.introduced for c in own.columns if c.introduced)
    if since > version:
        raise UsageError(f"{dataset} came with FOCUS {since}: found version {version}, wanted {since} or later.")
    target = _target(out)
    with reading_lake(home), duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"create view delivered as {dataset_sql(home, own)}")
        filled = ", ".join(f"count({quoted(c.name)})" for c in own.columns)
        [(rows, *counts)] = db.sql(f"select count(*), {filled} from delivered").fetchall()
        if not rows:
            said = "charges yet. Bring in a bill" if dataset == CHARGES else f"{dataset} yet. Bring one in"
            raise NotBuiltError(f"{home.root} holds no {said} with `finops ingest PATH`.")
        columns = [
            c
            for c, count in zip(own.columns, counts, strict=True)
            if c.name.startswith("x_")
            or (
                (c.introduced or "9") <= version
                and (count == rows or (count and (c.nulls or c.may_be_unknown)) or c.level == "Mandatory")
            )
        ]
        focus = {c.name: quoted(c.name) for c in columns if not c.name.startswith("x_")}
        if version <= "1.3" and dataset == CHARGES:
            focus |= UP_TO_1_3
        selected = {k: focus[k] for k in sorted(focus)}
        selected |= {c.name: quoted(c.name) for c in columns if c.name.startswith("x_")}
        types = {c.name: c.type for c in columns}
        written = ", ".join(f"{_spelled(v, types.get(k), target)} as {quoted(k)}" for k, v in selected.items())
        _write(db, f"select {written} from delivered", target)
    metadata = {
        "DataGenerator": {"DataGenerator": "focus-warehouse"},
        "Schema": {
            "FocusVersion": version,
            "ColumnDefinition": [{"ColumnName": k, "DataType": _focus_type(types.get(k))} for k in selected],
        },
    }
    target.with_name(f"{target.name}.metadata.json").write_text(json.dumps(metadata, indent=1), encoding="utf-8")
    return int(rows)


def export_allocation(home: Home, *, out: str | Path) -> int:
    """Write what each team cost, its shares of pools among it, with FOCUS's columns of split costs.

    Reads    `fct_allocated_cost`, of which each row becomes one, save what is only estimated. A share names its rule in
             AllocatedMethodId, driver, quantity and ratio in AllocatedMethodDetails, and who received it in
             AllocatedResourceId; every row has its dimensions in AllocatedTags. Charges are added up per day, so what
             only a single charge has (account, resource, SKU, prices) is not there.
    Returns  the number of rows written; Parquet or CSV by the ending of `out`. Per currency, amounts are the bill's.
    Refuses  UsageError for another ending; NotBuiltError where there is no warehouse, or no such mart in it.
    """
    target = _target(out)
    columns = {
        "AllocatedMethodDetails": "case when allocation_rule is not null then json_object('Elements', [json_object("
        "'AllocatedRatio', driver_ratio, 'UsageUnit', driver, 'UsageQuantity', driver_quantity)])::varchar end",
        "AllocatedMethodId": "allocation_rule",
        "AllocatedResourceId": "case when allocation_rule is not null and team <> 'unallocated' then team end",
        "AllocatedResourceName": "case when allocation_rule is not null and team <> 'unallocated' then team end",
        "AllocatedTags": f"json_object({', '.join(f'{literal(d)}, {d}' for d in DIMENSIONS)})::varchar",
        "BilledCost": "billed_cost",
        "BillingCurrency": "billing_currency",
        "BillingPeriodStart": "(billing_month || '-01')::timestamptz",
        "BillingPeriodEnd": "(billing_month || '-01')::timestamptz + interval 1 month",
        "ChargeCategory": "charge_category",
        "ChargePeriodStart": "charge_date::timestamptz",
        "ChargePeriodEnd": "charge_date::timestamptz + interval 1 day",
        "EffectiveCost": "effective_cost",
        "ServiceCategory": "service_category",
        "ServiceName": "service_name",
        "ServiceProviderName": "service_provider_name",
        "x_Allocation": "allocation",
        "x_AllocationPath": "allocation_path",
        "x_ChargeCount": "charge_count",
        "x_ChargeKind": "charge_kind",
        "x_OriginTeam": "origin_team",
        "x_Pool": "pool",
        "x_TeamEvidence": "team_evidence",
    }
    times = {name for name in columns if name.endswith(("PeriodStart", "PeriodEnd"))}
    written = ", ".join(
        f"{_spelled(value, 'timestamp' if name in times else None, target)} as {quoted(name)}"
        for name, value in columns.items()
    )
    # An estimate is no charge.
    nothing = "billed_cost = 0 and effective_cost = 0 and charge_count = 0 and estimated_cost <> 0"
    billed = f"(from fct_allocated_cost where not ({nothing}))"
    with open_warehouse(home) as db:
        try:
            [(rows,)] = db.sql(f"select count(*) from {billed}").fetchall()
        except duckdb.CatalogException:
            raise not_built(home, "fct_allocated_cost") from None
        _write(db, f"select {written} from {billed}", target)
    return int(rows)


def _target(out: str | Path) -> Path:
    target = Path(out)
    if target.suffix not in (".parquet", ".csv"):
        raise UsageError(f"{target}: found the ending {target.suffix or 'nothing'}, wanted .parquet or .csv.")
    return target


def _write(db: duckdb.DuckDBPyConnection, rows: str, target: Path) -> None:
    """Write the rows of a SELECT; whoever reads the file sees all of them or the file of before."""
    if target.suffix == ".csv":
        rows = (
            f"select {', '.join(_harmless(n, t) for n, t, *_ in db.sql(f'describe {rows}').fetchall())} from ({rows})"
        )
    shape = "format csv, header true" if target.suffix == ".csv" else "format parquet, compression zstd"
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    db.execute(f"copy ({rows}) to {literal(str(part))} ({shape})")
    part.replace(target)


def _spelled(value: str, kind: str | None, target: Path) -> str:
    """A time in CSV is text as FOCUS spells it; everything else is as it is."""
    if target.suffix == ".csv" and kind == "timestamp":
        return f"strftime({value}, '%Y-%m-%dT%H:%M:%SZ')"
    return value


def _harmless(column: str, kind: str) -> str:
    name = quoted(column)
    if kind != "VARCHAR":
        return name
    begins = f"left({name}, 1) in ({', '.join(map(literal, FORMULA))})"
    return f"case when {begins} then chr(39) || {name} else {name} end as {name}"


def _focus_type(kind: str | None) -> str:
    """FOCUS's name for a contract's type; the columns that 1.4 removed are text."""
    return {None: "STRING", "timestamp": "DATETIME", "bigint": "DECIMAL"}.get(kind) or str(kind).upper()
