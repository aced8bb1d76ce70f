"""The commands of the book, which join those of `scaling_core.cli`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from scaling_core.base.cluster import ADDRESS, GPUS, check_cluster
from scaling_core.base.errors import UsageError
from scaling_core.base.files import book_root
from scaling_core.cli import app

Slugs = Annotated[list[str] | None, typer.Argument(help="chapters; none: all")]
ProfileOption = Annotated[str, typer.Option(help="smoke, cpu or gpu")]


@app.command("list")
def list_command():
    """List the chapters and how many claims each holds."""
    from scaling_book.chapters import list_chapters
    from scaling_book.claims import load_ledger

    root = book_root()
    ledger = load_ledger(root)
    for chapter in list_chapters(root):
        claims = len(ledger.get(chapter.slug, []))
        absent = "  (its notebook is missing)" if chapter.missing else ""
        typer.echo(f"{chapter.name}  {claims} claims{absent}")


@app.command()
def run(
    slugs: Slugs = None,
    profile: ProfileOption = "",
    jobs: Annotated[int, typer.Option(min=1, help="chapters side by side")] = 1,
    force: Annotated[bool, typer.Option(help="run even what is up to date")] = False,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", help="NAME=VALUE")
    ] = None,
    update_reference: Annotated[
        bool, typer.Option(help="copy the smoke run to tests/reference")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option(help="run failed configs of sweeps again")
    ] = False,
    backend: Annotated[
        Literal["local", "ray"], typer.Option(help="what runs the sweeps")
    ] = "local",
    ray_address: Annotated[
        str, typer.Option(help="HOST:PORT of a Ray cluster that runs; auto: one here")
    ] = "",
    gpus_per_task: Annotated[
        float, typer.Option(help="GPUs that Ray keeps for each config, as 1 or 0.5")
    ] = 0.0,
):
    """Execute the chapters whose code, data or lock changed; dress the rest anew."""
    from scaling_book.profile import resolve_profile
    from scaling_book.runner import run_chapters, update_references

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
        environment=_sweep_environment(
            retry_failed, backend, ray_address, gpus_per_task
        ),
        say=typer.echo,
    )
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(1)
    if update_reference:
        for path in update_references(root, slugs or []):
            typer.echo(f"wrote {path.relative_to(root)}")


def _sweep_environment(
    retry_failed: bool, backend: str, address: str, gpus: float
) -> dict[str, str]:
    """Return what `scaling_core.training` reads in the kernels of how to run sweeps."""
    chosen = {"SCALING_RETRY_FAILED": "1"} if retry_failed else {}
    if backend == "ray":
        check_cluster(address, gpus)
        chosen |= {"SCALING_BACKEND": backend}
        chosen |= {ADDRESS: address} if address else {}
        chosen |= {GPUS: str(gpus)} if gpus else {}
    elif address or gpus:
        raise UsageError("--ray-address and --gpus-per-task need --backend ray")
    return chosen


def _parse_parameters(items: list[str]) -> dict:
    import yaml

    parsed = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or name == "profile":
            raise UsageError(
                f"-p takes NAME=VALUE (profile has --profile); got {item!r}"
            )
        try:
            parsed[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise UsageError(f"-p {item}: the value is no YAML") from error
    return parsed


@app.command()
def render(
    slugs: Annotated[
        list[str] | None,
        typer.Argument(help="chapters that were run; the others show their smoke run"),
    ] = None,
    profile: ProfileOption = "",
    references: Annotated[
        bool, typer.Option(help="render the committed smoke runs")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="build in a copy of the sources here")
    ] = None,
):
    """Fill the pages, build the HTML, then judge: a flipped verdict is exit 1."""
    from scaling_book.profile import resolve_profile
    from scaling_book.render import render as render_pages

    if references and slugs:
        raise UsageError("--references shows the smoke runs of all chapters: name none")
    profile = "smoke" if references else resolve_profile(profile)
    rendered = render_pages(
        book_root(),
        profile,
        references=references,
        only=slugs or [],
        out=out,
        say=typer.echo,
    )
    _report(rendered.rows, rendered.absent)


@app.command()
def pdf():
    """Print the built pages into one PDF, which the landing page then offers."""
    from scaling_book.pdf import count_pages, make_pdf

    path = make_pdf(book_root() / "_build" / "html")
    size = path.stat().st_size / 1e6
    typer.echo(f"the book on paper: {path} ({count_pages(path)} pages, {size:.1f} MB)")


def _report(rows, absent: list[str]) -> None:
    """Print drift, flips and absent chapters; leave with 1 after one of the latter."""
    from scaling_book.all_claims import summary_sentence
    from scaling_book.render import drifts, failures

    typer.echo(summary_sentence(rows))
    for line in drifts(rows):
        typer.echo(f"drift: {line}")
    flipped = failures(rows)
    for line in flipped:
        typer.echo(f"FLIPPED: {line}", err=True)
    for line in absent:
        typer.echo(f"MISSING: {line}", err=True)
    if flipped or absent:
        raise typer.Exit(1)


@app.command()
def check(
    slug: Annotated[str | None, typer.Argument(help="a chapter; none: all")] = None,
    profile: ProfileOption = "",
    against: Annotated[
        Path | None, typer.Option(help="a folder of references, as data/results")
    ] = None,
):
    """Judge the records without building pages.

    Without --against: each claim's number and verdict, exit 1 where a verdict turned
    into the opposite of the accepted one.

    With --against data/results: what agrees with the reference, a line a claim. = agrees
    (its interval and the reference's meet; numbers without one: both within the stated
    tolerance, or within 1 %). ≠ moved (they do not). ✕ verdict differs. – not compared
    (no number on one side, a time, one smoke run). Exit 1 if a claim moved or its
    verdict differs.
    """
    from scaling_book.chapters import built_record, pick_chapters
    from scaling_book.claims import load_ledger
    from scaling_book.errors import RenderError
    from scaling_book.ledger import chapter_ledger
    from scaling_book.lint import numbers_by_hand
    from scaling_book.notebooks import convert
    from scaling_book.numbers import show_measured
    from scaling_book.profile import resolve_profile

    root, profile = book_root(), resolve_profile(profile)
    ledger, by_slug = load_ledger(root), {}
    picked = pick_chapters(root, [slug] if slug else [])
    for chapter in (c for c in picked if not c.missing):
        path = built_record(root, profile, chapter.slug)
        found = chapter_ledger(root, chapter, ledger.get(chapter.slug, []), path)
        cells = convert(chapter.source.read_text(), chapter.name).cells
        for fault in numbers_by_hand(cells, chapter.source.name, found):
            raise RenderError(fault)
        by_slug[chapter.slug] = found.rows
    absent = [c.missing_message for c in picked if c.missing]
    if against is not None:
        _compare(by_slug, against, profile, absent)
        return
    rows = [row for rows in by_slug.values() for row in rows]
    for row in rows:
        ours = show_measured(row.measured, row.claim.unit)
        typer.echo(f"{row.verdict.symbol} {row.claim.id}: {ours} — {row.verdict.word}")
    _report(rows, absent)


def _compare(by_slug: dict, folder: Path, profile: str, absent: list[str]) -> None:
    """Print how each claim compares with its reference; leave with 1 where one fails."""
    from scaling_book.against import compare, count_sentence, reference_file

    files = {slug: reference_file(folder, slug, profile) for slug in by_slug}
    if not any(files.values()):
        raise UsageError(
            f"{folder} holds no reference at {profile} for {', '.join(files)}; allowed: "
            "<slug>/<profile>.json as in data/results, or <slug>.json as in build/records"
        )
    found = []
    for slug, file in files.items():
        if file is None:
            typer.echo(f"– {slug}: no reference at {profile}")
            continue
        for comparison in compare(by_slug[slug], file):
            typer.echo(comparison.line)
            found.append(comparison)
    typer.echo(count_sentence(found, str(folder)))
    for line in absent:
        typer.echo(f"MISSING: {line}", err=True)
    if absent or any(comparison.failed for comparison in found):
        raise typer.Exit(1)


@app.command()
def accept(
    slug: Annotated[str, typer.Argument(help="the chapter")],
    profile: ProfileOption = "",
    record: Annotated[
        Path | None, typer.Option(help="a record made elsewhere (a GPU box)")
    ] = None,
):
    """Make a clean run the reference: data/results with its verdicts, history.

    The profile is that of the record where --record is given alone.
    """
    from scaling_book.accept import accept as accept_record
    from scaling_book.chapters import pick_chapters
    from scaling_book.profile import resolve_profile
    from scaling_book.runner import tree_lock

    root = book_root()
    chapter = pick_chapters(root, [slug])[0]
    if profile or record is None:
        profile = resolve_profile(profile)
    with tree_lock(root, typer.echo):  # a run that ends now would change the record
        rows = accept_record(root, chapter, profile, record)
    for row in rows:
        typer.echo(f"{row.verdict.symbol} {row.claim.id}: {row.verdict.word}")


@app.command("new-chapter")
def new_chapter_command(
    slug: Annotated[str, typer.Argument(help="small letters, digits, hyphens")],
    paper: Annotated[
        str,
        typer.Option(help="its key in book/references.bib, as liu2025superposition"),
    ],
    number: Annotated[int, typer.Option(min=0, help="0: the next free one")] = 0,
):
    """Lay down notebook, claims, study, test and toc line, as an example that runs."""
    from scaling_book.new_chapter import new_chapter

    root = book_root()
    for path in new_chapter(root, slug, paper=paper, number=number):
        typer.echo(f"wrote {path.relative_to(root)}")
    typer.echo(f"next: scaling run {slug} --profile smoke --update-reference")
    typer.echo(
        "then: scaling render --references, and _build/html shows it in the book"
    )


@app.command()
def schema(
    path: Annotated[
        Path | None,
        typer.Argument(help="by default the book's data/claims/schema.json"),
    ] = None,
):
    """Write the JSON schema of a claims file, for editors."""
    from scaling_book.claims import write_json_schema

    target = path or book_root() / "data" / "claims" / "schema.json"
    if target.is_dir():
        raise UsageError(f"{target} is a folder; name a file in it")
    typer.echo(write_json_schema(target))
