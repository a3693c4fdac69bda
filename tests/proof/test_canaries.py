"""Texts planted where only some may read them are sent to nobody else, in no byte of any answer."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from sqlalchemy import event

from tests.proof.asked import Asked
from tests.proof.asking import asked
from tests.proof.everything import pages, reads, writes
from tests.proof.listening import log_lines
from tests.proof.notation import ACTORS
from tests.proof.planted import Canary
from tests.proof.stage import Scene
from tests.proof.unmade import unmade
from tests.raw import Answer

pytestmark = pytest.mark.anyio


@dataclass
class Search:
    """What was asked, what came, and what should not have."""

    scene: Scene
    asked: Counter[str] = field(default_factory=Counter)
    size: int = 0
    seen: dict[str, set[Canary]] = field(default_factory=dict)
    leaks: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    async def ask(self, actor: str, request: Asked, **headers: str) -> Answer:
        """Sends a request and looks through every byte of its answer."""
        answer = await self.scene.ask(actor, request, **headers)
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers).encode()
        self.asked[f"{answer.status // 100}xx"] += 1
        if answer.status >= 500:
            self.failures.append(f"{answer.status} to {actor}: {request}")
        self.size += len(head) + len(answer.body)
        found = self.scene.planted.found(head + b"\n" + answer.body)
        self.seen.setdefault(actor, set()).update(found)
        for canary in found:
            if actor not in canary.allowed:
                self.leaks.append(
                    f"{canary.label} to {actor}: {answer.status} {request.method} "
                    f"{request.path}?{request.query}"
                )
        return answer

    async def turn_pages(self, actor: str, path: str) -> None:
        """Goes through a list one by one; others try the cursors of the learner on the way."""
        cursor = None
        for _ in range(12):
            query = "limit=1" + (f"&cursor={cursor}" if cursor else "")
            answer = await self.ask(actor, Asked("GET", path, query))
            cursor = answer.json()["next"] if answer.status == 200 else None
            if cursor is None:
                return
            for thief in ("stranger", "head", "former") if actor == "learner" else ():
                await self.ask(thief, Asked("GET", path, f"limit=200&cursor={cursor}"))

    def report(self, record_property: Any, name: str) -> None:
        """The numbers, for the test's report; then the leaks, if there are any."""
        requests = sum(self.asked.values())
        record_property("requests", requests)
        record_property("bytes", self.size)
        record_property("canaries", len(self.scene.planted.birds))
        print(
            f"\n{name}: {len(self.scene.planted.birds)} canaries, {len(self.seen)} actors, "
            f"{requests:,} requests {dict(self.asked)}, {self.size:,} bytes looked through"
        )
        assert self.failures == []
        shown = "\n".join(sorted(set(self.leaks))[:60])
        assert not self.leaks, f"{len(set(self.leaks))} leaks:\n{shown}"


async def test_no_read_shows_anybody_what_is_not_theirs_and_its_readers_all_of_it(
    scene: Scene, record_property: Any
) -> None:
    search, everything = Search(scene), list(reads(scene))
    with unmade(), log_lines() as logged:
        for actor in ACTORS:
            for request in everything:
                await search.ask(actor, request)
            for path in pages():
                await search.turn_pages(actor, path)
    search.report(record_property, "Reads")
    unseen = [
        f"{canary.label} by {actor}"
        for canary in scene.planted.birds.values()
        for actor in canary.seen_by
        if canary not in search.seen[actor]
    ]
    assert unseen == [], "the search is blind: these must be found by who may read them"
    assert scene.planted.found("\n".join(logged).encode()) == set()


async def test_no_write_and_no_refusal_shows_anybody_what_is_not_theirs(
    scene: Scene, record_property: Any
) -> None:
    search = Search(scene)
    with unmade(), log_lines() as logged:
        for turn, actor in enumerate(ACTORS):
            for request in writes(scene, scene.me(actor), turn):
                await search.ask(actor, request)
            for request, key in scene.sent:
                # Somebody else's key, and the very body and id that they sent.
                await search.ask(actor, request, **{"Idempotency-Key": key})
                await search.ask(actor, request)
    assert search.asked["2xx"] > 100, "writes that succeed answer with records, too"
    search.report(record_property, "Writes")
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
