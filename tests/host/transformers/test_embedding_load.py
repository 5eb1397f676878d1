"""CollageEmbeddingLoad before a transformer: from the file to the picture, or refused."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

PROMPT = "a red fox and a blue bear"
WIDTH = 4096  # that T5 reads from a file
SIZE = (16, 12)  # rows and columns of the latent


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The one folder where the host looks for embeddings."""
    import folder_paths

    entry = ([str(tmp_path)], folder_paths.folder_names_and_paths["embeddings"][1])
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "embeddings", entry)
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    return tmp_path


@pytest.fixture
def with_look(pack, make_collage):
    """The collage whose fox carries the embedding of a file."""

    def make(name: str, prompt: str = PROMPT):
        collage = make_collage(prompt)
        node = pack.nodes.embedding_load.CollageEmbeddingLoad
        assert node.validate_inputs(embedding=name) is True
        fox = node.execute(layer=collage.layers[0], embedding=name).args[0]
        return collage.with_layers((fox, collage.layers[1]))

    return make


def test_a_look_from_a_file_acts_like_the_word_that_it_is(
    transformers, encoders, folder, with_look, make_collage, patch, host_ksampler
) -> None:
    """The vector is T5's own of a word; with the word in its place the picture is the same."""
    wide = {**encoders.T5, "d_model": WIDTH}
    clip = encoders.tiny_text_encoder("chroma", folder=[str(folder)], t5xxl=wide)
    table = clip.cond_stage_model.t5xxl.transformer.get_input_embeddings().weight
    token, *_ = clip.tokenize("golden")["t5xxl"][0][0]
    for name, vector in (("word", table[token]), ("other", table[token + 9])):
        save_file({"t5xxl": vector.detach()[None].clone()}, folder / f"{name}.safetensors")
    model = transformers.tiny_transformer("chroma", context_in_dim=WIDTH)
    negative = clip.encode_from_tokens_scheduled(clip.tokenize("bad"))
    latent = {"samples": 0 * transformers.latents("chroma", *SIZE)}

    def painted(collage) -> torch.Tensor:
        patched, positive, _ = patch(model=model, clip=clip, collage=collage)
        return host_ksampler(patched, positive, negative, latent=latent, scheduler="simple")

    spelt = make_collage("a golden red fox and a blue bear", ("golden red fox", "blue bear"))
    found = painted(with_look("word"))
    others = with_look("other"), make_collage(PROMPT)
    apart, *far = ((found - painted(one)).abs().max() for one in (spelt, *others))
    assert apart < min(far) / 100


@pytest.mark.parametrize(
    ("family", "told"),
    [
        ("qwen_image", '"embedding:word" .* is only words to the text encoder of Qwen-Image'),
        ("anima", '"embedding:word" .* the text encoder of Anima takes no vectors'),
        ("zimage", r'"embedding:word" .* has the shape \[1, 4096\]; .* qwen3_4b needs 2560'),
    ],
)
def test_a_look_that_a_model_cannot_read_is_refused(
    transformers, encoders, folder, with_look, patch, refused, family: str, told: str
) -> None:
    save_file({"t5xxl": torch.ones(1, WIDTH)}, folder / "word.safetensors")
    clip = encoders.tiny_text_encoder(family, folder=[str(folder)])
    model = transformers.tiny_transformer(family)
    with refused(f"MaskedCrossAttentionPatch, input collage: {told}"):
        patch(model=model, clip=clip, collage=with_look("word"))
