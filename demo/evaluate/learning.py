"""An embedding learned from one layer by one method, and what it achieves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch

from ..judges import judge
from ..pack import load_pack
from .appearance import appearance
from .changed_scenes import changed_scenes, obeyed, paint_scenes
from .collages import Case
from .concepts import Concept
from .painter import Painter, Sampling

WORD = "learned-look"


@dataclass(frozen=True)
class Method:
    """A preset with changes; without a preset nothing is learned.

    Method("4 vectors", "default", (("vectors", (4, 4)),))
    """

    name: str
    preset: str = ""
    changes: tuple[tuple[str, Any], ...] = ()
    collage: bool = True  # learned in the collage's surroundings and prompt


class Learning:
    """The demo model and the judge; runs one method after the other."""

    def __init__(self, sampling: Sampling) -> None:
        pack = load_pack()
        self.host = f"{pack.__name__}.nodes.host"
        self.core = pack.collage_core
        self.painter, self.judge = Painter(sampling), judge.load_judge()

    def run(self, concept: Concept, method: Method, seed: int) -> tuple[dict, torch.Tensor]:
        """The figures of one run, and its picture [256, 256, 3]."""
        found, learned = {"method": method.name, "look": concept.seed, "seed": seed}, None
        found["unusual"] = concept.unusual
        if method.preset:
            learned, figures = self.learn(concept, method, seed)
            found |= figures
            concept = concept.with_layer(dataclasses.replace(concept.layer, embedding=learned))
        picture = self._paint(concept, seed)
        own = concept.collage.composite
        seen = appearance(self.judge, own.image[0], picture, own.visible_alpha[0, concept.index])
        found |= {**dataclasses.asdict(seen), "fidelity": seen.fidelity}
        found["obeyed"], found["named"] = self._obeyed(concept.noun, learned, seed)
        return found, picture

    def learn(self, concept: Concept, method: Method, seed: int) -> tuple[Any, dict]:
        """An Embedding and the figures of its training, as LayerTextualInversion learns it."""
        presets = import_module(f"{self.core.__name__}.inversion.settings").PRESETS
        inputs = import_module(f"{self.host}.inversion.task")
        trainer = import_module(f"{self.host}.inversion.trainer").Trainer(
            inputs.Task(
                model=self.painter.model,
                clip=self.painter.clip,
                vae=self.painter.vae,
                layer=concept.layer,
                collage=concept.collage if method.collage else None,
                settings=dataclasses.replace(presets[method.preset], **dict(method.changes)),
                seed=seed,
            )
        )
        while not trainer.done:
            trainer.step()
        outcome, vectors = trainer.report(), trainer.vectors()
        return self.core.collage.layer.Embedding(name=WORD, vectors=vectors), {
            "steps": outcome.steps,
            "best_step": outcome.best_step,
            "passes": sum(outcome.passes),
            "seconds": round(outcome.seconds, 2),
            "gain": outcome.gain,
            "angle": outcome.angle,
            "bad_steps": sum(loss != loss for loss in trainer.progress.losses),
            "vector": [value.flatten().tolist() for value in vectors.values()],
        }

    def _paint(self, concept: Concept, seed: int) -> torch.Tensor:
        case = Case(concept.seed, concept.collage, ())
        return self.painter.paint(case, self.painter.patched(case), seed)

    def _obeyed(self, noun: str, learned: Any, seed: int) -> tuple[int, int]:
        """Number of things found in the changed scenes, and number of things named."""
        words = f"embedding:{WORD} {noun}" if learned else noun
        memory = import_module(f"{self.host}.models.embeddings_in_memory")
        painter, scenes = self.painter, changed_scenes(noun)
        pictures = paint_scenes(
            painter.model,
            memory.with_embeddings_in_memory(painter.clip, [learned]),
            painter.vae,
            [scene.prompt.format(words) for scene in scenes],
            seed,
            steps=painter.sampling.steps,
            cfg=painter.sampling.cfg,
        )
        seen = judge.recognise(self.judge, pictures)
        found = [
            yes for s, scene in zip(seen, scenes, strict=True) for yes in obeyed(s, scene, noun)
        ]
        return sum(found), len(found)
