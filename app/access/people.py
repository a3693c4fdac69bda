"""Who sees a person and an affiliation. There is no open directory."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, and_, case, null, or_, select, true

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.door import Access
from app.access.grants import Relation
from app.access.networks import fellow_member
from app.access.visibility import Resource, Way, by_words, parameter, register
from app.core.query import Query
from app.core.sql import json_list, json_object, there_is
from app.core.tables import Id
from app.models.agreements import AgreementSignature, AgreementState, LearningAgreement
from app.models.organisations import Organisation
from app.models.people import Affiliation, AffiliationRole, Person, PersonIdentifier

_organisations: Any = Organisation.__table__
_signatures: Any = AgreementSignature.__table__
_agreements: Any = LearningAgreement.__table__
_identifiers: Any = PersonIdentifier.__table__


def _affiliated(person_id: Any, organisation_id: Any) -> ColumnElement[bool]:
    """Whether the person is, or will be, affiliated to the organisation."""
    a = r.affiliations.alias("tie")
    return there_is(
        a, a.c.person_id == person_id, a.c.organisation_id == organisation_id, r.not_over(a)
    )


def _administered(person_id: Any) -> ColumnElement[bool]:
    """Whether the caller administers an organisation that the person is, or will be, at."""
    a = r.affiliations.alias("under")
    return there_is(
        a, a.c.person_id == person_id, r.not_over(a), r.administers(a.c.organisation_id)
    )


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    """A list walks those who are tied to the caller, not all whom the service knows."""
    tied = r.affiliations.alias("tied")
    if kind is CallerKind.CLIENT:
        here = tied.c.organisation_id == r.client_organisation()
        return [Way("system", r.not_over(tied), link=here, along=tied, key=tied.c.person_id)]
    mine, theirs = r.affiliations.alias("mine"), r.affiliations.alias("theirs")
    my_part, their_part = r.parties.alias("my_part"), r.parties.alias("their_part")
    asked, also = _signatures.alias("asked"), _signatures.alias("also_asked")
    return [
        Way("self", and_(row.c.id == r.me, row.c.joined_to.is_(None))),
        Way(
            "colleague",
            r.current(theirs),
            through=mine,
            mine=and_(mine.c.person_id == r.me, r.current(mine)),
            link=theirs.c.organisation_id == mine.c.organisation_id,
            along=theirs,
            key=theirs.c.person_id,
        ),
        Way(
            "fellow_party",
            # Nor is it told where those are today who have left.
            their_part.c.until.is_(None),
            through=my_part,
            mine=and_(my_part.c.person_id == r.me, my_part.c.until.is_(None)),
            link=their_part.c.agreement_id == my_part.c.agreement_id,
            along=their_part,
            key=their_part.c.person_id,
        ),
        Way(
            "fellow_invited",
            true(),
            through=asked,
            mine=and_(asked.c.person_id == r.me, _on_the_table(asked)),
            link=and_(also.c.agreement_id == asked.c.agreement_id, also.c.number == asked.c.number),
            along=also,
            key=also.c.person_id,
        ),
        fellow_member(),
        replace(
            r.as_administrator(tied.c.organisation_id, r.not_over(tied)),
            along=tied,
            key=tied.c.person_id,
        ),
        # A record that has gone into another has no tie to anybody, and is nobody's.
        r.as_operator(row.c.joined_to.is_(None)),
    ]


def _on_the_table(asked: Any) -> ColumnElement[bool]:
    """Whether somebody was asked to sign what still waits for signatures."""
    a = _agreements.alias("on_the_table")
    return there_is(
        a,
        a.c.id == asked.c.agreement_id,
        or_(
            and_(
                asked.c.number == a.c.shown_number,
                a.c.state == AgreementState.PROPOSED,
            ),
            and_(
                asked.c.number == a.c.amendment_number,
                a.c.state == AgreementState.ACTIVE,
                a.c.amendment_lapses_on > r.today,
            ),
        ),
    )


def _address_open(row: Any, kind: CallerKind) -> ColumnElement[bool]:
    if kind is CallerKind.CLIENT:
        return _affiliated(row.c.id, r.client_organisation())
    return or_(row.c.id == r.me, _administered(row.c.id))


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    a, o, i = (
        r.affiliations.alias("present"),
        _organisations.alias("o"),
        _identifiers.alias("i"),
    )
    identifiers = select(json_object("source", i.c.source, "external_id", i.c.external_id)).where(
        i.c.person_id == row.c.id,
        i.c.organisation_id == r.client_organisation()
        if kind is CallerKind.CLIENT
        else r.administers(i.c.organisation_id),
    )
    return [
        *(row.c[name] for name in ("id", "version", "created_at", "updated_at", "name", "joined")),
        case((_address_open(row, kind), row.c.email), else_=null()).label("email"),
        json_list(
            select(json_object("id", o.c.id, "name", o.c.name))
            # From the person's few affiliations, not from all the organisations that there are.
            .where(
                o.c.id.in_(
                    select(a.c.organisation_id)
                    .where(a.c.person_id == row.c.id, r.current(a))
                    .correlate(row)
                )
            )
            .order_by(o.c.name)
            .correlate(row)
        ).label("organisations"),
        json_list(identifiers.order_by(i.c.source, i.c.external_id).correlate(row)).label(
            "identifiers"
        ),
    ]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {Relation.CLIENT: _affiliated(row.c.id, r.client_organisation())}
    return {
        Relation.SELF: row.c.id == r.me,
        Relation.ADMINISTRATOR: _administered(row.c.id),
        Relation.OPERATOR: r.is_operator(),
    }


PEOPLE = register(
    Resource(
        kind="person",
        path="/v1/people",
        table=Person.__table__,  # type: ignore[arg-type]
        entity=Person,
        ways=_ways,
        columns=_columns,
        relations=_relations,
        search=by_words,
    )
)


def _affiliation_ways(row: Any, kind: CallerKind) -> list[Way]:
    if kind is CallerKind.CLIENT:
        return [Way("system", row.c.organisation_id == r.client_organisation())]
    return [
        Way("self", row.c.person_id == r.me),
        r.as_administrator(row.c.organisation_id),
        r.as_operator(),
    ]


def _affiliation_relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    if kind is CallerKind.CLIENT:
        return {Relation.CLIENT: row.c.organisation_id == r.client_organisation()}
    return {
        Relation.ADMINISTRATOR: r.administers(row.c.organisation_id),
        Relation.OPERATOR: r.is_operator(),
        Relation.SELF: row.c.person_id == r.me,
    }


AFFILIATIONS = register(
    Resource(
        kind="affiliation",
        path="/v1/affiliations",
        table=Affiliation.__table__,  # type: ignore[arg-type]
        entity=Affiliation,
        ways=_affiliation_ways,
        columns=lambda row, kind: [
            row.c[name]
            for name in (
                "id", "version", "created_at", "updated_at", "person_id", "organisation_id", "role",
                "fraction", "starts_on", "ends_on", "accepted_at",
            )
        ],
        relations=_affiliation_relations,
        filters={
            "person_id": lambda row, bind: row.c.person_id == bind,
            "organisation_id": lambda row, bind: row.c.organisation_id == bind,
            "role": lambda row, bind: row.c.role == bind,
        },
        filter_types={"person_id": Id, "organisation_id": Id, "role": String},
    )
)  # fmt: skip


def _administration(kind: CallerKind) -> Query:
    organisation = parameter("organisation_id", Id)
    if kind is CallerKind.CLIENT:
        return Query(select((organisation == r.client_organisation()).label("may")), scoped=True)
    return Query(
        select(or_(r.administers(organisation), r.is_operator()).label("may")), scoped=True
    )


_MAY_ADMINISTER = {kind: _administration(kind) for kind in CallerKind}


async def may_administer(access: Access, organisation_id: UUID | None) -> bool:
    """Whether the caller administers people of the organisation; None: people without one, which
    the operator's administrators do."""
    found = await access.read(_MAY_ADMINISTER[access.caller.kind], organisation_id=organisation_id)
    return bool(found[0]["may"])


_theirs: Any = r.affiliations.alias("administering_client")
_HOLDS_CLIENT = Query(
    select(
        there_is(
            _theirs,
            _theirs.c.person_id == parameter("person_id", Id),
            _theirs.c.organisation_id == r.client_organisation(),
            _theirs.c.role == AffiliationRole.ADMINISTRATOR,
            r.not_over(_theirs),
        ).label("holds")
    ),
    scoped=True,
)


async def holds_calling_client(access: Access, person_id: UUID) -> bool:
    """Whether the caller is a client that this person administers: they can have its secret."""
    if access.caller.kind is not CallerKind.CLIENT:
        return False
    return bool((await access.read(_HOLDS_CLIENT, person_id=person_id))[0]["holds"])


_mine: Any = r.affiliations.alias("my_affiliation")
MY_AFFILIATIONS = Query(
    select(*AFFILIATIONS.columns(_mine, CallerKind.PERSON))
    .where(_mine.c.person_id == r.me)
    .order_by(_mine.c.id.desc()),
    scoped=True,
)
"""The caller's own affiliations, past ones among them, newest first."""

CALLING_CLIENT = Query(
    select(*(r.clients.c[name] for name in ("id", "name", "organisation_id", "network_id"))).where(
        r.clients.c.id == r.client
    )
)
"""The client through which the caller asks."""
