"""gunicorn as `make run` starts it, the memory of its processes, and a proxy before several of them."""

import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from bench.visitor import Visitor

START_SECONDS = 60
NGINX = "/usr/sbin/nginx"
PROXY = """
daemon off;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream site {{ least_conn; keepalive 64; {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_read_timeout 180s;
        }}
    }}
}}
"""
GUNICORN = "gunicorn {application} --bind 127.0.0.1:{port} --no-control-socket --log-level warning"


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server."""

    port: int
    pid: int

    @property
    def megabytes(self) -> float:
        """Memory of its worker processes, each page of memory that they share counted once (PSS)."""
        rollups = (Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self._workers())
        return sum(int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1]) for text in rollups) / 1024

    @property
    def processor_seconds(self) -> float:
        """Processor time of its worker processes so far."""
        fields = (Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._workers())
        return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")

    def _workers(self) -> list[str]:
        return Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()


@contextmanager
def serve(application: str, env: dict[str, str], command: str = GUNICORN) -> Iterator[Server]:
    """Run gunicorn with the settings of gunicorn.conf.py, or another server by its command, until the block ends."""
    port = _free_port()
    words = shlex.split(command.format(application=application, port=port))
    process = subprocess.Popen([sys.executable, "-m", *words], env=env)
    try:
        _wait(process, port)
        yield Server(port=port, pid=process.pid)
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def proxy(ports: Sequence[int]) -> Iterator[int]:
    """Run nginx before servers on these ports, as deploy/nginx does before one; yield its port."""
    port, servers = _free_port(), " ".join(f"server 127.0.0.1:{each};" for each in ports)
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder, "nginx.conf")
        settings.write_text(PROXY.format(folder=folder, port=port, servers=servers))
        process = subprocess.Popen([NGINX, "-p", folder, "-e", f"{folder}/errors", "-c", str(settings)])
        try:
            _wait(process, port)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    start = perf_counter()
    while process.poll() is None and perf_counter() - start < START_SECONDS:
        try:
            Visitor(port).get("/healthz")
        except OSError:
            sleep(0.1)
        else:
            return
    raise SystemExit("The server did not start.")
