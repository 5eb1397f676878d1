"""The nodes of the pack; `NODES` is the one registry, and `checked` is what all of them are."""

from comfy_api.latest import ComfyExtension, io

from ..collage_core.interruption import set_interrupt_check
from .attention import MaskedCrossAttentionPatch
from .attention_map import CollageAttentionMap
from .auto_tune import CollageAutoTune
from .checks import checked
from .control import CollageControlNet
from .demo_model import CollageDemoControlNet, CollageDemoModel
from .editing import CollageEdit, CollagePasteBack
from .editor import CollageEditor, CollageKeepPicture
from .embedding_load import CollageEmbeddingLoad
from .files import CollageOpenFile, CollageSaveFile
from .host.limits import ends_when_interrupted
from .incoming import CollageFromBatch, CollageFromLayers
from .inversion import LayerTextualInversion
from .layer_lora import CollageLayerLora
from .layer_outputs import CollageLayers, CollageSplit
from .layers import CollageLayer
from .one_layer import CollagePutLayer, CollageTakeLayer
from .resize import CollageResize
from .sampling import PerLayerNoiseKSampler
from .stack import CollageStack

set_interrupt_check(ends_when_interrupted)

NODES: list[type[io.ComfyNode]] = [
    checked(node)
    for node in (
        CollageLayer,
        CollageStack,
        CollageEditor,
        CollageKeepPicture,
        CollageOpenFile,
        CollageSaveFile,
        CollageFromLayers,
        CollageFromBatch,
        LayerTextualInversion,
        CollageEmbeddingLoad,
        CollageLayerLora,
        CollageAutoTune,
        MaskedCrossAttentionPatch,
        CollageAttentionMap,
        CollageControlNet,
        PerLayerNoiseKSampler,
        CollageEdit,
        CollagePasteBack,
        CollageLayers,
        CollageSplit,
        CollageTakeLayer,
        CollagePutLayer,
        CollageResize,
        CollageDemoModel,
        CollageDemoControlNet,
    )
]


class CollageExtension(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return NODES


async def comfy_entrypoint() -> CollageExtension:
    return CollageExtension()
