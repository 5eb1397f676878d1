"""A small client for ComfyUI's HTTP interface on the loopback address."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from launcher.failure import LauncherError
from launcher.refusal import refusal

POLL_SECONDS = 0.25
REQUEST_SECONDS = 60.0
SHOWN_CHARACTERS = 400
Json = dict[str, Any]


class HostError(LauncherError):
    """ComfyUI refused a workflow or failed to run it; the text is ComfyUI's message."""


class Client:
    """Talks to one ComfyUI; `url` is like http://127.0.0.1:8188."""

    def __init__(self, url: str) -> None:
        self.url = url
        # No proxy: the server is on this machine, whatever the environment says.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def request(
        self, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> bytes:
        """GET `path`, or POST `body` to it; HostError for an error status or no answer."""
        headers = {"Content-Type": kind} if body is not None else {}
        request = urllib.request.Request(self.url + path, data=body, headers=headers)
        try:
            with self._opener.open(request, timeout=REQUEST_SECONDS) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise HostError(refusal(error.code, error.read())) from error
        except OSError as error:
            raise HostError(f"ComfyUI at {self.url} does not answer ({error}).") from error

    def get(self, path: str) -> Any:
        """Return the JSON at `path`."""
        return json.loads(self.request(path))

    def object_info(self) -> Json:
        """Return ComfyUI's description of every node it has."""
        return self.get("/object_info")

    def upload_image(self, picture: Path, name: str | None = None) -> str:
        """Put a picture into the input folder, replacing one of that name; return its name."""
        fields = f'name="image"; filename="{name or picture.name}"'
        edge = uuid.uuid4().hex
        body = (
            f"--{edge}\r\nContent-Disposition: form-data; {fields}\r\n"
            "Content-Type: image/png\r\n\r\n"
        ).encode() + picture.read_bytes()
        body += (
            f'\r\n--{edge}\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue'
            f"\r\n--{edge}--\r\n"
        ).encode()
        kind = f"multipart/form-data; boundary={edge}"
        return json.loads(self.request("/upload/image", body, kind))["name"]

    def queue(self, prompt: Json) -> str:
        """Queue a workflow in API form and return its id; HostError unless all of it was accepted.

        ComfyUI queues what is left of a workflow when it refuses some of its results.
        """
        body = self.request("/prompt", json.dumps({"prompt": prompt}).encode())
        answer = json.loads(body)
        if answer.get("node_errors"):
            self.cancel(answer["prompt_id"])
            raise HostError(refusal(200, body))
        return answer["prompt_id"]

    def wait(
        self,
        prompt_id: str,
        timeout: float = 3600.0,
        while_waiting: Callable[[], object] = int,
        pause: Callable[[], float] = lambda: POLL_SECONDS,
    ) -> Json:
        """Wait until a queued workflow is done and return its outputs by node id.

        Raises HostError with the node's message if it failed, was interrupted, was taken off the
        queue, or took longer than `timeout` seconds; `while_waiting` is called between polls, which
        are `pause` seconds apart.
        """
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            waiting = self._is_queued(prompt_id)  # asked first: what has ended is in the history
            entry = self.get(f"/history/{prompt_id}").get(prompt_id)
            if entry is not None:
                return _outputs(entry)
            if not waiting:
                raise HostError("The workflow was taken off ComfyUI's queue before it ran.")
            while_waiting()
            time.sleep(pause())
        raise HostError(f"The workflow was not done after {timeout:.0f} seconds.")

    def _is_queued(self, prompt_id: str) -> bool:
        queue = self.get("/queue")
        return any(prompt_id in job for job in queue["queue_running"] + queue["queue_pending"])

    def cancel(self, prompt_id: str) -> None:
        """Remove a workflow from the queue, or stop it if it is running; no effect afterwards."""
        self.request("/queue", json.dumps({"delete": [prompt_id]}).encode())
        self.request("/interrupt", json.dumps({"prompt_id": prompt_id}).encode())

    def fetch(self, image: Json) -> bytes:
        """Return the bytes of an image named by an output: filename, subfolder, type."""
        wanted = {key: image.get(key, "") for key in ("filename", "subfolder", "type")}
        return self.request("/view?" + urllib.parse.urlencode(wanted))

    def interrupt(self) -> None:
        """Stop the workflow that is running."""
        self.request("/interrupt", b"{}")


def _outputs(entry: Json) -> Json:
    status = entry.get("status") or {}
    for name, details in status.get("messages", []):
        if name == "execution_error":
            node = f"{details['node_type']} (node {details['node_id']})"
            raise HostError(f"{node} failed: {_brief(str(details['exception_message']))}")
        if name == "execution_interrupted":
            raise HostError("The workflow was interrupted.")
    if status.get("status_str") == "error":
        raise HostError("The workflow failed and ComfyUI did not say why.")
    return entry["outputs"]


def _brief(message: str) -> str:
    """Shorten a long message, such as torch's list of wrong weights; the log has all of it."""
    text = message.strip()
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS].rstrip() + " ..."
