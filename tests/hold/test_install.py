"""The installation chapter, run on a clean copy of the project until an administrator logs in through the proxy."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests import sizes
from tests.conftest import IS_REQUIRED
from tests.hold.chapter import PASSWORD, Machine, blocks
from tests.hold.connections import execute
from tests.hold.databases import server_url
from tests.hold.mail_server import mail_server
from tests.hold.site import ROOT, collect_static, environment
from tests.hold.visitor import Visitor

CHAPTER = ROOT / "docs" / "install.md"
THAI = ROOT / "docs" / "th" / "install.md"
HOST = "pmqa.example.go.th"
VERSION = re.compile(r"v\d+\.\d+\.\d+")
NGINX, SYSTEMD = Path("/usr/sbin/nginx").exists(), shutil.which("systemd-analyze")
DATABASE = "postgresql" if server_url() else "sqlite"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """A machine with an empty disk; in a run on PostgreSQL it reaches the server of TEST_DATABASE_URL."""
    env = {}
    if server_url():
        host, user = re.fullmatch(r"postgres\w*://(\w+)@/(/[^/].*)/\w+", server_url()).group(2, 1)
        env = {"PGHOST": host, "PGUSER": user}
        execute(server_url(), "DROP DATABASE IF EXISTS pmqa")
    with mail_server() as port:
        made = Machine.make(tmp_path / "machine", mail=port, **env)
        yield made
        made.switch_off()
    if server_url():
        execute(server_url(), "DROP DATABASE IF EXISTS pmqa WITH (FORCE)")


@pytest.fixture
def visitor(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Visitor:
    """A browser that finds the site by its name, and trusts its certificate."""
    connect = urllib3.util.connection.create_connection
    monkeypatch.setattr(
        urllib3.util.connection,
        "create_connection",
        lambda to, *rest, **options: connect(("127.0.0.1", to[1]), *rest, **options),
    )
    visitor = Visitor(f"https://{HOST}:{machine.https}")
    visitor.verify = str(machine.folder / f"etc/letsencrypt/live/{HOST}/fullchain.pem")
    visitor.headers["Referer"] = visitor.base
    return visitor


SERVICES = "install --mode=644 deploy/systemd"  # begins the block after the database
SLOW = {  # in the short form, what the project's own folder has already is used
    r"^(scripts/venv .*)": rf"ln -sfn {ROOT}/.venv .venv; \1",
    r"^.*collectstatic .*": f"ln -sfn {ROOT}/staticfiles staticfiles",
}


def script(words: set[str], machine: Machine) -> str:
    """Return the commands of the chapter's blocks with these words, for this machine."""
    text = "\n".join(commands for word, commands in blocks(CHAPTER) if word in words)
    changes = {
        r"^REPOSITORY=.*": f"REPOSITORY={machine.folder}/origin",
        r"^pmqa doctor$": "timeout 600 bash -c 'until pmqa doctor; do sleep 3; done'",  # it waits for the worker
        r"^(echo 'EMAIL_URL=).*?'": rf"\1smtp://127.0.0.1:{machine.mail}'",
        r"^(pmqa createsuperuser .*)": r"\1 --noinput",  # the password comes from the environment
    } | ({} if sizes.IS_FULL else SLOW)
    for old, new in changes.items():
        text = re.sub(old, new, text, flags=re.MULTILINE)
    return text


@pytest.mark.skipif(not NGINX and not IS_REQUIRED, reason="nginx is missing")
@pytest.mark.both_databases(only_full=True)
@pytest.mark.promise("the installation chapter works", "login through the proxy")
def test_the_chapter_leads_to_a_login_through_the_proxy(machine, visitor, measured):
    collect_static(environment(machine.folder))
    machine.publish(*VERSION.findall(CHAPTER.read_text()))
    commands = script({"", "nginx", DATABASE}, machine)
    if sizes.ON_POSTGRESQL and not sizes.IS_FULL:  # the rest of the chapter is the same for both
        machine.run(commands.partition(SERVICES)[0])
        assert execute(server_url().rsplit("/", 1)[0] + "/pmqa", "SELECT username FROM assignments_user") == [
            ("admin",)
        ]
        return
    machine.run(commands)
    units = sorted(map(str, (machine.folder / "etc/systemd/system").glob("pmqa-*.*[er]")))
    if SYSTEMD:
        checked = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")
    assert visitor.get("/").url.startswith(f"{visitor.base}/login/")
    assert "/setup/" in visitor.log_in("admin", PASSWORD).text
    assert visitor.get("/", headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    to_https = visitor.get(f"http://{HOST}:{machine.http}/my/", allow_redirects=False)
    assert to_https.headers["Location"] == f"https://{HOST}/my/"
    for unit in units if sizes.IS_FULL else []:
        if unit.endswith(".timer"):
            machine.run(f"systemctl start {Path(unit).stem}.service")

    machine.run(script({"update"}, machine))
    assert "/setup/" in visitor.get("/").text  # still logged in

    if sizes.IS_FULL:
        move(machine)
        assert "/setup/" in visitor.log_in("admin", PASSWORD).text  # everybody logs in again

    machine.run("systemctl stop pmqa-web.service")
    answer = visitor.get("/")
    assert (answer.status_code, "ระบบยังไม่พร้อมใช้งาน" in answer.text) == (502, True)
    measured("logged in")


def move(machine: Machine) -> None:
    """Move the site to another machine, which is this one without its data."""
    machine.run(script({"move-old"}, machine))
    for path in machine.folder.glob("var/lib/pmqa/*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if server_url():
        execute(server_url(), "DROP DATABASE pmqa WITH (FORCE)")
        execute(server_url(), "CREATE DATABASE pmqa")
    machine.run("cd /srv/pmqa; pmqa migrate")
    machine.run(script({"move-new"}, machine))
    machine.run("systemctl enable --now pmqa-web.service pmqa-worker.service")
    machine.run(script({"move-check"}, machine))


def test_the_thai_chapter_has_the_same_commands():
    assert blocks(THAI) == blocks(CHAPTER)
