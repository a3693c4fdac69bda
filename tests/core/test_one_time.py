"""One-time codes are those of RFC 6238, count once, and for a clock that is half a minute off."""

import base64

import pytest

from app.core import one_time

SECRET = base64.b32encode(b"12345678901234567890").decode()
# RFC 6238, appendix B, of eight digits the last six.
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"}  # fmt: skip


@pytest.mark.parametrize("moment", VECTORS)
def test_codes_are_those_of_the_standard(moment: int) -> None:
    step = moment // one_time.SECONDS
    assert one_time.code_at(SECRET, step) == VECTORS[moment]
    assert one_time.step_of(SECRET, VECTORS[moment], after=None, moment=moment) == step


def test_a_clock_may_be_one_step_off_and_no_more() -> None:
    moment = 2000000000
    step = moment // one_time.SECONDS
    for away, counts in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        code = one_time.code_at(SECRET, step + away)
        found = one_time.step_of(SECRET, code, after=None, moment=moment)
        assert (found == step + away) is counts, away


def test_a_code_and_those_before_it_count_once() -> None:
    moment = 2000000000
    step = moment // one_time.SECONDS
    for away in (-1, 0):
        code = one_time.code_at(SECRET, step + away)
        assert one_time.step_of(SECRET, code, after=step, moment=moment) is None
    later = one_time.code_at(SECRET, step + 1)
    assert one_time.step_of(SECRET, later, after=step, moment=moment) == step + 1


@pytest.mark.parametrize("code", ["", "28708", "2870822", "abcdef", "２８７０８２", "é" * 6])
def test_what_is_no_code_is_none(code: str) -> None:
    assert one_time.step_of(SECRET, code, after=None, moment=59) is None


def test_the_uri_is_what_apps_take() -> None:
    uri = one_time.uri_of(SECRET, account="siân@school.example", issuer="Tandem school.example")
    assert uri.startswith("otpauth://totp/Tandem%20school.example:si%C3%A2n%40school.example?")
    assert f"secret={SECRET}" in uri
    assert "issuer=Tandem%20school.example" in uri


def test_secrets_are_new_each_time_and_of_160_bits() -> None:
    found = {one_time.new_secret() for _ in range(20)}
    assert len(found) == 20
    assert all(len(base64.b32decode(secret)) == 20 for secret in found)
