"""Every operation has its row in the table of who may, and is held to it.

Each case asks with a parameter that does not exist: whoever may is told so (422), which is only said
when the token, the scope, the kind of caller, the record and the relation have all been in order, and
nothing is written.
"""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from app.access.caller import OPENING_HEADER
from app.access.grants import GRANTS, SCOPES, Action, Grant, Relation
from app.access.sign_in import PUBLIC_CLIENT
from app.main import create_app
from app.models.people import AffiliationRole
from tests.amending import agreement_of, in_force, leave, propose
from tests.raw import Answer, problem, send
from tests.scene import ANY, ENDPOINTS, GATED, JSON, Endpoint, Scene, each, made, make_scene
from tests.test_house import PUBLIC
from tests.worlds import Actor, add_person, affiliate, token

pytestmark = pytest.mark.anyio

R = Relation

INSIDE: dict[tuple[str, Relation], str] = {
    ("address_change", R.SELF): "learner",
    ("affiliation", R.ADMINISTRATOR): "administrator", ("affiliation", R.CLIENT): "client",
    ("affiliation", R.OPERATOR): "operator", ("affiliation", R.SELF): "learner",
    ("agreement", R.AMENDER): "coach@amended", ("agreement", R.COACH): "coach@active",
    ("agreement", R.DRAFTER): "learner", ("agreement", R.FORMER): "tutor@left",
    ("agreement", R.FORMER_LEARNER): "fellow@left",
    ("agreement", R.INVITED): "coach", ("agreement", R.LEARNER): "learner@active",
    ("agreement", R.OPENER): "operator@active+opened", ("agreement", R.PARTY): "tutor@active",
    ("client", R.ADMINISTRATOR): "administrator", ("client", R.OPERATOR): "operator",
    ("evidence_item", R.OWNER): "learner",
    ("goal", R.COACH): "coach", ("goal", R.OWNER): "learner", ("goal", R.PARTY): "coach",
    ("identity_provider", R.ADMINISTRATOR): "administrator",
    ("identity_provider", R.OPERATOR): "operator",
    ("invitation", R.ADMINISTRATOR): "administrator", ("invitation", R.OPERATOR): "operator",
    ("invitation", R.SELF): "learner",
    ("network", R.FACILITATOR): "fellow", ("network", R.LEAD): "learner",
    ("network_member", R.ADMINISTRATOR): "administrator@organisation_member",
    ("network_member", R.FACILITATOR): "fellow", ("network_member", R.LEAD): "learner",
    ("network_member", R.READER): "coach", ("network_member", R.SELF): "tutor",
    ("opening", R.OPENER): "operator", ("opening", R.SECOND): "second",
    ("organisation", R.ADMINISTRATOR): "administrator", ("organisation", R.CLIENT): "client",
    ("organisation", R.OPERATOR): "operator", ("organisation", R.PARENT): "above",
    ("person", R.ADMINISTRATOR): "administrator", ("person", R.CLIENT): "client",
    ("person", R.OPERATOR): "operator", ("person", R.SELF): "learner",
    ("second_factor", R.SELF): "learner", ("session", R.SELF): "learner",
    ("share", R.OWNER): "learner",
    ("sign_in_identity", R.ADMINISTRATOR): "administrator",
    ("sign_in_identity", R.OPERATOR): "operator",
}  # fmt: skip
"""Who stands in a relation to a record of the scene (`@`: to another one than its first; `+`: under
an opening)."""

OUTSIDE: dict[Action, str] = {
    Action.AFFILIATION_ANSWER: "administrator", Action.AFFILIATION_WRITE: "learner", Action.AGREEMENT_AMEND: "tutor@active",
    Action.AGREEMENT_COMPLETE: "tutor@active", Action.AGREEMENT_DECLINE: "tutor@active",
    Action.AGREEMENT_DETACH: "head@active", Action.AGREEMENT_DRAFT: "coach",
    Action.AGREEMENT_END: "head@active", Action.AGREEMENT_HISTORY: "head@active",
    Action.AGREEMENT_LEADERS: "head@active", Action.AGREEMENT_LEAVE: "head@active", Action.AGREEMENT_NARROW: "head@active",
    Action.AGREEMENT_OPENINGS: "head@active", Action.AGREEMENT_READERS: "head@active", Action.AGREEMENT_SIGN: "head@active",
    Action.AGREEMENT_VERSIONS: "head@active", Action.AGREEMENT_WITHDRAW: "coach",
    Action.EVIDENCE_ADD_FILE: "coach", Action.EVIDENCE_DELETE: "coach",
    Action.EVIDENCE_REVISE: "coach", Action.GOAL_ACCEPT: "head", Action.GOAL_DELETE: "coach",
    Action.GOAL_PROGRESS: "head", Action.GOAL_REVISE: "coach", Action.GOAL_WRITE: "coach",
    Action.INVITATION_AGREE: "administrator", Action.NETWORK_MEMBER_CONFIRM: "tutor", Action.NETWORK_MEMBER_END: "coach",
    Action.NETWORK_MEMBER_WRITE: "tutor", Action.NETWORK_WRITE: "tutor",
    Action.OPENING_CLOSE: "second", Action.OPENING_CONFIRM: "operator",
    Action.ORGANISATION_AUDIT: "above", Action.ORGANISATION_IDENTITIES: "above",
    Action.ORGANISATION_WRITE: "learner", Action.PERSON_ANONYMISE: "administrator",
    Action.PERSON_DISABLE: "administrator", Action.PERSON_WRITE: "coach",
    Action.SHARE_DELETE: "coach", Action.SIGN_IN_IDENTITY_CLOSE: "learner",
}  # fmt: skip
"""Who sees the record and stands in none of the relations that the grant names."""

NOBODY_OUTSIDE = {
    Action.CLIENT_WRITE: "nobody sees a client but those who administer it",
    Action.ADDRESS_CHANGE_CANCEL: "only the person themself sees it",
    Action.INVITATION_WITHDRAW: "whoever sees it may withdraw it",
    Action.NETWORK_MEMBER_CREATE: "whoever sees the network may ask to join it",
    Action.PROVIDER_WRITE: "only those administrators see it who may change it",
    Action.ACCESS_AUDIENCE: "names its record in the query: a test below has it",
    Action.SECOND_FACTOR_CHANGE: "nobody else sees it at all",
    Action.SESSION_END: "nobody else sees it at all",
    Action.SHARE_CREATE: "names its record in the body: a test below has it",
}
SEEN_BY_ALL = {
    "organisation": "organisations are public among those who have signed in",
    "framework": "so are the reference frameworks",
}
IDS = {"agreement": "learning_agreement_id", "network_member": "network_member_id"}


def action_of(endpoint: Endpoint) -> Action:
    assert endpoint.gate is not None
    return endpoint.gate.action


def grant_of(endpoint: Endpoint) -> Grant:
    return GRANTS[action_of(endpoint)]


def kind_of(endpoint: Endpoint) -> str:
    return action_of(endpoint).partition(":")[0]


NAMED_INSIDE = (Action.ACCESS_AUDIENCE, Action.SHARE_CREATE)
LIMITED = [e for e in GATED if grant_of(e).by and action_of(e) not in NAMED_INSIDE]
ITEMS = [e for e in GATED if any(n.endswith("_id") for n in e.route.param_convertors)]


@pytest.fixture(scope="module")
async def scene(app: Any) -> AsyncIterator[Scene]:
    """The scene of hostile callers, with somebody in every relation and somebody in none."""
    async with make_scene(app) as found:
        world, places = found.world, found.places
        members = f"/v1/networks/{places['network_id']}/members"
        await made(world, members, person_id=str(world.fellow.id), role="facilitator")
        await made(world, members, person_id=str(world.coach.id))
        places["organisation_member"] = await made(
            world, members, organisation_id=str(world.school)
        )
        amended, left = await in_force(world), await in_force(world)
        await propose(world, amended, by="coach", purpose="To listen.")
        await leave(world, left, "tutor")
        await leave(world, left, "fellow")
        places |= {"amended": agreement_of(amended), "left": agreement_of(left)}
        places["opened"] = await world.opening(places["active"])
        await world.second.post(f"/v1/openings/{places['opened']}/confirmation")
        async with world.database.work() as unit:
            above = await add_person(unit, "Above")
            await affiliate(unit, above, world.authority, AffiliationRole.ADMINISTRATOR)
        world.actors["above"] = Actor(world.http, above, token(app, above))
        yield found


async def ask(scene: Scene, endpoint: Endpoint, who: str, bearer: str | None = None) -> Answer:
    """Asks as `who` (`actor`, `actor@place`, `actor@place+opening`) for what would be refused with 422 in any case."""
    who, _, opening = who.partition("+")
    name, _, place = who.partition("@")
    headers = [(OPENING_HEADER, scene.places[opening])] if opening else []
    changed = {IDS[kind_of(endpoint)]: scene.places[place]} if place else {}
    path = scene.path(endpoint, **changed)
    bearer = bearer or scene.world.actors[name].token
    return await scene.send(
        endpoint, JSON, ANY, *headers, path=path, query="nothing_such=1", token=bearer
    )


def slug(found: dict[str, Any]) -> str:
    kind: str = found["type"]
    return kind.rpartition("/")[2]


def test_the_document_and_the_table_name_the_same_operations() -> None:
    document = json.loads(create_app().state.openapi_json())
    described = {
        (method.upper(), path): operation.get("security")
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    walked = {(e.method, e.route.path_format): e for e in ENDPOINTS if e.route.include_in_schema}
    assert set(described) == set(walked)
    for key, endpoint in walked.items():
        assert (endpoint.gate is None) == (key in PUBLIC), endpoint
        scopes = [{"tandem": [grant_of(endpoint).scope]}] if endpoint.gate else []
        assert described[key] == scopes, endpoint


def test_every_row_that_names_relations_is_tried_from_inside_and_from_outside() -> None:
    limited = {action for action, grant in GRANTS.items() if grant.by}
    assert limited == set(OUTSIDE) | set(NOBODY_OUTSIDE)
    assert not set(OUTSIDE) & set(NOBODY_OUTSIDE)
    tried = {(kind_of(e), relation) for e in LIMITED for relation in grant_of(e).by}
    assert tried == set(INSIDE)


@each(GATED)
async def test_without_a_token_the_answer_is_a_challenge(scene: Scene, endpoint: Endpoint) -> None:
    answer = await send(scene.world.app, endpoint.method, scene.path(endpoint), headers=[JSON, ANY])
    assert slug(problem(answer, 401)) == "unauthenticated"
    assert answer.header("www-authenticate") == "Bearer"


@each(GATED)
async def test_without_the_scope_the_answer_names_it(scene: Scene, endpoint: Endpoint) -> None:
    scope, app = grant_of(endpoint).scope, scene.world.app
    person = next(a.id for a in scene.world.actors.values() if a.token == scene.actor(endpoint))
    lacking = token(app, person, PUBLIC_CLIENT, set(SCOPES) - {scope})
    answer = await ask(scene, endpoint, "learner", lacking)
    found = problem(answer, 403)
    assert (slug(found), found["scope"]) == ("insufficient-scope", scope)
    assert answer.header("www-authenticate") == (
        f'Bearer error="insufficient_scope", scope="{scope}"'
    )
    problem(await ask(scene, endpoint, "learner", token(app, person, scopes=[scope])), 422)


@each(GATED)
async def test_an_integration_client_is_kept_from_what_is_for_people(
    scene: Scene, endpoint: Endpoint
) -> None:
    answer = await ask(scene, endpoint, "client")
    for_people = "This is for people who have signed in, not for integration clients."
    if grant_of(endpoint).clients:
        assert problem(answer, 404, 422)["detail"] != for_people
    else:
        assert problem(answer, 403)["detail"] == for_people


@each(LIMITED)
async def test_each_relation_that_the_row_names_suffices(scene: Scene, endpoint: Endpoint) -> None:
    for relation in grant_of(endpoint).by:
        who = INSIDE[kind_of(endpoint), relation]
        assert (await ask(scene, endpoint, who)).status == 422, f"{relation}: {who}"


@each([e for e in LIMITED if action_of(e) not in NOBODY_OUTSIDE])
async def test_who_sees_the_record_in_none_of_these_relations_is_told_so(
    scene: Scene, endpoint: Endpoint
) -> None:
    answer = await ask(scene, endpoint, OUTSIDE[action_of(endpoint)])
    assert problem(answer, 403)["detail"] == f"This is for {grant_of(endpoint).who}."


@each([e for e in ITEMS if kind_of(e) not in SEEN_BY_ALL])
async def test_who_does_not_see_the_record_is_told_nothing(
    scene: Scene, endpoint: Endpoint
) -> None:
    assert slug(problem(await ask(scene, endpoint, "stranger"), 404)) == "not-found"


async def test_only_the_owner_of_what_the_body_names_shares_it(scene: Scene) -> None:
    endpoint = next(e for e in GATED if action_of(e) is Action.SHARE_CREATE)
    body = {"goal_id": scene.places["goal_id"], "person_id": str(scene.world.tutor.id)}
    sent = json.dumps({**body, "reason": "Advice.", "ends_on": "9999-01-01"}).encode()

    async def share(who: str) -> Answer:
        bearer = scene.world.actors[who].token
        return await scene.send(endpoint, JSON, body=sent, token=bearer)

    assert problem(await share("coach"), 403)["detail"] == f"This is for {Relation.OWNER}."
    hidden = problem(await share("stranger"), 422)
    assert [error["pointer"] for error in hidden["errors"]] == ["/goal_id"]
    assert (await share("learner")).status == 201


async def test_who_could_read_is_told_to_owner_and_parties_alone(scene: Scene) -> None:
    goal, agreement = f"goal:{scene.places['goal_id']}", "learning_agreement:"
    proposal, active = (
        agreement + scene.places[name] for name in ("learning_agreement_id", "active")
    )

    async def ask_of(what: str, who: str, resource: str) -> httpx.Response:
        actor, query = scene.world.actors[who], {"resource": resource}
        more = {"action": "goal:read"} if what == "explanation" else {}
        return await actor.get(f"/v1/access/{what}", params=query | more)

    for who, resource in (  # owner, drafter, invited, party
        ("learner", goal), ("learner", proposal), ("coach", proposal), ("tutor", active),
    ):  # fmt: skip
        assert (await ask_of("audience", who, resource)).status_code == 200, (who, resource)
    for resource in (goal, active):
        refused = await ask_of("audience", "head", resource)
        who = GRANTS[Action.ACCESS_AUDIENCE].who
        assert (refused.status_code, refused.json()["detail"]) == (403, f"This is for {who}.")
    for what in ("audience", "explanation"):
        assert (await ask_of(what, "stranger", goal)).status_code == 404
    assert (await ask_of("explanation", "head", goal)).status_code == 200
