"""A skip that nobody listed fails the session; the built pages for their tests."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import torch

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


@pytest.fixture
def make():
    """Return what builds a small model in double precision, weights large enough to matter."""
    from scaling_core.models.transformer import Transformer, TransformerConfig

    def build(seed: int = 0, **changes):
        shape = dict(d_model=16, n_layers=4, n_heads=2, d_vocab=13, n_ctx=12)
        config = TransformerConfig(**(shape | dict(init_std=0.3) | changes))
        generator = torch.Generator().manual_seed(seed)
        return Transformer(config, generator=generator).double()

    return build


@pytest.fixture
def tokens():
    """Return three sequences of ten tokens for models of `make`."""
    return torch.randint(13, (3, 10), generator=torch.Generator().manual_seed(9))
