"""What the demo model and the pack achieve, seen by the judges: `python3 run.py evaluate`.

Modules
    prompts         does the model paint what the prompt says?
    placement       are objects where their layers are?
    structure       are the edges of a collage kept?
    harmony         fidelity against harmony, over the noise of one layer
    edits           what changes outside of an edit
    levers          plain harmonisation and what each control adds
    levers_table    the same as a table, with the paper's claims
    learning        a look learned by one method, and what came of it
    collages        collages of unseen scenes
    looks           collages with one object whose words do not say how it looks
    appearance      does an object still look as it did?
    changed_scenes  are prompts with a learned embedding still obeyed?
    differential    the same collage with ComfyUI's DifferentialDiffusion
"""
