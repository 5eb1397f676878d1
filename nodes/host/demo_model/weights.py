"""Reads the weight files that ship with the pack, in demo/weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from ....collage_core.errors import CollageError

FOLDER = Path(__file__).resolve().parents[3] / "demo" / "weights"
FILE, NODE = "demo_model", "CollageDemoModel"
TRANSFORMER_FILE = "demo_transformer"
CONTROL_FILE, CONTROL_NODE = "demo_control", "CollageDemoControlNet"

Weights = dict[str, torch.Tensor]


@dataclass(frozen=True, eq=False)
class WeightFile:
    """The weights and metadata of one file, and the node that asked for it.

    Example: the UNet's weights, under the names that its class gives them.
        WeightFile.read("demo_model", NODE).part("unet.")
    """

    path: Path
    node: str
    weights: Weights
    metadata: dict[str, str]

    @staticmethod
    def read(name: str, node: str) -> WeightFile:
        """Raises CollageError, which names `node`, for a missing or broken file."""
        path = FOLDER / f"{name}.safetensors"
        try:
            with safe_open(path, framework="pt") as file:
                weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
                return WeightFile(path, node, weights, file.metadata() or {})
        except (OSError, SafetensorError) as error:
            raise CollageError(
                f"{node}: the weight file demo/weights/{path.name} of this pack is missing or "
                f"broken ({error}). Install the pack again, or use a loader of ComfyUI instead."
            ) from error

    def part(self, prefix: str) -> Weights:
        """The weights whose names begin with `prefix`, without it."""
        weights = self.weights.items()
        return {k.removeprefix(prefix): v for k, v in weights if k.startswith(prefix)}

    def words(self) -> torch.Tensor:
        """[49408, width]: the trained words, and for every other word their mean."""
        table = self.weights["words.rest"].repeat(49408, 1)
        table[self.weights["words.rows"].long()] = self.weights["words.vectors"]
        return table

    def preview(self) -> list[list[float]]:
        """Red, green and blue of each latent channel, then the bias."""
        return json.loads(self.metadata["preview"])

    def check_all_in(self, network: Any, state: Weights) -> None:
        """CollageError for a missing weight: ComfyUI logs it and would use uninitialised memory."""
        missing = network.state_dict().keys() - state.keys()
        if missing:
            raise CollageError(
                f"{self.node}: the weight file demo/weights/{self.path.name} does not fit this "
                f"pack ({len(missing)} weights are missing, {min(missing)} among them). "
                "Install the pack again, or use a loader of ComfyUI instead."
            )
