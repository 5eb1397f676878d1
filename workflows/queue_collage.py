"""Queue a collage, follow its progress and fetch the picture over ComfyUI's HTTP interface.

    python3 workflows/queue_collage.py http://127.0.0.1:8188 bento_box.png

Run it with ComfyUI's own Python, which has aiohttp, beside ComfyUI or `python3 run.py serve`.
Copy `queue`, `follow` and `fetch`, and give them a workflow of your own in API form.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
CLIENT = uuid.uuid4().hex  # the server sends progress to this id
SAVED_AS = "collage_result"  # filename_prefix of the picture that is wanted of several
# class -> its input that names a file of the input folder; and the keys of documents that do
FILES = {"LoadImage": "image", "LoadImageMask": "image", "CollageOpenFile": "file"}
PICTURES = ("picture", "background_picture", "from")
ENDS = ("execution_success", "execution_error", "execution_interrupted")
Json = dict[str, Any]


async def queue(http: aiohttp.ClientSession, prompt: Json, folder: Path = HERE / "input") -> str:
    """Upload the files of `folder` that a workflow names, queue it and return its id."""
    for node in prompt.values():
        inputs = node["inputs"]
        if (name := FILES.get(node["class_type"])) in inputs:
            inputs[name] = await sent(http, inputs[name], folder)
        if node["class_type"] == "CollageEditor":
            inputs["document"] = await sent_document(http, inputs.get("document"), folder)
    async with http.post("/prompt", json={"prompt": prompt, "client_id": CLIENT}) as answer:
        said = await answer.json()
    if said.get("node_errors") or "error" in said:
        if "prompt_id" in said:  # the server has queued what it did not refuse
            await cancel(http, [said["prompt_id"]])
        raise RuntimeError(refusal(said))
    return said["prompt_id"]


async def sent(http: aiohttp.ClientSession, name: Any, folder: Path) -> Any:
    """Upload a file of the folder; the name that the server gives it. Other values stay.

    ComfyUI's mask editor writes names such as "clipspace/mug.png [input]".
    """
    path = Path(name.removesuffix(" [input]")) if isinstance(name, str) and name else None
    if path is None or path.is_absolute() or ".." in path.parts or not (folder / path).is_file():
        return name
    form = aiohttp.FormData({"subfolder": path.parent.as_posix().removeprefix(".")})
    form.add_field("image", (folder / path).read_bytes(), filename=path.name)
    async with http.post("/upload/image", data=form, raise_for_status=True) as answer:
        return path.with_name((await answer.json())["name"]).as_posix()


async def sent_document(http: aiohttp.ClientSession, text: Any, folder: Path) -> Any:
    """Upload the pictures of a collage document; the document with the names that they got."""
    try:
        document = json.loads(text)
    except (TypeError, ValueError):
        return text  # it comes over a link, or the server says what is wrong with it
    changed = await sent_pictures(http, document, folder)
    return text if changed == document else json.dumps(changed, ensure_ascii=False)


async def sent_pictures(http: aiohttp.ClientSession, part: Any, folder: Path, key: str = "") -> Any:
    if isinstance(part, dict):
        return {name: await sent_pictures(http, one, folder, name) for name, one in part.items()}
    if isinstance(part, list):
        return [await sent_pictures(http, one, folder) for one in part]
    return await sent(http, part, folder) if key in PICTURES else part


async def cancel(http: aiohttp.ClientSession, jobs: list[str]) -> None:
    """Take workflows off the queue and stop the one of them that runs."""
    await http.post("/queue", json={"delete": jobs})
    for job in jobs:
        await http.post("/interrupt", json={"prompt_id": job})


async def follow(
    http: aiohttp.ClientSession, events: aiohttp.ClientWebSocketResponse, job: str, name: str = ""
) -> list[Json]:
    """Print the steps of a queued workflow, after `name`, until it ends; the images it made."""
    async for message in events:
        said = message.json() if message.type is aiohttp.WSMsgType.TEXT else {}
        kind, data = said.get("type"), said.get("data", {})
        if kind == "progress" and data["prompt_id"] == job:
            print(f"{name}step {data['value']} of {data['max']}", flush=True)
        elif kind == "status":  # something was queued, has ended, or was taken off the queue
            await history(http, job)
        elif kind in ENDS and data["prompt_id"] == job:  # after every step, however late they came
            while (ended := await history(http, job)) is None:
                await asyncio.sleep(0.05)
            return images_of(ended)
    raise RuntimeError("the server has closed the connection.")


async def history(http: aiohttp.ClientSession, job: str) -> Json | None:
    """What the server keeps of a workflow that has ended, None while it waits or runs."""
    async with http.get("/queue") as answer:
        queue = await answer.json()
    async with http.get(f"/history/{job}") as answer:
        ended = (await answer.json()).get(job)
    if ended is None and all(job not in one for jobs in queue.values() for one in jobs):
        raise RuntimeError("it was taken off the queue.")
    return ended


def images_of(ended: Json) -> list[Json]:
    """The images of a workflow that has ended well; RuntimeError with the reason otherwise."""
    kind, said = ended["status"]["messages"][-1]
    if kind != "execution_success":
        raise RuntimeError(said.get("exception_message", "it was interrupted.").strip())
    return [image for made in ended["outputs"].values() for image in made.get("images", [])]


async def fetch(http: aiohttp.ClientSession, images: list[Json]) -> bytes:
    """The bytes of the wanted picture: one called a result, else a saved one; the last by name."""
    if not images:
        raise RuntimeError("the workflow has made no picture.")
    saved = [image for image in images if image["type"] == "output"] or images
    wanted = max(saved, key=lambda one: ("result" in one["filename"], one["filename"]))
    async with http.get("/view", params=wanted, raise_for_status=True) as picture:
        return await picture.read()


def read_workflow(file: Path) -> Json:
    """A workflow in API form; ValueError when the file holds something else."""
    try:
        prompt = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is not JSON ({error}).") from error
    nodes = prompt.values() if isinstance(prompt, dict) and prompt else [None]
    if not all(
        isinstance(node, dict)
        and isinstance(node.get("class_type"), str)
        and isinstance(node.get("inputs"), dict)
        for node in nodes
    ):
        raise ValueError(
            f"{file} is no workflow in API form, in which every node has a class_type and inputs; "
            '"Export (API)" on ComfyUI\'s page makes one.'
        )
    return prompt


def write(picture: Path, data: bytes) -> None:
    """Write a picture, complete or not at all."""
    part = picture.with_name(f"{picture.name}.{CLIENT}.part")
    try:
        part.write_bytes(data)
        part.replace(picture)
    finally:
        part.unlink(missing_ok=True)


def require_folder(file: Path) -> None:
    """Refuse a file that cannot be written, before anything is painted."""
    if file.is_dir() or not os.access(file.parent, os.W_OK):
        raise ValueError(f"{file} cannot be written; give a file in a folder that is there.")


def refusal(said: Json) -> str:
    """Why the server refuses a workflow, in one sentence."""
    problems = [
        # a node of this pack that refuses a value names itself and says what to do
        error["details"]
        if error["type"] == "exception_during_inner_validation"
        else f"{node['class_type']}: {error['message']} ({error['details']})"
        for node in (said["node_errors"] or {}).values()
        for error in node["errors"]
    ]
    return "; ".join(problems) or said["error"]["message"]


async def paint(server: str, prompt: Json, folder: Path = HERE / "input") -> bytes:
    """The picture that a server makes of a workflow and of the files of `folder` that it names."""
    async with (
        aiohttp.ClientSession(server) as http,
        http.ws_connect("/ws", params={"clientId": CLIENT}) as events,
    ):
        job = await queue(http, prompt, folder)
        try:
            return await fetch(http, await follow(http, events, job))
        finally:
            await cancel(http, [job])  # after Ctrl-C; no effect on a finished workflow


def main() -> None:
    parser = argparse.ArgumentParser(description="Paint a collage on a running ComfyUI.")
    parser.add_argument("server", help="such as http://127.0.0.1:8188")
    parser.add_argument("picture", type=Path, help="the file to write")
    parser.add_argument("--workflow", type=Path, default=HERE / "api" / "bento_box.json")
    parser.add_argument("--input", type=Path, default=HERE / "input", help="the files it names")
    options = parser.parse_args()
    try:
        require_folder(options.picture)
        prompt = read_workflow(options.workflow)
        write(options.picture, asyncio.run(paint(options.server, prompt, options.input)))
    except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
        sys.exit(f"Nothing was painted: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped; nothing was painted.")
    print(options.picture)


if __name__ == "__main__":
    main()
