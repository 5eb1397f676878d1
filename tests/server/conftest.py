"""Tests through the HTTP interface of a real ComfyUI that has the pack in it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from launcher.base_folder import fresh_base
from launcher.client import Client
from launcher.host import find_host
from launcher.server import Server, start_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A ComfyUI of this session alone, on a free port, in a folder that is removed afterwards."""
    comfyui = os.environ.get("COMFYUI_PATH")
    if not comfyui:
        pytest.skip("COMFYUI_PATH is not set; start with: python3 run.py test")
    with fresh_base() as base, start_server(find_host(comfyui), base, name="tests") as running:
        yield running


@pytest.fixture
def client(server: Server) -> Client:
    """A client of the session's server."""
    return server.client
