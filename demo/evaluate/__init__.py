"""What the demo model and the pack achieve, seen by the judges: `python3 run.py evaluate`.

Modules
    prompts         does the model paint what the prompt says?
    realism         how real pictures look as a whole: a Fréchet distance
    placement       are objects where their layers are?
    spending        place, colour and harmony of ways to spend the bias of words
    peers           other methods of words in places
    structure       are the edges of a collage kept?
    harmony         fidelity against harmony, over the noise of one layer
    negatives       words that one layer must not show, and what becomes of the others
    loras           a LoRA per layer: does each object get its own look?
    edits           what changes outside of an edit
    controls        plain harmonisation and what each control adds
    controls_table  the same as a table, with the paper's claims
    learning        a look learned by one method, and what it achieves
    lora_learning   a look learned as a LoRA
    painter         collages painted by the demo model
    collages        collages of unseen scenes
    concepts        collages in which one object's text leaves its appearance open
    appearance      does an object still look the same?
    changed_scenes  are prompts with a learned embedding still obeyed?
    differential    the same collage with ComfyUI's DifferentialDiffusion
"""
