"""One body for every adapter: its types, its golden rows, its money, its refusals. The folders say which there are."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from finops_lib import warehouse
from finops_lib.contract import contract
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import Adapter, adapters, folder, vocabulary
from finops_lib.lake import Home, current

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
FILES = [a for a in adapters().values() if (folder() / f"{a.name}.sql").exists() and not a.refused]
READ = [a for a in FILES if a.select is not None]


def names(chosen: list[Adapter]) -> list[str]:
    return [a.name for a in chosen]


def deliver(adapter: str, home: Home) -> None:
    files = [f for f in sorted((SAMPLES / adapter).iterdir()) if f.name != "expected.csv"]
    done = ingest(home, files, data_docs=False)
    assert [o.message for o in done.refused] == []


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return str(value)
    return value


def test_every_adapter_has_golden_rows() -> None:
    assert {a.name for a in FILES} <= {f.name for f in SAMPLES.iterdir()}


@pytest.mark.parametrize("adapter", READ, ids=names(READ))
def test_the_select_gives_only_columns_of_its_contract(adapter: Adapter) -> None:
    with duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        vocabulary(db)
        columns = ", ".join(f'"{n}" {t}' for n, t, _ in adapter.columns)
        db.execute(f"create table raw ({columns}, x_source_file varchar, x_source_row bigint)")
        for name, create in adapter.companions.items():
            db.execute(create)
            db.execute(f"alter table {name} add column if not exists x_source_file varchar")
            db.execute(f"alter table {name} add column if not exists x_source_row bigint")
        own = contract(adapter.dataset)
        given = {n: str(t) for n, t, *_ in db.sql(f"describe {adapter.select}").fetchall()}
        assert set(given) <= set(own.names)
        text = {
            c
            for c, t in given.items()
            if t not in ("VARCHAR", "JSON", '"NULL"') and own.column(c).type in ("string", "json")
        }
        assert text == set()
        inexact = {c for c, t in given.items() if own.column(c).type == "decimal" and t in ("DOUBLE", "FLOAT")}
        assert inexact == set()


@pytest.mark.parametrize("adapter", FILES, ids=names(FILES))
def test_golden_rows_come_out_as_expected(adapter: Adapter, home: Home) -> None:
    deliver(adapter.name, home)
    with (SAMPLES / adapter.name / "expected.csv").open(encoding="utf-8", newline="") as handle:
        expected = list(csv.DictReader(handle))
    own = contract(adapter.dataset)
    order = [
        c for c in ("x_SourceFile", "x_SourceRow", "x_SourcePart", "x_source_file", "x_source_row") if c in own.names
    ]
    rows = warehouse.dataset(home, adapter.dataset).sort(order).select(list(expected[0])).to_dicts()
    for row, wanted in zip(rows, expected, strict=True):
        found = {k: plain(v) for k, v in row.items()}
        for column, text in wanted.items():
            kind = own.column(column).type
            want: Any = None if text == "" else text
            if want is not None and kind in ("decimal", "double", "bigint"):
                want = Decimal(text)
                found[column] = None if found[column] is None else Decimal(str(found[column]))
            assert found[column] == want, f"{[wanted[o] for o in order if o in wanted]} {column}"


@pytest.mark.parametrize("adapter", [a for a in READ if a.billed], ids=names([a for a in READ if a.billed]))
def test_no_money_is_lost_or_made(adapter: Adapter, home: Home) -> None:
    deliver(adapter.name, home)
    published = warehouse.dataset(home, adapter.dataset)
    ledger: dict[str, Decimal] = {}
    for delivery in current(home).values():
        for currency, amount in delivery.billed_total.items():
            ledger[currency] = ledger.get(currency, Decimal(0)) + Decimal(amount)
        assert (
            delivery.rows_read + delivery.rows_added
            == delivery.rows_published + delivery.rows_rejected + delivery.rows_merged
        )
    lake_total = {
        currency: sum(rows["BilledCost"], Decimal(0)) for (currency,), rows in published.group_by("BillingCurrency")
    }
    assert lake_total == ledger


@pytest.mark.parametrize("adapter", FILES, ids=names(FILES))
def test_an_export_without_a_required_column_is_refused_by_the_columns_name(
    adapter: Adapter, home: Home, tmp_path: Path
) -> None:
    sample = next(
        (f for f in sorted((SAMPLES / adapter.name).iterdir()) if f.suffix == ".csv" and f.name != "expected.csv"), None
    )
    from finops_lib.ingest.collect.files import Delivered, sniff
    from finops_lib.ingest.collect.recognising import bindings

    def unread(file: Delivered) -> Delivered:
        pytest.skip(f"{file.name}: a Parquet sample has no text to spoil; its CSV form shows its refusals elsewhere")

    if sample is None:
        sample = next(f for f in sorted((SAMPLES / adapter.name).iterdir()) if f.name != "expected.csv")
        file = sniff(Delivered(name=sample.name, path=sample, sha256="", size=0), workdir=tmp_path, parquet=unread)
        bound = bindings(adapter, file)
        for column in adapter.required:
            spoilt = tmp_path / sample.name
            text = sample.read_bytes()
            spoilt.write_bytes(text.replace(f'"{bound[column]}"'.encode(), b'"was_renamed"'))
            done = ingest(home, [spoilt], source=adapter.name, data_docs=False)
            assert len(done.refused) >= 1
            assert column in done.refused[0].message
        return
    file = sniff(Delivered(name=sample.name, path=sample, sha256="", size=0), workdir=tmp_path, parquet=unread)
    bound = bindings(adapter, file)
    assert set(adapter.required) <= set(bound)
    with sample.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.reader(handle, delimiter=file.delimiter))
    for column in adapter.required:
        # A struct may have come flattened, a column for each of its fields.
        kept = [i for i, h in enumerate(rows[0]) if h != bound[column] and not h.startswith(f"{column}.")]
        assert len(kept) < len(rows[0])
        spoilt = tmp_path / sample.name
        with spoilt.open("w", encoding="utf-8", newline="") as handle:
            csv.writer(handle, delimiter=file.delimiter).writerows([[r[i] for i in kept] for r in rows])
        done = ingest(home, [spoilt], source=adapter.name, data_docs=False)
        assert [o.status for o in done.outcomes] == ["refused"]
        assert column in done.refused[0].message
    assert current(home) == {}


@pytest.mark.parametrize("file", sorted(f.name for f in folder().glob("*.csv") if not f.name.endswith(".headers.csv")))
def test_a_lookup_never_multiplies_rows(file: str) -> None:
    with (folder() / file).open(encoding="utf-8", newline="") as handle:
        keys = [row[0] for row in csv.reader(handle)]
    assert [k for k in keys if keys.count(k) > 1] == []


def test_adapters_say_what_one_delivery_replaces() -> None:
    assert [a.name for a in FILES if not (a.account and a.month)] == []
    assert [a.name for a in READ if a.dataset == "cost_and_usage" and not a.billed] == []
