"""Scopes: fewer on request, never more; a token does what its person, its client and its scopes allow
together. What it does is found out by asking real operations, and foretold by a table written by hand."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.access.clients import CLIENT_SCOPES
from app.access.grants import SCOPES
from app.actions import accounts
from app.core import journal
from tests.signing_in import PASSWORD, App, Browser, answer_of
from tests.worlds import World

pytestmark = pytest.mark.anyio

PEOPLE = ("learner", "coach", "head", "administrator", "operator", "stranger")
REDIRECT = "org.example.app:/back"
EVERYBODY = {*PEOPLE, "client"}
RUN = ("administrator", "operator", "client")
"""Who administers the school, and its system."""


class Operation(NamedTuple):
    """One request, the scope that it needs, and whose rights suffice."""

    scope: str
    method: str
    path: str
    may: set[str]
    body: Any = None


def operations(ids: dict[str, str]) -> list[Operation]:
    goal, item = f"/v1/goals/{ids['goal']}", f"/v1/evidence-items/{ids['item']}"
    agreement = f"/v1/learning-agreements/{ids['agreement']}"
    audience = f"/v1/access/audience?resource=goal:{ids['goal']}"
    place = f"/v1/organisations/{ids['school']}"
    return [
        Operation("goals:read", "GET", goal, {"learner", "coach", "client"}),
        Operation("goals:write", "PATCH", goal, {"learner"}, {"readers": ["coaches", "systems"]}),
        Operation("evidence-items:read", "GET", item, {"learner", "coach"}),
        Operation("evidence-items:write", "PATCH", item, {"learner"}, {"title": "Talk in pairs"}),
        Operation("learning-agreements:read", "GET", agreement, {"learner", "coach", "head"}),
        Operation("access:read", "GET", audience, {"learner", "coach"}),
        Operation("people:read", "GET", "/v1/me", EVERYBODY),
        Operation("people:write", "PATCH", f"/v1/affiliations/{ids['post']}", {*RUN}, {"fraction": 0.5}),
        Operation("organisations:write", "PATCH", place, {*RUN}, {"phone": "01248"}),
        Operation("audit:read", "GET", f"{place}/audit", {"administrator", "operator"}),
        Operation("clients:read", "GET", f"/v1/clients/{ids['client']}", {"administrator", "operator"}),
        Operation("frameworks:read", "GET", "/v1/frameworks", EVERYBODY),
        Operation("networks:read", "GET", f"/v1/networks/{ids['network']}", {"learner", "operator"}),
    ]  # fmt: skip


@dataclass
class Place:
    """A world in which everybody can sign in, and what there is to ask for."""

    world: World
    emails: dict[str, str]
    operations: list[Operation]

    async def client(self, scopes: set[str], *, public: bool) -> App:
        """A client with these scopes: an app, or a system of the school."""
        async with self.world.database.work() as unit:
            named: dict[str, Any] = {"actor": journal.COMMAND_LINE, "name": "Some app"}
            named["scopes"] = sorted(scopes)
            if public:
                return App(
                    await accounts.create_app(unit, redirect_uris=[REDIRECT], **named), REDIRECT
                )
            made = await accounts.create_client(unit, organisation_id=self.world.school, **named)
        return App(made[0], REDIRECT, made[1])

    async def token(self, form: dict[str, str]) -> dict[str, Any]:
        answer = await self.world.http.post("/oauth/token", data=form)
        assert answer.status_code in (200, 400), answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def begin(self, who: str, app: App, grant: str, asked: str | None) -> dict[str, Any]:
        """The token answer by a grant; a refusal in the same form."""
        more = {} if asked is None else {"scope": asked}
        if grant == "client_credentials":
            return await self.token({"grant_type": grant, **app.credentials(), **more})
        if grant == "password":
            named = {"username": self.emails[who], "password": PASSWORD}
            return await self.token({"grant_type": grant, **named, **more})
        # A browser of their own: what somebody else allowed is nothing to them.
        transport = httpx.ASGITransport(self.world.app)
        async with httpx.AsyncClient(
            transport=transport, base_url="https://tandem.example"
        ) as http:
            browser = Browser(http)
            page = await browser.open(app.request(scope=asked))
            if page.status_code == 303:
                return answer_of(page)
            after = await browser.sign_in(page, self.emails[who])
            code = answer_of(await browser.decide(after))["code"]
        return await self.token(app.exchange(code))

    async def done(self, access_token: str) -> dict[str, str]:
        """What each operation says to a token: done, lacking the scope, or refused."""
        found = {}
        for operation in self.operations:
            headers = {"Authorization": f"Bearer {access_token}", "If-Match": "*"}
            body = {} if operation.body is None else {"json": operation.body}
            answer = await self.world.http.request(
                operation.method, operation.path, headers=headers, **body
            )
            assert answer.status_code in (200, 403, 404), f"{operation}: {answer.text}"
            lacking = answer.status_code == 403 and answer.json()["type"].endswith("scope")
            said = "done" if answer.status_code == 200 else "lacks" if lacking else "refused"
            found[f"{operation.method} {operation.path}"] = said
        return found

    def foretold(self, who: str, scopes: set[str]) -> dict[str, str]:
        """The same by the table: scope and right are both needed."""
        return {
            f"{o.method} {o.path}": "lacks"
            if o.scope not in scopes
            else "done"
            if who in o.may
            else "refused"
            for o in self.operations
        }


@pytest.fixture(scope="module")
async def place(app: Any) -> AsyncIterator[Place]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://tandem.example") as http:
        world = await World.create(app, http)
        agreement = await world.agreement(
            disclosure={"goals": ["coaches", "systems"], "evidence": ["coaches"]}
        )
        network = await world.learner.post("/v1/networks", json={"kind": "triad", "name": "Three"})
        ids = {
            "agreement": agreement,
            "goal": (await world.goal(agreement))["id"],
            "item": (await world.evidence(agreement))["id"],
            "post": str(world.affiliations["coach"]),
            "school": str(world.school),
            "client": str(world.client.id),
            "network": network.json()["id"],
        }
        emails = {}
        for who in PEOPLE:
            emails[who] = f"{who}.{uuid4().hex}@school.example"
            async with world.database.work() as unit:
                await accounts.create_identity(
                    unit,
                    actor=journal.COMMAND_LINE,
                    person_id=world.actors[who].id,
                    email=emails[who],
                    password=PASSWORD,
                )
        yield Place(world, emails, operations(ids))


async def test_with_every_scope_people_do_what_the_table_says(place: Place) -> None:
    """Else nothing would be learnt from the random cases below."""
    for who in EVERYBODY:
        foretold = place.foretold(who, set(SCOPES))
        assert await place.done(place.world.actors[who].token) == foretold, who
        assert {"done", "refused"} <= set(foretold.values())
    assert len(place.operations) > 11
    assert {operation.scope for operation in place.operations} <= set(SCOPES)


ASKED = sorted({operation.scope for operation in operations(dict.fromkeys(
    ("goal", "item", "agreement", "school", "post", "client", "network"), ""))})  # fmt: skip
some = st.sets(st.sampled_from(ASKED), min_size=1)
"""Scopes of the operations asked for; the others behave as they do."""


@st.composite
def cases(draw: Any) -> tuple[str, str, set[str], set[str] | None, set[str]]:
    """Who signs in by which grant, the client's scopes, those asked for, and those of a refresh."""
    grant = draw(st.sampled_from(["authorization_code", "client_credentials", "password"]))
    who = "client" if grant == "client_credentials" else draw(st.sampled_from(PEOPLE))
    client = set(SCOPES) if grant == "password" else draw(some)
    narrower = st.sets(st.sampled_from(sorted(client & set(ASKED))), min_size=1)
    asked = draw(st.one_of(st.none(), narrower, some, st.just({"goals:everything"})))
    later = draw(st.sets(st.sampled_from(sorted(client & set(ASKED)))))
    return grant, who, client, asked, later


def joined(scopes: set[str]) -> str:
    return " ".join(sorted(scopes))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(case=cases())
@example(case=("authorization_code", "learner", {"goals:read", "audit:read"}, None, {"goals:read"}))
@example(case=("authorization_code", "operator", {"clients:read"}, {"goals:read"}, set()))
@example(case=("client_credentials", "client", {"goals:write", "people:write"}, None, set()))
async def test_a_token_does_what_person_client_and_scopes_allow_together(
    place: Place, case: tuple[str, str, set[str], set[str] | None, set[str]]
) -> None:
    grant, who, client, asked, later = case
    app = App()
    if grant != "password":
        app = await place.client(client, public=grant == "authorization_code")
    given_ = await place.begin(who, app, grant, None if asked is None else joined(asked))
    if asked is not None and not asked <= client:
        # Refused, and not left out: the client would learn of it at its first 403.
        assert (given_.get("error"), "access_token" in given_) == ("invalid_scope", False)
        return
    scopes = client if asked is None else asked
    assert given_["scope"] == joined(scopes)
    assert await place.done(given_["access_token"]) == place.foretold(who, scopes)
    if grant != "authorization_code":
        assert "refresh_token" not in given_
        return
    fewer = await place.token(app.refresh(given_["refresh_token"], scope=joined(later)))
    if not later <= scopes:
        assert fewer["error"] == "invalid_scope"
        return
    assert fewer["scope"] == joined(later or scopes)
    assert await place.done(fewer["access_token"]) == place.foretold(who, later or scopes)
    # For that one token: the next refresh may have all that was allowed again.
    again = await place.token(app.refresh(fewer["refresh_token"]))
    assert again["scope"] == joined(scopes)


@pytest.mark.parametrize("asked", ["goals:everything", "GOALS:READ", "openid", "*", "goals:read x"])
async def test_a_scope_that_is_none_is_refused_by_every_grant(place: Place, asked: str) -> None:
    for grant in ("authorization_code", "client_credentials", "password"):
        app = await place.client({"goals:read"}, public=grant == "authorization_code")
        assert (await place.begin("learner", app, grant, asked))["error"] == "invalid_scope"
    app = await place.client({"goals:read"}, public=True)
    out = await place.begin("learner", app, "authorization_code", None)
    refused = await place.token(app.refresh(out["refresh_token"], scope=asked))
    assert refused["error"] == "invalid_scope"


async def test_what_a_client_may_use_for_itself_follows_from_the_grants() -> None:
    for_people = {
        "account:read",
        "account:write",
        "identity-providers:read",
        "identity-providers:write",
        "audit:read",
        "break-glass:read",
        "break-glass:write",
        "clients:read",
        "clients:write",
    }
    writing = {
        f"{kind}:write" for kind in ("evidence-items", "goals", "learning-agreements", "shares")
    }
    assert SCOPES.keys() - CLIENT_SCOPES == {*for_people, *writing, "networks:write"}
