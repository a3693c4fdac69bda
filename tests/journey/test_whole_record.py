"""The record from its first signature to another school, on real servers with either database and
either store of files: each act is felt on the next request of everybody whom it concerns."""

import hashlib
import io
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

from app.access.grants import SCOPES
from app.core.clock import today
from app.core.ids import uuid7
from app.models.agreement_text import OBLIGATIONS
from tests.servers import Person, Server

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400 + b"\n%%EOF\n"
LATER = (today() + timedelta(days=60)).isoformat()
TERMS = {
    "existence": ["coaches", "fellows", "advisers", "leaders", "systems"],
    "goals": ["coaches", "advisers", "networks"],
    "evidence": ["coaches", "leaders", "networks", "systems"],
    "former_parties": "their_time",
}


@dataclass
class Keeping(Server):
    """A server that keeps its files where `files` says."""

    files: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **self.files}


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """Address of an S3-compatible server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    _, port = moto.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    moto.stop()


@pytest.fixture
def server(backend: str, fresh_url: str, tmp_path: Path, s3: str) -> Iterator[Keeping]:
    """Files in a folder beside SQLite, in a bucket beside PostgreSQL, as one runs them: each store and each
    database once, since neither knows of the other."""
    folder = tmp_path / "var"
    folder.mkdir()
    made = Keeping(fresh_url, folder)
    if backend == "postgresql":
        bucket = f"tandem-{uuid4().hex}"
        httpx.put(f"{s3}/{bucket}").raise_for_status()
        given = {
            "BUCKET": bucket, "ENDPOINT": s3, "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret",
        }  # fmt: skip
        made.files = {f"TANDEM_FILES_S3_{name}": value for name, value in given.items()}
    run(made, "demonstrate")
    made.start()
    yield made
    made.stop()
    kept_here = (folder / "files").exists()
    assert kept_here == (backend == "sqlite"), "files went to the other store"


@pytest.fixture
def http(server: Keeping) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.base, timeout=30) as client:
        yield client


def run(server: Server, *arguments: str) -> str:
    """What a `tandem` command prints."""
    done = server.command(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ok(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


class Cast:
    """The demonstration's people, those whom its administrator brings, and their places."""

    def __init__(self, server: Keeping, http: httpx.Client) -> None:
        self.server, self.http = server, http
        roles = ("learner", "coach", "tutor", "head_teacher", "cluster_lead", "administrator")
        self.who = {role: Person.of(server, http, role) for role in (*roles, "client")}
        mine = ok(self["learner"].get("/v1/affiliations"))["items"]
        self.at_school = next(a for a in mine if a["role"] == "teacher")
        self.school: str = self.at_school["organisation_id"]
        found = ok(self["learner"].get("/v1/organisations", params={"q": "Demo Valley"}))["items"]
        self.neighbour: str = found[0]["id"]

    def __getitem__(self, role: str) -> Person:
        return self.who[role]

    def id(self, role: str) -> str:
        found: str = ok(self[role].get("/v1/me"))["person"]["id"]
        return found

    def arrive(self, role: str, name: str, place: str, as_what: str) -> None:
        """Somebody new, with a password from the command line and a place from the administrator."""
        email = f"{role}@demo.example"
        password = run(self.server, "admin", "create", name, email).split()[-1]
        form = {"grant_type": "password", "username": email, "password": password}
        self.who[role] = Person(self.http, **form)
        self.affiliate(role, place, as_what)

    def affiliate(self, role: str, place: str, as_what: str) -> None:
        body = {"person_id": self.id(role), "organisation_id": place, "role": as_what}
        starts = {"starts_on": today().isoformat()}
        made = ok(self["administrator"].post("/v1/affiliations", json={**body, **starts}), 201)
        # Who signs in by a way of their own is asked; the authority's cluster lead is next door.
        assert (made["accepted_at"] is not None) == (role == "cluster_lead")
        if made["accepted_at"] is None:
            ok(self[role].post(f"/v1/affiliations/{made['id']}/acceptance"))

    def readers(self, path: str) -> set[str]:
        """Who reads a record now; item and list agree."""
        collection, _, record = path.rpartition("/")
        found = set()
        for role, person in self.who.items():
            status = person.get(path).status_code
            assert status in (200, 404), f"{role}: {status}"
            listed = ok(person.get(collection, params={"limit": 200}))["items"]
            assert (record in [item["id"] for item in listed]) == (status == 200), role
            found |= {role} if status == 200 else set()
        return found

    def sign(self, agreement: str, *roles: str) -> Any:
        """Signs what is on the table for each of `roles`; the last answer."""
        for role in roles:
            whole = ok(self[role].get(agreement))
            number = whole.get("amendment_number") or whole["number"]
            version = ok(self[roles[0]].get(f"{agreement}/versions/{number}"))
            body = {"digest": version["digest"], "obligations": list(OBLIGATIONS)}
            last = ok(self[role].post(f"{agreement}/signatures", json=body), 201)
        return last

    def amend(self, agreement: str, **changes: Any) -> Any:
        """The learner puts an amendment on the table; its version."""
        made = ok(self["learner"].post(f"{agreement}/amendments", json={"changes": changes}), 201)
        return ok(self["learner"].get(f"{agreement}/versions/{made['amendment_number']}"))

    def goal(self, agreement: str, statement: str, **fields: Any) -> str:
        """The path of a goal of the learner."""
        body = {"statement": statement, "agreement_id": agreement.rpartition("/")[2], **fields}
        goal = ok(self["learner"].post("/v1/goals", json={"shows_pupils": "no", **body}), 201)
        return f"/v1/goals/{goal['id']}"


@pytest.fixture
def cast(server: Keeping, http: httpx.Client) -> Cast:
    return Cast(server, http)


def photo() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif.get_ifd(0x8825).update({1: "N", 2: (53.0, 13.0, 12.0), 3: "W", 4: (4.0, 10.0, 0.0)})
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(out, format="JPEG", exif=exif)
    return out.getvalue()


def test_the_whole_record(cast: Cast) -> None:
    plc = found_plc(cast)
    agreement = agree(cast, plc)
    goal = share_a_goal_with_the_plc_but_not_the_head(cast, agreement, plc)
    item = capture_evidence(cast, agreement, plc)
    withdraw_consent(cast, item)
    replace_the_coach(cast, agreement, goal, item)
    narrow_alone(cast, agreement, goal)
    opened = widen_with_every_hand(cast, agreement, goal)
    move_to_another_school(cast, agreement, [goal, opened], item)


def found_plc(cast: Cast) -> str:
    """A network that the learner leads; the cluster lead and a system of the network are in it."""
    cast.affiliate("cluster_lead", cast.school, "teacher")
    body = {"kind": "professional_learning_community", "name": "Holi'n dda"}
    plc: str = ok(cast["learner"].post("/v1/networks", json=body), 201)["id"]
    member = {"person_id": cast.id("cluster_lead")}
    ok(cast["learner"].post(f"/v1/networks/{plc}/members", json=member), 201)
    scopes = [word for scope in sorted(SCOPES) for word in ("--scope", scope)]
    said = run(cast.server, "clients", "create", "PLC system", plc, *scopes, "--network").split()
    form = {"grant_type": "client_credentials", "client_id": said[1], "client_secret": said[3]}
    cast.who["plc_system"] = Person(cast.http, **form)
    return plc


def agree(cast: Cast, plc: str) -> str:
    """The path of an agreement of learner, coach and tutor that names the PLC."""
    roles = ("learner", "coach", "tutor")
    text = {
        "parties": [{"person_id": cast.id(role), "role": role} for role in roles],
        "home_organisation_id": cast.school,
        "networks": [plc],
        "purpose": "Gwell cwestiynau.",
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
        "disclosure": TERMS,
    }
    made = ok(cast["learner"].post("/v1/learning-agreements", json=text), 201)
    agreement = f"/v1/learning-agreements/{made['id']}"
    ok(cast["learner"].post(f"{agreement}/proposal"))
    assert cast.sign(agreement, *roles)["state"] == "active"
    assert cast.readers(agreement) == {*roles, "head_teacher", "client"}
    return agreement


def share_a_goal_with_the_plc_but_not_the_head(cast: Cast, agreement: str, plc: str) -> str:
    goal = cast.goal(agreement, "More talk by pupils.")
    parties = {"learner", "coach", "tutor"}
    assert cast.readers(goal) == parties
    shared = {"goal_id": goal.rpartition("/")[2], "network_id": plc}
    ok(cast["learner"].post("/v1/shares", json=shared), 201)
    assert cast.readers(goal) == parties | {"cluster_lead"}
    return goal


def capture_evidence(cast: Cast, agreement: str, plc: str) -> str:
    """A photo of pupils, with consent, and a plan; read by everybody whom its learner lets."""
    learner = cast["learner"]
    body = {
        "kind": "pupil_work", "title": "Talk in pairs, 7B", "shows_pupils": "yes",
        "agreement_id": agreement.rpartition("/")[2], "pupil_consent": "given", "delete_by": LATER,
    }  # fmt: skip
    made = ok(learner.post("/v1/evidence-items", json=body), 201)
    item = f"/v1/evidence-items/{made['id']}"
    sent = photo()
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825)
    names = {"Dosbarth 7B.jpg": sent, "Cynllun Ŵ.pdf": PDF}
    files = {
        name: ok(learner.post(f"{item}/files", files={"file": (name, content)}), 201)
        for name, content in names.items()
    }
    record = {"evidence_item_id": made["id"]}
    ok(learner.post("/v1/shares", json={**record, "network_id": plc}), 201)
    advice = {"person_id": cast.id("tutor"), "reason": "Cyngor.", "ends_on": LATER}
    ok(learner.post("/v1/shares", json={**record, **advice}), 201)
    readers = {
        "learner", "coach", "tutor", "head_teacher", "cluster_lead", "client", "plc_system",
    }  # fmt: skip
    assert cast.readers(item) == readers
    jpg, pdf = (f"{item}/files/{files[name]['id']}/content" for name in names)
    for role in readers:
        picture = cast[role].get(jpg)
        assert picture.status_code == 200, role
        assert dict(Image.open(io.BytesIO(picture.content)).getexif()) == {}
        assert b"SecretCam" not in picture.content
        assert hashlib.sha256(picture.content).hexdigest() == files["Dosbarth 7B.jpg"]["sha256"]
    part = cast["coach"].get(pdf, headers={"Range": "bytes=60000-60999"})
    assert (part.status_code, part.content) == (206, PDF[60_000:61_000])
    assert part.headers["Content-Range"] == f"bytes 60000-60999/{len(PDF)}"
    assert cast["coach"].get(pdf).content == PDF
    assert cast["administrator"].get(pdf).status_code == 404
    return item


def withdraw_consent(cast: Cast, item: str) -> None:
    """Leaders, systems, the network and the named person have it no more; the coach has."""
    whole = cast["learner"].get(item)
    etag, file = whole.headers["ETag"], whole.json()["files"][0]["id"]
    ok(cast["learner"].patch(item, etag, json={"pupil_consent": "withdrawn"}))
    assert cast.readers(item) == {"learner", "coach"}
    for role in cast.who:
        status = cast[role].get(f"{item}/files/{file}/content").status_code
        assert status == (200 if role in ("learner", "coach") else 404), role


def replace_the_coach(cast: Cast, agreement: str, goal: str, item: str) -> None:
    """Without the old coach's signature; the newcomer reads nothing earlier, the old coach keeps
    what the terms say."""
    cast.arrive("newcomer", "Eleri Mawr", cast.school, "teacher")
    roles = {"learner": "learner", "newcomer": "coach", "tutor": "tutor"}
    parties = [{"person_id": cast.id(who), "role": role} for who, role in roles.items()]
    version = cast.amend(agreement, parties=parties)
    asked = {signature["person_id"] for signature in version["signatures"]}
    assert asked == {cast.id(who) for who in roles}
    cast.sign(agreement, "learner", "tutor")
    assert cast["newcomer"].get(goal).status_code == 404
    assert cast.sign(agreement, "newcomer")["view"] == "text"
    assert cast.readers(goal) == {"learner", "coach", "tutor", "cluster_lead"}
    assert cast.readers(item) == {"learner", "coach"}
    assert ok(cast["coach"].get(agreement))["view"] == "version"
    # As it stood when they left, whatever is made of it.
    etag = cast["learner"].get(goal).headers["ETag"]
    ok(cast["learner"].patch(goal, etag, json={"statement": "Reasons in writing."}))
    kept = ok(cast["coach"].get(goal))
    assert kept["statement"] == "More talk by pupils."
    assert kept["kept_at"] is not None
    assert ok(cast["tutor"].get(goal))["statement"] == "Reasons in writing."
    after = cast.goal(agreement, "With the new coach.")
    assert cast.readers(after) == {"learner", "newcomer", "tutor"}


def narrow_alone(cast: Cast, agreement: str, goal: str) -> None:
    """One party, without a reason: the network has the goal no more."""
    ok(cast["tutor"].post(f"{agreement}/narrowing", json={"goals": ["coaches", "advisers"]}))
    assert cast.readers(goal) == {"learner", "coach", "tutor"}
    terms = ok(cast["newcomer"].get(agreement))["text"]["disclosure"]
    assert terms["goals"] == ["coaches", "advisers"]


def widen_with_every_hand(cast: Cast, agreement: str, goal: str) -> str:
    """Leaders may read goals when everybody has signed, and then only those that are new to them."""
    before = cast.readers(goal)
    cast.amend(agreement, disclosure={"goals": ["coaches", "advisers", "leaders"]})
    cast.sign(agreement, "learner", "tutor")
    body = {"statement": "Open.", "agreement_id": agreement.rpartition("/")[2]}
    early = cast["learner"].post("/v1/goals", json={**body, "readers": ["coaches", "leaders"]})
    assert early.status_code == 422
    assert cast.readers(cast.goal(agreement, "Not open yet.")) == {"learner", "newcomer", "tutor"}
    cast.sign(agreement, "newcomer")
    assert cast.readers(goal) == before
    opened = cast.goal(agreement, "Open.", readers=["coaches", "leaders"])
    assert cast.readers(opened) == {"learner", "newcomer", "head_teacher"}
    return opened


def move_to_another_school(cast: Cast, agreement: str, goals: list[str], item: str) -> None:
    """The record goes along; what shows children stays, and the old head knows nothing any more."""
    learner, head = cast["learner"], cast["head_teacher"]
    mine = {goal["id"] for goal in ok(learner.get("/v1/goals"))["items"]}
    assert ok(head.get(agreement))["view"] == "existence"
    place = f"/v1/affiliations/{cast.at_school['id']}"
    etag = cast["administrator"].get(place).headers["ETag"]
    ended = {"ends_on": today().isoformat()}
    ok(cast["administrator"].patch(place, etag, json=ended))
    for path in (agreement, *goals, item):
        assert head.get(path).status_code == 404, path
    assert cast["client"].get(agreement).status_code == 404
    cast.affiliate("learner", cast.neighbour, "teacher")
    assert {goal["id"] for goal in ok(learner.get("/v1/goals"))["items"]} == mine
    withheld = ok(learner.get(item))
    assert withheld["view"] == "withheld"
    assert {"title", "description", "files"}.isdisjoint(withheld)
    assert ok(learner.get(f"{item}/files"))["items"] == []
    # The agreement follows when everybody has signed.
    cast.arrive("new_head", "Ffion Prys", cast.neighbour, "head_teacher")
    cast.amend(agreement, home_organisation_id=cast.neighbour)
    cast.sign(agreement, "learner", "tutor")
    assert cast["new_head"].get(agreement).status_code == 404
    cast.sign(agreement, "newcomer")
    assert ok(cast["new_head"].get(agreement))["view"] == "existence"
    assert cast.readers(agreement) == {"learner", "newcomer", "tutor", "coach", "new_head"}
    later = cast.goal(agreement, "At the new school.", readers=["coaches", "leaders"])
    assert cast.readers(later) == {"learner", "newcomer", "new_head"}


def test_kill_9_loses_no_record_and_no_file_that_was_acknowledged(
    server: Keeping, http: httpx.Client
) -> None:
    learner = Person.of(server, http, "learner")
    acknowledged: dict[str, bytes] = {}
    enough, dead = threading.Event(), threading.Event()

    def send(number: int) -> None:
        if dead.is_set():
            return
        content = f"{number}: seven of ten gave a reason. ".encode() * 3000
        body = {"id": str(uuid7()), "kind": "observation", "title": f"Item {number}"}
        path = f"/v1/evidence-items/{body['id']}"
        try:
            if learner.post("/v1/evidence-items", json=body).status_code != 201:
                return
            added = learner.post(f"{path}/files", files={"file": ("notes.txt", content)})
        except httpx.TransportError:
            return  # the answer is lost: nothing was promised
        if added.status_code == 201:
            acknowledged[f"{path}/files/{added.json()['id']}/content"] = content
            if len(acknowledged) == 25:
                enough.set()

    with ThreadPoolExecutor(6) as pool:
        futures = [pool.submit(send, number) for number in range(2000)]
        assert enough.wait(60)
        server.kill()
        dead.set()
        for future in futures:
            future.result()
    server.start()
    with httpx.Client(base_url=server.base, timeout=30) as fresh:
        again = Person.of(server, fresh, "learner")
        for path, content in acknowledged.items():
            assert again.get(path).content == content
        # Whatever else arrived is whole: each file that is named is there, with its digest.
        items = ok(again.get("/v1/evidence-items", params={"limit": 200}))["items"]
        named = {
            f"/v1/evidence-items/{i['id']}/files/{f['id']}/content": f
            for i in items
            for f in i["files"]
        }
        assert acknowledged.keys() <= named.keys()
        for path, file in named.items():
            assert hashlib.sha256(again.get(path).content).hexdigest() == file["sha256"]
        run(server, "sweep")
        assert all(again.get(path).status_code == 200 for path in acknowledged)
