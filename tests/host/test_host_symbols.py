"""Every list of host symbols can be read, names all that its file reaches, and is true here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tools import host_symbols
from tools.host_symbols import FOLDER, TITLE, Symbol, listed, problem, symbols_of

FILES = sorted(FOLDER.glob("**/*.py"))
HOST = ("comfy", "comfy_execution", "folder_paths", "latent_preview", "server")


@pytest.fixture(autouse=True)
def _host(pack) -> None:
    """The symbols are those of the host that the pack was loaded in."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_name_of_a_list_is_there(file: Path) -> None:
    assert [found for symbol in symbols_of(file) if (found := problem(symbol))] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_lists_every_name_that_it_reaches(file: Path) -> None:
    """Where this fails: add the name to the list, or take the import out."""
    names = {f"{s.owner}.{s.member}" if s.member else s.owner for s in symbols_of(file)}
    known = names | {symbol.owner for symbol in symbols_of(file)}
    reached = _reached(ast.parse(file.read_text("utf-8")))
    assert {name for name in reached if not _covered(name, known)} == set()
    assert bool(known) == (f"\n{TITLE}\n" in file.read_text("utf-8"))


def _covered(name: str, known: set[str]) -> bool:
    return any(name == other or other.startswith(f"{name}.") for other in known)


def _reached(tree: ast.Module) -> set[str]:
    """The longest dotted names that begin with something imported from the host."""
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                imported[alias.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom) and not node.level:
            imported |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    imported = {own: name for own, name in imported.items() if name.split(".")[0] in HOST}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            own, _, rest = ast.unparse(node).partition(".")
            if own in imported and rest.replace(".", "").isidentifier() | (not rest):
                found.add(".".join(filter(None, [imported[own], rest])))
    return {name for name in found if not any(o.startswith(f"{name}.") for o in found)}


def test_lists_are_long() -> None:
    assert len(listed()) > 200
    assert len({symbol.file for symbol in listed()}) > 20


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("comfy.samplers.no_such_sampler", "is not there"),
        ("comfy.no_such_module.thing", "is not there"),
        ("comfy.samplers.KSAMPLER: no_such_option", "KSAMPLER.no_such_option is not there"),
        ('comfy.samplers.KSAMPLER: "no_such_word"', '"no_such_word" in comfy.samplers.KSAMPLER'),
        ("comfy.sample.prepare_noise(latent_image, noise_inds)", "now takes (latent_image, seed"),
        ("comfy.sample.prepare_noise(latent_image)", "now takes (latent_image, seed, noise_inds)"),
        ("comfy.sample.prepare_noise(latent_image, *, seed, dice)", "now takes"),
        ("comfy.samplers.KSAMPLER: sample()", "now takes (model_wrap, sigmas"),
        ("comfy.samplers.KSampler: SAMPLERS()", "can no longer be called"),
    ],
)
def test_a_change_of_the_host_is_told(tmp_path: Path, line: str, words: str) -> None:
    file = _file(tmp_path, line)
    assert [words in problem(symbol) for symbol in symbols_of(file)] == [True]


def test_a_long_line_goes_on_below(tmp_path: Path) -> None:
    line = "comfy.samplers.KSAMPLER(sampler_function):\n        extra_options, inpaint_options"
    names = [symbol.member for symbol in symbols_of(_file(tmp_path, line))]
    assert names == ["", "extra_options", "inpaint_options"]


@pytest.mark.parametrize(
    "line",
    [
        "comfy.sample.prepare_noise(latent_image, *, seed)",
        "comfy.samplers.KSAMPLER: sampler_function",
        "comfy.model_sampling.ModelSamplingDiscrete: sigmas",
        'comfy.samplers.KSAMPLER: sample, "disable_pbar"',
    ],
)
def test_what_is_as_it_was_is_not_told(tmp_path: Path, line: str) -> None:
    assert not any(map(problem, symbols_of(_file(tmp_path, line))))


@pytest.mark.parametrize("line", ["the KSAMPLER of comfy", "comfy.samplers: a b", "comfy: a(b"])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=r"x\.py: .* is no line of a list of host symbols"):
        symbols_of(_file(tmp_path, line))


def test_a_name_tells_its_file_and_its_place() -> None:
    symbol = Symbol("x.py", "comfy.samplers", "calc", "(a, b)")
    assert str(symbol) == "comfy.samplers.calc(a, b)"
    assert host_symbols.find("comfy.samplers.KSampler").__name__ == "KSampler"


def _file(folder: Path, line: str) -> Path:
    file = folder / "x.py"
    file.write_text(f'"""One line.\n\n{TITLE}\n    {line}\n"""\n')
    return file


def test_the_canary_says_what_it_found(monkeypatch, capsys) -> None:
    import comfy.k_diffusion.sampling as sampling
    import comfy.samplers

    from tools import canary

    assert canary.main() == 0
    assert re.fullmatch(r"ComfyUI [\d.]+: \d{3} names and words .*, 0 findings\n", _out(capsys))

    def new_sde(model, x, sigmas, extra_args=None, callback=None, noise_sampler=None): ...

    names = [*comfy.samplers.KSampler.SAMPLERS, "new_sde"]
    monkeypatch.setattr(comfy.samplers.KSampler, "SAMPLERS", names)
    monkeypatch.setattr(sampling, "sample_new_sde", new_sde, raising=False)
    monkeypatch.delattr(comfy.samplers, "calc_cond_batch")
    assert canary.main() == 1
    told = _out(capsys)
    assert "\n  sampling/solver.py: how new_sde makes the noise of its steps is unknown.\n" in told
    assert "\n  attention/replay.py: comfy.samplers.calc_cond_batch is not there" in told


def _out(capsys) -> str:
    return capsys.readouterr().out
