"""What nodes/host relies on and this ComfyUI lacks or has changed, one finding a line."""

from __future__ import annotations

import inspect
import sys

from comfy.cli_args import args

from . import host_symbols


def main() -> int:
    """Print every finding; return 1 if there is one."""
    args.cpu = True  # nothing is computed, and the host would look for a GPU
    import comfyui_version

    symbols = host_symbols.listed()
    found = [line for symbol in symbols if (line := host_symbols.problem(symbol))]
    found += unknown_samplers()
    version = comfyui_version.__version__
    print(f"ComfyUI {version}: {len(symbols)} names and words looked up, {len(found)} findings")
    print("".join(f"  {line}\n" for line in found), end="")
    return 1 if found else 0


def unknown_samplers() -> list[str]:
    """Samplers of this host whose noise `layer_seeds` cannot mix."""
    import comfy.samplers

    from demo.pack import load_pack

    solver = load_pack().nodes.host.sampling.solver
    found = []
    for name in comfy.samplers.KSampler.SAMPLERS:
        function = comfy.samplers.sampler_object(name).sampler_function
        draws = "noise_sampler" in inspect.signature(function).parameters
        if draws and not solver.is_known(name, function):
            found.append(f"sampling/solver.py: how {name} makes the noise of its steps is unknown.")
    return found


if __name__ == "__main__":
    sys.exit(main())
