"""Where the scene is set: who is there, what there is, and how it is made."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import update

from tests.proof.asked import Asked
from tests.proof.planted import Aviary
from tests.raw import Answer
from tests.worlds import World

PARTIES = ("learner", "fellow", "coach", "tutor")
OPERATORS = ("operator", "second")


@dataclass
class Scene:
    """Ids by kind of record and by the name that the tables use."""

    world: World
    planted: Aviary = field(default_factory=Aviary)
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    """Of the clients' secrets."""
    sent: list[tuple[Asked, str]] = field(default_factory=list)
    """Requests of the learner, with the keys that they were sent with."""

    @property
    def tokens(self) -> dict[str, str | None]:
        """The token of each actor; nobody's for the anonymous."""
        found = {name: actor.token for name, actor in self.world.actors.items()}
        return {"anonymous": None, "opener": found["second"], **found}

    def me(self, actor: str) -> str:
        """The id that an actor names as their own; the anonymous say that they are the learner."""
        who = {"anonymous": "learner", "opener": "second"}.get(actor, actor)
        return str(self.world.actors[who].id)

    async def ask(self, actor: str, request: Asked, **headers: str) -> Answer:
        """A request as the actor makes it; the opener always says under which opening."""
        if actor == "opener":
            headers["Break-Glass"] = self.ids["opening"]["open"]
        return await request.by(self.world.app, self.tokens[actor], **headers)

    def keep(self, kind: str, name: str, id_: str) -> str:
        """Notes the id of a record."""
        self.ids.setdefault(kind, {})[name] = id_
        return id_

    async def call(self, who: str, method: str, path: str, **named: Any) -> Any:
        """What an actor does while the scene is set; it must succeed."""
        if method in ("PATCH", "DELETE"):
            named.setdefault("headers", {})["If-Match"] = "*"
        answer = await self.world.actors[who].call(method, path, **named)
        assert answer.is_success, f"{who}: {method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    async def make(self, who: str, kind_: str, name_: str, path: str, /, **body: Any) -> str:
        """Makes a record and notes its id."""
        return self.keep(kind_, name_, (await self.call(who, "POST", path, json=body))["id"])

    async def change(self, entity: Any, id_: str, **values: Any) -> None:
        """What time does to a row, or the operator: behind the door's back."""
        async with self.world.database.work() as unit:
            await unit.begin()
            await unit.session.execute(
                update(entity).where(entity.id == UUID(id_)).values(**values)
            )
