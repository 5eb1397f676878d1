"""Looks that LoRAs have learned: their pictures, their files, who recognises them, the table."""

from __future__ import annotations

import comfy.lora
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from demo import world
from demo.evaluate import loras
from demo.evaluate.collages import Case, kinds, to_collage
from demo.judges import looks
from demo.pack import load_pack
from demo.train import lora
from demo.train.painter import build_unet
from demo.world.looks import LOOKS, alone, mixed, together
from demo.world.toys.solids import COLORS, PATTERNS

MEBIBYTE = 2**20
SEED = 7_700_000  # apart from those of training and of measuring


def test_words_name_no_look() -> None:
    told = {*COLORS, *PATTERNS}
    for scene in (*(alone(SEED, kind) for kind in LOOKS), together(SEED), mixed(SEED)[0]):
        phrases = {thing.phrase for thing in scene.things if thing.kind in LOOKS}
        assert phrases <= {*LOOKS}
        before_the_wall = scene.caption.partition(" before a ")[0]
        assert not told & {*before_the_wall.replace(",", "").split()}


def test_a_look_changes_the_toys_alone() -> None:
    plain, dressed = together(SEED), together(SEED, dressed=True)
    assert plain.caption == dressed.caption
    np.testing.assert_array_equal(plain.visible, dressed.visible)
    rest = plain.visible[2:].sum(0) == 0
    np.testing.assert_array_equal(plain.picture[rest], dressed.picture[rest])
    for toy in plain.visible[2:] > 0.9:
        assert np.abs(plain.picture[toy] - dressed.picture[toy]).mean() > 0.1


def test_the_looks_are_told_apart_on_scenes_of_the_world() -> None:
    recogniser, right, toys = looks.Recogniser(), 0, 0
    for seed in range(SEED, SEED + 12):
        scene, told = mixed(seed)
        (seen,) = recogniser(torch.from_numpy(scene.picture)[None])
        cells = torch.nn.functional.avg_pool2d(torch.from_numpy(scene.visible)[None], 8)[0] > 0.5
        for look, own in zip(told, cells[2:], strict=True):
            if own.any():
                toys += 1
                right += bool((seen[own] == looks.CLASSES.index(look)).float().mean() >= 0.5)
    assert toys > 20
    assert right / toys > 0.9


def case_of(scene: world.Scene) -> Case:
    return Case(SEED, to_collage(scene, 0.9), kinds(scene))


def test_looks_in_their_places_are_a_gain_and_elsewhere_a_leak() -> None:
    scene, plain = together(SEED, dressed=True), together(SEED)
    case, recogniser = case_of(scene), looks.Recogniser()
    first, dressed = (torch.from_numpy(one.picture) for one in (plain, scene))
    gain, _, leak, foreign, change, seconds = loras.measures(recogniser, case, dressed, first, 3.0)
    assert gain == 1
    assert leak == 0
    assert foreign < 0.1
    assert change < 1  # their light and shadow are the same
    assert seconds == 3
    gain, _, leak, *_ = loras.measures(recogniser, case, first, first, 0.0)
    assert (gain, leak) == (0, 0)
    turned = Case(SEED, case.collage, ("", "", *case.kinds[3:], case.kinds[2]))
    gain, _, leak, foreign, *_ = loras.measures(recogniser, turned, dressed, first, 0.0)
    assert gain == 0
    assert leak == 1
    assert foreign > 0.7


@pytest.mark.parametrize("kind", LOOKS)
def test_a_file_is_small_and_fits_the_demo_model_as_comfyui_reads_it(kind: str) -> None:
    assert lora.path_of(kind).stat().st_size < MEBIBYTE
    model = load_pack().nodes.host.demo_model.loader.load_all()[0]
    terms = load_pack().nodes.host.loras.adapters.model_terms(
        model, load_file(lora.path_of(kind)), kind
    )
    assert len(terms) == len(lora.Lora(build_unet()).names)
    keys = comfy.lora.model_lora_keys_unet(model.model, {})
    assert len(comfy.lora.load_lora(load_file(lora.path_of(kind)), keys)) == len(terms)


def test_an_untrained_lora_changes_nothing_and_its_file_is_what_it_adds() -> None:
    torch.manual_seed(0)
    unet = build_unet()
    for parameter in unet.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    given = torch.randn(1, 8, 16, 16), torch.tensor([500.0]), torch.randn(1, 77, 128)
    with torch.no_grad():
        before = unet(given[0], given[1], given[2])
        own = lora.Lora(unet)
        assert torch.equal(unet(given[0], given[1], given[2]), before)
        for up in own.up.parameters():
            torch.nn.init.normal_(up, std=0.5)
        hooked = unet(given[0], given[1], given[2])
        plain = build_unet()
        plain.load_state_dict(unet.state_dict())
        file = own.file()
        for name in own.names:
            down, up = (file[f"diffusion_model.{name}.lora_{end}.weight"] for end in ("down", "up"))
            weight = plain.get_parameter(f"{name}.weight")
            weight += (up.flatten(1) @ down.flatten(1)).view_as(weight)
        changed = plain(given[0], given[1], given[2])
    effect = (hooked - before).abs().max()
    assert effect > 1e-3
    assert (changed - hooked).abs().max() < 1e-3 * effect


def test_a_part_of_a_picture_holds_the_toy() -> None:
    rng = np.random.default_rng(0)
    for first, last in ((0, 9), (8, 20), (22, 31), (5, 30)):
        for _ in range(20):
            begin = lora.start(rng, first, last, lora.PART)
            assert 0 <= begin <= lora.CELLS - lora.PART
            if last - first < lora.PART:
                assert begin <= first
                assert last < begin + lora.PART
    assert lora.start(rng, 3, 9, lora.CELLS) == 0


def test_the_table_has_paired_differences_from_the_layers_way() -> None:
    row = torch.tensor([1.0, 0.9, 0.0, 0.0, 2.0, 6.0])
    other = torch.tensor([0.5, 0.5, 0.5, 0.2, 3.0, 9.0])
    found = {
        "no LoRA": [row * 0, row * 0],
        "a LoRA per layer": [row, row],
        "all on the whole picture": [other, other + 0.1],
    }
    table = loras.table(found)
    assert table["a LoRA per layer"]["gain"] == 1
    assert table["less all on the whole picture"]["gain"] == pytest.approx(0.45)
    assert table["less all on the whole picture"]["gain, error"] == pytest.approx(0.05)
    assert table["less no LoRA"]["collages"] == 2
