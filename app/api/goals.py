"""Goals: what a learner sets out to do, negotiated with coach and tutor."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import MISSING, BaseModel, Field, Json

from app.access.claims import claim
from app.access.door import Access
from app.access.gates import Owned, Row, may, one
from app.access.goals import GOAL_PROGRESS, GOAL_REVISIONS, GOALS
from app.access.grants import Action
from app.access.shapes import Readers, RecordOut, RecordQuery, as_of, said_of_pupils
from app.actions import goals
from app.core import wire
from app.core.ids import ClientMadeId
from app.core.pages import Page, PageQuery
from app.core.routes import Route
from app.core.text import Line, Prose
from app.models.goals import Goal, GoalState, Stage
from app.models.pupils import Consent, PupilsShown, SaidOfPupils

router = APIRouter(prefix="/v1/goals", tags=["Goals"], route_class=Route)

Indicators = Annotated[list[Prose], Field(max_length=20)]
Priorities = Annotated[list[Line], Field(max_length=20)]
PrincipleCode = Annotated[str, Field(max_length=3, pattern=r"^A?[0-9]{1,2}$", examples=["3", "A1"])]
Principles = Annotated[list[PrincipleCode], Field(max_length=12)]
FrameworkItems = Annotated[list[UUID], Field(max_length=50)]

GoalStateName = Annotated[Any, wire.member_of(GoalState)]


class GoalOut(RecordOut):
    """A goal of one learner; `kept` is as it stood when its reader left the agreement."""

    view: Literal["full", "kept"]
    state: GoalStateName
    wording_number: Annotated[
        wire.Number, Field(description="Rises with each revision of the wording.")
    ]
    statement: wire.Text
    baseline: Annotated[wire.Text | None, Field(description="What I do now.")]
    stage: Annotated[Any, wire.member_of(Stage, or_null=True)]
    pupil_gain: Annotated[wire.Text | None, Field(description="What pupils will gain.")]
    success_indicators: Annotated[Json[list[wire.Text]], wire.at_most(20)]
    development_plan_priorities: Annotated[Json[list[wire.Name]], wire.at_most(20)]
    personal_priority: wire.Text | None
    principles: Annotated[
        Json[list[wire.Word]], wire.at_most(12), Field(description="Codes of coaching principles.")
    ]
    framework_items: Annotated[
        Json[list[wire.WireId]], wire.at_most(50), Field(description="Ids of framework items.")
    ]
    target_date: wire.WireDayOrNull
    learner_accepted_at: wire.WireMomentOrNull
    coach_accepted_at: wire.WireMomentOrNull
    coach_accepted_by: wire.WireIdOrNull


class GoalWritten(BaseModel):
    """What somebody typed for its learner who does not let them read on: no more than that."""

    view: Literal["written"]
    id: wire.WireId
    created_at: wire.WireMoment
    owner_id: wire.WireId
    created_by: wire.WireId
    agreement_id: wire.WireIdOrNull
    wording_number: wire.Number
    statement: wire.Text
    baseline: wire.Text | None
    stage: Annotated[Any, wire.member_of(Stage, or_null=True)]
    pupil_gain: wire.Text | None
    success_indicators: Annotated[Json[list[wire.Text]], wire.at_most(20)]
    development_plan_priorities: Annotated[Json[list[wire.Name]], wire.at_most(20)]
    personal_priority: wire.Text | None
    principles: Annotated[Json[list[wire.Word]], wire.at_most(12)]
    framework_items: Annotated[Json[list[wire.WireId]], wire.at_most(50)]
    target_date: wire.WireDayOrNull


Shown = Annotated[GoalOut | GoalWritten, Field(discriminator="view")]


class GoalPage(Page[Shown]):
    """One page of goals."""


class Wording(wire.Shape):
    """What a goal says."""

    statement: Prose
    baseline: Prose | None = None
    stage: Stage | None = None
    pupil_gain: Prose | None = None
    success_indicators: Indicators = []
    development_plan_priorities: Priorities = []
    personal_priority: Prose | None = None
    principles: Principles = []
    framework_items: FrameworkItems = []
    target_date: wire.Day | None = None


class GoalNew(Wording, SaidOfPupils):
    """A goal to be recorded."""

    id: ClientMadeId | None = None
    agreement_id: UUID | None = None
    owner_id: Annotated[
        UUID | None, Field(description="The learner, when a coach or adviser proposes the goal.")
    ] = None
    readers: Annotated[
        Readers | None,
        Field(description="Whom to tick; left out: everyone whom the agreement's terms tick."),
    ] = None


class GoalChange(wire.Shape):
    """What to change (JSON Merge Patch). A change of wording reopens what was agreed."""

    statement: Prose | MISSING = MISSING
    baseline: Prose | MISSING | None = MISSING
    stage: Stage | MISSING | None = MISSING
    pupil_gain: Prose | MISSING | None = MISSING
    success_indicators: Indicators | MISSING = MISSING
    development_plan_priorities: Priorities | MISSING = MISSING
    personal_priority: Prose | MISSING | None = MISSING
    principles: Principles | MISSING = MISSING
    framework_items: FrameworkItems | MISSING = MISSING
    target_date: wire.Day | MISSING | None = MISSING
    shows_pupils: PupilsShown | MISSING = MISSING
    pupil_basis: Line | MISSING | None = MISSING
    pupil_consent: Consent | MISSING | None = MISSING
    delete_by: wire.Day | MISSING | None = MISSING
    readers: Readers | MISSING = MISSING


class GoalQuery(RecordQuery):
    """Filters of the list."""

    state: Annotated[GoalState | None, Field(description="In this state.")] = None
    framework_item: Annotated[
        UUID | None, Field(description="Linked to this item, a principle or practice among them.")
    ] = None


@router.get("", summary="List goals")
async def list_goals(
    access: Annotated[Access, may(Action.GOAL_READ)],
    query: Annotated[GoalQuery, wire.Parameters],
    response: Response,
) -> GoalPage:
    """Goals that the caller may see, newest first."""
    page = await access.page(GOALS, query)
    access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("", status_code=201, summary="Record a goal")
async def record_goal(access: Annotated[Access, may(Action.GOAL_CREATE)], body: GoalNew) -> Shown:
    """A learner's own goal (a draft), or one that a coach or adviser proposes to a learner."""
    made = await claim(access, GOALS, body)
    if not made.repeated:
        await goals.record_goal(
            access,
            made,
            owner_id=body.owner_id,
            agreement_id=body.agreement_id,
            readers=body.readers,
            wording={name: getattr(body, name) for name in Wording.model_fields},
            pupils=said_of_pupils(body),
        )
    return await access.answer(GOALS, made.id, created=True)  # type: ignore[return-value]


@router.get("/{goal_id}", summary="Read a goal")
async def read_goal(row: Annotated[Row, one(Action.GOAL_READ, GOALS)]) -> Shown:
    """One goal that the caller may see."""
    return row.data  # type: ignore[return-value]


@router.patch("/{goal_id}", summary="Revise a goal")
async def revise_goal(
    owned: Annotated[Owned[Goal], one(Action.GOAL_REVISE, GOALS, GoalOut)], body: GoalChange
) -> GoalOut:
    """For its learner. The old wording is kept; readers may be narrowed at any time, also when the
    agreement is over."""
    changes = body.model_dump()
    readers = changes.pop("readers", None)
    pupils = {name: changes.pop(name) for name in SaidOfPupils.model_fields if name in changes}
    await goals.revise_goal(owned, changes, pupils, readers)
    return await owned.access.answer(GOALS, owned.entity.id)  # type: ignore[return-value]


@router.delete("/{goal_id}", status_code=204, summary="Delete a goal")
async def delete_goal(
    owned: Annotated[Owned[Goal], one(Action.GOAL_DELETE, GOALS, GoalOut)],
) -> None:
    """For its learner, also when the agreement is over; wordings and progress go with it."""
    await goals.delete_goal(owned)


@router.post("/{goal_id}/proposal", summary="Propose a goal")
async def propose_goal(
    owned: Annotated[Owned[Goal], one(Action.GOAL_WRITE, GOALS, GoalOut)],
) -> GoalOut:
    """Puts a draft on the table, to be accepted by learner and coach."""
    await goals.propose_goal(owned)
    return await owned.access.answer(GOALS, owned.entity.id)  # type: ignore[return-value]


class AcceptanceNew(wire.Shape):
    """What is accepted."""

    wording_number: Annotated[
        int,
        Field(
            strict=True,
            ge=1,
            le=1_000_000,
            description="`wording_number` of the goal, as you read it.",
        ),
        wire.WHOLE,
    ]


@router.post("/{goal_id}/acceptances", summary="Accept a goal's wording")
async def accept_goal(
    owned: Annotated[Owned[Goal], one(Action.GOAL_ACCEPT, GOALS, GoalOut)], body: AcceptanceNew
) -> GoalOut:
    """By the learner and by a coach; with both (outside an agreement the learner's) it is agreed."""
    await goals.accept_goal(owned, wording_number=body.wording_number)
    return await owned.access.answer(GOALS, owned.entity.id)  # type: ignore[return-value]


class GoalProgressOut(BaseModel):
    """One entry of a goal's history."""

    id: wire.WireId
    created_at: wire.WireMoment
    created_by: wire.WireId
    note: wire.Text
    from_state: GoalStateName
    to_state: GoalStateName


class GoalProgressNew(wire.Shape):
    """What happened, and the move that comes with it."""

    note: Prose
    state: Annotated[
        GoalState | None, Field(description="Where the goal goes; it may go back. For its learner.")
    ] = None


class ChildQuery(PageQuery):
    """Parameters of a list that hangs below a record."""


def _shown_of(row: Row) -> dict[str, Any]:
    """Which entries a reader sees: of what they only typed, those that they typed themselves."""
    mine = {"created_by": row.access.caller.person_id} if row.data["view"] == "written" else {}
    return {**as_of(row), **mine}


@router.get("/{goal_id}/progress", summary="Read a goal's progress")
async def list_goal_progress(
    row: Annotated[Row, one(Action.GOAL_READ, GOALS)],
    query: Annotated[ChildQuery, wire.Parameters],
    response: Response,
) -> Page[GoalProgressOut]:
    """Entries, newest first."""
    page = await row.access.page(GOAL_PROGRESS, query, goal_id=row.id, **_shown_of(row))
    row.access.etag = None
    row.access.link(response, page)
    return page  # type: ignore[return-value]


@router.post("/{goal_id}/progress", status_code=201, summary="Note progress")
async def note_goal_progress(
    owned: Annotated[Owned[Goal], one(Action.GOAL_PROGRESS, GOALS, GoalOut)], body: GoalProgressNew
) -> GoalProgressOut:
    """By any party; with `state` its learner moves the goal, forward or back."""
    return await goals.note_progress(owned, note=body.note, state=body.state)  # type: ignore[return-value]


class GoalRevisionOut(BaseModel):
    """A wording that was replaced."""

    number: wire.Number
    wording: Annotated[
        Json[dict[str, Any]],
        wire.like(Wording),
        Field(description="The fields as they were."),
    ]
    replaced_at: wire.WireMoment
    replaced_by: wire.WireId


@router.get("/{goal_id}/revisions", summary="Read a goal's old wordings")
async def list_goal_revisions(
    row: Annotated[Row, one(Action.GOAL_READ, GOALS)],
    query: Annotated[ChildQuery, wire.Parameters],
    response: Response,
) -> Page[GoalRevisionOut]:
    """Wordings that were replaced, newest first."""
    if row.data["view"] == "written":
        return {"items": [], "next": None}  # type: ignore[return-value]
    page = await row.access.page(GOAL_REVISIONS, query, goal_id=row.id, **as_of(row))
    row.access.etag = None
    for item in page["items"]:
        del item["id"]
    row.access.link(response, page)
    return page  # type: ignore[return-value]
