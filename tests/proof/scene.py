"""The scene of the proofs: every kind of actor, and records that some of them see and some do not."""

import json
from typing import Any

import httpx

from app.core.clock import today
from app.core.ids import uuid7
from app.models.agreement_text import OBLIGATIONS
from app.models.people import Affiliation
from tests.proof import texts
from tests.proof.asked import Asked
from tests.proof.people import add_accounts, add_people, take_part
from tests.proof.records import add_pupils, add_records, add_shares, add_withheld, attach, note
from tests.proof.stage import OPERATORS, PARTIES, Scene
from tests.worlds import World


async def make_scene(app: Any, http: httpx.AsyncClient) -> Scene:
    """Everything, in the order in which it happens."""
    scene = Scene(await World.create(app, http))
    await add_people(scene)
    principles = (await scene.call("learner", "GET", "/v1/principles"))["items"]
    scene.keep("framework_item", "principle", principles[0]["id"])
    await _networks(scene)
    await add_accounts(scene)
    await _their_time(scene)
    await add_records(scene)
    await add_pupils(scene)
    await add_withheld(scene)
    await add_shares(scene)
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
    await note(scene, "kept", *seen)
    item = await scene.make(
        "learner",
        "evidence",
        "kept",
        "/v1/evidence-items",
        **texts.evidence(scene.planted, "kept", *seen, seen_by="former", **kept),
    )
    await attach(scene, "kept", *seen)
    await scene.call("former", "POST", f"{path}/departure")
    await scene.change(Affiliation, scene.ids["affiliation"]["former"], ends_on=today())
    # What the learner made of it since is not for who has left.
    later = {"statement": scene.planted.plant("kept goal, reworded", "learner", "coach", "opener")}
    await scene.call("learner", "PATCH", f"/v1/goals/{goal}", json=later)
    await note(scene, "kept", "learner", "coach", "opener", label="since")
    title = {"title": scene.planted.plant("kept evidence, retitled", "learner", "coach", "opener")}
    await scene.call("learner", "PATCH", f"/v1/evidence-items/{item}", json=title)
    await attach(scene, "kept", "learner", "coach", "opener", name="kept since")


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
