"""Prompt after prompt on a real ComfyUI: all succeed and nothing piles up."""

from __future__ import annotations

from demo.bench.queue import measure
from launcher.server import Server

PROMPTS, FIRST, SIZE = 150, 50, 64
MOST_GROWTH = 20e6  # bytes; a hundred prompts whose layers stayed would take more


def test_many_prompts_succeed_and_leave_nothing_behind(server: Server) -> None:
    measured = measure(server, PROMPTS, FIRST, SIZE, apart=True)
    assert measured.failures == []
    memory, files, threads = measured.growth
    assert memory <= MOST_GROWTH
    assert files <= 2
    assert threads <= 1
    assert measured.entry <= 5000, "the history keeps more than the prompt"
