"""What many tests need: a tiny reader made on the spot, the shipped one, small documents."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# A busy machine is slow; that is no fault of what is tested.
settings.register_profile("docqa", deadline=None)
settings.load_profile("docqa")

# No test may reach a hub.
os.environ["HF_HUB_OFFLINE"] = "1"

WORDS = (
    "the a of and to in is was who what when where which how many lease contract tenant landlord "
    "rent month year page sign signed signs may must notice period ends begins paris london 12 "
    "30 2019 2024 . , ? ! ( ) - ' un ##able ##ing ##ed ##s caf ##é"
).split()


@pytest.fixture(scope="session")
def tiny_tokenizer_json() -> str:
    """A WordPiece tokenizer of a few dozen words, lower-casing like BERT's."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + [str(d) for d in range(10)]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary += [w for w in (*letters, *(f"##{x}" for x in letters)) if w not in vocabulary]
    ids = {token: n for n, token in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return str(tokenizer.to_str())


@pytest.fixture(scope="session")
def tiny_reader(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer_json: str) -> Path:
    """The folder of a random BERT of 2 layers and 32 dimensions with a span head."""
    import torch
    from tokenizers import Tokenizer
    from transformers import BertConfig, BertForQuestionAnswering, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-reader")
    tokenizer = Tokenizer.from_str(tiny_tokenizer_json)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    BertForQuestionAnswering(config).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=128,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    ).save_pretrained(folder)
    return folder


LEASE = """\
This lease is between Margaret Holloway, the landlord, and the tenant.

The rent is 1,250 euros a month. It is paid on the third working day of each month. The lease begins
on 1 March 2019 and ends on 28 February 2024.

Either side may end it earlier with a notice period of ninety days. Only the managing director may
sign a notice.
"""

ROCKET = """\
The Ariadne rocket

The Ariadne rocket was designed by Jean-Luc Ferrand in 1987. It stands 54 metres tall and carries
eleven tonnes into a low orbit. Its first flight, from Kourou, failed after forty seconds.

The second stage burns liquid methane. Seventeen rockets were built before production stopped.
"""


def write_documents(folder: Path) -> Path:
    """A new folder of two small documents with facts that can be asked for."""
    folder.mkdir()
    (folder / "lease.txt").write_text(LEASE, encoding="utf-8")
    (folder / "rocket.md").write_text(ROCKET, encoding="utf-8")
    return folder


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """A folder of two small documents of the test's own."""
    return write_documents(tmp_path / "documents")
