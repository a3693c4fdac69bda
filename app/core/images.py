"""Pictures without what a camera writes into them: where, when, by whom, on what.

A picture is decoded and written anew, so nothing but pixels, colour profile and timing can survive, and
a file that only looks like a picture does not. It is turned upright first, since what told a viewer to
turn it is among what is lost. Done in worker threads, two at a time for each process.
"""

import asyncio
import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from app.core.errors import Invalid, Problem, TooLarge, Unavailable

if TYPE_CHECKING:
    from PIL.Image import Image

log = structlog.get_logger()

MOST_BYTES = 30_000_000
"""Largest picture that is taken: it is held in memory while it is cleaned."""

MOST_PIXELS = 65_000_000
"""Most pixels that are decoded, of all frames together; the phones of today take 12 to 64 million."""

_JPEG_QUALITY = 90
_ORIENTATION = 0x0112
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", "image/gif": "GIF"}


class Cleaned(NamedTuple):
    """A picture without metadata."""

    content: bytes
    media_type: str
    sha256: str


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=2, thread_name_prefix="pictures")


async def clean(content: bytes, media_type: str) -> Cleaned:
    """The picture without metadata; HEIC becomes JPEG.

    Invalid when it cannot be read, TooLarge when it has too many pixels.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), _clean, content, media_type)


def _clean(content: bytes, media_type: str) -> Cleaned:
    try:
        if media_type == "image/heic":
            made, media_type = _from_heic(content), "image/jpeg"
        else:
            made = _again(content, _FORMATS[media_type])
    except Problem:
        raise
    except MemoryError as error:
        raise Unavailable("There is no room for this picture just now.") from error
    except Exception as error:
        # Decoders meet bytes that nobody foresaw and raise what they like: none of it is our failure.
        log.warning("picture_unreadable", media_type=media_type, kind=type(error).__name__)
        raise Invalid.field("/file", "is not a picture that can be read") from error
    return Cleaned(made, media_type, hashlib.sha256(made).hexdigest())


def _check_pixels(pixels: int) -> None:
    if pixels > MOST_PIXELS:
        raise TooLarge(
            f"A picture may have at most {MOST_PIXELS:,} pixels, all its frames together."
        )


def _again(content: bytes, name: str) -> bytes:
    from PIL import Image

    try:
        # The library looks first, so that a GIF cannot grow while it is read.
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS
        opened = Image.open(io.BytesIO(content), formats=[name])
        frames = list(_frames(opened, name))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        _check_pixels(MOST_PIXELS + 1)
        raise
    out = io.BytesIO()
    first = frames[0]
    options = _options(opened, name, content)
    if len(frames) > 1:
        options |= _animation(opened, frames)
    first.save(out, format=name, **options)
    return out.getvalue()


def _frames(opened: "Image", name: str) -> Iterator["Image"]:
    """The picture, or all of a moving one, upright; of what is known beside it what is visible."""
    from PIL import ImageSequence

    turn = None if name == "GIF" else _turn(opened)
    pixels = 0
    # A JPEG's further pictures are previews, depth maps and the like.
    for frame in [opened] if name == "JPEG" else ImageSequence.Iterator(opened):
        pixels += frame.width * frame.height
        _check_pixels(pixels)
        frame.load()
        upright = frame.copy() if turn is None else frame.transpose(turn)
        upright.info = {
            key: frame.info[key] for key in ("duration", "transparency") if key in frame.info
        }
        yield upright


def _turn(opened: "Image") -> Any:
    """What turns the picture upright, from its EXIF orientation."""
    from PIL import Image

    for key in ("xmp", "XML:com.adobe.xmp"):
        # The library would believe an orientation in XMP, which no viewer does.
        opened.info.pop(key, None)
    try:
        orientation = opened.getexif().get(_ORIENTATION)
    except Exception as error:
        # Metadata that cannot be read turns no picture; it is dropped with the rest.
        log.info("orientation_unreadable", kind=type(error).__name__)
        return None
    turns = Image.Transpose
    return {
        2: turns.FLIP_LEFT_RIGHT,
        3: turns.ROTATE_180,
        4: turns.FLIP_TOP_BOTTOM,
        5: turns.TRANSPOSE,
        6: turns.ROTATE_270,
        7: turns.TRANSVERSE,
        8: turns.ROTATE_90,
    }.get(orientation or 1)


def _options(opened: "Image", name: str, content: bytes) -> dict[str, Any]:
    """How to write the picture so that it looks as it did."""
    options: dict[str, Any] = {"icc_profile": opened.info.get("icc_profile")}
    if name == "JPEG":
        from PIL.JpegImagePlugin import JpegImageFile, get_sampling

        assert isinstance(opened, JpegImageFile)
        # What quality="keep" does, for pictures that were turned or hold several too.
        options["qtables"] = opened.quantization
        options["subsampling"] = get_sampling(opened)
        options["progressive"] = bool(opened.info.get("progressive"))
    elif name == "WEBP":
        options["lossless"] = b"VP8 " not in content
        options["quality"] = _JPEG_QUALITY
    return options


def _animation(opened: "Image", frames: list["Image"]) -> dict[str, Any]:
    """How to write several frames; each is whole, as the decoder put it together."""
    # A PNG may show another picture where nothing moves: that one has no duration.
    moving = frames[1:] if opened.info.get("default_image") else frames
    options: dict[str, Any] = {
        "save_all": True,
        "append_images": frames[1:],
        "duration": [round(frame.info.get("duration", 0)) for frame in moving],
        "loop": opened.info.get("loop"),
        "default_image": opened.info.get("default_image"),
    }
    if opened.format == "GIF" and any(frame.has_transparency_data for frame in frames):
        # Else what was seen through would show the frame before.
        options["disposal"] = 2
    return {name: value for name, value in options.items() if value is not None}


def _from_heic(content: bytes) -> bytes:
    import pillow_heif
    from PIL import Image

    opened = pillow_heif.open_heif(content, convert_hdr_to_8bit=True)
    width, height = opened.size
    _check_pixels(width * height)
    # The decoder has turned it upright already.
    picture = opened.to_pillow()
    if picture.has_transparency_data:
        # JPEG knows no transparency; most viewers show white behind it.
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    flat = picture.convert("RGB") if picture.mode not in ("L", "RGB") else picture
    flat.info = {}
    out = io.BytesIO()
    profile = opened.info.get("icc_profile")
    flat.save(out, format="JPEG", quality=_JPEG_QUALITY, icc_profile=profile)
    return out.getvalue()
