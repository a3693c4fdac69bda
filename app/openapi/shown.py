"""Puts the story's examples where a reader of the document looks for them."""

from app.core.errors import (
    Failure,
    Problem,
    RequestInProgress,
    TooManyRequests,
    TooSlow,
    Unavailable,
)
from app.openapi.examples import Step, story
from app.openapi.headers import HEADERS, Json, refs

UNSENT: tuple[Problem, ...] = (
    TooSlow(30),
    RequestInProgress(),
    TooManyRequests("caller", 3000, 60, 37),
    Failure("The service failed."),
    Unavailable("The database is busy."),
)
"""Problems that no single request brings about; their examples are made from their classes."""

_IN_HEADERS = (
    "Accept-Language", "Break-Glass", "Idempotency-Key", "If-Match", "If-None-Match", "Range",
)  # fmt: skip


def problem_examples() -> Json:
    """One example of every problem that an operation can answer with."""
    found: Json = {}
    for step in story():
        if slug := _slug(step):
            found.setdefault(slug, {"summary": step.summary, "value": step.answer})
    address = found["not-found"]["value"]["type"].rpartition("/")[0]
    for problem in UNSENT:
        found[problem.slug] = {
            "summary": problem.title + ".",
            "value": {
                "type": f"{address}/{problem.slug}",
                "title": problem.title,
                "status": problem.status,
                "detail": problem.detail,
                "request_id": HEADERS["X-Request-Id"]["example"],
            },
        }
    return found


def _slug(step: Step) -> str | None:
    if step.status < 400 or not isinstance(step.answer, dict) or "type" not in step.answer:
        return None
    return str(step.answer["type"]).rpartition("/")[2]


def steps_of(operation_id: str) -> list[Step]:
    """The examples that stand at the operation; refusals are shared by all."""
    return [step for step in story() if step.operation == operation_id and not _slug(step)]


def add_examples(operation: Json) -> None:
    """Adds the examples of one operation to its parameters, its body and its answers."""
    for step in steps_of(operation["operationId"]):
        if step.status < 400:
            _add_sent(operation, step)
        answer = operation["responses"][str(step.status)]
        answer.setdefault("headers", {}).update(refs(*step.answer_headers))
        if step.answer is not None:
            content = _media(answer["content"], step.answer)
            content.setdefault("examples", {})[step.name] = {
                "summary": step.summary,
                "value": step.answer,
            }


def _add_sent(operation: Json, step: Step) -> None:
    """What was sent; of a request that is refused nobody needs a pattern."""
    in_headers = {n: v for n, v in step.headers.items() if n in _IN_HEADERS}
    sent = {"path": step.path, "query": step.query, "header": in_headers}
    for parameter in operation.get("parameters", []):
        values = sent.get(parameter["in"], {})
        if parameter["name"] in values:
            value = values[parameter["name"]]
            # Either one or several, says OpenAPI.
            parameter.pop("example", None)
            parameter.setdefault("examples", {})[step.name] = {"value": value}
    if step.sent is not None:
        content = operation["requestBody"]["content"]
        first = next(iter(content.values()))
        first.setdefault("examples", {})[step.name] = {"summary": step.summary, "value": step.sent}


def _media(content: Json, value: object) -> Json:
    """That of an answer's media types which an example is of: a text is no JSON."""
    fitting = [m for kind, m in content.items() if kind.endswith("json") != isinstance(value, str)]
    found: Json = fitting[0]
    return found


def answers_with_etag(operation_id: str) -> bool:
    """Whether the operation's answer names its version."""
    return any("ETag" in step.answer_headers for step in steps_of(operation_id))
