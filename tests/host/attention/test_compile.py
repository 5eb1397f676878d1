"""Under torch.compile the picture is the same, and no step compiles anything again."""

from __future__ import annotations

from torch.testing import assert_close


def compiled(model, backend):
    """As the host's TorchCompileModel does it."""
    from comfy_api.torch_helpers import set_torch_compile_wrapper

    clone = model.clone()
    set_torch_compile_wrapper(model=clone, backend=backend)
    return clone


def graphs_at_each_call(model, backend):
    """A clone, and how many graphs there are before each call of the model."""
    from comfy.patcher_extension import WrappersMP

    counts: list[int] = []

    def note(executor, *args, **kwargs):
        counts.append(backend.graphs)
        return executor(*args, **kwargs)

    clone = compiled(model, backend)
    clone.add_wrapper_with_key(WrappersMP.APPLY_MODEL, "count", note)
    return clone, counts


def test_no_step_after_the_first_compiles_the_bias_again(
    make_collage, patch, sample, backend
) -> None:
    """Nor does a second picture."""
    patched, positive, _ = patch(make_collage())
    model, counts = graphs_at_each_call(patched, backend)
    samples = sample(model, positive, steps=6)
    sample(model, positive, steps=2, seed=6)
    assert len(counts) == 8
    assert counts[1] > 0
    assert backend.graphs <= counts[1] + 1
    assert_close(samples, sample(patched, positive, steps=6), atol=1e-4, rtol=1e-4)
