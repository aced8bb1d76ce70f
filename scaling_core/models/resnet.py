"""ResNet-18 for images of 32 x 32 pixels, trained on a part of a table of images.

The network of arXiv 1512.03385 with the first layer of 3 x 3 and stride 1 that small
images want. Training: SGD with Nesterov momentum, warm-up and a straight line to zero,
random crops and flips; bf16 on a graphics card. Introduced in the chapter on pruning.

Shapes: N rows of the table, B batch, S side, K channels (3), C classes.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from scaling_core.models.mlp import Passes
from scaling_core.models.sparse_features import stream_seed

PAD = 4  # pixels by which a crop may move
WARMUP, MOMENTUM, DECAY = 0.1, 0.9, 5e-4
STAGES = ((1, 1), (1, 1), (2, 2), (2, 1), (4, 2), (4, 1), (8, 2), (8, 1))


class Block(nn.Module):
    """Two convolutions of 3 x 3 beside a short cut, which is projected if shapes change."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        first = [*_convolution(inputs, outputs, 3, stride), nn.ReLU()]
        self.path = nn.Sequential(*first, *_convolution(outputs, outputs, 3, 1))
        same = inputs == outputs and stride == 1
        short = [] if same else _convolution(inputs, outputs, 1, stride)
        self.short = nn.Sequential(*short)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.path(x) + self.short(x))


def _convolution(inputs: int, outputs: int, size: int, stride: int) -> list[nn.Module]:
    shape: dict = dict(stride=stride, padding=size // 2, bias=False)
    return [nn.Conv2d(inputs, outputs, size, **shape), nn.BatchNorm2d(outputs)]


def resnet18(
    classes: int = 10, *, width: int = 64, generator: torch.Generator
) -> nn.Sequential:
    """Return the untrained network, (B, 3, S, S) to (B, C); ``width`` of its first stage.

    >>> net = resnet18(generator=torch.Generator().manual_seed(0))
    >>> sum(p.numel() for p in net.parameters())
    11173962
    """
    layers, inputs = [*_convolution(3, width, 3, 1), nn.ReLU()], width
    for times, stride in STAGES:
        layers.append(Block(inputs, width * times, stride))
        inputs = width * times
    head = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes)
    net = nn.Sequential(*layers, *head)
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            nn.init.normal_(layer.weight, 0, (2 / fan_in) ** 0.5, generator=generator)
    nn.init.zeros_(head[-1].bias)
    return net


class ResNetTraining:
    """One network and the table it learns from.

    ``x`` (N, S, S, 3) from 0 to 1 and ``y`` (N,) are the table, ``rows`` what the network
    may see. First weights, order and crops follow from ``seed``.
    """

    def __init__(
        self, x, y, rows, *, seed: int, classes=10, width=64, batch=512, device="cpu"
    ):
        x_NKSS = torch.as_tensor(np.array(x)).to(device).permute(0, 3, 1, 2)
        self.x = nn.functional.pad(x_NKSS, (PAD,) * 4)
        self.y = torch.as_tensor(np.array(y)).to(device)
        self.data = Passes([rows], batch=batch, seeds=[seed])
        self.generator = torch.Generator().manual_seed(stream_seed(seed, "resnet"))
        net = resnet18(classes, width=width, generator=self.generator)
        self.net = net.to(device, memory_format=torch.channels_last)  # pyright: ignore
        self.device = torch.device(device)

    def train(
        self,
        steps: int,
        lr: float = 0.2,
        *,
        until: int | None = None,
        paused: Callable[[int], None] = lambda step: None,
    ) -> None:
        """Take the first ``until`` of ``steps``; ``paused`` is called after each one."""
        sgd = torch.optim.SGD(
            self.net.parameters(), momentum=MOMENTUM, nesterov=True, weight_decay=DECAY
        )
        for step in range(steps if until is None else until):
            done = (step + 1) / steps
            sgd.param_groups[0]["lr"] = lr * min(done / WARMUP, (1 - done) / 0.9 + 1e-3)
            rows = self.data.batch_at(step)[0]
            x, y = self.crops(rows), self.y[rows.to(self.device)]
            self.net.train()
            with self._precision():
                loss = nn.functional.cross_entropy(self.net(x), y)
            sgd.zero_grad()
            loss.backward()
            sgd.step()
            paused(step + 1)

    def crops(self, rows_B: Tensor) -> Tensor:
        """Return the images of some rows, each moved by up to `PAD` and flipped or not."""
        draw: dict = dict(size=(2, len(rows_B), 1), generator=self.generator)
        down, right = torch.randint(2 * PAD + 1, **draw).to(self.device)
        flip = torch.randint(2, (len(rows_B), 1), generator=self.generator)
        i_S = torch.arange(self.x.shape[-1] - 2 * PAD, device=self.device)
        across_BS = torch.where(flip.to(self.device) > 0, i_S.flip(0), i_S) + right
        x = self.x[rows_B.to(self.device)[:, None, None], :, (i_S + down)[:, :, None],
                   across_BS[:, None]]  # fmt: skip
        return x.permute(0, 3, 1, 2)  # (B, S, S, K) as stored: channels last

    @torch.no_grad()
    def probabilities(self, x) -> np.ndarray:
        """Return class probabilities of (N, S, S, 3) images, (N, C)."""
        self.net.eval()
        parts = []
        for part in torch.as_tensor(np.array(x)).split(1000):
            with self._precision():
                f_NC = self.net(part.to(self.device).permute(0, 3, 1, 2))
            parts.append(f_NC.double().softmax(-1).cpu())
        return torch.cat(parts).numpy()

    def _precision(self):
        on = self.device.type == "cuda"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=on)
