"""Every way in which a request can fail, as classes that carry their status.

Problem
├── MalformedRequest          400  not HTTP or JSON as the contract asks for
├── Unauthenticated           401  no valid token
├── Forbidden                 403  may see the record, may not do this to it
│   ├── InsufficientScope     403  the token lacks the scope
│   └── SwitchedOff           403  a setting of this installation turns it off
├── NotFound                  404  not there, or not for this caller: never told apart
├── MethodNotAllowed          405
├── TooSlow                   408  the body did not arrive in time
├── Conflict                  409  the record's state does not allow it
│   ├── IdTaken               409  an id that the client made is in use
│   └── RequestInProgress     409  the same Idempotency-Key is still at work
├── StaleVersion              412  If-Match names an old version
├── TooLarge                  413
├── UnsupportedMediaType      415
│   └── UnsupportedFile       415  a file of a kind that is not taken
├── RangeNotSatisfiable       416  a range that lies outside of the file
├── Invalid                   422  fields or parameters that break a rule, each named
├── KeyReused                 422  an Idempotency-Key with another request
├── PreconditionRequired      428  If-Match is missing
├── TooManyRequests           429  the caller's or the address's minute is used up
├── Failure                   500  our fault
└── Unavailable               503  the database or the files are busy or away; try again

RFC 9457: each class is a problem type with a page at /problems/{slug}.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class Problem(Exception):
    """A refused request. `detail` is for people; it never holds content of other records."""

    status: ClassVar[int]
    slug: ClassVar[str]
    title: ClassVar[str]
    advice: ClassVar[str]
    """What the caller can do about it; shown on the problem's page."""

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail or self.title + "."
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.members = members


class MalformedRequest(Problem):
    status, slug, title = 400, "malformed-request", "The request cannot be read"
    advice = (
        "Send one JSON value in UTF-8: no duplicate keys, no NaN or Infinity, no NUL, integers of at "
        "most 64 bits, at most 32 levels deep. A file is one whole multipart/form-data body. The detail "
        "says where reading stopped."
    )


class Unauthenticated(Problem):
    status, slug, title = 401, "unauthenticated", "A valid access token is needed"
    advice = (
        "Get an access token from /oauth/token and send it in one Authorization header: "
        "`Authorization: Bearer <token>`. Tokens live for minutes: get a new one when one has expired."
    )

    def __init__(
        self,
        detail: str = "",
        *,
        error: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        challenge = "Bearer" + (f' error="{error}"' if error else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge, **(headers or {})})


class Forbidden(Problem):
    status, slug, title = 403, "forbidden", "You may see this, but not do that to it"
    advice = "The detail names who may do it. Nothing was changed."


class InsufficientScope(Forbidden):
    slug, title = "insufficient-scope", "The token lacks the scope for this"
    advice = "Ask for a token with the scope that the detail names; your client must be registered for it."

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This needs the scope {scope}.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
            scope=scope,
        )


class SwitchedOff(Forbidden):
    slug, title = "switched-off", "This is switched off here"
    advice = (
        "Whoever runs the service has left this switched off; the detail names what. The configuration says "
        "how it is switched on. Nothing was changed."
    )


class NotFound(Problem):
    status, slug, title = 404, "not-found", "Not found"
    advice = (
        "There is no such record, or it is not for you to see; the answer is the same. Check the "
        "address, or ask the record's owner whether the agreement lets you read it."
    )

    def __init__(self) -> None:
        super().__init__("There is no such record, or it is not for you to see.")


class MethodNotAllowed(Problem):
    status, slug, title = (
        405,
        "method-not-allowed",
        "This address does not take that method",
    )
    advice = "The Allow header lists the methods that it takes."


class TooSlow(Problem):
    status, slug, title = 408, "too-slow", "The body took too long to arrive"
    advice = (
        "Send the whole body within the time that the detail names. Nothing was changed: the same request "
        "may be sent again over a better connection."
    )

    def __init__(self, seconds: int) -> None:
        # What is still under way is not waited for.
        super().__init__(
            f"The body must arrive within {seconds} seconds.", headers={"Connection": "close"}
        )


class Conflict(Problem):
    status, slug, title = 409, "conflict", "The record's state does not allow this"
    advice = "Read the record again: the detail says which state is needed. Nothing was changed."


class IdTaken(Conflict):
    slug, title = "id-taken", "That id is taken"
    advice = "Make a new UUID of version 7 and send the record again. Nothing is said about who holds the id."

    def __init__(self) -> None:
        super().__init__("The id in the request is taken. Make a new one.")


class RequestInProgress(Conflict):
    slug, title = "request-in-progress", "The same request is still at work"
    advice = (
        "A request with this Idempotency-Key, or this id, has not been answered yet. Wait a moment and "
        "send it again, unchanged."
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


class StaleVersion(Problem):
    status, slug, title = 412, "stale-version", "Somebody changed the record first"
    advice = (
        "`current` holds the record as it is now, and the ETag header its version. Merge your change "
        "into it and send it again with that ETag in If-Match."
    )


class TooLarge(Problem):
    status, slug, title = 413, "too-large", "The request is too large"
    advice = "Send less at once; the detail names the limit."


class UnsupportedMediaType(Problem):
    status, slug, title = (
        415,
        "unsupported-media-type",
        "That kind of body is not read here",
    )
    advice = "Send the Content-Type that the detail names, without Content-Encoding."


class UnsupportedFile(UnsupportedMediaType):
    slug, title = "unsupported-file", "That kind of file is not taken"
    advice = (
        "Save the file as one of the kinds that the detail names. The kind is told by the content: "
        "another name or Content-Type changes nothing."
    )


class RangeNotSatisfiable(Problem):
    status, slug, title = 416, "range-not-satisfiable", "The file ends before that range"
    advice = "Content-Range names the size of the file. Ask for a part that lies in it, or for the whole."

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The file has {size:,} bytes.", headers={"Content-Range": f"bytes */{size}"}
        )


class Invalid(Problem):
    status, slug, title = 422, "invalid", "Some fields break a rule"
    advice = (
        "`errors` names each field by a JSON pointer into the body, or by its parameter or header, "
        "and says what to do. Nothing was changed."
    )

    @classmethod
    def field(cls, pointer: str, detail: str) -> "Invalid":
        """One wrong field, by JSON pointer."""
        return cls(errors=[{"pointer": pointer, "detail": detail}])


class KeyReused(Problem):
    status, slug, title = (
        422,
        "idempotency-key-reused",
        "That Idempotency-Key belongs to another request",
    )
    advice = "Use a new key for a new request; the same key only repeats the same request."


class PreconditionRequired(Problem):
    status, slug, title = 428, "precondition-required", "If-Match is needed"
    advice = (
        "Read the record, then send its ETag in If-Match with your change, so that nobody's work is "
        "overwritten unseen."
    )


class TooManyRequests(Problem):
    status, slug, title = 429, "too-many-requests", "Too many requests"
    advice = (
        "Wait for the seconds in Retry-After. RateLimit-Policy names the limit, and RateLimit says on every "
        "answer how much of it is left: slow down before it is used up."
    )

    def __init__(
        self, limit: str, most: int, window: int, seconds: int, *, detail: str = ""
    ) -> None:
        super().__init__(
            detail
            or f"At most {most:,} requests in {window} seconds are answered for each {limit}.",
            headers={"Retry-After": str(seconds)},
        )


class Failure(Problem):
    status, slug, title = 500, "failure", "The service failed"
    advice = "This is our fault. Give the request id to whoever runs the service."


class Unavailable(Problem):
    status, slug, title = 503, "unavailable", "The service cannot answer just now"
    advice = "Send the same request again after the seconds in Retry-After."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, headers={"Retry-After": "2"})


def problem_types() -> dict[str, type[Problem]]:
    """Every problem type by its slug."""

    def walk(kind: type[Problem]) -> list[type[Problem]]:
        return [
            kind,
            *(found for child in kind.__subclasses__() for found in walk(child)),
        ]

    return {kind.slug: kind for kind in walk(Problem) if "slug" in vars(kind)}
