"""The retriever and the tool in LangChain's own calls."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

pytest.importorskip("langchain_core", reason="the extra docqa[langchain] is not installed")

from langchain_core.runnables import RunnableLambda

from docqa import Answer, DocQA
from docqa.adapters.langchain import DocQARetriever, make_tool
from tests.conftest import LEASE


def test_passages_are_retrieved_with_their_place(qa: DocQA) -> None:
    retriever = DocQARetriever(qa=qa, k=2)
    documents = retriever.invoke("When may a notice be signed?")
    assert len(documents) == 2
    best = documents[0]
    assert Path(best.metadata["document"]).name == "lease.txt"
    assert best.page_content == LEASE[best.metadata["start"] : best.metadata["end"]]
    assert asyncio.run(retriever.ainvoke("When may a notice be signed?")) == documents
    chain = retriever | RunnableLambda(len)
    assert chain.batch(["When may a notice be signed?", "the landlord"]) == [2, 2]


def test_the_tool_gives_the_model_citations_and_the_program_answers(qa: DocQA) -> None:
    tool = make_tool(qa, top_k=1)
    call = {"type": "tool_call", "id": "1", "name": tool.name}
    message = tool.invoke(call | {"args": {"question": "Who designed the rocket?"}})
    assert message.content.startswith("1. “Jean-Luc Ferrand” (")
    assert "rocket.md, line 3)" in message.content
    [answer] = message.artifact
    assert isinstance(answer, Answer)
    assert tool.args["question"]["type"] == "string"


def test_a_question_that_can_t_be_asked_is_the_tool_s_result(qa: DocQA) -> None:
    tool = make_tool(qa)
    call = {"type": "tool_call", "id": "1", "name": tool.name, "args": {"question": " "}}
    message = tool.invoke(call)
    assert (message.status, message.content) == ("error", "the question is empty")
