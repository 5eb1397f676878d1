"""Queue a collage, follow its steps, fetch the picture: SERVER WORKFLOW PICTURE."""

import asyncio
import json
import pathlib
import sys

import aiohttp  # ComfyUI's own Python has it


async def paint(server: str, workflow: str, picture: str) -> None:
    ends = ("execution_success", "execution_error", "execution_interrupted")
    body = {"prompt": json.loads(pathlib.Path(workflow).read_text("utf-8")), "client_id": "me"}
    async with aiohttp.ClientSession(server) as http, http.ws_connect("/ws?clientId=me") as events:
        async with http.post("/prompt", json=body) as answer:
            job = (await answer.json())["prompt_id"]
        async for event in events:
            said = event.json() if event.type is aiohttp.WSMsgType.TEXT else {}
            if said.get("type") == "progress":
                print("step", said["data"]["value"], "of", said["data"]["max"])
            if said.get("type") in ends and said["data"]["prompt_id"] == job:
                break
        async with http.get(f"/history/{job}") as answer:
            made = (await answer.json())[job]["outputs"].values()
        images = [image for output in made for image in output.get("images", [])]
        wanted = next(i for i in images if i["filename"].startswith("collage_result"))
        async with http.get("/view", params=wanted) as answer:
            pathlib.Path(picture).write_bytes(await answer.read())


asyncio.run(paint(*sys.argv[1:]))
