"""A whole training: found, resumed or started, shown while it runs, and saved.

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

import comfy.model_management
import comfy.utils
import torch
from comfy_execution.utils import get_executing_context
from PIL import Image

from ....collage_core.collage.layer import Embedding
from ....collage_core.errors import quoted
from ....collage_core.inversion.outcome import Outcome, loss_curve
from ....collage_core.inversion.progress import MEASURED_STEPS, Progress
from ....collage_core.inversion.prompts import plain_phrase, scene
from ....collage_core.inversion.settings import ALGORITHM, NODE
from ....collage_core.storage.content_key import content_key
from ..files.embedding_files import texts_hash
from .store import Job, job
from .task import Task, fingerprint
from .trainable_copy import same_random_states
from .trainer import Trainer

log = logging.getLogger(__name__)

# raised where a file of another version lacks a part or has one of another type
OTHER_FORMAT = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
SAVE_STEPS, SAVE_SECONDS = 10, 5.0  # a state is saved at the first of both
MAX_CURVE_POINTS = 24  # in the metadata of a file

Learned = tuple[Embedding, torch.Tensor, str]  # with the loss curve [1, H, W, 3] and the report


@same_random_states()
def learn(task: Task) -> Learned:
    """The embedding for a layer. Raises CollageError, and ComfyUI's interrupt within one step."""
    with job(training_key(task), plain_phrase(task.layer.text), show_text) as current:
        if current.found is not None:
            return _found(current)
        trainer = _resumed(task, current)
        first_step = trainer.steps
        _train(trainer, current)
        outcome, progress, vectors = trainer.report(), trainer.progress, trainer.vectors()
        assert progress is not None
        del trainer
        comfy.model_management.soft_empty_cache()
        name = current.publish(vectors, _metadata(task, outcome, progress))
        report = outcome.text() + (f"\nresumed at step {first_step}" if first_step else "")
        curve = loss_curve(progress.losses, progress.evaluations, outcome.loss_without)
        return Embedding(name=name, vectors=vectors), curve, "\n".join([report, *current.notes])


def training_key(task: Task) -> str:
    """The hash of everything that determines the result. Raises CollageError for bad inputs."""
    layer, collage = task.layer, task.collage
    views = task.views
    prompt = scene(layer, collage) if collage is not None else None
    others = [other.embedding for other in collage.shown] if collage is not None else []
    networks = (task.model, task.clip.patcher, task.vae.patcher)
    files = texts_hash(layer.text, collage.prompt if collage is not None else "")
    return content_key(
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
        # Most texts name no files, and their keys stay what they were before files counted.
        **({"files": files} if files else {}),
    )


def _metadata(task: Task, outcome: Outcome, progress: Progress) -> dict[str, str]:
    """The strings of the embedding's file, from which `_found` makes report and curve again."""
    points = progress.evaluations[:: -(-len(progress.evaluations) // MAX_CURVE_POINTS)]
    return {
        "collage.algorithm": ALGORITHM,
        "collage.steps": str(outcome.steps),
        "collage.best_step": str(outcome.best_step),
        "collage.eval_gain": f"{outcome.gain:.4f}",
        "collage.init": task.settings.start,
        "collage.report": outcome.text(),
        "collage.without": f"{outcome.loss_without:.4g}",
        "collage.curve": " ".join(f"{step}:{loss:.4g}" for step, loss in points),
    }


def _found(current: Job) -> Learned:
    assert current.found is not None
    strings, report = current.metadata, [f"learned before: {current.name}"]
    try:
        pairs = [point.split(":") for point in strings.get("collage.curve", "").split()]
        points = [(int(step), float(loss)) for step, loss in pairs] or [(0, 1.0)]
        curve = loss_curve([], points, float(strings.get("collage.without", points[0][1])))
    except OTHER_FORMAT:
        curve = loss_curve([], [(0, 1.0)], 1.0)
        report.append(
            "warning: the curve in its file has another format and is not shown; the embedding is "
            "complete. Delete the file to learn it again."
        )
    report.append(strings.get("collage.report", ""))
    learned = Embedding(name=current.name, vectors=current.found)
    return learned, curve, "\n".join([*report, *current.notes])


def _resumed(task: Task, current: Job) -> Trainer:
    """A Trainer that continues the interrupted training, if there is one."""
    trainer = Trainer(task)
    if current.saved_state is None:
        return trainer
    try:
        trainer.load_state_dict(current.saved_state)
    except torch.OutOfMemoryError:
        raise
    except OTHER_FORMAT:
        current.put_aside("is of another version of this pack")
        return Trainer(task)
    return trainer


def _train(trainer: Trainer, current: Job) -> None:
    total = trainer.task.settings.steps
    bar, saved = comfy.utils.ProgressBar(total), time.monotonic()
    try:
        while not trainer.done:
            comfy.model_management.throw_exception_if_processing_interrupted()
            loss = trainer.step()
            bar.update_absolute(trainer.steps, total, _jpeg(trainer.preview()))
            figures = f"loss {loss:.4f}, gain {trainer.gain:.1%}{trainer.time_left}"
            show_text(f"step {trainer.steps} of {total}, {figures}")
            if trainer.pace.steps == MEASURED_STEPS and trainer.slowness:
                name = quoted(trainer.task.layer.text)
                log.warning("%s, layer %s: %s", NODE, name, trainer.slowness)
            if trainer.steps % SAVE_STEPS == 0 or time.monotonic() - saved > SAVE_SECONDS:
                current.save_state(trainer.state_dict())
                saved = time.monotonic()
    finally:
        if trainer.steps:
            current.save_state(trainer.state_dict())


def _jpeg(image: torch.Tensor | None) -> tuple[str, Image.Image, int] | None:
    """A preview as ComfyUI's progress bar takes it."""
    if image is None:
        return None
    pixels = (image[0] * 255).round().to(torch.uint8)
    return "JPEG", Image.fromarray(pixels.numpy()), max(pixels.shape[:2])


def show_text(text: str) -> None:
    """Show a line on the running node, where there is a server with a page."""
    server = getattr(getattr(sys.modules.get("server"), "PromptServer", None), "instance", None)
    context = get_executing_context()
    if server is not None and context is not None:
        server.send_progress_text(text, context.node_id)
