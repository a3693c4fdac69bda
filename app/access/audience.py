"""Who could read a record now: the ways of seeing, asked for everybody at once.

The very conditions by which a caller sees a record are turned around: where they speak of the
caller, each person (or client) who comes into question takes their place. So an answer here and a
read cannot disagree.
"""

from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, literal, null, or_, select, union
from sqlalchemy.sql import visitors

from app.access import relations as r
from app.access.agreements import AGREEMENTS
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.evidence import EVIDENCE_ITEMS
from app.access.goals import GOALS
from app.access.opened import is_open, is_shown, opening
from app.access.visibility import Resource, parameter
from app.core.clock import now
from app.core.query import Query
from app.core.sql import wire
from app.core.tables import Id
from app.models.agreements import AgreementSignature
from app.models.evidence import EvidenceGoal
from app.models.people import LEADER_ROLES, Person
from app.models.shares import KeptRecord, Share

_people: Any = Person.__table__
_signatures: Any = AgreementSignature.__table__
_shares: Any = Share.__table__
_kept: Any = KeptRecord.__table__
_links: Any = EvidenceGoal.__table__

ASKED = {resource.kind: resource for resource in (GOALS, EVIDENCE_ITEMS, AGREEMENTS)}
"""The kinds of which it can be asked who reads them."""

RULES = {
    "owner": "It is their own record.",
    "author": "They typed it for its learner, who has not reworded it.",
    "coaches": "They are a coach, co-coach or mentor of the agreement; terms and record tick coaches.",
    "fellows": "They are another learner of the agreement; terms and record tick fellows.",
    "advisers": "They are a tutor or specialist of the agreement; terms and record tick advisers.",
    "leader": "They lead the home organisation, where a learner is today; leaders are ticked.",
    "share": "Its owner has shared it with them by name.",
    "goal_share": "Its owner has shared a goal with its evidence with them by name.",
    "network": "It is shared with a network of which they are a member today.",
    "kept": "They have left the agreement and keep it as it stood then.",
    "system": "It is bound to the home organisation, where a learner is today; systems are ticked.",
    "network_system": "It is bound to a network with which it is shared; systems are ticked.",
    "drafter": "They drafted the agreement.",
    "invited": "They are asked to sign.",
    "party": "They are a party of the agreement.",
    "former": "They were a party of the agreement.",
    "opening": "They are one of the two who opened the agreement in an emergency, until it ends.",
}
"""What each way of seeing says, in plain words."""


class Reader(NamedTuple):
    """Somebody who could read a record now, and why."""

    kind: str
    id: str
    name: str
    view: str | None
    rules: list[str]


def _people_in_question(resource: Resource) -> Any:
    """Everybody who might see the record `id`, and perhaps some who do not."""
    row = resource.table.alias("asked_about")
    signed, this, here = resource is AGREEMENTS, row.c.id, row.c.id == parameter("id", Id)
    agreement = this if signed else row.c.agreement_id
    p, a, m, k = (
        r.parties.alias("p"), r.affiliations.alias("a"), r.members.alias("m"), _kept.alias("k"),
    )  # fmt: skip
    found: list[Select[Any]] = [
        select(p.c.person_id).join_from(row, p, p.c.agreement_id == agreement).where(here),
        select(a.c.person_id)
        .join_from(row, a, a.c.organisation_id == row.c.home_organisation_id)
        .where(here, r.any_of(a.c.role, LEADER_ROLES), r.current(a)),
        select(k.c.person_id)
        .join_from(row, k, k.c.record_id == this)
        .where(here, k.c.kind == resource.kind),
    ]
    own = ("created_by",) if signed else ("created_by", "owner_id")
    found.extend(select(row.c[name]).where(here) for name in own)
    for s, shared in _shares_of(resource, row):
        found.append(select(s.c.person_id).select_from(shared).where(here))
        to_network = shared.join(m, m.c.network_id == s.c.network_id)
        found.append(select(m.c.person_id).select_from(to_network).where(here, r.member_today(m)))
    if signed:
        s = _signatures.alias("asked_to_sign")
        found.append(select(s.c.person_id).join_from(row, s, s.c.agreement_id == this).where(here))
    return union(*found)


def _shares_of(resource: Resource, row: Any) -> list[tuple[Any, Any]]:
    """Shares, joined to the record `row`: of the record itself, and of goals with their evidence."""
    if resource is AGREEMENTS:
        return []
    s, g, link = _shares.alias("s"), _shares.alias("g"), _links.alias("l")
    found = [(s, row.join(s, s.c.record_id == row.c.id))]
    if resource is EVIDENCE_ITEMS:
        linked = row.join(link, link.c.evidence_item_id == row.c.id)
        found.append((g, linked.join(g, g.c.record_id == link.c.goal_id)))
    return found


def _clients_in_question(resource: Resource) -> Any:
    row, c = resource.table.alias("asked_about"), r.clients.alias("c")
    here = row.c.id == parameter("id", Id)
    found = [
        select(c.c.id)
        .join_from(row, c, c.c.organisation_id == row.c.home_organisation_id)
        .where(here)
    ]
    for s, shared in _shares_of(resource, row):
        bound = shared.join(c, c.c.network_id == s.c.network_id)
        found.append(select(c.c.id).select_from(bound).where(here))
    return union(*found)


def _for_each(
    condition: ColumnElement[Any], name: str, candidate: ColumnElement[Any]
) -> ColumnElement[Any]:
    def replaced(element: Any, **_: Any) -> Any:
        is_caller = isinstance(element, BindParameter) and element.key == name
        return candidate if is_caller else None

    found: ColumnElement[Any] = visitors.replacement_traverse(condition, {}, replaced)
    return found


@cache
def _query(resource: Resource, kind: CallerKind) -> Query:
    row = resource.table.alias("this")
    person = kind is CallerKind.PERSON
    who: Any = (_people if person else r.clients).alias("candidate")
    name = "me" if person else "client"
    in_question = _people_in_question if person else _clients_in_question
    ways = {
        way.name: _for_each(way.predicate(row), name, who.c.id)
        for way in resource.seen_by(row, kind)
    }
    view: ColumnElement[Any] = null().label("view")
    for column in resource.columns(row, kind):
        if column.name == "view":
            view = _for_each(column, name, who.c.id).label("view")
    return Query(
        select(
            wire(who.c.id).label("id"),
            who.c.name,
            view,
            *(way.label(f"by_{way_name}") for way_name, way in ways.items()),
        )
        .where(
            row.c.id == parameter("id", Id),
            who.c.id.in_(in_question(resource)),
            or_(*ways.values()),
        )
        .order_by(who.c.name, who.c.id),
        scoped=True,
    )


@cache
def _openers(resource: Resource) -> Query:
    """Those to whom the record is open under an opening, once the parties are shown it."""
    row, who = resource.table.alias("this"), _people.alias("candidate")
    (way,) = resource.seen_by(row, CallerKind.OPENER)
    two = or_(who.c.id == opening.c.asked_by, who.c.id == opening.c.confirmed_by)
    view = literal("text") if resource is AGREEMENTS else null()
    return Query(
        select(wire(who.c.id).label("id"), who.c.name, view.label("view"))
        .distinct()
        .select_from(row.join(opening, way.link).join(who, two))
        .where(row.c.id == parameter("id", Id), way.condition, is_open(opening), is_shown(opening))
        .order_by(who.c.name, "id"),
        scoped=True,
    )


async def readers_now(access: Access, resource: Resource, resource_id: UUID) -> list[Reader]:
    """Everybody who could read the record with their next request; the caller has seen it as its
    owner or a party."""
    found: dict[tuple[str, str], Reader] = {}
    for kind in (CallerKind.PERSON, CallerKind.CLIENT):
        for row in await access.read(_query(resource, kind), id=resource_id):
            rules = [name[3:] for name, met in row.items() if name.startswith("by_") and met]
            reader = Reader(str(kind), row["id"], row["name"], row["view"], rules)
            found[reader.kind, reader.id] = reader
    for row in await access.read(_openers(resource), id=resource_id, now=now()):
        opener = Reader("person", row["id"], row["name"], row["view"], ["opening"])
        known = found.setdefault((opener.kind, opener.id), opener)
        if known is not opener:
            known.rules.append("opening")
    return list(found.values())
