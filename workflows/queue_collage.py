"""Queue a collage, follow its progress and fetch the picture over ComfyUI's HTTP interface.

    python3 workflows/queue_collage.py http://127.0.0.1:8188 bento_box.png

Run it with ComfyUI's own Python, which has aiohttp, beside ComfyUI or `python3 run.py serve`.
Copy `queue`, `follow` and `fetch`, and give them a workflow of your own in API form.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp

HERE = Path(__file__).parent
CLIENT = uuid.uuid4().hex  # whom the server tells what goes on
SAVED_AS = "collage_result"  # filename_prefix of the SaveImage node whose picture is wanted
Json = dict[str, Any]


async def queue(http: aiohttp.ClientSession, prompt: Json) -> str:
    """Upload the pictures that lie beside this file, queue the workflow and return its id."""
    for node in prompt.values():
        picture = HERE / "input" / str(node["inputs"].get("image"))
        if node["class_type"] == "LoadImage" and picture.is_file():
            async with http.post("/upload/image", data={"image": picture.open("rb")}) as answer:
                node["inputs"]["image"] = (await answer.json())["name"]
    async with http.post("/prompt", json={"prompt": prompt, "client_id": CLIENT}) as answer:
        said = await answer.json()
    if said.get("node_errors") or "error" in said:
        raise RuntimeError(refusal(said))
    return said["prompt_id"]


async def follow(events: aiohttp.ClientWebSocketResponse, job: str, name: str = "") -> list[Json]:
    """Print the steps of a queued workflow, after `name`, and return the images it made."""
    images = []
    async for message in events:
        said = message.json() if message.type is aiohttp.WSMsgType.TEXT else {}
        kind, data = said.get("type"), said.get("data", {})
        if data.get("prompt_id") != job:  # a picture under way, or about somebody else's workflow
            continue
        if kind == "progress":
            print(f"{name}step {data['value']} of {data['max']}", flush=True)
        elif kind == "executed":
            images += (data["output"] or {}).get("images", [])
        elif kind == "execution_success":
            return images
        elif kind in ("execution_error", "execution_interrupted"):
            raise RuntimeError(data.get("exception_message", "it was interrupted.").strip())
    raise RuntimeError("the server has closed the connection.")


async def fetch(http: aiohttp.ClientSession, images: list[Json]) -> bytes:
    """The bytes of the picture that is wanted."""
    wanted = [image for image in images if image["filename"].startswith(SAVED_AS)]
    if not wanted:
        raise RuntimeError(f"the workflow has saved nothing as {SAVED_AS}.")
    async with http.get("/view", params=wanted[-1]) as picture:
        return await picture.read()


def refusal(said: Json) -> str:
    """What the server has against a workflow, in one sentence."""
    problems = [
        f"{node['class_type']}: {error['message']} ({error['details']})"
        for node in (said["node_errors"] or {}).values()
        for error in node["errors"]
    ]
    return "; ".join(problems) or said["error"]["message"]


async def paint(server: str, prompt: Json) -> bytes:
    """The picture that a server makes of a workflow."""
    async with (
        aiohttp.ClientSession(server) as http,
        http.ws_connect("/ws", params={"clientId": CLIENT}) as events,
    ):
        job = await queue(http, prompt)
        return await fetch(http, await follow(events, job))


def main() -> None:
    parser = argparse.ArgumentParser(description="Paint a collage on a running ComfyUI.")
    parser.add_argument("server", help="such as http://127.0.0.1:8188")
    parser.add_argument("picture", type=Path, help="the file to write")
    parser.add_argument("--workflow", type=Path, default=HERE / "api" / "bento_box.json")
    options = parser.parse_args()
    try:
        prompt = json.loads(options.workflow.read_text(encoding="utf-8"))
        options.picture.write_bytes(asyncio.run(paint(options.server, prompt)))
    except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
        sys.exit(f"Nothing was painted: {error}")
    print(options.picture)


if __name__ == "__main__":
    main()
