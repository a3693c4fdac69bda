"""A school with a reader of every sort, and crowds of rows that none of them may see."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from app.access.evidence import EVIDENCE_ITEMS
from app.access.goals import GOALS
from app.access.homes import mark_gone
from app.access.visibility import Resource
from app.core.clock import now, today
from app.core.db import Database, Unit
from app.core.files import store
from app.core.ids import uuid7
from app.jobs import retention
from app.models.agreements import (
    AgreementNetwork,
    AgreementParty,
    AgreementTerm,
    LearningAgreement,
)
from app.models.evidence import EvidenceGoal, EvidenceItem
from app.models.goals import Goal
from app.models.networks import Network, NetworkMember
from app.models.organisations import OrganisationKind
from app.models.people import Affiliation, AffiliationRole, Client, Person
from app.models.shares import KeptRecord, Share
from tests import amending
from tests.worlds import Actor, World, add_organisation, add_person, affiliate, token

PARTIES = ("coaches", "fellows", "advisers")
ALL = (*PARTIES, "leaders", "systems")
_DISCLOSED = ("goals", "evidence")
RECORDS: tuple[tuple[Resource, Any], ...] = ((GOALS, Goal), (EVIDENCE_ITEMS, EvidenceItem))

_RECORD = {
    **{f"to_{reader}": False for reader in ALL},
    "shows_pupils": "no", "learners_gone": False, "principles": [], "framework_items": [],
    "folded": " hidden ",
}  # fmt: skip
_PLAIN: dict[Any, dict[str, Any]] = {
    Goal: {
        **_RECORD, "state": "draft", "wording_number": 1, "statement": "Hidden.",
        "success_indicators": [], "development_plan_priorities": [],
    },
    EvidenceItem: {**_RECORD, "kind": "other", "title": "Hidden"},
    EvidenceGoal: {},
    LearningAgreement: {
        "state": "active", "shown_number": 1, "former_parties": "own", "peripheral_members": False,
        "learners_gone": False, "existence_to_leaders": True, "existence_to_systems": True,
        "text_to_leaders": True, "text_to_systems": True,
    },
    AgreementNetwork: {},
    AgreementTerm: {**{f"to_{reader}": True for reader in ALL}, "to_networks": True, "number": 1},
    AgreementParty: {"role": "learner", "reader": "fellows", "earlier_records": True},
    Share: {"with_evidence": False, "to_peripheral": False, "reason": "Advice."},
    KeptRecord: {**{f"to_{reader}": reader in PARTIES for reader in ALL}, "shown": {}, "folded": " hidden "},
    Network: {"kind": "triad", "name": "Another", "folded": " another "},
    NetworkMember: {"role": "member", "starts_on": today() - timedelta(days=90)},
    Person: {"name": "Somebody", "folded": " somebody "},
    Affiliation: {"role": "teacher", "starts_on": today() - timedelta(days=90)},
    Client: {"name": "Network system", "kind": "confidential", "scopes": [], "redirect_uris": []},
}  # fmt: skip
"""What a row of a table holds if nothing else is said; its id, version and moments beside."""


async def add(unit: Unit, entity: Any, rows: Iterable[dict[str, Any]]) -> list[UUID]:
    """Rows by the thousand, as the table holds them; the ids of those that have one."""
    table, dialect, moment = entity.__table__, unit.database.dialect, now()
    names = [column.name for column in table.columns]
    process = {c.name: c.type.dialect_impl(dialect).bind_processor(dialect) for c in table.columns}
    moments = dict.fromkeys(("created_at", "updated_at", "since", "kept_at", "accepted_at"), moment)
    plain = {**dict.fromkeys(names), **moments, "version": 1, **_PLAIN[entity]}
    whole = [{**plain, "id": uuid7(), **row} for row in rows]
    random.Random(1).shuffle(whole)
    values = [
        tuple(row[n] if process[n] is None else process[n](row[n]) for n in names)  # type: ignore[misc]
        for row in whole
    ]
    await unit.insert_many(table, names, values)
    return [row["id"] for row in whole]


def ticked(*readers: str) -> dict[str, bool]:
    return {f"to_{reader}": True for reader in readers}


class Crowded(NamedTuple):
    """A world whose actors each see `VISIBLE` goals and as many evidence items, and strangers."""

    world: World
    agreement: UUID
    network: UUID
    seen: dict[str, list[UUID]]
    """Ids of the records that the actors see, by their kind."""
    hidden: dict[str, list[UUID]]
    """Some ids of records that none of them sees."""
    other_networks: list[UUID]
    elsewhere: UUID
    other_agreements: dict[str, UUID]
    people: dict[str, UUID]
    gathered_at: datetime
    """What is hidden is written later than this, and nothing else."""


ACTORS = (
    "learner", "fellow", "coach", "tutor", "head", "member", "reader", "former", "client",
    "network_client",
)  # fmt: skip
"""Owner, each class of party, leader, network member, named reader, who has left, and the systems."""
GUEST = "guest"
"""Who reads evidence through a goal that was shared together with it."""
VISIBLE = 60


async def gather(world: World) -> Crowded:
    """An agreement that ticks everybody for everything, and its records."""
    await amending.arrive(world, "other", "former", "member", "reader", GUEST)
    founded = await world.learner.post("/v1/networks", json={"kind": "triad", "name": "One"})
    network = UUID(founded.json()["id"])
    joined = await world.learner.post(
        f"/v1/networks/{network}/members", json={"person_id": str(world.member.id)}
    )
    assert joined.status_code == 201, joined.text
    path, digest = await world.propose(
        parties=amending.parties(world, other=("learner",), former=("co_coach",)),
        networks=[str(network)],
        disclosure={
            "goals": [*ALL, "networks"],
            "evidence": [*ALL, "networks"],
            "existence": list(ALL),
            "former_parties": "their_time",
        },
    )
    signers = ("learner", "fellow", "other", "coach", "former", "tutor")
    await amending.sign(world, path, {"digest": digest}, *signers)
    agreement = UUID(amending.agreement_of(path))
    own = {
        "owner_id": world.learner.id, "created_by": world.learner.id, "agreement_id": agreement,
        "home_organisation_id": world.school, **ticked(*ALL),
    }  # fmt: skip
    seen: dict[str, list[UUID]] = {}
    async with world.database.work() as unit:
        for resource, entity in RECORDS:
            ids = await add(unit, entity, [own] * VISIBLE)
            seen[resource.kind] = ids
            shared = {
                "owner_id": world.learner.id, "created_by": world.learner.id,
                "kind": resource.kind, "agreement_id": agreement,
                "ends_on": today() + timedelta(days=9),
            }  # fmt: skip
            whom: list[dict[str, Any]] = [{"person_id": world.reader.id}, {"network_id": network}]
            if resource is GOALS:
                whom.append({"person_id": world.actors[GUEST].id, "with_evidence": True})
            await add(unit, Share, [{**shared, **w, "record_id": i} for w in whom for i in ids])
        await _link(unit, seen)
        (client_id,) = await add(unit, Client, [{"network_id": network}])
        world.actors["network_client"] = Actor(
            world.http, client_id, token(world.app, client_id, client_id)
        )
        people = {name: await add_person(unit, name) for name in ("outsider", "gone", "someone")}
        elsewhere = await add_organisation(unit, OrganisationKind.SCHOOL, "Another School")
        await affiliate(unit, people["outsider"], elsewhere, AffiliationRole.TEACHER)
        last = {"ends_on": today()}
        await affiliate(unit, people["gone"], world.school, AffiliationRole.TEACHER, **last)
        people["other"] = world.other.id
        other_agreements = {
            "elsewhere": await _agreement(unit, elsewhere, people["outsider"]),
            "school": await _agreement(unit, world.school, people["other"]),
        }
        other_networks = await _bystanders(unit, elsewhere)
        # Memberships that are over.
        over = {"confirmed_at": now(), "ends_on": today()}
        past = [
            {**over, "person_id": world.actors[who].id, "network_id": network_id}
            for who in ("member", "reader", "head")
            for network_id in other_networks[:5]
        ]
        await add(unit, NetworkMember, past)
    await amending.leave(world, path, "former")
    return Crowded(
        world,
        agreement,
        network,
        seen,
        {},
        other_networks,
        elsewhere,
        other_agreements,
        people,
        now(),
    )


async def _link(unit: Unit, ids: dict[str, list[UUID]]) -> None:
    both = zip(ids[GOALS.kind], ids[EVIDENCE_ITEMS.kind], strict=True)
    await add(unit, EvidenceGoal, [{"goal_id": g, "evidence_item_id": i} for g, i in both])


async def _bystanders(unit: Unit, school: UUID) -> list[UUID]:
    """People, networks and agreements of every day: tables so small that a planner reads them whole
    would say nothing of a service in use. Returns the networks."""
    moment = now()
    people = await add(unit, Person, [{"email": f"{uuid7()}@else.example"} for _ in range(600)])
    await add(unit, Affiliation, [{"person_id": p, "organisation_id": school} for p in people])
    networks = await add(unit, Network, [{}] * 100)
    members = [
        {"person_id": p, "network_id": networks[i % 100], "confirmed_at": moment}
        for i, p in enumerate(people)
    ]
    await add(unit, NetworkMember, members)
    made = [{"created_by": p, "home_organisation_id": school} for p in people]
    agreements = list(zip(await add(unit, LearningAgreement, made), people, strict=True))
    parties = [{"agreement_id": a, "person_id": p} for a, p in agreements]
    await add(unit, AgreementParty, parties)
    named = [
        {"agreement_id": a, "network_id": networks[i % 100]} for i, (a, _) in enumerate(agreements)
    ]
    await add(unit, AgreementNetwork, named)
    terms = [{"agreement_id": a, "kind": kind} for a, _ in agreements for kind in _DISCLOSED]
    await add(unit, AgreementTerm, terms)
    ids: dict[str, list[UUID]] = {}
    for resource, entity in RECORDS:
        rows = [
            {"id": uuid7(), "owner_id": p, "created_by": p, "agreement_id": a,
             "home_organisation_id": school, **ticked(*ALL)}
            for a, p in agreements for _ in range(5)
        ]  # fmt: skip
        ids[resource.kind] = await add(unit, entity, rows)
        shares = [
            {"owner_id": row["owner_id"], "created_by": row["owner_id"], "kind": resource.kind,
             "record_id": row["id"], "agreement_id": row["agreement_id"],
             "network_id": networks[i // 5 % 100]}
            for i, row in enumerate(rows)
        ]  # fmt: skip
        await add(unit, Share, shares)
    await _link(unit, ids)
    return networks


async def _agreement(unit: Unit, home: UUID, learner: UUID) -> UUID:
    made = {"created_by": learner, "home_organisation_id": home}
    (agreement,) = await add(unit, LearningAgreement, [made])
    await add(unit, AgreementParty, [{"agreement_id": agreement, "person_id": learner}])
    return agreement


async def hide(crowded: Crowded, count: int) -> None:
    """As many goals and as many evidence items, of each sort that none of the actors may see."""
    async with crowded.world.database.work() as unit:
        for resource, entity in RECORDS:
            await _hide(unit, crowded, resource, entity, count)
    await sweep(crowded.world.database)


async def _hide(unit: Unit, at: Crowded, resource: Resource, entity: Any, count: int) -> None:
    people, school = at.people, at.world.school
    others = {"owner_id": people["other"], "created_by": people["other"]}

    def of(agreement: UUID, **values: Any) -> list[dict[str, Any]]:
        return [{**others, "agreement_id": agreement, **values}] * count

    # under the same agreement, of a learner who ticks nobody
    await add(unit, entity, of(at.agreement, home_organisation_id=school))
    # on somebody's own plan
    own = await add(unit, entity, [others] * count)
    # at another school, open to all there
    await add(
        unit, entity,
        of(
            at.other_agreements["elsewhere"], home_organisation_id=at.elsewhere,
            owner_id=people["outsider"], **ticked(*ALL),
        ),
    )  # fmt: skip
    # at the same school, open to the parties of another agreement
    closed = await add(
        unit, entity,
        of(at.other_agreements["school"], home_organisation_id=school, **ticked(*PARTIES)),
    )  # fmt: skip
    # at the same school, open to all, of agreements whose learners have left it
    for first in range(0, count, 40):
        agreement = await _agreement(unit, school, people["gone"])
        rows = of(agreement, home_organisation_id=school, owner_id=people["gone"], **ticked(*ALL))
        await add(unit, entity, rows[: min(40, count - first)])
    # shared with others: a person, and networks, in some of which memberships have ended
    shared = {**others, "kind": resource.kind}
    for rows in (own, closed):
        by_hand = [{"person_id": people["someone"], "record_id": i} for i in rows]
        networks = at.other_networks[:20]
        by_network = [{"network_id": networks[i % 20], "record_id": r} for i, r in enumerate(rows)]
        await add(unit, Share, [{**shared, **whom} for whom in (*by_hand, *by_network)])
    # shared with the actors until today
    ended = ({"person_id": at.world.reader.id}, {"network_id": at.network})
    await add(
        unit, Share,
        [{**shared, **w, "record_id": i, "ends_on": today()} for w in ended for i in own],
    )  # fmt: skip
    # kept by somebody else who has left
    kept = {"person_id": people["someone"], "kind": resource.kind, "typed": False}
    agreement = at.other_agreements["school"]
    await add(
        unit, KeptRecord, [{**kept, "record_id": i, "agreement_id": agreement} for i in closed]
    )
    at.hidden.setdefault(resource.kind, [own[0], closed[0]])


async def sweep(database: Database) -> None:
    """What the sweep does for the cost of reading: marks who has left, removes ended shares."""
    marked = 1
    while marked:
        async with database.work() as unit:
            marked = await mark_gone(unit)
    await retention.sweep(database, store())
