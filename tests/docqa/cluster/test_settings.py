"""How a collection is spread, as people and configurations of Ray Serve give it."""

from __future__ import annotations

import pytest

from docqa.cluster.settings import ClusterSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [("groups", 0), ("replicas", 0), ("readers", 0), ("shard_seconds", 0.0), ("reader_gpus", -1.0)],
)
def test_numbers_that_are_too_small_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        ClusterSettings(**{name: value})  # type: ignore[arg-type]


def test_a_misspelt_argument_of_a_configuration_is_named() -> None:
    pytest.importorskip("ray", reason="the extra cluster is not installed")
    from docqa.cluster.app import build

    with pytest.raises(ValueError, match="replica_count"):
        build({"index": "x", "replica_count": 2})
