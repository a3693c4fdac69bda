"""Who gets what of people, places, networks, and of what is everybody's; see tests/proof/table.py."""

PEOPLE = """
GET /v1/people
    learner     200+ COLLEAGUES OPERATORS lead member client | 403 opener | 200- rest
    stranger    200+ stranger OPERATORS | 403 opener | 200- rest
    asker       200+ OPERATORS | 403 opener | 200- rest
    lead        200+ lead learner member OPERATORS | 403 opener | 200- rest
POST /v1/people
    at_school   201 administrator OPERATORS client | 403 rest
GET /v1/people/{person_id}
    learner     200 COLLEAGUES OPERATORS lead member client | 403 opener | 404 rest
    stranger    200 stranger OPERATORS | 403 opener | 404 rest
    asker       200 OPERATORS | 403 opener | 404 rest
    former      200 former OPERATORS | 403 opener | 404 rest
    other_head  200 other_head OPERATORS | 403 opener | 404 rest
    lead        200 lead learner member OPERATORS | 403 opener | 404 rest
PATCH /v1/people/{person_id}
    learner     200 learner administrator OPERATORS client | 403 opener COLLEAGUES lead member | 404 rest
    stranger    200 stranger OPERATORS | 403 opener | 404 rest
GET /v1/affiliations
    learner     200+ learner administrator OPERATORS client | 403 opener | 200- rest
    former      200+ former administrator OPERATORS client | 403 opener | 200- rest
    other_head  200+ other_head OPERATORS | 403 opener | 200- rest
    asked       200+ member administrator OPERATORS client | 403 opener | 200- rest
POST /v1/affiliations
    at_school   201 administrator OPERATORS client | 403 rest
GET /v1/affiliations/{affiliation_id}
    learner     200 learner administrator OPERATORS client | 403 opener | 404 rest
    other_head  200 other_head OPERATORS | 403 opener | 404 rest
    asked       200 member administrator OPERATORS client | 403 opener | 404 rest
PATCH /v1/affiliations/{affiliation_id}
    learner     200 administrator OPERATORS client | 403 opener learner | 404 rest
    other_head  200 OPERATORS | 403 opener other_head | 404 rest
    asked       200 administrator OPERATORS client | 403 opener member | 404 rest
POST /v1/affiliations/{affiliation_id}/acceptance
    asked       200 member | 403 administrator OPERATORS BARRED | 404 rest
    learner     409 learner | 403 administrator OPERATORS BARRED | 404 rest
POST /v1/affiliations/{affiliation_id}/refusal
    asked       200 member | 403 administrator OPERATORS BARRED | 404 rest
    learner     409 learner | 403 administrator OPERATORS BARRED | 404 rest
GET /v1/invitations
    newcomer    200+ newcomer administrator OPERATORS | 403 BARRED | 200- rest
POST /v1/invitations
    newcomer    202 administrator OPERATORS | 403 rest
GET /v1/invitations/{invitation_id}
    newcomer    200 newcomer administrator OPERATORS | 403 BARRED | 404 rest
POST /v1/invitations/{invitation_id}/withdrawal
    newcomer    200 newcomer administrator OPERATORS | 403 BARRED | 404 rest
POST /v1/invitations/{invitation_id}/agreement
    newcomer    200 newcomer | 403 administrator OPERATORS BARRED | 404 rest
GET /v1/me/address-changes
    learner     200+ learner | 403 BARRED | 200- rest
POST /v1/me/address-changes
    -           403 BARRED | 409 rest
GET /v1/me/address-changes/{address_change_id}
    learner     200 learner | 403 BARRED | 404 rest
POST /v1/me/address-changes/{address_change_id}/cancellation
    learner     200 learner | 403 BARRED | 404 rest
PUT /v1/me/password
    -           403 BARRED | 409 rest
GET /v1/organisations
    school      403 opener | 200+ rest
POST /v1/organisations
    below       201 administrator OPERATORS client | 403 rest
    top         201 OPERATORS | 403 rest
GET /v1/organisations/{organisation_id}
    school      403 opener | 200 rest
PATCH /v1/organisations/{organisation_id}
    school      200 administrator OPERATORS client | 403 rest
GET /v1/organisations/{organisation_id}/audit
    school      200 administrator OPERATORS | 403 rest
GET /v1/clients
    network_client  200+ OPERATORS | 403 BARRED | 200- rest
    disabled_client 200+ administrator OPERATORS | 403 BARRED | 200- rest
    app             200+ OPERATORS | 403 BARRED | 200- rest
POST /v1/clients
    school      201 administrator OPERATORS | 403 rest
    network     201 OPERATORS | 403 rest
    app         201 OPERATORS | 403 rest
GET /v1/clients/{client_id}
    network_client  200 OPERATORS | 403 BARRED | 404 rest
    disabled_client 200 administrator OPERATORS | 403 BARRED | 404 rest
    own             200 administrator OPERATORS | 403 BARRED | 404 rest
    app             200 OPERATORS | 403 BARRED | 404 rest
    portal          200 administrator OPERATORS | 403 BARRED | 404 rest
PATCH /v1/clients/{client_id}
    network_client  200 OPERATORS | 403 BARRED | 404 rest
    disabled_client 409 administrator OPERATORS | 403 BARRED | 404 rest
    own             200 administrator OPERATORS | 403 BARRED | 404 rest
    app             200 OPERATORS | 403 BARRED | 404 rest
    portal          200 OPERATORS | 403 administrator BARRED | 404 rest
POST /v1/clients/{client_id}/secrets
    network_client  201 OPERATORS | 403 BARRED | 404 rest
    disabled_client 409 administrator OPERATORS | 403 BARRED | 404 rest
    own             201 administrator OPERATORS | 403 BARRED | 404 rest
    app             409 OPERATORS | 403 BARRED | 404 rest
DELETE /v1/clients/{client_id}/secrets/{fingerprint}
    network_client  204 OPERATORS | 403 BARRED | 404 rest
    own             204 administrator OPERATORS | 403 BARRED | 404 rest
POST /v1/clients/{client_id}/disabling
    network_client  200 OPERATORS | 403 BARRED | 404 rest
    own             200 administrator OPERATORS | 403 BARRED | 404 rest
    disabled_client 409 administrator OPERATORS | 403 BARRED | 404 rest
    app             200 OPERATORS | 403 BARRED | 404 rest
GET /v1/audit
    -           200 OPERATORS | 403 rest
GET /v1/me/history
    -           403 BARRED | 200 rest
GET /v1/me
    -           403 opener | 200 rest
GET /v1/me/permissions
    -           403 opener | 200 rest
GET /v1/identity-providers
    school      200+ administrator OPERATORS | 403 BARRED | 200- rest
    hwb         200+ OPERATORS | 403 BARRED | 200- rest
POST /v1/identity-providers
    school      201 OPERATORS | 403 rest
GET /v1/identity-providers/{identity_provider_id}
    school      200 administrator OPERATORS | 403 BARRED | 404 rest
    hwb         200 OPERATORS | 403 BARRED | 404 rest
PATCH /v1/identity-providers/{identity_provider_id}
    school      200 administrator OPERATORS | 403 BARRED | 404 rest
    hwb         200 OPERATORS | 403 BARRED | 404 rest
GET /v1/me/identity-links
    -           403 BARRED | 200 rest
POST /v1/me/identity-links
    -           403 BARRED | 201 rest
POST /v1/me/identity-links/completion
    -           403 BARRED | 422 rest
POST /v1/me/identity-links/removal
    -           403 BARRED | 422 rest
POST /v1/me/joins
    -           409 OPERATORS | 403 BARRED | 201 rest
POST /v1/me/joins/completion
    -           403 BARRED | 422 rest
GET /v1/me/sessions
    -           403 BARRED | 200 rest
POST /v1/me/sessions/{session_id}/ending
    learner     204 learner | 403 BARRED | 404 rest
POST /v1/me/sign-out
    -           403 BARRED | 200 rest
GET /v1/me/consents
    -           403 BARRED | 200 rest
POST /v1/me/consents/withdrawal
    -           204 learner | 403 BARRED | 422 rest
GET /v1/me/identities
    -           403 BARRED | 200 rest
GET /v1/me/second-factors
    -           403 BARRED | 200 rest
POST /v1/me/second-factors
    -           403 BARRED | 201 rest
POST /v1/me/second-factors/{second_factor_id}/confirmation
    learner     200 learner | 403 BARRED | 404 rest
POST /v1/me/second-factors/{second_factor_id}/removal
    learner     204 learner | 403 BARRED | 404 rest
POST /v1/me/recovery-codes
    -           409 learner rest | 403 BARRED
POST /v1/me/anonymisation
    -           409 PARTIES newcomer administrator lead | 403 BARRED | 200 rest
POST /v1/me/anonymisation/confirmation
    -           403 BARRED | 422 rest
GET /v1/organisations/{organisation_id}/sign-in-identities
    school      200 administrator OPERATORS | 403 rest
POST /v1/sign-in-identities/{sign_in_identity_id}/closing
    brought     200 administrator OPERATORS | 403 learner BARRED | 404 rest
    own         200 OPERATORS | 403 learner BARRED | 404 rest
POST /v1/sign-in-identities/{sign_in_identity_id}/reopening
    brought     409 administrator OPERATORS | 403 learner BARRED | 404 rest
POST /v1/people/{person_id}/disabling
    learner     200 OPERATORS | 403 COLLEAGUES lead member BARRED | 404 rest
    stranger    200 OPERATORS | 403 stranger BARRED | 404 rest
POST /v1/people/{person_id}/enabling
    learner     409 OPERATORS | 403 COLLEAGUES lead member BARRED | 404 rest
POST /v1/people/{person_id}/anonymisation
    learner     409 OPERATORS | 403 COLLEAGUES lead member BARRED | 404 rest
    former      200 OPERATORS | 403 former BARRED | 404 rest
POST /v1/people/{person_id}/anonymisation/confirmation
    former      422 OPERATORS | 403 former BARRED | 404 rest
GET /v1/networks
    network     200+ PARTIES lead member OPERATORS network_client | 403 opener | 200- rest
    private     200+ lead OPERATORS | 403 opener | 200- rest
POST /v1/networks
    own         201 COLLEAGUES other_head operator lead member | 403 rest
GET /v1/networks/{network_id}
    network     200 PARTIES lead member OPERATORS network_client | 403 opener | 404 rest
    private     200 lead OPERATORS | 403 opener | 404 rest
PATCH /v1/networks/{network_id}
    network     200 lead | 403 PARTIES member OPERATORS BARRED | 404 rest
    private     200 lead | 403 OPERATORS BARRED | 404 rest
GET /v1/networks/{network_id}/members
    member      200+ learner lead member | 403 opener | 200- fellow coach tutor OPERATORS network_client | 404 rest
    asker       200+ lead | 403 opener | 200- PARTIES member OPERATORS network_client | 404 rest
POST /v1/networks/{network_id}/members
    college     201 lead | 403 PARTIES member OPERATORS BARRED | 404 rest
    self        201 fellow coach tutor OPERATORS | 409 learner lead member | 403 BARRED | 404 rest
GET /v1/networks/{network_id}/members/{network_member_id}
    member      200 learner lead member | 403 opener | 404 rest
    asker       200 lead | 403 opener | 404 rest
PATCH /v1/networks/{network_id}/members/{network_member_id}
    member      200 lead | 403 learner member BARRED | 404 rest
    asker       200 lead | 403 BARRED | 404 rest
POST /v1/networks/{network_id}/members/{network_member_id}/confirmation
    asker       200 lead | 403 BARRED | 404 rest
    member      409 lead | 403 learner member BARRED | 404 rest
POST /v1/networks/{network_id}/members/{network_member_id}/ending
    member      200 lead member | 403 learner BARRED | 404 rest
    learner     200 lead learner | 403 member BARRED | 404 rest
    asker       200 lead | 403 BARRED | 404 rest
"""

PUBLIC = """
GET /v1/frameworks
    -           403 opener | 200 rest
GET /v1/frameworks/{code}
    coaching-principles   403 opener | 200 rest
GET /v1/frameworks/{code}/versions/{version}
    coaching-principles:1 403 opener | 200 rest
GET /v1/principles
    -           403 opener | 200 rest
GET /v1/principles/{code}
    1           403 opener | 200 rest
POST /oauth/token
    client      200 anonymous | 400 rest
POST /oauth/revoke
    client      200 anonymous | 400 rest
POST /oauth/introspect
    client      200 anonymous | 400 rest
GET /oauth/authorize
    -           400 anonymous rest
GET /.well-known/oauth-authorization-server
    -           200 anonymous rest
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
