"""The sentences of a training as tokens with placeholders, and the start vectors.

tokenize returns {encoder: chunks of (token, weight, word id)}; word id 0 marks start, end and
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

from ....collage_core.errors import CollageError, quoted
from ....collage_core.inversion.descent import start_vectors, word_norm
from ....collage_core.inversion.loss import seeded_generator
from ....collage_core.inversion.prompts import PLACEHOLDER, nouns_first, scene, sentences
from ....collage_core.inversion.settings import where
from ....collage_core.storage.embedding_file import Vectors
from ..models.embeddings_in_memory import placeholder_tokens, tokenizer_with
from .networks import TrainableTextEncoder
from .task import Task


@dataclass(frozen=True)
class TokenSentence:
    """The three forms of a `Sentence`, each as {encoder: chunks of (token, weight)}.

    In the first two, placeholders stand where the vectors belong.
    """

    with_token: dict
    without_noun: dict
    without_token: dict


class TrainingPrompts:
    """Every sentence of a training, tokenised once: `templates`, and `scene` or None."""

    def __init__(self, task: Task) -> None:
        clip, layer, collage, self.task = task.clip, task.layer, task.collage, task
        others = collage.shown if collage is not None else ()
        known = [other.embedding for other in others if other.embedding is not None]
        own = placeholder_tokens(PLACEHOLDER, task.family.vectors(task.settings))
        tokenizer = tokenizer_with(clip.tokenizer, [*known, own])

        def tokens(text: str) -> dict:
            options = (
                {"tokenizer_options": clip.tokenizer_options} if clip.tokenizer_options else {}
            )
            return tokenizer.tokenize_with_weights(text, False, **options)

        texts = list(sentences(layer))
        in_collage = scene(layer, collage) if collage is not None else None
        self.notes = ()
        if collage is not None and in_collage is None:
            text = quoted(layer.text)
            self.notes = (f"no place for {text} in the collage's prompt: it was not used",)
        found = [
            TokenSentence(tokens(s.with_token), tokens(s.without_noun), tokens(s.without_token))
            for s in ([*texts, in_collage] if in_collage else texts)
        ]
        self.templates = found[: len(texts)]
        self.scene = found[-1] if in_collage else None

    def drawn(self, step: int) -> dict:
        """The tokens for one step of training."""
        settings, rng = self.task.settings, random.Random(f"{self.task.seed}/prompt/{step}")
        if self.scene is not None and rng.random() < settings.collage_prompt:
            return self.scene.with_token
        sentence = rng.choice(self.templates)
        dropped = rng.random() < settings.noun_dropout
        return sentence.without_noun if dropped else sentence.with_token

    def fixed(self, odd: int) -> TokenSentence:
        """The sentence for the even (0) or odd (1) pictures of the fixed set."""
        return self.templates[0] if odd or self.scene is None else self.scene


def first_vectors(task: Task, text: TrainableTextEncoder) -> Vectors:
    """The start vectors {encoder: [n, width]}: word vectors from the tables of the encoders."""
    settings, count = task.settings, task.family.vectors(task.settings)
    words = nouns_first(task.layer.text) if settings.start == "noun" else ["a"]
    found = {}
    for encoder, numbers in _numbers(task, words).items():
        table = text.table(encoder).detach()
        rows = table[torch.tensor(numbers, device=table.device)].float().cpu()
        norm = word_norm(table) if settings.fixed_norm else None
        found[encoder] = start_vectors(rows, count, norm, seeded_generator(task.seed, "tilt"))
    return found


def _numbers(task: Task, words: list[str]) -> dict[str, list[int]]:
    """The vocabulary numbers of words, by encoder."""
    numbers: dict[str, list[int]] = {}
    for word in words:
        for encoder, chunks in task.clip.tokenize(word, return_word_ids=True).items():
            own = [token for chunk in chunks for token, _, word_id in chunk if word_id]
            numbers.setdefault(encoder, []).extend(own)
    if not all(numbers.values()):
        raise CollageError(
            f"{where(task.layer.text, 'layer')}: the text encoder has no words for its text. "
            "Name the object in English."
        )
    return numbers
