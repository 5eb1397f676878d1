"""One ComfyUI server on the loopback address: started, watched, and always stopped."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from launcher.client import Client, HostError
from launcher.failure import LauncherError, tail
from launcher.host import Host, must_use_cpu
from launcher.paths import new_log
from launcher.process import Progress, end_group, spawn

ADDRESS = "127.0.0.1"
OUR_NODES = (
    "CollageLayer",
    "CollageStack",
    "CollageEditor",
    "CollageKeepPicture",
    "CollageFromLayers",
    "CollageFromBatch",
    "LayerTextualInversion",
    "CollageEmbeddingLoad",
    "CollageLayerLora",
    "CollageAutoTune",
    "MaskedCrossAttentionPatch",
    "CollageAttentionMap",
    "CollageControlNet",
    "PerLayerNoiseKSampler",
    "CollageEdit",
    "CollagePasteBack",
    "CollageLayers",
    "CollageSplit",
    "CollageTakeLayer",
    "CollagePutLayer",
    "CollageResize",
    "CollageDemoModel",
    "CollageDemoControlNet",
)
START_SECONDS = 300.0
LOOPBACK_SECONDS = 5.0


def free_port() -> int:
    """Return a port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port of the loopback address."""
    with socket.socket() as probe:
        # As the server does: a connection that is only fading away does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def require_loopback() -> None:
    """Raise LauncherError unless this machine can connect to its loopback address."""
    try:
        with socket.create_server((ADDRESS, 0)) as listener:
            socket.create_connection(listener.getsockname(), LOOPBACK_SECONDS).close()
    except OSError as error:
        raise LauncherError(
            f"This machine cannot reach itself on {ADDRESS} ({error.strerror or error}), which "
            "ComfyUI and run.py talk over; bring the loopback interface up (on Linux: ip link set "
            "lo up), or allow it in the sandbox or firewall."
        ) from error


class Server:
    """A running ComfyUI; use it as a context manager, or call `stop`."""

    def __init__(self, command: list[str], port: int, log: Path, env: dict[str, str]) -> None:
        self.url = f"http://{ADDRESS}:{port}"
        self.client = Client(self.url)
        self.log = log
        self.process: subprocess.Popen[bytes] = spawn(command, log, env)
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the server and its children; no effect if the server has ended."""
        end_group(self.process)
        atexit.unregister(self.stop)

    def check_alive(self) -> None:
        """Raise LauncherError, with the last lines of the log, if the server has ended."""
        status = self.process.poll()
        if status is None:
            return
        words = tail(self.log)
        if "is already in use on address" in words:
            raise LauncherError(
                f"Another program took the port of {self.url} meanwhile; run the command again.",
                self.log,
            )
        raise LauncherError(
            f"ComfyUI ended by itself with status {status}; its last words were:\n"
            f"{tail(self.log)}\n",
            self.log,
        )

    def wait_until_up(self, timeout: float = START_SECONDS) -> None:
        """Return once the server answers; raise LauncherError if it ends or takes too long."""
        progress = Progress("starting ComfyUI")
        while True:
            self.check_alive()
            try:
                self.client.get("/system_stats")
            except HostError:
                pass
            else:
                return
            if time.monotonic() - progress.started > timeout:
                raise LauncherError(f"ComfyUI did not answer within {timeout:.0f} s.", self.log)
            time.sleep(0.2)
            progress.tick()

    def require_nodes(self, names: tuple[str, ...] = OUR_NODES) -> None:
        """Raise LauncherError unless the server has these nodes."""
        known = self.client.object_info()
        missing = [name for name in names if name not in known]
        if missing:
            raise LauncherError(
                f"ComfyUI started but did not load {', '.join(missing)}; the log says why.",
                self.log,
            )

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_server(
    host: Host,
    base: Path,
    *,
    port: int = 0,
    name: str = "server",
    output: Path | None = None,
    arguments: Sequence[str] = (),
) -> Server:
    """Start ComfyUI with the prepared folder `base` and return once it answers with our nodes.

    Pictures go into `output`, or the folder of that name in `base`; `arguments` are ComfyUI's own.
    """
    require_loopback()
    port = port or free_port()
    command = [str(host.python), str(host.comfyui / "main.py")]
    command += ["--listen", ADDRESS, "--port", str(port), "--base-directory", str(base)]
    # A database file or a temp folder of its own would keep two servers from sharing a base.
    command += ["--user-directory", str(base / "user"), "--database-url", "sqlite:///:memory:"]
    command += ["--temp-directory", str(base / "temp" / str(port))]
    command += ["--output-directory", str(output or base / "output")]
    command += ["--preview-method", "auto", "--log-stdout"]
    command += ["--disable-auto-launch", "--disable-api-nodes"]
    if page := os.environ.get("COLLAGE_FRONTEND") or host.page:  # the first of `run.py canary`
        command += ["--front-end-root", str(page)]
    if not host.private:
        command += ["--models-directory", str(host.comfyui / "models")]
    if must_use_cpu(host):
        command.append("--cpu")
    command += arguments
    env = {key: value for key, value in host.environ().items() if key != "PYTHONPATH"}
    env |= {"PYTHONPATH": str(host.site)} if host.site else {}
    server = Server(command, port, new_log(name), env)
    try:
        server.wait_until_up()
        server.require_nodes()
    except BaseException:
        server.stop()
        raise
    return server
