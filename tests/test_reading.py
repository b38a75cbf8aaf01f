"""How values are read: to the digit that was delivered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from finops_lib.contract import literal
from finops_lib.ingest.adapt import Database, FileInspector
from finops_lib.ingest.adapt.reading import raw_view
from finops_lib.ingest.adapters import Adapter
from finops_lib.ingest.collect.files import Delivered, sniff
from finops_lib.ingest.collect.recognising import recognise


def sniffed_file(db: Database, path: Path) -> Delivered:
    delivered = Delivered(name=path.name, path=path, sha256=path.name, size=0)
    return sniff(delivered, workdir=path.parent, parquet=FileInspector(db).parquet)


def recognised(db: Database, file: Delivered) -> Adapter:
    return recognise(file, has_row=FileInspector(db).has_row)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database(workdir=tmp_path) as db:
        yield db


def cur(db: Database, folder: Path, costs: str, name: str = "cur.parquet", more: str = "") -> Delivered:
    """A CUR 2.0 file with the doubles that a query gives in its column `cost`."""
    path = folder / name
    db.run(
        f"copy (select 'p' as bill_payer_account_id, timestamptz '2026-10-01 00:00:00+00' as "
        "bill_billing_period_start_date, 'Usage' as line_item_line_item_type, 'USD' as line_item_currency_code, "
        f"cost as line_item_unblended_cost, cost as line_item_usage_amount{more} from ({costs})) "
        f"to {literal(str(path))} (format parquet)"
    )
    return sniff(
        Delivered(name=name, path=path, sha256=name, size=0), workdir=folder, parquet=FileInspector(db).parquet
    )


def test_a_double_is_read_as_the_decimal_that_it_prints_as(db: Database, tmp_path: Path) -> None:
    several = (
        "select setseed(0.5), unnest([0.1 + 0.2, 1e-10, 1e-11, -1e-10, 99999.9999999999, 99999.99999999999, 100000.25, "
        "-0.0, 0.0, null, 1.0 / 3.0, 2.5e-10, 1.5e-10, 0.30000000000000004, 123456789012.125, -24.192])::double as cost"
    )
    many = " union all ".join(
        f"select null, {value} as cost from range(50000)"
        for value in (
            "round(random() * 1e5, 10)", "round(random() - 0.5, 10)", "round(random() * 1e7, 2)", "random()",
            "random() * 1e-8", "round(random() * 100, 9) * 3", "round(random() * 1e-6, 12)",
        )
    )  # fmt: skip
    file = cur(db, tmp_path, f"{several} union all {many}")
    raw_view(db, recognised(db, file), [file], strict=True)
    delivered = f"read_parquet('{file.path}', file_row_number = true)"
    differing = db.rows(
        "select raw.line_item_unblended_cost, usage_amount_9, given.line_item_unblended_cost "
        f"from raw join {delivered} as given on x_source_row = file_row_number + 1 "
        "where raw.line_item_unblended_cost is distinct from "
        "cast(cast(given.line_item_unblended_cost as varchar) as decimal(38, 18)) "
        "or usage_amount_9 is distinct from cast(cast(given.line_item_usage_amount as varchar) as decimal(29, 9))"
    )
    assert differing == []
    assert db.rows("select count(*) from raw") == [(350_016,)]


@pytest.mark.parametrize("cost", ["'nan'", "'inf'", "1e300", "-1e21"])
def test_a_double_that_is_no_amount_fits_no_decimal(db: Database, tmp_path: Path, cost: str) -> None:
    file = cur(db, tmp_path, f"select {cost}::double as cost")
    adapter = recognised(db, file)
    raw_view(db, adapter, [file], strict=True)
    with pytest.raises(duckdb.ConversionException):
        db.rows("select line_item_unblended_cost from raw")
    raw_view(db, adapter, [file], strict=False)
    assert db.rows("select line_item_unblended_cost from raw") == [(None,)]


def test_tags_in_a_column_each_are_one_json_whatever_they_hold(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "cur.csv"
    file.write_text(
        "bill/PayerAccountId,bill/BillingPeriodStartDate,lineItem/LineItemType,lineItem/CurrencyCode,"
        'lineItem/UnblendedCost,resourceTags/user:team,"resourceTags/user:a ""b"" \'c\' \\d"\n'
        'p,2026-10-01T00:00:00Z,Usage,USD,1,"say ""hi"", \'you\' \\ {ö}",\n'
        'p,2026-10-01T00:00:00Z,Usage,USD,1,search,"two\nlines"\n'
        "p,2026-10-01T00:00:00Z,Usage,USD,1,,\n",
        encoding="utf-8",
    )
    sniffed = sniff(
        Delivered(name="cur.csv", path=file, sha256="", size=0), workdir=tmp_path, parquet=FileInspector(db).parquet
    )
    raw_view(db, recognised(db, sniffed), [sniffed], strict=True)
    tags = [t for (t,) in db.rows("select resource_tags from raw order by x_source_row")]
    assert [t and json.loads(t) for t in tags] == [
        {"user:team": "say \"hi\", 'you' \\ {ö}"},
        {"user:team": "search", "user:a \"b\" 'c' \\d": "two\nlines"},
        None,
    ]


def test_every_row_keeps_the_file_and_the_place_it_came_in_whatever_the_other_parts_look_like(
    db: Database, tmp_path: Path
) -> None:
    parts = [
        cur(db, tmp_path, "select unnest([1.5, 2.5]) as cost", "part 1.parquet"),
        cur(db, tmp_path, "select 3 as cost", "other.parquet", more=", 'eu-west-1' as product_region_code"),
        cur(db, tmp_path, "select unnest([4.5, 5.5]) as cost", "part's 2.parquet"),
        cur(db, tmp_path, "select 6.5::decimal(9, 1) as cost", "decimal.parquet"),
    ]
    raw_view(db, recognised(db, parts[0]), parts, strict=True)
    rows = db.rows(
        "select x_source_file, x_source_row, cast(line_item_unblended_cost as double), product_region_code "
        "from raw order by 3"
    )
    assert rows == [
        ("part 1.parquet", 1, 1.5, None),
        ("part 1.parquet", 2, 2.5, None),
        ("other.parquet", 1, 3.0, "eu-west-1"),
        ("part's 2.parquet", 1, 4.5, None),
        ("part's 2.parquet", 2, 5.5, None),
        ("decimal.parquet", 1, 6.5, None),
    ]


def test_a_bill_that_needs_more_memory_than_the_limit_is_written_all_the_same(db: Database, tmp_path: Path) -> None:
    large = "select list(range) as numbers from range(3000000)"
    db.run("set memory_limit = '10MB'")
    with pytest.raises(duckdb.OutOfMemoryException):
        db.rows(f"select len(numbers) from ({large})")
    db.write(large, tmp_path / "large.parquet")
    assert db.rows(f"select len(numbers), list_sum(numbers) from '{tmp_path}/large.parquet'") == [
        (3000000, 4499998500000)
    ]


@pytest.mark.parametrize(("kind", "name"), [("json", "{:02}.json"), ("lines", "aws-lambda-f.2026-10-{:02}.log")])
def test_every_record_of_many_files_keeps_its_file_and_its_number_in_it(
    kind: str, name: str, db: Database, tmp_path: Path
) -> None:
    """Records of 20 files, as many as the number of the file."""
    expected = []
    for day in range(1, 21):
        records = []
        for i in range(1, day + 1):
            ms = 1000 * day + i
            expected.append((name.format(day), 2 * i if kind == "lines" else i, ms))
            if kind == "lines":
                line = f"REPORT RequestId: r-{ms} Duration: {ms} ms Billed Duration: {ms} ms Memory Size: 128 MB"
                records += ["START something else", f"{line} Max Memory Used: 70 MB"]
            else:
                invocation = {
                    "schemaType": "ModelInvocationLog", "timestamp": "2026-10-01T00:00:00Z", "accountId": "1",
                    "requestId": f"r-{ms}", "modelId": "m", "input": {"inputTokenCount": ms},
                }  # fmt: skip
                records.append(json.dumps(invocation))
        (tmp_path / name.format(day)).write_text("\n".join([*records, "" if kind == "json" else "END"]) + "\n")
    files = [
        sniff(
            Delivered(name=f.name, path=f, sha256=f.name, size=1), workdir=tmp_path, parquet=FileInspector(db).parquet
        )
        for f in sorted(tmp_path.iterdir())
    ]
    adapter = recognised(db, files[0])
    raw_view(db, adapter, files, strict=True)
    number = "input.inputTokenCount" if kind == "json" else "cast(regexp_extract(message, '[0-9]+') as bigint)"
    assert adapter.name == ("bedrock_invocations" if kind == "json" else "lambda_report")
    assert db.rows(f"select x_source_file, x_source_row, {number} from raw order by 3") == expected
