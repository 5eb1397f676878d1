"""Texts and help pages as the page asks a real ComfyUI for them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from launcher.client import Client

ROOT = Path(__file__).parents[2]
NODE = "CollageLayer"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_host_hands_out_the_texts_of_a_language(client: Client, language: str) -> None:
    handed_out = client.get("/i18n")[language]
    for file in ("nodeDefs", "main"):
        own = json.loads((ROOT / "locales" / language / f"{file}.json").read_text("utf-8"))
        found = handed_out[file] if file == "nodeDefs" else handed_out
        assert own.items() <= found.items()


@pytest.mark.parametrize("file", [f"{NODE}.md", f"{NODE}/zh.md"])
def test_a_help_page_and_its_picture_lie_where_the_page_looks(client: Client, file: str) -> None:
    module = client.object_info()[NODE]["python_module"]
    docs = f"/extensions/{module.removeprefix('custom_nodes.')}/docs"
    text = client.request(f"{docs}/{file}").decode()
    assert text == (ROOT / "web" / "docs" / file).read_text("utf-8")
    pictures = re.findall(r"!\[.*\]\((.*)\)", text)
    assert pictures
    for picture in pictures:
        sent = client.request(f"{docs}/{picture}")
        assert sent == (ROOT / "web" / "docs" / picture).read_bytes()
