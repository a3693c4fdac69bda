"""Migrations on both databases: up, down and up again with rows inside; models and schema agree."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.core.clock import now
from app.core.db import SCHEMA
from app.core.ids import uuid7
from app.migrations import configuration, downgrade, sync_url, upgrade
from app.models.organisations import Organisation
from app.models.people import Affiliation, Person, SignInIdentity
from app.models.registry import metadata
from app.models.second_factors import SecondFactor
from tests.conftest import postgresql_database


@pytest.fixture
def empty_url(backend: str, worker_id: str, tmp_path: Path) -> Iterator[str]:
    """A database without any schema."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'tandem.db'}"
    else:
        with postgresql_database(f"empty_{worker_id}") as url:
            yield url


def revisions(url: str) -> list[str]:
    script = ScriptDirectory.from_config(configuration(url))
    return [revision.revision for revision in script.walk_revisions()][::-1]


def tables(url: str) -> set[str]:
    engine = sa.create_engine(sync_url(url))
    found = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_the_code_names_the_newest_migration(empty_url: str) -> None:
    assert revisions(empty_url)[-1] == SCHEMA


def test_models_and_migrations_agree(url: str) -> None:
    engine = sa.create_engine(sync_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, metadata)
    engine.dispose()
    assert differences == []


def test_every_step_goes_up_down_and_up_again_and_keeps_the_rows_it_can_hold(
    empty_url: str,
) -> None:
    """A row written at each step is still there after going one further and back."""
    steps = revisions(empty_url)
    for index, revision in enumerate(steps):
        upgrade(empty_url, revision)
        if index == 0:
            write_person(empty_url)
        before = rows(empty_url)
        if index > 0:
            downgrade(empty_url, steps[index - 1])
            upgrade(empty_url, revision)
        assert rows(empty_url) == before
    assert rows(empty_url)["people"] == 1
    assert folded(empty_url) == " sian wyn "
    assert set(metadata.tables) <= tables(empty_url)


def test_all_the_way_down_leaves_nothing_and_up_again_works(empty_url: str) -> None:
    upgrade(empty_url)
    write_person(empty_url)
    downgrade(empty_url, "base")
    assert tables(empty_url) <= {"alembic_version", "sqlite_sequence"}
    upgrade(empty_url)
    upgrade(empty_url)
    assert rows(empty_url)["people"] == 0


def test_a_clients_secret_goes_on_counting_after_the_migration_and_back(empty_url: str) -> None:
    upgrade(empty_url, "0005")
    engine = sa.create_engine(sync_url(empty_url))
    names = ("id", "name", "secret_hash", "scopes", "created_at")
    old = sa.table("clients", *(sa.column(name) for name in names))
    moment = now().isoformat() if engine.dialect.name == "sqlite" else now()
    ids = [str(uuid7()), str(uuid7())]
    with engine.begin() as connection:
        for client_id, secret in zip(ids, ("a" * 64, None), strict=True):
            values = {"id": client_id, "name": "x", "secret_hash": secret, "created_at": moment}
            connection.execute(sa.insert(old).values(scopes=sa.text("'[]'"), **values))
    upgrade(empty_url)
    with engine.connect() as connection:
        kinds = connection.execute(sa.text("SELECT kind, version FROM clients ORDER BY id")).all()
        kept = connection.execute(sa.text("SELECT hash, client_id FROM client_secrets")).all()
    assert [tuple(row) for row in kinds] == [("confidential", 1), ("public", 1)]
    assert [(row[0], str(row[1])) for row in kept] == [("a" * 64, ids[0])]
    downgrade(empty_url, "0005")
    with engine.connect() as connection:
        secrets = connection.execute(sa.text("SELECT secret_hash FROM clients ORDER BY id")).all()
    assert [row[0] for row in secrets] == ["a" * 64, None]
    engine.dispose()


def test_a_disabled_account_stays_shut_where_nothing_else_could_say_so(empty_url: str) -> None:
    upgrade(empty_url)
    write_person(empty_url)
    engine = sa.create_engine(sync_url(empty_url))
    people, identities = Person.__table__, SignInIdentity.__table__
    with engine.begin() as connection:
        person_id = connection.execute(sa.select(people.c.id)).scalar_one()
        connection.execute(
            sa.update(people).values(disabled_at=now(), disabled_because="She has left.")
        )
        values = {"id": uuid7(), "person_id": person_id, "email": "sian@x", "created_at": now()}
        connection.execute(sa.insert(identities).values(**values))
        factor = {"id": uuid7(), "person_id": person_id, "secret": "x", "created_at": now()}
        connection.execute(sa.insert(SecondFactor.__table__).values(**factor))
    steps = revisions(empty_url)
    downgrade(empty_url, steps[steps.index("0008") - 1])
    with engine.connect() as connection:
        assert connection.execute(sa.select(identities.c.closed_at)).scalar_one() is not None
    assert "second_factors" not in tables(empty_url)
    upgrade(empty_url)
    with engine.connect() as connection:
        shown = connection.execute(sa.select(people.c.id, people.c.disabled_at)).one()
    assert tuple(shown) == (person_id, None)
    engine.dispose()


def test_affiliations_that_are_there_are_accepted_and_what_waits_does_not_count_after_going_back(
    empty_url: str,
) -> None:
    upgrade(empty_url, "0011")
    write_person(empty_url)
    engine = sa.create_engine(sync_url(empty_url))
    people, ties = Person.__table__, Affiliation.__table__
    places: sa.Table = Organisation.__table__  # type: ignore[assignment]
    before = [c for c in ties.c if c.name != "accepted_at"]
    old = sa.table("affiliations", *(sa.column(c.name, c.type) for c in before))
    moment, made = now(), {"version": 1}
    with engine.begin() as connection:
        person_id = connection.execute(sa.select(people.c.id)).scalar_one()
        place = {"id": uuid7(), "kind": "school", "name": "Ysgol", "folded": "", "address": []}
        times = {"created_at": moment, "updated_at": moment}
        connection.execute(sa.insert(places).values(**place, **made, **times))
        tie = {
            "person_id": person_id, "organisation_id": place["id"], "role": "teacher",
            "starts_on": moment.date(), **made, **times,
        }  # fmt: skip
        ids = [uuid7(), uuid7()]
        connection.execute(sa.insert(old).values(id=ids[0], **tie))
    upgrade(empty_url)
    with engine.begin() as connection:
        assert connection.execute(sa.select(ties.c.accepted_at)).scalar_one() == moment
        connection.execute(sa.insert(ties).values(id=ids[1], **tie))
    downgrade(empty_url, "0011")
    with engine.connect() as connection:
        assert connection.execute(sa.select(old.c.id)).scalars().all() == [ids[0]]
    engine.dispose()


def test_a_database_without_this_schema_is_not_served(empty_url: str, tmp_path: Path) -> None:
    environment = {
        "TANDEM_DATABASE_URL": empty_url,
        "TANDEM_VAR": str(tmp_path / "var"),
        "TANDEM_PORT": "1",
    }
    served = subprocess.run(
        [sys.executable, "-m", "app.cli", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert served.returncode != 0
    assert "run `tandem migrate`" in served.stdout + served.stderr


def write_person(url: str) -> None:
    engine = sa.create_engine(sync_url(url))
    moment = now()
    values = {
        "id": uuid7(),
        "version": 1,
        "created_at": moment,
        "updated_at": moment,
        "name": "Siân Wŷn",
        "folded": "sian wyn",
    }
    # As any step has it: the columns of later ones are not named.
    people = sa.table("people", *(sa.column(n, Person.__table__.c[n].type) for n in values))
    with engine.begin() as connection:
        connection.execute(sa.insert(people).values(values))
    engine.dispose()


def folded(url: str) -> str:
    engine = sa.create_engine(sync_url(url))
    with engine.connect() as connection:
        found: str = connection.execute(sa.select(Person.__table__.c.folded)).scalar_one()
    engine.dispose()
    return found


def rows(url: str) -> dict[str, int]:
    engine = sa.create_engine(sync_url(url))
    with engine.connect() as connection:
        found = {
            name: connection.execute(
                sa.select(sa.func.count()).select_from(sa.table(name))
            ).scalar_one()
            for name in sorted(tables(url) & set(metadata.tables))
        }
    engine.dispose()
    return found
