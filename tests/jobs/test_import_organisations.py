"""`tandem import organisations`: all of the file, or a list of what is wrong with it."""

import asyncio
import re
import signal
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection, NullPool, create_engine, select, text, update
from typer.testing import CliRunner, Result

from app.actions import organisations
from app.api.organisations import OrganisationNew
from app.cli import app
from app.core import db, journal
from app.core.clock import now
from app.core.db import Database, Unit
from app.core.ids import uuid7
from app.core.settings import settings
from app.core.text import Line
from app.core.wire import ExternalIdentifier
from app.jobs.imports import cells
from app.jobs.imports import organisations as job
from app.jobs.imports.mapping import read_mapping, shipped
from app.jobs.imports.problems import Problem
from app.jobs.imports.table import BLANK, Table
from app.migrations import sync_url
from app.models.organisations import Organisation, OrganisationIdentifier
from tests.conftest import postgresql_database

ROOT = Path(__file__).parent.parent.parent
WALES = (
    "School Number,School Name,LA Code,Local Authority,Sector,Religious Character,Address 1,"
    "Address 2,Address 3,Address 4,Postcode,Phone Number,Pupils - see notes\n"
)
_organisations: Any = Organisation.__table__
_identifiers: Any = OrganisationIdentifier.__table__


class Tandem:
    """The command on one database, with files of its own and a source that nobody else has."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.source = f"list-{uuid4().hex}"

    def file(self, content: str | bytes) -> Path:
        path = self.folder / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, content: str | bytes, *options: str) -> Result:
        """Imports a file with this content."""
        path = str(self.file(content))
        return CliRunner().invoke(app, ["import", "organisations", path, *options])

    def plain(
        self, content: str | bytes, *columns: str, kind: str = "school", options: Sequence[str] = ()
    ) -> Result:
        """Imports a file of schools whose columns are id, name and those that are given."""
        pairs = [f"--column={pair}" for pair in ("external_id=id", "name=name", *columns)]
        kinds = ["--kind", kind] if kind else []
        return self.run(content, "--source", self.source, *kinds, *pairs, *options)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        engine = create_engine(sync_url(self.url), poolclass=NullPool)
        with engine.begin() as connection:
            yield connection

    def stored(self, source: str | None = None) -> dict[str, Any]:
        """What a source names, by its external identifiers."""
        statement = (
            select(_identifiers.c.external_id, _organisations)
            .join_from(_identifiers, _organisations)
            .where(_identifiers.c.source == (source or self.source))
        )
        with self.connection() as connection:
            return {row.external_id: row for row in connection.execute(statement)}

    def journal(self, organisation_id: Any) -> list[tuple[Any, ...]]:
        j = journal.journal.c
        columns = (j.action, j.kind, j.resource_version, j.organisation_id, j.changed, j.person_id)
        statement = select(*columns).where(j.resource_id == organisation_id).order_by(j.sequence)
        with self.connection() as connection:
            return [tuple(row) for row in connection.execute(statement)]


@contextmanager
def using(url: str, folder: Path) -> Iterator[Tandem]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_DATABASE_URL", url)
        settings.cache_clear()
        yield Tandem(url, folder)
    settings.cache_clear()


@pytest.fixture
def tandem(url: str, tmp_path: Path) -> Iterator[Tandem]:
    """The command on the worker's database."""
    with using(url, tmp_path) as made:
        yield made


@pytest.fixture
def alone(fresh_url: str, tmp_path: Path) -> Iterator[Tandem]:
    """The command on a database of its own."""
    with using(fresh_url, tmp_path) as made:
        yield made


def refused(result: Result) -> list[str]:
    """The problems that a refused import lists."""
    assert result.exit_code == 1, result.output
    *problems, last = result.stderr.splitlines()
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    assert last == f"{count}; nothing was written."
    return problems


def done(result: Result) -> str:
    """The first line of a finished import's summary."""
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout.splitlines()[0]


def test_the_welsh_list_makes_schools_under_their_authorities_and_twice_changes_nothing(
    alone: Tandem,
) -> None:
    name = unicodedata.normalize("NFD", "Ysgol Tŷ Ŵyn, Llŷn")
    content = (
        f'\ufeff{WALES}6602130,"{name}",660,Isle of Anglesey,Primary,---,Amlwch,,Ynys Môn,,LL68 9DY,'
        "01407 830414,278\n"
        "6602131,Ysgol Beaumaris,660,Isle of Anglesey,Primary,---,---,Beaumaris,,,LL58 8HL,---,\n"
        ",,,,,,,,,,,,\n"
        "6702132,Abertawe School,670,Swansea,Special,Roman Catholic,1 High St,,,,SA1 1AA,01792,1\n"
    )
    tried = alone.run(content, "--mapping", "wales-schools", "--dry-run")
    assert tried.stdout.splitlines() == [
        "Nothing was written; it would be:",
        "5 created, 0 changed, 0 unchanged",
        "  local_authority  2 created, 0 changed, 0 unchanged",
        "  school           3 created, 0 changed, 0 unchanged",
    ]
    assert alone.stored("wales-school-number") == {}

    made = alone.run(content, "--mapping", "wales-schools")
    assert made.stdout.splitlines() == tried.stdout.splitlines()[1:]
    schools = alone.stored("wales-school-number")
    authorities = alone.stored("wales-authority-code")
    assert {code: a.name for code, a in authorities.items()} == {
        "660": "Isle of Anglesey",
        "670": "Swansea",
    }
    assert {a.kind for a in authorities.values()} == {"local_authority"}
    assert [schools[code].parent_id for code in sorted(schools)] == [
        authorities[code].id for code in ("660", "660", "670")
    ]
    first = schools["6602130"]
    assert first.name == unicodedata.normalize("NFC", name) != name
    assert (first.kind, first.folded, first.version) == ("school", "ysgol ty wyn, llyn", 1)
    assert (first.sector, first.postcode, first.phone) == ("Primary", "LL68 9DY", "01407 830414")
    assert first.address == ["Amlwch", "Ynys Môn"]
    assert (schools["6602131"].address, schools["6602131"].phone) == (["Beaumaris"], None)
    for organisation in (*schools.values(), *authorities.values()):
        assert alone.journal(organisation.id) == [
            ("created", "organisation", 1, organisation.id, [], None)
        ]

    again = alone.run(content, "--mapping", "wales-schools")
    assert again.stdout.splitlines() == [
        "0 created, 0 changed, 5 unchanged",
        "  local_authority  0 created, 0 changed, 2 unchanged",
        "  school           0 created, 0 changed, 3 unchanged",
    ]
    assert alone.stored("wales-school-number") == schools
    assert alone.stored("wales-authority-code") == authorities


def by_hand(tandem: Tandem, *, external_id: str, values: dict[str, Any], change: Any = None) -> Any:
    """An organisation made, and changed, as over HTTP; its id."""
    organisation_id = uuid7()

    async def write() -> None:
        database = Database(tandem.url)
        await database.open()
        async with database.work() as unit:
            await organisations.create_organisation(
                unit,
                actor=journal.COMMAND_LINE,
                organisation_id=organisation_id,
                values=values,
                identifiers=[organisations.Identifier(tandem.source, external_id)],
            )
        if change is not None:
            async with database.work() as unit:
                await unit.begin()
                held = await unit.session.get(Organisation, organisation_id)
                assert held is not None
                await organisations.change_organisation(
                    unit, held, actor=journal.COMMAND_LINE, values=change
                )
        await database.close()

    asyncio.run(write())
    return organisation_id


def test_rows_come_out_as_if_they_had_been_written_one_by_one(tandem: Tandem) -> None:
    columns = [
        f"{field}={field}" for field in ("name_cy", "sector", "address", "postcode", "phone")
    ]
    columns += ["opened_on=opened", "closed_on=closed"]
    header = "id,name,name_cy,sector,address,postcode,phone,opened,closed\n"
    row = ',Valley Primary,Ysgol y Dyffryn Ø,Primary,"1 Heol Fawr\nŶ Dref",LL1,0,1990-09-01,\n'
    assert done(tandem.plain(f"{header}made{row}", *columns)) == "1 created, 0 changed, 0 unchanged"
    changed = row.replace("Valley", "Dale").replace("Primary,", "Secondary,").replace(",0,", ",,")
    summary = done(tandem.plain(f"{header}made{changed}", *columns))
    assert summary == "0 created, 1 changed, 0 unchanged"
    values = {
        "kind": "school", "name": "Valley Primary", "name_cy": "Ysgol y Dyffryn Ø", "phone": "0",
        "sector": "Primary", "address": ["1 Heol Fawr", "Ŷ Dref"], "postcode": "LL1",
        "opened_on": date(1990, 9, 1),
    }  # fmt: skip
    change = {"name": "Dale Secondary", "sector": "Secondary", "phone": None}
    by_hand(tandem, external_id="hand", values=values, change=change)
    found = tandem.stored()
    one, other = (found[code]._asdict() for code in ("made", "hand"))
    for row_ in (one, other):
        assert row_.pop("created_at") < row_.pop("updated_at")
        assert tandem.journal(row_.pop("id"))[0][:3] == ("created", "organisation", 1)
        del row_["external_id"]
    assert one == other
    written = [
        [(*entry[:3], *entry[4:]) for entry in tandem.journal(found[code].id)]
        for code in ("made", "hand")
    ]
    assert written[0] == written[1]
    assert written[0][1] == ("changed", "organisation", 2, ["name", "phone", "sector"], None)


def test_a_changed_row_changes_only_what_the_mapping_speaks_of(tandem: Tandem) -> None:
    values = {
        "kind": "school", "name": "Old", "name_cy": "Hen", "phone": "1", "address": ["There"],
        "safeguarding_contact": "The office",
    }  # fmt: skip
    by_hand(tandem, external_id="1", values=values)
    before = tandem.stored()["1"]
    content = "id,name,phone\n1,New,2\n"
    tried = tandem.plain(content)
    assert done(tried) == "0 created, 1 changed, 0 unchanged"
    after = tandem.stored()["1"]
    assert after.updated_at > before.updated_at
    assert after._asdict() == {
        **before._asdict(),
        "name": "New",
        "folded": "new hen",
        "version": 2,
        "updated_at": after.updated_at,
    }
    assert tandem.journal(after.id)[1][4] == ["name"]
    assert done(tandem.plain(content)) == "0 created, 0 changed, 1 unchanged"
    assert tandem.stored()["1"] == after


def test_many_rows_are_created_and_changed_as_few_are(tandem: Tandem) -> None:
    """More than are written at one go."""
    count = 7000
    rows = [f"{n},School {n},Sector {n % 7}" for n in range(count)]
    content = "\n".join(["id,name,sector", *rows])
    assert done(tandem.plain(content)) == f"{count} created, 0 changed, 0 unchanged"
    changed = content.replace("Sector 3", "Sector 8").replace("Sector", "Phase")
    summary = done(tandem.plain(changed, "sector=sector"))
    assert summary == f"0 created, {count} changed, 0 unchanged"
    found = tandem.stored()
    assert len(found) == count
    assert all(row.version == 2 and row.sector.startswith("Phase") for row in found.values())
    assert {row.sector for row in found.values()} == {f"Phase {n}" for n in (0, 1, 2, 4, 5, 6, 8)}
    ids = {row.id for row in found.values()}
    j = journal.journal.c
    with tandem.connection() as connection:
        entries = connection.execute(select(j.resource_id, j.action, j.changed)).all()
    mine = [(e.action, e.changed) for e in entries if e.resource_id in ids]
    assert mine == [("created", [])] * count + [("changed", ["sector"])] * count


def test_every_problem_is_listed_with_its_line_and_column_and_nothing_is_written(
    tandem: Tandem,
) -> None:
    content = (
        "id,name,code,authority,phone,postcode,opened,notes\n"
        '1,Fine,A,Ardal,1,LL1 1AA,1990-01-01,"a note\nof three\nlines"\n'  # lines 2 to 4
        "2,,A,Ardal,1,LL1 1AA,1990-01-01,\n"
        "1,Again,A,Ardal,1,LL1 1AA,1990-01-01,\n"
        "3,Bell \x07,A,Ardal arall,1,LL1 1AA,1990-01-01,\n"
        f'4,"Two\nlines",A,Ardal,{"0" * 41},{"x" * 21},01/02/1990,\n'  # lines 8 and 9
        f"{'5' * 101},{'N' * 301},,Ardal,1,,1990-02-30,\n"
        "6,Short\n"
        "7,No authority,B,,1,LL1 1AA,,\n"
        ",,,,,,,\n"
        "8,Fine too,A,Ardal arall,1,LL1 1AA,,\n"
    )
    columns = ["parent.external_id=code", "parent.name=authority", "phone=phone"]
    columns += ["postcode=postcode", "opened_on=opened"]
    above = ["--parent-kind", "local_authority", "--parent-source", f"{tandem.source}-above"]
    result = tandem.plain(content, *columns, options=above)
    assert refused(result) == [
        "line 5, name: is needed: fill the cell",
        "line 6, id: '1' is on line 2 too: keep one of the two rows",
        "line 7, name: must not contain control characters: correct the cell",
        "line 7, authority: 'A' is 'Ardal arall' here and 'Ardal' on line 2: give it one name",
        "line 8, name: must be on one line: correct the cell",
        "line 8, postcode: has 21 characters, 20 fit: shorten it",
        "line 8, phone: has 41 characters, 40 fit: shorten it",
        "line 8, opened: '01/02/1990' is not a date: write it as in 2026-01-31",
        "line 10, id: has 101 characters, 100 fit: shorten it",
        "line 10, name: has 301 characters, 300 fit: shorten it",
        "line 10, opened: '1990-02-30' is not a date: write it as in 2026-01-31",
        "line 10, code: is needed beside a authority: fill the cell",
        "line 11: has 2 cells where the header has 8: keep the empty ones, and put a cell that holds "
        "the delimiter in quotes",
        "line 12, authority: is needed beside a code: fill the cell",
    ]
    assert result.stdout == ""
    assert tandem.stored() == {}
    assert tandem.stored(f"{tandem.source}-above") == {}


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (b"", ["line 1: the file is empty: its first line must name the columns"]),
        (b"\xef\xbb\xbf\r\n", ["line 1: the file is empty: its first line must name the columns"]),
        (
            b"1,Ysgol\n2,School\n",
            [
                "line 1: has none of the columns that the mapping names; the first line must be the "
                "header"
            ],
        ),
        (
            b"id;name\n1;Ysgol\n",
            [
                "line 1: has none of the columns that the mapping names; its cells seem to be "
                "separated by ';': give that as the delimiter"
            ],
        ),
        (
            b"id,title\n1,Ysgol\n",
            ["line 1, name: the header lacks this column: add it, or change the mapping"],
        ),
        (
            b"id,name,x,name,,\n,,,,,\n1,,Ysgol,,,\n",
            [
                "line 1, name: the header has this column 2 times: keep one",
                "line 3, name: is needed: fill the cell",
            ],
        ),
        (
            b"id,name\n1,\n2,Ysgol T\xf4\n",
            ["line 3: is not UTF-8 (byte 0xF4): save the file as CSV UTF-8"],
        ),
        (
            "id,name\n1,Ysgol\n".encode("utf-16"),
            ["line 1: the file is UTF-16, not UTF-8: save the file as CSV UTF-8"],
        ),
        (
            b"PK\x03\x04\xff\xfe",
            ["line 1: the file is a workbook or an archive, not CSV: save the file as CSV UTF-8"],
        ),
        (
            b'id,name\r\n1,"a\r\nb\0"\r\n',
            [
                "line 2, name: must be on one line: correct the cell",
                "line 3: must not hold a NUL byte: remove it, or save the file again as text",
            ],
        ),
        (
            b'id,name\n1,\n2,"Ysgol\n3,School\n',
            [
                "line 2, name: is needed: fill the cell",
                "line 3: a quote that opens here is never closed: close it; the rows below were not "
                "read",
            ],
        ),
        (
            b'id,name\n1,"The "Bell" School"\n',
            [
                "line 2: has a quote inside a quoted cell: write it twice; the rows below were not "
                "read"
            ],
        ),
    ],
    ids=[
        "empty", "bom", "no-header", "semicolons", "column-missing", "column-twice", "latin-1",
        "utf-16", "workbook", "nul", "open-quote", "inner-quote",
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_it_should_be_is_refused(
    tandem: Tandem, content: bytes, problems: list[str]
) -> None:
    assert refused(tandem.plain(content)) == problems
    assert tandem.stored() == {}


def test_a_header_alone_is_nothing_to_do(tandem: Tandem) -> None:
    assert done(tandem.plain("id,name\n")) == "0 created, 0 changed, 0 unchanged"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_address_may_stand_in_one_cell_of_several_lines(tandem: Tandem, end: str) -> None:
    content = end.join(
        ["id,name,place,town", '1,A,"1 Heol Fawr', "", ' Llan ",Y Dref', "2,B,-,", ""]
    )
    columns = ["address=place", "address=town"]
    result = tandem.plain(content, *columns)
    assert done(result) == "2 created, 0 changed, 0 unchanged"
    found = tandem.stored()
    assert found["1"].address == ["1 Heol Fawr", "Llan", "Y Dref"]
    assert found["2"].address == ["-"]
    eleven = end.join(["id,name,place,town", "1,A,,", '2,B,"' + end.join("abcdefghijk") + '",', ""])
    problem = "line 3, place: the address has 11 lines, 10 fit: join some"
    assert refused(tandem.plain(eleven, *columns)) == [problem]


def test_a_parent_may_be_one_that_is_there_already(tandem: Tandem) -> None:
    assert done(tandem.plain("id,name\nA,Above\n", kind="trust")).startswith("1 created")

    def run(content: str) -> Result:
        above = ["--parent-source", tandem.source]
        return tandem.plain(content, "parent.external_id=above", options=above)

    content = "id,name,above\n1,One,A\n2,Two,\n3,Three,A\n"
    assert done(run(content)) == "3 created, 0 changed, 0 unchanged"
    found = tandem.stored()
    assert [found[n].parent_id for n in "123"] == [found["A"].id, None, found["A"].id]

    result = run(content.replace("A", "B").replace("Two,", "Two,A"))
    text = f"no organisation is 'B' of {tandem.source}: import it first"
    assert refused(result) == [f"line 2, above: {text}", f"line 4, above: {text}"]
    cleared = run(content.replace("One,A", "One,"))
    assert done(cleared) == "0 created, 1 changed, 2 unchanged"
    after = tandem.stored()
    assert after["1"].parent_id is None
    assert tandem.journal(after["1"].id)[1][4] == ["parent_id"]

    tree = run("id,name,above\nA,Above,3\n2,Two,2\n")
    text = "this would put the organisation below itself: name another one above it"
    assert refused(tree) == [f"line 2, above: {text}", f"line 3, above: {text}"]
    assert tandem.stored() == after


def test_one_organisation_is_not_two_rows(tandem: Tandem) -> None:
    """Two identifiers of one organisation, and a parent that is its own school."""
    assert done(tandem.plain("id,name\n1,One\n")).startswith("1 created")
    with tandem.connection() as connection:
        connection.execute(
            _identifiers.insert(),
            {
                "source": tandem.source,
                "external_id": "2",
                "organisation_id": tandem.stored()["1"].id,
            },
        )
    problem = "line 3, id: names the same organisation as line 2: keep one of the two rows"
    assert refused(tandem.plain("id,name\n1,One\n2,Two\n")) == [problem]
    above = ["--parent-kind", "trust", "--parent-source", tandem.source]
    columns = ["parent.external_id=t", "parent.name=trust"]
    result = tandem.plain("id,name,t,trust\n3,A,4,B\n4,C,,\n", *columns, options=above)
    problem = "line 2, t: '4' is also that of the row on line 3: correct one of them"
    assert refused(result) == [problem]


def test_the_kind_may_come_from_a_column(tandem: Tandem) -> None:
    content = "id,name,type\n1,A,Ysgol\n2,B,Coleg\n"

    def run(content: str, *values: str) -> Result:
        options = [f"--kind-value={value}" for value in values]
        return tandem.plain(content, "kind=type", kind="", options=options)

    problem = "line 3, type: 'Coleg' is none of Ysgol: correct it, or map it"
    assert refused(run(content, "Ysgol=school")) == [problem]
    result = run(content, "Ysgol=school", "Coleg=college")
    assert result.stdout.splitlines()[1:] == [
        "  college  1 created, 0 changed, 0 unchanged",
        "  school   1 created, 0 changed, 0 unchanged",
    ]
    assert {code: row.kind for code, row in tandem.stored().items()} == {
        "1": "school",
        "2": "college",
    }
    own = "id,name,type\n1,A,school\n2,B,academy\n"
    (problem,) = refused(run(own))
    assert problem.startswith("line 3, type: 'academy' is none of school, college,")


def test_days_are_read_as_they_are_written_and_make_sense_together(tandem: Tandem) -> None:
    path = tandem.folder / "days.toml"
    path.write_text(
        f'kind = "school"\nsource = "{tandem.source}"\nexternal_id = "id"\nname = "name"\n'
        'opened_on = "from"\nclosed_on = "to"\ndelimiter = ";"\ndate_format = "%d/%m/%Y"\n'
        'none = ["n/a"]\n'
    )
    content = "id;name;from;to\n1;A;01/09/1990;n/a\n2;B;n/a;31/08/2020\n"
    assert done(tandem.run(content, "--mapping", str(path))).startswith("2 created")
    found = tandem.stored()
    assert (found["1"].opened_on, found["1"].closed_on) == (date(1990, 9, 1), None)
    assert (found["2"].opened_on, found["2"].closed_on) == (None, date(2020, 8, 31))
    problem = "line 2, to: it would close on 1990-08-31, before it opened on 1990-09-01: correct the dates"
    assert refused(tandem.plain("id,name,to\n1,A,1990-08-31\n", "closed_on=to")) == [problem]
    assert tandem.stored() == found


def test_flags_go_before_the_mapping(tandem: Tandem) -> None:
    row = "1,Ysgol A,1,Môn,Primary,---,Heol,,,,LL1,0,\n"
    options = ["--mapping", "wales-schools", "--source", tandem.source]
    options += [
        "--parent-source",
        f"{tandem.source}-above",
        "--column",
        "sector=Religious Character",
    ]
    assert done(tandem.run(WALES + row, *options, "--none", "-")).startswith("2 created")
    assert tandem.stored()["1"].sector == "---"
    assert list(tandem.stored(f"{tandem.source}-above")) == ["1"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mapping", "nowhere"], "no file 'nowhere'; with Tandem come: wales-schools"),
        ([], "kind is needed; source is needed; external_id is needed; name is needed"),
        (["--mapping", "wales-schools", "--kind", "castle"], "kind input should be 'school'"),
        (["--mapping", "wales-schools", "--column", "name"], "must be FIELD=COLUMN"),
        (["--mapping", "wales-schools", "--column", "colour=c"], "colour is not a field"),
        (["--mapping", "wales-schools", "--column", "parent.x=c"], "parent.x is not a field"),
        (["--mapping", "wales-schools", "--kind-value", "a=school"], "--column kind=COLUMN"),
        (["--mapping", "wales-schools", "--delimiter", "::"], "delimiter input should be"),
        (["--mapping", "wales-schools", "--date-format", "%d/%m"], "must hold a whole date"),
        (["--mapping", "broken.toml"], "broken.toml is not TOML"),
        (["--mapping", "half.toml"], "parent needs both kind and name, or neither"),
        (["--mapping", "kinds.toml"], "kind.column is needed"),
        (["--colour"], "No such option"),
    ],
)
def test_wrong_usage_is_told_apart(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch, options: Sequence[str], said: str
) -> None:
    monkeypatch.chdir(tandem.folder)
    monkeypatch.setenv("COLUMNS", "400")
    basic = 'source = "s"\nexternal_id = "id"\nname = "n"\n'
    (tandem.folder / "broken.toml").write_text("kind =")
    (tandem.folder / "kinds.toml").write_text(basic + "kind = { values = {} }\n")
    (tandem.folder / "half.toml").write_text(
        f'{basic}kind = "school"\n[parent]\nsource = "s"\nexternal_id = "p"\nname = "x"\n'
    )
    result = tandem.run("id,name\n1,A\n", *options)
    assert result.exit_code == 2
    assert said in result.stderr.replace("│\n│ ", "")


def test_a_file_that_is_not_there_is_wrong_usage(tandem: Tandem) -> None:
    arguments = ["import", "organisations", "nowhere.csv", "--mapping", "wales-schools"]
    assert CliRunner().invoke(app, arguments).exit_code == 2


def failed(result: Result) -> str:
    """What a command says that could not do its work."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    (said,) = result.stderr.splitlines()
    return said.removesuffix(" Nothing was written; the import can be run again.")


def test_a_database_without_the_schema_or_with_another_is_told(alone: Tandem) -> None:
    with alone.connection() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    said = failed(alone.plain("id,name\n1,A\n"))
    expected = f"The database has the schema 0000, this is for {db.SCHEMA}: run tandem migrate."
    assert said == expected
    with alone.connection() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    said = failed(alone.plain("id,name\n1,A\n"))
    assert said == "The database is empty: run tandem migrate first."


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "tandem.db").write_text("not a database " * 100)
    with using(f"sqlite:///{tmp_path / 'tandem.db'}", tmp_path) as tandem:
        assert failed(tandem.plain("id,name\n1,A\n")) == "file is not a database."
    with using("postgresql://nobody@127.0.0.1:9/none", tmp_path) as tandem:
        assert failed(tandem.plain("id,name\n1,A\n")) == "The database does not answer."
    with postgresql_database(f"gone_{tmp_path.name[-20:]}") as url:
        pass
    with using(url, tmp_path) as tandem:
        assert failed(tandem.plain("id,name\n1,A\n")).endswith("does not exist.")


def test_a_database_that_another_writes_to_for_long_is_told(
    tandem: Tandem, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if backend == "sqlite":
        monkeypatch.setattr(db, "BUSY_SECONDS", 0.05)
        holder = sqlite3.connect(tandem.url.removeprefix("sqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert failed(tandem.plain("id,name\n1,A\n")) == "The database is busy."
        holder.execute("ROLLBACK")
        holder.close()

    async def taken(unit: Unit, name: str) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr(Unit, "try_lock", taken)
        said = failed(tandem.plain("id,name\n1,A\n"))
    assert said == "Another import of organisations is at work."
    assert done(tandem.plain("id,name\n1,A\n")).startswith("1 created")


def meanwhile(
    tandem: Tandem, patch: pytest.MonkeyPatch, write: Callable[[Connection], None]
) -> None:
    """Has somebody else write whenever the import is about to."""

    async def import_organisations(unit: Unit, batch: Any, **named: Any) -> None:
        with tandem.connection() as connection:
            write(connection)
        await organisations.import_organisations(unit, batch, **named)

    patch.setattr(job, "import_organisations", import_organisations)


def test_what_somebody_else_changes_meanwhile_is_looked_at_again(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert done(tandem.plain("id,name\n1,One\n2,Two\n")).startswith("2 created")
    first = tandem.stored()["1"]
    times = 0

    def change(connection: Connection) -> None:
        nonlocal times
        times += 1
        if times == 1:
            row = _organisations.c.id == first.id
            values = {"phone": "0", "version": first.version + 1}
            connection.execute(update(_organisations).where(row).values(**values))

    with monkeypatch.context() as patch:
        meanwhile(tandem, patch, change)
        summary = done(tandem.plain("id,name\n1,Eins\n2,Zwei\n3,Drei\n"))
    assert (times, summary) == (2, "1 created, 2 changed, 0 unchanged")
    found = tandem.stored()
    assert (found["1"].name, found["1"].phone, found["1"].version) == ("Eins", "0", 3)
    assert [entry[2] for entry in tandem.journal(first.id)] == [1, 3]


def test_what_somebody_else_creates_meanwhile_is_looked_at_again(
    tandem: Tandem, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = 0

    def create(connection: Connection) -> None:
        nonlocal times
        times += 1
        by = {"id": uuid7(), "version": 1, "created_at": now(), "updated_at": now()}
        values = {"kind": "school", "name": "Theirs", "folded": "theirs", "address": []}
        connection.execute(_organisations.insert(), {**by, **values})
        named = {"source": tandem.source, "external_id": "abc"[times - 1]}
        connection.execute(_identifiers.insert(), {**named, "organisation_id": by["id"]})

    content = "id,name\na,Ours\nb,Ours\nc,Ours\n"
    with monkeypatch.context() as patch:
        meanwhile(tandem, patch, create)
        said = failed(tandem.plain(content))
    assert times == job.ATTEMPTS
    assert said == "Another record holds that identifier, or one that this names is gone."
    assert {row.name for row in tandem.stored().values()} == {"Theirs"}
    assert done(tandem.plain(content)) == "0 created, 3 changed, 0 unchanged"


def test_an_import_that_is_killed_leaves_nothing_behind(tandem: Tandem) -> None:
    """Killed in its last moment, before the commit."""
    script = (
        "import os, signal, sys\n"
        "from app.core.db import Unit\n"
        "async def commit(unit):\n"
        "    assert unit.begun\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "Unit.commit = commit\n"
        "from app.cli import app\n"
        "app(sys.argv[1:])\n"
    )
    content = "id,name\n" + "".join(f"{n},School {n}\n" for n in range(6000))
    path = tandem.file(content)
    arguments = [
        "import",
        "organisations",
        str(path),
        "--kind",
        "school",
        "--source",
        tandem.source,
    ]
    arguments += ["--column", "external_id=id", "--column", "name=name"]
    killed = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert tandem.stored() == {}
    assert done(tandem.plain(content)) == "6000 created, 0 changed, 0 unchanged"


def test_progress_is_told_in_stages(tandem: Tandem) -> None:
    heard: list[tuple[str, int, int | None]] = []
    content = "id,name\n" + "".join(f"{n},School {n}\n" for n in range(2001))
    mapping = read_mapping(
        None, columns=["external_id=id", "name=name"], kind="school", source=tandem.source
    )

    async def run() -> None:
        database = Database(tandem.url)
        await database.open()
        path = tandem.file(content)
        await job.import_file(database, path, mapping, progress=lambda *told: heard.append(told))
        await database.close()

    asyncio.run(run())
    assert heard[:2] == [("Reading", 2000, None), ("Comparing", 0, None)]
    assert {stage for stage, *_ in heard[2:]} == {"Writing"}
    # The organisation, its identifier and its journal row.
    assert heard[-1] == ("Writing", 6003, 6003)


def test_the_mappings_that_ship_can_be_used() -> None:
    assert shipped() == ["wales-schools"]
    assert [read_mapping(name).source for name in shipped()] == ["wales-school-number"]


def test_the_mapping_in_the_documentation_has_everything(tmp_path: Path) -> None:
    document = (ROOT / "docs/importing.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```$", document, flags=re.MULTILINE | re.DOTALL)
    constant, by_column = tmp_path / "constant.toml", tmp_path / "column.toml"
    constant.write_text(example)
    by_column.write_text(example.replace('kind = "school"', "#").replace("# kind", "kind"))
    for path in (constant, by_column):
        mapping = read_mapping(str(path))
        assert mapping.model_fields_set == set(type(mapping).model_fields)
        assert mapping.parent is not None
        assert mapping.parent.model_fields_set == set(type(mapping.parent).model_fields)


def accepts(model: Callable[..., Any], **values: Any) -> bool:
    try:
        model(**values)
    except ValidationError:
        return False
    return True


def test_the_limits_are_those_of_the_api() -> None:
    for field in ("name", "name_cy", "sector", "postcode", "phone"):
        longest = cells.LONGEST.get(field, cells.LINE)
        for length, fits in ((longest, True), (longest + 1, False)):
            values = {"kind": "school", "name": "A", field: "x" * length}
            assert accepts(OrganisationNew, **values) is fits, field
    for lines, fits in ((cells.ADDRESS_LINES, True), (cells.ADDRESS_LINES + 1, False)):
        assert accepts(OrganisationNew, kind="school", name="A", address=["x"] * lines) is fits
    for length, fits in ((cells.LONGEST["external_id"], True), (101, False)):
        assert accepts(ExternalIdentifier, source="s", external_id="x" * length) is fits


@given(st.text(st.characters(), max_size=40) | st.text("aŷ\u0302\u00a0\t\x7f ", max_size=8))
def test_plain_text_is_what_the_api_takes_as_it_is(written: str) -> None:
    cell = written.strip(BLANK)
    if cell and cells.is_plain(f"{cell}{cell}"):
        assert TypeAdapter(Line).validate_python(cell) == cell


def rows_of(content: str, path: Path) -> list[int]:
    problems: list[Problem] = []
    path.write_text(content, newline="")
    lines = [line for line, _ in Table(path, ",", problems).rows(["a"])]
    assert problems == []
    return lines


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    content = '\n"a",b\n\n1,"x\ny\n"\n , \n2,z\n'
    assert rows_of(content, tmp_path / "file") == [4, 8]
    assert rows_of(content.replace("\n", "\r\n"), tmp_path / "file") == [4, 8]
