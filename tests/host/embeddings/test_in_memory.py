"""Learned words handed to a CLIP, and hosts whose tokenizers would not ask for them."""

from __future__ import annotations

import copy
import importlib

import pytest
import torch


@pytest.fixture
def hand_over(pack, clip):
    """Give a clone of the CLIP, its tokenizer changed by a subclass, the word "fur"."""
    memory = importlib.import_module(f"{pack.nodes.__name__}.host.models.embeddings_in_memory")
    word = pack.collage_core.collage.layer.Embedding(name="fur", vectors={"l": torch.rand(2, 64)})

    def run(**changes):
        changed = clip.clone()
        changed.tokenizer = copy.copy(clip.tokenizer)
        own = copy.copy(clip.tokenizer.clip_l)
        own.__class__ = type("Changed", (type(own),), changes)
        changed.tokenizer.clip_l = own
        return memory.with_embeddings_in_memory(changed, [word]), word

    return run


def test_a_clip_knows_the_words_and_the_shared_one_does_not(hand_over, clip) -> None:
    given, word = hand_over()
    tokens = given.tokenize("a embedding:fur bear")["l"][0]
    vectors = [token for token, _ in tokens if isinstance(token, torch.Tensor)]
    assert torch.equal(torch.stack(vectors), word.vectors["l"])
    own = clip.tokenize("a embedding:fur bear")["l"][0]
    assert not any(isinstance(token, torch.Tensor) for token, _ in own)


def _renamed(self, text: str, *args, **kwargs):
    return [[(49406, 1.0), *((int(word in "a"), 1.0) for word in text.split()), (49407, 1.0)]]


def _more_arguments(self, text: str, *args, **kwargs):
    self._try_get_embedding(text.removeprefix("embedding:"), "prompt")
    return [[]]


def _another_answer(self, text: str, *args, **kwargs):
    found, _ = self._try_get_embedding(text.removeprefix("embedding:"))
    return [[(vector, 1.0) for vector in found]]


@pytest.mark.parametrize("reader", [_renamed, _more_arguments, _another_answer])
def test_a_host_that_reads_embeddings_in_another_way_is_refused(pack, hand_over, reader) -> None:
    with pytest.raises(pack.collage_core.errors.CollageError, match=r"another way than that of"):
        hand_over(tokenize_with_weights=reader)
