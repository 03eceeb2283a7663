"""The components in Haystack's own pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack", reason="the extra docqa[haystack] is not installed")

from haystack import Document, Pipeline

from docqa import DocQAError, QuestionError
from docqa.adapters.haystack import DocQAReader, DocQARetriever
from tests.conftest import LEASE, ROCKET

DOCUMENTS = [
    Document(content=LEASE, meta={"name": "lease"}),
    Document(content=ROCKET),
    Document(content=None, meta={"name": "a picture"}),
    Document(content=""),
]


@pytest.fixture(scope="module")
def reader() -> DocQAReader:
    made = DocQAReader()
    made.warm_up()
    return made


def test_a_pipeline_retrieves_and_reads_and_survives_being_saved(index: Path) -> None:
    pipeline = Pipeline()
    pipeline.add_component("retriever", DocQARetriever(str(index), top_k=5))
    pipeline.add_component("reader", DocQAReader(top_k=2))
    pipeline.connect("retriever.documents", "reader.documents")
    loaded = Pipeline.loads(pipeline.dumps(), allowed_modules=["docqa.adapters.haystack"])
    query = "How much does the crane lift?"
    for one in (pipeline, loaded):
        answers = one.run({"retriever": {"query": query}, "reader": {"query": query}})
        best = answers["reader"]["answers"][0]
        assert "nine tonnes" in best.data
        assert best.document.content[best.document_offset.start :].startswith(best.data)
        assert Path(best.document.meta["document"]).name == "crane.pdf"
        assert best.meta["answer_page_number"] == 2
        assert best.document.meta["page_number"] in (1, 2)


def test_retrieved_passages_say_where_they_stand(index: Path) -> None:
    retriever = DocQARetriever(str(index))
    [best] = retriever.run("When may a notice be signed?", top_k=1)["documents"]
    assert best.content == LEASE[best.meta["start"] : best.meta["end"]]
    assert (best.meta["title"], best.meta["line"], best.meta["page"]) == (None, 1, None)
    with pytest.raises(ValueError, match="at least one"):
        retriever.run("When may a notice be signed?", top_k=0)
    with pytest.raises(DocQAError):
        DocQARetriever(str(index / "nowhere")).run("When may a notice be signed?")


def test_answers_are_slices_of_their_documents_best_first(reader: DocQAReader) -> None:
    answers = reader.run("Who designed the rocket?", DOCUMENTS, top_k=5)["answers"]
    assert 2 < len(answers) <= 6
    assert answers[0].data == "Jean-Luc Ferrand"
    assert [one.score for one in answers] == sorted((one.score for one in answers), reverse=True)
    for one in answers:
        if one.data is not None:
            span = one.document_offset
            assert one.document.content[span.start : span.end] == one.data
    places = [
        (one.document.id, one.document_offset.start, one.document_offset.end)
        for one in answers
        if one.data is not None
    ]
    for n, (document, start, end) in enumerate(places):
        for other, low, high in places[:n]:
            assert document != other or end <= low or high <= start, "no two overlap"


def test_no_answer_is_what_is_left_when_all_are_wrong(reader: DocQAReader) -> None:
    answers = reader.run("Who designed the rocket?", DOCUMENTS, top_k=2)["answers"]
    [none] = [one for one in answers if one.data is None]
    others = [one.score for one in answers if one.data is not None]
    assert none.score == pytest.approx((1 - others[0]) * (1 - others[1]))
    assert none.document is None
    without = reader.run("Who designed the rocket?", DOCUMENTS, top_k=2, no_answer=False)
    assert [one.score for one in without["answers"]] == others


def test_options_of_a_call_take_the_place_of_the_component_s(reader: DocQAReader) -> None:
    query = "Who designed the rocket?"
    best = reader.run(query, DOCUMENTS, no_answer=False)["answers"][0].score
    kept = reader.run(query, DOCUMENTS, score_threshold=best)["answers"]
    assert [one.score for one in kept if one.data is not None] == [best]
    assert len(reader.run(query, DOCUMENTS, score_threshold=0.0)["answers"]) > 2
    loose = reader.run(query, DOCUMENTS, overlap_threshold=1.0, no_answer=False)["answers"]
    strict = reader.run(query, DOCUMENTS, overlap_threshold=0.0, no_answer=False)["answers"]
    assert len({one.data for one in loose if "Ferrand" in one.data}) > 1
    assert len([one for one in strict if "Ferrand" in one.data]) == 1


def test_long_documents_are_read_in_windows(reader: DocQAReader) -> None:
    long = "Nothing of interest happens here. " * 200 + ROCKET + "Nothing happens here. " * 200
    [best] = reader.run(
        "Who designed the rocket?",
        [Document(content=long)],
        top_k=1,
        max_seq_length=128,
        stride=32,
        no_answer=False,
    )["answers"]
    assert best.data == "Jean-Luc Ferrand"


def test_pages_are_counted_as_haystack_s_converters_write_them(reader: DocQAReader) -> None:
    document = Document(content=f"A cover.\f{ROCKET}", meta={"page_number": 4})
    best = reader.run("Who designed the rocket?", [document], top_k=1)["answers"][0]
    assert best.meta == {"answer_page_number": 5}


def test_answers_can_be_kept_short() -> None:
    short = DocQAReader(max_answer_tokens=1, dtype="float32")
    answers = short.run("Who designed the rocket?", DOCUMENTS, no_answer=False)["answers"]
    assert all(" " not in one.data for one in answers)


@pytest.mark.parametrize("documents", [[], [Document(content=None)], [Document(content="  ")]])
def test_nothing_to_read_is_no_error(reader: DocQAReader, documents: list[Document]) -> None:
    answers = reader.run("Who designed the rocket?", documents)["answers"]
    assert all(one.data is None and one.score == 1.0 for one in answers)


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 0},
        {"stride": 400},
        {"stride": -1},
        {"answers_per_seq": 0},
        {"max_seq_length": 0},
        {"answers_per_seq": -1},
    ],
)
def test_options_out_of_range_are_refused(reader: DocQAReader, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        reader.run("Who?", DOCUMENTS, **options)
    with pytest.raises(ValueError, match="must be"):
        DocQAReader(**options)


def test_a_query_that_can_t_be_asked_is_refused(reader: DocQAReader) -> None:
    with pytest.raises(QuestionError):
        reader.run("", DOCUMENTS)
    with pytest.raises(QuestionError):
        reader.run("Who?", DOCUMENTS, max_seq_length=17, stride=1)


def test_the_settings_of_an_extractive_reader_make_the_same_reader() -> None:
    """A pipeline saved with Haystack 2 goes on when only the type is changed."""
    old = {
        "type": "docqa.adapters.haystack.DocQAReader",
        "init_parameters": {
            "model": "some/model",
            "device": {"type": "single", "device": "cpu"},
            "token": {"type": "env_var", "env_vars": ["HF_API_TOKEN"], "strict": False},
            "max_seq_length": 256,
            "top_k": 7,
            "score_threshold": None,
            "stride": 64,
            "max_batch_size": None,
            "answers_per_seq": None,
            "no_answer": False,
            "calibration_factor": 0.2,
            "overlap_threshold": None,
            "model_kwargs": {"device_map": "cpu"},
        },
    }
    made = DocQAReader.from_dict(old)
    values = made.to_dict()["init_parameters"]
    assert (values["model"], values["device"], values["top_k"]) == ("some/model", "cpu", 7)
    assert (values["stride"], values["no_answer"], values["overlap_threshold"]) == (64, False, None)
    assert DocQAReader.from_dict(made.to_dict()).to_dict() == made.to_dict()
