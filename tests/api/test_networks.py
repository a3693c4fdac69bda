"""Networks over HTTP: who sees them, who is in them, and who may say so."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core.clock import now, today
from app.core.ids import uuid7
from app.models.agreements import AgreementNetwork, AgreementState
from app.models.people import AffiliationRole, Client
from tests.worlds import Actor, World, add_person, affiliate, token

pytestmark = pytest.mark.anyio

TOMORROW = (today() + timedelta(days=1)).isoformat()
YESTERDAY = (today() - timedelta(days=1)).isoformat()


async def found(actor: Actor, **changes: Any) -> str:
    """The path of a new network that the actor leads."""
    body = {"kind": "professional_learning_community", "name": "Questioning", **changes}
    made = await actor.post("/v1/networks", json=body)
    assert made.status_code == 201, made.text
    return f"/v1/networks/{made.json()['id']}"


async def add(
    by: Actor, network: str, who: Actor | None = None, role: str = "member", **changes: Any
) -> str:
    """The path of a new membership."""
    body = {"person_id": str(who.id)} if who else {}
    made = await by.post(f"{network}/members", json={**body, "role": role, **changes})
    assert made.status_code == 201, made.text
    path = f"{network}/members/{made.json()['id']}"
    assert made.headers["Location"].endswith(path)
    return path


async def place(actor: Actor, network: str) -> str:
    """The path of the actor's own membership."""
    items = (await actor.get(f"{network}/members")).json()["items"]
    (own,) = [m["id"] for m in items if m["person_id"] == str(actor.id)]
    return f"{network}/members/{own}"


async def names(actor: Actor, network: str, **query: str) -> set[str]:
    answer = await actor.get(f"{network}/members", params=query)
    assert answer.status_code == 200, answer.text
    return {item["name"] for item in answer.json()["items"]}


async def statuses(world: World, path: str, *who: str) -> list[int]:
    return [(await world.actors[name].get(path)).status_code for name in who]


async def newcomer(world: World, name: str = "Newydd Ŵyn") -> Actor:
    """Somebody at a third school, whom nobody here knows."""
    async with world.database.work() as unit:
        person_id = await add_person(unit, name)
        await affiliate(unit, person_id, world.authority, AffiliationRole.TEACHER)
    return Actor(world.http, person_id, token(world.app, person_id), name)


def same_problem(*answers: Any) -> None:
    """The answers are one and the same, but for their request's id."""
    bodies = [{k: v for k, v in a.json().items() if k != "request_id"} for a in answers]
    assert all(body == bodies[0] for body in bodies), bodies


async def test_a_network_is_founded_by_somebody_at_an_organisation_who_leads_it(
    world: World,
) -> None:
    path = await found(
        world.coach,
        name="Holi'n dda: cymuned ddysgu Môn",
        name_cy="Cymuned Ŵyn y Tŷ",
        remit="Gwell cwestiynau.\n\nBetter questions.",
    )
    network = (await world.coach.get(path)).json()
    assert network["name_cy"] == "Cymuned Ŵyn y Tŷ"
    assert (network["kind"], network["parent_id"], network["closed_on"]) == (
        "professional_learning_community", None, None,
    )  # fmt: skip
    (lead,) = (await world.coach.get(f"{path}/members")).json()["items"]
    assert (lead["person_id"], lead["role"], lead["name"], lead["ends_on"]) == (
        str(world.coach.id), "lead", world.coach.name, None,
    )  # fmt: skip
    assert lead["starts_on"] == today().isoformat()
    async with world.database.work() as unit:
        nowhere = await add_person(unit, "Nowhere")
    alone = Actor(world.http, nowhere, token(world.app, nowhere))
    body = {"kind": "triad", "name": "Three"}
    assert (await alone.post("/v1/networks", json=body)).status_code == 403
    assert (await world.client.post("/v1/networks", json=body)).status_code == 403


async def test_a_hidden_network_is_none(world: World) -> None:
    path = await found(world.coach)
    member = await place(world.coach, path)
    nobody = f"/v1/networks/{uuid7()}"
    for who in ("learner", "head", "administrator", "stranger", "client"):
        actor = world.actors[who]
        same_problem(await actor.get(path), await actor.get(nobody))
        same_problem(await actor.get(f"{path}/members"), await actor.get(f"{nobody}/members"))
        same_problem(await actor.get(member), await actor.get(f"{nobody}/members/{uuid7()}"))
        assert (await actor.get(path)).status_code == 404
        assert (await actor.get("/v1/networks")).json()["items"] == []
    for who in ("learner", "head", "stranger"):
        actor = world.actors[who]
        wish = {"person_id": str(actor.id)}
        for written in (
            await actor.post(f"{path}/members", json=wish),
            await actor.patch(path, json={"name": "Mine"}),
            await actor.patch(member, json={"role": "member"}),
            await actor.post(f"{member}/ending"),
            await actor.post(f"{member}/confirmation"),
        ):
            assert written.status_code == 404


async def test_a_member_is_looked_up_in_its_own_network(world: World) -> None:
    one, other = await found(world.coach), await found(world.coach)
    member = (await place(world.coach, one)).rpartition("/")[2]
    elsewhere = f"{other}/members/{member}"
    assert (await world.coach.get(elsewhere)).status_code == 404
    assert (await world.coach.patch(elsewhere, json={"role": "member"})).status_code == 404
    assert (await world.coach.post(f"{elsewhere}/ending")).status_code == 404


async def test_members_see_the_network_and_all_of_today_and_no_more(world: World) -> None:
    path = await found(world.coach)
    await add(world.coach, path, world.learner, "peripheral")
    await add(world.coach, path, world.fellow, "specialist")
    await add(world.coach, path, world.tutor, starts_on=TOMORROW)
    past = await add(world.coach, path, world.head, starts_on=YESTERDAY)
    assert (await world.coach.post(f"{past}/ending")).status_code == 200
    present = {world.coach.name, world.learner.name, world.fellow.name}
    everyone = present | {world.tutor.name, world.head.name}
    for who in ("learner", "fellow"):
        assert await names(world.actors[who], path) == present
    assert await names(world.coach, path) == everyone
    assert await names(world.coach, path, current="true") == present
    assert await names(world.coach, path, current="false") == everyone - present
    assert await names(world.coach, path, role="specialist") == {world.fellow.name}
    # Who is yet to come or has left sees their own row, and the network not at all.
    assert await statuses(world, path, "tutor", "head") == [404, 404]
    own = (await world.head.get(past)).json()
    assert (own["name"], own["ends_on"]) == (world.head.name, today().isoformat())
    assert (await world.learner.get(past)).status_code == 404


async def test_leaving_works_on_the_next_request(world: World) -> None:
    path = await found(world.coach)
    member = await add(world.coach, path, world.learner)
    assert await statuses(world, path, "learner") == [200]
    ended = await world.learner.post(f"{member}/ending")
    assert (ended.status_code, ended.json()["ends_on"]) == (200, today().isoformat())
    assert await statuses(world, path, "learner") == [404]
    assert (await world.learner.get("/v1/networks")).json()["items"] == []
    assert await names(world.coach, path, current="true") == {world.coach.name}
    assert (await world.learner.post(f"{member}/ending")).status_code == 409
    # What is over is not brought back: it begins anew.
    again = await world.coach.patch(member, json={"ends_on": None})
    assert again.status_code == 409
    await add(world.coach, path, world.learner)
    assert await statuses(world, path, "learner") == [200]


async def test_asking_does_nothing_until_somebody_else_confirms_it(world: World) -> None:
    path = await found(world.coach)
    await add(world.coach, path, organisation_id=str(world.school))
    asking = await add(world.learner, path, world.learner, "peripheral")
    assert (await world.learner.get(asking)).json()["confirmed_at"] is None
    # It opens nothing: not the people, and nobody's name outside the school.
    await add(world.coach, path, world.tutor)
    assert await names(world.learner, path) == {"Ysgol Tŷ Gwyn", world.learner.name}
    assert world.learner.name not in await names(world.tutor, path)
    for who in ("learner", "tutor", "head", "administrator"):
        refused = await world.actors[who].post(f"{asking}/confirmation")
        assert refused.status_code in (403, 404), who
    assert await names(world.coach, path, confirmed="false") == {world.learner.name}
    confirmed = await world.coach.post(f"{asking}/confirmation")
    assert confirmed.status_code == 200
    assert confirmed.json()["confirmed_at"] is not None
    assert world.coach.name in await names(world.learner, path)
    assert (await world.coach.post(f"{asking}/confirmation")).status_code == 409


async def test_an_asking_can_be_taken_back_or_declined(world: World) -> None:
    path = await found(world.coach)
    await add(world.coach, path, organisation_id=str(world.school))
    for answers in ("learner", "coach"):
        asking = await add(world.learner, path, world.learner)
        assert (await world.actors[answers].post(f"{asking}/ending")).status_code == 200
        assert (await world.coach.post(f"{asking}/confirmation")).status_code == 409
        assert (await world.coach.patch(asking, json={"ends_on": None})).status_code == 409


async def test_nobody_gives_themself_a_place_a_role_or_longer_dates(world: World) -> None:
    path = await found(world.coach)
    await add(world.coach, path, organisation_id=str(world.school))
    for who in ("learner", "operator", "coach"):
        for role in ("lead", "facilitator", "specialist"):
            body = {"person_id": str(world.actors[who].id), "role": role}
            refused = await world.actors[who].post(f"{path}/members", json=body)
            assert refused.status_code == 403, who
    # A facilitator for a day who asks for more is confirmed by another.
    limited = await add(world.coach, path, world.fellow, "facilitator", ends_on=TOMORROW)
    for change in ({"ends_on": None}, {"role": "member"}, {"role": "lead"}):
        refused = await world.fellow.patch(limited, json=change)
        assert refused.status_code == 403
    more = await add(world.fellow, path, world.fellow, starts_on=TOMORROW)
    assert (await world.fellow.get(more)).json()["confirmed_at"] is None
    assert (await world.fellow.post(f"{more}/confirmation")).status_code == 403
    assert (await world.fellow.patch(more, json={"role": "peripheral"})).status_code == 403
    own = await place(world.coach, path)
    assert (await world.coach.patch(own, json={"role": "member"})).status_code == 403
    assert (await world.coach.patch(own, json={"ends_on": TOMORROW})).status_code == 403


async def test_only_leads_and_facilitators_manage(world: World) -> None:
    path = await found(world.coach)
    await add(world.coach, path, world.fellow, "facilitator")
    member = await add(world.coach, path, world.learner)
    await add(world.coach, path, world.tutor, "specialist")
    await add(world.coach, path, organisation_id=str(world.school))
    for who in ("learner", "tutor", "head", "administrator", "operator"):
        actor = world.actors[who]
        body = {
            "person_id": str(world.administrator.id if who != "administrator" else world.head.id)
        }
        assert (await actor.post(f"{path}/members", json=body)).status_code == 403, who
        assert (await actor.patch(path, json={"name": "Other"})).status_code == 403, who
    assert (await world.tutor.patch(member, json={"role": "specialist"})).status_code == 403
    assert (await world.tutor.post(f"{member}/ending")).status_code == 403
    renamed = await world.fellow.patch(path, json={"name": "Gofyn", "name_cy": "Gofyn yn dda"})
    assert (renamed.status_code, renamed.json()["name_cy"]) == (200, "Gofyn yn dda")
    changed = await world.fellow.patch(member, json={"role": "facilitator"})
    assert (changed.status_code, changed.json()["role"]) == (200, "facilitator")
    assert (await world.fellow.post(f"{member}/ending")).status_code == 200


async def test_a_facilitator_neither_makes_nor_changes_leads(world: World) -> None:
    path = await found(world.coach)
    await add(world.coach, path, world.fellow, "facilitator")
    member = await add(world.coach, path, world.learner)
    lead = await place(world.coach, path)
    body = {"person_id": str(world.tutor.id), "role": "lead"}
    for refused in (
        await world.fellow.post(f"{path}/members", json=body),
        await world.fellow.patch(member, json={"role": "lead"}),
        await world.fellow.patch(lead, json={"role": "member"}),
        await world.fellow.patch(lead, json={"ends_on": TOMORROW}),
        await world.fellow.post(f"{lead}/ending"),
    ):
        assert refused.status_code == 403
        assert "by a lead" in refused.json()["detail"]
    assert (await world.coach.patch(member, json={"role": "lead"})).status_code == 200


async def test_the_last_lead_stays(world: World) -> None:
    path = await found(world.coach)
    own = await place(world.coach, path)
    assert (await world.coach.post(f"{own}/ending")).status_code == 409
    coming = await add(world.coach, path, world.fellow, "lead", starts_on=TOMORROW)
    await add(world.coach, path, organisation_id=str(world.school), role="lead")
    assert (await world.coach.post(f"{own}/ending")).status_code == 409
    assert (await world.coach.post(f"{coming}/ending")).status_code == 200
    await add(world.coach, path, world.learner, "lead")
    assert (await world.coach.post(f"{own}/ending")).status_code == 200
    assert await statuses(world, f"{path}/members", "coach") == [200]
    assert await names(world.coach, path) == {"Ysgol Tŷ Gwyn", world.coach.name}
    # A network that is closed needs no lead.
    last = await place(world.learner, path)
    closed = await world.learner.patch(path, json={"closed_on": today().isoformat()})
    assert closed.status_code == 200
    assert (await world.learner.post(f"{last}/ending")).status_code == 200


async def test_two_leads_who_leave_at_once_do_not_both_leave(world: World) -> None:
    for _ in range(12):
        path = await found(world.coach)
        first = await place(world.coach, path)
        second = await add(world.coach, path, world.learner, "lead")
        answers = await asyncio.gather(
            world.coach.post(f"{first}/ending"), world.learner.post(f"{second}/ending")
        )
        assert sorted(a.status_code for a in answers) == [200, 409]


async def test_the_operator_appoints_a_lead_where_there_is_none(world: World) -> None:
    path = await found(world.coach)
    body = {"person_id": str(world.fellow.id), "role": "lead"}
    refused = await world.operator.post(f"{path}/members", json=body)
    assert refused.status_code == 403
    assert path.rpartition("/")[2] not in await led_ids(world, led="false")
    await add(world.coach, path, world.fellow)
    async with world.database.work() as unit:
        await unit.begin()
        assert unit._connection is not None
        member = (await place(world.coach, path)).rpartition("/")[2]
        await unit._connection.exec_driver_sql(
            f"UPDATE network_members SET starts_on = '{YESTERDAY}', ends_on = '{YESTERDAY}'"
            f" WHERE id = '{member}'"
        )
    assert path.rpartition("/")[2] in await led_ids(world, led="false")
    for wrong, status in (
        ({**body, "role": "facilitator"}, 403),
        ({"person_id": str(world.operator.id), "role": "lead"}, 403),
        ({"organisation_id": str(world.school), "role": "lead"}, 403),
    ):
        assert (await world.operator.post(f"{path}/members", json=wrong)).status_code == status
    assert (await world.operator.patch(path, json={"name": "Ours"})).status_code == 403
    # The fellow is a member: from today on they lead.
    await add(world.operator, path, world.fellow, "lead")
    assert (await world.fellow.patch(path, json={"name": "Led"})).status_code == 200
    rows = (await world.fellow.get(f"{path}/members", params={"current": "true"})).json()["items"]
    assert [(m["name"], m["role"]) for m in rows] == [(world.fellow.name, "lead")]
    assert (await world.operator.post(f"{path}/members", json=body)).status_code == 403


async def led_ids(world: World, **query: str) -> set[str]:
    page = await world.operator.get("/v1/networks", params={"limit": "200", **query})
    return {n["id"] for n in page.json()["items"]}


async def test_the_operator_sees_networks_and_their_organisations_but_no_people(
    world: World,
) -> None:
    path = await found(world.coach)
    await add(world.coach, path, world.learner)
    await add(world.coach, path, organisation_id=str(world.school))
    assert await statuses(world, path, "operator") == [200]
    assert await names(world.operator, path) == {"Ysgol Tŷ Gwyn"}
    member = await place(world.learner, path)
    assert await statuses(world, member, "operator") == [404]


async def test_a_member_organisation_shows_its_people_the_network_and_makes_none_a_member(
    world: World,
) -> None:
    path = await found(world.coach)
    added = await add(world.coach, path, organisation_id=str(world.school))
    for who in ("head", "learner", "administrator", "client"):
        actor = world.actors[who]
        assert (await actor.get(path)).status_code == 200, who
        assert await names(actor, path) == {"Ysgol Tŷ Gwyn"}, who
        assert [n["id"] for n in (await actor.get("/v1/networks")).json()["items"]] == [
            path.rpartition("/")[2]
        ]
    assert await statuses(world, path, "stranger") == [404]
    assert (await world.head.get(await place(world.coach, path))).status_code == 404
    # People of the school are in no network with the founder's other members.
    outsider = await newcomer(world)
    asking = await add_outsider(world, path, outsider)
    assert (await world.coach.post(f"{asking}/confirmation")).status_code == 200
    assert (await world.coach.get(f"/v1/people/{outsider.id}")).status_code == 200
    for who in ("head", "learner"):
        assert (await world.actors[who].get(f"/v1/people/{outsider.id}")).status_code == 404
    # Leaving the school closes it on the next request.
    gone = f"/v1/affiliations/{world.affiliations['head']}"
    await world.administrator.patch(gone, json={"ends_on": today().isoformat()})
    assert await statuses(world, path, "head") == [404]
    # Its administrator takes the organisation out; a head does not.
    assert (await world.learner.post(f"{added}/ending")).status_code == 403
    assert (await world.administrator.post(f"{added}/ending")).status_code == 200
    assert await statuses(world, path, "learner", "administrator", "client") == [404, 404, 404]
    assert await statuses(world, added, "administrator") == [200]


async def add_outsider(world: World, network: str, outsider: Actor) -> str:
    """The path of an outsider's asking: their organisation is a member too."""
    await add(world.coach, network, organisation_id=str(world.authority))
    return await add(outsider, network, outsider)


async def test_an_organisation_is_a_member_lead_or_specialist(world: World) -> None:
    path = await found(world.coach, kind="lead_and_emerging_school_partnership")
    school = {"organisation_id": str(world.school)}
    for role in ("facilitator", "peripheral"):
        refused = await world.coach.post(f"{path}/members", json={**school, "role": role})
        assert refused.json()["errors"][0]["pointer"] == "/role"
    lead = await add(world.coach, path, role="lead", **school)
    refused = await world.coach.patch(lead, json={"role": "facilitator"})
    assert refused.json()["errors"][0]["pointer"] == "/role"
    # It gives the school's people nothing.
    assert (await world.head.patch(path, json={"name": "Ours"})).status_code == 403
    twice = await world.coach.post(f"{path}/members", json=school)
    assert twice.status_code == 409


async def test_parties_see_a_network_that_their_agreement_names_while_it_is_active(
    world: World,
) -> None:
    agreement = await world.agreement()
    path = await found(world.stranger)
    async with world.database.work() as unit:
        await unit.insert(
            AgreementNetwork(agreement_id=UUID(agreement), network_id=UUID(path.rpartition("/")[2]))
        )
    assert await statuses(world, path, "learner", "coach", "tutor") == [200, 200, 200]
    assert await statuses(world, path, "head", "administrator", "client") == [404, 404, 404]
    assert await names(world.learner, path) == set()
    async with world.database.work() as unit:
        await unit.begin()
        assert unit._connection is not None
        await unit._connection.exec_driver_sql(
            f"UPDATE learning_agreements SET state = '{AgreementState.ENDED}'"
            f" WHERE id = '{agreement}'"
        )
    assert await statuses(world, path, "learner", "coach", "tutor") == [404, 404, 404]


async def test_a_client_of_the_network_reads_it_and_writes_nothing(world: World) -> None:
    path, other = await found(world.coach), await found(world.coach)
    client_id = uuid7()
    async with world.database.work() as unit:
        await unit.insert(
            Client(
                id=client_id,
                name="Network system",
                network_id=UUID(path.rpartition("/")[2]),
                kind="confidential",
                scopes=[],
                version=1,
                created_at=now(),
                updated_at=now(),
            )
        )
    client = Actor(world.http, client_id, token(world.app, client_id, client_id))
    await add(world.coach, path, organisation_id=str(world.school))
    assert (await client.get(path)).status_code == 200
    assert await names(client, path) == {"Ysgol Tŷ Gwyn"}
    assert (await client.get(other)).status_code == 404
    listed = (await client.get("/v1/networks")).json()["items"]
    assert [n["id"] for n in listed] == [path.rpartition("/")[2]]
    member = await place(world.coach, path)
    for refused in (
        await client.patch(path, json={"name": "Ours"}),
        await client.post(f"{path}/members", json={"person_id": str(world.learner.id)}),
        await client.patch(member, json={"role": "member"}),
        await client.post(f"{member}/ending"),
        await client.post(f"{member}/confirmation"),
    ):
        assert refused.status_code == 403


async def test_fellow_members_see_name_and_organisation_and_no_address(world: World) -> None:
    path = await found(world.coach)
    outsider = await newcomer(world, "Elin Ŵyn")
    them = f"/v1/people/{outsider.id}"
    asking = await add_outsider(world, path, outsider)
    assert (await world.coach.get(them)).status_code == 404
    assert (await world.coach.post(f"{asking}/confirmation")).status_code == 200
    seen = (await world.coach.get(them)).json()
    assert (seen["name"], seen["email"], seen["identifiers"]) == ("Elin Ŵyn", None, [])
    assert [o["name"] for o in seen["organisations"]] == ["Cyngor Môn"]
    people = (await world.coach.get("/v1/people", params={"q": "elin wyn"})).json()["items"]
    assert [p["id"] for p in people] == [str(outsider.id)]
    assert (await outsider.get(f"/v1/people/{world.coach.id}")).json()["email"] is None
    assert (await world.coach.patch(them, json={"name": "No"})).status_code == 403
    # The others at the coach's school do not; nor does the coach once they have left.
    assert (await world.learner.get(them)).status_code == 404
    assert (await world.coach.post(f"{asking}/ending")).status_code == 200
    assert (await world.coach.get(them)).status_code == 404


async def test_one_place_at_a_time(world: World) -> None:
    path = await found(world.coach)
    member = await add(world.coach, path, world.learner, ends_on=TOMORROW)
    body = {"person_id": str(world.learner.id), "role": "specialist"}
    assert (await world.coach.post(f"{path}/members", json=body)).status_code == 409
    later = await add(world.coach, path, world.learner, "specialist", starts_on=TOMORROW)
    assert (await world.coach.patch(member, json={"ends_on": None})).status_code == 409
    assert (await world.coach.post(f"{later}/ending")).status_code == 200
    assert (await world.coach.patch(member, json={"ends_on": None})).status_code == 200
    many = await asyncio.gather(
        *(
            world.coach.post(f"{path}/members", json={"person_id": str(world.fellow.id)})
            for _ in range(6)
        )
    )
    assert sorted(a.status_code for a in many) == [201, 409, 409, 409, 409, 409]


async def test_parents_are_networks_that_one_manages_and_make_no_circle(world: World) -> None:
    top = await found(world.coach, name="Top", kind="cluster")
    middle = await found(world.coach, name="Middle", parent_id=top.rpartition("/")[2])
    low = await found(world.coach, name="Low", parent_id=middle.rpartition("/")[2])
    for below in (top, middle, low):
        circle = await world.coach.patch(top, json={"parent_id": below.rpartition("/")[2]})
        assert circle.json()["errors"][0]["pointer"] == "/parent_id", below
    await add(world.coach, top, world.learner)
    await add(world.coach, middle, world.fellow, "facilitator")
    body = {"kind": "triad", "name": "Three"}
    # One that is seen and not managed, one that is hidden, and none at all: the same answer.
    refused = [
        await world.learner.post("/v1/networks", json={**body, "parent_id": parent})
        for parent in (top.rpartition("/")[2], low.rpartition("/")[2], str(uuid7()))
    ]
    assert [a.status_code for a in refused] == [422, 422, 422]
    assert refused[0].json()["errors"][0]["pointer"] == "/parent_id"
    same_problem(*refused)
    below = await world.fellow.post(
        "/v1/networks", json={**body, "parent_id": middle.rpartition("/")[2]}
    )
    assert below.status_code == 201
    # A parent is shown, and filtered by, for who sees it; and shows nobody what is below.
    assert (await world.fellow.get(middle)).json()["parent_id"] is None
    assert (await world.coach.get(middle)).json()["parent_id"] == top.rpartition("/")[2]
    assert await statuses(world, middle, "learner") == [404]
    query = {"parent_id": top.rpartition("/")[2]}
    assert (await world.fellow.get("/v1/networks", params=query)).json()["items"] == []
    listed = (await world.coach.get("/v1/networks", params=query)).json()["items"]
    assert [n["name"] for n in listed] == ["Middle"]


async def test_networks_are_found_by_kind_and_either_name(world: World) -> None:
    mark = uuid4().hex[:8]
    path = await found(world.coach, name=f"Valley {mark}", name_cy=f"Dyffryn Wên {mark}")
    await found(world.coach, name=f"Other {mark}", kind="alliance")
    for q in (f"valley {mark}", f"dyffryn wen {mark}", f"DYFFRYN WÊN {mark}"):
        page = await world.coach.get("/v1/networks", params={"q": q})
        assert [n["id"] for n in page.json()["items"]] == [path.rpartition("/")[2]]
        assert (await world.learner.get("/v1/networks", params={"q": q})).json()["items"] == []
    page = await world.coach.get("/v1/networks", params={"kind": "alliance"})
    assert [n["name"] for n in page.json()["items"]] == [f"Other {mark}"]
    assert (await world.coach.get("/v1/networks", params={"q": "%"})).json()["items"] == []


async def test_lists_go_on_from_page_to_page(world: World) -> None:
    made = [await found(world.coach, name=f"N{i}") for i in range(5)]
    seen: list[str] = []
    query = {"limit": "2"}
    while True:
        page = (await world.coach.get("/v1/networks", params=query)).json()
        seen += [f"/v1/networks/{n['id']}" for n in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert seen == made[::-1]
    for who in ("learner", "fellow"):
        await add(world.coach, made[0], world.actors[who])
    first = (await world.fellow.get(f"{made[0]}/members", params={"limit": "2"})).json()
    rest = await world.fellow.get(
        f"{made[0]}/members", params={"limit": "2", "cursor": first["next"]}
    )
    assert [m["name"] for m in (*first["items"], *rest.json()["items"])] == [
        world.fellow.name, world.learner.name, world.coach.name,
    ]  # fmt: skip


async def test_a_closed_network_takes_nobody_in_and_its_members_see_each_other_no_more(
    world: World,
) -> None:
    path = await found(world.coach)
    outsider = await newcomer(world)
    first = await add_outsider(world, path, outsider)
    assert (await world.coach.post(f"{first}/confirmation")).status_code == 200
    await add(world.coach, path, organisation_id=str(world.school))
    asking = await add(world.learner, path, world.learner)
    closed = await world.coach.patch(path, json={"closed_on": TOMORROW})
    assert (closed.status_code, closed.json()["closed_on"]) == (200, TOMORROW)
    assert (await world.coach.get(f"/v1/people/{outsider.id}")).status_code == 200
    await world.coach.patch(path, json={"closed_on": today().isoformat()})
    assert (await world.coach.get(f"/v1/people/{outsider.id}")).status_code == 404
    assert await statuses(world, path, "coach") == [200]
    body = {"person_id": str(world.fellow.id)}
    assert (await world.coach.post(f"{path}/members", json=body)).status_code == 409
    assert (await world.coach.post(f"{asking}/confirmation")).status_code == 409
    assert (await world.coach.patch(path, json={"closed_on": None})).status_code == 200
    assert (await world.coach.post(f"{asking}/confirmation")).status_code == 200
    assert (await world.coach.delete(path)).status_code == 405


async def test_of_two_editors_the_second_is_told(world: World) -> None:
    path = await found(world.coach)
    member = await add(world.coach, path, world.learner)
    for target, change, other in (
        (path, {"remit": "One."}, {"remit": "Two."}),
        (member, {"role": "specialist"}, {"role": "facilitator"}),
    ):
        etag = (await world.coach.get(target)).headers["ETag"]
        won = await world.coach.patch(target, etag=etag, json=change)
        assert won.status_code == 200
        lost = await world.coach.patch(target, etag=etag, json=other)
        assert (lost.status_code, lost.json()["current"]) == (412, won.json())
        unsent = await world.coach.call("PATCH", target, json=other)
        assert unsent.status_code == 428
        same = await world.coach.patch(target, json=change)
        assert same.json()["version"] == won.json()["version"]


async def test_bad_input_names_the_field(world: World) -> None:
    path = await found(world.coach)
    member = await add(world.coach, path, world.learner)
    network = {"kind": "triad", "name": "Three"}
    for body, pointer in (
        ({**network, "kind": "club"}, "/kind"),
        ({**network, "name": " "}, "/name"),
        ({**network, "name_cy": "y\x07"}, "/name_cy"),
        ({**network, "closed_on": "2026-01-01"}, "/closed_on"),
        ({**network, "parent_id": "none"}, "/parent_id"),
        ({**network, "id": str(uuid4())}, "/id"),
    ):
        refused = await world.coach.post("/v1/networks", json=body)
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["pointer"] == pointer
    who = {"person_id": str(world.fellow.id)}
    for body, pointer in (
        ({}, "/person_id"),
        ({**who, "organisation_id": str(world.school)}, "/organisation_id"),
        ({"person_id": str(uuid7())}, "/person_id"),
        ({"person_id": str(world.stranger.id)}, "/person_id"),
        ({"organisation_id": str(uuid7())}, "/organisation_id"),
        ({**who, "role": "chair"}, "/role"),
        ({**who, "ends_on": YESTERDAY}, "/ends_on"),
        ({**who, "starts_on": 20260901}, "/starts_on"),
        ({**who, "confirmed_at": None}, "/confirmed_at"),
    ):
        refused = await world.coach.post(f"{path}/members", json=body)
        assert refused.status_code == 422, body
        assert refused.json()["errors"][0]["pointer"] == pointer
    for change, pointer in (
        ({"ends_on": YESTERDAY}, "/ends_on"),
        ({"role": None}, "/role"),
        ({"starts_on": TOMORROW}, "/starts_on"),
    ):
        refused = await world.coach.patch(member, json=change)
        assert refused.json()["errors"][0]["pointer"] == pointer
    for query in ({"role": "chair"}, {"current": "perhaps"}, {"who": "me"}):
        assert (await world.coach.get(f"{path}/members", params=query)).status_code == 422


async def test_an_id_made_by_the_client_is_one_network_and_one_member(world: World) -> None:
    body = {"id": str(uuid7()), "kind": "triad", "name": "Three"}
    codes = [(await world.coach.post("/v1/networks", json=body)).status_code for _ in range(2)]
    assert codes == [201, 200]
    assert (await world.learner.post("/v1/networks", json=body)).status_code == 409
    path, other = f"/v1/networks/{body['id']}", await found(world.coach)
    member = {"id": str(uuid7()), "person_id": str(world.learner.id)}
    codes = [(await world.coach.post(f"{path}/members", json=member)).status_code for _ in range(2)]
    assert codes == [201, 200]
    assert (await world.coach.post(f"{other}/members", json=member)).status_code == 409
    key = {"Idempotency-Key": str(uuid4())}
    twice = [
        await world.coach.post(
            f"{path}/members", headers=key, json={"person_id": str(world.fellow.id)}
        )
        for _ in range(2)
    ]
    assert [a.status_code for a in twice] == [201, 201]
    assert twice[0].content == twice[1].content
    assert twice[1].headers["Idempotency-Replayed"] == "true"


async def test_a_facilitator_does_not_confirm_a_lead(world: World) -> None:
    path = await found(world.coach)
    await add(world.coach, path, organisation_id=str(world.school))
    await add(world.coach, path, world.fellow, "facilitator")
    asking = await add(world.learner, path, world.learner)
    assert (await world.coach.patch(asking, json={"role": "lead"})).status_code == 200
    # Who has not been confirmed leads nothing, and may take it back.
    assert (await world.learner.patch(path, json={"name": "Mine"})).status_code == 403
    assert (await world.fellow.post(f"{asking}/confirmation")).status_code == 403
    assert (await world.learner.post(f"{asking}/ending")).status_code == 200
