"""A look learned from one layer by one method, as vectors or as a LoRA, and what it achieves."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
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
from .lora_learning import LoraTrainer, listed
from .painter import Painter, Sampling

WORD = "learned-look"

# a concept and a prompt -> model and positive conditioning
Condition = Callable[[Concept, str], tuple[Any, list]]


@dataclass(frozen=True)
class Method:
    """A preset with changes; without a preset nothing is learned.

    lora: the strength in its layer of a LoRA that is learned instead of vectors; 0 learns vectors.
    in_place: the other scenes are painted with the layer's place, words and LoRA on a patched
    model, not from words alone.

        Method("4 vectors", "default", (("vectors", (4, 4)),))
    """

    name: str
    preset: str = ""
    changes: tuple[tuple[str, Any], ...] = ()
    collage: bool = True  # learned in the collage's surroundings and prompt
    lora: float = 0.0
    in_place: bool = False


class Learning:
    """The demo model and the judge; runs one method after the other."""

    def __init__(self, sampling: Sampling) -> None:
        pack = load_pack()
        self.host = f"{pack.__name__}.nodes.host"
        self.core = pack.collage_core
        self.painter, self.judge = Painter(sampling), judge.load_judge()

    def run(self, concept: Concept, method: Method, seed: int) -> tuple[dict, torch.Tensor]:
        """The figures of one run, and its picture [256, 256, 3]."""
        found = {"method": method.name, "look": concept.seed, "seed": seed}
        found["unusual"] = concept.unusual
        if method.preset:
            learn = self.learn_lora if method.lora else self.learn
            learned, figures = learn(concept, method, seed)
            found |= figures
            known = {"loras": (learned,)} if method.lora else {"embedding": learned}
            concept = concept.with_layer(dataclasses.replace(concept.layer, **known))
        picture = self._paint(concept, seed)
        own = concept.collage.composite
        seen = appearance(self.judge, own.image[0], picture, own.visible_alpha[0, concept.index])
        found |= {**dataclasses.asdict(seen), "fidelity": seen.fidelity}
        condition = self._in_place if method.in_place else self._from_words
        found["obeyed"], found["named"] = self._obeyed(concept, condition, seed)
        return found, picture

    def learn(self, concept: Concept, method: Method, seed: int) -> tuple[Any, dict]:
        """An Embedding and the figures of its training, as LayerTextualInversion learns it."""
        started = time.process_time()
        task = self._task(concept, method, seed)
        trainer = import_module(f"{self.host}.inversion.trainer").Trainer(task)
        while not trainer.done:
            trainer.step()
        taken = time.process_time() - started
        outcome, vectors = trainer.report(), trainer.vectors()
        return self.core.collage.layer.Embedding(name=WORD, vectors=vectors), {
            "steps": outcome.steps,
            "best_step": outcome.best_step,
            "passes": sum(outcome.passes),
            "seconds": round(outcome.seconds, 2),
            "cpu_seconds": round(taken, 2),
            "gain": outcome.gain,
            "angle": outcome.angle,
            "bad_steps": sum(loss != loss for loss in trainer.progress.losses),
            "vector": [value.flatten().tolist() for value in vectors.values()],
        }

    def learn_lora(self, concept: Concept, method: Method, seed: int) -> tuple[Any, dict]:
        """A LayerLora and the figures of its training, with the views and steps of `learn`."""
        started = time.process_time()
        trainer = LoraTrainer(self._task(concept, method, seed))
        while not trainer.done:
            trainer.step()
        taken, progress = time.process_time() - started, trainer.progress
        name = listed(f"{WORD}-{concept.seed}-{seed}", trainer.file())
        lora = self.core.collage.layer.LayerLora(
            name=name, strength_model=method.lora, strength_clip=0.0
        )
        return lora, {
            "steps": progress.step,
            "best_step": min(progress.evaluations, key=lambda one: one[1])[0],
            "passes": trainer.passes,
            "cpu_seconds": round(taken, 2),
            "gain": progress.gain,
        }

    def _task(self, concept: Concept, method: Method, seed: int) -> Any:
        presets = import_module(f"{self.core.__name__}.inversion.settings").PRESETS
        return import_module(f"{self.host}.inversion.task").Task(
            model=self.painter.model,
            clip=self.painter.clip,
            vae=self.painter.vae,
            layer=concept.layer,
            collage=concept.collage if method.collage else None,
            settings=dataclasses.replace(presets[method.preset], **dict(method.changes)),
            seed=seed,
        )

    def _paint(self, concept: Concept, seed: int) -> torch.Tensor:
        case = Case(concept.seed, concept.collage, ())
        return self.painter.paint(case, self.painter.patched(case), seed)

    def _obeyed(self, concept: Concept, condition: Condition, seed: int) -> tuple[int, int]:
        """Number of things found in the changed scenes, and number of things named."""
        painter, noun, scenes = self.painter, concept.noun, changed_scenes(concept.noun)
        pictures = paint_scenes(
            [condition(concept, scene.prompt) for scene in scenes],
            painter.negative,
            painter.vae,
            seed,
            painter.sampling,
        )
        seen = judge.recognise(self.judge, pictures)
        found = [
            yes for s, scene in zip(seen, scenes, strict=True) for yes in obeyed(s, scene, noun)
        ]
        return sum(found), len(found)

    def _from_words(self, concept: Concept, prompt: str) -> tuple[Any, list]:
        """The model as it is, and the prompt with the object's words."""
        learned, memory = concept.layer.embedding, f"{self.host}.models.embeddings_in_memory"
        words = f"embedding:{WORD} {concept.noun}" if learned else concept.noun
        clip = import_module(memory).with_embeddings_in_memory(self.painter.clip, [learned])
        tokens = clip.tokenize(prompt.format(words))
        return self.painter.model, clip.encode_from_tokens_scheduled(tokens)

    def _in_place(self, concept: Concept, prompt: str) -> tuple[Any, list]:
        """A collage of the layer alone, on a model that knows where the layer is."""
        alone = dataclasses.replace(
            concept.collage, prompt=prompt.format(concept.noun), layers=(concept.layer,)
        )
        return self.painter.patched(Case(concept.seed, alone, ()))
