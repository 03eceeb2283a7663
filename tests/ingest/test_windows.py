"""Windows: nothing outside, nothing nearly empty, no words cut, offsets that hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from docqa.ingest.reading_text import reading_text
from docqa.ingest.windows import (
    Tokens,
    WindowSettings,
    plain_tokenizer,
    split,
    tokenize,
)
from docqa.settings import DEFAULT_READER


@pytest.fixture(scope="module")
def bert() -> Tokenizer:
    return plain_tokenizer(Tokenizer.from_file(f"{DEFAULT_READER}/tokenizer.json"))


def made_up(word_lengths: list[int]) -> Tokens:
    """Tokens of one character each, in words of the given lengths."""
    total = sum(word_lengths)
    starts = np.zeros(total, np.bool_)
    starts[np.cumsum([0, *word_lengths[:-1]])] = True
    at = np.arange(total, dtype=np.int32)
    return Tokens(at, np.stack([at, at + 1], axis=1), starts)


SIZES = st.integers(16, 64).flatmap(
    lambda size: st.builds(WindowSettings, st.just(size), st.integers(0, size // 2))
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=200), SIZES)
def test_every_token_is_in_a_window_and_no_window_is_too_long(
    words: list[int], window: WindowSettings
) -> None:
    tokens = made_up(words)
    windows = list(split(tokens, window))
    covered = set()
    for one in windows:
        assert 0 < len(one.token_ids) <= window.size
        covered.update(one.token_ids.tolist())
    assert covered == set(range(len(tokens)))
    starts = [one.start for one in windows]
    assert starts == sorted(set(starts))


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=400),
    SIZES.filter(lambda window: window.size >= 32),
)
def test_words_are_not_cut_and_the_last_window_is_not_nearly_empty(
    words: list[int], window: WindowSettings
) -> None:
    tokens = made_up(words)
    windows = list(split(tokens, window))
    for one in windows:
        assert tokens.word_starts[one.start]
        assert one.end == len(tokens) or tokens.word_starts[one.end]
    if len(windows) > 1:
        assert len(windows[-1].token_ids) >= window.size // 4


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(1, 3), min_size=100, max_size=400), SIZES)
def test_neighbours_share_about_the_overlap(words: list[int], window: WindowSettings) -> None:
    windows = list(split(made_up(words), window))
    for left, right in pairwise(windows):
        assert left.end - right.start >= window.overlap
        assert left.end - right.start <= window.overlap + 3


def test_a_document_shorter_than_a_window_is_one_window(bert: Tokenizer) -> None:
    [window] = split(tokenize(" A short text. ", bert), WindowSettings())
    assert (window.start, window.end) == (1, 14)


def test_a_text_without_tokens_has_no_windows(bert: Tokenizer) -> None:
    assert list(split(tokenize(" \n\t ", bert), WindowSettings())) == []


@settings(deadline=None, max_examples=200)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_offsets_hold_for_any_text(text: str, bert: Tokenizer) -> None:
    tokens = tokenize(text, bert)
    for start, end in tokens.offsets.tolist():
        assert 0 <= start <= end <= len(text)
        assert text[start:end] == text[start:end].strip()
    for window in split(tokens, WindowSettings(16, 4)):
        inside = window.token_offsets + window.start
        assert text[window.start : window.end].strip() == text[window.start : window.end]
        assert inside.min() == window.start
        assert inside.max() == window.end


def test_a_long_text_is_tokenized_as_if_in_one_piece(bert: Tokenizer) -> None:
    text = "".join(f"Word number {n} stands here, unbelievably.\n" for n in range(9000))
    whole = bert.encode(text, add_special_tokens=False)
    tokens = tokenize(text, bert)
    assert tokens.ids.tolist() == whole.ids
    assert tokens.offsets.tolist() == [list(pair) for pair in whole.offsets]


def test_a_megabyte_without_white_space_has_windows(bert: Tokenizer) -> None:
    text = "ab-" * 400_000
    tokens = tokenize(text, bert)
    assert list(split(tokens, WindowSettings()))[-1].end == len(text)


def test_text_that_spells_special_tokens_is_only_text(bert: Tokenizer) -> None:
    ids = tokenize("the [SEP] token and [CLS]", bert).ids
    assert not {101, 102} & set(ids.tolist())


def test_control_characters_that_are_white_space_part_words(bert: Tokenizer) -> None:
    assert len(tokenize("page\fone", bert)) == len(tokenize("page one", bert)) == 2


def test_white_space_is_outside_a_token_even_where_its_tokenizer_counts_it() -> None:
    tokenizer = Tokenizer(models.WordLevel({"\u2581the": 0, "\u2581end": 1, "?": 2}, "?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokens = tokenize("the end", plain_tokenizer(tokenizer))
    assert tokens.offsets.tolist() == [[0, 3], [4, 7]]


@pytest.mark.parametrize(
    ("size", "overlap"), [(15, 0), (64, 33), (64, -1), (64.5, 0), (64, 0.5), ("64", 0)]
)
def test_settings_out_of_range_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=r"window|overlap"):
        WindowSettings(size, overlap)


def test_a_word_that_a_line_end_cuts_is_one_word_whose_offsets_are_those_of_the_text(
    bert: Tokenizer,
) -> None:
    # Its halves were tokenized, indexed and read, and the word was never found.
    text = "the observa\u00ad\ntory, built"
    tokens = tokenize(text, bert)
    words = [text[start:end] for start, end in tokens.offsets]
    assert words == ["the", "observa\u00ad\ntory", ",", "built"]
    assert tokens.ids.tolist() == tokenize("the observatory, built", bert).ids.tolist()
    assert reading_text(text) == "the observatory, built"


@settings(deadline=None, max_examples=200)
@given(st.text(st.sampled_from("ab \n\u00ad.é-"), max_size=60))
def test_offsets_lead_to_the_characters_that_were_tokenized(bert: Tokenizer, text: str) -> None:
    read = tokenize(reading_text(text), bert)
    tokens = tokenize(text, bert)
    assert tokens.ids.tolist() == read.ids.tolist()
    assert tokens.word_starts.tolist() == read.word_starts.tolist()
    plain = reading_text(text)
    for (start, end), (read_start, read_end) in zip(tokens.offsets, read.offsets, strict=True):
        assert reading_text(text[start:end]) == plain[read_start:read_end]
        assert start == end or "\u00ad" not in (text[start], text[end - 1])


def test_a_cut_word_is_whole_where_a_long_text_is_taken_in_pieces(bert: Tokenizer) -> None:
    text = "observa\u00ad\ntory " * 12_000
    tokens = tokenize(text, bert)
    assert len(set(tokens.ids.tolist())) == 1
    assert {text[start:end] for start, end in tokens.offsets} == {"observa\u00ad\ntory"}
