"""A model's tokenizer, read with tokenizers alone where its files say all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from docqa.index.errors import ModelError
from docqa.index.models.weights import NotPlainError, read_object

# transformers' number for a tokenizer whose files name no limit.
UNLIMITED = int(1e30)

_BERT = frozenset({"BertTokenizer", "BertTokenizerFast"})
# Classes whose tokenizer is what tokenizer.json says.
_AS_WRITTEN = frozenset({"PreTrainedTokenizerFast", "TokenizersBackend"})
# The special tokens of BERT; transformers assumes these names where none is given.
_SPECIAL = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
# Settings with which transformers changes what tokenizer.json says.
_CHANGES = ("add_bos_token", "add_eos_token", "split_special_tokens", "auto_map", "tokenizer_file")


@dataclass(frozen=True, slots=True)
class ModelTokenizer:
    """A model's fast tokenizer and what belongs to it.

    Attributes:
        backend: without truncation and padding.
        max_tokens: the most tokens, special ones included, that the model's files allow;
            :data:`UNLIMITED` where they name none.
        pad_id: the padding token; 0 where there is none.
        cls_id: the token whose logits mean "no answer"; None where there is none.
    """

    backend: Tokenizer
    max_tokens: int
    pad_id: int
    cls_id: int | None

    @classmethod
    def load(cls, folder: Path) -> ModelTokenizer:
        """Load the tokenizer of a model's folder, through transformers where it must be.

        Raises:
            ModelError: it can't be loaded, or is not a fast one.
        """
        try:
            return cls.read(folder)
        except NotPlainError:
            return cls._of(load_fast_tokenizer(folder))

    @classmethod
    def read(cls, folder: Path) -> ModelTokenizer:
        """Read the tokenizer of a model's folder without transformers.

        Raises:
            NotPlainError: its files leave something to transformers.
        """
        try:
            return cls._read(folder)
        except (TypeError, KeyError, AttributeError, ValueError) as error:
            raise NotPlainError(f"its files are not as they should be: {error!r}") from error

    @classmethod
    def _read(cls, folder: Path) -> ModelTokenizer:
        config = read_object(folder / "tokenizer_config.json")
        written = read_object(folder / "tokenizer.json")
        special = _special_tokens(folder, config, written)
        kind = config.get("tokenizer_class")
        if kind in _BERT:
            _check_bert(config, written, special)
        elif kind not in _AS_WRITTEN:
            raise NotPlainError(f"tokenizer class {kind}")
        for name in _CHANGES:
            if config.get(name):
                raise NotPlainError(f"{name} in tokenizer_config.json")
        try:
            backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises nothing more special
            raise NotPlainError(f"tokenizer.json: {error}") from error
        backend.no_truncation()
        backend.no_padding()
        pad, first = special.get("pad_token"), special.get("cls_token")
        return cls(
            backend,
            int(config.get("model_max_length", UNLIMITED)),
            backend.token_to_id(pad) or 0 if pad else 0,
            backend.token_to_id(first) if first else None,
        )

    @classmethod
    def _of(cls, tokenizer: Any) -> ModelTokenizer:
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
        backend.no_truncation()
        backend.no_padding()
        return cls(
            backend,
            int(tokenizer.model_max_length),
            int(tokenizer.pad_token_id or 0),
            tokenizer.cls_token_id,
        )


def load_fast_tokenizer(folder: Path) -> Any:
    """Load a model's fast tokenizer as transformers has it.

    Raises:
        ModelError: it can't be loaded, or is not a fast one.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # what tokenizers raises has no class of its own
        raise ModelError(f"can't load the tokenizer in {str(folder)!r}: {error}") from error
    if not hasattr(tokenizer, "backend_tokenizer"):
        raise ModelError(f"{str(folder)!r} has no fast tokenizer (tokenizer.json)")
    return tokenizer


def _special_tokens(
    folder: Path, config: Mapping[str, Any], written: Mapping[str, Any]
) -> dict[str, str]:
    """The named special tokens, each of which tokenizer.json must know as one."""
    if (folder / "added_tokens.json").exists():
        raise NotPlainError("added_tokens.json")
    named = dict.fromkeys(_SPECIAL) | {n: config[n] for n in config if n.endswith("_token")}
    beside = folder / "special_tokens_map.json"
    for name, token in (read_object(beside) if beside.exists() else {}).items():
        if named.get(name) not in (None, token):
            raise NotPlainError(f"two of {name}")
        named[name] = token
    if config.get("tokenizer_class") in _BERT:
        named = {n: t if t is not None else _SPECIAL.get(n) for n, t in named.items()}
    found = {n: t.get("content") if isinstance(t, dict) else t for n, t in named.items()}
    added = _added(written)
    special = {n: t for n, t in found.items() if t is not None and not n.startswith("add_")}
    more = [
        *(config.get("extra_special_tokens") or ()),
        *(config.get("additional_special_tokens") or ()),
    ]
    for token in (*special.values(), *more):
        if not isinstance(token, str) or token not in added:
            raise NotPlainError(f"{token} is no special token in tokenizer.json")
    for number, token in (config.get("added_tokens_decoder") or {}).items():
        if added.get(token["content"]) != token | {"id": int(number)}:
            raise NotPlainError(f"{token} is another token in tokenizer.json")
    return special


def _added(written: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {token["content"]: token for token in written["added_tokens"]}


def _check_bert(
    config: Mapping[str, Any], written: Mapping[str, Any], special: Mapping[str, str]
) -> None:
    """Raise unless tokenizer.json says what transformers makes of BERT's settings.

    transformers takes no more than the vocabulary from the file.
    """
    before, between = _special(special["cls_token"], 0), _special(special["sep_token"], 0)
    single = [before, _text("A", 0), between]
    expected = {
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": config.get("tokenize_chinese_chars", True),
            "strip_accents": config.get("strip_accents"),
            "lowercase": config.get("do_lower_case", True),
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": special["unk_token"],
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, _text("B", 1), _special(special["sep_token"], 1)],
        },
    }
    for part, settings in expected.items():
        found = written.get(part)
        if not isinstance(found, dict) or _without_vocabulary(found) != settings:
            raise NotPlainError(f"tokenizer.json: {part} is not that of tokenizer_config.json")
    added = _added(written)
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    for content, token in added.items():
        if token != {"id": token["id"], "content": content, "special": True} | flags:
            raise NotPlainError(f"{content} is not a usual special token")
    if set(added) != set(special.values()):
        raise NotPlainError("tokenizer.json adds other tokens than tokenizer_config.json")


def _without_vocabulary(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in ("vocab", "special_tokens")}


def _special(token: str, segment: int) -> dict[str, Any]:
    return {"SpecialToken": {"id": token, "type_id": segment}}


def _text(side: str, segment: int) -> dict[str, Any]:
    return {"Sequence": {"id": side, "type_id": segment}}
