"""The tools for agents, used by the protocol's own client over both transports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra docqa[mcp] is not installed")

import anyio
import httpx2
from fastapi.testclient import TestClient
from fpdf import FPDF
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from docqa import DocQA
from docqa.server.agents import mount_mcp
from docqa.server.answering import Answered, Answering, AskOptions
from docqa.server.app import create_app
from docqa.server.desk import OwnDesk
from docqa.server.documents import Catalog
from docqa.server.mcp import make_mcp
from docqa.server.settings import ServerLimits, ServerSettings
from tests.conftest import LEASE, write_documents
from tests.docqa.server.conftest import client_of


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


def desk(qa: DocQA, show_paths: bool = False) -> OwnDesk:
    """Where tools work that have the index to themselves, in these tests without uploads."""
    return OwnDesk(qa, Catalog(Path("nowhere"), show_paths))


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

    with_client(make_mcp(desk(qa, show_paths)), call)
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

    with_client(make_mcp(desk(qa)), look)


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
    for within, words in (
        (["nothing"], "the tool documents lists what there is"),
        (["/etc"], "name folders and files as answers show them"),
        (["../*"], "name folders and files as answers show them"),
        ([""], "a folder, a file or a glob has a name"),
    ):
        error = calls(qa, "ask", question="Who is the landlord?", within=within)["error"]
        assert error.endswith(words)


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
        r"caf\udce9.txt", "lease.txt", "manuals/crane.pdf", "rocket.md",
    ]  # fmt: skip
    for one in listed["documents"]:
        assert calls(qa, "read", document=one["document"])["length"] == one["characters"]
    first = calls(qa, "documents", limit=3)
    assert first["next_offset"] == 3
    assert calls(qa, "documents", offset=3)["next_offset"] is None
    assert calls(qa, "documents", part="CRANE")["total"] == 1
    assert calls(qa, "documents", part="%")["total"] == 0


def test_folders_above_the_documents_can_t_be_guessed(qa: DocQA, index: Path) -> None:
    """A part of a path was looked for in the whole path, which the agent does not see."""
    above = index.parent.name
    assert calls(qa, "documents", part=above)["total"] == 0
    assert "error" in calls(qa, "search", query="rent", within=[f"{above[:3]}*"])
    assert calls(qa, "documents", part=above, show_paths=True)["total"] == 4


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


@pytest.mark.slow
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


@pytest.mark.slow
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


def application(qa: DocQA) -> Starlette:
    app = Starlette(routes=[Route("/", lambda request: PlainTextResponse("the page"))])
    mount_mcp(app, desk(qa), 60)
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
        ("localhost", {}, 200),
        ("192.168.1.7:8080", {}, 200),
        ("docs.example", {}, 200),
        ("localhost:1", {"origin": "http://localhost:1"}, 200),
        ("evil.example", {}, 421),
        ("localhost.evil.example:1", {}, 421),
        ("localhost:1", {"origin": "http://evil.example"}, 403),
        ("localhost:1", {"content-type": "text/plain"}, 415),
    ],
)
def test_the_tools_are_reached_under_the_server_s_names_and_by_no_other_web_page(
    served: ServerSettings, host: str, headers: dict[str, str], status: int
) -> None:
    """The server's names without a port, and addresses in numbers, were refused."""

    async def use(http: httpx2.AsyncClient) -> None:
        content = {"content-type": "application/json"} | headers
        answer = await http.post("/mcp", content=json.dumps(_CALL), headers=_ACCEPT | content)
        assert answer.status_code == status
        if status == 403:
            assert (await http.get("/mcp", headers=_ACCEPT | headers)).status_code == status

    over_http(create_app(replace(served, names=("docs.example",))), use, host)


def test_a_huge_body_is_refused_before_it_is_read_as_json(qa: DocQA) -> None:
    async def use(http: httpx2.AsyncClient) -> None:
        answer = await http.post("/mcp", json={"x": "y" * 100_000}, headers=_ACCEPT)
        assert answer.status_code == 413

    over_http(application(qa), use)


# -- in the server, among its other clients --------------------------------------------------------


def call_of(question: str) -> dict[str, Any]:
    """The request that calls the tool ``ask``."""
    called = {"name": "ask", "arguments": {"question": question}}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": called}


class Gate:
    """Lets the server's reader read, or holds it."""

    def __init__(self) -> None:
        self.is_open = threading.Event()
        self.is_open.set()
        self.began = threading.Semaphore(0)
        self.batches: list[list[str]] = []


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    real = Answering.ask

    def ask(self: Answering, questions: Sequence[str], options: AskOptions) -> list[Answered]:
        gate.batches.append(list(questions))
        gate.began.release()
        gate.is_open.wait()
        return real(self, questions, options)

    monkeypatch.setattr(Answering, "ask", ask)
    yield gate
    gate.is_open.set()


def hold(gate: Gate, client: TestClient, pool: ThreadPoolExecutor) -> None:
    """Let the reader read a question of a person, and hold it there."""
    while gate.began.acquire(blocking=False):
        pass
    gate.is_open.clear()
    pool.submit(client.post, "/api/ask", json={"question": "Who may sign?"})
    gate.began.acquire()


def wait_for(client: TestClient, waiting: int) -> None:
    """Return when that many questions wait for the reader."""
    while f"docqa_questions_waiting {waiting}.0" not in client.get("/metrics").text:
        sleep(0.01)


def test_questions_of_agents_and_people_are_read_together(
    served: ServerSettings, gate: Gate
) -> None:
    """Agents' questions went past the queue: each was read at once, and by itself."""
    with client_of(served) as client, ThreadPoolExecutor() as pool:
        hold(gate, client, pool)
        agent = pool.submit(client.post, "/mcp", json=call_of("What is the rent?"), headers=_ACCEPT)
        wait_for(client, 1)
        person = pool.submit(client.post, "/api/ask", json={"question": "When does it end?"})
        wait_for(client, 2)
        gate.is_open.set()
        result = agent.result().json()["result"]["structuredContent"]
        assert result.keys() == {"answers", "note"}
        assert person.result().status_code == 200
    assert gate.batches[-1] == ["What is the rent?", "When does it end?"]


def test_a_full_queue_is_a_503_for_agents_too(served: ServerSettings, gate: Gate) -> None:
    settings = replace(served, limits=ServerLimits(waiting=1))
    with client_of(settings) as client, ThreadPoolExecutor() as pool:
        hold(gate, client, pool)
        waits = pool.submit(client.post, "/mcp", json=call_of("What is the rent?"), headers=_ACCEPT)
        wait_for(client, 1)
        refused = client.post("/mcp", json=call_of("Who?"), headers=_ACCEPT)
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        assert "too many questions" in refused.json()["error"]["message"]
        assert client.post("/api/ask", json={"question": "Who?"}).status_code == 503
        gate.is_open.set()
        assert waits.result().status_code == 200
        counted = client.get("/metrics").text
    assert 'docqa_requests_total{method="POST",route="/mcp",status="503"} 1.0' in counted


def test_an_agent_that_waits_too_long_is_told_so_and_leaves_the_queue(
    served: ServerSettings, gate: Gate
) -> None:
    settings = replace(served, limits=ServerLimits(answer_seconds=0.5))
    with client_of(settings) as client, ThreadPoolExecutor() as pool:
        hold(gate, client, pool)
        late = client.post("/mcp", json=call_of("What is the rent?"), headers=_ACCEPT)
        assert late.status_code == 503
        assert "too long" in late.json()["error"]["message"]
        wait_for(client, 0)
        gate.is_open.set()
    assert ["What is the rent?"] not in gate.batches


def test_the_protocol_s_client_hears_why_it_was_refused(served: ServerSettings, gate: Gate) -> None:
    app = create_app(replace(served, limits=ServerLimits(waiting=1)))

    async def use(http: httpx2.AsyncClient) -> None:
        while (await http.get("/readyz")).status_code != 200:
            await anyio.sleep(0.05)
        transport = streamable_http_client("http://localhost:1/mcp", http_client=http)
        async with Client(transport) as client, anyio.create_task_group() as group:
            gate.is_open.clear()
            for question, waiting in (("Who may sign?", 0), ("What is the rent?", 1)):
                body = {"question": question}
                group.start_soon(lambda body=body: http.post("/api/ask", json=body, timeout=60))
                shown = f"docqa_questions_waiting {waiting}.0"
                while len(gate.batches) < 2 or shown not in (await http.get("/metrics")).text:
                    await anyio.sleep(0.01)
            with pytest.raises(MCPError, match="too many questions"):
                await client.call_tool("ask", {"question": "When?"})
            gate.is_open.set()

    over_http(app, use)


def test_a_question_that_is_too_long_is_refused_as_everywhere(served: ServerSettings) -> None:
    with client_of(served) as client:
        reply = client.post("/mcp", json=call_of("x" * 2_001), headers=_ACCEPT)
        result = reply.json()["result"]
        assert result["isError"]
        assert "2,000 characters" in result["content"][0]["text"]
