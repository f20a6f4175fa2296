"""Splitting the blocks of the plan form into printed pages; heights are in points."""

import pytest

from reports.plan_form.layout import Layout, share_pages


@pytest.mark.parametrize(
    ("actions", "texts", "need", "room", "expected"),
    [
        pytest.param([100, 100], [150], 50, 300, (False, [(2, 1)]), id="it fits on this page"),
        pytest.param([100, 100], [150], 50, 160, (False, [(1, 1), (1, 0)]), id="it breaks between actions"),
        pytest.param([100, 100], [80, 80], 50, 120, (False, [(1, 1), (1, 1)]), id="and between paragraphs"),
        pytest.param([100, 100], [150], 50, 140, (True, [(2, 1)]), id="its first paragraph needs a new page"),
        pytest.param([100, 100], [50], 150, 140, (True, [(2, 1)]), id="its verdict needs a new page"),
        pytest.param([200, 100], [50], 50, 140, (True, [(2, 1)]), id="its first action needs a new page"),
        pytest.param([50], [100, 100], 50, 120, (True, [(1, 2)]), id="text is not left without an action"),
        pytest.param([50, 50], [300, 300], 50, 400, (False, [(1, 1), (1, 1)]), id="text higher than a page continues"),
        pytest.param([50], [300, 300], 50, 400, (False, [(1, 1), (0, 1)]), id="also without an action"),
        pytest.param([900, 50], [50], 50, 200, (False, [(1, 1), (1, 0)]), id="a huge action starts here"),
    ],
)
def test_block_is_split_into_pages(actions, texts, need, room, expected):
    assert share_pages(actions, texts, need, room, page=500) == expected


@pytest.mark.parametrize("periods", [0, 1, 4, 5, 12])
@pytest.mark.parametrize("with_status", [True, False])
def test_every_number_of_periods_has_its_columns(periods, with_status):
    layout = Layout.of(periods, with_status=with_status)
    assert layout.lead == 4 + periods
    assert layout.last == layout.support + (4 if with_status else 0)
    assert min(layout.widths) > 5
