"""The measurements of the chapter on fitting: known answers first."""

import json
import re
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.optimize import approx_fprime

from scaling_core.data import online
from scaling_core.data.corpora import python_source
from scaling_core.data.published import load_published
from scaling_core.fitting import Chinchilla, StepLaw, bootstrap, fit
from scaling_core.models.transformer import Transformer, TransformerConfig
from scaling_core.training.loop import Training, evaluate, train
from studies.fitting import (
    annealing,
    approach2,
    interactive,
    points,
    refits,
    starts,
    steplaw,
)
from studies.fitting import own_schedules as own
from studies.fitting.laws import LRAnnealing
from studies.fitting.surfaces import simulate_isoflop


def made_up_points(n=60, seed=0):
    """Points drawn from the replication's constants, Laplace noise on log L."""
    rng = np.random.default_rng(seed)
    N = np.exp(rng.uniform(np.log(6e7), np.log(1.6e10), n))
    D = N * 20 * np.exp(rng.normal(0, 1.2, n))
    loss = Chinchilla().predict(points.BESIROGLU, {"N": N, "D": D})
    return {"N": N, "D": D, "L": loss * np.exp(rng.laplace(0, 0.007, n))}


# -- Approach 2 ----------------------------------------------------------------
@pytest.mark.parametrize("name", approach2.SURFACES)
@pytest.mark.parametrize("width", approach2.WIDTHS)
def test_closed_form_is_the_simulation(name, width):
    surface = approach2.SURFACES[name]
    closed = approach2.closed_form_error(surface["alpha"], surface["beta"], width)
    assert closed == pytest.approx(
        approach2.token_error(surface, width=width), abs=1e-9
    )


def test_bias_changes_sign_with_the_exponents():
    assert (
        approach2.closed_form_error(0.4, 0.2, 8)
        < 0
        < approach2.closed_form_error(0.2, 0.4, 8)
    )


def test_published_table_of_errors():
    table = load_published("approach2_errors")
    grids = {"centred": {}, "offset": dict(offset=3.0), "drift": dict(drift=3.0)}
    assert len(table) == 36
    for row in table.itertuples():
        ours = approach2.token_error(
            approach2.SURFACES[row.surface], width=row.half_width, **grids[row.sampling]
        )
        assert ours == pytest.approx(row.error_percent, abs=6e-5)


def test_exponents_without_noise():
    data = simulate_isoflop(approach2.SURFACES["asymmetric"], width=8)
    for method in approach2.METHODS:
        assert approach2.exponent_b(data, method) == pytest.approx(0.75, abs=1e-9)


def test_a_parabola_without_minimum_is_nan():
    data = simulate_isoflop(approach2.SURFACES["symmetric"])
    data["L"] = 10 - data["L"]
    assert np.isnan(approach2.exponent_b(data, "Approach 2"))


def test_noisy_errors_depend_on_the_seed_only(monkeypatch):
    monkeypatch.setattr(
        approach2, "NOISY", dict(sigma=(0.05,), budgets=(3,), points=(8,))
    )
    both, second = approach2.noisy_errors([1, 2]), approach2.noisy_errors([2])
    assert both.shape == (2, 2, 1, 2)
    np.testing.assert_array_equal(both[1], second[0])
    assert (approach2.noisy_errors([1], drift=1.0) != both[:1]).any()


def test_waste_without_bias_is_nothing():
    surface = approach2.SURFACES["symmetric"]
    assert approach2.wasted_compute(surface, drift=1.0) == pytest.approx(0, abs=1e-9)


# -- starts --------------------------------------------------------------------
def test_gradient_against_differences():
    data, x = made_up_points(), np.array([0.6, 6.0, 7.5, 0.33, 0.36])
    value, slope = starts.chinchilla(x, data)
    numeric = approx_fprime(x, lambda z: starts.chinchilla(z, data)[0], 1e-7)
    assert value > 0
    np.testing.assert_allclose(slope, numeric, rtol=1e-4, atol=1e-6)


def test_objective_is_that_of_the_fitter():
    data = made_up_points()
    best = fit(Chinchilla(), data)
    assert starts.objective_at(best.params, data) == pytest.approx(
        best.objective, rel=1e-9
    )
    assert starts.objective_at(points.BESIROGLU, data) > best.objective


def test_the_mean_stops_early_and_says_success():
    data = made_up_points(240)
    chosen = starts.start_grid()[::300]
    best = fit(Chinchilla(), data).objective
    reached, success = starts.run_starts(data, chosen, "mean")
    assert success.all() and (reached > 1.01 * best).all()
    tight, _ = starts.run_starts(data, chosen, "mean, tight")
    assert (tight < 1.01 * best).mean() > 0.2  # the tolerances were it


# -- fewer points ---------------------------------------------------------------
SURFACE = approach2.SURFACES["Chinchilla"]
FIVE = simulate_isoflop(SURFACE, budgets=np.geomspace(1e18, 1e22, 6), width=2, drift=3)


def test_the_split_is_that_of_the_simulation():
    excess, waste = refits.split_error(FIVE)
    D = simulate_isoflop(SURFACE, width=2, drift=3)  # five budgets from 1e17
    assert excess > 0 and 0 < waste < 2
    assert refits.split_error(D, "log-Huber")[0] > 0
    centred = simulate_isoflop(approach2.SURFACES["symmetric"])
    assert refits.split_error(centred) == pytest.approx((0, 0), abs=1e-6)


def test_leaving_points_out():
    by_budget = refits.without_each_budget(FIVE)
    assert list(by_budget) == sorted(set(FIVE["C"].tolist()))
    top = points.pick(FIVE, FIVE["C"] < 0.9e22)
    assert by_budget[max(by_budget)] == pytest.approx(refits.split_error(top)[1])
    two = refits.without_random_points(FIVE, 5, [0, 1])
    assert two.shape == (2,) and two[0] != two[1]
    assert (two == refits.without_random_points(FIVE, 5, [0, 1])).all()


def test_a_true_law_stands_without_any_fifth():
    data = made_up_points()
    data["L"] = Chinchilla().predict(points.BESIROGLU, data)
    for params in refits.without_each_fifth(data):
        assert params["beta"] == pytest.approx(points.BESIROGLU["beta"], rel=1e-6)


def test_the_next_budget_from_those_below():
    centred = simulate_isoflop(
        approach2.SURFACES["symmetric"], budgets=np.geomspace(1e18, 1e21, 6)
    )
    rows = refits.next_budget_errors(centred)
    assert len(rows) == 2
    assert np.abs(np.array(rows)[:, 1:]).max() < 1e-6


def test_resamples_surround_the_estimate():
    rng = np.random.default_rng(0)
    noisy = FIVE | {"L": FIVE["L"] + 1e-4 * rng.normal(size=len(FIVE["L"]))}
    found = refits.excess_resamples(noisy, 8)
    assert found.n == len(FIVE["L"]) and found.replicates.shape == (8,)
    assert found.replicates.min() < found.estimate < found.replicates.max()
    ratio = refits.ratio_resamples(bootstrap(fit(Chinchilla(), made_up_points())), 1e23)
    low, high = np.quantile(ratio.replicates, [0.025, 0.975])
    assert low < ratio.estimate < high and ratio.n == 60


# -- Own schedules ---------------------------------------------------------------
def test_own_schedules_share_the_warm_up_and_end_low():
    names = (*own.FITTED, *own.UNSEEN)
    rates = {n: [own.schedule(n, 120)(s) for s in range(120)] for n in names}
    assert len({tuple(r[:12]) for r in rates.values()}) == 1
    assert rates["constant"][-1] == 1 and rates["one drop"][60] == 0.3
    for name in ("cosine", "late decay", "straight line", "two drops"):
        assert rates[name][-1] == pytest.approx(own.LAST, abs=0.05)
    with pytest.raises(ValueError, match="constant"):
        own.schedule("sawtooth", 120)


def test_areas_at_the_points_where_the_loss_is_taken():
    losses = dict.fromkeys(("constant", "two drops"), [3.0] * own.POINTS)
    curves = annealing.own_curves(losses, 600)
    found = curves["constant"].columns(0.98)
    assert len(found["S1"]) == len(found["L"]) == own.POINTS - annealing.SKIPPED
    assert found["S1"][-1] == pytest.approx(600 - 29.5)  # half of the warm-up missing
    assert (found["S2"] == 0).all()
    assert curves["two drops"].columns(0.98)["S2"][-1] > 0


def test_curves_that_obey_the_law_are_predicted():
    truth = dict(L_0=1.2, A=4.0, C=0.003, alpha=0.3)
    decays = annealing.own_decays(600)
    names = (*own.FITTED, *own.UNSEEN)
    bare = annealing.own_curves(dict.fromkeys(names, [9.0] * own.POINTS), 600)
    losses = {
        name: np.r_[
            np.full(annealing.SKIPPED, 9.0),
            LRAnnealing().predict(truth, curve.columns(decays[3])),
        ]
        for name, curve in bare.items()
    }
    curves = annealing.own_curves(losses, 600)
    decay, result = annealing.fit_curves(curves, own.FITTED, decays)
    assert 1 / (1 - decay) == pytest.approx(60)
    assert result.params["C"] == pytest.approx(0.003)
    found = annealing.predict_unseen(curves, own.FITTED, decays)
    assert set(found) == set(own.UNSEEN)
    assert all(p.law < 1e-6 and p.r_squared > 1 - 1e-9 for p in found.values())
    assert annealing.gain_over_copy(found) > 1e3
    bare = annealing.predict_unseen(curves, own.FITTED, decays, falls=False)
    assert max(p.r_squared for p in bare.values()) < 0.95


def test_the_copy_is_the_fitted_curve_with_the_nearest_rates():
    names = (*own.FITTED, *own.UNSEEN)
    flat = {n: np.linspace(4, 2, own.POINTS) + 0.1 * i for i, n in enumerate(names)}
    curves = annealing.own_curves(flat, 600)
    found = annealing.predict_unseen(curves, own.FITTED, annealing.own_decays(600))
    assert found["late decay"].copied == "constant"
    assert found["straight line"].copied == "cosine"
    assert found["late decay"].copy == pytest.approx(0.2)
    assert found["late decay"].last[1] == pytest.approx(0.2)


def test_runs_of_one_seed_differ_by_their_schedule_alone():
    """Each branch is what the common loop gives from the first step on."""
    size = dict(steps=60, d_model=16, lr=1e-2, batch=2, eval_rows=4, seed=3)
    losses = own.measure_schedules(**size)
    assert set(losses) == {*own.FITTED, *own.UNSEEN}
    assert all(len(loss) == own.POINTS for loss in losses.values())
    constant, dropped = losses["constant"], losses["one drop"]
    assert constant[:30] == dropped[:30] and constant[30:] != dropped[30:]
    assert constant[-1] < constant[0]
    corpus = python_source()
    held_out = corpus.batches(batch=4, n_ctx=64, seed=3, split="validation").batch_at(0)
    batches = corpus.batches(batch=2, n_ctx=64, seed=3)
    for name in ("cosine", "two drops", "late decay"):
        config = TransformerConfig(
            d_model=16, n_layers=2, n_heads=2, d_vocab=corpus.d_vocab, n_ctx=64
        )
        model = Transformer(config, generator=torch.Generator().manual_seed(3))
        training = Training(60, 1e-2, schedule=own.schedule(name, 60), warmup=0.0)
        train(model, batches.batch_at, training)
        assert losses[name][-1] == pytest.approx(evaluate(model, [held_out]), rel=1e-4)
    with pytest.raises(ValueError, match="multiple of 60 steps, got 70"):
        own.measure_schedules(**size | dict(steps=70))


# -- Step Law --------------------------------------------------------------------
def made_up_runs():
    """Runs on quadratic bowls whose vertices follow the published law exactly."""
    rows = []
    for N in (2e8, 5e8, 1e9):
        for D in (5e9, 2e10, 8e10):
            lr, batch = steplaw.published_rule(N, D)
            for i in np.linspace(-1.5, 1.5, 9):
                for j in np.linspace(-1.5, 1.5, 9):
                    loss = 2 + 0.01 * (i**2 + 0.3 * i * j + j**2)
                    rows.append((N, D, lr * np.exp(i), batch * np.exp(j), loss))
    return pd.DataFrame(rows, columns=["N", "D", "lr", "batch", "loss"])


def test_rules_cost_nothing_where_they_hold():
    runs = made_up_runs()
    assert steplaw.excess(runs, steplaw.published_rule).max() == pytest.approx(0)
    best = runs.loc[runs.groupby(["N", "D"]).loss.idxmin()]
    best = best.iloc[np.argsort((best.N * best.D).to_numpy(), kind="stable")]
    again = steplaw.fit_rule(best)(7e8, 3e10)
    law = StepLaw.optimum(7e8, 3e10)
    assert again == pytest.approx((law["lr"], law["batch"]))
    costs = steplaw.forward_excess(best, runs, n=5)
    assert len(costs["law"]) == 4 and costs["law"].max() == pytest.approx(0)
    assert costs["constant"].mean() > 0.1


def test_the_bottom_of_a_bowl_is_found_between_the_runs():
    grid = product([5e8, 1e9], [1e10], np.geomspace(1e-3, 4e-3, 5), [2e5, 5e5, 1e6])
    runs = pd.DataFrame(grid, columns=["N", "D", "lr", "batch"])
    u, v = np.log(runs.lr / 1.7e-3), np.log(runs.batch / 4e5)
    runs["loss"] = 2 + 0.02 * u**2 + 0.01 * u * v + 0.01 * v**2
    found = steplaw.bowl_optima(runs, within=5)
    assert len(found) == 2
    np.testing.assert_allclose(found[["lr", "batch"]], [[1.7e-3, 4e5]] * 2, rtol=1e-6)
    runs["loss"] = 4 - runs.loss
    assert steplaw.bowl_optima(runs, within=5).empty


def test_one_constant_for_all_cells_costs():
    """Five cells: four are best at (2, 2), one at (8, 8)."""
    values = np.array([1.0, 2, 4, 8])
    lr, batch = (g.ravel() for g in np.meshgrid(values, values))
    cells = []
    for i, best in enumerate((2.0, 2.0, 2.0, 2.0, 8.0)):
        loss = 1 + 0.01 * (np.log2(lr / best) ** 2 + np.log2(batch / best) ** 2)
        cell = dict(N=float(i + 1), D=1.0, lr=lr, batch=batch, loss=loss)
        cells.append(pd.DataFrame(cell))
    constant = steplaw.best_constant_excess(pd.concat(cells, ignore_index=True))
    np.testing.assert_allclose(constant, [0, 0, 0, 0, 8])


def test_table_of_optima():
    optima = steplaw.read_optima()
    assert len(optima) == 17 and optima.N.between(2e8, 1.1e9).all()
    assert (optima.N * optima.D).is_monotonic_increasing


# -- points ------------------------------------------------------------------------
def test_absent_files_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("SCALING_DATA", str(tmp_path))
    assert points.llama3_points() is None
    assert steplaw.read_runs() is None


def test_flags_leave_points_out(monkeypatch, tmp_path):
    rows = [["llama_3__raw_loss", 1e9, 1e8, 6e17, 3.0, i < 2] for i in range(5)]
    head = ["experiment", "tokens", "params", "budget", "loss", "outlier"]
    path = tmp_path / "isoflops.csv"
    pd.DataFrame(rows, columns=head).to_csv(path, index=False)
    monkeypatch.setenv("SCALING_DATA", str(tmp_path))
    monkeypatch.setattr(online, "check", lambda path, file: None)
    assert len(points.llama3_points()["L"]) == 5
    assert len(points.llama3_points(flagged=False)["L"]) == 3


# -- the interactive figure ----------------------------------------------------------
def test_interactive_figure_is_whole_and_local():
    html = interactive.bias_html()
    assert "http" not in html.replace("https", "http").replace("http://www.w3.org", "")
    figure = json.loads(re.search(r"var f=(\{.*\});Plotly", html, re.S).group(1))
    assert len(html) < 70_000 and html == interactive.bias_html()
    assert figure["layout"]["template"] == {}  # no look of another's
    steps = figure["layout"]["sliders"][0]["steps"]
    for step in steps:
        shown = step["args"][0]["visible"]
        assert len(shown) == len(figure["data"]) and sum(shown) == 6


def test_slider_says_what_the_closed_form_says():
    steps = interactive.bias_figure().layout.sliders[0].steps
    titles = [step.args[1]["title.text"] for step in steps]
    assert titles[interactive.START].endswith(
        "Chinchilla \u22125.1 %, asymmetric \u221223.1 %"
    )
