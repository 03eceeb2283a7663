"""How a collection is spread over a cluster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """How a collection is spread over a cluster.

    Attributes:
        groups: into how many groups the shards are parted; a group's replicas hold all its shards.
        replicas: of each group. With two or more, a request that takes long is sent to another one.
        shard_seconds: how long a shard may take for a step of a search.
        readers: the most replicas of the reader; there are as many as the load asks for.
        reader_seconds: how long reading may take.
        reader_gpus: the share of a GPU that a reader reserves; 0 to read on processors.
        fronts: replicas of the application.
        processors: of each replica, as Ray reserves them.

    Raises:
        ValueError: a number is too small.
    """

    groups: int = 1
    replicas: int = 1
    shard_seconds: float = 5.0
    readers: int = 1
    reader_seconds: float = 30.0
    reader_gpus: float = 0.0
    fronts: int = 1
    processors: float = 1.0

    def __post_init__(self) -> None:
        for name in ("groups", "replicas", "readers", "fronts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        for name in ("shard_seconds", "reader_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0, not {getattr(self, name)}")
        for name in ("reader_gpus", "processors"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be below 0, not {getattr(self, name)}")
