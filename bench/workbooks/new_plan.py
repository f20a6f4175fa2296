"""Measure the import of a new plan: its time over that of reading the cells, and whether it keeps others waiting.

`make bench-workbooks` runs it. First, in this process: the preview of 2,500, 5,000 and 9,500 actions over the reader
alone, and how long the confirmation holds its transaction. Then on a real gunicorn with SQLite: a coordinator previews
and confirms a plan of 5,000 actions while 8 people log in, update and open pages; before that they work alone for a
while. `python -c "from bench.workbooks import new_plan; new_plan.measure_beside_people(500)"` does this with a smaller
plan.
"""

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from io import BytesIO
from itertools import count, cycle
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from openpyxl import load_workbook

SIZES = (2_500, 5_000, 9_500)  # a workbook holds 10,000 rows at most, with those of its other sheets
ROUNDS = 3
MAX_RATIO, MAX_GROWTH, MAX_UPDATE_SECONDS = 3.0, 2.6, 2.0
ALONE_SECONDS, PAUSE_SECONDS, MAX_IMPORT_SECONDS = 20, 0.3, 600
ACTIONS, PEOPLE, PASSWORD = 5_000, 8, "a long password for the measurement"
BOUNDARY = "a-line-between"
WAITING = 'hx-trigger="every 1s"'  # on the page of an import that is being read or written
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def seeded_book() -> bytes:
    """The workbook of the seeded plan."""
    from exchange.whole_plan.export import build_plan_book
    from plan.models import Plan
    from spreadsheets.downloads import workbook_bytes

    return workbook_bytes(build_plan_book(Plan.objects.get(slug="2562-2563")))


def big_book(seeded: bytes, slug: str, actions: int) -> bytes:
    """The workbook of the seeded plan as a new plan with this many actions, without refs."""
    book = load_workbook(BytesIO(seeded))
    book["แผน"]["B4"].value = slug
    sheet = book["รายการ"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(4, 144)]
    for number, (_, *values) in zip(range(actions), cycle(rows), strict=False):
        values[3], values[4] = None, f"{values[4]} ครั้งที่ {number // len(rows) + 1}"
        for column, value in enumerate((None, *values), start=1):
            sheet.cell(4 + number, column).value = value
    file = BytesIO()
    book.save(file)
    return file.getvalue()


# In this process.


def measure_preview() -> None:
    """Print the time of a preview over that of the reader alone, and its growth with the number of actions."""
    from exchange.whole_plan import apply
    from spreadsheets.read import read_workbook
    from tests.exchange.workbooks import confirm, preview
    from tests.factories import UserFactory

    person = UserFactory(roles=["coordinator"])
    seeded, seconds = seeded_book(), dict[int, float]()
    sys.stdout.write(f"\nNew plan from Excel: medians of {ROUNDS} rounds in seconds\n")
    sys.stdout.write(f"{'actions':>9}{'reader':>9}{'preview':>9}{'ratio':>8}\n")
    for size in SIZES:
        times = defaultdict(list)
        data = big_book(seeded, str(size), size)
        for _round in range(ROUNDS):
            start = perf_counter()
            read_workbook(data, "แผน.xlsx")
            read = perf_counter()
            job = preview(data, None, person)
            times["read"].append(read - start)
            times["preview"].append(perf_counter() - read)
            times["ratio"].append(times["preview"][-1] / times["read"][-1])
            assert job.is_preview, job.findings
        read, seconds[size], ratio = (median(times[name]) for name in ("read", "preview", "ratio"))
        sys.stdout.write(f"{size:>9}{read:>9.2f}{seconds[size]:>9.2f}{ratio:>8.2f}\n")
        if size == ACTIONS:
            ratio_at_limit, held = ratio, timed(apply, "add_records")
            confirm(job, person)
    sys.stdout.write(f"Preview over reader with {ACTIONS} actions: {ratio_at_limit:.2f} (at most {MAX_RATIO})\n")
    growth = seconds[SIZES[2]] / seconds[SIZES[1]]
    sys.stdout.write(f"Growth from {SIZES[1]} to {SIZES[2]} actions: {growth:.2f} (at most {MAX_GROWTH})\n")
    sys.stdout.write(f"Confirmation inside the transaction: {held[0]:.2f} s\n")


def timed(module: Any, name: str) -> list[float]:
    """A list that receives the seconds of each call of a function from now on."""
    from exchange.whole_plan import planner

    seconds, function = [], getattr(module, name)

    def measured(*args: Any) -> Any:
        start = perf_counter()
        try:
            return function(*args)
        finally:
            seconds.append(perf_counter() - start)

    setattr(planner, name, measured)
    return seconds


# On a real server.


class Answers:
    """The status and seconds of each answer by kind, before the import and beside it."""

    def __init__(self) -> None:
        self.alone: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.beside: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self.now = self.alone


class Visitor:
    """A browser with the cookies of one person; it notes the status and seconds of each answer."""

    def __init__(self, base: str, answers: Answers) -> None:
        self.base, self.answers = base, answers
        self.opener = build_opener(HTTPCookieProcessor(CookieJar()))
        self.url = ""

    def ask(self, kind: str, address: str, data: bytes | None = None, content_type: str = "") -> str:
        """Return the page at an address, after redirects."""
        request = Request(address if address.startswith("http") else self.base + address, data)  # noqa: S310 - our own
        request.add_header("Content-Type", content_type or "application/x-www-form-urlencoded")
        request.add_header("Referer", self.base)
        start = perf_counter()
        try:
            with self.opener.open(request, timeout=120) as answer:
                status, text, self.url = answer.status, answer.read().decode(errors="replace"), answer.url
        except HTTPError as error:
            status, text = error.code, ""
        except OSError:
            status, text = 599, ""
        self.answers.now[kind].append((status, perf_counter() - start))
        return text

    def log_in(self, name: str) -> None:
        """Log in by the form."""
        fields = dict(FIELD.findall(self.ask("page", "/login/")))
        data = fields | {"username": name, "password": PASSWORD}
        self.ask("login", "/login/", urlencode(data).encode())

    def update(self, address: str, number: int) -> None:
        """Record an update of an action by its form."""
        fields = dict(FIELD.findall(self.ask("page", address)))
        data = fields | {"status_to": "IN_PROGRESS", "progress_to": 10 + number % 80, "result": f"ผลครั้งที่ {number}"}
        self.ask("update", address, urlencode(data).encode())

    def send(self, address: str, fields: dict[str, str], file: bytes) -> str:
        """Upload a workbook."""
        start = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
        parts = [f'{start}"{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
        parts.append(f'{start}"file"; filename="plan.xlsx"\r\nContent-Type: application/zip\r\n\r\n'.encode() + file)
        body = b"".join(parts) + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self.ask("upload", address, body, f"multipart/form-data; boundary={BOUNDARY}")


def prepare(actions: int) -> tuple[bytes, dict[str, list[str]]]:
    """Make the database with people; return the workbook, and for each person the pages of their actions."""
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from django.db import connections

    from assignments.models import Membership, Unit, User
    from plan.models import Plan

    for command in (["migrate", "--verbosity", "0"], ["seed", "--verbosity", "0"]):
        call_command(*command)
    call_command("collectstatic", "--noinput", "--verbosity", "0")
    plan = Plan.objects.get()
    Plan.objects.update(state=Plan.State.RUNNING)
    units = list(Unit.objects.divisions().filter(assignments__role="LEAD").distinct()[:PEOPLE])
    pages = {}
    for number in range(PEOPLE):
        person = User.objects.create_user(f"person{number}", password=PASSWORD, organization=plan.organization)
        person.groups.add(Group.objects.get(name="staff"))
        unit = units[number % len(units)]
        Membership.objects.create(user=person, unit=unit)
        refs = plan.actions.for_units([unit], role="LEAD").values_list("ref", flat=True)
        pages[person.username] = [f"/plans/{plan.slug}/actions/{ref}/" for ref in refs[number // len(units) :: 2]]
    person = User.objects.create_user("keeper", password=PASSWORD, organization=plan.organization)
    person.groups.add(Group.objects.get(name="coordinator"))
    data = big_book(seeded_book(), "2570", actions)
    connections.close_all()
    return data, pages


@contextmanager
def server() -> Iterator[str]:
    """Run gunicorn and a worker as in production; yield the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "pmqa_tracker.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen([*command, "--no-control-socket", "--log-level", "warning"])
    worker = subprocess.Popen([sys.executable, "manage.py", "worker"])
    try:
        base = f"http://127.0.0.1:{port}"
        visitor = Visitor(base, Answers())
        while not visitor.ask("start", "/login/") and process.poll() is None:
            sleep(0.2)
        yield base
    finally:
        for each in (process, worker):
            each.terminate()
            each.wait(30)


def measure_server(actions: int) -> None:
    """Print how long people wait while a coordinator imports a plan; end with an error if one of them cannot work."""
    data, pages = prepare(actions)
    answers, ended = Answers(), threading.Event()

    def work(base: str, name: str) -> None:
        visitor, addresses = Visitor(base, answers), cycle(pages[name])
        for number in count():
            if ended.is_set():
                return
            if number % 10 == 0:
                visitor.log_in(name)
            sleep(PAUSE_SECONDS)
            visitor.update(next(addresses), number)
            visitor.ask("page", ("/plans/2562-2563/my/", "/plans/2562-2563/actions/")[number % 2])

    with server() as base:
        people = [threading.Thread(target=work, args=(base, name)) for name in pages]
        for person in people:
            person.start()
        try:
            sleep(ALONE_SECONDS)
            answers.now = answers.beside
            seconds = import_plan(Visitor(base, answers), data)
        finally:
            ended.set()
            for person in people:
                person.join()
    sys.stdout.write(f"\nNew plan of {actions} actions on gunicorn with SQLite, {PEOPLE} people at work\n")
    sys.stdout.write(f"preview {seconds[0]:.1f} s, confirmation {seconds[1]:.1f} s\n")
    sys.stdout.write(f"{'':<18}{'answers':>9}{'median s':>10}{'95 % s':>9}{'longest s':>11}{'5xx':>6}\n")
    late = {}
    for kind in ("login", "update", "page"):
        for when, noted in (("alone", answers.alone[kind]), ("beside", answers.beside[kind])):
            times = sorted(each for _status, each in noted)
            wrong = sum(status >= 500 for status, _each in noted)
            late[kind, when] = quantiles([*times, *times[:1], *times[-1:]], n=20)[-1]
            figures = f"{len(times):>9}{median(times):>10.2f}{late[kind, when]:>9.2f}{times[-1]:>11.2f}{wrong:>6}"
            sys.stdout.write(f"{kind:<9}{when:<9}{figures}\n")
    ratio = late["update", "beside"] / late["update", "alone"]
    sys.stdout.write(f"95 % of the updates beside the import over alone: {ratio:.1f}; ")
    sys.stdout.write(f"allowed: no 5xx, and under {MAX_UPDATE_SECONDS} s on a machine with nothing else to do\n")


def import_plan(visitor: Visitor, data: bytes) -> tuple[float, float]:
    """Upload a workbook and confirm its preview; return the seconds of both."""
    visitor.log_in("keeper")
    fields = dict(FIELD.findall(visitor.ask("page", "/new-plan/")))
    start = perf_counter()
    page = visitor.send("/new-plan/", fields, data)
    address = visitor.url
    page = wait(visitor, address, page)
    previewed = perf_counter()
    page = visitor.ask("confirm", address, urlencode(dict(FIELD.findall(page))).encode())
    wait(visitor, address, page)
    confirmed = perf_counter()
    if "/plans/2570/" not in visitor.ask("poll", "/plans/"):
        sys.exit("The plan was not imported.")
    return previewed - start, confirmed - previewed


def wait(visitor: Visitor, address: str, page: str) -> str:
    """Return the page of an import when it is no longer read or written."""
    start = perf_counter()
    while not page or WAITING in page:
        if perf_counter() - start > MAX_IMPORT_SECONDS:
            sys.exit("The import did not end in time.")
        sleep(0.5)
        page = visitor.ask("poll", address)
    return page


def measure_beside_people(actions: int = ACTIONS) -> None:
    """Measure the server in another process, with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="pmqa-bench-") as folder:
        sys.stdout.flush()
        env = os.environ | {
            "PMQA_ENV_FILE": "", "SECRET_KEY": "only-for-this-measurement-0123456789-abcdefghijklmnopqrstuvwxyz",
            "DATA_DIR": folder, "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3", "SECURE_SSL": "False",
            "ALLOWED_HOSTS": "127.0.0.1", "DJANGO_SETTINGS_MODULE": "pmqa_tracker.settings", "LOG_FORMAT": "text",
        }  # fmt: skip
        subprocess.run([sys.executable, "-m", "bench.workbooks.new_plan", str(actions)], env=env, check=True)


if __name__ == "__main__":
    import django

    django.setup()
    measure_server(int(sys.argv[1]))
