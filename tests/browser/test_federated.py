"""Signing in with a provider's account, as somebody does it in a browser: there and back."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page

from app.access.sign_in import PUBLIC_CLIENT
from tests.federating import PASSWORD, Provider, running_provider
from tests.openid_provider import CLIENT, SECRET
from tests.servers import Person, Server, serving
from tests.signing_in import challenge_of


@pytest.fixture(scope="module")
def known(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Provider]]:
    """The demonstration, with a provider that its operator has added on the command line."""
    folder = tmp_path_factory.mktemp("federated")
    with (
        running_provider(folder) as provider,
        serving(f"sqlite:///{folder / 'tandem.db'}", folder) as server,
    ):
        server.restart({**server.settings, "PRIVATE_PROVIDERS": "true"})
        provider.callback = f"{server.base}/oauth/callback"
        with httpx.Client(base_url=server.base) as http:
            (mine,) = Person.of(server, http, "learner").get("/v1/me/identities").json()
        school = mine["organisation"]["id"]
        added = server.command(
            "providers", "add", "Imagined Provider", provider.issuer, CLIENT,
            "--trusted-domain", "demo.example", "--organisation", school, given=f"{SECRET}\n",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
        assert provider.callback in added.stdout
        yield server, provider


def question(page: Page, server: Server, verifier: str) -> None:
    """Opens the sign-in page for the documentation page."""
    asked = {
        "response_type": "code",
        "client_id": str(PUBLIC_CLIENT),
        "redirect_uri": f"{server.base}/docs/oauth2-redirect",
        "scope": "people:read",
        "state": "s",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    page.goto(f"{server.base}/oauth/authorize?{urlencode(asked)}")
    page.get_by_role("button", name="Sign in with Imagined Provider").click()
    # By itself, without a script, to another origin.
    page.get_by_role("heading", name="Imagined Provider", exact=True).wait_for()


def test_a_person_signs_in_at_the_provider_and_comes_back(
    browser: Browser, known: tuple[Server, Provider]
) -> None:
    server, provider = known
    subject = provider.account("learner@demo.example")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    verifier = "v" * 43
    question(page, server, verifier)
    page.get_by_label("User").fill(subject)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in and allow").click()
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url("**/docs/oauth2-redirect?**")
    sent = parse_qs(urlsplit(page.url).query)
    assert sent["state"] == ["s"]
    form = {
        "grant_type": "authorization_code",
        "code": sent["code"][0],
        "redirect_uri": f"{server.base}/docs/oauth2-redirect",
        "code_verifier": verifier,
        "client_id": str(PUBLIC_CLIENT),
    }
    token = httpx.post(f"{server.base}/oauth/token", data=form).json()["access_token"]
    me = httpx.get(f"{server.base}/v1/me", headers={"Authorization": f"Bearer {token}"})
    learner = next(a for a in server.demonstration()["accounts"] if a["role"] == "learner")
    assert me.json()["person"]["name"] == learner["name"]
    context.close()


def test_who_cancels_is_back_on_the_page_with_the_other_ways(
    browser: Browser, known: tuple[Server, Provider]
) -> None:
    server, _ = known
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    question(page, server, "v" * 43)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("alert").wait_for()
    assert "cancelled" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Password").is_visible()
    context.close()
