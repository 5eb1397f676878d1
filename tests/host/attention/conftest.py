"""MaskedCrossAttentionPatch on tiny random models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

PROMPT = "a red fox and a blue bear on a table"  # fox: tokens 2 and 3, bear: 6 and 7
WIDGETS = {"schedule": "paper", "strength": 1.0, "start_percent": 0.0, "end_percent": 1.0}


@pytest.fixture(autouse=True)
def _inference_mode(in_a_node):
    pass


@pytest.fixture(scope="session")
def paper(load_module):
    return load_module(Path(__file__).with_name("papers_loop.py"))


@pytest.fixture(scope="session")
def kit(load_module):
    return load_module(Path(__file__).with_name("token_fixtures.py"))


@pytest.fixture(scope="session")
def clips(kit, tmp_path_factory):
    """A text encoder of every family, with sound and faulty embeddings at hand."""
    folder = tmp_path_factory.mktemp("embeddings")
    for name, count in kit.VECTORS.items():
        kit.write_embedding(folder, name, count)
    kit.write_faulty(folder)
    return {kind: kit.Clip(kind, folder) for kind in ("SD1", "SD2", "SDXL", "SD3")}


@pytest.fixture(scope="session")
def bind(pack, clips):
    """Bind the layers' texts in a prompt: its phrases and what was bound."""

    def bind(prompt: str, *texts: str, kind: str = "SD1", names: tuple[str | None, ...] = ()):
        core = pack.collage_core
        phrases = core.prompt.phrases.find_phrases(prompt, list(enumerate(texts, 1)))
        phrases = core.prompt.insertion.insert_embeddings(phrases, names or [None] * len(texts))
        return phrases, pack.nodes.host.attention.token_spans.token_spans(clips[kind], phrases)

    return bind


@pytest.fixture
def make_collage(pack):
    """A canvas of `size` (height, width): "red fox" left, "blue bear" right, soft in places."""

    def make(
        *,
        size: tuple[int, int] = (96, 80),
        batch: int = 1,
        texts: tuple[str, ...] = ("red fox", "blue bear"),
        prompt: str = PROMPT,
        **layer,
    ):
        core = pack.collage_core.collage.collage
        height, width = size
        generator = torch.Generator().manual_seed(11)
        layers = tuple(
            core.Layer(
                image=torch.rand(batch, height, width // 2, 3, generator=generator),
                alpha=torch.rand(batch, height, width // 2, generator=generator).sqrt(),
                text=text,
                x=x,
                **{"attract": 1.0 + x, "repel": 1.5 - x, **layer},
            )
            for text, x in zip(texts, (0.25, 0.7), strict=True)
        )
        return core.Collage(
            width=width,
            height=height,
            prompt=prompt,
            background=torch.rand(1, height, width, 3, generator=generator),
            layers=layers,
        )

    return make


@pytest.fixture
def patch(patch_both):
    """Execute the node: (model, positive, report)."""

    def execute(collage, **inputs):
        return patch_both(collage, **inputs)[:3]

    return execute


@pytest.fixture
def patch_both(pack, model, clip):
    """Execute the node: (model, positive, report, negative)."""

    def execute(collage, **inputs):
        node = pack.nodes.attention.MaskedCrossAttentionPatch
        return node.execute(
            collage=collage, **{"model": model, "clip": clip, **WIDGETS, **inputs}
        ).args

    return execute


@pytest.fixture
def encode(clip):
    """What CLIPTextEncode makes of a prompt."""

    def encode(text: str = PROMPT) -> list:
        return clip.encode_from_tokens_scheduled(clip.tokenize(text))

    return encode


@pytest.fixture
def control(pack, tiny, encode):
    """Execute CollageControlNet: (positive, negative, edges)."""

    def execute(collage, positive, **inputs):
        node = pack.nodes.control.CollageControlNet
        given = {"strength": 1.0, "start_percent": 0.0, "end_percent": 1.0, **inputs}
        given = {"negative": encode("bad"), "control_net": tiny.tiny_control_net(), **given}
        return node.execute(collage=collage, positive=positive, **given).args

    return execute


@pytest.fixture
def sample(encode, host_ksampler):
    """The host's KSampler on an empty latent, with a negative of one word."""
    negative = encode("bad")

    def run(model, positive, **inputs):
        return host_ksampler(model, positive, **{"negative": negative, **inputs})

    return run


class Spy:
    """Follows one model at a time: one dict per call in `calls`.

    A call holds `rows` (cond_or_uncond), `sigma`, and `blocks`: per cross-attention its heads,
    grid and q, k, v, out as they pass through the host's own linear layers.
    """

    def __init__(self) -> None:
        self.calls: list[dict] = []
        self.handles: list = []
        self.grid: tuple[int, ...] = ()

    def called(self, apply_model, args):
        call = {"rows": args["cond_or_uncond"], "sigma": args["timestep"][0].item(), "blocks": []}
        self.calls.append(call)
        return apply_model(args["input"], args["timestep"], **args["c"])

    def entered(self, _, args) -> None:
        self.grid = tuple(args[0].shape[-2:])

    def note(self, name: str, value) -> None:
        if name == "q":
            self.calls[-1]["blocks"].append({"grid": self.grid})
        self.calls[-1]["blocks"][-1][name] = value

    def follow(self, model):
        import comfy.ldm.modules.attention as host

        self.let_go()
        for module in model.model.diffusion_model.modules():
            if isinstance(module, host.SpatialTransformer):
                self.handles.append(module.register_forward_pre_hook(self.entered))
            if isinstance(module, host.BasicTransformerBlock):
                self.hook(module.attn2)
        watched = model.clone()
        watched.set_model_unet_function_wrapper(self.called)
        return watched

    def let_go(self) -> None:
        self.calls = []
        for handle in self.handles:
            handle.remove()

    def hook(self, attn2) -> None:
        for name in "qkv":
            layer = attn2.get_submodule(f"to_{name}")
            handle = layer.register_forward_hook(lambda _, __, out, name=name: self.note(name, out))
            self.handles.append(handle)

        def done(_, args) -> None:
            self.note("out", args[0])
            self.note("heads", attn2.heads)

        self.handles.append(attn2.to_out.register_forward_pre_hook(done))


@pytest.fixture
def spy():
    spy = Spy()
    yield spy
    spy.let_go()
