"""MiniLM as it is taught what an emergency reads like. Development time only, and the one module that needs torch.

Each product of an upper layer gets a narrow change, `a @ b`, while the weights themselves stay; a message's vector is
the mean of its tokens' vectors beside a mean that a learned query weighs; straight lines from that vector give the
level and the category. What is learned is small, and `minilm.py` serves it with numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from .minilm import HEADS, LAYERS, PARTS, WIDTH, MiniLM

NARROW = 16  # how wide a change may be
TAUGHT = 4  # upper layers that are changed; the lower ones say what words are, and cost time to teach
DROPPED = 0.1  # share of what a layer says that is left out while teaching
_EPSILON = 1e-12


class Network(nn.Module):
    """The model's weights as they are, and beside them what is taught."""

    def __init__(self, model: MiniLM, outcomes: int) -> None:
        super().__init__()
        self.words, self.places = _still(model.words), _still(model.positions)
        self.norm = [_still(one) for one in model.norm]
        self.layers = [
            {
                **{part: (_still(layer.weight[part]), _still(layer.bias[part])) for part in PARTS},
                "norm_1": tuple(_still(one) for one in layer.norm_1),
                "norm_2": tuple(_still(one) for one in layer.norm_2),
            }
            for layer in model.layers
        ]
        self.a, self.b = nn.ParameterDict(), nn.ParameterDict()
        for number in range(LAYERS - TAUGHT, LAYERS):
            for part in PARTS:
                tall, wide = model.layers[number].weight[part].shape
                self.a[f"{part}_{number}"] = nn.Parameter(torch.randn(tall, NARROW) / tall**0.5)
                self.b[f"{part}_{number}"] = nn.Parameter(torch.zeros(NARROW, wide))
        self.query = nn.Parameter(torch.zeros(WIDTH))
        self.lines = nn.Parameter(torch.zeros(2 * WIDTH, outcomes))
        self.offset = nn.Parameter(torch.zeros(outcomes))

    def forward(self, codes: Sequence[Sequence[int]]) -> Tensor:
        """The outcomes of each sequence of tokens."""
        count, longest = len(codes), max(len(code) for code in codes)
        ids = torch.zeros(count, longest, dtype=torch.long)
        there = torch.zeros(count, longest, dtype=torch.bool)
        for row, code in enumerate(codes):
            ids[row, : len(code)] = torch.tensor(code)
            there[row, : len(code)] = True
        hidden = _even(self.words[ids] + self.places[:longest], self.norm).view(-1, WIDTH)
        for number in range(len(self.layers)):
            hidden = self._layer(number, hidden, there)
        hidden = hidden.view(count, longest, WIDTH)
        weight = there.float()
        mean = (hidden * weight[..., None]).sum(1) / weight.sum(1, keepdim=True)
        share = (hidden @ self.query).masked_fill(~there, -1e9).softmax(1)
        vector = torch.cat([mean, (share[..., None] * hidden).sum(1)], 1)
        return self._dropped(vector) @ self.lines + self.offset

    def _layer(self, number: int, hidden: Tensor, there: Tensor) -> Tensor:
        layer, (count, longest) = self.layers[number], there.shape
        query, key, value = (
            self._times(number, "qkv", hidden)
            .view(count, longest, 3, HEADS, WIDTH // HEADS)
            .permute(2, 0, 3, 1, 4)
        )
        # the query is scaled in its weights
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None], scale=1.0)
        attended = self._times(number, "out", mixed.transpose(1, 2).reshape(-1, WIDTH))
        middle = _even(self._dropped(attended) + hidden, layer["norm_1"])
        grown = F.gelu(self._times(number, "up", middle), approximate="tanh")
        return _even(self._dropped(self._times(number, "down", grown)) + middle, layer["norm_2"])

    def _times(self, number: int, part: str, rows: Tensor) -> Tensor:
        weight, bias = self.layers[number][part]
        made, name = torch.addmm(bias, rows, weight), f"{part}_{number}"
        return made + (rows @ self.a[name]) @ self.b[name] if name in self.a else made

    def _dropped(self, rows: Tensor) -> Tensor:
        return F.dropout(rows, DROPPED, self.training and rows.requires_grad)

    def learned(self) -> dict[str, NDArray[np.generic]]:
        """What is stored of it, by the names that `minilm.py` and `likeness.py` know."""
        kept: dict[str, NDArray[np.generic]] = {
            name: getattr(self, name).detach().numpy().copy() for name in ("query", "lines", "offset")
        }
        for side, changes in (("a", self.a), ("b", self.b)):
            for name, change in changes.items():
                kept[f"{name.replace('_', '.')}.{side}"] = change.detach().numpy().astype(np.float16)
        return kept


def _still(values: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))


def _even(rows: Tensor, by: Sequence[Tensor]) -> Tensor:
    return F.layer_norm(rows, (WIDTH,), by[0], by[1], _EPSILON)
