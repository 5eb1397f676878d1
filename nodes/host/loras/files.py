"""The LoRA files that ComfyUI lists, read without pickle.

Host symbols:
    folder_paths: get_filename_list(folder_name), get_full_path(folder_name, filename)
    comfy.lora_convert.convert_lora(sd)
"""

from __future__ import annotations

from pathlib import Path

import comfy.lora_convert
import folder_paths
import torch
from safetensors.torch import load_file

from ....collage_core.errors import CollageError, quoted
from ....collage_core.storage.content_key import content_key

SUFFIX = ".safetensors"


def lora_names() -> list[str]:
    """Every listed LoRA that can be read, for example "fox.safetensors" or "animals/fox..."."""
    names = folder_paths.get_filename_list("loras")
    return [name for name in names if name.lower().endswith(SUFFIX)]


def lora_path(name: str) -> Path:
    """The file of one of `lora_names`. The message of the CollageError goes on from an input."""
    if not name.lower().endswith(SUFFIX):
        raise CollageError(
            f"{quoted(name)} is no safetensors file, and files of other kinds can run programs. "
            "Choose a LoRA whose name ends in .safetensors."
        )
    listed = name in folder_paths.get_filename_list("loras")
    path = folder_paths.get_full_path("loras", name) if listed else None
    if path is None:
        raise CollageError(
            f"there is no LoRA {quoted(name)} in models/loras. Put the file there, or choose "
            "another."
        )
    return Path(path)


def lora_key(name: str) -> str:
    """Changes with the file; "absent" when it cannot be read."""
    try:
        found = lora_path(name).stat()
    except (CollageError, OSError):
        return "absent"
    return content_key(name=name, size=found.st_size, changed=found.st_mtime_ns)


def list_key() -> str:
    """Changes with any listed LoRA; for a name that comes over a link."""
    return content_key(files=[lora_key(name) for name in lora_names()])


def read_lora(name: str, where: str) -> dict[str, torch.Tensor]:
    """The weights of a LoRA by their names, in the form that ComfyUI maps to models."""
    try:
        weights = load_file(lora_path(name))
        return comfy.lora_convert.convert_lora(weights)
    except CollageError as error:
        raise CollageError(f"{where}: {error}") from error
    except Exception as error:
        raise CollageError(
            f"{where}: the LoRA {quoted(name)} cannot be read "
            f"({type(error).__name__}). Put a sound file into models/loras."
        ) from error
