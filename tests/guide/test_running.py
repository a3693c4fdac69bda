"""Whoever runs the pages would notice: every kind of wrong page fails."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.guide.running import Reader
from tests.guide.shapes import Shapes, Wrong

ID, OTHER = "01a07ae1-9800-7000-8000-000000000001", "01a07ae1-9800-7000-8000-000000000002"


def answered(request: httpx.Request) -> httpx.Response:
    who = request.headers.get("authorization", "nobody")
    return httpx.Response(200, json={"path": request.url.path, "who": who, "id": OTHER})


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], int]:
    def run(page: str) -> int:
        transport = httpx.MockTransport(answered)
        with httpx.Client(transport=transport, base_url="http://tandem.example") as http:
            reader = Reader(tmp_path, {"PATH": "/usr/bin:/bin"}, http, token=str.upper)
            return reader.read(page)

    return run


REQUEST = "```http\nGET /v1/me HTTP/1.1\nAuthorization: Bearer <megan>\n```\n"
ANSWER = f"""```http
HTTP/1.1 200 OK
Content-Type: application/json

{{"path": "/v1/me", "who": "Bearer MEGAN", "id": "{ID}"}}
```
"""

RIGHT = {
    "python": "```python\nprint(1 + 1)\n# → 2\n```\n",
    "one Python for the page": "```python\nx = 2\n```\n```python\nprint(x)\n# → 2\n```\n",
    "text": "```python\nprint('a\\nb')\n```\nprints\n```text\na\nb\n```\n",
    "json": '```python\nprint(\'{"a": 1, "b": [1, 2]}\')\n```\n```json\n{"b": [1, 2], "a": 1}\n```\n',
    "the rest": '```python\nprint(\'{"a": 1, "b": [1, 2]}\')\n```\n```json\n{"b": [1, "…"], "…": "…"}\n```\n',
    "bash": "```bash\necho hello\n# → hello\n```\n",
    "what is exported": "```bash\nexport A='b c'\n```\n```bash\necho \"$A\"\n# → b c\n```\n",
    "a file": "```python\n# it.py\nprint(1)\n```\n```bash\ncat it.py > copy\n```\n",
    "an id": f"```python\nprint('{OTHER}')\n```\n```text\n{ID}\n```\n```bash\n[ {ID} = {OTHER} ]\n```\n",
    "a request": REQUEST + ANSWER,
}

WRONG = {
    "another text": "```python\nprint(1 + 1)\n# → 3\n```\n",
    "another text below": "```bash\necho a\n```\n```text\nb\n```\n",
    "not shown": "```python\nprint(1)\n```\n",
    "not shown before the next": "```python\nprint(1)\n```\n```python\nx = 1\n```\n",
    "not shown in full": "```bash\necho a; echo b\n# → a\n```\n",
    "shown, not printed": "```python\nx = 1\n```\n```text\n1\n```\n",
    "shown, by nobody": '```json\n{"a": 1}\n```\n',
    "another value": '```python\nprint(\'{"a": 1}\')\n```\n```json\n{"a": 2}\n```\n',
    "a member too few": '```python\nprint(\'{"a": 1, "b": 2}\')\n```\n```json\n{"a": 1}\n```\n',
    "a rest of nothing": '```python\nprint(\'{"a": 1}\')\n```\n```json\n{"a": 1, "…": "…"}\n```\n',
    "an exception": "```python\nraise ValueError('no')\n```\n",
    "a command that fails": "```bash\nfalse\n```\n",
    "another language": "```ruby\nputs 1\n```\n",
    "no language": "```\n1\n```\n",
    "not closed": "```python\nx = 1\n",
    "other fences": "~~~python\nx = 1\n~~~\n",
    "a fence in a list": "- so:\n\n  ```python\n  x = 1\n  ```\n",
    "indented": "So:\n\n    x = 1\n",
    "a file that is not run": "```python\n# it.py\nprint(1)\n```\n",
    "one name for two": f"```python\nprint('{OTHER} {ID}')\n```\n```text\n{ID} {ID}\n```\n",
    "two names for one": f"```python\nprint('{OTHER} {OTHER}')\n```\n```text\n{ID} {OTHER}\n```\n",
    "no id": f"```python\nprint('x')\n```\n```text\n{ID}\n```\n",
    "a request without answer": REQUEST,
    "an answer without request": ANSWER,
    "another status": REQUEST + ANSWER.replace("200 OK", "404 Not Found"),
    "another header": REQUEST + ANSWER.replace("application/json", "text/plain"),
    "another body": REQUEST + ANSWER.replace("MEGAN", "NIA"),
    "no body": REQUEST + ANSWER.partition("\n\n")[0] + "\n```\n",
}


@pytest.mark.parametrize("page", RIGHT.values(), ids=RIGHT)
def test_a_right_page_is_run(read: Callable[[str], int], page: str) -> None:
    assert read(page) == page.count("```") // 2


@pytest.mark.parametrize("page", WRONG.values(), ids=WRONG)
def test_a_wrong_page_fails(read: Callable[[str], int], page: str) -> None:
    with pytest.raises(Wrong):
        read(page)


def test_what_was_learned_is_used_in_what_comes_after() -> None:
    shapes = Shapes()
    shapes.compare(f"id {ID}, on 2026-09-07", f"id {OTHER}, on 2026-11-22")
    assert shapes.here(f"GET /{ID}?on=2026-09-07") == f"GET /{OTHER}?on=2026-11-22"
    with pytest.raises(Wrong):
        shapes.compare(ID, ID)
