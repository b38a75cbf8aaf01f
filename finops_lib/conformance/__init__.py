"""Does the lake keep what FOCUS promises? One rule, one SQL file of `rules/`: a SELECT of the offenders.

A rule that reads `select * from cost_and_usage where …` judges single rows; all of those are counted in one scan, and
offenders are looked up only where there are some. Any other SELECT gives its offenders' x_SourceFile and x_SourceRow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from pathlib import Path

import duckdb

from .. import lake
from ..contract import contract, contracts, literal
from ..errors import NotBuiltError
from ..lake import Home
from ..warehouse import dataset_sql, reading_lake

CHARGES = "cost_and_usage"

MACROS = """
    -- The product of two DECIMAL(38, 18) has 36 decimals, which no DECIMAL(38) holds beside its whole digits: each
    -- factor is split after its ninth decimal. What is left out is below the eighteenth.
    create macro product(a, b) as try(
        cast(round(a, 9) as decimal(38, 9)) * cast(round(b, 9) as decimal(38, 9))
        + cast(
            cast(round(a, 9) as decimal(38, 9)) * cast(b - round(b, 9) as decimal(18, 18))
            + cast(round(b, 9) as decimal(38, 9)) * cast(a - round(a, 9) as decimal(18, 18))
        as decimal(38, 18))
    );
    -- The tolerance is the official validator's, and the difference is exact. Doubles, which err by less than a
    -- millionth of the tolerance, tell what is well within it, several times faster.
    create macro product_is_off(cost, price, quantity) as case
        when abs(cast(cost as double) - cast(price as double) * cast(quantity as double))
            < 0.9e-9 * greatest(abs(cast(cost as double)), 1)
            or price is null or quantity is null then false
        else coalesce(abs(cost - product(price, quantity)) > 1e-9 * greatest(abs(cast(cost as double)), 1), true)
    end;
    create macro rate_differs(a, in_billing_a, b, in_billing_b) as
        abs(cast(a as double) * cast(in_billing_b as double) - cast(b as double) * cast(in_billing_a as double))
        > 1e-6 * abs(cast(a as double) * cast(in_billing_b as double));
    -- Only a text that may hold something nested is parsed.
    create macro is_flat_object(json_text) as case
        when json_text not like '{%' then false
        when not regexp_matches(json_text, ':[[:space:]]*[[{]') then true
        else not list_contains(
            [
                json_type(v) in ('OBJECT', 'ARRAY')
                for v in map_values(cast(cast(json_text as json) as map(varchar, json)))
            ],
            true
        )
    end;
"""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule, as its SQL file states it."""

    id: str
    sentence: str
    focus: str
    """Columns or sections of the FOCUS specification that say so."""
    since: str
    """First FOCUS version that says so."""
    severity: str
    """error, or warning where a provider's bill may rightly differ."""
    missed_officially: bool
    """Whether the official validator lets offenders pass."""
    select: str

    @property
    def condition(self) -> str | None:
        """What makes a single charge an offender; None for a rule over several charges."""
        found = re.fullmatch(rf"select \* from {CHARGES}\s+where\s+(.*)", self.select, flags=re.DOTALL)
        return found[1] if found else None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one rule found; file and row of the first offender, where there is one."""

    rule: Rule
    offenders: int
    file: str | None = None
    row: int | None = None


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by id."""
    folder = Path(str(resources.files("finops_lib") / "conformance" / "rules"))
    return tuple(_read(file) for file in sorted(folder.glob("*.sql")))


def _read(file: Path) -> Rule:
    text = file.read_text(encoding="utf-8")
    stated: dict[str, str] = {}
    sentence = []
    for line in re.findall(r"^-- (.*)$", text, flags=re.MULTILINE):
        directive = re.match(r"(focus|since|severity|official validator): (.+)", line)
        if directive:
            stated[directive[1]] = directive[2]
        elif not stated:
            sentence.append(line)
    body = re.sub(r"\A(?:--.*\n)+", "", text).strip()
    return Rule(
        id=file.stem,
        sentence=" ".join(sentence),
        focus=stated["focus"],
        since=stated["since"],
        severity=stated["severity"],
        missed_officially=stated["official validator"] == "misses it",
        select=body,
    )


def check(home: Home) -> list[Finding]:
    """Judge the lake by every rule.

    Reads    the charges of `home` and the ledger of what was published.
    Returns  one finding per rule, errors first, then by id.
    Refuses  NotBuiltError for a lake without charges.
    """
    with reading_lake(home), duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        _tables(db, home)
        if not db.sql(f"select 1 from {CHARGES} limit 1").fetchall():
            raise NotBuiltError(f"{home.root} holds no charges yet. Bring in a bill with `finops ingest PATH`.")
        found = list(_findings(db))
    return sorted(found, key=lambda f: (f.rule.severity != "error", f.rule.id))


def _tables(db: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Everything a rule may read: the datasets of FOCUS, the ledger, and what FOCUS lists."""
    for own in contracts().values():
        if own.focus_dataset:
            db.execute(f"create view {own.dataset} as {dataset_sql(home, own)}")
    db.execute("create table focus_columns (name varchar)")
    names = [[c] for c in contract(CHARGES).names if not c.startswith("x_")]
    db.executemany("insert into focus_columns values ($1)", names)
    listed = resources.files("finops_lib") / "conformance" / "service_subcategories.csv"
    db.execute(f"create table service_subcategories as select * from read_csv({literal(str(listed))}, header = true)")
    db.execute(
        "create table ledger (source varchar, billing_account varchar, month varchar, currency varchar, "
        "billed decimal(38, 18))"
    )
    held = [
        [d.source, d.billing_account, d.month, currency, Decimal(amount)]
        for d in lake.current(home).values()
        if d.dataset == CHARGES
        for currency, amount in d.billed_total.items()
    ]
    if held:
        db.executemany("insert into ledger values ($1, $2, $3, $4, $5)", held)
    db.execute(MACROS)


def _findings(db: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    single = [rule for rule in rules() if rule.condition]
    counts = ", ".join(f"count(*) filter (where {rule.condition})" for rule in single)
    [offenders] = db.sql(f"select {counts} from {CHARGES}").fetchall()
    found = dict(zip(single, offenders, strict=True))
    for rule in rules():
        yield _finding(db, rule) if found.get(rule, 1) else Finding(rule=rule, offenders=0)


def _finding(db: duckdb.DuckDBPyConnection, rule: Rule) -> Finding:
    first = "min({'file': x_SourceFile, 'row': x_SourceRow})"
    [(count, offender)] = db.sql(f"select count(*), {first} from ({rule.select})").fetchall()
    if not count:
        return Finding(rule=rule, offenders=0)
    return Finding(rule=rule, offenders=count, file=offender["file"], row=offender["row"])
