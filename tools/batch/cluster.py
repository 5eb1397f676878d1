"""Ray: a cluster of this machine alone, or one that runs already."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from launcher.failure import LauncherError
from launcher.process import say
from tools.batch.remains import claim, sweep

FOLDER = "collage-ray-"
STORE_BYTES = 256 * 2**20  # pictures pass through it, and stay for moments
# On this machine alone Ray binds to the loopback address; `launcher/batch.py` has the rest.
ALONE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_AUTH_MODE": "token"}
TRIES = 3
TOKENS = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")


@contextlib.contextmanager
def cluster(address: str | None, *, dashboard: bool = False) -> Iterator[Any]:
    """Yield the module ray, connected; what was started here is stopped and removed at the end."""
    if address is None:
        os.environ.update(ALONE, RAY_AUTH_TOKEN=secrets.token_hex(32))
    else:
        os.environ["RAY_AUTH_MODE"] = "token"
    import ray

    with contextlib.ExitStack() as ends:
        more = {} if address else _alone(ends, dashboard=dashboard)
        page = _connect(ray, address or "local", more)
        ends.callback(ray.shutdown)
        if dashboard:
            token = "" if address else f", its token {os.environ['RAY_AUTH_TOKEN']}"
            say(f"Ray's dashboard: http://{page}{token}")
        yield ray


def _connect(ray: Any, address: str, more: dict[str, Any]) -> str:
    """Connect and return the address of Ray's page, "" where it has none.

    Ray gives its own processes 30 seconds to start, too little on a machine that is busy.
    """
    for left in reversed(range(TRIES)):
        try:
            context = ray.init(
                address=address, log_to_driver=False, logging_level=logging.CRITICAL, **more
            )
        except Exception as error:  # noqa: PERF203  Ray has no class of its own for it
            if not left or "timed out" not in str(error):
                raise LauncherError(f"Ray did not start: {_first_line(error)}") from error
        else:
            return context.dashboard_url or ""
    raise AssertionError("the last try returns or raises")


def _alone(ends: contextlib.ExitStack, *, dashboard: bool) -> dict[str, Any]:
    place = Path(tempfile.gettempdir())  # short: the names of sockets may have 100 characters
    sweep(place.glob(f"{FOLDER}*"))
    folder = Path(tempfile.mkdtemp(prefix=FOLDER, dir=place))
    ends.callback(shutil.rmtree, folder, ignore_errors=True)
    claim(folder)
    return {
        "_temp_dir": str(folder),
        "include_dashboard": dashboard,
        "dashboard_host": "127.0.0.1",
        "object_store_memory": STORE_BYTES,
    }


def require_token() -> None:
    """Raise LauncherError unless there is a token for a cluster, where Ray looks for one."""
    if any(os.environ.get(name) for name in TOKENS) or (Path.home() / ".ray/auth_token").is_file():
        return
    raise LauncherError(
        "A Ray cluster lets anybody who reaches it run programs, so that `batch --address` and "
        "`run.py ray` work with a token only: make one with `python3 run.py ray get-auth-token "
        "--generate` and copy ~/.ray/auth_token to every machine, or set RAY_AUTH_TOKEN."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
