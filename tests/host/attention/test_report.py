"""What the node tells its user."""

from __future__ import annotations

import dataclasses

import pytest
import torch


def test_tokens_coverage_and_strengths_of_every_layer(make_collage, patch) -> None:
    collage = make_collage(attract=0.25, repel=0.5)
    _, _, report = patch(collage, strength=2.0, start_percent=0.1, end_percent=0.75)
    head, blank, fox, blank_too, bear = report.splitlines()
    assert head == (
        "2 of 2 layers steer 4 of 77 tokens; schedule paper, from 0.1 to 0.75 of the steps."
    )
    assert blank == blank_too == ""
    covers = collage.composite.visible_alpha.mean((0, 2, 3))
    assert fox.startswith('1 "red fox": tokens 2 red, 3 fox; covers ')
    assert bear.startswith('2 "blue bear": tokens 6 blue, 7 bear; covers ')
    for line, share in zip((fox, bear), covers, strict=True):
        assert f"covers {100 * share:.1f} %" in line
        assert line.endswith("; attract 0.5, repel 1")


@pytest.mark.parametrize(
    ("inputs", "warning"),
    [
        ({"strength": 0.0}, "! Every attract and repel is 0: "),
        ({"start_percent": 0.5, "end_percent": 0.5}, "! start_percent is not below end_percent: "),
        ({"start_percent": 0.5, "end_percent": 0.2}, "! start_percent is not below end_percent: "),
    ],
)
def test_a_bias_that_never_acts(make_collage, patch, inputs, warning) -> None:
    _, _, report = patch(make_collage(), **inputs)
    assert report.splitlines()[1].startswith(warning)


def test_negatives_act_at_strength_zero(make_collage, patch) -> None:
    collage, unpatched = make_collage(), "as if it were unpatched"
    fox, bear = collage.layers
    told = collage.with_layers((dataclasses.replace(fox, negative="green"), bear))
    reports = [patch(one, strength=0.0)[2].splitlines()[1] for one in (collage, told)]
    assert reports[0].endswith(f"{unpatched}.")
    assert reports[1].endswith(f"{unpatched}, but for negatives of layers.")


@pytest.mark.parametrize(
    ("schedule", "noises", "told"),
    [
        ("earliest", (0.3, 0.8), ["0.3"]),
        ("earliest", (0.0, 0.8), []),
        ("earliest", (0.7, 0.8), []),
        ("early", (0.3, 0.8), []),
    ],
)
def test_layers_that_are_painted_when_words_have_ended(
    make_collage, patch, schedule, noises, told
) -> None:
    collage = make_collage()
    layers = [
        dataclasses.replace(layer, noise=noise)
        for layer, noise in zip(collage.layers, noises, strict=True)
    ]
    _, _, report = patch(collage.with_layers(tuple(layers)), schedule=schedule)
    assert [
        noise for noise in ("0.0", "0.3", "0.7") if f"    is painted from noise {noise}" in report
    ] == told
    assert ("by 0.6: its pixels keep its place" in report) == bool(told)


@pytest.mark.parametrize(
    ("repel", "consequence"),
    [(0.5, "are pushed out of the whole picture"), (0.0, "act everywhere")],
)
def test_a_layer_that_nobody_can_see(make_collage, patch, repel, consequence) -> None:
    collage = make_collage(repel=repel)
    fox, bear = collage.layers
    nothing = dataclasses.replace(fox, alpha=torch.zeros_like(fox.alpha))
    _, _, report = patch(collage.with_layers((nothing, bear)))
    assert f"    ! nothing of it can be seen: its words {consequence}" in report.splitlines()


def test_layers_that_share_their_words(make_collage, patch, sample) -> None:
    collage = make_collage(texts=("red fox", "red fox"))
    patched, positive, report = patch(collage)
    assert "    ! shares its words with layer 2: they are one region" in report.splitlines()
    assert "    ! shares its words with layer 1: they are one region" in report.splitlines()
    assert "2 of 2 layers steer 2 of 77 tokens" in report
    assert sample(patched, positive).isfinite().all()
    fox, other = collage.layers
    nothing = dataclasses.replace(fox, alpha=torch.zeros_like(fox.alpha))
    _, _, report = patch(collage.with_layers((nothing, other)))
    assert "    ! nothing of it can be seen" in report.splitlines(), "the other one can"


def test_numbers_count_hidden_layers(make_collage, patch) -> None:
    collage = make_collage()
    fox, bear = collage.layers
    _, _, report = patch(collage.with_layers((dataclasses.replace(fox, visible=False), bear)))
    assert report.startswith("1 of 2 layers steer 2 of 77 tokens")
    assert '\n2 "blue bear": tokens 6 blue, 7 bear;' in report


def test_words_that_the_text_encoder_cannot_read(make_collage, patch) -> None:
    prompt = "a red fox and 红色的狐狸在桌子上"
    collage = make_collage(texts=("red fox", "红色的狐狸在桌子上"), prompt=prompt)
    _, _, report = patch(collage)
    (note,) = [line for line in report.splitlines() if line.startswith("    !")]
    assert note.startswith("    ! the text encoder reads English; this takes ")


def test_schema_is_the_documented_one(pack) -> None:
    schema = pack.nodes.attention.MaskedCrossAttentionPatch.define_schema()
    inputs = {i.id: getattr(i, "default", None) for i in schema.inputs}
    assert inputs == {
        "model": None, "clip": None, "collage": None, "schedule": "earliest", "strength": 1.0,
        "start_percent": 0.0, "end_percent": 1.0, "crop": None, "negative": "",
    }  # fmt: skip
    assert [output.id for output in schema.outputs] == ["model", "positive", "report", "negative"]
