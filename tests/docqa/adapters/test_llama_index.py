"""The retriever and the query engine in LlamaIndex's own calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("llama_index.core", reason="the extra docqa[llama-index] is not installed")

from docqa import DocQA
from docqa.adapters.llama_index import DocQAQueryEngine, DocQARetriever
from tests.conftest import LEASE


def test_passages_are_retrieved_with_their_place(qa: DocQA) -> None:
    retriever = DocQARetriever(qa, top_k=2)
    nodes = retriever.retrieve("When may a notice be signed?")
    assert len(nodes) == 2
    best = nodes[0].node
    assert Path(best.metadata["document"]).name == "lease.txt"
    assert best.get_content() == LEASE[best.metadata["start"] : best.metadata["end"]]
    again = asyncio.run(retriever.aretrieve("When may a notice be signed?"))
    assert [one.node_id for one in again] == [one.node_id for one in nodes]


def test_a_response_is_a_citation_with_its_sources(qa: DocQA) -> None:
    engine = DocQAQueryEngine(qa=qa, top_k=2)
    response = engine.query("Who designed the rocket?")
    assert str(response).startswith("“Jean-Luc Ferrand” (")
    assert str(response).endswith("rocket.md, line 3)")
    assert len(response.source_nodes) == 2
    best = response.source_nodes[0]
    context = best.node.get_content()
    assert "designed by" in context
    start, end = best.node.metadata["context_start"], best.node.metadata["context_end"]
    assert context[start:end] == "Jean-Luc Ferrand"
    assert str(asyncio.run(engine.aquery("Who designed the rocket?"))) == str(response)
