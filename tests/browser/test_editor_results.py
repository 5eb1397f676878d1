"""Results of runs in the editor, and edits of them, on ComfyUI's real page."""

from __future__ import annotations

import pytest

from .conftest import OnPage

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MUG = [40, 90, 170]


def test_a_result_is_edited_as_it_was_made(on_page: OnPage, pictures: str) -> None:
    seen = on_page("editor_results.mjs", "editor_results.png", "classic", pictures)
    assert [error for error in seen["errors"] if "collage" in error.lower()] == []
    assert seen["foreign"] == []
    assert [seen["ran"], seen["again"]] == ["success", "success"]
    old, now = seen["edit"]["moved"]
    assert old != now
    assert seen["edit"]["before"] == old, "the edit takes the collage of now for the one it was"
    (was_mug, is_table), (was_table, is_mug) = seen["colours"]["old"], seen["colours"]["now"]
    assert was_mug == pytest.approx(MUG, abs=2)
    assert is_mug == pytest.approx(MUG, abs=2)
    assert max(is_table) - min(is_table) <= 2, "the moved mug is still at its old place"
    assert max(was_table) - min(was_table) <= 2
    assert seen["another"] == [], "a result of another workflow"
    assert seen["back"] == {"count": 1, "other": True, "edit": True}
    said, same, changed = seen["report"]
    assert same == said, "the report of this very document"
    assert changed == "All 3 layers have their words in the sentence.", "the report of an old run"
    assert not seen["refused"]
    assert seen["wide"] == "The canvas is 768 x 512, but the result that is edited is 512 x 512."
    assert seen["mended"][0] == 512
    assert seen["unlinked"]["message"] == 'The sentence does not mention "table".'
    assert seen["unlinked"]["marks"] == 3
    linked, outcome = seen["linked"]
    assert outcome == "success"
    assert linked["message"].startswith("The sentence comes from another node")
    assert linked["field"] == ["", True]
    assert linked["marks"] == 0
    assert seen["cut"] == {**seen["unlinked"], "field": ["something else", False]}
    prompt, names, message = seen["added"]
    assert prompt == "table, mug, lemon", "the title of a node stands in the sentence"
    assert names == ["table", "mug", "lemon", ""], "a result lies on top"
    assert message.startswith("Layer 4 has no words yet.")
