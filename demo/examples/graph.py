"""Workflows in API form, node by node, with a place on the page for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from collage_core.storage.atomic_write import writing

from .. import world
from ..pack import ROOT
from ..world.scene import SIZE
from .variants import DEMO, Kind, Variant

WORKFLOWS = ROOT / "workflows"

Json = dict[str, Any]
Link = list[Any]  # [node id, slot]
Models = tuple[Link, Link, Link]  # MODEL, CLIP, VAE
Conditioned = tuple[Link, Link, Link]  # MODEL, positive, negative


class Node(str):
    """The id of a node; Node("7")[2] is the link to the third output of node 7."""

    __slots__ = ()

    def __getitem__(self, slot: int) -> Link:  # type: ignore[override]
        return [str(self), slot]


class Graph:
    """`prompt` in API form; `places`: node id -> (column, row) on the page."""

    def __init__(self, variant: Variant = DEMO) -> None:
        self.variant = variant
        self.prompt: Json = {}
        self.places: dict[str, tuple[int, int]] = {}

    def add(self, kind: str, column: int, title: str = "", **inputs: Any) -> Node:
        """Put a node below the others of its column."""
        node = Node(len(self.prompt) + 1)
        described: Json = {"class_type": kind, "inputs": inputs}
        self.prompt[node] = described | ({"_meta": {"title": title}} if title else {})
        self.places[node] = (column, len(self.prompt))
        return node

    def save(self, column: int, images: Link, prefix: str, title: str) -> Node:
        return self.add("SaveImage", column, title, images=images, filename_prefix=prefix)

    def model(self, column: int) -> Models:
        """MODEL, CLIP and VAE of one loader, or of a loader each."""
        variant = self.variant
        model = self._load(column, variant.model)
        clip = self._load(column, variant.clip)[0] if variant.clip else model[1]
        vae = self._load(column, variant.vae)[0] if variant.vae else model[2]
        if variant.shift is not None:
            model = self.add("ModelSamplingAuraFlow", column, model=model[0], shift=variant.shift)
        return model[0], clip, vae

    def network(self, column: int) -> Node:
        """A CONTROL_NET for edges."""
        assert self.variant.network is not None
        return self._load(column, self.variant.network)

    def _load(self, column: int, kind: Kind) -> Node:
        return self.add(kind[0], column, **kind[1])

    def layer(self, layer: world.SceneLayer, file: str, noise: float) -> Node:
        """A picture of workflows/input as a CollageLayer, at its place in the scene."""
        return self.placed(layer, self.add("LoadImage", 0, image=file), noise)

    def placed(self, layer: world.SceneLayer, load: Node, noise: float) -> Node:
        """A loaded picture as a CollageLayer."""
        return self.add(
            "CollageLayer",
            1,
            image=load[0],
            mask=load[1],
            text=layer.phrase,
            x=round(layer.x / SIZE, 3),
            y=round(layer.y / SIZE, 3),
            noise=noise,
            scale=self.variant.size / SIZE,
        )

    def stack(self, column: int, prompt: str, layers: Sequence[Node], **inputs: Any) -> Node:
        named = {f"layers.layer{number}": layer[0] for number, layer in enumerate(layers)}
        size = {"width": self.variant.size, "height": self.variant.size}
        return self.add("CollageStack", column, prompt=prompt, **size, **named, **inputs)

    def patched(self, column: int, model: Models, stack: Node) -> Conditioned:
        """Patched MODEL of a collage, positive and negative."""
        how = {"schedule": self.variant.schedule, "strength": self.variant.strength}
        given = {"model": model[0], "clip": model[1], "collage": stack[0]}
        patch = self.add("MaskedCrossAttentionPatch", column, **given, **how)
        return patch[0], self.guided(column, patch[1]), self.avoided(column, model)

    def plain(self, column: int, model: Models, prompt: str) -> Conditioned:
        """The model itself, the whole prompt everywhere and the negative."""
        words = self.add("CLIPTextEncode", column, "The whole prompt", text=prompt, clip=model[1])
        return model[0], self.guided(column, words[0]), self.avoided(column, model)

    def guided(self, column: int, positive: Link) -> Link:
        guidance = self.variant.guidance
        if guidance is None:
            return positive
        return self.add("FluxGuidance", column, conditioning=positive, guidance=guidance)[0]

    def avoided(self, column: int, model: Models) -> Link:
        text = self.variant.negative
        title = "To avoid" if text else "Nothing to avoid"
        return self.add("CLIPTextEncode", column, title, text=text, clip=model[1])[0]

    def sample(self, column: int, model: Models, stack: Node, **sampling: Any) -> Node:
        """Patch and sampler of a collage."""
        patched = self.patched(column, model, stack)
        return self.sample_patched(column + 1, model, stack, patched, **sampling)

    def sample_patched(
        self,
        column: int,
        model: Models,
        stack: Node,
        patched: Conditioned,
        **sampling: Any,
    ) -> Node:
        patch, positive, negative = patched
        return self.add(
            "PerLayerNoiseKSampler",
            column,
            model=patch,
            collage=stack[0],
            vae=model[2],
            positive=positive,
            negative=negative,
            **{**sampling, **self.variant.sampling},
        )

    def decode(self, column: int, model: Models, sampled: Node) -> Node:
        return self.add("VAEDecode", column, samples=sampled[0], vae=model[2])

    def paint(self, column: int, model: Models, stack: Node, **sampling: Any) -> Node:
        """Patch, sampler and decoder of a collage; the picture is the decoder's first output."""
        return self.decode(column + 2, model, self.sample(column, model, stack, **sampling))


def save_layers(scene: world.Scene, story: str) -> list[str]:
    """Write each layer as workflows/input/collage_<story>_<kind>.png; returns the file names."""
    (WORKFLOWS / "input").mkdir(parents=True, exist_ok=True)
    names = []
    for layer in scene.layers:
        name = f"collage_{story}_{layer.kind.replace(' ', '_')}.png"
        pixels = np.round(layer.rgba * 255).astype(np.uint8)
        with writing(WORKFLOWS / "input" / name, replace=True) as file:
            Image.fromarray(pixels).save(file, "PNG", optimize=True)
        names.append(name)
    return names
