"""The clean samples that an unfinished latent began with, found again after other nodes.

Other nodes do not know this record: they change the samples and copy the record unchanged, or
drop it. It therefore holds a hash of every unfinished row, so that rows are recognised in any
order and number, and any other change of them is noticed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from ..errors import CollageError
from ..storage.content_key import content_key
from .plan import NODE

WHERE = f"{NODE}, input latent_image"
SAME_LEVEL = 1e-3  # relative; half precision and other devices round a schedule


@dataclass(frozen=True, eq=False)
class Original:
    """The clean samples [B, ...] that the rows of an unfinished LATENT began with.

    rows: a hash of each unfinished row. values: a hash that ignores the order of the cells of a
    row. batch_index: the LATENT's. composite: a hash of each picture of the composite that the
    samples are encoded from, none where they are not. end and sigma: the step and the noise level
    at which the sampler stopped.

    Example: a batch that another node took apart.
        record = Original.of_rows(noisy, clean, None, composite, end=12, sigma=2.9)
        torch.equal(record.of(noisy[[1]], None), clean[[1]])
    """

    samples: torch.Tensor
    rows: tuple[str, ...]
    values: tuple[str, ...]
    batch_index: list[int] | None
    composite: tuple[str, ...]
    end: int
    sigma: float

    @classmethod
    def of_rows(
        cls,
        noisy: torch.Tensor,
        clean: torch.Tensor,
        batch_index: list[int] | None,
        composite: torch.Tensor | None,
        end: int,
        sigma: float,
    ) -> Original:
        """The record of unfinished samples [B, ...] that began with `clean` ones.

        composite: [B, H, W, 3] if the clean ones are its encoding.
        """
        rows, values = tuple(map(_row, noisy)), tuple(map(_values, noisy))
        pictures = () if composite is None else tuple(map(_row, composite))
        return cls(clean.clone(), rows, values, batch_index, pictures, end, sigma)

    def knows(self, noisy: torch.Tensor) -> list[bool]:
        """Per row of unfinished samples [N, ...]: whether it is exactly as the sampler left it."""
        return [_row(row) in self.rows for row in noisy]

    def of(self, noisy: torch.Tensor, batch_index: list[int] | None) -> torch.Tensor | None:
        """The clean samples of unfinished ones [N, ...]; None to use the composite instead.

        Rows may be repeated, left out and reordered. All rows together may have been resized or
        have other values. Raises CollageError for anything else.
        """
        known = self.knows(noisy)
        if all(known):
            return self.samples[[self.rows.index(_row(row)) for row in noisy]]
        if any(known):
            raise _changed(
                f"picture {known.index(False) + 1} of its {len(known)} does not come from the run "
                "that the others come from. Finish each run by itself, then batch the results"
            )
        if noisy.shape[1:] != self.samples.shape[1:]:
            if self.composite:
                return None
            raise _changed(
                f"it was resized or cropped after the sampler that stopped at step {self.end}, and "
                "that one began with another picture than the composite. Resize that picture "
                "before the first sampler, or the result after the last"
            )
        if any(_values(row) in self.values for row in noisy):
            raise _changed(
                f"it was flipped, turned or moved after the sampler that stopped at step "
                f"{self.end}, while the collage stayed as it is. Flip the finished picture"
            )
        if len(noisy) != len(self.rows) or batch_index != self.batch_index:
            raise _changed(
                f"its {len(noisy)} pictures were taken from a batch and changed, so which of the "
                f"{len(self.rows)} that were begun each one is cannot be told. Take pictures from "
                "the batch before the first sampler or after the last"
            )
        return self.samples

    def check_composite(self, composite: torch.Tensor) -> None:
        """Raise CollageError if the samples were encoded from another composite than this one."""
        if self.composite and not {_row(picture) for picture in composite} <= {*self.composite}:
            raise _changed(
                f"the sampler that stopped at step {self.end} began with another composite than "
                "that of this collage, and kept places would show it. Connect the same collage to "
                "both; to change a layer of a finished picture use CollageEdit"
            )

    def check_level(self, noisy: torch.Tensor, sigma: float) -> None:
        """Raise CollageError if the rows, exactly as they were left, go on at another level."""
        if all(self.knows(noisy)) and not math.isclose(sigma, self.sigma, rel_tol=SAME_LEVEL):
            raise CollageError(
                f"{NODE}, input start_at_step: latent_image was left at step {self.end}, at noise "
                f"level {self.sigma:.3g}, and this sampler would go on from {sigma:.3g}. Enter "
                f"{self.end}, and the same steps, scheduler and noises as in the first sampler."
            )


def _row(row: torch.Tensor) -> str:
    return content_key(row=row)


def _values(row: torch.Tensor) -> str:
    return content_key(values=row.flatten().sort().values)


def _changed(what: str) -> CollageError:
    return CollageError(f"{WHERE}: {what}.")
