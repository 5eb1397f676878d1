"""Text encoders whose tokenizers come with a checkpoint: of Wan and Lumina, with a small model."""

from __future__ import annotations

import io

import pytest
import torch

TEXTS = [
    "a photo of a shiny red toy car, next to a small blue teapot on a wooden table",
    "a red fox and a blue bear on a table, (soft light:1.2)",
]


@pytest.fixture(scope="module")
def sentencepiece_model() -> torch.Tensor:
    """A trained model as a checkpoint holds it."""
    sentencepiece = pytest.importorskip("sentencepiece")
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 20), model_writer=written, vocab_size=80, pad_id=3,
        minloglevel=2, num_threads=1, hard_vocab_limit=False,
    )  # fmt: skip
    return torch.frombuffer(bytearray(written.getvalue()), dtype=torch.uint8)


@pytest.fixture
def find(pack, sentencepiece_model):
    def find(kind: str, prompt: str, *texts: str):
        import comfy.text_encoders.lumina2 as lumina2
        import comfy.text_encoders.wan as wan

        made = {"wan": wan.WanT5Tokenizer, "lumina": lumina2.LuminaTokenizer}[kind]

        class Clip:
            tokenizer = made(tokenizer_data={"spiece_model": sentencepiece_model})

            def tokenize(self, text: str, return_word_ids: bool = False):
                return self.tokenizer.tokenize_with_weights(text, return_word_ids)

        core, host = pack.collage_core.prompt, pack.nodes.host
        text = host.models.families.TEXTS[made.__name__]
        phrases = core.phrases.find_phrases(prompt, list(enumerate(texts, 1)))
        spans = host.attention.token_spans.token_spans(Clip(), phrases, text)
        return ["".join(spans.spelling[t] for t in region.tokens) for region in spans.regions]

    return find


@pytest.mark.parametrize("kind", ["wan", "lumina"])
@pytest.mark.parametrize(
    ("prompt", "phrases"),
    [
        (TEXTS[0], ["shiny red toy car", "small blue teapot", "wooden table"]),
        (TEXTS[1], ["red fox", "blue bear", "soft light"]),
        ("(red fox:1.3) on a (blue (table:0.5))", ["red fox", "table"]),
        ("red fox", ["red fox"]),
    ],
)
def test_phrases_are_found(find, kind, prompt, phrases) -> None:
    found = [text.replace("\u2581", "") for text in find(kind, prompt, *phrases)]
    assert found == [phrase.replace(" ", "") for phrase in phrases]


def test_signs_that_the_model_does_not_know_are_refused(pack, find) -> None:
    with pytest.raises(
        pack.collage_core.errors.CollageError, match='umt5xxl knows no sign of "木"'
    ):
        find("wan", "a 木 on a table", "木")
