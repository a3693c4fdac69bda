"""Learning agreements: the text that the parties sign is the access policy."""

from app.api.agreements import amending, life, versions

ROUTERS = (life.router, amending.router, versions.router)
