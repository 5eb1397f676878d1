"""The sheet of all figures, from pictures that lie in a folder."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from demo.examples.figures import GAP, LINE, SIDE, contact_sheet, saved


def put(folder: Path, name: str, colour: str) -> None:
    Image.new("RGB", (64, 64), colour).save(folder / f"{name}_00001_.png")


def test_pictures_stand_in_the_order_of_the_workflow_under_their_titles(tmp_path: Path) -> None:
    put(tmp_path, "toy_box_collage_2_result", "blue")
    put(tmp_path, "toy_box_collage_composite", "red")
    put(tmp_path, "toy_box_collage_1_before", "lime")
    titles = [title for title, _ in saved(tmp_path, "toy_box")]
    assert titles == ["The collage", "Plain harmonisation", "+ words in their places"]
    sheet = contact_sheet(tmp_path)
    row = GAP + 2 * LINE + SIDE // 2
    columns = [GAP + SIDE // 2 + number * (SIDE + GAP) for number in range(3)]
    colours = [sheet.getpixel((column, row)) for column in columns]
    assert colours == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_nine_pictures_of_the_rounds_stand_in_three_rows(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        for part in ("composite", "noise", "result"):
            put(tmp_path, f"iterative_edit_collage_{number}_{part}", "red")
    sheet = contact_sheet(tmp_path)
    assert sheet.width == 3 * (SIDE + GAP) + GAP
    assert sheet.height == 3 * (SIDE + LINE + GAP) + 2 * LINE + GAP


def test_what_is_not_there_leaves_no_gap(tmp_path: Path) -> None:
    put(tmp_path, "bento_box_collage_result", "red")
    assert contact_sheet(tmp_path).size == (SIDE + 2 * GAP, SIDE + 3 * LINE + 2 * GAP)
