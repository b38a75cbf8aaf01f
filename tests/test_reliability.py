"""Nothing lost, nothing twice: what damaged, repeated and impossible exports come to."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from finops_lib import lake
from finops_lib.ingest import ingest
from finops_lib.lake import Home

from conftest import ROOT, SHARED  # isort: skip
from test_csv_map import documented  # isort: skip
from test_ingest import HEADER, charge, text  # isort: skip

SAMPLES = ROOT / "data" / "samples"
HELD = "cost_and_usage from focus, account a-1, 2026-09"
NEIGHBOUR = ("published", f"{HELD}: 1 row, billed USD 1.5; FOCUS 1.0")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def outcomes(home: Home, inbox: Path) -> list[tuple[str, str]]:
    return [(o.status, o.message) for o in ingest(home, [inbox], data_docs=False).outcomes]


def page(*buckets: dict[str, Any], **more: Any) -> str:
    return json.dumps({"object": "page", "data": list(buckets), **more})


def bucket(day: int, *values: float, line_item: str = "gpt-5, input") -> dict[str, Any]:
    start = 1790812800 + 86400 * day
    results = [{"amount": {"value": v, "currency": "usd"}, "line_item": line_item} for v in values]
    return {"object": "bucket", "start_time": start, "end_time": start + 86400, "results": results}


def damaged() -> dict[str, tuple[str, bytes, str]]:
    """Damaged files by what is wrong with them: name, content and what is said."""
    rows = text(*(charge(str(i)) for i in range(200))).encode()
    packed = bytearray(gzip.compress(rows, mtime=0))
    packed[300] ^= 0xFF
    table = io.BytesIO()
    pq.write_table(pa.table({name: ["x" * 50 + str(i) for i in range(999)] for name in HEADER}), table)
    parquet = table.getvalue()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("inner.csv", rows)
    spoilt = bytearray(archive.getvalue())
    spoilt[120:140] = b"\0" * 20
    broken = "the gzip stream is damaged or ends before its end. Fetch it again; nothing of it was read."
    unpacked = "this archive is damaged, or packed in a way that cannot be unpacked. Fetch it again from where it was "
    unpacked += "exported."
    return {
        "gzip spoilt": ("x.csv.gz", bytes(packed), f"x.csv.gz: {broken}"),
        "gzip cut": ("x.csv.gz", gzip.compress(rows)[:200], f"x.csv.gz: {broken}"),
        "zip cut": ("x.zip", archive.getvalue()[:200], f"x.zip: {unpacked}"),
        "zip spoilt": ("x.zip", bytes(spoilt), f"x.zip: {unpacked}"),
        "Parquet cut": (
            "x.parquet",
            parquet[: len(parquet) // 2],
            "x.parquet: this Parquet file is damaged (No magic bytes found). Fetch it again.",
        ),
        "JSON nested 5,000 deep": (
            "x.json",
            b'{"a":' * 5000 + b"1" + b"}" * 5000,
            "x.json: this JSON is nested too deep to hold records. Export it again.",
        ),
        "JSON cut": (
            "x.json",
            b'{"data": [1, 2',
            "x.json: this is not valid JSON (Expecting ',' delimiter: line 1 column 15 (char 14)). Fetch it again.",
        ),
    }


@pytest.mark.parametrize("kind", damaged())
def test_a_damaged_file_is_refused_by_name_and_its_neighbour_comes_in(home: Home, inbox: Path, kind: str) -> None:
    name, content, said = damaged()[kind]
    (inbox / name).write_bytes(content)
    (inbox / "good.csv").write_text(text(charge()), encoding="utf-8")
    assert sorted(outcomes(home, inbox)) == [NEIGHBOUR, ("refused", said)]


@pytest.mark.parametrize("escaping", ["../bill.csv", "/bill.csv", "link"])
def test_an_archive_that_would_write_elsewhere_is_refused(home: Home, inbox: Path, escaping: str) -> None:
    content = text(charge()).encode()
    with tarfile.open(inbox / "bills.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo(escaping)
        if escaping == "link":
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/hostname"
        else:
            member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    (inbox / "good.csv").write_text(text(charge()), encoding="utf-8")
    said = (
        "bills.tar.gz: this archive is damaged, or packed in a way that cannot be unpacked. Fetch it again from where "
        "it was exported."
    )
    assert sorted(outcomes(home, inbox)) == [NEIGHBOUR, ("refused", said)]


def test_a_file_that_may_not_be_read_stops_no_neighbour(home: Home, inbox: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("run as root, who may read every file: a refusal to read cannot be brought about")
    (inbox / "secret.csv").write_text(text(charge()), encoding="utf-8")
    (inbox / "secret.csv").chmod(0)
    (inbox / "good.csv").write_text(text(charge()), encoding="utf-8")
    assert sorted(outcomes(home, inbox)) == [
        NEIGHBOUR,
        ("refused", "secret.csv: cannot be opened (Permission denied). Let it be read, or fetch it again."),
    ]


def test_what_nobody_foresaw_is_refused_by_name(home: Home, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from finops_lib.ingest.collect import files

    def fails(*_: object, **__: object) -> None:
        raise OverflowError("date value out of range")

    (inbox / "x.json").write_text("{}", encoding="utf-8")
    (inbox / "good.csv").write_text(text(charge()), encoding="utf-8")
    monkeypatch.setattr(files, "_sniff_json", fails)
    assert sorted(outcomes(home, inbox)) == [
        NEIGHBOUR,
        (
            "refused",
            "x.json: cannot be read, for a reason that nobody has foreseen (OverflowError). Export it again; if that "
            "does "
            "not help, report it with the file.",
        ),
    ]


def test_an_amount_too_large_to_add_up_is_refused_by_its_row(home: Home, inbox: Path) -> None:
    (inbox / "x.csv").write_text(text(charge(), charge("99999999999999999999.99")), encoding="utf-8")
    assert outcomes(home, inbox)[0] == (
        "refused",
        "x.csv, row 2, column BilledCost: found '99999999999999999999.99', wanted a number below 10^17. "
        "Correct the value at its source and deliver the file again.",
    )


def test_an_amount_too_large_in_companion_exports_is_refused_in_a_sentence(home: Home, inbox: Path) -> None:
    content = (SAMPLES / "azure_amortized" / "actual.csv").read_text(encoding="utf-8")
    (inbox / "actual.csv").write_text(content.replace(",7,", ",99999999999999999999.99,"), encoding="utf-8")
    assert outcomes(home, inbox) == [
        (
            "refused",
            'actual.csv: the azure_actual adapter cannot read this (found "1.14285714285714e+20", which does not fit '
            "where it stands or is used). Export it again.",
        )
    ]


def test_an_equal_line_of_one_id_counts_once(home: Home, inbox: Path) -> None:
    header, *lines = (SAMPLES / "oci_cost" / "0001000000900001-00001.csv").read_text(encoding="utf-8").splitlines()
    (inbox / "oci.csv").write_text("\n".join([header, *lines, *lines]), encoding="utf-8")
    assert outcomes(home, inbox)[0] == (
        "published",
        "cost_and_usage from oci_cost, account 77001, 2026-09: 5 rows, billed EUR 2.181800481298076439; 5 rows "
        "repeated, "
        "counted once: EUR 2.181800481298076439",
    )
    [delivery] = [d for d in lake.current(home).values() if d.billing_account == "77001"]
    assert (delivery.rows_read, delivery.rows_published, delivery.rows_merged) == (10, 5, 5)


def test_a_page_that_comes_twice_counts_once_in_one_file_and_in_two(home: Home, inbox: Path) -> None:
    (inbox / "1.json").write_text(page(bucket(0, 1.5), bucket(0, 1.5)), encoding="utf-8")
    (inbox / "2.json").write_text(page(bucket(0, 1.5), bucket(1, 2)), encoding="utf-8")
    assert outcomes(home, inbox) == [
        (
            "published",
            "cost_and_usage from openai_costs, account default, 2026-10: 2 rows, billed USD 3.5; 2 rows repeated, "
            "counted "
            "once: USD 3",
        )
    ]


def test_a_row_with_another_rows_key_and_another_amount_is_refused(home: Home, inbox: Path) -> None:
    (inbox / "1.json").write_text(page(bucket(0, 1.5), bucket(0, 2)), encoding="utf-8")
    assert outcomes(home, inbox) == [
        (
            "refused",
            "1.json, row 2, column start_time, end_time, line_item, quantity_unit, project_id, api_key_id, "
            "organization_id: found "
            "the same "
            "as in row 1 with other values, wanted each once. Export it again, each page and line once. "
            "cost_and_usage from "
            "openai_costs, account default, 2026-10 stays as it was.",
        )
    ]


def test_equal_rows_of_an_export_without_line_ids_count_and_are_noted(home: Home, inbox: Path) -> None:
    (inbox / "x.csv").write_text(text(charge(), charge(), charge("2")), encoding="utf-8")
    assert outcomes(home, inbox) == [
        (
            "published",
            f"{HELD}: 3 rows, billed USD 5; FOCUS 1.0; 1 row equal to another, billed USD 1.5: no line id tells "
            f"whether twice",
        )
    ]


def test_a_page_that_says_there_is_more_is_refused_until_the_last_one_is_there(home: Home, inbox: Path) -> None:
    (inbox / "1.json").write_text(page(bucket(0, 1.5), has_more=True, next_page="p2"), encoding="utf-8")
    assert outcomes(home, inbox) == [
        (
            "refused",
            "1.json: has_more says that another page follows, which is not there. Fetch the pages that follow and "
            "deliver "
            "them together with this one.",
        )
    ]
    (inbox / "2.json").write_text(page(bucket(1, 2), has_more=False, next_page=None), encoding="utf-8")
    assert outcomes(home, inbox) == [
        ("published", "cost_and_usage from openai_costs, account default, 2026-10: 2 rows, billed USD 3.5")
    ]


@pytest.mark.parametrize("again", ["BilledCost", "Billed_Cost"])
def test_a_column_that_is_read_and_stands_twice_is_refused(home: Home, inbox: Path, again: str) -> None:
    (inbox / "x.csv").write_text(text([*charge(), "3"], header=[*HEADER, again]), encoding="utf-8")
    [(status, said)] = outcomes(home, inbox)
    assert status == "refused"
    assert said.startswith("x.csv: found the column 'BilledCost' more than once in its header")
    assert said.endswith("wanted it once. Export it again, or take the wrong one out.")


def test_nameless_columns_of_a_spreadsheet_are_read_over(home: Home, inbox: Path) -> None:
    (inbox / "x.csv").write_text(text([*charge(), "", ""], header=[*HEADER, "", ""]), encoding="utf-8")
    assert outcomes(home, inbox) == [NEIGHBOUR]


def test_a_quote_that_swallows_rows_is_refused(home: Home, inbox: Path) -> None:
    lines = text(*(charge(Tags="") for _ in range(4))).splitlines()
    lines[1], lines[3] = '"' + lines[1], lines[3].replace("a-1", 'a-1"', 1)
    (inbox / "x.csv").write_text("\n".join(lines), encoding="utf-8")
    [(status, said)] = outcomes(home, inbox)
    assert status == "refused"
    assert said.startswith(
        "x.csv, row 1, column BillingAccountId: found a line break in 'a-1,USD,2026-09-01T00:00:00Z,"
    )
    assert said.endswith("wanted one value: a quote that stands alone swallows what follows it. Export the file again.")


def test_a_line_break_inside_an_id_is_refused_and_inside_a_tag_is_read(home: Home, inbox: Path) -> None:
    (inbox / "x.csv").write_text(text(charge(Tags='{"a":\n"b"}')), encoding="utf-8")
    assert outcomes(home, inbox) == [NEIGHBOUR]
    (inbox / "x.csv").write_text(text(charge(account="a-1\na-2")), encoding="utf-8")
    assert outcomes(home, inbox) == [
        (
            "refused",
            "x.csv, row 1, column BillingAccountId: found a line break in 'a-1\\na-2', wanted one value: a quote that "
            "stands alone swallows what follows it. Export the file again.",
        )
    ]


SANE = "a time between the year 2000 and 20 years from now"


@pytest.mark.parametrize("value", ["2062-09-03T00:00:00Z", "0001-01-01T00:00:00Z", "0026-09-03T00:00:00Z", "infinity"])
def test_a_time_that_cannot_be_is_refused_by_its_row(home: Home, inbox: Path, value: str) -> None:
    (inbox / "x.csv").write_text(text(charge(), charge(ChargePeriodStart=value)), encoding="utf-8")
    said = [m for _, m in outcomes(home, inbox)]
    assert said[0].startswith("x.csv, row 2, column ChargePeriodStart: found ")
    assert f"wanted {SANE}. {HELD} stays as it was." in said[0]
    assert not home.lake.joinpath("cost_and_usage").exists()


def test_a_charge_that_ends_before_it_starts_or_far_from_its_bill_is_refused(home: Home, inbox: Path) -> None:
    early = charge(ChargePeriodEnd="2026-09-02T00:00:00Z")
    far = charge(ChargePeriodStart="2020-01-01T00:00:00Z", ChargePeriodEnd="2020-01-02T00:00:00Z")
    (inbox / "x.csv").write_text(text(early, far), encoding="utf-8")
    assert [m for _, m in outcomes(home, inbox)] == [
        "x.csv, row 1, column ChargePeriodEnd: found '2026-09-02 00:00:00+00', wanted charge period does not end "
        "before it "
        f"starts. {HELD} stays as it was.",
        "x.csv, row 2, column ChargePeriodStart: found '2020-01-01 00:00:00+00', wanted charge period starts within "
        "three "
        f"years of its billing period. {HELD} stays as it was.",
    ]


def test_an_instant_of_the_wrong_unit_or_before_1970_is_refused_by_its_row(home: Home, inbox: Path) -> None:
    negative = bucket(0, 1) | {"start_time": -1790812800}
    (inbox / "x.json").write_text(page(negative), encoding="utf-8")
    [said, *_] = [m for _, m in outcomes(home, inbox)]
    assert said.startswith(
        "x.json, row 1, column BillingPeriodEnd: found '1913-05-01 00:00:00+00', wanted a time between"
    )


@pytest.mark.parametrize(("currency", "nearest"), [("XXX", ""), ("XXQ", ""), ("EURO", " (the nearest is EUR)")])
def test_what_is_no_national_currency_is_refused_with_the_nearest(
    home: Home, inbox: Path, currency: str, nearest: str
) -> None:
    (inbox / "x.csv").write_text(text(charge(BillingCurrency=currency)), encoding="utf-8")
    [(_, said)] = outcomes(home, inbox)
    assert said.startswith(
        f"x.csv, row 1, column BillingCurrency: found '{currency}', wanted a national currency of ISO 4217, such as EUR"
    )
    assert nearest in said


MAP = "usage.csv.map.yml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('columns: {BilledCost: &a [x], Tags: *a}',
         'this is not valid YAML (line 1: found an alias (*), wanted every value written out).'),
        ('source: p\ncolumns:\n  BilledCost: A\n  BilledCost: B',
         'this is not valid YAML (line 4: BilledCost is given twice, wanted each name once).'),
        ('source: p\ncolumns: {BilledCost: A}\nsource: q',
         'this is not valid YAML (line 3: source is given twice, wanted each name once).'),
        ('columns: [A, B]',
         "columns: found ['A', 'B'], wanted a delivered column for each FOCUS column."),
        ('columns: {BilledCost: [A]}',
         "columns: found {'BilledCost': ['A']}, wanted a delivered column for each FOCUS column."),
        ('columns: {BilledCost: A}\nvalues: {ChargeCategory: Usage}',
         "values: found {'ChargeCategory': 'Usage'}, wanted for each FOCUS column "
         "what its delivered values mean, such as {usage: Usage}."),
        ('columns: {BilledCost: A}\nconstants: USD',
         "constants: found 'USD', wanted one value for each FOCUS column."),
        ('columns: {BilledCost: A}\ntags: Team',
         "tags: found 'Team', wanted a list such as [Team, Project]."),
        ('columns: {BilledCost: A}\ndates: {a: b}',
         "dates: found {'a': 'b'}, wanted one text."),
        ('- a',
         'found no columns, wanted at least `columns:` with a delivered column for each FOCUS column.'),
        ("a: " + "[" * 5000,
         "this is nested too deep, wanted a map of some lines."),
        ("#" * 2_000_000,
         "found more than 1024 kB, wanted a map of some lines."),
    ],
)  # fmt: skip
def test_a_map_that_is_none_is_refused_in_a_sentence(home: Home, inbox: Path, text: str, said: str) -> None:
    (inbox / "usage.csv").write_text("Amount\n1\n", encoding="utf-8")
    (inbox / MAP).write_text(text, encoding="utf-8")
    began = time.monotonic()
    assert outcomes(home, inbox) == [("refused", f"{MAP}: {said}")]
    assert time.monotonic() - began < 5


def test_a_map_says_texts_whatever_yaml_makes_of_them(home: Home, inbox: Path) -> None:
    said = documented(values={"ChargeCategory": {"NO": "Usage"}}, timezone=None, dates=None)
    said["columns"].pop("ConsumedQuantity")
    said["constants"].pop("ConsumedUnit")
    lines = [f"source: {said['source']}", "columns:", *(f"  {k}: {v}" for k, v in said["columns"].items())]
    lines += ["constants:", *(f"  {k}: {v}" for k, v in said["constants"].items())]
    lines += ["values:", "  ChargeCategory: {NO: Usage}", "row_covers: day"]
    (inbox / MAP).write_text("\n".join(lines), encoding="utf-8")
    (inbox / "usage.csv").write_text(
        "Amount,Currency,Kind,Usage Date,Product,Units,Project\n2,EUR,NO,2026-10-05,P,1,p\n", encoding="utf-8"
    )
    assert [status for status, _ in outcomes(home, inbox)] == ["published"]


def test_one_json_document_that_is_too_large_to_hold_is_refused(
    home: Home, inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from finops_lib.ingest.collect import files

    monkeypatch.setattr(files, "DOCUMENT", 2 << 20)
    (inbox / "x.json.gz").write_bytes(gzip.compress(b'{"data": [' + b'{"a": 1},' * 400_000 + b'{"a": 1}]}'))
    assert outcomes(home, inbox) == [
        (
            "refused",
            "x.json.gz: found one JSON document of more than 2 MB, wanted records that can be read one after the "
            "other. "
            "Export it in pages, or with one record per line.",
        )
    ]


@pytest.mark.parametrize("ending", ["zip", "tgz"])
def test_an_archive_that_unpacks_to_what_no_export_is_stays_packed(
    home: Home, inbox: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    from finops_lib.ingest.collect import files

    monkeypatch.setattr(files, "BOMB", 1 << 20)
    content = b" " * (4 << 20)
    if ending == "zip":
        with zipfile.ZipFile(inbox / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.csv", content)
    else:
        with tarfile.open(inbox / "x.tgz", "w:gz") as tar:
            member = tarfile.TarInfo("x.csv")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    [(status, said)] = outcomes(home, inbox)
    assert (status, said.split(", which")[0]) == ("refused", said.split(", which")[0])
    assert said.startswith(f"x.{ending}: found 4 MB packed into ")


def test_archives_in_archives_are_unpacked_three_deep(home: Home, inbox: Path) -> None:
    content, name = text(charge()).encode(), "x.csv"
    for depth in range(1, 5):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, content)
        content, name = out.getvalue(), f"{depth}.zip"
        (inbox / "x.zip").write_bytes(content)
        said = outcomes(home, inbox)
        if depth < 4:
            assert [status for status, _ in said] in (["published"], ["unchanged"])
    assert said == [
        ("refused", "1.zip: found archives in archives in archives. Unpack them, and deliver what is in them.")
    ]


CASES = SHARED / "cases" / "reliability"


@pytest.mark.parametrize(
    ("case", "wanted"),
    {
        "bad_gz": "refused", "dup_header": "refused", "has_more": "refused", "infinity": "refused",
        "map_billion_laughs": "refused", "map_key_twice": "refused", "map_values_text": "refused",
        "page_twice": "refused", "quotes_swallow": "refused", "rows_twice": "published", "trailing_comma": "published",
        "year2062": "refused",
    }.items(),
)  # fmt: skip
def test_the_cases_of_others_come_out_right(home: Home, case: str, wanted: str) -> None:
    if not CASES.exists():
        pytest.skip("../shared/cases/reliability is not beside the project: the cases of others cannot be read")
    done = ingest(home, [CASES / case], data_docs=False)
    assert {o.status for o in done.outcomes} == {wanted}
