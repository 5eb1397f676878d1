"""The page's own modules of the editor: their units in Node, and their reading beside Python's."""

from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path
from typing import Any

from collage_core.errors import CollageError
from collage_core.prompt.phrases import find_phrases

HERE = Path(__file__).parent


def test_units(node: str) -> None:
    files = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    command = [node, "--test", "--test-reporter=spec", *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert int(re.findall(r"tests (\d+)", done.stdout)[-1]) > len(files)


def test_phrases_of_random_prompts_are_those_of_python(node: str) -> None:
    rng = random.Random(20231014)
    asked = [_random_prompt(rng) for _ in range(4000)]
    command = [node, str(HERE / "find_all.mjs")]
    done = subprocess.run(
        command, input=json.dumps(asked), capture_output=True, text=True, timeout=200, check=True
    )
    said = [_found(prompt, texts) for prompt, texts in asked]
    wrong = [
        (question, wanted, found)
        for question, wanted, found in zip(asked, said, json.loads(done.stdout), strict=True)
        if wanted != found
    ]
    assert wrong == []
    assert sum(not one["refused"] for one in said) > 500, "too few prompts are in order"


# every rule of the language, and signs that the two languages might read differently
PIECES = (
    *("fox", "red fox", "Fox", "a", "STRASSE", "stra\u00dfe", "\u1e9e", "\u0131n", "IN", "\u0130n"),
    *(
        "caf\u00e9",
        "cafe\u0301",
        "\u03a3\u03c2\u03c3",
        "\u7ea2\u72d0",
        "\u0e01\u0e32",
        "\U00020000",
    ),
    *("\U0001f468\u200d\U0001f469", "\u2764\ufe0f", "x_1", "\u00b2", "\u0967", " ", " ", " ", "  "),
    *("(", ")", "((", "\\(", "\\)", ":1.2)", ":1_0)", ":inf)", ":\u0661.5)", ":)", ":1.2.3)"),
    *("embedding:fur", "embedding:", "embedding: fox", " embedding:a<b", "embedding:a,", ":-.5e3)"),
    *(",", ".", "!", "\n", "\u00a0", "\u2003", "\x1c", "\ufeff", "\u200b"),
)


def _random_prompt(rng: random.Random) -> tuple[str, list[str]]:
    def text(most: int) -> str:
        some = rng.choices(PIECES, k=rng.randint(1, most))
        return "".join(piece + rng.choice(("", " ")) for piece in some)

    texts = [text(3) for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.3:
        texts.append(texts[0])
    parts = [f" {rng.choice((one, one, one.upper()))} {rng.choice(('', text(2)))}" for one in texts]
    return text(4) + "".join(parts), texts


def _found(prompt: str, texts: list[str]) -> dict[str, Any]:
    """Places with their layers and words; the layers that have none, and then no places."""
    try:
        regions = find_phrases(prompt, list(enumerate(texts))).regions
    except CollageError as error:
        layers = re.findall(r"(?m)^CollageStack, layer (\d+) ", str(error))
        return {"places": [], "refused": sorted(map(int, layers))}
    places = [
        [place.start, place.end, list(region.layers), [list(span) for span in place.words]]
        for region in regions
        for place in region.places
        if place.words
    ]
    return {"places": sorted(places, key=lambda one: one[:2]), "refused": []}
