"""A world with a record of every kind, every endpoint, and what a refusal must look like.

The endpoints are walked from `app.main.ROUTERS`: a new route is covered by being there. A new kind of
record needs a place in `make_scene`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from app.access.gates import ActionGate
from app.access.sign_in import PUBLIC_CLIENT
from app.actions import accounts
from app.core import journal, one_time
from app.core.clock import now, today
from app.core.ids import uuid7
from app.core.routes import gates_of
from app.main import ROUTERS
from app.models.second_factors import SecondFactor
from app.models.sessions import Session
from tests.raw import Answer, named, problem, send
from tests.shapes import resolve
from tests.worlds import World

JSON = ("Content-Type", "application/json")
ANY = ("If-Match", "*")


@dataclass(frozen=True)
class Endpoint:
    """One method of one route."""

    method: str
    route: APIRoute

    def __str__(self) -> str:
        return f"{self.method} {self.route.path}"

    @property
    def gate(self) -> ActionGate | None:
        found = gates_of(self.route.dependant)
        return found[0] if found else None  # type: ignore[return-value]

    @property
    def changes(self) -> bool:
        """Whether it asks for a version: what is written as a whole and has none (a password) does not."""
        with_version = self.gate is None or self.gate.locks is not None
        return self.method in ("PATCH", "PUT", "DELETE") and with_version

    @property
    def shape(self) -> dict[str, Any] | None:
        """JSON schema of the body."""
        field = self.route.body_field
        return None if field is None else field.field_info.annotation.model_json_schema()  # type: ignore[union-attr]

    @property
    def query(self) -> dict[str, Any]:
        """JSON schema of each parameter."""
        found: dict[str, Any] = {}
        for parameter in self.route.dependant.query_params:
            schema = parameter.field_info.annotation.model_json_schema()  # type: ignore[union-attr]
            found |= {name: resolve(field, schema) for name, field in schema["properties"].items()}
        return found


ENDPOINTS = [
    Endpoint(method, route)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in sorted(route.methods)
]
GATED = [e for e in ENDPOINTS if e.gate]
BODIES = [e for e in GATED if e.shape]
ONE = [e for e in GATED if "{" in e.route.path]
LISTS = [e for e in GATED if e.query]
PLAIN = [e for e in GATED if not e.query]
UPLOADS = [e for e in GATED if e.gate and e.gate.streams]
"""Their body is a file, which the endpoint reads itself."""

OF_ACTIVE = (
    "/completion", "/ending", "/amendments", "/narrowing", "/departure", "/detachments", "/readers",
    "/openings", "/leaders",
)  # fmt: skip
"""What is asked of an agreement in force, not of a proposal."""


_ANONYMISING = "/v1/people/{person_id}/anonymisation"


def each(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    assert endpoints
    return pytest.mark.parametrize("endpoint", endpoints, ids=str)


@dataclass
class Scene:
    """A world with a record of every kind, and who may do everything to each."""

    world: World
    places: dict[str, str]

    def actor(self, endpoint: Endpoint) -> str:
        path = endpoint.route.path
        if path.endswith("/confirmation") and "opening" in path:
            return self.world.second.token
        operators = ("/v1/organisations", "/v1/openings", "/v1/audit", "/v1/identity-providers")
        if path.startswith(operators):
            return self.world.operator.token
        if path.startswith("/v1/invitations") and not path.endswith("agreement"):
            return self.world.administrator.token
        if path.endswith(("/disabling", "/enabling")) or path.startswith(_ANONYMISING):
            return self.world.operator.token
        if path.startswith("/v1/affiliations") and path.endswith(("/acceptance", "/refusal")):
            return self.world.learner.token
        mine = ("/v1/people", "/v1/affiliations", "/v1/clients", "/v1/sign-in-identities")
        if path.startswith(mine):
            return self.world.administrator.token
        return self.world.learner.token

    def path(self, endpoint: Endpoint, **changed: str) -> str:
        path = endpoint.route.path
        code = "1" if "principles" in path else "coaching-principles"
        values = {**self.places, "code": code, **changed}
        if path.endswith(OF_ACTIVE):
            values = {**values, "learning_agreement_id": self.places["active"], **changed}
        for name in endpoint.route.param_convertors:
            assert name in values, f"give the scene a place for {{{name}}} of {endpoint}"
            path = path.replace(f"{{{name}}}", values[name])
        return path

    def needed(self, endpoint: Endpoint, *, but: str = "") -> str:
        """A query with every parameter that the endpoint cannot do without, except `but`."""
        every = {"resource": f"goal:{self.places['goal_id']}", "action": "goal:read"}
        return "".join(f"{n}={every[n]}&" for n in endpoint.query if n in every and n != but)

    async def send(
        self,
        endpoint: Endpoint,
        *headers: tuple[str | bytes, str | bytes],
        path: str | None = None,
        query: str | bytes = b"",
        body: bytes | list[bytes] = b"",
        token: str | None = None,
    ) -> Answer:
        target = (path or self.path(endpoint)).encode("latin-1")
        asked = query.encode("latin-1") if isinstance(query, str) else query
        bearer = ("Authorization", f"Bearer {token or self.actor(endpoint)}")
        return await send(
            self.world.app,
            endpoint.method,
            target + (b"?" + asked if asked else b""),
            headers=[bearer, *headers],
            body=body,
        )

    async def written(self) -> list[Any]:
        """Grows with every write."""
        async with self.world.database.work() as unit:
            await unit.begin()
            assert unit._connection is not None
            found = await unit._connection.exec_driver_sql(
                "SELECT (SELECT count(*) FROM journal), (SELECT count(*) FROM idempotency_answers)"
            )
            return list(found.one())


async def made(world: World, path: str, **body: Any) -> str:
    """The id of what the learner makes."""
    answer = await world.learner.post(path, json=body)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def provider(world: World) -> dict[str, str]:
    """An identity provider of the school."""
    return {
        "organisation_id": str(world.school),
        "name": "One",
        "issuer": "https://login.example",
        "client_id": "tandem",
        "client_secret": "a-secret-of-the-school",
    }


def until_later(person_id: str) -> dict[str, str]:
    """With whom a record is shared, why and until when."""
    ends_on = (today() + timedelta(days=30)).isoformat()
    return {"person_id": person_id, "reason": "Advice.", "ends_on": ends_on}


async def _account(world: World) -> dict[str, str]:
    """A way in of the learner, a session, and an app that is begun."""
    session, factor, moment = uuid7(), uuid7(), now()
    async with world.database.work() as unit:
        identity = await accounts.create_identity(
            unit,
            actor=journal.COMMAND_LINE,
            person_id=world.learner.id,
            email=f"{session}@school.example",
            password="correct horse battery staple",
            organisation_id=world.school,
        )
        await unit.insert(
            Session(
                id=session,
                person_id=world.learner.id,
                identity_id=identity,
                client_id=PUBLIC_CLIENT,
                scopes=["goals:read"],
                method="password",
                created_at=moment,
                last_used_at=moment,
                expires_at=moment + timedelta(days=1),
            )
        )
        begun = SecondFactor(id=factor, person_id=world.learner.id, created_at=moment)
        begun.secret = world.app.state.seals.seal(one_time.new_secret(), begun.about)
        await unit.insert(begun)
    return {
        "second_factor_id": str(factor),
        "session_id": str(session),
        "sign_in_identity_id": str(identity),
    }


@asynccontextmanager
async def make_scene(app: Any) -> AsyncIterator[Scene]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as http:
        world = await World.create(app, http)
        network = await made(world, "/v1/networks", kind="triad", name="Cymuned ddysgu")
        member = await made(world, f"/v1/networks/{network}/members", person_id=str(world.tutor.id))
        agreement = await world.agreement(
            networks=[network],
            disclosure={"goals": ["coaches", "networks"], "evidence": ["coaches", "networks"]},
        )
        goal = await world.goal(agreement)
        item = await world.evidence(agreement)
        file = await world.file(item)
        share = await made(
            world, "/v1/shares", goal_id=goal["id"], **until_later(str(world.head.id))
        )
        proposal, _ = await world.propose()
        await world.operator_named("second")
        opening = await world.opening(agreement)
        added = await world.operator.post("/v1/identity-providers", json=provider(world))
        assert added.status_code == 201, added.text
        invitation = await world.invitation(world.learner.id)
        address_change = await world.address_change(world.learner.id)
        account = await _account(world)
        yield Scene(
            world,
            {
                "invitation_id": invitation,
                "address_change_id": address_change,
                "goal_id": goal["id"],
                "evidence_item_id": item["id"],
                "file_id": file["id"],
                "share_id": share,
                "opening_id": opening,
                "page": "forgotten",
                "identity_provider_id": added.json()["id"],
                "network_id": network,
                "network_member_id": member,
                "learning_agreement_id": proposal.rpartition("/")[2],
                "active": agreement,
                "organisation_id": str(world.school),
                "person_id": str(world.learner.id),
                "affiliation_id": str(world.affiliations["learner"]),
                "client_id": str(world.client.id),
                "fingerprint": "0123456789ab",
                "number": "1",
                "version": "1",
                **account,
            },
        )


class Findings:
    """Collects what is wrong, so that one run shows all of it."""

    def __init__(self) -> None:
        self.cases = 0
        self.found: list[str] = []

    async def case(
        self, label: str, answer: Awaitable[Answer], judge: Callable[[Answer], Any]
    ) -> None:
        self.cases += 1
        got = await answer
        try:
            judge(got)
        except (AssertionError, KeyError, TypeError, ValueError) as wrong:
            self.found.append(f"{label}: {got.status} {wrong} {got.text[:300]}")

    def report(self) -> None:
        assert self.cases
        shown = "\n".join(self.found[:40])
        assert not self.found, f"{len(self.found)} of {self.cases} cases:\n{shown}"


def refused(*statuses: int, names: set[str] | None = None) -> Callable[[Answer], None]:
    def judge(answer: Answer) -> None:
        found = problem(answer, *statuses)
        if names is not None:
            assert named(found) == names, f"names {sorted(named(found))}, not {sorted(names)}"

    return judge


def harmless(answer: Answer) -> None:
    """An answer or a problem, whole either way."""
    if answer.status >= 400:
        problem(answer)
    else:
        assert answer.status in (200, 204, 304), answer.status


def creations(scene: Scene) -> dict[str, dict[str, Any]]:
    world = scene.world
    at_school = {"organisation_id": str(world.school), "role": "teacher", "starts_on": "2026-01-01"}
    return {
        "/v1/goals": {"statement": "One."},
        "/v1/evidence-items": {"kind": "other", "title": "One"},
        "/v1/shares": {
            "evidence_item_id": scene.places["evidence_item_id"],
            **until_later(str(world.coach.id)),
        },
        "/v1/learning-agreements": world.text(),
        "/v1/openings": {"agreement_id": scene.places["active"], "reason": "One.", "minutes": 5},
        "/v1/networks": {"kind": "triad", "name": "One"},
        "/v1/networks/{network_id}/members": {"person_id": str(world.fellow.id)},
        "/v1/identity-providers": provider(world),
        "/v1/organisations": {"name": "One", "kind": "school"},
        "/v1/clients": {
            "name": "One",
            "organisation_id": str(world.school),
            "scopes": ["goals:read"],
        },
        "/v1/people": {"name": "One", "affiliation": at_school},
        "/v1/affiliations": {"person_id": str(world.coach.id), **at_school},
    }
