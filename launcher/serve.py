"""The `serve` command: ComfyUI with its page, until it is stopped."""

from __future__ import annotations

import time

from launcher.base_folder import own_output, prepare_base
from launcher.failure import LauncherError
from launcher.host import Host
from launcher.paths import HOST_DIR
from launcher.process import say
from launcher.server import free_port, is_free, require_loopback, start_server

USUAL_PORT = 8188


def serve(host: Host, port: int | None) -> int:
    """Serve until Ctrl-C or SIGTERM, then stop cleanly and return 0."""
    require_loopback()  # without which no port is free
    chosen = choose_port(port)
    try:
        base = prepare_base(HOST_DIR / "base")
        with (
            own_output(base) as output,
            start_server(host, base, port=chosen, name="serve", output=output) as server,
        ):
            say(f"Serving on {server.url}")
            say(f"Pictures are saved in {output}")
            while True:
                server.check_alive()
                time.sleep(0.5)
    except KeyboardInterrupt:
        say("Stopped.")
    return 0


def choose_port(wanted: int | None) -> int:
    """Return the wanted port; with none wanted, the usual one or else any that is free."""
    if wanted is None:
        return USUAL_PORT if is_free(USUAL_PORT) else free_port()
    if not is_free(wanted):
        raise LauncherError(
            f"Port {wanted} is occupied by another program; "
            "choose another with --port, or leave it out to get a free one."
        )
    return wanted
