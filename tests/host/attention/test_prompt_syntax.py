"""The pack's reader of ComfyUI's prompt language beside ComfyUI's own."""

from __future__ import annotations

import copy

from hypothesis import given, settings
from hypothesis import strategies as st

SYNTAX = [
    "(",
    ")",
    "\\",
    "\\(",
    "\\)",
    ":",
    ":1.3)",
    ":-.5e1 )",
    ":nan)",
    ":1_0)",
    ":٣)",
    "\0",
    "a",
]
EMBEDDED = ["embedding:", "embedding:v2", "embedding:a[b", " ", "\n", ",", "<x"]


@given(st.lists(st.sampled_from(SYNTAX), max_size=25).map("".join))
@settings(max_examples=500, deadline=None)
def test_literal_spans_are_what_comfyui_tokenises(pack, prompt):
    import comfy.sd1_clip

    escaped = comfy.sd1_clip.escape_important(prompt)  # as long as before
    theirs = [text for text, _ in comfy.sd1_clip.token_weights(escaped, 1.0) if text]
    ours = pack.collage_core.prompt.syntax.read_prompt(prompt).literals
    assert [escaped[start:end] for start, end in ours] == theirs


@given(st.lists(st.sampled_from([*SYNTAX, *EMBEDDED]), max_size=20).map("".join))
@settings(max_examples=500, deadline=None)
def test_embeddings_are_read_where_the_host_asks_for_them(pack, clips, prompt):
    from comfy.sd1_clip import escape_important, unescape_important

    words = pack.collage_core.prompt.syntax
    if not all(one.name for one in words.read_prompt(prompt).embeddings):
        return  # the host's reader ends in an IndexError there, and the prompt is refused
    tokenizer, asked = copy.copy(clips["SD1"].tokenizer.clip_l), []

    def note(text: str):
        asked.append(text)
        return None, text, ""

    tokenizer._try_get_embedding = note
    tokenizer.tokenize_with_weights(prompt)
    ours = [
        unescape_important(escape_important(one.name))
        for one in words.read_prompt(prompt).embeddings
    ]
    assert ours == [words.embedding_name(text.lstrip()) for text in asked]
