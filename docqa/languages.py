"""Whether a question, or what was found for it, is in a language that the reader does not know.

A reader answers such a question badly or not at all, and "no answer" alone would be the wrong thing
to say. So a note is made. No answer is ever held back for it.

Short questions are hard to tell: names, part numbers and keywords look like any language. So those
in Latin letters must hold a word that questions are asked with, and the detector must be sure. It
takes half a second to load, and is loaded only where nothing simpler decides: English questions and
English text are told by their small words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

# What the detector chooses from. Of languages that are close to one of these, more would only make
# it unsure.
_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovenian", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip
# Small words of English that no other language with Latin letters has, or hardly ever.
_ENGLISH = frozenset(
    "the and with from this that these those there their which who whom whose what when where why "
    "how does did doesn't don't would should could been being you your they them our its many much "
    "because through about into than then only between after before".split()
)
# Words that questions are asked with in other languages with Latin letters, where they are neither
# English nor parts of names. A question without one may be keywords.
_ASKING = frozenset(
    # German, Dutch, Swedish, Danish, Norwegian
    "wann wer wen wem wessen wie wo wohin woher warum wieso welche welcher welches welchen wieviel "
    "ist sind haben kann können darf dürfen muss müssen gibt gelten gilt wird werden "
    "wanneer waar waarom welke welk hoeveel moet zijn heeft "
    "när vem vad varför hur vilken vilket vilka måste är "
    "hvornår hvem hvad hva hvor hvorfor hvordan hvilken hvilket hvilke når "
    # French, Spanish, Italian, Portuguese, Catalan, Romanian
    "quel quelle quels quelles qui quoi quand où comment pourquoi combien peut doit faut sont "
    "qué cuál cuáles quién quiénes cuándo dónde cómo cuánto cuánta cuántos cuántas que cual cuales "
    "quien quienes cuando donde cuanto cuanta cuantos cuantas puede debe tiene está "
    "che chi cosa quando dove perché quanto quanta quanti quante quale quali può deve sono "
    "quem onde quantos quantas qual quais pode são você "
    "què quan quants quina quin când cine unde cât câte câți este poate trebuie "
    # Polish, Czech, Slovak, Croatian, Slovenian
    "kiedy kto kogo gdzie dlaczego ile jaki jaka jakie który która które czy może jest są "
    "kdy kdo kde jak proč kolik jaký jaká jaké může kedy ako prečo koľko aký aká aké môže "
    "kada tko što gdje kako zašto koliko koji koja koje kdaj kje zakaj kateri katera "
    # Turkish, Hungarian, Finnish, Estonian, Lithuanian, Latvian, Indonesian, Vietnamese
    "nasıl nerede neden niçin hangi kaç nedir zaman mikor hol hogyan miért mennyi hány melyik "  # noqa: RUF001
    "milyen milloin kuka mikä missä miten miksi kuinka paljonko onko voiko montako millal kuidas "
    "kes kaip kodėl kiek kāpēc cik apa siapa kapan bagaimana mengapa berapa apakah "
    "nào gì đâu nhiêu".split()
)
# At least so many of the words of an English passage are among them; in prose it is one of eight.
_ENGLISH_SHARE = 0.03
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
# Letters that must not be Latin ones before a question is taken for one in another script.
_FEWEST_LETTERS = 4
# How sure the detector must be of a question and of a passage in Latin letters.
_SURE_OF_QUESTION = 0.5
_SURE_OF_PASSAGE = 0.9
# And the most that the reader's languages may have together.
_MOST_KNOWN = 0.1
# Passages that are looked at, characters of each, and the fewest letters that tell anything.
_PASSAGES, _CHARACTERS, _PASSAGE_LETTERS = 3, 600, 80


@dataclass(frozen=True, slots=True)
class LanguageNote:
    """What is in a language that the reader does not know.

    Languages are codes of ISO 639-1.

    Attributes:
        question: the question's language; None where the reader knows it, or nobody can tell.
        passages: the language of the passages found for it; None likewise.
        reader: the languages that the reader knows.
    """

    question: str | None
    passages: str | None
    reader: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the note in words."""
        asked, found = map(_name, (self.question or "", self.passages or ""))
        if asked and asked == found:
            what = f"The question and the passages found seem to be in {asked}"
        elif asked and found:
            what = f"The question seems to be in {asked}, the passages found in {found}"
        elif asked:
            what = f"The question seems to be in {asked}"
        else:
            what = f"The passages found seem to be in {found}"
        known = " and ".join(map(_name, self.reader))
        return (
            f"{what}; the reader reads {known}. For readers of other languages see docs/models.md."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the note as a dictionary of what JSON knows."""
        return asdict(self) | {"reader": list(self.reader), "text": self.text}


def language_note(
    question: str, passages: Sequence[str], languages: Sequence[str], is_unsure: bool
) -> LanguageNote | None:
    """Return what is in a language that the reader does not know; None where nothing surely is.

    Args:
        passages: what was found for the question, best first. They are looked at where the question
            is in such a language or ``is_unsure``.
        languages: that the reader knows, as codes of ISO 639-1; nothing is said where there are
            none, or where one of them can't be told from others.
        is_unsure: whether there is no answer, or a doubtful one.
    """
    if not languages or not _NAMES.keys() >= set(languages):
        return None
    asked = question_language(question, languages)
    found = passages_language(passages, languages) if asked or is_unsure else None
    if asked is None and found is None:
        return None
    return LanguageNote(asked, found, tuple(languages))


def question_language(question: str, languages: Sequence[str]) -> str | None:
    """Return the language of a question where the reader surely does not know it, else None.

    Args:
        languages: as of :func:`language_note`.
    """
    question = unicodedata.normalize("NFC", question)
    words = [word.lower() for word in _WORD.findall(question)]
    if "en" in languages and not _ENGLISH.isdisjoint(words):
        return None
    if _in_another_script("".join(words)):
        return _unknown(question, languages, 0.0)
    if "en" in languages and _ASKING.isdisjoint(words):
        return None
    return _unknown(question, languages, _SURE_OF_QUESTION)


def passages_language(passages: Sequence[str], languages: Sequence[str]) -> str | None:
    """Return the language of all of the first passages where the reader surely does not know it.

    Args:
        passages: best first. Where they are in several languages the result is None.
        languages: as of :func:`language_note`.
    """
    found: set[str | None] = set()
    for passage in passages[:_PASSAGES]:
        text = passage[:_CHARACTERS]
        words = [word.lower() for word in _WORD.findall(text)]
        another_script = _in_another_script("".join(words))
        if sum(map(len, words)) < _PASSAGE_LETTERS and not another_script:
            continue
        english = sum(word in _ENGLISH for word in words)
        if "en" in languages and english > _ENGLISH_SHARE * len(words):
            return None
        found.add(_unknown(text, languages, 0.0 if another_script else _SURE_OF_PASSAGE))
        if None in found or len(found) > 1:
            return None
    return found.pop() if found else None


def _name(code: str) -> str:
    """Return a language's name in English; the code where there is none."""
    return _NAMES.get(code, code)


def _in_another_script(letters: str) -> bool:
    """Return whether most of some letters are not Latin."""
    others = sum(not unicodedata.name(letter, "LATIN").startswith("LATIN") for letter in letters)
    return others >= _FEWEST_LETTERS and 2 * others > len(letters)


def _unknown(text: str, languages: Sequence[str], sure: float) -> str | None:
    """Return the language that the detector takes a text for, if the reader does not know it.

    Args:
        sure: the least probability.
    """
    ranked = _detector()(text)
    code, share = ranked[0]
    known = sum(share for code, share in ranked if code in languages)
    return code if known <= _MOST_KNOWN and share >= sure else None


@cache
def _detector() -> Callable[[str], list[tuple[str, float]]]:
    """Return what ranks languages by their probability for a text, best first."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_NAMES)
    rank: Callable[[str], list[tuple[str, float]]] = identifier.rank
    return rank
