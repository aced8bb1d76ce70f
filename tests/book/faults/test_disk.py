"""A full disk, files that may not grow, folders that may not be written."""

import os
import resource
import shutil
import subprocess
import sys

import pytest

from tests.faults import TRACEBACK, in_child, often

from .conftest import call, contents, restore

MOUNT = "import os, sys; sys.exit(0)"
COMMANDS = (
    ("accept", "first"),
    ("run", "first", "--force"),
    ("new-chapter", "new", "--paper", "someone2020"),
    ("schema",),
    ("render",),
)


def limited(size, words):
    """Run a command in a process whose files may not grow past a size, as on a full disk."""

    def act():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        return call(*words)

    return in_child(act)


@often("the disk is full, or a file too large")
def test_what_cannot_be_written_is_one_line_and_loses_nothing(accepted, times):
    before = contents(accepted)
    for i in range(times):
        words, size = COMMANDS[i % len(COMMANDS)], (0, 10, 100, 400)[i % 4]
        code = limited(size, words)
        assert code in (0, 1, 2), (words, size, code)
        after = contents(accepted)
        for name, content in before.items():
            if name.startswith(("data/", "build/records", "build/executed", "_toc")):
                assert after[name] == content, (words, size, name)
        restore(accepted, before)


def in_own_mounts(script, *words):
    """Run a shell script in mounts of its own, or skip where that is not allowed."""
    rights = ["--mount"] if os.geteuid() == 0 else ["--map-root-user", "--mount"]
    unshare = shutil.which("unshare")
    if not unshare or subprocess.run([unshare, *rights, "true"]).returncode:
        pytest.skip("may not mount: no unshare, or not allowed")
    command = [unshare, *rights, "sh", "-ec", script, "sh", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


SCALING = f"{sys.executable} -c 'from scaling_core.cli import main; main()'"


@often("a folder may not be written")
def test_a_folder_that_may_not_be_written_is_one_line(accepted, times):
    before = contents(accepted)
    for words in (COMMANDS[0], COMMANDS[1], COMMANDS[2], COMMANDS[3])[:times]:
        script = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD"\n'
        done = in_own_mounts(f'{script} {SCALING} "$@"', *words)
        assert done.returncode in (1, 2), (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr and "Read-only" in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert contents(accepted) == before


@pytest.mark.full
@pytest.mark.parametrize("kilobytes", [4, 8, 12, 16, 40])
def test_a_disk_that_is_full_loses_nothing(accepted, kilobytes):
    """Results lie on a disk of this size; what fits is whole, what does not is absent."""
    results = accepted / "data/results"
    before = contents(results)
    script = (
        f"mount -t tmpfs -o size={kilobytes}k tmpfs data/results\n"
        f"{SCALING} accept first\n"
        "status=$?; ls data/results/first >&2; exit $status"
    )
    done = in_own_mounts(script.replace("-ec", "-c"))
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 1) and done.returncode != TRACEBACK
    assert done.returncode == 0 or "No space left" in done.stderr
    assert contents(results) == before
