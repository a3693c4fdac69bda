"""Publishes reference frameworks from data files; a published version never changes."""

import hashlib
import json
import tomllib
from importlib.resources import files
from typing import Any, NamedTuple

from sqlalchemy import String, select

from app.access.visibility import parameter
from app.core import journal
from app.core.clock import now
from app.core.db import Unit
from app.core.query import Query
from app.models.frameworks import Framework, FrameworkItem, ItemKind, reference_id

_frameworks: Any = Framework.__table__
_PUBLISHED = Query(
    select(_frameworks.c.digest).where(
        _frameworks.c.code == parameter("code", String),
        _frameworks.c.version == parameter("version", String),
    )
)


class ChangedFramework(Exception):
    """A data file differs from the version that was published under the same number."""


class Loaded(NamedTuple):
    """What a load did."""

    published: int
    unchanged: int


def seeded() -> list[dict[str, Any]]:
    """The frameworks that ship with Tandem, as their files say."""
    folder = files("app").joinpath("data", "frameworks")
    return [
        tomllib.loads(file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda f: f.name)
        if file.name.endswith(".toml")
    ]


async def publish_frameworks(unit: Unit, frameworks: list[dict[str, Any]]) -> Loaded:
    """Publishes what is not yet there; ChangedFramework when a published version differs."""
    published = 0
    for framework in frameworks:
        digest = hashlib.sha256(
            json.dumps(framework, sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()
        code, version = framework["code"], framework["version"]
        found = await unit.rows(_PUBLISHED, {"code": code, "version": version})
        if not found:
            await _publish(unit, framework, digest)
            published += 1
        elif found[0][0] != digest:
            raise ChangedFramework(
                f"{code} version {version} has been published with another text: give it a new version"
            )
    return Loaded(published, len(frameworks) - published)


async def _publish(unit: Unit, framework: dict[str, Any], digest: str) -> None:
    code, version = framework["code"], framework["version"]
    framework_id = reference_id(code, version)
    await unit.insert(
        Framework(
            id=framework_id,
            code=code,
            version=version,
            title=framework["title"],
            title_cy=framework.get("title_cy"),
            description=framework["description"],
            source=framework["source"],
            digest=digest,
            published_at=now(),
        )
    )
    position = 0

    async def add(item: dict[str, Any], parent: FrameworkItem | None) -> None:
        nonlocal position
        position += 1
        row = FrameworkItem(
            id=reference_id(code, version, item["code"]),
            framework_id=framework_id,
            parent_id=parent.id if parent else None,
            position=position,
            code=item["code"],
            kind=ItemKind(item["kind"]),
            title=item["title"],
            title_cy=item.get("title_cy"),
            statement=item["statement"],
        )
        await unit.insert(row)
        for child in item.get("items", []):
            await add(child, row)

    for item in framework["items"]:
        await add(item, None)
    await journal.record(
        unit,
        actor=journal.COMMAND_LINE,
        action="published",
        kind="framework",
        resource_id=framework_id,
        version=1,
    )
