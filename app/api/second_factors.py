"""A person's own second factor: authenticator apps and recovery codes."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, StringConstraints
from starlette.requests import Request

from app.access.accounts import account_standing
from app.access.door import Access
from app.access.gates import Owned, may, one
from app.access.grants import Action
from app.access.ways_in import CODES_LEFT, MY_FACTORS, MY_IDENTITIES, SECOND_FACTORS
from app.actions import accounts
from app.core import wire
from app.core.routes import Route
from app.core.sealing import Seals
from app.core.text import Line
from app.models.second_factors import SecondFactor

router = APIRouter(prefix="/v1/me", tags=["Account"], route_class=Route)

Code = Annotated[
    Line,
    StringConstraints(max_length=40),
    Field(description="Six digits that an app of yours shows now, or a recovery code."),
]
RecoveryCodes = Annotated[list[Annotated[str, wire.Says(maxLength=19)]], wire.at_most(10)]


class SecondFactorOut(BaseModel):
    """An authenticator app."""

    id: wire.WireId
    name: wire.Name | None
    created_at: wire.WireMoment
    confirmed_at: Annotated[
        wire.WireMomentOrNull, Field(description="Null: it does not count yet.")
    ]
    last_used_at: wire.WireMomentOrNull


class SecondFactorsOut(BaseModel):
    """What stands between your password and your account."""

    items: Annotated[list[SecondFactorOut], wire.at_most(10)]
    required: Annotated[bool, Field(description="Whether you must have one here.")]
    recovery_codes_left: wire.Count


class SecondFactorNew(wire.Shape):
    """An app to be set up."""

    name: Annotated[
        Annotated[Line, StringConstraints(max_length=100)] | None,
        Field(description="What you call it, to tell two apart."),
    ] = None
    code: Annotated[
        Code | None, Field(description="Needed when you have an app already: a code of it.")
    ] = None


class EnrolmentOut(BaseModel):
    """What the app needs; shown only here."""

    id: wire.WireId
    secret: Annotated[str, wire.Says(maxLength=100), Field(description="In Base32, to be typed.")]
    otpauth_uri: Annotated[
        str, wire.Says(maxLength=1000), Field(description="To be shown as a QR code, or opened.")
    ]


class Shown(wire.Shape):
    """A code that shows that it is you."""

    code: Code


class ConfirmedOut(BaseModel):
    """The app counts from now on."""

    id: wire.WireId
    recovery_codes: Annotated[
        RecoveryCodes | None,
        Field(description="Shown only here; null for who has some already."),
    ]


class RecoveryCodesOut(BaseModel):
    """Each stands in for an app once; shown only here."""

    recovery_codes: RecoveryCodes


def _seals(request: Request) -> Seals:
    found: Seals = request.app.state.seals
    return found


Of = Annotated[
    Owned[SecondFactor],
    one(Action.SECOND_FACTOR_CHANGE, SECOND_FACTORS, SecondFactorOut, takes_key=False),
]


@router.get("/second-factors", summary="List your authenticator apps")
async def list_second_factors(
    access: Annotated[Access, may(Action.ME_WAYS_IN)],
) -> SecondFactorsOut:
    """The apps whose codes are asked for when you sign in, and how many recovery codes are left."""
    me = access.caller.person_id
    assert me is not None, "the grant lets people in alone"
    standing = await account_standing(access.unit, me)
    left = await access.read(CODES_LEFT)
    return {  # type: ignore[return-value]
        "items": await access.read(MY_FACTORS),
        "required": standing.must_have_factor,
        "recovery_codes_left": left[0]["left"],
    }


@router.post("/second-factors", status_code=201, summary="Set up an authenticator app")
async def start_second_factor(
    request: Request,
    access: Annotated[Access, may(Action.ME_SECOND_FACTOR, takes_key=False)],
    body: SecondFactorNew,
) -> EnrolmentOut:
    """Answers what an app needs (RFC 6238: SHA-1, six digits, thirty seconds). It counts when a code has
    confirmed it. For the first one you must have signed in within the last 30 minutes."""
    made = await accounts.start_factor(
        access, _seals(request), name=body.name, code=body.code, account=await _account(access)
    )
    return {"id": made.id, "secret": made.secret, "otpauth_uri": made.uri}  # type: ignore[return-value]


async def _account(access: Access) -> str:
    """What the app shows beside the service's name."""
    ways: list[dict[str, Any]] = await access.read(MY_IDENTITIES)
    named = [way["email"] for way in ways if way["email"] and way["closed_at"] is None]
    return named[0] if named else str(access.caller.person_id)


@router.post(
    "/second-factors/{second_factor_id}/confirmation", summary="Confirm an authenticator app"
)
async def confirm_second_factor(request: Request, owned: Of, body: Shown) -> ConfirmedOut:
    """With a code that the new app shows. From then on a code is asked for when you sign in."""
    codes = await accounts.finish_factor(owned.access, _seals(request), owned.entity, body.code)
    return {"id": owned.entity.id, "recovery_codes": codes}  # type: ignore[return-value]


@router.post(
    "/second-factors/{second_factor_id}/removal",
    status_code=204,
    summary="Remove an authenticator app",
)
async def remove_second_factor(request: Request, owned: Of, body: Shown) -> None:
    """With a code of any of your apps, or a recovery code. With the last app the recovery codes go."""
    await accounts.remove_factor(owned.access, _seals(request), owned.entity, body.code)


@router.post("/recovery-codes", status_code=201, summary="Make new recovery codes")
async def make_recovery_codes(
    request: Request,
    access: Annotated[Access, may(Action.ME_SECOND_FACTOR, takes_key=False)],
    body: Shown,
) -> RecoveryCodesOut:
    """Ten, shown only here; those that you had count no longer."""
    codes = await accounts.renew_recovery_codes(access, _seals(request), body.code)
    return {"recovery_codes": codes}  # type: ignore[return-value]
