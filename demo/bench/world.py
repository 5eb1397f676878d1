"""`python3 run.py bench world`: milliseconds for a scene of the painted world on one core.

Scenes with their collage and without, for every story; medians over the scenes of one run.
"""

from __future__ import annotations

import argparse
import statistics
import time

from launcher.arguments import at_least

from .. import world

FIRST_SEED = 9_000_000


def milliseconds(story: str | None, scenes: int, *, collage: bool) -> list[float]:
    """One time a scene, without the first scene of a story, which fills caches."""
    times = []
    for seed in range(FIRST_SEED, FIRST_SEED + scenes + 1):
        started = time.perf_counter()
        world.scene(seed, story, collage=collage)
        times.append(1000 * (time.perf_counter() - started))
    return times[1:]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="run.py bench world", description=__doc__)
    parser.add_argument("--scenes", type=at_least(1), default=40, help="of each story")
    options = parser.parse_args(arguments)
    print(f"{'story':12} {'picture':>10} {'+ collage':>10}   median ms of {options.scenes} scenes")
    for story in (*world.STORIES, None):
        medians = [
            statistics.median(milliseconds(story, options.scenes, collage=collage))
            for collage in (False, True)
        ]
        print(f"{story or 'as trained':12} {medians[0]:10.1f} {medians[1]:10.1f}", flush=True)
