"""The node: its outputs, its files, interrupts and refusals."""

from __future__ import annotations

import errno
import functools
import os
import re

import pytest
import torch


@pytest.fixture
def interrupt_at(count_steps):
    """Cancel as ComfyUI's page does, while this step is computed."""
    import comfy.model_management

    def at(step: int) -> None:
        count_steps["then"] = lambda now: (
            comfy.model_management.interrupt_current_processing() if now == step else None
        )

    return at


def test_the_layer_carries_its_words_and_a_prompt_can_name_them(execute, make_layer, folder, clip):
    layer = make_layer()
    learned, embedding, curve, report = execute(layer=layer)
    assert layer.embedding is None
    assert embedding == f"embedding:{learned.embedding.name}"
    assert learned.embedding.name.startswith("col_teddy-bear_")
    assert learned.embedding.vectors["l"].shape == (2, 64)
    assert curve.shape == (1, 320, 512, 3)
    assert "gain" in report
    assert (folder / f"{learned.embedding.name}.safetensors").is_file()


def test_a_second_run_is_found_again(execute, count_steps):
    first, again = execute(), execute()
    assert count_steps["steps"] == 4
    assert torch.equal(first[0].embedding.vectors["l"], again[0].embedding.vectors["l"])
    assert first[1] == again[1]
    assert "learned before" in again[3]
    assert "gain" in again[3]


def test_what_determines_the_result_has_a_name_of_its_own(
    part, model, clip, vae, tiny, make_layer, make_collage, settings, folder
):
    def key(**changes) -> str:
        given = {
            "model": model, "clip": clip, "vae": vae, "layer": make_layer(), "collage": None,
            "settings": settings(), "seed": 0,
        }  # fmt: skip
        task = part("nodes.host.inversion.task").Task(**{**given, **changes})
        return part("nodes.host.inversion.run").training_key(task)

    patched = model.clone()
    name = next(k for k in model.model.state_dict() if k.endswith("attn2.to_k.weight"))
    patched.add_patches({name: ("diff", (torch.ones(1),))})
    skipping = clip.clone()
    skipping.clip_layer(-2)
    changes = [
        {},
        {"model": patched},
        {"model": tiny.tiny_model(seed=5)},
        {"clip": tiny.tiny_clip(seed=5)},
        {"clip": skipping},
        {"layer": make_layer("toy")},
        {"layer": make_layer(noise=0.3)},
        {"layer": make_layer(alpha=torch.full((1, 40, 48), 0.5))},
        {"collage": make_collage("a teddy bear")},
        {"settings": settings(steps=7)},
        {"seed": 1},
    ]
    keys = [key(**change) for change in changes]
    assert len(set(keys)) == len(changes)
    assert key() == keys[0]
    assert key(model=tiny.tiny_model(), layer=make_layer(attract=2.0)) == keys[0]
    naming = [
        {"layer": make_layer("teddy embedding:fur")},
        {"collage": make_collage("a teddy bear embedding:fur")},
    ]
    for content in (b"", b"one", b"two"):
        (folder / "fur.pt").write_bytes(content)
        keys += [key(**change) for change in naming]
        assert key() == keys[0]
    assert len(set(keys)) == len(changes) + 6


def test_an_interrupt_ends_it_within_one_step_and_a_second_run_goes_on(
    execute, count_steps, interrupt_at, tmp_path
):
    import comfy.model_management

    whole = execute(seed=1)[0].embedding.vectors["l"]
    for file in tmp_path.glob("*.safetensors"):
        file.unlink()
    count_steps["steps"] = 0
    interrupt_at(2)
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        execute(seed=1)
    assert count_steps["steps"] == 2
    assert comfy.model_management.in_training is False
    assert not list(tmp_path.glob("*.safetensors"))
    learned, _, _, report = execute(seed=1)
    assert count_steps["steps"] == 4
    assert "resumed at step 2" in report
    torch.testing.assert_close(learned.embedding.vectors["l"], whole, rtol=0, atol=1e-6)


def test_an_interrupt_before_the_first_step_leaves_nothing(execute, count_steps, folder):
    import comfy.model_management

    comfy.model_management.interrupt_current_processing()
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        execute()
    assert count_steps["steps"] == 0
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_a_word_without_a_file_goes_to_no_other_node_and_is_not_learned_twice(
    execute, count_steps, in_graph, folder, monkeypatch, pack, model, clip, vae, make_layer
):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    used = {"text": {"class_type": "CLIPTextEncode", "inputs": {"text": ["own", 1]}}}
    inputs = {
        "model": model, "clip": clip, "vae": vae, "layer": make_layer(), "preset": "default",
        "steps": 4, "seed": 3,
    }  # fmt: skip
    node = pack.nodes.inversion.LayerTextualInversion
    assert node.fingerprint_inputs(**inputs) == ""
    with monkeypatch.context() as disk:
        count_steps["then"] = lambda _: disk.setattr(os, "fsync", full)
        with pytest.raises(pack.collage_core.errors.CollageError) as told:
            in_graph("LayerTextualInversion", used, **inputs)
    assert str(told.value).startswith("LayerTextualInversion, output embedding: models/embeddings ")
    assert node.fingerprint_inputs(**inputs) != node.fingerprint_inputs(**inputs)
    learned, name, *_ = in_graph("LayerTextualInversion", used, **inputs)
    assert count_steps["steps"] == 4
    assert (folder / f"{learned.embedding.name}.safetensors").is_file()
    assert name == f"embedding:{learned.embedding.name}"
    assert node.fingerprint_inputs(**inputs) == ""


def test_a_slow_device_is_told_of_after_three_steps(part, execute, monkeypatch, caplog):
    said = []
    monkeypatch.setattr(part("nodes.host.inversion.run"), "show_text", said.append)
    monkeypatch.setattr(part("collage_core.inversion.progress"), "LONG_RUN_SECONDS", 0.0)
    report = execute()[3]
    assert "s a step" not in "".join(said[:2])
    assert re.search(r"^step 3 of 4, loss .*, [0-9.]+ s a step, \d+ s left$", said[2])
    slow = "cpu is slow at learning: .* s a step, about .* for all 4 steps"
    assert re.search(f"warning: {slow}", report)
    assert len(re.findall(f'LayerTextualInversion, layer "teddy bear": {slow}', caplog.text)) == 1


OTHER_FORMATS = {
    "a part is missing": lambda state: {k: v for k, v in state.items() if k != "descent"},
    "a list for a tensor": lambda state: changed(state, "progress", "losses", [1.0, 2.0]),
    "a table for a row": lambda state: changed(state, "progress", "losses", torch.ones(2, 2)),
    "other vectors": lambda state: changed(state, "descent", "vectors.l", torch.ones(1, 7)),
}


def changed(state: dict, part: str, name: str, value: object) -> dict:
    assert name in state[part]
    return {**state, part: {**state[part], name: value}}


@pytest.mark.parametrize("kind", OTHER_FORMATS)
def test_a_state_of_another_version_is_put_aside(
    execute, part, count_steps, interrupt_at, folder, monkeypatch, kind
):
    import comfy.model_management

    save = part("nodes.host.inversion.store").Job.save_state
    with monkeypatch.context() as older:
        older.setattr(
            part("nodes.host.inversion.store").Job,
            "save_state",
            lambda job, state: save(job, OTHER_FORMATS[kind](state)),
        )
        interrupt_at(2)
        with pytest.raises(comfy.model_management.InterruptProcessingException):
            execute(seed=1)
    report = execute(seed=1)[3]
    assert count_steps["steps"] == 2 + 4
    assert "is of another version of this pack; it starts afresh" in report
    assert len(list(folder.rglob("*.bad"))) == 1


def test_a_result_with_a_curve_of_another_format_is_found(execute, part, count_steps, folder):
    files = part("collage_core.storage.embedding_file")
    learned, word, *_ = execute(seed=1)
    path = folder / f"{learned.embedding.name}.safetensors"
    vectors, metadata = files.read_with_metadata(path)
    for strings in (
        {"collage.curve": "0:0.25 5"},
        {"collage.curve": "0:0.25 5:nan"},
        {"collage.curve": "a:b"},
        {"collage.without": ""},
        {"collage.without": "0", "collage.curve": "0:0"},
    ):
        path.unlink()
        files.write_embedding(path, vectors, {**metadata, **strings})
        again, name, curve, report = execute(seed=1)
        assert name == word
        assert torch.equal(learned.embedding.vectors["l"], again.embedding.vectors["l"])
        assert "the curve in its file has another format and is not shown; the emb" in report
        assert curve.shape == (1, 320, 512, 3)
    assert count_steps["steps"] == 4


@pytest.mark.parametrize(
    ("module", "what"),
    [
        ("inversion.loss", "encoded"),
        ("inversion.loss", "TrainableTextEncoder"),
        ("inversion.loss", "LayerLoss.evaluate"),
        ("inversion.loss", "masked_loss"),
        ("inversion.store", "pack_state"),
        ("inversion.store", "Job.publish"),
    ],
)
def test_an_error_anywhere_leaves_nothing_behind(
    part, execute, model, clip, folder, monkeypatch, module, what
):
    import comfy.model_management

    def state() -> list:
        weights = (*model.model.parameters(), *clip.cond_stage_model.parameters())
        modes = [torch.is_grad_enabled(), torch.is_inference_mode_enabled()]
        modes.append(comfy.model_management.in_training)
        kept = [*map(torch.clone, weights), torch.get_rng_state()]
        return [*kept, torch.tensor(modes), torch.tensor([w.requires_grad for w in weights])]

    def fail(*_, **__):
        raise ZeroDivisionError

    before = state()
    *owner, name = what.split(".")
    holder = functools.reduce(getattr, owner, part(f"nodes.host.{module}"))
    monkeypatch.setattr(holder, name, fail)
    with pytest.raises(ZeroDivisionError):
        execute(seed=2)
    assert all(torch.equal(*pair) for pair in zip(before, state(), strict=True))
    litter = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert litter <= {".state"}


def test_a_folder_that_cannot_be_written_is_refused_first(pack, execute, count_steps, folder):
    folder.rmdir()
    folder.write_text("a file where the folder should be")
    with pytest.raises(
        pack.collage_core.errors.CollageError,
        match=r"LayerTextualInversion, output embedding: no folder .* Make the folder writable",
    ):
        execute(seed=3)
    assert count_steps["steps"] == 0


def test_a_disk_that_fills_up_meanwhile_costs_only_the_file(
    execute, count_steps, folder, monkeypatch
):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    count_steps["then"] = lambda _: monkeypatch.setattr(os, "fsync", full)
    learned, _, _, report = execute(seed=3)
    assert learned.embedding.vectors["l"].isfinite().all()
    assert "state of the training cannot be kept (No space left on device)" in report
    assert f'"{learned.embedding.name}" cannot be written to models/embeddings' in report
    assert not [path for path in folder.rglob("*") if path.is_file()]
