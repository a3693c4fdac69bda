"""Reference frameworks, and the 10+2 coaching principles as a resource of their own."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from app.access import frameworks
from app.access.door import Access
from app.access.gates import may
from app.access.grants import Action
from app.core import wire
from app.core.errors import NotFound
from app.core.pages import Whole
from app.core.routes import Route
from app.models.frameworks import PRINCIPLES, ItemKind

router = APIRouter(prefix="/v1/frameworks", tags=["Frameworks"], route_class=Route)
principles_router = APIRouter(prefix="/v1/principles", tags=["Frameworks"], route_class=Route)

Reader = Annotated[Access, may(Action.FRAMEWORK_READ)]
_CODE = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
CodeInPath = Annotated[
    str, Path(max_length=100, pattern=_CODE, description="Code, as the list shows it.")
]
VersionInPath = Annotated[
    str, Path(max_length=100, pattern=_CODE, description="Version, as in `1`.")
]


class FrameworkOut(BaseModel):
    """One published version of a framework."""

    id: wire.WireId
    code: wire.Word
    version: wire.Word
    title: wire.Name
    title_cy: Annotated[
        wire.Name | None, Field(description="Title in Welsh; ours, not yet reviewed.")
    ]
    description: wire.Text
    source: Annotated[wire.Text, Field(description="Whose ideas these are; the wording is ours.")]
    published_at: wire.WireMoment


class FrameworkItemOut(BaseModel):
    """One item of a framework, with the items below it."""

    id: wire.WireId
    code: wire.Word
    kind: ItemKind
    title: wire.Name
    title_cy: Annotated[
        wire.Name | None, Field(description="Title in Welsh; ours, not yet reviewed.")
    ]
    statement: wire.Text
    items: "Annotated[list[FrameworkItemOut], wire.at_most(200)]"


class FrameworkWhole(FrameworkOut):
    """A framework with its tree of items."""

    items: Annotated[list[FrameworkItemOut], wire.at_most(200)]


def _tree(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    by_id = {row["id"]: {**row, "items": []} for row in rows}
    for row in by_id.values():
        if row["parent_id"] is not None:
            by_id[row["parent_id"]]["items"].append(row)
    return [row for row in by_id.values() if row["parent_id"] is None]


async def _whole(access: Access, found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        raise NotFound()
    framework = found[0]
    rows = await access.read(frameworks.ITEMS, framework_id=framework["id"])
    access.etag = f'"{framework["digest"][:16]}.full.en"'
    return {**framework, "items": _tree(rows)}


@router.get("", summary="List frameworks")
async def list_frameworks(access: Reader) -> Whole[FrameworkOut]:
    """Every version of every framework, by code; without their items."""
    rows = await access.read(frameworks.FRAMEWORKS)
    access.etag = f'"{frameworks.digest_of_all(rows)}.list.en"'
    return {"items": rows, "next": None}  # type: ignore[return-value]


@router.get("/{code}", summary="Read a framework")
async def read_framework(access: Reader, code: CodeInPath) -> FrameworkWhole:
    """The newest version, with its tree of items."""
    return await _whole(access, await access.read(frameworks.FRAMEWORK, code=code))  # type: ignore[return-value]


@router.get("/{code}/versions/{version}", summary="Read one version of a framework")
async def read_framework_version(
    access: Reader, code: CodeInPath, version: VersionInPath
) -> FrameworkWhole:
    """A version never changes once it is published."""
    found = await access.read(frameworks.FRAMEWORK_VERSION, code=code, version=version)
    return await _whole(access, found)  # type: ignore[return-value]


class PrincipleOut(FrameworkItemOut):
    """A coaching principle with its practices."""

    additional: Annotated[bool, Field(description="One of the two beside the ten.")]


async def _principles(access: Access) -> list[dict[str, Any]]:
    framework = await _whole(access, await access.read(frameworks.FRAMEWORK, code=PRINCIPLES))
    return [{**item, "additional": item["code"].startswith("A")} for item in framework["items"]]


@principles_router.get("", summary="List the 10+2 coaching principles")
async def list_principles(access: Reader) -> Whole[PrincipleOut]:
    """The ten principles and the two beside them, with their 38 practices."""
    return {"items": await _principles(access), "next": None}  # type: ignore[return-value]


@principles_router.get("/{code}", summary="Read a coaching principle")
async def read_principle(access: Reader, code: CodeInPath) -> PrincipleOut:
    """One principle by its code, `1` to `10`, `A1` or `A2`."""
    for principle in await _principles(access):
        if principle["code"] == code:
            return principle  # type: ignore[return-value]
    raise NotFound()
