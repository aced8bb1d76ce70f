"""`scaling fit`: a truth recovered from a CSV, and one clear line for a bad one."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scaling_core.base.errors import UsageError
from scaling_core.fitting import Chinchilla, PowerLaw, fit
from scaling_core.fitting import report as fit_report
from scaling_core.fitting.runs import read_runs

SCALING = Path(sys.executable).parent / "scaling"
TRUTH = dict(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)


def scaling_fit(*words, cwd):
    command = [SCALING, "fit", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.fixture
def runs(tmp_path):
    """A CSV of 40 runs on Chinchilla's published surface, with noise of 0.2 %."""
    rng = np.random.default_rng(0)
    N = np.repeat(np.geomspace(5e7, 1e10, 8), 5)
    D = np.tile(np.geomspace(1e9, 3e11, 5), 8)
    L = (
        TRUTH["E"]
        + TRUTH["A"] * N ** -TRUTH["alpha"]
        + TRUTH["B"] * D ** -TRUTH["beta"]
    )
    L *= np.exp(0.002 * rng.normal(size=40))
    path = tmp_path / "runs.csv"
    rows = "\n".join(
        f"{n:.6g},{d:.6g},{loss:.6f}" for n, d, loss in zip(N, D, L, strict=True)
    )
    path.write_text(f"params,tokens,loss\n{rows}\n")
    return path


COLUMNS = ("--columns", "N=params,D=tokens,L=loss")


def test_table_intervals_status_and_methods(runs, tmp_path):
    done = scaling_fit("runs.csv", *COLUMNS, "--plot", "fit.png", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for piece in ("alpha", "95 % interval", "status: converged", "fitted to 40 points"):
        assert piece in done.stdout
    assert (tmp_path / "fit.png").read_bytes()[:4] == b"\x89PNG"


def test_json_recovers_the_truth_inside_its_intervals(runs, tmp_path):
    done = scaling_fit("runs.csv", *COLUMNS, "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert found["status"] == "converged"
    for name in ("alpha", "beta", "E"):
        low, high = found["intervals"][name]
        assert low < TRUTH[name] < high


def test_comparison_ranks_the_true_law_first(runs, tmp_path):
    done = scaling_fit(
        "runs.csv", *COLUMNS, "--compare", "kaplan", "--json", cwd=tmp_path
    )
    rows = json.loads(done.stdout)["comparison"]
    assert [row["law"] for row in rows] == ["Chinchilla", "Kaplan"]


@pytest.mark.parametrize(
    "edit, words, message",
    [
        (("1.9", "abc"), COLUMNS, "line"),
        (None, (), "no column 'N' for N"),
        (None, ("--columns", "N=parms"), "no column 'parms'"),
        (None, ("--columns", "N:params"), "NAME=COLUMN"),
        (None, (*COLUMNS, "--law", "cubic"), "allowed: power"),
        (None, ("--columns", "Q=params"), "has no ['Q']"),
        (None, (*COLUMNS, "--loss", "absolute"), "absolute"),
    ],
)
def test_misuse_is_exit_2_with_what_was_found(runs, tmp_path, edit, words, message):
    done = scaling_fit("runs.csv", *words, cwd=tmp_path)
    if edit:
        text = runs.read_text().splitlines()
        text[6] = text[6].rsplit(",", 1)[0] + ",abc"
        runs.write_text("\n".join(text))
        done = scaling_fit("runs.csv", *words, cwd=tmp_path)
        message = "line 7, column loss: found 'abc'"
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert "Traceback" not in done.stderr


def test_empty_and_missing_files_are_said(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    for name, word in [("empty.csv", "no rows"), ("gone.csv", "no such file")]:
        done = scaling_fit(name, *COLUMNS, cwd=tmp_path)
        assert done.returncode == 2 and word in done.stderr


def test_negative_loss_names_the_line_and_the_users_column(runs, tmp_path):
    text = runs.read_text().splitlines()
    text[3] = text[3].rsplit(",", 1)[0] + ",-1"
    runs.write_text("\n".join(text))
    done = scaling_fit("runs.csv", *COLUMNS, cwd=tmp_path)
    assert done.returncode == 2
    assert "line 4, column loss: found -1; it must be > 0" in done.stderr


@pytest.mark.parametrize(
    "header, words, message",
    [
        ("params,tokens,tokens", COLUMNS, "names the column 'tokens' 2 times"),
        ("params;tokens;loss", COLUMNS, "no comma but ';'"),
        (None, ("--columns", "N=params,N=tokens"), "N twice: 'params' and 'tokens'"),
        (None, (*COLUMNS, "--plot", "fit.xyz"), "allowed: .png, .svg, .pdf"),
        (None, (*COLUMNS, "--plot", "gone/fit.png"), "there is no folder gone"),
        (None, (*COLUMNS, "--plot", "."), "is a folder"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_before_fitting(
    runs, tmp_path, header, words, message
):
    if header:
        runs.write_text(runs.read_text().replace("params,tokens,loss", header))
    done = scaling_fit("runs.csv", *words, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert done.stdout == "" and done.stderr.count("\n") == 1


@pytest.mark.parametrize("rows", [16, 200_000], ids=["short", "long"])
@pytest.mark.parametrize(
    "bad, message",
    [
        ('"3,5', "line 12 opens a double quote"),
        ("3,4,5", "line 12 has 3 cells, the header 2"),
        ("3", "line 12 has 1 cells, the header 2"),
        ("3,1_0", "line 12, column L: found '1_0', expected a finite number"),
        ("3,", "line 12, column L: found '', expected a finite number"),
        ("3,inf", "line 12, column L: found 'inf'"),
        ("3,1e101", "found '1e101', expected 0 or a size from 1e-100 to 1e+100; take"),
        ("5e-324,1", "found '5e-324', expected 0 or a size from 1e-100 to 1e+100"),
    ],
)
def test_a_bad_line_is_named_in_short_and_long_files(tmp_path, bad, message, rows):
    lines = ["x,L", "", *[f"{i},{1 + 1 / i}" for i in range(1, rows)]]
    lines[11] = bad
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(UsageError, match=re.escape(message)):
        read_runs(path, [PowerLaw()], {})


def test_a_column_name_with_a_comma_goes_in_quotes(runs, tmp_path):
    runs.write_text(runs.read_text().replace("params,", '"params, all",', 1))
    words = ("--columns", 'N="params, all",D=tokens,L=loss')
    done = scaling_fit("runs.csv", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


def test_an_exponent_fixed_at_zero_leaves_what_follows_from_it_undefined(
    runs, tmp_path
):
    words = ("--bounds", "E=1,alpha=0", "--allocate", "1e21")
    done = scaling_fit("runs.csv", *COLUMNS, *words, cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    assert re.search(r"(?m)^G +0 +undefined +derived$", done.stdout)


def test_derived_values_have_intervals(runs, tmp_path):
    done = scaling_fit("runs.csv", *COLUMNS, "--json", cwd=tmp_path)
    found = json.loads(done.stdout)
    truth = TRUTH["beta"] / (TRUTH["alpha"] + TRUTH["beta"])
    low, high = found["intervals"]["a"]
    assert low < truth < high and low < found["derived"]["a"] < high
    shown = scaling_fit("runs.csv", *COLUMNS, cwd=tmp_path).stdout
    assert sum(line.endswith("]   derived") for line in shown.splitlines()) == 3


def constant_size(lines):
    return [",".join(["1e9", *line.split(",")[1:]]) for line in lines]


@pytest.mark.parametrize(
    "change, said",
    [
        (constant_size, "not-identified"),
        (lambda lines: lines[:1] * 12, "not-identified"),
        (lambda lines: lines[3:18:3], "no points to spare: intervals are undefined"),
    ],
    ids=["one size", "one run", "five runs"],
)
def test_what_the_runs_do_not_determine_has_no_interval(runs, tmp_path, change, said):
    header, *lines = runs.read_text().splitlines()
    runs.write_text("\n".join([header, *change(lines)]))
    words = ("--plot", "fit.png", "--allocate", "1e22", "--bootstrap", "20")
    identified = "spare" in said
    words = () if identified else words
    done = scaling_fit("runs.csv", *COLUMNS, *words, cwd=tmp_path)
    assert done.returncode == (0 if identified else 1), done.stderr
    assert identified or "not-identified" in done.stderr
    assert not (tmp_path / "fit.png").exists()
    assert said in done.stdout and "undefined" in done.stdout
    assert "[" not in done.stdout and "nan" not in done.stdout
    as_json = scaling_fit("runs.csv", *COLUMNS, "--json", cwd=tmp_path)
    found = json.loads(as_json.stdout)
    assert all(ends == [None, None] for ends in found["intervals"].values())


@pytest.mark.parametrize("seed", range(3))
def test_noise_determines_no_exponent(runs, tmp_path, seed):
    rng = np.random.default_rng(seed)
    header, *lines = runs.read_text().splitlines()
    noise = [f"{x.rpartition(',')[0]},{rng.uniform(1, 5):.6f}" for x in lines]
    runs.write_text("\n".join([header, *noise]) + "\n")
    done = scaling_fit("runs.csv", *COLUMNS, "--json", cwd=tmp_path)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["status"] == "not-identified" or "alpha" in found["left_open"]
    assert done.stderr.startswith("scaling: ") and done.stderr.count("\n") == 1


def test_a_failed_fit_says_so_first():
    result = fit(Chinchilla(), {k: np.geomspace(1, 2, 9) for k in "NDL"})
    failed = replace(result, status="failed", message="the gradient is not zero")
    shown = failed.summary()
    assert shown.startswith("status: failed") and "derived" not in shown
    assert all(np.isnan(ends).all() for ends in failed.intervals().values())


def test_the_same_law_is_compared_once(runs, tmp_path):
    words = ("--compare", "chinchilla,kaplan", "--json")
    done = scaling_fit("runs.csv", *COLUMNS, *words, cwd=tmp_path)
    names = [row["law"] for row in json.loads(done.stdout)["comparison"]]
    assert names == ["Chinchilla", "Kaplan"]


def test_every_law_is_listed_with_its_formula_and_columns(tmp_path):
    done = subprocess.run([SCALING, "laws"], capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line[0] != " "]
    assert len(lines) == len(fit_report.LAWS)
    for law in fit_report.LAWS.values():
        letters = {name.split("[")[0] for name in law.parameters} | {"K_max"}
        assert letters - {"K_max"} <= set(law.meanings)
        assert all(words in done.stdout for words in law.meanings.values())
    assert all("L = " in line and "(columns " in line for line in lines)
    pure = next(line for line in lines if line.startswith("pure-power"))
    assert "L = A x^-alpha" in pure


def test_unknown_data_is_refused(tmp_path):
    done = subprocess.run([SCALING, "fetch", "x.csv"], capture_output=True, text=True)
    assert done.returncode == 2 and "epoch_chinchilla.csv" in done.stderr


def test_allocation_bootstrap_and_forward_error(runs, tmp_path):
    words = ("--allocate", "1e21,1e24", "--bootstrap", "200")
    found = json.loads(
        scaling_fit("runs.csv", *COLUMNS, *words, "--json", cwd=tmp_path).stdout
    )
    near, far = found["allocation"]
    best = Chinchilla().optimum(TRUTH, np.array([1e21, 1e24]))
    for row, N in zip((near, far), best["N"], strict=True):
        assert row["N_low"] < N < row["N_high"]
    assert near["note"] == "" and "model error not included" in far["note"]
    assert 0 < found["forward_error"] < 0.05
    low, high = found["bootstrap"]["alpha"]
    assert low < TRUTH["alpha"] < high
    shown = scaling_fit("runs.csv", *COLUMNS, *words, cwd=tmp_path).stdout
    for piece in ("bootstrap of 200", "N_low", "larger runs were missed by"):
        assert piece in shown
    (note,) = [line for line in shown.splitlines() if "model error" in line]
    assert note.startswith("1e+24: "), "below the table, which stays narrow"


def test_weights_bounds_delta_and_groups(runs, tmp_path):
    header, *lines = runs.read_text().splitlines()
    rows = [f"{line},{1 + i % 2},{'ab'[i % 2]}" for i, line in enumerate(lines)]
    runs.write_text("\n".join([f"{header},w,family", *rows]))
    words = ("--weights", "w", "--bounds", "E=1.69,alpha=0.1:0.9", "--delta", "0.01")
    done = scaling_fit("runs.csv", *COLUMNS, *words, cwd=tmp_path)
    for piece in (
        "fixed E = 1.69",
        "alpha in [0.1, 0.9]",
        "weights from 1 to 2",
        "= 0.01",
    ):
        assert piece in done.stdout, done.stderr
    words = ("--group", "family", "--allocate", "1e21", "--json")
    found = json.loads(scaling_fit("runs.csv", *COLUMNS, *words, cwd=tmp_path).stdout)
    assert {"A[a]", "A[b]", "alpha"} <= set(found["params"])
    assert [row["group"] for row in found["allocation"]] == ["a", "b"]


@pytest.mark.parametrize(
    "words, message",
    [
        (("--bounds", "E"), "--bounds takes NAME=LOW:HIGH"),
        (("--bounds", "F=1:2"), "bounds names 'F'"),
        (("--allocate", "much"), "--allocate takes FLOPs"),
        (("--allocate=-1"), "--allocate takes positive FLOPs"),
        (("--group", "family", "--law", "kaplan"), "--group: not for kaplan"),
        (("--weights", "w"), "no column 'w' for weights"),
        (("--bootstrap", "1"), "n must be >= 2"),
    ],
)
def test_misuse_of_options_is_one_line(runs, tmp_path, words, message):
    words = (words,) if isinstance(words, str) else words
    done = scaling_fit("runs.csv", *COLUMNS, *words, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("cell", ['1"2,3"4,5', '"a"b,3', '1,"2"x"3"', '"1,2', '1,2"'])
def test_odd_quotes_are_one_clear_error(tmp_path, cell):
    path = tmp_path / "runs.csv"
    path.write_text(
        "\n".join(["x,L", *[f"{i},{1 + 1 / i}" for i in range(1, 9)], cell])
    )
    with pytest.raises(UsageError, match="runs.csv"):
        read_runs(path, [PowerLaw()], {})
