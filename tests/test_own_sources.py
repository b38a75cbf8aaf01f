"""A home's own sources: found like ours, checked with their samples."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from finops_lib import cli, warehouse
from finops_lib.ingest import ingest
from finops_lib.ingest.adapters import adapters, use_own
from finops_lib.lake import Home

PAGE = (Path(__file__).parent.parent / "docs" / "extending.md").read_text(encoding="utf-8")
[ADAPTER, *_] = re.findall(r"```sql\n(.*?)```", PAGE, flags=re.DOTALL)
BILL = """account_id,day,machine,gpu_hours,amount,currency
a-1,2026-10-01,h100-a,24,48.00,USD
a-1,2026-10-02,h100-a,12.5,25.00,USD
a-2,2026-10-01,h200-b,24,60.5,EUR
"""
EXPECTED = """BillingAccountId,ChargePeriodStart,BilledCost,BillingCurrency,ConsumedQuantity
a-1,2026-10-01T00:00:00Z,48,USD,24
a-1,2026-10-02T00:00:00Z,25,USD,12.5
a-2,2026-10-01T00:00:00Z,60.5,EUR,24
"""


@pytest.fixture
def own(home: Home) -> Home:
    samples = home.root / "adapters" / "samples" / "gpu_landlord"
    samples.mkdir(parents=True)
    (home.root / "adapters" / "gpu_landlord.sql").write_text(ADAPTER, encoding="utf-8")
    (samples / "october.csv").write_text(BILL, encoding="utf-8")
    (samples / "expected.csv").write_text(EXPECTED, encoding="utf-8")
    return home


def test_the_documented_adapter_is_recognised_and_brings_its_bill_in_whole(own: Home) -> None:
    bill = own.root / "bill.csv"
    bill.write_text(BILL, encoding="utf-8")
    done = ingest(own, [bill], data_docs=False)
    assert [(o.status, o.source) for o in done.outcomes] == [("published", "gpu_landlord")] * 2
    charges = warehouse.dataset(own, "cost_and_usage")
    assert sorted(charges["BilledCost"]) == [Decimal("25"), Decimal("48"), Decimal("60.5")]
    assert set(charges["x_Adapter"]) == {"gpu_landlord"}


def test_own_sources_are_checked_with_their_samples(own: Home, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["--home", str(own.root), "sources", "--check"]
    assert cli.main(command) == 0
    assert capsys.readouterr().out == "gpu_landlord: as it should be\n1 own source, 0 with faults\n"

    file = own.root / "adapters" / "gpu_landlord.sql"
    file.write_text(ADAPTER.replace("amount as BilledCost", "amount * 2 as BilledCost"), encoding="utf-8")
    adapters.cache_clear()
    assert cli.main(command) == 3
    assert "    its sample is refused: " in capsys.readouterr().out
    file.write_text(ADAPTER.replace("gpu_hours as Cons", "gpu_hours * 2 as Cons"), encoding="utf-8")
    adapters.cache_clear()
    assert cli.main(command) == 3
    assert "    not expected: a-1, 2026-10-02T00:00:00Z, 25, USD, 25\n" in capsys.readouterr().out
    file.write_text(ADAPTER.replace("amount as ListCost", "cast(amount as double) as ListCost"), encoding="utf-8")
    adapters.cache_clear()
    assert cli.main(command) == 3
    assert "    ListCost is DOUBLE, wanted a decimal: amounts keep every digit\n" in capsys.readouterr().out


def test_what_is_no_adapter_or_has_a_name_of_ours_is_said_by_file(
    own: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    file = own.root.resolve() / "adapters" / "gpu_landlord.sql"
    file.write_text("selec 1", encoding="utf-8")
    adapters.cache_clear()
    assert cli.main(["--home", str(own.root), "sources"]) == 2
    assert capsys.readouterr().err.startswith(f"finops: {file}: is no adapter (")
    ours = file.with_name("aws_cur.sql")
    file.rename(ours)
    adapters.cache_clear()
    assert cli.main(["--home", str(own.root), "sources"]) == 2
    assert capsys.readouterr().err == (
        f"finops: {ours}: there is a source aws_cur already. Give the file another name.\n"
    )


@pytest.fixture(autouse=True)
def ours_alone(tmp_path: Path) -> object:
    yield
    use_own(Home(tmp_path / "nobody"))
