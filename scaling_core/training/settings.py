"""How to train: the settings that the loop and the ensembles share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from scaling_core.training.schedules import warmup_cosine, warmup_stable_decay


@dataclass(frozen=True)
class Training:
    """How to train.

    Attributes
    ----------
    steps, lr
        Number of steps, and the peak learning rate.
    schedule
        ``cosine``, ``wsd`` (plateau, then linear decay), ``constant``, or a function
        from the step to a multiplier of ``lr``.
    warmup, decay
        Of the named schedules, as fractions of the steps; ``decay`` is for wsd.
    floor
        Last learning rate as a fraction of the peak.
    weight_decay
        Decoupled, on matrices only: gains, biases and vectors have none.
    clip
        Largest norm of the whole gradient; None for no clipping.
    micro_rows
        Rows per forward pass; gradients add up to those of the whole batch. By
        default `CPU_MICRO_TOKENS` for tokens on a CPU, else the whole; 0: whole.
    bf16, compile
        Autocast to bfloat16, and `torch.compile`: for a GPU.
    """

    steps: int
    lr: float = 1e-3
    schedule: Literal["cosine", "wsd", "constant"] | Callable[[int], float] = "cosine"
    warmup: float = 0.1
    decay: float = 0.2
    floor: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip: float | None = 1.0
    micro_rows: int | None = None
    bf16: bool = False
    compile: bool = False

    def __post_init__(self):
        if self.steps < 1 or not self.lr > 0 or not 0 <= self.warmup < 1:
            raise ValueError(
                f"need steps >= 1, lr > 0 and warmup, a fraction, in [0, 1); "
                f"got {self.steps}, {self.lr}, {self.warmup}"
            )
        known = ("cosine", "wsd", "constant")
        if not callable(self.schedule) and self.schedule not in known:
            raise ValueError(
                f"schedule={self.schedule!r}; allowed: {known} or a function"
            )

    def lr_at(self, step: int) -> float:
        """Return the learning rate of one step.

        >>> Training(steps=10, lr=1.0, warmup=0.2).lr_at(0)
        0.5
        """
        if callable(self.schedule):
            return self.lr * self.schedule(step)
        shape = dict(total=self.steps, warmup=int(self.warmup * self.steps))
        if self.schedule == "cosine":
            return self.lr * warmup_cosine(step, floor=self.floor, **shape)
        decay = int(self.decay * self.steps) if self.schedule == "wsd" else 0
        scale = warmup_stable_decay(step, decay=decay, floor=self.floor, **shape)
        return self.lr * scale
