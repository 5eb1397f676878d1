"""What other nodes and the user see of a run."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close


def test_the_model_given_is_as_before(run, model, ksampler, make_collage) -> None:
    options = {**model.model_options}
    latent = {"samples": torch.randn(1, 4, 8, 8)}
    before = ksampler(latent, 1.0)
    run(make_collage(0.2))
    assert model.model_options == options
    assert torch.equal(ksampler(latent, 1.0), before)


def test_inputs_are_as_before(run, prompts, make_collage) -> None:
    collage = make_collage(0.2)
    tensors = [
        collage.background,
        collage.composite.image,
        collage.composite.visible_alpha,
        prompts["positive"][0][0],
    ]
    before = [tensor.clone() for tensor in tensors]
    run(collage)
    for tensor, copy in zip(tensors, before, strict=True):
        assert torch.equal(tensor, copy)
    assert not prompts["positive"][0][1]


def test_differential_diffusion_is_asked_as_well(run, model, make_collage, left_half_kept) -> None:
    """It frees cells by the latent's own noise_mask, we by the map: the later of both decides."""
    from comfy_extras.nodes_differential_diffusion import DifferentialDiffusion

    (differential,) = DifferentialDiffusion.execute(model).args
    mask = torch.ones(1, 64, 64)
    mask[:, 32:] = 0.4
    given = {"samples": torch.randn(1, 4, 8, 8), "noise_mask": mask}
    inputs = {"model": differential, "latent_image": given, "steps": 8}
    both, _ = run(make_collage(0.0), **inputs)
    ours, _ = run(make_collage(0.0), **{**inputs, "model": model})
    theirs, _ = run(make_collage(0.8), **inputs)
    left_half_kept(both["samples"], given["samples"])
    assert not torch.equal(both["samples"][:, :, 4:], ours["samples"][:, :, 4:])
    assert not torch.equal(both["samples"][..., :4], theirs["samples"][..., :4])


def test_a_cell_changes_only_as_far_as_both_functions_allow(pack, model) -> None:
    class Guider:
        inner_model = model.model

    def previous(sigma, denoise_mask, extra_options):
        assert isinstance(extra_options["model"], Guider)
        return denoise_mask * torch.tensor([1.0, 0.5, 0.0, 1.0])

    occupied = model.clone()
    occupied.set_model_denoise_mask_function(previous)
    cells = torch.tensor([0.9, 0.9, 0.9, 0.0]).view(1, 1, 1, 4)
    patched = pack.nodes.host.sampling.denoise_mask.apply_free_cells(occupied, cells, 0.9)
    function = patched.model_options["denoise_mask_function"]
    sigma = torch.tensor([0.1, 0.1])
    mask = function(sigma, torch.ones(2, 4, 1, 4), extra_options={"model": Guider(), "sigmas": []})
    assert_close(mask, torch.tensor([1.0, 0.5, 0.0, 0.0]).expand(2, 4, 1, 4))
    assert occupied.model_options["denoise_mask_function"] is previous


def test_interrupt_passes_and_leaves_nothing_behind(run, model, make_collage) -> None:
    import comfy.model_management

    def interrupted(apply_model, args):
        raise comfy.model_management.InterruptProcessingException

    collage = make_collage(0.2)
    before, _ = run(collage)
    stopped = model.clone()
    stopped.set_model_unet_function_wrapper(interrupted)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        run(collage, model=stopped)
    after, _ = run(collage)
    assert torch.equal(before["samples"], after["samples"])


def test_progress_is_ksamplers(run, make_collage, monkeypatch) -> None:
    import comfy.utils

    reports = []

    def hook(value, total, preview, node_id=None):
        reports.append((value, total))

    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", hook)
    run(make_collage(0.2), steps=4)
    assert reports[0] == (1, 4)
    assert reports[-1] == (4, 4)  # the host leaves out reports that come too fast


def test_schema_is_the_contract(pack) -> None:
    import comfy.samplers

    node = pack.nodes.sampling.PerLayerNoiseKSampler
    schema = node.GET_SCHEMA()
    assert schema.node_id == "PerLayerNoiseKSampler"
    assert [i.id for i in schema.inputs] == [
        "model", "collage", "vae", "positive", "negative", "seed", "steps", "cfg",
        "sampler_name", "scheduler", "base_noise", "feather", "latent_image", "halo",
        "layer_seeds", "renoise", "start_at_step", "end_at_step", "grow_kept_by",
    ]  # fmt: skip
    assert all(i.tooltip for i in schema.inputs)
    assert [(o.id, o.io_type) for o in schema.outputs] == [
        ("latent", "LATENT"), ("noise_map", "MASK"), ("noise_preview", "IMAGE"),
    ]  # fmt: skip
    inputs = {i.id: i for i in schema.inputs}
    assert all(i.optional for i in schema.inputs[12:]), "workflows from before leave them out"
    assert inputs["seed"].control_after_generate
    defaults = {name: i.default for name, i in inputs.items() if getattr(i, "default", None)}
    assert defaults == {
        "steps": 30, "cfg": 7.5, "sampler_name": "euler_ancestral", "scheduler": "normal",
        "base_noise": 0.8, "feather": 10.0, "renoise": "host", "end_at_step": 10000,
        "grow_kept_by": 4,
    }  # fmt: skip
    assert inputs["sampler_name"].options == comfy.samplers.KSampler.SAMPLERS
    for name in ("cfg", "base_noise", "feather"):
        assert inputs[name].step
        assert inputs[name].round
