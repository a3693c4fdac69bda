"""The examples of the document: one story in chapters, which the tests tell to a live server.

`chapters/*.yaml` are read in the order of their names, and their steps from first to last: each is one
request and its answer. What stands in angle brackets there, `<sian>`, is a value of `chapters/names.yaml`.
"""

import re
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

NAME = re.compile(r"<([a-z_0-9]+)>")


class Step(NamedTuple):
    """One request of the story, and its documented answer."""

    operation: str
    name: str
    summary: str
    status: int
    by: str | None = None
    """Who sends it, by their name in `names.yaml`; None: nobody who has signed in."""
    path: dict[str, Any] = {}
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    body: Any = None
    form: dict[str, str] | None = None
    file: dict[str, str] | None = None
    raw: str | None = None
    """A body that is no JSON."""
    padding: int = 0
    """Spaces after it."""
    scopes: list[str] | None = None
    """What the token allows; None: everything."""
    settings: dict[str, str] = {}
    """How the installation differs for which this is the answer."""
    answer_headers: dict[str, str] = {}
    answer: Any = None
    """JSON, text, or nothing."""

    @property
    def sent(self) -> Any:
        """The body as the document shows it; None when nothing is sent."""
        if self.file is not None:
            return {"file": self.file["content"]}
        return self.body if self.form is None else self.form


@cache
def _loader() -> Any:
    """YAML as JSON knows it: a date is a text. The loader in C, where there is one, is ten times as fast."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        letter: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
        for letter, found in base.yaml_implicit_resolvers.items()
    }
    return type("_Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def chapters() -> list[str]:
    """The names of the chapters, in order."""
    found = (
        file.name for file in files(__name__.rpartition(".")[0]).joinpath("chapters").iterdir()
    )
    return sorted(name for name in found if name != "names.yaml" and name.endswith(".yaml"))


def read(name: str) -> Any:
    """A file of the story as it is written."""
    import yaml

    folder = files(__name__.rpartition(".")[0]).joinpath("chapters")
    text = folder.joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, _loader())  # noqa: S506


def named(value: Any, names: dict[str, str]) -> Any:
    """`value` with the names in angle brackets replaced by what they stand for."""
    if isinstance(value, str):
        return NAME.sub(lambda found: names.get(found[1], found[0]), value)
    if isinstance(value, dict):
        return {named(key, names): named(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [named(inner, names) for inner in value]
    return value


@cache
def story() -> tuple[Step, ...]:
    """Every step, in order."""
    names = read("names.yaml")
    return tuple(
        Step(**named(step, names)) for chapter in chapters() for step in read(chapter)["steps"]
    )
