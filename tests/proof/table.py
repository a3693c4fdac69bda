"""Who gets what: every operation, and every kind of actor.

An operation's rows follow it, indented: the record of the scene that is asked for (or what is sent),
and each status with its actors. `rest` is everybody who is not named in the row; without it nobody may be
left. Anonymous callers get 401 wherever they are not named. In lists `200+` says that the record is among the items, `200-` that
it is not. The values follow from docs/agreement-as-access-policy.md and docs/decisions: what
the service answers is compared with them, never the other way round.
"""

GROUPS = {
    "PARTIES": "learner fellow coach tutor",
    "COLLEAGUES": "learner fellow coach tutor head administrator newcomer reader",
    "CLIENTS": "client network_client disabled_client",
    "OPEN": "learner fellow coach tutor head lead member",
}
"""Whom a word in capitals stands for; OPEN: the people who read what is ticked for everybody, and
shared with the network."""

RECORDS = """
GET /v1/goals
    open        200+ OPEN client network_client | 200- rest
    shut        200+ learner | 200- rest
    kept        200+ learner coach former | 200- rest
    named       200+ learner reader | 200- rest
    typed       200+ learner tutor | 200- rest
    own         200+ learner | 200- rest
    withdrawn   200+ PARTIES | 200- rest
    due         200+ PARTIES | 200- rest
POST /v1/goals
    own         403 CLIENTS | 201 rest
    main        201 learner fellow | 403 CLIENTS | 422 rest
    for_learner 201 learner coach tutor | 403 fellow CLIENTS | 422 rest
GET /v1/goals/{goal_id}
    open        200 OPEN client network_client | 404 rest
    shut        200 learner | 404 rest
    kept        200 learner coach former | 404 rest
    named       200 learner reader | 404 rest
    typed       200 learner tutor | 404 rest
    own         200 learner | 404 rest
    withdrawn   200 PARTIES | 404 rest
    due         200 PARTIES | 404 rest
PATCH /v1/goals/{goal_id}
    open        200 learner | 403 OPEN CLIENTS | 404 rest
    shut        200 learner | 403 CLIENTS | 404 rest
    kept        200 learner | 403 coach former CLIENTS | 404 rest
    named       200 learner | 403 reader CLIENTS | 404 rest
DELETE /v1/goals/{goal_id}
    open        204 learner | 403 OPEN CLIENTS | 404 rest
    kept        204 learner | 403 coach former CLIENTS | 404 rest
    own         204 learner | 403 CLIENTS | 404 rest
POST /v1/goals/{goal_id}/proposal
    kept        200 learner | 403 coach former CLIENTS | 404 rest
    open        409 learner | 403 OPEN CLIENTS | 404 rest
POST /v1/goals/{goal_id}/acceptances
    open        200 learner coach | 403 OPEN CLIENTS | 404 rest
    typed       200 learner | 403 tutor CLIENTS | 404 rest
GET /v1/goals/{goal_id}/progress
    open        200 OPEN client network_client | 404 rest
    kept        200 learner coach former | 404 rest
    shut        200 learner | 404 rest
POST /v1/goals/{goal_id}/progress
    open        201 PARTIES | 403 OPEN CLIENTS | 404 rest
    kept        201 learner coach | 403 former CLIENTS | 404 rest
    named       201 learner | 403 reader CLIENTS | 404 rest
GET /v1/goals/{goal_id}/revisions
    open        200 OPEN client network_client | 404 rest
    kept        200 learner coach former | 404 rest
    shut        200 learner | 404 rest
GET /v1/evidence-items
    open        200+ OPEN client network_client | 200- rest
    shut        200+ learner | 200- rest
    kept        200+ learner coach former | 200- rest
    named       200+ learner reader | 200- rest
    own         200+ learner | 200- rest
    withheld    200+ learner coach | 200- rest
    due         200+ PARTIES | 200- rest
POST /v1/evidence-items
    own         403 CLIENTS | 201 rest
    main        201 learner fellow | 403 coach tutor CLIENTS | 422 rest
GET /v1/evidence-items/{evidence_item_id}
    open        200 OPEN client network_client | 404 rest
    shut        200 learner | 404 rest
    kept        200 learner coach former | 404 rest
    named       200 learner reader | 404 rest
    withheld    200 learner coach | 404 rest
    due         200 PARTIES | 404 rest
PATCH /v1/evidence-items/{evidence_item_id}
    open        200 learner | 403 OPEN CLIENTS | 404 rest
    kept        200 learner | 403 coach former CLIENTS | 404 rest
    named       200 learner | 403 reader CLIENTS | 404 rest
    withheld    409 learner | 403 coach CLIENTS | 404 rest
DELETE /v1/evidence-items/{evidence_item_id}
    open        204 learner | 403 OPEN CLIENTS | 404 rest
    withheld    204 learner | 403 coach CLIENTS | 404 rest
GET /v1/evidence-items/{evidence_item_id}/files
    open        200 OPEN client network_client | 404 rest
    kept        200 learner coach former | 404 rest
    named       200 learner reader | 404 rest
POST /v1/evidence-items/{evidence_item_id}/files
    open        201 learner | 403 OPEN CLIENTS | 404 rest
    named       201 learner | 403 reader CLIENTS | 404 rest
    withheld    409 learner | 403 coach CLIENTS | 404 rest
GET /v1/evidence-items/{evidence_item_id}/files/{file_id}
    open        200 OPEN client network_client | 404 rest
    kept        200 learner coach former | 404 rest
    kept:since  200 learner coach | 404 rest
    named       200 learner reader | 404 rest
    withheld    200 coach | 404 rest
    due         404 rest
DELETE /v1/evidence-items/{evidence_item_id}/files/{file_id}
    open        204 learner | 403 OPEN CLIENTS | 404 rest
    kept        204 learner | 403 coach former CLIENTS | 404 rest
GET /v1/evidence-items/{evidence_item_id}/files/{file_id}/content
    open        200 OPEN client network_client | 404 rest
    kept        200 learner coach former | 404 rest
    kept:since  200 learner coach | 404 rest
    named       200 learner reader | 404 rest
    withheld    200 coach | 404 rest
    due         404 rest
GET /v1/shares
    goal_with_network 200+ PARTIES lead member network_client | 200- rest
    goal_with_reader  200+ learner reader | 200- rest
POST /v1/shares
    shut        201 learner | 403 CLIENTS | 422 rest
    open        201 learner | 403 OPEN CLIENTS | 422 rest
GET /v1/shares/{share_id}
    goal_with_network 200 PARTIES lead member network_client | 404 rest
    goal_with_reader  200 learner reader | 404 rest
DELETE /v1/shares/{share_id}
    goal_with_network 204 learner | 403 PARTIES lead member CLIENTS | 404 rest
    goal_with_reader  204 learner | 403 reader CLIENTS | 404 rest
GET /v1/access/audience
    goal:open   200 PARTIES | 403 OPEN CLIENTS | 404 rest
    goal:shut   200 learner | 403 CLIENTS | 404 rest
    goal:kept   200 learner coach | 403 former CLIENTS | 404 rest
    evidence_item:named      200 learner | 403 reader CLIENTS | 404 rest
    learning_agreement:main  200 PARTIES | 403 former newcomer head CLIENTS | 404 rest
    learning_agreement:draft 200 learner | 403 CLIENTS | 404 rest
GET /v1/access/explanation
    goal:open   200 OPEN client network_client | 404 rest
    goal:shut   200 learner | 404 rest
    evidence_item:named      200 learner reader | 404 rest
    learning_agreement:main  200 PARTIES former newcomer head | 404 rest
    learning_agreement:draft 200 learner | 404 rest
"""

AGREEMENTS = """
GET /v1/learning-agreements
    main        200+ PARTIES former newcomer head | 200- rest
    plain       200+ PARTIES head | 200- rest
    over        200+ PARTIES head | 200- rest
    proposed    200+ PARTIES | 200- rest
    declined    200+ PARTIES | 200- rest
    draft       200+ learner | 200- rest
    withdrawn   200+ learner | 200- rest
POST /v1/learning-agreements
    own         403 CLIENTS | 201 rest
GET /v1/learning-agreements/{learning_agreement_id}
    main        200 PARTIES former newcomer head | 404 rest
    plain       200 PARTIES head | 404 rest
    over        200 PARTIES head | 404 rest
    proposed    200 PARTIES | 404 rest
    declined    200 PARTIES | 404 rest
    draft       200 learner | 404 rest
    withdrawn   200 learner | 404 rest
PATCH /v1/learning-agreements/{learning_agreement_id}
    draft       200 learner | 403 CLIENTS | 404 rest
    withdrawn   200 learner | 403 CLIENTS | 404 rest
    proposed    409 learner | 403 PARTIES CLIENTS | 404 rest
DELETE /v1/learning-agreements/{learning_agreement_id}
    draft       204 learner | 403 CLIENTS | 404 rest
    withdrawn   409 learner | 403 CLIENTS | 404 rest
    proposed    409 learner | 403 PARTIES CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/proposal
    draft       200 learner | 403 CLIENTS | 404 rest
    proposed    409 learner | 403 PARTIES CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/withdrawal
    proposed    200 learner | 403 PARTIES CLIENTS | 404 rest
    main        200 learner | 403 PARTIES former newcomer head CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/signatures
    proposed    201 PARTIES | 403 CLIENTS | 404 rest
    main        201 PARTIES newcomer | 403 former head CLIENTS | 404 rest
    draft       403 CLIENTS learner | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/declination
    proposed    200 PARTIES | 403 CLIENTS | 404 rest
    main        200 PARTIES | 204 newcomer | 403 former head CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/completion
    plain       200 learner fellow coach | 403 tutor head CLIENTS | 404 rest
    main        200 learner fellow coach | 403 tutor former newcomer head CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/ending
    plain       200 PARTIES | 403 head CLIENTS | 404 rest
    main        200 PARTIES | 403 former newcomer head CLIENTS | 404 rest
    over        409 PARTIES | 403 head CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/amendments
    plain       201 learner fellow coach | 403 tutor head CLIENTS | 404 rest
    main        409 learner fellow coach | 403 tutor former newcomer head CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/narrowing
    plain       200 PARTIES | 403 head CLIENTS | 404 rest
    main        200 PARTIES | 403 former newcomer head CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/departure
    plain       200 PARTIES | 403 head CLIENTS | 404 rest
    main        200 PARTIES | 403 former newcomer head CLIENTS | 404 rest
    over        200 PARTIES | 403 head CLIENTS | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/detachments
    plain       200 PARTIES | 403 head CLIENTS | 404 rest
    main        200 PARTIES | 403 former newcomer head CLIENTS | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/versions
    main        200 PARTIES former newcomer | 403 head CLIENTS | 404 rest
    proposed    200 PARTIES | 403 CLIENTS | 404 rest
    draft       200 learner | 403 CLIENTS | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/versions/{number}
    main:1      200 PARTIES former | 403 head CLIENTS | 404 rest
    main:3      200 PARTIES newcomer | 403 head CLIENTS | 404 rest
    main:9      403 head CLIENTS | 404 rest
    withdrawn:1 200 learner | 403 CLIENTS | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/history
    main        200 PARTIES newcomer | 403 former head CLIENTS | 404 rest
    proposed    200 PARTIES | 403 CLIENTS | 404 rest
    draft       200 learner | 403 CLIENTS | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/readers
    main        200 PARTIES | 403 former newcomer head CLIENTS | 404 rest
    proposed    403 PARTIES CLIENTS | 404 rest
"""

PEOPLE = """
GET /v1/people
    learner     200+ COLLEAGUES operator lead member client | 200- rest
    stranger    200+ stranger operator | 200- rest
    asker       200+ operator | 200- rest
    lead        200+ lead learner member operator | 200- rest
POST /v1/people
    at_school   201 administrator operator client | 403 rest
GET /v1/people/{person_id}
    learner     200 COLLEAGUES operator lead member client | 404 rest
    stranger    200 stranger operator | 404 rest
    asker       200 operator | 404 rest
    former      200 former operator | 404 rest
    other_head  200 other_head operator | 404 rest
    lead        200 lead learner member operator | 404 rest
PATCH /v1/people/{person_id}
    learner     200 learner administrator operator client | 403 COLLEAGUES lead member | 404 rest
    stranger    200 stranger operator | 404 rest
GET /v1/affiliations
    learner     200+ learner administrator operator client | 200- rest
    former      200+ former administrator operator client | 200- rest
    other_head  200+ other_head operator | 200- rest
POST /v1/affiliations
    at_school   201 administrator operator client | 403 rest
GET /v1/affiliations/{affiliation_id}
    learner     200 learner administrator operator client | 404 rest
    other_head  200 other_head operator | 404 rest
PATCH /v1/affiliations/{affiliation_id}
    learner     200 administrator operator client | 403 learner | 404 rest
    other_head  200 operator | 403 other_head | 404 rest
GET /v1/organisations
    school      200+ rest
POST /v1/organisations
    below       201 administrator operator client | 403 rest
    top         201 operator | 403 rest
GET /v1/organisations/{organisation_id}
    school      200 rest
PATCH /v1/organisations/{organisation_id}
    school      200 administrator operator client | 403 rest
GET /v1/me
    -           200 rest
GET /v1/me/permissions
    -           200 rest
GET /v1/networks
    network     200+ PARTIES lead member operator network_client | 200- rest
    private     200+ lead operator | 200- rest
POST /v1/networks
    own         201 COLLEAGUES other_head operator lead member | 403 rest
GET /v1/networks/{network_id}
    network     200 PARTIES lead member operator network_client | 404 rest
    private     200 lead operator | 404 rest
PATCH /v1/networks/{network_id}
    network     200 lead | 403 PARTIES member operator CLIENTS | 404 rest
    private     200 lead | 403 operator CLIENTS | 404 rest
GET /v1/networks/{network_id}/members
    member      200+ learner lead member | 200- fellow coach tutor operator network_client | 404 rest
    asker       200+ lead | 200- PARTIES member operator network_client | 404 rest
POST /v1/networks/{network_id}/members
    college     201 lead | 403 PARTIES member operator CLIENTS | 404 rest
    self        201 fellow coach tutor operator | 409 learner lead member | 403 CLIENTS | 404 rest
GET /v1/networks/{network_id}/members/{network_member_id}
    member      200 learner lead member | 404 rest
    asker       200 lead | 404 rest
PATCH /v1/networks/{network_id}/members/{network_member_id}
    member      200 lead | 403 learner member CLIENTS | 404 rest
    asker       200 lead | 403 CLIENTS | 404 rest
POST /v1/networks/{network_id}/members/{network_member_id}/confirmation
    asker       200 lead | 403 CLIENTS | 404 rest
    member      409 lead | 403 learner member CLIENTS | 404 rest
POST /v1/networks/{network_id}/members/{network_member_id}/ending
    member      200 lead member | 403 learner CLIENTS | 404 rest
    learner     200 lead learner | 403 member CLIENTS | 404 rest
    asker       200 lead | 403 CLIENTS | 404 rest
"""

PUBLIC = """
GET /v1/frameworks
    -           200 rest
GET /v1/frameworks/{code}
    coaching-principles   200 rest
GET /v1/frameworks/{code}/versions/{version}
    coaching-principles:1 200 rest
GET /v1/principles
    -           200 rest
GET /v1/principles/{code}
    1           200 rest
POST /oauth/token
    client      200 anonymous | 400 rest
GET /.well-known/jwks.json
    -           200 anonymous rest
GET /health/live
    -           200 anonymous rest
GET /health/ready
    -           200 anonymous rest
GET /
    -           200 anonymous rest
GET /problems
    -           200 anonymous rest
GET /problems/{slug}
    not-found   200 anonymous rest
"""

TABLE = RECORDS + AGREEMENTS + PEOPLE + PUBLIC
