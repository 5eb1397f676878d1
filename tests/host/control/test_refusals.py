"""Bad input: a sentence that names node, input, value and remedy, before a wrong picture."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def refused(pack):
    def check(match: str):
        return pytest.raises(pack.collage_core.errors.CollageError, match=match)

    return check


@pytest.mark.parametrize("name", ["positive", "negative", "control_net"])
def test_nothing_at_an_input(control, refused, make_collage, name) -> None:
    with refused(f"CollageControlNet, input {name}: nothing arrived"):
        control(make_collage(), **{name: None})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("strength", -0.5, "-0.5 is outside 0 to 10"),
        ("strength", float("nan"), "nan is outside"),
        ("start_percent", 1.5, "1.5 is outside 0 to 1"),
        ("end_percent", -1.0, "-1 is outside 0 to 1"),
        ("base_control", 2.5, "2.5 is outside 0 to 2"),
    ],
)
def test_values_outside_their_range(control, refused, make_collage, name, value, words) -> None:
    with refused(f"CollageControlNet, input {name}: {words}"):
        control(make_collage(), **{name: value})


def test_an_end_before_the_start(control, refused, make_collage) -> None:
    with refused("start_percent: 0.8 lies after end_percent 0.2"):
        control(make_collage(), start_percent=0.8, end_percent=0.2)


def test_a_control_image_of_other_proportions(control, refused, make_collage) -> None:
    with refused("control_image: 96 x 96 pixels .* 80 x 96"):
        control(make_collage(), control_image=torch.rand(1, 96, 96, 3))
    control(make_collage(), control_image=torch.rand(1, 193, 160, 3))


def test_a_control_image_that_holds_nan(control, refused, make_collage) -> None:
    image = torch.rand(1, 96, 80, 3)
    image[0, 3, 9] = torch.nan
    with refused("CollageControlNet, input control_image: has 3 NaN values, first at y=3 x=9"):
        control(make_collage(), control_image=image)


def test_a_control_image_of_another_batch(control, refused, make_collage) -> None:
    with refused("control_image: a batch of 2 does not fit the 3 pictures"):
        control(make_collage(batch=3), control_image=torch.rand(2, 96, 80, 3))


@pytest.mark.parametrize(("collage", "images", "latents"), [(3, 1, 2), (3, 1, 4), (1, 3, 2)])
def test_latents_that_the_pictures_do_not_go_into(
    control, sample, refused, make_collage, collage, images, latents
) -> None:
    photo = torch.rand(images, 96, 80, 3)
    controlled = control(make_collage(batch=collage), control_image=photo)
    name = "collage" if collage > 1 else "control_image"
    with refused(f"input {name}: it has 3 pictures, .* the {latents} are that are sampled"):
        sample(controlled, batch=latents)


def test_a_latent_of_other_proportions(control, sample, refused, make_collage) -> None:
    with refused("canvas of 80 x 96 pixels has another shape than the latent of 12 x 12 cells"):
        sample(control(make_collage()), cells=(12, 12))


@pytest.mark.parametrize("side", [0, 1])
def test_a_conditioning_with_an_area_of_its_own(
    control, sample, refused, make_collage, side
) -> None:
    import nodes

    controlled = [*control(make_collage())[:2]]
    (controlled[side],) = nodes.ConditioningSetArea().append(controlled[side], 48, 48, 16, 16, 1.0)
    with refused("given an area of the picture.*ConditioningSetMask"):
        sample(controlled)


def test_a_mask_is_no_area_unless_it_says_so(control, sample, refused, make_collage) -> None:
    import nodes

    mask = torch.zeros(1, 96, 80)
    mask[:, :48] = 1
    positive, negative, _ = control(make_collage())
    set_mask = nodes.ConditioningSetMask().append
    assert sample((*set_mask(positive, mask, "default", 1.0), negative)).isfinite().all()
    with refused("given an area"):
        sample((*set_mask(positive, mask, "mask bounds", 1.0), negative))


def test_a_network_that_reads_other_words(tiny, control, sample, refused, make_collage) -> None:
    lora = tiny.tiny_control_lora()
    lora.control_weights["input_blocks.1.1.transformer_blocks.0.attn2.to_k.down"] = torch.ones(4, 9)
    for net, width in ((tiny.tiny_control_net(context_dim=96), 96), (lora, 9)):
        with refused(f"takes {width} numbers per token, the model 64"):
            sample(control(make_collage(), net))


@pytest.mark.parametrize("xl", [False, True])
def test_an_adapter_of_other_sizes(
    tiny, make_model, control, sample, refused, make_collage, xl
) -> None:
    """The host would leave its outputs out with a line in the log."""
    used = make_model(
        num_res_blocks=[2, 2], transformer_depth=[1] * 4, transformer_depth_output=[1] * 6
    )
    wrong = tiny.tiny_adapter(channels=(32, 64, 64), xl=True) if xl else tiny.tiny_adapter(
        channels=(64, 64)
    )  # fmt: skip
    with refused("the network makes .* where the model has .* another family"):
        sample(control(make_collage(), wrong), used)


def test_a_model_of_another_kind(tiny, control, refused, make_collage) -> None:
    positive, _, _ = control(make_collage())
    qwen = tiny.tiny_qwen_image().model
    with refused("the network was made for a UNet, and the model is of the kind QwenImage"):
        positive[0][1]["control"].pre_run(qwen, qwen.model_sampling.percent_to_sigma)


LEVELS = {
    "num_res_blocks": [2, 2], "transformer_depth": [1] * 4, "transformer_depth_output": [1] * 6,
}  # fmt: skip


@pytest.mark.parametrize("block", [1, 2])
@pytest.mark.parametrize("after_skip", [False, True])
@pytest.mark.parametrize("kind", ["ControlNet", "T2I adapter"])
def test_a_patch_that_shrinks_the_blocks(
    tiny,
    control,
    sample,
    refused,
    make_collage,
    make_model,
    network,
    model,
    kind,
    block,
    after_skip,
) -> None:
    """PatchModelAddDownscale, Kohya's Deep Shrink: the host drops control that does not fit."""
    from comfy_extras.nodes_model_downscale import PatchModelAddDownscale

    net, used = (network, model) if kind == "ControlNet" else (tiny.tiny_adapter(),) * 2
    if kind != "ControlNet":
        used = make_model(**LEVELS)
    how = (2.0, 0.0, 0.5, after_skip, "bicubic", "bicubic")
    (shrunk,) = PatchModelAddDownscale.execute(used, block, *how).args
    told = "another patch of the model makes (input|the middle) block.* in place of 2 x "
    with refused(told):
        sample(control(make_collage(), net), shrunk)
    late = control(make_collage(), net, start_percent=0.6)
    assert sample(late, shrunk).isfinite().all()
    assert sample(control(make_collage(), net), used).isfinite().all()


def test_a_patch_that_drops_rows(control, sample, refused, make_collage, model) -> None:
    halved = model.clone()
    halved.set_model_input_block_patch(lambda h, _: h[:1])
    with refused("makes input block 0 1 x 12 x 10 .* in place of 2 x 12 x 10"):
        sample(control(make_collage()), halved)


def test_watching_changes_nothing(control, record, make_collage, model) -> None:
    seen = []

    def look(h, options):
        seen.append(len(options["patches"]["input_block_patch"]))
        return h

    watched = model.clone()
    watched.set_model_input_block_patch(look)
    record(control(make_collage()), watched, steps=3)
    assert set(seen) == {2}
    assert len(watched.model_options["transformer_options"]["patches"]["input_block_patch"]) == 1
