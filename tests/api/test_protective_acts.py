"""Protective acts over HTTP: narrowing, leaving, detaching and ending need one hand, and no reason."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import event

from app.core.db import Database, Unit
from app.core.drivers import SqliteDriver
from app.core.ids import uuid7
from app.models.agreements import AgreementNetwork
from app.models.goals import Goal
from tests.amending import (
    agreement_of,
    amend,
    arrive,
    in_force,
    leave,
    narrow,
    parties,
    propose,
    readers_of,
    waiting,
)
from tests.crowds import add, ticked
from tests.worlds import World

pytestmark = pytest.mark.anyio

FOUR = {"learner", "fellow", "coach", "tutor"}
ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
PARTIES = ["coaches", "fellows", "advisers"]
OPEN: dict[str, Any] = {"existence": ALL, "goals": ALL}
ACTS: dict[str, Any] = {
    "narrowing": {"goals": []},
    "departure": None,
    "detachments": {"network_id": str(uuid4())},
    "ending": None,
}


async def goal_of(world: World, path: str, **fields: Any) -> str:
    """The path of a goal of the learner."""
    return f"/v1/goals/{(await world.goal(agreement_of(path), **fields))['id']}"


@pytest.mark.parametrize("act", ACTS)
async def test_protective_acts_are_the_parties_alone(world: World, act: str) -> None:
    path = await in_force(world)
    version = (await world.learner.get(path)).json()["version"]
    hidden = await in_force(world, disclosure={"existence": PARTIES})
    outside = {
        "head": 403, "client": 403, "administrator": 404, "operator": 404, "stranger": 404,
    }  # fmt: skip
    for who, status in outside.items():
        refused = await world.actors[who].post(f"{path}/{act}", json=ACTS[act])
        assert refused.status_code == status, who
    unseen = await world.head.post(f"{hidden}/{act}", json=ACTS[act])
    nowhere = await world.head.post(f"/v1/learning-agreements/{uuid7()}/{act}", json=ACTS[act])
    for answer in (unseen, nowhere):
        assert {**answer.json(), "request_id": ""} == {**nowhere.json(), "request_id": ""}
    assert unseen.status_code == 404
    assert (await world.learner.get(path)).json()["version"] == version
    assert len((await world.learner.get(f"{path}/versions")).json()["items"]) == 1


@pytest.mark.parametrize("act", ["narrowing", "departure", "detachments"])
async def test_nothing_of_a_proposal_is_protected_by_one_hand(world: World, act: str) -> None:
    path, _ = await world.propose()
    for who in FOUR:
        # A draft and a proposal have no parties yet: they are declined or withdrawn.
        assert (await world.actors[who].post(f"{path}/{act}", json=ACTS[act])).status_code == 403


# Narrowing


@pytest.mark.parametrize("who", sorted(FOUR))
async def test_any_one_party_narrows_all_records_at_once(world: World, who: str) -> None:
    path = await in_force(world, disclosure=OPEN)
    old = [await goal_of(world, path) for _ in range(2)]
    unticked = await goal_of(world, path, readers=["leaders"])
    assert (await readers_of(world, old[0])).keys() == {*FOUR, "head", "client"}
    shown = await narrow(world, path, who, goals=["coaches"])
    assert (shown["view"], shown["number"]) == ("text", 2)
    assert shown["text"]["disclosure"]["goals"] == ["coaches"]
    assert [s["name"] for s in shown["signatures"]] == [world.actors[who].name]
    for goal in (*old, await goal_of(world, path)):
        assert (await readers_of(world, goal)).keys() == {"learner", "coach"}
        assert (await world.learner.get(goal)).json()["readers"] == ["coaches"]
    assert (await readers_of(world, unticked)).keys() == {"learner"}
    refused = await world.learner.patch(old[0], json={"readers": ["coaches", "leaders"]})
    assert refused.json()["errors"][0]["pointer"] == "/readers/1"


async def test_narrowing_moves_no_version_of_a_record_but_its_etag(world: World) -> None:
    path = await in_force(world, disclosure=OPEN)
    goal = await goal_of(world, path)
    before = await world.learner.get(goal)
    await narrow(world, path, "tutor", goals=["coaches"])
    tag = {"If-None-Match": before.headers["ETag"]}
    after = await world.learner.get(goal, headers=tag)
    assert (after.status_code, after.json()["readers"]) == (200, ["coaches"])
    for name in ("version", "updated_at"):
        assert after.json()[name] == before.json()[name]
    # The version is the same: who read it before the terms were narrowed may still change it.
    changed = await world.learner.patch(goal, etag=before.headers["ETag"], json={"baseline": "x"})
    assert changed.status_code == 200
    actions = [e["action"] for e in (await world.learner.get(f"{path}/history")).json()["items"]]
    assert actions[:3] == ["revised", "narrowed", "created"]


async def test_narrowing_that_would_widen_is_refused_and_names_the_field(world: World) -> None:
    path = await in_force(world, disclosure={"goals": ["coaches"], "former_parties": "own"})
    wider = {
        "goals": ["advisers"],
        "evidence": ["coaches", "leaders"],
        "counts_in_statistics": True,
        "peripheral_members": True,
        "former_parties": "their_time",
        "reflections": [],
    }
    refused = await world.learner.post(f"{path}/narrowing", json=wider)
    assert refused.status_code == 422
    assert {e["pointer"]: e["detail"].partition(":")[0] for e in refused.json()["errors"]} == {
        "/goals": "would add advisers",
        "/evidence": "would add leaders",
        "/counts_in_statistics": "would be opened",
        "/peripheral_members": "would be opened",
        "/former_parties": "would give more than own",
    }
    # Left to its default a field may widen as well as by name.
    default = await world.learner.post(f"{path}/narrowing", json={"goals": None})
    assert [e["pointer"] for e in default.json()["errors"]] == ["/goals"]
    parties_read = await world.learner.post(f"{path}/narrowing", json={"text": []})
    assert parties_read.status_code == 422
    unknown = await world.learner.post(f"{path}/narrowing", json={"purpose": "Other."})
    assert [e["pointer"] for e in unknown.json()["errors"]] == ["/purpose"]
    for same in ({}, {"goals": ["coaches"]}, {"goals": ["coaches"], "former_parties": "own"}):
        assert (await world.learner.post(f"{path}/narrowing", json=same)).status_code == 422
    assert (await world.learner.get(path)).json()["number"] == 1


async def test_narrowing_existence_and_text_closes_the_agreement_itself(world: World) -> None:
    readers = [*PARTIES, "leaders", "systems"]
    path = await in_force(world, disclosure={"existence": readers, "text": readers})
    for actor in (world.head, world.client):
        assert (await actor.get(path)).json()["view"] == "text"
    await narrow(world, path, "fellow", text=PARTIES)
    for actor in (world.head, world.client):
        assert (await actor.get(path)).json()["view"] == "existence"
    await narrow(world, path, "fellow", existence=[*PARTIES, "leaders"])
    assert (await world.client.get(path)).status_code == 404
    assert (await world.client.get("/v1/learning-agreements")).json()["items"] == []
    assert (await world.head.get(path)).status_code == 200


async def test_an_old_answer_is_not_replayed_to_who_reads_the_record_no_more(world: World) -> None:
    path = await in_force(world)
    goal = await goal_of(world, path)
    await world.learner.post(f"{goal}/proposal")
    key = {"Idempotency-Key": str(uuid4())}
    accept = {"wording_number": 1}
    accepted = await world.coach.post(f"{goal}/acceptances", headers=key, json=accept)
    assert accepted.status_code == 200
    replayed = await world.coach.post(f"{goal}/acceptances", headers=key, json=accept)
    assert replayed.headers["Idempotency-Replayed"] == "true"
    await narrow(world, path, goals=["advisers"])
    again = await world.coach.post(f"{goal}/acceptances", headers=key, json=accept)
    assert (again.status_code, "reasons" in again.text) == (404, False)


async def test_a_narrowing_is_a_version_for_all_its_parties(world: World) -> None:
    await arrive(world, "newcomer")
    path = await in_force(world)
    await narrow(world, path, "tutor", goals=["coaches"])
    for who in FOUR:
        version = (await world.actors[who].get(f"{path}/versions/2")).json()
        assert (version["act"], version["state"]) == ("narrowing", "in_force")
        assert version["created_by"] == str(world.tutor.id)
        assert [s["digest"] for s in version["signatures"]] == [version["digest"]]
    await amend(world, path, parties=parties(world, newcomer=("mentor",)))
    for who in FOUR:
        assert (await world.actors[who].get(f"{path}/versions/2")).json()["state"] == "superseded"
    assert (await world.newcomer.get(f"{path}/versions/2")).status_code == 404


# Leaving


async def test_who_leaves_is_gone_at_once_and_the_agreement_goes_on(world: World) -> None:
    path = await in_force(world)
    goal = await goal_of(world, path)
    left = await leave(world, path, "coach")
    assert (left["view"], left["number"]) == ("version", 1)
    assert set(left) == {"id", "view", "number", "digest", "signatures", "text"}
    assert (await readers_of(world, goal)).keys() == {"learner", "tutor"}
    shown = (await world.learner.get(path)).json()
    assert (shown["state"], shown["number"]) == ("active", 2)
    assert str(world.coach.id) not in [p["person_id"] for p in shown["parties"]]
    for act, body in (
        *ACTS.items(),
        ("amendments", {"changes": {"purpose": "Mine."}}),
        ("completion", None),
        ("withdrawal", None),
        ("declination", None),
    ):
        assert (await world.coach.post(f"{path}/{act}", json=body)).status_code == 403, act
    body = {"digest": left["digest"]}
    assert (await world.coach.post(f"{path}/signatures", json=body)).status_code == 403
    assert (await world.coach.get(f"{path}/history")).status_code == 403
    theirs = {
        "statement": "Wait.", "agreement_id": agreement_of(path), "owner_id": str(world.learner.id),
    }  # fmt: skip
    refused = await world.coach.post("/v1/goals", json=theirs)
    assert refused.json()["errors"][0]["pointer"] == "/agreement_id"
    # A new coach is found by an amendment, which the one who left need not sign.
    await arrive(world, "newcomer")
    changed = await amend(world, path, parties=parties(world, coach=(), newcomer=("coach",)))
    assert (changed["number"], len(changed["signatures"])) == (3, 4)
    assert (await readers_of(world, goal)).keys() == {"learner", "tutor"}


async def test_a_double_role_goes_with_who_leaves(world: World) -> None:
    said = [
        {
            "person_id": str(world.actors[supporter].id),
            "learner_id": str(world.actors[learner].id),
            "relation": "line_manages",
            "safeguards": "The deputy appraises.",
        }
        for supporter in ("coach", "tutor")
        for learner in ("learner", "fellow")
    ]
    path = await in_force(world, dual_roles=said)
    await leave(world, path, "coach")
    await leave(world, path, "fellow")
    text = (await world.learner.get(path)).json()["text"]
    assert text["dual_roles"] == [said[2]]
    again = parties(world, fellow=())
    assert (await amend(world, path, parties=again))["number"] == 4


async def test_a_learner_who_leaves_takes_their_records_along_and_the_last_ends_it(
    world: World,
) -> None:
    path = await in_force(world)
    goal = await goal_of(world, path)
    await leave(world, path, "learner")
    assert (await world.coach.get(path)).json()["state"] == "active"
    assert (await world.learner.get(goal)).status_code == 200
    assert (await world.learner.patch(goal, json={"statement": "x"})).status_code == 409
    assert (await world.learner.patch(goal, json={"readers": []})).status_code == 200
    assert (await readers_of(world, goal)).keys() == {"learner"}
    version = await propose(
        world, path, by="fellow", purpose="Sharper.", parties=parties(world, learner=())
    )
    await leave(world, path, "fellow")
    shown = (await world.coach.get(path)).json()
    assert (shown["state"], shown["active"]) == ("ended", False)
    assert shown["over_at"] is not None
    assert (await world.coach.get(f"{path}/versions/{version['number']}")).json()[
        "state"
    ] == "lapsed"
    assert (await world.coach.post(f"{path}/amendments", json={"changes": {}})).status_code == 409
    assert (await world.head.get(path)).status_code == 404


# Detaching


async def found_network(world: World, who: str = "learner") -> str:
    """The id of a network that somebody has founded and leads."""
    body = {"kind": "triad", "name": "Three of us"}
    made = await world.actors[who].post("/v1/networks", json=body)
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


async def share_with_network(world: World, goal: str, network_id: str) -> str:
    """The path of a share of a goal."""
    body = {"goal_id": goal.rpartition("/")[2], "network_id": network_id}
    made = await world.learner.post("/v1/shares", json=body)
    assert made.status_code == 201, made.text
    return f"/v1/shares/{made.json()['id']}"


async def shares_of(world: World, goal: str) -> list[str]:
    """The networks with which a goal is shared, as its owner sees them."""
    listed = await world.learner.get("/v1/shares", params={"goal_id": goal.rpartition("/")[2]})
    return [share["network_id"] for share in listed.json()["items"]]


async def shared_goal(world: World) -> tuple[str, str, str]:
    """An agreement that names two networks, the first of them, and a goal shared with both, which a
    member outside the parties (the administrator) reads."""
    networks = [await found_network(world) for _ in range(2)]
    for network_id in networks:
        joined = {"person_id": str(world.administrator.id), "role": "member"}
        added = await world.learner.post(f"/v1/networks/{network_id}/members", json=joined)
        assert added.status_code == 201, added.text
    path = await in_force(world, networks=networks, disclosure={"goals": ["coaches", "networks"]})
    made = await world.learner.post(
        "/v1/goals",
        json={"statement": "Ours.", "agreement_id": agreement_of(path), "shows_pupils": "no"},
    )
    goal = f"/v1/goals/{made.json()['id']}"
    for network_id in networks:
        await share_with_network(world, goal, network_id)
    assert (await readers_of(world, goal)).keys() == {"learner", "coach", "administrator"}
    return path, goal, networks[0]


@pytest.mark.parametrize("who", sorted(FOUR))
async def test_any_one_party_detaches_a_network_with_what_was_shared(
    world: World, who: str
) -> None:
    path, goal, network_id = await shared_goal(world)
    detached = await world.actors[who].post(f"{path}/detachments", json={"network_id": network_id})
    assert detached.status_code == 200, detached.text
    assert len(detached.json()["text"]["networks"]) == 1
    # The other network is still named, and what was shared with it stays shared.
    assert await shares_of(world, goal) == detached.json()["text"]["networks"]
    assert (await readers_of(world, goal)).keys() == {"learner", "coach", "administrator"}
    other = detached.json()["text"]["networks"][0]
    await world.actors[who].post(f"{path}/detachments", json={"network_id": other})
    assert await shares_of(world, goal) == []
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}
    again = await world.actors[who].post(f"{path}/detachments", json={"network_id": other})
    assert again.json()["errors"][0]["pointer"] == "/network_id"
    acts = [v["act"] for v in (await world.tutor.get(f"{path}/versions")).json()["items"]]
    assert acts == ["agreement", "detachment", "detachment"]
    # Named again, it reads nothing that was shared before.
    await amend(world, path, networks=[network_id])
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}


async def test_networks_that_the_terms_untick_read_nothing_any_more(world: World) -> None:
    path, goal, _ = await shared_goal(world)
    await narrow(world, path, "tutor", goals=["coaches"])
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}
    await amend(world, path, disclosure={"goals": ["coaches", "networks"]})
    assert await shares_of(world, goal) == []
    assert (await readers_of(world, goal)).keys() == {"learner", "coach"}


async def test_an_amendment_names_and_leaves_out_networks(world: World) -> None:
    path = await in_force(world)
    network_id = await found_network(world)
    listed = {"network_id": network_id}
    assert (await world.coach.get("/v1/learning-agreements", params=listed)).json()["items"] == []
    await amend(world, path, networks=[network_id])
    found = (await world.coach.get("/v1/learning-agreements", params=listed)).json()["items"]
    assert [item["id"] for item in found] == [agreement_of(path)]
    await amend(world, path, networks=[])
    assert (await world.coach.get("/v1/learning-agreements", params=listed)).json()["items"] == []
    table: Any = AgreementNetwork.__table__
    async with world.database.work() as unit:
        await unit.begin()
        rows = await unit.session.execute(
            table.select().where(table.c.agreement_id == UUID(agreement_of(path)))
        )
        assert rows.all() == []


# After the end


@pytest.mark.parametrize("end", ["ending", "completion"])
async def test_after_the_end_protection_goes_on_and_nothing_is_widened(
    world: World, end: str
) -> None:
    network_id = await found_network(world)
    path = await in_force(
        world, disclosure={**OPEN, "former_parties": "their_time"}, networks=[network_id]
    )
    goal = await goal_of(world, path)
    for who in ("learner", "coach"):
        done = await world.actors[who].post(f"{path}/{end}")
        if done.json()["active"] is False:
            break
    state = done.json()["state"]
    assert state in ("ended", "completed")
    body = {"changes": {"purpose": "Sharper."}}
    assert (await world.learner.post(f"{path}/amendments", json=body)).status_code == 409
    shown = await narrow(world, path, "coach", goals=["coaches", "advisers"])
    assert shown["state"] == state
    assert (await readers_of(world, goal)).keys() == {"learner", "coach", "tutor"}
    detached = await world.tutor.post(f"{path}/detachments", json={"network_id": network_id})
    assert detached.json()["text"]["networks"] == []
    assert (await leave(world, path, "tutor"))["view"] == "version"
    kept = (await world.tutor.get(goal)).json()
    assert kept["kept_at"] is not None
    for who in ("learner", "fellow"):
        await leave(world, path, who)
    last = (await world.coach.get(path)).json()
    assert (last["state"], [p["role"] for p in last["parties"]]) == (state, ["coach"])
    assert (await world.coach.post(f"{path}/ending")).status_code == 409
    assert (await world.learner.get(goal)).status_code == 200


# However many records there are


@contextmanager
def statements(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The text of every statement of the transactions meanwhile."""
    found: list[str] = []
    whole = Unit.rows

    async def rows(self: Unit, query: Any, values: Any, *, long: bool = False) -> list[Any]:
        found.append(query.plan(self.database.dialect).sql)
        return await whole(self, query, values, long=long)

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        found.append(statement)

    engine = database.engine.sync_engine
    with monkeypatch.context() as patch:
        patch.setattr(Unit, "rows", rows)
        event.listen(engine, "before_cursor_execute", note)
        yield found
        event.remove(engine, "before_cursor_execute", note)


Held = tuple[Callable[[], Awaitable[Any]], Callable[[], Any]]


@contextmanager
def held_up(database: Database, goal_id: str) -> Iterator[Held]:
    """Stops the UPDATE of goals in its middle: what returns when it has come so far, and what lets
    it go on, which must have ended before this does."""
    if not database.is_sqlite:
        with psycopg.connect(database._dsn) as connection:
            connection.execute("SELECT 1 FROM goals WHERE id = %s FOR UPDATE", (goal_id,))
            yield lambda: waiting(database, 1), connection.rollback
        return
    reached, go_on, threads = threading.Event(), threading.Event(), set()

    def trace(sql: str) -> None:
        if sql.startswith("UPDATE goals SET to_"):
            threads.add(threading.get_ident())
            reached.set()
            # On the loop's own thread nobody would be left to let it go on.
            go_on.wait(0 if threading.get_ident() == loop else 20)

    loop, (_, driver) = threading.get_ident(), database._idle[-1]
    assert isinstance(driver, SqliteDriver)
    driver.connection.set_trace_callback(trace)
    yield lambda: asyncio.to_thread(reached.wait, 20), go_on.set
    driver.connection.set_trace_callback(None)
    assert len(threads) == 1
    assert loop not in threads


async def test_two_thousand_records_are_narrowed_by_one_statement_while_others_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await in_force(world, disclosure=OPEN)
    record = {
        "owner_id": world.learner.id,
        "created_by": world.learner.id,
        "agreement_id": UUID(agreement_of(path)),
        "home_organisation_id": world.school,
        **ticked(*ALL),
    }
    goal = await goal_of(world, path)
    with statements(world.database, monkeypatch) as few:
        await narrow(world, path, goals=[*PARTIES, "leaders"])
    async with world.database.work() as unit:
        await add(unit, Goal, [record] * 2000)
    with (
        statements(world.database, monkeypatch) as many,
        held_up(world.database, goal.rpartition("/")[2]) as (reached, let_go),
    ):
        narrowing = asyncio.create_task(narrow(world, path, goals=["coaches"]))
        try:
            await reached()
            # As long as it is not committed, the terms are as they were.
            assert (await world.fellow.get(goal)).status_code == 200
            page = (await world.tutor.get("/v1/goals", params={"limit": 200})).json()
            assert len(page["items"]) == 200
            assert not narrowing.done()
        finally:
            let_go()
            await narrowing
    taken = [sql for sql in many if sql.startswith("UPDATE goals SET to_")]
    assert len(taken) == 1
    tables = [sql.split()[1] for sql in many if sql.startswith("UPDATE")]
    assert tables == [sql.split()[1] for sql in few if sql.startswith("UPDATE")]
    assert len(many) == len(few) + 2  # the two pages that were read meanwhile
    for who, count in (("coach", 200), ("learner", 200), ("fellow", 0), ("tutor", 0), ("head", 0)):
        page = (await world.actors[who].get("/v1/goals", params={"limit": 200})).json()
        assert len(page["items"]) == count, who
    # Nothing of it is one row of the journal a record.
    entries = (await world.learner.get(f"{path}/history", params={"limit": 200})).json()["items"]
    assert [e["action"] for e in entries][:3] == ["narrowed", "narrowed", "created"]
    assert len(entries) < 20
