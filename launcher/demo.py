"""The `demo` command: one workflow through the HTTP interface, and its pictures on disk."""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

from collage_core.storage.atomic_write import write_whole
from launcher.base_folder import fresh_base
from launcher.client import Client, HostError
from launcher.failure import LauncherError
from launcher.host import Host
from launcher.paths import REPO, new_log
from launcher.process import Progress, run_logged, say
from launcher.server import Server, start_server
from launcher.to_api import to_api_form
from launcher.workflow_file import FormError, is_api_form, read_workflow

Json = dict[str, Any]

EXAMPLE = REPO / "workflows" / "api" / "bento_box.json"
ENDS = ("composite", "result")  # the pictures that stand left and right
DEMO_MODEL, CHECKPOINT_LOADER = "CollageDemoModel", "CheckpointLoaderSimple"
SAVER = "SaveImage"
# as the examples paint with the demo model, and as the paper paints with a checkpoint
DEMO_SAMPLER, DEMO_CFG = "lcm", 2.0
CHECKPOINT_SAMPLING = {
    "steps": 50,
    "cfg": 7.5,
    "sampler_name": "euler_ancestral",
    "scheduler": "normal",
}


def run_demo(host: Host, options: argparse.Namespace) -> int:
    """Run the example, or another workflow; return 0 when its pictures are written."""
    started = time.monotonic()
    source: Path = options.workflow or EXAMPLE
    workflow = read_workflow(source)
    folder: Path = options.output.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with fresh_base() as base, start_server(host, base, name="demo") as server:
        try:
            paths = make_pictures(host, server, workflow, folder / source.stem, options.checkpoint)
        except FormError as error:
            raise LauncherError(f"The workflow {source} cannot be run: {error}") from error
    for path in paths:
        say(f"  {path}")
    say(f"Done in {time.monotonic() - started:.0f} s.")
    return 0


def make_pictures(
    host: Host,
    server: Server,
    workflow: Json,
    target: Path,
    checkpoint: str | None = None,
    *,
    replace: bool = False,
) -> list[Path]:
    """Run a workflow and return its picture files, named after `target`, and a sheet of the rows.

    Without `replace`, no file is overwritten.
    """
    pictures = _run_workflow(server, workflow, checkpoint)
    written, name = write_pictures(pictures, target.parent, target.name, replace=replace)
    rows = in_rows(written)
    if not rows:
        return written
    sheet = {"side_by_side.png": _join(host, rows)}
    return written + write_pictures(sheet, target.parent, name, replace=replace)[0]


def _run_workflow(server: Server, workflow: Json, checkpoint: str | None) -> dict[str, bytes]:
    """Return every saved picture by file name."""
    client = server.client
    try:
        info = client.object_info()
        prompt = workflow if is_api_form(workflow) else to_api_form(workflow, info)
        if checkpoint:
            prompt = with_checkpoint(prompt, checkpoint, info)
            _tell_of_small_canvases(prompt)
        outputs = client.wait(client.queue(prompt), while_waiting=Progress("running").tick)
        require_all_saved(prompt, outputs)
        return fetch_saved(client, outputs)
    except HostError as error:
        server.check_alive()
        raise LauncherError(str(error), server.log) from error


def require_all_saved(prompt: Json, outputs: Json) -> None:
    """Raise HostError unless every SaveImage node of the workflow has saved something."""
    savers = [node_id for node_id, node in prompt.items() if node["class_type"] == SAVER]
    idle = [node_id for node_id in savers if not outputs.get(node_id, {}).get("images")]
    if idle:
        nodes = ", ".join(f"{SAVER} (node {node_id})" for node_id in idle)
        raise HostError(f"The workflow ran, but {nodes} saved no picture: nothing arrived there.")


def fetch_saved(client: Client, outputs: Json) -> dict[str, bytes]:
    images = [image for output in outputs.values() for image in output.get("images", [])]
    saved = {_name(image): client.fetch(image) for image in images if image["type"] == "output"}
    if not saved:
        raise LauncherError(f"The workflow ran but saved no picture; it needs a {SAVER} node.")
    return saved


def _name(image: Json) -> str:
    """A saved picture's name with its subfolder, as names repeat between subfolders."""
    folder = image["subfolder"].replace("\\", "_").replace("/", "_")
    return f"{folder}_{image['filename']}" if folder else image["filename"]


def with_checkpoint(prompt: Json, name: str, object_info: Json) -> Json:
    """Replace the demo model of a workflow by a checkpoint, which has the same outputs.

    Samplers that are set as suits the demo model are set as in the paper.
    """
    spec = object_info[CHECKPOINT_LOADER]["input"]["required"]["ckpt_name"]
    known = spec[0] if isinstance(spec[0], list) else spec[1]["options"]
    if name not in known:
        raise LauncherError(
            f"This ComfyUI has no checkpoint {name}; it has {', '.join(known) or 'none'}. "
            "With --comfyui DIR the checkpoints of that ComfyUI are used."
        )
    if not any(node["class_type"] == DEMO_MODEL for node in prompt.values()):
        raise LauncherError(
            f"The workflow has no {DEMO_MODEL} that {name} could take the place of."
        )
    loader = {"class_type": CHECKPOINT_LOADER, "inputs": {"ckpt_name": name}}
    return {
        node_id: loader if node["class_type"] == DEMO_MODEL else _for_checkpoint(node)
        for node_id, node in prompt.items()
    }


def _for_checkpoint(node: Json) -> Json:
    inputs = node["inputs"]
    if not CHECKPOINT_SAMPLING.keys() <= inputs.keys():
        return node
    if inputs["sampler_name"] != DEMO_SAMPLER and inputs["cfg"] != DEMO_CFG:
        return node
    return {**node, "inputs": {**inputs, **CHECKPOINT_SAMPLING}}


def _tell_of_small_canvases(prompt: Json) -> None:
    """A checkpoint paints a canvas of the demo model's size badly, and nothing else says so."""
    for node_id, node in prompt.items():
        sides = [node["inputs"].get(side) for side in ("width", "height")]
        if node["class_type"] == "CollageStack" and sides == [256, 256]:
            say(
                f"  The canvas of node {node_id} has 256 x 256 pixels, which is the demo model's "
                "size; most checkpoints want 512 or 1024, and layers twice or four times as large."
            )


def write_pictures(
    pictures: dict[str, bytes], folder: Path, name: str, *, replace: bool = False
) -> tuple[list[Path], str]:
    """Write the pictures as <name>_<file name>, each complete or not at all; return paths and name.

    Without `replace`, existing pictures stay, and the name gets a number.
    """
    for number in itertools.count(1):
        numbered = name if number == 1 else f"{name}_{number}"
        targets = {_target(folder, numbered, file): data for file, data in pictures.items()}
        new = {file: data for file, data in targets.items() if _differs(file, data)}
        if not replace and any(file.exists() for file in new):
            continue
        try:
            for file, data in new.items():
                write_whole(file, data, replace=replace)
        except FileExistsError:  # another run.py took the name just now
            continue
        return list(targets), numbered
    raise AssertionError("numbers have no end")


def _target(folder: Path, name: str, file_name: str) -> Path:
    own_name = Path(file_name).name  # never a path, whatever the server says
    return folder / (own_name if own_name.startswith(name) else f"{name}_{own_name}")


def _differs(file: Path, data: bytes) -> bool:
    return not file.is_file() or file.read_bytes() != data


def _join(host: Host, rows: list[list[Path]]) -> bytes:
    """One picture of all rows."""
    paths = [str(path) for row in rows for path in row]
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.png"
        command = host.module("demo.sheets", str(len(rows[0])), *paths, str(sheet))
        log = new_log("side-by-side")
        run_logged(command, "joining the pictures", log, env=host.environ())
        return sheet.read_bytes()


def in_rows(written: list[Path]) -> list[list[Path]]:
    """A row for each composite, its result and pictures between; [] if one is missing."""
    firsts, lasts = (sorted(path for path in written if kind in path.name) for kind in ENDS)
    if len(firsts) != len(lasts):
        return []
    rows = []
    for first, last in zip(firsts, lasts, strict=True):
        start = first.name.split(ENDS[0])[0]  # has a number where there are several
        between = [p for p in written if p.name.startswith(start) and p not in (first, last)]
        rows.append([first, *sorted(between), last])
    return rows
