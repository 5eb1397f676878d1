"""Why ComfyUI refused a request, as one text for people."""

from __future__ import annotations

import json
from typing import Any

SHOWN_PROBLEMS = 3
# input of a loader -> the folder of models/ that its files lie in
MODEL_FOLDERS = {
    "ckpt_name": "checkpoints",
    "unet_name": "diffusion_models",
    "clip_name": "text_encoders",
    "clip_name1": "text_encoders",
    "clip_name2": "text_encoders",
    "vae_name": "vae",
    "control_net_name": "controlnet",
    "lora_name": "loras",
}
Json = dict[str, Any]


def refusal(code: int, body: bytes) -> str:
    """Turn the body of a refused request into one text that names nodes, inputs and files."""
    try:
        answer = json.loads(body)
    except ValueError:
        return f"ComfyUI answered with HTTP status {code}."
    nodes = answer.get("node_errors") or {}
    errors = [(node_id, node, error) for node_id, node in nodes.items() for error in node["errors"]]
    files = dict.fromkeys(file for *_, error in errors if (file := _missing_file(error)))
    problems = [
        f"{node['class_type']} (node {node_id}): {_told(error)}"
        for node_id, node, error in errors
        if not _missing_file(error)
    ]
    told = [_missing(list(files))] if files else []
    if problems:
        more = f"; and {len(problems) - SHOWN_PROBLEMS} more" if problems[SHOWN_PROBLEMS:] else ""
        told.append("ComfyUI refused the workflow: " + "; ".join(problems[:SHOWN_PROBLEMS]) + more)
    if told:
        return " ".join(told)
    error = answer.get("error", {})
    message = error.get("message", f"HTTP status {code}") if isinstance(error, dict) else error
    return f"ComfyUI refused the request: {message}"


def _missing_file(error: Json) -> str:
    """The model file that a loader asks for and ComfyUI does not have, as folder/name, or ""."""
    about = error.get("extra_info") or {}
    folder = MODEL_FOLDERS.get(about.get("input_name", ""))
    absent = error.get("type") == "value_not_in_list"
    return f"{folder}/{about['received_value']}" if folder and absent else ""


def _missing(files: list[str]) -> str:
    count = "a model file" if len(files) == 1 else f"{len(files)} model files"
    return (
        f"This ComfyUI lacks {count} of the workflow: {', '.join(files)}. Put what is missing "
        "into models/ of a ComfyUI and name it with --comfyui DIR, or choose another file in the "
        "loader."
    )


def _told(error: Json) -> str:
    """Why one input is refused; a sentence of the pack is not wrapped."""
    message, details = error["message"], error.get("details")
    if error.get("type") == "exception_during_inner_validation":
        return details or message
    return f"{message} ({details})" if details else message
