"""Every example, opened on ComfyUI's real page: what the page would send to the server."""

from __future__ import annotations

import json

import pytest

from .conftest import REPO, OnPage

WORKFLOWS = sorted((REPO / "workflows").glob("*.json"))

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_page_sends_what_the_scripts_send(on_page: OnPage) -> None:
    sent = on_page("examples.mjs", "examples.png", *map(str, WORKFLOWS))
    assert sorted(sent) == [file.stem for file in WORKFLOWS]
    for name, prompt in sent.items():
        script = json.loads((REPO / "workflows" / "api" / f"{name}.json").read_text("utf-8"))
        assert prompt.keys() == script.keys(), name
        for number, node in script.items():
            assert prompt[number]["class_type"] == node["class_type"], (name, number)
            for slot, value in node["inputs"].items():
                assert prompt[number]["inputs"][slot] == value, (name, number, slot)
