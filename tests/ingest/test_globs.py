from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import docqa.ingest.globs as globs
from docqa.ingest.globs import Globs

NAMES = st.text("ab]-!^[\\&~|x.", max_size=6)


@given(st.text("ab]-!^[\\*?&~|x.", max_size=9), NAMES)
@example("[!]a]x", "bx")
@example("[!]a]x", "]x")
@example("[]-a]", "]")
def test_within_a_name_patterns_mean_what_they_do_for_a_shell(pattern: str, name: str) -> None:
    # "[!]a]x" was taken for an empty choice, then "a]x"
    assert Globs([pattern]).match(name, name) == fnmatchcase(name, pattern)


def follows(names: list[str], pieces: list[str]) -> bool:
    """Whether a path's names follow a pattern's pieces, by trying everything."""
    if not pieces:
        return not names
    if pieces[0] == "**":
        if pieces[1:] == []:
            return True
        return any(follows(names[n:], pieces[1:]) for n in range(len(names) + 1))
    return bool(names) and fnmatchcase(names[0], pieces[0]) and follows(names[1:], pieces[1:])


@given(
    st.lists(
        st.sampled_from(["a", "b", "*", "?", "[!a]", "**", "a*", "*b*", "*a*b", "?*"]),
        min_size=2,
        max_size=7,
    ),
    st.lists(st.sampled_from(["a", "b", "ab", "c", "abab"]), min_size=2, max_size=7),
)
@example(["a", "a", "**", "**"], ["a", "a"])
def test_patterns_of_paths_take_any_folders_for_two_stars(
    pieces: list[str], names: list[str]
) -> None:
    pattern = "/".join(pieces)
    assert Globs([pattern]).match("nothing", "/".join(names)) == follows(names, pieces)


@pytest.mark.parametrize("pattern", ["[--0]", "[!a]", "?", "*", "[a/b]", "[!a/b]"])
def test_only_two_stars_cross_folders(pattern: str) -> None:
    assert not Globs([pattern]).match("/", "/")


def test_two_stars_inside_a_name_do_not_join_folders() -> None:
    assert not Globs(["a**/b"]).match("ab", "ab")
    assert Globs(["a**/b"]).match("b", "ax/y/b")


@given(st.text(max_size=12))
def test_every_pattern_can_be_read(pattern: str) -> None:
    Globs([pattern]).match("a", "a/b")


@pytest.mark.parametrize("part", ["*a", "**a", "a/**/", "**/a*/", "**a*b"])
def test_no_pattern_keeps_the_matcher_busy(part: str) -> None:
    """Fault: each star was tried at every place for each place of those before it."""
    pattern = part * 60 + "c"
    path = "a/" * 200 + "a" * 200 + "ab" * 100
    assert not Globs([pattern]).match(path, path)


@given(st.text("ab*/", max_size=12), st.text("ab/", max_size=8))
def test_patterns_mean_what_an_expression_without_tricks_means(pattern: str, path: str) -> None:
    plain = "".join(
        globs._piece(piece) for piece in globs._PIECE.finditer(globs._AGAIN.sub("", pattern))
    )
    written = pattern.removeprefix("./").rstrip("/") == pattern
    found = re.fullmatch(f"(?s:{plain})", path) is not None
    assert not written or (re.fullmatch(globs._translate(pattern), path) is not None) == found
