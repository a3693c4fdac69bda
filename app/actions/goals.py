"""Writes of goals: record, revise, propose, accept, progress, delete."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete

from app.access.claims import Claim
from app.access.door import Access
from app.access.frameworks import framework_items
from app.access.gates import Owned
from app.access.goals import GOALS
from app.access.grants import Relation
from app.access.sharing import forget, say_of_pupils, untick_kept
from app.access.standing import (
    Standing,
    allowed_ticks,
    check_may_change,
    new_ticks,
    standing_under,
)
from app.core.clock import now
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.ids import uuid7
from app.models.agreements import AgreementState
from app.models.goals import Goal, GoalFrameworkItem, GoalProgress, GoalRevision, GoalState
from app.models.terms import RecordKind, RecordReader


async def record_goal(
    access: Access,
    claim: Claim,
    *,
    owner_id: UUID | None,
    agreement_id: UUID | None,
    readers: list[RecordReader] | None,
    wording: dict[str, Any],
    pupils: dict[str, Any],
) -> None:
    """A learner's goal: their own draft, or one that a coach or adviser proposes to them."""
    me = access.caller.person_id
    assert me is not None, "the grants let only people do this"
    owner = owner_id or me
    standing = None
    if agreement_id is not None:
        standing = await standing_under(access, agreement_id, owner, RecordKind.GOALS)
        _check_owner(standing, own=owner == me)
    elif owner != me:
        raise Invalid.field("/owner_id", "outside an agreement a goal is the caller's own")
    items = await framework_items(access, wording["principles"], wording["framework_items"])
    moment = now()
    goal = Goal(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        owner_id=owner,
        created_by=me,
        agreement_id=agreement_id,
        home_organisation_id=standing.home_organisation_id if standing else None,
        learners_gone=standing.learners_gone if standing else False,
        state=GoalState.DRAFT if owner == me else GoalState.PROPOSED,
        wording_number=1,
        creation_digest=claim.digest,
        **{**wording, "framework_items": [str(item) for item in wording["framework_items"]]},
    )
    goal.tick(allowed_ticks(readers, standing, RecordKind.GOALS))
    goal.say_of_pupils(pupils)
    if owner != me and standing is not None and standing.i_coach:
        # Who proposes a wording accepts it: the learner's word is what is missing.
        goal.accept(me, as_learner=False, as_coach=True)
    await access.insert(GOALS, goal)
    for item in items:
        await access.unit.insert(GoalFrameworkItem(goal_id=goal.id, item_id=item))
    await _journal(access, goal, "created")


def _check_owner(standing: Standing, *, own: bool) -> None:
    if standing.state != AgreementState.ACTIVE:
        raise Conflict(f"The agreement is {standing.state}; goals are written under an active one.")
    if own and not standing.i_learn:
        raise Invalid.field("/owner_id", "name the learner whose goal it is: you are not one here")
    if not own and not standing.owner_learns:
        raise Invalid.field("/owner_id", "must be a learner of the agreement")
    if not own and not standing.i_support:
        raise Forbidden("A goal is proposed to a learner by a coach or adviser of the agreement.")


async def revise_goal(
    owned: Owned[Goal],
    changes: dict[str, Any],
    pupils: dict[str, Any],
    readers: list[RecordReader] | None,
) -> None:
    """Changes the wording, keeping the old one, what is said of pupils, and who may read it."""
    goal, access = owned.entity, owned.access
    check_may_change(owned.held, {**changes, **pupils}, readers)
    if "principles" in changes or "framework_items" in changes:
        changes = {**changes}
        principles = changes.get("principles", goal.principles)
        linked = changes.get("framework_items", [UUID(item) for item in goal.framework_items])
        items = await framework_items(access, principles, linked)
        if "framework_items" in changes:
            changes["framework_items"] = [str(item) for item in linked]
    else:
        items = None
    before = goal.wording()
    changed = goal.reword(changes)
    if changed:
        await access.unit.insert(
            GoalRevision(
                id=uuid7(),
                goal_id=goal.id,
                number=goal.wording_number - 1,
                wording=before,
                replaced_at=now(),
                replaced_by=access.caller.person_id,
            )
        )
        if items is not None:
            await _relink(access, goal, items)
    changed |= await say_of_pupils(access, goal, pupils)
    if readers is not None:
        ticks = await new_ticks(access, goal, readers, RecordKind.GOALS)
        if ticks != goal.readers:
            await untick_kept(access, goal.resource_kind, goal.id, goal.readers - ticks)
            goal.tick(ticks)
            changed.add("readers")
    if changed:
        goal.touch()
        await _journal(access, goal, "revised", changed)


async def _relink(access: Access, goal: Goal, items: list[UUID]) -> None:
    await access.unit.session.execute(
        delete(GoalFrameworkItem).where(GoalFrameworkItem.goal_id == goal.id)
    )
    for item in items:
        await access.unit.insert(GoalFrameworkItem(goal_id=goal.id, item_id=item))


async def propose_goal(owned: Owned[Goal]) -> None:
    """Puts a draft on the table."""
    goal = owned.entity
    goal.check_not_erased()
    if goal.state != GoalState.DRAFT:
        raise Conflict(f"The goal is {goal.state}; only a draft is proposed.")
    goal.move(GoalState.PROPOSED)
    goal.touch()
    await _journal(owned.access, goal, "proposed", {"state"})


async def accept_goal(owned: Owned[Goal], *, wording_number: int) -> None:
    """The learner or a coach accepts the wording that they have read; with both it is agreed."""
    goal, me = owned.entity, owned.access.caller.person_id
    assert me is not None
    goal.check_not_erased()
    if wording_number != goal.wording_number:
        raise Conflict(f"The wording is number {goal.wording_number} now: read it again.")
    goal.accept(
        me,
        as_learner=owned.held.is_any(Relation.OWNER),
        # A coach accepts another's goal: who is both here speaks as its learner.
        as_coach=owned.held.is_any(Relation.COACH) and not owned.held.is_any(Relation.OWNER),
    )
    goal.touch()
    await _journal(owned.access, goal, "accepted", {"state"})


async def note_progress(
    owned: Owned[Goal], *, note: str, state: GoalState | None
) -> dict[str, Any]:
    """Adds an entry to the goal's history; its learner may move the goal with it, also back."""
    goal, access = owned.entity, owned.access
    goal.check_not_erased()
    before = goal.state
    if state is not None and state != before:
        if not owned.held.is_any(Relation.OWNER):
            raise Forbidden("Only its learner moves a goal; others note what they saw.")
        goal.move(state)
    goal.touch()
    entry = GoalProgress(
        id=uuid7(),
        goal_id=goal.id,
        created_at=now(),
        created_by=access.caller.person_id,
        note=note,
        from_state=before,
        to_state=goal.state,
    )
    await access.unit.insert(entry)
    await _journal(access, goal, "progressed", {"progress", *({"state"} if state else ())})
    shown = ("id", "created_at", "created_by", "note", "from_state", "to_state")
    return {name: getattr(entry, name) for name in shown}


async def delete_goal(owned: Owned[Goal]) -> None:
    """Deletes a goal with its wordings and history; the journal keeps that it was there."""
    goal, access = owned.entity, owned.access
    await forget(access.unit, GOALS.kind, goal.id)
    await access.unit.session.delete(goal)
    await _journal(access, goal, "deleted")


async def _journal(
    access: Access, goal: Goal, action: str, changed: set[str] | None = None
) -> None:
    await access.journal(
        action,
        GOALS.kind,
        goal,
        changed=changed or (),
        owner_id=goal.owner_id,
        agreement_id=goal.agreement_id,
        organisation_id=goal.home_organisation_id,
    )
