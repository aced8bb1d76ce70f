"""A skip that nobody listed fails the session; the built pages for their tests."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPS = tomllib.loads(Path(__file__).with_name("skips.toml").read_text())


def _unlisted(config) -> list:
    reports = config.pluginmanager.get_plugin("terminalreporter").stats
    return [
        report
        for report in reports.get("skipped", [])
        if not any(fnmatch(report.nodeid, pattern) for pattern in SKIPS)
    ]


def pytest_sessionfinish(session):
    if _unlisted(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter, config):
    for report in _unlisted(config):
        why = report.longrepr[2]
        terminalreporter.write_line(
            f"FAILED {report.nodeid}: {why}, not listed in tests/skips.toml", red=True
        )


@pytest.fixture(scope="session")
def site(tmp_path_factory) -> Path:
    """The HTML of the book rendered from the committed smoke runs."""
    from scaling_book.render import render

    out = tmp_path_factory.mktemp("book")
    return render(ROOT, "smoke", references=True, out=out).html
