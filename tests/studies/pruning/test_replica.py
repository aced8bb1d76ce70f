"""Theory of the pruned perceptron: certified values, published integrals, limits."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtr, ndtri

from studies.pruning import frontier
from studies.pruning.replica import solve
from studies.pruning.rules import Cell, kept_margins

KEPT = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
TABLE = {  # hard examples, perfect ranking: found by another solver, with simulation
    1.0: (0.26571, 0.22158, 0.18848, 0.16294, 0.14284, 0.11366, 0.07964, 0.06090),
    0.7: (0.28267, 0.20630, 0.15665, 0.12710, 0.10783, 0.08328, 0.05703, 0.04321),
    0.5: (0.32105, 0.21536, 0.13610, 0.09983, 0.08124, 0.06099, 0.04120, 0.03106),
    0.3: (0.38076, 0.26279, 0.11228, 0.06645, 0.05114, 0.03729, 0.02491, 0.01872),
    0.2: (0.41767, 0.31631, 0.09712, 0.04640, 0.03472, 0.02502, 0.01665, 0.01250),
    0.1: (0.45793, 0.39731, 0.07630, 0.02399, 0.01757, 0.01256, 0.00834, 0.00625),
    0.02: (0.49153, 0.47860, 0.04414, 0.00485, 0.00353, 0.00251, 0.00167, 0.00125),
}


@pytest.mark.parametrize("share", TABLE)
def test_perfect_ranking_has_the_certified_errors(share):
    errors = [solve(Cell.of_kept(kept, share)).error for kept in KEPT]
    assert errors == pytest.approx(TABLE[share], abs=1e-5)


@pytest.mark.parametrize(
    "kept, share, keep, theta, R, rho, kappa",
    [
        (2.0, 0.5, "hard", 0.3, 0.86129, 0.79569, 0.27838),
        (1.0, 0.2, "hard", 0.5, 0.36208, 0.06445, 0.75749),
        (4.0, 0.3, "hard", 0.1745, 0.99104, 0.97393, 0.07951),
        (3.0, 0.5, "hard", 0.9, 0.88711, 0.41668, 0.28197),
        (2.0, 0.5, "easy", 0.3, 0.88695, 0.92206, 0.94221),
    ],
)
def test_imperfect_probe_has_the_certified_student(
    kept, share, keep, theta, R, rho, kappa
):
    got = solve(Cell.of_kept(kept, share, keep=keep, angle=np.degrees(theta)))
    assert (got.R, got.rho, got.kappa) == pytest.approx((R, rho, kappa), abs=2e-5)
    assert 0 < got.support < 1


@pytest.mark.parametrize("kept, share", [(1.0, 0.5), (3.0, 0.2), (6.0, 0.1)])
def test_published_integrals_hold_at_a_perfect_ranking(kept, share):
    got = solve(Cell.of_kept(kept, share))
    R, kappa, cut = got.R, got.kappa, ndtri((1 + share) / 2)
    rest = 1 - R**2
    root = np.sqrt(rest)
    gauss = lambda t: np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)

    def first(t):
        inner = 1 - np.exp(-cut * (cut - 2 * R * t) / (2 * rest))
        return gauss(t) * np.exp(-(R**2) * t**2 / (2 * rest)) * inner * (kappa - t)

    def second(t):
        inner = ndtr(R * t / root) - ndtr((R * t - cut) / root)
        return gauss(t) * inner * (kappa - t) ** 2

    one, two = (quad(f, -9, kappa, points=[0.0], limit=400)[0] for f in (first, second))
    assert 2 * kept / (share * np.sqrt(2 * np.pi) * root) * one == pytest.approx(R)
    assert 2 * kept / share * two == pytest.approx(rest, rel=1e-5)


@pytest.mark.parametrize("keep", ["hard", "easy"])
def test_published_integrals_hold_at_an_angle(keep):
    """The three double integrals over the field z and the local field t."""
    theta, share, kept = 0.5, 0.4, 2.5
    cell = Cell.of_kept(kept, share, keep=keep, angle=np.degrees(theta))
    got = solve(cell)
    R, rho, kappa = got.R, got.rho, got.kappa
    cos, sin2 = np.cos(theta), np.sin(theta) ** 2
    Lambda = np.sqrt(sin2 - R**2 - rho**2 + 2 * rho * R * cos)
    nodes, w = np.polynomial.legendre.leggauss(200)
    z, wz = [], []
    for low, high in kept_margins(cell):
        z.append((low + high) / 2 + (high - low) / 2 * nodes)
        wz.append((high - low) / 2 * w)
    z, wz = np.concatenate(z)[:, None], np.concatenate(wz)[:, None]
    wz = wz * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) / share
    t, wt = (kappa - 9) / 2 + (kappa + 9) / 2 * nodes, (kappa + 9) / 2 * w
    Gamma = z * (rho * R - cos) - t * (R - rho * cos)
    Delta = z**2 * (rho**2 + cos**2 - 2 * rho * R * cos)
    Delta = Delta + 2 * t * z * (R * cos - rho) + t**2 * sin2
    s2 = 1 - rho**2
    local = np.exp(-((t - rho * z) ** 2) / (2 * s2)) / np.sqrt(2 * np.pi * s2)
    local = local * ndtr(-Gamma / (np.sqrt(s2) * Lambda))
    edge = np.exp(-Delta / (2 * Lambda**2))
    mean = lambda values: float((wz * values * wt).sum())
    gap = kappa - t
    third = 2 * mean(
        local * (z - rho * t) / s2 * gap
        + edge / (2 * np.pi * Lambda) * (rho * R - cos) / s2 * gap
    )
    assert (R - rho * cos) / sin2 == pytest.approx(
        kept / (np.pi * Lambda) * mean(edge * gap), rel=1e-4
    )
    assert 1 - (rho**2 + R**2 - 2 * rho * R * cos) / sin2 == pytest.approx(
        2 * kept * mean(local * gap**2), rel=1e-4
    )
    assert (rho - R * cos) / sin2 == pytest.approx(kept * third, rel=1e-4)


def test_a_small_angle_joins_the_perfect_ranking_and_the_rules_meet():
    perfect = solve(Cell(4.0, 0.3)).error
    for rule in ("field", "signed"):
        near = solve(Cell(4.0, 0.3, angle=0.5, rule=rule)).error
        assert near == pytest.approx(perfect, rel=2e-3)


def test_random_choice_is_a_smaller_pool_whatever_the_probe():
    for angle in (0.0, 20.0):
        cell = Cell(8.0, 0.25, keep="random", angle=angle)
        assert solve(cell).error == solve(Cell(2.0, 1.0)).error


def test_rules_differ_at_forty_degrees():
    errors = [
        solve(Cell(8.0, 0.25, angle=40.0, rule=r)).error for r in ("field", "signed")
    ]
    assert errors == pytest.approx([0.2837, 0.3926], abs=1e-4)


def test_kept_margins_have_the_mass_of_the_share():
    for keep in ("hard", "easy"):
        for rule in ("field", "signed"):
            cell = Cell(4.0, 0.3, keep, 25.0, rule)
            density = lambda s: (
                2
                * np.exp(-(s**2) / 2)
                / np.sqrt(2 * np.pi)
                * ndtr(s / np.tan(np.radians(25.0)))
            )
            mass = sum(quad(density, *ends)[0] for ends in kept_margins(cell))
            assert mass == pytest.approx(0.3, abs=1e-6)


def test_late_errors_follow_the_prefactor():
    got = solve(Cell.of_kept(300.0, 0.2, angle=10.0)).error
    stated = frontier.UNPRUNED / 300 * frontier.late_prefactor(0.2, 10.0)
    assert got == pytest.approx(stated, rel=2e-3)


def test_policy_of_the_theory():
    assert frontier.crossing_pool(0.2, "easy") == pytest.approx(10.3, abs=0.1)
    assert frontier.crossing_pool(0.2, "random") == pytest.approx(8.80, abs=0.05)
    assert frontier.best_share(1.5, floor=0.1) == pytest.approx(0.7, abs=0.03)
    assert frontier.free_share(16.0) * 16 == pytest.approx(3.0, abs=0.05)
    frame = frontier.frontier([1.0, 4.0], floor=0.1, angle=0.0)
    assert (frame.error <= frame.random + 1e-9).all()
    assert frame.share.iloc[-1] == 0.1


@pytest.mark.parametrize(
    "bad, message",
    [
        (dict(pool=0.0, share=0.5), "pool must be positive"),
        (dict(pool=1.0, share=1.5), "share in"),
        (dict(pool=1.0, share=0.5, keep="odd"), "allowed: hard, easy, random"),
        (dict(pool=1.0, share=0.5, rule="size"), "allowed: field, signed"),
        (dict(pool=1.0, share=0.5, angle=90.0), "degrees"),
    ],
)
def test_a_bad_cell_says_what_is_allowed(bad, message):
    with pytest.raises(ValueError, match=message):
        Cell(**bad)
