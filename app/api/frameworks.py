"""Reference frameworks, and the 10+2 coaching principles as a resource of their own."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.access import frameworks
from app.access.door import Access
from app.access.gates import may
from app.access.grants import Action
from app.core import wire
from app.core.errors import NotFound
from app.core.negotiation import ACCEPT_LANGUAGE, Language, language_of
from app.core.pages import Whole
from app.core.routes import Route
from app.core.translations import Translation
from app.models.frameworks import PRINCIPLES, ItemKind

router = APIRouter(prefix="/v1/frameworks", tags=["Frameworks"], route_class=Route)
principles_router = APIRouter(prefix="/v1/principles", tags=["Frameworks"], route_class=Route)

Reader = Annotated[Access, may(Action.FRAMEWORK_READ)]
WelshTitle = Annotated[
    wire.Name | None, Field(description="Title in Welsh, whatever the answer is in.")
]
Translated = Annotated[
    Translation | None,
    Field(
        description="In an answer in Welsh: whether anybody has reviewed our translation. Null: these "
        "are the publisher's own words."
    ),
]
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
    title_cy: WelshTitle
    translation: Translated
    description: wire.Text
    source: Annotated[wire.Text, Field(description="Whose ideas these are; the wording is ours.")]
    published_at: wire.WireMoment


class FrameworkItemOut(BaseModel):
    """One item of a framework, with the items below it."""

    id: wire.WireId
    code: wire.Word
    kind: ItemKind
    title: wire.Name
    title_cy: WelshTitle
    translation: Translated
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


def _speak(access: Access, response: Response, language: Language, digest: str, view: str) -> None:
    """The headers of an answer in `language`."""
    access.etag = f'"{digest}.{view}.{language}"'
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"


def _language(access: Access, found: list[dict[str, Any]]) -> Language:
    """The language of the answer: Welsh if that is wanted and any of the frameworks has it."""
    assert access.request is not None, "frameworks are read by requests"
    wanted = language_of(access.request)
    return wanted if any(f["title_cy"] or frameworks.translations(f) for f in found) else "en"


async def _whole(access: Access, response: Response, found: list[dict[str, Any]]) -> dict[str, Any]:
    if not found:
        raise NotFound()
    framework = found[0]
    rows = await access.read(frameworks.ITEMS, framework_id=framework["id"])
    language, words = _language(access, found), frameworks.translations(framework)
    _speak(access, response, language, frameworks.digest_of_all(found), "full")
    translation, items = words.get("translation"), words.get("items", {})
    told = [frameworks.told(row, items.get(row["code"], {}), translation, language) for row in rows]
    return {**frameworks.told(framework, words, translation, language), "items": _tree(told)}


@router.get("", summary="List frameworks", openapi_extra=ACCEPT_LANGUAGE)
async def list_frameworks(access: Reader, response: Response) -> Whole[FrameworkOut]:
    """Every version of every framework, by code; without their items."""
    found = await access.read(frameworks.FRAMEWORKS)
    language = _language(access, found)
    _speak(access, response, language, frameworks.digest_of_all(found), "list")
    told = []
    for framework in found:
        words = frameworks.translations(framework)
        told.append(frameworks.told(framework, words, words.get("translation"), language))
    return {"items": told, "next": None}  # type: ignore[return-value]


@router.get("/{code}", summary="Read a framework", openapi_extra=ACCEPT_LANGUAGE)
async def read_framework(access: Reader, response: Response, code: CodeInPath) -> FrameworkWhole:
    """The newest version, with its tree of items."""
    found = await access.read(frameworks.FRAMEWORK, code=code)
    return await _whole(access, response, found)  # type: ignore[return-value]


@router.get(
    "/{code}/versions/{version}",
    summary="Read one version of a framework",
    openapi_extra=ACCEPT_LANGUAGE,
)
async def read_framework_version(
    access: Reader, response: Response, code: CodeInPath, version: VersionInPath
) -> FrameworkWhole:
    """A version never changes once it is published; our Welsh for it may still be corrected."""
    found = await access.read(frameworks.FRAMEWORK_VERSION, code=code, version=version)
    return await _whole(access, response, found)  # type: ignore[return-value]


class PrincipleOut(FrameworkItemOut):
    """A coaching principle with its practices."""

    additional: Annotated[bool, Field(description="One of the two beside the ten.")]


async def _principles(access: Access, response: Response) -> list[dict[str, Any]]:
    found = await access.read(frameworks.FRAMEWORK, code=PRINCIPLES)
    framework = await _whole(access, response, found)
    return [{**item, "additional": item["code"].startswith("A")} for item in framework["items"]]


@principles_router.get(
    "", summary="List the 10+2 coaching principles", openapi_extra=ACCEPT_LANGUAGE
)
async def list_principles(access: Reader, response: Response) -> Whole[PrincipleOut]:
    """The ten principles and the two beside them, with their 38 practices."""
    return {"items": await _principles(access, response), "next": None}  # type: ignore[return-value]


@principles_router.get(
    "/{code}", summary="Read a coaching principle", openapi_extra=ACCEPT_LANGUAGE
)
async def read_principle(access: Reader, response: Response, code: CodeInPath) -> PrincipleOut:
    """One principle by its code, `1` to `10`, `A1` or `A2`."""
    for principle in await _principles(access, response):
        if principle["code"] == code:
            return principle  # type: ignore[return-value]
    raise NotFound()
