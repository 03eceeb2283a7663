"""Where the work for agents is done: at once in a program of one's own, or in a server's queue."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from docqa.server.answering import Answering, AskOptions
from docqa.server.documents import Catalog, Names

if TYPE_CHECKING:
    from docqa.index.protocols import Documents
    from docqa.qa import DocQA

_Result = TypeVar("_Result")

# As a question without further wishes has: so questions of agents and people are read together.
_CANDIDATES = 10


class Desk(Protocol):
    """Does what the tools for agents ask for.

    Attributes:
        qa: the index and its models.
        catalog: how its documents are listed and named.
    """

    @property
    def qa(self) -> DocQA: ...

    @property
    def catalog(self) -> Catalog: ...

    async def ask(self, question: str, top_k: int, within: Sequence[str]) -> dict[str, Any]:
        """Return what comes of a question as clients see it.

        Raises:
            RefusedError: there is no room for the question, or it is too long.
            DocQAError: as :meth:`docqa.qa.DocQA.ask` raises them.
        """

    async def look(self, call: Callable[[Documents, Names], _Result]) -> _Result:
        """Return what a call returns, made in a thread that holds a snapshot of the index.

        Raises:
            RefusedError: there is no room for it.
            IndexMissingError: there is no index.
        """


class OwnDesk:
    """Works at once, for the only program there is.

    Args:
        qa: the index and its models.
        catalog: how its documents are listed and named.
    """

    def __init__(self, qa: DocQA, catalog: Catalog) -> None:
        self.qa = qa
        self.catalog = catalog
        self._answering = Answering(qa, catalog)

    async def ask(self, question: str, top_k: int, within: Sequence[str]) -> dict[str, Any]:
        """Return what comes of a question; see :class:`Desk`."""
        options = ask_options(top_k, within)
        [answered] = await asyncio.to_thread(self._answering.ask, [question], options)
        return answered.values

    async def look(self, call: Callable[[Documents, Names], _Result]) -> _Result:
        """Return what a call returns; see :class:`Desk`."""
        return await asyncio.to_thread(look_at, self.qa, self.catalog, call)


def ask_options(top_k: int, within: Sequence[str]) -> AskOptions:
    """Return how an agent's question is read."""
    return AskOptions(top_k, 0, _CANDIDATES, tuple(within))


def look_at(qa: DocQA, catalog: Catalog, call: Callable[[Documents, Names], _Result]) -> _Result:
    """Return what a call returns of the index as it is, and of how its paths are shown."""
    with qa.snapshot() as store:
        return call(store, catalog.names(store))
