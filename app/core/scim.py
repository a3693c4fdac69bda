"""The form in which SCIM refuses (RFC 7644, section 3.12), and where it is spoken."""

from collections.abc import Mapping

from pydantic_core import to_json
from starlette.responses import Response

from app.core.errors import Problem

BASE = "/scim/v2"
MEDIA_TYPE = "application/scim+json"
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_KEYWORDS = {"malformed-request": "invalidSyntax", "invalid": "invalidValue"}
_UNPROCESSABLE = 422


class Refusal(Problem):
    """What the protocol itself refuses."""

    title = "Refused"

    def __init__(
        self,
        status: int,
        detail: str,
        scim_type: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail, headers=headers, scim_type=scim_type)
        self.status = status  # type: ignore[misc]


def speaks_scim(path: str) -> bool:
    """Whether the address answers in the words of SCIM."""
    return path.startswith("/scim/")


def as_scim(problem: Problem) -> Response:
    """A problem as SCIM tells it."""
    # SCIM knows no 422: what it calls invalid is a 400 with a keyword.
    status = 400 if problem.status == _UNPROCESSABLE else problem.status
    keyword = problem.members.get("scim_type") or _KEYWORDS.get(getattr(problem, "slug", ""))
    places = [
        f"{error.get('pointer') or error.get('parameter') or ''} {error['detail']}".strip()[:300]
        for error in problem.errors[:5]
    ]
    body = {
        "schemas": [_ERROR],
        "status": str(status),
        **({"scimType": keyword} if keyword else {}),
        "detail": "; ".join([problem.detail, *places]),
    }
    return Response(
        to_json(body), status_code=status, headers=problem.headers, media_type=MEDIA_TYPE
    )
