"""The embedding store and CollageEmbeddingLoad over a folder of the test's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from collage_core.storage.embedding_file import write_embedding


@pytest.fixture
def folder(pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The one folder where the host looks for embeddings."""
    import folder_paths

    extensions = folder_paths.folder_names_and_paths["embeddings"][1]
    folder = tmp_path / "models" / "embeddings"
    entry = ([str(folder)], extensions)
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "embeddings", entry)
    return folder


@pytest.fixture
def store(pack, folder: Path, monkeypatch: pytest.MonkeyPatch):
    module = importlib.import_module(f"{pack.nodes.__name__}.host.inversion.store")
    for name, empty in (("UNWRITTEN", {}), ("WRITTEN", set()), ("GONE", [])):
        monkeypatch.setattr(module, name, empty)
    return module


@pytest.fixture
def vectors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    return {"l": torch.randn(2, 768, generator=generator)}


@pytest.fixture
def put(folder: Path, vectors) -> Callable[..., Path]:
    """Write an embedding file into the folder, of two vectors for SD1 unless told otherwise."""

    def write(name: str, tables: dict[str, torch.Tensor] | None = None) -> Path:
        path = folder / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_embedding(path, tables or vectors, {})
        return path

    return write
