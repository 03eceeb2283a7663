"""A question's way through many shards, as queues: how long it takes, and how much is searched.

Questions come at random moments (a Poisson process) and are searched for in rounds: each asks all
shards, or a few of them, and ends when all have answered. A shard's replica serves one request
after the other, in the order they were sent. After each round a merger's processor unpacks and
merges the replies, one after the other. In a tree, as many mergers as the root of the number of
shards each merge as many shards, and one more merges what these have merged. Nothing is taken back
once it is sent: where a request was sent twice, the reply that comes second was work for nothing.

The state of a queue is the moment when it will be free. So what happens is gone through in the
order of time, all shards together with numpy.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

# Returns service times: of the generator, a question's number, and the number of its requests.
Service = Callable[[np.random.Generator, int, int], Seconds]

# The quantile of a shard's answers after which a second request is sent.
_HEDGED = 0.95
# The most of a merger's time that is work, on average; there are as many mergers as that takes.
_BUSY = 0.5
_PILOT = 500  # questions that show when a second request is due


@dataclass(frozen=True)
class Round:
    """A step that shards take for a question.

    Attributes:
        service: how long it takes a shard.
        most: how many shards take it, drawn at random; all if not given.
    """

    service: Service
    most: int | None = None


@dataclass(frozen=True)
class Cluster:
    """What serves the questions.

    Attributes:
        shards: how many are asked for each question.
        replicas: of each shard; a request goes to the one that will be free first.
        hedged: whether a request that takes longer than 95 of 100 is sent to another replica, too.
        straggle: the share of requests that are held up, whatever they ask for.
        straggle_seconds: for how long, on average (exponential).
        limit: seconds of a round after which a shard that has not answered is left out.
        reply_seconds: of a merger's processor, for each request and its reply.
        tree: whether there are two levels of mergers.
        hop_seconds: of the network, there and back.
    """

    shards: int
    replicas: int = 1
    hedged: bool = False
    straggle: float = 0.0
    straggle_seconds: float = 0.1
    limit: float = math.inf
    reply_seconds: float = 0.0
    tree: bool = False
    hop_seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What became of the questions.

    Attributes:
        seconds: ``(questions,)`` of each.
        searched: ``(questions,)`` the share of the shards that answered in time.
        requests: to a shard for each that was to be sent; 1 without second requests.
        mergers: how many mergers' processors are needed.
    """

    seconds: Seconds
    searched: Seconds
    requests: float
    mergers: int

    def percentile(self, percent: float) -> float:
        """Return a percentile of the seconds."""
        return float(np.percentile(self.seconds, percent))


def simulate(
    cluster: Cluster, rate: float, rounds: Sequence[Round], questions: int, seed: int = 0
) -> Outcome:
    """Let questions come and return what became of them, up to their candidates.

    Args:
        rate: questions a second.
    """
    due = [math.inf] * len(rounds)
    if cluster.hedged and cluster.replicas > 1:
        pilot = _Run(replace(cluster, hedged=False), rate, rounds, due, seed + 1)
        pilot.go(min(_PILOT, questions))
        due = [float(np.quantile(np.concatenate(taken), _HEDGED)) for taken in pilot.taken]
    run = _Run(cluster, rate, rounds, due, seed)
    return run.go(questions)


class _Shards:
    """The queues of all shards' replicas."""

    def __init__(self, cluster: Cluster, rng: np.random.Generator) -> None:
        self._cluster = cluster
        self._rng = rng
        self._free = np.zeros((cluster.shards, cluster.replicas))
        self.requests = 0

    def ask(
        self,
        service: Service,
        question: int,
        at: float,
        shards: Places,
        asked: Places | None = None,
    ) -> tuple[Seconds, Places]:
        """Send a request to each of some shards.

        Args:
            asked: ``(shards,)`` the replica of each that has the request already.

        Returns:
            ``(shards,)`` when each answers, and its replica that does.
        """
        free = self._free[shards]
        if asked is not None:
            free[np.arange(len(shards)), asked] = math.inf
        replicas = free.argmin(axis=1)
        took = service(self._rng, question, len(shards))
        if self._cluster.straggle:
            held = np.flatnonzero(self._rng.random(len(shards)) < self._cluster.straggle)
            took[held] += self._rng.exponential(self._cluster.straggle_seconds, len(held))
        done = np.maximum(free[np.arange(len(shards)), replicas], at) + took
        self._free[shards, replicas] = done
        self.requests += len(shards)
        return done, replicas


class _Mergers:
    """The queues of the mergers, which take questions in turn."""

    def __init__(self, cluster: Cluster, rate: float, rounds: int) -> None:
        self._cluster = cluster
        self._groups = math.ceil(math.sqrt(cluster.shards)) if cluster.tree else 1

        def needed(replies: int) -> int:
            work = rounds * replies * cluster.reply_seconds
            return max(1, math.ceil(rate * work / _BUSY))

        group = math.ceil(cluster.shards / self._groups)
        self._first = np.zeros((self._groups, needed(group)))
        self._last = np.zeros(needed(self._groups) if cluster.tree else 0)
        self.count = self._first.size + self._last.size

    def merge(self, question: int, shards: Places, answered: Seconds) -> float:
        """Return when a question's replies are merged.

        Args:
            answered: ``(shards,)`` when each reply came.
        """
        each, hop = self._cluster.reply_seconds, self._cluster.hop_seconds
        replies = np.bincount(shards % self._groups, minlength=self._groups)
        ready = np.full(self._groups, -math.inf)
        np.maximum.at(ready, shards % self._groups, answered + hop)
        turn = question % self._first.shape[1]
        asked = replies > 0
        begun = np.maximum(ready, self._first[:, turn])[asked]
        self._first[asked, turn] = begun + replies[asked] * each
        merged = float(self._first[asked, turn].max())
        if not self._cluster.tree:
            return merged
        turn = question % len(self._last)
        begun_last = max(merged + hop, self._last[turn])
        self._last[turn] = begun_last + np.count_nonzero(asked) * each
        return float(self._last[turn])


@dataclass(slots=True)
class _Asked:
    """A question in a round."""

    shards: Places
    began: float
    answered: Seconds
    replicas: Places


class _Run:
    """One run of the simulation.

    Args:
        due: of each round, seconds after which a second request is sent.
    """

    def __init__(
        self,
        cluster: Cluster,
        rate: float,
        rounds: Sequence[Round],
        due: Sequence[float],
        seed: int,
    ) -> None:
        self._cluster, self._rate, self._rounds, self._due = cluster, rate, rounds, due
        self._rng = np.random.default_rng(seed)
        self._shards = _Shards(cluster, self._rng)
        self._mergers = _Mergers(cluster, rate, len(rounds))
        self._everyone = np.arange(cluster.shards)
        self._in_time: dict[int, Places] = {}  # of questions for which a shard was late
        self._wanted = 0
        self.taken: list[list[Seconds]] = [[] for _ in rounds]  # of each round's requests

    def go(self, questions: int) -> Outcome:
        """Let questions come until all are done."""
        arrivals = self._rng.exponential(1 / self._rate, questions).cumsum()
        done = np.zeros(questions)
        searched = np.ones(questions)
        asked: dict[int, _Asked] = {}
        order = count()
        # (moment, order, question, round, what happens)
        events = [(float(at), next(order), n, 0, "begin") for n, at in enumerate(arrivals)]
        while events:
            at, _, question, number, what = heapq.heappop(events)
            if what == "begin":
                one = asked[question] = self._begin(question, number, at)
                late = at + self._due[number]
                follows = (late, "again") if one.answered.max() > late else self._end(one)
            elif what == "again":
                one = asked[question]
                self._ask_again(question, number, one)
                follows = self._end(one)
            else:
                one = asked.pop(question)
                at = self._mergers.merge(question, one.shards, self._cut(question, number, one))
                number += 1
                left = self._in_time.get(question)
                if number == len(self._rounds) or (left is not None and not len(left)):
                    done[question] = at
                    if left is not None:
                        searched[question] = len(self._in_time.pop(question)) / len(self._everyone)
                    continue
                follows = (at, "begin")
            heapq.heappush(events, (follows[0], next(order), question, number, follows[1]))
        requests = self._shards.requests / self._wanted
        return Outcome(done - arrivals, searched, requests, self._mergers.count)

    def _begin(self, question: int, number: int, at: float) -> _Asked:
        step = self._rounds[number]
        shards = self._in_time.get(question)
        if shards is None:
            shards = self._everyone
        if step.most is not None and step.most < len(shards):
            shards = self._rng.choice(shards, step.most, replace=False)
        answered, replicas = self._shards.ask(step.service, question, at, shards)
        self._wanted += len(shards)
        return _Asked(shards, at, answered, replicas)

    def _ask_again(self, question: int, number: int, one: _Asked) -> None:
        at = one.began + self._due[number]
        late = np.flatnonzero(one.answered > at)
        again, _ = self._shards.ask(
            self._rounds[number].service, question, at, one.shards[late], one.replicas[late]
        )
        one.answered[late] = np.minimum(one.answered[late], again)

    def _end(self, one: _Asked) -> tuple[float, str]:
        """Return when a round ends, and what happens then."""
        return min(float(one.answered.max()), one.began + self._cluster.limit), "merge"

    def _cut(self, question: int, number: int, one: _Asked) -> Seconds:
        """Leave out the shards that are late, and return when each has answered or was left."""
        self.taken[number].append(one.answered - one.began)
        until = one.began + self._cluster.limit
        late = one.shards[one.answered > until]
        if len(late):
            left = self._in_time.get(question)
            left = self._everyone if left is None else left
            self._in_time[question] = np.setdiff1d(left, late, assume_unique=True)
        cut: Seconds = np.minimum(one.answered, until)
        return cut
