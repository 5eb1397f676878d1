"""The `canary` command: what a newer ComfyUI or its newest page breaks in this pack."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from launcher import checks
from launcher.failure import LauncherError
from launcher.host import Host
from launcher.paths import HOST_DIR, new_log
from launcher.process import run_logged, say
from launcher.tools import find_uv

PACKAGE = "comfyui-frontend-package"
FOLDER = HOST_DIR / "frontend"
CONTRACT, BROWSER = "tests/host/test_contract.py", "tests/browser"


@dataclass(frozen=True)
class Frontend:
    """A version of ComfyUI's page, and its folder for --front-end-root."""

    version: str
    root: Path


def run_canary(host: Host, version: str | None) -> int:
    """Look the host's symbols up, then run the contract and the page's tests on a newer page.

    Returns 0 when nothing is missing or changed; LauncherError names what failed.
    """
    failed = []
    if checks.run_module(host, "tools.canary", []):
        failed.append("host symbols")
    if checks.run_tests(host, [CONTRACT, "-q"]):
        failed.append("contract of the nodes")
    page = fetch_frontend(version)
    say(f"The page of {PACKAGE} {page.version}:")
    if checks.run_tests(host, [BROWSER, "-q"], COLLAGE_FRONTEND=str(page.root)):
        failed.append(f"page {page.version}")
    if failed:
        raise LauncherError(f"Not as it was: {', '.join(failed)} (what was found stands above).")
    say(
        "As it was: host symbols, contract of the nodes" + (" and the page." if _browser() else ".")
    )
    if not _browser():
        say("The page was not looked at: .ci/browser installs Chromium and playwright-core for it.")
    return 0


def _browser() -> bool:
    """Whether Chromium and playwright-core are there; the page's tests are skipped without them."""
    package = HOST_DIR / "browser" / "node_modules" / "playwright-core"
    return package.is_dir() and shutil.which("chromium") is not None


def fetch_frontend(version: str | None, folder: Path = FOLDER) -> Frontend:
    """This version of the page, or the newest in the package index; kept for the next run."""
    if version and (folder / version).is_dir():
        return _frontend(folder / version)
    log, partial = new_log("frontend"), folder / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    wanted = f"{PACKAGE}=={version}" if version else PACKAGE
    command = [*find_uv(log), "pip", "install", "--no-deps", "--refresh-package", PACKAGE]
    run_logged([*command, "--target", str(partial), wanted], f"fetching {wanted}", log)
    found = _frontend(partial)
    whole = folder / found.version
    shutil.rmtree(whole, ignore_errors=True)
    partial.replace(whole)
    return _frontend(whole)


def _frontend(folder: Path) -> Frontend:
    """The page in a folder; the name of its metadata folder has its version."""
    name = PACKAGE.replace("-", "_")
    metadata, root = list(folder.glob(f"{name}-*.dist-info")), folder / name / "static"
    if len(metadata) != 1 or not (root / "index.html").is_file():
        raise LauncherError(f"{folder} holds no page; delete that folder and run it again.")
    return Frontend(metadata[0].stem.removeprefix(f"{name}-"), root)
