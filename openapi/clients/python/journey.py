"""The main journey through Tandem, by the client that openapi-python-client generates from openapi.json.

    python journey.py http://127.0.0.1:8000 demo.json

`demo.json` holds the accounts that `tandem demonstrate` made. Prints a line for each step; the first thing
that is not as it should be ends it.
"""

import io
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from tandem_client import AuthenticatedClient, Client
from tandem_client.api.evidence import (
    add_evidence_file,
    download_evidence_file,
    read_evidence_item,
    record_evidence_item,
)
from tandem_client.api.goals import (
    accept_goal,
    list_goal_revisions,
    list_goals,
    note_goal_progress,
    propose_goal,
    read_goal,
    record_goal,
    revise_goal,
)
from tandem_client.api.learning_agreements import (
    draft_agreement,
    propose_agreement,
    read_agreement,
    read_agreement_history,
    redraft_agreement,
    sign_agreement,
)
from tandem_client.api.organisations import create_organisation, list_organisations
from tandem_client.api.people import read_me
from tandem_client.api.shares import share_record
from tandem_client.api.sign_in import issue_token
from tandem_client.models import (
    AcceptanceNew,
    AddEvidenceFileBody,
    AffiliationRole,
    AgreementChange,
    AgreementExistence,
    AgreementNew,
    AgreementOut,
    AgreementState,
    CoachingModel,
    DisclosureChange,
    EvidenceFileOut,
    EvidenceKind,
    EvidenceNew,
    EvidenceWhole,
    GoalChange,
    GoalNew,
    GoalOut,
    GoalPage,
    GoalProgressNew,
    GoalProgressOut,
    GoalRevisionOutPage,
    GoalState,
    IssueTokenBody,
    IssueTokenBodyGrantType,
    MeOut,
    Obligation,
    OrganisationKind,
    OrganisationNew,
    OrganisationOut,
    OrganisationOutPage,
    Party,
    PartyRole,
    Problem,
    PupilsShown,
    Reader,
    RecordReader,
    RhythmChange,
    ShareNew,
    ShareOut,
    SignatureNew,
    TokenOut,
)
from tandem_client.types import UNSET, File, Response, Unset

Shape = TypeVar("Shape")

WELSH = "Ysgol Gynradd Tŷ Newydd"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40 + b"\n%%EOF\n"


def given(answer: Response[Any], status: int, shape: type[Shape]) -> Shape:
    """What the service answered, of the type that the document says."""
    if answer.status_code != status or not isinstance(answer.parsed, shape):
        raise AssertionError(f"{answer.status_code}, not {status}: {answer.content.decode()}")
    return answer.parsed


def refused(answer: Response[Any], status: int, kind: str) -> Problem:
    """A problem of this kind: the last part of its `type`."""
    problem = given(answer, status, Problem)
    assert problem.status == status
    assert problem.type_.endswith(f"/{kind}"), problem.type_
    return problem


class Person:
    """Somebody who has signed in with an account of the demonstration."""

    def __init__(self, base: str, account: dict[str, str]) -> None:
        form = IssueTokenBody(
            grant_type=IssueTokenBodyGrantType.PASSWORD,
            username=account["email"],
            password=account["password"],
        )
        with Client(base_url=base) as anybody:
            token = given(issue_token.sync_detailed(client=anybody, body=form), 200, TokenOut)
        self.client = AuthenticatedClient(base_url=base, token=token.access_token)
        self.me = given(read_me.sync_detailed(client=self.client), 200, MeOut)

    @property
    def id(self) -> UUID:
        """Their id."""
        assert self.me.person is not None
        return self.me.person.id

    def at(self, role: AffiliationRole) -> UUID:
        """The organisation where they have this role."""
        return next(one.organisation_id for one in self.me.affiliations if one.role is role)


class Journey:
    """The people of the demonstration, and what they do."""

    def __init__(self, base: str, accounts: list[dict[str, str]]) -> None:
        people = {account["role"]: Person(base, account) for account in accounts}
        self.learner, self.coach = people["learner"], people["coach"]
        self.head, self.administrator = people["head_teacher"], people["administrator"]

    def walk(self) -> None:
        """From a school's name to a page of goals."""
        self.school_with_a_welsh_name()
        agreement = self.agreement()
        goal = self.goal(agreement)
        self.conflict(goal)
        self.evidence()
        self.lost_answer()
        self.what_the_head_teacher_does_not_see(agreement, goal)
        self.pages()

    def school_with_a_welsh_name(self) -> None:
        """It comes back as it was written, and is found without its accents."""
        client = self.administrator.client
        parent = self.administrator.at(AffiliationRole.ADMINISTRATOR)
        body = OrganisationNew(OrganisationKind.SCHOOL, WELSH, parent_id=parent)
        made = given(
            create_organisation.sync_detailed(client=client, body=body), 201, OrganisationOut
        )
        assert made.name == WELSH
        found = given(
            list_organisations.sync_detailed(client=client, q="ty newydd"), 200, OrganisationOutPage
        )
        assert made.id in [one.id for one in found.items]
        print("a school with a Welsh name")

    def agreement(self) -> UUID:
        """Learner and coach draft, propose and sign."""
        client = self.learner.client
        roles = {PartyRole.LEARNER: self.learner, PartyRole.COACH: self.coach}
        draft = AgreementNew(
            parties=[Party(person.id, role) for role, person in roles.items()],
            home_organisation_id=self.learner.at(AffiliationRole.TEACHER),
            purpose="Gwell cwestiynau.",
        )
        answer = draft_agreement.sync_detailed(client=client, body=draft)
        drafted = given(answer, 201, AgreementOut)
        early = propose_agreement.sync_detailed(drafted.id, client=client)
        places = refused(early, 422, "invalid").errors
        assert not isinstance(places, Unset)
        assert "/ground_rules" in [place.pointer for place in places]
        whole = AgreementChange(
            beneficiaries="Blwyddyn 7.",
            working_definition="Sgwrs strwythuredig.",
            performance_management_boundary="Dim byd.",
            ground_rules=["Gall y naill neu'r llall stopio."],
            data_controller="Ysgol Bryn Demo",
            lawful_basis="Public task",
            retention="Two years",
            records_afterwards="Erased",
            rhythm=RhythmChange(every_weeks=2, minutes=40, minimum_conversations=6),
            coaching_model=CoachingModel.GROW,
            starts_on=date.today(),
            disclosure=DisclosureChange(goals=[Reader.COACHES, Reader.SYSTEMS]),
        )
        completed = redraft_agreement.sync_detailed(
            drafted.id, client=client, body=whole, if_match=answer.headers["ETag"]
        )
        assert given(completed, 200, AgreementOut).text.purpose == "Gwell cwestiynau."
        proposed = given(
            propose_agreement.sync_detailed(drafted.id, client=client), 200, AgreementOut
        )
        assert proposed.digest is not None
        for role, person in roles.items():
            acknowledged = list(Obligation) if role is PartyRole.COACH else []
            signed = given(
                sign_agreement.sync_detailed(
                    drafted.id,
                    client=person.client,
                    body=SignatureNew(proposed.digest, obligations=acknowledged),
                ),
                201,
                AgreementOut,
            )
        assert signed.state is AgreementState.ACTIVE
        assert not isinstance(signed.text.disclosure, Unset)
        assert signed.text.disclosure.goals == [Reader.COACHES, Reader.SYSTEMS]
        print("an agreement, drafted, proposed and signed by two")
        return drafted.id

    def goal(self, agreement: UUID) -> UUID:
        """Proposed, accepted, reworded, accepted again, begun."""
        client = self.learner.client
        body = GoalNew("More talk.", agreement_id=agreement, readers=[RecordReader.COACHES])
        goal = given(record_goal.sync_detailed(client=client, body=body), 201, GoalOut).id
        given(propose_goal.sync_detailed(goal, client=client), 200, GoalOut)
        read = read_goal.sync_detailed(goal, client=client)
        reworded = revise_goal.sync_detailed(
            goal,
            client=client,
            body=GoalChange(statement="More talk by pupils."),
            if_match=read.headers["ETag"],
        )
        assert given(reworded, 200, GoalOut).wording_number == 2
        unseen = accept_goal.sync_detailed(goal, client=self.coach.client, body=AcceptanceNew(1))
        refused(unseen, 409, "conflict")
        for person in (self.learner, self.coach):
            answer = accept_goal.sync_detailed(goal, client=person.client, body=AcceptanceNew(2))
            accepted = given(answer, 200, GoalOut)
        assert accepted.state is GoalState.AGREED
        note = GoalProgressNew("Begun.", state=GoalState.IN_PROGRESS)
        noted = given(
            note_goal_progress.sync_detailed(goal, client=client, body=note), 201, GoalProgressOut
        )
        assert noted.to_state is GoalState.IN_PROGRESS
        old = given(
            list_goal_revisions.sync_detailed(goal, client=self.coach.client),
            200,
            GoalRevisionOutPage,
        )
        assert [one.wording.statement for one in old.items] == ["More talk."]
        print("a goal, negotiated and reworded")
        return goal

    def conflict(self, goal: UUID) -> None:
        """Two revise the same state: the second is told, and shown what stands there now."""
        client = self.learner.client
        etag = read_goal.sync_detailed(goal, client=client).headers["ETag"]
        first, second = (
            revise_goal.sync_detailed(
                goal, client=client, body=GoalChange(baseline=said), if_match=etag
            )
            for said in ("First.", "Second.")
        )
        given(first, 200, GoalOut)
        stale = refused(second, 412, "stale-version")
        assert not isinstance(stale.current, Unset)
        assert GoalOut.from_dict(stale.current.to_dict()).baseline == "First."
        assert second.headers["ETag"] == first.headers["ETag"]
        print("a conflict, told as a problem with what stands there now")

    def evidence(self) -> None:
        """Kept by the learner alone, with a file, until it is shared with the coach."""
        client = self.learner.client
        body = EvidenceNew(
            EvidenceKind.LESSON_PLAN,
            "Cynllun gwers",
            shows_pupils=PupilsShown.NO,
            controller_organisation_id=self.learner.at(AffiliationRole.TEACHER),
        )
        item = given(
            record_evidence_item.sync_detailed(client=client, body=body), 201, EvidenceWhole
        )
        part = AddEvidenceFileBody(File(io.BytesIO(PDF), "Cynllun Ŵ.pdf", "application/pdf"))
        file = given(
            add_evidence_file.sync_detailed(item.id, client=client, body=part), 201, EvidenceFileOut
        )
        assert file.name == "Cynllun Ŵ.pdf"
        hidden = read_evidence_item.sync_detailed(item.id, client=self.coach.client)
        refused(hidden, 404, "not-found")
        share = ShareNew(
            evidence_item_id=item.id,
            person_id=self.coach.id,
            reason="Cyngor.",
            ends_on=date(date.today().year + 1, 1, 31),
        )
        shared = given(share_record.sync_detailed(client=client, body=share), 201, ShareOut)
        assert shared.person_id == self.coach.id
        seen = read_evidence_item.sync_detailed(item.id, client=self.coach.client)
        assert given(seen, 200, EvidenceWhole).title == "Cynllun gwers"
        content = download_evidence_file.sync_detailed(item.id, file.id, client=self.coach.client)
        assert given(content, 200, File).payload.read() == PDF
        print("evidence with a file, shared with the coach")

    def lost_answer(self) -> None:
        """The same request with the same key, three times: one goal."""
        client, key = self.learner.client, str(uuid4())
        said = f"Sent from a train, {key}."
        answers = [
            record_goal.sync_detailed(client=client, body=GoalNew(said), idempotency_key=key)
            for _ in range(3)
        ]
        assert len({given(answer, 201, GoalOut).id for answer in answers}) == 1
        assert [a.headers.get("Idempotency-Replayed") for a in answers] == [None, "true", "true"]
        print("a lost answer, asked for again")

    def what_the_head_teacher_does_not_see(self, agreement: UUID, goal: UUID) -> None:
        """That the agreement exists, and nothing else."""
        client = self.head.client
        seen = read_agreement.sync_detailed(agreement, client=client)
        assert given(seen, 200, AgreementExistence).active
        refused(read_goal.sync_detailed(goal, client=client), 404, "not-found")
        assert given(list_goals.sync_detailed(client=client), 200, GoalPage).items == []
        history = read_agreement_history.sync_detailed(agreement, client=client)
        refused(history, 403, "forbidden")
        print("a head teacher sees that there is an agreement, and no more")

    def pages(self) -> None:
        """Every goal once, two a page, and the same as in one."""
        client = self.learner.client
        whole = given(list_goals.sync_detailed(client=client, limit=200), 200, GoalPage)
        found: list[UUID] = []
        cursor: str | Unset = UNSET
        while True:
            answer = list_goals.sync_detailed(client=client, limit=2, cursor=cursor)
            page = given(answer, 200, GoalPage)
            assert len(page.items) <= 2
            found += [goal.id for goal in page.items]
            if page.next_ is None:
                break
            cursor = page.next_
        assert found == [goal.id for goal in whole.items]
        assert len(found) > 2
        print("a list, page by page")


def main() -> None:
    """Walks the journey."""
    base, file = sys.argv[1:]
    accounts = json.loads(Path(file).read_text(encoding="utf-8"))["accounts"]
    Journey(base, accounts).walk()


if __name__ == "__main__":
    main()
