"""One's own sign-in address, and changes of it that wait."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field
from starlette.requests import Request

from app.access.addresses import ADDRESS_CHANGES
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.grants import Action
from app.actions import accounts
from app.api.accounts.passwords import Password
from app.core import wire
from app.core.negotiation import language_of
from app.core.pages import Page, PageQuery
from app.core.rates import network_of
from app.core.routes import Route
from app.core.text import Mailbox
from app.models.ways_in import AddressChange

router = APIRouter(prefix="/v1/me/address-changes", tags=["People"], route_class=Route)


class AddressChangeOut(wire.Resource):
    """A wish to sign in with another address."""

    email: Annotated[wire.Name, Field(description="The new address.")]
    state: Annotated[
        Literal["asked", "confirmed", "in_effect", "cancelled", "refused", "expired"],
        Field(
            description="asked: the link sent to the new address has not been used. confirmed: it has, and the "
            "change waits for its time. refused: stopped from the old address. expired: not confirmed in "
            "time, or somebody else has the address."
        ),
    ]
    takes_effect_at: Annotated[
        wire.WireMoment, Field(description="From when it counts, once it is confirmed.")
    ]
    expires_at: Annotated[wire.WireMoment, Field(description="Until when it can be confirmed.")]
    confirmed_at: wire.WireMomentOrNull


class AddressChangeNew(wire.Shape):
    """The address with which one would rather sign in."""

    email: Mailbox
    password: Password


class AddressChangeQuery(PageQuery):
    """Parameters of the list."""


@router.get("", summary="List the changes of your sign-in address")
async def list_address_changes(
    access: Annotated[Access, may(Action.ADDRESS_CHANGE_READ)],
    query: Annotated[AddressChangeQuery, wire.Parameters],
    response: Response,
) -> Page[AddressChangeOut]:
    """Your own, newest first; those that are over among them."""
    page = await access.page(ADDRESS_CHANGES, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=202, summary="Ask to sign in with another address")
async def ask_for_address(
    access: Annotated[Access, may(Action.ADDRESS_CHANGE_CREATE)],
    request: Request,
    body: AddressChangeNew,
) -> AddressChangeOut:
    """For the way in by which you are signed in, with its password. The new address is sent a link that
    confirms it, the old one a link that stops it; it counts after 72 hours. The answer is the same if the
    address is somebody else's: they are told, you are not. A change that waits already is replaced."""
    found = await accounts.confirm_password(
        request.app.state.database,
        access.caller.session_id,
        body.password,
        network=network_of(request.scope),
        pointer="/password",
    )
    change_id = await accounts.ask_for_address(
        access.unit,
        actor=access.caller.actor,
        found=found,
        email=body.email,
        language=language_of(request),
    )
    answer: Any = await access.answer(ADDRESS_CHANGES, change_id, created=True)
    return answer  # type: ignore[no-any-return]


@router.get("/{address_change_id}", summary="Read a change of your sign-in address")
async def read_address_change(
    row: Annotated[Row, one(Action.ADDRESS_CHANGE_READ, ADDRESS_CHANGES)],
) -> AddressChangeOut:
    """One of your own."""
    return row.data  # type: ignore[return-value]


@router.post("/{address_change_id}/cancellation", summary="Cancel a change of your sign-in address")
async def cancel_address_change(
    owned: Annotated[
        Owned[AddressChange], one(Action.ADDRESS_CHANGE_CANCEL, ADDRESS_CHANGES, AddressChangeOut)
    ],
) -> AddressChangeOut:
    """Before it has taken effect; afterwards, ask for another."""
    access = owned.access
    await accounts.cancel_change(access.unit, actor=access.caller.actor, change=owned.entity)
    answer: Any = await access.answer(ADDRESS_CHANGES, owned.entity.id)
    return answer  # type: ignore[no-any-return]
