"""What needs attention in a unit first: blocked actions, then overdue ones."""

from types import SimpleNamespace

from reports.figures.unit import needing_attention


def test_blocked_actions_come_before_overdue_ones_and_others_are_left_out():
    names = [("IN_PROGRESS", "OVERDUE"), ("BLOCKED", "NOW"), ("DONE", "CLOSED"), ("BLOCKED", "OVERDUE")]
    actions = [
        SimpleNamespace(status_on=status, due=due, problem_on="รอข้อมูล" if status == "BLOCKED" else "เรื่องเดิม")
        for status, due in names
    ]
    rows = needing_attention(actions)
    assert [row.action for row in rows] == [actions[1], actions[3], actions[0]]
    assert [row.problem for row in rows] == ["รอข้อมูล", "รอข้อมูล", ""]
