"""What comes in at the OAuth endpoints: forms, queries, and who a client says it is."""

import base64
import binascii
from typing import Any
from urllib.parse import parse_qsl, unquote_plus
from uuid import UUID

from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from starlette.requests import Request

from app.core.errors import TooLarge, UnsupportedMediaType
from app.core.routes import read_body

LIMIT = 16_384
_MOST_FIELDS = 20
FORM = "application/x-www-form-urlencoded"


def described(required: list[str], **properties: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a form."""
    schema = {
        "type": "object",
        "required": required,
        "properties": properties,
        # Others are left out (RFC 6749, 3.2), but none comes twice.
        "additionalProperties": {"type": "string", "maxLength": LIMIT},
    }
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


def parse(sent: bytes) -> dict[str, str]:
    """The parameters of a form or a query; InvalidRequestError unless each is there once."""
    try:
        # A letter that is not ASCII is written with %, and a UnicodeDecodeError is a ValueError.
        pairs = parse_qsl(
            sent.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise InvalidRequestError("The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise InvalidRequestError("A parameter is there twice.")
    if any("\x00" in value for value in form.values()):
        raise InvalidRequestError("A parameter contains NUL.")
    return form


async def read(request: Request) -> dict[str, str]:
    """The parameters of a form that was posted."""
    if request.scope["query_string"]:
        raise InvalidRequestError("Send the parameters in the body, never in the address.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM:
        raise InvalidRequestError(f"Send Content-Type: {FORM}.")
    try:
        body = await read_body(request, LIMIT)
    except (TooLarge, UnsupportedMediaType) as refused:
        raise InvalidRequestError(refused.detail, status_code=refused.status) from refused
    return parse(body)


def credentials(request: Request, form: dict[str, str]) -> tuple[UUID | None, str | None]:
    """The client and its secret, by Basic or in the form; once, or InvalidRequestError."""
    headers = request.headers.getlist("authorization")
    if not headers:
        return as_client(form.get("client_id", "")), form.get("client_secret")
    if "client_secret" in form or "client_assertion" in form or len(headers) > 1:
        raise InvalidRequestError("Send the client's secret once: by Basic or in the form.")
    scheme, _, encoded = headers[0].partition(" ")
    try:
        if scheme.lower() != "basic":
            raise ValueError("not Basic")
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (ValueError, binascii.Error) as error:
        raise InvalidClientError from error
    client_id = as_client(unquote_plus(name))
    if "client_id" in form and as_client(form["client_id"]) != client_id:
        raise InvalidRequestError("The form names another client than Basic does.")
    return client_id, unquote_plus(secret)


def as_client(value: str) -> UUID | None:
    """A client's id, if it is one."""
    try:
        return UUID(value)
    except ValueError:
        return None
