"""ComfyUI's own latent nodes between two parts of a run: kept places stay right, or it is said."""

from __future__ import annotations

import importlib

import pytest
import torch

TO, STEPS = 2, {"steps": 6, "sampler_name": "euler"}
WHITE = torch.ones(64, 64)
EXTRAS = ("post_processing", "latent", "mask", "rebatch")  # the second imports the first and back


@pytest.fixture
def begun() -> torch.Tensor:
    """Three pictures to begin with that are not the composite."""
    return torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def collage(make_collage):
    return make_collage(0.0)


@pytest.fixture
def flat(make_collage):
    """A collage of one colour, whose parts and enlargements look like itself; size in cells."""

    def make(rows: int, columns: int):
        collage = make_collage(0.0, size=(8 * rows, 8 * columns))
        collage.layers[0].image.fill_(0.5)
        collage.background.fill_(0.5)
        return collage

    return make


@pytest.fixture
def part(run, collage):
    """The LATENT of a part of the run; without a start of the first part."""

    def sample(latent: dict | None = None, of=collage, **inputs) -> dict:
        given = {"end_at_step": TO} if "start_at_step" not in inputs else {}
        return run(of, **STEPS, **given, **inputs, latent_image=latent)[0]

    return sample


@pytest.fixture
def refused(pack, part):
    def check(match: str, latent: dict, **inputs) -> None:
        with pytest.raises(pack.collage_core.errors.CollageError, match=match):
            part(latent, **inputs)

    return check


def through(name: str, *inputs):
    """What a latent node of the host, of either form, makes of its inputs."""
    for module in ("nodes", *(f"comfy_extras.nodes_{name}" for name in EXTRAS)):
        cls = getattr(importlib.import_module(module), name, None)
        if cls is not None:
            new = hasattr(cls, "execute")
            return cls.execute(*inputs).args[0] if new else getattr(cls(), cls.FUNCTION)(*inputs)[0]
    raise AssertionError(f"ComfyUI has no {name}")


def swapped(latent: dict) -> dict:
    last, first = (through("LatentFromBatch", latent, index, 1) for index in (2, 0))
    return through("LatentBatch", last, first)


@pytest.mark.parametrize(
    ("change", "order"),
    [
        (lambda left: through("LatentFromBatch", left, 1, 1), [1]),
        (lambda left: through("LatentFromBatch", left, 1, 2), [1, 2]),
        (lambda left: through("RepeatLatentBatch", left, 2), [0, 1, 2, 0, 1, 2]),
        (swapped, [2, 0]),
        (lambda left: through("LatentBatch", left, left), [0, 1, 2, 0, 1, 2]),
        (lambda left: through("BatchLatentsNode", {"a": left, "b": left}), [0, 1, 2, 0, 1, 2]),
        (lambda left: through("LatentBatchSeedBehavior", left, "fixed"), [0, 1, 2]),
        (lambda left: through("SetLatentNoiseMask", left, WHITE), [0, 1, 2]),
    ],
)
def test_rows_in_any_order_and_number_keep_their_own_picture(part, begun, change, order) -> None:
    finished = part(change(part({"samples": begun})), start_at_step=TO)["samples"]
    assert len(finished) == len(order)
    assert torch.equal(finished[..., :4], begun[order][..., :4])
    assert (finished[..., 4:] - begun[order][..., 4:]).abs().mean() > 0.01


@pytest.mark.parametrize(
    "change",
    [
        lambda left, _: through("LatentMultiply", left, 1.01),
        lambda left, other: through("LatentAdd", left, other),
        lambda left, other: through("LatentSubtract", left, other),
        lambda left, other: through("LatentBlend", left, other, 0.9),
        lambda left, other: through("LatentComposite", left, other, 32, 32),
        lambda left, other: through("LatentCompositeMasked", left, other, 32, 32, False),
        lambda left, _: through("LatentApplyOperation", left, lambda latent: latent * 1.01),
    ],
)
def test_other_values_in_the_same_places_leave_what_is_kept(part, begun, change) -> None:
    little = {"samples": 0.05 * torch.randn(3, 4, 8, 8)}
    finished = part(change(part({"samples": begun}), little), start_at_step=TO)["samples"]
    assert torch.equal(finished[..., :4], begun[..., :4])


def test_a_sampler_of_the_host_in_between_leaves_what_is_kept(part, model, prompts, begun) -> None:
    left, prompts = part({"samples": begun}), prompts.values()
    between = through(
        "KSamplerAdvanced", model, "disable", 5, 6, 4.0, "euler", "normal", *prompts,
        left, TO, 3, "enable",
    )  # fmt: skip
    finished = part(between, start_at_step=3)["samples"]
    assert torch.equal(finished[..., :4], begun[..., :4])


@pytest.mark.parametrize(
    ("node", "inputs"),
    [
        ("LatentUpscale", ("nearest-exact", 128, 96, "disabled")),
        ("LatentUpscaleBy", ("bislerp", 1.5)),
        ("LatentUpscaleBy", ("bilinear", 2.0)),
        ("LatentCut", ("x", 0, 4)),
        ("LatentCutToBatch", ("y", 4)),
    ],
)
def test_resized_a_run_from_the_composite_goes_on_in_a_collage_as_large(
    part, refused, vae, flat, begun, node, inputs
) -> None:
    left = through(node, part(of=flat(8, 8)), *inputs)
    size = left["samples"].shape[2:]
    finished = part(left, of=flat(*size), start_at_step=TO)["samples"]
    half = size[1] // 2
    original = vae.encode(flat(*size).composite.image)
    assert torch.equal(finished[:1, ..., :half], original[..., :half])
    refused("what the model needs for this canvas", left, start_at_step=TO)
    left = through(node, part({"samples": begun}), *inputs)
    refused("resized or cropped after the sampler", left, of=flat(*size), start_at_step=TO)


@pytest.mark.parametrize("node", ["LatentCrop", "LatentConcat"])
def test_other_pictures_as_large_as_the_collage_are_noticed(
    part, refused, make_collage, node
) -> None:
    left = part(of=make_collage(0.0, size=(128, 128)))
    left = through(node, left, *((left, "x") if node == "LatentConcat" else (64, 64, 64, 0)))
    rows, columns = left["samples"].shape[2:]
    other = make_collage(0.0, size=(8 * rows, 8 * columns))
    refused("shows something else than the collage", left, of=other, start_at_step=TO)


@pytest.mark.parametrize(
    ("node", "inputs"),
    [
        ("LatentFlip", ("y-axis: horizontally",)),
        ("LatentFlip", ("x-axis: vertically",)),
        ("LatentRotate", ("90 degrees",)),
        ("LatentRotate", ("180 degrees",)),
    ],
)
def test_turned_under_a_collage_that_is_not_is_refused(part, refused, node, inputs) -> None:
    refused("flipped, turned or moved", through(node, part(), *inputs), start_at_step=TO)


def test_interpolated_latents_leave_what_is_kept(part, begun) -> None:
    left = part({"samples": begun[:1]})  # of batches the host's node mixes up rows and channels
    finished = part(through("LatentInterpolate", left, left, 0.5), start_at_step=TO)["samples"]
    assert torch.equal(finished[..., :4], begun[:1, ..., :4])


def test_rows_of_another_run_are_refused(part, refused, begun) -> None:
    other = part({"samples": begun[:1]}, seed=6)
    both = through("LatentBatch", part({"samples": begun}), other)
    refused("picture 4 of its 4 does not come from the run", both, start_at_step=TO)


def test_rows_taken_from_a_batch_and_changed_are_refused(part, refused, begun) -> None:
    left = through("LatentFromBatch", part({"samples": begun}), 1, 1)
    refused("cannot be told", through("LatentMultiply", left, 1.01), start_at_step=TO)


def test_a_lost_original_that_was_not_the_composite_is_noticed_where_it_shows(
    part, refused, begun
) -> None:
    late = {"end_at_step": 5, "start_at_step": 0}
    lost, same = (
        through("LatentRebatch", [part(latent, **late)], [1])[0]
        for latent in ({"samples": begun[:1]}, None)
    )
    assert lost.keys() == same.keys() == {"samples", "batch_index"}
    refused("shows something else than the collage", lost, start_at_step=5)
    part(same, start_at_step=5)


def test_what_was_left_unfinished_is_no_picture_to_begin_with(part, refused) -> None:
    refused("Set start_at_step to 2", part(), start_at_step=0)
