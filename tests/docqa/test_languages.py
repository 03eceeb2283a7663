"""What is in a language that the reader does not know, and what must not be taken for that."""

from __future__ import annotations

import subprocess
import sys

import pytest

from docqa.languages import language_note, passages_language, question_language

ENGLISH = ("en",)
FOREIGN = {
    "de": [
        "Wann endet der Mietvertrag?",
        "wie hoch ist die mahngebühr",
        "Wer darf unterschreiben?",
    ],
    "fr": ["Quelle est la date d'échéance ?", "Qui peut signer le contrat ?"],
    "es": ["¿Cuándo termina el contrato de alquiler?", "cuantos dias de vacaciones tengo"],
    "it": ["Quando scade il contratto?", "Chi può firmare?"],
    "pt": ["Qual é o prazo de entrega?", "Quem pode assinar o contrato?"],
    "nl": ["Wanneer eindigt het huurcontract?"],
    "pl": ["Kiedy kończy się umowa najmu?"],
    "cs": ["Kdy končí nájemní smlouva?"],
    "sv": ["När går hyresavtalet ut?"],
    "tr": ["Kira sözleşmesi ne zaman bitiyor?"],
    "ru": ["Когда заканчивается договор?"],
    "ar": ["متى ينتهي عقد الإيجار؟"],
    "zh": ["租约什么时候结束?"],
    "ja": ["賃貸契約はいつ終わりますか"],
    "ko": ["임대 계약은 언제 끝나나요?"],
}
# What people who write English type: names, part numbers, keywords, loan words, typos.
TYPED = [
    "What is the late fee?", "waht is teh late fe", "postgresql port", "invoice ACME 4711 due",
    "BASH_XTRACEFD", "Ludwig van Beethoven birthplace", "Klaus Müller Rechtsanwalt address",
    "rio de janeiro population", "Pinot noir Chateauneuf-du-Pape vintage",
    "kubectl rollout restart deployment", "force majeure clause", "los angeles mayor",
    "Universidad de Chile tuition", "El Niño year", "habeas corpus", "per diem rate",
    "Der Spiegel circulation", "carpe diem meaning", "SELECT count FROM users", "MX-5 NB2 torque",
    "λ = 0.5 nm", "José García salary", "systemd timer oncalendar", "pro rata temporis",
    "vim delete line", "Ω resistance", '"notice period', "WHO MAY SIGN?", "is it legal",
    "minimum wage germany", "4711", "?", "Rechnung Müller GmbH",
]  # fmt: skip
PASSAGES = {
    "de": "Der Mieter zahlt die Miete im Voraus bis zum dritten Werktag eines jeden Monats auf das "
    "Konto des Vermieters. Kündigungen bedürfen der Schriftform und gehen an die Verwaltung.",
    "fr": "Le locataire verse le loyer d'avance au plus tard le troisième jour ouvrable de chaque "
    "mois sur le compte du bailleur. Le préavis est de trois mois et doit être donné par écrit.",
    "ru": "Арендатор вносит арендную плату заранее не позднее третьего рабочего дня месяца.",
    "ja": "賃借人は毎月第三営業日までに賃料を賃貸人の口座に前払いする。解約の通知は書面で行う。",
}
LEASE = (
    "The tenant pays the rent in advance, by the third working day of each month, into the account "
    "of the landlord. Notice is given in writing with three months to run."
)


@pytest.mark.parametrize(
    ("code", "question"), [(c, q) for c, asked in FOREIGN.items() for q in asked]
)
def test_a_question_in_another_language_is_recognised(code: str, question: str) -> None:
    assert question_language(question, ENGLISH) == code
    assert question_language(question, ("en", code)) is None, "a reader that knows it"
    note = language_note(question, [], ENGLISH, is_unsure=False)
    assert note is not None
    assert note.question == code
    assert note.text.endswith(
        "the reader reads English. For readers of other languages see docs/models.md."
    )


@pytest.mark.parametrize("question", TYPED)
def test_nobody_who_writes_english_is_disturbed(question: str) -> None:
    assert language_note(question, [LEASE], ENGLISH, is_unsure=True) is None


@pytest.mark.parametrize("code", PASSAGES)
def test_passages_in_another_language_are_recognised_where_the_answer_is_in_doubt(
    code: str,
) -> None:
    question, text = "When does the lease end?", PASSAGES[code]
    note = language_note(question, [text, text], ENGLISH, is_unsure=True)
    assert note is not None
    assert (note.question, note.passages) == (None, code)
    assert language_note(question, [text], ENGLISH, is_unsure=False) is None
    assert language_note(question, [text], (), is_unsure=True) is None, "nobody said what it reads"
    silent = language_note(question, [text], ("en", "is"), is_unsure=True)
    assert silent is None, "Icelandic is not among the languages that are told apart"
    assert passages_language([text, LEASE], ENGLISH) is None, "some of them can be read"


@pytest.mark.parametrize(
    "passage",
    [
        "",
        "12 | 4711 | 0.5\n13 | 4712 | 0.7",
        "def main():\n    parser = argparse.ArgumentParser()\n    args = parser.parse_args()\n"
        "    for path in args.paths:\n        print(path.read_text(encoding='utf-8'))\n",
        "Item Qty Price Total Widget blue 12 4.00 48.00 Widget red 3 5.00 15.00 Subtotal 63.00 VAT "
        "20% 12.60 Total due 75.60 Bank transfer IBAN account number Smith Brothers Limited London",
        "Schmidt, Müller, García, Fernández, Rossi, Bianchi, Dubois, Lefèvre, Nowak, Kowalski, "
        "Novák, Svensson, Jensen, Hansen, Papadopoulos, Ivanov, Petrov, Nguyen, Tanaka, Kim",
    ],
)
def test_tables_code_and_names_are_no_language(passage: str) -> None:
    assert passages_language([passage], ENGLISH) is None


def test_the_note_says_what_is_in_which_language() -> None:
    german, french = "Wer darf unterschreiben?", PASSAGES["fr"]
    both = language_note(german, [PASSAGES["de"]], ENGLISH, is_unsure=False)
    assert both is not None
    assert both.text.startswith("The question and the passages found seem to be in German; the")
    each = language_note(german, [french], ("en", "it"), is_unsure=False)
    assert each is not None
    assert each.to_dict() == {
        "question": "de",
        "passages": "fr",
        "reader": ["en", "it"],
        "text": "The question seems to be in German, the passages found in French; the reader "
        "reads English and Italian. For readers of other languages see docs/models.md.",
    }
    english = language_note("Who may sign the contract?", [], ("de",), is_unsure=False)
    assert english is not None
    assert english.text.startswith("The question seems to be in English; the reader reads German.")


def test_english_is_asked_without_the_detector() -> None:
    """It takes longer to load than a question takes."""
    code = (
        "import sys; from docqa.languages import language_note as n;"
        f"n('Who may sign?', [{LEASE!r}], ['en'], True); n('postgresql port', [], ['en'], True);"
        "sys.exit('py3langid' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
