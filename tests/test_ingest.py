"""What ingestion promises: all money or none, the same however often, and one clear message for what is refused."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import tarfile
import zipfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finops_lib import lake, warehouse
from finops_lib.contract import contract, contracts
from finops_lib.errors import UsageError
from finops_lib.ingest import ingest, sources, sources_page
from finops_lib.lake import Home, Partition
from finops_lib.money import EXACT, exact

HEADER = [
    "BillingAccountId", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart",
    "ChargePeriodEnd", "ChargeCategory", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost",
    "InvoiceIssuerName", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName", "ChargeFrequency", "Tags",
]  # fmt: skip


def charge(
    cost: str = "1.5", *, month: int = 9, account: str = "a-1", category: str = "Usage", **more: str
) -> list[str]:
    row = {
        "BillingAccountId": account,
        "BillingCurrency": "USD",
        "BillingPeriodStart": f"2026-{month:02}-01T00:00:00Z",
        "BillingPeriodEnd": f"2026-{month + 1:02}-01T00:00:00Z",
        "ChargePeriodStart": f"2026-{month:02}-03T00:00:00Z",
        "ChargePeriodEnd": f"2026-{month:02}-04T00:00:00Z",
        "ChargeCategory": category,
        "BilledCost": cost,
        "EffectiveCost": cost,
        "ListCost": cost,
        "ContractedCost": cost,
        "InvoiceIssuerName": "AWS",
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "ServiceCategory": "Compute",
        "ServiceName": "Amazon EC2",
        "ChargeFrequency": "Usage-Based",
        "Tags": '{"team":"search"}',
    } | more
    return [row[h] for h in HEADER]


def text(*rows: list[str], header: list[str] = HEADER) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue()


def deliver(home: Home, *files: Path, **options: object) -> list[tuple[str, str]]:
    done = ingest(home, list(files), data_docs=False, **options)  # type: ignore[arg-type]
    return [(o.status, o.message) for o in done.outcomes]


def snapshot(home: Home) -> dict[str, str]:
    """Every file of the lake but its lock and the rejected rows, with its content."""
    return {
        str(f.relative_to(home.lake)): hashlib.sha256(f.read_bytes()).hexdigest()
        for f in sorted(home.lake.rglob("*"))
        if f.is_file() and f.name != ".lock" and home.lake / "_rejected" not in f.parents
    }


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "bill.csv"
    file.write_text(text(charge("1.5"), charge("0.000000000000000001"), charge("2", month=10)), encoding="utf-8")
    return file


def test_each_month_is_a_parquet_file_that_any_reader_can_read(home: Home, good: Path) -> None:
    assert deliver(home, good) == [
        (
            "published",
            "cost_and_usage from focus, account a-1, 2026-09: 2 rows, billed USD 1.500000000000000001; FOCUS 1.0",
        ),
        ("published", "cost_and_usage from focus, account a-1, 2026-10: 1 row, billed USD 2; FOCUS 1.0"),
    ]
    with duckdb.connect() as db:
        rows = db.sql(
            "select source, billing_month, sum(BilledCost) "
            f"from read_parquet('{home.lake}/cost_and_usage/*/*/*.parquet', "
            "hive_partitioning = true, hive_types = {'billing_month': varchar}) group by all order by 2"
        ).fetchall()
        described = db.sql(
            f"describe select * from read_parquet('{home.lake}/cost_and_usage/source=focus/billing_month=2026-09/"
            "a-1.parquet', hive_partitioning = false)"
        ).fetchall()
    assert rows == [
        ("focus", "2026-09", Decimal("1.500000000000000001")),
        ("focus", "2026-10", Decimal("2.000000000000000000")),
    ]
    types = {"TIMESTAMP WITH TIME ZONE": "timestamptz", "DECIMAL(38,18)": "decimal(38, 18)"}
    assert [(n, types.get(t, t.lower())) for n, t, *_ in described] == [
        (c.name, c.sql_type) for c in contract("cost_and_usage").columns
    ]


def test_a_csv_that_is_cut_inside_of_quotes_is_refused_by_its_row(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    whole = text(charge("1"), charge("2", ServiceName="Amazon EC2, Linux"))
    file.write_text(whole[: whole.index(", Linux")], encoding="utf-8")
    [(status, message)] = deliver(home, file)
    assert status == "refused"
    assert message.startswith("bill.csv, row 2: ")


def test_the_same_files_three_times_change_nothing(home: Home, good: Path) -> None:
    deliver(home, good)
    before = snapshot(home)
    for _ in range(2):
        assert {status for status, _ in deliver(home, good)} == {"unchanged"}
    assert snapshot(home) == before


def test_a_corrected_month_replaces_the_old_one_and_the_ledger_shows_the_difference(home: Home, good: Path) -> None:
    deliver(home, good)
    corrected = good.with_name("corrected.csv")
    corrected.write_text(text(charge("1.25"), charge("2", category="Credit")), encoding="utf-8")
    assert deliver(home, corrected) == [
        (
            "published",
            "cost_and_usage from focus, account a-1, 2026-09: 2 rows, billed USD 3.25; "
            "replaces an earlier delivery, change USD +1.749999999999999999; FOCUS 1.0",
        )
    ]
    first, untouched, second = lake.deliveries(home)
    assert (first.month, untouched.month, second.month) == ("2026-09", "2026-10", "2026-09")
    assert second.replaced == first.delivery_id
    assert second.billed_change == {"USD": "1.749999999999999999"}
    assert warehouse.dataset(home, "cost_and_usage").height == 3


def test_the_same_row_in_two_files_of_one_delivery_counts_twice_but_the_same_file_once(
    home: Home, tmp_path: Path
) -> None:
    one, copy, two = tmp_path / "one.csv", tmp_path / "copy.csv", tmp_path / "two.csv"
    one.write_text(text(charge("1")), encoding="utf-8")
    copy.write_text(text(charge("1")), encoding="utf-8")
    two.write_text(text(charge("1"), charge("3")), encoding="utf-8")
    deliver(home, one, copy, two)
    assert lake.deliveries(home)[0].billed_total == {"USD": "5"}


def test_two_currencies_are_two_totals(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_text(text(charge("1"), charge("10", BillingCurrency="EUR")), encoding="utf-8")
    deliver(home, file)
    assert lake.deliveries(home)[0].billed_total == {"EUR": "10", "USD": "1"}


REFUSED = {
    "a missing required column": (
        text(charge()[:7] + charge()[8:], header=HEADER[:7] + HEADER[8:]),
        "bill.csv: no source reads this file. The nearest is focus, which also needs the column BilledCost. Found: "
        "BillingAccountId, BillingCurrency, BillingPeriodStart, BillingPeriodEnd, ChargePeriodStart, ChargePeriodEnd, "
        "ChargeCategory, EffectiveCost and 9 more. Export it with those columns, or see `finops sources`.",
    ),
    "a wrong type": (
        text(charge(), charge(BilledCost="12,50")),
        "bill.csv, row 2, column BilledCost: found '12,50', wanted a number. Correct the value at its source and "
        "deliver the file again. cost_and_usage from focus, account a-1, 2026-09 stays as it was.",
    ),
    "an empty required field": (
        text(charge(BilledCost=""), charge()),
        "bill.csv, row 1, column BilledCost: found nothing, wanted a value (a number). Correct the value at its source "
        "and deliver the file again. cost_and_usage from focus, account a-1, 2026-09 stays as it was.",
    ),
    "an unknown charge kind": (
        text(charge(), charge(category="Gift")),
        "bill.csv, row 2, column ChargeCategory: found 'Gift', wanted one of Usage, Purchase, Tax, Credit, Adjustment. "
        "cost_and_usage from focus, account a-1, 2026-09 stays as it was.",
    ),
    "a row that is cut": (
        text(charge(), charge()[:5]),
        "bill.csv, row 2: found 5 columns, wanted 18 as in the header (line 3 of the file). Export it again; an "
        "unquoted delimiter or a cut line does this.",
    ),
    "no bytes at all": (
        "",
        "bill.csv: the file is empty (0 bytes). Wanted an export with at least a header; export it again.",
    ),
    "another kind of file": (
        "name,age\nTom,3\n",
        "bill.csv: no source reads this file. It resembles no export that is known. Found: name, age. Export it with "
        "those columns, or see `finops sources`.",
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_bad_input_is_refused_in_one_message_and_the_lake_stays_as_it_was(case: str, home: Home, good: Path) -> None:
    deliver(home, good)
    before = snapshot(home)
    content, message = REFUSED[case]
    bad = good.with_name("next") / "bill.csv"
    bad.parent.mkdir()
    bad.write_text(content, encoding="utf-8")
    assert deliver(home, bad) == [("refused", message)]
    assert snapshot(home) == before


def test_a_truncated_gzip_is_refused_in_one_message(home: Home, tmp_path: Path) -> None:
    whole = gzip.compress(text(*[charge(str(n)) for n in range(2000)]).encode())
    bad = tmp_path / "bill.csv.gz"
    bad.write_bytes(whole[: len(whole) // 2])
    [(status, message)] = deliver(home, bad)
    assert status == "refused"
    assert message == (
        "bill.csv.gz: the gzip stream is damaged or ends before its end. Fetch it again; nothing of it was read."
    )
    assert lake.deliveries(home) == []


def test_a_bad_month_does_not_keep_a_good_one_out(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_text(text(charge(category="Gift"), charge("2", month=10)), encoding="utf-8")
    assert [s for s, _ in deliver(home, file)] == ["refused", "published"]
    assert [d.month for d in lake.deliveries(home)] == ["2026-10"]


def test_one_bad_part_keeps_its_whole_month_out(home: Home, tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").write_text(text(charge("1")), encoding="utf-8")
    (tmp_path / "part-2.csv").write_text(text(charge(BilledCost="x")), encoding="utf-8")
    assert [s for s, _ in deliver(home, tmp_path / "part-1.csv", tmp_path / "part-2.csv")] == ["refused"]
    assert lake.deliveries(home) == []


def test_a_part_that_cannot_be_opened_keeps_its_siblings_out(home: Home, tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").write_text(text(charge("1")), encoding="utf-8")
    (tmp_path / "other.csv").write_text(text(charge("1", account="a-2")), encoding="utf-8")
    whole = gzip.compress(text(*[charge(str(n)) for n in range(2000)]).encode())
    (tmp_path / "part-2.csv").write_bytes(whole[: len(whole) // 2])
    done = deliver(home, tmp_path)
    assert (
        "refused",
        "part-1.csv: stays out, because part-2.csv was refused and may hold the same month. "
        "cost_and_usage from focus, account a-1, 2026-09 stays as it was.",
    ) in done
    assert [d.billing_account for d in lake.deliveries(home)] == ["a-2"]


def test_an_azure_row_of_no_account_keeps_only_its_own_file_out(home: Home, tmp_path: Path) -> None:
    header = "SubscriptionId,Date,ChargeType,Cost,BillingCurrency,MeterCategory,ConsumedService\n"
    (tmp_path / "good.csv").write_text(header + "s-1,2026-09-01,Usage,2.5,EUR,Storage,\n", encoding="utf-8")
    (tmp_path / "bad.csv").write_text(header + ",2026-09-01,Usage,1,EUR,Storage,\n", encoding="utf-8")
    assert deliver(home, tmp_path) == [
        (
            "refused",
            "bad.csv, row 1: found no billing account or no month, wanted both to know what the row replaces. "
            "Correct the row at its source and deliver the file again.",
        ),
        (
            "published",
            "cost_and_usage from azure_actual, account s-1, 2026-09: 1 row, billed EUR 2.5; "
            "no azure_amortized delivery of this month yet",
        ),
    ]


def test_lines_that_end_in_two_ways_are_read_all_the_same(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    head, *rows = text(charge("1"), charge("2")).splitlines()
    file.write_bytes((head + "\n" + "\r\n".join(rows) + "\r\n").encode())
    deliver(home, file)
    assert lake.deliveries(home)[0].billed_total == {"USD": "3"}


def test_an_export_of_a_header_alone_publishes_nothing_and_refuses_nothing(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_text(text(), encoding="utf-8")
    assert deliver(home, file) == [("empty", "bill.csv: holds a header and no rows; nothing to publish.")]


@pytest.mark.parametrize("packing", ["bom", "gz", "zip", "tar.gz", "semicolons", "folder", "pattern"])
def test_a_delivery_is_the_same_however_it_is_packed(packing: str, home: Home, tmp_path: Path) -> None:
    rows = text(charge("1.5"), charge("2"))
    file = tmp_path / "in" / "bill.csv"
    file.parent.mkdir()
    file.write_text(rows, encoding="utf-8")
    given = file
    if packing == "bom":
        file.write_text("\ufeff" + rows, encoding="utf-8")
    elif packing == "gz":
        given = file.with_suffix(".csv.gz")
        given.write_bytes(gzip.compress(rows.encode()))
    elif packing == "zip":
        given = tmp_path / "in.zip"
        with zipfile.ZipFile(given, "w") as archive:
            archive.write(file, "deep/bill.csv")
    elif packing == "tar.gz":
        given = tmp_path / "in.tar.gz"
        with tarfile.open(given, "w:gz") as archive:
            archive.add(file, "deep/bill.csv")
    elif packing == "semicolons":
        out = io.StringIO()
        csv.writer(out, delimiter=";").writerows(csv.reader(io.StringIO(rows)))
        file.write_text(out.getvalue(), encoding="utf-8")
    elif packing == "folder":
        given = tmp_path / "in"
    elif packing == "pattern":
        given = tmp_path / "in" / "*.csv"
    assert [s for s, _ in deliver(home, given)] == ["published"]
    assert lake.deliveries(home)[0].billed_total == {"USD": "3.5"}


def test_a_dry_run_publishes_nothing(home: Home, good: Path) -> None:
    assert [s for s, _ in deliver(home, good, dry_run=True)] == ["would publish", "would publish"]
    assert snapshot(home) == {}


def test_a_path_that_is_not_there_is_wrong_usage(home: Home) -> None:
    with pytest.raises(UsageError) as caught:
        ingest(home, ["nowhere/bill.csv"], data_docs=False)
    assert str(caught.value) == (
        "There is no file or folder nowhere/bill.csv. Check the path; patterns are expanded as in a shell."
    )


def test_a_source_that_is_not_there_is_wrong_usage_and_the_sources_are_named(home: Home, good: Path) -> None:
    with pytest.raises(UsageError, match=r"^There is no source 'aws'\. Sources: .*aws_cur.*`finops sources` describes"):
        ingest(home, [good], source="aws", data_docs=False)


def test_account_names_become_harmless_file_names(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_text(text(charge(account="../../etc/passwd"), charge(account="/providers/x")), encoding="utf-8")
    deliver(home, file)
    names = sorted(f.name for f in (home.lake / "cost_and_usage").rglob("*.parquet"))
    assert [n.rsplit("-", 1)[0] for n in names] == ["etc-passwd", "providers-x"]
    assert not (tmp_path / "etc").exists()


def test_tags_are_data_and_never_sql(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "it's; drop table raw; --.csv"
    file.write_text(text(charge(Tags='{"team":"\'); drop table raw; --"}')), encoding="utf-8")
    assert [s for s, _ in deliver(home, file)] == ["published"]
    assert warehouse.dataset(home, "cost_and_usage")["Tags"].to_list() == ['{"team":"\'); drop table raw; --"}']


def test_a_publication_that_died_before_the_data_moved_is_forgotten_and_after_it_is_remembered(
    home: Home, good: Path
) -> None:
    deliver(home, good)
    whole = {f.name for f in home.ledger.iterdir()}
    unit = Partition(dataset="cost_and_usage", source="focus", billing_account="a-1", month="2026-09")
    entry = next(f for f in home.ledger.glob("*.json") if '"2026-09"' in f.read_text(encoding="utf-8"))
    content = entry.read_text(encoding="utf-8")
    entry.rename(entry.with_suffix(".pending"))
    with lake.locked(home):
        pass
    assert {f.name for f in home.ledger.iterdir()} == whole
    other = content.replace(lake.current(home)[unit].delivery_id, "f" * 16)
    (home.ledger / "later.pending").write_text(other, encoding="utf-8")
    with lake.locked(home):
        pass
    assert {f.name for f in home.ledger.iterdir()} == whole


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.decimals(min_value=-(10**12), max_value=10**12, places=18, allow_nan=False),
            st.sampled_from(["USD", "EUR", "JPY"]),
            st.sampled_from([3, 9]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_digit_of_every_currency_arrives(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Decimal, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("money")
    (folder / "bill.csv").write_text(
        text(*[charge(f"{amount:f}", BillingCurrency=c, month=m) for amount, c, m in rows]), encoding="utf-8"
    )
    home = Home(folder / "home")
    ingest(home, [folder / "bill.csv"], data_docs=False)
    wanted: dict[tuple[str, str], Decimal] = {}
    for amount, currency, month in rows:
        key = (f"2026-{month:02}", currency)
        wanted[key] = EXACT.add(wanted.get(key, Decimal(0)), amount)
    found = {(d.month, c): Decimal(a) for d in lake.deliveries(home) for c, a in d.billed_total.items()}
    assert found == wanted
    assert sum(d.rows_published for d in lake.deliveries(home)) == len(rows)


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0E-18", "0"), ("1.500", "1.5"), ("100", "100"), ("-0.000000000000000001", "-0.000000000000000001")],
)
def test_an_amount_is_shown_exactly_and_without_exponent(amount: str, shown: str) -> None:
    assert exact(Decimal(amount)) == shown


def test_a_plan_file_comes_in_by_the_same_door_and_a_typo_is_refused_by_row_and_column(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "budget.csv"
    file.write_text("budget_name,month,team,amount,currency\nsearch,2026-10,search,100.50,USD\n", encoding="utf-8")
    assert deliver(home, file) == [("published", "budget from plan: 1 row")]
    before = snapshot(home)
    file.write_text("budget_name,month,team,amount,currency\nsearch,2026-13,search,100.50,USD\n", encoding="utf-8")
    [(status, message)] = deliver(home, file)
    assert status == "refused"
    assert message == (
        "budget.csv, row 1, column month: found '2026-13', wanted text that matches ^20[0-9]{2}-(0[1-9]|1[0-2])$. "
        "budget from plan stays as it was."
    )
    file.write_text(
        "budget_name,month,team,amount,currency\nsearch,2026-10,search,1,USD\nsearch,2026-10,search,2,USD\n",
        encoding="utf-8",
    )
    [(_, message)] = deliver(home, file)
    assert message == (
        "budget.csv, row 2, column budget_name, month: found the same key as in row 1, wanted each once "
        "(one budget × month). budget from plan stays as it was."
    )
    assert snapshot(home) == before


def test_the_page_of_sources_is_what_the_adapters_say() -> None:
    page = Path(__file__).parent.parent / "docs" / "sources.md"
    assert page.read_text(encoding="utf-8") == sources_page()


def test_every_dataset_that_is_not_focus_can_be_delivered_in_its_own_columns() -> None:
    listed = {(s["source"], s["dataset"]) for s in sources()}
    assert {("plan" if c.plan else "direct", c.dataset) for c in contracts().values() if not c.focus_dataset} <= listed


def test_the_real_focus_sample_arrives_with_every_digit(home: Home, shared_samples: Path) -> None:
    file = shared_samples / "focus" / "focus_1_0_sample.csv"
    assert {s for s, _ in deliver(home, file)} == {"published"}
    wanted: dict[str, Decimal] = {}
    with file.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            wanted[row["BillingCurrency"]] = wanted.get(row["BillingCurrency"], Decimal(0)) + Decimal(row["BilledCost"])
    found: dict[str, Decimal] = {}
    for delivery in lake.deliveries(home):
        for currency, amount in delivery.billed_total.items():
            found[currency] = found.get(currency, Decimal(0)) + Decimal(amount)
    assert found == wanted
    assert sum(d.rows_published for d in lake.deliveries(home)) == 1000


def test_azure_bills_from_the_actual_export_and_spreads_by_the_amortized_one(home: Home, shared_samples: Path) -> None:
    folder = shared_samples / "azure"
    totals = {}
    for name in ("EA_ActualCost_Small.csv", "EA_AmortizedCost_Small.csv"):
        with (folder / name).open(encoding="utf-8-sig", newline="") as handle:
            # The lake keeps 18 decimals; two amortized amounts were delivered with more.
            totals[name] = sum((round(Decimal(r["Cost"]), 18) for r in csv.DictReader(handle)), Decimal(0))
    deliver(home, folder / "EA_AmortizedCost_Small.csv")
    assert warehouse.dataset(home, "cost_and_usage").height == 0
    deliver(home, folder / "EA_ActualCost_Small.csv")
    rows = warehouse.dataset(home, "cost_and_usage")
    assert sum(rows["BilledCost"], Decimal(0)) == totals["EA_ActualCost_Small.csv"]
    assert sum(rows["EffectiveCost"], Decimal(0)) == totals["EA_AmortizedCost_Small.csv"]
    [delivery] = [d for d in lake.current(home).values() if d.dataset == "cost_and_usage"]
    assert delivery.rows_read == 39
    assert delivery.rows_read == delivery.rows_published + delivery.rows_merged


def test_nested_gcp_rows_arrive_with_their_credits(home: Home, shared_samples: Path) -> None:
    import json

    file = shared_samples / "gcp" / "derived_nested_from_koku.ndjson"
    deliver(home, file)
    rows = warehouse.dataset(home, "cost_and_usage")
    wanted = Decimal(0)
    for line in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line, parse_float=Decimal)
        wanted += record["cost"] + sum((c["amount"] for c in record["credits"]), Decimal(0))
    assert sum(rows["BilledCost"], Decimal(0)) == wanted
    assert set(rows["billing_month"]) == {"2020-11", "2022-08"}


def bucket(day: int, *amounts: str) -> dict[str, object]:
    start = 1_790_812_800 + (day - 1) * 86_400  # 2026-10-01T00:00:00Z
    results = [
        {"object": "organization.costs.result", "amount": {"value": a, "currency": "usd"}, "line_item": f"item {i}"}
        for i, a in enumerate(amounts)
    ]
    return {"object": "bucket", "start_time": start, "end_time": start + 86_400, "results": results}


def test_a_report_of_days_replaces_those_days_and_leaves_the_others(home: Home, tmp_path: Path) -> None:
    import json

    def write(name: str, *buckets: dict[str, object]) -> Path:
        file = tmp_path / name
        file.write_text(json.dumps({"object": "page", "data": buckets, "has_more": False}), encoding="utf-8")
        return file

    early, late = (
        write("early.json", bucket(1, "1.5"), bucket(2, "2")),
        write("late.json", bucket(2, "2.25", "1"), bucket(3)),
    )
    deliver(home, early)
    assert deliver(home, late) == [
        (
            "published",
            "cost_and_usage from openai_costs, account default, 2026-10: 3 rows, billed USD 4.75; "
            "replaces an earlier delivery, change USD +1.25; rows kept from earlier deliveries: 1",
        )
    ]
    [first, second] = lake.deliveries(home)
    assert [f["name"] for f in second.files] == ["late.json", "early.json"]
    assert (second.rows_read, second.rows_published, second.replaced) == (3, 3, first.delivery_id)
    rows = warehouse.dataset(home, "cost_and_usage")
    assert sorted(rows["BilledCost"]) == [Decimal("1"), Decimal("1.5"), Decimal("2.25")]
    assert deliver(home, late)[0][0] == "unchanged"


def request(request_id: str | None, hour: int, tokens: int) -> str:
    start, end = (f"2026-10-05T{hour:02}:00:{second}Z" for second in ("00", "09"))
    return f"{start},{end},OpenAI,gateway,{request_id or ''},org,completion,1,{tokens},0,0,0,0,{tokens}"


REQUEST_HEADER = (
    "usage_start,usage_end,vendor,counted_by,request_id,account_id,operation,requests,input_uncached_tokens,"
    "cache_read_tokens,cache_write_5m_tokens,cache_write_1h_tokens,output_tokens,total_tokens"
)


@pytest.fixture
def request_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """A source whose deliveries replace the requests they hold."""
    from dataclasses import replace

    from finops_lib.ingest import adapters, collect
    from finops_lib.ingest.collect import recognising

    known = adapters.adapters()
    own = {**known, "direct:ai_usage": replace(known["direct:ai_usage"], bucket="request_id")}
    for module in (collect, recognising):
        monkeypatch.setattr(module, "adapters", lambda: own)


@pytest.mark.usefixtures("request_log")
def test_a_log_replaces_the_requests_it_holds_and_never_loses_one_without_an_id(home: Home, tmp_path: Path) -> None:
    def write(name: str, *rows: str) -> Path:
        file = tmp_path / name
        file.write_text("\n".join([REQUEST_HEADER, *rows]) + "\n", encoding="utf-8")
        return file

    def held() -> list[tuple[str | None, int]]:
        rows = warehouse.dataset(home, "ai_usage")
        return sorted(zip(rows["request_id"], rows["total_tokens"], strict=True), key=str)

    first = write("09.csv", request("a", 9, 10), request("b", 9, 20), request(None, 9, 5))
    second = write("10.csv", request("b", 9, 21), request("c", 10, 30), request(None, 10, 6))
    deliver(home, first)
    deliver(home, second)
    both = [("a", 10), ("b", 21), ("c", 30), (None, 5), (None, 6)]
    assert held() == sorted(both, key=str)
    assert [status for status, _ in deliver(home, first)] == ["unchanged"]
    assert [status for status, _ in deliver(home, second)] == ["unchanged"]
    assert held() == sorted(both, key=str)
    assert lake.deliveries(home)[-1].notes == ["rows kept from earlier deliveries: 2"]
