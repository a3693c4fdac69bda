"""The operator's command line: administrators without a browser, mail that was given up."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.core import journal
from app.migrations import sync_url
from app.models import people, ways_in
from tests.servers import Server


class Line:
    """`tandem` on a database of its own, and what is in it afterwards."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.engine = sa.create_engine(sync_url(server.url))

    def done(self, *arguments: str) -> str:
        found = self.server.command(*arguments)
        assert found.returncode == 0, found.stdout + found.stderr
        return found.stdout

    def refused(self, *arguments: str) -> str:
        found = self.server.command(*arguments)
        assert found.returncode == 2, found.stdout + found.stderr
        assert "Traceback" not in found.stderr
        return found.stderr

    def rows(self, statement: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def journaled(self) -> list[Any]:
        columns = journal.journal.c
        chosen = (columns.kind, columns.action, columns.person_id, columns.client_id)
        return self.rows(sa.select(*chosen).order_by(columns.sequence))

    def open(self) -> set[str]:
        table = people.SignInIdentity.__table__.c
        return {
            row[0] for row in self.rows(sa.select(table.email).where(table.closed_at.is_(None)))
        }


@pytest.fixture
def line(fresh_url: str, tmp_path: Path) -> Iterator[Line]:
    made = Line(Server(fresh_url, tmp_path))
    made.done("admin", "create", "Eleri Mawr", "Eleri@council.example")
    yield made
    made.engine.dispose()


def test_an_administrator_is_given_a_link_once(line: Line) -> None:
    link = line.done("admin", "reset", "ELERI@council.example").strip()
    assert link.startswith(f"{line.server.base}/account/password?token=")
    token = link.partition("=")[2]
    resets = line.rows(sa.select(ways_in.PasswordReset.__table__.c.secret_hash))
    assert len(resets) == 1
    assert token not in str(resets)
    assert line.journaled()[-1] == ("sign_in_identity", "reset_requested", None, None)


def test_an_administrator_is_disabled(line: Line) -> None:
    assert "1 ways in closed" in line.done("admin", "disable", "eleri@council.example")
    assert line.open() == set()
    assert line.rows(sa.select(people.Operator.__table__)) == []
    assert line.rows(sa.select(people.Person.__table__.c.name)) == [("Eleri Mawr",)]
    assert line.journaled()[-2:] == [
        ("sign_in_identity", "closed", None, None),
        ("operator", "disabled", None, None),
    ]
    assert "nobody signs in" in line.refused("admin", "reset", "eleri@council.example")


def test_an_address_is_moved_and_told(line: Line) -> None:
    line.done("admin", "create", "Ifan Rees", "ifan@council.example")
    line.done("admin", "address", "eleri@council.example", "Eleri@Cartref.example")
    assert line.open() == {"eleri@cartref.example", "ifan@council.example"}
    assert line.journaled()[-1] == ("sign_in_identity", "address_changed", None, None)
    from app.core.outbox import OutgoingMail

    columns = OutgoingMail.__table__.c
    waiting = line.rows(sa.select(columns.template, columns.address).order_by(columns.id))
    assert waiting == [
        ("address_changed", "eleri@council.example"),
        ("address_changed", "eleri@cartref.example"),
    ]
    taken = line.refused("admin", "address", "eleri@cartref.example", "ifan@council.example")
    assert "already" in taken
    assert "no e-mail address" in line.refused("admin", "address", "eleri@cartref.example", "x")


def test_who_administers_nothing_is_not_touched(line: Line) -> None:
    with line.engine.begin() as connection:
        connection.execute(sa.delete(people.Operator.__table__))
    for command in ("reset", "disable"):
        assert "no administrator" in line.refused("admin", command, "eleri@council.example")
    assert line.open() == {"eleri@council.example"}


def test_mail_that_was_given_up_is_listed_and_tried_again(line: Line) -> None:
    from datetime import timedelta

    from app.core.clock import now
    from app.core.ids import uuid7
    from app.core.outbox import OutgoingMail

    moment, mail_id = now(), uuid7()
    values = {
        "id": mail_id, "template": "invitation", "language": "en", "address": "a@b.example", "facts": {},
        "created_at": moment, "useful_until": moment + timedelta(days=1), "due_at": moment, "attempts": 3,
        "doubts": 0, "gave_up_at": moment, "error": "SMTP [550]",
    }  # fmt: skip
    with line.engine.begin() as connection:
        connection.execute(sa.insert(OutgoingMail.__table__).values(values))
    listed = line.done("mail", "list")
    assert str(mail_id) in listed
    assert "SMTP [550]" in listed
    assert "a@b.example" not in listed
    assert "1 messages wait" in line.done("mail", "retry")
    assert line.done("mail", "list") == ""
