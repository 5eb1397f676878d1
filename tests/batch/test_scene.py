"""Other words of a layer in the sentence of the scene, found as the nodes find them."""

from __future__ import annotations

import pytest

from tools.batch.cells import CellError
from tools.batch.scene import exchanged


@pytest.mark.parametrize(
    ("scene", "old", "new", "expected"),
    [
        ("a green sushi roll", "SUSHI", "egg", "a green egg roll"),
        ("一只猫坐在木桌上", "猫", "小狗", "一只小狗坐在木桌上"),
        ("木の机に寿司とカップ", "寿司", "うどん", "木の机にうどんとカップ"),
        ("a salmon  sushi roll", "salmon sushi", "tuna", "a tuna roll"),
        ("a (salmon sushi:1.2) roll", "salmon sushi", r"\1", r"a (\1:1.2) roll"),
        ("a cafe\u0301 table", "caf\u00e9", "bar", "a bar table"),
    ],
)
def test_words_are_exchanged_where_the_nodes_find_them(
    scene: str, old: str, new: str, expected: str
) -> None:
    assert exchanged(scene, old, new) == expected


@pytest.mark.parametrize(
    ("scene", "old", "said"),
    [
        ("sushis and sushi_rolls", "sushi", "stands 0 times"),
        ("猫和猫", "猫", "stands 2 times"),
        ("a (salmon:1.2) sushi roll", "salmon sushi", 'as "salmon:1.2\\) sushi"'),
        (["4", 0], "sushi", "over a link"),
    ],
)
def test_words_that_cannot_be_exchanged_are_told(scene: object, old: str, said: str) -> None:
    with pytest.raises(CellError, match=said):
        exchanged(scene, old, "egg")
