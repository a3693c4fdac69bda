"""Our own words in Welsh, from files beside the code (`app/data/welsh`), read when first asked for.

The English is where it is used. A file says whether somebody who knows the language well has
reviewed its Welsh; until then whatever shows it says so.
"""

import hashlib
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from typing_extensions import TypeAliasType

from app.core.errors import Problem
from app.core.negotiation import Language

Translation = TypeAliasType("Translation", Literal["unreviewed", "reviewed"])
"""Of Welsh that we made from English: whether somebody has reviewed it. Null: no translation."""


@cache
def welsh(name: str) -> dict[str, Any]:
    """The file of that name, with its `translation` and `digest`; empty when there is none."""
    file = files("app").joinpath("data", "welsh", f"{name}.toml")
    if not file.is_file():
        return {}
    content = file.read_bytes()
    found = tomllib.loads(content.decode())
    return {
        **found,
        "translation": "reviewed" if found["reviewed"] else "unreviewed",
        "digest": hashlib.sha256(content).hexdigest(),
    }


def words_of_problem(
    problem: Problem | type[Problem], language: Language
) -> tuple[str, str, Translation | None]:
    """Title and advice of a problem type, and whether they are a translation."""
    found = welsh("problems") if language == "cy" else {}
    words = found.get(problem.slug)
    if words is None:
        return problem.title, problem.advice, None
    return words["title"], words["advice"], found["translation"]
