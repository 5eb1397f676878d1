"""The command line: commands, their options, and error messages."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from launcher.arguments import at_least, port
from launcher.batch import add_arguments
from launcher.failure import LauncherError
from launcher.paths import REPO

if TYPE_CHECKING:
    from launcher.host import Host

USAGE_ERROR = 2


def parser() -> argparse.ArgumentParser:
    """Describe every command; those of `demo/` take their own arguments."""
    root = argparse.ArgumentParser(
        prog="run.py", description="Collage Diffusion in a ComfyUI of its own, or in yours."
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = _command(commands, "demo", "make an example picture and say where it is")
    demo.add_argument("--workflow", type=Path, metavar="FILE", help="another workflow, either form")
    demo.add_argument("--checkpoint", metavar="NAME", help="a checkpoint of the host to use")
    demo.add_argument("--output", type=Path, default=REPO / "output", metavar="DIR")

    figures = _command(commands, "figures", "make the pictures of all examples, and the table")
    figures.add_argument("--output", type=Path, default=REPO / "output", metavar="DIR")
    figures.add_argument(
        "--collages", type=at_least(0), default=16, metavar="N", help="table; 0: none"
    )
    figures.add_argument("--keep", action="store_true", help="for README and docs as well")

    serve = _command(commands, "serve", "start ComfyUI with its page and keep it running")
    serve.add_argument("--port", type=port, metavar="N", help="default: 8188, or a free one")

    _command(commands, "test", "run every check and test; other arguments go to pytest")
    _command(commands, "train", "train the demo model; other arguments go to demo.train")
    _command(commands, "evaluate", "measure the demo model; other arguments go to demo.evaluate")
    _command(commands, "examples", "make the example layers, workflows and documents' pictures")
    bench = _command(commands, "bench", "run a benchmark; other arguments go to demo.bench")
    bench.add_argument("name", metavar="NAME")

    batch = _command(commands, "batch", "paint a table of jobs on every GPU, and resume it")
    add_arguments(batch)
    _command(commands, "ray", "Ray's own command line; other arguments go to it")

    gpu = _command(commands, "gpu", "all that only a GPU can show, in minutes")
    gpu.add_argument("--output", type=Path, default=REPO / "output" / "gpu", metavar="DIR")
    gpu.add_argument("--minutes", type=float, default=12.0, metavar="N", help="default: 12")
    gpu.add_argument("--rehearse", action="store_true", help="on the CPU, small and few")
    gpu.add_argument("--pack", action="store_true", help="make a folder to run on a bare machine")
    gpu.add_argument("--from-pack", type=Path, metavar="DIR", help="ComfyUI and wheels of it")

    canary = _command(
        commands, "canary", "tell what a newer ComfyUI or its newest page would break"
    )
    canary.add_argument("--frontend", metavar="VERSION", help="of the page; default: the newest")

    convert = _command(commands, "convert-embedding", "make safetensors of a .pt, .bin or .ckpt")
    convert.add_argument("file", type=Path, metavar="FILE")
    convert.add_argument("--output", type=Path, metavar="DIR", help="default: beside FILE")
    return root


def _command(commands, name: str, help_text: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=help_text, allow_abbrev=False)
    command.add_argument("--comfyui", metavar="DIR", help="use this ComfyUI and its Python")
    return command


PASSES_ARGUMENTS_ON = ("test", "train", "evaluate", "examples", "bench", "ray")
# command -> the folder it works with, which the registry's archive does not have (.comfyignore)
NEEDS = {
    "test": "tests",
    "canary": "tests",
    "gpu": "tests",
    "figures": "demo/examples",
    **{name: f"demo/{name}" for name in ("train", "evaluate", "examples", "bench")},
}


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the parsed arguments, and the rest for the program behind the command."""
    root = parser()
    options, rest = root.parse_known_args(arguments)
    options.given = [*arguments]
    if rest and options.command not in PASSES_ARGUMENTS_ON:
        root.error(f"unrecognized arguments: {' '.join(rest)}")
    return options, [argument for argument in rest if argument != "--"]


def run(options: argparse.Namespace, rest: list[str]) -> int:
    """Carry out one command and return its exit status."""
    from launcher.host import find_host, require_undamaged

    require_folder(options.command)
    if options.command == "convert-embedding":
        from launcher.convert import convert_embedding

        return convert_embedding(options.comfyui, options.file, options.output)
    host = _packed(options) or find_host(options.comfyui)
    try:
        status = _run_in(host, options, rest)
    except LauncherError:
        require_undamaged(host)
        raise
    if status:
        require_undamaged(host)
    return status


def require_folder(command: str, repo: Path = REPO) -> None:
    """Raise LauncherError for a developers' command in a copy of the pack without its folder."""
    if not (repo / NEEDS.get(command, "")).is_dir():
        raise LauncherError(
            f"`run.py {command}` is for developers, and this copy of the pack has no "
            f"{NEEDS[command]} folder; clone the repository to run it."
        )


def _packed(options: argparse.Namespace) -> Host | None:
    """The host in a folder made by `gpu --pack`: that of --from-pack, or around this pack."""
    from launcher import gpu_pack

    named = getattr(options, "from_pack", None)
    if named or (gpu_pack.is_packed(REPO) and not options.comfyui):
        return gpu_pack.packed_host((named or REPO).absolute())
    return None


def _run_in(host: Host, options: argparse.Namespace, rest: list[str]) -> int:
    if options.command in PASSES_ARGUMENTS_ON:
        return _run_program(host, options, rest)
    if options.command == "batch":
        from launcher.batch import run_batch

        return run_batch(host, options, options.given)
    if options.command == "gpu":
        return _run_gpu(host, options)
    if options.command == "canary":
        from launcher.canary import run_canary

        return run_canary(host, options.frontend)
    if options.command == "serve":
        from launcher.serve import serve

        return serve(host, options.port)
    if options.command == "figures":
        from launcher.figures import run_figures

        return run_figures(host, options)
    from launcher.demo import run_demo

    return run_demo(host, options)


def _run_program(host: Host, options: argparse.Namespace, rest: list[str]) -> int:
    from launcher import batch, checks

    if options.command == "test":
        return checks.run_tests(host, rest)
    if options.command == "ray":
        return batch.run_ray(host, rest)
    if options.command == "bench":
        return checks.run_module(host, "demo.bench", [options.name, *rest])
    return checks.run_module(host, f"demo.{options.command}", rest)


def _run_gpu(host: Host, options: argparse.Namespace) -> int:
    from launcher import gpu, gpu_pack

    if options.pack:
        return gpu_pack.pack(host, options.output.absolute())
    return gpu.run_gpu(host, options)


def main(arguments: Sequence[str]) -> int:
    """Run a command line; every foreseen failure ends in one sentence on stderr and status 1."""
    options, rest = parse(arguments)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    try:
        return run(options, rest)
    except LauncherError as error:
        print(error, file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped before it was done; nothing half-made was kept.", file=sys.stderr)
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        print(f"The system refused: {error.strerror or error}{place}.", file=sys.stderr)
    return 1


def _interrupt(_number: int, _frame: object) -> None:
    """Handle a signal to end like Ctrl-C, so that all started processes are stopped."""
    raise KeyboardInterrupt
