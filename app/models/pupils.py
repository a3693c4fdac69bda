"""What a record says of pupils: whether it shows any, by what right, and until when it may be kept."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, Field

from app.core.text import Line
from app.core.wire import Day


class PupilsShown(StrEnum):
    """Whether a record shows or names pupils; `unknown` counts as yes."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Consent(StrEnum):
    """What those who may decide for the pupils have said."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"


class SaidOfPupils(BaseModel):
    """Fields that every record with free text has. Write of pupils by class or initial."""

    shows_pupils: Annotated[
        PupilsShown,
        Field(description="Whether it shows or names pupils; `unknown` counts as yes."),
    ] = PupilsShown.UNKNOWN
    pupil_basis: Annotated[
        Line | None,
        Field(description="The lawful basis on which pupils are shown, when it is not consent."),
    ] = None
    pupil_consent: Annotated[
        Consent | None,
        Field(description="`withdrawn` takes leaders, systems, networks and shares away at once."),
    ] = None
    delete_by: Annotated[
        Day | None, Field(description="The day on which its text and files are erased.")
    ] = None
