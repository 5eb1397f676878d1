"""Paint a collage once for each value of one layer's input, and lay the pictures side by side.

    python3 workflows/vary_layer.py http://127.0.0.1:8188 sushi noise 0.1 0.4 0.7 1
    python3 workflows/vary_layer.py http://127.0.0.1:8188 sushi position 0.3,0.73 0.5,0.4
    python3 workflows/vary_layer.py http://127.0.0.1:8188 ginger text ginger "an egg" --steps 9

The layer is named by its text, the input as *Collage Layer* names it; `position` is x and y in
one. Everything is queued at once. Needs ComfyUI's own Python and queue_collage.py beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import copy
import io
import json
import re
import sys
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import aiohttp
from PIL import Image, ImageDraw, ImageFont
from queue_collage import (
    CLIENT,
    HERE,
    Json,
    cancel,
    fetch,
    follow,
    queue,
    read_workflow,
    require_folder,
    write,
)

COLUMNS, GAP = 4, 8
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
SIZE, LINE = 18, 22  # pixels of a letter, and of a line
# Pillow's own font has little more than ASCII; it finds these where the system keeps its fonts
FONTS = (
    "DejaVuSans.ttf", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf",
    "arial.ttf", "msyh.ttc", "YuGothM.ttc", "malgun.ttf", "Arial Unicode.ttf",
)  # fmt: skip
# Words end where not both neighbours are letters of a script that puts spaces between words, which
# Thai, Chinese, Japanese and others do not.
LETTER = (
    r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
    r"\U00020000-\U0003ffff]"
)
EDGE = f"(?:(?<!{LETTER})|(?!{LETTER}))"


def find_layer(prompt: Json, text: str) -> Json:
    """The inputs of the layer with this text."""
    layers = [node["inputs"] for node in prompt.values() if node["class_type"] == "CollageLayer"]
    found = [layer for layer in layers if layer.get("text") == text]
    if len(found) != 1:
        names = ", ".join(f'"{layer.get("text")}"' for layer in layers) or "none"
        raise ValueError(f'{len(found) or "no"} layers have the text "{text}"; there are {names}.')
    return found[0]


def vary(prompt: Json, text: str, name: str, value: str) -> Json:
    """The workflow with another value of one input of the layer."""
    varied = copy.deepcopy(prompt)
    layer = find_layer(varied, text)
    names = ["x", "y"] if name == "position" else [name]
    parts = value.split(",") if name == "position" else [value]
    if len(parts) != len(names):
        raise ValueError(f'a position is two numbers, such as 0.3,0.7, and "{value}" is not.')
    for one, part in zip(names, parts, strict=True):
        if one not in layer or isinstance(layer[one], list):
            known = ", ".join(key for key, now in layer.items() if not isinstance(now, list))
            raise ValueError(f'a layer has no value "{one}"; it has {known}, and position.')
        layer[one] = parse(one, part, layer[one])
    if name == "text":
        rename(varied, text, value)
    return varied


def parse(name: str, value: str, now: object) -> object:
    """A value from the command line as the kind that the input has now."""
    if isinstance(now, str):
        return value
    try:
        return json.loads(value.lower()) if isinstance(now, bool) else float(value)
    except ValueError as error:
        kind = "true or false" if isinstance(now, bool) else "a number"
        raise ValueError(f'{name} is {kind}, and "{value}" is not.') from error


def rename(prompt: Json, old: str, new: str) -> None:
    """Replace a layer's text in the scene prompt, which must contain it."""
    scenes = [node["inputs"] for node in prompt.values() if node["class_type"] == "CollageStack"]
    words = re.compile(EDGE + r"\s+".join(map(re.escape, old.split())) + EDGE, re.IGNORECASE)
    if not all(isinstance(scene.get("prompt"), str) for scene in scenes):
        raise ValueError("the scene prompt comes over a link, where it cannot be changed.")
    places = sum(len(words.findall(scene["prompt"])) for scene in scenes)
    if places != 1:
        raise ValueError(
            f'"{old}" stands {places} times in the scene prompt, so it cannot be told which words '
            "to exchange there: it must stand there once."
        )
    for scene in scenes:
        scene["prompt"] = words.sub(lambda _: new, scene["prompt"])


async def paint_all(server: str, prompts: dict[str, Json]) -> list[bytes]:
    """Queue every workflow, then follow them in order; if one fails, none is left in the queue."""
    jobs: dict[str, str] = {}
    async with (
        aiohttp.ClientSession(server) as http,
        http.ws_connect("/ws", params={"clientId": CLIENT}) as events,
    ):
        try:
            for label, prompt in prompts.items():
                jobs[label] = await queue(http, prompt)
            made = [await follow(http, events, job, f"{label}, ") for label, job in jobs.items()]
        finally:
            await cancel(http, list(jobs.values()))
        return [await fetch(http, images) for images in made]


def contact_sheet(pictures: Sequence[bytes], labels: Sequence[str]) -> Image.Image:
    """The pictures in rows, each with its label below."""
    cells = [Image.open(io.BytesIO(picture)).convert("RGB") for picture in pictures]
    width, height = (max(cell.size[side] for cell in cells) for side in (0, 1))
    texts = [wrapped(label, width) for label in labels]
    below = LINE * max(map(len, texts))
    columns, rows = min(len(cells), COLUMNS), -(-len(cells) // COLUMNS)
    across, down = width + GAP, height + below + 3 * GAP
    sheet = Image.new("RGB", (columns * across + GAP, rows * down + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        left, top = number % COLUMNS * across + GAP, number // COLUMNS * down + GAP
        sheet.paste(cell, (left, top))
        for line, letters in enumerate(text):
            base = top + height + GAP + line * LINE + SIZE
            for x, letter, font in placed(letters):
                draw.text((left + x, base), letter, "black", font, anchor="ls")
    return sheet


def wrapped(label: str, width: int) -> list[str]:
    """The lines of a label, none wider than that: Chinese letters are twice as wide as others."""
    wide = any(unicodedata.east_asian_width(letter) in "WF" for letter in label)
    return textwrap.wrap(label, max(1, width // (SIZE if wide else 10))) or [""]


def placed(letters: str) -> Iterator[tuple[float, str, Font]]:
    """Where each letter stands, and in which font; "?" for one that no font here has."""
    x, (own, *others) = 0.0, fonts()
    for letter in letters:
        font = next((one for one in (own, *others) if has(one, letter)), None)
        shown = letter if font else "?"
        yield x, shown, font or own
        x += (font or own).getlength(shown)


@cache
def fonts() -> list[Font]:
    found: list[Font] = [ImageFont.load_default(SIZE)]
    for name in FONTS:
        with contextlib.suppress(OSError):
            found.append(ImageFont.truetype(name, SIZE))
    return found


@cache
def has(font: Font, letter: str) -> bool:
    """Whether it draws anything else than the sign for letters that it lacks."""
    return drawn(font, letter) != drawn(font, "\U0010ffff")


def drawn(font: Font, letter: str) -> bytes:
    picture = Image.new("L", (3 * SIZE, 3 * SIZE))
    ImageDraw.Draw(picture).text((SIZE, SIZE), letter, 255, font)
    return picture.tobytes()


def encoded(picture: Image.Image, kind: str) -> bytes:
    """The picture as a file of a kind such as PNG."""
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def kind_of(file: Path) -> str:
    """The kind of picture that a file's name asks for."""
    kind = Image.registered_extensions().get(file.suffix.lower(), "")
    if kind not in Image.SAVE:
        raise ValueError(f"{file} is no name of a picture; give one that ends in .png.")
    return kind


def main() -> None:
    parser = argparse.ArgumentParser(description="Vary one input of one layer of a collage.")
    parser.add_argument("server", help="such as http://127.0.0.1:8188")
    parser.add_argument("layer", help="the text of the layer, such as sushi")
    parser.add_argument("input", help="text, noise, position, x, y, scale, rotation, ...")
    parser.add_argument("values", nargs="+", metavar="value")
    parser.add_argument("--steps", type=int, help="of the sampler, fewer for a quick look")
    parser.add_argument("--workflow", type=Path, default=HERE / "api" / "bento_box.json")
    parser.add_argument("--sheet", type=Path, default=Path("sheet.png"), help="the file to write")
    options = parser.parse_args()
    try:
        require_folder(options.sheet)
        kind = kind_of(options.sheet)
        prompt = read_workflow(options.workflow)
        for node in prompt.values() if options.steps else ():
            if "steps" in node["inputs"] and "sampler_name" in node["inputs"]:
                node["inputs"]["steps"] = options.steps
        prompts = {
            f"{options.input} {value}": vary(prompt, options.layer, options.input, value)
            for value in options.values
        }
        pictures = asyncio.run(paint_all(options.server, prompts))
        write(options.sheet, encoded(contact_sheet(pictures, list(prompts)), kind))
    except (aiohttp.ClientError, OSError, RuntimeError, ValueError) as error:
        sys.exit(f"There is no sheet: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped; there is no sheet.")
    print(options.sheet)


if __name__ == "__main__":
    main()
