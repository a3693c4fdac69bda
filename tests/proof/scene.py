"""The scene of the proofs: every kind of actor, and records that some of them see and some do not."""

import json
from typing import Any
from uuid import UUID

import httpx

from app.core.clock import today
from app.core.ids import uuid7
from app.models.agreement_text import OBLIGATIONS
from app.models.evidence import EvidenceItem
from app.models.goals import Goal
from app.models.people import Affiliation, AffiliationRole
from tests.proof import texts
from tests.proof.asked import Asked
from tests.proof.people import add_accounts, add_people, take_part
from tests.proof.stage import OPERATORS, PARTIES, Scene
from tests.worlds import World, affiliate


async def make_scene(app: Any, http: httpx.AsyncClient) -> Scene:
    """Everything, in the order in which it happens."""
    scene = Scene(await World.create(app, http))
    await add_people(scene)
    principles = (await scene.call("learner", "GET", "/v1/principles"))["items"]
    scene.keep("framework_item", "principle", principles[0]["id"])
    await _networks(scene)
    await add_accounts(scene)
    await _their_time(scene)
    await _records(scene)
    await _pupils(scene)
    await _files_of_those_who_left(scene)
    await _shares(scene)
    await _unsigned(scene)
    await _signed(scene)
    await _sent(scene)
    await _openings(scene)
    return scene


async def _networks(scene: Scene) -> None:
    everybody = (*PARTIES, "lead", "member", *OPERATORS, "network_client")
    remit = scene.planted.plant("network's remit", "lead", *everybody)
    await scene.make(
        "lead", "network", "network", "/v1/networks", kind="triad", name="Cymuned", remit=remit
    )
    remit = scene.planted.plant("private network's remit", "lead", *OPERATORS)
    name = scene.planted.plant("private network's name", "lead", *OPERATORS)
    await scene.make(
        "lead", "network", "private", "/v1/networks", kind="cluster", name=name, remit=remit
    )
    await take_part(scene)


async def _propose(scene: Scene, name: str, body: dict[str, Any]) -> str:
    made = await scene.make("learner", "agreement", name, "/v1/learning-agreements", **body)
    path = f"/v1/learning-agreements/{made}"
    scene.digests[name] = (await scene.call("learner", "POST", f"{path}/proposal"))["digest"]
    return path


async def _sign(scene: Scene, name: str, body: dict[str, Any], *who: str) -> str:
    path = await _propose(scene, name, body)
    signature = {"digest": scene.digests[name], "obligations": list(OBLIGATIONS)}
    for person in who:
        await scene.call(person, "POST", f"{path}/signatures", json=signature)
    return path


def _open(scene: Scene) -> dict[str, Any]:
    ticks = [*texts.EVERYBODY, "networks"]
    return {
        "networks": [scene.ids["network"]["network"]],
        "disclosure": {"goals": ticks, "evidence": ticks, "former_parties": "their_time"},
    }


async def _their_time(scene: Scene) -> None:
    """The agreement of the proofs, with what a former party saw of it and keeps."""
    world, everybody = scene.world, (*PARTIES, "former", "newcomer", "opener")
    body = texts.agreement(
        world,
        scene.planted,
        "main",
        *everybody,
        first=(*PARTIES, "former", "opener"),
        **_open(scene),
    )
    body["parties"].append({"person_id": str(world.former.id), "role": "mentor"})
    path = await _sign(scene, "main", body, *PARTIES, "former")
    agreement = scene.ids["agreement"]["main"]
    kept = {"agreement_id": agreement, "readers": ["coaches"]}
    seen = ("learner", "coach", "former", "opener")
    goal = await scene.make(
        "learner", "goal", "kept", "/v1/goals", **texts.goal(scene.planted, "kept", *seen, **kept)
    )
    await _note(scene, "kept", *seen)
    item = await scene.make(
        "learner",
        "evidence",
        "kept",
        "/v1/evidence-items",
        **texts.evidence(scene.planted, "kept", *seen, seen_by="former", **kept),
    )
    await _file(scene, "kept", *seen)
    await scene.call("former", "POST", f"{path}/departure")
    await scene.change(Affiliation, scene.ids["affiliation"]["former"], ends_on=today())
    # What the learner made of it since is not for who has left.
    later = {"statement": scene.planted.plant("kept goal, reworded", "learner", "coach", "opener")}
    await scene.call("learner", "PATCH", f"/v1/goals/{goal}", json=later)
    await _note(scene, "kept", "learner", "coach", "opener", label="since")
    title = {"title": scene.planted.plant("kept evidence, retitled", "learner", "coach", "opener")}
    await scene.call("learner", "PATCH", f"/v1/evidence-items/{item}", json=title)
    await _file(scene, "kept", "learner", "coach", "opener", name="kept since")


async def _note(scene: Scene, goal: str, *allowed: str, label: str = "") -> None:
    note = scene.planted.plant(f"{goal} goal, note {label}", *allowed)
    path = f"/v1/goals/{scene.ids['goal'][goal]}/progress"
    await scene.call("learner", "POST", path, json={"note": note})


async def _file(
    scene: Scene, item: str, *allowed: str, name: str = "", seen_by: str | None = None
) -> None:
    inside = scene.planted.plant(f"{item} evidence, content of a file", *allowed, seen_by=seen_by)
    called = scene.planted.plant(f"{item} evidence, name of a file", *allowed, seen_by=seen_by)
    path = f"/v1/evidence-items/{scene.ids['evidence'][item]}/files"
    sent = {"file": (f"{called}.txt", inside.encode())}
    scene.keep("file", name or item, (await scene.call("learner", "POST", path, files=sent))["id"])


READERS = {
    "shut": ("learner",),
    "open": (*PARTIES, "head", "client", "lead", "member", "network_client", "opener"),
    "named": ("learner", "reader"),
    "own": ("learner",),
}
"""Who reads the goal and the evidence item of each name."""


async def _records(scene: Scene) -> None:
    agreement = scene.ids["agreement"]["main"]
    for name, allowed in READERS.items():
        under: dict[str, Any] = {"agreement_id": agreement, "readers": []}
        if name == "open":
            under["readers"] = texts.EVERYBODY
        more = {} if name == "own" else under
        goal = await scene.make(
            "learner",
            "goal",
            name,
            "/v1/goals",
            **texts.goal(scene.planted, name, *allowed, **more),
        )
        if name != "open":
            again = {"statement": scene.planted.plant(f"{name} goal, second wording", *allowed)}
            await scene.call("learner", "PATCH", f"/v1/goals/{goal}", json=again)
        await _note(scene, name, *allowed)
        link = {"goal_ids": [goal]} if name == "named" else {}
        await scene.make(
            "learner",
            "evidence",
            name,
            "/v1/evidence-items",
            **texts.evidence(scene.planted, name, *allowed, **more, **link),
        )
        await _file(scene, name, *allowed)
    await scene.call("learner", "POST", f"/v1/goals/{scene.ids['goal']['open']}/proposal")
    typed = texts.goal(
        scene.planted, "typed", "learner", "tutor", agreement_id=agreement, readers=[]
    )
    await scene.make(
        "tutor", "goal", "typed", "/v1/goals", **typed, owner_id=str(scene.world.learner.id)
    )


async def _pupils(scene: Scene) -> None:
    """Consent that was withdrawn, and a date that has come."""
    agreement = scene.ids["agreement"]["main"]
    shown = {"shows_pupils": "yes", "pupil_consent": "given", "delete_by": texts.LATER}
    under = {"agreement_id": agreement, "readers": texts.EVERYBODY, **shown}
    goal = await scene.make(
        "learner",
        "goal",
        "withdrawn",
        "/v1/goals",
        **texts.goal(scene.planted, "consent withdrawn", *PARTIES, "opener", **under),
    )
    withdrawn = {"pupil_consent": "withdrawn"}
    await scene.call("learner", "PATCH", f"/v1/goals/{goal}", json=withdrawn)
    due = await scene.make(
        "learner", "goal", "due", "/v1/goals", **texts.goal(scene.planted, "due", **under)
    )
    await _note(scene, "due", label="before its date")
    await scene.change(Goal, due, delete_by=today())
    item = await scene.make(
        "learner",
        "evidence",
        "due",
        "/v1/evidence-items",
        **texts.evidence(scene.planted, "due", **under),
    )
    await _file(scene, "due")
    await scene.change(EvidenceItem, item, delete_by=today())


async def _files_of_those_who_left(scene: Scene) -> None:
    """May show pupils, and was captured where its owner is no longer: its coach reads on."""
    world, agreement = scene.world, scene.ids["agreement"]["main"]
    college = scene.ids["organisation"]["college"]
    async with world.database.work() as unit:
        place = await affiliate(unit, world.learner.id, UUID(college), AffiliationRole.TEACHER)
    await scene.make(
        "learner",
        "evidence",
        "withheld",
        "/v1/evidence-items",
        **texts.evidence(
            scene.planted,
            "withheld",
            "coach",
            agreement_id=agreement,
            readers=["coaches"],
            shows_pupils="unknown",
            controller_organisation_id=college,
        ),
    )
    await _file(scene, "withheld", "coach")
    await scene.change(Affiliation, str(place), ends_on=today())


async def _shares(scene: Scene) -> None:
    ids, planted = scene.ids, scene.planted
    network, reader = ids["network"]["network"], str(scene.world.reader.id)
    seen = (*PARTIES, "lead", "member", "network_client")
    for kind, label in (("goal", "goal"), ("evidence_item", "evidence")):
        reason = planted.plant(f"why the open {label} is shared", *seen)
        await scene.make(
            "learner",
            "share",
            f"{label} with network",
            "/v1/shares",
            network_id=network,
            reason=reason,
            **{f"{kind}_id": ids[label]["open"]},
        )
    reason = planted.plant("why the named goal is shared", "learner", "reader")
    await scene.make(
        "learner",
        "share",
        "goal with reader",
        "/v1/shares",
        goal_id=ids["goal"]["named"],
        person_id=reader,
        with_evidence=True,
        reason=reason,
        ends_on=texts.LATER,
    )


async def _unsigned(scene: Scene) -> None:
    """What is, or was, before somebody and has not come into force."""
    world, planted = scene.world, scene.planted
    draft = texts.agreement(world, planted, "draft", "learner", **_open(scene))
    await scene.make("learner", "agreement", "draft", "/v1/learning-agreements", **draft)
    for name in ("proposed", "declined", "withdrawn"):
        # Of a text that was withdrawn its drafter keeps the new draft; those asked saw the old one.
        who = PARTIES if name != "withdrawn" else ("learner",)
        path = await _propose(scene, name, texts.agreement(world, planted, name, *who))
        if name == "declined":
            await scene.call("tutor", "POST", f"{path}/declination")
        if name == "withdrawn":
            await scene.call("learner", "POST", f"{path}/withdrawal")
            again = {"purpose": planted.plant("withdrawn agreement, redrafted", "learner")}
            await scene.call("learner", "PATCH", path, json=again)


async def _signed(scene: Scene) -> None:
    """Agreements in force and over, and what is on the table."""
    world, planted = scene.world, scene.planted
    plain = await _sign(
        scene, "plain", texts.agreement(world, planted, "plain", *PARTIES, **_open(scene)), *PARTIES
    )
    changes = {"purpose": planted.plant("withdrawn amendment, purpose", *PARTIES)}
    await scene.call("learner", "POST", f"{plain}/amendments", json={"changes": changes})
    await scene.call("learner", "POST", f"{plain}/withdrawal")
    over = await _sign(scene, "over", texts.agreement(world, planted, "over", *PARTIES), *PARTIES)
    await scene.call("fellow", "POST", f"{over}/ending")
    main = f"/v1/learning-agreements/{scene.ids['agreement']['main']}"
    now_in_force = (await scene.call("learner", "GET", main))["text"]["parties"]
    joining = {"person_id": str(world.newcomer.id), "role": "mentor"}
    changes = {
        "purpose": planted.plant("amendment, purpose", *PARTIES, "newcomer"),
        "parties": [*now_in_force, joining],
    }  # type: ignore[dict-item]
    await scene.call("learner", "POST", f"{main}/amendments", json={"changes": changes})
    versions = (await scene.call("learner", "GET", f"{main}/versions"))["items"]
    scene.digests["amendment"] = versions[-1]["digest"]


async def _sent(scene: Scene) -> None:
    """Records with ids of the learner's own making, sent with keys."""
    for path, body in (
        ("/v1/goals", texts.goal(scene.planted, "sent", "learner")),
        ("/v1/evidence-items", texts.evidence(scene.planted, "sent", "learner")),
    ):
        content = json.dumps({"id": str(uuid7()), **body}).encode()
        request = Asked("POST", path, "", "application/json", content)
        key = str(uuid7())
        headers = {"Idempotency-Key": key}
        answer = await request.by(scene.world.app, scene.tokens["learner"], **headers)
        assert answer.status == 201, answer.text
        scene.sent.append((request, key))


async def _openings(scene: Scene) -> None:
    """Asked for by the operator: one that nobody has confirmed, two that are open (`open` is the
    opener's), and one that the parties are not to see yet."""
    main, plain = (scene.ids["agreement"][name] for name in ("main", "plain"))
    for name, agreement in (("asked", main), ("open", main), ("hidden", main), ("plain", plain)):
        seen, hide = (*PARTIES, *OPERATORS), {}
        if name == "hidden":
            seen = OPERATORS
            why = scene.planted.plant("why an opening is hidden", *seen)
            hide = {"shown_on": texts.LATER, "hidden_because": why}
        reason = scene.planted.plant(f"{name} opening, reason", *seen)
        opening = await scene.make(
            "operator", "opening", name, "/v1/openings",
            agreement_id=agreement, reason=reason, minutes=60, **hide,
        )  # fmt: skip
        if name in ("open", "plain"):
            await scene.call("second", "POST", f"/v1/openings/{opening}/confirmation")
