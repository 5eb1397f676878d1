"""Seeds of single layers: a layer's own cells get other noise, all other cells keep theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch

from ..collage.collage import Collage
from ..collage.layer_names import layer_name, one_layer, plain_signs
from ..errors import CollageError, quoted
from .noise_map import cell_noise

WHERE = "PerLayerNoiseKSampler, input layer_seeds"
SEPARATORS = ",; \t"
LARGEST_SEED = 2**64 - 2  # the host's samplers draw the noise of their steps from seed + 1


@dataclass(frozen=True, eq=False)
class NoiseSeeds:
    """The seed of the picture, and per layer with a seed of its own that seed and its cells.

    Example: the left half of a latent of 4 x 4 cells gets its noise from seed 77.
        left = torch.arange(4).expand(1, 1, 4, 4) < 2
        NoiseSeeds(5, ((77, left),))
    """

    picture: int
    layers: tuple[tuple[int, torch.Tensor], ...] = ()

    @property
    def all(self) -> tuple[int, ...]:
        """All distinct seeds. The picture's seed is last, so that the global random generator ends
        up as it would without layer seeds."""
        others = dict.fromkeys(seed for seed, _ in self.layers if seed != self.picture)
        return (*others, self.picture)

    def mixed(self, draw: Callable[[int], torch.Tensor]) -> torch.Tensor:
        """Noise [B, C, ..., h, w]: `draw` makes that of one seed, and each cell takes its layer's.

        A cell takes all of its noise from one seed, so that its variance stays 1.
        """
        drawn = {seed: draw(seed) for seed in self.all}
        noise = drawn[self.picture]
        for seed, cells in self.layers:
            own = cells.reshape(len(cells), *[1] * (noise.ndim - 3), *cells.shape[-2:])
            noise = torch.where(own.to(noise.device), drawn[seed], noise)
        return noise


def seed_at(seed: int, sigma: float) -> int:
    """The seed of one noise level of a run; it depends on nothing else."""
    digest = hashlib.blake2b(f"{seed} {sigma:.6g}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def noise_seeds(seed: int, text: str, collage: Collage, cell: int) -> NoiseSeeds:
    """The seed of the picture and the seeds that `text` gives to layers.

    cell: edge of a latent cell in pixels. Raises CollageError for a text that cannot be read, see
    `parse_layer_seeds`, and for a layer whose seed would count in no cell.
    """
    seeds = parse_layer_seeds(text, collage)
    if not seeds:
        return NoiseSeeds(seed)
    owners = cell_owners(collage.composite.visible_alpha, cell)
    layers = tuple((own, owners == layer) for layer, own in seeds.items())
    for layer, (own, cells) in zip(seeds, layers, strict=True):
        if not cells.any():
            name = layer_name(collage, collage.numbered[layer][0])
            raise CollageError(
                f"{WHERE}: {name} shows most in no latent cell, so its seed {own} would change "
                "nothing. Raise its opacity or its size, or change the seed of the picture."
            )
    return NoiseSeeds(seed, layers)


def cell_owners(visible_alpha: torch.Tensor, cell: int) -> torch.Tensor:
    """[B, L, H, W] -> the index of the layer that shows most in every latent cell, or L.

    L stands for the background. The indices are [B, 1, H // cell, W // cell].
    """
    shares = cell_noise(visible_alpha, cell)
    background = 1 - shares.sum(1, keepdim=True)
    return torch.cat([shares, background], 1).argmax(1, keepdim=True)


def parse_layer_seeds(text: str, collage: Collage) -> dict[int, int]:
    """ "2: 77, teddy bear: 5", or one a line -> seeds by the index among the shown layers.

    A layer is named as for `shown_layer`; its text may hold commas. Raises CollageError for an
    entry without a seed, a seed out of range, an unknown or ambiguous layer, and a layer with two
    seeds.
    """
    seeds: dict[int, int] = {}
    for entry in _entries(text):
        name, colon, number = entry.rpartition(":")
        if not colon:
            raise CollageError(
                f"{WHERE}: {quoted(entry)} has no colon. Write a layer's number or text, a colon "
                "and its seed, as in 2: 77."
            )
        layer = collage.index_of(one_layer(collage, name, WHERE, hidden=False))
        seed = _seed(number.strip(), name.strip())
        if seeds.setdefault(layer, seed) != seed:
            raise CollageError(
                f"{WHERE}: {quoted(name.strip())} is given the seed {seed} after "
                f"{seeds[layer]}. Keep one of them."
            )
    return seeds


def _entries(text: str) -> Iterator[str]:
    """What stands between commas; parts without a colon are joined to the next one."""
    for line in plain_signs(text).splitlines():
        entry = ""
        for part in re.split(r"(?<=[,;])", line):
            entry += part
            if ":" in part:
                yield entry.strip(SEPARATORS)
                entry = ""
        if entry.strip(SEPARATORS):
            yield entry.strip(SEPARATORS)


def _seed(number: str, name: str) -> int:
    if not number.isdecimal() or len(number) > 20 or int(number) > LARGEST_SEED:
        raise CollageError(
            f"{WHERE}: {quoted(number)} for {quoted(name)} is no seed. "
            f"Enter a whole number from 0 to {LARGEST_SEED}."
        )
    return int(number)
