"""Pruned pools: what is drawn, which cells are trained, and known orders of errors."""

import numpy as np
import pytest

from scaling_core.data import images
from scaling_core.models.mlp import MLPConfig
from studies.pruning import digits
from studies.pruning.digits import choose, draw, measure_choices, measure_scores
from studies.pruning.scores import SCORES

SMALL = dict(source="small digits", seed=0, test=300, width=16, steps=200)


def table(**changes) -> dict:
    setting = dict(
        pools=[[200, [0.5]], [800, [0.2, 0.5]]], controls=[0.2], halved=[800]
    )
    found = measure_choices(**(SMALL | setting | changes))
    columns = [found[name] for name in ("pool", "share", "policy")]
    keys = list(zip(*columns, strict=True))
    return {
        name: dict(zip(keys, column, strict=True)) for name, column in found.items()
    }


@pytest.fixture(scope="module")
def cells():
    return table()


def test_pools_and_test_sets_do_not_overlap():
    pool, held_out = draw("small digits", test=300, pool=1000, seed=3)
    rows = {x.tobytes() for x in pool.x}
    assert (len(pool), len(held_out)) == (1000, 300)
    assert sum(x.tobytes() in rows for x in held_out.x) == 0
    again, _ = draw("small digits", test=300, pool=1000, seed=3)
    other, _ = draw("small digits", test=300, pool=1000, seed=4)
    assert np.array_equal(pool.x, again.x) and not np.array_equal(pool.x, other.x)
    with pytest.raises(ValueError, match="1797 images, fewer than 300 .* pool of 1500"):
        draw("small digits", test=300, pool=1500, seed=0)


def test_sources_have_their_shapes():
    assert draw("glyphs", test=5, pool=7, seed=0)[0].x.shape == (7, 12, 12)
    assert draw("digits", test=5, pool=7, seed=0)[1].x.shape == (5, 14, 14)


def test_digits_may_be_missing(monkeypatch):
    assert digits.has_digits()

    def missing():
        raise images.MissingImagesError("not here")

    monkeypatch.setattr(images, "digits", missing)
    assert not digits.has_digits()


def test_what_is_trained(cells):
    plain, more = 5, 5  # policies at any share, and those at a share with controls
    assert len(cells["full"]) == 2 + 3 * plain + more
    assert None not in cells["full"].values()
    halved = {key for key, error in cells["half"].items() if error is not None}
    assert {key[:2] for key in halved} == {(800, 0.2)} and len(halved) == plain + more
    passes = {key for key, error in cells["passes"].items() if error is not None}
    assert passes == {
        (800, share, policy)
        for share in (0.2, 0.5)
        for policy in ("EL2N hard", "EL2N easy", "random")
    }


def test_sizes_and_classes():
    pool, _ = draw("small digits", test=300, pool=800, seed=0)
    setting = dict(steps=200, seed=0, device="cpu")
    chosen = choose(pool, [0.2], [0.2], MLPConfig((64, 16, 10)), **setting)
    counts = {
        policy: np.bincount(pool.y[rows], minlength=10)
        for (_, policy), rows in chosen.items()
    }
    assert counts["random"].sum() == 160 and counts["all"].sum() == 800
    for side in ("hard", "easy"):
        own, even = counts[f"EL2N {side}"], counts[f"EL2N {side}, balanced"]
        assert np.array_equal(counts[f"classes of {side}"], own)
        assert np.ptp(even) < np.ptp(own)
    assert np.ptp(counts["random"]) < np.ptp(counts["EL2N easy"])


def test_errors_have_the_known_order(cells):
    error = cells["full"]
    rest = error[800, 0.2, "random"]
    assert error[800, 1.0, "all"] < rest < error[800, 0.2, "EL2N easy"]
    two = [error[800, 0.2, name] for name in ("random", "random again")]
    assert abs(np.log(two[0] / two[1])) < 0.7


def test_a_seed_is_reproducible(cells):
    again = table(pools=[[800, [0.2, 0.5]]])
    key = (800, 0.5, "prototypes hard")
    assert again["full"][key] == pytest.approx(cells["full"][key], abs=0.02)


def test_scores_correlate():
    setting = dict(pool=300, subset_nets=20, width=16, steps=160)
    rho = measure_scores(source="small digits", seed=0, **setting)
    assert rho.shape == (len(SCORES) + 1,) * 2
    assert rho == pytest.approx(rho.T) and np.diag(rho) == pytest.approx(1)
    names = list(SCORES)
    assert rho[names.index("EL2N"), names.index("margin")] > 0.8
    assert abs(rho[-1, :-1]).max() < 0.3
