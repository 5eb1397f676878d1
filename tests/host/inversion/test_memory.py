"""The memory of a training is estimated before, and with less it continues in another way."""

from __future__ import annotations

import contextlib
import gc
import weakref

import pytest
import torch


@pytest.fixture
def memory(part):
    return part("nodes.host.inversion.memory")


def test_blocks_computed_twice_keep_a_third_and_give_the_same_bits(part, model, kept_bytes):
    with part("nodes.host.inversion.trainable_copy").gradients():
        denoiser = part("nodes.host.inversion.networks").TrainableDenoiser(model, "here")
        numbers = torch.Generator().manual_seed(1)
        x, sigma = torch.randn(2, 4, 16, 16, generator=numbers), torch.tensor([2.0, 0.5])
        features = torch.randn(1, 77, 64, generator=numbers)

        def loss(leaf: torch.Tensor) -> torch.Tensor:
            return denoiser(x, sigma, (leaf, None)).square().sum()

        kept, found = [], []
        for checkpointing in (False, True):
            denoiser.checkpointing = checkpointing
            leaf = features.clone().requires_grad_()
            kept.append(kept_bytes(denoiser.model, lambda leaf=leaf: loss(leaf)))
            loss(leaf).backward()
            found.append(leaf.grad)
    assert kept[1] < kept[0] / 3
    assert torch.equal(*found)


def test_the_estimate_is_what_a_step_keeps_and_a_bit_more(memory, trainer, make_task, kept_bytes):
    one, task = trainer(), make_task()
    kept, denoiser = [], one.layer_loss.denoiser

    def counted(*args):
        kept.append(kept_bytes(denoiser.model, lambda: denoiser(*args)))
        return denoiser(*args)

    one.layer_loss.predict = counted
    with torch.inference_mode(False):
        one.layer_loss.gradient(one.start, 0)
    estimate = memory.kept_bytes(task, pictures=2, checkpointing=False)
    assert kept[0] < estimate < 3 * kept[0]
    assert memory.kept_bytes(task, pictures=1, checkpointing=False) == estimate / 2
    assert memory.kept_bytes(task, pictures=2, checkpointing=True) == int(estimate / 3)


def test_weights_in_another_precision_count_too(memory, make_task, model, monkeypatch):
    task = make_task()
    before = memory.kept_bytes(task, pictures=1, checkpointing=False)
    monkeypatch.setattr(model.model, "manual_cast_dtype", torch.float64)
    after = memory.kept_bytes(task, pictures=1, checkpointing=False)
    assert after == 2 * before + 2 * model.model_size()


def test_a_precision_that_another_node_asked_for_counts(memory, make_task, model):
    asked = model.clone()
    asked.set_model_compute_dtype(torch.float64)
    plain, other = (
        memory.kept_bytes(make_task(model=m), pictures=1, checkpointing=True)
        for m in (model, asked)
    )
    assert other == pytest.approx(2 * plain, abs=1)


def test_text_encoders_in_half_keep_their_weights_in_float32(copies, networks, tiny, kept_bytes):
    kept = []
    half, whole = tiny.tiny_clip(), tiny.tiny_clip()
    half.cond_stage_model.half()
    for clip in (half, whole):
        with copies.gradients():
            text = networks.TrainableTextEncoder(clip, "here")
            leaf = torch.ones(64, requires_grad=True)
            own = [(leaf, 1.0), *clip.tokenize("a fox")["l"][0][1:]]
            kept.append(kept_bytes(text.model, lambda t=text, own=own: t.encode({"l": [own]})))
    estimate = copies.cast_size(half.patcher, torch.float32)
    assert estimate == pytest.approx(kept[0] - kept[1], rel=0.15)
    assert copies.cast_size(whole.patcher, torch.float32) == 0


def test_little_memory_costs_no_bit_and_very_little_only_the_last_ones(
    part, memory, trainer, make_task, settings, short_of_memory, monkeypatch
):
    changes = {"settings": settings(steps=1)}
    whole = memory.kept_bytes(make_task(**changes), pictures=2, checkpointing=False)
    monkeypatch.setattr(part("nodes.host.inversion.loss"), "check_room", lambda _: None)
    runs = []
    for share, checkpointing, parts in [(1.1, False, 1), (0.9, True, 1), (0.3, True, 2)]:
        short_of_memory(share * whole)
        runs.append(trainer(**changes))
        assert runs[-1].layer_loss.denoiser.checkpointing is checkpointing
        assert runs[-1].layer_loss.memory.parts == parts
        runs[-1].step()
    plain, twice, parted = (one.optimizer.vectors["l"] for one in runs)
    assert torch.equal(plain, twice)
    torch.testing.assert_close(parted, plain, rtol=1e-4, atol=1e-5)
    notes = [one.report().notes for one in runs]
    assert notes[0] == ()
    assert "every block was computed twice" in notes[1][0]
    assert "in 2 parts" in notes[2][0]


def test_memory_that_runs_out_costs_time_only(trainer):
    """First parts, then blocks computed twice; what was done before is kept."""
    import comfy.model_management

    whole, short = trainer(), trainer()
    losses = short.layer_loss

    def runs_out(*args):
        if torch.is_grad_enabled() and not losses.denoiser.checkpointing:
            raise comfy.model_management.OOM_EXCEPTION("no memory")
        return losses.denoiser(*args)

    losses.predict = runs_out
    whole.step()
    short.step()
    assert losses.memory.parts == 2
    torch.testing.assert_close(
        short.optimizer.vectors["l"], whole.optimizer.vectors["l"], rtol=1e-4, atol=1e-5
    )
    assert len(short.report().notes) == 2
    again = trainer()
    again.load_state_dict(short.state_dict())
    assert again.layer_loss.memory.parts == 2


@pytest.mark.parametrize("kind", ["OOM_EXCEPTION", "cpu"])
def test_when_nothing_helps_it_is_the_hosts_own_error_in_a_sentence(trainer, kind):
    import comfy.model_management

    known = kind == "OOM_EXCEPTION"
    error = comfy.model_management.OOM_EXCEPTION if known else RuntimeError
    one, tried = trainer(), []

    def never_enough(x, *_):
        tried.append(len(x))
        raise error("DefaultCPUAllocator: can't allocate memory")

    one.layer_loss.predict = never_enough
    with pytest.raises(error, match='layer "teddy bear", input model: out of memory, even with'):
        one.step()
    assert tried == [2, 1, 1]


def test_another_error_is_no_lack_of_memory(trainer):
    one, tried = trainer(), []
    one.layer_loss.predict = lambda *_: tried.append(1) or 1 / 0
    with pytest.raises(ZeroDivisionError):
        one.step()
    assert tried == [1]


def test_too_little_memory_is_refused_before_any_work(
    pack, part, make_task, short_of_memory, monkeypatch
):
    short_of_memory(10e6)
    losses = part("nodes.host.inversion.loss")
    monkeypatch.setattr(losses, "encoded", lambda *_: pytest.fail("it had begun"))
    with pytest.raises(
        pack.collage_core.errors.CollageError,
        match=r'LayerTextualInversion, layer "teddy bear", input model: .* takes 0\.0 GB of '
        r"memory \(cpu\), and 0\.0 GB are free\. Close other programs",
    ):
        losses.LayerLoss(make_task())


def test_a_device_that_tells_nothing_is_tried(memory, make_task, short_of_memory, monkeypatch):
    import comfy.model_management

    short_of_memory(10e6)
    monkeypatch.setattr(comfy.model_management, "directml_enabled", True)
    memory.check_room(make_task())


@pytest.mark.parametrize("stopped", [False, True])
def test_the_copies_are_gone_when_a_training_is_over(
    part, copies, make_task, settings, folder, monkeypatch, stopped
):
    """By counting references alone: a GPU's memory cannot wait for the collector."""
    import comfy.model_management

    made_copies, copy = [], copies.trainable_copy

    def watched(*args):
        made_copies.append(weakref.ref(made := copy(*args)))
        return made

    for module in ("inversion.trainable_copy", "inversion.networks"):
        monkeypatch.setattr(part(f"nodes.host.{module}"), "trainable_copy", watched)
    trainer = part("nodes.host.inversion.trainer").Trainer
    step = trainer.step

    def last_step(self):
        if stopped:
            comfy.model_management.interrupt_current_processing()
        return step(self)

    monkeypatch.setattr(trainer, "step", last_step)
    ending = pytest.raises(comfy.model_management.InterruptProcessingException)
    gc.collect()
    gc.disable()
    try:
        with ending if stopped else contextlib.nullcontext():
            part("nodes.host.inversion.run").learn(make_task(settings=settings(steps=2)))
        del ending
        assert len(made_copies) == 2
        assert [made() for made in made_copies] == [None, None]
    finally:
        gc.enable()
