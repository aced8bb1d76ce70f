"""Compute-optimal sizes: Approach 2 where it is exact, allocations against simulations."""

import numpy as np
import pytest

from scaling_core.fitting import (
    Chinchilla,
    PowerLaw,
    allocation,
    bootstrap,
    fit,
    isoflop,
)

SURFACE = dict(E=1.69, A=400.0, B=400.0, alpha=0.31, beta=0.31)


def runs(budgets=(1e18, 1e19, 1e20, 1e21), n=15, offset=1.0):
    """Losses at sizes within a factor of four around each budget's optimum."""
    C = np.repeat(budgets, n)
    D = np.sqrt(C / 6) * offset * np.tile(np.geomspace(0.25, 4, n), len(budgets))
    data = {"N": C / (6 * D), "D": D, "C": C}
    return {**data, "L": Chinchilla().predict(SURFACE, data)}


@pytest.mark.parametrize("on", ["N", "D"])
def test_equal_exponents_are_found_exactly(on):
    found = isoflop(runs(), on=on)
    best = Chinchilla().optimum(SURFACE, 1e24)
    assert abs(found.slope - 0.5) < 1e-9
    assert found.predict(1e24) == pytest.approx(best[on], rel=1e-9)
    assert found.warnings == () and len(found.vertices) == 4


def test_doubtful_parabolas_are_named():
    data = runs(n=3)
    assert all("three points only" in w for w in isoflop(data).warnings)
    data["L"][:3] = [1.0, 2.0, 1.0]
    assert any("opens downwards" in w for w in isoflop(data).warnings)
    assert any("outside the sizes" in w for w in isoflop(runs(offset=30.0)).warnings)
    with pytest.raises(ValueError, match="at least two budgets"):
        isoflop(runs(budgets=[1e20]))
    data = runs(budgets=[1e19, 1e20])
    data["L"] = -data["L"] + 10
    words = "1e\\+19: parabola opens downwards.*both sides"
    with pytest.raises(ValueError, match=words):
        isoflop(data)


def test_a_parabola_that_is_all_but_flat_is_no_crash():
    """Its minimum lies where no floating-point number reaches."""
    data = runs(budgets=[1e18, 1e19, 1e20])
    u = np.log10(data["N"])
    flat = slice(0, 15)
    data["L"][flat] = 30 - u[flat] + 1e-4 * (u[flat] - u[flat].mean()) ** 2
    found = isoflop(data)
    assert np.isfinite(found.slope) and found.vertices[0] == np.inf
    assert any("outside the sizes" in words for words in found.warnings)


def test_budgets_that_differ_by_rounding_are_one():
    """C = 6 N D of exact budgets: nine distinct floats for four budgets."""
    data = runs(n=6)
    again = {**data, "C": 6 * data["N"] * data["D"]}
    assert len(np.unique(again["C"])) > 4
    found, exact = isoflop(again), isoflop(data)
    assert len(found.budgets) == 4 and found.warnings == ()
    assert abs(found.slope - exact.slope) < 1e-9
    assert abs(found.predict(1e24) / exact.predict(1e24) - 1) < 1e-6


def test_budgets_scattered_by_a_per_cent_are_one():
    data = runs(n=6)
    C = data["C"] * np.exp(0.01 * np.random.default_rng(0).normal(size=24))
    data = {"N": data["N"], "D": C / (6 * data["N"]), "C": C}
    data["L"] = Chinchilla().predict(SURFACE, data)
    found = isoflop(data)
    assert len(found.budgets) == 4 and abs(found.slope - 0.5) < 0.01


def test_a_cloud_without_budgets_is_named():
    C = np.geomspace(1e18, 1e20, 60)
    cloud = {"N": np.sqrt(C / 6), "C": C, "L": np.ones(60)}
    with pytest.raises(ValueError, match="from 1e\\+18 to 1e\\+20, one budget"):
        isoflop(cloud)
    with pytest.raises(ValueError, match="data lacks .'C'.*columns="):
        isoflop({"N": C, "L": C})
    mapped = {"params": 1, **{k: v for k, v in runs().items() if k != "N"}}
    mapped["params"] = runs()["N"]
    found = isoflop(mapped, columns={"N": "params"})
    assert abs(found.slope - 0.5) < 1e-9


def noisy(seed, surface=SURFACE, sd=0.005):
    data = runs(budgets=(1e18, 1e19, 1e20, 1e21), n=8)
    noise = np.random.default_rng(seed).normal(size=len(data["L"]))
    return {**data, "L": Chinchilla().predict(surface, data) * np.exp(sd * noise)}


def test_allocation_of_a_fit_and_of_its_bootstrap_agree():
    result = fit(Chinchilla(), noisy(0))
    boot = bootstrap(result, 400, rng=np.random.default_rng(0))
    budgets, truth = [1e20, 1e23], Chinchilla().optimum(SURFACE, np.array([1e20, 1e23]))
    delta, sampled = allocation(result, budgets), allocation(boot, budgets)
    for name in ("N", "D", "D/N", "L"):
        for table in (delta, sampled):
            assert (table[f"{name}_low"] < table[name]).all()
            assert (table[name] < table[f"{name}_high"]).all()
        assert (delta[f"{name}_low"] < truth[name]).all()
        assert (truth[name] < delta[f"{name}_high"]).all()
        width = np.log(delta[f"{name}_high"] / delta[f"{name}_low"])
        other = np.log(sampled[f"{name}_high"] / sampled[f"{name}_low"])
        assert ((width / other > 0.5) & (width / other < 2)).all()
    assert delta.note[0] == "" and "largest run: model error not" in delta.note[1]


def test_allocation_has_a_row_for_every_group_and_budget():
    one, other = noisy(0), noisy(1, {**SURFACE, "A": 300.0})
    data = {k: np.concatenate([one[k], other[k]]) for k in one}
    data["optimiser"] = np.repeat(["adam", "muon"], len(one["L"]))
    table = allocation(fit(Chinchilla(group="optimiser"), data), [1e20, 1e21])
    assert table.group.tolist() == ["adam", "adam", "muon", "muon"]
    assert (table.N[:2].to_numpy() > table.N[2:].to_numpy()).all()


def test_allocation_wants_a_surface_and_a_budget():
    x = np.geomspace(1, 100, 9)
    with pytest.raises(ValueError, match="only Chinchilla has an optimum"):
        allocation(fit(PowerLaw(), {"x": x, "L": 1 + 3 * x**-0.5}), 1e20)
    with pytest.raises(ValueError, match="it is a budget"):
        allocation(fit(Chinchilla(), noisy(0)), [-1.0])


@pytest.mark.full
def test_coverage_of_allocations():
    """32 points, 0.5 % noise, 400 simulations: 95 % intervals at and beyond the data."""
    budgets, hits = np.array([1e20, 1e23]), []
    truth = Chinchilla().optimum(SURFACE, budgets)
    for seed in range(400):
        table = allocation(fit(Chinchilla(), noisy(seed), loss="mse"), budgets)
        hits.append(
            [
                (table[f"{k}_low"] <= truth[k]) & (truth[k] <= table[f"{k}_high"])
                for k in ("N", "D", "L")
            ]
        )
    shares = np.mean(hits, axis=0)
    assert ((shares > 0.92) & (shares < 0.98)).all(), shares
