"""Tables of jobs as people and programs write them, and grids."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from launcher.failure import LauncherError
from tools.batch.grid import grid_table, make_grid
from tools.batch.table import Table, read_table, write_csv

EXPECTED = Table(("sampler.seed", "layer.sushi.text"), [("7", "crème, 寿司"), ("8", None)])


@pytest.mark.parametrize(
    "data",
    [
        'sampler.seed,layer.sushi.text\n7,"crème, 寿司"\n8,\n'.encode(),
        "sampler.seed;layer.sushi.text\r\n7;crème, 寿司\r\n8\r\n\r\n".encode("utf-8-sig"),
        ' sampler.seed\tlayer.sushi.text \n7\tcrème, 寿司\n\n8\t""'.encode("utf-16"),
    ],
    ids=["utf-8", "byte order mark and semicolons", "tabs of a spreadsheet"],
)
def test_a_csv_is_read_as_programs_save_it(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "jobs.CSV").write_bytes(data)
    assert read_table(tmp_path / "jobs.CSV") == EXPECTED


def test_a_line_of_empty_cells_is_a_row(tmp_path: Path) -> None:
    file = tmp_path / "jobs.csv"
    file.write_text("a.b,c.d\n,\n\n1,2\n,\n")
    assert read_table(file).rows == [(None, None), ("1", "2"), (None, None)]
    file.write_text('a.b\n""\n\n1\n')
    assert read_table(file).rows == [(None,), ("1",)]


def test_json_lines_keep_their_kinds_and_may_leave_columns_out(tmp_path: Path) -> None:
    file = tmp_path / "jobs.jsonl"
    file.write_text('{"a.b": 0.5, "c.d": true}\n\n{"c.d": null, "e.f": ""}\n', "utf-8")
    assert read_table(file) == Table(("a.b", "c.d", "e.f"), [(0.5, True, None), (None, None, "")])


def test_parquet_is_read(tmp_path: Path) -> None:
    file = tmp_path / "jobs.parquet"
    parquet.write_table(pyarrow.table({"a.b": [1, None], "c.d": ["x", "y"]}), file)
    assert read_table(file) == Table(("a.b", "c.d"), [(1, "x"), (None, "y")])


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("jobs.xlsx", b"", "no .csv, .tsv"),
        ("jobs.csv", b"", "has no rows"),
        ("jobs.csv", b"a.b\n", "has no rows"),
        ("jobs.csv", b"a.b,\n1,2\n", "no name for column 2"),
        ("jobs.csv", b"a.b,a.b\n1,2\n", "two columns a.b"),
        ("jobs.csv", b"a.b\n1\n1,2\n", "row 2 has 2 cells for 1 columns"),
        ("jobs.csv", b"a.b\n\xff\n", "not in UTF-8"),
        ("jobs.csv", b'a.b\n"x\n', "no CSV"),
        ("jobs.jsonl", b'{"a.b": 1}\n{', "line 2 is no JSON"),
        ("jobs.jsonl", b"[1]", "line 1 is no object"),
        ("jobs.parquet", b"PAR1", "no Parquet"),
    ],
)
def test_a_damaged_table_is_one_sentence(
    name: str, data: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LauncherError, match=words):
        read_table(tmp_path / name)


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match="There is no table"):
        read_table(tmp_path / "jobs.csv")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    write_csv(tmp_path / "jobs.csv", EXPECTED.columns, EXPECTED.rows)
    assert read_table(tmp_path / "jobs.csv") == EXPECTED


def test_a_grid_has_every_combination_of_lists_ranges_and_files(tmp_path: Path) -> None:
    (tmp_path / "mugs").mkdir()
    for name in ("b.png", "a.png"):
        (tmp_path / "mugs" / name).touch()
    lists = ["layer.mug.image=mugs/*.png", "sampler.seed=3..4,9", 'scene.prompt="a mug, red"']
    table = grid_table(lists, tmp_path)
    assert table.columns == ("layer.mug.image", "sampler.seed", "scene.prompt")
    assert [row[:2] for row in table.rows] == [
        (picture, seed) for picture in ("mugs/a.png", "mugs/b.png") for seed in ("3", "4", "9")
    ]
    assert {row[2] for row in table.rows} == {"a mug, red"}


@pytest.mark.parametrize("text", ["sampler.seed", "=1,2", "sampler.seed=", "sampler.seed=5..1"])
def test_a_grid_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match="--grid"):
        grid_table([text], tmp_path)


@pytest.mark.parametrize(
    ("lists", "rows"),
    [
        (["a.b=,x"], [(None,), ("x",)]),
        (["a.b=x,"], [("x",), (None,)]),
        (["a.b=,x", "c.d=1,"], [(None, "1"), (None, None), ("x", "1"), ("x", None)]),
    ],
)
def test_an_empty_value_of_a_grid_is_an_empty_cell(
    lists: list[str], rows: list[tuple[str | None, ...]], tmp_path: Path
) -> None:
    for _ in range(2):  # the same command again, to go on
        make_grid(tmp_path / "jobs.csv", lists)
        assert read_table(tmp_path / "jobs.csv").rows == rows


def test_a_grid_does_not_replace_another_table(tmp_path: Path) -> None:
    file = tmp_path / "jobs.csv"
    make_grid(file, ["a.b=1,2"])
    made = file.read_bytes()
    make_grid(file, ["a.b=1,2"])  # the same command again, to go on
    assert file.read_bytes() == made
    with pytest.raises(LauncherError, match="is not the one of --grid"):
        make_grid(file, ["a.b=1,3"])
    assert file.read_bytes() == made
