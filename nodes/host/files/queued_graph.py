"""The queued prompt around the running node: what comes before it, and who takes its outputs.

Host symbols:
    comfy_api.latest.io.Hidden: dynprompt
    comfy_execution.graph.DynamicPrompt: has_node(node_id), get_node(node_id), all_node_ids()
    comfy_execution.graph_utils: is_link(obj)
    comfy_execution.utils: get_executing_context()
    comfy_execution.utils.ExecutionContext: node_id
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from comfy_execution.graph_utils import is_link
from comfy_execution.utils import get_executing_context


def constants_before(node: Any, name: str) -> Iterator[Any]:
    """The constants of all nodes that an input of the running node gets its value from.

    node: the class of that node, with the hidden input dynprompt. Empty if the host gives no graph.
    """
    graph, own_id = _running(node)
    if graph is None:
        return
    ways = [graph.get_node(own_id)["inputs"].get(name)]
    seen: set[str] = set()
    while ways:
        value = ways.pop()
        if not is_link(value):
            yield value
        elif value[0] not in seen and graph.has_node(value[0]):
            seen.add(value[0])
            ways += graph.get_node(value[0])["inputs"].values()


def is_used(node: Any, output: int) -> bool:
    """Whether another node takes this output of the running node."""
    graph, own_id = _running(node)
    return graph is not None and any(
        is_link(value) and value == [own_id, output]
        for one in graph.all_node_ids()
        for value in graph.get_node(one)["inputs"].values()
    )


def _running(node: Any) -> tuple[Any, str]:
    """The graph and the id of the running node in it; None if the host gives no graph."""
    graph, context = getattr(node.hidden, "dynprompt", None), get_executing_context()
    if graph is None or context is None or not graph.has_node(context.node_id):
        return None, ""
    return graph, context.node_id
