"""What every owned record looks like on the wire, and how a list of them is filtered."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.access.gates import Row
from app.core import wire
from app.core.pages import ChangesQuery
from app.core.search import Question
from app.models.pupils import Consent, PupilsShown, SaidOfPupils
from app.models.terms import RecordReader

Readers = Annotated[list[RecordReader], Field(max_length=len(RecordReader))]
ReaderName = Annotated[Any, wire.member_of(RecordReader)]


class RecordOut(wire.Resource):
    """What every owned record shows."""

    owner_id: Annotated[wire.WireId, Field(description="The learner whose record it is.")]
    created_by: wire.WireId
    agreement_id: wire.WireIdOrNull
    readers: Annotated[
        list[ReaderName], wire.at_most(5), Field(description="Who may read it beside its owner.")
    ]
    shows_pupils: Annotated[Any, wire.member_of(PupilsShown)]
    pupil_basis: wire.Name | None
    pupil_consent: Annotated[Any, wire.member_of(Consent, or_null=True)]
    delete_by: wire.WireDayOrNull
    erased_at: wire.WireMomentOrNull
    kept_at: Annotated[
        wire.WireMomentOrNull,
        Field(description="For who has left the agreement: when it stood as it is shown."),
    ] = None


class RecordQuery(ChangesQuery):
    """Filters that every list of owned records takes."""

    q: Question | None = None
    agreement_id: Annotated[UUID | None, Field(description="Of this agreement.")] = None
    owner_id: Annotated[UUID | None, Field(description="Of this learner.")] = None
    network_id: Annotated[
        UUID | None, Field(description="Shared with this network, as far as you may know it.")
    ] = None


def said_of_pupils(body: BaseModel) -> dict[str, Any]:
    """The fields of SaidOfPupils in a body."""
    return {name: getattr(body, name) for name in SaidOfPupils.model_fields}


def as_of(row: Row) -> dict[str, Any]:
    """The filter of a list below a record: what a reader keeps of it ends with their leaving, and
    nothing is left of it once the record's date has come."""
    if row.data.get("reduced"):
        return {"until": datetime.fromtimestamp(0, UTC)}
    kept_at = row.data.get("kept_at")
    return {} if kept_at is None else {"until": datetime.fromisoformat(kept_at)}
