"""A whole training: found again, taken up again or begun, shown while it runs, and kept.

Host symbols:
    comfy.model_management: throw_exception_if_processing_interrupted(), soft_empty_cache()
    comfy.utils.ProgressBar(total): update_absolute(value, total, preview)
    comfy.sd.CLIP: patcher, layer_idx
    comfy.sd.VAE: patcher
    server.PromptServer: instance, send_progress_text(text, node_id)
    comfy_execution.utils: get_executing_context()
    comfy_execution.utils.ExecutionContext: node_id
"""

from __future__ import annotations

import dataclasses
import logging
import sys
import time
from dataclasses import dataclass

import comfy.model_management
import comfy.utils
import torch
from comfy_execution.utils import get_executing_context
from PIL import Image

from ....collage_core.errors import quoted
from ....collage_core.inversion.curve import loss_curve
from ....collage_core.inversion.pace import FIRST
from ....collage_core.inversion.prompts import plain_phrase, scene
from ....collage_core.inversion.settings import ALGORITHM, NODE
from ..files.embedding_files import texts_hash
from ..models.embeddings_in_memory import Vectors
from . import store as embedding_store
from .task import Task, fingerprint
from .trainable_copy import same_random_states
from .trainer import Trainer

log = logging.getLogger(__name__)

# what a file of ours ends in that lacks a part or has another in its place
OF_ANOTHER_FORM = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
SAVE_STEPS, SAVE_SECONDS = 10, 5.0
MOST_POINTS = 24  # of the curve that a file keeps


@dataclass(frozen=True)
class Learned:
    name: str
    vectors: Vectors
    curve: torch.Tensor
    report: str


@same_random_states()
def learn(task: Task) -> Learned:
    """The words for a layer. Raises CollageError, and the host's interrupt within one step."""
    key = training_key(task)
    with embedding_store.job(key, plain_phrase(task.layer.text), _say) as job:
        if job.found is not None:
            return _found(job)
        trainer = _taken_up(task, job)
        begun = trainer.steps
        _train(trainer, job)
        outcome, progress, vectors = trainer.report(), trainer.progress, trainer.vectors()
        assert progress is not None
        del trainer
        comfy.model_management.soft_empty_cache()
        text = outcome.text() + (f"\ntaken up again at step {begun}" if begun else "")
        points = progress.evaluations[:: -(-len(progress.evaluations) // MOST_POINTS)]
        metadata = {
            "collage.algorithm": ALGORITHM,
            "collage.steps": str(outcome.steps),
            "collage.best_step": str(outcome.best_step),
            "collage.eval_gain": f"{outcome.gain:.4f}",
            "collage.init": task.settings.start,
            "collage.report": outcome.text()[:400],
            "collage.without": f"{outcome.loss_without:.4g}",
            "collage.curve": " ".join(f"{step}:{loss:.4g}" for step, loss in points),
        }
        name = job.publish(vectors, metadata)
        curve = loss_curve(progress.losses, progress.evaluations, outcome.loss_without)
        return Learned(name, vectors, curve, "\n".join([text, *job.notes]))


def training_key(task: Task) -> str:
    """The hash of everything that determines the result. Raises CollageError for bad inputs."""
    layer, collage = task.layer, task.collage
    views = task.views
    prompt = scene(layer, collage) if collage is not None else None
    others = [other.embedding for other in collage.shown] if collage is not None else []
    networks = (task.model, task.clip.patcher, task.vae.patcher)
    files = texts_hash(layer.text, collage.prompt if collage is not None else "")
    return embedding_store.content_key(
        algorithm=ALGORITHM,
        pictures=views.pictures,
        masks=views.masks,
        text=layer.text,
        noise=layer.noise,
        prompt=None if prompt is None else dataclasses.astuple(prompt),
        words=[(word.name, word.vectors) for word in others if word is not None],
        networks=[fingerprint(patcher) for patcher in networks],
        clip_layer=task.clip.layer_idx,
        settings=dataclasses.asdict(task.settings),
        seed=task.seed,
        **({"files": files} if files else {}),  # most texts name none: their keys stay as they were
    )


def _found(job) -> Learned:
    written, report = job.metadata, [f"learned before: {job.name}"]
    try:
        pairs = [point.split(":") for point in written.get("collage.curve", "").split()]
        points = [(int(step), float(loss)) for step, loss in pairs] or [(0, 1.0)]
        curve = loss_curve([], points, float(written.get("collage.without", points[0][1])))
    except OF_ANOTHER_FORM:
        curve = loss_curve([], [(0, 1.0)], 1.0)
        report.append(
            "warning: the curve in its file is of another form and is not shown; the words are "
            "whole. Delete the file to learn them again."
        )
    report.append(written.get("collage.report", ""))
    return Learned(job.name, job.found, curve, "\n".join([*report, *job.notes]))


def _taken_up(task: Task, job) -> Trainer:
    """A Trainer that goes on where an earlier run was cut off, if one was."""
    trainer = Trainer(task)
    if job.saved_state is None:
        return trainer
    try:
        trainer.load_state_dict(job.saved_state)
    except torch.OutOfMemoryError:
        raise
    except OF_ANOTHER_FORM:
        job.put_aside("is of another version of this pack")
        return Trainer(task)
    return trainer


def _train(trainer: Trainer, job) -> None:
    total = trainer.settings.steps
    bar, saved = comfy.utils.ProgressBar(total), time.monotonic()
    try:
        while not trainer.done:
            comfy.model_management.throw_exception_if_processing_interrupted()
            loss = trainer.step()
            bar.update_absolute(trainer.steps, total, _jpeg(trainer.preview()))
            seen = f"loss {loss:.4f}, gain {trainer.gain:.1%}{trainer.time_left}"
            _say(f"step {trainer.steps} of {total}, {seen}")
            if trainer.pace.steps == FIRST and trainer.slowness:
                log.warning("%s, layer %s: %s", NODE, quoted(trainer.layer.text), trainer.slowness)
            if trainer.steps % SAVE_STEPS == 0 or time.monotonic() - saved > SAVE_SECONDS:
                job.save_state(trainer.state_dict())
                saved = time.monotonic()
    finally:
        if trainer.steps:
            job.save_state(trainer.state_dict())


def _jpeg(image: torch.Tensor | None) -> tuple[str, Image.Image, int] | None:
    if image is None:
        return None
    pixels = (image[0] * 255).round().to(torch.uint8)
    return "JPEG", Image.fromarray(pixels.numpy()), max(pixels.shape[:2])


def _say(text: str) -> None:
    """Show a line on the node, where there is a server and a page."""
    server = getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)
    context = get_executing_context()
    if server is not None and context is not None:
        server.send_progress_text(text, context.node_id)
