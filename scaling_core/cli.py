"""The command line, ``scaling``. Exit codes: 0 fine, 1 a check failed, 2 bad usage.

Here are the commands of the small package; those of the book join where
``scaling_book`` is importable (an editable install of the repository).
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Annotated

try:
    import typer
except ModuleNotFoundError:  # a base install: numpy, scipy, pandas only
    sys.exit(
        "scaling: the command line needs an extra: pip install 'scaling-core[cli]'"
    )

from scaling_core.base.errors import ForeseenError, UsageError
from scaling_core.base.files import NotABookError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Fit scaling laws; in a clone of the book also run, render, check, accept.",
)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="files; none: all")] = None,
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
    delta: Annotated[
        float, typer.Option(help="where Huber's loss turns linear")
    ] = 1e-3,
    weights: Annotated[str, typer.Option(help="column of weights")] = "",
    bounds: Annotated[str, typer.Option(help="E=0:2,alpha=0.3 (a number fixes)")] = "",
    group: Annotated[str, typer.Option(help="column of labels: own E, A, B each")] = "",
    against: Annotated[
        str, typer.Option("--compare", help="other laws, by comma")
    ] = "",
    resamples: Annotated[
        int, typer.Option("--bootstrap", help="resamples, 1000 say; 0: none")
    ] = 0,
    allocate: Annotated[
        str, typer.Option(help="best N and D for these FLOPs, by comma")
    ] = "",
    plot: Annotated[Path | None, typer.Option(help="PNG, SVG or PDF to write")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON only")] = False,
):
    """Fit a scaling law to your own runs: intervals, status, methods paragraph.

    Exit code 1 where the runs do not determine the law.
    """
    import numpy as np

    from scaling_core.fitting import allocation, bootstrap, compare, report
    from scaling_core.fitting import fit as fit_law
    from scaling_core.fitting.runs import read_runs

    laws = report.find_laws([law, *filter(None, against.split(","))], group)
    budgets = report.parse_budgets(allocate)
    if plot is not None:
        report.check_plot(plot)
    runs = read_runs(table, laws, report.parse_columns(columns), weights)
    options: dict = dict(loss=loss, delta=delta, weights=runs.data.pop("weights", None))
    rows = boot = best = None
    with np.errstate(all="ignore"):  # what overflows is nan, and shown as undefined
        try:
            result = fit_law(
                laws[0], runs.data, bounds=report.parse_bounds(bounds), **options
            )
            if against:
                enough = result.n >= 2 * (max(len(one.parameters) for one in laws) + 2)
                order = laws[0].variables[0] if enough else None  # None: no chaining
                rows = compare(laws, runs.data, by=order, **options)
            if resamples and result.usable:
                boot = bootstrap(result, resamples)
            if budgets and result.usable:
                best = allocation(boot or result, budgets)
        except ValueError as error:
            raise runs.explain(error) from error
        shown = report.show(result, rows, as_json, boot, best)
    typer.echo(shown)
    if not result.usable:
        typer.echo(f"scaling: {result.status}: {result.message}", err=True)
        raise typer.Exit(1)
    if plot is not None:
        try:
            result.plot().figure.savefig(plot, dpi=150)
        except OSError as error:
            raise UsageError(f"--plot {plot}: cannot be written ({error})") from error
        typer.echo(f"wrote {plot}", err=as_json)
    if left := report.left_open(result):
        typer.echo(
            f"scaling: the runs do not determine {left}: no 95 % interval, or one over "
            f"more than a factor {report.OPEN}",
            err=True,
        )
        raise typer.Exit(1)


@app.command("laws")
def laws_command():
    """List the laws that `scaling fit` knows."""
    from scaling_core.fitting.report import list_laws

    for line in list_laws():
        typer.echo(line)


def main() -> None:
    """Run the command line; foreseen faults are one line and an exit code."""
    if importlib.util.find_spec("scaling_book") is not None:
        importlib.import_module("scaling_book.cli")
    try:
        app()
    except (ForeseenError, NotABookError) as error:
        typer.echo(f"scaling: {error}", err=True)
        sys.exit(getattr(error, "exit_code", 2))
    except OSError as error:  # a full disk, a folder that may not be written
        typer.echo(f"scaling: {error.filename or 'a file'}: {error.strerror}", err=True)
        sys.exit(1)
