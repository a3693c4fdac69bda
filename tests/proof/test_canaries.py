"""Texts planted where only some may read them are sent to nobody else, in no byte of any answer."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from tests.proof.asked import Asked
from tests.proof.asking import asked
from tests.proof.everything import pages, reads, writes
from tests.proof.hunting import Hunt
from tests.proof.listening import log_lines
from tests.proof.notation import ACTORS
from tests.proof.stage import Scene
from tests.proof.unmade import unmade

pytestmark = pytest.mark.anyio


async def test_no_read_shows_anybody_what_is_not_theirs_and_its_readers_all_of_it(
    scene: Scene, record_property: Any
) -> None:
    hunt, everything = Hunt(scene), list(reads(scene))
    with unmade(), log_lines() as logged:
        for actor in ACTORS:
            for request in everything:
                await hunt.ask(actor, request)
            for path in pages():
                await hunt.turn_pages(actor, path)
    hunt.report(record_property, "Reads")
    unseen = [
        f"{canary.label} by {actor}"
        for canary in scene.planted.birds.values()
        for actor in canary.seen_by
        if canary not in hunt.seen[actor]
    ]
    assert unseen == [], "the search is blind: these must be found by who may read them"
    assert scene.planted.found("\n".join(logged).encode()) == set()


async def test_no_write_and_no_refusal_shows_anybody_what_is_not_theirs(
    scene: Scene, record_property: Any
) -> None:
    hunt = Hunt(scene)
    with unmade(), log_lines() as logged:
        for turn, actor in enumerate(ACTORS):
            for request in writes(scene, scene.me(actor), turn):
                await hunt.ask(actor, request)
            for request, key in scene.sent:
                # Somebody else's key, and the very body and id that they sent.
                await hunt.ask(actor, request, **{"Idempotency-Key": key})
                await hunt.ask(actor, request)
    assert hunt.asked["2xx"] > 100, "writes that succeed answer with records, too"
    hunt.report(record_property, "Writes")
    assert scene.planted.found("\n".join(logged).encode()) == set()


async def test_a_failure_of_the_database_is_logged_without_what_was_sent(scene: Scene) -> None:
    text = scene.planted.plant("what was sent when the database failed")
    goal = f"/v1/goals/{scene.ids['goal']['shut']}"
    request = Asked(
        "PATCH", goal, "", "application/json", f'{{"baseline": "{text}"}}'.encode(), "*"
    )

    def spoil(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> Any:
        return statement.replace("UPDATE goals", "UPDATE no_such_table"), parameters

    engine = scene.world.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", spoil, retval=True)
    try:
        with unmade(), log_lines() as logged:
            answer = await request.by(scene.world.app, scene.tokens["learner"])
    finally:
        event.remove(engine, "before_cursor_execute", spoil)
    assert answer.status == 500
    assert "no_such_table" in "".join(logged), "the log is listened to"
    assert scene.planted.found("".join(logged).encode() + answer.body) == set()


async def test_who_is_asked_to_join_may_say_which_version_they_have_read(scene: Scene) -> None:
    path = f"/v1/learning-agreements/{scene.ids['agreement']['main']}"
    me = str(scene.world.newcomer.id)
    signing = asked(
        scene, "POST /v1/learning-agreements/{learning_agreement_id}/signatures", "main", me
    )
    app, token = scene.world.app, scene.tokens["newcomer"]
    read = await Asked("GET", path).by(app, token)
    with unmade():
        stale = await replace(signing, if_match='"0.version.en"').by(app, token)
        assert stale.status == 412
        assert stale.json()["current"] == read.json()
        assert stale.header("etag") == read.header("etag")
        assert (await replace(signing, if_match=read.header("etag")).by(app, token)).status == 201
