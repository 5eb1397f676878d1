"""The trainer learns, leaves out bad steps, and changes nothing that is shared."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch


def run(trainer, steps: int | None = None) -> list[float]:
    losses = []
    while not trainer.done and (steps is None or len(losses) < steps):
        losses.append(trainer.step())
    return losses


def checksum(*networks: torch.nn.Module) -> list[torch.Tensor]:
    return [value.clone() for n in networks for value in n.state_dict().values()]


def test_the_fixed_sets_loss_falls_for_a_planted_target(part, trainer, settings):
    """The target is what the model itself predicts for another word in the same sentence."""
    short = settings(steps=12, rates=(0.4, 0.05), evaluate_every=4, noun_dropout=0.0)
    one = trainer(settings=short)
    losses = one.layer_loss
    losses.prompts.templates = losses.prompts.templates[:1]
    losses.pictures.clean.zero_()
    words = {"l": losses.text.table("l")[2368:2370].float()}  # "car" and its neighbour
    tokens = losses.prompts.templates[0].with_token
    filled = part("nodes.host.models.embeddings_in_memory").fill_placeholders(tokens, words)
    with torch.inference_mode(False), torch.no_grad():
        target = losses.text.encode(filled)

    def distance(x, sigma, text):
        with torch.no_grad():
            wanted = losses.denoiser(x, sigma, target)
        return losses.denoiser(x, sigma, text) - wanted

    losses.predict = distance
    run(one)
    assert one.progress.best_loss < 0.5 * one.progress.evaluations[0][1]


def test_only_the_direction_is_learned(trainer, settings):
    one = trainer(settings=settings(steps=4))
    start = one.vectors()["l"]
    run(one)
    now = one.optimizer.vectors["l"]
    assert now.shape == (2, 64)
    torch.testing.assert_close(now.norm(dim=-1), start.norm(dim=-1), rtol=1e-6, atol=0)
    assert torch.cosine_similarity(now, start, dim=-1).max() < 0.9999


def test_the_paper_lets_the_norm_go(trainer, settings):
    one = trainer(settings=settings("paper", steps=4, rates=(0.05, 0.05)))
    start = one.vectors()["l"]
    table = one.layer_loss.text.table("l").float()
    assert torch.equal(start, table[320:321])  # the word "a"
    run(one)
    assert not torch.allclose(one.optimizer.vectors["l"].norm(), start.norm(), rtol=1e-3)


def test_seeds_differ_and_repeat(trainer, settings):
    short = settings(steps=2)
    found = [trainer(seed=seed, settings=short) for seed in (1, 1, 2)]
    for one in found:
        run(one)
    first, again, other = (one.optimizer.vectors["l"] for one in found)
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-3)


def test_steps_that_are_not_numbers_are_left_out(trainer, settings):
    one = trainer(settings=settings(steps=20))
    run(one, 1)
    before = one.optimizer.vectors["l"].clone()
    bad = {"left": 3}

    def sometimes_nan(*args):
        denoised = one.layer_loss.denoiser(*args)
        if torch.is_grad_enabled() and bad["left"]:
            bad["left"] -= 1
            return denoised * math.nan
        return denoised

    one.layer_loss.predict = sometimes_nan
    assert math.isnan(one.step())
    assert torch.equal(one.optimizer.vectors["l"], before)
    assert math.isnan(one.step())
    assert math.isnan(one.step())
    assert one.progress.halvings == 1
    assert math.isfinite(one.step())
    assert "not numbers" in one.report().text()


def test_a_model_that_gives_nan_is_refused(pack, tiny, trainer):
    model = tiny.tiny_model()
    model.model.diffusion_model.out.get_submodule("2").weight.fill_(torch.nan)
    with pytest.raises(
        pack.collage_core.errors.CollageError,
        match=r'LayerTextualInversion, layer "teddy bear", input model: .*NaN',
    ):
        trainer(model=model).step()


def test_an_evaluation_that_is_not_a_number_is_none(pack, trainer, settings, monkeypatch):
    one = trainer(settings=settings(steps=4))
    seen = iter([1.0, 0.9, math.nan, 0.8])
    monkeypatch.setattr(one.layer_loss, "evaluate", lambda _: next(seen))
    run(one)
    assert one.progress.evaluations == [(0, 0.9), (4, 0.8)]
    monkeypatch.setattr(one, "progress", None)
    seen = iter([1.0, math.nan])
    with pytest.raises(pack.collage_core.errors.CollageError, match="holds NaN"):
        one.step()


def test_shared_objects_and_a_following_ksampler_are_untouched(tiny, model, clip, vae, trainer):
    import nodes

    def picture() -> torch.Tensor:
        drawn = torch.randn(4)  # the global generator; sampling sets it anew
        latent = {"samples": torch.zeros(1, 4, 8, 8)}
        encoded = clip.encode_from_tokens_scheduled(clip.tokenize("a cat"))
        sampled = nodes.common_ksampler(
            model, 3, 2, 4.0, "euler_ancestral", "normal", encoded, encoded, latent
        )[0]["samples"]
        return torch.cat([drawn, sampled.flatten()])

    networks = (model.model, clip.cond_stage_model, vae.first_stage_model)
    torch.manual_seed(1)
    before, weights = picture(), checksum(*networks)
    torch.manual_seed(1)
    layer = trainer().task.layer
    copied = (layer.image.clone(), layer.alpha.clone())
    run(trainer(layer=layer), 2)
    assert torch.equal(picture(), before)
    assert all(torch.equal(*pair) for pair in zip(weights, checksum(*networks), strict=True))
    assert torch.equal(layer.image, copied[0])
    assert torch.equal(layer.alpha, copied[1])


def test_the_collages_prompt_is_trained_with(trainer, make_layer, make_collage, settings):
    layer = make_layer()
    one = trainer(
        layer=layer,
        collage=make_collage("a room with a teddy bear", layer),
        settings=settings(collage_prompt=1.0),
    )
    prompts = one.layer_loss.prompts
    assert prompts.drawn(0) is prompts.scene.with_token
    run(one, 1)
    assert one.report().notes == ()


def test_a_collage_without_the_phrase_is_noted(trainer, make_collage):
    one = trainer(collage=make_collage("a room"))
    run(one, 1)
    assert "no place for" in one.report().text()


def test_words_are_trained_as_inference_uses_them(part, clip, trainer, tmp_path):
    """The features of a prompt with the vectors in memory are those with them in a file."""
    one = trainer()
    memory = part("nodes.host.models.embeddings_in_memory")
    vectors = one.vectors()
    write = part("collage_core.storage.embedding_file").write_embedding
    write(tmp_path / "learned.safetensors", {"l": vectors["l"]}, {})
    own = clip.tokenizer.clip_l
    directory, own.embedding_directory = own.embedding_directory, [str(tmp_path)]
    try:
        prompt = "a photo of embedding:learned, teddy bear " + "very " * 80
        expected = clip.encode_from_tokens(clip.tokenize(prompt))
    finally:
        own.embedding_directory = directory
    tokens = memory.tokenizer_with(clip.tokenizer, [memory.placeholder_tokens("learned", 2)])
    assert isinstance(tokens.tokenize_with_weights("embedding:unknown")["l"][0][1][0], int)
    filled = memory.fill_placeholders(tokens.tokenize_with_weights(prompt), vectors)
    assert torch.equal(one.layer_loss.text.encode(filled)[0], expected)


def test_a_preview_is_a_small_picture_after_every_evaluation(trainer):
    one = trainer()
    shown = []
    while not one.done:
        one.step()
        shown.append(one.preview())
    assert [picture is None for picture in shown] == [False, True, False, True, True, False]
    assert shown[0].shape == (1, 64, 64, 3)
    assert 0 <= shown[0].min() <= shown[0].max() <= 1
    assert not torch.equal(shown[0], shown[-1])


def test_the_text_is_encoded_once_for_all_parts_of_a_step(trainer, monkeypatch):
    one = trainer()
    losses, failures = one.layer_loss, [torch.OutOfMemoryError("once")]

    def short_once(*args):
        if failures:
            raise failures.pop()
        return losses.denoiser(*args)

    losses.predict = short_once
    run(one, 1)
    assert losses.memory.parts == 2
    encode, times = losses.text.encode, []
    monkeypatch.setattr(losses.text, "encode", lambda t: times.append(t) or encode(t))
    run(one, 1)
    assert len(times) == 1


def test_a_velocity_model_learns_too(tiny, trainer, settings):
    from comfy.model_base import ModelType

    model = tiny.tiny_model(model_type=ModelType.V_PREDICTION)
    for preset in ("default", "paper"):
        losses = run(trainer(model=model, settings=settings(preset, steps=1)))
        assert math.isfinite(losses[0])


def test_time_ends_a_training(trainer, settings):
    one = trainer(settings=dataclasses.replace(settings(), max_seconds=0.0))
    assert len(run(one)) == 1
