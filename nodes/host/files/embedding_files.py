"""The embeddings that ComfyUI lists, by the names that prompts use.

ComfyUI reads `embedding:NAME` from any folder below models/embeddings, in no defined order, and
prefers NAME.safetensors to other suffixes.

Host symbols:
    folder_paths: get_filename_list(folder_name), get_full_path(folder_name, filename)
    folder_paths: get_folder_paths(folder_name)
    comfy.sd1_clip.load_embed: ".safetensors"
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import folder_paths

from ....collage_core.collage.layer import Embedding
from ....collage_core.errors import CollageError, quoted
from ....collage_core.prompt.syntax import read_prompt
from ....collage_core.storage.content_key import content_key
from ....collage_core.storage.embedding_file import SUFFIX, read_embedding
from .queued_graph import is_used

LEARNED = re.compile(r"col_.+_[0-9a-f]{10}(?:[0-9a-f]{8})?")  # names of inversion.store


def embedding_names() -> list[str]:
    """Every listed embedding without its suffix, for example "fur" or "animals/fur"."""
    return sorted({str(file.with_suffix("")) for file in _listed()})


def embedding_path(choice: str) -> Path:
    """The file of one of `embedding_names`. Raises CollageError unless there is exactly one."""
    wanted = choice.replace("\\", "/")
    files = [file for file in _listed() if wanted in (str(file), str(file.with_suffix("")))]
    files.sort(key=lambda file: file.suffix.lower() != SUFFIX)
    path = folder_paths.get_full_path("embeddings", str(files[0])) if files else None
    if path is None:
        raise CollageError(
            f"there is no embedding {quoted(choice)} in models/embeddings. "
            f"Put {quoted(f'{PurePosixPath(wanted).stem}{SUFFIX}')} there, or choose another."
        )
    name = files[0].with_suffix("").name
    others = {str(file.parent) for file in _listed() if file.with_suffix("").name == name}
    if len(others) > 1:
        raise CollageError(
            f"{quoted(name)} lies in several folders of models/embeddings, and a prompt may read "
            "any of them. Rename one."
        )
    return Path(path)


def named_embedding(choice: str) -> Embedding:
    """The embedding of one of `embedding_names`. Raises CollageError where it cannot be used."""
    path = embedding_path(choice)
    return Embedding(name=path.stem, vectors=read_embedding(path))


def file_hash(choice: str) -> str:
    """The SHA-256 of an embedding's file; "absent" when it cannot be read."""
    try:
        return _digest(embedding_path(choice))
    except CollageError:
        return "absent"


def _digest(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "absent"


def list_hash() -> str:
    """Hash of all listed files; used when the name comes over a link and is unknown at validation.

    Results of Layer Textual Inversion do not count: their names hold their keys.
    """
    found = _paths(file for file in _listed() if not LEARNED.fullmatch(file.stem))
    return content_key(files=[(str(p), (s := p.stat()).st_mtime_ns, s.st_size) for p in found])


def texts_hash(*texts: str | None) -> str:
    """Hash of all files that `embedding:NAME` in one of the texts may be read from.

        texts_hash("a embedding:fur bear")

    A text is None while it comes over a link; then all listed files count. Empty where the texts
    name no embedding.
    """
    if None in texts:
        return list_hash()
    names = {one.name for text in texts for one in read_prompt(str(text)).embeddings}
    files = {name: [_digest(path) for path in _paths(_meant(name))] for name in sorted(names)}
    return content_key(files=files) if files else ""


def check_written(node: Any, output: int, words: Iterable[Embedding | None]) -> None:
    """Raise CollageError for a prompt output that names an embedding without a file.

    The text encoders of other nodes leave it out, and the picture is another one. output: the
    number of the prompt output of the running node's class; it may be unused, then all is well.
    """
    missing = [one.name for one in words if one is not None and not is_there(one.name)]
    if missing and is_used(node, output):
        schema = node.define_schema()
        raise CollageError(
            f"{schema.node_id}, output {schema.outputs[output].id}: models/embeddings has no file "
            f"{quoted(f'{missing[0]}{SUFFIX}')}, and the node linked to it would leave out what "
            "was learned. Make the folder writable, free some space and run again, or put the "
            "file back; or take the link off and use positive of MaskedCrossAttentionPatch, "
            "which knows it."
        )


def is_there(name: str) -> bool:
    """Whether a text encoder finds the name now."""
    return any(path.is_file() for path in files_of(name))


def files_of(name: str) -> list[Path]:
    """Where the file of a name may lie, best first: at the top of a folder, or where it is listed.

    ComfyUI's list may be half a second old, and results of ours are written to the top.
    """
    folders = folder_paths.get_folder_paths("embeddings")
    own = [Path(folder) / f"{name}{SUFFIX}" for folder in folders]
    return [*dict.fromkeys([*own, *_paths(_meant(name))])]


def _meant(name: str) -> list[PurePosixPath]:
    """The listed files that ComfyUI may read for a name, in any folder and with any suffix."""
    wanted = "/" + name.replace("\\(", "(").replace("\\)", ")").replace("\\", "/")
    ways = [(file, f"/{file}", f"/{file.with_suffix('')}") for file in _listed()]
    return sorted(file for file, *spelt in ways if any(one.endswith(wanted) for one in spelt))


def _paths(files: Iterable[PurePosixPath]) -> list[Path]:
    paths = (folder_paths.get_full_path("embeddings", str(file)) for file in files)
    return [Path(path) for path in paths if path]


def _listed() -> list[PurePosixPath]:
    files = folder_paths.get_filename_list("embeddings")
    return [PurePosixPath(file.replace("\\", "/")) for file in files]
