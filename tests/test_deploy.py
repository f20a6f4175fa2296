"""The files in deploy/: units, proxies and containers name what the project has, and agree with each other."""

import re
import runpy
import shlex
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from django.core.management import get_commands

from pmqa_tracker import page_cache
from tests.test_house import ROOT

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
SETTINGS = set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def started_by(unit: str) -> list[list[str]]:
    """Return the commands of a unit, without the path of the program."""
    lines = re.findall(r"^ExecStart=/srv/pmqa/\.venv/bin/(.+)$", (UNITS / unit).read_text(), re.MULTILINE)
    return [shlex.split(line) for line in lines]


def instructions(name: str) -> list[list[str]]:
    """Return the arguments of each instruction of the Containerfile with this name; lists in JSON form are unpacked."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Containerfile").read_text())
    found = re.findall(rf"^{name} (.+)$", text, re.MULTILINE)
    return [yaml.safe_load(line) if line.startswith("[") else line.split() for line in found]


def test_units_run_commands_that_exist() -> None:
    commands = {name for file in UNITS.glob("*.service") for name in re.findall(r"manage\.py (\w+)", file.read_text())}
    assert commands == {"backup", "check_evidence", "send_reminders", "verify_log", "worker"}
    assert commands <= set(get_commands())


@pytest.mark.parametrize("failing", ["", "verify_log", "check_evidence"])
def test_every_check_of_the_night_runs_and_any_failure_shows(tmp_path: Path, failing: str) -> None:
    """No unit has a second command that a failing first one would keep from running."""
    starts = {
        file.name: re.findall("^ExecStart=(.+)$", file.read_text(), re.MULTILINE) for file in UNITS.glob("*.service")
    }
    assert {name: lines for name, lines in starts.items() if len(lines) != 1} == {}
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$2" >> ran\n[ "$2" != "$FAILING" ]\n')
    python.chmod(0o755)
    (line,) = starts["pmqa-check.service"]
    ended = subprocess.run(shlex.split(line), cwd=tmp_path, env={"FAILING": failing}, check=False)
    assert (tmp_path / "ran").read_text().split() == ["verify_log", "check_evidence"]
    assert bool(ended.returncode) == bool(failing)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is missing")
def test_units_leave_a_broken_service_little(tmp_path: Path) -> None:
    """systemd rates the exposure of each service from 0 to 10; most of Debian's services have more than 9."""
    shutil.copytree(UNITS, tmp_path / "units")
    for file in (tmp_path / "units").glob("*.service"):
        rated = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", file],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert rated.returncode == 0, rated.stdout


@pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is missing")
def test_caddy_accepts_its_configuration(tmp_path: Path) -> None:
    checked = subprocess.run(
        ["caddy", "validate", "--adapter", "caddyfile", "--config", DEPLOY / "caddy" / "Caddyfile"],
        capture_output=True, text=True, check=False, env={"HOME": str(tmp_path), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_containers_run_what_the_units_run() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    (command,), (unit,) = instructions("CMD"), started_by("pmqa-web.service")
    bound = [each.replace("0.0.0.0:", "127.0.0.1:") for each in command]
    assert bound == unit
    assert services["worker"]["command"] == started_by("pmqa-worker.service")[0]
    assert services["migrate"]["command"] == ["python", "manage.py", "migrate"]
    assert services["web"]["environment"].keys() <= SETTINGS
    build = services["migrate"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Containerfile"
    assert all((ROOT / source).exists() for *sources, _to in instructions("COPY") for source in sources)


def test_the_secrets_of_this_folder_stay_out_of_the_image() -> None:
    """`COPY . ./` would take .env and the data of a demonstration along."""
    left_out = (DEPLOY / "Containerfile.dockerignore").read_text().split()
    assert {".git", ".env", "deploy/.env", "var"} <= set(left_out)


def test_worker_reads_its_release_before_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("collect", "freeze", "set_threshold"):
        monkeypatch.setattr(f"gc.{name}", lambda *args: None)
    page_cache.version.cache_clear()
    runpy.run_path(str(ROOT / "gunicorn.conf.py"))["post_worker_init"](SimpleNamespace())
    assert page_cache.version.cache_info().currsize == 1
