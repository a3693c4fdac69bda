"""Every problem of the service has a form in SCIM's words."""

import json

import pytest

from app.core.errors import Conflict, Invalid, Problem, problem_types
from app.core.http import told
from app.core.scim import MEDIA_TYPE, as_scim

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"


def example(kind: type[Problem]) -> Problem:
    """A problem of the kind, as it is raised."""
    made = kind.__new__(kind)
    Problem.__init__(made, "What is wrong.", headers={"Retry-After": "2"})
    return made


@pytest.mark.parametrize("slug", sorted(problem_types()))
def test_a_problem_in_the_words_of_scim(slug: str) -> None:
    problem = example(problem_types()[slug])
    answer = as_scim(problem)
    found = json.loads(answer.body)
    # RFC 7644 knows no 422: what a value breaks is a 400 with a keyword.
    assert answer.status_code == (400 if problem.status == 422 else problem.status)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.headers["retry-after"] == "2"
    assert found["schemas"] == [ERROR]
    assert found["status"] == str(answer.status_code)
    assert found["detail"] == "What is wrong."


def test_it_names_what_is_wrong_and_bounds_it() -> None:
    found = json.loads(as_scim(Invalid.field("/userName", "x" * 5000)).body)
    assert found["scimType"] == "invalidValue"
    assert "/userName x" in found["detail"]
    assert len(found["detail"]) < 500
    taken = json.loads(as_scim(Conflict("Taken.", scim_type="uniqueness")).body)
    assert (taken["status"], taken["scimType"]) == ("409", "uniqueness")


def test_the_address_decides_how_a_refusal_is_told() -> None:
    problem = Conflict("Taken.")
    for path, kind in (
        ("/scim/v2/Users", MEDIA_TYPE),
        ("/scim/anything", MEDIA_TYPE),
        ("/v1/people", "application/problem+json"),
        ("/scimitar", "application/problem+json"),
    ):
        assert told(problem, {"path": path}).headers["content-type"] == kind
