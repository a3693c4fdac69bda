"""One's own password, for who is signed in by one."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request

from app.access.door import Access
from app.access.gates import may
from app.access.grants import Action
from app.actions import accounts
from app.core import wire
from app.core.negotiation import language_of
from app.core.rates import network_of
from app.core.routes import Route
from app.core.text import Typed

router = APIRouter(prefix="/v1/me/password", tags=["People"], route_class=Route)

Password = Annotated[Typed, Field(description="As it is typed.")]


class PasswordChange(wire.Shape):
    """The password that counts now, and the one that shall."""

    current_password: Password
    new_password: Annotated[
        Typed,
        Field(
            description="12 to 256 characters of any kind. Not one of those that are guessed first, nor made of "
            "your own name or address.",
        ),
    ]


@router.put("", status_code=204, summary="Change your password")
async def change_my_password(
    access: Annotated[Access, may(Action.ME_PASSWORD)], request: Request, body: PasswordChange
) -> None:
    """Of the way in by which you are signed in. All your other sessions end; this one goes on. 409 where you
    sign in through your organisation; 429 after five wrong ones in 30 minutes. The address is told."""
    await accounts.change_password(
        request.app.state.database,
        access.unit,
        actor=access.caller.actor,
        session_id=access.caller.session_id,
        current=body.current_password,
        new=body.new_password,
        network=network_of(request.scope),
        language=language_of(request),
    )
