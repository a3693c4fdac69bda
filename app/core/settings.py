"""Settings, read once from the environment (`TANDEM_…`); docs/configuration.md lists them."""

import re
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """One field a setting; the description is what docs/configuration.md says of it."""

    model_config = SettingsConfigDict(env_prefix="TANDEM_", extra="ignore")

    database_url: str = Field(
        default="",
        description="`sqlite:///path` or `postgresql://user:password@host/name`. Empty: the embedded "
        "SQLite, in `tandem.db` in the folder of `TANDEM_VAR`.",
    )
    var: Path = Field(
        default=Path("var"),
        description="Folder for what the service itself keeps: signing keys, the demonstration's accounts.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on.")
    public_url: str = Field(
        default="",
        description="Address under which callers reach the service, without a final slash; "
        "issuer of its tokens and base of its links. Empty: `http://<host>:<port>`.",
    )
    audience: str = Field(
        default="", description="`aud` of the access tokens. Empty: the public address."
    )
    token_algorithm: Literal["ES256", "RS256"] = Field(
        default="ES256",
        description="Algorithm that signs the access tokens; no other is accepted.",
    )
    token_minutes: int = Field(
        default=15, ge=1, le=15, description="Lifetime of an access token, in minutes."
    )
    session_days: int = Field(
        default=30,
        ge=1,
        le=366,
        description="How long a person stays signed in through a client, in days; refreshing does not prolong it.",
    )
    password_grant: bool = Field(
        default=False,
        description="Allows the OAuth password grant: for local use and the demonstration only.",
    )
    smtp_url: SecretStr = Field(
        default=SecretStr(""),
        description="`smtps://user:password@host`, `smtp+starttls://user:password@host` or, on this machine only or "
        "without a password, `smtp://host`: the server that takes mail. Empty: messages are kept in the folder "
        "`outbox` in the folder of `TANDEM_VAR`, and their links are printed.",
    )
    mail_from: str = Field(
        default="",
        description="Address from which mail comes. Empty: `tandem@` the host of the public address.",
    )
    failures_account: int = Field(
        default=5,
        ge=1,
        description="Wrong passwords for one account in 30 minutes; then it is asked for no more until some are older.",
    )
    failures_address: int = Field(
        default=10,
        ge=1,
        description="Wrong passwords, links and requests for a new password from one address (for IPv6 the /64) in 5 "
        "minutes; browsers in which the account has been used before are counted by themselves.",
    )
    break_glass: bool = Field(
        default=False,
        description="Allows break-glass: two of the operator's administrators open one agreement's records in an "
        "emergency, and the parties are shown it. Off: nothing is opened, nor read under an earlier opening.",
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Origins of browser front ends that may call the API, separated by commas.",
    )
    body_limit: int = Field(
        default=1_000_000,
        ge=1000,
        description="Largest JSON body that is read, in bytes.",
    )
    file_limit: int = Field(
        default=100_000_000,
        ge=1000,
        description="Largest file that is taken, in bytes. Pictures may have 30 MB at most, whatever it says.",
    )
    files_s3_bucket: str = Field(
        default="",
        description="Bucket of an S3-compatible store for files. Empty: the folder `files` in the folder of "
        "`TANDEM_VAR`.",
    )
    files_s3_endpoint: str = Field(
        default="",
        description="Address of the S3-compatible store. Empty: Amazon's own, in the region.",
    )
    files_s3_region: str = Field(default="us-east-1", description="Region of the bucket.")
    files_s3_access_key_id: str = Field(
        default="",
        description="Access key for the bucket. Empty: what the machine itself is given (`AWS_…` variables, the "
        "role of a container or machine).",
    )
    files_s3_secret_access_key: SecretStr = Field(
        default=SecretStr(""), description="Secret that belongs to the access key."
    )
    files_s3_virtual_host: bool = Field(
        default=False,
        description="Calls the bucket by a host name of its own; the endpoint, if one is set, must then begin "
        "with the bucket's name.",
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default_factory=list,
        description="Addresses and networks of the proxies in front, separated by commas: the caller's address is "
        "then the one that they put into `X-Forwarded-For`. Empty: the header is not believed.",
    )
    rate_caller: int = Field(
        default=3000,
        ge=0,
        description="Requests a minute of one caller: of a person through one client, or of an integration client. "
        "0: no limit.",
    )
    rate_address: int = Field(
        default=30_000,
        ge=0,
        description="Requests a minute from one address (for IPv6 the /64), with or without a token. 0: no limit.",
    )
    rate_store: SecretStr = Field(
        default=SecretStr(""),
        description="`redis://:password@host` by which several processes share what they have counted; needs the "
        "extra `redis`. Empty: each process counts for itself.",
    )
    concurrent_requests: int = Field(
        default=200,
        ge=1,
        description="Requests that a process answers at once; one more is answered with 503 at once.",
    )
    concurrent_files: int = Field(
        default=100,
        ge=1,
        description="Files that a process takes and gives at once, beside those requests.",
    )
    body_seconds: int = Field(
        default=30, ge=1, description="Time for a JSON body or a form to arrive, in seconds."
    )
    file_seconds: int = Field(
        default=600, ge=1, description="Time for a file to arrive, in seconds."
    )
    stop_seconds: int = Field(
        default=20,
        ge=1,
        description="Time for running requests to end after SIGTERM, in seconds; then they are cut off.",
    )
    stop_notice_seconds: int = Field(
        default=0,
        ge=0,
        description="Time after SIGTERM in which `/health/ready` says 503 and everything else goes on, in seconds: "
        "for a load balancer to notice.",
    )
    database_connections: int = Field(
        default=4,
        ge=1,
        le=64,
        description="PostgreSQL: connections for reading and as many for writing, for each process.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log line that is written."
    )

    @field_validator("cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for part in value:
            ip_network(part)
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp(cls, value: SecretStr) -> SecretStr:
        if url := value.get_secret_value():
            parts = urlsplit(url)
            if parts.scheme not in ("smtp", "smtp+starttls", "smtps") or not parts.hostname:
                raise ValueError(
                    "begins with smtps://, smtp+starttls:// or smtp://, and names a host"
                )
            here = parts.hostname in ("localhost", "127.0.0.1", "::1")
            if parts.scheme == "smtp" and parts.password and not here:
                raise ValueError("would send its password unencrypted: use smtps or smtp+starttls")
        return value

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", value):
            raise ValueError("must be a bare address, as in tandem@school.example")
        return value

    @field_validator("rate_store")
    @classmethod
    def _redis(cls, value: SecretStr) -> SecretStr:
        if value and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("begins with redis://, rediss:// or unix://")
        return value

    @model_validator(mode="after")
    def _embedded(self) -> Self:
        self.database_url = self.database_url or f"sqlite:///{self.var / 'tandem.db'}"
        return self

    @property
    def base_url(self) -> str:
        """Public address without a final slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def token_audience(self) -> str:
        """`aud` of the access tokens."""
        return self.audience or self.base_url


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
