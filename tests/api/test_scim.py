"""What an organisation's directory does by SCIM, and what becomes of the people."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.actions import accounts
from app.core import journal
from app.core.clock import now, today
from app.core.db import Unit
from app.models.organisations import OrganisationKind
from app.models.people import AffiliationRole, Client, PersonIdentifier, SignInIdentity
from tests.scim import (
    ENTERPRISE,
    USER,
    School,
    directory_of,
    identity_of,
    person_of,
    signed_in,
    ties,
)
from tests.worlds import World, add_organisation, add_person, affiliate

pytestmark = pytest.mark.anyio

ROLE = {"value": "teacher"}
LEAVES = {"op": "Replace", "path": "active", "value": "False"}
RETURNS = {"op": "Replace", "path": "active", "value": "True"}


@pytest.fixture
async def school(world: World) -> School:
    return await directory_of(world, world.school)


@pytest.fixture
async def other(world: World) -> School:
    async with world.database.work() as unit:
        place = await add_organisation(unit, OrganisationKind.SCHOOL, "Ysgol Arall")
    return await directory_of(world, place)


async def name_of(world: World, person_id: UUID) -> str:
    found = await world.operator.get(f"/v1/people/{person_id}")
    assert found.status_code == 200, found.text
    name: str = found.json()["name"]
    return name


async def own_way_in(unit: Unit, person_id: UUID, email: str = "", **named: Any) -> None:
    """A way in beside the directory's."""
    await accounts.create_identity(
        unit,
        actor=journal.COMMAND_LINE,
        person_id=person_id,
        email=email or f"{uuid4().hex}@home.example",
        password="correct horse battery staple",
        **named,
    )


# Coming


async def test_a_user_is_a_person_with_a_way_in_and_an_affiliation(
    world: World, school: School
) -> None:
    name = {"formatted": "Siân Ŵyn", "givenName": "Siân", "familyName": "Ŵyn"}
    emails = [{"value": "sian@school.example", "type": "work", "primary": True}]
    made = await school.brings("Sian@School.example", name=name, emails=emails, roles=[ROLE])
    assert made["userName"] == "Sian@School.example"
    assert made["name"] == name
    assert made["active"] is True
    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    person = await person_of(world, made["id"])
    shown = (await world.administrator.get(f"/v1/people/{person}")).json()
    assert (shown["name"], shown["email"]) == ("Siân Ŵyn", "sian@school.example")
    assert await ties(world, person, world.school) == {"teacher": True}


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"name": {"formatted": "Dr. Ŵ"}, "displayName": "D"}, "Dr. Ŵ"),
        ({"name": {"givenName": "Non", "familyName": "Ap Huw"}, "displayName": "D"}, "Non Ap Huw"),
        ({"displayName": "Mrs D"}, "Mrs D"),
        ({}, None),
    ],
)
async def test_the_person_is_called_what_the_directory_calls_them(
    world: World, school: School, said: dict[str, Any], name: str | None
) -> None:
    made = await school.brings(**said)
    person = await person_of(world, made["id"])
    assert await name_of(world, person) == (name or made["userName"])


async def test_somebody_without_a_role_is_there_as_other(world: World, school: School) -> None:
    made = await school.brings()
    person = await person_of(world, made["id"])
    assert await ties(world, person, world.school) == {"other": True}
    await school.patch(made["id"], {"op": "add", "path": "roles", "value": [ROLE]})
    assert await ties(world, person, world.school) == {"other": False, "teacher": True}
    await school.patch(made["id"], {"op": "remove", "path": "roles"})
    assert await ties(world, person, world.school) == {"other": True, "teacher": False}


async def test_an_affiliation_that_was_typed_stays_when_the_roles_change(
    world: World, school: School
) -> None:
    made = await school.brings(roles=[ROLE])
    person = await person_of(world, made["id"])
    async with world.database.work() as unit:
        await affiliate(unit, person, world.school, AffiliationRole.TUTOR)
    roles = [{"value": "Head Teacher"}]
    await school.patch(made["id"], {"op": "replace", "path": "roles", "value": roles})
    assert (await school.get(made["id"]))["roles"] == roles
    assert await ties(world, person, world.school) == {
        "tutor": True,
        "head_teacher": True,
        "teacher": False,
    }


async def test_a_user_of_whom_nothing_is_said_comes_open(school: School) -> None:
    answer = await school.call("POST", "/Users", {"schemas": [USER], "userName": uuid4().hex})
    assert answer.json()["active"] is True


async def test_a_user_may_come_closed_and_is_opened_later(world: World, school: School) -> None:
    made = await school.brings(active=False, roles=[ROLE])
    assert made["active"] is False
    person = await person_of(world, made["id"])
    assert await ties(world, person, world.school) == {}
    await school.patch(made["id"], RETURNS)
    assert (await school.get(made["id"]))["active"] is True
    assert await ties(world, person, world.school) == {"teacher": True}


# Who it is


async def known(world: World, source: str, number: str) -> UUID:
    """Somebody whom the school's own system brought before, by the number that it has for them."""
    body = {
        "name": "Known Already",
        "identifiers": [{"source": source, "external_id": number}],
        "affiliation": {
            "organisation_id": str(world.school),
            "role": "teacher",
            "starts_on": today().isoformat(),
        },
    }
    made = await world.client.post("/v1/people", json=body)
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


@pytest.mark.parametrize("source", ["scim", "employee-number"])
async def test_whom_the_school_knows_by_that_number_gets_the_way_in(
    world: World, school: School, source: str
) -> None:
    number = uuid4().hex
    person = await known(world, source, number)
    said: dict[str, Any] = {"externalId": number}
    if source == "employee-number":
        said = {"schemas": [USER, ENTERPRISE], ENTERPRISE: {"employeeNumber": number}}
    made = await school.brings(roles=[ROLE], **said)
    assert await person_of(world, made["id"]) == person
    assert await ties(world, person, world.school) == {"teacher": True}


async def test_a_number_of_another_school_leads_to_nobody(world: World, other: School) -> None:
    number = uuid4().hex
    person = await known(world, "scim", number)
    made = await other.brings(externalId=number)
    assert await person_of(world, made["id"]) != person


async def test_whoever_is_elsewhere_by_now_is_not_reached_by_a_number(
    world: World, school: School, other: School
) -> None:
    for elsewhere in ("a way in of their own", "another school's way in", "a place"):
        number = uuid4().hex
        person = await known(world, "scim", number)
        async with world.database.work() as unit:
            if elsewhere == "a place":
                await affiliate(unit, person, other.organisation, AffiliationRole.TEACHER)
            else:
                theirs = None if "own" in elsewhere else other.organisation
                await own_way_in(unit, person, organisation_id=theirs)
        made = await school.brings(externalId=number)
        assert await person_of(world, made["id"]) != person, elsewhere


async def test_an_address_ties_nobody_and_tells_nothing(world: World, school: School) -> None:
    address = f"{uuid4().hex}@home.example"
    async with world.database.work() as unit:
        person = await add_person(unit, "Somebody Else")
        await own_way_in(unit, person, email=address)
    made = await school.brings(address, emails=[{"value": address, "primary": True}])
    assert await person_of(world, made["id"]) != person
    assert made["userName"] == address


async def test_a_name_is_taken_within_the_school_and_whatever_its_case(
    world: World, school: School, other: School
) -> None:
    name = f"Ŵyn.{uuid4().hex}@school.example"
    await school.brings(name)
    again = await school.call("POST", "/Users", {"schemas": [USER], "userName": name.upper()})
    assert again.status_code == 409
    assert again.json()["scimType"] == "uniqueness"
    second = await school.brings()
    moved = await school.patch(second["id"], {"op": "replace", "path": "userName", "value": name})
    assert (moved.status_code, moved.json()["scimType"]) == (409, "uniqueness")
    await other.brings(name)


async def test_the_person_is_renamed_only_while_nobody_else_has_brought_them(
    world: World, school: School, other: School
) -> None:
    made = await school.brings(name={"formatted": "Before"})
    person = await person_of(world, made["id"])
    rename = {"op": "replace", "path": "name.formatted", "value": "After"}
    move = {"op": "add", "path": 'emails[type eq "work"].value', "value": "new@school.example"}
    await school.patch(made["id"], rename, move)
    assert await name_of(world, person) == "After"
    async with world.database.work() as unit:
        await affiliate(unit, person, other.organisation, AffiliationRole.TEACHER)
    await school.patch(
        made["id"], {**rename, "value": "Not theirs"}, {**move, "value": "x@y.example"}
    )
    assert (await school.get(made["id"]))["name"]["formatted"] == "Not theirs"
    assert await name_of(world, person) == "After"
    shown = (await world.administrator.get(f"/v1/people/{person}")).json()
    assert (shown["name"], shown["email"]) == ("After", "new@school.example")


# Going


async def test_leaving_ends_the_way_in_its_sessions_and_the_affiliations_there(
    world: World, school: School, other: School
) -> None:
    here = await school.brings(roles=[ROLE, {"value": "head_teacher"}])
    there = await other.brings(roles=[ROLE])
    person = await person_of(world, here["id"])
    async with world.database.work() as unit:
        await unit.begin()
        # One person with ways in from two schools.
        await unit.session.execute(
            update(SignInIdentity)
            .where(SignInIdentity.id == UUID(there["id"]))
            .values(person_id=person)
        )
        await affiliate(unit, person, other.organisation, AffiliationRole.TEACHER)
    by_this, by_that = await signed_in(world, here["id"]), await signed_in(world, there["id"])
    assert (await by_this.get("/v1/me")).status_code == 200
    assert (await school.patch(here["id"], LEAVES)).status_code in (200, 204)
    assert (await by_this.get("/v1/me")).status_code == 401
    assert (await by_that.get("/v1/me")).status_code == 200
    assert (await identity_of(world, there["id"])).closed_at is None
    assert await ties(world, person, world.school) == {"teacher": False, "head_teacher": False}
    assert await ties(world, person, other.organisation) == {"teacher": True}
    assert (await school.get(here["id"]))["active"] is False
    assert (await other.get(there["id"]))["active"] is True


async def test_what_is_said_twice_is_done_once(world: World, school: School) -> None:
    made = await school.brings(roles=[ROLE])
    await school.patch(made["id"], LEAVES)
    first = await school.get(made["id"])
    closed = (await identity_of(world, made["id"])).closed_at
    again = await school.patch(made["id"], LEAVES)
    assert again.status_code in (200, 204)
    assert (await school.get(made["id"]))["meta"] == first["meta"]
    assert (await identity_of(world, made["id"])).closed_at == closed


async def test_who_comes_back_is_the_same_person_with_the_same_roles(
    world: World, school: School
) -> None:
    made = await school.brings(roles=[ROLE])
    person = await person_of(world, made["id"])
    await school.patch(made["id"], LEAVES)
    await school.patch(made["id"], RETURNS)
    assert await person_of(world, made["id"]) == person
    assert (await identity_of(world, made["id"])).closed_at is None
    assert await ties(world, person, world.school) == {"teacher": True}


async def test_a_slip_of_the_directory_is_undone_for_somebody_who_is_elsewhere_as_well(
    world: World, school: School, other: School
) -> None:
    made = await school.brings(roles=[ROLE])
    person = await person_of(world, made["id"])
    async with world.database.work() as unit:
        await affiliate(unit, person, other.organisation, AffiliationRole.SUPPLY_TEACHER)
        await own_way_in(unit, person)
    await school.patch(made["id"], LEAVES)
    await school.patch(made["id"], RETURNS)
    assert await person_of(world, made["id"]) == person


async def left_long_ago(world: World, user_id: str) -> None:
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(SignInIdentity)
            .where(SignInIdentity.id == UUID(user_id))
            .values(closed_at=now() - timedelta(days=40))
        )


async def test_a_former_school_does_not_let_itself_into_a_record_that_has_moved_on(
    world: World, school: School, other: School
) -> None:
    for moved in ("on that day", "since", "long ago"):
        made = await school.brings(roles=[ROLE], externalId=uuid4().hex)
        person = await person_of(world, made["id"])
        start = today() if moved == "on that day" else today() - timedelta(days=90)
        async with world.database.work() as unit:
            if moved != "since":
                place = other.organisation
                await affiliate(unit, person, place, AffiliationRole.TEACHER, starts_on=start)
        await school.patch(made["id"], LEAVES)
        if moved == "since":
            async with world.database.work() as unit:
                await own_way_in(unit, person)
        if moved == "long ago":
            await left_long_ago(world, made["id"])
        answer = await school.patch(made["id"], RETURNS)
        assert answer.status_code in (200, 204)
        found = await person_of(world, made["id"])
        assert found != person
        assert await ties(world, person, world.school) == {"teacher": False}
        assert await ties(world, found, world.school) == {"teacher": True}


async def test_who_is_nowhere_else_comes_back_after_years(world: World, school: School) -> None:
    made = await school.brings()
    person = await person_of(world, made["id"])
    await school.patch(made["id"], LEAVES)
    await left_long_ago(world, made["id"])
    await school.patch(made["id"], RETURNS)
    assert await person_of(world, made["id"]) == person


async def test_a_deleted_user_is_gone_for_the_directory_and_the_person_stays(
    world: World, school: School
) -> None:
    number = uuid4().hex
    made = await school.brings(externalId=number, roles=[ROLE])
    person = await person_of(world, made["id"])
    insider = await signed_in(world, made["id"])
    gone = await school.call("DELETE", f"/Users/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert (await insider.get("/v1/me")).status_code == 401
    for method in ("GET", "DELETE"):
        assert (await school.call(method, f"/Users/{made['id']}")).status_code == 404
    assert await school.found(f'externalId eq "{number}"') == []
    assert await name_of(world, person)
    assert await ties(world, person, world.school) == {"teacher": False}
    assert (await identity_of(world, made["id"])).closed_at is not None
    again = await school.brings(made["userName"], externalId=number)
    assert again["id"] != made["id"]
    assert await person_of(world, again["id"]) == person


async def test_an_identifier_follows_the_directory(world: World, school: School) -> None:
    made = await school.brings(externalId="first")
    person = await person_of(world, made["id"])
    await school.patch(made["id"], {"op": "replace", "path": "externalId", "value": "second"})
    async with world.database.work() as unit:
        await unit.begin()
        key = (world.school, "scim", "second")
        found = await unit.session.get(PersonIdentifier, key)
        assert found is not None
        assert found.person_id == person
        assert await unit.session.get(PersonIdentifier, (world.school, "scim", "first")) is None


# At once


async def test_two_who_bring_one_name_at_once_make_one_user(school: School) -> None:
    body = {"schemas": [USER], "userName": f"{uuid4().hex}@school.example"}
    made = await asyncio.gather(*(school.call("POST", "/Users", body) for _ in range(6)))
    statuses = sorted(answer.status_code for answer in made)
    assert statuses == [201, 409, 409, 409, 409, 409]
    assert len(await school.found(f'userName eq "{body["userName"]}"')) == 1


async def test_leaving_and_coming_back_at_once_leaves_one_of_the_two(
    world: World, school: School
) -> None:
    made = await school.brings(roles=[ROLE])
    said = [school.patch(made["id"], LEAVES if n % 2 else RETURNS) for n in range(6)]
    answers = await asyncio.gather(*said)
    assert {answer.status_code for answer in answers} <= {200, 204, 409, 503}
    shown = await school.get(made["id"])
    closed = (await identity_of(world, made["id"])).closed_at
    assert shown["active"] is (closed is None)
    counted = await ties(world, await person_of(world, made["id"]), world.school)
    assert any(counted.values()) is shown["active"]


# Versions


async def test_a_change_of_an_old_version_is_refused(school: School) -> None:
    made = await school.brings()
    old = made["meta"]["version"]
    rename = {"op": "replace", "path": "displayName", "value": "N"}
    first = await school.patch(made["id"], rename, headers={"If-Match": old})
    assert first.status_code in (200, 204)
    assert (old, first.headers["ETag"]) == ('W/"1"', 'W/"2"')
    closed = await school.patch(made["id"], LEAVES)
    assert closed.headers["ETag"] == 'W/"3"'
    late = await school.patch(made["id"], {**rename, "value": "M"}, headers={"If-Match": old})
    assert late.status_code == 412
    assert late.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    body = {"schemas": [USER], "userName": made["userName"]}
    for method, sent in (("PUT", body), ("DELETE", None)):
        refused = await school.call(method, f"/Users/{made['id']}", sent, headers={"If-Match": old})
        assert refused.status_code == 412
    known_already = {"If-None-Match": closed.headers["ETag"]}
    unchanged = await school.call("GET", f"/Users/{made['id']}", headers=known_already)
    assert unchanged.status_code == 304


async def test_a_put_without_active_opens_and_closes_nothing(world: World, school: School) -> None:
    made = await school.brings(roles=[ROLE], displayName="D")
    body = {"schemas": [USER], "userName": made["userName"]}
    assert (await school.call("PUT", f"/Users/{made['id']}", body)).status_code == 200
    assert (await identity_of(world, made["id"])).closed_at is None
    await school.patch(made["id"], LEAVES)
    assert (await school.call("PUT", f"/Users/{made['id']}", body)).status_code == 200
    assert (await identity_of(world, made["id"])).closed_at is not None
    assert "displayName" not in await school.get(made["id"])


async def test_a_client_that_was_disabled_is_a_directory_no_more(
    world: World, school: School
) -> None:
    """Also in a process that has not heard of it yet."""
    made = await school.brings()
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(Client).where(Client.id == school.client).values(disabled_at=now())
        )
    for path in ("/Users", f"/Users/{made['id']}"):
        assert (await school.call("GET", path)).status_code == 403
