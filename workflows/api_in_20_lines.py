"""Queue a collage, follow its steps, fetch the picture: SERVER WORKFLOW PICTURE."""

import asyncio
import json
import pathlib
import sys

import aiohttp  # ComfyUI's own Python has it


async def paint(server: str, workflow: str, picture: str) -> None:
    body = {"prompt": json.loads(pathlib.Path(workflow).read_text("utf-8")), "client_id": "me"}
    async with aiohttp.ClientSession(server) as http, http.ws_connect("/ws?clientId=me") as events:
        async with http.post("/prompt", json=body) as answer:
            said = await answer.json()
        if said.get("error") or said["node_errors"]:  # the rest of a workflow would be queued
            sys.exit(f"ComfyUI refused the workflow: {said['node_errors'] or said['error']}")
        job = said["prompt_id"]
        async for event in events:
            said = event.json() if event.type is aiohttp.WSMsgType.TEXT else {}
            if said.get("type") == "progress":
                print("step", said["data"]["value"], "of", said["data"]["max"])
            if said.get("type") == "executing" and said["data"]["node"] is None:
                break  # done, failed or interrupted
        async with http.get(f"/history/{job}") as answer:
            done = (await answer.json())[job]
        images = [i for output in done["outputs"].values() for i in output.get("images", [])]
        images.sort(key=lambda i: ("result" in i["filename"], i["type"] == "output", i["filename"]))
        kind, end = done["status"]["messages"][-1]
        if kind != "execution_success" or not images:
            sys.exit(f"No picture: {end.get('exception_message', kind)}")
        async with http.get("/view", params=images[-1], raise_for_status=True) as answer:
            pathlib.Path(picture).write_bytes(await answer.read())


asyncio.run(paint(*sys.argv[1:]))
