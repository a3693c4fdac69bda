"""Who gets what: every operation, and every kind of actor.

An operation's rows follow it, indented: the record of the scene that is asked for (or what is sent),
and each status with its actors. `rest` is everybody who is not named in the row; without it nobody may be
left. Anonymous callers get 401 wherever they are not named. In lists `200+` says that the record is
among the items, `200-` that it is not. The values follow from docs/agreement-as-access-policy.md and
docs/decisions: what the service answers is compared with them, never the other way round.

Here is all that hangs on an agreement; tests/proof/table_people.py has the rest.
"""

from tests.proof.table_people import PEOPLE, PUBLIC

GROUPS = {
    "PARTIES": "learner fellow coach tutor",
    "COLLEAGUES": "learner fellow coach tutor head administrator newcomer reader",
    "OPERATORS": "operator second",
    "CLIENTS": "client network_client disabled_client",
    "BARRED": "client network_client disabled_client opener",
    "OPEN": "learner fellow coach tutor head lead member",
}
"""Whom a word in capitals stands for. BARRED: who may not do it whatever it is about, since clients only
read records, and an opener only reads what is opened. OPEN: the people who read what is ticked for
everybody, and shared with the network."""

RECORDS = """
GET /v1/goals
    open        200+ OPEN client network_client opener | 200- rest
    shut        200+ learner | 200- rest
    kept        200+ learner coach former opener | 200- rest
    named       200+ learner reader | 200- rest
    typed       200+ learner tutor | 200- rest
    own         200+ learner | 200- rest
    withdrawn   200+ PARTIES opener | 200- rest
    due         200+ PARTIES opener | 200- rest
POST /v1/goals
    own         403 BARRED | 201 rest
    main        201 learner fellow | 403 BARRED | 422 rest
    for_learner 201 learner coach tutor | 403 fellow BARRED | 422 rest
GET /v1/goals/{goal_id}
    open        200 OPEN client network_client opener | 404 rest
    shut        200 learner | 404 rest
    kept        200 learner coach former opener | 404 rest
    named       200 learner reader | 404 rest
    typed       200 learner tutor | 404 rest
    own         200 learner | 404 rest
    withdrawn   200 PARTIES opener | 404 rest
    due         200 PARTIES opener | 404 rest
PATCH /v1/goals/{goal_id}
    open        200 learner | 403 OPEN BARRED | 404 rest
    shut        200 learner | 403 BARRED | 404 rest
    kept        200 learner | 403 coach former BARRED | 404 rest
    named       200 learner | 403 reader BARRED | 404 rest
DELETE /v1/goals/{goal_id}
    open        204 learner | 403 OPEN BARRED | 404 rest
    kept        204 learner | 403 coach former BARRED | 404 rest
    own         204 learner | 403 BARRED | 404 rest
POST /v1/goals/{goal_id}/proposal
    kept        200 learner | 403 coach former BARRED | 404 rest
    open        409 learner | 403 OPEN BARRED | 404 rest
POST /v1/goals/{goal_id}/acceptances
    open        200 learner coach | 403 OPEN BARRED | 404 rest
    typed       200 learner | 403 tutor BARRED | 404 rest
GET /v1/goals/{goal_id}/progress
    open        200 OPEN client network_client opener | 404 rest
    kept        200 learner coach former opener | 404 rest
    shut        200 learner | 404 rest
POST /v1/goals/{goal_id}/progress
    open        201 PARTIES | 403 OPEN BARRED | 404 rest
    kept        201 learner coach | 403 former BARRED | 404 rest
    named       201 learner | 403 reader BARRED | 404 rest
GET /v1/goals/{goal_id}/revisions
    open        200 OPEN client network_client opener | 404 rest
    kept        200 learner coach former opener | 404 rest
    shut        200 learner | 404 rest
GET /v1/evidence-items
    open        200+ OPEN client network_client opener | 200- rest
    shut        200+ learner | 200- rest
    kept        200+ learner coach former opener | 200- rest
    named       200+ learner reader | 200- rest
    own         200+ learner | 200- rest
    withheld    200+ learner coach | 200- rest
    due         200+ PARTIES opener | 200- rest
POST /v1/evidence-items
    own         403 BARRED | 201 rest
    main        201 learner fellow | 403 coach tutor BARRED | 422 rest
GET /v1/evidence-items/{evidence_item_id}
    open        200 OPEN client network_client opener | 404 rest
    shut        200 learner | 404 rest
    kept        200 learner coach former opener | 404 rest
    named       200 learner reader | 404 rest
    withheld    200 learner coach | 404 rest
    due         200 PARTIES opener | 404 rest
PATCH /v1/evidence-items/{evidence_item_id}
    open        200 learner | 403 OPEN BARRED | 404 rest
    kept        200 learner | 403 coach former BARRED | 404 rest
    named       200 learner | 403 reader BARRED | 404 rest
    withheld    409 learner | 403 coach BARRED | 404 rest
DELETE /v1/evidence-items/{evidence_item_id}
    open        204 learner | 403 OPEN BARRED | 404 rest
    withheld    204 learner | 403 coach BARRED | 404 rest
GET /v1/evidence-items/{evidence_item_id}/files
    open        200 OPEN client network_client opener | 404 rest
    kept        200 learner coach former opener | 404 rest
    named       200 learner reader | 404 rest
POST /v1/evidence-items/{evidence_item_id}/files
    open        201 learner | 403 OPEN BARRED | 404 rest
    named       201 learner | 403 reader BARRED | 404 rest
    withheld    409 learner | 403 coach BARRED | 404 rest
GET /v1/evidence-items/{evidence_item_id}/files/{file_id}
    open        200 OPEN client network_client opener | 404 rest
    kept        200 learner coach former opener | 404 rest
    kept:since  200 learner coach opener | 404 rest
    named       200 learner reader | 404 rest
    withheld    200 coach | 404 rest
    due         404 rest
DELETE /v1/evidence-items/{evidence_item_id}/files/{file_id}
    open        204 learner | 403 OPEN BARRED | 404 rest
    kept        204 learner | 403 coach former BARRED | 404 rest
GET /v1/evidence-items/{evidence_item_id}/files/{file_id}/content
    open        200 OPEN client network_client opener | 404 rest
    kept        200 learner coach former opener | 404 rest
    kept:since  200 learner coach opener | 404 rest
    named       200 learner reader | 404 rest
    withheld    200 coach | 404 rest
    due         404 rest
GET /v1/shares
    goal_with_network 200+ PARTIES lead member network_client | 403 opener | 200- rest
    goal_with_reader  200+ learner reader | 403 opener | 200- rest
POST /v1/shares
    shut        201 learner | 403 BARRED | 422 rest
    open        201 learner | 403 OPEN BARRED | 422 rest
GET /v1/shares/{share_id}
    goal_with_network 200 PARTIES lead member network_client | 403 opener | 404 rest
    goal_with_reader  200 learner reader | 403 opener | 404 rest
DELETE /v1/shares/{share_id}
    goal_with_network 204 learner | 403 PARTIES lead member BARRED | 404 rest
    goal_with_reader  204 learner | 403 reader BARRED | 404 rest
GET /v1/access/audience
    goal:open   200 PARTIES | 403 OPEN BARRED | 404 rest
    goal:shut   200 learner | 403 BARRED | 404 rest
    goal:kept   200 learner coach | 403 former BARRED | 404 rest
    evidence_item:named      200 learner | 403 reader BARRED | 404 rest
    learning_agreement:main  200 PARTIES | 403 former newcomer head BARRED | 404 rest
    learning_agreement:draft 200 learner | 403 BARRED | 404 rest
GET /v1/access/explanation
    goal:open   200 OPEN client network_client | 403 opener | 404 rest
    goal:shut   200 learner | 403 opener | 404 rest
    evidence_item:named      200 learner reader | 403 opener | 404 rest
    learning_agreement:main  200 PARTIES former newcomer head | 403 opener | 404 rest
    learning_agreement:draft 200 learner | 403 opener | 404 rest
"""

AGREEMENTS = """
GET /v1/learning-agreements
    main        200+ PARTIES former newcomer head opener | 200- rest
    plain       200+ PARTIES head | 200- rest
    over        200+ PARTIES head | 200- rest
    proposed    200+ PARTIES | 200- rest
    declined    200+ PARTIES | 200- rest
    draft       200+ learner | 200- rest
    withdrawn   200+ learner | 200- rest
POST /v1/learning-agreements
    own         403 BARRED | 201 rest
GET /v1/learning-agreements/{learning_agreement_id}
    main        200 PARTIES former newcomer head opener | 404 rest
    plain       200 PARTIES head | 404 rest
    over        200 PARTIES head | 404 rest
    proposed    200 PARTIES | 404 rest
    declined    200 PARTIES | 404 rest
    draft       200 learner | 404 rest
    withdrawn   200 learner | 404 rest
PATCH /v1/learning-agreements/{learning_agreement_id}
    draft       200 learner | 403 BARRED | 404 rest
    withdrawn   200 learner | 403 BARRED | 404 rest
    proposed    409 learner | 403 PARTIES BARRED | 404 rest
DELETE /v1/learning-agreements/{learning_agreement_id}
    draft       204 learner | 403 BARRED | 404 rest
    withdrawn   409 learner | 403 BARRED | 404 rest
    proposed    409 learner | 403 PARTIES BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/proposal
    draft       200 learner | 403 BARRED | 404 rest
    proposed    409 learner | 403 PARTIES BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/withdrawal
    proposed    200 learner | 403 PARTIES BARRED | 404 rest
    main        200 learner | 403 PARTIES former newcomer head BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/signatures
    proposed    201 PARTIES | 403 BARRED | 404 rest
    main        201 PARTIES newcomer | 403 former head BARRED | 404 rest
    draft       403 BARRED learner | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/declination
    proposed    200 PARTIES | 403 BARRED | 404 rest
    main        200 PARTIES | 204 newcomer | 403 former head BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/completion
    plain       200 learner fellow coach | 403 tutor head BARRED | 404 rest
    main        200 learner fellow coach | 403 tutor former newcomer head BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/ending
    plain       200 PARTIES | 403 head BARRED | 404 rest
    main        200 PARTIES | 403 former newcomer head BARRED | 404 rest
    over        409 PARTIES | 403 head BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/amendments
    plain       201 learner fellow coach | 403 tutor head BARRED | 404 rest
    main        409 learner fellow coach | 403 tutor former newcomer head BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/narrowing
    plain       200 PARTIES | 403 head BARRED | 404 rest
    main        200 PARTIES | 403 former newcomer head BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/departure
    plain       200 PARTIES | 403 head BARRED | 404 rest
    main        200 PARTIES | 403 former newcomer head BARRED | 404 rest
    over        200 PARTIES | 403 head BARRED | 404 rest
POST /v1/learning-agreements/{learning_agreement_id}/detachments
    plain       200 PARTIES | 403 head BARRED | 404 rest
    main        200 PARTIES | 403 former newcomer head BARRED | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/versions
    main        200 PARTIES former newcomer opener | 403 head CLIENTS | 404 rest
    proposed    200 PARTIES | 403 CLIENTS | 404 rest
    draft       200 learner | 403 CLIENTS | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/versions/{number}
    main:1      200 PARTIES former opener | 403 head CLIENTS | 404 rest
    main:2      200 PARTIES former opener | 403 head CLIENTS | 404 rest
    main:3      200 PARTIES newcomer | 403 head CLIENTS | 404 rest
    main:9      403 head CLIENTS | 404 rest
    withdrawn:1 200 learner | 403 CLIENTS | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/history
    main        200 PARTIES newcomer | 403 former head BARRED | 404 rest
    proposed    200 PARTIES | 403 BARRED | 404 rest
    draft       200 learner | 403 BARRED | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/readers
    main        200 PARTIES | 403 former newcomer head BARRED | 404 rest
    proposed    403 PARTIES BARRED | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/leaders
    main        200 PARTIES | 403 former newcomer head BARRED | 404 rest
    proposed    403 PARTIES BARRED | 404 rest
"""

OPENINGS = """
GET /v1/openings
    open        200+ PARTIES OPERATORS | 403 BARRED | 200- rest
    asked       200+ PARTIES OPERATORS | 403 BARRED | 200- rest
    hidden      200+ OPERATORS | 403 BARRED | 200- rest
    plain       200+ PARTIES OPERATORS | 403 BARRED | 200- rest
POST /v1/openings
    main        201 OPERATORS | 403 rest
    plain       201 OPERATORS | 403 rest
    over        201 OPERATORS | 403 rest
    proposed    422 OPERATORS | 403 rest
    draft       422 OPERATORS | 403 rest
GET /v1/openings/{opening_id}
    open        200 PARTIES OPERATORS | 403 BARRED | 404 rest
    asked       200 PARTIES OPERATORS | 403 BARRED | 404 rest
    hidden      200 OPERATORS | 403 BARRED | 404 rest
    plain       200 PARTIES OPERATORS | 403 BARRED | 404 rest
POST /v1/openings/{opening_id}/confirmation
    asked       200 second | 403 operator PARTIES BARRED | 404 rest
    hidden      200 second | 403 operator BARRED | 404 rest
    open        409 second | 403 operator PARTIES BARRED | 404 rest
POST /v1/openings/{opening_id}/closing
    asked       200 operator | 403 second PARTIES BARRED | 404 rest
    hidden      200 operator | 403 second BARRED | 404 rest
    open        200 OPERATORS | 403 PARTIES BARRED | 404 rest
GET /v1/learning-agreements/{learning_agreement_id}/openings
    main:asked  200+ PARTIES | 403 former newcomer head BARRED | 404 rest
    main:hidden 200- PARTIES | 403 former newcomer head BARRED | 404 rest
    plain:open  200- PARTIES | 403 head BARRED | 404 rest
    proposed    403 PARTIES BARRED | 404 rest
"""

TABLE = RECORDS + AGREEMENTS + OPENINGS + PEOPLE + PUBLIC
