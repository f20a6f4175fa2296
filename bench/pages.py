"""The measured pages: who opens which address of the site, and which page of the floor answers the same question."""

from dataclasses import dataclass

PLAN = "/plans/2562-2563"
# Actions of the unit of `staff`; the floor writes to another one, because it leaves versions and revisions alone.
ACTION, FLOOR_ACTION = "2.1-S-1", "1.2.2-S-3"


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of the site beside its floor.

    Attributes:
        name: as the tables name it.
        user: the demonstration account that opens it.
        path, floor: addresses on the two servers.
        is_personal: a write does not make it slower; the first request after a write is not measured.
    """

    name: str
    user: str
    path: str
    floor: str
    is_personal: bool = False


PAGES = (
    Page(name="frame (password)", user="staff", path="/password/", floor="/list/", is_personal=True),
    Page(name="list", user="staff", path=f"{PLAN}/actions/", floor="/list/"),
    Page(
        name="list, filtered",
        user="staff",
        path=f"{PLAN}/actions/?q=%E0%B8%84%E0%B8%99&status=IN_PROGRESS",
        floor="/list/?q=%E0%B8%84%E0%B8%99&status=IN_PROGRESS",
    ),
    Page(name="my work", user="staff", path=f"{PLAN}/my/", floor="/my/"),
    Page(name="overview", user="manager", path=f"{PLAN}/dashboard/", floor="/overview/"),
    Page(
        name="overview, past day",
        user="manager",
        path=f"{PLAN}/dashboard/?as_of=2020-03-31",
        floor="/overview/?as_of=2020-03-31",
    ),
    Page(name="map", user="manager", path=f"{PLAN}/criteria/", floor="/map/"),
    Page(name="timeline", user="manager", path=f"{PLAN}/timeline/", floor="/timeline/"),
    Page(name="plans", user="admin", path="/plans/", floor="/overview/"),
    Page(name="plans, sorted", user="admin", path="/plans/?sort=-overdue", floor="/overview/"),
    Page(name="action with form", user="staff", path=f"{PLAN}/actions/{ACTION}/", floor=f"/action/{FLOOR_ACTION}/"),
)
UPDATE = PAGES[-1]  # the page whose form is posted
