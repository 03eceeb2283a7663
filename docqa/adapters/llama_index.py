"""For LlamaIndex: a retriever over an index, and a query engine whose responses are citations."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.response.schema import Response
from llama_index.core.query_engine import CustomQueryEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from docqa.passage import citation, passages
from docqa.qa import DocQA

_NO_ANSWER = "The documents hold no answer to this."


class DocQARetriever(BaseRetriever):
    """Finds the passages of an index that a query is about.

    Each node's ``metadata`` says where it stands: ``document`` (the file's path), ``title``,
    ``heading_path``, ``page``, ``line``, ``start``, ``end``.

    Args:
        qa: the index.
        top_k: the most passages.
    """

    def __init__(self, qa: DocQA, top_k: int = 10, **options: Any) -> None:
        super().__init__(**options)
        self._qa = qa
        self._top_k = top_k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        with self._qa.snapshot() as store:
            return [
                NodeWithScore(
                    node=TextNode(
                        id_=str(found.id),
                        text=found.text,
                        metadata=found.place,
                        start_char_idx=found.start,
                        end_char_idx=found.end,
                    ),
                    score=found.score,
                )
                for found in passages(store, self._qa.search(query_bundle.query_str, self._top_k))
            ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class DocQAQueryEngine(CustomQueryEngine):
    """Answers with the documents' own words; no model writes anything.

    The response is the best answer's citation. ``source_nodes`` are all answers, each in the
    sentences around it, with what ``Answer.to_dict`` says in the node's metadata.

    Attributes:
        qa: the index.
        top_k: the most answers.
    """

    qa: DocQA
    top_k: int = 3

    def custom_query(self, query_str: str) -> Response:
        """Return the answers to a question as a response."""
        answers = self.qa.ask(query_str, self.top_k)
        nodes = [
            NodeWithScore(
                node=TextNode(
                    text=answer.context,
                    metadata=answer.to_dict(),
                    start_char_idx=answer.start - answer.context_start,
                    end_char_idx=answer.start - answer.context_start + len(answer.context),
                ),
                score=answer.confidence if answer.probability is None else answer.probability,
            )
            for answer in answers
        ]
        best = answers[0] if answers else None
        shown = citation(best.text, best.document, best.page, best.line) if best else _NO_ANSWER
        return Response(response=shown, source_nodes=nodes)

    async def acustom_query(self, query_str: str) -> Response:
        """Return the answers to a question as a response, read in a thread of its own."""
        return await asyncio.to_thread(self.custom_query, query_str)
