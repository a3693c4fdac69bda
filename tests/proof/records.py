"""The records of the scene: goals, evidence, files and shares, each with those who may read them."""

from typing import Any
from uuid import UUID

from app.core.clock import today
from app.models.evidence import EvidenceItem
from app.models.goals import Goal
from app.models.people import Affiliation, AffiliationRole
from tests.proof import texts
from tests.proof.stage import PARTIES, Scene
from tests.worlds import affiliate


async def note(scene: Scene, goal: str, *allowed: str, label: str = "") -> None:
    note = scene.planted.plant(f"{goal} goal, note {label}", *allowed)
    path = f"/v1/goals/{scene.ids['goal'][goal]}/progress"
    await scene.call("learner", "POST", path, json={"note": note})


async def attach(
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


async def add_records(scene: Scene) -> None:
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
        await note(scene, name, *allowed)
        link = {"goal_ids": [goal]} if name == "named" else {}
        await scene.make(
            "learner",
            "evidence",
            name,
            "/v1/evidence-items",
            **texts.evidence(scene.planted, name, *allowed, **more, **link),
        )
        await attach(scene, name, *allowed)
    await scene.call("learner", "POST", f"/v1/goals/{scene.ids['goal']['open']}/proposal")
    typed = texts.goal(
        scene.planted, "typed", "learner", "tutor", agreement_id=agreement, readers=[]
    )
    await scene.make(
        "tutor", "goal", "typed", "/v1/goals", **typed, owner_id=str(scene.world.learner.id)
    )


async def add_pupils(scene: Scene) -> None:
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
    await note(scene, "due", label="before its date")
    await scene.change(Goal, due, delete_by=today())
    item = await scene.make(
        "learner",
        "evidence",
        "due",
        "/v1/evidence-items",
        **texts.evidence(scene.planted, "due", **under),
    )
    await attach(scene, "due")
    await scene.change(EvidenceItem, item, delete_by=today())


async def add_withheld(scene: Scene) -> None:
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
    await attach(scene, "withheld", "coach")
    await scene.change(Affiliation, str(place), ends_on=today())


async def add_shares(scene: Scene) -> None:
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
