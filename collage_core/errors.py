"""The one exception a user can cause, and how its messages quote the user's texts."""

from __future__ import annotations

LONGEST_QUOTE = 120


class CollageError(ValueError):
    """A mistake that the user can correct: it names node, layer, input, value and remedy."""

    # ComfyUI's page prints the module before the name; ours would be a path on the server.
    __module__ = "builtins"


def quoted(text: str) -> str:
    """The text in quotation marks, at most 120 characters, control characters escaped."""
    shown = text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 3] + "..."
    escaped = (char if char.isprintable() else ascii(char)[1:-1] for char in shown)
    return '"' + "".join(escaped) + '"'
