"""`q` on lists: by the words of what the caller is shown, and by nothing else."""

import unicodedata
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.core.clock import today
from app.core.files import store
from app.jobs import retention
from app.models.agreement_text import OBLIGATIONS
from app.models.evidence import EvidenceItem
from app.models.goals import Goal
from app.models.people import Affiliation, AffiliationRole
from tests.worlds import Actor, World, add_person, affiliate, token

pytestmark = pytest.mark.anyio

GOALS, ITEMS, AGREEMENTS = "/v1/goals", "/v1/evidence-items", "/v1/learning-agreements"
ALL = ["coaches", "fellows", "advisers", "leaders", "systems"]
OPEN: dict[str, Any] = {"goals": [*ALL, "networks"], "evidence": [*ALL, "networks"]}
LATER = (today() + timedelta(days=30)).isoformat()


async def items(actor: Actor, path: str, **query: str) -> list[dict[str, Any]]:
    """A list that fits on one page."""
    answer = await actor.get(path, params={"limit": "200", **query})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["next"] is None
    found: list[dict[str, Any]] = page["items"]
    return found


async def ids(actor: Actor, path: str, q: str) -> list[str]:
    return [item["id"] for item in await items(actor, path, q=q)]


async def finders(world: World, path: str, record_id: str, q: str) -> set[str]:
    """Who finds a record by words."""
    return {who for who, a in world.actors.items() if record_id in await ids(a, path, q)}


async def lists(world: World, path: str, record_id: str) -> set[str]:
    """In whose lists a record stands."""
    return {
        who
        for who, actor in world.actors.items()
        if record_id in [item["id"] for item in await items(actor, path)]
    }


async def put(world: World, entity: Any, record_id: str | UUID, **values: Any) -> None:
    """Puts what no caller can put."""
    async with world.database.work() as unit:
        await unit.begin()
        await unit.session.execute(
            update(entity)
            .where(entity.id == UUID(str(record_id)))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


async def arrive(world: World, *names: str) -> None:
    """Further teachers at the school, as actors of the world."""
    async with world.database.work() as unit:
        for name in names:
            person_id = await add_person(unit, f"{name.title()} Ŵyn")
            await affiliate(unit, person_id, world.school, AffiliationRole.TEACHER)
            world.actors[name] = Actor(world.http, person_id, token(world.app, person_id), name)


async def sign(world: World, path: str, number: int, *who: str) -> None:
    version = (await world.actors[who[0]].get(f"{path}/versions/{number}")).json()
    for name in who:
        body = {"digest": version["digest"], "obligations": list(OBLIGATIONS)}
        answer = await world.actors[name].post(f"{path}/signatures", json=body)
        assert answer.status_code == 201, answer.text


# --- by what words


async def test_every_word_must_be_there_and_the_last_may_be_the_beginning_of_one(
    world: World,
) -> None:
    made = await world.goal(
        baseline="I ask Tŷ Gwyn's class; O’Brien answers.",
        pupil_gain="Łukasz, Øystein & groß (7B)",
        success_indicators=["Seven of ten: reasons_given"],
        development_plan_priorities=["Oracy-led talk"],
        personal_priority="Patience",
    )
    for q, there in (
        ("reasons", True), ("REASONS pupils", True), ("pupils give rea", True), ("give", True),
        ("pup reasons", False), ("easons", False), ("upi", False), ("pupils nothing", False),
        ("ty gwyn", True), ("tŷ gŵyn", True), ("t\u0177 GWYN", True), ("ty\u0302", True),
        ("o'brien", True), ("brien", True), ("lukasz oystein", True), ("GROSS", True), ("7b", True),
        ("talk led oracy patience seven", True), ("given", True), ("class's", True), ("s", True),
        ("\uff30\uff35\uff30\uff29\uff2c\uff33", True),
    ):  # fmt: skip
        assert (made["id"] in await ids(world.learner, GOALS, q)) is there, q


@pytest.mark.parametrize("letter", "âêîôûŵŷáàäëïöẃÿ")
async def test_welsh_letters_are_found_with_and_without_their_roofs(
    world: World, letter: str
) -> None:
    bare = unicodedata.normalize("NFD", letter)[0]
    with_roof = await world.goal(statement=f"x{letter}x")
    without = await world.goal(statement=f"x{bare}x".upper())
    for asked in (f"x{letter}x", f"x{bare}x", f"X{letter.upper()}", f"x{bare}\u0302"):
        found = await ids(world.learner, GOALS, asked)
        assert {with_roof["id"], without["id"]} <= set(found), asked


ODD = (
    "%", "_", "*", '"', "'", "''", "\\", "(", ")", "^", "-", ":", "!", "&|!<->", "…", "🙂", "👩🏽‍🏫", "AND",
    "OR", "NOT", "NEAR(pupils reasons)", 'statement:"pupils"', "pupils*", "pup* reasons", "pupils OR x",
    "pupils NOT reasons", "pupils AND reasons", "^pupils", "-reasons", "pupils & !reasons", "pupils:*",
    "pupils <-> give", "'; DROP TABLE goals; --", "\" OR 1=1 --", "%pupils%", "pupil_", '["pupils"]',
    "pupils\\", "{pupils}", "$1", "?1", ":q", "\u200bpupils", "𝐩𝐮𝐩𝐢𝐥𝐬", "ℙupils", "İ", "\ufeff", "ﬁ", "a" * 300,
    "é" * 300, "a " * 150, "🙂" * 300, "٣", "学", "²", "\u0301",
)  # fmt: skip
"""Operators of full text, of LIKE and of SQL, and signs that are no letters."""


def words_of(text: str) -> list[str]:
    """Letters and digits without marks and case, in words: as plainly as it can be said."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)
    )
    bare = bare.replace("ø", "o").replace("ł", "l").casefold()
    return "".join(c if c.isalnum() else " " for c in bare).split()


def answers(q: str, texts: Iterator[str | None]) -> bool:
    """Whether texts answer a question."""
    there = {word for text in texts if text for word in words_of(text)}
    *whole, last = words_of(q) or [None]
    return (
        last is not None and there.issuperset(whole) and any(w.startswith(last) for w in there)  # type: ignore[arg-type]
    )


def said_by_goal(goal: dict[str, Any]) -> Iterator[str | None]:
    names = ("statement", "baseline", "pupil_gain", "personal_priority")
    yield from (goal[name] for name in names)
    yield from [*goal["success_indicators"], *goal["development_plan_priorities"]]


def said_by_item(item: dict[str, Any]) -> Iterator[str | None]:
    if item["view"] == "withheld":
        return
    names = (
        "title", "description", "context", "whose_practice", "what_it_shows", "other_explanations",
    )  # fmt: skip
    yield from (item[name] for name in names)
    yield from (file["name"] for file in item["files"])


def said_by_agreement(agreement: dict[str, Any]) -> Iterator[str | None]:
    if agreement["view"] == "existence":
        return
    text = agreement["text"]
    yield from (
        text[name]
        for name in (
            "purpose", "beneficiaries", "working_definition", "performance_management_boundary",
            "professional_standards", "development_plan", "data_controller", "lawful_basis",
            "retention", "records_afterwards", "coaching_model_reason", "adverse_effects",
        )
    )  # fmt: skip
    yield from text["ground_rules"]
    yield from (dual["safeguards"] for dual in text["dual_roles"])
    for supporter in text["supporters"]:
        yield from (supporter["name"], supporter["support"])
    if agreement["view"] == "text":
        yield from (p["name"] for p in [*agreement["parties"], *agreement["signatures"]])


SAID: dict[str, Callable[[dict[str, Any]], Iterator[str | None]]] = {
    GOALS: said_by_goal,
    ITEMS: said_by_item,
    AGREEMENTS: said_by_agreement,
    "/v1/people": lambda person: iter([person["name"]]),
    "/v1/networks": lambda network: iter([network[n] for n in ("name", "name_cy", "remit")]),
}


Lists = dict[tuple[str, str], list[dict[str, Any]]]


async def everything(world: World) -> Lists:
    """Every list, as everybody sees it; the operator's of people and networks have no end."""
    return {
        (path, who): await items(actor, path)
        for path in SAID
        for who, actor in world.actors.items()
        if who != "operator"
    }


async def agree(world: World, lists: Lists, q: str) -> None:
    """What each list gives by `q` is what plain Python leaves of the whole list."""
    for (path, who), whole in lists.items():
        answer = await world.actors[who].get(path, params={"limit": "200", "q": q})
        if answer.status_code == 422:
            assert answer.json()["errors"][0]["parameter"] == "q"
            assert not q.strip() or not q.isprintable(), q
            continue
        assert answer.status_code == 200, (q, answer.text)
        expected = [item["id"] for item in whole if answers(q, SAID[path](item))]
        found = [item["id"] for item in answer.json()["items"]]
        assert found == expected, (q, path, who)


async def varied(world: World) -> None:
    """Records of every kind, in every view."""
    await arrive(world, "newcomer")
    founded = await world.learner.post(
        "/v1/networks",
        json={"kind": "triad", "name": "Pupils' talk", "name_cy": "Siarad", "remit": "Rhesymau"},
    )
    network = founded.json()["id"]
    agreement = await world.agreement(
        networks=[network], purpose="Pupils give reasons.", disclosure={**OPEN, "existence": ALL}
    )
    other = await world.agreement(
        purpose="Łukasz: pupils' talk",
        disclosure={"former_parties": "their_time", "existence": ALL, "text": ALL, "goals": ALL},
    )
    kept = await world.goal(other, statement="Pupils talk in pairs")
    path = f"{AGREEMENTS}/{other}"
    assert (await world.tutor.post(f"{path}/departure")).status_code == 200
    await world.learner.patch(f"{GOALS}/{kept['id']}", json={"statement": "Give no reasons"})
    parties = (await world.learner.get(path)).json()["text"]["parties"]
    parties.append({"person_id": str(world.newcomer.id), "role": "mentor"})
    changes = {"parties": parties, "purpose": "Reasons, or talk"}
    amended = await world.learner.post(f"{path}/amendments", json={"changes": changes})
    assert amended.status_code == 201, amended.text
    await world.propose(purpose="Reasons to talk, AND or NOT.")
    await world.goal(agreement, statement="Pupils give reasons_why: 100% *never* “or”…")
    await world.goal(agreement, statement="Tŷ Ŵyn: ﬁrst AND second", readers=["coaches"])
    await world.goal(statement="Groß İstanbul ℌ ² ½ 学校 ٣ x", success_indicators=["a b", "c"])
    await world.file(await world.evidence(agreement, title="Pupils"), name="Reasons given.txt")
    await world.evidence(description="a " * 50, what_it_shows="Pupils, pupil")


@pytest.mark.parametrize("q", ODD)
async def test_no_sign_is_an_operator(world: World, q: str) -> None:
    await world.goal(statement="Pupils give reasons.")
    await world.goal(statement="AND or NOT: a pupil_ at 100% 'x' 🙂 İ fish 学校 ٣²")
    await agrees_on_goals(world, q)


async def agrees_on_goals(world: World, q: str) -> None:
    whole = await items(world.learner, GOALS)
    expected = [goal["id"] for goal in whole if answers(q, said_by_goal(goal))]
    assert await ids(world.learner, GOALS, q) == expected


@pytest.mark.parametrize("q", ["", " ", "\t", "a\nb", "a\x00b", "\x7f", "a" * 301])
async def test_what_is_no_line_of_text_is_refused(world: World, q: str) -> None:
    for path in SAID:
        answer = await world.learner.get(path, params={"q": q})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["parameter"] == "q"


_pieces = st.sampled_from(
    [
        "pupils",
        "reasons",
        "talk",
        "ty",
        "ŵyn",
        "a",
        "x",
        " ",
        "-",
        "*",
        '"',
        "'",
        "%",
        "_",
        "\\",
        "OR",
    ]
)
_questions = st.one_of(
    st.text(min_size=1, max_size=40),
    st.lists(_pieces, min_size=1, max_size=6).map("".join),
    st.lists(_pieces, min_size=1, max_size=4).map(" ".join),
)


SHOWN: dict[UUID, Lists] = {}
"""The lists of a world that all examples are asked in."""


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(q=_questions)
@example(q="pupils")
@example(q="reasons pup")
@example(q="coach learner")
async def test_any_question_finds_what_plain_python_finds(world: World, q: str) -> None:
    if world.school not in SHOWN:
        await varied(world)
        SHOWN[world.school] = await everything(world)
    await agree(world, SHOWN[world.school], q)


# --- within each way of seeing


async def network_of(world: World, member: str) -> str:
    made = await world.learner.post("/v1/networks", json={"kind": "triad", "name": "Cymuned"})
    network: str = made.json()["id"]
    path = f"/v1/networks/{network}/members"
    joined = await world.learner.post(path, json={"person_id": str(world.actors[member].id)})
    assert joined.status_code == 201, joined.text
    return network


async def share(world: World, **body: Any) -> None:
    answer = await world.learner.post("/v1/shares", json={"reason": "Advice.", **body})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("path", [GOALS, ITEMS])
async def test_a_record_is_found_by_everybody_who_sees_it_and_nobody_else(
    world: World, path: str
) -> None:
    make = world.goal if path == GOALS else world.evidence
    name, field = ("statement", "goal_id") if path == GOALS else ("title", "evidence_item_id")
    await arrive(world, "member", "reader")
    network = await network_of(world, "member")
    agreement = await world.agreement(networks=[network], disclosure={**OPEN, "existence": ALL})
    wide = await make(agreement, **{name: "Cwestiynau da"}, shows_pupils="no")
    for readers in [[], *([reader] for reader in ALL)]:
        made = await make(agreement, **{name: "Cwestiynau cul"}, readers=readers)
        seen = await lists(world, path, made["id"])
        assert await finders(world, path, made["id"], "cul cwest") == seen
        assert len(seen) == 1 + len(readers)
    assert await finders(world, path, wide["id"], "cwestiynau d") == {
        "learner", "fellow", "coach", "tutor", "head", "client",
    }  # fmt: skip
    await share(world, **{field: wide["id"]}, network_id=network)
    person = {"person_id": str(world.reader.id), "ends_on": LATER}
    await share(world, **{field: wide["id"]}, **person)
    everybody = await finders(world, path, wide["id"], "cwestiynau d")
    assert everybody == await lists(world, path, wide["id"]) >= {"member", "reader"}
    assert everybody.isdisjoint({"stranger", "administrator", "operator"})


async def test_who_typed_a_goal_and_who_has_its_evidence_find_them(world: World) -> None:
    await arrive(world, "reader")
    agreement = await world.agreement(disclosure={"goals": [], "evidence": []})
    body = {"statement": "Gwrando", "agreement_id": agreement, "owner_id": str(world.learner.id)}
    goal = (await world.coach.post(GOALS, json=body)).json()
    item = await world.evidence(agreement, title="Gwrandawiad", goal_ids=[goal["id"]])
    assert await finders(world, GOALS, goal["id"], "gwrando") == {"learner", "coach"}
    person = {"person_id": str(world.reader.id), "ends_on": LATER}
    await share(world, goal_id=goal["id"], with_evidence=True, **person)
    assert await finders(world, ITEMS, item["id"], "gwrand") == {"learner", "reader"}
    await world.learner.patch(f"{GOALS}/{goal['id']}", json={"statement": "Siarad"})
    assert await finders(world, GOALS, goal["id"], "gwrando") == set()
    assert await finders(world, GOALS, goal["id"], "siarad") == {"learner", "reader"}


async def test_after_a_revision_the_old_words_are_gone(world: World) -> None:
    agreement = await world.agreement()
    goal = await world.goal(agreement, statement="Hen eiriau", baseline="Aros")
    path = f"{GOALS}/{goal['id']}"
    await world.learner.patch(path, json={"statement": "Geiriau newydd", "baseline": None})
    assert await finders(world, GOALS, goal["id"], "newydd") == {"learner", "coach", "tutor"}
    for q in ("hen", "eiriau", "aros"):
        assert await finders(world, GOALS, goal["id"], q) == set()
    # Progress is no wording.
    await world.learner.post(f"{path}/proposal")
    await world.learner.post(f"{path}/progress", json={"note": "Cynnydd"})
    assert await finders(world, GOALS, goal["id"], "cynnydd") == set()
    assert await finders(world, GOALS, goal["id"], "newydd") == {"learner", "coach", "tutor"}


async def test_an_item_is_found_by_the_names_of_the_files_that_it_has(world: World) -> None:
    agreement = await world.agreement()
    item = await world.evidence(agreement, title="Parau")
    file = await world.file(item, name="Llais_disgyblion-7B.txt")
    assert await finders(world, ITEMS, item["id"], "parau disgyblion llais") == {"learner", "coach"}
    gone = await world.learner.delete(f"{ITEMS}/{item['id']}/files/{file['id']}")
    assert gone.status_code == 204, gone.text
    assert await finders(world, ITEMS, item["id"], "disgyblion") == set()
    assert await finders(world, ITEMS, item["id"], "parau") == {"learner", "coach"}


# --- what is not shown


async def test_existence_is_found_by_no_word(world: World) -> None:
    agreement = await world.agreement(purpose="Hyder wrth holi", disclosure={"existence": ALL})
    assert await lists(world, AGREEMENTS, agreement) >= {"head", "client"}
    party = {"learner", "fellow", "coach", "tutor"}
    for q in ("hyder", world.coach.name, "coach", "conversation"):
        assert await finders(world, AGREEMENTS, agreement, q) == party, q
    opened = await world.agreement(
        purpose="Hyder agored", disclosure={"existence": ALL, "text": ALL}
    )
    for q in ("agored", world.coach.name):
        assert await finders(world, AGREEMENTS, opened, q) == {*party, "head", "client"}, q


async def test_a_proposal_is_found_by_those_it_asks_and_a_draft_by_its_drafter(
    world: World,
) -> None:
    draft = (await world.draft(purpose="Drafft cudd")).rpartition("/")[2]
    assert await finders(world, AGREEMENTS, draft, "drafft") == {"learner"}
    path, _ = await world.propose(purpose="Cynnig agored")
    proposal = path.rpartition("/")[2]
    asked = {"learner", "fellow", "coach", "tutor"}
    for q in ("cynnig", world.tutor.name):
        assert await finders(world, AGREEMENTS, proposal, q) == asked
    await world.learner.patch(f"{AGREEMENTS}/{draft}", json={"purpose": "Arall"})
    assert await finders(world, AGREEMENTS, draft, "drafft") == set()
    assert await finders(world, AGREEMENTS, draft, "arall") == {"learner"}


async def test_an_agreement_is_found_by_the_version_that_its_reader_is_shown(world: World) -> None:
    await arrive(world, "newcomer")
    agreement = await world.agreement(purpose="Yn gyntaf")
    path, parties = f"{AGREEMENTS}/{agreement}", {"learner", "fellow", "coach", "tutor"}
    text = (await world.learner.get(path)).json()["text"]
    joining = [*text["parties"], {"person_id": str(world.newcomer.id), "role": "specialist"}]
    amended = await world.learner.post(
        f"{path}/amendments", json={"changes": {"parties": joining, "purpose": "Yn ail"}}
    )
    assert amended.status_code == 201, amended.text
    # On the table: the parties are shown what is in force, the newcomer what they are asked for.
    assert await finders(world, AGREEMENTS, agreement, "gyntaf") == parties
    assert await finders(world, AGREEMENTS, agreement, "ail") == {"newcomer"}
    assert await finders(world, AGREEMENTS, agreement, world.coach.name) == parties
    await sign(world, path, 2, "learner", "fellow", "coach", "tutor", "newcomer")
    assert await finders(world, AGREEMENTS, agreement, "gyntaf") == set()
    assert await finders(world, AGREEMENTS, agreement, "ail") == {*parties, "newcomer"}
    assert await finders(world, AGREEMENTS, agreement, "newcomer") >= {"coach"}
    # Who has left is shown the last version that was theirs.
    assert (await world.newcomer.post(f"{path}/departure")).status_code == 200
    amended = await world.learner.post(
        f"{path}/amendments", json={"changes": {"purpose": "Yn drydydd"}}
    )
    assert amended.status_code == 201, amended.text
    await sign(world, path, 4, "learner", "fellow", "coach", "tutor")
    assert await finders(world, AGREEMENTS, agreement, "ail") == {"newcomer"}
    assert await finders(world, AGREEMENTS, agreement, "drydydd") == parties
    assert await finders(world, AGREEMENTS, agreement, "newcomer") == set()


async def test_what_is_kept_is_found_by_what_it_said_then(world: World) -> None:
    agreement = await world.agreement(
        disclosure={"former_parties": "their_time", "evidence": ["coaches"], "goals": ["coaches"]}
    )
    goal = await world.goal(agreement, statement="Cadwyd")
    item = await world.evidence(agreement, title="Cadwyd")
    await world.file(item, name="llun.txt")
    assert (await world.coach.post(f"{AGREEMENTS}/{agreement}/departure")).status_code == 200
    await world.learner.patch(f"{GOALS}/{goal['id']}", json={"statement": "Newidiwyd"})
    await world.learner.patch(f"{ITEMS}/{item['id']}", json={"title": "Newidiwyd"})
    await world.file(item, name="fideo.txt")
    for path, record in ((GOALS, goal), (ITEMS, item)):
        assert await finders(world, path, record["id"], "cadwyd") == {"coach"}
        assert await finders(world, path, record["id"], "newidiwyd") == {"learner"}
    assert await finders(world, ITEMS, item["id"], "llun") == {"learner", "coach"}
    assert await finders(world, ITEMS, item["id"], "fideo") == {"learner"}
    # Who is shown it as it is today finds it by what it says today.
    person = {"person_id": str(world.coach.id), "ends_on": LATER}
    await share(world, goal_id=goal["id"], **person)
    assert await finders(world, GOALS, goal["id"], "cadwyd") == set()
    assert await finders(world, GOALS, goal["id"], "newidiwyd") == {"learner", "coach"}
    # Nothing is ticked any more: nothing is kept.
    await world.learner.patch(f"{ITEMS}/{item['id']}", json={"readers": []})
    assert await finders(world, ITEMS, item["id"], "cadwyd") == set()


async def test_what_is_withheld_is_found_by_no_word(world: World) -> None:
    item = await world.evidence(
        title="Disgyblion", shows_pupils="yes", pupil_basis="Public task", delete_by=LATER
    )
    await world.file(item, name="llun.txt")
    assert await finders(world, ITEMS, item["id"], "disgyblion") == {"learner"}
    yesterday = today() - timedelta(days=1)
    await put(world, Affiliation, world.affiliations["learner"], ends_on=yesterday)
    assert await lists(world, ITEMS, item["id"]) == {"learner"}
    for q in ("disgyblion", "llun"):
        assert await finders(world, ITEMS, item["id"], q) == set()


@pytest.mark.parametrize("path", [GOALS, ITEMS])
async def test_from_its_date_on_a_record_is_found_by_no_word(world: World, path: str) -> None:
    agreement = await world.agreement(
        disclosure={**OPEN, "existence": ALL, "former_parties": "their_time"}
    )
    make = world.goal if path == GOALS else world.evidence
    name = "statement" if path == GOALS else "title"
    made = await make(agreement, **{name: "Dyddiad"}, delete_by=LATER)
    if path == ITEMS:
        await world.file(made, name="llun.txt")
    await world.tutor.post(f"{AGREEMENTS}/{agreement}/departure")
    assert await finders(world, path, made["id"], "dyddiad") >= {"learner", "coach", "tutor"}
    await put(world, Goal if path == GOALS else EvidenceItem, made["id"], delete_by=today())
    assert "learner" in await lists(world, path, made["id"])
    for q in ("dyddiad", "llun"):
        assert await finders(world, path, made["id"], q) == set()


# --- what is left


def on_disk(path: str) -> bytes:
    return Path(path).read_bytes() + Path(f"{path}-wal").read_bytes()


async def left(world: World, word: str) -> set[str]:
    """The tables in which a word still stands, and the file of SQLite if its bytes hold it."""
    database, found = world.database, set()
    every = (
        "SELECT name FROM sqlite_master WHERE type = 'table'"
        if database.is_sqlite
        else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    # One of the connections that there are: the pool may have given them all to writers.
    connection, driver = await database.take_writer()
    await driver.command("ROLLBACK")
    try:
        for (table,) in list(await connection.exec_driver_sql(every)):
            rows = list(await connection.exec_driver_sql(f'SELECT * FROM "{table}"'))
            if word in str(rows).casefold():
                found.add(table)
        if database.is_sqlite:
            await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            if word.encode() in on_disk(database._path):
                found.add("file")
    finally:
        await database.return_writer(connection, driver, sound=True)
    return found


@pytest.mark.parametrize("path", [GOALS, ITEMS])
async def test_nothing_of_the_words_is_left_when_a_record_is_deleted_or_erased(
    world: World, path: str
) -> None:
    word = f"cyfrinach{uuid4().hex}"
    agreement = await world.agreement(disclosure={**OPEN, "former_parties": "their_time"})
    make = world.goal if path == GOALS else world.evidence
    name, entity = ("statement", Goal) if path == GOALS else ("title", EvidenceItem)
    deleted = await make(agreement, **{name: f"{word} A"}, delete_by=LATER)
    erased = await make(agreement, **{name: f"{word} B"}, delete_by=LATER)
    for record in (deleted, erased):
        if path == ITEMS:
            await world.file(record, name=f"{word}.txt")
    await world.coach.post(f"{AGREEMENTS}/{agreement}/departure")
    there = {"kept_records", "goals" if path == GOALS else "evidence_items"}
    assert await left(world, word) >= there | ({"file"} if world.database.is_sqlite else set())
    assert (await world.learner.delete(f"{path}/{deleted['id']}")).status_code == 204
    assert await ids(world.learner, path, word) == [erased["id"]]
    await put(world, entity, erased["id"], delete_by=today())
    await retention.sweep(world.database, store())
    assert await left(world, word) == set()


# --- lists


async def test_pages_are_complete_newest_first_and_a_cursor_belongs_to_its_question(
    world: World,
) -> None:
    agreement = await world.agreement()
    made = []
    for n in range(7):
        made.append((await world.goal(agreement, statement=f"Tudalen {n}"))["id"])
        await world.goal(agreement, statement="Arall")
    for actor in (world.learner, world.coach):
        found, query = [], {"q": "tudal", "limit": "2"}
        while True:
            answer = await actor.get(GOALS, params=query)
            page = answer.json()
            found += [goal["id"] for goal in page["items"]]
            if page["next"] is None:
                break
            assert "q=tudal" in answer.headers["Link"]
            query["cursor"] = page["next"]
        assert found == made[::-1]
    moved = await world.learner.get(GOALS, params={**query, "q": "arall"})
    assert (moved.status_code, moved.json()["errors"][0]["parameter"]) == (422, "cursor")


async def test_words_go_together_with_other_filters(world: World) -> None:
    agreement = await world.agreement()
    under = await world.goal(agreement, statement="Hidlo")
    await world.goal(statement="Hidlo")
    found = await items(world.learner, GOALS, q="hidlo", agreement_id=agreement)
    assert [goal["id"] for goal in found] == [under["id"]]


async def test_people_and_networks_follow_their_names(world: World) -> None:
    mark = f"q{uuid4().hex[:8]}"
    await world.administrator.patch(
        f"/v1/people/{world.coach.id}", json={"name": f"Llŷr {mark} ap Siôn"}
    )
    agreement = await world.agreement()
    for q in (f"{mark} llyr", "ap sion llyr", f"ap {mark[:5]}"):
        assert str(world.coach.id) in await ids(world.learner, "/v1/people", q)
        assert agreement in await ids(world.learner, AGREEMENTS, q)
    assert str(world.coach.id) not in await ids(world.learner, "/v1/people", "coach")
    assert await ids(world.stranger, "/v1/people", mark) == []
    body = {"kind": "triad", "name": f"Triad {mark}", "name_cy": "Triawd", "remit": "Holi'n dda"}
    made = (await world.learner.post("/v1/networks", json=body)).json()
    for q in (f"triad {mark}", f"triawd {mark}", f"{mark} holi n dd"):
        assert await ids(world.learner, "/v1/networks", q) == [made["id"]]
        assert await ids(world.stranger, "/v1/networks", q) == []
    change = {"remit": None, "name": f"Arall {mark}"}
    assert (await world.learner.patch(f"/v1/networks/{made['id']}", json=change)).status_code == 200
    assert await ids(world.learner, "/v1/networks", "holi dda") == []
    assert await ids(world.learner, "/v1/networks", f"arall {mark}") == [made["id"]]
