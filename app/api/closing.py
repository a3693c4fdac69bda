"""Accounts that come to an end: disabled by the operator's administrators, with a reason."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints

from app.access.gates import Owned, one
from app.access.grants import Action
from app.access.people import PEOPLE
from app.actions import accounts
from app.core import wire
from app.core.routes import Route
from app.core.text import Line
from app.models.people import Person

router = APIRouter(prefix="/v1/people", tags=["Account"], route_class=Route)


class AccountOut(BaseModel):
    """Whether anybody can sign in to an account."""

    person_id: wire.WireId
    disabled_at: wire.WireMomentOrNull
    reason: Annotated[wire.Text | None, Field(description="Shown to the person who tries.")]


class Disabling(wire.Shape):
    """Why nobody is to sign in."""

    reason: Annotated[
        Line,
        StringConstraints(max_length=1000),
        Field(description="The person is shown it when they sign in: write it to them."),
    ]


Account = Annotated[Owned[Person], one(Action.PERSON_DISABLE, PEOPLE, AccountOut, takes_key=False)]


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
