"""The convert-embedding command, from the command line to the file."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file, save_file

from launcher import checks, cli, convert
from tools import convert_embedding

L, G, H = torch.randn(2, 768), torch.randn(2, 1280), torch.randn(1024)


class Harm:
    """A pickle of this makes a folder when it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


def run(*arguments: object) -> int:
    return convert_embedding.main([str(argument) for argument in arguments])


A1111 = {
    "string_to_token": {"*": 265},
    "string_to_param": {"*": L},
    "name": "bear",
    "step": 1000,
    "sd_checkpoint": None,
}
PARAMETERS = {"string_to_param": torch.nn.ParameterDict({"*": torch.nn.Parameter(L)})}


@pytest.mark.parametrize(
    ("saved", "read", "told"),
    [
        ({"<krk>": H}, {"emb_params": H[None]}, "1 vector of 1024 numbers, for SD2.x"),
        (A1111, {"emb_params": L}, "2 vectors of 768 numbers, for SD1.x"),
        (PARAMETERS, {"emb_params": L}, "2 vectors of 768 numbers"),
        (L.half(), {"emb_params": L.half().float()}, "2 vectors of 768 numbers"),
        ({"clip_l": L, "clip_g": G}, {"clip_l": L, "clip_g": G}, "for SDXL"),
        ([{"<a>": L}, {"<a>": G}], {"clip_l": L, "clip_g": G}, "768 and 1280 numbers, for SDXL"),
        ({"<a>": torch.ones(1, 128)}, {"emb_params": torch.ones(1, 128)}, "of 128 numbers. In"),
    ],
)
def test_every_form_becomes_safetensors(tmp_path, capsys, saved, read, told) -> None:
    torch.save(saved, tmp_path / "bear.ti.pt")
    before = (tmp_path / "bear.ti.pt").read_bytes()
    assert run(tmp_path / "bear.ti.pt") == 0
    found = load_file(tmp_path / "bear.ti.safetensors")
    assert found.keys() == read.keys()
    for key, table in read.items():
        torch.testing.assert_close(found[key], table, rtol=0, atol=0)
    out = capsys.readouterr().out
    assert told in out
    assert "embedding:bear.ti" in out
    assert (tmp_path / "bear.ti.pt").read_bytes() == before


def test_a_file_of_the_older_kind_and_a_name_with_spaces(tmp_path) -> None:
    torch.save({"<a>": L}, tmp_path / "my bear (1).bin", _use_new_zipfile_serialization=False)
    assert run(tmp_path / "my bear (1).bin", "--output", tmp_path / "new" / "folder") == 0
    assert (tmp_path / "new" / "folder" / "my_bear_1_.safetensors").is_file()


def test_nothing_is_overwritten(tmp_path, capsys) -> None:
    torch.save({"<a>": L}, tmp_path / "bear.pt")
    (tmp_path / "bear.safetensors").write_bytes(b"mine")
    assert run(tmp_path / "bear.pt") == 1
    assert "There is a bear.safetensors already" in capsys.readouterr().err
    assert (tmp_path / "bear.safetensors").read_bytes() == b"mine"


def test_no_program_in_a_pickle_runs(tmp_path, capsys) -> None:
    for name, saved in (("plain", pickle.dumps(Harm(tmp_path / "harm"))), ("torch", None)):
        path = tmp_path / f"{name}.pt"
        if saved is None:
            torch.save({"<a>": L, "b": Harm(tmp_path / "harm")}, path)
        else:
            path.write_bytes(saved)
        assert run(path) == 1
        assert f'The file "{name}.pt" is damaged, or holds more' in capsys.readouterr().err
    assert not (tmp_path / "harm").exists()
    assert list(tmp_path.glob("*.safetensors")) == []


@pytest.mark.parametrize(
    ("saved", "words"),
    [
        ({"<a>": L * torch.nan}, "holds NaN"),
        ({"<a>": L, "<b>": L}, "Keep one embedding in a file"),
        ({"state": {"weights": [1, 2]}}, "holds no vectors"),
        (7, "holds no vectors"),
        ({"weight": torch.ones(3, 3, 3)}, "is of shape [3, 3, 3]"),
    ],
)
def test_what_is_no_embedding_is_told_in_one_sentence(tmp_path, capsys, saved, words) -> None:
    torch.save(saved, tmp_path / "bear.pt")
    assert run(tmp_path / "bear.pt") == 1
    told = capsys.readouterr().err
    assert words in told
    assert len(told.splitlines()) == 1


def test_damaged_and_converted_files_are_told(tmp_path, capsys) -> None:
    torch.save({"<a>": L}, tmp_path / "cut.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "cut.pt").read_bytes()[:-200])
    (tmp_path / "empty.pt").write_bytes(b"")
    save_file({"emb_params": L}, tmp_path / "done.safetensors")
    for name in ("cut.pt", "empty.pt"):
        assert run(tmp_path / name) == 1
        assert f'The file "{name}" is damaged' in capsys.readouterr().err
    assert run(tmp_path / "done.safetensors") == 1
    assert "is safetensors already" in capsys.readouterr().err


def test_the_command_hands_over_whole_paths(tmp_path, monkeypatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(convert, "find_host", lambda comfyui: SimpleNamespace(chosen=comfyui))
    monkeypatch.setattr(checks, "run_module", lambda *given: called.extend(given) or 0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pt").write_bytes(b"")
    options, rest = cli.parse(["convert-embedding", "a.pt", "--output", "b", "--comfyui", "/c"])
    assert cli.run(options, rest) == 0
    arguments = [str(tmp_path / "a.pt"), "--output", str(tmp_path / "b")]
    assert called == [SimpleNamespace(chosen="/c"), "tools.convert_embedding", arguments]


def test_a_missing_file_is_told_before_anything_is_set_up(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(convert, "find_host", lambda _: pytest.fail("the host was set up"))
    monkeypatch.setattr(cli.signal, "signal", lambda *_: None)
    assert cli.main(["convert-embedding", str(tmp_path / "gone.pt")]) == 1
    assert "There is no file" in capsys.readouterr().err
