"""Every `scaling` command that README, CONTRIBUTING and the prose pages show exists."""

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

import scaling_book.cli  # noqa: F401  # its commands join the app
from scaling_core.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "book").glob("*.md")]
SHOWN = sorted(
    {
        (page.name, line.strip())
        for page in PAGES
        for block in re.findall(r"```bash\n(.*?)```", page.read_text(), re.S)
        for line in block.replace("\\\n", " ").splitlines()
        if re.match(r"\s*(\S*/)?scaling ", line)
    }
)


@pytest.mark.parametrize("page, line", SHOWN, ids=lambda x: x)
def test_a_shown_command_is_understood(page, line):
    name, *words = shlex.split(line, comments=True)[1:]
    command = typer.main.get_command(app).commands[name]
    try:
        command.make_context(name, words)
    except click.UsageError as error:
        pytest.fail(f"{page}: {line}: {error.format_message()}")
