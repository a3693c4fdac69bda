"""Pictures lose what the camera wrote into them, and nothing that can be seen."""

import io
import struct
import warnings
import zlib
from typing import Any

import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageSequence
from PIL.PngImagePlugin import PngInfo

from app.core import images
from app.core.errors import Invalid, Problem, TooLarge

SECRETS = (b"Penarth", b"SecretCam", b"51/1", b"xmpmeta", b"GPSLatitude", b"by Mair")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description exif:GPSLatitude="51,26N" '
    b'tiff:Orientation="3"/></rdf:RDF></x:xmpmeta>'
)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
ORIENTATION, MAKE, DESCRIPTION, MAKER_NOTE = 0x0112, 0x010F, 0x010E, 0x927C


def scene(width: int = 64, height: int = 40) -> Image.Image:
    """A picture without any symmetry: each corner has its own colour."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    x, y = width // 2, height // 2
    draw.rectangle((0, 0, x, y), fill="red")
    draw.rectangle((x, 0, width, y), fill="green")
    draw.rectangle((0, y, x, height), fill="blue")
    return picture


def exif(orientation: int = 1) -> Image.Exif:
    made = Image.Exif()
    made[ORIENTATION], made[MAKE], made[DESCRIPTION] = orientation, "SecretCam", "Penarth"
    made.get_ifd(0x8769)[MAKER_NOTE] = b"SecretCam maker note"
    made.get_ifd(0x8825).update({1: "N", 2: (51.0, 26.0, 12.0), 3: "W", 4: (3.0, 10.0, 24.0)})
    return made


def saved(picture: Image.Image, name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, format=name, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def difference(a: Image.Image, b: Image.Image) -> float:
    """Mean difference of the two, as a viewer shows them, from 0 to 255."""
    one, other = (picture.convert("RGBA") for picture in (a, b))
    assert one.size == other.size
    histogram = ImageChops.difference(one, other).convert("RGB").histogram()
    return sum(i % 256 * n for i, n in enumerate(histogram)) / (3 * one.width * one.height)


async def clean(content: bytes, media_type: str) -> bytes:
    cleaned = await images.clean(content, media_type)
    assert cleaned.media_type == ("image/jpeg" if media_type == "image/heic" else media_type)
    return cleaned.content


def assert_bare(content: bytes) -> None:
    """Nothing of the metadata is in the bytes, and the library finds none either."""
    assert [word for word in SECRETS if word in content] == []
    assert b"Exif\0" not in content
    picture = opened(content)
    assert dict(picture.getexif()) == {}
    assert {"exif", "xmp", "comment", "photoshop", "XML:com.adobe.xmp"} & set(picture.info) == set()


@pytest.mark.parametrize("media_type", FORMATS)
async def test_where_and_by_whom_is_gone_and_the_picture_stays(media_type: str) -> None:
    options: dict[str, Any] = {"exif": exif(), "icc_profile": ICC}
    if media_type == "image/png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_text("Author", "by Mair")
        options["pnginfo"].add_text("Comment", "Penarth", zip=True)
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    else:
        options["xmp"] = XMP
    if media_type == "image/jpeg":
        options["comment"] = b"by Mair"
    if media_type == "image/webp":
        options["lossless"] = True
    content = saved(scene(), FORMATS[media_type], **options)
    before = opened(content)
    assert before.getexif().get_ifd(0x8825)[2] == (51.0, 26.0, 12.0), "the test has a place in it"
    assert b"SecretCam" in content
    made = await clean(content, media_type)
    assert_bare(made)
    after = opened(made)
    assert after.format == FORMATS[media_type]
    assert after.info["icc_profile"] == ICC
    assert difference(before, after) < 4


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("media_type", FORMATS)
async def test_a_picture_stays_the_same_way_up(media_type: str, orientation: int) -> None:
    from PIL import ImageOps

    content = saved(scene(), FORMATS[media_type], exif=exif(orientation))
    seen = ImageOps.exif_transpose(opened(content))
    made = await clean(content, media_type)
    assert_bare(made)
    assert difference(seen, opened(made)) < 8
    if orientation > 1:
        assert opened(content).size != seen.size or difference(opened(content), seen) > 30


async def test_only_exif_turns_a_picture_as_in_every_viewer() -> None:
    content = saved(scene(), "JPEG", xmp=XMP)
    assert difference(opened(content), opened(await clean(content, "image/jpeg"))) < 4


async def test_exif_that_cannot_be_read_is_dropped_like_any_other() -> None:
    content = saved(scene(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff SecretCam")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = await clean(content, "image/jpeg")
        assert difference(opened(content), opened(made)) < 4
    assert_bare(made)


@pytest.mark.parametrize("quality", [35, 75, 95])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
async def test_a_jpeg_keeps_its_quality(quality: int, subsampling: int) -> None:
    content = saved(scene(), "JPEG", quality=quality, subsampling=subsampling)
    for orientation in (1, 6):
        turned = saved(
            scene(), "JPEG", quality=quality, subsampling=subsampling, exif=exif(orientation)
        )
        made: Any = opened(await clean(turned, "image/jpeg"))
        before: Any = opened(content)
        assert made.quantization == before.quantization
        assert made.layer == before.layer


async def test_a_progressive_jpeg_stays_one() -> None:
    content = saved(scene(), "JPEG", progressive=True)
    assert opened(await clean(content, "image/jpeg")).info.get("progressive")


@pytest.mark.parametrize("media_type", [*FORMATS, "image/gif"])
async def test_what_hangs_on_after_the_picture_is_gone(media_type: str) -> None:
    content = saved(scene(), FORMATS.get(media_type, "GIF"))
    made = await clean(content + b"\0\0\0\x18ftypmp42 Penarth moving", media_type)
    assert b"ftyp" not in made
    assert_bare(made)


async def test_further_pictures_in_a_jpeg_are_gone() -> None:
    """Phones put a depth map or another exposure behind the photo (MPO)."""
    content = saved(scene(), "MPO", save_all=True, append_images=[scene(32, 20)], exif=exif(6))
    assert opened(content).format == "MPO"
    made = await clean(content, "image/jpeg")
    assert opened(made).format == "JPEG"
    assert made.count(b"\xff\xd8\xff") == 1
    assert opened(made).size == (40, 64)
    assert_bare(made)


async def test_a_thumbnail_is_gone() -> None:
    """It may show what was cut away."""
    thumbnail = saved(scene(16, 10), "JPEG")
    tiff = b"II*\0\x08\0\0\0\0\0\x1a\0\0\0\0\0" + b"\0" * 10 + thumbnail
    content = saved(scene(), "JPEG", exif=b"Exif\0\0" + tiff)
    assert content.count(b"\xff\xd8\xff") == 2
    made = await clean(content, "image/jpeg")
    assert made.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "transparent P", "transparent RGB"]
)
async def test_every_kind_of_png_stays_exactly_itself(mode: str) -> None:
    options: dict[str, Any] = {}
    if mode == "I;16":
        picture = Image.frombytes("I;16", (9, 7), bytes(range(126)))
    else:
        picture = scene(9, 7).convert(mode.split()[-1])
    if mode.startswith("transparent"):
        options["transparency"] = 0 if picture.mode == "P" else (255, 0, 0)
    content = saved(picture, "PNG", **options)
    made = opened(await clean(content, "image/png"))
    assert made.mode == opened(content).mode
    assert made.convert("RGBA").tobytes() == opened(content).convert("RGBA").tobytes()


async def test_a_jpeg_for_print_keeps_its_colours() -> None:
    content = saved(scene().convert("CMYK"), "JPEG", quality=95)
    made = opened(await clean(content, "image/jpeg"))
    assert made.mode == "CMYK"
    assert difference(opened(content), made) < 1


def moving(name: str, *, transparent: bool) -> bytes:
    frames = []
    for i in range(5):
        ground = (0, 0, 0, 0) if transparent else (250, 250, 200, 255)
        frame = Image.new("RGBA", (80, 60), ground)
        ImageDraw.Draw(frame).ellipse((i * 10, 10, i * 10 + 20, 40), fill=(200, i * 40, 30, 255))
        frames.append(frame)
    options: dict[str, Any] = {"GIF": {"disposal": 2}, "WEBP": {"lossless": True}}.get(name, {})
    durations = [100, 200, 300, 400, 500]
    return saved(
        frames[0],
        name,
        save_all=True,
        append_images=frames[1:],
        duration=durations,
        loop=3,
        **options,
    )


def shown(content: bytes) -> list[tuple[bytes, int]]:
    frames = ImageSequence.Iterator(Image.open(io.BytesIO(content)))
    found = []
    for frame in frames:
        pixels = frame.convert("RGBA")
        # What is wholly transparent has no colour that anybody sees.
        seen = Image.composite(pixels, Image.new("RGBA", pixels.size), pixels.getchannel("A"))
        found.append((seen.tobytes(), round(frame.info["duration"])))
    return found


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("media_type", ["image/gif", "image/webp", "image/png"])
async def test_what_moves_keeps_moving(media_type: str, transparent: bool) -> None:
    name = media_type.removeprefix("image/").upper()
    content = moving(name, transparent=transparent)
    made = await clean(content, media_type)
    assert len(shown(content)) == 5
    assert shown(made) == shown(content)
    assert Image.open(io.BytesIO(made)).info["loop"] == 3


async def test_a_png_that_shows_another_picture_where_nothing_moves_keeps_both() -> None:
    still, frames = scene(8, 8), [Image.new("RGB", (8, 8), c) for c in ("green", "blue")]
    content = saved(
        still, "PNG", save_all=True, default_image=True, append_images=frames, duration=[100, 200]
    )
    made = opened(await clean(content, "image/png"))
    assert made.info["default_image"]
    assert difference(made, still) == 0
    assert [frame.info.get("duration") for frame in ImageSequence.Iterator(made)] == [
        None,
        100,
        200,
    ]


async def test_a_gif_loses_its_comment() -> None:
    assert_bare(await clean(saved(scene(), "GIF", comment=b"Penarth"), "image/gif"))


async def test_webp_with_loss_stays_small_and_good() -> None:
    content = saved(Image.effect_noise((200, 200), 40).convert("RGB"), "WEBP", quality=80)
    made = await clean(content, "image/webp")
    assert len(made) < 2 * len(content)
    assert difference(opened(content), opened(made)) < 5


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
async def test_heic_becomes_a_jpeg_the_same_way_up(orientation: int) -> None:
    out = io.BytesIO()
    picture = pillow_heif.from_pillow(scene())
    picture.info["icc_profile"], picture.info["icc_profile_type"] = ICC, "prof"
    picture.save(out, exif=exif(orientation).tobytes(), xmp=XMP, quality=90)
    content = out.getvalue()
    assert b"SecretCam" in content
    seen = pillow_heif.open_heif(content).to_pillow()
    made = await clean(content, "image/heic")
    assert_bare(made)
    assert opened(made).format == "JPEG"
    assert opened(made).info["icc_profile"] == ICC
    assert difference(seen, opened(made)) < 8


async def test_heic_with_transparency_is_shown_on_white() -> None:
    out = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGBA", (64, 64), (0, 0, 0, 0))).save(out, quality=90)
    made = opened(await clean(out.getvalue(), "image/heic"))
    assert made.mode == "RGB"
    assert difference(made, Image.new("RGB", (64, 64), "white")) < 3


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("side", [8_100, 20_000, 60_000])
async def test_a_picture_that_would_fill_the_memory_is_not_decoded(side: int) -> None:
    with pytest.raises(TooLarge, match="65,000,000 pixels"):
        await images.clean(png_of(side, side), "image/png")


async def test_pixels_of_all_frames_count(monkeypatch: pytest.MonkeyPatch) -> None:
    content = moving("GIF", transparent=False)
    monkeypatch.setattr(images, "MOST_PIXELS", 5 * 80 * 60)
    await images.clean(content, "image/gif")
    monkeypatch.setattr(images, "MOST_PIXELS", 5 * 80 * 60 - 1)
    with pytest.raises(TooLarge):
        await images.clean(content, "image/gif")


async def test_pixels_of_heic_count_before_they_are_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = io.BytesIO()
    pillow_heif.from_pillow(scene()).save(out, quality=90)
    monkeypatch.setattr(images, "MOST_PIXELS", 64 * 40 - 1)
    with pytest.raises(TooLarge):
        await images.clean(out.getvalue(), "image/heic")


def one_of_each() -> dict[str, bytes]:
    heic = io.BytesIO()
    pillow_heif.from_pillow(scene()).save(heic, quality=50)
    plain = {kind: saved(scene(), name) for kind, name in FORMATS.items()}
    return {**plain, "image/gif": saved(scene(), "GIF"), "image/heic": heic.getvalue()}


EACH = one_of_each()


@pytest.mark.parametrize("media_type", EACH)
async def test_half_a_picture_is_refused(media_type: str) -> None:
    content = EACH[media_type]
    with pytest.raises(Invalid) as refused:
        await images.clean(content[: len(content) // 2], media_type)
    assert refused.value.errors == [
        {"pointer": "/file", "detail": "is not a picture that can be read"}
    ]


@pytest.mark.parametrize("media_type", EACH)
async def test_a_picture_under_anothers_name_is_refused(media_type: str) -> None:
    other = EACH["image/png" if media_type != "image/png" else "image/jpeg"]
    with pytest.raises(Invalid):
        await images.clean(other, media_type)


@given(
    media_type=st.sampled_from(sorted(EACH)),
    where=st.floats(0, 1, exclude_max=True),
    put=st.binary(min_size=1, max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_damage_is_refused_or_cleaned_and_never_a_failure(
    media_type: str, where: float, put: bytes
) -> None:
    content = bytearray(EACH[media_type])
    at = int(where * len(content))
    content[at : at + len(put)] = put
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = images._clean(bytes(content), media_type)
        except Problem as refused:
            assert refused.status in (413, 422)  # noqa: PT017
        else:
            opened(made.content)
