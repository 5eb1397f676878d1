"""What stands behind run.py: a private ComfyUI, its server, and the commands that use them.

Standard library only, because it runs before anything is installed; so is `atomic_write` of
collage_core.storage.

Modules
    cli             the command line
    arguments       types of arguments
    demo            `demo`: one workflow, and its pictures on disk
    figures         `figures`: every example's pictures
    serve           `serve`: ComfyUI with its page
    batch           `batch` and `ray`: a table of jobs on many ComfyUIs
    checks          `test`, and the pack's own programs
    gpu             `gpu`: everything that needs a GPU
    gpu_pack        `gpu --pack`: a folder for a machine without network
    canary          `canary`: this pack on another ComfyUI
    convert         `convert-embedding`
    host            the ComfyUI that commands run in
    environment     its virtual environment, as the lock files say
    comfyui_source  its source, downloaded and unpacked
    tools           uv and pip
    base_folder     the folder a server works in
    server          one ComfyUI server
    client          its HTTP interface
    refusal         why it refused a request
    workflow_file   a workflow file of either form
    to_api          the form that the page saves -> API form
    process         commands with a log and a progress line
    locking         locks between processes
    paths           where things lie
    failure         LauncherError
"""
