"""A damaged home is healed by what it was made from, or explained in a sentence; never a traceback."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from test_ingest import bucket, charge, deliver, text
from test_manifests import CUR, line
from test_overlaps import PAYER

from finops_lib import cli, lake, warehouse
from finops_lib.errors import DamagedError
from finops_lib.lake import Home, Partition
from finops_lib.verification import verify

SEPTEMBER = Partition(dataset="cost_and_usage", source="focus", billing_account="a-1", month="2026-09")
OCTOBER = Partition(dataset="cost_and_usage", source="focus", billing_account="a-1", month="2026-10")


@pytest.fixture
def bill(home: Home, tmp_path: Path) -> Path:
    file = tmp_path / "bill.csv"
    file.write_text(text(charge("1.5"), charge("2"), charge("4", month=10)), encoding="utf-8")
    assert [status for status, _ in deliver(home, file)] == ["published", "published"]
    return file


def at(home: Home, partition: Partition) -> Path:
    return home.lake / partition.file


def entry(home: Home, partition: Partition) -> Path:
    [file] = [f for f in home.ledger.glob("*.json") if json.loads(f.read_text())["month"] == partition.month]
    return file


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def delete(file: Path) -> None:
    file.unlink()


def fill(file: Path) -> None:
    file.write_bytes(b"not Parquet" * 100)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 4] ^= 1
    file.write_bytes(content)


def swap(file: Path) -> None:
    shutil.copyfile(file.parent.parent / "billing_month=2026-10" / file.name, file)


def run(home: Home, capsys: pytest.CaptureFixture[str], *command: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.main(["--home", str(home.root), *command])
    out, err = capsys.readouterr()
    return code, out, err


def found(home: Home) -> list[str]:
    """What is found, but for the warehouse that no test here builds."""
    return [
        f.sentence.replace(f"{home.root}/", "") for f in verify(home).findings if f.file != home.warehouse
    ]  # fmt: skip


def sha(file: Path) -> str:
    import hashlib

    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def billed(home: Home) -> dict[str, Decimal]:
    with duckdb.connect() as db:
        rows = db.execute(
            f"select billing_month, sum(BilledCost) from read_parquet('{home.lake}/cost_and_usage/*/*/*.parquet', "
            "hive_partitioning = true, hive_types = {'billing_month': varchar}) group by all"
        ).fetchall()
    return dict(rows)


WHOLE = {"2026-09": Decimal("3.5"), "2026-10": Decimal(4)}

DAMAGES: list[tuple[Callable[[Path], None], str]] = [
    (truncate, "cannot be read as Parquet"),
    (fill, "cannot be read as Parquet"),
    (delete, "is missing"),
    (flip, "is not what was published: its bytes are others"),
    (swap, "is not what was published: its bytes are others"),
]


@pytest.mark.parametrize(("spoil", "said"), DAMAGES)
def test_a_damaged_file_of_the_lake_is_found_and_healed_by_its_original(
    home: Home, bill: Path, spoil: Callable[[Path], None], said: str
) -> None:
    assert found(home) == []
    spoil(at(home, SEPTEMBER))
    assert found(home) == [
        f"lake/{SEPTEMBER.file} {said}. Deliver bill.csv (sha256 {sha(bill)}) again with `finops ingest`, "
        "or take it out with `finops withdraw focus --account a-1 --month 2026-09`."
    ]
    assert deliver(home, bill) == [
        (
            "published",
            f"{SEPTEMBER}: 2 rows, billed USD 3.5; replaces an earlier delivery, change USD +0; heals what the lake "
            f"had of it, whose file {said}; FOCUS 1.0",
        ),
        ("unchanged", f"{OCTOBER}: unchanged"),
    ]
    assert found(home) == []
    assert billed(home) == WHOLE
    assert [status for status, _ in deliver(home, bill)] == ["unchanged", "unchanged"]


def test_a_file_that_another_delivery_wrote_is_no_longer_what_the_ledger_says(
    home: Home, bill: Path, tmp_path: Path
) -> None:
    restated = tmp_path / "restated.csv"
    restated.write_text(text(charge("5")), encoding="utf-8")
    deliver(home, restated)
    newest = max(f for f in home.ledger.glob("*.json") if json.loads(f.read_text())["month"] == "2026-09")
    newest.unlink()
    [said] = [f.said for f in verify(home).findings if f.file == at(home, SEPTEMBER)]
    assert said == "is of another delivery than the ledger says"
    assert [status for status, _ in deliver(home, restated)] == ["published"]
    assert found(home) == []
    assert billed(home) == WHOLE | {"2026-09": Decimal(5)}


def test_what_the_lake_has_lost_is_new_to_the_next_run(home: Home, bill: Path) -> None:
    assert deliver(home, bill, new_only=True) == []
    at(home, SEPTEMBER).unlink()
    assert [status for status, _ in deliver(home, bill, new_only=True)] == ["published", "unchanged"]
    assert found(home) == []
    assert deliver(home, bill, new_only=True) == []


def test_a_file_copied_in_by_hand_is_a_stray_and_builds_say_that_they_count_it(home: Home, bill: Path) -> None:
    copied = at(home, SEPTEMBER).with_name("copy.parquet")
    shutil.copyfile(at(home, SEPTEMBER), copied)
    shutil.copyfile(bill, home.lake / "notes.csv")
    assert found(home) == [
        f"lake/{copied.relative_to(home.lake)} is not of the ledger, yet builds count it. Delete it, or deliver what "
        "it came from (bill.csv) again with `finops ingest`.",
        "lake/notes.csv is nothing of the lake, and nothing reads it. Delete it.",
    ]
    copied.write_bytes(b"")
    assert found(home)[0] == f"lake/{copied.relative_to(home.lake)} is not of the ledger and cannot be read. Delete it."
    with pytest.raises(DamagedError) as refused:
        warehouse.build(home)
    assert str(refused.value) == f"{copied} cannot be read as Parquet, and the ledger does not know it. Delete it."


ENTRIES: dict[str, Callable[[dict[str, object]], str]] = {
    "truncated": lambda said: json.dumps(said)[:-20],
    "empty": lambda _: "",
    "a list": lambda _: "[1, 2]",
    "another's": lambda _: '{"name": "package", "version": 3}',
    "wrong kinds": lambda said: json.dumps({**said, "files": None}),
    "no time": lambda said: json.dumps({**said, "delivered_at": "yesterday"}),
    "no amount": lambda said: json.dumps({**said, "billed_total": {"USD": "much"}}),
}


@pytest.mark.parametrize("kind", ENTRIES)
def test_a_ledger_entry_that_cannot_be_read_is_named_set_aside_and_made_anew_by_the_original(
    home: Home, bill: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = entry(home, SEPTEMBER)
    file.write_text(ENTRIES[kind](json.loads(file.read_text(encoding="utf-8"))), encoding="utf-8")
    told = (
        "{}: no entry of the ledger can be read from it. The lake stays as it is; deliver the original of what it told "
        "of again, then delete it. `finops verify` says which files of the lake the ledger does not know.\n"
    )
    code, out, err = run(home, capsys, "deliveries")
    assert (code, err) == (0, told.format(file))
    assert "2026-10" in out
    assert out.endswith("1 deliveries\n")
    stray = (
        f"lake/{SEPTEMBER.file} is not of the ledger, yet builds count it. Delete it, or deliver what it came from "
        "(bill.csv) again with `finops ingest`."
    )
    lost = (
        "lake/_ledger/{} is no entry of the ledger that can be read. The lake stays as it is. Deliver the original of "
        "what it told of again, then delete it."
    )
    assert found(home) == [lost.format(file.name), stray]

    code, out, _ = run(home, capsys, "ingest", str(bill))
    aside = file.with_suffix(".damaged")
    assert code == 0
    assert f"note: {told.format(aside)}" in out
    assert f"published: {SEPTEMBER}: 2 rows" in out
    assert found(home) == [lost.format(aside.name)]
    aside.unlink()
    assert found(home) == []
    assert billed(home) == WHOLE


def test_a_ledger_of_a_newer_version_is_never_read_in_part(
    home: Home, bill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = entry(home, SEPTEMBER)
    file.write_text(json.dumps({**json.loads(file.read_text()), "voided": True}), encoding="utf-8")
    said = (
        f"finops: {file} was written by a newer finops: found voided, which this version does not know. Use the "
        "version that wrote it, or a later one.\n"
    )
    for command in (["deliveries"], ["ingest", str(bill)], ["build"], ["verify"]):
        assert run(home, capsys, *command) == (1, "", said)
    assert file.exists()


@pytest.mark.parametrize(
    "command", [["deliveries"], ["conformance"], ["verify"], ["export", "focus", "--out", "{}.csv"]]
)
def test_without_a_ledger_every_reader_answers(
    home: Home, bill: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(home.ledger)
    code, out, err = run(home, capsys, *(part.format(home.root / "out") for part in command))
    assert (code, err) == {"deliveries": (0, ""), "export": (0, "")}.get(command[0], (3, ""))
    if command == ["verify"]:
        assert out.count("is not of the ledger, yet builds count it. ") == 2


def test_a_ledger_that_is_lost_is_made_anew_by_the_originals(home: Home, bill: Path) -> None:
    shutil.rmtree(home.ledger)
    assert [status for status, _ in deliver(home, bill)] == ["published", "published"]
    assert found(home) == []
    assert billed(home) == WHOLE


@pytest.mark.parametrize("command", [["conformance"], ["build"], ["export", "focus", "--out", "{}.parquet"]])
def test_who_needs_a_damaged_file_says_what_heals_it(
    home: Home, bill: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    truncate(at(home, SEPTEMBER))
    assert run(home, capsys, *(part.format(home.root / "out") for part in command)) == (
        1,
        "",
        f"finops: {at(home, SEPTEMBER)} cannot be read as Parquet. Deliver bill.csv (sha256 {sha(bill)}) again with "
        "`finops ingest`.\n",
    )


def test_a_breakdown_that_is_damaged_is_found_and_named_by_who_compares(
    home: Home, bill: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    restated = tmp_path / "restated.csv"
    restated.write_text(text(charge("5")), encoding="utf-8")
    deliver(home, restated)
    first, last = (d for d in lake.deliveries(home) if d.month == "2026-09")
    file = lake.breakdown(home, first)
    assert file is not None
    truncate(file)
    [said] = found(home)
    assert re.fullmatch(
        rf"lake/_ledger/{file.name} cannot be read \(.*\)\. Delete it; totals stay in the ledger; delivery {first.id} "
        rf"of {SEPTEMBER} can then no longer be compared with others\.",
        said,
    )
    code, _, err = run(home, capsys, "deliveries", "--diff", last.id)
    assert code == 1
    assert re.fullmatch(
        rf"finops: What is kept of these deliveries below {home.lake} cannot be read \(.*\)\. `finops verify` says "
        r"what to do; their totals stand in `finops deliveries`\.\n",
        err,
    )
    file.unlink()
    assert found(home) == []


def test_a_partition_whose_file_is_gone_can_still_be_withdrawn(
    home: Home, bill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(at(home, SEPTEMBER).parent)
    code, out, _ = run(home, capsys, "withdraw", "focus", "--account", "a-1", "--month", "2026-09")
    assert (code, out) == (0, f"withdrawn: {SEPTEMBER}, billed USD -3.5\n")
    assert found(home) == []


def close(home: Home, tmp_path: Path) -> Path:
    file = tmp_path / "closed_month.csv"
    file.write_text(
        "month,source_name,billing_account_id,closed_on,late_delivery\n2026-09,,,2026-10-05,correction\n",
        encoding="utf-8",
    )
    assert [status for status, _ in deliver(home, file)] == ["published"]
    return file


@pytest.mark.parametrize("spoil", [truncate, fill, delete])
def test_without_the_closed_months_no_charge_comes_in_until_the_plan_is_delivered_again(
    home: Home, bill: Path, tmp_path: Path, spoil: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    plan = close(home, tmp_path)
    closed = Partition(dataset="closed_month", source="plan", billing_account="all", month="all")
    spoil(at(home, closed))
    said = (
        f"{at(home, closed)} is damaged or missing, and with it which months are closed. Deliver closed_month.csv of "
        "the plan again with `finops ingest`."
    )
    assert run(home, capsys, "deliveries") == (1, "", f"finops: {said}\n")
    code, _, err = run(home, capsys, "build")
    assert (code, err.startswith(f"finops: {at(home, closed)} ")) == (1, True)
    bill.write_text(text(charge("9")), encoding="utf-8")
    assert deliver(home, bill) == [("refused", said)]
    assert [status for status, _ in deliver(home, plan)] == ["published"]
    assert found(home) == []
    assert [d.corrects for d in (deliver(home, bill), lake.deliveries(home)[-1])[1:]] == ["2026-09"]


def test_a_closed_month_that_is_damaged_takes_its_original_alone(home: Home, bill: Path, tmp_path: Path) -> None:
    close(home, tmp_path)
    truncate(at(home, SEPTEMBER))
    late = tmp_path / "late.csv"
    late.write_text(text(charge("9")), encoding="utf-8")
    assert deliver(home, late) == [
        (
            "refused",
            f"{SEPTEMBER}: it must be compared with {SEPTEMBER} (2 rows, billed USD 3.5), whose file of the lake "
            f"cannot be read as Parquet. Deliver bill.csv (sha256 {sha(bill)}) again with `finops ingest` first. "
            f"{SEPTEMBER} stays as it was.",
        )
    ]
    assert [status for status, _ in deliver(home, bill)] == ["published", "unchanged"]
    assert found(home) == []
    assert billed(home) == WHOLE
    assert [status for status, _ in deliver(home, late)] == ["published"]
    assert billed(home) == WHOLE | {"2026-10": Decimal("9.5")}


@pytest.mark.parametrize("written", ["", '{"doing": "finops b', "[]", "\x00\x01"])
def test_a_holder_that_is_half_written_is_another_process(home: Home, written: str) -> None:
    home.root.mkdir()
    (home.root / lake.HOLDER).write_text(written, encoding="utf-8")
    assert lake._holder(home) == "another process"
    with lake.locked(home):
        assert lake._holder(home).startswith("a script (process ")


def test_verify_says_what_the_warehouse_in_force_lacks(
    home: Home, bill: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = f"Build it with `finops --home {home.root} build`.\n"
    assert run(home, capsys, "verify") == (3, f"{home.warehouse} does not exist yet. {build}", "")
    home.warehouse.write_bytes(b"no database")
    code, out, _ = run(home, capsys, "verify")
    assert code == 3
    assert out.startswith(f"{home.warehouse} cannot be read as a warehouse: ")
    assert out.endswith(f". {build}")


def test_verify_speaks_json(home: Home, bill: Path, capsys: pytest.CaptureFixture[str]) -> None:
    at(home, SEPTEMBER).unlink()
    code, out, _ = run(home, capsys, "verify", "--json")
    said = json.loads(out)
    assert (code, said["partitions"], said["rows"]) == (3, 2, 3)
    first = said["findings"][0]
    assert (first["file"], first["said"]) == (str(at(home, SEPTEMBER)), "is missing")


def test_what_may_not_be_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def locked_away(_: object) -> int:
        raise PermissionError(13, "Permission denied", "other/inbox")

    monkeypatch.setattr(cli, "_sources", locked_away)
    assert cli.main(["sources"]) == 1
    assert capsys.readouterr().err == (
        "finops: other/inbox: Permission denied. Let whoever runs finops read and write it, then try again.\n"
    )


@pytest.mark.parametrize("new_only", [False, True])
def test_a_month_that_the_ledger_has_forgotten_comes_back_with_the_file_that_gave_it_and_others(
    home: Home, bill: Path, new_only: bool
) -> None:
    entry(home, SEPTEMBER).unlink()
    assert [status for status, _ in deliver(home, bill, new_only=new_only)] == ["published", "unchanged"]
    assert found(home) == []
    assert billed(home) == WHOLE


def test_a_formula_stands_in_no_csv_and_numbers_stay_numbers(home: Home, tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@sum(A1)", "\t=1", "\r=1", "a=1", "'=1"]
    file = tmp_path / "bill.csv"
    file.write_text(text(*[charge("-1.5", ServiceName=name) for name in names]), encoding="utf-8", newline="")
    assert [status for status, _ in deliver(home, file)] == ["published"]
    for ending in ("csv", "parquet"):
        assert cli.main(["--home", str(home.root), "export", "focus", "--out", str(tmp_path / f"out.{ending}")]) == 0
    kept = pl.read_parquet(tmp_path / "out.parquet")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {Decimal(row["BilledCost"]) for row in rows} == {Decimal("-1.5")}
    assert {row["ServiceName"] for row in rows} == {
        f"'{name}" if name[0] in "=+-@\t\r" else name for name in kept["ServiceName"]
    }
    assert {row["ServiceName"] for row in rows} >= {"'=1+1", "'+1", "'-1", "'@sum(A1)", "a=1", "'=1"}
    assert "=1+1" in set(kept["ServiceName"])
    begun = [v for row in rows for k, v in row.items() if v[:1] in "=+-@\t\r" and v and not k.endswith(AMOUNTS)]
    assert begun == []


AMOUNTS = ("Cost", "UnitPrice", "Quantity")


def test_a_closed_month_that_the_ledger_has_forgotten_is_remembered_when_its_original_comes(
    home: Home, bill: Path, tmp_path: Path
) -> None:
    close(home, tmp_path)
    entry(home, SEPTEMBER).unlink()
    assert deliver(home, bill) == [
        ("published", f"{SEPTEMBER}: 2 rows, billed USD 3.5; FOCUS 1.0; the ledger had forgotten it"),
        ("unchanged", f"{OCTOBER}: unchanged"),
    ]
    assert found(home) == []
    assert billed(home) == WHOLE


@pytest.fixture
def days(home: Home, tmp_path: Path) -> list[Path]:
    files = []
    for number, amount in ((1, "1.5"), (2, "2")):
        file = tmp_path / f"costs-{number}.json"
        page = {"object": "page", "data": [bucket(number, amount)], "has_more": False}
        file.write_text(json.dumps(page), encoding="utf-8")
        assert [status for status, _ in deliver(home, file)] == ["published"]
        files.append(file)
    return files


def test_a_day_that_comes_to_a_month_which_the_ledger_has_forgotten_leaves_the_other_days(
    home: Home, days: list[Path]
) -> None:
    for file in home.ledger.glob("*.json"):
        file.unlink()
    assert [status for status, _ in deliver(home, days[1])] == ["published"]
    assert found(home) == []
    assert billed(home) == {"2026-10": Decimal("3.5")}


def test_a_month_made_of_days_is_healed_by_all_of_them_together(home: Home, days: list[Path]) -> None:
    month = Partition(dataset="cost_and_usage", source="openai_costs", billing_account="default", month="2026-10")
    at(home, month).unlink()
    first, second = (f"{file.name} (sha256 {sha(file)})" for file in days)
    assert deliver(home, days[0]) == [
        (
            "refused",
            f"{month}: its file of the lake is missing, and what arrives is a part of what it held. Deliver {second}, "
            f"{first} again with `finops ingest`, all in one call. {month} stays as it was.",
        )
    ]
    assert [status for status, _ in deliver(home, *days)] == ["published"]
    assert found(home) == []
    assert billed(home) == {"2026-10": Decimal("3.5")}


def test_another_source_of_an_account_waits_until_the_damaged_one_is_healed(
    home: Home, bill: Path, tmp_path: Path
) -> None:
    at(home, SEPTEMBER).unlink()
    other = tmp_path / "other.csv"
    other.write_text(CUR + line("10").replace(PAYER, "a-1"), encoding="utf-8")
    [(status, said)] = deliver(home, other)
    assert status == "refused"
    assert said.startswith(
        f"cost_and_usage from aws_cur, account a-1, 2026-09: it must be compared with {SEPTEMBER} (2 rows, billed USD "
        f"3.5), whose file of the lake is missing. Deliver bill.csv (sha256 {sha(bill)}) again with `finops"
    )
    assert [status for status, _ in deliver(home, bill)] == ["published", "unchanged"]
    [(status, said)] = deliver(home, other)
    assert (status, "count them twice" in said) == ("refused", True)


AZURE = Path(__file__).parent.parent / "data" / "samples" / "azure_amortized"


@pytest.mark.parametrize("dataset", ["cost_and_usage", "_parts"])
def test_charges_that_several_exports_make_are_healed_by_those_exports(home: Home, dataset: str) -> None:
    exports = [AZURE / "amortized.csv", AZURE / "actual.csv"]
    deliver(home, *exports)
    before = billed(home)
    lost = next(p for p in lake.current(home) if p.dataset == dataset)
    fill(at(home, lost))
    assert len(found(home)) == 1
    assert "refused" not in [status for status, _ in deliver(home, *exports)]
    assert found(home) == []
    assert billed(home) == before
