"""Questions to what clients get: answers and hits with the numbers and names of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docqa.answer import heading_path
from docqa.index.hit import Hit
from docqa.index.store import Store
from docqa.server.documents import Catalog, Names

if TYPE_CHECKING:
    from docqa.index.documents import StoredDocument
    from docqa.qa import DocQA


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What questions that are read together have in common.

    Attributes:
        top_k, candidates: as for :meth:`docqa.qa.DocQA.ask`.
        within: folders, files and globs, as the client wrote them.
    """

    top_k: int
    candidates: int
    within: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a question.

    Attributes:
        values: as clients get them.
        files: the path on the server of each answer's document.
    """

    values: dict[str, Any]
    files: list[str]


class Answering:
    """Asks and searches an index for clients.

    Args:
        qa: the index and its models.
        catalog: how its paths are shown.
    """

    def __init__(self, qa: DocQA, catalog: Catalog) -> None:
        self._qa = qa
        self._catalog = catalog

    def ask(self, questions: Sequence[str], options: AskOptions) -> list[Answered]:
        """Return what comes of questions that are read together."""
        with self._qa.snapshot() as store:
            names = self._catalog.names(store)
            results, _ = self._qa.results(
                questions, options.top_k, options.candidates, **_within(names, options.within)
            )
            show = _Shown(store, names)
            answered = []
            for result in results:
                numbers = {hit.document: hit.document_id for hit in result.hits}
                answers = [
                    answer.to_dict()
                    | {
                        "document": names.shown(answer.document),
                        "document_id": numbers[answer.document],
                    }
                    for answer in result.answers
                ]
                values = {
                    "question": result.question,
                    "answers": answers,
                    "hits": [show.hit(hit) for hit in result.hits],
                    "windows_read": result.windows_read,
                }
                answered.append(Answered(values, [answer.document for answer in result.answers]))
            return answered

    def search(self, questions: Sequence[str], k: int, within: Sequence[str]) -> list[Any]:
        """Return the best windows for questions; nothing is read."""
        with self._qa.snapshot() as store:
            names = self._catalog.names(store)
            found = self._qa.search_many(questions, k, **_within(names, within))
            show = _Shown(store, names)
            return [
                {"question": question, "hits": [show.hit(hit) for hit in hits]}
                for question, hits in zip(questions, found, strict=True)
            ]

    def explain(self, question: str, within: Sequence[str], **numbers: Any) -> Any:
        """Return why a question is answered as it is."""
        with self._qa.snapshot() as store:
            names = self._catalog.names(store)
            explanation = self._qa.explain(question, **numbers, **_within(names, within))
            return names.show_in(explanation.to_dict())


def _within(names: Names, within: Sequence[str]) -> dict[str, Any]:
    return {"within": names.meant(within)} if within else {}


class _Shown:
    """Hits as clients see them; each document is looked up once."""

    def __init__(self, store: Store, names: Names) -> None:
        self._store = store
        self._names = names
        self._documents: dict[int, StoredDocument] = {}

    def hit(self, hit: Hit) -> dict[str, Any]:
        document = self._documents.get(hit.document_id)
        if document is None:
            document = self._documents[hit.document_id] = self._store.document(hit.document_id)
        return {
            "document": self._names.shown(hit.document),
            "document_id": hit.document_id,
            "title": document.title,
            "heading_path": heading_path(document.outline, hit.start),
            "start": hit.start,
            "end": hit.end,
            "text": hit.text,
            "page": hit.page,
            "line": document.line_at(hit.start),
            "score": hit.score,
        }
