"""Follows one workflow over the server's websocket, as the page does."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

PREVIEW_WITH_METADATA, TEXT = 4, 3  # the host's BinaryEventTypes
ENDS = ("execution_success", "execution_interrupted", "execution_error")

Json = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """kind: the message's type, "text" or "preview"; node: whom it is about; data: the rest."""

    seconds: float
    kind: str
    node: str | None
    data: Any


def follow(url: str, prompt: Json, interrupt_at: str | None = None) -> list[Event]:
    """Queue a workflow and return all that is said until it ends, after an interrupt as soon as a
    node's text starts with `interrupt_at`."""
    return asyncio.run(_follow(url, prompt, interrupt_at))


async def _follow(url: str, prompt: Json, interrupt_at: str | None) -> list[Event]:
    events: list[Event] = []
    async with (
        aiohttp.ClientSession(url) as session,
        session.ws_connect("/ws?clientId=test", max_msg_size=0) as socket,
    ):
        flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
        await socket.send_json(flags)
        await session.post("/prompt", json={"prompt": prompt, "client_id": "test"})
        async for message in socket:
            events.append(_event(message))
            if interrupt_at and str(events[-1].data).startswith(interrupt_at):
                interrupt_at = None
                await session.post("/interrupt", json={})
            if events[-1].kind in ENDS:
                break
    return events


def _event(message: aiohttp.WSMessage) -> Event:
    now = time.monotonic()
    if message.type is aiohttp.WSMsgType.TEXT:
        said = json.loads(message.data)
        return Event(now, said["type"], said["data"].get("node"), said["data"])
    kind, size = (int.from_bytes(message.data[i : i + 4], "big") for i in (0, 4))
    head, body = message.data[8 : 8 + size], message.data[8 + size :]
    if kind == TEXT:
        return Event(now, "text", head.decode(), body.decode())
    assert kind == PREVIEW_WITH_METADATA
    return Event(now, "preview", json.loads(head)["node_id"], body)
