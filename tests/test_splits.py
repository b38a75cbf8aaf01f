"""Shared costs are split without losing a digit: the models' own SQL on random pools, weights and shares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from random import Random
from typing import Any, NamedTuple

import duckdb
import polars as pl
import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_dbt import PROJECT, dbt, keep_parse

EXACT = Context(prec=80, rounding=ROUND_HALF_UP)
LAST_DIGIT = Decimal("1e-18")
MODELS = ("int_shared_cost_ratios_derived", "int_costs_allocated")
INPUTS = (
    "int_pools_by_day", "int_charges_pooled", "int_charges_attributed", "int_subjects_attributed",
    "int_usage_attributed", "int_token_charges_counted", "stg_gpu_utilization", "stg_owner", "stg_rule_period",
)  # fmt: skip
_TYPES = {
    "charge_date": "date", "rules_as_of": "date", "valid_to": "date", "is_closed": "boolean", "stage": "integer",
    "charge_count": "bigint",
    "usage_start": "timestamp", "usage_end": "timestamp", "device_fraction": "double", "requests": "bigint",
    **dict.fromkeys(
        ("billed_cost", "effective_cost", "commitment_saving", "estimated_cost", "estimated_margin", "spread_cost",
         "standing_cost", "tokens", "seconds_used", "bytes_used", "share"),
        "decimal(38, 18)",
    ),
}  # fmt: skip
FIRST_DAY = date(2000, 1, 1)
AMOUNTS = ("billed_cost", "effective_cost", "commitment_saving")


class Pool(NamedTuple):
    """The cost of one day and month that is split, and what each consumer used."""

    billed: Decimal
    effective: Decimal
    weights: list[Decimal]
    driver: str = "bytes"
    saving: Decimal | None = None


class Share(NamedTuple):
    """What one consumer takes."""

    team: str
    allocation: str
    amounts: tuple[Decimal | None, ...]
    ratio: float | None
    charges: int


Split = Callable[..., list[list[Share]]]


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    """The SQL of the splitting models as dbt compiles it, run over pools that each have a day of their own."""
    folder = tmp_path_factory.mktemp("compiled")
    keep_parse(folder / "target")
    dbt(folder, folder / "warehouse.duckdb", "compile", "--select", *MODELS)
    compiled = folder / "target" / "compiled" / "finops" / "models" / "intermediate" / "allocation"
    sql = {model: (compiled / f"{model}.sql").read_text(encoding="utf-8") for model in MODELS}
    columns = _columns()

    def run(pools: list[Pool], *, second: bool = False) -> list[list[Share]]:
        with duckdb.connect() as db:
            db.execute("attach ':memory:' as warehouse; use warehouse")
            for name in INPUTS:
                body = ", ".join(f"{c} {_TYPES.get(c, 'varchar')}" for c in columns[name])
                db.execute(f"create table {name} ({body})")
            for name, rows in _rows(pools, second=second).items():
                if rows:
                    frame = pl.DataFrame(rows, schema=_schema(rows[0]), orient="row")
                    db.register("frame", frame)
                    db.execute(f"insert into {name} by name select * from frame")
            for model in MODELS:
                db.execute(f"create table {model} as {sql[model]}")
            found = db.sql(
                f"select charge_date, team, allocation, {', '.join(AMOUNTS)}, driver_ratio, charge_count "
                f"from {MODELS[-1]}"
            ).fetchall()
        shares: list[list[Share]] = [[] for _ in pools]
        for day, team, allocation, *amounts, ratio, charges in found:
            shares[(day - FIRST_DAY).days].append(Share(team, allocation, tuple(amounts), ratio, charges))
        return shares

    return run


def _columns() -> dict[str, list[str]]:
    return {
        model["name"]: [column["name"] for column in model["columns"]]
        for file in (PROJECT / "models").rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
        if model["name"] in INPUTS
    }


def _schema(row: dict[str, Any]) -> dict[str, Any]:
    kinds = {"date": pl.Date, "integer": pl.Int32, "bigint": pl.Int64, "decimal(38, 18)": pl.Decimal(38, 18)}
    return {c: kinds.get(_TYPES.get(c, ""), pl.String) for c in row}


def _rows(pools: list[Pool], *, second: bool) -> dict[str, list[dict[str, Any]]]:
    """The pools as the models' inputs. With a second stage the first consumer is a pool itself, split evenly."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in INPUTS}
    for n, pool in enumerate(pools):
        day, month = FIRST_DAY + timedelta(days=n), f"month {n}"
        claim = {"charge_date": day, "pool_field": "team", "pool_value": "platform", "pool": "platform", "rule_id": "r",
                 "driver": pool.driver, "stage": 1}  # fmt: skip
        rows["int_charges_pooled"].append(
            {
                "charge_date": day, "billing_month": month, "team": "platform", "billing_currency": "USD",
                "pool": "platform", "pool_field": "team", "allocation_rule": "r", "driver": pool.driver, "stage": 1,
                "billed_cost": pool.billed, "effective_cost": pool.effective, "commitment_saving": pool.saving,
                "charge_count": 3,
            }
        )  # fmt: skip
        for c, weight in enumerate(pool.weights):
            fixed = pool.driver == "fixed"
            rows["int_pools_by_day"].append({**claim, "consumer_team": f"t{c}", "share": weight if fixed else None})
            if not fixed:
                rows["int_charges_attributed"].append({"billing_month": month, "team": f"t{c}", "bytes_used": weight})
        for last in ("last1", "last2", "last3") if second else ():
            again = {"pool_value": "t0", "pool": "t0", "rule_id": "s", "driver": "even", "stage": 2}
            rows["int_pools_by_day"].append({**claim, **again, "consumer_team": last, "share": None})
    return rows


def total(amounts: Any) -> Decimal:
    found = Decimal(0)
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def whole(shares: list[Share], pool: Pool) -> None:
    """What every split keeps: each amount to the last digit, and every charge once."""
    wanted = (pool.billed, pool.effective, pool.saving)
    for n, amount in enumerate(wanted):
        parts = [share.amounts[n] for share in shares]
        if amount is None:
            assert set(parts) == {None}
        else:
            assert total(parts) == amount
    assert sum(share.charges for share in shares) == 3


def fair(shares: list[Share], pool: Pool) -> None:
    """Each share is the pool times its part, within what a DOUBLE can tell; the last also takes all other errors."""
    used = {f"t{n}": weight for n, weight in enumerate(pool.weights) if weight > 0}
    assert {share.team for share in shares} == set(used or {"unallocated"})
    if not used:
        [only] = shares
        assert (only.allocation, only.ratio, only.amounts[:2]) == ("unallocated", None, (pool.billed, pool.effective))
        return
    everything = total(used.values())
    last = max(used)
    for share in shares:
        for amount, found in zip((pool.billed, pool.effective), share.amounts, strict=False):
            ideal = EXACT.divide(EXACT.multiply(amount, used[share.team]), everything)
            allowed = abs(EXACT.multiply(amount, Decimal("1e-15"))) + LAST_DIGIT
            assert found is not None
            assert abs(EXACT.subtract(found, ideal)) <= allowed * (len(used) if share.team == last else 1)


EIGHTEEN_DIGITS = st.builds(
    lambda digits, scale: Decimal(digits).scaleb(-scale, EXACT),
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.integers(0, 18),
)
WEIGHT = st.one_of(
    st.just(Decimal(0)),
    st.integers(-1000, 10**12).map(Decimal),
    st.decimals(min_value=-5, max_value=10**6, places=18, allow_nan=False, allow_infinity=False),
)
POOL = st.builds(
    Pool, EIGHTEEN_DIGITS, EIGHTEEN_DIGITS, st.lists(WEIGHT, min_size=1, max_size=12), st.just("bytes"),
    st.one_of(st.none(), EIGHTEEN_DIGITS),
)  # fmt: skip
SLOW = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SLOW
@given(pools=st.lists(POOL, min_size=1, max_size=60))
@example(pools=[Pool(Decimal(-10), Decimal("0.000000000000000001"), [Decimal(1)] * 3)])
@example(pools=[Pool(Decimal(10**18 - 1), Decimal(0), [Decimal("1e-18"), Decimal(10**12)])])
@example(pools=[Pool(Decimal(7), Decimal(7), [Decimal(0), Decimal(-4)])])
def test_shares_add_up_to_the_pool_whatever_was_used(split: Split, pools: list[Pool]) -> None:
    for shares, pool in zip(split(pools), pools, strict=True):
        whole(shares, pool)
        fair(shares, pool)


@SLOW
@given(
    consumers=st.one_of(st.integers(1, 10_000), st.just(10_000)),
    seed=st.integers(0, 2**32),
    billed=EIGHTEEN_DIGITS,
    effective=EIGHTEEN_DIGITS,
)
def test_ten_thousand_consumers_take_the_pool_and_no_more(
    split: Split, consumers: int, seed: int, billed: Decimal, effective: Decimal
) -> None:
    chance = Random(seed)
    kinds = (lambda: 0, lambda: chance.randint(-9, -1), lambda: chance.randint(1, 9), lambda: chance.randint(1, 10**12))
    pool = Pool(billed, effective, [Decimal(chance.choice(kinds)()) for _ in range(consumers)])
    [shares] = split([pool])
    whole(shares, pool)
    fair(shares, pool)


@SLOW
@given(pools=st.lists(POOL, min_size=1, max_size=40))
def test_a_pool_that_passes_on_to_another_loses_nothing(split: Split, pools: list[Pool]) -> None:
    for kept, shares, pool in zip(split(pools), split(pools, second=True), pools, strict=True):
        whole(shares, pool)
        passed = [share for share in kept if share.team == "t0"]
        again = [share for share in shares if share.team.startswith("last")]
        assert {share.team for share in again} == ({"last1", "last2", "last3"} if pool.weights[0] > 0 else set())
        assert {share for share in shares if share not in again} == {share for share in kept if share not in passed}
        for n in (0, 1):
            assert total(share.amounts[n] for share in again) == total(share.amounts[n] for share in passed)


@SLOW
@given(
    billed=EIGHTEEN_DIGITS,
    effective=EIGHTEEN_DIGITS,
    shares=st.lists(
        st.decimals(min_value=0, max_value=1, places=4, allow_nan=False, allow_infinity=False), min_size=1, max_size=8
    ),
)
@example(billed=Decimal(1), effective=Decimal(1), shares=[Decimal("0.1")] * 8)
@example(billed=Decimal(1), effective=Decimal(1), shares=[Decimal("0.25")] * 4)
def test_what_fixed_shares_leave_stays_unallocated(
    split: Split, billed: Decimal, effective: Decimal, shares: list[Decimal]
) -> None:
    pool = Pool(billed, effective, shares, "fixed")
    [found] = split([pool])
    whole(found, pool)
    left = [share for share in found if share.allocation == "unallocated"]
    assert [share.team for share in left] == ["unallocated"] * (total(shares) < 1)
    if left:
        assert left[0].ratio == pytest.approx(float(1 - total(shares)))
