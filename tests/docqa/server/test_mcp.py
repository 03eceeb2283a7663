"""The tools for agents, used by the protocol's own client over both transports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra docqa[mcp] is not installed")

import anyio
import httpx2
from fpdf import FPDF
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from docqa import DocQA
from docqa.server.mcp import make_mcp, mount_mcp
from tests.conftest import LEASE, write_documents


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agents")
    documents = write_documents(folder / "documents")
    pdf = FPDF()
    pdf.set_font("helvetica", size=12)
    for n, words in enumerate(("The first page.", "The crane lifts nine tonnes.", "The end."), 1):
        pdf.add_page()
        pdf.multi_cell(0, 8, f"{words} It is page number {n} of the manual.")
    (documents / "manuals").mkdir()
    pdf.output(str(documents / "manuals" / "crane.pdf"))
    (documents / os.fsdecode(b"caf\xe9.txt")).write_text("The coffee costs two euros.\n")
    with DocQA(folder / "index") as qa:
        qa.index([documents])
    return folder / "index"


@pytest.fixture(scope="module")
def qa(index: Path) -> DocQA:
    return DocQA(index)


def with_client(server: Any, use: Callable[[Client], Awaitable[None]]) -> None:
    """Connect the protocol's client to a server and use it."""

    async def session() -> None:
        async with Client(server) as client:
            await use(client)

    anyio.run(session)


def calls(qa: DocQA, tool: str, show_paths: bool = False, **arguments: Any) -> dict[str, Any]:
    """What a tool returns; of an error its text, as ``error``."""
    result: dict[str, Any] = {}

    async def call(client: Client) -> None:
        answer = await client.call_tool(tool, arguments)
        if answer.is_error:
            result["error"] = answer.content[0].text  # type: ignore[union-attr]
        else:
            assert answer.structured_content is not None
            assert json.loads(answer.content[0].text) == answer.structured_content  # type: ignore[union-attr]
            result.update(answer.structured_content)

    with_client(make_mcp(qa, show_paths=show_paths), call)
    return result


def test_the_tools_only_read_and_say_what_they_take_and_return(qa: DocQA) -> None:
    async def look(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"ask", "search", "read", "documents", "quote_check"}
        for tool in tools.values():
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint
            assert not tool.annotations.open_world_hint
            assert tool.description is not None
            assert len(tool.description) < 300
            assert tool.output_schema is not None
            assert all("description" in given for given in tool.input_schema["properties"].values())
        assert client.instructions is not None

    with_client(make_mcp(qa), look)


def test_an_answer_is_the_document_s_own_words_with_a_citation(qa: DocQA) -> None:
    best = calls(qa, "ask", question="When does the lease end?", top_k=1)["answers"][0]
    assert best["document"] == "lease.txt"
    assert LEASE[best["start"] : best["end"]] == best["text"]
    assert best["citation"] == f"\u201c{best['text']}\u201d (lease.txt, line 4)"
    best = calls(qa, "ask", question="How much does the crane lift?", top_k=1)["answers"][0]
    assert (best["document"], best["page"]) == ("manuals/crane.pdf", 2)
    assert best["citation"].endswith(" (manuals/crane.pdf, p. 2)")


def test_an_agent_is_told_of_a_language_that_is_not_understood(qa: DocQA) -> None:
    found = calls(qa, "ask", question="Wer darf den Mietvertrag unterschreiben?")
    assert found["note"].startswith("The question seems to be in German;")
    assert calls(qa, "ask", question="When does the lease end?")["note"] is None


def test_search_returns_passages(qa: DocQA) -> None:
    passages = calls(qa, "search", query="liquid methane", top_k=2)["passages"]
    assert len(passages) == 2
    assert passages[0]["document"] == "rocket.md"
    assert "methane" in passages[0]["text"]


def test_only_the_documents_within_a_filter_are_looked_into(qa: DocQA) -> None:
    for within in (["manuals"], ["manuals/crane.pdf"], ["*.pdf"]):
        found = calls(qa, "search", query="liquid methane", within=within)["passages"]
        assert {one["document"] for one in found} == {"manuals/crane.pdf"}
        answers = calls(qa, "ask", question="Who is the landlord?", within=within)["answers"]
        assert {one["document"] for one in answers} <= {"manuals/crane.pdf"}
    for within in (["nothing"], ["/etc"], [""]):
        error = calls(qa, "ask", question="Who is the landlord?", within=within)["error"]
        assert error.endswith("the tool documents lists what there is")


def test_read_returns_pages_and_stretches(qa: DocQA) -> None:
    second = calls(qa, "read", document="manuals/crane.pdf", page=2)
    assert "nine tonnes" in second["text"]
    assert "first page" not in second["text"]
    assert (second["page"], second["pages"]) == (2, 3)
    both = calls(qa, "read", document="manuals/crane.pdf", last_page=2)
    assert "first page" in both["text"]
    assert "nine tonnes" in both["text"]
    whole = calls(qa, "read", document="lease.txt")
    assert (whole["text"], whole["next_start"]) == (LEASE, None)
    part = calls(qa, "read", document="lease.txt", start=5, end=15)
    assert (part["text"], part["next_start"]) == (LEASE[5:15], 15)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"document": "nothing.txt"}, "the tool documents lists"),
        ({"document": "../documents/lease.txt\x00"}, "no document"),
        ({"document": "/etc/passwd"}, "no document"),
        ({"document": "lease.txt", "page": 1}, "no pages"),
        ({"document": "manuals/crane.pdf", "page": 4}, "the document has 3"),
        ({"document": "manuals/crane.pdf", "page": 2, "last_page": 1}, "the document has 3"),
        ({"document": "manuals/crane.pdf", "page": 1, "start": 0}, "not both"),
        ({"document": "lease.txt", "start": 10_000}, "no text from"),
        ({"document": "lease.txt", "start": -1}, "greater than or equal to 0"),
    ],
)
def test_what_can_t_be_read_is_a_result_that_says_why(
    qa: DocQA, arguments: dict[str, Any], words: str
) -> None:
    assert words in calls(qa, "read", **arguments)["error"]


def test_documents_are_listed_and_each_can_be_read(qa: DocQA) -> None:
    listed = calls(qa, "documents")
    assert listed["total"] == 4
    assert [one["document"] for one in listed["documents"]] == [
        "lease.txt", "manuals/crane.pdf", "rocket.md", r"caf\udce9.txt",
    ]  # fmt: skip
    for one in listed["documents"]:
        assert calls(qa, "read", document=one["document"])["length"] == one["characters"]
    first = calls(qa, "documents", limit=3)
    assert first["next_offset"] == 3
    assert calls(qa, "documents", offset=3)["next_offset"] is None
    assert calls(qa, "documents", part="CRANE")["total"] == 1
    assert calls(qa, "documents", part="%")["total"] == 0


def test_a_quote_is_exact_or_shown_with_its_difference(qa: DocQA) -> None:
    exact = calls(qa, "quote_check", quote="The second stage burns liquid methane.")
    assert exact["exact"]
    assert exact["places"][0]["document"] == "rocket.md"
    near = calls(qa, "quote_check", quote="The second stage burns liquid hydrogen.")
    assert not near["exact"]
    assert "[-hydrogen-] {+methane+}" in near["places"][0]["difference"]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("ask", {"question": " "}, "the question is empty"),
        ("ask", {"question": "rent " * 5000}, "ask something shorter"),
        ("ask", {"question": "Who?", "top_k": 0}, "greater than or equal to 1"),
        ("ask", {}, "Field required"),
        ("search", {"query": ""}, "empty"),
        ("quote_check", {"quote": "..."}, "no words"),
        ("nothing", {}, "Unknown tool"),
    ],
)
def test_a_wrong_call_is_a_result_that_says_why(
    qa: DocQA, tool: str, arguments: dict[str, Any], words: str
) -> None:
    assert words in calls(qa, tool, **arguments)["error"]


def test_a_missing_index_is_a_result_that_names_no_folder(tmp_path: Path) -> None:
    with DocQA(tmp_path / "none") as qa:
        assert str(tmp_path) not in calls(qa, "documents")["error"]
        assert str(tmp_path) in calls(qa, "documents", show_paths=True)["error"]


def test_a_program_talks_to_the_command_over_stdio(index: Path) -> None:
    async def use(client: Client) -> None:
        answer = await client.call_tool("ask", {"question": "Who is the landlord?", "top_k": 1})
        assert answer.structured_content is not None
        [best] = answer.structured_content["answers"]
        assert "Margaret Holloway" in best["text"]
        assert Path(best["document"]).is_file(), "a program beside the files gets their paths"

    command = [sys.executable, "-m", "docqa", "mcp", "--index", str(index)]
    with_client(
        StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ)), use
    )


def test_the_command_ends_with_its_input_and_says_what_is_wrong(
    tmp_path: Path, index: Path
) -> None:
    command = [sys.executable, "-m", "docqa", "mcp", "--index"]
    ended = subprocess.run([*command, str(index)], input="", capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "")
    failed = subprocess.run([*command, str(tmp_path / "none")], capture_output=True, text=True)
    assert failed.returncode == 3
    assert "docqa index" in failed.stderr


# -- over HTTP, in process: each request goes through the application ------------------------------


def over_http(
    app: Starlette, use: Callable[[httpx2.AsyncClient], Awaitable[None]], host: str = "localhost:1"
) -> None:
    """Start an application and use it through a client that has no network."""

    async def session() -> None:
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(
                transport=httpx2.ASGITransport(app), base_url=f"http://{host}"
            ) as client,
        ):
            await use(client)

    anyio.run(session)


def application(qa: DocQA, **options: Any) -> Starlette:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("the page"))])
    mount_mcp(app, qa, **options)
    return app


def test_a_client_talks_to_the_server_over_http_beside_its_other_pages(qa: DocQA) -> None:
    async def use(http: httpx2.AsyncClient) -> None:
        assert (await http.get("/")).text == "the page"
        transport = streamable_http_client("http://localhost:1/mcp", http_client=http)
        async with Client(transport) as client:
            assert len((await client.list_tools()).tools) == 5
            answer = await client.call_tool("ask", {"question": "Who is the landlord?"})
            assert answer.structured_content is not None
            best = answer.structured_content["answers"][0]
            assert "Margaret Holloway" in best["text"]
            assert best["document"] == "lease.txt", "no path of the server"

    over_http(application(qa), use)


_CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
_ACCEPT = {"accept": "application/json, text/event-stream"}


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("localhost:1", {}, 200),
        ("localhost:1", {"origin": "http://localhost:1"}, 200),
        ("evil.example", {}, 421),
        ("localhost.evil.example:1", {}, 421),
        ("localhost:1", {"origin": "http://evil.example"}, 403),
        ("localhost:1", {"content-type": "text/plain"}, 400),
    ],
)
def test_no_web_page_of_another_name_reaches_the_tools(
    qa: DocQA, host: str, headers: dict[str, str], status: int
) -> None:
    async def use(http: httpx2.AsyncClient) -> None:
        content = {"content-type": "application/json"} | headers
        answer = await http.post("/mcp", content=json.dumps(_CALL), headers=_ACCEPT | content)
        assert answer.status_code == status

    over_http(application(qa), use, host)


def test_a_server_under_a_name_of_its_own_allows_that_name(qa: DocQA) -> None:
    async def use(http: httpx2.AsyncClient) -> None:
        assert (await http.post("/mcp", json=_CALL, headers=_ACCEPT)).status_code == 200

    over_http(application(qa, allowed_hosts=["docs.example"]), use, "docs.example")


def test_a_huge_body_is_refused_before_it_is_read_as_json(qa: DocQA) -> None:
    async def use(http: httpx2.AsyncClient) -> None:
        answer = await http.post("/mcp", json={"x": "y" * 100_000}, headers=_ACCEPT)
        assert answer.status_code == 413

    over_http(application(qa), use)
