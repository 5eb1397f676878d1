"""Every sampler, scheduler and kind of model of the host keeps noise 0 and paints the rest."""

from __future__ import annotations

import torch


def test_every_sampler_keeps_noise_zero_exactly(
    run, vae, make_collage, any_sampler, left_half_kept
) -> None:
    collage = make_collage(0.0)
    latent, _ = run(collage, sampler_name=any_sampler)
    left_half_kept(latent["samples"], vae.encode(collage.composite.image))


def test_no_guess_about_a_kept_cell_moves_it(run, model, make_collage, any_sampler) -> None:
    """Whatever the model makes of it before its step: it starts there from its own pixels."""
    if any_sampler == "dpm_adaptive":
        return  # its step lengths hang on the error over all cells
    free_from = model.get_model_object("model_sampling").percent_to_sigma(0.5)
    results = []
    for guess in (0.1, -0.4):

        def unet(apply_model, args, guess=guess):
            held = args["timestep"][0] > free_from
            return args["input"] * torch.where(held, guess, 0.2)

        patched = model.clone()
        patched.set_model_unet_function_wrapper(unet)
        collage = make_collage(0.4)
        latent, _ = run(collage, model=patched, sampler_name=any_sampler, steps=6)
        results.append(latent["samples"][..., :4])
    torch.testing.assert_close(*results, atol=1e-4, rtol=1e-4)


def test_every_scheduler_keeps_noise_zero_exactly(
    run, vae, make_collage, any_scheduler, left_half_kept
) -> None:
    collage = make_collage(0.0)
    latent, _ = run(collage, scheduler=any_scheduler, sampler_name="dpmpp_2m_sde")
    left_half_kept(latent["samples"], vae.encode(collage.composite.image))


def test_other_latent_spaces_and_schedules(tiny, run, vae, make_collage, left_half_kept) -> None:
    import comfy.model_base

    for kind in ("V_PREDICTION", "V_PREDICTION_EDM", "FLOW", "FLUX", "EDM"):
        other = tiny.tiny_model(model_type=comfy.model_base.ModelType[kind])
        collage = make_collage(0.0)
        latent, _ = run(collage, model=other, scheduler="simple")
        left_half_kept(latent["samples"], vae.encode(collage.composite.image))


def test_a_picture_can_be_one_frame_of_a_video_latent(
    tiny, run, ksampler, make_collage, left_half_kept
) -> None:
    """Qwen-Image shares the five-dimensional latents of a video model."""
    generator = torch.Generator().manual_seed(6)
    encoded = torch.randn(2, 16, 1, 9, 13, generator=generator)

    class FrameVAE:
        latent_channels, latent_dim, crop_input = 16, 3, True

        def __init__(self):
            self.pictures = iter(encoded.split(1))

        def spacial_compression_encode(self) -> int:
            return 8

        def encode(self, image: torch.Tensor) -> torch.Tensor:
            assert image.shape == (1, 72, 104, 3), "a batch would become the frames of one film"
            return next(self.pictures)

        def decode(self, _: torch.Tensor) -> torch.Tensor:
            raise AssertionError("sampling decodes nothing")

    qwen = tiny.tiny_qwen_image()
    inputs = {"model": qwen, "scheduler": "simple"}
    kept, _ = run(make_collage(0.0, size=(72, 104), batch=2), vae=FrameVAE(), **inputs)
    left_half_kept(kept["samples"], encoded)
    flat, _ = run(
        make_collage(0.6, size=(72, 104), batch=2), vae=FrameVAE(), base_noise=0.6, **inputs
    )
    assert torch.equal(flat["samples"], ksampler({"samples": encoded}, 0.6, **inputs))
