"""What textual inversion of a layer gains and costs, method by method, on the demo model.

In collages of unseen scenes, the text of one object leaves its appearance open. Every method learns
each object with each seed; then the whole pipeline paints the collage at noise 0.8 with the same
seed. Rows: no embedding, the paper's method, the presets; with --ablations the default preset with
one change; with --loras plain words, the default preset's vectors, and a LoRA of the layer that is
learned with as many steps. Every finished run is a line of runs.jsonl, so that the command resumes
when it is started again with the same way of painting.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import multiprocessing
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch

from collage_core.attention.bias import DEFAULT_SCHEDULE, SCHEDULES
from collage_core.storage.atomic_write import write_whole
from launcher.arguments import at_least

from ... import sheets
from ...evaluate.concepts import REPORT_SEED, TUNING_SEED, Concept, concepts
from ...evaluate.learning import Learning, Method
from ...evaluate.painter import Sampling
from ...pack import ROOT, load_pack
from .tables import ablation_table, lora_table, preset_table

NOISE = 0.8
PRESETS = (
    Method("none"),
    *(Method(name, name) for name in ("paper", "preview", "default", "best")),
)
ABLATIONS = (
    Method("default", "default"),
    Method("free norm, AdamW 4e-4", "default", (("fixed_norm", False), ("rates", (4e-4, 4e-4)))),
    Method('start "a"', "default", (("start", "a"),)),
    *(Method(f"{n} vectors", "default", (("vectors", (n, n)),)) for n in (1, 4, 8)),
    Method("constant 0.01 rad", "default", (("rates", (0.01, 0.01)),)),
    Method("all noise levels", "default", (("used_sigmas", False),)),
    Method("plain loss", "default", (("loss", "plain"),)),
    Method("no noun dropout", "default", (("noun_dropout", 0.0),)),
    Method("without the collage", "default", collage=False),
)
# The best of RATES and STRENGTHS on one object of --tuning, the second
RATE, STRENGTH = 3e-3, 2.0
RATES, STRENGTHS = (1e-3, 3e-3, 1e-2), (1.0, 2.0)


def lora(name: str, rate: float, strength: float) -> Method:
    """Learned with as many steps and views as the vectors; the rate falls to a fifth as theirs."""
    changes = (("rates", (rate, rate / 5)),)
    return Method(name, "default", changes, lora=strength, in_place=True)


WORDS = (Method("words", in_place=True), Method("vectors", "default", in_place=True))
LORAS = (*WORDS, lora("LoRA", RATE, STRENGTH))
LORAS_TO_CHOOSE = tuple(
    lora(f"rate {rate:g}, strength {strength:g}", rate, strength)
    for rate in RATES
    for strength in STRENGTHS
)
# a folder of --output, and its table
TABLES = {"presets": preset_table, "ablations": ablation_table, "loras": lora_table}


def batches(steps: int, batch: int) -> list[Method]:
    """Other batch sizes with the same number of pictures in all."""
    return [
        Method(f"batch {n}", "default", (("batch", n), ("steps", steps * batch // n)))
        for n in (1, 2, 8)
    ]


def main(arguments: Sequence[str]) -> None:
    options = _options(arguments)
    chosen = _methods(options)
    first = TUNING_SEED if options.tuning else REPORT_SEED
    jobs = [
        (number, method, seed)
        for seed in range(1, options.seeds + 1)
        for number in range(options.objects)
        for method in chosen
    ]
    folder = options.output / options.rows
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "runs.jsonl"
    _work(jobs, log, first, options)
    asked = {(number, method.name, seed) for number, method, seed in jobs}
    runs = [run for key, run in _runs(log, _sampling(options)).items() if key in asked]
    names = [method.name for method in chosen]
    text = TABLES[options.rows](runs, names)
    write_whole(folder / "table.md", text + "\n", replace=True)
    print(text)
    _sheet(folder, concepts(first, options.objects, NOISE), names)
    print(f"\nEvery run: {log}\nPictures: {folder / 'sheet.png'}")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench inversion", description=__doc__)
    parser.add_argument("--objects", "--looks", type=at_least(1), default=12, help="how many")
    parser.add_argument("--seeds", type=at_least(1), default=3, help="of training and painting")
    parser.add_argument("--methods", type=lambda text: text.split(","), help="only these")
    rows = parser.add_mutually_exclusive_group()
    rows.add_argument(
        "--ablations",
        dest="rows",
        action="store_const",
        const="ablations",
        help="one thing changed at a time",
    )
    rows.add_argument(
        "--loras", dest="rows", action="store_const", const="loras", help="vectors beside a LoRA"
    )
    parser.set_defaults(rows="presets")
    parser.add_argument("--tuning", action="store_true", help="other objects, to choose by")
    parser.add_argument("--quick", action="store_true", help="two steps, to try this out")
    parser.add_argument("--steps", type=at_least(1), default=12, help="of painting")
    parser.add_argument("--cfg", type=float, default=4.0)
    parser.add_argument("--schedule", choices=SCHEDULES, default=DEFAULT_SCHEDULE)
    parser.add_argument("--workers", type=at_least(1), default=os.cpu_count(), help="a core each")
    parser.add_argument("--output", type=Path, default=ROOT / "output" / "bench" / "inversion")
    return parser.parse_args(arguments)


def _methods(options: argparse.Namespace) -> list[Method]:
    everything: tuple[Method, ...] = PRESETS
    if options.rows == "loras":
        everything = (*WORDS, *LORAS_TO_CHOOSE) if options.tuning else LORAS
    if options.rows == "ablations":
        settings = importlib.import_module(
            f"{load_pack().__name__}.collage_core.inversion.settings"
        )
        default = settings.PRESETS["default"]
        everything = (*ABLATIONS, *batches(default.steps, default.batch))
    chosen = [m for m in everything if not options.methods or m.name in options.methods]
    if not options.quick:
        return chosen
    return [dataclasses.replace(m, changes=(*m.changes, ("steps", 2))) for m in chosen]


def _sampling(options: argparse.Namespace) -> Sampling:
    steps = 2 if options.quick else options.steps
    return Sampling(steps, options.cfg, schedule=options.schedule)


def _runs(log: Path, sampling: Sampling) -> dict[tuple[int, str, int], dict]:
    """The finished runs painted in this way, by number, method and seed."""
    if not log.exists():
        return {}
    how = dataclasses.asdict(sampling)
    lines = map(json.loads, log.read_text().splitlines())
    same = (line for line in lines if line.get("sampling") == how)
    return {(line["number"], line["method"], line["seed"]): line for line in same}


def _work(jobs: list[tuple[int, Method, int]], log: Path, first: int, options) -> None:
    """Run the jobs that the log lacks, one in each worker."""
    sampling = _sampling(options)
    done = _runs(log, sampling)
    left = [job for job in jobs if (job[0], job[1].name, job[2]) not in done]
    with log.open("a") as file:
        for count, found in enumerate(_results(left, log.parent, first, options), 1):
            print(json.dumps(found), file=file, flush=True)
            brief = f"object {found['number']}, seed {found['seed']}, {found['method']}"
            print(f"{count} of {len(left)}: {brief}: {found['fidelity']:.3f}", flush=True)


def _results(
    jobs: list[tuple[int, Method, int]], folder: Path, first: int, options
) -> Iterator[dict]:
    """What each job found, as soon as it is known; one worker is this process."""
    given = (first, options.objects, _sampling(options))
    if options.workers == 1:
        if jobs:
            _set_up(*given)
        yield from (_one(*job, folder) for job in jobs)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, context, _begin, given) as pool:
        futures = [pool.submit(_one, *job, folder) for job in jobs]
        yield from (future.result() for future in as_completed(futures))


_concepts: list[Concept] = []
_learning: list[Learning] = []


def _begin(first: int, count: int, sampling: Sampling) -> None:
    """Set up a worker that is a process of its own."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _set_up(first, count, sampling)


def _set_up(first: int, count: int, sampling: Sampling) -> None:
    """Set up what a worker keeps from job to job."""
    torch.set_num_threads(1)
    with torch.inference_mode():
        _concepts[:] = concepts(first, count, NOISE)
        _learning[:] = [Learning(sampling)]


def _end_with_parent() -> None:
    """End this worker when the command ends, also when the command is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    parent.join()
    os._exit(1)


def _one(number: int, method: Method, seed: int, folder: Path) -> dict:
    with torch.inference_mode():
        found, picture = _learning[0].run(_concepts[number], method, seed)
        if seed == 1:
            sheets.save_sheet(picture[None], folder / "pictures" / f"{number} {method.name}.png", 1)
    how = dataclasses.asdict(_learning[0].painter.sampling)
    return {"number": number, "sampling": how, **found}


def _sheet(folder: Path, shown: list[Concept], names: list[str]) -> None:
    """A row for each object: the collage, then every method's picture of seed 1."""
    rows = []
    for number, concept in enumerate(shown):
        painted = [sheets.read(folder / "pictures" / f"{number} {name}.png") for name in names]
        rows.append([sheets.to_picture(concept.collage.composite.image[0]), *painted])
    sheets.save(sheets.in_rows(rows, 0), folder / "sheet.png")
