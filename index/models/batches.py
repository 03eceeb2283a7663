"""How much goes through a model at once, by the kind of device.

On a CPU a batch stays in the cache; on a GPU it fills the cores.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Batches:
    """Sizes of batches.

    Attributes:
        reader_tokens: tokens that a reader reads at once, padding included.
        training_tokens: tokens of a step's part, there and back, padding included.
        embedder_texts: texts that are embedded at once.
    """

    reader_tokens: int
    training_tokens: int
    embedder_texts: int


_BY_DEVICE = {
    "cpu": Batches(reader_tokens=1_024, training_tokens=4_096, embedder_texts=8),
    "cuda": Batches(reader_tokens=65_536, training_tokens=65_536, embedder_texts=64),
}
_ELSEWHERE = Batches(reader_tokens=16_384, training_tokens=16_384, embedder_texts=64)


def batches(device: str) -> Batches:
    """Return the sizes for a device, such as ``cpu`` or ``cuda:1``."""
    return _BY_DEVICE.get(device.partition(":")[0], _ELSEWHERE)
