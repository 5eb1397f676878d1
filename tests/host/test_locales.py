"""The page's texts in every language: one for each node, input, output and tooltip, no more."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from demo.examples.locales import english

LOCALES = Path(__file__).parents[2] / "locales"
LANGUAGES = sorted(folder.name for folder in LOCALES.iterdir())
COMPILED = re.compile(r"[{}@|]")  # the page reads names and descriptions as patterns
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def texts(language: str, file: str) -> dict:
    return json.loads((LOCALES / language / file).read_text(encoding="utf-8"))


@pytest.fixture
def schemas(pack):
    return {node.GET_SCHEMA().node_id: node.GET_SCHEMA() for node in pack.nodes.NODES}


def test_there_are_english_and_simplified_chinese():
    assert LANGUAGES == ["en", "zh"]


def test_english_is_what_the_schemas_say(pack):
    for file, wanted in english(pack.nodes.NODES).items():
        assert texts("en", file) == wanted, "write it with: python3 run.py examples --locales"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_node_input_and_output_is_there_and_nothing_else(schemas, language):
    found = texts(language, "nodeDefs.json")
    assert list(found) == list(schemas)
    for name, schema in schemas.items():
        assert list(found[name]) == ["display_name", "description", "inputs", "outputs"]
        slots = []
        for one in schema.inputs:
            itself, *grown = one.get_all()
            slots += [itself.id, *(f"{itself.id}_{slot.id}" for slot in grown)]
        assert list(found[name]["inputs"]) == slots, name
        assert list(found[name]["outputs"]) == [str(n) for n in range(len(schema.outputs))], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_and_can_be_read_by_the_page(language):
    for name, node in texts(language, "nodeDefs.json").items():
        slots = [*node["inputs"].items(), *node["outputs"].items()]
        for slot, said in slots:
            assert list(said) == ["name", "tooltip"], (name, slot)
            assert all(text.strip() for text in said.values()), (name, slot)
        compiled = [node["display_name"], node["description"], *(s["name"] for _, s in slots)]
        assert all(compiled), name
        assert not [text for text in compiled if COMPILED.search(text)], name


def test_chinese_says_all_of_it_in_chinese():
    for name, node in texts("zh", "nodeDefs.json").items():
        slots = [*node["inputs"].values(), *node["outputs"].values()]
        sentences = [node["display_name"], node["description"], *(s["tooltip"] for s in slots)]
        plain = [text for text in sentences if not CHINESE.search(text)]
        assert plain == [], name


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_inputs_of_a_node_have_the_same_name(language):
    for name, node in texts(language, "nodeDefs.json").items():
        for slots in (node["inputs"], node["outputs"]):
            named = [slot["name"] for slot in slots.values()]
            assert len(set(named)) == len(named), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_menu_has_a_name(schemas, language):
    menus = {part for schema in schemas.values() for part in schema.category.split("/")}
    found = texts(language, "main.json")
    assert list(found) == ["nodeCategories"]
    assert found["nodeCategories"].keys() == menus
    assert all(found["nodeCategories"].values())
