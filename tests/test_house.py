"""Rules of the code base: import order, size of files, complete translations, nothing loaded from other sites."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import ForeignKey

from pmqa_tracker.models import Versioned
from tests.factories import ActionItemFactory, UnitFactory, UserFactory
from tests.pages import addresses
from tests.rooms import ROOMS
from tests.test_pages import CSP, no_inline

ROOT = Path(__file__).resolve().parent.parent
# Each room may import the rooms before it, but `criteria` and `assignments` not each other.
MAY_IMPORT = {room: set(ROOMS[:place]) for place, room in enumerate(ROOMS)}
MAY_IMPORT["assignments"].discard("criteria")
CATALOG = ROOT / "locale" / "th" / "LC_MESSAGES"
# Where the log itself is meant, not the latest report: taking an import back.
LOG_READERS = {"exchange/undo.py", "plan/models/update.py"}
THAI = re.compile(r"[\u0e00-\u0e7f]")


def committed(*patterns):
    """Return the files of the project that are in git or not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [path for line in listed.stdout.splitlines() if (path := ROOT / line).is_file()]


def imports_of(path):
    """Yield (line, top package, whether only for type checking) of each import in a file, also nested ones."""
    tree = ast.parse(path.read_text())
    hints = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            yield node.lineno, name.split(".")[0], id(node) in hints


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_rooms_import_only_earlier_rooms(room):
    wrong = []
    for path in (ROOT / room).rglob("*.py"):
        if "migrations" in path.parts:
            continue
        for line, package, is_hint in imports_of(path):
            if package in MAY_IMPORT and package != room and package not in MAY_IMPORT[room] and not is_hint:
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {package}")
    assert wrong == []


HIDDEN = {"get_model", "import_module", "import_string", "__import__"}
# These look up a model by a name that is stored in a fixture or an import job.
LOOKED_UP_BY_DATA = {"exchange/seeding.py": 1, "exchange/undo_plan.py": 1}


def hidden_imports(source):
    """Return the number of calls in a Python source that import a model or a module by name."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls]
    return sum(name in HIDDEN for name in names)


def test_no_import_is_hidden_in_a_call():
    paths = [path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    found = {str(path.relative_to(ROOT)): count for path in paths if (count := hidden_imports(path.read_text()))}
    assert found == LOOKED_UP_BY_DATA


@pytest.mark.parametrize(
    "call",
    ['apps.get_model("plan", "Plan")', 'apps.get_app_config("plan").get_model("Plan")', 'import_module("plan.models")'],
)
def test_hidden_import_is_found(call):
    assert hidden_imports(f"def inner():\n    return {call}.objects\n") == 1


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_are_at_the_top_of_the_file(room):
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in (ROOT / room).rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert wrong == []


def test_only_few_relations_point_to_a_later_room():
    """These relations name a model by string; every other one points left or stays in its room."""
    rank = {room: place for place, room in enumerate(MAY_IMPORT)}
    right = {
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model._meta.app_label in rank and not model.__name__.startswith("Historical")
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
        and field.related_model._meta.app_label in rank
        and rank[field.related_model._meta.app_label] > rank[model._meta.app_label]
    }
    assert right == {"Assignment.action", "Assessment.organization", "Event.organization", "Event.person"}


def test_readers_of_updates_skip_undone_ones():
    reading = re.compile(r"(?:ProgressUpdate\"?\)?\.objects|(?<!views)(?<!plan)\.updates)\b(?!\.with(out)?_undone\(\))")
    allowed = re.compile(r"objects\.filter\(op_id=|\.exists\(\)|objects\.bulk_create\(")
    wrong = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for room in ROOMS[ROOMS.index("plan") :]
        for path in sorted((ROOT / room).rglob("*.py"))
        if "migrations" not in path.parts and str(path.relative_to(ROOT)) not in LOG_READERS
        for line in path.read_text().splitlines()
        if reading.search(line) and not allowed.search(line)
    ]
    assert wrong == []


# Where all plans are meant: a command of the server, a name that may be taken by a plan nobody here may see, the
# revision of every plan that shows a record, and the state of all plans for the key of a kept list.
READERS_OF_ALL_PLANS = {
    "demo/management/commands/demo.py",
    "exchange/whole_plan/plan.py",
    "operations/doctor/machine_checks.py",
    "operations/management/commands/check_summaries.py",
    "operations/summaries.py",
    "plan/cached_page.py",
    "plan/log/verify.py",
    "plan/revision.py",
    "worklist/management/commands/send_reminders.py",
}
# Models whose records belong to an organization or a framework: pages reach them through the plan.
OWNED = "Unit|Category|Criterion|Assessment|User|Membership|Meeting|Period|ImportJob|Submission|Reminder"
ANY_PLAN = re.compile(r"(?<!`)\bPlan(?:\.objects\b(?!\.visible_to\()|\._(?:base|default)_manager)")
ANY_RECORD = re.compile(
    rf"\b(?:{OWNED})\.objects\b(?:\.(?:all|in_order|active|divisions|leaves|order_by|values_list))+\("
)


def scoped_wrongly(source, pattern):
    """Return the lines of a Python source that read records of every organization."""
    return [line.strip() for line in source.splitlines() if pattern.search(line)]


@pytest.mark.parametrize("pattern", [ANY_PLAN, ANY_RECORD])
def test_plans_and_what_is_below_are_found_through_the_user(pattern):
    paths = [path for room in ROOMS[ROOMS.index("plan") :] for path in (ROOT / room).rglob("*.py")]
    found = {
        str(path.relative_to(ROOT)): lines for path in paths if (lines := scoped_wrongly(path.read_text(), pattern))
    }
    assert {path: lines for path, lines in found.items() if path not in READERS_OF_ALL_PLANS} == {}


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("plan = Plan.objects.current(on=today)", ANY_PLAN),
        ("plan = Plan.objects.filter(slug=slug)", ANY_PLAN),
        ("plans = Plan._base_manager.all()", ANY_PLAN),
        ("units = Unit.objects.active().in_order()", ANY_RECORD),
        ("users = User.objects.all()", ANY_RECORD),
    ],
)
def test_reading_of_every_organization_is_found(line, pattern):
    assert scoped_wrongly(line, pattern) == [line]


# `transaction.atomic` would raise the revision of plans too early and lock them; see `plan.revision`. A snapshot of a
# backup writes nothing, in a connection of its own.
OPENS_TRANSACTIONS = {"pmqa_tracker/transactions.py", "plan/revision.py", "operations/backup/snapshot.py"}


def test_transactions_are_opened_by_write_transaction():
    paths = {path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts}
    found = {str(path.relative_to(ROOT)) for path in paths if re.search(r"\batomic\b", path.read_text())}
    assert found == OPENS_TRANSACTIONS, "use pmqa_tracker.transactions.write_transaction"


def test_models_that_coordinators_edit_have_a_version_and_a_history():
    edited = {
        "Framework",
        "Organization",
        "Category",
        "Criterion",
        "Requirement",
        "Assessment",
        "Verdict",
        "Unit",
        "Assignment",
        "Plan",
        "Period",
        "Meeting",
        "ActionItem",
    }
    versioned = {model.__name__ for model in apps.get_models() if issubclass(model, Versioned)}
    with_history = {
        model.__name__
        for model in apps.get_models()
        if hasattr(model, "history") and "Historical" not in model.__name__
    }
    assert versioned == with_history == edited


def test_no_file_is_too_long():
    ours = [path for path in committed("*.py", "*.html", "*.css", "*.js") if "vendor" not in path.parts]
    long = {
        str(path.relative_to(ROOT)): lines
        for path in ours
        if "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}
    assert len((ROOT / "static" / "app.js").read_text().splitlines()) <= 150


def test_no_module_has_a_catch_all_name():
    drawers = {"utils.py", "helpers.py", "services.py", "signals.py", "managers.py"}
    assert [str(path) for path in committed("*.py") if path.name in drawers] == []


def test_templates_and_scripts_load_nothing_from_other_sites():
    outside = re.compile(r"(?:src|href|action)=[\"']https?://|url\([\"']?https?://|@import|\bhx-on|\sstyle=\"|<style")
    wrong = {
        str(path.relative_to(ROOT))
        for path in committed("templates/*.html", "static/*.css", "static/*.js")
        if "vendor" not in path.parts and outside.search(path.read_text())
    }
    # A mail has no style sheet, so it uses style attributes.
    assert wrong - {"templates/worklist/reminder.html"} == set()


def test_templates_contain_no_thai():
    allowed = {"templates/components/language_switch.html"}
    wrong = {
        str(path.relative_to(ROOT)) for path in committed("templates/*.html") if THAI.search(path.read_text())
    } - allowed
    assert wrong == set()


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["th", "en"])
def test_every_page_obeys_the_csp(client, language):
    """Every page of the site and of the admin, those for errors too: the header is sent, and nothing is inline."""
    unit = UnitFactory()
    plan = ActionItemFactory(lead=[unit]).plan
    client.cookies["django_language"] = language
    pages = ["/login/"]
    assert_csp(client, pages)
    client.force_login(UserFactory(is_staff=True, is_superuser=True, units=[unit]))
    lists = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    assert_csp(client, [*addresses(plan).values(), "/nowhere/", "/plans/nowhere/my/", "/admin/", *lists])


def assert_csp(client, pages):
    for page in pages:
        response = client.get(page)
        policy = dict(each.strip().split(" ", 1) for each in response.headers["Content-Security-Policy"].split(";"))
        assert policy == CSP, page
        assert no_inline(response.content.decode()) == [], page


# Translations.


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """Return the messages of the current sources: makemessages runs in a copy of the project."""
    copy = tmp_path_factory.mktemp("messages")
    for path in committed("*.py", "*.html", "*.txt", "locale/th/*"):
        if path.parts[len(ROOT.parts)] in ("tests", "fixtures"):
            continue
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    subprocess.run(
        [sys.executable, "-m", "django", "makemessages", "-l", "th", "--no-location", "--no-wrap", "-v0"],
        cwd=copy, check=True, capture_output=True, env={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
    )  # fmt: skip
    return polib.pofile(str(copy / "locale" / "th" / "LC_MESSAGES" / "django.po"))


def test_every_message_is_translated(fresh):
    assert [entry.msgid for entry in fresh if not entry.translated() or entry.fuzzy] == []
    assert len(fresh) > 200


def test_catalog_matches_the_sources(fresh):
    kept = polib.pofile(str(CATALOG / "django.po"))
    assert {entry.msgid for entry in kept if not entry.obsolete} == {entry.msgid for entry in fresh}
    assert [entry.msgid for entry in kept if entry.obsolete or entry.fuzzy] == []


def test_compiled_catalog_is_up_to_date():
    source = {entry.msgid: entry.msgstr or entry.msgstr_plural for entry in polib.pofile(str(CATALOG / "django.po"))}
    compiled = {entry.msgid: entry.msgstr or entry.msgstr_plural for entry in polib.mofile(str(CATALOG / "django.mo"))}
    assert compiled == source


def test_translations_keep_placeholders():
    slot = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
    wrong = []
    for entry in polib.pofile(str(CATALOG / "django.po")):
        for thai in [entry.msgstr, *entry.msgstr_plural.values()]:
            slots = set(slot.findall(entry.msgid)) | set(slot.findall(entry.msgid_plural))
            if thai and set(slot.findall(thai)) != slots:
                wrong.append(entry.msgid)
    assert wrong == []


# Style sheets and templates.


def badly_formatted(css):
    """Return the lines of a style sheet with more than one declaration or selector, or over 119 characters."""
    without_comments = re.sub(r"/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match.group()), css, flags=re.DOTALL)
    two = re.compile(r"[;}]\s*\S|\{\s*\S")
    return [
        number
        for number, (line, bare) in enumerate(
            zip(css.splitlines(), without_comments.splitlines(), strict=True), start=1
        )
        if len(line) >= 120 or two.search(re.sub(r"\"[^\"]*\"|url\([^)]*\)", "", bare))
    ]


def test_css_has_one_declaration_per_line():
    ours = [path for path in committed("static/*.css") if "vendor" not in path.parts]
    found = {path.name: lines for path in ours if (lines := badly_formatted(path.read_text()))}
    assert (found, len(ours) > 15) == ({}, True)


@pytest.mark.parametrize("css", ["a { color: red; }\n", "a {\n  color: red; margin: 0;\n}\n", "a {\n}  b {\n}\n"])
def test_css_on_one_line_is_found(css):
    assert badly_formatted(css)


def test_lines_of_templates_are_short():
    lines = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in committed("templates/*")
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) >= 120
    ]
    assert lines == []


def states_in(template):
    """Return the state names in the tags of a Django template; HTTP methods do not count."""
    tags = re.findall(r"\{%-? *(?:el)?if\b.*?%\}", template)
    return [word for tag in tags for word in re.findall(r"[\"']([A-Z][A-Z_]{2,})[\"']", tag) if word != "POST"]


def test_templates_contain_no_state_names():
    found = {path.name: words for path in committed("templates/*") if (words := states_in(path.read_text()))}
    assert found == {}


def test_state_name_in_a_template_is_found():
    template = "{% if a %}{% elif action.status == \"DONE\" or each.kind != 'NEW_PLAN' %}{% endif %}"
    assert states_in(template) == ["DONE", "NEW_PLAN"]
