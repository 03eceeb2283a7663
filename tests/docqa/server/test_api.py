"""The addresses of the server: what clients send and get."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from docqa import DocQA
from docqa.server.routes.forms import AnswerForm
from docqa.server.settings import ServerSettings
from tests.conftest import write_documents
from tests.docqa.server.conftest import client_of


def number_of(client: TestClient, path: str) -> int:
    [listed] = client.get("/api/documents", params={"q": path}).json()["documents"]
    return int(listed["id"])


def test_an_answer_is_the_slice_of_its_document(client: TestClient) -> None:
    reply = client.post("/api/ask", json={"question": "Who may sign?", "top_k": 2}).json()
    [result] = reply["results"]
    assert result["question"] == "Who may sign?"
    for answer in result["answers"]:
        text = client.get(
            f"/api/documents/{answer['document_id']}/text",
            params={"start": answer["start"], "end": answer["end"]},
        ).json()["text"]
        assert text == answer["text"]
        assert answer["boxes"] == []


def test_the_server_answers_as_the_class_does(client: TestClient, served: ServerSettings) -> None:
    questions = ["Who may sign?", "what is the rent?", "rocket"]
    reply = client.post("/api/ask", json={"question": questions}).json()
    with DocQA(served.index, reader=served.reader) as qa:
        expected = qa.ask_many(questions)
    got = [[(a["text"], a["start"]) for a in r["answers"]] for r in reply["results"]]
    assert got == [[(a.text, a.start) for a in answers] for answers in expected]


def test_the_description_has_every_field_of_an_answer(client: TestClient) -> None:
    [result] = client.post("/api/ask", json={"question": "Who may sign?"}).json()["results"]
    assert result["answers"][0].keys() == AnswerForm.model_fields.keys()


def test_copies_of_an_answer_are_named_as_the_list_names_them(
    tmp_path: Path, tiny_reader: Path
) -> None:
    documents = write_documents(tmp_path / "contracts")
    shutil.copy(documents / "lease.txt", documents / "copy.txt")
    with DocQA(documents / ".docqa", reader=str(tiny_reader)) as qa:
        qa.index([documents])
    settings = ServerSettings(index=documents / ".docqa", reader=str(tiny_reader))
    with client_of(settings) as client:
        [result] = client.post("/api/ask", json={"question": "Who may sign?"}).json()["results"]
    of_lease = [one for one in result["answers"] if one["document"] != "rocket.md"]
    named = [{one["document"], *(place["document"] for place in one["also"])} for one in of_lease]
    assert named
    assert all(names == {"lease.txt", "copy.txt"} for names in named)


def test_hits_have_all_that_a_page_shows(client: TestClient) -> None:
    reply = client.post("/api/search", json={"question": "rent", "candidates": 2}).json()
    hits = reply["results"][0]["hits"]
    assert len(hits) == 2
    assert hits[0].keys() == {
        *("document", "document_id", "title", "heading_path", "start", "end", "text"),
        *("page", "line", "score"),
    }


def test_a_filter_is_written_as_answers_show_paths(client: TestClient) -> None:
    for within in (["lease.txt"], ["l*.txt"], ["nowhere", "./lease.txt"]):
        body = {"question": "rent", "within": within}
        for address in ("/api/ask", "/api/search"):
            hits = client.post(address, json=body).json()["results"][0]["hits"]
            assert {hit["document"] for hit in hits} == {"lease.txt"}


def test_documents_are_listed_by_page_and_by_words(client: TestClient) -> None:
    every = client.get("/api/documents").json()
    assert [one["path"] for one in every["documents"]] == ["lease.txt", "page.html", "rocket.md"]
    assert every["total"] == 3
    second = client.get("/api/documents?offset=1&limit=1").json()
    assert [one["path"] for one in second["documents"]] == ["page.html"]
    assert second["total"] == 3
    found = client.get("/api/documents", params={"q": "ROCK"}).json()
    assert [one["name"] for one in found["documents"]] == ["rocket.md"]
    assert found["documents"][0]["state"] == "ok"


def test_a_stretch_of_text_is_cut_to_what_there_is(client: TestClient) -> None:
    lease = number_of(client, "lease")
    whole = client.get(f"/api/documents/{lease}/text?end=900").json()
    assert whole["end"] == whole["length"] == len(whole["text"])
    past = client.get(f"/api/documents/{lease}/text?start=5000&end=5500").json()
    assert (past["text"], past["start"]) == ("", whole["length"])


def test_an_explanation_shows_paths_as_the_list_does(client: TestClient) -> None:
    found = client.post("/api/explain", json={"question": "What is the rent?"}).json()
    assert {window["document"] for window in found["windows"]} <= {
        "lease.txt",
        "rocket.md",
        "page.html",
    }


def test_the_description_names_every_address(client: TestClient) -> None:
    described = client.get("/api/openapi.json").json()
    assert {"/api/ask", "/api/documents", "/api/tasks/{task_id}/events"} <= described[
        "paths"
    ].keys()


def test_counts_hold_nothing_that_a_client_wrote(client: TestClient) -> None:
    client.post("/api/ask", json={"question": "a-secret-question"})
    client.get("/a-secret-path")
    text = client.get("/metrics").text
    assert 'docqa_requests_total{method="POST",route="/api/ask",status="200"}' in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"question": "  "}, "the question is empty"),
        ({"question": []}, "1 to 64 questions"),
        ({"question": ["x"] * 65}, "1 to 64 questions"),
        ({"question": "x" * 2_001}, "2,000 characters"),
        ({"question": "the " * 400}, "tokens"),
        ({"question": "x\ud800"}, "not valid Unicode"),
        ({"question": 7}, "question"),
        ({}, "question"),
        ({"question": "x", "top_k": 0}, "top_k"),
        ({"question": "x", "top_k": 51}, "top_k: at most 50"),
        ({"question": "x", "top_k": True}, "top_k"),
        ({"question": "x", "candidates": 10**30}, "candidates"),
        ({"question": "x", "topk": 3}, "topk"),
        ({"question": "x", "within": ["../.."]}, "within"),
        ({"question": "x", "within": ["/etc"]}, "within"),
        ({"question": "x", "within": "lease.txt"}, "within"),
        ({"question": "x", "within": ["nowhere"]}, "no document"),
    ],
)
def test_a_bad_question_gets_a_reason(
    client: TestClient, body: dict[str, Any], reason: str
) -> None:
    headers = {"Content-Type": "application/json"}
    reply = client.post("/api/ask", content=json.dumps(body), headers=headers)
    assert reply.status_code == 422
    assert reason in reply.json()["error"]
