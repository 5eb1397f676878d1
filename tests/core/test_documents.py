"""What the documents name is there: files, links and the controls of a layer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collage_core.collage.limits import LAYER_RANGES

REPO = Path(__file__).parents[2]
PAGES = [*REPO.glob("*.md"), *(REPO / "docs").glob("*.md")]
# written by a run, not kept
MADE = ("output/", ".host/", "DIR/")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPO).as_posix())
def test_every_file_and_link_of_a_page_is_there(page: Path):
    text = page.read_text("utf-8")
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)]
    links = [link for link in links if link and "://" not in link]
    files = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.\w+)`", text)
    files = [file for file in files if not file.startswith(MADE)]
    missing = [link for link in links if not (page.parent / link).exists()]
    missing += [file for file in files if not (REPO / file).exists()]
    assert missing == []


def test_the_walk_leads_to_every_control_of_a_layer():
    text = (REPO / "CONTRIBUTING.md").read_text("utf-8")
    walk = text.partition("## To change one control")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+)`", walk))
    assert LAYER_RANGES.keys() <= named
