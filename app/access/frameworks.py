"""Reference frameworks: the same for everyone who has signed in."""

import hashlib
from typing import Any
from uuid import UUID

from sqlalchemy import String, select

from app.access.door import Access
from app.access.visibility import parameter
from app.core.errors import Invalid
from app.core.http import as_uuid
from app.core.negotiation import Language
from app.core.query import Query
from app.core.tables import Id
from app.core.translations import welsh
from app.models.frameworks import PRINCIPLES, Framework, FrameworkItem, ItemKind

_frameworks: Any = Framework.__table__
_items: Any = FrameworkItem.__table__

_SHOWN = [
    _frameworks.c[n]
    for n in (
        "id",
        "code",
        "version",
        "title",
        "title_cy",
        "description",
        "source",
        "digest",
        "published_at",
    )
]

FRAMEWORKS = Query(select(*_SHOWN).order_by(_frameworks.c.code, _frameworks.c.version))

FRAMEWORK = Query(
    select(*_SHOWN)
    .where(_frameworks.c.code == parameter("code", String))
    .order_by(_frameworks.c.published_at.desc(), _frameworks.c.version.desc())
    .limit(1)
)

FRAMEWORK_VERSION = Query(
    select(*_SHOWN).where(
        _frameworks.c.code == parameter("code", String),
        _frameworks.c.version == parameter("version", String),
    )
)

ITEMS = Query(
    select(
        *(
            _items.c[n]
            for n in (
                "id",
                "parent_id",
                "code",
                "kind",
                "title",
                "title_cy",
                "statement",
                "position",
            )
        )
    )
    .where(_items.c.framework_id == parameter("framework_id", Id))
    .order_by(_items.c.position)
)

_ITEM = Query(select(_items.c.id).where(_items.c.id == parameter("id", Id)))

_PRINCIPLE = Query(
    select(_items.c.id)
    .join_from(_items, _frameworks, _frameworks.c.id == _items.c.framework_id)
    .where(
        _frameworks.c.code == PRINCIPLES,
        _items.c.code == parameter("code", String),
        _items.c.kind == ItemKind.PRINCIPLE,
    )
    .order_by(_frameworks.c.published_at.desc(), _frameworks.c.version.desc())
    .limit(1)
)


async def framework_items(access: Access, principles: list[str], items: list[UUID]) -> list[UUID]:
    """The ids of the principles and items that a record links to, each once; Invalid names one
    that is not there."""
    found: list[UUID] = []
    for index, code in enumerate(principles):
        rows = await access.unit.rows(_PRINCIPLE, {"code": code})
        if not rows:
            raise Invalid.field(f"/principles/{index}", "is not the code of a coaching principle")
        found.append(as_uuid(rows[0][0]))
    for index, item in enumerate(items):
        if not await access.unit.rows(_ITEM, {"id": item}):
            raise Invalid.field(f"/framework_items/{index}", "names no item of a framework")
        found.append(item)
    return list(dict.fromkeys(found))


_WORDS = ("title", "description", "statement")


def translations(framework: dict[str, Any]) -> dict[str, Any]:
    """Our Welsh for a version of a framework that ships with Tandem; otherwise empty."""
    found = welsh(f"frameworks/{framework['code']}")
    return found if found.get("version") == framework["version"] else {}


def told(
    row: dict[str, Any], words: dict[str, Any], translation: str | None, language: Language
) -> dict[str, Any]:
    """A framework or an item in `language`, as far as there are words for it.

    `words`: our own Welsh. A publisher's Welsh title is theirs, and no translation of ours.
    """
    welsh_title = words.get("title", row["title_cy"])
    shown = {**row, "title_cy": welsh_title, "translation": None}
    if language == "cy":
        said = {**words, **({"title": welsh_title} if welsh_title else {})}
        shown |= {name: said[name] for name in _WORDS if name in row and name in said}
        shown["translation"] = translation
    return shown


def digest_of_all(frameworks: list[dict[str, Any]]) -> str:
    """Sixteen hexadecimal digits that change with any framework, or with our Welsh for one."""
    digests = [f["digest"] + translations(f).get("digest", "") for f in frameworks]
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:16]
