"""The sentences of a training as tokens with places for its vectors, and its start vectors.

tokenize gives {encoder: chunks of (token, weight, word id)}; word id 0 marks start, end and
padding.

Host symbols:
    comfy.sd.CLIP: tokenizer, tokenizer_options, tokenize(text, return_word_ids)
    comfy.sd1_clip.SD1Tokenizer: tokenize_with_weights(text, return_word_ids)
    comfy.sd1_clip.SDTokenizer: tokenize_with_weights(text, return_word_ids, tokenizer_options)
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch

from ....collage_core.collage.collage import Collage
from ....collage_core.collage.layer import Layer
from ....collage_core.errors import CollageError, quoted
from ....collage_core.inversion.loss import own_generator
from ....collage_core.inversion.prompts import PLACEHOLDER, nouns_first, scene, sentences
from ....collage_core.inversion.settings import NODE, Settings
from ....collage_core.inversion.start import start_vectors, word_norm
from ..models.embeddings_in_memory import Vectors, knowing, markers


@dataclass(frozen=True)
class TokenSentence:
    """One sentence as tokens: with markers for the vectors, without the noun, without vectors."""

    learned: dict
    nameless: dict
    plain: dict


class TrainingPrompts:
    """Every sentence of a training, tokenised once."""

    def __init__(self, clip, layer: Layer, collage: Collage | None, vectors: int) -> None:
        others = collage.shown if collage is not None else ()
        known = [other.embedding for other in others if other.embedding is not None]
        tokenizer = knowing(clip.tokenizer, [*known, markers(PLACEHOLDER, vectors)])

        def tokens(text: str) -> dict:
            options = (
                {"tokenizer_options": clip.tokenizer_options} if clip.tokenizer_options else {}
            )
            return tokenizer.tokenize_with_weights(text, False, **options)

        texts = list(sentences(layer))
        own = scene(layer, collage) if collage is not None else None
        self.notes = ()
        if collage is not None and own is None:
            text = quoted(layer.text)
            self.notes = (f"no place for {text} in the collage's prompt: not trained with it",)
        found = [
            TokenSentence(tokens(s.learned), tokens(s.nameless), tokens(s.plain))
            for s in ([*texts, own] if own else texts)
        ]
        self.templates = found[: len(texts)]
        self.scene = found[-1] if own else None

    def drawn(self, settings: Settings, seed: int, step: int) -> dict:
        """The tokens with markers for one step of training."""
        dice = random.Random(f"{seed}/prompt/{step}")
        if self.scene is not None and dice.random() < settings.collage_prompt:
            return self.scene.learned
        sentence = dice.choice(self.templates)
        return sentence.nameless if dice.random() < settings.noun_dropout else sentence.learned

    def fixed(self, odd: int) -> TokenSentence:
        """The sentence for every second picture of the fixed set."""
        return self.templates[0] if odd or self.scene is None else self.scene


def first_vectors(clip, text, layer: Layer, settings: Settings, count: int, seed: int) -> Vectors:
    """{encoder: [count, width]} to start from, out of the tables of the private text encoders."""
    words = nouns_first(layer.text) if settings.start == "noun" else ["a"]
    found = {}
    for encoder, numbers in _numbers(clip, words, layer).items():
        table = text.table(encoder).detach()
        rows = table[torch.tensor(numbers, device=table.device)].float().cpu()
        norm = word_norm(table) if settings.fixed_norm else None
        found[encoder] = start_vectors(rows, count, norm, own_generator(seed, "tilt"))
    return found


def _numbers(clip, words: list[str], layer: Layer) -> dict[str, list[int]]:
    """The vocabulary numbers of words, by encoder."""
    numbers: dict[str, list[int]] = {}
    for word in words:
        for encoder, chunks in clip.tokenize(word, return_word_ids=True).items():
            own = [token for chunk in chunks for token, _, word_id in chunk if word_id]
            numbers.setdefault(encoder, []).extend(own)
    if not all(numbers.values()):
        raise CollageError(
            f"{NODE}, layer {quoted(layer.text)}, input layer: the text encoder has no words for "
            "its text. Name the object in English."
        )
    return numbers
