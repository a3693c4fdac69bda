"""Every check that is narrowed, where, and why. None is switched off; docs/decisions/fuzzing.md tells the same.

schemathesis calls a request good that fits its schema. Some rules no schema can tell (that an id must name a record,
that a key was used before): a refusal for one of these is no finding, if it is the very refusal of the table.
"""

import re
from typing import Any, NamedTuple

from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.hooks import HookContext
from schemathesis.openapi.checks import (
    AllowHeaderMismatch,
    RejectedPositiveData,
    UnsupportedMethodResponse,
)

CHECKS: dict[str, Any] = {
    "negative_data_rejection": {
        # Beside schemathesis' own: 412, since the row speaks before the body (docs/decisions/request-path.md),
        # and 413, which a text far too long deserves as well.
        "expected-statuses": [
            400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429, "5xx",
        ]
    },
    "missing_required_header": {
        # 428 is what RFC 6585 has for a missing If-Match.
        "expected-statuses": [400, 401, 403, 406, 415, 422, 428]
    },
}  # fmt: skip


class Rule(NamedTuple):
    """A refusal of requests that fit the schema."""

    why: str
    slug: str
    """The problem."""
    named: str = ""
    """The field, parameter or header that it names, as a regular expression."""
    detail: str = ""
    """What it says of that, as a regular expression."""
    operation: str = ""
    """Where, as a regular expression; empty: everywhere."""


RULES: tuple[Rule, ...] = (
    Rule("which ETag is the record's own is known after it was read", "stale-version"),
    Rule(
        "another request had the key", "idempotency-key-reused", "Idempotency-Key", "was sent with"
    ),
    Rule("only the service seals cursors, each for one list", "invalid", "cursor", "is not the `next`"),
    Rule(
        "actions depend on the kind of record that is named",
        "invalid",
        "action",
        "is no action on it",
        "GET /v1/access/explanation",
    ),
    Rule("an id must name a record that the caller may name there", "invalid", ".*", "names? (no|nobody) "),
    Rule("one of two", "invalid", ".*", "name one "),
    Rule("both or neither", "invalid", ".*", "shown_on and hidden_because are sent together"),
    Rule("spaces alone are no text", "invalid", ".*", "must not be blank"),
    Rule(
        "the type of a file is told by its content",
        "unsupported-file",
        operation="POST .*/files",
    ),
    Rule(
        "who administers one organisation must say where the person is",
        "invalid",
        "/affiliation",
        "is needed",
        "POST /v1/people",
    ),
    Rule(
        "what is signed is the text that was read",
        "invalid",
        "/digest",
        "is not the digest",
        "POST .*/signatures",
    ),
    Rule(
        "narrowing narrows the terms in force",
        "invalid",
        ".*",
        "would add|is as it was|existence: a network",
        "POST .*/narrowing",
    ),
    Rule(
        "an amendment changes the text in force, which rules what fits it",
        "invalid",
        ".*",
        "is the text in force|is needed: the agreement is in two languages",
        "POST .*/amendments",
    ),
    Rule("one date before the other", "invalid", ".*", "must not be before"),
    Rule("an id tells when it was made", "invalid", "/id", "the id's time lies in the future"),
    Rule("their own", "invalid", "/owner_id", "outside an agreement a goal is the caller's"),
    Rule("today is another day tomorrow", "invalid", "/(delete_by|shown_on)", "must be a day to come"),
    Rule("who answers for it", "invalid", "/controller_organisation_id", "must be the agreement's"),
    Rule("pupils", "invalid", "/pupil_basis", "is needed .or pupil_consent.: pupils are shown"),
    Rule("nobody reads what is in no agreement", "invalid", "/readers/.*", "outside an agreement a"),
    Rule(
        "terms that contradict what networks and parties may read",
        "invalid",
        ".*/disclosure",
        "(existence|text): ",
    ),
    Rule(
        "a draft may be incomplete, a proposal may not",
        "invalid",
        ".*",
        "each learner needs a coach|an agreement is between at least two",
        "POST .*/proposal",
    ),
    Rule("codes are those of the published frameworks", "invalid", ".*", "is not the code of"),
    Rule("only its own", "invalid", "/network_id", "is not a network that the agreement", "POST .*"),
    Rule("whoever drafts is a party", "invalid", ".*/parties", "must name you"),
    Rule("no circles", "invalid", "/parent_id", "must not be the (organisation|network) itself"),
)

class Told(NamedTuple):
    """A refusal at the OAuth endpoints, which are no problems but what RFC 6749 has."""

    why: str
    operation: str
    status: int
    begin: str
    """How the answer begins."""


OAUTH: tuple[Told, ...] = (
    # /oauth/token has its exception in schemathesis: no schema can tell which secrets there are.
    Told("nobody knows the client", "GET /oauth/authorize", 400, "<!doctype html>"),
    Told(
        "a client shows who it is once",
        "POST /oauth/(introspect|revoke)",
        400,
        '{"error":"invalid_request","error_description":"Send the client',
    ),
    Told(
        "each value may be as long as the whole form",
        "POST /oauth/(introspect|revoke|token)",
        413,
        '{"error":"invalid_request","error_description":"A body may have',
    ),
)

FORM_OF_THE_PAGE = "GET /oauth/authorize"
"""POST is there too: the page's own form, tied to its browser by a cookie. Nobody else sends it, so the document
has no operation for it; `unsupported_method` and `allow_header_conformance` hear of it."""

LENIENT = {
    "Accept-Language": "a wish, never an error (RFC 9110, 12.4): what cannot be read in it is left out",
    "If-None-Match": "a tag that nothing has is not met, whatever its letters (RFC 9110, 13.1.2): 200",
    "Range": "what cannot be read in it is left out (RFC 9110, 14.2): 200 with everything",
}
"""Headers whose bounds say what is read in them; what is beyond is left out and not refused."""


def _is_ruled(case: Case, response: Response) -> bool:
    label = case.operation.label
    if label.partition(" ")[2].startswith("/oauth/"):
        return any(
            re.fullmatch(told.operation, label) is not None
            and told.status == response.status_code
            and response.text.startswith(told.begin)
            for told in OAUTH
        )
    try:
        problem = response.json()
    except ValueError:
        return False
    slug = str(problem.get("type", "")).rpartition("/")[2] if isinstance(problem, dict) else ""
    errors = problem.get("errors") or [{}] if slug else []
    return bool(slug) and all(
        any(_fits(rule, label, slug, error) for rule in RULES) for error in errors
    )


def _fits(rule: Rule, label: str, slug: str, error: dict[str, str]) -> bool:
    named = error.get("pointer") or error.get("parameter") or error.get("header") or ""
    return (
        rule.slug == slug
        and re.fullmatch(rule.named or ".*", named) is not None
        and re.match(rule.detail, error.get("detail", "")) is not None
        and re.fullmatch(rule.operation or ".*", label) is not None
    )


def _wrong(case: Case) -> set[str | None]:
    """The parameters that break the schema; None stands for the body, or for nobody knows what."""
    data = case.meta.phase.data if case.meta is not None else None
    mutated = {mutation.parameter for mutation in getattr(data, "mutations", ()) or ()}
    return mutated or {getattr(data, "parameter", None)}


def _is_replay(response: Response) -> bool:
    """A repeat of what was done before: its If-Match was judged then, and is not judged again."""
    return "idempotency-replayed" in response.headers


def filter_failure(
    context: HookContext, failure: Failure, case: Case, response: Response
) -> bool:
    """schemathesis' hook: whether a failure is a finding."""
    label = case.operation.label
    if isinstance(failure, RejectedPositiveData):
        return not _is_ruled(case, response)
    if isinstance(failure, AcceptedNegativeData):
        wrong = _wrong(case)
        return not (wrong <= LENIENT.keys() or (wrong == {"If-Match"} and _is_replay(response)))
    if isinstance(failure, UnsupportedMethodResponse):
        return (label, failure.method) != (FORM_OF_THE_PAGE, "POST")
    if isinstance(failure, AllowHeaderMismatch):
        return (label, failure.undocumented_methods) != (FORM_OF_THE_PAGE, ["POST"])
    return True
