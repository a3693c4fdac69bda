"""The goals of the measured world, and the journal that tells of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from app.core.search import searchable
from app.models.goals import Goal, GoalState, Stage
from app.models.terms import Reader, RecordReader
from bench.rows import Row

if TYPE_CHECKING:
    from bench.making import Making

DAYS = 355
"""Over how many days they were written."""
TICKED = (Reader.COACHES, Reader.ADVISERS, Reader.SYSTEMS)
"""Whom the terms and every goal tick."""
_TEXT = (
    "questions that every pupil in the class has time to answer, with feedback in the same lesson "
    "so that talk for learning grows; plan it with Siân, try it with Year 8 for six weeks and look "
    "at the pupils' own work together before deciding what to keep, what to change, what to drop"
)
_WORDS = _TEXT.split()


def goals(made: "Making", count: int) -> Iterator[Row]:
    """Goals in the order of their ids; each learner's are spread over the whole year."""
    learners, states, stages = len(made.people) - 1, list(GoalState), list(Stage)
    ticks = {f"to_{reader}": Reader(reader) in TICKED for reader in RecordReader}
    blank = dict.fromkeys(Goal.__table__.columns.keys())
    step = timedelta(days=DAYS) / count
    for n in range(count):
        at, learner = made.began + n * step, n % learners
        goal = made.new_id(n, at)
        made.goals.append(goal)
        person = made.people[learner]
        wording = {
            "statement": _prose(n, 24),
            "baseline": _prose(n + 5, 16),
            "pupil_gain": _prose(n + 9, 12),
            "success_indicators": [_prose(n + 2, 6), _prose(n + 3, 6)],
            "development_plan_priorities": ["Priority 2"],
        }
        yield {
            **blank,
            **ticks,
            **wording,
            "folded": searchable(Goal(**wording).says()),
            "id": goal,
            "version": 1,
            "created_at": at,
            "updated_at": at,
            "owner_id": person,
            "created_by": person,
            "agreement_id": made.agreements[learner],
            "home_organisation_id": made.school_of(learner),
            "state": states[n % len(states)],
            "wording_number": 1,
            "stage": stages[n % len(stages)],
            "principles": ["3", "A1"],
            "framework_items": [],
            "target_date": at.date() + timedelta(days=90),
            "learner_accepted_at": at,
            "coach_accepted_at": at,
            "coach_accepted_by": made.coach_of(learner),
            "shows_pupils": "no",
            "learners_gone": False,
        }


def journal(made: "Making") -> Iterator[Row]:
    """As the service would have written it; the database fills in what it draws itself."""
    learners = len(made.people) - 1
    for n, goal in enumerate(made.goals):
        learner = n % learners
        yield {
            "at": made.began,
            "person_id": made.people[learner],
            "client_id": made.app,
            "action": "created",
            "kind": "goal",
            "resource_id": goal,
            "resource_version": 1,
            "owner_id": made.people[learner],
            "agreement_id": made.agreements[learner],
            "organisation_id": made.school_of(learner),
            "changed": [],
        }


def _prose(start: int, words: int) -> str:
    return " ".join(_WORDS[(start * 7 + n) % len(_WORDS)] for n in range(words))
