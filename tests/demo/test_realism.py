"""How real painted pictures look as a whole, against what the world's own pictures get."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from demo import world
from demo.evaluate import realism
from demo.evaluate.painter import Sampling


def test_a_perfect_painter_reaches_the_floor(monkeypatch, tmp_path: Path) -> None:
    def perfect(captions: list[str], _sampling: Sampling) -> torch.Tensor:
        scenes = [world.scene(realism.FIRST_SEED + n, collage=False) for n in range(len(captions))]
        assert [scene.caption for scene in scenes] == captions
        return torch.stack([torch.from_numpy(scene.picture) for scene in scenes])

    monkeypatch.setattr(realism, "paint", perfect)
    realism.run(6, Sampling(steps=1, cfg=1.0), tmp_path)
    found = json.loads((tmp_path / "realism.json").read_text())
    assert found["painted"] == found["floor"] > 0
