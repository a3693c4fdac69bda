"""Accounts that come to an end: disabled with a reason, or anonymised for good."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request

from app.access.door import Access
from app.access.gates import Owned, may, one
from app.access.grants import Action
from app.access.people import PEOPLE
from app.actions import accounts
from app.core import wire
from app.core.routes import Route
from app.core.text import Line
from app.models.people import Person

router = APIRouter(prefix="/v1/people", tags=["Account"], route_class=Route)
me_router = APIRouter(prefix="/v1/me", tags=["Account"], route_class=Route)


class AccountOut(BaseModel):
    """Whether anybody can sign in to an account."""

    person_id: wire.WireId
    disabled_at: wire.WireMomentOrNull
    reason: Annotated[wire.Text | None, Field(description="Shown to the person who tries.")]


class PersonNow(wire.Resource):
    """Whose account it is, as they are now: what a 412 shows."""

    name: wire.Name


class Disabling(wire.Shape):
    """Why nobody is to sign in."""

    reason: Annotated[
        Line, Field(description="The person is shown it when they sign in: write it to them.")
    ]


Account = Annotated[Owned[Person], one(Action.PERSON_DISABLE, PEOPLE, PersonNow, takes_key=False)]


@router.post("/{person_id}/disabling", summary="Disable an account")
async def disable_account(owned: Account, body: Disabling) -> AccountOut:
    """For the operator's administrators. Nobody signs in as the person any more, by any way; sessions end
    within ten seconds. What they wrote and signed stays as the agreements have it."""
    await accounts.disable_account(owned, body.reason)
    return _shown(owned.entity)


@router.post("/{person_id}/enabling", summary="Enable an account again")
async def enable_account(owned: Account) -> AccountOut:
    """For the operator's administrators. The person signs in again as before."""
    await accounts.enable_account(owned)
    return _shown(owned.entity)


def _shown(person: Person) -> AccountOut:
    return AccountOut(
        person_id=person.id, disabled_at=person.disabled_at, reason=person.disabled_because
    )


class Wish(wire.Shape):
    """The wish to be anonymised."""

    code: Annotated[
        Annotated[Line, StringConstraints(max_length=40)] | None,
        Field(
            description="Needed when you have a second factor: a code of it, or a recovery code."
        ),
    ] = None


class AskedOut(BaseModel):
    """What the second step takes."""

    confirmation: wire.Name
    expires_at: wire.WireMoment


class Confirmation(wire.Shape):
    """The second step."""

    confirmation: Line


Leaver = Annotated[Owned[Person], one(Action.PERSON_ANONYMISE, PEOPLE, PersonNow, takes_key=False)]
Myself = Annotated[Access, may(Action.ME_ANONYMISE, takes_key=False)]


def _me(access: Access) -> UUID:
    assert access.caller.person_id is not None, "the grant lets people in alone"
    return access.caller.person_id


def _asked(found: accounts.Asked) -> AskedOut:
    return AskedOut(confirmation=found.confirmation, expires_at=found.expires_at)


@me_router.post("/anonymisation", summary="Ask to be anonymised")
async def ask_to_be_anonymised(request: Request, access: Myself, body: Wish) -> AskedOut:
    """The first of two steps; nothing is changed. 409 names what you must do before: leave your agreements,
    hand over what you alone administer or lead. You must have signed in within the last 30 minutes."""
    seals = request.app.state.seals
    return _asked(await accounts.ask_to_anonymise(access, seals, _me(access), code=body.code))


@me_router.post("/anonymisation/confirmation", status_code=204, summary="Be anonymised")
async def be_anonymised(request: Request, access: Myself, body: Confirmation) -> None:
    """Your name, addresses, ways in, affiliations and memberships go, and what only you could read. What you
    signed stays as it was signed, without your name. **This cannot be taken back**."""
    await accounts.anonymise(access, request.app.state.seals, _me(access), body.confirmation)


@router.post("/{person_id}/anonymisation", summary="Ask to anonymise a person who has left")
async def ask_to_anonymise_person(request: Request, owned: Leaver) -> AskedOut:
    """For the operator's administrators, of somebody who is at no organisation any more. The first of two
    steps; nothing is changed."""
    seals = request.app.state.seals
    return _asked(await accounts.ask_to_anonymise(owned.access, seals, owned.entity.id))


@router.post(
    "/{person_id}/anonymisation/confirmation",
    status_code=204,
    summary="Anonymise a person who has left",
)
async def anonymise_person(request: Request, owned: Leaver, body: Confirmation) -> None:
    """For the operator's administrators. As when the person does it: **it cannot be taken back**."""
    seals = request.app.state.seals
    await accounts.anonymise(owned.access, seals, owned.entity.id, body.confirmation)
