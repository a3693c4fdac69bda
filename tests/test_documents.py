"""Documents say what the code does: every setting, problem, command, dependency and decision."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import ValidationError

from app import cli
from app.core.errors import problem_types
from app.core.settings import Settings
from app.models.agreement_text import Disclosure
from app.models.terms import DEFAULT_TERMS, PARTY_READERS, Reader, RecordKind

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS = sorted((DOCS / "decisions").glob("*.md"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

by_name = pytest.mark.parametrize("file", DOCUMENTS, ids=lambda f: str(f.relative_to(ROOT)))


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every table row."""
    lines = [line for line in text.splitlines() if re.match(r"\| (?!---)", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def prose(text: str) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What `#…` in a link may name: the headings, as code hosts write them."""
    found = re.findall(r"^#+ (.+)$", prose(text), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def links(text: str) -> list[str]:
    found = re.findall(r"\[[^\]]+\]\(([^)\s]+)\)", prose(text))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def test_every_setting_has_its_row_with_its_default_and_meaning() -> None:
    expected = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = str(default).lower() if isinstance(default, bool) else str(default or "")
        cell = f"`{shown}`" if shown else "empty"
        expected.append([f"`TANDEM_{name.upper()}`", cell, field.description])
    found = [row for row in rows(read("docs/configuration.md")) if row[0].startswith("`TANDEM_")]
    assert found == expected


@by_name
def test_only_settings_that_exist_are_spoken_of(file: Path) -> None:
    known = {f"TANDEM_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"\bTANDEM_[A-Z_]+\b", file.read_text(encoding="utf-8"))) <= known


def test_every_problem_has_its_heading_and_its_page_says_the_same() -> None:
    section = re.compile(r"^## (\d+ `.+?`)\n\n(.*?)\n*(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    sections = dict(section.findall(read("docs/problems.md")))
    expected = {
        f"{kind.status} `{slug}`": f"**{kind.title}.** {kind.advice}"
        for slug, kind in problem_types().items()
        if kind.__module__.startswith("app.")
    }
    assert sections == expected


def test_every_make_target_is_explained() -> None:
    makefile = read("Makefile")
    targets = set(re.findall(r"^([a-z-]+):.*## ", makefile, flags=re.MULTILINE))
    assert targets, "the Makefile explains its targets with ##"
    listed = {cell.strip("`") for cell, *_ in rows(read("docs/commands.md")) if "`make " in cell}
    assert listed == {f"make {target}" for target in targets}
    people = read("README.md") + read("CONTRIBUTING.md")
    assert {t for t in targets if not re.search(rf"\bmake {t}\b", people)} == set()


def commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def test_every_command_has_its_line_and_every_option_is_spoken_of() -> None:
    listed = {cell for cell, *_ in rows(read("docs/commands.md")) if cell.startswith("`tandem ")}
    found = dict(commands(typer.main.get_command(cli.app), "tandem"))
    assert listed == {f"`{name}`" for name in found}
    spoken = "".join(read(f"docs/{name}.md") for name in ("commands", "importing"))
    options = {o for command in found.values() for p in command.params for o in p.opts}
    unspoken = {o for o in options if o.startswith("--") and o not in spoken}
    assert unspoken == set()


@by_name
def test_every_link_leads_somewhere(file: Path) -> None:
    for link in links(file.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), f"{link} is not there"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{link}: no such heading"


@by_name
def test_every_file_that_is_named_exists(file: Path) -> None:
    """Paths in backticks; `app/…` may be left out where a document speaks of the house."""
    text = prose(file.read_text(encoding="utf-8"))
    named = set(re.findall(r"`((?:\.?[\w-]+/)+[\w.-]*\.(?:py|md|toml|ini|lock))`", text))
    for path in (path for path in named if "things" not in path):
        assert any((ROOT / base / path).exists() for base in (".", "app")), f"{path} is not there"


def test_documents_named_in_the_code_exist() -> None:
    for file in [*(ROOT / "app").rglob("*.py"), *(ROOT / "bench").rglob("*.py")]:
        for path in re.findall(r"\bdocs/[\w/-]+\.md", file.read_text(encoding="utf-8")):
            assert (ROOT / path).exists(), f"{file.relative_to(ROOT)} names {path}"


def test_the_changelog_has_the_current_version() -> None:
    assert re.search(
        rf"^## \[{re.escape(PROJECT['project']['version'])}\] - (unreleased|\d{{4}}-\d\d-\d\d)$",
        read("CHANGELOG.md"),
        flags=re.MULTILINE,
    )


def package(requirement: str) -> str:
    """`name[extra]` of a requirement."""
    found = re.match(r"[A-Za-z0-9._-]+(\[[^\]]+\])?", requirement)
    assert found, requirement
    return found[0]


def test_every_direct_dependency_has_its_reason() -> None:
    direct = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]
    extras = PROJECT["project"].get("optional-dependencies", {}).values()
    direct += [requirement for extra in extras for requirement in extra]
    tables = rows(read("docs/decisions/dependencies.md"))
    reasons = {name.strip("`"): reason for name, reason in tables if name.startswith("`")}
    assert set(reasons) == {package(requirement) for requirement in direct}
    assert all(len(reason) > 3 for reason in reasons.values())


def test_lock_files_hold_no_address() -> None:
    """They pin by digest, and fetch from whatever registry an installation is set up for. npm writes
    `funding` links of its own accord: take them out again."""
    locks = [*ROOT.glob("requirements/*.lock"), ROOT / "openapi/tools/package-lock.json"]
    assert len(locks) > 2
    assert [file.name for file in locks if "://" in file.read_text(encoding="utf-8")] == []


def test_there_are_decisions() -> None:
    assert len(DECISIONS) > 5


@pytest.mark.parametrize("file", DECISIONS, ids=lambda f: f.stem)
def test_a_decision_has_its_five_parts_on_one_page_and_is_listed(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    parts = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
    # A table of reasons grows with what there is.
    assert len(text.splitlines()) <= (100 if file.stem == "dependencies" else 70)
    assert f"(docs/decisions/{file.name})" in read("CONTRIBUTING.md")


def test_the_table_of_readers_is_that_of_the_code() -> None:
    tables = rows(read("docs/agreement-as-access-policy.md"))
    header = next(row for row in tables if row[0] == "Kind of record")
    assert header[1:-1] == [str(reader) for reader in Reader]
    shown = {row[0]: row[1:-1] for row in tables if len(row) == len(header) and row != header}
    assert shown == {
        str(kind): ["✓" if reader in DEFAULT_TERMS[kind] else "–" for reader in Reader]
        for kind in RecordKind
    }


def test_who_reads_what_is_what_the_code_says() -> None:
    """Always, unless agreed otherwise, never: as an agreement's text takes it or refuses it."""
    tables = rows(read("docs/who-reads-what.md"))
    header = next(row for row in tables if row[0] == "Kind of record")
    assert header[1:] == ["owner", *map(str, Reader)]
    shown = {row[0]: row[1:] for row in tables if len(row) == len(header) and row != header}

    def of(kind: RecordKind, reader: Reader) -> str:
        default = DEFAULT_TERMS[kind]
        if not taken({kind: [reader, *default]}):
            return "never"
        if not taken({kind: [other for other in default if other is not reader]}):
            return "always"
        return "yes" if reader in default else "no"

    assert shown == {str(k): ["always", *(of(k, r) for r in Reader)] for k in RecordKind}


def taken(terms: dict[RecordKind, list[Reader]]) -> bool:
    # Who reads the text knows that there is an agreement: the one asks something of the other.
    others = {
        RecordKind.EXISTENCE: [reader for reader in Reader if reader is not Reader.NETWORKS],
        RecordKind.TEXT: list(PARTY_READERS),
    }
    small = {**others, **terms}
    try:
        Disclosure.model_validate(
            {str(kind): list(map(str, ticks)) for kind, ticks in small.items()}
        )
    except ValidationError:
        return False
    return True


def test_what_one_may_ask_is_there_to_be_asked() -> None:
    document = json.loads(read("openapi/openapi.json"))
    asked = [row[1].strip("`") for row in rows(read("docs/who-reads-what.md")) if "GET" in row[1]]
    assert len(asked) == 8
    for method, _, path in (operation.partition(" ") for operation in asked):
        assert method.lower() in document["paths"][path]
