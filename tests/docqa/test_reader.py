"""The reader: any model, any length of text, and the pipeline's results."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from itertools import combinations, pairwise
from math import inf
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import docqa.transformers_pipeline
from docqa import ModelError, QuestionError, Reader
from docqa.ingest.windows import Tokens, WindowSettings, tokenize
from docqa.ranking.fragments import MARGIN
from docqa.ranking.rank import rank
from docqa.ranking.reading import Job
from docqa.ranking.span_search import best_spans
from docqa.reader import text_document
from docqa.settings import AnswerSettings
from docqa.transformers_pipeline import _Words


@pytest.fixture(scope="session")
def tiny(tiny_reader: Path) -> Reader:
    return Reader(str(tiny_reader), dtype="float32")


@pytest.fixture(scope="session")
def shipped() -> Reader:
    return Reader(dtype="float32")


WORDS = st.lists(
    st.sampled_from(
        "the tenant may sign a lease in paris, rent; month. (notice) caf\u00e9 12".split()
    ),
    min_size=1,
    max_size=150,
).map(" ".join)


@settings(deadline=None, max_examples=40)
@given(text=WORDS, top_k=st.integers(1, 4))
def test_answers_are_slices_and_do_not_overlap(tiny: Reader, text: str, top_k: int) -> None:
    answers = tiny.read("who may sign?", text, top_k, WindowSettings(24, 8))
    assert 1 <= len(answers) <= top_k
    for answer in answers:
        assert answer.text == text[answer.start : answer.end]
        assert answer.text.strip() == answer.text != ""
        assert 0 < answer.confidence <= 1
    places = sorted((answer.start, answer.end) for answer in answers)
    assert all(left[1] <= right[0] for left, right in pairwise(places))
    scores = [answer.score for answer in answers]
    # A fragment gives way to what scores nearly as well.
    assert all(worse <= better + MARGIN for better, worse in combinations(scores, 2))


def test_batches_do_not_change_what_a_window_s_logits_are(tiny: Reader) -> None:
    model = tiny.model
    question = model.question_ids("who signs?")
    text = "the tenant signs the lease in paris . " * 30
    windows = [
        *model.windows(text, question, WindowSettings(40, 8)),
        *model.windows("rent", question, WindowSettings(40, 8)),
    ]
    [together] = model.logits([Job(question, windows)])
    for w, window in enumerate(windows):
        [alone] = model.logits([Job(question, [window])])
        tokens = len(window.token_ids)
        torch.testing.assert_close(alone.start[0], together.start[w, :tokens])
        torch.testing.assert_close(alone.end[0], together.end[w, :tokens])
        torch.testing.assert_close(alone.null_start[0], together.null_start[w])


def test_the_logits_are_the_model_s_own(tiny_reader: Path, tiny: Reader) -> None:
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    text, asked = "the tenant signs the lease in paris", "who signs?"
    encoded = AutoTokenizer.from_pretrained(tiny_reader)(
        asked, text, return_tensors="pt", return_token_type_ids=True
    )
    model = AutoModelForQuestionAnswering.from_pretrained(tiny_reader).eval()
    with torch.inference_mode():
        expected = model(**encoded)
    question = tiny.model.question_ids(asked)
    [logits] = tiny.model.logits(
        [Job(question, tiny.model.windows(text, question, WindowSettings()))]
    )
    inside = [n for n, side in enumerate(encoded.sequence_ids(0)) if side == 1]
    torch.testing.assert_close(logits.start[0], expected.start_logits[0, inside])
    torch.testing.assert_close(logits.end[0], expected.end_logits[0, inside])
    torch.testing.assert_close(logits.null_start[0], expected.start_logits[0, 0])


def test_a_heading_line_is_read_in_front_of_a_window_and_is_no_part_of_it(
    tiny_reader: Path, tiny: Reader
) -> None:
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    text, line, asked = "the tenant signs the lease in paris", "contract \u203a rent", "who signs?"
    encoded = AutoTokenizer.from_pretrained(tiny_reader)(
        asked, f"{line}: {text}", return_tensors="pt", return_token_type_ids=True
    )
    model = AutoModelForQuestionAnswering.from_pretrained(tiny_reader).eval()
    with torch.inference_mode():
        expected = model(**encoded)
    question = tiny.model.question_ids(asked)
    [window] = tiny.model.windows(text, question, WindowSettings())
    [logits] = tiny.model.logits([Job(question, [tiny.model.under(window, line, question)])])
    inside = [n for n, side in enumerate(encoded.sequence_ids(0)) if side == 1]
    own = inside[-len(window.token_ids) :]
    assert logits.start.shape == (1, len(own))
    torch.testing.assert_close(logits.start[0], expected.start_logits[0, own])
    torch.testing.assert_close(logits.end[0], expected.end_logits[0, own])
    torch.testing.assert_close(logits.null_start[0], expected.start_logits[0, 0])


def test_a_heading_line_gives_way_to_a_window_that_needs_the_room(tiny: Reader) -> None:
    question = tiny.model.question_ids("who signs?")
    [full] = tiny.model.windows("the tenant signs . " * 30, question, WindowSettings(400, 8))
    assert tiny.model.room(question) - len(full.token_ids) < 3
    assert tiny.model.under(full, "the contract", question) is full


def roberta(folder: Path) -> None:
    """A random RoBERTa: no segments, two separators, shifted positions, byte-level tokens."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaForQuestionAnswering, RobertaTokenizerFast

    trainer = ByteLevelBPETokenizer()
    trainer.train_from_iterator(
        ["the tenant signs the lease in paris", "who signs caf\u00e9"],
        vocab_size=300,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    )
    trainer.save(str(folder / "raw.json"))
    RobertaTokenizerFast(
        tokenizer_file=str(folder / "raw.json"), model_max_length=64
    ).save_pretrained(folder)
    config = RobertaConfig(
        vocab_size=trainer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
        type_vocab_size=1,
    )
    RobertaForQuestionAnswering(config).save_pretrained(folder)


def test_a_roberta_reads_too(tmp_path: Path) -> None:
    roberta(tmp_path)
    reader = Reader(str(tmp_path), dtype="float32")
    assert reader.model.max_tokens == 64
    text = "the tenant caf\u00e9 signs \U0001f680 the lease in paris " * 20
    answers = reader.read("who signs?", text, top_k=3)
    assert len(answers) == 3
    for answer in answers:
        assert text[answer.start : answer.end] == answer.text == answer.text.strip()


def test_an_answer_in_the_middle_of_a_long_text_is_found(shipped: Reader) -> None:
    filler = "The weather stayed dry and the roads were quiet for most of the week. " * 120
    text = f"{filler}The treaty was signed by Ambassador Lucia Ferretti in Trieste. {filler}"
    [answer] = shipped.read("Who signed the treaty?", text, top_k=1)
    assert "Lucia Ferretti" in answer.text
    assert answer.text == text[answer.start : answer.end]


def test_an_answer_is_no_longer_than_asked(tiny_reader: Path) -> None:
    text = "the tenant signs the lease"

    def words(longest: int) -> list[int]:
        settings = AnswerSettings(max_answer_tokens=longest, null_threshold=inf)
        answers = Reader(str(tiny_reader), settings=settings).read("who?", text, top_k=5)
        return [len(answer.text.split()) for answer in answers]

    assert words(1) == [1] * 5
    assert max(words(30)) > 1


def test_a_threshold_that_nothing_passes_gives_no_answer(tiny_reader: Path) -> None:
    reader = Reader(str(tiny_reader), settings=AnswerSettings(null_threshold=float("-inf")))
    assert reader.read("who?", "the tenant signs") == []


def test_an_answer_is_doubtful_below_the_limit_alone(shipped: Reader) -> None:
    text = text_document("The lease ends on 1 March 2024. The late fee is 25 euros.")
    [reading] = shipped.readings([("What is the late fee?", text)])
    [answer] = rank(reading, shipped.settings, 1)
    assert answer.probability is not None
    for limit, doubtful in ((answer.probability, False), (answer.probability + 0.01, True)):
        settings = replace(shipped.settings, doubtful_below=limit)
        assert rank(reading, settings, 1)[0].doubtful == doubtful
    [unmeasured] = rank(reading, replace(shipped.settings, platt=None, doubtful_below=1.0), 1)
    assert not unmeasured.doubtful, "nothing is known of it"


def test_a_text_without_words_holds_no_answer(tiny: Reader) -> None:
    assert tiny.read("who signs?", " \n ") == []


@pytest.mark.parametrize("question", ["", "  \n", "who " * 200])
def test_questions_that_can_t_be_asked(tiny: Reader, question: str) -> None:
    with pytest.raises(QuestionError, match=r"empty|ask something shorter"):
        tiny.read(question, "the tenant signs")


def test_a_question_in_another_script_is_asked_as_any_other(shipped: Reader) -> None:
    question = "\u8c01\u7b7e\u7f72\u4e86\u5408\u540c\uff1f"
    text = "Ada signed the contract."
    [reading] = shipped.readings([(question, text_document(text))])
    [answer] = rank(reading, AnswerSettings(), top_k=1)
    assert text[answer.start : answer.end] == answer.text != ""


@pytest.mark.parametrize(
    ("name", "said"),
    [("./nowhere", "no such model folder"), ("no/such-model", "neither a folder here nor")],
)
def test_models_that_are_not_there(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Reader(name)


def test_a_model_without_a_span_head_is_refused(tiny_reader: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "headless"
    shutil.copytree(tiny_reader, folder)
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "qa_outputs" not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="fine-tuned for question answering"):
        Reader(str(folder))


def test_a_reader_s_own_settings_are_taken(tiny_reader: Path, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    shutil.copytree(tiny_reader, folder)
    (folder / "docqa.json").write_text(json.dumps({"max_answer_tokens": 7}))
    assert Reader(str(folder)).settings.max_answer_tokens == 7
    (folder / "docqa.json").write_text(json.dumps({"prior_wait": 7}))
    with pytest.raises(ModelError, match="prior_wait"):
        Reader(str(folder))


def test_a_dtype_or_device_that_is_not_there_is_a_value_error(tiny_reader: Path) -> None:
    with pytest.raises(ValueError, match="int3"):
        Reader(str(tiny_reader), dtype="int3")
    with pytest.raises(ValueError, match="warp"):
        Reader(str(tiny_reader), device="warp")


def test_bfloat16_agrees_with_float32() -> None:
    texts = "The rent is 1,250 euros a month and is paid on the third working day."
    exact, fast = (
        Reader(dtype=dtype).read("What is the rent?", texts, 1)[0]
        for dtype in ("float32", "bfloat16")
    )
    assert exact.text == fast.text
    assert abs(exact.score - fast.score) < 0.3


# -- as the pipeline ---------------------------------------------------------------------------


def pipeline_by_hand(reader: Reader, question: str, context: str, longest: int) -> dict:
    """The best span and its probability in one window, by the definition."""
    ids = reader.model.question_ids(question)
    [window] = reader.model.windows(context, ids, WindowSettings(300, 0))
    [logits] = reader.model.logits([Job(ids, [window])])
    start = torch.cat([logits.null_start, logits.start[0]]).softmax(0)
    end = torch.cat([logits.null_end, logits.end[0]]).softmax(0)
    _, first, last = best_spans(logits.start, logits.end, logits.allowed, longest)
    at = window.token_offsets + window.start
    return {
        "score": float(start[1 + int(first)] * end[1 + int(last)]),
        "answer": context[at[int(first), 0] : at[int(last), 1]],
    }


CONTEXT = "Ada Lovelace wrote the first program in 1843 for a machine of Charles Babbage's."


def test_one_answer_is_a_dictionary_with_the_pipeline_s_score(shipped: Reader) -> None:
    found = shipped(question="Who wrote it?", context=CONTEXT, align_to_words=False)
    expected = pipeline_by_hand(shipped, "Who wrote it?", CONTEXT, 15)
    assert list(found) == ["score", "start", "end", "answer"]
    assert found["answer"] == expected["answer"] == CONTEXT[found["start"] : found["end"]]
    assert found["score"] == pytest.approx(expected["score"], abs=1e-5)


def test_shapes_of_results(shipped: Reader) -> None:
    one = shipped(question="Who wrote it?", context=CONTEXT)
    assert shipped(question=["Who wrote it?"], context=[CONTEXT]) == one
    several = shipped(question="Who wrote it?", context=CONTEXT, top_k=3)
    assert [type(answer) for answer in several] == [dict] * 3
    assert several[0]["answer"] == one["answer"]
    many = shipped(question=["Who wrote it?", "When?"], context=CONTEXT)
    assert many[0]["answer"] == one["answer"]
    assert many[1]["answer"] == "1843"


def test_the_same_text_is_one_answer_with_the_scores_summed(shipped: Reader) -> None:
    text = "In 1843 it was written. It was 1843."
    answers = shipped(question="When was it written?", context=text, top_k=5, max_answer_len=1)
    assert [answer["answer"] for answer in answers].count("1843") == 1
    assert sum(answer["score"] for answer in answers) <= 1


def test_a_long_context_s_words_are_looked_at_once(tiny: Reader) -> None:
    """Fault: all words of the context were listed again for each span, so time was quadratic."""
    text = "the tenant signs the unsignable lease in paris . " * 1500
    [tokens] = {len(tokenize(text, tiny.model.tokenizer))}
    assert tokens > 15_000
    made = 0

    class Counted(_Words):
        @classmethod
        def of(cls, tokens: Tokens) -> _Words:
            nonlocal made
            made += 1
            return _Words.of(tokens)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(docqa.transformers_pipeline, "_Words", Counted)
        answers = tiny(question=["who signs?", "where?"], context=text, top_k=3)
    assert made == 1
    words = {match.span() for match in re.finditer(r"\w+|\.", text)}
    starts, ends = {start for start, _ in words}, {end for _, end in words}
    for answer in (one for row in answers for one in row):
        assert answer["start"] in starts
        assert answer["end"] in ends
        assert text[answer["start"] : answer["end"]] == answer["answer"]


def test_no_search_for_a_word_copies_those_of_the_whole_context(tiny: Reader) -> None:
    """Fault: numpy widened the whole array to Python's integers at each search."""
    words = _Words.of(tokenize("the tenant signs", tiny.model.tokenizer))
    assert words.starts.dtype == words.ends.dtype == np.asarray(1).dtype


def test_a_long_text_is_answered_with_places_in_it(shipped: Reader) -> None:
    filler = "The weather stayed dry and the roads were quiet for most of the week.\n" * 50
    text = f"{filler}Rent is 900 euros.\n{filler}The caretaker is Ulrich Baumann.\n{filler}"
    [answer] = shipped.read("Who is the caretaker?", text, top_k=1)
    assert (answer.text, answer.line) == ("Ulrich Baumann", 102)
    found = shipped(question="Who is the caretaker?", context=text)
    assert (found["answer"], found["start"]) == (answer.text, answer.start)


def test_no_answer_may_be_one(shipped: Reader) -> None:
    answers = shipped(
        question="Who wrote it?", context=CONTEXT, top_k=500, handle_impossible_answer=True
    )
    [none] = [answer for answer in answers if answer["answer"] == ""]
    assert (none["start"], none["end"]) == (0, 0)
    blank = shipped(question="Who?", context="  \n ")
    assert blank == {"score": 0.0, "start": 0, "end": 0, "answer": ""}


def test_words_are_whole_where_asked(tiny: Reader) -> None:
    text = "unsignable contracts"
    ends = {a["end"] for a in tiny(question="who?", context=text, top_k=9, max_answer_len=1)}
    assert ends <= {10, 20}
    pieces = tiny(question="who?", context=text, top_k=9, max_answer_len=1, align_to_words=False)
    assert any(piece["end"] not in (10, 20) for piece in pieces)


@settings(deadline=None, max_examples=30)
@given(text=WORDS, longest=st.integers(50, 100), stride=st.integers(0, 30))
def test_any_window_gives_slices_and_probabilities(
    tiny: Reader, text: str, longest: int, stride: int
) -> None:
    answers = tiny(
        question="who signs?", context=text, top_k=4, max_seq_len=longest, doc_stride=stride
    )
    answers = answers if isinstance(answers, list) else [answers]
    assert all(text[a["start"] : a["end"]] == a["answer"] for a in answers)
    assert sum(a["score"] for a in answers) <= 1 + 1e-4
    assert np.all(np.diff([a["score"] for a in answers]) <= 0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_k": 0},
        {"max_answer_len": 0},
        {"doc_stride": 500},
        {"question": ["a", "b"], "context": ["x"]},
        {"context": ""},
        {"question": ""},
    ],
)
def test_wrong_arguments_are_value_errors(shipped: Reader, wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"at least 1|doc_stride|do not match|empty"):
        shipped(**{"question": "Who?", "context": CONTEXT, **wrong})
