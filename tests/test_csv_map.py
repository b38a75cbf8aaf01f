"""A file without an adapter comes in as its map says, to the last digit, or is refused by what the map gets wrong."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from finops_lib import warehouse
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import sources
from finops_lib.lake import Home, current

from conftest import ROOT  # isort: skip

DOCUMENTED = re.search(
    r"```yaml\n(.*?)```", (ROOT / "docs" / "csv_map.md").read_text(encoding="utf-8"), flags=re.DOTALL
)
ROWS = """Amount,Currency,Kind,Usage Date,Product,Units,Project,Team,Environment
0.100000000000000001,EUR,usage,01.11.2026,Serverless,1000,p1,search,prod
19.99,EUR,usage,31.10.2026,Serverless,5,p1,,
-5,EUR,credit,31.10.2026,Serverless,,,,
3.8,USD,vat,31.10.2026,Serverless,,,,
"""


def documented(**changed: Any) -> dict[str, Any]:
    assert DOCUMENTED is not None
    said = {**yaml.safe_load(DOCUMENTED[1]), **changed}
    return {key: value for key, value in said.items() if value is not None}


def deliver(home: Home, folder: Path, said: dict[str, Any], rows: str = ROWS) -> list[tuple[str, str]]:
    folder.mkdir(exist_ok=True)
    (folder / "usage.csv").write_text(rows, encoding="utf-8")
    (folder / "usage.csv.map.yml").write_text(yaml.safe_dump(said), encoding="utf-8")
    return [(o.status, o.message) for o in ingest(home, [folder], data_docs=False).outcomes]


def test_the_documented_map_brings_every_digit_of_every_currency(home: Home, tmp_path: Path) -> None:
    said = documented()
    said["columns"].pop("ConsumedQuantity")
    said["constants"].pop("ConsumedUnit")
    # 1 November in Berlin begins on 31 October in UTC, so all of it is October.
    assert deliver(home, tmp_path / "in", said) == [
        (
            "published",
            "cost_and_usage from pinecone, account acct-7, 2026-10: 4 rows, billed EUR 15.090000000000000001, USD 3.8",
        )
    ]
    rows = warehouse.dataset(home, "cost_and_usage").sort("x_SourceRow")
    assert rows["ChargeCategory"].to_list() == ["Usage", "Usage", "Credit", "Tax"]
    assert rows["Tags"].to_list() == ['{"Team":"search","Environment":"prod"}', None, None, None]
    assert [str(t) for t in rows["ChargePeriodStart"]][:2] == ["2026-10-31 23:00:00+00:00", "2026-10-30 23:00:00+00:00"]
    assert set(rows["ServiceSubcategory"]) == {"Other (AI and Machine Learning)"}
    assert set(rows["x_Adapter"]) == {"pinecone"}


def test_one_map_serves_every_file_of_its_folder_csv_and_parquet(home: Home, tmp_path: Path) -> None:
    said = documented(dates=None, timezone=None)
    with duckdb.connect() as db:
        for day in (5, 6):
            db.execute(
                f"copy (select 1.5::decimal(9, 2) as Amount, 'EUR' as Currency, 'usage' as Kind, date '2026-10-0{day}' "
                f"as \"Usage Date\", 'S' as Product, 2 as Units, 'p' as Project, 't' as Team, 'e' as Environment) "
                f"to '{tmp_path / f'{day}.parquet'}' (format parquet)"
            )
    (tmp_path / "7.csv").write_text(ROWS.split("\n")[0] + "\n2,EUR,usage,2026-10-07,S,1,p,t,e\n", encoding="utf-8")
    (tmp_path / "map.yml").write_text(yaml.safe_dump(said), encoding="utf-8")
    [outcome] = ingest(home, [tmp_path], data_docs=False).outcomes
    assert outcome.message == "cost_and_usage from pinecone, account acct-7, 2026-10: 3 rows, billed EUR 5"
    assert sum(warehouse.dataset(home, "cost_and_usage")["ConsumedQuantity"], Decimal(0)) == 5


def test_the_same_file_and_map_again_change_nothing_and_another_map_reads_it_anew(home: Home, tmp_path: Path) -> None:
    said = documented()
    said["columns"].pop("ConsumedQuantity")
    said["constants"].pop("ConsumedUnit")
    deliver(home, tmp_path / "in", said)
    assert [s for s, _ in deliver(home, tmp_path / "in", said)] == ["unchanged"]
    assert [s for s, _ in deliver(home, tmp_path / "in", {**said, "timezone": "America/New_York"})] == [
        "published", "published",
    ]  # fmt: skip


def without(said: dict[str, Any], part: str, focus: str) -> dict[str, Any]:
    return {**said, part: {k: v for k, v in said[part].items() if k != focus}}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt FOCUS column": (
        documented(columns={**documented()["columns"], "BiledCost": "Amount"}),
        "usage.csv.map.yml: BiledCost is no column of cost_and_usage; the nearest is BilledCost.",
    ),
    "a column that is not delivered": (
        documented(columns={**documented()["columns"], "ServiceName": "Offering"}),
        "usage.csv: ServiceName is taken from a column 'Offering' that is not there. Found: Amount, Currency, Kind, "
        "Usage Date, Product, Units, Project, Team, Environment. Correct usage.csv.map.yml or export the file with "
        "that column.",
    ),
    "columns that FOCUS wants": (
        without(without(documented(row_covers=None), "constants", "ServiceProviderName"), "columns", "ServiceName"),
        "usage.csv.map.yml: found nothing for ChargePeriodEnd, ServiceName, ServiceProviderName (or row_covers: day), "
        "wanted a column or a constant for each.",
    ),
    "no amount": (
        without(documented(), "columns", "BilledCost"),
        "usage.csv.map.yml: found no column for BilledCost, wanted one: its sum must arrive to the last digit.",
    ),
    "a column twice": (
        documented(constants={**documented()["constants"], "ServiceName": "S"}),
        "usage.csv.map.yml: ServiceName is given twice, wanted it either from a column or as a constant.",
    ),
    "a key it does not know": (
        documented(currency="EUR"),
        "usage.csv.map.yml: found the key 'currency', wanted one of source, columns, constants, values, tags, "
        "row_covers, dates, timezone.",
    ),
    "a source that is there": (
        documented(source="aws_cur"),
        "usage.csv.map.yml: found source 'aws_cur', wanted a new name of small letters, digits and _, such as "
        "`source: pinecone`.",
    ),
    "a time zone that is none": (
        documented(timezone="Berlin"),
        "usage.csv.map.yml: found timezone 'Berlin', wanted a name such as Europe/Berlin; without one times are UTC.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(WRONG))
def test_a_map_is_refused_by_what_it_gets_wrong(case: str, home: Home, tmp_path: Path) -> None:
    said, message = WRONG[case]
    assert deliver(home, tmp_path / "in", said) == [("refused", message)]
    assert current(home) == {}


def test_a_value_that_the_map_does_not_translate_is_refused_by_row(home: Home, tmp_path: Path) -> None:
    [(status, message)] = deliver(
        home, tmp_path / "in", documented(), ROWS.replace("vat", "duty").replace(",,,,", ",1,,,")
    )
    assert status == "refused"
    assert message.startswith(
        "usage.csv, row 4, column \"Kind\" (which gives ChargeCategory): found 'duty', wanted a value"
    )


def test_an_amount_that_is_no_number_is_refused_by_row_and_column(home: Home, tmp_path: Path) -> None:
    [(_, message)] = deliver(home, tmp_path / "in", documented(), ROWS.replace("19.99", '"19,99"'))
    assert message.startswith("usage.csv, row 2, column Amount: found '19,99', wanted a number.")


def test_a_date_written_otherwise_is_refused_by_row_and_column(home: Home, tmp_path: Path) -> None:
    outcomes = deliver(home, tmp_path / "in", documented(), ROWS.replace("01.11.2026", "2026-11-01"))
    assert any('row 1, column "Usage Date" (which gives ' in message and s == "refused" for s, message in outcomes)


def test_the_sources_name_the_map(home: Home) -> None:
    assert sources()[-1]["source"] == "csv_map"
