"""The user of RFC 7643, as much of it as means something here; the rest is passed over unread."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from scim2_models import (
    URN,
    ComplexAttribute,
    Extension,
    InvalidValueException,
    Meta,
    Required,
    Resource,
    Uniqueness,
)
from scim2_models import EnterpriseUser as _EnterpriseUser
from scim2_models import User as _User
from scim2_models.resources.resource import AnyExtension

from app.actions.scim import Told, role_of
from app.core.http import as_uuid
from app.core.tables import as_moment
from app.core.text import Email as Address
from app.core.text import clean
from app.models.people import AffiliationRole

_MOST_VALUES = 20
ROLES = [str(role) for role in AffiliationRole]


def _one_line(value: str, most: int) -> str:
    found = clean(value)
    if any(mark in found for mark in "\n\r\t"):
        raise ValueError("must be on one line")
    if not found.strip() or len(found) > most:
        raise ValueError(f"must have 1 to {most} characters")
    return found


def _line(most: int) -> BeforeValidator:
    return BeforeValidator(
        lambda value: _one_line(value, most) if isinstance(value, str) else value
    )


def _role(value: str | None) -> str | None:
    if value is not None and role_of(value) is None:
        raise ValueError(f"is no role here: {', '.join(ROLES)}")
    return value  # as it was sent: a directory compares it with what it has


def _few(values: list[Any] | None) -> list[Any] | None:
    if values is not None and len(values) > _MOST_VALUES:
        raise ValueError(f"has at most {_MOST_VALUES} values")
    return values


class Name(ComplexAttribute):
    """The parts of a name."""

    formatted: Annotated[str | None, _line(300)] = None
    family_name: Annotated[str | None, _line(300)] = None
    given_name: Annotated[str | None, _line(300)] = None


class Email(ComplexAttribute):
    """An address at which the directory says that the person is reached."""

    value: Annotated[Address | None, _line(254)] = None
    type: Annotated[str | None, _line(50)] = None
    primary: bool | None = None


class Role(ComplexAttribute):
    """What the person is at the organisation: a word of the service's own."""

    value: Annotated[str | None, AfterValidator(_role)] = Field(None, examples=ROLES)
    display: Annotated[str | None, _line(300)] = None
    type: Annotated[str | None, _line(50)] = None
    primary: bool | None = None


class User(Resource[AnyExtension]):
    """A way in for a person, with what their organisation's directory says of them."""

    __schema__ = _User.__schema__

    user_name: Annotated[str | None, Uniqueness.server, Required.true, _line(254)] = None
    name: Name | None = None
    display_name: Annotated[str | None, _line(300)] = None
    active: bool | None = None
    emails: Annotated[list[Email] | None, AfterValidator(_few)] = None
    roles: Annotated[list[Role] | None, AfterValidator(_few)] = None


class EnterpriseUser(Extension):
    """The number by which the organisation's other systems know the person."""

    __schema__ = URN(str(_EnterpriseUser.__schema__))

    employee_number: Annotated[str | None, _line(100)] = None


Model: Any = User[EnterpriseUser]
"""A user with the extension."""


def told_by(user: Any) -> Told:
    """What a user says, for the action; InvalidValueException for what the common attributes break."""
    enterprise, name = user[EnterpriseUser], user.name or Name()
    return Told(
        user_name=user.user_name,
        external_id=_external_id(user.external_id),
        employee_number=enterprise.employee_number if enterprise else None,
        display_name=user.display_name,
        formatted_name=name.formatted,
        given_name=name.given_name,
        family_name=name.family_name,
        emails=_plain(user.emails, ("value", "type", "primary")),
        roles=_plain(user.roles, ("value", "display", "type", "primary")),
        active=user.active,
    )


def _external_id(value: str | None) -> str | None:
    try:
        return None if value is None else _one_line(value, 100)
    except ValueError as error:
        raise InvalidValueException(detail=f"externalId {error}.") from None


def _plain(values: list[Any] | None, names: tuple[str, ...]) -> list[dict[str, Any]] | None:
    found = [
        {name: sent for name in names if (sent := getattr(value, name)) is not None}
        for value in values or ()
    ]
    return found or None


def shown(row: Mapping[str, Any]) -> Any:
    """The user of a row."""
    name = {
        "formatted": row["formatted_name"],
        "given_name": row["given_name"],
        "family_name": row["family_name"],
    }
    user = Model(
        id=str(as_uuid(row["id"])),
        external_id=row["external_id"],
        user_name=row["user_name"],
        name=Name(**name) if any(name.values()) else None,
        display_name=row["display_name"],
        active=None if row["active"] is None else row["closed_at"] is None,
        emails=_listed(Email, row["emails"]),
        roles=_listed(Role, row["roles"]),
        meta=Meta(
            resource_type="User",
            created=as_moment(row["created_at"]),
            last_modified=as_moment(row["updated_at"]),
            version=f'W/"{row["version"]}"',
        ),
    )
    if row["employee_number"] is not None:
        user[EnterpriseUser] = EnterpriseUser(employee_number=row["employee_number"])
    return user


def _listed(kind: type[ComplexAttribute], stored: str | None) -> list[Any] | None:
    return [kind(**value) for value in json.loads(stored)] if stored else None
