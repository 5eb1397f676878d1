"""Text encoders without their models, embedding files, and an oracle of the positions of words.

Import only where ComfyUI is at hand.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import comfy.sd1_clip
import comfy.sdxl_clip
import comfy.text_encoders.sd2_clip
import comfy.text_encoders.sd3_clip
import torch
from safetensors.torch import save_file

TOKENIZERS = {
    "SD1": comfy.sd1_clip.SD1Tokenizer,
    "SD2": comfy.text_encoders.sd2_clip.SD2Tokenizer,
    "SDXL": comfy.sdxl_clip.SDXLTokenizer,
    "SD3": comfy.text_encoders.sd3_clip.SD3Tokenizer,
}
WIDTHS = {"clip_l": 768, "clip_h": 1024, "clip_g": 1280}
VECTORS = {f"v{n}": n for n in (1, 2, 7, 8, 16, 90)}  # name of an embedding -> its vectors


class Clip:
    """The part of a CLIP that tokenises, with the host's own tokenizer."""

    def __init__(self, kind: str, embeddings: Path) -> None:
        self.tokenizer = TOKENIZERS[kind](embedding_directory=str(embeddings))

    def tokenize(self, text: str, return_word_ids: bool = False, **options) -> dict[str, list]:
        return self.tokenizer.tokenize_with_weights(text, return_word_ids, **options)

    def words(self, prompt: str) -> dict[str, dict[int, int | torch.Tensor]]:
        """Per encoder the tokens that are words, by their places."""
        return {
            encoder: {n: token for n, (token, _, word) in enumerate(chain(*chunks)) if word}
            for encoder, chunks in self.tokenize(prompt, return_word_ids=True).items()
        }


def write_embedding(folder: Path, name: str, vectors: int) -> None:
    """A sound embedding for every encoder."""
    generator = torch.Generator().manual_seed(vectors)
    tables = {
        key: torch.randn(vectors, width, generator=generator) for key, width in WIDTHS.items()
    }
    save_file(tables, folder / f"{name}.safetensors")


def write_faulty(folder: Path) -> None:
    """Embeddings that the host ignores, loads without complaint or chokes on, named by fault."""
    good = {key: torch.ones(2, width) for key, width in WIDTHS.items()}
    faults = {
        "nan": {key: table.clone().fill_(torch.nan) for key, table in good.items()},
        "infinite": {key: table * torch.inf for key, table in good.items()},
        "one-zero-row": {key: table * torch.tensor([[1.0], [0.0]]) for key, table in good.items()},
        "narrow": {"emb_params": torch.ones(2, 5)},
        "sd1": {"emb_params": torch.ones(2, 768)},
        "flat": {"emb_params": torch.ones(5)},
        "deep": {"emb_params": torch.ones(2, 3, 768)},
        "no-vectors": {key: table[:0] for key, table in good.items()},
        "no-tables": {},
        "one-number": {"emb_params": torch.tensor(1.0)},
        "uneven": {**good, "clip_g": torch.ones(3, 1280)},
    }
    for name, tables in faults.items():
        save_file(
            {key: table.contiguous() for key, table in tables.items()},
            folder / f"{name}.safetensors",
        )
    (folder / "empty.safetensors").touch()
    zipfile.ZipFile(folder / "empty-zip.pt", "w").close()
    torch.save([{"emb_params": torch.ones(2, 5)}], folder / "narrow-list.pt")
    torch.save({"emb_params": "none"}, folder / "no-tensor.pt")
    (folder / "text.pt").write_text("not an embedding")
    whole = (folder / "nan.safetensors").read_bytes()
    (folder / "truncated.safetensors").write_bytes(whole[:-100])


def expected_places(clip: Clip, phrases, spans, vectors: dict[str, int]) -> dict[str, dict]:
    """Per encoder and region the positions of its tokens, found by counting off the prompt's bytes.

    spans: what of the prompt is tokenised; vectors: how many each embedding has.
    """
    owner = {
        i: number
        for number, region in enumerate(phrases.regions)
        for place in region.places
        for word in place.words
        for i in range(*word)
    }
    found: dict[str, dict] = {}
    for encoder, tokens in clip.words(phrases.prompt).items():
        vocabulary = getattr(clip.tokenizer, f"clip_{encoder}").inv_vocab
        origins = _origins(phrases.prompt, spans, vectors)
        regions: dict[int, tuple[int, ...]] = {}
        for place, token in tokens.items():
            size = 1
            if not isinstance(token, torch.Tensor):
                size = len(vocabulary[token].removesuffix("</w>"))
            (number,) = {owner.get(next(origins)) for _ in range(size)}
            if number is not None:
                regions[number] = (*regions.get(number, ()), place)
        assert next(origins, None) is None
        found[encoder] = regions
    return found


def _origins(prompt: str, spans, vectors: dict[str, int]) -> Iterator[int]:
    """For every byte and every vector that an encoder reads, the character that it is from."""
    for start, end in spans:
        i = start
        while i < end:
            at_border = i == start or prompt[i - 1].isspace()
            if at_border and prompt.startswith("embedding:", i):
                name = prompt[i:end].removeprefix("embedding:").split()[0].rstrip(",")
                yield from [i] * vectors[name]
                i = prompt.index(name, i) + len(name)
                continue
            escape = prompt[i] == "\\" and prompt[i + 1 : i + 2] in ("(", ")")
            if not escape and not prompt[i].isspace():
                yield from [i] * len(prompt[i].lower().encode())
            i += 1
