# ruff: noqa: RUF001 (other scripts are the point)
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.ingest.errors import IngestError
from docqa.ingest.formats.encoding import decode

printable = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1).filter(
    lambda text: text.strip() and text[0] != "\ufeff"
)


@given(printable)
def test_utf8_is_taken_character_for_character(text: str) -> None:
    assert decode(text.encode()).text == text


@given(printable, st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_a_mark_decides_and_is_dropped(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize(
    "mark_and_encoding", [(b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
)
def test_line_ends_stay_as_they_are(mark_and_encoding: tuple[bytes, str]) -> None:
    mark, encoding = mark_and_encoding
    assert decode(mark + "a\r\nb\rc\n".encode(encoding)).text == "a\r\nb\rc\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Das Gebäude ist schön.", "latin-1"),
        ("L'été dernier, la société a été créée à Paris.", "cp1252"),
        ("The “lease” ends in May — not before. It’s final.", "cp1252"),
        ("The rent is £500 a month.\n", "latin-1"),
        ("Keep it below 30 °C at all times; ±2 is allowed, §5.", "latin-1"),
        ("The rent is due on the first. " * 20_000 + "£500", "latin-1"),
        ("これは日本語のテキストです。契約は五月に終わります。", "shift_jis"),
        ("Договор вступает в силу с момента подписания.\n", "cp1251"),
        # Read as cp1252, without a word.
        (
            "Smlouvu podepsal Jiří Dvořák v Českých Budějovicích. Nájemce je povinen platit "
            "nájemné vždy do pátého dne měsíce. Výpovědní lhůta činí tři měsíce a začíná hned.",
            "cp1250",
        ),
        (
            "A szerződést Kovács Győző írta alá Győrben. A bérlő köteles a bérleti díjat minden "
            "hónap ötödik napjáig megfizetni. A felmondási idő három hónap, és írásban közlendő.",
            "cp1250",
        ),
        (
            "Sözleşmeyi İbrahim Güneş imzaladı. Kiracı kirayı her ayın beşinci gününe kadar ödemek "
            "zorundadır. Fesih süresi üç aydır ve bildirim yazılı olarak yapılır.",
            "cp1254",
        ),
        (
            "Līgumu parakstīja Jānis Bērziņš Rīgā. Īrniekam jāmaksā īre līdz katra mēneša "
            "piektajam datumam. Uzteikuma termiņš ir trīs mēneši, un tas jāpaziņo rakstiski.",
            "cp1257",
        ),
        (
            "Umowę podpisał Michał Wójcik w Łodzi. Najemca jest zobowiązany płacić czynsz do "
            "piątego dnia każdego miesiąca. Okres wypowiedzenia wynosi trzy miesiące, na piśmie.",
            "iso-8859-2",
        ),
        ("合同自签字之日起生效，有效期为五年。\n" * 20, "gbk"),
    ],
)
def test_the_usual_encodings_are_told_apart(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize("data", [b"a\0b", bytes(range(256)), b"\x01\x02\x03\x04text"])
def test_binary_is_refused(data: bytes) -> None:
    with pytest.raises(IngestError, match="binary"):
        decode(data)


@pytest.mark.parametrize("data", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_nothing_but_white_space_is_refused(data: bytes) -> None:
    with pytest.raises(IngestError, match="no text"):
        decode(data)


def test_two_encodings_at_once_are_refused() -> None:
    with pytest.raises(IngestError, match="mixed"):
        decode("größer, schöner, älter. ".encode() * 9 + "größer".encode("latin-1"))


def test_a_mark_that_lies_is_refused() -> None:
    with pytest.raises(IngestError, match="UTF-16"):
        decode(b"\xff\xfeabc")


_CZECH = "Smlouvu podepsal Jiří Dvořák v Českých Budějovicích.\nNájemce platí nájemné včas."


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        _CZECH,
        "The price is £5.",
        "Договор подписал Иван Петров в Москве.",
        "契約書に署名したのは山田太郎です。借主は毎月五日までに家賃を支払わなければなりません。",
        '{"name":"Jiří"}',
    ],
)
def test_utf16_needs_no_mark(text: str, encoding: str) -> None:
    # Refused as binary.
    assert decode(text.encode(encoding)).text == text


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 4, b"\x7fELF\x02\x01\x01" + b"\0\x01" * 200, b"\0" * 64]
)
def test_binary_data_with_zeros_is_no_text(data: bytes) -> None:
    with pytest.raises(IngestError, match="binary"):
        decode(data)


@pytest.mark.parametrize(
    "text",
    [
        "The price is £5 – that’s “cheap”, café.",
        "The tenant’s rent is due on the fifth day – not later. “Rent” means £900, and the café "
        "on the ground floor pays more.\nNotice is three months.",
    ],
)
def test_old_mac_text_has_its_quotes(text: str) -> None:
    # Read as cp1252, with capitals inside of words: the tenantÕs.
    assert decode(text.encode("mac-roman")).text == text
