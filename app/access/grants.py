"""Who may do what: one readable table. Whatever is not granted here is refused.

An action is open to a caller whose token has the scope, who can see the record at all, and who
stands to it in one of the relations named. Reading is decided by the record's readers alone
(visibility): there `by` says nothing.
"""

from enum import StrEnum
from typing import NamedTuple

from app.access.caller import CallerKind


class Relation(StrEnum):
    """How a caller stands to a record."""

    ADMINISTRATOR = "an administrator of the organisation"
    ADVISER = "a tutor or specialist of the agreement"
    AMENDER = "who proposed the amendment"
    ASKED = "somebody whom the proposal names"
    CLIENT = "an integration client of the organisation"
    COACH = "a coach of the agreement"
    DRAFTER = "who drafted it"
    FACILITATOR = "a facilitator of the network"
    FORMER = "somebody who was a party of it"
    FORMER_LEARNER = "a learner who has left it"
    INVITED = "somebody whom the proposal or the amendment names"
    LEAD = "a lead of the network"
    LEARNER = "a learner of the agreement"
    OPENER = "one of the two who opened it"
    OPERATOR = "an administrator of the operator"
    OWNER = "the record's owner"
    PARENT = "an administrator or client of the parent organisation"
    PARTY = "a party of the agreement"
    READER = "whoever sees it"
    SECOND = "a second administrator of the operator, while neither of the two has a tie to the agreement"
    SELF = "the person themself"


_R = Relation
_ADMINISTRATION = (_R.ADMINISTRATOR, _R.CLIENT, _R.OPERATOR)
_MANAGEMENT = (_R.LEAD, _R.FACILITATOR)


class Action(StrEnum):
    """Everything that can be asked for, as `<resource>:<what>`."""

    ACCESS_AUDIENCE = "access:audience"
    ACCESS_EXPLANATION = "access:explanation"
    ADDRESS_CHANGE_CANCEL = "address_change:cancel"
    ADDRESS_CHANGE_CREATE = "address_change:create"
    ADDRESS_CHANGE_READ = "address_change:read"
    AFFILIATION_ANSWER = "affiliation:answer"
    AFFILIATION_CREATE = "affiliation:create"
    AFFILIATION_READ = "affiliation:read"
    AFFILIATION_WRITE = "affiliation:write"
    AGREEMENT_AMEND = "agreement:amend"
    AGREEMENT_COMPLETE = "agreement:complete"
    AGREEMENT_CREATE = "agreement:create"
    AGREEMENT_DECLINE = "agreement:decline"
    AGREEMENT_DETACH = "agreement:detach"
    AGREEMENT_DRAFT = "agreement:draft"
    AGREEMENT_END = "agreement:end"
    AGREEMENT_HISTORY = "agreement:history"
    AGREEMENT_LEADERS = "agreement:leaders"
    AGREEMENT_LEAVE = "agreement:leave"
    AGREEMENT_NARROW = "agreement:narrow"
    AGREEMENT_OPENINGS = "agreement:openings"
    AGREEMENT_READ = "agreement:read"
    AGREEMENT_READERS = "agreement:readers"
    AGREEMENT_SIGN = "agreement:sign"
    AGREEMENT_VERSIONS = "agreement:versions"
    AGREEMENT_WITHDRAW = "agreement:withdraw"
    AUDIT_READ = "audit:read"
    CLIENT_CREATE = "client:create"
    CLIENT_READ = "client:read"
    CLIENT_WRITE = "client:write"
    EVIDENCE_ADD_FILE = "evidence_item:add_file"
    EVIDENCE_CREATE = "evidence_item:create"
    EVIDENCE_DELETE = "evidence_item:delete"
    EVIDENCE_READ = "evidence_item:read"
    EVIDENCE_REVISE = "evidence_item:revise"
    FRAMEWORK_READ = "framework:read"
    GOAL_ACCEPT = "goal:accept"
    GOAL_CREATE = "goal:create"
    GOAL_DELETE = "goal:delete"
    GOAL_PROGRESS = "goal:progress"
    GOAL_READ = "goal:read"
    GOAL_REVISE = "goal:revise"
    GOAL_WRITE = "goal:write"
    INVITATION_AGREE = "invitation:agree"
    INVITATION_CREATE = "invitation:create"
    INVITATION_READ = "invitation:read"
    INVITATION_WITHDRAW = "invitation:withdraw"
    ME_ANONYMISE = "me:anonymise"
    ME_HISTORY = "me:history"
    ME_JOIN = "me:join"
    ME_LINK = "me:link"
    ME_PASSWORD = "me:password"  # noqa: S105 the name of an act
    ME_PERMISSIONS = "me:permissions"
    ME_READ = "me:read"
    ME_SECOND_FACTOR = "me:second_factor"
    ME_SIGN_OUT = "me:sign_out"
    ME_WAYS_IN = "me:ways_in"
    NETWORK_CREATE = "network:create"
    NETWORK_MEMBER_CONFIRM = "network_member:confirm"
    NETWORK_MEMBER_CREATE = "network_member:create"
    NETWORK_MEMBER_END = "network_member:end"
    NETWORK_MEMBER_READ = "network_member:read"
    NETWORK_MEMBER_WRITE = "network_member:write"
    NETWORK_READ = "network:read"
    NETWORK_WRITE = "network:write"
    OPENING_ASK = "opening:ask"
    OPENING_CLOSE = "opening:close"
    OPENING_CONFIRM = "opening:confirm"
    OPENING_READ = "opening:read"
    ORGANISATION_AUDIT = "organisation:audit"
    ORGANISATION_CREATE = "organisation:create"
    ORGANISATION_IDENTITIES = "organisation:identities"
    ORGANISATION_READ = "organisation:read"
    ORGANISATION_WRITE = "organisation:write"
    PERSON_ANONYMISE = "person:anonymise"
    PERSON_CREATE = "person:create"
    PERSON_DISABLE = "person:disable"
    PERSON_READ = "person:read"
    PERSON_WRITE = "person:write"
    PROVIDER_CREATE = "identity_provider:create"
    PROVIDER_READ = "identity_provider:read"
    PROVIDER_WRITE = "identity_provider:write"
    SECOND_FACTOR_CHANGE = "second_factor:change"
    SESSION_END = "session:end"
    SHARE_CREATE = "share:create"
    SHARE_DELETE = "share:delete"
    SHARE_READ = "share:read"
    SIGN_IN_IDENTITY_CLOSE = "sign_in_identity:close"
    SIGN_IN_IDENTITY_READ = "sign_in_identity:read"
    SIGN_IN_IDENTITY_WRITE = "sign_in_identity:write"


class Grant(NamedTuple):
    """One line of the table."""

    scope: str
    by: tuple[Relation, ...] = ()
    """Any one of these relations suffices; empty: whoever sees the record (or, for a new one, the
    action itself says who)."""
    clients: bool = True
    """Whether an integration client may ask; if not, only people."""
    people: bool = True
    """Whether a person may ask; if not, only integration clients."""
    after_end: bool = True
    """Whether it is still possible when the record's agreement is over."""
    opened: bool = False
    """Whether it may be asked under an opening: only reads of what is opened."""

    @property
    def who(self) -> str:
        """The relations in words."""
        return " or ".join(self.by)


GRANTS: dict[Action, Grant] = {
    Action.ACCESS_AUDIENCE: Grant(
        "access:read", (_R.OWNER, _R.DRAFTER, _R.ASKED, _R.PARTY), clients=False
    ),
    # Of what the caller sees; what is hidden is not explained.
    Action.ACCESS_EXPLANATION: Grant("access:read"),
    Action.ADDRESS_CHANGE_CANCEL: Grant("account:write", (_R.SELF,), clients=False),
    Action.ADDRESS_CHANGE_CREATE: Grant("account:write", clients=False),
    Action.ADDRESS_CHANGE_READ: Grant("account:read", clients=False),
    Action.AFFILIATION_ANSWER: Grant("account:write", (_R.SELF,), clients=False),
    Action.AFFILIATION_CREATE: Grant("people:write"),
    Action.AFFILIATION_READ: Grant("people:read"),
    Action.AFFILIATION_WRITE: Grant("people:write", _ADMINISTRATION),
    Action.AGREEMENT_AMEND: Grant(
        "learning-agreements:write", (_R.LEARNER, _R.COACH), clients=False
    ),
    Action.AGREEMENT_COMPLETE: Grant(
        "learning-agreements:write", (_R.LEARNER, _R.COACH), clients=False
    ),
    Action.AGREEMENT_CREATE: Grant("learning-agreements:write", clients=False),
    Action.AGREEMENT_DECLINE: Grant("learning-agreements:write", (_R.INVITED,), clients=False),
    Action.AGREEMENT_DETACH: Grant("learning-agreements:write", (_R.PARTY,), clients=False),
    Action.AGREEMENT_DRAFT: Grant("learning-agreements:write", (_R.DRAFTER,), clients=False),
    Action.AGREEMENT_END: Grant("learning-agreements:write", (_R.PARTY,), clients=False),
    Action.AGREEMENT_HISTORY: Grant(
        "learning-agreements:read", (_R.DRAFTER, _R.INVITED, _R.PARTY), clients=False
    ),
    Action.AGREEMENT_LEADERS: Grant("access:read", (_R.PARTY,), clients=False),
    Action.AGREEMENT_LEAVE: Grant("learning-agreements:write", (_R.PARTY,), clients=False),
    Action.AGREEMENT_NARROW: Grant("learning-agreements:write", (_R.PARTY,), clients=False),
    # Who has left as a learner: their records are opened with the rest.
    Action.AGREEMENT_OPENINGS: Grant("access:read", (_R.PARTY, _R.FORMER_LEARNER), clients=False),
    Action.AGREEMENT_READ: Grant("learning-agreements:read", opened=True),
    Action.AGREEMENT_READERS: Grant("access:read", (_R.PARTY,), clients=False),
    Action.AGREEMENT_SIGN: Grant(
        "learning-agreements:write", (_R.INVITED, _R.PARTY), clients=False
    ),
    Action.AGREEMENT_VERSIONS: Grant(
        "learning-agreements:read",
        (_R.DRAFTER, _R.INVITED, _R.PARTY, _R.FORMER, _R.OPENER),
        clients=False,
        opened=True,
    ),
    Action.AGREEMENT_WITHDRAW: Grant(
        "learning-agreements:write", (_R.DRAFTER, _R.AMENDER), clients=False
    ),
    # The operator's administrators: asked when it is read.
    Action.AUDIT_READ: Grant("audit:read", clients=False),
    # A client makes no clients. Who may register which: the action sees to it.
    Action.CLIENT_CREATE: Grant("clients:write", clients=False),
    Action.CLIENT_READ: Grant("clients:read", clients=False),
    Action.CLIENT_WRITE: Grant("clients:write", (_R.ADMINISTRATOR, _R.OPERATOR), clients=False),
    Action.EVIDENCE_ADD_FILE: Grant(
        "evidence-items:write", (_R.OWNER,), clients=False, after_end=False
    ),
    Action.EVIDENCE_CREATE: Grant("evidence-items:write", clients=False),
    Action.EVIDENCE_DELETE: Grant("evidence-items:write", (_R.OWNER,), clients=False),
    Action.EVIDENCE_READ: Grant("evidence-items:read", opened=True),
    # As with goals: narrowing stays possible when the agreement is over.
    Action.EVIDENCE_REVISE: Grant("evidence-items:write", (_R.OWNER,), clients=False),
    Action.FRAMEWORK_READ: Grant("frameworks:read"),
    Action.GOAL_ACCEPT: Grant("goals:write", (_R.OWNER, _R.COACH), clients=False, after_end=False),
    Action.GOAL_CREATE: Grant("goals:write", clients=False),
    Action.GOAL_DELETE: Grant("goals:write", (_R.OWNER,), clients=False),
    Action.GOAL_PROGRESS: Grant(
        "goals:write", (_R.OWNER, _R.PARTY), clients=False, after_end=False
    ),
    Action.GOAL_READ: Grant("goals:read", opened=True),
    # When the agreement is over its owner may still narrow it: the action sees to the rest.
    Action.GOAL_REVISE: Grant("goals:write", (_R.OWNER,), clients=False),
    Action.GOAL_WRITE: Grant("goals:write", (_R.OWNER,), clients=False, after_end=False),
    Action.INVITATION_AGREE: Grant("account:write", (_R.SELF,), clients=False),
    # By people alone: the action says who.
    Action.INVITATION_CREATE: Grant("people:write", clients=False),
    Action.INVITATION_READ: Grant("people:read", clients=False),
    Action.INVITATION_WITHDRAW: Grant(
        "people:write", (_R.ADMINISTRATOR, _R.OPERATOR, _R.SELF), clients=False
    ),
    Action.ME_ANONYMISE: Grant("account:write", clients=False),
    Action.ME_HISTORY: Grant("people:read", clients=False),
    Action.ME_JOIN: Grant("account:write", clients=False),
    Action.ME_LINK: Grant("account:write", clients=False),
    Action.ME_PASSWORD: Grant("account:write", clients=False),
    Action.ME_PERMISSIONS: Grant("access:read"),
    Action.ME_READ: Grant("people:read"),
    Action.ME_SECOND_FACTOR: Grant("account:write", clients=False),
    Action.ME_SIGN_OUT: Grant("account:write", clients=False),
    Action.ME_WAYS_IN: Grant("account:read", clients=False),
    Action.NETWORK_CREATE: Grant("networks:write", clients=False),
    Action.NETWORK_MEMBER_CONFIRM: Grant("networks:write", _MANAGEMENT, clients=False),
    # Whoever sees a network may ask to join it: the action sees to the rest.
    Action.NETWORK_MEMBER_CREATE: Grant("networks:write", (_R.READER,), clients=False),
    Action.NETWORK_MEMBER_END: Grant(
        "networks:write", (_R.SELF, *_MANAGEMENT, _R.ADMINISTRATOR), clients=False
    ),
    Action.NETWORK_MEMBER_READ: Grant("networks:read"),
    Action.NETWORK_MEMBER_WRITE: Grant("networks:write", _MANAGEMENT, clients=False),
    Action.NETWORK_READ: Grant("networks:read"),
    Action.NETWORK_WRITE: Grant("networks:write", _MANAGEMENT, clients=False),
    # The operator's administrators without a tie to the agreement: the action sees to it.
    Action.OPENING_ASK: Grant("break-glass:write", clients=False),
    Action.OPENING_CLOSE: Grant("break-glass:write", (_R.OPENER,), clients=False),
    Action.OPENING_CONFIRM: Grant("break-glass:write", (_R.SECOND,), clients=False),
    Action.OPENING_READ: Grant("break-glass:read", clients=False),
    Action.ORGANISATION_AUDIT: Grant("audit:read", (_R.ADMINISTRATOR, _R.OPERATOR), clients=False),
    Action.ORGANISATION_CREATE: Grant("organisations:write"),
    Action.ORGANISATION_IDENTITIES: Grant(
        "people:read", (_R.ADMINISTRATOR, _R.OPERATOR), clients=False
    ),
    Action.ORGANISATION_READ: Grant("organisations:read"),
    Action.ORGANISATION_WRITE: Grant("organisations:write", (*_ADMINISTRATION, _R.PARENT)),
    Action.PERSON_ANONYMISE: Grant("people:write", (_R.OPERATOR,), clients=False),
    Action.PERSON_CREATE: Grant("people:write"),
    Action.PERSON_DISABLE: Grant("people:write", (_R.OPERATOR,), clients=False),
    Action.PERSON_READ: Grant("people:read"),
    Action.PERSON_WRITE: Grant("people:write", (_R.SELF, *_ADMINISTRATION)),
    # The operator's administrators: the action sees to it.
    Action.PROVIDER_CREATE: Grant("identity-providers:write", clients=False),
    Action.PROVIDER_READ: Grant("identity-providers:read", clients=False),
    # Whom it may speak for is the operator's: the action sees to that.
    Action.PROVIDER_WRITE: Grant(
        "identity-providers:write", (_R.ADMINISTRATOR, _R.OPERATOR), clients=False
    ),
    Action.SECOND_FACTOR_CHANGE: Grant("account:write", (_R.SELF,), clients=False),
    Action.SESSION_END: Grant("account:write", (_R.SELF,), clients=False),
    # Of the record that is shared, and of the share: both are the owner's alone.
    Action.SHARE_CREATE: Grant("shares:write", (_R.OWNER,), clients=False),
    Action.SHARE_DELETE: Grant("shares:write", (_R.OWNER,), clients=False),
    Action.SHARE_READ: Grant("shares:read"),
    # An organisation's own administrator closes what the organisation brought, and nothing else.
    Action.SIGN_IN_IDENTITY_CLOSE: Grant(
        "people:write", (_R.ADMINISTRATOR, _R.OPERATOR), clients=False
    ),
    # By SCIM, for the directory of an organisation: what it brought itself, and nothing else.
    Action.SIGN_IN_IDENTITY_READ: Grant("identities:read", people=False),
    Action.SIGN_IN_IDENTITY_WRITE: Grant("identities:write", people=False),
}

SCOPES: dict[str, str] = {
    "access:read": "Ask who could read a record, who has read it, and why you may or may not.",
    "account:read": "See where and how you sign in, and which apps you have allowed.",
    "account:write": "Change your password, address and second factor, sign you out, agree to other ways in and "
    "organisations, join another record of yours with this one, and have your account anonymised.",
    "audit:read": "Read what was done to accounts and rights that you administer.",
    "break-glass:read": "Read openings that you may see, and what one opens to you.",
    "break-glass:write": "Ask for an opening in an emergency, confirm another's, close your own.",
    "clients:read": "Read the integrations and apps that you administer, and never a secret of theirs.",
    "clients:write": "Register, change and disable integrations and apps that you administer, and give them "
    "secrets.",
    "evidence-items:read": "Read evidence and its files that the agreements let you read.",
    "evidence-items:write": "Write your own evidence, its files and who may read it.",
    "frameworks:read": "Read the reference frameworks and the coaching principles.",
    "goals:read": "Read goals that the agreements let you read.",
    "goals:write": "Write goals, their progress and what is agreed of them.",
    "identity-providers:read": "Read the identity providers of organisations that you administer.",
    "identity-providers:write": "Change the identity providers of organisations that you administer.",
    "identities:read": "Read, by SCIM, the users that your organisation's directory brought.",
    "identities:write": "Create, change, close and delete, by SCIM, the users of your organisation's directory.",
    "learning-agreements:read": "Read learning agreements that you are a party to or may know of.",
    "learning-agreements:write": "Draft, propose, sign, decline, complete and end learning agreements.",
    "networks:read": "Read the networks that you may see, and their members.",
    "networks:write": "Found networks, ask to join them, and manage those that you lead or facilitate.",
    "organisations:read": "Read organisations.",
    "organisations:write": "Create and change organisations that you administer.",
    "people:read": "Read the people and affiliations that you may see.",
    "people:write": "Create and change people and affiliations of organisations that you administer.",
    "shares:read": "Read with whom records are shared, as far as you may know it.",
    "shares:write": "Share your own records with people and networks, and take them back.",
}


def allows(action: Action, kind: CallerKind) -> bool:
    """Whether this kind of caller may ever do this."""
    grant = GRANTS[action]
    if kind is CallerKind.OPENER:
        return grant.opened
    return grant.people if kind is CallerKind.PERSON else grant.clients


READ_OPENED = "break-glass:read"
"""The scope that a read under an opening needs beside its own."""
BREAK_GLASS = frozenset((READ_OPENED, "break-glass:write"))
"""The scopes of what a setting can switch off."""
