"""The dashboard keeps to its machine: started as README says, it asks nothing of the internet and lets no others in."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.paths import REPOSITORY

ASKED: list[str] = []


class _Proxy(http.server.BaseHTTPRequestHandler):
    """Notes what it is asked for, and has none of it."""

    def do_GET(self) -> None:
        ASKED.append(self.path)
        self.send_error(404)

    def do_CONNECT(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    """The address of a proxy that writes down in ``ASKED`` whatever goes to the internet."""
    ASKED.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("asked", [[], ["--server.address", "0.0.0.0"]], ids=["for itself", "for others"])
def test_it_starts_without_the_internet(cache: Path, proxy: str, asked: list[str]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "dashboard/app.py", "--server.port", str(port), *asked],
        cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "http_proxy": proxy, "https_proxy": proxy, "no_proxy": "127.0.0.1,localhost"},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        while "http://localhost" not in said:  # it says where it is last of all
            line = process.stdout.readline()
            assert line, said
            said += line
        assert _answers("127.0.0.1", port)
        # All of 127.0.0.0/8 is this machine: an address that only a server that listens on every one has.
        assert _answers("127.0.0.2", port) == bool(asked)
        time.sleep(0.5)
        assert ASKED == []
    finally:
        process.terminate()
        process.wait(30)
