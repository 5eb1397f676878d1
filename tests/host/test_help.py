"""The help pages: one per node in each language, about every input and output, with a picture."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
from PIL import Image

from demo.examples import help_pictures

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "web" / "docs"
HEADINGS = {
    "en": ["Inputs", "Outputs", "How to use it", "Limits and errors"],
    "zh": ["输入", "输出", "用法示例", "限制与常见错误"],
}
SLOT = r"`(\w+)`(?:\uff08([^\uff09]+)\uff09)?"  # an id, in wide brackets its name
ITEM = re.compile(rf"- ((?:{SLOT}(?:, |\u3001)?)+)[:\uff1a]")  # one or several, and a colon
MESSAGE = re.compile(r'\*\*"(.+?)"\*\*', re.DOTALL)


@pytest.fixture
def schemas(pack):
    return {node.GET_SCHEMA().node_id: node.GET_SCHEMA() for node in pack.nodes.NODES}


def page(name: str, language: str) -> str:
    """The file that the page asks for: the language's own, else the one beside its folder."""
    file = DOCS / f"{name}.md" if language == "en" else DOCS / name / f"{language}.md"
    return file.read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def slots(section: str) -> list[tuple[str, str]]:
    """What a list says something about: id and the name in brackets."""
    heads = [match[1] for line in section.splitlines() if (match := ITEM.match(line))]
    return [found for head in heads for found in re.findall(SLOT, head)]


def test_there_is_a_page_per_node_and_language_and_nothing_else(schemas):
    wanted = {f"{name}.md" for name in schemas} | {f"{name}/zh.md" for name in schemas}
    wanted |= {f"pictures/{name}.jpg" for name in schemas}
    found = {str(file.relative_to(DOCS)) for file in DOCS.rglob("*") if file.is_file()}
    assert found == wanted


@pytest.mark.parametrize("language", HEADINGS)
def test_a_page_starts_with_the_node_s_name_and_has_every_section(schemas, language):
    names = json.loads((ROOT / "locales" / language / "nodeDefs.json").read_text("utf-8"))
    for name in schemas:
        text = page(name, language)
        assert text.startswith(f"# {names[name]['display_name']}\n"), name
        assert list(sections(text)) == HEADINGS[language], name
        assert all(len(body.strip()) > 3 for body in sections(text).values()), name


@pytest.mark.parametrize("language", HEADINGS)
def test_a_page_tells_of_every_input_and_output_and_of_no_other(schemas, language):
    for name, schema in schemas.items():
        inputs, outputs, *_ = sections(page(name, language)).values()
        for section, wanted in ((inputs, schema.inputs), (outputs, schema.outputs)):
            told = [slot for slot, _ in slots(section)]
            assert sorted(told) == sorted(slot.id for slot in wanted), name


def test_chinese_pages_call_them_what_the_nodes_show(schemas):
    names = json.loads((ROOT / "locales/zh/nodeDefs.json").read_text("utf-8"))
    for name, schema in schemas.items():
        inputs, outputs, *_ = sections(page(name, "zh")).values()
        for slot, called in slots(inputs):
            assert (called or slot) == names[name]["inputs"][slot]["name"], (name, slot)
        numbers = {output.id: str(number) for number, output in enumerate(schema.outputs)}
        for slot, called in slots(outputs):
            assert called == names[name]["outputs"][numbers[slot]]["name"], (name, slot)


@pytest.mark.parametrize("language", HEADINGS)
def test_a_page_has_its_picture_and_fetches_nothing_else(schemas, language):
    for name in schemas:
        # the page looks for it below docs/, whatever folder the text lies in
        wanted = [f"pictures/{name}.jpg"]
        assert re.findall(r"!?\[[^\]]+\]\(([^)]*)\)", page(name, language)) == wanted, name
        assert "<" not in page(name, language), name


def test_pictures_fit_the_page_and_a_command_makes_each(schemas):
    made = {*help_pictures.PICTURES, *help_pictures.TAKEN}
    assert made == set(schemas)
    for name in schemas:
        file = DOCS / "pictures" / f"{name}.jpg"
        with Image.open(file) as picture:
            assert picture.width <= 800, name
        assert file.stat().st_size < 100_000, name


@pytest.mark.parametrize("language", HEADINGS)
def test_the_messages_that_pages_quote_are_those_of_the_pack(schemas, language):
    said = [text for folder in ("collage_core", "nodes") for text in messages(ROOT / folder)]
    for name in schemas:
        quoted = MESSAGE.findall(page(name, language))
        assert quoted, name
        for message in quoted:
            parts = [part.strip() for part in " ".join(message.split()).split("...")]
            assert any(all(part in text for part in parts) for text in said), (name, message)


def messages(folder: Path) -> list[str]:
    """Every text in the code, with a mark where a value is put in."""
    found = []
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            elif isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
                found.append("".join(map(str, parts)))
    return found
