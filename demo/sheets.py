"""Contact sheets: pictures side by side in one file."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image

from collage_core.storage.atomic_write import writing


def save_sheet(pictures: torch.Tensor, path: Path, columns: int) -> None:
    """[N, H, W, 3] in [0, 1] -> one PNG, row by row; the last row is filled up with white."""
    missing = -len(pictures) % columns
    blank = torch.ones(missing, *pictures.shape[1:])
    rows = torch.cat([pictures.clamp(0, 1), blank]).split(columns)
    sheet = torch.cat([torch.cat(list(row), 1) for row in rows], 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path, replace=True) as file:
        Image.fromarray((sheet * 255).round().byte().numpy()).save(file, "PNG")
