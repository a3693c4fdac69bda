"""Runs the fenced blocks of one page, in their order, as its reader would.

- `python`: run in one Python for the page. One that begins with the comment `# name.py` is saved instead,
  and a later `bash` block must run it.
- `bash`: run in a shell, in the page's folder; what is exported stays for later ones.
- What either prints stands in lines `# → …` of the block, or in a block of `text` or `json` right after it.
- `http`: a request, and right after it its answer: the status, the headers that are shown, the body. A
  name in `Bearer <name>` stands for that person's token.

Nothing else is allowed in a fence, nothing may print what is not shown, and nothing may be shown that does
not come out.
"""

import contextlib
import io
import json
import re
import subprocess
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.guide.shapes import Shapes, Wrong

SHOWN = "# →"
_FENCE = re.compile(r"^\s*(```|~~~)(.*)$")
# As RFC 9110 has them; those of Python differ by its version.
_PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}
_SAVED = re.compile(r"# ([\w-]+\.py)\n")
_INDENTED = re.compile(r"(?<=\n\n)(?: {4}|\t)\S")


class Block(NamedTuple):
    """A fenced block."""

    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page; Wrong for code that is not in a fence of three backticks."""
    opened: tuple[str, int] | None = None
    held: list[str] = []
    prose: list[str] = []
    for number, line in enumerate(page.splitlines(), start=1):
        fence = _FENCE.match(line)
        if opened is None and fence is None:
            prose.append(line)
        elif opened is None:
            if not line.startswith("```"):
                raise Wrong(f"line {number}: a block begins with three backticks at the margin")
            opened, held = (line.removeprefix("```").strip(), number), []
            prose.append("")
        elif line == "```":
            yield Block(opened[0], "\n".join(held) + "\n", opened[1])
            opened = None
        else:
            held.append(line)
    if opened is not None:
        raise Wrong(f"line {opened[1]}: the block is not closed")
    if _INDENTED.search("\n".join(prose)):
        raise Wrong("code that is indented is not run: put it into a fence")


@dataclass
class Reader:
    """Somebody who does what a page says."""

    folder: Path
    environment: dict[str, str]
    http: httpx.Client
    token: Callable[[str], str]
    shapes: Shapes = field(default_factory=Shapes)
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    """What the page's Python has defined."""
    _printed: str = ""
    _answer: httpx.Response | None = None
    _saved: set[str] = field(default_factory=set)

    def read(self, page: str) -> int:
        """Runs every block; how many there were."""
        block = Block("", "", 0)
        number = 0
        try:
            for block in blocks(page):
                number += 1
                self._one(block)
            self._nothing_left()
        except Wrong as wrong:
            raise Wrong(f"line {block.line}: {wrong}") from wrong.__cause__
        if self._saved:
            raise Wrong(f"saved and never run: {sorted(self._saved)}")
        return number

    def _one(self, block: Block) -> None:
        text = block.text
        match block.language:
            case "python" | "bash":
                self._nothing_left()
                run = self._python if block.language == "python" else self._bash
                printed = run(self.shapes.here(text), block.line)
                lines = [line for line in text.splitlines() if line.startswith(SHOWN)]
                shown = "".join(line.removeprefix(SHOWN).strip() + "\n" for line in lines)
                if shown:
                    self.shapes.compare(shown, _trimmed(printed))
                else:
                    self._printed = printed
            case "text" | "json":
                printed, self._printed = self._printed, ""
                if not printed:
                    raise Wrong("nothing was printed that this block could show")
                if block.language == "json":
                    self.shapes.compare_json(text, printed)
                else:
                    self.shapes.compare(_trimmed(text), _trimmed(printed))
            case "http" if text.startswith("HTTP/"):
                if self._answer is None:
                    raise Wrong("an answer without its request")
                answer, self._answer = self._answer, None
                self._compare_answer(text, answer)
            case "http":
                self._nothing_left()
                self._answer = self._send(self.shapes.here(text))
            case other:
                raise Wrong(f"nobody knows how to run a block of {other or 'no language'}")

    def _nothing_left(self) -> None:
        if self._printed:
            raise Wrong(f"this was printed and is not shown:\n{self._printed}")
        if self._answer is not None:
            raise Wrong(f"the answer is not shown:\n{_written(self._answer)}")

    def _python(self, text: str, line: int) -> str:
        if saved := _SAVED.match(text):
            (self.folder / saved[1]).write_text(text, encoding="utf-8")
            self._saved.add(saved[1])
            return ""
        printed = io.StringIO()
        try:
            # Line numbers are those of the page.
            code = compile("\n" * line + text, "the page", "exec")
            with contextlib.redirect_stdout(printed), contextlib.chdir(self.folder):
                exec(code, self.names)
        except Exception as error:
            told = "".join(traceback.format_exception(error)[-4:])
            raise Wrong(f"{told}\nprinted before:\n{printed.getvalue()}") from error
        return printed.getvalue()

    def _bash(self, text: str, line: int) -> str:
        kept = self.folder / ".exported"
        kept.touch()
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f". {kept}\n{text}\nexport -p > {kept}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            encoding="utf-8",
            timeout=120,
        )
        if done.returncode:
            raise Wrong(f"ended with {done.returncode}:\n{done.stdout}")
        self._saved = {name for name in self._saved if name not in text}
        return done.stdout

    def _send(self, text: str) -> httpx.Response:
        head, _, body = text.partition("\n\n")
        first, *lines = head.splitlines()
        method, target, version = first.split(" ")
        if version != "HTTP/1.1":
            raise Wrong(f"no request: {first}")
        headers = {name: value.strip() for name, _, value in (li.partition(":") for li in lines)}
        who = re.fullmatch(r"Bearer <(.+)>", headers.get("Authorization", ""))
        if who:
            headers["Authorization"] = f"Bearer {self.token(who[1])}"
        content = body.strip().encode() or None
        # Compressed it has another ETag.
        sent = {"Accept-Encoding": "identity", **headers}
        return self.http.request(method, target, headers=sent, content=content)

    def _compare_answer(self, text: str, answer: httpx.Response) -> None:
        head, _, body = text.partition("\n\n")
        first, *lines = head.splitlines()
        code = answer.status_code
        phrase = _PHRASES.get(code, HTTPStatus(code).phrase)
        if first != f"HTTP/1.1 {code} {phrase}":
            raise Wrong(f"the page shows {first}, and the answer is\n{_written(answer)}")
        for name, _, value in (line.partition(":") for line in lines):
            self.shapes.compare(value.strip(), answer.headers.get(name, "(no such header)"))
        if not body.strip() or not answer.content:
            self.shapes.compare(body.strip(), answer.text)
        elif "json" in answer.headers["Content-Type"]:
            self.shapes.compare_json(body, answer.text)
        else:
            self.shapes.compare(_trimmed(body), _trimmed(answer.text))


def _trimmed(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.strip("\n").splitlines())


def _written(answer: httpx.Response) -> str:
    """An answer as a page shows one."""
    body = answer.text
    if "json" in answer.headers.get("Content-Type", ""):
        body = json.dumps(answer.json(), ensure_ascii=False, indent=2)
    return f"{answer.status_code}\n{dict(answer.headers)}\n\n{body}"
