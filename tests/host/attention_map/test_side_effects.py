"""What sampling, the cache and other nodes notice of it: nothing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.testing import assert_close


def test_the_same_seed_gives_the_same_map(run, patch, collage) -> None:
    patched = patch(collage).model
    first, report = run(patched, collage)
    again, same = run(patched, collage)
    other, _ = run(patched, collage, seed=4)
    assert torch.equal(first, again)
    assert report == same
    assert not torch.equal(first, other)


def test_sampling_alone_records_nothing(
    pack, run, patch, collage, ksampler, finished, monkeypatch
) -> None:
    recorder, calls = pack.collage_core.attention.maps.AttentionSum, []
    record = recorder.record
    monkeypatch.setattr(recorder, "record", lambda *given: calls.append(given) or record(*given))
    patched = patch(collage)
    ksampler(patched.model, patched.positive, finished())
    assert not calls
    run(patched.model, collage)
    assert calls


def test_the_model_given_is_as_before(run, patch, collage, ksampler, finished) -> None:
    patched = patch(collage)
    options = {**patched.model.model_options["transformer_options"]}
    wrappers = {kind: {**keys} for kind, keys in patched.model.wrappers.items()}
    before = ksampler(patched.model, patched.positive, finished())
    run(patched.model, collage)
    assert patched.model.model_options["transformer_options"] == options
    assert patched.model.wrappers == wrappers
    assert patched.model.attachments == {"collage_words": patched.positive}
    assert torch.equal(ksampler(patched.model, patched.positive, finished()), before)


def test_a_compiled_model_is_looked_at_uncompiled(run, patch, collage) -> None:
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    patched, graphs = patch(collage).model, []
    compiled = patched.clone()
    backend: Any = lambda graph, _: graphs.append(graph)  # noqa: E731
    set_torch_compile_wrapper(model=compiled, backend=backend)
    assert torch.equal(run(compiled, collage)[0], run(patched, collage)[0])
    assert not graphs
    assert compiled.get_wrappers("apply_model", "torch.compile")


def test_inputs_are_as_before(run, patch, collage, finished) -> None:
    patched, latent = patch(collage), finished()
    tensors = [latent["samples"], collage.composite.image, patched.positive[0][0]]
    before = [tensor.clone() for tensor in tensors]
    run(patched.model, collage, latent=latent)
    for tensor, copy in zip(tensors, before, strict=True):
        assert torch.equal(tensor, copy)
    assert list(latent) == ["samples"]


def test_it_is_right_without_the_sampling_in_this_run(
    run, patch, collage, ksampler, finished
) -> None:
    """The sampler's latent came from the cache: another model object, made the same way."""
    sampled = patch(collage)
    latent = {"samples": ksampler(sampled.model, sampled.positive, finished())}
    image, report = run(sampled.model, collage, latent=latent)
    restored, same = run(patch(collage).model, collage, latent=latent)
    assert torch.equal(restored, image)
    assert same == report


def test_a_clone_further_on_is_still_known(run, patch, collage) -> None:
    patched = patch(collage).model
    image, _ = run(patched, collage)
    assert torch.equal(run(patched.clone(), collage)[0], image)


def test_patches_after_guidance_see_nothing(run, patch, collage) -> None:
    """They would look through the model again, at other pictures."""
    patched = patch(collage).model
    image, _ = run(patched, collage)
    guided = patched.clone()
    guided.set_model_sampler_post_cfg_function(pytest.fail)
    guided.set_model_sampler_cfg_function(pytest.fail)
    assert torch.equal(run(guided, collage)[0], image)


def test_noise_of_a_batch_follows_its_index(run, patch, collage, finished) -> None:
    patched, latent = patch(collage).model, finished(2)
    second = {"samples": latent["samples"][1:], "batch_index": [1]}
    both = {"samples": latent["samples"][1:].repeat(2, 1, 1, 1), "batch_index": [1, 1]}
    image, _ = run(patched, collage, latent=second)
    assert_close(run(patched, collage, latent=both)[0], image)
    assert not torch.equal(run(patched, collage, latent={**second, "batch_index": [0]})[0], image)


def test_interrupt_stops_it_and_leaves_nothing_behind(run, patch, collage) -> None:
    import comfy.model_management as host

    patched, seen = patch(collage).model, []
    image, _ = run(patched, collage)
    stopped = patched.clone()

    def interrupt(apply_model, args):
        seen.append(args["timestep"])
        host.interrupt_current_processing()
        return apply_model(args["input"], args["timestep"], **args["c"])

    stopped.set_model_unet_function_wrapper(interrupt)
    try:
        with pytest.raises(host.InterruptProcessingException):
            run(stopped, collage, steps=5)
    finally:
        host.interrupt_current_processing(False)
    assert len(seen) == 1
    assert torch.equal(run(patched, collage)[0], image)


def test_progress_is_told_per_level(run, patch, collage, monkeypatch) -> None:
    import comfy.utils

    told = []
    monkeypatch.setattr(comfy.utils, "PROGRESS_BAR_HOOK", lambda *given, **_: told.append(given))
    run(patch(collage).model, collage, steps=3)
    assert told[0][:2] == (1, 3)
    assert told[-1][:2] == (3, 3)


def test_the_host_lists_the_node(pack) -> None:
    node = next(node for node in pack.nodes.NODES if node.__name__ == "CollageAttentionMap")
    schema = node.GET_SCHEMA()
    assert [given.id for given in schema.inputs] == ["model", "collage", "latent", "steps", "seed"]
    assert [made.id for made in schema.outputs] == ["image", "report"]
