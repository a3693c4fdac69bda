"""Every check that is narrowed, where, and why. None is switched off; docs/decisions/fuzzing.md tells the same.

schemathesis calls a request good that fits its schema. Some rules no schema can tell (that an id must name a record,
that a key was used before): a refusal for one of these is no finding, if it is the very refusal of the table.
"""

import re
from typing import Any, NamedTuple

from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.parameters import ParameterLocation
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
    """What no schema can tell."""
    slug: str
    """The problem."""
    detail: str = ""
    """How what it says of the field, parameter or header begins, as a regular expression."""
    named: str = ""
    """The field, parameter or header, as a regular expression; empty: any."""
    operation: str = ""
    """Where, as a regular expression; empty: everywhere."""


_AGREEMENT = "POST /v1/learning-agreements/{learning_agreement_id}/"

RULES: tuple[Rule, ...] = (
    Rule("the ETag that the record has now", "stale-version"),
    Rule("whether the key was used", "idempotency-key-reused", "was sent with", "Idempotency-Key"),
    Rule("what this service has sealed, for this list", "invalid", "is not the `next`", "cursor"),
    Rule(
        "the type of a file, which its content tells",
        "unsupported-file",
        operation="POST .*/files",
    ),
    Rule(
        "which actions there are on the kind of record that is named",
        "invalid",
        "is no action on it",
        "action",
        "GET /v1/access/explanation",
    ),
    Rule(
        "what there is, and may be named by this caller there",
        "invalid",
        "names? (no|nobody) |is not the code of|is not a network that|is you|must be (another "
        "organisation|a learner of|a supporting party|the agreement's home)|a learner must be affiliated",
    ),
    Rule("what is the same twice", "invalid", "(names|has) (a|an) [a-z]+ twice", "/[a-z_/0-9]*"),
    Rule(
        "what goes together",
        "invalid",
        "name (one|the learner) |.* sent together, or neither|with a person: ends_on|with_evidence is for|"
        "is needed: (pupils|at which|for which)|is needed .or pupil_consent|needs an affiliation|the record may show|"
        "of an organisation is one of|outside an agreement a|a record outside an agreement|"
        "a public client is bound to no place|name the organisation or the network",
    ),
    Rule(
        "what this service gave to this caller before",
        "invalid",
        "is (not what the first step answered|none of this client's|none that waits|none that counts|wrong, or has "
        "been used)",
        "/(confirmation|redirect_uri|code|join_code)",
    ),
    Rule(
        "what is a key of its kind: its members, its curve, its size",
        "invalid",
        "the key .* (is for none|is incomplete|is on another|cannot be read|has fewer)|two keys have the same kid",
        "/keys",
    ),
    Rule("what a client without people can use", "invalid", "only people who sign in", "/scopes"),
    Rule(
        "what is an address of a mailbox, of a mail domain, of a provider or of an app",
        "invalid",
        "must be (one e-mail address|a mail domain|an address)|must begin with https|is longer than an "
        "e-mail",
        "/(email|issuer|trusted_domains/.*|redirect_uris/.*)",
    ),
    Rule(
        "that a text in two languages says everything in both",
        "invalid",
        "is needed(: the agreement is in two languages| beside its Welsh)|must say each rule",
    ),
    Rule(
        "how dates stand to each other and to today",
        "invalid",
        "must (not be before|lie between|be a day to come)|is over: |the id's time lies in the future",
    ),
    Rule("that spaces alone are no text", "invalid", "must not be blank", "/.*|q|external_id"),
    Rule(
        "that nothing lies below itself", "invalid", "must not be the [a-z]+ itself", "/parent_id"
    ),
    Rule(
        "what terms may tick, and what those in force tick",
        "invalid",
        "(existence|text): |the agreement's terms do not tick|would (add|give|be opened)",
    ),
    Rule(
        "that a change changes something",
        "invalid",
        "is as it was|is the text in force",
        operation=_AGREEMENT + "(narrowing|amendments)",
    ),
    Rule("who drafts", "invalid", "must name you", ".*/parties"),
    Rule(
        "that what is signed is complete: a draft need not be",
        "invalid",
        "is needed before|an agreement is between|a coach, co-coach|a learner is needed|each learner needs|"
        "leads the home organisation",
        operation=_AGREEMENT + "(proposal|amendments)",
    ),
    Rule(
        "the text that was read, and what a coach promises",
        "invalid",
        "is not the digest|a coach acknowledges",
        operation=_AGREEMENT + "signatures",
    ),
)
"""Refusals for what a schema cannot tell."""


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
        "a value has no NUL",
        "POST /oauth/(introspect|revoke|token)",
        400,
        '{"error":"invalid_request","error_description":"A parameter contains NUL',
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
    mutated = {
        mutation.parameter
        for mutation in getattr(data, "mutations", ()) or ()
        # Undeclared ones are no violation, says schemathesis too, except in a body.
        if mutation.parameter_location is ParameterLocation.BODY
        or tuple(mutation.keywords) != ("additionalProperties",)
    }
    return mutated or {getattr(data, "parameter", None)}


def _is_replay(response: Response) -> bool:
    """A repeat of what was done before: its If-Match was judged then, and is not judged again."""
    return "idempotency-replayed" in response.headers


def _leads_nowhere(case: Case) -> bool:
    """Whether a chain of requests has put a null that it was answered into an address, as `None`."""
    return any(value in (None, "None") for value in (case.path_parameters or {}).values())


def filter_failure(context: HookContext, failure: Failure, case: Case, response: Response) -> bool:
    """schemathesis' hook: whether a failure is a finding."""
    label = case.operation.label
    if isinstance(failure, RejectedPositiveData):
        return not (_is_ruled(case, response) or _leads_nowhere(case))
    if isinstance(failure, AcceptedNegativeData):
        wrong = _wrong(case)
        return not (wrong <= LENIENT.keys() or (wrong == {"If-Match"} and _is_replay(response)))
    if isinstance(failure, UnsupportedMethodResponse):
        return (label, failure.method) != (FORM_OF_THE_PAGE, "POST")
    if isinstance(failure, AllowHeaderMismatch):
        return (label, failure.undocumented_methods) != (FORM_OF_THE_PAGE, ["POST"])
    return True
