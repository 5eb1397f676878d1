"""The pack and ComfyUI in one process, to measure without a server."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import comfy.cli_args
import torch

ROOT = Path(__file__).resolve().parents[1]

# ComfyUI looks for a GPU when its modules are imported
comfy.cli_args.args.cpu = not torch.cuda.is_available()


def host_nodes() -> ModuleType:
    """ComfyUI's nodes.py."""
    return importlib.import_module("nodes")


def load_pack() -> ModuleType:
    """The pack under another name, because its folder `nodes` must not hide ComfyUI's nodes.py."""
    name = "collage_pack"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]
