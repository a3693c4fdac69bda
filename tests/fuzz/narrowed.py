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
from schemathesis.openapi.checks import RejectedPositiveData

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


RULES: tuple[Rule, ...] = ()

LENIENT = {
    "Accept-Language": "a wish, never an error (RFC 9110, 12.4): what cannot be read in it is left out",
    "If-None-Match": "a tag that nothing has is not met, whatever its letters (RFC 9110, 13.1.2): 200",
    "Range": "what cannot be read in it is left out (RFC 9110, 14.2): 200 with everything",
}
"""Headers whose bounds say what is read in them; what is beyond is left out and not refused."""


def _is_ruled(case: Case, response: Response) -> bool:
    try:
        problem = response.json()
    except ValueError:
        return False
    slug = str(problem.get("type", "")).rpartition("/")[2] if isinstance(problem, dict) else ""
    errors = problem.get("errors") or [{}] if slug else []
    return bool(slug) and all(
        any(_fits(rule, case.operation.label, slug, error) for rule in RULES) for error in errors
    )


def _fits(rule: Rule, label: str, slug: str, error: dict[str, str]) -> bool:
    named = error.get("pointer") or error.get("parameter") or error.get("header") or ""
    return (
        rule.slug == slug
        and re.fullmatch(rule.named or ".*", named) is not None
        and re.match(rule.detail, error.get("detail", "")) is not None
        and re.fullmatch(rule.operation or ".*", label) is not None
    )


def _is_lenient(case: Case) -> bool:
    """Whether all that is wrong with a case is in headers of `LENIENT`."""
    data = case.meta.phase.data if case.meta is not None else None
    mutated = {mutation.parameter for mutation in getattr(data, "mutations", ()) or ()}
    wrong = mutated or {getattr(data, "parameter", None)}
    return wrong <= LENIENT.keys()


def filter_failure(
    context: HookContext, failure: Failure, case: Case, response: Response
) -> bool:
    """schemathesis' hook: whether a failure is a finding."""
    if isinstance(failure, RejectedPositiveData):
        return not _is_ruled(case, response)
    if isinstance(failure, AcceptedNegativeData):
        return not _is_lenient(case)
    return True
