"""For LangChain: a retriever over an index, and a tool that answers in the documents' words."""

from __future__ import annotations

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, ToolException

from docqa.errors import DocQAError
from docqa.passage import citation, passages
from docqa.qa import DocQA

_NO_ANSWER = "The documents hold no answer to this."


class DocQARetriever(BaseRetriever):
    """Finds the passages of an index that a query is about.

    Each document's ``metadata`` says where it stands: ``document`` (the file's path), ``title``,
    ``heading_path``, ``page``, ``line``, ``start``, ``end``; and its ``score``.

    Attributes:
        qa: the index.
        k: the most passages.
    """

    qa: DocQA
    k: int = 10

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        with self.qa.snapshot() as store:
            return [
                Document(
                    id=str(found.id),
                    page_content=found.text,
                    metadata=found.place | {"score": found.score},
                )
                for found in passages(store, self.qa.search(query, self.k))
            ]


def make_tool(
    qa: DocQA, top_k: int = 3, name: str = "ask_documents", description: str | None = None
) -> BaseTool:
    """Return a tool that answers a question with the documents' words and their place.

    The model sees the citations, the program gets the :class:`docqa.Answer` objects as the tool's
    artifact. A question that can't be asked is the tool's result.

    Args:
        top_k: the most answers.
        name, description: what the model sees of the tool.
    """

    def ask(question: str) -> tuple[str, list[Any]]:
        try:
            answers = qa.ask(question, top_k)
        except DocQAError as error:
            raise ToolException(str(error)) from error
        lines = [
            citation(answer.text, answer.document, answer.page, answer.line)
            + (", doubtful" if answer.doubtful else "")
            + f"\n   {' '.join(answer.context.split())}"
            for answer in answers
        ]
        shown = "\n".join(f"{n}. {line}" for n, line in enumerate(lines, 1))
        return shown or _NO_ANSWER, answers

    return StructuredTool.from_function(
        ask,
        name=name,
        description=description
        or "Answer a question from the user's documents, in their own words, with their place.",
        response_format="content_and_artifact",
        handle_tool_error=True,
    )
