"""docs/models.md names every network that the code knows, and what the code lets it do."""

from __future__ import annotations

from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


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
