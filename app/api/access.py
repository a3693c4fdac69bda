"""Who could read this, and why may I (not)? Answered by the same conditions that decide a read."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from app.access.agreements import AGREEMENTS
from app.access.audience import ASKED, RULES, readers_now
from app.access.door import Access
from app.access.explanation import actions_on, explain, permissions
from app.access.gates import may
from app.access.grants import Action
from app.access.prospect import readers_under
from app.access.versions import versions_of
from app.core import wire
from app.core.errors import Invalid
from app.core.http import as_uuid
from app.core.routes import Route
from app.models.agreement_text import text_of
from app.models.agreements import AgreementState
from app.models.terms import Reader, RecordKind

router = APIRouter(prefix="/v1/access", tags=["Access"], route_class=Route)
me_router = APIRouter(prefix="/v1/me", tags=["People"], route_class=Route)

_KINDS = "|".join(sorted(ASKED))
_RESOURCE = rf"^({_KINDS}):[0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}$"

ResourceName = Annotated[
    str,
    Field(
        max_length=60,
        pattern=_RESOURCE,
        description="Kind and id of the record, as in `goal:0198c0de-0000-7000-8000-000000000001`.",
    ),
]


class AudienceQuery(BaseModel):
    """Of which record."""

    model_config = ConfigDict(extra="forbid")

    resource: ResourceName


CallerKind = TypeAliasType("CallerKind", Literal["person", "client"])


class ReaderOut(BaseModel):
    """Somebody who could read it with their next request."""

    kind: CallerKind
    id: wire.WireId
    name: wire.Name
    view: Annotated[
        wire.Word | None,
        Field(description="Of an agreement: how much of it; else null, all of it."),
    ]
    rules: Annotated[list[wire.Word], wire.at_most(20)]
    reasons: Annotated[
        list[wire.Name], wire.at_most(20), Field(description="The rules in plain words.")
    ]


class ClassMember(BaseModel):
    """Somebody who belongs to a class of reader today."""

    kind: CallerKind
    id: wire.WireId
    name: wire.Name


class ClassOut(BaseModel):
    """A class of reader whom the terms tick."""

    reader: Reader
    who: Annotated[list[ClassMember], wire.at_most(10_000)]
    others: Annotated[
        wire.Count, Field(description="Members of a network whom the caller does not see.")
    ]


class ProspectOut(BaseModel):
    """Who could read records of one kind under the terms on the table."""

    kind: RecordKind
    readers: Annotated[list[ClassOut], wire.at_most(10)]


class AudienceOut(BaseModel):
    """Who could read a record now, and who could under terms that wait for signatures."""

    resource: wire.Word
    readers: Annotated[list[ReaderOut], wire.at_most(10_000)]
    under_proposed_terms: Annotated[
        Annotated[list[ProspectOut], wire.at_most(20)] | None,
        Field(description="Of a proposal or an amendment; null when nothing is proposed."),
    ]


def _split(resource: str) -> tuple[str, UUID]:
    kind, _, resource_id = resource.partition(":")
    return kind, UUID(resource_id)


@router.get("/audience", summary="Ask who could read a record")
async def read_audience(
    access: Annotated[Access, may(Action.ACCESS_AUDIENCE)],
    query: Annotated[AudienceQuery, wire.Parameters],
) -> AudienceOut:
    """For the owner of a record and the parties of its agreement: the people and clients who could
    read it with their next request, by name and by rule. Of a proposal or an amendment also who could,
    kind by kind, before anyone signs."""
    kind, resource_id = _split(query.resource)
    row = await access.standing(ASKED[kind], resource_id)
    readers = await readers_now(access, ASKED[kind], resource_id)
    proposed = None
    if kind == AGREEMENTS.kind:
        proposed = await _proposed(access, row)
    return {  # type: ignore[return-value]
        "resource": query.resource,
        "readers": [
            {**reader._asdict(), "reasons": [RULES[rule] for rule in reader.rules]}
            for reader in readers
        ],
        "under_proposed_terms": proposed,
    }


async def _proposed(access: Access, row: dict[str, Any]) -> list[dict[str, Any]] | None:
    number = row["amendment_number"]
    if number is None and row["state"] == AgreementState.PROPOSED:
        number = row["number"]
    if number is None:
        return None
    found = await versions_of(access, as_uuid(row["id"]), number)
    # It may have been withdrawn in this moment.
    return await readers_under(access, text_of(found[0]["content"])) if found else None


class ExplanationQuery(AudienceQuery):
    """What is asked, of which record."""

    action: Annotated[
        Action, Field(description="As in `goal:revise`; GET /v1/me/permissions lists them.")
    ]


class RuleOut(BaseModel):
    """One way of seeing, and whether the caller sees the record by it."""

    rule: wire.Word
    met: bool
    text: wire.Name


class ExplanationOut(BaseModel):
    """Whether the caller may, and every rule that was asked."""

    allowed: bool
    missing: Annotated[
        list[wire.Name],
        wire.at_most(20),
        Field(description="What stands against it; empty when allowed."),
    ]
    scope: wire.Word
    needed: Annotated[
        list[wire.Name],
        wire.at_most(40),
        Field(description="Relations of which one is needed; none: whoever sees it."),
    ]
    held: Annotated[
        list[wire.Name], wire.at_most(40), Field(description="How the caller stands to the record.")
    ]
    rules: Annotated[list[RuleOut], wire.at_most(40)]


@router.get("/explanation", summary="Ask why you may, or may not")
async def read_explanation(
    access: Annotated[Access, may(Action.ACCESS_EXPLANATION)],
    query: Annotated[ExplanationQuery, wire.Parameters],
) -> ExplanationOut:
    """For whoever sees the record. What the caller may not know to exist is 404, like nothing."""
    kind, resource_id = _split(query.resource)
    if query.action not in actions_on(kind):
        known = ", ".join(actions_on(kind))
        raise Invalid(
            errors=[{"parameter": "action", "detail": f"is no action on it; there are {known}"}]
        )
    return await explain(access, ASKED[kind], resource_id, query.action)  # type: ignore[return-value]


class PermissionOut(BaseModel):
    """One action, and whether the caller's token allows it at all."""

    action: wire.Word
    scope: wire.Word
    allowed: bool
    who: Annotated[
        wire.Text | None,
        Field(description="How one must stand to the record; null: whoever sees it."),
    ]


@me_router.get("/permissions", summary="Read what your token allows")
async def read_permissions(
    access: Annotated[Access, may(Action.ME_PERMISSIONS)],
) -> Annotated[list[PermissionOut], wire.at_most(200)]:
    """Every action that can be asked for. Whether it is allowed on one record is for
    `GET /v1/access/explanation`."""
    return permissions(access.caller)  # type: ignore[return-value]
