"""The life of a goal, as rules: agreed by both, free to go back, never forward on an open wording."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.clock import now
from app.core.errors import Conflict
from app.models.goals import WORDING, Goal, GoalState

COACH = UUID(int=7)
FORWARD = {GoalState.IN_PROGRESS, GoalState.ACHIEVED, GoalState.PARTLY_ACHIEVED}


def goal(*, under_agreement: bool) -> Goal:
    empty: dict[str, Any] = dict.fromkeys(WORDING)
    lists = ("success_indicators", "development_plan_priorities", "principles", "framework_items")
    return Goal(
        **{**empty, **{name: [] for name in lists}, "statement": "One."},
        agreement_id=UUID(int=1) if under_agreement else None,
        state=GoalState.DRAFT,
        wording_number=1,
        updated_at=now(),
    )


def agreed(found: Goal) -> bool:
    accepted = found.learner_accepted_at is not None
    return accepted and (found.agreement_id is None or found.coach_accepted_at is not None)


steps = st.one_of(
    st.tuples(st.just("move"), st.sampled_from(GoalState)),
    st.tuples(st.just("accept"), st.sampled_from(["learner", "coach"])),
    st.tuples(st.just("reword"), st.sampled_from(["One.", "Two."])),
)


@given(st.booleans(), st.lists(steps, max_size=25))
def test_a_goal_goes_forward_only_on_a_wording_that_both_have_accepted(
    under_agreement: bool, taken: list[tuple[str, Any]]
) -> None:
    found = goal(under_agreement=under_agreement)
    for kind, value in taken:
        before, number = found.state, found.wording_number
        try:
            if kind == "move":
                found.move(value)
                assert found.state == value
            elif kind == "accept":
                found.accept(COACH, as_learner=value == "learner", as_coach=value == "coach")
                assert before == GoalState.PROPOSED
            else:
                changed = found.reword({"statement": value})
                assert found.wording_number == number + bool(changed)
        except Conflict:
            assert (found.state, found.wording_number) == (before, number)
        if found.state in FORWARD or found.state == GoalState.AGREED:
            assert agreed(found), taken
        if found.state in (GoalState.DRAFT,):
            assert not agreed(found)


@given(st.sampled_from([GoalState.DRAFT, GoalState.PROPOSED, GoalState.SET_ASIDE]))
def test_going_back_and_setting_aside_are_always_possible(to: GoalState) -> None:
    for state in GoalState:
        found = goal(under_agreement=True)
        found.state = state
        found.move(to)
        assert found.state == to


def test_a_new_wording_reopens_what_was_agreed_of_the_old_one() -> None:
    found = goal(under_agreement=True)
    found.move(GoalState.PROPOSED)
    found.accept(COACH, as_learner=True, as_coach=False)
    found.accept(COACH, as_learner=False, as_coach=True)
    found.move(GoalState.IN_PROGRESS)
    assert found.reword({"statement": "One."}) == set()
    assert found.state == GoalState.IN_PROGRESS
    assert found.reword({"statement": "Two."}) == {"statement"}
    assert (found.state, agreed(found)) == (GoalState.PROPOSED, False)
    with pytest.raises(Conflict):
        found.move(GoalState.ACHIEVED)
