"""The bias of cross-attention by visible masks (Collage Diffusion, section 4).

For scaled scores S of one row, token j of region r and query i:

    S'[i, j] = S[i, j] + f(sigma) * m_j * (w+_r * M_r[i] - w-_r * (1 - M_r[i]))

with m_j the largest S[:, j] over heads and queries, never below 0: a negative one would make
attraction repel. Confined words, those that a layer must not show, are kept out of all else by
log M_r[i], which is minus infinity where the layer is not, in place of the term with w-.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F
from einops import rearrange

SCHEDULES = ("paper", "ediff", "constant", "early", "earliest")
DEFAULT_SCHEDULE = "earliest"  # keeps place and harmony best: docs/attention.md
SD_SIGMA_MAX = 14.6
SETTLED = 0.75  # of the t / T at which a run begins: below it `earliest` ends
LIMIT = 1e4  # bound of scores and bias, far inside half precision
Area = tuple[int, int, int, int]  # height, width, top, left in latent cells, as ComfyUI has it


def schedule_factor(schedule: str, sigma: float) -> float:
    """f(sigma): the paper's log(log(sigma + 1.01) + 1), eDiff-I's log(sigma + 1.01), or 1.

    early is the paper's times the square of the noise's share of the picture's variance, our own:
    places are settled at high noise, and later the bias only stands in the way of one light.
    earliest is the same, until `last_fraction`.
    """
    if schedule == "constant":
        return 1.0
    ediff = math.log(sigma + 1.01)
    if schedule == "ediff":
        return ediff
    paper = math.log(ediff + 1)
    if schedule == "paper":
        return paper
    return paper * (sigma**2 / (sigma**2 + 1)) ** 2


def last_fraction(schedule: str, begins: float) -> float:
    """t / T below which the bias has ended, where it begins at t / T = `begins`."""
    return SETTLED * begins if schedule == "earliest" else 0.0


def noise_to_signal(sigma: float) -> float:
    """Sigma of a flow, in [0, 1] -> the sigma that SD gives to as noisy a latent, at most SD's own.

    A flow mixes sigma * noise + (1 - sigma) * latent.
    """
    return min(sigma / max(1 - sigma, 1e-6), SD_SIGMA_MAX)


@dataclass(frozen=True)
class TokenRegion:
    """Layers, as indices into the masks, and the positions of the tokens that belong to them.

    It is a `WordRegion` of the prompt after tokenising: "a red fox" gives layer 0 its tokens 2, 3.

        TokenRegion(layers=(0,), tokens=(2, 3))
    """

    layers: tuple[int, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class TokenColumns:
    """Keys that belong to regions: positions [T], membership [R, T] of 0 and 1, and f(sigma).

    f(sigma) changes at every step. It is a tensor [], so no compiled code depends on its value.
    confined: whether the region weights have R more columns, which are added as they are.
    """

    tokens: torch.Tensor
    membership: torch.Tensor
    factor: torch.Tensor
    confined: bool = False

    def to(self, device: torch.device) -> TokenColumns:
        tokens, membership = self.tokens.to(device), self.membership.to(device)
        return TokenColumns(tokens, membership, self.factor.to(device), self.confined)

    def moved(self, places: int) -> TokenColumns:
        """The same tokens that many keys further on."""
        return replace(self, tokens=self.tokens + places)

    def at(self, factor: float) -> TokenColumns:
        """The same keys at another f(sigma)."""
        return replace(self, factor=torch.full_like(self.factor, factor))

    def shares(self, peaks: torch.Tensor) -> torch.Tensor:
        """What each column of the region weights adds to each of the keys: [B, R or 2 R, T]."""
        scaled = self.membership * (self.factor * peaks).unsqueeze(1)
        if not self.confined:
            return scaled
        return torch.cat([scaled, self.membership.expand_as(scaled)], 1)


@dataclass(frozen=True, eq=False)
class AttentionBias:
    """The bias that one conditioning adds to cross-attention.

    masks: visible alpha [B, L, H, W] in [0, 1]; attract, repel: w+ and w- of each of the L
    layers; start, end: the part of the schedule in which the bias acts, 0 to 1. confined: words
    act in their layers alone, at every noise; w- then counts for nothing.

        regions = (TokenRegion((0,), (2, 3)), TokenRegion((1,), (6,)))
        bias = AttentionBias(collage.composite.visible_alpha, regions, (0.3, 0.3), (0.5, 0.5))
        weights = bias.region_weights((32, 32), latent=(64, 64))  # [B, 1024, 2]
    """

    masks: torch.Tensor = field(repr=False)
    regions: tuple[TokenRegion, ...]
    attract: tuple[float, ...]
    repel: tuple[float, ...]
    schedule: str = DEFAULT_SCHEDULE
    start: float = 0.0
    end: float = 1.0
    confined: bool = False

    def factor(self, sigma: float) -> float:
        acts = self.start < self.end and any((*self.attract, *self.repel))
        return schedule_factor(self.schedule, sigma) if acts else 0.0

    def region_weights(
        self, size: tuple[int, int], latent: tuple[int, int], area: Area | None = None
    ) -> torch.Tensor:
        """w+ M - w- (1 - M) for the cells of a block of `size`: [B, h * w, R], float32, on the CPU.

        Of confined words w+ M and log M, [B, h * w, 2 R].
        latent: height and width of the whole latent picture; area: the part that is painted.
        """
        return self.weights_of(self.cell_masks(latent, area), size)

    def cell_masks(self, latent: tuple[int, int], area: Area | None = None) -> torch.Tensor:
        """The masks in latent cells, [B, L, h, w] float32."""
        masks = keep_peaks(F.adaptive_avg_pool2d(self.masks.float(), latent), self.masks)
        return part_of(masks, area)

    def weights_of(self, cells: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        """The `region_weights` of masks that `cell_masks` returned."""
        return self._weights(block_masks(cells, size)).flatten(1, 2)

    def _weights(self, masks: torch.Tensor) -> torch.Tensor:
        """Masks [B, L, h, w] -> [B, h, w, R]; layers that share words are one region."""
        attract = masks.new_tensor(self.attract)[:, None, None]
        maps, kept_out = [], []
        for region in self.regions:
            own = list(region.layers)
            inside = masks[:, own].sum(1).clamp(max=1)
            drawn = (attract[own] * masks[:, own]).sum(1)
            if self.confined:
                kept_out.append(inside.log().clamp(min=-LIMIT))
                maps.append(drawn)
            else:
                repel = sum(self.repel[i] for i in own) / len(own)
                maps.append(drawn - repel * (1 - inside))
        return torch.stack(maps + kept_out, -1)

    def token_columns(self, length: int, keys: int, factor: float) -> TokenColumns:
        """The tokens of the regions among `keys` keys, for one call of the model.

        length: tokens of the conditioning, those that other nodes appended included; ComfyUI
        repeats them until the whole batch has `keys` tokens. factor: f(sigma), 0 outside the
        schedule.
        """
        tokens, region_of = [], []
        for number, region in enumerate(self.regions):
            tokens += region.tokens
            region_of += [number] * len(region.tokens)
        starts = torch.arange(keys // length) * length
        everywhere = (torch.tensor(tokens, dtype=torch.long) + starts[:, None]).flatten()
        owners = torch.tensor(region_of, dtype=torch.long)
        membership = F.one_hot(owners, len(self.regions)).T.float().repeat(1, len(starts))
        return TokenColumns(everywhere, membership, torch.tensor(factor), self.confined)


def part_of(masks: torch.Tensor, area: Area | None) -> torch.Tensor:
    """The part of masks [B, L, h, w] that is painted, all of them without an area."""
    if area is None:
        return masks
    height, width, top, left = area
    return masks[..., top : top + height, left : left + width]


def keep_peaks(small: torch.Tensor, large: torch.Tensor) -> torch.Tensor:
    """Scale each mask so that its largest value is that of the mask it was shrunk from.

    Without this, a hair or a rope that fills no whole cell would lose its words.
    """
    peaks = small.amax((-2, -1), keepdim=True)
    wanted = large.amax((-2, -1), keepdim=True).to(peaks)
    return small * (wanted / peaks.clamp(min=1e-6)).clamp(min=1)


def block_masks(masks: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Masks [B, L, H, W] in latent cells -> [B, L, h, w] in cells of a block, with their peaks."""
    return keep_peaks(shrunk_masks(masks, size), masks)


def shrunk_masks(masks: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Masks [B, L, H, W] in latent cells -> [B, L, h, w] in cells of a block, area filter.

    A UNet halves with rounding up, so the last cell of an odd side is half outside.
    """
    factor = shrink_factor(masks.shape[-2:], size)
    if factor is None:
        return F.adaptive_avg_pool2d(masks, size)
    return F.avg_pool2d(masks, factor, ceil_mode=True, count_include_pad=False)


def shrink_factor(grid: Sequence[int], size: Sequence[int]) -> int | None:
    """The power of two by which a UNet shrinks a grid to `size` cells, halving and rounding up.

    None where another patch shrinks the blocks in another way.
    """
    factor = 1
    while any(-(-large // factor) > small for large, small in zip(grid, size, strict=True)):
        factor *= 2
    return factor if [-(-large // factor) for large in grid] == list(size) else None


def peak_scores(q: torch.Tensor, k: torch.Tensor, heads: int) -> torch.Tensor:
    """m_j of every key: [B, N, H * D] queries, [B, T, H * D] keys -> [B, T], at least 0."""
    return peaks_by_head(*(rearrange(x, "b n (h d) -> b h n d", h=heads) for x in (q, k)))


def peaks_by_head(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    """m_j of every key: [B, H, N, D] queries, [B, H, T, D] keys -> [B, T], at least 0."""
    k = k * k.shape[-1] ** -0.5  # k is scaled first: half precision overflows early
    return (q @ k.transpose(-1, -2)).amax((1, 2)).float().clamp(0, LIMIT)


def attention_bias(
    q: torch.Tensor, k: torch.Tensor, heads: int, weights: torch.Tensor, columns: TokenColumns
) -> torch.Tensor:
    """The term that is added to the scores, [B, 1, N, K] in the dtype of q.

    q: [B, N, H * D]; k: [B, K, H * D]; weights: [B or 1, N, R] of `region_weights`.
    """
    peaks = peak_scores(q, k[:, columns.tokens], heads)
    return bias_of_cells(peaks, weights, columns, k.shape[1]).to(q.dtype)


def bias_of_cells(
    peaks: torch.Tensor, weights: torch.Tensor, columns: TokenColumns, keys: int
) -> torch.Tensor:
    """The bias of some cells, [B, 1, cells, keys] float32.

    peaks: m_j of the columns, [B, T]; weights: [B or 1, cells, R]. Only the keys of the layers'
    tokens meet the queries, and the bias has rank R: one small product for any number of layers.
    """
    shares = weights.new_zeros(len(peaks), weights.shape[-1], keys)
    shares[:, :, columns.tokens] = columns.shares(peaks)
    return (weights @ shares).clamp_(-LIMIT, LIMIT).unsqueeze(1)
