"""What the names in a PSD file mean: of layers words, of blend modes those of collages."""

from __future__ import annotations

import re

from ..collage.limits import NORMAL
from ..errors import CollageError
from ..prompt.checks import check_prompt
from ..prompt.syntax import UNSPACED

LONGEST = 120  # characters of a layer's words

BLENDS = {
    b"norm": NORMAL, b"pass": NORMAL, b"mul ": "multiply", b"scrn": "screen", b"over": "overlay",
    b"sLit": "soft light", b"dark": "darken", b"lite": "lighten", b"lddg": "add",
}  # fmt: skip
MODES = {
    0: "a bitmap", 2: "indexed", 4: "CMYK", 7: "multichannel", 8: "duotone", 9: "Lab",
}  # fmt: skip

# as programs name a layer that nobody has named
UNNAMED = (
    "layer", "background", "group", "shape", "image", "picture", "merged", "untitled", "ebene",
    "hintergrund", "gruppe", "form", "bild", "calque", "arrière-plan", "groupe", "forme", "capa",
    "capa de fundo", "camada", "plano de fundo", "fundo", "grupo", "livello", "sfondo", "gruppo",
    "fondo", "laag", "achtergrond", "groep", "lager", "bakgrund", "grupp", "warstwa", "tło",
    "grupa", "слой", "фон", "группа", "图层", "背景", "组", "圖層", "群組", "レイヤー",
    "グループ", "레이어", "배경", "그룹", "paint layer", "color fill", "gradient fill",
    "pattern fill", "rectangle", "ellipse", "smart object",
)  # fmt: skip
BACKGROUNDS = {
    "background", "hintergrund", "arrière-plan", "plano de fundo", "fundo", "sfondo", "fondo",
    "achtergrond", "bakgrund", "tło", "фон", "背景", "배경",
}  # fmt: skip
# what programs append to the name of a copy; Latin and Cyrillic words begin behind a sign, so that
# a cornucopia stays one, and long numbers belong to the name, as in Boeing 747
COPY = r"(?:^|[\s\-]+)(?:copy|kopie|copie|copia|cópia|kopia|копия)"
COPY_UNSPACED = r"[\s\-]*(?:拷贝|副本|拷貝|のコピー|복사)"
NUMBER = rf"(?:^|[\s\-]*\s|\s*#|(?<={UNSPACED.pattern}))\d{{1,2}}|\s*\(\d+\)"
ENDS = re.compile(rf"(?:{COPY}|{COPY_UNSPACED}|{NUMBER})$", re.IGNORECASE)
COUNTED = re.compile(r"[\s#]*\d+$")
SUFFIX = re.compile(r"\.(?:png|jpe?g|webp|gif|tiff?|bmp|psd|psb|svg|pdf|eps|ai)$", re.IGNORECASE)
MEANING = re.compile(r"[()\[\]{}<>\\|:\x00-\x1f\ud800-\udfff]")  # in prompts, or nowhere


def words_of(name: str) -> str:
    """The words of a layer: its name without "copy", short numbers and the suffix of a file.

    Empty where a program gave the name, such as "Layer 12".

    Example: words_of("salmon_sushi copy 2.png")  # "salmon sushi"
    """
    words = " ".join(SUFFIX.sub("", name.strip()).replace("_", " ").split())
    while (shorter := ENDS.sub("", words).strip()) != words:
        words = shorter
    words = words[:LONGEST]
    try:
        check_prompt(words)
    except CollageError:
        words = ""
    if MEANING.search(words):  # weights and embeddings are nothing that a name says
        words = " ".join(MEANING.sub(" ", words).split())
    given = COUNTED.sub("", words).lower()
    return "" if given in ("", *UNNAMED) else words


def is_background(name: str) -> bool:
    """Whether a program gave this name to what lies behind all layers."""
    return name.strip().lower() in BACKGROUNDS


def blend_of(mode: bytes) -> str | None:
    """The blend of a collage for a PSD's; None if there is none."""
    return BLENDS.get(mode)
