"""Writes of evidence items: record, revise, delete."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from app.access.claims import Claim
from app.access.door import Access
from app.access.evidence import EVIDENCE_ITEMS, open_item, places_today
from app.access.frameworks import framework_items
from app.access.gates import Owned
from app.access.goals import GOALS
from app.access.sharing import forget, say_of_pupils, untick_kept
from app.access.standing import (
    Standing,
    allowed_ticks,
    check_may_change,
    new_ticks,
    standing_under,
)
from app.access.visibility import parameter
from app.actions.evidence.common import journal
from app.actions.evidence.files import drop_files
from app.core.clock import now
from app.core.errors import Conflict, Forbidden, Invalid
from app.core.http import as_uuid
from app.core.query import Query
from app.core.tables import Id
from app.models.agreements import AgreementState
from app.models.evidence import EvidenceFile, EvidenceFrameworkItem, EvidenceGoal, EvidenceItem
from app.models.terms import RecordKind, RecordReader

_files: Any = EvidenceFile.__table__
_goals: Any = EvidenceGoal.__table__

_ITS_GOALS = Query(select(_goals.c.goal_id).where(_goals.c.evidence_item_id == parameter("id", Id)))
_ITS_KEYS = Query(select(_files.c.key).where(_files.c.evidence_item_id == parameter("id", Id)))


async def record_item(
    access: Access,
    claim: Claim,
    *,
    agreement_id: UUID | None,
    controller_organisation_id: UUID | None,
    readers: list[RecordReader] | None,
    values: dict[str, Any],
    goal_ids: list[UUID],
    pupils: dict[str, Any],
) -> None:
    """A learner's own evidence, under an agreement in force or on their own plan."""
    me = access.caller.person_id
    assert me is not None, "the grants let only people do this"
    standing = None
    if agreement_id is not None:
        standing = await standing_under(access, agreement_id, me, RecordKind.EVIDENCE)
        if standing.state != AgreementState.ACTIVE:
            raise Conflict(
                f"The agreement is {standing.state}; evidence is written under an active one."
            )
        if not standing.i_learn:
            raise Forbidden("Evidence is recorded by the learner whose it is.")
    items = await framework_items(access, values["principles"], values["framework_items"])
    goals = await _own_goals(access, me, goal_ids)
    moment = now()
    item = EvidenceItem(
        id=claim.id,
        version=1,
        created_at=moment,
        updated_at=moment,
        owner_id=me,
        created_by=me,
        agreement_id=agreement_id,
        home_organisation_id=standing.home_organisation_id if standing else None,
        learners_gone=standing.learners_gone if standing else False,
        controller_organisation_id=await _controller(access, standing, controller_organisation_id),
        creation_digest=claim.digest,
        **{**values, "framework_items": [str(item) for item in values["framework_items"]]},
    )
    item.tick(allowed_ticks(readers, standing, RecordKind.EVIDENCE))
    item.say_of_pupils(pupils)
    await access.unit.insert(item)
    await _link_items(access, item, items)
    await _link_goals(access, item, goals)
    await journal(access, item, "created")


async def _own_goals(access: Access, owner: UUID, goal_ids: list[UUID]) -> list[UUID]:
    """The goals to link to, each once; Invalid names one that is not the owner's own."""
    for index, goal_id in enumerate(goal_ids):
        goal = await access.find(GOALS, goal_id)
        if goal is None or as_uuid(goal["owner_id"]) != owner:
            raise Invalid.field(f"/goal_ids/{index}", "names no goal of yours")
    return list(dict.fromkeys(goal_ids))


async def _controller(access: Access, standing: Standing | None, named: UUID | None) -> UUID | None:
    """Where it was captured: the agreement's home, or where its owner is today."""
    home = standing.home_organisation_id if standing is not None else None
    if named is None and home is not None:
        return home
    places = await places_today(access)
    if named is None:
        return places[0] if len(places) == 1 else None
    if named != home and named not in places:
        raise Invalid.field(
            "/controller_organisation_id",
            "must be the agreement's home organisation, or one where you are today",
        )
    return named


async def revise_item(
    owned: Owned[EvidenceItem],
    changes: dict[str, Any],
    goal_ids: list[UUID] | None,
    pupils: dict[str, Any],
    readers: list[RecordReader] | None,
) -> None:
    """Changes what it says, what it is linked to, what is said of pupils, and who may read it."""
    item, access = owned.entity, owned.access
    said = {**changes, **pupils, **({} if goal_ids is None else {"goal_ids": goal_ids})}
    check_may_change(owned.held, said, readers)
    if said or not frozenset(readers or ()) <= item.readers:
        item.check_not_erased()
        await open_item(access, item.id)
    changed = await _reword(access, item, changes)
    if goal_ids is not None:
        wanted = await _own_goals(access, item.owner_id, goal_ids)
        found = await access.unit.rows(_ITS_GOALS, {"id": item.id})
        if {as_uuid(row[0]) for row in found} != set(wanted):
            await access.unit.session.execute(
                delete(_goals).where(_goals.c.evidence_item_id == item.id)
            )
            await _link_goals(access, item, wanted)
            changed.add("goal_ids")
    changed |= await say_of_pupils(access, item, pupils)
    if readers is not None:
        ticks = await new_ticks(access, item, readers, RecordKind.EVIDENCE)
        if ticks != item.readers:
            await untick_kept(access, item.resource_kind, item.id, item.readers - ticks)
            item.tick(ticks)
            changed.add("readers")
    if changed:
        item.touch()
        await journal(access, item, "revised", changed)


async def _reword(access: Access, item: EvidenceItem, changes: dict[str, Any]) -> set[str]:
    items = None
    if "principles" in changes or "framework_items" in changes:
        principles = changes.get("principles", item.principles)
        linked = changes.get("framework_items", [UUID(linked) for linked in item.framework_items])
        items = await framework_items(access, principles, linked)
        changes = {**changes, "framework_items": [str(linked_item) for linked_item in linked]}
    changed = {name for name, value in changes.items() if getattr(item, name) != value}
    for name in changed:
        setattr(item, name, changes[name])
    if items is not None and changed & {"principles", "framework_items"}:
        await access.unit.session.execute(
            delete(EvidenceFrameworkItem.__table__).where(  # type: ignore[arg-type]
                EvidenceFrameworkItem.evidence_item_id == item.id
            )
        )
        await _link_items(access, item, items)
    return changed


async def _link_items(access: Access, item: EvidenceItem, items: list[UUID]) -> None:
    for linked in items:
        await access.unit.insert(EvidenceFrameworkItem(evidence_item_id=item.id, item_id=linked))


async def _link_goals(access: Access, item: EvidenceItem, goals: list[UUID]) -> None:
    for goal_id in goals:
        await access.unit.insert(EvidenceGoal(evidence_item_id=item.id, goal_id=goal_id))


async def delete_item(owned: Owned[EvidenceItem]) -> None:
    """Deletes an item with its files; the journal keeps that it was there."""
    item, access = owned.entity, owned.access
    keys = [row[0] for row in await access.unit.rows(_ITS_KEYS, {"id": item.id})]
    await forget(access.unit, EVIDENCE_ITEMS.kind, item.id)
    await access.unit.session.delete(item)
    await journal(access, item, "deleted")
    access.unit.after_commit.append(lambda: drop_files(keys))
