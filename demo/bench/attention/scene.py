"""Latents and conditioning for the models, and the ways to bind phrases to regions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from comfy.model_patcher import ModelPatcher

from ...pack import host_nodes, load_pack
from .one_call import SIGMA, Row, call
from .rivals import LowRankFold, PaperLoop

TOKENS, POOLED = 77, 1280
ATTRACT, REPEL = 0.3, 0.5  # a new layer's
AGREEMENT = {torch.float32: 1e-3}  # of the largest value
LESS_EXACT = 3e-2  # half precision

UNPATCHED, NODE, LOOP = "unpatched", "this node", "paper's loop"
FOLD, CORE = "low-rank fold", "ConditioningSetMask"


def soft_masks(layers: int, cells: int) -> torch.Tensor:
    """Visible alphas [1, L, H, W] of soft spots; they add up to 1 everywhere."""
    columns = round(layers**0.5)
    rows = -(-layers // columns)
    place = (torch.arange(8 * cells) + 0.5) / (8 * cells)
    y, x = place[:, None] * rows, place * columns
    spots = [
        torch.exp(-((y - i // columns - 0.5) ** 2 + (x - i % columns - 0.5) ** 2) * 8)
        for i in range(layers)
    ]
    masks = torch.stack(spots)
    return (masks / masks.sum(0).clamp(min=1))[None]


class Scene:
    """A random prompt and its opposite, for a MODEL and a latent of cells x cells."""

    def __init__(self, model: ModelPatcher, cells: int) -> None:
        pack = load_pack()
        self.host, self.core = pack.nodes.host, pack.collage_core.attention.bias
        self.model, self.cells = model, cells
        self.width = self.host.models.families.context_width(model, "bench")
        self.generator = torch.Generator().manual_seed(0)
        self.positive, self.negative = self._prompt(), self._prompt()

    def _prompt(self) -> list:
        features = torch.randn(1, TOKENS, self.width, generator=self.generator)
        return [[features, {"pooled_output": torch.randn(1, POOLED, generator=self.generator)}]]

    def bias(self, layers: int, attract: float = ATTRACT, repel: float = REPEL):
        """A AttentionBias with up to three tokens of the prompt for each layer."""
        own = min(3, (TOKENS - 2) // layers)
        return self.core.AttentionBias(
            masks=soft_masks(layers, self.cells),
            regions=tuple(
                self.core.TokenRegion((i,), tuple(range(1 + i * own, 1 + (i + 1) * own)))
                for i in range(layers)
            ),
            attract=(attract,) * layers,
            repel=(repel,) * layers,
        )

    def unpatched(self) -> Row:
        return Row(UNPATCHED, 0, self.model, self.positive, self.negative)

    def node(self, layers: int) -> Row:
        model = self.host.attention.patch.patch_model(self.model)
        bias = self.bias(layers)
        positive = self.host.attention.conditioning.with_bias(self.positive, bias)
        return Row(NODE, layers, model, positive, self.negative)

    def loop(self, layers: int) -> Row:
        return self.replaced(LOOP, layers, self.paper_loop(layers))

    def fold(self, layers: int) -> Row:
        return self.replaced(FOLD, layers, self.low_rank_fold(layers))

    def masked(self, layers: int) -> Row:
        """ComfyUI's own way: one more prompt a region, and the whole scene everywhere."""
        set_mask = host_nodes().ConditioningSetMask().append
        positive = list(self.positive)
        for mask in soft_masks(layers, self.cells)[0]:
            positive += set_mask(self._prompt(), mask[None], "default", 1.0)[0]
        return Row(CORE, layers, self.model, positive, self.negative)

    def replaced(self, way: str, layers: int, attention) -> Row:
        """A row whose model has one attn2_replace function in all blocks."""
        model = self.model.clone()
        for key in self.host.models.families.block_keys(model.model.diffusion_model):
            model.set_model_attn2_replace(attention, *key)
        return Row(way, layers, model, self.positive, self.negative)

    def paper_loop(self, layers: int) -> PaperLoop:
        bias = self.bias(layers)
        return PaperLoop(
            masks=self.bias(layers, attract=1.0, repel=0.0),
            tokens=tuple(region.tokens for region in bias.regions),
            attract=ATTRACT,
            repel=REPEL,
            latent=(self.cells, self.cells),
            sigma_factor=bias.factor(SIGMA),
        )

    def low_rank_fold(self, layers: int) -> LowRankFold:
        bias = self.bias(layers)
        return LowRankFold(bias, (self.cells, self.cells), bias.factor(SIGMA))

    def rows(self, layers: Sequence[int], regions: Sequence[int], *, fold: bool) -> list[Row]:
        """The unpatched model first."""
        ways = [self.node, self.loop, *([self.fold] if fold else [])]
        ours = [way(number) for way in ways for number in layers]
        return [self.unpatched(), *ours, *(self.masked(number) for number in regions)]

    def check(self, layers: int) -> None:
        """Assert that node, loop and fold agree, and differ from the unpatched model."""
        tolerance = AGREEMENT.get(self.model.model.get_dtype_inference(), LESS_EXACT)
        plain, ours = call(self.unpatched(), self.cells), call(self.node(layers), self.cells)
        for row in (self.loop(layers), self.fold(layers)):
            apart = _apart(ours, call(row, self.cells))
            assert apart < tolerance, f"{row.name}: {apart:.1e} away from this node's answer"
        effect = _apart(ours, plain)
        assert effect > 2 * tolerance, f"the bias changes the answer by no more than {effect:.1e}"


def _apart(a: torch.Tensor, b: torch.Tensor) -> float:
    """The largest difference as a share of the largest value; NaN stays NaN."""
    return float((a - b).abs().max() / b.abs().max())
