"""A person with a row in every table that has rows of people."""

from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from app.core.clock import now, today
from app.models.identity_providers import FederatedSubject, IdentityLink
from app.models.people import Operator, PersonIdentifier
from app.models.registry import metadata
from app.models.scim import DirectoryUser
from app.models.shares import KeptRecord
from app.models.ways_in import PasswordReset, PersonJoin
from tests.amending import agreement_of, in_force, leave
from tests.federating import known_to
from tests.second_factors import enrolled
from tests.signing_in import Desk


class Marks:
    """Texts that are in this test's person alone."""

    def __init__(self) -> None:
        def mark(word: str) -> str:
            return f"{word}{uuid4().hex[:12]}"

        self.name, self.identifier, self.device = mark("Mair"), mark("hwb"), mark("phone")
        self.alone, self.unticked, self.reason = mark("alone"), mark("unticked"), mark("because")
        self.draft, self.shared, self.account = mark("draft"), mark("shared"), mark("account")
        self.invited, self.wanted, self.user = mark("invited"), mark("wanted"), mark("user")
        self.reset, self.join = mark("reset"), mark("join")

    @property
    def gone(self) -> dict[str, str]:
        """What is nowhere afterwards."""
        return {name: mark for name, mark in vars(self).items() if name != "shared"}


async def filled(desk: Desk, marks: Marks) -> str:
    """The desk's person with a row in every table that has rows of people; the path of the agreement
    that they have left."""
    world, me = desk.world, desk.world.learner
    renamed = await world.administrator.patch(f"/v1/people/{me.id}", json={"name": marks.name})
    assert renamed.status_code == 200, renamed.text
    await desk.tokens()
    path = await in_force(
        world,
        disclosure={"goals": ["coaches", "fellows"], "former_parties": "their_time"},
    )
    agreement = agreement_of(path)
    shared = await world.goal(agreement, statement=marks.shared)
    await me.patch(f"/v1/goals/{shared['id']}", json={"readers": ["coaches"]})
    unticked = await world.goal(agreement, statement=marks.unticked)
    await me.patch(f"/v1/goals/{unticked['id']}", json={"readers": []})
    alone = await world.goal(statement=marks.alone)
    await me.post(f"/v1/goals/{alone['id']}/progress", json={"note": marks.alone})
    await me.patch(f"/v1/goals/{alone['id']}", json={"statement": f"{marks.alone} again"})
    item = await world.evidence(title=marks.alone)
    await world.file(item, name=f"{marks.alone}.txt")
    await world.draft(purpose=marks.draft)
    for by, to, goal in ((me, world.coach, alone), (world.coach, me, None)):
        if goal is None:
            goal = (await by.post("/v1/goals", json={"statement": "The coach's own."})).json()
        body = {"goal_id": goal["id"], "person_id": str(to.id), "reason": marks.reason}
        body["ends_on"] = today().replace(year=today().year + 1).isoformat()
        made = await by.post("/v1/shares", json=body)
        assert made.status_code == 201, made.text
    founded = await world.coach.post("/v1/networks", json={"kind": "triad", "name": "Triad"})
    await world.coach.post(
        f"/v1/networks/{founded.json()['id']}/members", json={"person_id": str(me.id)}
    )
    await enrolled(desk)
    await world.invitation(me.id, f"{marks.invited}@home.example")
    await world.address_change(me.id, f"{marks.wanted}@home.example")
    provider = await known_to(desk, "https://login.example")
    async with world.database.work() as unit:
        opens = {"provider_id": provider, "subject": marks.account}
        await unit.insert(FederatedSubject(**opens, identity_id=desk.identity, linked_at=now()))
        await unit.insert(
            IdentityLink(
                id=uuid4(),
                secret_hash=marks.account,
                person_id=me.id,
                client_id=desk.app.id,
                redirect_uri=desk.app.redirect_uri,
                expires_at=now(),
                **opens,
            )
        )
        await unit.insert(
            PersonIdentifier(
                organisation_id=world.school,
                source="hwb",
                external_id=marks.identifier,
                person_id=me.id,
            )
        )
        await unit.insert(Operator(person_id=me.id))
        await unit.insert(
            PersonJoin(id=uuid4(), secret_hash=marks.join, person_id=me.id, expires_at=now())
        )
        await unit.insert(
            PasswordReset(
                id=uuid4(),
                secret_hash=marks.reset,
                identity_id=desk.identity,
                created_at=now(),
                expires_at=now(),
            )
        )
        await unit.insert(
            DirectoryUser(
                id=desk.identity,
                version=1,
                created_at=now(),
                updated_at=now(),
                organisation_id=world.school,
                user_name=marks.user,
                user_name_key=marks.user,
                email_keys="",
                affiliations={},
            )
        )
        await unit.begin()
        await unit.session.execute(
            sa.text("UPDATE second_factors SET name = :name WHERE person_id = :id"),
            {"name": marks.device, "id": me.id if not unit.database.is_sqlite else str(me.id)},
        )
    await leave(world, path, "learner")
    async with world.database.work() as unit:
        kept = KeptRecord(
            person_id=me.id,
            kind="goal",
            record_id=uuid4(),
            agreement_id=UUID(agreement),
            typed=False,
            kept_at=now(),
            shown={"statement": marks.alone},
            folded="",
        )
        kept.tick(frozenset())
        await unit.insert(kept)
    return path


async def stored(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table."""
    found = {}
    async with desk.world.database.work() as unit:
        await unit.begin()
        assert unit._connection is not None
        for table in metadata.tables.values():
            result = await unit._connection.exec_driver_sql(f'SELECT * FROM "{table.name}"')
            found[table.name] = [dict(row) for row in result.mappings()]
    return found


def of(rows: list[dict[str, Any]], column: str, person: Any) -> list[dict[str, Any]]:
    return [row for row in rows if str(row[column]) == str(person)]
