"""What was done to accounts and rights: for those concerned, and for administrators."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, Json

from app.access.audit import AuditQuery, audit_of_everything, audit_of_organisation, my_history
from app.access.door import Access
from app.access.gates import Row, may, one
from app.access.grants import Action
from app.access.organisations import ORGANISATIONS
from app.core import wire
from app.core.pages import Page
from app.core.routes import Route

router = APIRouter(prefix="/v1/audit", tags=["Audit"], route_class=Route)
me_router = APIRouter(prefix="/v1/me", tags=["People"], route_class=Route)
organisation_router = APIRouter(prefix="/v1/organisations", tags=["Audit"], route_class=Route)


class AuditEntry(BaseModel):
    """One act on an account or a right: who, when, what; never content."""

    sequence: wire.Count
    at: wire.WireMoment
    by: Annotated[
        Json[wire.Named] | None,
        Field(description="Who did it; null: a client by itself, or the operator's command line."),
    ]
    through: Annotated[
        Json[wire.Named] | None, Field(description="Through which client; null: the command line.")
    ]
    action: wire.Word
    kind: wire.Word
    resource_id: wire.WireId
    resource_version: wire.Number
    person: Annotated[Json[wire.Named] | None, Field(description="Whose account or right it is.")]
    organisation_id: wire.WireIdOrNull
    changed: Annotated[
        Json[list[wire.Word]],
        wire.at_most(100),
        Field(description="Names of the fields that changed."),
    ]


Query = Annotated[AuditQuery, wire.Parameters]


@router.get("", summary="Read the audit of all accounts and rights")
async def read_audit(
    access: Annotated[Access, may(Action.AUDIT_READ)], query: Query, response: Response
) -> Page[AuditEntry]:
    """For the operator's administrators: people, affiliations, clients, identities, organisations,
    administrators, and openings of agreements to which they have no tie; newest first. Nothing of
    coaching is in it."""
    page = await audit_of_everything(access, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@organisation_router.get("/{organisation_id}/audit", summary="Read an organisation's audit")
async def read_organisation_audit(
    row: Annotated[Row, one(Action.ORGANISATION_AUDIT, ORGANISATIONS)],
    query: Query,
    response: Response,
) -> Page[AuditEntry]:
    """For its administrators: what was done to its affiliations, clients, sign-in identities and to
    itself; newest first."""
    page = await audit_of_organisation(row.access, query, row.id)
    row.access.link(response, page)
    return page  # type: ignore[return-value]


@me_router.get("/history", summary="Read what was done to your account")
async def read_my_history(
    access: Annotated[Access, may(Action.ME_HISTORY)], query: Query, response: Response
) -> Page[AuditEntry]:
    """Every act on your name, address, affiliations, memberships, rights and ways in, by whomever;
    newest first."""
    page = await my_history(access, query)
    access.link(response, page)
    return page  # type: ignore[return-value]
