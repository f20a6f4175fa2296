"""The installation chapter as a script, and a machine below a folder on which it runs without root."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.hold.site import ROOT, free_port

BLOCK = re.compile(r"^( *)```sh ?(\S*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PATHS = re.compile(
    r"(?<![\w.])/(?:srv/pmqa|var/lib/pmqa|var/backups/pmqa|usr/local/sbin|etc/(?:systemd|nginx|letsencrypt))"
)
STANDS_FOR = {"noop": ("apt-get", "adduser", "chown", "createuser")}
PASSWORD = "a long password for the administrator"
NGINX = """
{user}pid {run}/nginx.pid;
error_log {run}/nginx.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {run}/body;
    proxy_temp_path {run}/proxy;
    fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi;
    scgi_temp_path {run}/scgi;
    include {etc}/sites-enabled/*;
}}
"""


def blocks(document: Path) -> list[tuple[str, str]]:
    """Return (word after `sh`, commands) of each block of commands in a document, in order."""
    return [(word, re.sub(f"(?m)^{indent}", "", text)) for indent, word, text in BLOCK.findall(document.read_text())]


@dataclass
class Machine:
    """A Debian machine below a folder: what needs root or the network is replaced (`machine/`).

    Attributes:
        folder: stands for `/`.
        env: what every command gets.
        mail, http, https, gunicorn: ports.
    """

    folder: Path
    env: dict[str, str]
    mail: int
    http: int
    https: int
    gunicorn: int

    @classmethod
    def make(cls, folder: Path, mail: int, **env: str) -> "Machine":
        """Make a machine with an empty disk, which sends its mails to this port."""
        for each in ("run", "bin", "srv", "var/lib", "var/backups", "usr/local/sbin", "etc/systemd/system"):
            (folder / each).mkdir(parents=True)
        for each in ("sites-available", "sites-enabled"):
            (folder / "etc/nginx" / each).mkdir(parents=True)
        for file in (Path(__file__).parent / "machine").iterdir():
            for name in STANDS_FOR.get(file.name, (file.name,)):
                (folder / "bin" / name).symlink_to(file)
        is_root = "user root;\n" if os.geteuid() == 0 else ""
        main = NGINX.format(user=is_root, run=folder / "run", etc=folder / "etc/nginx")
        (folder / "etc/nginx/nginx.conf").write_text(main)
        machine = cls(folder, {}, mail, *(free_port() for _ in range(3)))
        machine.env = env | {
            "PATH": f"{folder}/bin:{folder}/usr/local/sbin:{os.environ['PATH']}", "HOME": str(folder),
            "MACHINE": str(folder), "MACHINE_HTTPS": str(machine.https), "PYTHONUTF8": "1",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD, "GIT_CONFIG_GLOBAL": "/dev/null",
        }  # fmt: skip
        return machine

    def here(self, text: str) -> str:
        """Return a text with the paths and ports of this machine."""
        text = PATHS.sub(lambda found: f"{self.folder}{found[0]}", text)
        text = re.sub(r"^.*listen \[::\].*\n", "", text, flags=re.MULTILINE)
        ports = {"listen 80;": f"listen {self.http};", "listen 443 ": f"listen {self.https} "}
        for old, new in (ports | {"127.0.0.1:8000": f"127.0.0.1:{self.gunicorn}"}).items():
            text = text.replace(old, new)
        return text

    def publish(self, *tags: str) -> Path:
        """Return a repository with the project as it is now, for this machine, as a release of each tag."""
        origin = self.folder / "origin"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        for name in listed.stdout.split("\0"):
            if name and (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
                (origin / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, origin / name)
        for file in (origin / "deploy").rglob("*"):
            if file.is_file():
                file.write_text(self.here(file.read_text()))
        git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
        commands = [["init", "--quiet"], ["add", "--all"]]
        for tag in tags:
            commands += [["commit", "--quiet", "--allow-empty", "--message", tag], ["tag", tag]]
        for command in commands:
            subprocess.run([*git, *command], cwd=origin, check=True, env=self.env)
        return origin

    def run(self, script: str) -> str:
        """Run commands in one shell as root would; return what they printed."""
        ended = subprocess.run(
            ["bash", "-euo", "pipefail"], input=self.here(script), cwd=self.folder, env=self.env, capture_output=True,
            text=True, timeout=900, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, f"{ended.stdout}\n{ended.stderr}\n{self.logs}"
        return ended.stdout + ended.stderr

    @property
    def logs(self) -> str:
        """What its services have printed."""
        return "\n".join(file.read_text(errors="replace") for file in (self.folder / "run").glob("*.log"))

    def switch_off(self) -> None:
        """Kill everything that runs on it."""
        for file in (self.folder / "run").glob("*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.killpg(os.getpgid(int(file.read_text())), signal.SIGKILL)
