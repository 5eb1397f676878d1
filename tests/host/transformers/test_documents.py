"""docs/models.md names every network that the code knows, and what the code lets it do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "models.md"
HELP = ROOT / "web" / "docs"
PATCH = [HELP / "MaskedCrossAttentionPatch.md", HELP / "MaskedCrossAttentionPatch" / "zh.md"]


def rows() -> list[list[str]]:
    lines = PAGE.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return [row for row in cells if len(row) == 9 and row[1].startswith("`")]


def test_words_are_placed_on_every_network_of_the_table_and_no_other(pack) -> None:
    known = {"UNetModel", *pack.nodes.host.models.transformers.LAYOUTS}
    assert {row[1].strip("`") for row in rows() if row[2] == "yes"} == known


def test_control_stands_where_there_is_a_network_for_it(pack) -> None:
    made_for = pack.nodes.host.control.checks.MADE_FOR.values()
    known = {"UNetModel"}.union(*made_for)
    assert {row[1].strip("`") for row in rows() if row[4] == "yes"} == known


def item(page: Path, begins: str) -> str:
    """The item of a list that holds these words, up to the next one."""
    items = re.split(r"^- ", page.read_text("utf-8"), flags=re.MULTILINE)
    (found,) = (" ".join(text.split()) for text in items if begins in text)
    return found


@pytest.mark.parametrize("page", PATCH, ids=["en", "zh"])
def test_the_help_page_lists_every_family_of_text(pack, page: Path) -> None:
    listed = item(page, "LongCat-Image")
    families = {text.family for text in pack.nodes.host.models.families.TEXTS.values()}
    families -= {"the demo model's transformer"}
    names = {re.sub(r" (Klein|\d\.\d)$", "", family) for family in families}
    assert {name for name in names if name not in listed} == set()


@pytest.mark.parametrize("page", PATCH, ids=["en", "zh"])
def test_the_help_page_lists_the_texts_that_read_embeddings(page: Path) -> None:
    listed = item(page, "embedding:NAME")
    unread = ("no", "-", "not tried")
    read = {re.split(r"[,(]", row[0])[0].strip() for row in rows() if row[5] not in unread}
    names = {re.sub(r" Klein$", "", family) for family in read} - {"SD 1.x"}
    assert {name for name in names if name not in listed} == set()
    silent = {row[0].split(",")[0] for row in rows() if row[5] in unread}
    assert {name for name in silent if name in listed} == set()
