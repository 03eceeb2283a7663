"""Answers' characters and their tokens; which of several annotators is right."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from docqa.evaluate.squad import Article, Paragraph, Question
from docqa.ingest.windows import plain_tokenizer
from docqa.settings import DEFAULT_READER
from docqa.training.examples import (
    TokenRange,
    majority_answer,
    make_examples,
    visible_headings,
)


@pytest.fixture(scope="module")
def bert() -> Tokenizer:
    return plain_tokenizer(Tokenizer.from_file(f"{DEFAULT_READER}/tokenizer.json"))


def article(context: str, *answers: tuple[str, int], question: str = "what?") -> Article:
    return Article("", (Paragraph(context, (Question("1", question, answers),)),))


@pytest.mark.parametrize(
    ("context", "answer"),
    [
        ("He paid 1,250 euros.", "1,250"),
        ("Curaçao\u2019s café \u2014 \u201cnaïve\u201d \u2014 opened.", "café"),
        ("東京都は日本の首都である。", "日本"),
        ("The 😀 emoji and the 👩‍👩‍👧 family.", "family"),
        ("a\u0301b combining marks c", "combining marks"),
        ("  leading and trailing  ", "trailing"),
        ("first words matter", "first"),
        ("the last word", "word"),
    ],
)
def test_answers_are_found_by_their_tokens(bert: Tokenizer, context: str, answer: str) -> None:
    before = Article("", (Paragraph("Another paragraph.", ()),)).paragraphs
    both = Article("", (*before, *article(context, (answer, context.index(answer))).paragraphs))
    data = make_examples([both], bert)
    [example] = data.examples
    assert example.gold is not None
    assert data.text(example.gold) == answer.lower()
    assert example.paragraph.holds(example.gold)
    assert data.text(example.paragraph) == context.strip().lower()


def test_an_answer_inside_a_word_takes_the_tokens_that_touch_it(bert: Tokenizer) -> None:
    data = make_examples([article("unbelievable", ("believ", 2))], bert)
    gold = data.examples[0].gold
    assert gold is not None
    assert "believ" in data.text(gold)


def test_an_answer_without_tokens_is_dropped_and_counted(bert: Tokenizer) -> None:
    data = make_examples([article("a   b", (" ", 2))], bert)
    assert (len(data), data.dropped) == (0, 1)


def test_a_question_without_answers_is_kept(bert: Tokenizer) -> None:
    [example] = make_examples([article("a b c")], bert).examples
    assert example.gold is None


def test_the_same_question_twice_is_one_in_two_variants(bert: Tokenizer) -> None:
    articles = [article("red is it", ("red", 0)), article("it is blue", ("blue", 6))]
    first, second = make_examples(articles, bert).examples
    assert first.variant == second.variant


def test_the_majority_then_the_shortest_then_the_first() -> None:
    many = Question("1", "?", (("a b", 0), ("b", 2), ("a b", 0)))
    assert majority_answer(many) == ("a b", 0)
    tie = Question("1", "?", (("a b c", 0), ("b c", 2), ("c a", 9)))
    assert majority_answer(tie) == ("b c", 2)
    assert majority_answer(Question("1", "?", ())) is None


def test_token_ranges() -> None:
    assert TokenRange(0, 2, 8).holds(TokenRange(0, 2, 8))
    assert not TokenRange(0, 2, 8).holds(TokenRange(1, 3, 4))
    assert TokenRange(0, 2, 8).overlaps(TokenRange(0, 7, 9))
    assert not TokenRange(0, 2, 8).overlaps(TokenRange(0, 8, 9))


def test_headings_are_seen_in_a_text_that_has_lost_its_outline() -> None:
    text = "# Staff handbook\n\nText.\n2.1 Leaving\n1.5 litres\n3. An item\n## Notice ##\nText."
    found = [(heading.text, heading.level) for heading in visible_headings(text)]
    assert found == [("Staff handbook", 1), ("Leaving", 2), ("Notice", 2)]
    assert all(text[heading.start :].startswith(("#", "2.1")) for heading in visible_headings(text))
