"""Measurements on this machine: `python -m demo.bench NAME` runs the module of that name."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from pathlib import Path

names = sorted(
    module.name
    for module in pkgutil.iter_modules([str(Path(__file__).parent)])
    if not module.name.startswith("_")
)
parser = argparse.ArgumentParser(prog="python -m demo.bench", description=__doc__)
parser.add_argument("name", choices=names)
importlib.import_module(f"demo.bench.{parser.parse_args().name}").main()
