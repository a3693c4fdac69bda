"""Joining two records of one person, with a sign-in as each."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request

from app.access.door import Access
from app.access.gates import may
from app.access.grants import Action
from app.actions import accounts
from app.core import wire
from app.core.routes import Route
from app.core.text import Line

router = APIRouter(prefix="/v1/me/joins", tags=["Account"], route_class=Route)

FactorCode = Annotated[
    Annotated[Line, StringConstraints(max_length=40)] | None,
    Field(
        description="Needed when this record has a second factor: a code of it, or a recovery code."
    ),
]


class JoinWish(wire.Shape):
    """The wish that another record of yours go into this one."""

    code: FactorCode = None


class JoinAskedOut(BaseModel):
    """What you send when you have signed in as the other record."""

    join_code: Annotated[wire.Name, Field(description="Counts once. Shown only here.")]
    expires_at: wire.WireMoment


class JoinCompletion(wire.Shape):
    """The code of the record that remains."""

    join_code: Annotated[Line, StringConstraints(max_length=100)]
    code: FactorCode = None


class JoinDone(BaseModel):
    """The record that remains."""

    person_id: wire.WireId


@router.post("", status_code=201, summary="Ask to join another record of yours with this one")
async def ask_to_join_records(
    request: Request,
    access: Annotated[Access, may(Action.ME_JOIN, takes_key=False)],
    body: JoinWish,
) -> JoinAskedOut:
    """Signed in as the record that is to remain. Then sign in as the other one and complete it with
    `join_code`, within 15 minutes. Both need a sign-in of the last 30 minutes; no administrator takes
    part. Another code takes the place of the one before."""
    asked = await accounts.ask_to_join(access, request.app.state.seals, code=body.code)
    return JoinAskedOut(join_code=asked.join_code, expires_at=asked.expires_at)


@router.post("/completion", summary="Join this record with the one that asked")
async def join_records(
    request: Request,
    access: Annotated[Access, may(Action.ME_JOIN, takes_key=False)],
    body: JoinCompletion,
) -> JoinDone:
    """Signed in as the record that goes. Its ways in, places, memberships, records and shares become the
    other's; its sessions end, and its id answers 404 from then on: it is in `joined` of the record that
    remains. What was signed stays as it was signed. 409 names what you must do before: agreements in
    force, proposals and drafts of this record come to an end first. **This cannot be taken back**."""
    person_id = await accounts.join(
        access, request.app.state.seals, join_code=body.join_code, code=body.code
    )
    return JoinDone(person_id=person_id)
