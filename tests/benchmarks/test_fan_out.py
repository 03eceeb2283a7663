"""The simulation of many shards, against what is known of queues and of the slowest of many."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from fan_out import Cluster, Round, Seconds, simulate

_MEAN = 0.01
_SELDOM = 0.001  # questions a second that hardly ever meet


def _exponential(rng: np.random.Generator, _question: int, requests: int) -> Seconds:
    return rng.exponential(_MEAN, requests)


def _constant(_rng: np.random.Generator, _question: int, requests: int) -> Seconds:
    return np.full(requests, _MEAN)


@pytest.mark.parametrize("load", [0.3, 0.6])
def test_one_shard_with_exponential_times_is_the_queue_m_m_1(load: float) -> None:
    rate = load / _MEAN
    outcome = simulate(Cluster(1), rate, [Round(_exponential)], 5_000)
    mean = 1 / (1 / _MEAN - rate)
    assert outcome.seconds.mean() == pytest.approx(mean, rel=0.12)
    assert outcome.percentile(99) == pytest.approx(-math.log(0.01) * mean, rel=0.2)


def test_one_shard_with_constant_times_is_the_queue_m_d_1() -> None:
    load = 0.6
    outcome = simulate(Cluster(1), load / _MEAN, [Round(_constant)], 5_000)
    waiting = load * _MEAN / (2 * (1 - load))  # Pollaczek and Khinchine
    assert outcome.seconds.mean() == pytest.approx(_MEAN + waiting, rel=0.08)


def test_two_shards_with_exponential_times_are_the_fork_join_queue() -> None:
    """Flatto and Hahn 1984, as given by Nelson and Tantawi 1988: (12 - load) / 8 of M/M/1."""
    load = 0.5
    outcome = simulate(Cluster(2), load / _MEAN, [Round(_exponential)], 5_000)
    assert outcome.seconds.mean() == pytest.approx((12 - load) / 8 * _MEAN / (1 - load), rel=0.1)


@pytest.mark.parametrize("shards", [1, 10, 100])
def test_without_waiting_a_question_takes_the_longest_of_n_exponentials(shards: int) -> None:
    outcome = simulate(Cluster(shards), _SELDOM, [Round(_exponential)], 4_000)
    harmonic = sum(1 / n for n in range(1, shards + 1))
    assert outcome.seconds.mean() == pytest.approx(_MEAN * harmonic, rel=0.08)


def test_one_request_in_a_hundred_held_up_is_most_questions_to_a_hundred_shards() -> None:
    """The example of Dean and Barroso, "The Tail at Scale", 2013."""
    cluster = Cluster(100, straggle=0.01, straggle_seconds=10)
    outcome = simulate(cluster, _SELDOM, [Round(_constant)], 4_000)
    assert (outcome.seconds > 1.5 * _MEAN).mean() == pytest.approx(1 - 0.99**100, abs=0.02)


def test_a_second_request_leaves_the_shorter_of_two_times() -> None:
    """Beyond the moment d of the second, t of the first and t - d of the second are both long."""
    outcome = simulate(Cluster(1, replicas=2, hedged=True), _SELDOM, [Round(_exponential)], 5_000)
    again = outcome.requests - 1
    assert again == pytest.approx(0.05, abs=0.02)
    beyond = _MEAN * (0.5 - math.log(again))
    assert (outcome.seconds > beyond).mean() == pytest.approx(again * math.exp(-1), rel=0.35)


def test_rounds_follow_each_other_and_few_shards_are_a_subset() -> None:
    rounds = [Round(_constant), Round(_exponential, most=4)]
    outcome = simulate(Cluster(100), _SELDOM, rounds, 4_000)
    assert outcome.seconds.mean() == pytest.approx(
        _MEAN + _MEAN * (1 + 1 / 2 + 1 / 3 + 1 / 4), rel=0.05
    )


def test_shards_that_are_late_are_left_out_and_said() -> None:
    limit = 2 * _MEAN
    outcome = simulate(Cluster(10, limit=limit), _SELDOM, [Round(_exponential)], 4_000)
    assert outcome.searched.mean() == pytest.approx(1 - math.exp(-2), abs=0.02)
    assert outcome.seconds.max() <= limit * (1 + 1e-9)


def test_where_no_shard_is_in_time_nothing_was_searched() -> None:
    rounds = [Round(_constant), Round(_constant)]
    outcome = simulate(Cluster(10, limit=_MEAN / 2), _SELDOM, rounds, 100)
    assert outcome.searched.max() == 0
    assert outcome.seconds.max() == pytest.approx(_MEAN / 2)


def test_a_tree_merges_a_root_of_the_shards_twice() -> None:
    reply = 0.001
    flat, tree = (
        simulate(Cluster(100, reply_seconds=reply, tree=tree), _SELDOM, [Round(_constant)], 100)
        for tree in (False, True)
    )
    assert flat.percentile(50) == pytest.approx(_MEAN + 100 * reply)
    assert tree.percentile(50) == pytest.approx(_MEAN + 20 * reply)


def test_a_busy_merger_is_a_queue_of_its_own() -> None:
    """Constant work after shards that never wait is M/D/1, half of whose time is work."""
    shards, reply, rate = 2, 0.01, 25.0

    def at_once(_rng: np.random.Generator, _question: int, requests: int) -> Seconds:
        return np.zeros(requests)

    outcome = simulate(Cluster(shards, reply_seconds=reply), rate, [Round(at_once)], 5_000)
    assert outcome.mergers == 1
    waiting = 0.5 * shards * reply / (2 * (1 - 0.5))
    assert outcome.seconds.mean() == pytest.approx(shards * reply + waiting, rel=0.08)
