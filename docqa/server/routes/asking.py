"""Questions: ``/api/ask``, ``/api/search``, ``/api/explain``."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from docqa.question import check_question
from docqa.server.answering import Answered, AskOptions
from docqa.server.replies import Json
from docqa.server.routes.forms import (
    REFUSALS,
    AskReply,
    AskRequest,
    ExplainRequest,
    SearchReply,
    SearchRequest,
    check_number,
    checked_questions,
)
from docqa.server.service import Service
from docqa.server.work import for_client


def asking_routes(service: Service) -> APIRouter:
    """Return the routes that answer questions."""
    routes = APIRouter(prefix="/api", tags=["questions"], responses=REFUSALS)
    limits = service.settings.limits

    @routes.post("/ask", response_model=AskReply, summary="Ask the documents")
    async def ask(request: Request, asked: AskRequest) -> Response:
        """Answer one question or several in the documents' own words, best answer first."""
        questions = checked_questions(asked.question, limits)
        check_number("top_k", asked.top_k, limits.answers)
        check_number("evidence", asked.evidence, limits.answers)
        check_number("candidates", asked.candidates, limits.candidates)
        for question in questions:
            check_question(question)
        options = AskOptions(asked.top_k, asked.evidence, asked.candidates, tuple(asked.within))
        began = perf_counter()
        work = _ask(service, questions, options, asked.boxes)
        results = await for_client(request, limits.answer_seconds, work)
        return Json({"results": results, "seconds": round(perf_counter() - began, 4)})

    @routes.post("/search", response_model=SearchReply, summary="Search without reading")
    async def search(request: Request, asked: SearchRequest) -> Response:
        """List the windows of text that are found for one question or several."""
        questions = checked_questions(asked.question, limits)
        check_number("candidates", asked.candidates, limits.candidates)
        began = perf_counter()
        results = await for_client(
            request,
            limits.answer_seconds,
            service.threads.run(
                service.answering.search, questions, asked.candidates, asked.within
            ),
        )
        return Json({"results": results, "seconds": round(perf_counter() - began, 4)})

    @routes.post("/explain", summary="Explain an answer")
    async def explain(request: Request, asked: ExplainRequest) -> Response:
        """Show why a question is answered as it is: windows, tokens, probabilities."""
        [question] = checked_questions(asked.question, limits)
        check_number("top_k", asked.top_k, limits.answers)
        check_number("candidates", asked.candidates, limits.candidates)
        check_number("windows", asked.windows, limits.windows)
        call = partial(
            service.answering.explain,
            question,
            asked.within,
            candidates=asked.candidates,
            top_k=asked.top_k,
            windows=asked.windows,
            expected=asked.expected or None,
        )
        work = service.threads.run(call)
        return Json(await for_client(request, limits.answer_seconds, work))

    return routes


async def _ask(
    service: Service, questions: list[str], options: AskOptions, boxes: bool
) -> list[dict[str, Any]]:
    answered = await service.ask(questions, options)
    if boxes and any(one.files for one in answered):
        await service.drawing.run(_add_boxes, service, answered)
    else:
        for one in answered:
            for answer in one.answers:
                answer["boxes"] = []
    return [one.values for one in answered]


def _add_boxes(service: Service, answered: list[Answered]) -> None:
    with service.qa.snapshot() as store:
        for one in answered:
            for answer, file in zip(one.answers, one.files, strict=True):
                answer["boxes"] = (
                    service.pictures.boxes(
                        file, answer["start"], answer["end"], store.document_at(file)
                    )
                    if answer["page"] is not None
                    else []
                )
