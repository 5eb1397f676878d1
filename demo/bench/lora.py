"""What LoRAs of layers cost: SD1.5 or SDXL at full size, with random weights.

ComfyUI's sampling function asks once for a positive and a negative conditioning: of the unpatched
model, of this pack with 1, 3 and 5 layers that each have a LoRA of all linear layers of attention,
and of ComfyUI's own way, a LoRA hook and a mask for each region, with one pass per region. Every
round calls each of them, and ratios are between calls of one round. Memory is the peak of the
tensors during a call, above the peak of the unpatched model.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from collage_core.storage.atomic_write import write_whole
from launcher.arguments import at_least

from ..pack import ROOT, host_nodes, load_pack
from ..random_lora import random_lora
from .attention.command import machine, measure_calls
from .attention.full_size import KINDS, build, let_go, millions
from .attention.one_call import Row, call
from .attention.scene import Scene, soft_masks
from .attention.tables import calls_table

ALIKE = 1e-3  # of the largest value, between one layer of everything and Load LoRA


def main(arguments: Sequence[str]) -> None:
    options = _options(arguments)
    results: dict[str, Any] = {"machine": machine(), "rounds": options.rounds, "models": []}
    print("\n".join(f"{name}: {value}" for name, value in results["machine"].items()))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with torch.inference_mode():
        for name in options.models.split(","):
            results["models"].append(_measured(name, options))
            write_whole(options.output, json.dumps(results, indent=1), replace=True)
            let_go()
    print(f"\nEvery number: {options.output}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench lora", description=__doc__)
    parser.add_argument("--models", default="sd15", metavar="sd15,sdxl")
    parser.add_argument("--layers", type=_numbers, default=[1, 3, 5], metavar="1,3,5")
    parser.add_argument("--ranks", type=_numbers, default=[16, 64], metavar="16,64")
    parser.add_argument("--rounds", type=at_least(1), default=5)
    parser.add_argument("--size", type=at_least(64), help="side of the picture, a multiple of 64")
    parser.add_argument("--tiny", action="store_true", help="narrow models, to try this out")
    file = ROOT / "output" / "bench" / "lora.json"
    parser.add_argument("--output", type=Path, default=file, metavar="FILE")
    return parser.parse_args(arguments)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _measured(name: str, options: argparse.Namespace) -> dict:
    """Measure one model, print its table and return every number."""
    kind = KINDS[name]
    size = options.size or (kind.size if torch.cuda.is_available() else kind.quick_size)
    bench = LoraScene(build(kind, tiny=options.tiny), size // 8)
    bench.check_whole()
    rows = [bench.unpatched()]
    for rank in options.ranks:
        rows += [bench.layers(number, rank) for number in options.layers]
    rows += [bench.hooks(number, options.ranks[0]) for number in options.layers]
    calls = measure_calls(rows, bench.cells, options.rounds)
    title = (
        f"{kind.name}{' narrowed' if options.tiny else ''}, {millions(bench.model):.0f} M "
        f"parameters, {bench.model.model.get_dtype_inference()}, {size} x {size}, "
        f"{options.rounds} rounds"
    )
    print(f"\n{title}\n{calls_table(calls)}", flush=True)
    return {"model": title, "size": size, "calls": calls}


class LoraScene(Scene):
    """The scene of `bench attention`, with LoRAs of random weights."""

    def layers(self, number: int, rank: int, *, whole: bool = False) -> Row:
        """So many layers with a LoRA each; whole: one that covers the picture."""
        host, core = self.host, load_pack().collage_core.attention
        masks = torch.ones(1, 1, 8 * self.cells, 8 * self.cells)
        bias = self.bias(number, 0.0, 0.0)
        masks = masks if whole else bias.masks
        model = host.attention.patch.patch_model(self.model)
        positive = host.attention.conditioning.with_bias(self.positive, bias)
        asked = host.attention.conditioning.bias_of(positive[0][1])
        weights = core.lora_weights.LoraWeights(masks, torch.eye(number))
        host.loras.patch.add_loras(model, asked, weights, lambda: self._stacks(number, rank))
        return Row(f"this pack, rank {rank}", number, model, positive, self.negative)

    def _stacks(self, number: int, rank: int) -> dict[str, Any]:
        own, network = self.host.loras, self.model.model.diffusion_model
        dtype, terms = self.model.model.get_dtype_inference(), {}
        for seed in range(number):
            found = own.adapters.model_terms(self.model, self.tensors(rank, seed), "")
            for name, some in found.items():
                terms.setdefault(name, []).extend((seed, term) for term in some)
        return {
            name: own.stacks.Stack(network.get_submodule(name), some, dtype)
            for name, some in terms.items()
        }

    def hooks(self, number: int, rank: int) -> Row:
        """ComfyUI's own way: a prompt, a mask and a LoRA hook for each region."""
        import comfy.hooks

        set_mask, positive, model = host_nodes().ConditioningSetMask().append, [], self.model
        for seed, mask in enumerate(soft_masks(number, self.cells)[0]):
            group = comfy.hooks.create_hook_lora(self.tensors(rank, seed), 1.0, 0.0)
            hooked = comfy.hooks.set_hooks_for_conditioning(self._prompt(), group)
            positive += set_mask(hooked, mask[None], "default", 1.0)[0]
        return Row(f"ComfyUI's LoRA hooks, rank {rank}", number, model, positive, self.negative)

    def tensors(self, rank: int, seed: int) -> dict[str, torch.Tensor]:
        """A LoRA of random weights for all linear layers of attention."""
        return random_lora(self.model.model, rank, seed, 0.1)

    def check_whole(self) -> None:
        """Assert that one layer of everything is Load LoRA, and is not the unpatched model."""
        import comfy.lora

        loaded = self.model.clone()
        keys = comfy.lora.model_lora_keys_unet(loaded.model, {})
        patches = comfy.lora.load_lora(self.tensors(16, 0), keys)
        loaded.add_patches(patches, 1.0)
        wanted = call(self.unpatched()._replace(model=loaded), 16)
        found = call(self.layers(1, 16, whole=True), 16)
        plain = call(self.unpatched(), 16)
        exact = self.model.model.get_dtype_inference() == torch.float32
        tolerance = (ALIKE if exact else 30 * ALIKE) * float(wanted.abs().max())
        assert float((found - wanted).abs().max()) < tolerance
        assert float((plain - wanted).abs().max()) > 2 * tolerance
