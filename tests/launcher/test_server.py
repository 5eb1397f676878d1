"""Ports, servers that die, servers that lack our nodes, and what a client makes of answers."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from launcher import serve, server
from launcher.client import Client, HostError
from launcher.failure import LauncherError
from launcher.paths import REPO
from launcher.server import ADDRESS, Server, free_port, is_free

ANSWERS = """
import http.server, json, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{"CollageLayer": {}}')
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def occupied() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        listener.listen()
        yield listener.getsockname()[1]


def start(script: str, tmp_path: Path) -> Server:
    port = free_port()
    return Server([sys.executable, "-c", script, str(port)], port, tmp_path / "server.log", {})


def test_a_wanted_port_that_is_occupied_is_refused(occupied: int) -> None:
    with pytest.raises(LauncherError, match=rf"Port {occupied} is occupied.*--port"):
        serve.choose_port(occupied)


def test_without_a_wish_the_usual_port_or_a_free_one_is_taken(
    occupied: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "USUAL_PORT", occupied)
    chosen = serve.choose_port(None)
    assert chosen != occupied
    assert is_free(chosen)
    monkeypatch.setattr(serve, "USUAL_PORT", chosen)
    assert serve.choose_port(None) == chosen


def test_a_machine_that_cannot_reach_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    server.require_loopback()
    monkeypatch.setattr(server, "ADDRESS", "192.0.2.1")  # of nobody: RFC 5737
    with pytest.raises(LauncherError, match=r"cannot reach itself on 192\.0\.2\.1.*loopback"):
        server.require_loopback()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux makes such a network")
def test_without_a_loopback_interface_a_server_is_not_waited_for() -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("this machine allows no network of one's own")
    code = "from launcher.server import require_loopback; require_loopback()"
    run = [*alone, sys.executable, "-c", code]
    done = subprocess.run(run, cwd=REPO, capture_output=True, text=True, timeout=60, check=False)
    assert "LauncherError: This machine cannot reach itself on 127.0.0.1" in done.stderr


def test_a_server_that_dies_is_told_with_its_last_words(tmp_path: Path) -> None:
    with (
        start("import sys; print('no such model'); sys.exit(3)", tmp_path) as server,
        pytest.raises(LauncherError, match=r"(?s)status 3.*no such model.*log is .*server\.log"),
    ):
        server.wait_until_up()


def test_a_port_that_was_taken_meanwhile_is_told(tmp_path: Path) -> None:
    words = "Port 8188 is already in use on address 127.0.0.1."
    with (
        start(f"import sys; print({words!r}); sys.exit(1)", tmp_path) as server,
        pytest.raises(LauncherError, match=r"^Another program took the port .*run the command"),
    ):
        server.wait_until_up()


def test_a_server_that_stays_silent_is_given_up(tmp_path: Path) -> None:
    with (
        start("import time; time.sleep(60)", tmp_path) as server,
        pytest.raises(LauncherError, match=r"did not answer within 0 s"),
    ):
        server.wait_until_up(timeout=0.3)
    assert server.process.poll() is not None


def test_missing_nodes_are_named(tmp_path: Path) -> None:
    with start(ANSWERS, tmp_path) as server:
        server.wait_until_up(timeout=20)
        server.require_nodes(("CollageLayer",))
        with pytest.raises(LauncherError, match=r"did not load CollageStack; .*server\.log"):
            server.require_nodes(("CollageLayer", "CollageStack"))
    assert server.process.poll() is not None


class _Host(BaseHTTPRequestHandler):
    """Answers like ComfyUI, with whatever the test put into `answers`."""

    answers: dict[str, tuple[int, object]]

    def do_GET(self) -> None:
        status, body = self.answers.get(self.path.split("?")[0], (404, {}))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_arguments: object, **_named: object) -> None:
        """Keep quiet."""


@pytest.fixture
def answers() -> dict[str, tuple[int, object]]:
    return {"/queue": (200, {"queue_running": [[0, "x", {}]], "queue_pending": []})}


@pytest.fixture
def client(answers: dict[str, tuple[int, object]]) -> Iterator[Client]:
    handler = type("Handler", (_Host,), {"answers": answers})
    with HTTPServer((ADDRESS, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Client(f"http://{ADDRESS}:{server.server_port}")
        server.shutdown()


def test_a_refused_workflow_names_node_and_input(
    client: Client, answers: dict[str, tuple[int, object]]
) -> None:
    errors = [{"message": "Value bigger than max", "details": "noise"}]
    node = {"class_type": "CollageLayer", "errors": errors}
    answers["/prompt"] = (400, {"error": {"message": "no"}, "node_errors": {"7": node}})
    with pytest.raises(
        HostError, match=r"CollageLayer \(node 7\): Value bigger than max \(noise\)"
    ):
        client.queue({})


def test_many_refusals_are_counted(client: Client, answers: dict[str, tuple[int, object]]) -> None:
    errors = [{"message": f"Problem {number}"} for number in range(5)]
    node = {"class_type": "CollageLayer", "errors": errors}
    answers["/prompt"] = (400, {"error": {"message": "no"}, "node_errors": {"7": node}})
    with pytest.raises(HostError, match=r"Problem 2; and 2 more$"):
        client.queue({})


def _lacks(name: str, file: str) -> dict[str, object]:
    about = {"input_name": name, "received_value": file, "input_config": [[], {}]}
    return {"type": "value_not_in_list", "message": "Value not in list", "extra_info": about}


def test_missing_model_files_are_named_once_with_their_folders(
    client: Client, answers: dict[str, tuple[int, object]]
) -> None:
    loaders = {
        "1": {"class_type": "UNETLoader", "errors": [_lacks("unet_name", "flux.safetensors")]},
        "2": {
            "class_type": "DualCLIPLoader",
            "errors": [_lacks("clip_name1", "a.sft"), _lacks("clip_name2", "b.sft")],
        },
        "3": {"class_type": "CLIPLoader", "errors": [_lacks("clip_name", "a.sft")]},
    }
    answers["/prompt"] = (400, {"error": {"message": "no"}, "node_errors": loaders})
    with pytest.raises(HostError) as refused:
        client.queue({})
    assert str(refused.value).startswith(
        "This ComfyUI lacks 3 model files of the workflow: diffusion_models/flux.safetensors, "
        "text_encoders/a.sft, text_encoders/b.sft. Put"
    )


def test_other_values_than_files_are_told_beside_missing_files(
    client: Client, answers: dict[str, tuple[int, object]]
) -> None:
    errors = [_lacks("vae_name", "ae.sft"), _lacks("scheduler", "none")]
    node = {"class_type": "Some", "errors": errors}
    answers["/prompt"] = (400, {"error": {"message": "no"}, "node_errors": {"1": node}})
    with pytest.raises(HostError, match=r"a model file .*vae/ae.sft.*Some \(node 1\): Value not"):
        client.queue({})


def test_a_part_refused_is_the_workflow_refused(
    client: Client, answers: dict[str, tuple[int, object]]
) -> None:
    node = {"class_type": "CollagePasteBack", "errors": [{"message": "feather is missing"}]}
    answers["/prompt"] = (200, {"prompt_id": "x", "node_errors": {"17": node}})
    answers["/interrupt"] = (200, {})
    with pytest.raises(HostError, match=r"CollagePasteBack \(node 17\): feather is missing"):
        client.queue({})


def test_what_was_taken_off_the_queue_is_not_waited_for(
    client: Client, answers: dict[str, tuple[int, object]]
) -> None:
    answers["/history/x"] = (200, {})
    answers["/queue"] = (200, {"queue_running": [], "queue_pending": [[1, "y", {}]]})
    with pytest.raises(HostError, match="taken off ComfyUI's queue"):
        client.wait("x", 5)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            [
                "execution_error",
                {"node_type": "A", "node_id": "1", "exception_message": "wrong weight\n" * 99},
            ],
            r"(?s)^A \(node 1\) failed: wrong weight.{300,400} \.\.\.$",
        ),
        (
            [
                "execution_error",
                {"node_type": "CollageStack", "node_id": "9", "exception_message": "no layers\n"},
            ],
            r"CollageStack \(node 9\) failed: no layers$",
        ),
        (["execution_interrupted", {}], "interrupted"),
    ],
)
def test_a_failed_run_tells_the_node_s_message(
    client: Client, answers: dict[str, tuple[int, object]], message: list[object], words: str
) -> None:
    entry = {"status": {"status_str": "error", "messages": [message]}, "outputs": {}}
    answers["/history/x"] = (200, {"x": entry})
    with pytest.raises(HostError, match=words):
        client.wait("x", 5)


def test_waiting_ends_with_the_outputs(
    client: Client, answers: dict[str, tuple[int, object]]
) -> None:
    answers["/history/x"] = (200, {})
    done = {
        "x": {"status": {"status_str": "success", "messages": []}, "outputs": {"3": {"images": []}}}
    }

    def finish() -> None:
        answers["/history/x"] = (200, done)

    assert client.wait("x", 5, finish) == {"3": {"images": []}}


def test_waiting_has_an_end(client: Client, answers: dict[str, tuple[int, object]]) -> None:
    answers["/history/x"] = (200, {})
    started = time.monotonic()
    with pytest.raises(HostError, match="not done after 0 seconds"):
        client.wait("x", 0.3)
    assert time.monotonic() - started < 5


def test_a_server_that_is_gone_is_told() -> None:
    with pytest.raises(HostError, match="does not answer"):
        Client(f"http://{ADDRESS}:{free_port()}").get("/queue")


def test_a_proxy_is_not_asked(
    client: Client, answers: dict[str, tuple[int, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", f"http://{ADDRESS}:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    answers["/queue"] = (200, {"queue_running": []})
    assert Client(client.url).get("/queue") == {"queue_running": []}
