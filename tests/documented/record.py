"""Writes the answers of a live server into the chapters: `python -m tests.documented.record`.

For whoever changes the interface: write the request into its chapter with the status that it should have,
run this, and read what it has changed before you commit it. An answer that is as documented stays.
"""

import tempfile
from pathlib import Path
from typing import Any

import httpx
import yaml

from app.main import create_app
from app.openapi import examples
from tests.conftest import prepare
from tests.documented.telling import SERVER_MADE, Different, Telling, server_of_the_story, staged

FOLDER = Path(examples.__file__).parent / "chapters"
_TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl"


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> Any:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def written(value: Any, names: dict[str, str]) -> Any:
    """`value` with ids replaced by their names."""
    if isinstance(value, str):
        for name, stands_for in names.items():
            value = value.replace(stands_for, f"<{name}>")
        return value
    if isinstance(value, dict):
        short = {"access_token": _TOKEN} if "access_token" in value else {}
        if value.get("secret"):
            short["secret"] = "<secret>"
        return {k: short.get(k) or written(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [written(inner, names) for inner in value]
    return value


def name_made(telling: Telling, documented: Any, actual: Any) -> None:
    """A name that only the server gives an id to stands where a new step's answer has it."""
    if isinstance(documented, dict) and isinstance(actual, dict):
        for member in documented.keys() & actual.keys():
            name_made(telling, documented[member], actual[member])
    elif isinstance(documented, list) and isinstance(actual, list):
        for one, other in zip(documented, actual, strict=False):
            name_made(telling, one, other)
    elif documented in [telling.names[name] for name in SERVER_MADE]:
        telling.likeness.stands_for.setdefault(documented, actual)


def record(telling: Telling) -> None:
    """Tells every chapter, and writes those whose answers were not the documented ones."""
    for name in examples.chapters():
        chapter = examples.read(name)
        changed = False
        for step in chapter["steps"]:
            told = examples.Step(**examples.named(step, telling.names))
            answer = telling.send(told)
            try:
                telling.compare(told, answer)
            except Different as different:
                print(f"{name}: {told.operation}/{told.name}: {different}")
                headers, body = telling.told(answer)
                name_made(telling, told.answer, body)
                real = {n: telling.likeness.stands_for.get(v, v) for n, v in telling.names.items()}
                step |= {"status": answer.status_code}
                step.pop("answer_headers", None)
                step.pop("answer", None)
                if headers:
                    step["answer_headers"] = written(headers, real)
                if body is not None:
                    step["answer"] = written(body, real)
                changed = True
        if changed:
            text = yaml.dump(
                chapter, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
            )
            (FOLDER / name).write_text(text, encoding="utf-8")


def main() -> None:
    import json

    document = json.loads(create_app().state.openapi_json())
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        url = f"sqlite:///{folder / 'tandem.db'}"
        prepare(url)
        for server in staged(server_of_the_story(url, folder)):
            with httpx.Client(base_url=server.base, timeout=30) as http:
                record(Telling(server, http, document))


if __name__ == "__main__":
    main()
