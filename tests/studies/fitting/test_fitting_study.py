"""The measurements of the chapter on fitting: known answers first."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import approx_fprime

from scaling_core.data.published import load_published
from scaling_core.fitting import Chinchilla, fit
from studies.fitting import (
    annealing,
    approach2,
    interactive,
    points,
    quantisation,
    rivals,
    starts,
    steplaw,
)
from studies.fitting import own_schedules as own
from studies.fitting.laws import LRAnnealing, PowerStreams
from studies.fitting.surfaces import simulate_isoflop


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
    assert both.shape == (2, 3, 1, 2)
    np.testing.assert_array_equal(both[1], second[0])


def test_ratios_of_variances():
    rows = np.array([[4.0, 9.0, 1.0, 1.0], [4.0, 9.0, 1.0, 1.0]])
    assert approach2.pooled_ratio(rows) == 6.5
    assert approach2.median_ratio(rows) == 6.5
    assert approach2.pooled_ratio(rows[:1]) == 6.5


def test_waste_without_bias_is_nothing():
    surface = approach2.SURFACES["symmetric"]
    assert approach2.wasted_compute(surface, drift=1.0) == pytest.approx(0, abs=1e-9)


# -- starts --------------------------------------------------------------------
def test_gradient_against_differences():
    data, x = points.twin_points(), np.array([0.6, 6.0, 7.5, 0.33, 0.36])
    value, slope = starts.chinchilla(x, data)
    numeric = approx_fprime(x, lambda z: starts.chinchilla(z, data)[0], 1e-7)
    assert value > 0
    np.testing.assert_allclose(slope, numeric, rtol=1e-4, atol=1e-6)


def test_objective_is_that_of_the_fitter():
    data = points.twin_points()
    best = fit(Chinchilla(), data)
    assert starts.objective_at(best.params, data) == pytest.approx(
        best.objective, rel=1e-9
    )
    assert starts.objective_at(points.BESIROGLU, data) > best.objective


def test_the_mean_stops_early_and_says_success():
    data = points.twin_points()
    chosen = starts.start_grid()[::300]
    best = fit(Chinchilla(), data).objective
    reached, success = starts.run_starts(starts.chinchilla, data, chosen, "mean")
    assert success.all() and (reached > 1.01 * best).all()


# -- curves --------------------------------------------------------------------
def test_twin_curves_are_predicted():
    curves = annealing.twin_curves(noise=0.0)
    seen = ("constant_24000", "cosine_24000")
    found = annealing.predict_unseen(curves, seen, (0.99, 0.999))
    assert found.decay == 0.999 and found.memory == pytest.approx(1000)
    assert found.worst > 1 - 1e-9 and found.last_error < 1e-9
    assert list(found.scores) == ["cosine_72000"]


def test_objective_of_the_annealing_law_and_its_gradient():
    curves = annealing.twin_curves()
    data = annealing.columns(curves, list(curves)[:2], decay=0.999)
    result = fit(LRAnnealing(), data)
    best = np.array([result.params[k] for k in ("L_0", "A", "C", "alpha")])
    value, _ = starts.annealing(best, data)
    assert value == pytest.approx(result.objective)
    z = 1.1 * best
    slope = approx_fprime(z, lambda x: starts.annealing(x, data)[0], 1e-7)
    np.testing.assert_allclose(starts.annealing(z, data)[1], slope, rtol=1e-4)
    chosen = starts.start_grid(starts.ANNEALING_GRID)[::20]
    ends, _ = starts.run_starts(starts.annealing, data, chosen, least=1e-9)
    assert ends.min() >= result.objective * (1 - 1e-9)


def test_without_falls_the_twin_is_predicted_worse():
    curves = annealing.twin_curves()
    seen = list(curves)[:2]
    null = annealing.predict_unseen(curves, seen, (0.99,), falls=False)
    assert null.result.params["C"] == 0
    assert null.worst < 0.98 < annealing.predict_unseen(curves, seen, (0.999,)).worst


# -- Own schedules ---------------------------------------------------------------
def test_own_schedules_share_the_warm_up_and_end_low():
    names = (*own.FITTED, *own.UNSEEN)
    rates = {n: [own.schedule(n, 120)(s) for s in range(120)] for n in names}
    assert len({tuple(r[:12]) for r in rates.values()}) == 1
    assert rates["constant"][-1] == 1 and rates["one drop"][60] == 0.3
    for name in ("cosine", "late decay", *own.UNSEEN):
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
    found = annealing.predict_unseen(curves, own.FITTED, decays)
    assert found.memory == pytest.approx(60)
    assert found.result.params["C"] == pytest.approx(0.003)
    assert found.worst > 1 - 1e-9 and found.last_error < 1e-9
    assert set(found.scores) == set(own.UNSEEN)
    null = annealing.predict_unseen(curves, own.FITTED, decays, falls=False)
    assert max(r2 for r2, _ in null.scores.values()) < 0.9


def test_runs_of_one_seed_differ_by_their_schedule_alone():
    size = dict(steps=60, d_model=16, lr=1e-2, batch=2, eval_rows=4, seed=3)
    first, second = (
        own.measure_schedule(name=n, **size) for n in ("constant", "one drop")
    )
    assert first == own.measure_schedule(name="constant", **size)
    assert first["loss"][:30] == second["loss"][:30] and first != second
    assert len(first["loss"]) == own.POINTS and first["loss"][-1] < first["loss"][0]


def test_areas_count_from_the_end_of_warm_up():
    logged = np.array([2176.0, 2304.0]), np.array([3e-4, 3e-4]), np.ones(2)
    areas = annealing.public_curve(*logged).columns(0.99)
    assert areas["S2"].max() == pytest.approx(0, abs=1e-12)
    warm = annealing.PEAK * (annealing.WARM_UP - 1) / 2
    assert areas["S1"][0] == pytest.approx(warm + 17 * annealing.PEAK)


# -- Step Law --------------------------------------------------------------------
def made_up_runs():
    """Runs on quadratic bowls whose vertices follow the published law exactly."""
    rows = []
    for N in (2e8, 5e8, 1e9):
        for D in (5e9, 2e10, 8e10):
            lr, batch = steplaw.law_point(N, D)
            for i in np.linspace(-1.5, 1.5, 9):
                for j in np.linspace(-1.5, 1.5, 9):
                    loss = 2 + 0.01 * (i**2 + 0.3 * i * j + j**2)
                    rows.append((N, D, lr * np.exp(i), batch * np.exp(j), loss))
    return pd.DataFrame(rows, columns=["N", "D", "lr", "batch", "loss"])


def test_smooth_minima_give_back_the_law():
    optima = steplaw.smooth_optima(made_up_runs())
    assert optima.convex.all()
    rate = steplaw.log_fit(optima.lr, optima.N, optima.D)
    np.testing.assert_allclose(rate.slopes, [-0.713, 0.307], atol=1e-9)
    batch = steplaw.log_fit(optima.batch, optima.D)
    np.testing.assert_allclose(batch.slopes, [0.571], atol=1e-9)


def test_bowls_have_one_minimum_and_no_excess():
    runs = made_up_runs()
    assert steplaw.unimodal_share(runs) == 1.0
    assert steplaw.excess_at_law(runs).law.max() == pytest.approx(0)


def test_unimodal_forgives_up_to_the_tolerance():
    losses = np.array([3.0, 2.0, 2.001, 1.0, 2.0])
    assert not steplaw.is_unimodal(losses, 0)
    assert steplaw.is_unimodal(losses, 0.0011)


def test_table_of_optima():
    optima = steplaw.read_optima()
    assert len(optima) == 17 and optima.N.between(2e8, 1.1e9).all()
    readings = steplaw.readings(optima, None)
    assert list(readings) == ["grid minima"] and len(readings["grid minima"]) == 3


# -- more laws -------------------------------------------------------------------
def test_eight_constants_come_back():
    assert max(quantisation.refit_errors().values()) < 1e-6


@pytest.mark.parametrize(
    "exponent, mantissa, printed", [(8, 7, 1730), (4, 3, 27), (2, 1, 0.4)]
)
def test_critical_tokens(exponent, mantissa, printed):
    ours = quantisation.critical_tokens(1e9, exponent, mantissa) / 1e12
    assert ours == pytest.approx(printed, rel=0.03)


def test_power_of_streams_recovers_itself():
    N, P = (g.ravel() for g in np.meshgrid(np.geomspace(5e8, 4e9, 6), [1.0, 2, 4, 8]))
    truth = dict(E=1.2, A=40.0, alpha=0.2, kappa=0.06)
    data = {"N": N, "P": P, "L": PowerStreams().predict(truth, {"N": N, "P": P})}
    found = fit(PowerStreams(), data)
    assert found.status == "converged"
    for name, value in truth.items():
        assert found.params[name] == pytest.approx(value, rel=1e-8)


def test_the_true_law_wins_among_rivals():
    table = load_published("parscale_losses")
    data = rivals.columns(table, "loss_pile")
    law, rng = rivals.RIVALS["logarithm (paper)"], np.random.default_rng(0)
    truth = dict(E=1.29, A=0.2, alpha=0.2, k=0.33)
    data["L"] = law.predict(truth, data) * np.exp(2e-4 * rng.normal(size=24))
    best = min(rivals.judge_rivals(data), key=lambda row: row.aicc)
    assert best.name == "logarithm (paper)"


# -- points ------------------------------------------------------------------------
def test_absent_files_are_none(monkeypatch, tmp_path):
    monkeypatch.setenv("SCALING_DATA", str(tmp_path))
    assert points.llama3_points() is None
    assert steplaw.read_runs() is None
    assert annealing.read_curves("25M") is None
    with pytest.raises(ValueError, match="raw or exp"):
        points.llama3_points("log")


def test_flags_leave_points_out(monkeypatch, tmp_path):
    from scaling_core.data import online

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
