"""ComfyUI's transformers: where picture and words stand in the attention of a model call.

To support another network, give its class a row in LAYOUTS. A joint attention has one sequence of
text tokens, picture cells and reference pictures for queries and keys alike; in a cross-attention
the cells are the queries and the text tokens are the keys. `tests/host/transformers` proves every
row: add the family to `test_layouts.py` and `test_oracle.py`.

Host symbols:
    comfy.model_base.BaseModel: diffusion_model
    comfy.ldm.flux.model.Flux: patch_size
    comfy.ldm.chroma.model.Chroma: patch_size
    comfy.ldm.qwen_image.model.QwenImageTransformer2DModel: patch_size
    comfy.ldm.lumina.model.NextDiT: patch_size, pad_tokens_multiple
    comfy.ldm.modules.diffusionmodules.mmdit.OpenAISignatureMMDITWrapper: patch_size
    comfy.ldm.aura.mmdit.MMDiT: patch_size
    comfy.ldm.hunyuan_video.model.HunyuanVideo: patch_size, use_cond_type_embedding, byt5_in
    comfy.ldm.krea2.model.SingleStreamDiT: patch, default_ref_method
    comfy.ldm.omnigen.omnigen2.OmniGen2Transformer2DModel: patch_size
    comfy.ldm.wan.model.WanModel: patch_size, ref_conv, img_emb
    comfy.ldm.cosmos.predict2.MiniTrainDIT: patch_spatial
    comfy.ldm.anima.model.Anima: patch_spatial
    comfy.ldm.kandinsky5.model.Kandinsky5: patch_size
    comfy.ldm.joyimage.model.JoyImageTransformer3DModel: patch_size
    comfy.ldm.pixart.pixartms.PixArtMS: patch_size
    comfy.model_base.Flux: "ref_latents"
    comfy.model_base.Krea2: "ref_latents_method"
    comfy.model_base.WAN21: "reference_latent", "clip_fea"
    comfy.model_base.HunyuanVideo: "ref_latent"
    comfy.model_base.HunyuanImage21: "txt_byt5"
    comfy.model_base.HunyuanVideo15: "clip_fea"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from ....collage_core.errors import CollageError

WAN_EXTRAS = ("reference_latent", "clip_fea")
REGISTERS = 8  # tokens that AuraFlow puts before the text


@dataclass(frozen=True)
class Layout:
    """Where the picture's cells and the text stand in one attention call.

    grid: rows and columns of cells; first_cell: index among the queries of the first cell;
    first_token: index among the keys of the first text token; queries, keys: lengths of a call with
    both, calls of other lengths are left alone. twins: calls of a block that come before it and
    have the same lengths, such as self-attention.

        # Flux, 1024 x 1024 pixels and 256 tokens: text first, then 64 x 64 cells
        Layout((64, 64), first_cell=256, first_token=0, queries=4352, keys=4352)
    """

    grid: tuple[int, int]
    first_cell: int
    first_token: int
    queries: int
    keys: int
    twins: int = 0

    @property
    def cells(self) -> int:
        return self.grid[0] * self.grid[1]

    @property
    def joint(self) -> bool:
        """Whether cells and text tokens are one sequence."""
        return self.first_cell + self.first_token > 0


@dataclass(frozen=True)
class Call:
    """What a layout depends on: the network, its latent [B, C, ..., h, w], text tokens, extras."""

    network: Any
    x: torch.Tensor
    tokens: int
    extras: dict[str, Any]

    def grid(self, patch: int) -> tuple[int, int]:
        """Rows and columns of cells of `patch` latent cells; an odd side is padded."""
        height, width = self.x.shape[-2:]
        return -(-height // patch), -(-width // patch)

    def reference_cells(self, patch: int) -> int:
        """Cells of all reference latents, which stand beside the picture's."""
        return sum(cells_of(latent, patch) for latent in self.extras.get("ref_latents") or ())


def cells_of(latent: torch.Tensor, patch: int) -> int:
    """How many cells of `patch` latent cells a latent [B, C, ..., h, w] has, in all its frames."""
    height, width = latent.shape[-2:]
    return latent[0, 0, ..., 0, 0].numel() * -(-height // patch) * -(-width // patch)


def text_first(call: Call, patch: int, *, before: int = 0, last: bool = False) -> Layout:
    """`before` other tokens, the text, the picture; references behind, or between with `last`."""
    grid = call.grid(patch)
    cells, references = grid[0] * grid[1], call.reference_cells(patch)
    text = before + call.tokens
    length = text + cells + references
    return Layout(grid, text + (references if last else 0), before, length, length)


def krea(call: Call) -> Layout:
    """References count only where a node or the checkpoint says how to place them."""
    method = call.extras.get("ref_latents_method", call.network.default_ref_method)
    if method is None:
        call = replace(call, extras={})
    return text_first(call, call.network.patch)


def crossed(call: Call, patch: int, *, before: int = 0) -> Layout:
    """The picture, behind `before` other cells, asks the text."""
    grid = call.grid(patch)
    queries = before + grid[0] * grid[1]
    return Layout(grid, before, 0, queries, call.tokens, twins=int(queries == call.tokens))


def wan(call: Call) -> Layout:
    """A control model puts the cells of its reference picture before the picture's.

    An image-to-video model asks its look at a picture before it asks the text.
    """
    network, extras, before = call.network, call.extras, 0
    patch, reference, look = network.patch_size[-1], *map(extras.get, WAN_EXTRAS)
    if reference is not None and network.ref_conv is not None:
        before = cells_of(reference, patch)
    layout = crossed(call, patch, before=before)
    alike = look is not None and network.img_emb is not None and look.shape[-2] == call.tokens
    return replace(layout, twins=layout.twins + alike)


def next_dit(call: Call) -> Layout:
    """Text and picture are each padded to a multiple with learned tokens (Z-Image)."""
    patch, multiple = call.network.patch_size, call.network.pad_tokens_multiple or 1
    grid = call.grid(patch)
    text, cells = (-(-n // multiple) * multiple for n in (call.tokens, grid[0] * grid[1]))
    return Layout(grid, text, 0, text + cells, text + cells)


def hunyuan(call: Call) -> Layout:
    """Tokens of other encoders stand around the text, and a reference before the picture.

    Glyphs are behind the text, or before it with type embeddings; a look at a picture is first.
    """
    network, extras, patch = call.network, call.extras, call.network.patch_size[-1]
    glyphs, look, reference = (extras.get(k) for k in ("txt_byt5", "clip_fea", "ref_latent"))
    more = glyphs.shape[1] if glyphs is not None and network.byt5_in is not None else 0
    before = 0 if look is None else look.shape[1]
    grid = call.grid(patch)
    references = 0 if reference is None else cells_of(reference, patch)
    first_cell = before + call.tokens + more + references
    length = first_cell + grid[0] * grid[1]
    first_token = before + (more if network.use_cond_type_embedding else 0)
    return Layout(grid, first_cell, first_token, length, length)


def picture_first(call: Call, patch: int) -> Layout:
    """The picture, references, then the text."""
    grid = call.grid(patch)
    first_token = grid[0] * grid[1] + call.reference_cells(patch)
    length = first_token + call.tokens
    return Layout(grid, 0, first_token, length, length)


LAYOUTS: dict[str, Callable[[Call], Layout]] = {
    "Flux": lambda call: text_first(call, call.network.patch_size),
    "Chroma": lambda call: text_first(call, call.network.patch_size),
    "QwenImageTransformer2DModel": lambda call: text_first(call, call.network.patch_size),
    "NextDiT": next_dit,
    "OpenAISignatureMMDITWrapper": lambda call: text_first(call, call.network.patch_size),
    "MMDiT": lambda call: text_first(call, call.network.patch_size, before=REGISTERS),
    "HunyuanVideo": hunyuan,
    "SingleStreamDiT": krea,
    "OmniGen2Transformer2DModel": lambda call: text_first(call, call.network.patch_size, last=True),
    "LensTransformer2DModel": lambda call: picture_first(call, 1),
    "JoyImageTransformer3DModel": lambda call: picture_first(call, call.network.patch_size[-1]),
    "WanModel": wan,
    "MiniTrainDIT": lambda call: crossed(call, call.network.patch_spatial),
    "Anima": lambda call: crossed(call, call.network.patch_spatial),
    "LTXVModel": lambda call: crossed(call, 1),
    "Kandinsky5": lambda call: crossed(call, call.network.patch_size[-1]),
}
UNPADDED = ("HunyuanVideo", "Kandinsky5", "PixArtMS")  # all others pad a latent to whole patches


def plain_network(model: Any) -> Any:
    """A model's diffusion model itself where torch.compile has wrapped it; None without any.

    torch.compile stands there for a model call, or from the first run on, and is of a class of its
    own, so whoever asks for the class of a network asks here.
    """
    network = getattr(model, "diffusion_model", None)
    return getattr(network, "_orig_mod", network)


def is_transformer(network: Any) -> bool:
    """Whether LAYOUTS knows the class itself: a subclass may order its sequence otherwise."""
    return type(network).__name__ in LAYOUTS


def whole_cells(network: Any) -> int:
    """The number of cells that each side of a latent has to be a multiple of."""
    if type(network).__name__ not in UNPADDED:
        return 1
    patch = network.patch_size
    return patch if isinstance(patch, int) else patch[-1]


def check_call(network: Any, x: torch.Tensor, extras: dict[str, Any], node: str) -> None:
    """Refuse what no layout describes: several frames, and references of NextDiT."""
    if x.ndim == 5 and x.shape[2] > 1:
        raise CollageError(
            f"{node}, output model: it is asked for {x.shape[2]} frames at once, and a collage is "
            "one picture. Sample a latent of one frame."
        )
    if type(network).__name__ == "NextDiT" and extras.get("ref_latents"):
        raise CollageError(
            f"{node}, output model: this model puts its reference latents among the words, so no "
            "layer would keep its place. Take ReferenceLatent out."
        )


def layout_of(network: Any, x: torch.Tensor, tokens: int, extras: dict[str, Any]) -> Layout:
    """The layout of one call: latent x [B, C, ..., h, w], text tokens as the network gets them."""
    return LAYOUTS[type(network).__name__](Call(network, x, tokens, extras))


def token_grid(network: Any, x: torch.Tensor) -> tuple[int, int]:
    """Rows and columns of the tokens that the network makes of a latent x [B, C, ..., h, w]."""
    return layout_of(network, x, 0, {}).grid
