"""What is hidden is like what is not there: the same answer, by the same statements."""

import json
import re
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any

import pytest

from app.core.ids import uuid7
from tests.proof.asked import Asked
from tests.proof.asking import asked
from tests.proof.everything import FAULTS, with_fault
from tests.proof.notation import ACTORS, ROWS
from tests.proof.references import BODIES, hidden, in_body, in_parameters, may_name
from tests.proof.stage import Scene
from tests.proof.unmade import statements, unmade

pytestmark = pytest.mark.anyio

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
UNREAD = ("file", "member", "session", "second_factor", "sign_in_identity")
"""Kinds of what nobody reads by an address of its own that the table could hide."""
_CONDITIONS = {"Accept-Language": "cy", "If-None-Match": "*", "Range": "bytes=0-3"}


@dataclass
class Pairs:
    """Pairs of requests, one of which names something hidden and the other nothing."""

    scene: Scene
    seen: list[str]
    asked: int = 0
    statements: int = 0
    wrong: list[str] = field(default_factory=list)

    async def _answer(
        self, actor: str, request: Asked, named: str, headers: dict[str, str]
    ) -> tuple[Any, ...]:
        self.seen.clear()
        answer = await self.scene.ask(actor, request, **headers)
        self.asked += 1
        self.statements += len(self.seen)
        head = [header for header in answer.headers if header[0] != "x-request-id"]
        body: Any = answer.body
        if answer.header("content-type") == "application/problem+json":
            body = json.loads(answer.body)
            assert body.pop("request_id") == answer.header("x-request-id")
            # It is as long as any other.
            head = [header for header in head if header[0] != "content-length"]
        elif named and answer.status < 300:
            # A write that takes either: the answer repeats the id, and has an id and moments of its own.
            head = [(key, _ID.sub("", value)) for key, value in head]
            body = _MOMENT.sub("", _ID.sub("", answer.text))
        return answer.status, head, body, list(self.seen)

    async def compare(
        self, actor: str, request: Asked, *nothing: Asked, named: str = "", **headers: str
    ) -> None:
        """Each of `nothing` is answered as `request` is; `named` is the id that a body names."""
        here = await self._answer(actor, request, named, headers)
        for other in nothing:
            there = await self._answer(actor, other, named, headers)
            for what, one, two in zip(
                ("status", "headers", "body", "statements"), here, there, strict=True
            ):
                if one != two:
                    shown = f"{request.method} {request.path}?{request.query} {headers} {request.body[:300]!r}"
                    self.wrong.append(
                        f"{actor}: {what} of {shown}: {_short(one)}\n   and {_short(two)}"
                    )
                    break

    def report(self, record_property: Any, name: str, fewest: int) -> None:
        """The numbers, for the test's report; then the differences, if there are any."""
        record_property("requests", self.asked)
        print(f"\n{name}: {self.asked:,} requests compared")
        assert not self.wrong, f"{len(self.wrong)} differ:\n" + "\n".join(self.wrong[:30])
        assert self.asked > fewest
        assert self.statements > self.asked // 2, "the statements are not overheard"


def _short(told: Any) -> str:
    """Statements by their beginning and end: there are many, and they are long."""
    if isinstance(told, list):
        return f"{len(told)}: " + " | ".join(f"{one[:40]} … {one[-40:]}" for one in map(str, told))
    return str(told)[:700]


def _without(scene: Scene, request: Asked, actor: str, expected: str) -> list[Asked]:
    """The request with each part of its address that is hidden, one at a time, that of nothing.

    Who is refused (403) may know that the record is there; of one that is hidden from them they are
    told the same as of nothing.
    """
    asks_for = f"{request.path}?{request.query}"
    found = [
        request.instead(id_, str(uuid7()))
        for kind, named in scene.ids.items()
        for name, id_ in named.items()
        if id_ in asks_for
        and (name in hidden(kind, actor) or (kind in UNREAD and expected == "404"))
    ]
    head, versions, number = request.path.rpartition("/versions/")
    if versions and "learning-agreements" in head and expected == "404":
        found.append(replace(request, path=f"{head}{versions}{int(number) + 90}"))
    assert found or expected == "403", f"nothing of {asks_for} is hidden from {actor}"
    return found


async def test_a_hidden_id_in_the_address_is_like_one_that_is_not_there(
    scene: Scene, record_property: Any
) -> None:
    with unmade(), statements(scene.world.database) as seen:
        pairs, faults = Pairs(scene, seen), cycle(FAULTS)
        for row in ROWS:
            for actor, expected in row.expected.items():
                if expected not in ("403", "404"):
                    continue
                request = asked(scene, row.operation, row.record, scene.me(actor))
                if expected == "404" and "{" not in row.operation and not request.query:
                    continue  # what it names stands in its body: the test of references has it
                nothing = _without(scene, request, actor, expected)
                if not nothing:
                    continue
                await pairs.compare(actor, request, *nothing)
                if row.method == "GET":
                    await pairs.compare(actor, request, *nothing, **_CONDITIONS)
                else:
                    # Nor does it tell, in the order in which what is wrong is spoken of.
                    wrong = [
                        with_fault(each, fault)
                        for fault in (next(faults),)
                        for each in (request, *nothing)
                    ]
                    await pairs.compare(actor, *wrong)
    pairs.report(record_property, "Addresses", 3000)


async def test_a_hidden_id_in_a_body_is_like_one_that_is_not_there(
    scene: Scene, record_property: Any
) -> None:
    with unmade(), statements(scene.world.database) as seen:
        pairs = Pairs(scene, seen)
        for reference in BODIES:
            for actor in ACTORS:
                me = scene.me(actor)
                for name in set(hidden(reference.kind, actor)) - may_name(reference, actor):
                    id_ = scene.ids[reference.kind][name]
                    named = in_body(scene, reference, me, id_)
                    other = named.instead(id_, str(uuid7()))
                    await pairs.compare(actor, named, other, named=id_)
    pairs.report(record_property, "Bodies", 500)


async def test_a_hidden_id_in_a_parameter_is_like_one_that_is_not_there(
    scene: Scene, record_property: Any
) -> None:
    with unmade(), statements(scene.world.database) as seen:
        pairs = Pairs(scene, seen)
        for path, parameter, kind in in_parameters():
            for actor in ACTORS:
                shown = await scene.ask(actor, Asked("GET", path, "limit=200"))
                for name in hidden(kind, actor):
                    id_ = scene.ids[kind][name]
                    if id_ in shown.text:
                        # A record that they read names it: it is not hidden from them here.
                        continue
                    filtered = Asked("GET", path, f"{parameter}={id_}")
                    await pairs.compare(actor, filtered, filtered.instead(id_, str(uuid7())))
    pairs.report(record_property, "Parameters", 500)
