"""The reader of collage documents on the cases that the page's reader is held to, too."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collage_core.collage import limits
from collage_core.collage.layer import Layer
from collage_core.errors import CollageError
from collage_core.files import document as reading
from collage_core.files import fields
from collage_core.files.document import DocumentLayer, read_document
from collage_core.imaging.colour import GREY
from collage_core.prompt.phrases import find_phrases

REPO = Path(__file__).absolute().parents[2]
CASES = REPO / "tests" / "documents"
VALID = sorted((CASES / "valid").glob("*.json"))
INVALID = json.loads((CASES / "invalid.json").read_text("utf-8"))
PHRASES = json.loads((CASES / "phrases.json").read_text("utf-8"))


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_valid_document_is_read_as_it_stands(file: Path):
    raw = json.loads(file.read_text("utf-8"))
    read = read_document(file.read_text("utf-8"))
    for name in ("width", "height", "background", "background_picture", "prompt"):
        default = fields.DOCUMENT_FIELDS[name].default
        assert getattr(read, name) == raw.get(name, default)
    assert (read.edit is not None) == ("edit" in raw)
    for layer, given in zip(read.layers, raw.get("layers", []), strict=True):
        assert told(layer, given) == {key: given[key] for key in given.keys() & told(layer, given)}


def told(layer: DocumentLayer, given: dict[str, Any]) -> dict[str, Any]:
    names = [name for name in given if name in fields.LAYER_FIELDS]
    values = {name: getattr(layer, "original" if name == "from" else name) for name in names}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


@pytest.mark.parametrize("case", INVALID, ids=lambda case: case["name"])
def test_an_invalid_document_says_what_is_wrong(case: dict[str, str]):
    with pytest.raises(CollageError) as error:
        read_document(case["document"])
    assert str(error.value) == f"CollageEditor, input document: {case['message']}"


@pytest.mark.parametrize("case", PHRASES, ids=lambda case: case["prompt"][:30])
def test_the_phrases_that_the_page_marks_are_those_of_a_run(case: dict[str, Any]):
    """Positions in the cases count UTF-16 units, as JavaScript does."""
    ids, texts = zip(*((one["id"], one["text"]) for one in case["layers"]), strict=True)
    bad = {*case["missing"], *case["crossing"]}
    if bad:
        with pytest.raises(CollageError) as error:
            find_phrases(case["prompt"], [*enumerate(texts, 1)])
        lines = [line for line in str(error.value).splitlines() if ", input text: " in line]
        told = {ids[int(line.split("layer ")[1].split()[0]) - 1] for line in lines}
        assert told == bad
        return
    found = find_phrases(case["prompt"], [*enumerate(texts, 1)])
    places = [
        {
            "start": units(case["prompt"], place.start),
            "end": units(case["prompt"], place.end),
            "ids": [ids[i] for i in region.layers],
        }
        for region in found.regions
        for place in region.places
    ]
    assert sorted(places, key=lambda one: (one["start"], -one["end"])) == case["places"]


def units(text: str, characters: int) -> int:
    return len(text[:characters].encode("utf-16-le")) // 2


def test_the_tables_are_those_that_the_page_is_held_to():
    def defaults(table: dict[str, fields.Field]) -> dict[str, Any]:
        return {
            name: None if field.default is fields.REQUIRED else field.default
            for name, field in table.items()
        }

    assert json.loads((CASES / "fields.json").read_text("utf-8")) == {
        "defaults": {
            "document": defaults(fields.DOCUMENT_FIELDS),
            "layer": defaults(fields.LAYER_FIELDS),
            "edit": defaults(fields.EDIT_FIELDS),
            "before": defaults(fields.BEFORE_FIELDS),
        },
        "ranges": {name: [*limit] for name, limit in limits.LAYER_RANGES.items()},
        "fits": [*limits.FITS],
        "flips": [*limits.FLIPS],
        "blends": [*limits.BLENDS],
        "sides": [*limits.CANVAS],
        "most_layers": limits.MAX_LAYERS,
        "most_bytes": reading.MAX_BYTES,
        "longest_text": fields.LONGEST_PROMPT,
    }


def test_defaults_are_those_of_a_layer_and_a_stack():
    settings = {
        name: fields.LAYER_FIELDS[name].default for name in (*limits.LAYER_RANGES, "fit", "visible")
    }
    assert settings == {name: Layer.__dataclass_fields__[name].default for name in settings}
    assert fields.DOCUMENT_FIELDS["background"].default == GREY


def test_unknown_keys_are_kept_out_and_named():
    read = read_document((CASES / "valid" / "unknown_keys.json").read_text("utf-8"))
    assert read.unknown == (
        'Document: the key "made_by" is unknown and changes nothing.',
        'Layer 1: the key "colour" is unknown and changes nothing.',
    )


def test_the_size_of_a_document_has_a_limit():
    filled = '{"version": 1, "xx": "' + "ä" * (128 * 1024 - 12) + '"}'
    assert len(filled.encode()) == reading.MAX_BYTES
    read_document(filled)
    with pytest.raises(CollageError, match="has more than 256 KiB"):
        read_document(filled + " ")


def test_older_versions_are_brought_up_step_by_step(monkeypatch: pytest.MonkeyPatch):
    """Steps are pure: what was given stays as it was."""
    given = {"version": 1, "scene": "a mug"}
    steps = {
        1: lambda raw: {"words": raw["scene"]},
        2: lambda raw: {"prompt": raw["words"]},
    }
    monkeypatch.setattr(reading, "VERSION", 3)
    monkeypatch.setattr(reading, "STEPS", steps)
    monkeypatch.setitem(
        fields.DOCUMENT_FIELDS, "version", fields.Field(lambda value: value == 3, "")
    )
    assert read_document(json.dumps(given)).prompt == "a mug"
    assert given == {"version": 1, "scene": "a mug"}
    assert read_document('{"version": 3, "prompt": "tea"}').prompt == "tea"
    with pytest.raises(CollageError, match=r"document version 4, this one reads 3\)\. Update"):
        read_document('{"version": 4}')


def test_the_reader_needs_no_torch():
    code = (
        f"import sys; sys.path.insert(0, {str(REPO)!r}); sys.modules['torch'] = None\n"
        "from collage_core.files.document import read_document\n"
        f"print(read_document(open({str(VALID[0])!r}, encoding='utf-8').read()).width)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("512\n", "")


def test_no_document_does_more_than_be_read_or_be_refused():
    """In a child with little memory, which a crash or a flood would end."""
    script = [sys.executable, str(Path(__file__).with_name("fuzz_documents.py")), "20000"]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert 1000 < int(done.stdout) < 15000


@pytest.mark.parametrize("depth", [2000, 120_000])
def test_deep_nesting_is_refused_like_anything_else_that_is_no_document(depth: int):
    with pytest.raises(CollageError, match="is not a JSON object"):
        read_document('{"version": 1, "x": ' + "[" * depth + "]" * depth + "}")
