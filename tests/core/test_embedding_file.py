"""The embedding files of the common tools: what is read, what is written, what is refused."""

from __future__ import annotations

import json
import os
import pickle
import struct
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from collage_core.errors import CollageError
from collage_core.storage import embedding_file
from collage_core.storage.embedding_file import (
    describe_vectors,
    read_embedding,
    read_with_metadata,
    slug_of,
    write_embedding,
)


def table(width: int, count: int = 2, seed: int = 7) -> torch.Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def refused(path: Path) -> str:
    with pytest.raises(CollageError) as error:
        read_embedding(path)
    assert str(path.parent) not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("widths", "keys", "architecture"),
    [
        ({"l": 768}, {"emb_params": 768}, "stable-diffusion-v1/textual-inversion"),
        ({"h": 1024}, {"emb_params": 1024}, "stable-diffusion-v2-512/textual-inversion"),
        (
            {"l": 768, "g": 1280},
            {"clip_l": 768, "clip_g": 1280},
            "stable-diffusion-xl-v1-base/textual-inversion",
        ),
        ({"l": 128}, {"emb_params": 128}, None),
    ],
)
def test_what_is_written_the_common_library_reads(
    tmp_path: Path, widths: dict[str, int], keys: dict[str, int], architecture: str | None
):
    vectors = {encoder: table(width) for encoder, width in widths.items()}
    write_embedding(tmp_path / "look.safetensors", vectors, {"collage.steps": 150})
    read = load_file(tmp_path / "look.safetensors")
    assert {key: value.shape for key, value in read.items()} == {
        key: (2, width) for key, width in keys.items()
    }
    assert all(value.dtype == torch.float32 for value in read.values())
    by_width = {value.shape[1]: value for value in read.values()}
    assert_close(by_width, {v.shape[1]: v for v in vectors.values()}, rtol=0, atol=0)
    with safe_open(tmp_path / "look.safetensors", "pt") as file:
        metadata = file.metadata()
    assert metadata["collage.steps"] == "150"
    assert metadata["modelspec.title"] == metadata["modelspec.trigger_phrase"] == "look"
    assert metadata.get("modelspec.architecture") == architecture
    assert str(tmp_path) not in str(metadata)
    ours, strings = read_with_metadata(tmp_path / "look.safetensors")
    assert_close(ours, vectors, rtol=0, atol=0)
    assert strings == metadata


@pytest.mark.parametrize(
    ("tensors", "encoders"),
    [
        ({"emb_params": table(768).half()}, {"l"}),
        ({"<my-cat>": table(768)[0]}, {"l"}),
        ({"*": table(1024, 3).bfloat16()}, {"h"}),
        ({"clip_l": table(64), "clip_g": table(64)}, {"l", "g"}),
        ({"text_encoders_0": table(768), "text_encoders_1": table(1280)}, {"l", "g"}),
        ({"emb_params": table(128)}, {"l"}),
    ],
)
def test_files_of_other_tools_are_read_in_float32(
    tmp_path: Path, tensors: dict[str, torch.Tensor], encoders: set[str]
):
    save_file(tensors, tmp_path / "look.safetensors")
    read = read_embedding(tmp_path / "look.safetensors")
    assert set(read) == encoders
    for found, saved in zip(read.values(), tensors.values(), strict=True):
        assert found.dtype == torch.float32
        assert_close(found, saved.float().reshape(-1, saved.shape[-1]), rtol=0, atol=0)


def test_vectors_read_inside_a_node_can_be_trained(tmp_path: Path):
    write_embedding(tmp_path / "look.safetensors", {"l": table(8)}, {})
    with torch.inference_mode():
        vectors = read_embedding(tmp_path / "look.safetensors")["l"]
    vectors.requires_grad_().mul(2).sum().backward()


def nan() -> torch.Tensor:
    return table(768).index_put((torch.tensor(1), torch.tensor(5)), torch.tensor(torch.nan))


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ({"emb_params": nan()}, 'tensor "emb_params", holds NaN or infinite numbers'),
        ({"emb_params": table(768) * torch.tensor([[1.0], [0.0]])}, "in vector 2 of 2"),
        ({"emb_params": table(768)[None]}, "is of shape [1, 2, 768] in float32"),
        ({"emb_params": table(768)[:0]}, "is of shape [0, 768]"),
        ({"emb_params": torch.ones(2, 768, dtype=torch.int64)}, "in int64"),
        ({"<a>": table(768), "<b>": table(768)}, '"<a>", "<b>". Keep one'),
        ({"clip_l": table(768), "clip_g": table(1280, 3)}, "(3 for g, 2 for l)"),
        ({str(n): table(8) for n in range(17)}, "holds 17 tensors, more than 16"),
        ({}, "holds no vectors"),
    ],
)
def test_what_is_no_embedding_is_refused_with_its_name(
    tmp_path: Path, tensors: dict[str, torch.Tensor], words: str
):
    save_file(tensors, tmp_path / "look.safetensors")
    message = refused(tmp_path / "look.safetensors")
    assert message.startswith('The embedding file "look.safetensors"')
    assert words in message


ODD_HEADERS = {
    "one offset": {"data_offsets": [0]},
    "three offsets": {"data_offsets": [0, 6144, 6144]},
    "offsets in words": {"data_offsets": ["0", "many"]},
    "an endless shape": {"shape": [float("inf"), 768]},
    "a shape in words": {"shape": ["two", 768]},
}


def damaged(data: bytes) -> dict[str, bytes]:
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])

    def with_header(**changes: object) -> bytes:
        entry = {**header["emb_params"], **changes}
        text = json.dumps({"emb_params": entry}).encode()
        return struct.pack("<Q", len(text)) + text + data[8 + size :]

    deep = b'{"a":' * 50_000
    return {
        "nothing": b"",
        "cut in the header": data[: 8 + size // 2],
        "cut in the numbers": data[:-1],
        "more than it says": data + b"\0",
        "a page of the web": b"<!DOCTYPE html><html></html>",
        "a header of 100 MB": struct.pack("<Q", 100_000_000) + data[8:],
        "a deep header": struct.pack("<Q", len(deep)) + deep,
        "an unknown kind": with_header(dtype="F128"),
        "a huge shape": with_header(shape=[2**40, 768]),
        "a negative shape": with_header(shape=[-2, -768]),
        "an offset outside": with_header(data_offsets=[10_000, 10_000 + 6144]),
        "an offset before": with_header(data_offsets=[-6144, 0]),
        "no offsets": with_header(data_offsets=None),
        **{kind: with_header(**changes) for kind, changes in ODD_HEADERS.items()},
        "a pickle": pickle.dumps({"string_to_param": {}}),
    }


@pytest.mark.parametrize("kind", ODD_HEADERS)
def test_numbers_of_a_header_that_are_none_are_told_as_such(tmp_path: Path, kind: str):
    path = tmp_path / "look.safetensors"
    save_file({"emb_params": table(768)}, path)
    path.write_bytes(damaged(path.read_bytes())[kind])
    assert "has a damaged header" in refused(path)


@pytest.mark.parametrize("kind", list(damaged(b"\x12\0\0\0\0\0\0\0" + b'{"emb_params": {}}')))
def test_damaged_files_are_refused_in_one_sentence(tmp_path: Path, kind: str):
    path = tmp_path / "look.safetensors"
    save_file({"emb_params": table(768)}, path)
    path.write_bytes(damaged(path.read_bytes())[kind])
    assert "Download or export it again" in refused(path)


def test_a_file_that_is_gone_or_far_too_large_is_refused(tmp_path: Path):
    assert "cannot be read (No such file" in refused(tmp_path / "look.safetensors")
    with open(tmp_path / "model.safetensors", "wb") as file:
        file.truncate(embedding_file.MAX_FILE_BYTES + 1)
    assert "has more than 50 MB" in refused(tmp_path / "model.safetensors")


def test_a_header_that_is_long_to_read_is_refused(tmp_path: Path):
    save_file({"emb_params": table(768)}, tmp_path / "look.safetensors", {"note": "x" * 2_000_000})
    assert "has a header of more than 1 MB" in refused(tmp_path / "look.safetensors")


class Harm:
    """A pickle of this makes a folder when it is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("suffix", [".pt", ".bin", ".ckpt", ".PT"])
def test_a_pickle_is_refused_unopened(tmp_path: Path, suffix: str):
    path = tmp_path / f"look{suffix}"
    path.write_bytes(pickle.dumps(Harm(tmp_path / "harm")))
    assert f"python3 run.py convert-embedding look{suffix}" in refused(path)
    path.replace(tmp_path / "look.safetensors")
    assert "is not a safetensors file" in refused(tmp_path / "look.safetensors")
    assert not (tmp_path / "harm").exists()


def test_writing_never_touches_another_file(tmp_path: Path):
    path = tmp_path / "look.safetensors"
    path.write_bytes(b"of someone else")
    with pytest.raises(FileExistsError):
        write_embedding(path, {"l": table(768)}, {})
    assert path.read_bytes() == b"of someone else"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("vectors", [{"l": nan()}, {"l": table(768), "g": table(1280, 3)}, {}])
def test_vectors_that_nothing_could_read_are_not_written(
    tmp_path: Path, vectors: dict[str, torch.Tensor]
):
    with pytest.raises(CollageError):
        write_embedding(tmp_path / "look.safetensors", vectors, {})
    assert list(tmp_path.iterdir()) == []


def test_metadata_is_short_strings_that_every_reader_takes(tmp_path: Path):
    path = tmp_path / "look.safetensors"
    write_embedding(path, {"l": table(768)}, {"long": "x" * 9000, "odd": 'é"\n\ud800', "n": 0.5})
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert len(metadata["long"]) == 2000
    assert (metadata["odd"], metadata["n"]) == ('é"\n?', "0.5")


def test_many_vectors_are_a_note_and_no_error(tmp_path: Path):
    write_embedding(tmp_path / "look.safetensors", {"l": table(768, 17)}, {})
    vectors = read_embedding(tmp_path / "look.safetensors")
    assert "17 learned vectors" in describe_vectors(vectors)[0]
    assert describe_vectors({"l": table(768, 16)}) == ()


@pytest.mark.parametrize(
    ("phrase", "slug"),
    [
        ("salmon sushi", "salmon-sushi"),
        ("  Étoile, (bleue:1.2)! ", "etoile-bleue-1-2"),
        ("../../nodes/__init__.py", "nodes-__init__-py"),
        ("C:\\con\0", "c-con"),
        ("寿司", "layer"),
        ("", "layer"),
        ("a" * 39 + " bear", "a" * 39),
    ],
)
def test_a_slug_is_a_plain_part_of_a_file_name(phrase: str, slug: str):
    assert slug_of(phrase) == slug == slug_of(slug)


def test_clip_and_t5_stand_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "both.safetensors"
    save_file({"clip_l": torch.ones(2, 768), "t5xxl": torch.ones(2, 4096)}, path)
    read = read_embedding(path)
    assert {encoder: table.shape for encoder, table in read.items()} == {
        "l": (2, 768), "t5xxl": (2, 4096),
    }  # fmt: skip
