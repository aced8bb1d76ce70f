"""Schedules: end points, shape, and one clear error for bad input."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaling_core.training.schedules import warmup_cosine, warmup_stable_decay


def test_cosine_end_points():
    values = [warmup_cosine(s, total=1000, warmup=100, floor=0.05) for s in range(1000)]
    assert values[0] == 0.01 and values[99] == values[100] == 1.0
    assert values[550] == pytest.approx(0.525)
    assert values[-1] == pytest.approx(0.05, abs=1e-5)


@given(
    total=st.integers(1, 300),
    warmup=st.floats(0, 0.99),
    floor=st.floats(0, 1),
)
def test_rises_then_falls_within_bounds(total, warmup, floor):
    warm = int(warmup * total)
    for schedule in (warmup_cosine, warmup_stable_decay):
        extra = {} if schedule is warmup_cosine else dict(decay=total - warm)
        values = [
            schedule(s, total=total, warmup=warm, floor=floor, **extra)
            for s in range(total)
        ]
        assert values[:warm] == sorted(values[:warm])
        assert values[warm:] == sorted(values[warm:], reverse=True)
        assert all(0 < v <= 1 for v in values[:warm])
        assert all(floor - 1e-12 <= v <= 1 + 1e-12 for v in values[warm:])


def test_stable_part_is_flat():
    values = [
        warmup_stable_decay(s, total=100, warmup=10, decay=20) for s in range(100)
    ]
    assert set(values[9:80]) == {1.0} and values[-1] == pytest.approx(0.05)


@pytest.mark.parametrize(
    "bad",
    [
        dict(step=5, total=5),
        dict(step=-1, total=5),
        dict(step=0, total=5, warmup=5),
        dict(step=0, total=5, floor=1.5),
    ],
)
def test_bad_input(bad):
    step = bad.pop("step")
    with pytest.raises(ValueError):
        warmup_cosine(step, **bad)
    with pytest.raises(ValueError):
        warmup_stable_decay(step, **bad)


def test_overlapping_parts_are_refused():
    with pytest.raises(ValueError, match="exceed"):
        warmup_stable_decay(0, total=10, warmup=6, decay=5)
