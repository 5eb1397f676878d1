"""`run.py batch`: a table of collages, painted by many ComfyUIs; Ray starts and watches them.

From the table to the pictures, in this order:

Modules
    table     the table, from CSV, JSON lines or Parquet
    grid      the table of all combinations of a few lists
    nodes     which node and input a column names
    scene     layers by their words, in the graph or in a document
    columns   what a column does to a workflow
    cells     a cell as the value that an input takes
    files     the files that a workflow names
    jobs      every row as a checked job with a name from its content
    journal   which jobs are done
    backlog   which job a worker gets next
    painter   one ComfyUI that paints jobs
    crew      workers at their jobs: what is tried again, who is replaced
    hands     workers as actors of Ray
    cluster   Ray
    progress  the line that tells how far it is
    results   the table of what became of every row
    sheet     a labelled contact sheet
    remains   folders of processes that were killed
"""
