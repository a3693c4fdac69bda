"""The shape of the house: floors, gates on every route, a kind for every table, files' size."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select

from app.access.gates import ActionGate
from app.access.grants import GRANTS, SCOPES, Action
from app.core.query import Query, UnscopedError
from app.core.routes import Route, gates_of
from app.main import ROUTERS
from app.models.goals import Goal
from app.models.registry import metadata

APP = Path(__file__).parent.parent / "app"

FLOORS = ["core", "models", "access", "actions", "jobs", "api", "assembly"]
CLOSED = ("actions", "jobs", "api")
"""Floors whose files do not import their neighbours."""

PUBLIC = {
    ("GET", "/account/{page}"),
    ("POST", "/account/{page}"),
    ("GET", "/oauth/authorize"),
    ("POST", "/oauth/authorize"),
    ("POST", "/oauth/consent"),
    ("POST", "/oauth/introspect"),
    ("POST", "/oauth/revoke"),
    ("POST", "/oauth/token"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/"),
    ("GET", "/problems"),
    ("GET", "/problems/{slug}"),
    ("GET", "/docs"),
    ("GET", "/assets/{name}"),
    ("GET", "/openapi.json"),
}


def modules() -> dict[str, Path]:
    found = {}
    for file in sorted(APP.rglob("*.py")):
        parts = ["app", *file.relative_to(APP).with_suffix("").parts]
        found[".".join(p for p in parts if p != "__init__")] = file
    return found


def imports(module: str, file: Path, known: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("app"):
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else node.module


def floor(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else "assembly"


def room(module: str) -> str:
    """The file, or the folder that a resource has become."""
    return ".".join(module.split(".")[:3])


def arrows() -> Iterator[tuple[str, str]]:
    known = modules()
    for module, file in known.items():
        for target in imports(module, file, known):
            if target not in ("app", module):
                yield module, target


def test_imports_only_point_down() -> None:
    up = [f"{a} -> {b}" for a, b in arrows() if FLOORS.index(floor(b)) > FLOORS.index(floor(a))]
    assert up == []


def test_jobs_and_the_api_do_not_import_each_other() -> None:
    assert [f"{a} -> {b}" for a, b in arrows() if {floor(a), floor(b)} == {"jobs", "api"}] == []


def test_neighbours_on_the_upper_floors_do_not_import_each_other() -> None:
    sideways = [
        f"{a} -> {b}"
        for a, b in arrows()
        if floor(a) == floor(b) and floor(a) in CLOSED and room(a) != room(b)
    ]
    assert sideways == []


def test_there_are_no_circles() -> None:
    graph: dict[str, set[str]] = {}
    for a, b in arrows():
        graph.setdefault(a, set()).add(b)
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join((*path, module))
        if module not in done:
            for target in sorted(graph.get(module, ())):
                visit(target, (*path, module))
            done.add(module)

    for module in sorted(graph):
        visit(module, ())


def test_only_one_module_imports_python_jose() -> None:
    users = [
        module
        for module, file in modules().items()
        if any(
            line.startswith(("from jose", "import jose")) for line in file.read_text().splitlines()
        )
    ]
    assert users == ["app.core.tokens"]


@pytest.mark.parametrize("module", sorted(modules()))
def test_a_file_can_be_taken_in_at_a_glance(module: str) -> None:
    lines = len(modules()[module].read_text(encoding="utf-8").splitlines())
    assert lines <= 350, f"{module} has {lines} lines: make it a folder of the same name"


def routes() -> list[APIRoute]:
    return [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]


def test_every_route_has_exactly_one_gate_or_is_on_the_short_list() -> None:
    public = set()
    for route in routes():
        gates = gates_of(route.dependant)
        assert isinstance(route, Route), route.path
        assert len(gates) <= 1, f"{route.path} has {len(gates)} gates"
        if not gates:
            public |= {(method, route.path) for method in route.methods or ()}
    assert public == PUBLIC


def test_every_route_is_async_and_named_once() -> None:
    import inspect

    names = [route.name for route in routes()]
    assert len(names) == len(set(names))
    assert all(inspect.iscoroutinefunction(route.endpoint) for route in routes())


def test_every_action_is_granted_used_and_has_a_scope_that_is_explained() -> None:
    assert set(GRANTS) == set(Action)
    gates = [gate for route in routes() for gate in gates_of(route.dependant)]
    assert {gate.action for gate in gates if isinstance(gate, ActionGate)} == set(Action)
    assert {grant.scope for grant in GRANTS.values()} == set(SCOPES)


def test_what_changes_a_record_names_who_may() -> None:
    """A route that hands over a locked entity has relations in the table of grants."""
    for route in routes():
        for gate in gates_of(route.dependant):
            if isinstance(gate, ActionGate) and gate.locks:
                assert GRANTS[gate.action].by, f"{gate.action} writes a row but names nobody"


def test_every_table_says_how_it_is_reached() -> None:
    words = ("owned:", "follows:", "reference", "account", "mechanism")
    for table in metadata.sorted_tables:
        access = table.info.get("access", "")
        assert access.startswith(words), f"{table.name} has no info['access']"


def test_a_select_on_an_owned_table_around_the_door_is_refused() -> None:
    with pytest.raises(UnscopedError, match="goals"):
        Query(select(Goal.__table__))
    with pytest.raises(UnscopedError, match="goals"):
        Query(select(select(Goal.id).subquery()))
    Query(select(Goal.__table__), unscoped="a reason that can be found by searching")
