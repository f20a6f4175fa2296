"""Invalid parameters in the URLs of the dashboards: a warning, and the nearest valid value."""

import pytest

from tests.factories import ActionItemFactory, FrameworkFactory, PlanFactory, UnitFactory, UserFactory

pytestmark = pytest.mark.django_db
PLAN = "/plans/2562-2563"
NAMES = (
    "as_of", "since", "category", "level", "unit", "role", "sort", "live", "pass", "unlock", "state", "page", "q", "by",
    "target", "suppose",
)  # fmt: skip
BOTH = pytest.mark.both_databases  # pages that pass most parameters to the database
VALUES = (
    "\x00", "\ud800".encode("utf-8", "surrogatepass"), "9" * 200, "-1", "๓๑/๕/๒๕๖๓", "<script>", "'--", "%00", "１",
)  # fmt: skip


@pytest.mark.parametrize(
    ("address", "named"),
    [
        ("dashboard/?as_of=2020-02-31", ["2020-02-31"]),
        ("dashboard/?as_of=1999-01-01", ["1 ม.ค. 2542", "1 ส.ค. 2562"]),
        ("dashboard/?as_of=2099-01-01", ["1 ม.ค. 2642"]),
        ("dashboard/?since=2099-01-01", ["1 ม.ค. 2642"]),
        ("dashboard/?since=soon", ["soon"]),
        ("dashboard/?unit=กทม.", ["หน่วยงาน"]),
        ("dashboard/?unit=กพร.&role=BOSS", ["ในฐานะ"]),
        ("dashboard/?category=77&level=9", ["หมวด", "ระดับ"]),
        ("dashboard/?category=one", ["หมวด"]),
        ("dashboard/?status=DONE", ["status"]),
        ("dashboard/?sort=beauty", ["beauty"]),
        ("dashboard/?live=yes", ["yes"]),
        ("dashboard/?by=beauty", ["beauty"]),
        ("dashboard/?colour=red&as_of=x&sort=y", ["colour", "x", "y"]),
        ("units/?sort=beauty", ["beauty"]),
        ("units/?as_of=31/2/2563", ["31/2/2563"]),
        ("units/กพร./?as_of=2020-13-01", ["2020-13-01"]),
        ("criteria/1.2.1/?as_of=2020-13-01", ["2020-13-01"]),
        ("timeline/?category=0", ["หมวด"]),
        ("actions/?change=GONE&age=5&scope=all&partner=x&criterion=9.9", ["การเปลี่ยนแปลง", "ล่าช้า", "เกณฑ์"]),
        ("reports/meeting/?unit=กพร.", ["unit"]),
    ],
)
def test_invalid_parameter_gives_a_warning(demo, client, manager, address, named):
    client.force_login(manager)
    response = client.get(f"{PLAN}/{address}")
    assert response.status_code == 200
    warnings = " ".join(str(message) for message in response.context["messages"])
    assert [each for each in named if each not in warnings] == []


@pytest.mark.parametrize(
    "where",
    [
        "dashboard/", "units/", "units/กพร./", pytest.param("criteria/", marks=BOTH), "criteria/1.2.1/", "timeline/",
        pytest.param("actions/", marks=BOTH), "reports/meeting/",
    ],
)  # fmt: skip
def test_no_parameter_value_causes_an_error(demo, client, manager, where):
    client.force_login(manager)
    for value in VALUES:
        response = client.get(f"{PLAN}/{where}", dict.fromkeys(NAMES, value))
        assert response.status_code == 200, value
        assert "<script>'" not in response.content.decode()
        assert "“<script>”" not in response.content.decode()


@pytest.mark.both_databases(only_full=True)
@pytest.mark.parametrize(
    ("address", "offered"),
    [
        ("units/กพ./", "units/%E0%B8%81%E0%B8%9E%E0%B8%A3./"),
        ("criteria/1.2.9/", "criteria/1.2.1/"),
        ("criteria/ZZ/", ""),
    ],
)
def test_unknown_page_suggests_the_nearest(demo, client, manager, address, offered):
    client.force_login(manager)
    response = client.get(f"{PLAN}/{address}")
    assert response.status_code == 404
    assert offered in response.content.decode()


def test_many_silent_units_stay_within_the_first_screen(client):
    framework = FrameworkFactory()  # the default one has the categories that other tests of the module loaded
    plan = PlanFactory(slug="2563", assessment__framework=framework)
    units = UnitFactory.create_batch(8)
    for unit in units:
        ActionItemFactory(plan=plan, criterion__category__framework=framework, lead=[unit], runs=(1, 4))
    client.force_login(UserFactory(roles=["management"]))
    page = client.get("/plans/2563/dashboard/").content.decode()
    silent = page.partition("answer-silent")[2].partition("</section>")[0].partition("ยังไม่รายงานเลย")[2]
    assert [f">{unit.abbreviation}</a>" in silent for unit in units] == [True] * 6 + [False] * 2
    assert ">และอีก 2 หน่วยงาน</a>" in silent
