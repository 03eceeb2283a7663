"""Which share of the documents a search went through."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShardFailure:
    """A shard of a collection that took no part in a search.

    Attributes:
        shard: its number, from 0.
        reason: why, in words.
    """

    shard: int
    reason: str


@dataclass(frozen=True, slots=True)
class Searched:
    """How many of a collection's shards answered; an index alone is one of one.

    Attributes:
        failures: the shards that did not, each with its reason.
    """

    answered: int = 1
    shards: int = 1
    failures: tuple[ShardFailure, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether all documents were searched."""
        return self.answered == self.shards

    def __str__(self) -> str:
        return f"{self.answered}/{self.shards}"
