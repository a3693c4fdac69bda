"""Answers in English and Welsh: reference texts, problems, and the pages for people."""

import re
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.actions.frameworks import seeded
from app.core.errors import problem_types
from app.core.translations import welsh
from tests.worlds import World

pytestmark = pytest.mark.anyio

WELSH = {"Accept-Language": "cy, en;q=0.8"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def items_of(framework: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for item in framework["items"] for one in (item, *item.get("items", []))]


@pytest.mark.parametrize("framework", seeded(), ids=lambda f: f["code"])
def test_every_text_of_a_framework_that_ships_has_its_welsh(framework: dict[str, Any]) -> None:
    words = welsh(f"frameworks/{framework['code']}")
    assert words["version"] == framework["version"]
    assert words["description"]
    assert framework["title_cy"]
    assert set(words["items"]) == {item["code"] for item in items_of(framework)}
    for item in items_of(framework):
        said = words["items"][item["code"]]
        assert said["statement"] != item["statement"]
        assert ("title" in said) != ("title_cy" in item), item["code"]


def test_every_problem_has_its_welsh() -> None:
    # Add it to app/data/welsh/problems.toml.
    words = welsh("problems")
    kinds = {s: k for s, k in problem_types().items() if k.__module__.startswith("app.")}
    assert set(kinds) <= set(words)
    for slug, kind in kinds.items():
        assert words[slug]["title"] != kind.title
        assert set(re.findall("`[^`]+`", kind.advice)) - {"`Authorization: Bearer <token>`"} <= set(
            re.findall("`[^`]+`", words[slug]["advice"])
        ), slug


async def test_principles_are_told_in_welsh_to_who_asks_for_it_and_say_that_it_is_unreviewed(
    world: World,
) -> None:
    answer = await world.learner.get("/v1/principles/1", headers=WELSH)
    assert answer.headers["Content-Language"] == "cy"
    assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"
    told = answer.json()
    assert (told["title"], told["title_cy"]) == ("Sgwrs ddysgu", "Sgwrs ddysgu")
    assert told["statement"].startswith("Sgwrs strwythuredig yw hyfforddi")
    practice = told["items"][1]
    assert practice["title"] == "Esbonio dealltwriaeth gynyddol i eraill"
    assert {told["translation"], practice["translation"]} == {"unreviewed"}


async def test_without_the_header_it_is_english_and_no_translation(world: World) -> None:
    answer = await world.learner.get("/v1/principles/1")
    assert answer.headers["Content-Language"] == "en"
    assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"
    told = answer.json()
    assert told["title"] == "A learning conversation"
    assert told["title_cy"] == "Sgwrs ddysgu"
    assert told["translation"] is None


@pytest.mark.parametrize(
    "path",
    [
        "/v1/frameworks",
        "/v1/frameworks/core-skills",
        "/v1/frameworks/core-skills/versions/1",
        "/v1/principles",
        "/v1/principles/A1",
    ],
)
async def test_an_etag_is_of_one_language(world: World, path: str) -> None:
    english = await world.learner.get(path)
    cymraeg = await world.learner.get(path, headers=WELSH)
    assert english.headers["ETag"].endswith('.en"')
    assert cymraeg.headers["ETag"].endswith('.cy"')
    same = {**WELSH, "If-None-Match": cymraeg.headers["ETag"]}
    unchanged = await world.learner.get(path, headers=same)
    assert (unchanged.status_code, unchanged.headers["Vary"]) == (304, english.headers["Vary"])
    other = {**WELSH, "If-None-Match": english.headers["ETag"]}
    assert (await world.learner.get(path, headers=other)).status_code == 200


async def test_a_record_is_as_it_was_written_whatever_the_caller_speaks(world: World) -> None:
    goal = await world.goal(None)
    path = f"/v1/goals/{goal['id']}"
    plain, asked = await world.learner.get(path), await world.learner.get(path, headers=WELSH)
    assert plain.json() == asked.json()
    assert plain.headers["ETag"] == asked.headers["ETag"]
    assert "Content-Language" not in asked.headers


async def test_a_refusal_has_its_title_in_welsh_and_its_detail_in_english(world: World) -> None:
    answer = await world.learner.get(f"/v1/goals/{uuid4()}", headers=WELSH)
    assert answer.status_code == 404
    assert answer.headers["Content-Language"] == "cy, en"
    assert answer.headers["Vary"] == "Accept-Language, Accept-Encoding"
    told = answer.json()
    assert (told["title"], told["translation"]) == ("Heb ei ganfod", "unreviewed")
    assert told["detail"].startswith("There is no such record")
    plain = await world.learner.get(f"/v1/goals/{uuid4()}")
    assert plain.headers["Content-Language"] == "en"
    assert plain.json()["title"] == "Not found"
    assert "translation" not in plain.json()


@pytest.mark.parametrize("sent", ["", ";;q=", "cy;q=nan", "\x80\xff", "x" * 5000, "cy;" * 2000])
async def test_a_header_that_cannot_be_read_is_no_error(world: World, sent: str) -> None:
    headers = {"Accept-Language": sent.encode("latin-1"), "Accept": sent.encode("latin-1")}
    authorized = {**headers, "Authorization": f"Bearer {world.learner.token}"}
    for path in ("/v1/principles/1", "/", "/problems", "/problems/not-found"):
        answer = await world.http.get(path, headers=authorized)  # type: ignore[arg-type]
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers.get("Content-Language", "en") == "en"


class Outline(HTMLParser):
    """What a page loads and names, and whether its elements are closed in order."""

    VOID = ("meta", "link", "br", "img")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def addresses(self) -> list[str]:
        found = (a.get("href") or a.get("src") for _, a in self.attributes)
        return [address for address in found if address]


async def page(http: httpx.AsyncClient, path: str, **headers: str) -> httpx.Response:
    answer = await http.get(path, headers={"Accept": BROWSER, **headers})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return answer


@pytest.mark.parametrize("path", ["/", "/problems", "/problems/not-found"])
@pytest.mark.parametrize("language", ["en", "cy"])
async def test_a_browser_gets_a_page_in_its_language_without_script_or_strangers(
    http: httpx.AsyncClient, path: str, language: str
) -> None:
    answer = await page(http, path, **{"Accept-Language": language})
    assert answer.headers["Content-Language"] == language
    assert answer.headers["Vary"] == "Accept, Accept-Language, Accept-Encoding"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "script" not in policy
    outline = Outline(answer.text)
    assert "script" not in [tag for tag, _ in outline.attributes]
    assert outline.attributes[0] == ("html", {"lang": language})
    assert ("class", "notice") in {item for _, a in outline.attributes for item in a.items()} or (
        language == "en"
    )
    for address in outline.addresses():
        assert address.startswith(("/", "#")), address
        if not address.startswith("#"):
            assert (await http.get(address)).status_code == 200, address
        elif address != "#main":
            assert f'id="{address[1:]}"' in answer.text


async def test_a_chosen_language_goes_before_the_header_and_stays_on_the_way(
    http: httpx.AsyncClient,
) -> None:
    answer = await page(http, "/problems?language=cy", **{"Accept-Language": "en"})
    assert "Problemau" in answer.text
    assert "/problems/not-found?language=cy" in Outline(answer.text).addresses()
    told = await http.get("/problems/not-found", params={"language": "cy"})
    assert told.json()["title"] == "Heb ei ganfod"
    assert (await http.get("/", params={"language": "fr"})).status_code == 422


async def test_a_program_gets_links_from_the_first_page_and_all_of_them_lead_somewhere(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/")
    assert answer.headers["Vary"] == "Accept, Accept-Language, Accept-Encoding"
    told = answer.json()
    assert (told["name"], set(told["links"])) == (
        "Tandem",
        {"documentation", "openapi", "problems", "token", "jwks", "live", "ready"},
    )
    for name, address in told["links"].items():
        assert address.startswith("https://tandem.example/")
        assert (await http.get(address)).status_code == (405 if name == "token" else 200), name


async def test_a_problem_type_leads_to_what_it_means_for_people_and_for_programs(
    http: httpx.AsyncClient,
) -> None:
    refused = (await http.get("/v1/goals")).json()
    meant = (await http.get(refused["type"])).json()
    assert meant["type"] == refused["type"]
    assert (meant["title"], meant["status"]) == (refused["title"], 401)
    assert "/oauth/token" in meant["advice"]
    shown = await page(http, refused["type"])
    assert "<h1>A valid access token is needed</h1>" in shown.text
    # What looks like an element in the advice is text on the page.
    assert "Bearer &lt;token&gt;" in shown.text
    listed = (await http.get("/problems")).json()["items"]
    assert [p["status"] for p in listed] == sorted(p["status"] for p in listed)
    own = {s for s, k in problem_types().items() if k.__module__.startswith("app.")}
    assert own <= {p["type"].rpartition("/")[2] for p in listed}
    assert meant in listed


async def test_the_documentation_page_runs_only_what_this_server_sends(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/docs")
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "://" not in answer.text
    loaded = [a for a in Outline(answer.text).addresses() if a.startswith("/assets/")]
    assert len(loaded) == 5
    for address in loaded:
        asset = await http.get(address)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["Cache-Control"]
    assert (await http.get("/assets/../settings.py")).status_code == 404
    assert (await http.get("/assets/nothing.css")).status_code == 404
