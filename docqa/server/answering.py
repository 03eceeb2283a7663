"""Questions to what clients get: answers and hits with the numbers and names of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docqa.index.hit import Hit
from docqa.index.protocols import Documents
from docqa.passage import passages
from docqa.server.documents import Catalog, Names

if TYPE_CHECKING:
    from docqa.qa import DocQA

# What clients see of a hit.
_HIT = (
    *("document", "document_id", "title", "heading_path", "start", "end", "text"),
    *("page", "line", "score"),
)


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What questions that are read together have in common.

    Attributes:
        top_k, evidence, candidates: as for :meth:`docqa.qa.DocQA.results`.
        within: folders, files and globs, as the client wrote them.
    """

    top_k: int
    evidence: int
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

    @property
    def answers(self) -> list[dict[str, Any]]:
        """The answers among the values."""
        answers: list[dict[str, Any]] = self.values["answers"]
        return answers


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
            within = names.meant(options.within)
            results, _ = self._qa.results(
                questions, options.top_k, options.candidates, within, options.evidence
            )
            answered = []
            for result in results:
                numbers = {hit.document: hit.document_id for hit in result.hits}
                answers, evidence = (
                    [
                        names.show_in(one.to_dict()) | {"document_id": numbers[one.document]}
                        for one in found
                    ]
                    for found in (result.answers, result.evidence)
                )
                values = {
                    "question": result.question,
                    "answers": answers,
                    "evidence": evidence,
                    "hits": _shown(store, names, result.hits),
                    "windows_read": result.windows_read,
                    "searched": str(result.searched),
                    "language_note": result.language_note and result.language_note.to_dict(),
                }
                answered.append(Answered(values, [answer.document for answer in result.answers]))
            return answered

    def search(self, questions: Sequence[str], k: int, within: Sequence[str]) -> list[Any]:
        """Return the best windows for questions; nothing is read."""
        with self._qa.snapshot() as store:
            names = self._catalog.names(store)
            found = self._qa.search_many(questions, k, names.meant(within))
            return [
                {
                    "question": question,
                    "hits": _shown(store, names, hits),
                    "searched": str(store.searched),
                }
                for question, hits in zip(questions, found, strict=True)
            ]

    def explain(self, question: str, within: Sequence[str], **numbers: Any) -> Any:
        """Return why a question is answered as it is."""
        with self._qa.snapshot() as store:
            names = self._catalog.names(store)
            explanation = self._qa.explain(question, **numbers, within=names.meant(within))
            return names.show_in(explanation.to_dict())


def _shown(store: Documents, names: Names, hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Return hits as clients see them."""
    return [
        names.show_in({name: getattr(found, name) for name in _HIT})
        for found in passages(store, hits)
    ]
