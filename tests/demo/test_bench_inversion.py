"""`run.py bench inversion`: its objects, its tables, and one small run that is taken up again."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from collage_core.attention.bias import DEFAULT_SCHEDULE
from demo import world
from demo.judges import judge

REPO = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found():
    from demo.evaluate.concepts import REPORT_SEED, concepts

    return concepts(REPORT_SEED, 4, 0.8)


def test_the_object_is_named_by_its_kind_alone(found) -> None:
    for concept in found:
        assert concept.layer.text == concept.noun
        assert len(re.findall(rf"\ba {concept.noun}\b", concept.collage.prompt)) == 1
        assert concept.collage.phrases.regions, "every layer's words stand in the prompt"


def test_every_second_object_is_repainted(found) -> None:
    assert [concept.unusual for concept in found] == [False, True, False, True]
    for concept in found:
        layer = world.scene(concept.seed, "toys").layers[concept.index]
        same = torch.equal(concept.layer.image[0], torch.from_numpy(layer.rgba[..., :3]))
        assert same != concept.unusual


def test_objects_to_choose_by_are_others_than_those_reported(found) -> None:
    from demo.evaluate.concepts import TUNING_SEED, concepts

    assert not {concept.seed for concept in concepts(TUNING_SEED, 4, 0.8)} & {
        concept.seed for concept in found
    }


def test_what_a_scene_names_is_looked_for_one_by_one() -> None:
    from demo.evaluate.changed_scenes import ChangedScene, obeyed

    kinds = torch.full((32, 32), world.KINDS.index("wall"))
    colors = torch.full((32, 32), judge.COLORS.index("blue"))
    kinds[16:] = world.KINDS.index("floor")
    kinds[20:24, 4:8] = world.KINDS.index("cube")
    nothing = torch.zeros_like(colors)
    seen = judge.Sighting(kinds, colors, nothing, torch.full((len(world.KINDS),), 20.0))
    scene = ChangedScene("", "blue", "floor", ("red", "ball"))
    assert obeyed(seen, scene, "cube") == [True, True, True, False]
    assert obeyed(seen, ChangedScene("", "pink", "table"), "star") == [False, False, False]


def test_tables_count_won_tied_and_lost_runs() -> None:
    from demo.bench.inversion.tables import preset_table

    common = {"features": 0.5, "colour": 0.5, "texture": 0.5, "obeyed": 3, "named": 4}
    runs = [
        {"method": name, "number": number, "seed": 1, "unusual": bool(number), "fidelity": value}
        | common
        for name, values in {"none": (0.5, 0.5, 0.5), "paper": (0.6, 0.505, 0.4)}.items()
        for number, value in enumerate(values)
    ]
    table = preset_table(runs, ["none", "paper"])
    row = table.splitlines()[-1]
    assert "| 1 / 1 / 1 |" in row
    assert "| 50.2 |" in row
    assert "| 75.0 |" in row


@pytest.mark.slow
def test_a_run_is_measured_written_and_not_repeated(tmp_path: Path, capsys) -> None:
    from demo.bench.inversion import command as bench

    small = f"--looks 1 --seeds 1 --quick --steps 2 --workers 1 --output {tmp_path}".split()
    small += ["--methods", "none,preview"]
    command = [sys.executable, "-P", "-m", "demo.bench", "inversion", *small]
    run = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    log = tmp_path / "presets" / "runs.jsonl"
    runs = {line["method"]: line for line in map(json.loads, log.read_text().splitlines())}
    assert runs["preview"]["steps"] == 2
    assert runs["preview"]["passes"] > 2 * 4 * 2
    assert 0 < runs["none"]["fidelity"] < 1
    assert (tmp_path / "presets" / "sheet.png").exists()
    bench.main(small)
    assert "object 0, seed" not in capsys.readouterr().out
    assert len(log.read_text().splitlines()) == 2

    two = ["--workers", "2", "--methods", "none", "--schedule", "paper"]  # each a process
    bench.main([*small, *two])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["sampling"]["schedule"] for line in lines] == 2 * [DEFAULT_SCHEDULE] + ["paper"]
    assert lines[2]["fidelity"] != runs["none"]["fidelity"]
    assert f"| {100 * lines[2]['fidelity']:.1f} |" in capsys.readouterr().out
