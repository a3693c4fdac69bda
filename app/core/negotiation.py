"""What a caller would rather have: a language by `Accept-Language`, a media type by `Accept`.

RFC 9110, 12.5, with weights. Such a header is a wish and never an error: what cannot be read in it
is left out, and who wants nothing that there is gets what everybody gets.
"""

import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, get_args

from starlette.requests import Request
from typing_extensions import TypeAliasType

Language = TypeAliasType("Language", Literal["en", "cy"])
LANGUAGES: tuple[Language, ...] = get_args(Language.__value__)
DEFAULT: Language = "en"

Offer = TypeVar("Offer", bound=str)

_LONGEST = 1000
_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")

ACCEPT_LANGUAGE: dict[str, Any] = {
    "parameters": [
        {
            "name": "Accept-Language",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": _LONGEST},
            "description": "`en` or `cy`, with weights if you like. What cannot be read in it is ignored.",
            "example": "cy, en;q=0.8",
        }
    ]
}
"""`openapi_extra` of an operation whose answer there is in both languages."""


def language_of(request: Request) -> Language:
    """The language of the answer: English, unless the caller would rather have Welsh."""
    sent = request.headers.getlist("accept-language")
    return _preferred(sent, LANGUAGES, _language_fits) if sent else DEFAULT


def media_type_of(request: Request, offers: Sequence[str]) -> str:
    """The one of `offers` that the caller would rather have; the first, unless they say."""
    return _preferred(request.headers.getlist("accept"), offers, _media_type_fits)


def _language_fits(wanted: str, offer: str) -> int | None:
    """How closely a range names a language, if it does: `cy-GB` is answered with `cy` (RFC 4647, 3.4)."""
    if wanted == "*":
        return 0
    return 1 if wanted.partition("-")[0] == offer else None


def _media_type_fits(wanted: str, offer: str) -> int | None:
    for closeness, name in enumerate(("*/*", offer.partition("/")[0] + "/*", offer)):
        if wanted == name:
            return closeness
    return None


def _preferred(
    sent: list[str], offers: Sequence[Offer], fits: Callable[[str, str], int | None]
) -> Offer:
    """The offer of most weight; of equals the one that was named first.

    An offer's weight is that of the range that names it most closely; 0 means "not this one".
    """
    ranges = _ranges(",".join(sent))
    best, best_rank = offers[0], (0.0, 0)
    for offer in offers:
        found = [
            (closeness, weight, -place)
            for place, (wanted, weight) in enumerate(ranges)
            if (closeness := fits(wanted, offer)) is not None
        ]
        _, weight, place = max(found, default=(0, 0.0, 0))
        if weight > 0 and (best_rank[0] == 0 or (weight, place) > best_rank):
            best, best_rank = offer, (weight, place)
    return best


def _ranges(header: str) -> list[tuple[str, float]]:
    """The ranges that a header names, with their weights; none if it is longer than any in use."""
    found = []
    for part in header.split(",") if len(header) <= _LONGEST else ():
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights = [
            p.partition("=")[2].strip() for p in parameters if p.partition("=")[0].strip() == "q"
        ]
        weight = weights[0] if weights else "1"
        if name and _WEIGHT.fullmatch(weight):
            found.append((name, float(weight)))
    return found
