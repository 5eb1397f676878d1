"""Ids, order and defaults of every input and output: what saved workflows hold on to."""

from __future__ import annotations

import pytest

KSAMPLER = {
    "seed": 0, "steps": 30, "cfg": 7.5, "sampler_name": "euler_ancestral", "scheduler": "normal",
}  # fmt: skip

# node -> (inputs with their defaults, None where there is none; outputs)
CONTRACT = {
    "CollageLayer": (
        {
            "image": None, "text": "", "mask": None, "x": 0.5, "y": 0.5, "scale": 1.0,
            "rotation": 0.0, "opacity": 1.0, "noise": 0.6, "attract": 0.3, "repel": 0.5,
            "control": 1.0, "visible": True, "fit": "pixels",
        },
        ["layer"],
    ),
    "CollageStack": (
        {
            "prompt": "", "width": 512, "height": 512, "background": "#969696", "layers": None,
            "background_image": None, "collage": None,
        },
        ["collage", "image", "visible_masks", "prompt", "report"],
    ),
    "CollageEmbeddingLoad": ({"layer": None, "embedding": None}, ["layer", "embedding"]),
    "LayerTextualInversion": (
        {
            "model": None, "clip": None, "vae": None, "layer": None, "preset": "default",
            "steps": 0, "seed": 0, "collage": None,
        },
        ["layer", "embedding", "loss_curve", "report"],
    ),
    "CollageAttentionMap": (
        {"model": None, "collage": None, "latent": None, "steps": 8, "seed": 0},
        ["image", "report"],
    ),
    "CollageControlNet": (
        {
            "positive": None, "negative": None, "control_net": None, "collage": None,
            "control_image": None, "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0,
            "base_control": 0.0, "crop": None,
        },
        ["positive", "negative", "control_image"],
    ),
    "CollageAutoTune": ({"collage": None, "harmonise": 0.5}, ["collage", "report"]),
    "MaskedCrossAttentionPatch": (
        {
            "model": None, "clip": None, "collage": None, "schedule": "paper", "strength": 1.0,
            "start_percent": 0.0, "end_percent": 1.0, "crop": None,
        },
        ["model", "positive", "report"],
    ),
    "PerLayerNoiseKSampler": (
        {
            "model": None, "collage": None, "vae": None, "positive": None, "negative": None,
            **KSAMPLER, "base_noise": 0.8, "feather": 10.0, "latent_image": None, "halo": 0,
            "layer_seeds": "", "renoise": "host", "start_at_step": 0, "end_at_step": 10000,
        },
        ["latent", "noise_map", "noise_preview"],
    ),
    "CollageEdit": (
        {
            "collage": None, "image": None, "layers": "", "noise": 0.6, "phrase": "",
            "feather": 10.0, "paste": False, "before": None,
        },
        ["collage", "image", "noise_map", "prompt", "report", "noise_preview"],
    ),
    "CollagePasteBack": (
        {"original": None, "new": None, "feather": 10.0, "collage": None, "mask": None},
        ["image", "mask"],
    ),
    "CollageLayers": (
        {
            "collage": None, "background": "#969696", "base_noise": 0.8, "feather": 10.0,
            "image": None, "halo": 0,
        },
        [
            "images", "visible_masks", "full_masks", "boxes", "noise_map", "layout",
            "noise_preview",
        ],
    ),
    "CollageSplit": ({"collage": None, "image": None}, ["collage", "image", "report"]),
    "CollageDemoControlNet": ({}, ["control_net"]),
}  # fmt: skip

# what the page folds away until it is asked for
FOLDED = {
    "LayerTextualInversion": ["steps", "seed"],
    "MaskedCrossAttentionPatch": ["schedule", "start_percent", "end_percent"],
    "CollageAttentionMap": ["seed"],
    "CollageControlNet": ["start_percent", "end_percent"],
    "PerLayerNoiseKSampler": [
        "feather", "halo", "layer_seeds", "renoise", "start_at_step", "end_at_step",
    ],
    "CollageEdit": ["feather"],
    "CollageLayers": ["base_noise", "feather", "halo"],
}  # fmt: skip


@pytest.fixture
def schema_of(node_of):
    return lambda name: node_of(name).GET_SCHEMA()


@pytest.mark.parametrize("name", CONTRACT)
def test_inputs_and_outputs_are_the_contract(schema_of, name):
    inputs, outputs = CONTRACT[name]
    found = {i.id: getattr(i, "default", None) for i in schema_of(name).inputs}
    assert list(found.items())[: len(inputs)] == list(inputs.items())
    assert [o.id for o in schema_of(name).outputs] == outputs


def test_layers_grow_from_0_to_64(schema_of):
    growing = next(i for i in schema_of("CollageStack").inputs if i.id == "layers").template
    assert (growing.prefix, growing.min, growing.max) == ("layer", 0, 64)


def test_every_input_has_a_tooltip_and_every_number_a_range(pack):
    for node in pack.nodes.NODES:
        schema = node.GET_SCHEMA()
        unnamed = [s.id for s in (*schema.inputs, *schema.outputs) if not s.tooltip]
        assert not unnamed, f"{schema.node_id}: {unnamed}"
        numbers = [i for i in schema.inputs if i.get_io_type() in ("FLOAT", "INT")]
        assert all(None not in (i.min, i.max, i.step) for i in numbers), schema.node_id
        assert all(i.round for i in numbers if i.get_io_type() == "FLOAT"), schema.node_id
        assert schema.category == "collage"
        assert schema.description
        assert schema.search_aliases


def test_what_is_seldom_set_is_folded_away(pack):
    schemas = [node.GET_SCHEMA() for node in pack.nodes.NODES]
    folded = {s.node_id: [i.id for i in s.inputs if i.advanced] for s in schemas}
    assert {name: inputs for name, inputs in folded.items() if inputs} == FOLDED


def test_shares_are_sliders_and_wide_ranges_are_not(pack):
    for node in pack.nodes.NODES:
        for number in node.GET_SCHEMA().inputs:
            if number.get_io_type() == "FLOAT" and not number.advanced:
                narrow = number.max - number.min <= 2
                assert bool(number.display_mode) == narrow, (node.__name__, number.id)
