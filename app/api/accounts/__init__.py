"""Ways in over the API: invitations, one's own password, one's own sign-in address."""

from app.api.accounts import addresses, invitations, passwords

ROUTERS = (invitations.router, addresses.router, passwords.router)
