"""The command line: parse, call the library function of the same name, print."""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import FinopsError, LockedError, UsageError, is_stop

if TYPE_CHECKING:
    from rich.table import Table

    from .ingest import Ingested
    from .lake import Home

DONE, REFUSED, WRONG_USAGE, NOT_PASSED, LOCKED, STOPPED = 0, 1, 2, 3, 4, 130
"""What `EXIT_CODES` explains."""

EXIT_CODES = (
    "Exit codes: 0 done, 1 something was refused or failed, 2 wrong usage, 3 done but a gate or check did not pass or "
    "a restatement waits to be accepted, 4 somebody else is writing in the home, 130 stopped."
)

WRITES = {"init", "ingest", "withdraw", "build", "forecast", "report", "run"}
"""Commands that hold the home's lock while they work."""

MAKES_HOME = {"init", "ingest"}
"""Commands that a home may begin with; of any other, one that is not there is a mistake in its name."""

HOMELESS = {"samples", "sources"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a user's mistake is one message on standard error."""
    options = _parser().parse_args(arguments)
    # A scheduler that ends a run wants what Ctrl-C does: a summary, and no half-written file.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What a bill says is nobody else's business: whatever a command makes, only its user can read.
    mask = os.umask(0o077)
    try:
        return _run_command(options)
    except UsageError as error:
        print(f"finops: {error}", file=sys.stderr)
        return WRONG_USAGE
    except LockedError as error:
        print(f"finops: {error}", file=sys.stderr)
        return LOCKED
    except FinopsError as error:
        print(f"finops: {error}", file=sys.stderr)
        return REFUSED
    except PermissionError as error:
        who = f"{error.filename}: " if error.filename else ""
        print(
            f"finops: {who}{error.strerror}. Let whoever runs finops read and write it, then try again.",
            file=sys.stderr,
        )
        return REFUSED
    except BrokenPipeError:
        # Whoever read the output has read enough (| head); what was written to disk is whole.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except (KeyboardInterrupt, RuntimeError) as stop:
        if not is_stop(stop):
            raise
        print("finops: stopped. What was published stays; run the same command again to go on.", file=sys.stderr)
        return STOPPED
    finally:
        os.umask(mask)


def _run_command(options: argparse.Namespace) -> int:
    from .lake import locked

    run: Callable[[argparse.Namespace], int] = options.run
    if options.command in HOMELESS:
        return run(options)
    home = _home(options)
    if options.command not in MAKES_HOME and not home.root.is_dir():
        raise UsageError(_no_home(home.root))
    if options.command not in WRITES or ("dry_run" in options and options.dry_run):
        return run(options)
    with locked(home, doing=f"finops {options.command}", wait=options.wait):
        return run(options)


def _no_home(wanted: Path) -> str:
    beside = sorted(f.name for f in wanted.parent.iterdir() if f.is_dir()) if wanted.parent.is_dir() else []
    near = difflib.get_close_matches(wanted.name, beside, n=3) or [f for f in beside if not f.startswith(".")][:3]
    there = f" In {wanted.parent} there {'is' if len(near) == 1 else 'are'} {', '.join(near)}." if near else ""
    return f"There is no home {wanted}.{there} Start one with `finops init --home {wanted}`."


class _Parser(argparse.ArgumentParser):
    """A parser that names the nearest command or choice."""

    def error(self, message: str) -> NoReturn:
        if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            choices = re.findall(r"[\w-]+", found[2])
            near = difflib.get_close_matches(found[1], choices, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" Choose from {', '.join(choices)}."
            message = f"there is no {found[1]!r}.{hint}"
        super().error(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="finops",
        description="A warehouse for AI spend: every export becomes FOCUS rows; everything after reads only FOCUS.",
        epilog=EXIT_CODES,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    where: dict[str, Any] = {
        "type": _folder, "metavar": "DIR",
        "help": "folder of plan/, inbox/, lake/, warehouse.duckdb and reports/ (default: FINOPS_HOME, or this folder)",
    }  # fmt: skip
    parser.add_argument("--home", default=os.environ.get("FINOPS_HOME", "."), **where)
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS",
        help="how long to wait for whoever else is writing in the home (default 0: end with exit code 4)",
    )  # fmt: skip
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.add_argument("--home", default=argparse.SUPPRESS, **where)
        added.set_defaults(run=run, command=name)
        return added

    command("init", _init, "write a commented skeleton of the plan and the folders of a home")
    c = command("samples", _samples, "write the sample company's exports, plan and planted truth")
    c.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    c.add_argument("--months", type=_positive, default=18, metavar="N", help="months up to October 2026 (default 18)")
    c.add_argument("--scale", type=_positive, default=1, metavar="N", help="times as many resources (default 1)")
    c.add_argument("--seed", type=int, default=7, metavar="N", help="same seed, same bytes (default 7)")
    c = command("sources", _sources, "list what can be read, how it is recognised and which dataset it fills")
    c.add_argument("--json", action="store_true", help="print JSON")
    c.add_argument("--markdown", action="store_true", help="print the page docs/sources.md")
    c.add_argument("--check", action="store_true", help="check the home's own adapters/*.sql, with their samples")
    c = command("ingest", _ingest, "bring exports into the lake, month by month")
    c.add_argument("paths", nargs="+", metavar="PATH", help="files, folders, patterns or archives as delivered")
    c.add_argument("--source", metavar="NAME", help="read them as this source instead of recognising it")
    c.add_argument("--account", metavar="ID", help="billing account of exports that do not name theirs")
    c.add_argument("--dates", choices=("month-first", "day-first"), help="order in dates of files that do not tell it")
    c.add_argument(
        "--accept-rejects", action="store_true",
        help="publish without the rows that cannot be taken; ledger and reports show what is missing",
    )  # fmt: skip
    c.add_argument(
        "--accept-shrink", action="store_true",
        help="let a month that is closed or nearly complete lose more of its money than the plan allows",
    )  # fmt: skip
    c.add_argument("--dry-run", action="store_true", help="say what would be published, publish nothing")
    c.add_argument("--json", action="store_true", help="print JSON")
    c = command(
        "withdraw",
        _withdraw,
        "take one account's month of one source out of the lake; the ledger remembers",
    )
    c.add_argument("source", metavar="SOURCE", help="source as `finops deliveries` names it")
    c.add_argument("--account", required=True, metavar="ID", help="billing account; `all` where there is none")
    c.add_argument("--month", required=True, metavar="YYYY-MM", help="month; `all` where there is none")
    c = command("deliveries", _deliveries, "show the ledger: what each month holds and what it replaced")
    c.add_argument(
        "--diff", nargs="+", metavar="ID",
        help="what changed between two deliveries of a month (one id: since the one it replaced), by service, "
        "sub-account and charge kind",
    )  # fmt: skip
    c.add_argument("--json", action="store_true", help="print JSON")
    c = command(
        "verify", _verify, "read every file of the lake and compare it with the ledger; exit 3 where it differs"
    )
    c.add_argument("--json", action="store_true", help="print JSON")
    c = command("reconcile", _reconcile, "compare charges with invoices, and AI vendors' bills with their usage")
    c.add_argument("--month", metavar="YYYY-MM", help="month to show (default: all)")
    c.add_argument(
        "--tolerance", type=_amount, metavar="AMOUNT",
        help="what may stay unexplained of each comparison (default: gap_tolerance of the plan's thresholds, or 0.01)",
    )  # fmt: skip
    c.add_argument("--json", action="store_true", help="print JSON")
    c = command("build", _build, "build and test the marts with dbt")
    c.add_argument("--select", nargs="+", default=[], metavar="MODEL", help="dbt selection; default everything")
    c.add_argument("--target", default="duckdb", choices=["duckdb", "spark"], help="where to build (default duckdb)")
    c.add_argument("--full-refresh", action="store_true", help="rebuild from nothing")
    command(
        "forecast",
        _forecast,
        "forecast daily cost to the end of month, quarter and year, with its past error",
    )
    c = command("report", _report, "write the report folder: HTML, charts, tables")
    c.add_argument("--month", metavar="YYYY-MM", help="month to report (default: the latest in the data)")
    c.add_argument("--out", metavar="DIR", help="folder to write to (default: reports/MONTH in the home)")
    c = command("check", _check, "run the gates; exit 3 when one fails")
    c.add_argument("--json", action="store_true", help="print JSON")
    c = commands.add_parser("plan", help="what the plan could say next", description="What the plan could say next.")
    suggest = c.add_subparsers(title="commands", required=True, metavar="COMMAND").add_parser(
        "suggest",
        help="write proposals in the plan's own columns",
        description="Write aliases, tag rules, owners and budgets that the charges suggest, each with the money it "
        "concerns, as CSV files in the plan's own columns, to be copied to plan/ where accepted. plan/ stays as it is.",
    )
    suggest.add_argument("--out", metavar="DIR", help="folder to write to (default: proposals in the home)")
    suggest.set_defaults(run=_plan_suggest, command="plan")
    c = command(
        "export", _export, "write the lake's charges, commitments or invoices as a FOCUS dataset, or who owns what"
    )
    c.add_argument(
        "format", choices=["focus", "allocation"],
        help="a dataset of the lake as FOCUS, or every team's cost with FOCUS's columns of split costs",
    )  # fmt: skip
    c.add_argument(
        "--dataset", metavar="NAME",
        help="FOCUS dataset: CostAndUsage (default), ContractCommitment, BillingPeriod or InvoiceDetail",
    )  # fmt: skip
    c.add_argument("--version", choices=["1.2", "1.3", "1.4"], help="FOCUS version (default 1.4)")
    c.add_argument("--out", required=True, metavar="FILE", help="Parquet or CSV file to write, by its ending")
    c = command("conformance", _conformance, "judge the lake by the rules of FOCUS; exit 3 when one is broken")
    c.add_argument("--json", action="store_true", help="print JSON")
    c = command("run", _run, "the scheduled whole: new files of inbox/, build, forecast, check, report, summary")
    c.add_argument("--json", action="store_true", help="print the run summary as JSON")
    return parser


class _Version(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from .warehouse import product_version

        print(f"finops {product_version()}")
        parser.exit()


def _folder(text: str) -> str:
    if re.match(r"[a-z][a-z0-9+.-]*://", text, flags=re.IGNORECASE):
        raise argparse.ArgumentTypeError(f"found {text}, wanted a folder of this machine")
    return text


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {text}, wanted 1 or more")
    return number


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"found {text}, wanted an amount such as 0.01") from None


def _home(options: argparse.Namespace) -> Home:
    from .lake import Home

    return Home(options.home)


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[str], None]]:
    """Show what is going on and for how long, on standard error: results may be piped, or read by a scheduler."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    console = Console(stderr=True)
    # What cron mails is the result alone.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(doing, total=None)
        yield lambda said: shown.update(task, description=said)


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, default=str, ensure_ascii=False))


def _init(options: argparse.Namespace) -> int:
    from .pipeline import init

    with _progress("starting a home") as say:
        written = init(_home(options), progress=say)
    for path in written:
        print(path)
    return DONE


def _plan_suggest(options: argparse.Namespace) -> int:
    from .proposals import suggest

    done = suggest(_home(options), out=options.out)
    for p in done.proposals:
        print(f"{p.file}.csv: {p.said}: {p.amounts}")
    if done.left_out:
        print(f"left out: {done.left_out}, which a spreadsheet would take for formulas")
    count = len(done.proposals)
    print(f"{count} {'proposal' if count == 1 else 'proposals'} in {done.folder}; copy to plan/ what you accept")
    return DONE


def _samples(options: argparse.Namespace) -> int:
    from .samples import write

    with _progress("writing the sample company"):
        written = write(Path(options.out), months=options.months, scale=options.scale, seed=options.seed)
    print(f"{len(written)} files below {options.out}; what was planted stands in {Path(options.out) / 'truth.json'}")
    return DONE


def _sources(options: argparse.Namespace) -> int:
    from .ingest import check_own, sources, sources_page, use_own

    use_own(_home(options))
    if options.check:
        return _sources_checked(check_own(_home(options)))
    if options.markdown:
        print(sources_page(), end="")
        return DONE
    found = sources()
    if options.json:
        _print_json(found)
        return DONE
    for row in found:
        print(f"{row['source']}  →  {row['dataset']}   ({row['formats']}; a delivery replaces {row['replaces']})")
        print(f"    {row['reads']}")
        for label in ("recognised by", "quirks", "not covered"):
            if row[label]:
                print(f"    {label}: {row[label]}")
    return DONE


def _sources_checked(found: dict[str, list[str]]) -> int:
    for name, wrong in found.items():
        print(f"{name}: {'as it should be' if not wrong else ''}")
        for said in wrong:
            print(f"    {said}")
    faulty = sum(bool(wrong) for wrong in found.values())
    print(f"{len(found)} own {'source' if len(found) == 1 else 'sources'}, {faulty} with faults")
    return NOT_PASSED if faulty else DONE


def _ingest(options: argparse.Namespace) -> int:
    from .ingest import Interrupted, ingest
    from .lake import held

    try:
        with _progress("starting") as say:
            done = ingest(
                _home(options), options.paths, source=options.source, account=options.account, dates=options.dates,
                accept_rejects=options.accept_rejects, accept_shrink=options.accept_shrink, dry_run=options.dry_run,
                progress=say,
            )  # fmt: skip
    except Interrupted as stopped:
        _say(stopped.done)
        for batch in stopped.left:
            print(f"left: {batch}", file=sys.stderr)
        raise
    if options.json:
        _print_json({"outcomes": _outcomes(done), "data_docs": done.data_docs, "rejects": done.rejects})
    else:
        _say(done)
    waiting = not options.dry_run and held(_home(options))
    return REFUSED if done.refused else NOT_PASSED if waiting else DONE


def _outcomes(done: Ingested) -> list[dict[str, Any]]:
    return [
        {
            "status": o.status,
            "source": o.source,
            "message": o.message,
            "unit": asdict(o.partition) if o.partition else None,
            "delivery": asdict(o.delivery) if o.delivery else None,
        }
        for o in done.outcomes
    ]


def _say(done: Ingested) -> None:
    counts: dict[str, int] = {}
    for outcome in done.outcomes:
        counts[outcome.status] = counts.get(outcome.status, 0) + 1
        if outcome.status == "refused":
            print(f"refused: {outcome.message}", file=sys.stderr)
    for line in done.lines():
        print(line)
    print(", ".join(f"{n} {status}" for status, n in counts.items()) or "nothing to ingest")
    if done.rejects:
        print(f"rejected rows, each with its reason: {done.rejects[0].parents[3]}")
    if done.data_docs:
        print(f"what was checked: {done.data_docs}")


def _withdraw(options: argparse.Namespace) -> int:
    from .ingest import withdraw

    for gone in withdraw(_home(options), options.source, account=options.account, month=options.month):
        money = ", ".join(f"{c} {a}" for c, a in gone.billed_change.items())
        print(f"withdrawn: {gone.partition}{f', billed {money}' if money else ''}")
    return DONE


def _deliveries(options: argparse.Namespace) -> int:
    from .lake import deliveries, held, unreadable_said
    from .pipeline import month_statuses

    if options.diff:
        return _difference(options)
    found = deliveries(_home(options))
    for said in unreadable_said(_home(options)):
        print(said, file=sys.stderr)
    states = month_statuses(_home(options))
    if options.json:
        _print_json(
            [
                {"id": d.id, **asdict(d), "month_status": states.get((d.source, d.billing_account, d.month))}
                for d in found
            ]
        )
        return DONE
    for d in found:
        money = ", ".join(f"{c} {a}" for c, a in d.billed_total.items())
        change = ", ".join(f"{c} {a}" for c, a in d.billed_change.items())
        print(
            f"{d.delivered_at[:19]}  {d.id}  {d.partition}{': withdrawn' if d.withdrawn else ''}\n"
            f"    {d.rows_read} read, {d.rows_published} published, {d.rows_rejected} rejected, {d.rows_merged} merged,"
            f" {d.rows_added} added{f'; billed {money}' if money else ''}"
            f"{f'; replaces {d.replaced}, change {change or 0}' if d.replaced else ''}"
        )
        if state := states.get((d.source, d.billing_account, d.month)):
            print(f"    month: {state}")
        for note in d.notes:
            print(f"    note: {note}")
        for file in d.files:
            print(f"    {file['name']}  sha256 {file['sha256'][:12]}…")
    for waiting in held(_home(options)):
        print(f"held: {waiting}")
    print(f"{len(found)} deliveries")
    return DONE


def _verify(options: argparse.Namespace) -> int:
    from .verification import verify

    with _progress("reading the ledger") as say:
        done = verify(_home(options), progress=say)
    if options.json:
        findings = [{**asdict(f), "sentence": f.sentence} for f in done.findings]
        _print_json({"partitions": done.partitions, "rows": done.rows, "findings": findings})
    elif done.findings:
        for finding in done.findings:
            print(finding.sentence)
    else:
        print(f"{done.partitions} partitions, {done.rows} rows, all as the ledger says")
    return NOT_PASSED if done.findings else DONE


def _reconcile(options: argparse.Namespace) -> int:
    from .pipeline import reconcile

    done = reconcile(_home(options), month=options.month, tolerance=options.tolerance)
    if options.json:
        lines = {
            name: [{**asdict(line), "sentence": line.sentence} for line in found]
            for name, found in (("invoices", done.invoices), ("usage", done.usage))
        }
        statuses = [asdict(s) for s in done.statuses]
        _print_json({"months": statuses, **lines, "unexplained": [line.sentence for line in done.unexplained]})
        return NOT_PASSED if done.unexplained else DONE
    _reconciled_table("Months", ("month", "source", "account", "status"), done.statuses)
    _compared_table("Charges and invoices", done.invoices, "invoice", "invoiced")
    _compared_table("Bills of AI vendors and their usage at list price", done.months, "vendor", "usage")
    for line in (*done.invoices, *done.months):
        if said := line.sentence:
            print(said)
    days = [line for line in done.unexplained if line.day]
    for line in days:
        print(f"unexplained: {line.sentence}")
    compared = len(done.invoices) + len(done.usage)
    limit = "the plan tolerates" if options.tolerance is None else options.tolerance
    print(f"{compared} comparisons, {len(done.unexplained)} with more unexplained than {limit}")
    return NOT_PASSED if done.unexplained else DONE


def _reconciled_table(title: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
    table = _table(title, *columns)
    for row in rows:
        table.add_row(row.month, row.source, row.billing_account_id, row.status)
    _print_table(table)


def _compared_table(title: str, lines: Sequence[Any], subject: str, stated: str) -> None:
    table = _table(f"{title}, rounded to cents", "month", subject, "currency")
    for column in ("billed", stated, "gap", "unexplained"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("reasons")
    for line in lines:
        amounts = (line.billed, line.stated, line.gap, line.unexplained)
        cents = ("none" if a is None else f"{round(a, 2) + 0:,.2f}" for a in amounts)
        who = f"{line.issuer} {line.subject}".strip()
        table.add_row(line.month, who, line.currency, *cents, ", ".join(line.reasons))
    _print_table(table)


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column)
    return table


def _print_table(table: Table) -> None:
    from rich.console import Console

    # In a file nothing is cut off or wrapped as on a narrow screen.
    console = Console()
    if not console.is_terminal:
        console.width = 160
    console.print(table)


def _difference(options: argparse.Namespace) -> int:
    from .money import exact
    from .restatements import difference

    if len(options.diff) > 2:
        raise UsageError(f"Found {len(options.diff)} ids after --diff, wanted one or two.")
    found = difference(_home(options), *options.diff)
    if options.json:
        _print_json(
            {
                "unit": asdict(found.after.partition),
                "before": found.before.id,
                "after": found.after.id,
                "billed_change": {c: exact(found.total(c)[0]) for c in found.currencies},
                "effective_change": {c: exact(found.total(c)[1]) for c in found.currencies},
                "changes": [
                    {k: exact(v) if isinstance(v, Decimal) else v for k, v in asdict(c).items()}
                    | {"billed_change": exact(c.billed), "effective_change": exact(c.effective)}
                    for c in found.changes
                ],
            }
        )
        return DONE
    print(f"{found.after.partition}")
    for word, d in (("from", found.before), ("to", found.after)):
        print(f"{word:6}{d.id}  {d.delivered_at[:19]}{'  withdrawn' if d.withdrawn else ''}")
    for currency in found.currencies:
        print(f"{currency}: billed {_signed(found.total(currency)[0])}, effective {_signed(found.total(currency)[1])}")
        for c in found.changes:
            if c.currency == currency:
                print(
                    f"  {_signed(c.billed)}  {c.service or 'no service'}, {c.sub_account or 'no sub-account'}, "
                    f"{c.charge or 'no kind'}: billed {exact(c.billed_before)} → {exact(c.billed_after)}, "
                    f"effective {_signed(c.effective)}, rows {c.rows:+}"
                )
    if not found.changes:
        print("nothing changed by service, sub-account and charge kind")
    return DONE


def _signed(amount: Decimal) -> str:
    from .money import exact

    return f"{'+' if amount > 0 else ''}{exact(amount)}"


def _build(options: argparse.Namespace) -> int:
    from .warehouse import build

    with _progress("starting dbt") as say:
        built = build(
            _home(options), select=options.select, target=options.target, full_refresh=options.full_refresh,
            progress=lambda name, i, total: say(f"{i} of {total}: {name}"),
        )  # fmt: skip
    for message in built.messages:
        print(message, file=sys.stderr)
    if built.said:
        print(built.said)
        if built.slowest:
            print(f"slowest: {', '.join(f'{name} {seconds:.1f} s' for name, seconds in built.slowest)}")
    for note in built.notes:
        print(note)
    for finding in built.findings:
        print(f"plan: {finding}")
    return REFUSED if built.failed else DONE


def _forecast(options: argparse.Namespace) -> int:
    from .pipeline import forecast

    with _progress("forecasting") as say:
        done = forecast(_home(options), progress=say)
    _say(done)
    return REFUSED if done.refused else DONE


def _report(options: argparse.Namespace) -> int:
    from .reports import report

    with _progress("writing the report"):
        folder = report(_home(options), month=options.month, out=options.out)
    print(f"report    {folder / 'index.html'}")
    print(f"charts    {folder / 'charts'}")
    print(f"tables    {folder / 'tables.xlsx'}")
    facts = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    late = f", but {facts['behind']}" if facts["behind"] else ""
    print(f"figures, effective cost unless named otherwise, data through {facts['data_date']}{late}:")
    for figure in facts["figures"]:
        print(f"  {figure['name']:24}{figure['shown']:>22}   {figure['meaning']}")
    return DONE


def _check(options: argparse.Namespace) -> int:
    from .policy import check
    from .warehouse import plan_findings

    verdicts = check(_home(options))
    if options.json:
        _print_json([asdict(v) for v in verdicts])
    else:
        for v in verdicts:
            mark = {True: "pass", False: "FAIL", None: "no data"}[v.passed]
            print(f"{mark:8}{v.gate}: found {v.found}, wanted {v.wanted}")
        for finding in plan_findings(_home(options)):
            print(f"plan: {finding}")
    return NOT_PASSED if any(v.passed is False for v in verdicts) else DONE


def _export(options: argparse.Namespace) -> int:
    from .export import CHARGES, VERSIONS, export_allocation, export_focus

    if options.format == "allocation":
        if options.dataset or options.version:
            raise UsageError("`--dataset` and `--version` are of `finops export focus`; allocated cost is one table.")
        what = "allocated cost"
        rows = export_allocation(_home(options), out=options.out)
    else:
        dataset, version = options.dataset or CHARGES, options.version or VERSIONS[-1]
        what = f"{dataset} as FOCUS {version}"
        rows = export_focus(_home(options), version=version, out=options.out, dataset=dataset)
    print(f"{rows} {'row' if rows == 1 else 'rows'} of {what}: {options.out}")
    return DONE


def _conformance(options: argparse.Namespace) -> int:
    from .conformance import check

    findings = check(_home(options))
    broken = [f for f in findings if f.offenders and f.rule.severity == "error"]
    if options.json:
        _print_json(
            [
                {
                    "rule": f.rule.id, "sentence": f.rule.sentence, "focus": f.rule.focus, "since": f.rule.since,
                    "severity": f.rule.severity, "offenders": f.offenders, "file": f.file, "row": f.row,
                }
                for f in findings
            ]
        )  # fmt: skip
        return NOT_PASSED if broken else DONE
    for f in findings:
        said = f"{f.rule.id}: {f.rule.sentence}"
        if not f.offenders:
            print(f"holds   {said}")
            continue
        first = f", the first: {f.file}, row {f.row}" if f.file else ""
        mark = "BROKEN" if f in broken else "warning"
        print(f"{mark:8}{said} Found {f.offenders} offender{'' if f.offenders == 1 else 's'}{first}")
    holding = sum(not f.offenders for f in findings)
    warned = len(findings) - holding - len(broken)
    print(f"{len(findings)} rules: {holding} hold, {len(broken)} broken, {warned} with a warning")
    return NOT_PASSED if broken else DONE


def _run(options: argparse.Namespace) -> int:
    from .pipeline import run

    with _progress("starting") as say:
        summary = run(_home(options), progress=say)
    if options.json:
        _print_json(summary)
    else:
        for step in summary["steps"]:
            print(f"{step['status']:12}{step['step']} ({step['seconds']} s): {step['said']}")
        print(f"summary: {summary['written']}")
    found = {step["status"] for step in summary["steps"]}
    return REFUSED if "failed" in found else NOT_PASSED if "not passed" in found else DONE


if __name__ == "__main__":
    sys.exit(main())
