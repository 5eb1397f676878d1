"""What was made of one collage is not used with another; strengths alone may differ."""

from __future__ import annotations

import dataclasses

import pytest
import torch

PATCH = "this is not the collage that MaskedCrossAttentionPatch got: "
CONTROL = "this is not the collage that CollageControlNet got: "


@pytest.fixture
def paint(pack, tiny, encode):
    """PerLayerNoiseKSampler on the tiny models: its samples."""

    def run(collage, model, positive, **inputs):
        given = {
            "vae": tiny.tiny_vae(), "negative": encode("bad"), "seed": 5, "steps": 2, "cfg": 4.0,
            "sampler_name": "euler", "scheduler": "normal", "base_noise": 0.8, "feather": 0.0,
        }  # fmt: skip
        node = pack.nodes.sampling.PerLayerNoiseKSampler
        given = {"collage": collage, "model": model, "positive": positive, **given, **inputs}
        return node.execute(**given).args[0]["samples"]

    return run


@pytest.fixture
def edited(pack):
    """CollageEdit of the second layer on a grey result; `phrase` gives it other words."""

    def edit(collage, phrase=""):
        picture = torch.full((1, collage.height, collage.width, 3), 0.5)
        node = pack.nodes.editing.CollageEdit
        given = {"layers": "2", "noise": 0.7, "feather": 2.0, "paste": False}
        return node.execute(collage=collage, image=picture, phrase=phrase, **given).args[0]

    return edit


@pytest.fixture
def refused(pack):
    def check(match: str):
        return pytest.raises(pack.collage_core.errors.CollageError, match=match)

    return check


def changed(collage, index: int, **values):
    layers = [*collage.layers]
    layers[index] = dataclasses.replace(layers[index], **values)
    return collage.with_layers(tuple(layers))


def test_words_of_before_an_edit(make_collage, patch, paint, edited, refused) -> None:
    """The wire that is forgotten most: patch before CollageEdit, sampler after it."""
    collage = make_collage()
    patched, positive, _ = patch(collage)
    other = edited(collage, phrase="green cat")
    with refused(PATCH + 'its layer 2 is "green cat", not "blue bear"'):
        paint(other, patched, positive)
    assert paint(other, *patch(other)[:2]).isfinite().all()


def test_an_edit_that_keeps_words_and_places(make_collage, patch, paint, edited) -> None:
    collage = make_collage()
    other = edited(collage)
    before, after = patch(collage)[:2], patch(other)[:2]
    assert torch.equal(paint(other, *before), paint(other, *after))


def test_strengths_may_differ(make_collage, patch, paint) -> None:
    """As after CollageAutoTune: each node takes the strengths of the collage it is given."""
    collage = make_collage()
    patched, positive, _ = patch(collage)
    tuned = changed(collage, 0, noise=0.2, attract=0.1, repel=0.1, control=0.1)
    assert paint(tuned, patched, positive).isfinite().all()


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"prompt": "a red fox near a blue bear on a table"}, "its prompt is .*near.*, not .*and"),
        ({"size": (96, 88)}, "it has a canvas of 88 x 96 pixels, not a canvas of 80 x 96"),
        ({"batch": 2}, "it has 2 pictures, not 1 picture"),
        ({"scale": 0.9}, 'its layer 2 "blue bear" has another place'),
    ],
)
def test_another_collage_at_the_sampler(make_collage, patch, paint, refused, other, told) -> None:
    patched, positive, _ = patch(make_collage())
    with refused(f"^PerLayerNoiseKSampler, input collage: {PATCH}{told}"):
        paint(make_collage(**other), patched, positive)


def test_a_collage_made_anew_is_the_same(make_collage, patch, paint) -> None:
    patched, positive, _ = patch(make_collage())
    assert paint(make_collage(), patched, positive).isfinite().all()


def test_the_layer_that_moved_is_named(make_collage, patch, paint, refused) -> None:
    collage = make_collage()
    patched, positive, _ = patch(collage)
    with refused(f'{PATCH}its layer 1 "red fox" has another place'):
        paint(changed(collage, 0, y=0.3), patched, positive)


def test_one_of_several_combined_is_enough(pack, make_collage, patch, paint, refused) -> None:
    collage, other = make_collage(), make_collage(prompt="the blue bear and the red fox")
    patched, positive, _ = patch(collage)
    _, second, _ = patch(other)
    assert paint(collage, patched, [*second, *positive]).isfinite().all()
    with refused(PATCH):
        paint(collage, patched, [*second, *second])


def test_a_learned_look_counts(pack, make_collage) -> None:
    core, collage = pack.collage_core, make_collage()
    look = core.collage.layer.Embedding(name="fluffy", vectors={"l": torch.ones(1, 64)})
    other = changed(collage, 1, embedding=look)
    told = core.collage.same_collage.difference(other, collage, words=True)
    assert told == 'its layer 2 "blue bear" has the embedding fluffy, not no embedding'
    assert not core.collage.same_collage.difference(other, collage, words=False)


def test_a_negative_may_have_words_of_its_own(make_collage, patch, paint, refused) -> None:
    collage = make_collage()
    patched, positive, _ = patch(collage)
    _, against, _ = patch(make_collage(prompt="a blue bear, a red fox"))
    assert paint(collage, patched, positive, negative=against).isfinite().all()
    _, elsewhere, _ = patch(make_collage(scale=0.8))
    with refused(PATCH + "its layer 2"):
        paint(collage, patched, positive, negative=elsewhere)
    zeroed = [[torch.zeros_like(features), options] for features, options in elsewhere]
    assert paint(collage, patched, positive, negative=zeroed).isfinite().all()


def test_control_of_another_collage(
    make_collage, patch, paint, control, edited, encode, refused
) -> None:
    collage = make_collage()
    other = edited(collage)
    patched, words, _ = patch(collage)
    positive, negative, _ = control(collage, words)
    assert paint(collage, patched, positive, negative=negative).isfinite().all()
    with refused(CONTROL + "it comes from CollageEdit and shows another picture"):
        paint(other, patched, positive, negative=negative)
    shown = torch.rand(1, collage.height, collage.width, 3)
    positive, negative, _ = control(collage, words, control_image=shown)
    assert paint(other, patched, positive, negative=negative).isfinite().all()
    moved = changed(collage, 1, x=0.6)
    with refused(CONTROL + 'its layer 2 "blue bear" has another place'):
        paint(moved, patched, encode(), negative=negative)


def test_control_behind_a_patch_of_another_collage(make_collage, patch, control, refused) -> None:
    _, positive, _ = patch(make_collage())
    with refused(f'^CollageControlNet, input collage: {PATCH}its layer 2 "blue bear" has'):
        control(make_collage(scale=0.9), positive)
    control(make_collage(prompt="red fox, blue bear"), positive)  # it reads no words
