"""Setup: a wrong setting gives one sentence that names it, and a right setting starts the site.

The tests run real processes, with only the environment variables that they set.
"""

import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management.utils import get_random_secret_key

ROOT = Path(__file__).resolve().parent.parent
MANAGE = [sys.executable, "manage.py"]
SENTENCE = re.compile(r"[A-Z][^\n]+\. / [^\n]*[ก-๙][^\n]*\n")  # in English, then in Thai, on one line

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command in the project folder, by default with a secret key and a data folder."""

    def inner(command: list[str], **environment: str | None) -> subprocess.CompletedProcess[str]:
        variables = {"PMQA_ENV_FILE": "", "SECRET_KEY": "x" * 60, "DATA_DIR": str(tmp_path / "data")} | environment
        clean = {name: value for name, value in variables.items() if value is not None}
        return subprocess.run(
            command,
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONUTF8": "1"} | clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )

    return inner


def assert_one_sentence(ended: subprocess.CompletedProcess[str], word: str) -> None:
    """Check that the command failed and wrote only one sentence, which contains `word`."""
    assert ended.returncode != 0
    assert ended.stdout == ""
    assert SENTENCE.fullmatch(ended.stderr), ended.stderr
    assert word in ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "://"),
        ("DATABASE_URL", "mysql://user@host/name"),
        ("DATABASE_URL", "postgres://user@host:port/name"),
        ("DATABASE_URL", "postgres://user@host"),
        ("PMQA_TODAY", "15/5/2563"),
        ("PMQA_TODAY", "2020-02-30"),
        ("TIME_ZONE", "Asia/Krungthep"),
        ("TIME_ZONE", "../etc/passwd"),
        ("EMAIL_URL", "nonsense"),
        ("EMAIL_URL", "smtp://host:port"),
        ("PMQA_ON_TRACK", "high"),
        ("PMQA_SLIPPING", "85"),
        ("DATA_DIR", "/proc/nowhere"),
    ],
)
def test_wrong_setting_is_named_in_one_sentence(run: Run, name: str, value: str | None) -> None:
    assert_one_sentence(run([*MANAGE, "check"], **{name: value}), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mongo://someone:topsecret@host/name"),
        ("EMAIL_URL", "smtpp://someone:topsecret@host"),
    ],
)
def test_message_does_not_show_a_password(run: Run, name: str, value: str) -> None:
    ended = run([*MANAGE, "check"], **{name: value})
    assert_one_sentence(ended, name)
    assert "topsecret" not in ended.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgres://nobody@127.0.0.1:1/none", "Connection refused"),
        ("sqlite:////nowhere/at/all.sqlite3", "unable to open database file"),
    ],
)
def test_unreachable_database_gives_one_sentence(run: Run, url: str, reason: str) -> None:
    assert_one_sentence(run([*MANAGE, "migrate"], DATABASE_URL=url), reason)


def test_debugging_needs_no_key(run: Run) -> None:
    assert run([*MANAGE, "check"], SECRET_KEY=None, DEBUG="True").returncode == 0


def test_key_may_begin_with_any_character(run: Run) -> None:
    ended = run(
        [*MANAGE, "shell", "-v0", "-c", "from django.conf import settings; print(settings.SECRET_KEY)"],
        SECRET_KEY="$a#b",
    )
    assert (ended.stdout, ended.stderr) == ("$a#b\n", "")


def test_the_settings_of_a_production_server_raise_no_warning(run: Run) -> None:
    ended = run(
        [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
        SECRET_KEY=get_random_secret_key(),
        ALLOWED_HOSTS="example.org",
        SITE_URL="https://example.org",
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_server_stops_at_a_wrong_setting_instead_of_retrying(run: Run) -> None:
    ended = run(
        [sys.executable, "-m", "gunicorn", "pmqa_tracker.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"],
        SECRET_KEY=None,
    )
    assert ended.returncode != 0
    assert "SECRET_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


SHOW = """
from django.conf import settings
from pmqa_tracker.messages import MessageCookie
print(settings.SITE_URL, settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME,
      MessageCookie.cookie_name)
"""


def shown(run: Run, **environment: str | None) -> tuple[str, set[str]]:
    """Return the URL in mails and the cookie names of a site with these settings."""
    ended = run([*MANAGE, "shell", "-v0", "-c", SHOW], **environment)
    assert (ended.returncode, ended.stderr) == (0, "")
    address, *cookies = ended.stdout.rstrip("\n").split(" ")
    assert len(set(cookies)) == 4
    return address, set(cookies)


@pytest.mark.parametrize(
    "other", [{"SECRET_KEY": "y" * 60}, {"DATA_DIR": "other"}, {"PORT": "8001"}], ids=lambda other: next(iter(other))
)
def test_two_demonstrations_on_one_host_share_no_cookie(run: Run, tmp_path: Path, other: dict[str, str]) -> None:
    other = {name: str(tmp_path / value) if name == "DATA_DIR" else value for name, value in other.items()}
    one, two = shown(run, PMQA_DEMO="True")[1], shown(run, PMQA_DEMO="True", **other)[1]
    assert one.isdisjoint(two)
    assert one == shown(run, PMQA_DEMO="True")[1]  # the same after a restart: nobody is logged out by one


def test_the_hosts_of_one_site_share_their_cookies(run: Run, tmp_path: Path) -> None:
    """In production several machines may serve a site, each with its own port and path."""
    one = shown(run, PORT="8000")[1]
    assert one == shown(run, PORT="9000", DATA_DIR=str(tmp_path / "mounted-elsewhere"))[1]
    assert one.isdisjoint(shown(run, SECRET_KEY="y" * 60)[1])


def test_the_links_in_mails_follow_the_port_of_the_demonstration(run: Run, tmp_path: Path) -> None:
    assert shown(run, PMQA_DEMO="True")[0] == "http://127.0.0.1:8000"
    assert shown(run, PMQA_DEMO="True", PORT="8001")[0] == "http://127.0.0.1:8001"
    (tmp_path / "data" / "port").write_text("8002")  # as `make run PORT=8002` leaves it for commands run beside it
    assert shown(run, PMQA_DEMO="True")[0] == "http://127.0.0.1:8002"
    assert shown(run, PMQA_DEMO="True", SITE_URL="https://a.example")[0] == "https://a.example"
    (tmp_path / "data" / "port").write_text("nonsense")
    assert shown(run, PMQA_DEMO="True")[0] == "http://127.0.0.1:8000"
    assert_one_sentence(run([*MANAGE, "check"], PORT="eight"), "PORT")


# make run


def test_first_run_writes_settings_readable_only_by_the_owner(run: Run, tmp_path: Path) -> None:
    first, second = tmp_path / "first.env", tmp_path / "second.env"
    for file in (first, second):
        assert run(["scripts/env-file", str(file)]).returncode == 0
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    one, other = (dict(re.findall(r"^(\w+)=(.+)$", file.read_text(), re.MULTILINE)) for file in (first, second))
    assert (one["PMQA_DEMO"], one["PMQA_TODAY"]) == ("True", "2020-05-15")
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){2}", one["PMQA_DEMO_PASSWORD"])
    assert len(one["SECRET_KEY"]) >= 50
    assert one["SECRET_KEY"] != other["SECRET_KEY"]
    assert one["PMQA_DEMO_PASSWORD"] != other["PMQA_DEMO_PASSWORD"]
    ended = run([*MANAGE, "check"], PMQA_ENV_FILE=str(first), SECRET_KEY=None)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("name", ["PMQA_DEMO", "PMQA_TODAY", "DEBUG"])
def test_production_refuses_the_settings_of_a_demonstration(run: Run, tmp_path: Path, name: str) -> None:
    file = tmp_path / "demonstration.env"
    assert run(["scripts/env-file", str(file)]).returncode == 0
    # As a hasty administrator would repair it, until only one setting is left.
    others = {"PMQA_DEMO", "PMQA_TODAY"} - {name}
    lines = [line for line in file.read_text().splitlines() if line.partition("=")[0] not in others]
    file.write_text("\n".join([*lines, "DEBUG=True"] if name == "DEBUG" else lines))
    ended = run([*MANAGE, "check"], PMQA_ENV_FILE=str(file), SECRET_KEY=None, PMQA_PRODUCTION="True")
    assert_one_sentence(ended, name)


def test_later_run_keeps_the_settings(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "kept.env"
    file.write_text("SECRET_KEY=my own\n")
    ended = run(["scripts/env-file", str(file)])
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert file.read_text() == "SECRET_KEY=my own\n"


def test_port_in_use_stops_before_anything_is_written(run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run(["scripts/serve", str(taken.getsockname()[1])])
    assert ended.returncode == 1
    assert re.fullmatch(r"Port \d+ [^\n]*in use[^\n]*make run PORT=\d+\.\n", ended.stderr)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("port", ["eight", "0", "70000", "-1"])
def test_invalid_port_gives_an_error(run: Run, port: str) -> None:
    ended = run(["scripts/serve", port])
    assert (ended.returncode, ended.stderr) == (1, f"PORT must be a number from 1 to 65535, not “{port}”.\n")


def test_the_example_settings_name_every_variable_that_is_read() -> None:
    code = "".join((ROOT / "pmqa_tracker" / name).read_text() for name in ("settings.py", "database.py"))
    read = set(re.findall(r'\b(?:env|environment)\.\w+\(\s*(?:env,\s+)?"([A-Z_]+)"', code))
    assert set(re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)) == read


def test_database_without_tables_says_what_to_run(run: Run) -> None:
    assert_one_sentence(run([*MANAGE, "seed"]), "manage.py migrate")


def test_static_files_are_collected_only_after_a_change(tmp_path: Path) -> None:
    for name in ("static/a.css", "pmqa_tracker/settings.py", ".venv/.requirements", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python = tmp_path / ".venv/bin/python"
    python.write_text("#!/bin/sh\nmkdir -p staticfiles; touch staticfiles/staticfiles.json; echo collected\n")
    python.chmod(0o755)

    def collect() -> str:
        return subprocess.run(
            [ROOT / "scripts/static-files"], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    assert (collect(), collect()) == ("collected\n", "")
    made = (tmp_path / "staticfiles/staticfiles.json").stat().st_mtime
    for name in ("static/a.css", "pmqa_tracker/settings.py", ".venv/.requirements"):
        os.utime(tmp_path / name, (made + 5, made + 5))
        assert collect() == "collected\n", name
        os.utime(tmp_path / name, (made - 5, made - 5))
    assert collect() == ""
    (tmp_path / "static/a.css").unlink()  # the time of its folder changes
    os.utime(tmp_path / "static", (made + 5, made + 5))
    assert collect() == "collected\n"
