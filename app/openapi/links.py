"""Where to go on from an answer: from what was made to reading, changing and deleting it, with its ETag."""

from typing import Any

from app.openapi.headers import Json

_ON_ONE = {"get": "read it", "patch": "change it", "delete": "delete it"}


def add_links(paths: Json) -> None:
    """Adds links to what makes a record, and to what reads one: to the operations on that record."""
    for address, operations in paths.items():
        if address.endswith("}"):
            holder, _, last = address.rpartition("/")
            name = last.strip("{}")
            if made := paths.get(holder, {}).get("post"):
                for status in ("200", "201"):
                    _link(made, status, operations, {name: "$response.body#/id"})
            if read := operations.get("get"):
                same = {name: f"$request.path.{name}"}
                changes = {method: o for method, o in operations.items() if method != "get"}
                _link(read, "200", changes, same)


def _link(source: Json, status: str, operations: Json, values: dict[str, str]) -> None:
    answer = source["responses"].get(status)
    # An answer by reference is a refusal.
    if answer is None or "ETag" not in answer.get("headers", {}):
        return
    for method, operation in operations.items():
        taken = {p["name"]: p["in"] for p in operation.get("parameters", [])}
        parameters: dict[str, Any] = {
            n: values.get(n, f"$request.path.{n}") for n, place in taken.items() if place == "path"
        }
        if "If-Match" in taken:
            parameters["header.If-Match"] = "$response.header.ETag"
        answer.setdefault("links", {})[operation["operationId"]] = {
            "operationId": operation["operationId"],
            "description": f"From here: {_ON_ONE[method]}.",
            "parameters": parameters,
        }
