"""Progress: where a running chapter stands, and what it may still take."""

import json
import time
from types import SimpleNamespace

import pytest

from scaling_book import board
from scaling_book.board import Board, Status, note_file, noting, status_of
from scaling_book.chapters import list_chapters
from scaling_book.cost import Expected
from scaling_book.execute import Job
from scaling_core.base.codehash import module_hash

from .conftest import write_chapter
from .test_cost import MODULE, write_store
from .test_execute import statuses


def job(root, profile="cpu"):
    return Job(root, list_chapters(root)[0], profile)


NOW = 1e9


@pytest.fixture
def stopped(monkeypatch):
    """The board's clock stands still."""
    monkeypatch.setattr(board, "time", SimpleNamespace(time=lambda: NOW))


def note(root, started, part="Training"):
    path = note_file(job(root))
    path.parent.mkdir(parents=True, exist_ok=True)
    noted = {"started": started, "cell": 3, "cells": 9, "part": part}
    path.write_text(json.dumps(noted))


@pytest.mark.parametrize(
    "elapsed, expected, words",
    [
        (70, Expected(130, False), "1:10, about 1:00 left"),
        (70, Expected(130, True), "1:10, at least 1:00 left"),
        (140, Expected(130, False), "2:20, longer than expected"),
        (140, Expected(130, True), "2:20, time left unknown"),
        (7, None, "0:07, time left unknown"),
    ],
)
def test_time_left_in_words(elapsed, expected, words):
    assert Status(elapsed, expected).times == words


def test_each_cell_is_noted_with_its_part(mini_book):
    cells = [
        SimpleNamespace(cell_type="markdown", source="# Title\n\n## First\n\ntext"),
        SimpleNamespace(cell_type="code", source="## no heading"),
        SimpleNamespace(cell_type="markdown", source="## Step `2`"),
        SimpleNamespace(cell_type="code", source="1"),
    ]
    tell = noting(job(mini_book), cells)
    assert status_of(job(mini_book), None) is None, "not begun"
    tell(cells[1], 2)  # with papermill's cell before it
    assert status_of(job(mini_book), None).cell == "cell 3/5 First"
    tell(cells[3], 4)
    assert status_of(job(mini_book), None).cell == "cell 5/5 Step 2"


@pytest.mark.usefixtures("stopped")
def test_a_sweep_tells_how_far_it_is(mini_book):
    fn, other = f"{MODULE}:f@{module_hash(MODULE)}", f"{MODULE}:g@older"
    note(mini_book, NOW - 65)
    write_store(
        mini_book,
        (fn, "done", 30.0, NOW - 500),
        (fn, "done", 50.0, NOW - 400),
        (fn, "running", None, NOW),
        (fn, "running", None, NOW),
        (fn, "pending", None, None),
        (other, "pending", None, None),  # of a run that was stopped, older code
    )
    status = status_of(job(mini_book), Expected(125, False))
    words = "cell 3/9 Training; sweep 2/5, about 1:00 left"
    assert str(status) == f"1:05, about 1:00 left; {words}"


@pytest.mark.usefixtures("stopped")
def test_a_sweep_that_was_killed_is_not_running(mini_book):
    note(mini_book, NOW)
    fn = f"{MODULE}:f@{module_hash(MODULE)}"
    write_store(mini_book, (fn, "running", None, NOW - 1000))
    assert status_of(job(mini_book), None).sweep == ""


@pytest.mark.usefixtures("stopped")
def test_without_a_terminal_plain_lines_are_said(mini_book, monkeypatch):
    monkeypatch.setattr(board, "SAID_EACH", 0.02)
    note(mini_book, NOW - 600)
    (mini_book / "data/chapters.yml").unlink()
    said = []
    with Board([job(mini_book)], 1, said.append):
        assert not note_file(job(mini_book)).exists(), "that of a run that was killed"
        note(mini_book, NOW - 60)
        end = time.monotonic() + 20
        while len(said) < 2 and time.monotonic() < end:
            time.sleep(0.02)
    assert said[0] == "1 chapter to execute, time left unknown, no earlier run says"
    assert said[1] == "first: 1:00, time left unknown; cell 3/9 Training"


def test_what_is_ahead_counts_what_runs_side_by_side(mini_book):
    (mini_book / "data/chapters.yml").unlink()
    both = [Job(mini_book, chapter, "cpu") for chapter in list_chapters(mini_book)]
    shown = Board(both, 2, lambda line: None)
    shown.expected = {"first": Expected(600, False), "second": Expected(240, False)}
    assert shown._ahead() == "2 chapters to execute, about 10 min left"
    shown.workers = 1
    assert shown._ahead() == "2 chapters to execute, about 14 min left"
    assert (
        shown._time_left({"first": Status(480, shown.expected["first"])})
        == "about 6 min left"
    )
    shown.ended("first")
    shown.expected["second"] = Expected(240, True)
    assert shown._time_left({}) == "at least 4 min left"


def test_on_a_terminal_each_chapter_has_a_line(mini_book, monkeypatch):
    """A real run: the kernel tells its cells, rich draws, ends stand above."""
    import io

    from rich.console import Console

    screen = io.StringIO()
    terminal = Console(file=screen, force_terminal=True, width=110)
    monkeypatch.setattr("rich.console.Console", lambda **kw: terminal)
    monkeypatch.setattr(board.sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(board, "DRAWN_EACH", 0.1)
    write_chapter(mini_book, 1, "first", imports="import time; time.sleep(2)")
    assert statuses(mini_book, "first")[0] == {"first": "executed"}
    text = screen.getvalue()
    assert "time left unknown" in text and "0 of 1 done, time left unknown" in text
    assert "cell 3/" in text or "cell 4/" in text or "cell 5/" in text
