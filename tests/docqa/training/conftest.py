"""Ten questions, and a tiny model that can learn them by heart."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

CONTEXTS = [
    (
        "the tenant signs the lease in paris . the rent is 30 a month . the notice ends in 2024 .",
        [
            ("who signs ?", "tenant"),
            ("where is the lease signed ?", "paris"),
            ("what is the rent ?", "30"),
            ("when ends the notice ?", "2024"),
        ],
    ),
    (
        "a landlord in london must sign the contract . it begins in 2019 and ends in 12 months .",
        [
            ("who must sign ?", "landlord"),
            ("where is the landlord ?", "london"),
            ("what must the landlord sign ?", "contract"),
            ("when begins the contract ?", "2019"),
            ("in how many months ?", "12"),
        ],
    ),
    ("the page was signed in 2019 . may is a month .", [("which month ?", "may")]),
]


@pytest.fixture(scope="session")
def ten_questions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQuAD file of two articles."""

    def paragraph(number: int) -> dict[str, object]:
        context, questions = CONTEXTS[number]
        qas = [
            {
                "id": f"{number}-{n}",
                "question": question,
                "answers": [{"text": answer, "answer_start": context.index(answer)}],
            }
            for n, (question, answer) in enumerate(questions)
        ]
        return {"context": context, "qas": qas}

    file = tmp_path_factory.mktemp("squad") / "ten.json"
    data = [
        {"title": "one", "paragraphs": [paragraph(0), paragraph(1)]},
        {"title": "two", "paragraphs": [paragraph(2)]},
    ]
    file.write_text(json.dumps({"version": "1.1", "data": data}))
    return file


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory, tiny_reader: Path) -> str:
    """A tiny BERT whose first weights are large enough for it to tell words apart at once."""
    import torch
    from transformers import AutoConfig, BertForQuestionAnswering

    folder = tmp_path_factory.mktemp("tiny-base")
    shutil.copytree(tiny_reader, folder, dirs_exist_ok=True)
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(tiny_reader)
    config.initializer_range = 0.2
    BertForQuestionAnswering(config).save_pretrained(folder)
    return str(folder)
