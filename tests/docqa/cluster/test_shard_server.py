"""A replica of shards answers for the state that was asked for, also when there is a newer one."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("ray", reason="the extra cluster is not installed")

import docqa.cluster.shard_server as shard_server
from docqa.cluster.requests import LostError
from docqa.cluster.shard_server import ShardServer, ShardState
from docqa.index.schema import IndexSettings
from docqa.index.store import Store
from docqa.ingest.windows import WindowSettings
from tests.index.collection.conftest import Corpora
from tests.index.conftest import WordEmbedder


@pytest.fixture
def corpora(tmp_path: Path, tiny_tokenizer_json: str) -> Corpora:
    embedder = WordEmbedder()
    made_with = (embedder.name, embedder.sha256, embedder.dimension, WindowSettings(32, 8))
    return Corpora(tmp_path, embedder, IndexSettings(*made_with, tiny_tokenizer_json))


@pytest.fixture
def shard(corpora: Corpora) -> Path:
    return corpora.index("shard", [("/docs/a.txt", ["the rent is paid", "the tenant signs"])])


def _state(shard: Path) -> ShardState:
    with Store.open(shard) as store:
        return ShardState(shard, store.index_id, store.generation)


def _add(corpora: Corpora, shard: Path) -> None:
    with Store.open(shard, to_write=True) as store:
        corpora.put(store, ("/docs/b.txt", ["the landlord signs"]))


def test_a_search_goes_on_in_the_state_that_it_began_in(corpora: Corpora, shard: Path) -> None:
    server, began = ShardServer(), _state(shard)
    server.hold(began)
    _add(corpora, shard)
    assert server.statistics(began, [("sign",)]).windows == 2
    assert server.statistics(_state(shard), [("sign",)]).windows == 3


def test_a_state_that_is_gone_is_not_answered_for(corpora: Corpora, shard: Path) -> None:
    began = _state(shard)
    _add(corpora, shard)
    with pytest.raises(LostError, match="changed"):
        ShardServer().statistics(began, [("sign",)])


def test_what_nobody_asks_for_is_let_go(
    monkeypatch: pytest.MonkeyPatch, corpora: Corpora, shard: Path
) -> None:
    """A state that is held keeps SQLite from clearing its log."""
    server, began = ShardServer(), _state(shard)
    server.hold(began)
    server.check_health()
    _add(corpora, shard)
    server.hold(began)
    monkeypatch.setattr(shard_server, "HELD_SECONDS", -1.0)
    server.check_health()
    with pytest.raises(LostError):
        server.hold(began)
