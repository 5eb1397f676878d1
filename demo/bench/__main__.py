"""Measurements on this machine: `python -m demo.bench NAME` runs the module of that name."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

names = sorted(
    module.name
    for module in pkgutil.iter_modules([str(Path(__file__).parent)])
    if module.name != "__main__"
)
parser = argparse.ArgumentParser(prog="run.py bench", description=__doc__)
parser.add_argument("name", choices=names, help="other arguments go to the measurement")
name = parser.parse_args(sys.argv[1:2]).name
importlib.import_module(f"demo.bench.{name}").main(sys.argv[2:])
