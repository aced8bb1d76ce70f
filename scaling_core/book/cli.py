"""The command line, ``scaling``. Exit codes: 0 fine, 1 a check failed, 2 bad usage."""

import sys
from pathlib import Path
from typing import Annotated, Optional

try:
    import typer
except ModuleNotFoundError:  # a base install: numpy, scipy, pandas only
    sys.exit("scaling: the command line needs an extra: pip install 'scaling-core[cli]'")

from scaling_core.base.files import NotABookError, book_root
from scaling_core.book.errors import BookError, UsageError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Run, render, check and accept the chapters of Scaling, Replicated.",
)
Slugs = Annotated[Optional[list[str]], typer.Argument(help="chapters; none: all")]
ProfileOption = Annotated[str, typer.Option(help="smoke, cpu or gpu")]


@app.command("list")
def list_command():
    """List the chapters and how many claims each holds."""
    from scaling_core.book.claims import load_ledger
    from scaling_core.book.execute import list_chapters

    root = book_root()
    ledger = load_ledger(root)
    for chapter in list_chapters(root):
        claims = len(ledger.get(chapter.slug, []))
        typer.echo(f"{chapter.name}  {claims} claims")


@app.command()
def run(
    slugs: Slugs = None,
    profile: ProfileOption = "",
    jobs: Annotated[int, typer.Option(min=1, help="chapters side by side")] = 1,
    force: Annotated[bool, typer.Option(help="run even what is up to date")] = False,
    parameter: Annotated[
        Optional[list[str]], typer.Option("--parameter", "-p", help="NAME=VALUE")
    ] = None,
    update_reference: Annotated[
        bool, typer.Option(help="copy the smoke run to tests/reference")
    ] = False,
):
    """Execute the chapters whose code, data or lock changed."""
    from scaling_core.book.execute import run_chapters, update_references
    from scaling_core.book.profile import resolve_profile

    root, profile = book_root(), resolve_profile(profile)
    if update_reference and (profile != "smoke" or parameter):
        raise UsageError("references are plain smoke runs: --profile smoke, no -p")
    outcomes = run_chapters(
        root,
        slugs or [],
        profile=profile,
        jobs=jobs,
        force=force,
        parameters=_parse_parameters(parameter or []),
        say=typer.echo,
    )
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(1)
    if update_reference:
        for path in update_references(root, slugs or []):
            typer.echo(f"wrote {path.relative_to(root)}")


def _parse_parameters(items: list[str]) -> dict:
    import yaml

    parsed = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or name == "profile":
            raise UsageError(f"-p takes NAME=VALUE (profile has --profile); got {item!r}")
        parsed[name] = yaml.safe_load(value)
    return parsed


@app.command()
def render(
    profile: ProfileOption = "",
    references: Annotated[
        bool, typer.Option(help="render the committed smoke runs")
    ] = False,
    out: Annotated[
        Optional[Path], typer.Option(help="build in a copy of the sources here")
    ] = None,
):
    """Fill the pages, build the HTML, then judge: a flipped verdict is exit 1."""
    from scaling_core.book.profile import resolve_profile
    from scaling_core.book.render import render as render_pages

    profile = "smoke" if references else resolve_profile(profile)
    rendered = render_pages(
        book_root(), profile, references=references, out=out, say=typer.echo
    )
    _report(rendered.rows)


def _report(rows) -> None:
    """Print drift and flips; leave with 1 when a verdict flipped."""
    from scaling_core.book.pages import summary_sentence
    from scaling_core.book.render import drifts, failures

    typer.echo(summary_sentence(rows))
    for line in drifts(rows):
        typer.echo(f"drift: {line}")
    flipped = failures(rows)
    for line in flipped:
        typer.echo(f"FLIPPED: {line}", err=True)
    if flipped:
        raise typer.Exit(1)


@app.command()
def check(
    slug: Annotated[Optional[str], typer.Argument(help="a chapter; none: all")] = None,
    profile: ProfileOption = "",
    against: Annotated[
        Optional[Path], typer.Option(help="references to compare the numbers with")
    ] = None,
):
    """Judge the records without building pages."""
    from scaling_core.book.claims import load_ledger
    from scaling_core.book.execute import pick_chapters
    from scaling_core.book.ledger import chapter_ledger, moved, show_entry
    from scaling_core.book.profile import resolve_profile

    root, profile = book_root(), resolve_profile(profile)
    ledger, rows, changed = load_ledger(root), [], []
    for chapter in pick_chapters(root, [slug] if slug else []):
        path = root / "build" / "records" / profile / f"{chapter.slug}.json"
        claims = ledger.get(chapter.slug, [])
        rows += chapter_ledger(root, chapter, claims, path).rows
        if against is not None:
            changed += moved(rows, against / chapter.slug / f"{profile}.json")
    for row in rows:
        ours = show_entry(row.entry, row.claim.unit)
        typer.echo(f"{row.verdict.symbol} {row.claim.id}: {ours} — {row.verdict.word}")
    for line in changed:
        typer.echo(f"MOVED: {line}", err=True)
    _report(rows)
    if changed:
        raise typer.Exit(1)


@app.command()
def accept(
    slug: Annotated[str, typer.Argument(help="the chapter")],
    profile: ProfileOption = "",
    record: Annotated[
        Optional[Path], typer.Option(help="a record made elsewhere (a GPU box)")
    ] = None,
):
    """Make a clean run the reference: data/results, expected verdicts, history.

    The profile is that of the record where --record is given alone.
    """
    from scaling_core.book.accept import accept as accept_record
    from scaling_core.book.execute import pick_chapters
    from scaling_core.book.profile import resolve_profile

    root = book_root()
    chapter = pick_chapters(root, [slug])[0]
    if profile or record is None:
        profile = resolve_profile(profile)
    for row in accept_record(root, chapter, profile, record):
        typer.echo(f"{row.verdict.symbol} {row.claim.id}: {row.verdict.word}")


@app.command()
def fetch(
    names: Annotated[Optional[list[str]], typer.Argument(help="files; none: all")] = None,
):
    """Download the optional public data, checked by hash."""
    from scaling_core.base.inputs import optional_folder
    from scaling_core.data.online import REGISTRY, DownloadError
    from scaling_core.data.online import fetch as download

    unknown = sorted(set(names or ()) - set(REGISTRY))
    if unknown:
        raise UsageError(f"unknown data {unknown}; allowed: {', '.join(REGISTRY)}")
    try:
        paths = download(names or None)
    except DownloadError as error:
        typer.echo(f"scaling: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{len(paths)} files in {optional_folder()}")


@app.command()
def fit(
    table: Annotated[Path, typer.Argument(metavar="CSV", help="one run a line")],
    law: Annotated[str, typer.Option(help="see `scaling laws`")] = "chinchilla",
    columns: Annotated[str, typer.Option(help='N=params,D=tokens,L="a, b"')] = "",
    loss: Annotated[str, typer.Option(help="log-huber, huber or mse")] = "log-huber",
    against: Annotated[str, typer.Option("--compare", help="other laws, by comma")] = "",
    plot: Annotated[Optional[Path], typer.Option(help="PNG, SVG or PDF to write")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON only")] = False,
):
    """Fit a scaling law to your own runs: intervals, status, methods paragraph."""
    from scaling_core.book import fit_report as report
    from scaling_core.fitting import band, compare
    from scaling_core.fitting import fit as fit_law
    from scaling_core.fitting.selection import table as comparison_table

    laws = report.find_laws([law, *filter(None, against.split(","))])
    if plot is not None:
        report.check_plot(plot)
    needed = list(dict.fromkeys(n for one in laws for n in (*one.variables, one.target)))
    runs = report.read_runs(table, needed, report.parse_columns(columns))
    data = runs.data
    try:
        result = fit_law(laws[0], data, loss=loss)
        intervals = report.find_intervals(result)
        enough = result.n >= 2 * (max(len(one.parameters) for one in laws) + 2)
        order = laws[0].variables[0] if enough else None  # else no forward chaining
        rows = compare(laws, data, by=order, loss=loss) if against else []
    except ValueError as error:
        raise runs.explain(error) from error
    if as_json:
        typer.echo(report.fit_as_json(result, intervals, rows))
    else:
        typer.echo(report.show_fit(result, intervals))
        typer.echo(f"\n{comparison_table(rows)}" if rows else "", nl=bool(rows))
    if plot is not None:
        drawn = [
            (label, at, result.predict(at), *band(result, at))
            for label, at in report.curves(data, laws[0])
        ]
        report.draw_fit(plot, result, data, drawn)
        typer.echo(f"wrote {plot}", err=as_json)
    if result.status == "failed":
        raise typer.Exit(1)


@app.command("laws")
def laws_command():
    """List the laws that `scaling fit` knows."""
    from scaling_core.book.fit_report import list_laws

    for line in list_laws():
        typer.echo(line)


@app.command()
def schema(path: Annotated[Path, typer.Argument()] = Path("data/claims/schema.json")):
    """Write the JSON schema of a claims file, for editors."""
    from scaling_core.book.claims import write_json_schema

    typer.echo(write_json_schema(path))


def main() -> None:
    """Run the command line; foreseen faults are one line and an exit code."""
    try:
        app()
    except BookError as error:
        typer.echo(f"scaling: {error}", err=True)
        sys.exit(error.exit_code)
    except NotABookError as error:
        typer.echo(f"scaling: {error}", err=True)
        sys.exit(2)
