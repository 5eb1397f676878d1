"""The examples that ship, and the pictures of the documents: `python3 run.py examples`.

Modules
    stories        one workflow a module
    graph          a workflow in API form, with places for the page
    document       a scene as the document of CollageEditor
    variants       the demo model, or a real checkpoint
    foreign        nodes of other packs, as ComfyUI describes nodes
    to_page        API form -> the form that the page saves
    locales        the nodes' English texts
    figures        every example's pictures on one sheet
    pictures       thumbnails and the documents' pictures
    studio         the example's collage, and nodes to run on it
    help_pictures  the picture on each node's help page
    graph_picture  the README's pictures of ComfyUI's page
"""
