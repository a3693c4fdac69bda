"""The main job, on a real server in its own process, over real HTTP, on each database."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from app.core.clock import today
from app.core.ids import uuid7
from app.models.agreement_text import OBLIGATIONS
from tests.servers import Person, Server, serving

SCHOOLS = """\
School Number,School Name,LA Code,Local Authority,Sector,Governance - see notes,WM Code,Welsh Medium Type - see notes,School Type,Religious Character,Address 1,Address 2,Address 3,Address 4,Postcode,Phone Number,Pupils - see notes
9000001,Ysgol Gynradd Tŷ Newydd,900,Sir Ddychmygol,Primary,Community,WM,Welsh medium,Infants & Juniors,---,Ffordd y Môr,"Tŷ Newydd, ger y môr",,,LL99 1AA,01000 000001,120
9000002,Ysgol Uwchradd y Dyffryn,900,Sir Ddychmygol,Secondary,Community,BI,Bilingual,Secondary (ages 11-16),---,Heol y Dyffryn,,,,LL99 1AB,---,---
9010003,Harbour Primary School,901,Imagined Bay,Primary,Voluntary Aided,EM,English medium,Nursery,Church in Wales,1 Harbour Road,,,,CF99 1AC,02900 000003,
"""


@pytest.fixture
def server(fresh_url: str, tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "var"
    folder.mkdir()
    with serving(fresh_url, folder) as started:
        yield started


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base, timeout=30) as client:
        yield client


def test_the_main_job(server: Server, http: httpx.Client, tmp_path: Path) -> None:
    import_schools(server, http, tmp_path)
    roles = ("learner", "coach", "tutor", "head_teacher", "client")
    learner, coach, tutor, head, client = (Person.of(server, http, role) for role in roles)
    me = {
        role: p.get("/v1/me").json()["person"]
        for role, p in zip(roles, (learner, coach, tutor), strict=False)
    }
    agreement = sign_agreement(learner, coach, tutor, me)
    path = f"/v1/learning-agreements/{agreement}"

    goal = negotiate_goal(learner, coach, tutor, agreement)
    # The head teacher sees that the agreement exists, and nothing else.
    assert head.get(path).json()["view"] == "existence"
    assert "text" not in head.get(path).json()
    assert head.get(f"/v1/goals/{goal}").status_code == 404
    assert head.get("/v1/goals").json()["items"] == []
    assert head.get(f"{path}/history").status_code == 403
    # The integration lists what is ticked for systems.
    assert goal not in [g["id"] for g in client.get("/v1/goals").json()["items"]]
    etag = learner.get(f"/v1/goals/{goal}").headers["ETag"]
    opened = learner.patch(f"/v1/goals/{goal}", etag, json={"readers": ["coaches", "systems"]})
    assert opened.status_code == 200
    assert goal in [g["id"] for g in client.get("/v1/goals").json()["items"]]
    # A lost answer is asked for again with its key, and makes one record.
    key, body = {"Idempotency-Key": str(uuid4())}, {"statement": "Sent from a train."}
    answers = [learner.post("/v1/goals", headers=key, json=body) for _ in range(3)]
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 1
    mine = learner.get("/v1/goals", params={"limit": 200}).json()["items"]
    assert [g["statement"] for g in mine].count("Sent from a train.") == 1
    # Two editors: one wins, the other gets 412 with the current state.
    stale = opened.headers["ETag"]
    first = learner.patch(f"/v1/goals/{goal}", stale, json={"baseline": "First."})
    second = learner.patch(f"/v1/goals/{goal}", stale, json={"baseline": "Second."})
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["current"]["baseline"] == "First."


def import_schools(server: Server, http: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "schools.csv"
    file.write_text(SCHOOLS, encoding="utf-8")
    arguments = ("import", "organisations", str(file), "--mapping", "wales-schools")
    done = server.command(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    administrator = Person.of(server, http, "administrator")
    found = administrator.get("/v1/organisations", params={"q": "ty newydd"}).json()["items"]
    assert [o["name"] for o in found] == ["Ysgol Gynradd Tŷ Newydd"]
    parent = administrator.get(f"/v1/organisations/{found[0]['parent_id']}").json()
    assert (parent["kind"], parent["name"]) == ("local_authority", "Sir Ddychmygol")
    again = server.command(*arguments)
    assert "0 created, 0 changed" in again.stdout
    etags = {o["id"]: o["version"] for o in found}
    same = administrator.get("/v1/organisations", params={"q": "ty newydd"}).json()["items"]
    assert {o["id"]: o["version"] for o in same} == etags


def sign_agreement(
    learner: Person, coach: Person, tutor: Person, me: dict[str, dict[str, object]]
) -> str:
    """Learner, coach and tutor draft, propose and sign."""
    school = learner.get("/v1/affiliations").json()["items"]
    home = next(a["organisation_id"] for a in school if a["role"] == "teacher")
    draft = learner.post(
        "/v1/learning-agreements",
        json={
            "parties": [
                {"person_id": me[role]["id"], "role": role}
                for role in ("learner", "coach", "tutor")
            ],
            "home_organisation_id": home,
            "purpose": "Gwell cwestiynau.",
        },
    )
    assert draft.status_code == 201, draft.text
    path = f"/v1/learning-agreements/{draft.json()['id']}"
    assert learner.post(f"{path}/proposal").status_code == 422
    completed = learner.patch(
        path,
        draft.headers["ETag"],
        json={
            "beneficiaries": "Blwyddyn 7.",
            "working_definition": "Sgwrs strwythuredig.",
            "performance_management_boundary": "Dim byd.",
            "ground_rules": ["Gall y naill neu'r llall stopio."],
            "data_controller": "Ysgol Bryn Demo",
            "lawful_basis": "Public task",
            "retention": "Two years",
            "records_afterwards": "Erased",
            "rhythm": {"every_weeks": 2, "minutes": 40, "minimum_conversations": 6},
            "coaching_model": "GROW",
            "starts_on": today().isoformat(),
            "disclosure": {"goals": ["coaches", "advisers", "systems"]},
        },
    )
    assert completed.status_code == 200, completed.text
    digest = learner.post(f"{path}/proposal").json()["digest"]
    for person, obligations in ((learner, []), (coach, list(OBLIGATIONS)), (tutor, [])):
        signed = person.post(
            f"{path}/signatures", json={"digest": digest, "obligations": obligations}
        )
        assert signed.status_code == 201, signed.text
    assert signed.json()["state"] == "active"
    return str(draft.json()["id"])


def negotiate_goal(learner: Person, coach: Person, tutor: Person, agreement: str) -> str:
    """A goal is proposed, accepted by both, revised, and accepted again."""
    made = learner.post(
        "/v1/goals",
        json={
            "statement": "More talk.",
            "agreement_id": agreement,
            "principles": ["1"],
            "readers": ["coaches", "advisers"],
        },
    )
    assert made.status_code == 201, made.text
    path = f"/v1/goals/{made.json()['id']}"
    learner.post(f"{path}/proposal")
    noted = tutor.post(f"{path}/progress", json={"note": "Say whose talk."})
    assert noted.status_code == 201
    etag = learner.get(path).headers["ETag"]
    revised = learner.patch(path, etag, json={"statement": "More talk by pupils."})
    assert revised.status_code == 200
    unseen = coach.post(f"{path}/acceptances", json={"wording_number": 1})
    assert unseen.status_code == 409
    learner.post(f"{path}/acceptances", json={"wording_number": 2})
    assert coach.post(f"{path}/acceptances", json={"wording_number": 2}).json()["state"] == "agreed"
    moved = learner.post(f"{path}/progress", json={"note": "Begun.", "state": "in_progress"})
    assert moved.json()["to_state"] == "in_progress"
    old = coach.get(f"{path}/revisions").json()["items"]
    assert [o["wording"]["statement"] for o in old] == ["More talk."]
    return str(made.json()["id"])


def test_kill_9_loses_nothing_acknowledged_and_doubles_nothing(
    server: Server, http: httpx.Client
) -> None:
    learner = Person.of(server, http, "learner")
    bodies = [{"id": str(uuid7()), "statement": f"Goal {i}"} for i in range(4000)]
    acknowledged: set[str] = set()
    enough, dead = threading.Event(), threading.Event()

    def send(body: dict[str, str]) -> None:
        if dead.is_set():
            return
        try:
            answer = http.post(
                "/v1/goals", json=body, headers={**learner.headers, "Idempotency-Key": body["id"]}
            )
        except httpx.TransportError:
            return  # the answer is lost: whether it was written is what the restart will show
        if answer.status_code == 201:
            acknowledged.add(body["id"])
            if len(acknowledged) == 60:
                enough.set()

    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(send, body) for body in bodies]
        assert enough.wait(60)
        server.kill()
        dead.set()
        for future in futures:
            future.result()
    server.start()
    with httpx.Client(base_url=server.base, timeout=30) as fresh:
        again = Person.of(server, fresh, "learner")
        written = listed(again)
        assert acknowledged <= written
        # The phone sends everything that it has no answer for again: each is there once.
        unsure = [b for b in bodies[: len(acknowledged) + 40] if b["id"] not in acknowledged]
        for body in unsure:
            answer = again.post("/v1/goals", headers={"Idempotency-Key": body["id"]}, json=body)
            assert answer.status_code in (200, 201), answer.text
        assert listed(again) == written | {b["id"] for b in unsure}
        assert fresh.get("/health/ready").status_code == 200


def listed(person: Person) -> set[str]:
    """The ids of the plain goals in the learner's list, each of which must stand there once."""
    found: list[str] = []
    query: dict[str, str] = {"limit": "200"}
    while True:
        page = person.get("/v1/goals", params=query).json()
        found += [g["id"] for g in page["items"] if g["statement"].startswith("Goal ")]
        if page["next"] is None:
            assert len(found) == len(set(found))
            return set(found)
        query["cursor"] = page["next"]
