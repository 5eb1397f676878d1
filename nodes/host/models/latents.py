"""Latents to start from, and whether model, VAE and canvas go together.

Host symbols:
    comfy.model_patcher.ModelPatcher: get_model_object(name)
    comfy.latent_formats.LatentFormat: latent_channels, latent_dimensions, spacial_downscale_ratio
    comfy.model_base.BaseModel: latent_format
    comfy.sd.VAE: latent_channels, latent_dim, spacial_compression_encode(), encode(pixel_samples)
    comfy.sd.VAE: crop_input
    comfy.model_base.BaseModel: diffusion_model
    comfy.sample: fix_empty_latent_channels(model, latent_image, downscale_ratio_spacial)
    nodes.common_ksampler: "samples", "downscale_ratio_spacial", "downscale_ratio_temporal"
"""

from __future__ import annotations

from collections.abc import Sequence

import comfy.sample
import torch

from ....collage_core.errors import CollageError
from .transformers import whole_cells

NODE = "PerLayerNoiseKSampler"


def cell_size(model, vae, node: str = NODE) -> int:
    """Edge of a latent cell in pixels; CollageError unless model and VAE share their latents."""
    try:
        latent_format = model.get_model_object("latent_format")
    except AttributeError:  # a ModelPatcher of something else, such as a VAE
        raise CollageError(
            f"{node}, input model: {type(model.model).__name__} is no diffusion model. "
            "Connect the MODEL output of a checkpoint or diffusion model loader."
        ) from None
    wanted = (latent_format.latent_channels, latent_format.spacial_downscale_ratio)
    found = (vae.latent_channels, vae.spacial_compression_encode())
    if found != wanted:
        raise CollageError(
            f"{node}, input vae: it makes latents of {found[0]} channels, one cell per {found[1]} "
            f"pixels; the model wants {wanted[0]} channels, one cell per {wanted[1]} pixels. "
            "Connect the VAE made for this model."
        )
    return found[1]


def check_canvas(model, vae, width: int, height: int) -> None:
    """CollageError for a canvas that is not made of whole cells, or patches, of the model.

    The VAE would cut its rim off, and the picture would not be as large as its masks.
    """
    side = vae.spacial_compression_encode() * whole_cells(model.model.diffusion_model)
    if not vae.crop_input or (width % side == 0 and height % side == 0):
        return
    fitting = " x ".join(str(-(-size // side) * side) for size in (width, height))
    raise CollageError(
        f"{NODE}, input collage: this model needs a canvas in multiples of {side} pixels, and "
        f"{width} x {height} is none; {fitting} is the next. Set width and height of CollageStack, "
        f"or multiple of CollageResize to {side}."
    )


def start_latent(
    model, vae, image: torch.Tensor, latent_image: dict | None, cells: torch.Tensor
) -> dict:
    """A new LATENT to sample from: `latent_image`, or without one `image` [B, H, W, 3] encoded.

    Raises CollageError when its samples do not lie on the grid of `cells` [B, 1, h, w].
    """
    if latent_image is None:
        source, latent = "vae", {"samples": encode(vae, image)}
    else:
        source, latent = "latent_image", _as_ksampler_takes_it(model, latent_image)
    samples = latent["samples"]
    wanted = _with_frame(model, cells.shape[2:])
    if samples.is_nested or list(samples.shape[1:]) != wanted:
        found = "of several parts" if samples.is_nested else f"of shape {list(samples.shape)}"
        raise CollageError(
            f"{NODE}, input {source}: a latent {found} is not what the model needs for this "
            f"canvas, [batch, {', '.join(map(str, wanted))}]. Use a latent image of this model "
            "as large as the collage, or none and the VAE made for the model."
        )
    if len(cells) not in (1, len(samples)):
        raise CollageError(
            f"{NODE}, input latent_image: a batch of {len(samples)} does not agree with a "
            f"collage of {len(cells)} pictures. Repeat the latent to that number."
        )
    return latent


def latent_shape(model, height: int, width: int) -> list[int]:
    """The shape after the batch dimension for a canvas of that many pixels."""
    cell = model.get_model_object("latent_format").spacial_downscale_ratio
    return _with_frame(model, (height // cell, width // cell))


def _with_frame(model, size: Sequence[int]) -> list[int]:
    """Channels and cells; for a video model a picture is one frame."""
    latent_format = model.get_model_object("latent_format")
    frames = [1] if latent_format.latent_dimensions == 3 else []
    return [latent_format.latent_channels, *frames, *size]


def _as_ksampler_takes_it(model, latent_image: dict) -> dict:
    """A copy of the LATENT, its samples fitted to the model if they are empty."""
    latent = latent_image.copy()
    ratios = [latent.pop(f"downscale_ratio_{kind}", None) for kind in ("spacial", "temporal")]
    samples = comfy.sample.fix_empty_latent_channels(model, latent["samples"], *ratios)
    return {**latent, "samples": samples}


def encode(vae, image: torch.Tensor, node: str = NODE, what: str = "composite") -> torch.Tensor:
    """Pictures [B, H, W, 3] -> samples; CollageError, naming `what` it was, when they are NaN."""
    # A video VAE would take a batch of pictures for the frames of one video.
    pictures = image.split(1) if vae.latent_dim == 3 else [image]
    samples = torch.cat([vae.encode(picture) for picture in pictures])
    if not samples.isfinite().all():
        raise CollageError(
            f"{node}, input vae: the encoded {what} holds NaN or infinite values, as the "
            "half-precision VAE of SDXL makes them. Use its fp16-fix version or start ComfyUI "
            "with --fp32-vae."
        )
    return samples
