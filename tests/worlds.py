"""Small worlds for the tests: people, a school, an agreement in force, each as their own caller."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from app.access.grants import SCOPES
from app.access.identity_holders import WayIn
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts, organisations
from app.core import journal
from app.core.clock import now, today
from app.core.db import Database, Unit
from app.core.ids import uuid7
from app.models.agreement_text import OBLIGATIONS
from app.models.organisations import OrganisationKind
from app.models.people import Affiliation, AffiliationRole, Person


@dataclass
class Actor:
    """Somebody with a token, calling over HTTP."""

    http: httpx.AsyncClient
    id: UUID
    token: str
    name: str = ""

    def headers(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **(extra or {})}

    async def call(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **named: Any
    ) -> httpx.Response:
        return await self.http.request(method, path, headers=self.headers(headers), **named)

    async def get(self, path: str, **named: Any) -> httpx.Response:
        return await self.call("GET", path, **named)

    async def post(self, path: str, **named: Any) -> httpx.Response:
        return await self.call("POST", path, **named)

    async def patch(self, path: str, *, etag: str = "*", **named: Any) -> httpx.Response:
        return await self.call("PATCH", path, headers={"If-Match": etag}, **named)

    async def delete(self, path: str, *, etag: str = "*") -> httpx.Response:
        return await self.call("DELETE", path, headers={"If-Match": etag})


def token(app: Any, subject: UUID, client: UUID = PUBLIC_CLIENT, scopes: Any = SCOPES) -> str:
    """An access token of the application."""
    session = None if subject == client else uuid7()
    made: str = app.state.tokens.issue(
        subject=subject,
        client=client,
        scopes=frozenset(scopes),
        session=session,
        signed_in=None if session is None else int(now().timestamp()),
    )
    return made


async def add_person(unit: Unit, name: str) -> UUID:
    """A person without any affiliation."""
    person_id, moment = uuid7(), now()
    await unit.insert(
        Person(
            id=person_id,
            version=1,
            created_at=moment,
            updated_at=moment,
            name=name,
            email=f"{person_id}@school.example",
        )
    )
    return person_id


async def affiliate(
    unit: Unit, person_id: UUID, organisation_id: UUID, role: AffiliationRole, **dates: Any
) -> UUID:
    """Ties a person to an organisation, by default since three months ago."""
    affiliation_id, moment = uuid7(), now()
    await unit.insert(
        Affiliation(
            id=affiliation_id,
            version=1,
            created_at=moment,
            updated_at=moment,
            person_id=person_id,
            organisation_id=organisation_id,
            role=role,
            **{"starts_on": today() - timedelta(days=90), "accepted_at": moment, **dates},
        )
    )
    return affiliation_id


async def add_organisation(unit: Unit, kind: OrganisationKind, name: str, **values: Any) -> UUID:
    """An organisation."""
    organisation_id = uuid7()
    await organisations.create_organisation(
        unit,
        actor=journal.COMMAND_LINE,
        organisation_id=organisation_id,
        values={"kind": kind, "name": name, **values},
    )
    return organisation_id


@dataclass
class World:
    """One school, its people, and a client of the school."""

    app: Any
    http: httpx.AsyncClient
    school: UUID
    authority: UUID
    actors: dict[str, Actor] = field(default_factory=dict)
    affiliations: dict[str, UUID] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Actor:
        try:
            return self.actors[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def database(self) -> Database:
        found: Database = self.app.state.database
        return found

    @classmethod
    async def create(cls, app: Any, http: httpx.AsyncClient) -> "World":
        """learner, fellow (a second learner), coach, tutor, head, administrator, operator, stranger
        (another school's head), client (of the school, every scope)."""
        database: Database = app.state.database
        async with database.work() as unit:
            authority = await add_organisation(unit, OrganisationKind.LOCAL_AUTHORITY, "Cyngor Môn")
            school = await add_organisation(
                unit, OrganisationKind.SCHOOL, "Ysgol Tŷ Gwyn", parent_id=authority
            )
            elsewhere = await add_organisation(unit, OrganisationKind.SCHOOL, "Elsewhere School")
            world = cls(app, http, school, authority)
            for role, place, affiliation in (
                ("learner", school, AffiliationRole.TEACHER),
                ("fellow", school, AffiliationRole.SUPPLY_TEACHER),
                ("coach", school, AffiliationRole.TEACHER),
                ("tutor", school, AffiliationRole.TUTOR),
                ("head", school, AffiliationRole.HEAD_TEACHER),
                ("administrator", school, AffiliationRole.ADMINISTRATOR),
                ("operator", authority, AffiliationRole.OTHER),
                ("stranger", elsewhere, AffiliationRole.HEAD_TEACHER),
            ):
                name = f"{role.title()} Ŵyn-{uuid4().hex[:6]}"
                person_id = await add_person(unit, name)
                world.affiliations[role] = await affiliate(unit, person_id, place, affiliation)
                world.actors[role] = Actor(http, person_id, token(app, person_id), name)
            await accounts.make_operator(
                unit, actor=journal.COMMAND_LINE, person_id=world.operator.id
            )
            client_id, _ = await accounts.create_client(
                unit,
                actor=journal.COMMAND_LINE,
                name="School system",
                organisation_id=school,
                scopes=sorted(SCOPES),
            )
        world.actors["client"] = Actor(http, client_id, token(app, client_id, client_id))
        return world

    async def operator_named(self, name: str) -> Actor:
        """Another of the operator's administrators, without any affiliation."""
        async with self.database.work() as unit:
            person_id = await add_person(unit, f"{name.title()} Ŵyn-{uuid4().hex[:6]}")
            await accounts.make_operator(unit, actor=journal.COMMAND_LINE, person_id=person_id)
        self.actors[name] = Actor(self.http, person_id, token(self.app, person_id), name.title())
        return self.actors[name]

    async def opening(self, agreement_id: str, **changes: Any) -> str:
        """The id of an opening that the operator has asked for."""
        body = {"agreement_id": agreement_id, "reason": "A court asks.", "minutes": 30, **changes}
        made = await self.operator.post("/v1/openings", json=body)
        assert made.status_code == 201, made.text
        found: str = made.json()["id"]
        return found

    async def invitation(self, person_id: UUID, email: str = "") -> str:
        """The id of an invitation that the administrator has sent to somebody at the school."""
        body = {
            "person_id": str(person_id),
            "organisation_id": str(self.school),
            "email": email or f"{uuid4().hex}@school.example",
        }
        made = await self.administrator.post("/v1/invitations", json=body)
        assert made.status_code == 202, made.text
        found: str = made.json()["id"]
        return found

    async def address_change(self, person_id: UUID, email: str = "") -> str:
        """The id of a change of address that somebody has asked for."""
        address = f"{uuid4().hex}@school.example"
        async with self.database.work() as unit:
            identity = await accounts.create_identity(
                unit,
                actor=journal.COMMAND_LINE,
                person_id=person_id,
                email=address,
                password="correct horse battery staple",
            )
            asked = await accounts.ask_for_address(
                unit,
                actor=journal.Actor(person_id, PUBLIC_CLIENT),
                found=WayIn(identity, person_id, address, None, "", None),
                email=email or f"x{address}",
                language="en",
            )
        return str(asked)

    def text(self, **changes: Any) -> dict[str, Any]:
        """A complete text of an agreement between learner, fellow, coach and tutor."""
        roles = {"learner": "learner", "fellow": "learner", "coach": "coach", "tutor": "tutor"}
        return {
            "parties": [
                {"person_id": str(self.actors[who].id), "role": role} for who, role in roles.items()
            ],
            "home_organisation_id": str(self.school),
            "purpose": "To ask better questions.",
            "beneficiaries": "Year 7.",
            "working_definition": "A structured conversation.",
            "performance_management_boundary": "Nothing goes into appraisal.",
            "ground_rules": ["Either may stop a topic."],
            "data_controller": "Ysgol Tŷ Gwyn",
            "lawful_basis": "Public task",
            "retention": "Two years",
            "records_afterwards": "Erased.",
            "rhythm": {"every_weeks": 3, "minutes": 45, "minimum_conversations": 6},
            "coaching_model": "GROW",
            "starts_on": today().isoformat(),
            **changes,
        }

    async def draft(self, **changes: Any) -> str:
        """A draft by the learner; its path."""
        made = await self.learner.post("/v1/learning-agreements", json=self.text(**changes))
        assert made.status_code == 201, made.text
        return f"/v1/learning-agreements/{made.json()['id']}"

    async def propose(self, **changes: Any) -> tuple[str, str]:
        """A proposal by the learner; its path and digest."""
        path = await self.draft(**changes)
        proposed = await self.learner.post(f"{path}/proposal")
        assert proposed.status_code == 200, proposed.text
        return path, proposed.json()["digest"]

    async def sign(self, path: str, digest: str, *who: str) -> httpx.Response:
        """Signs for each of `who`; the last answer."""
        for name in who:
            obligations = list(OBLIGATIONS) if name == "coach" else []
            answer = await self.actors[name].post(
                f"{path}/signatures", json={"digest": digest, "obligations": obligations}
            )
            assert answer.status_code == 201, answer.text
        return answer

    async def agreement(self, **changes: Any) -> str:
        """The id of an agreement in force."""
        path, digest = await self.propose(**changes)
        last = await self.sign(path, digest, "learner", "fellow", "coach", "tutor")
        assert last.json()["state"] == "active", last.text
        return path.rpartition("/")[2]

    async def goal(self, agreement_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """A goal of the learner."""
        body = {"statement": "Pupils give reasons.", "agreement_id": agreement_id, **fields}
        made = await self.learner.post("/v1/goals", json=body)
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found

    async def evidence(self, agreement_id: str | None = None, **fields: Any) -> dict[str, Any]:
        """An evidence item of the learner."""
        body = {"kind": "observation", "title": "Talk in pairs", "agreement_id": agreement_id}
        made = await self.learner.post("/v1/evidence-items", json={**body, **fields})
        assert made.status_code == 201, made.text
        found: dict[str, Any] = made.json()
        return found

    async def file(
        self, item: dict[str, Any], content: bytes = b"Seven of ten.", name: str = "notes.txt"
    ) -> dict[str, Any]:
        """A file of an evidence item of the learner."""
        path = f"/v1/evidence-items/{item['id']}/files"
        added = await self.learner.post(path, files={"file": (name, content)})
        assert added.status_code == 201, added.text
        found: dict[str, Any] = added.json()
        return found
