"""What JSON costs to become objects: 1,000 videos with dates, and what the service says besides kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import orjson
from measure import Effort, Peer, Work, compare
from table import Row

from cloudreel.core import codec
from cloudreel.core.call import Response
from cloudreel.panda.models import VideoFields

COUNT = 1000
SHAPE = "%Y/%m/%d %H:%M:%S %z"
DATE = "2014/11/05 13:45:14 +0000"
TYPES: dict[str, Any] = {
    **dict.fromkeys(("id", "status", "original_filename", "extname", "path", "mime_type"), str),
    **dict.fromkeys(("source_url", "error_class", "error_message"), str | None),
    **dict.fromkeys(("width", "height", "file_size", "duration", "video_bitrate"), int),
    **dict.fromkeys(("audio_bitrate", "audio_channels", "audio_sample_rate"), int),
    **dict.fromkeys(("video_codec", "audio_codec", "payload"), str),
    **dict.fromkeys(("created_at", "updated_at"), datetime),
    "fps": float,
}


def video(number: int) -> dict[str, object]:
    """Return one video as the service shows it."""
    return {
        "id": f"{number:032x}",
        "status": "success",
        "original_filename": f"film {number}.mp4",
        "extname": ".mp4",
        "path": f"{number:032x}",
        "mime_type": "video/mp4",
        "source_url": None,
        "width": 1280,
        "height": 720,
        "file_size": 10_485_760 + number,
        "duration": 60_000 + number,
        "fps": 29.97,
        "video_codec": "h264",
        "video_bitrate": 2500,
        "audio_codec": "aac",
        "audio_bitrate": 128,
        "audio_channels": 2,
        "audio_sample_rate": 48000,
        "payload": f"job {number}",
        "error_class": None,
        "error_message": None,
        "created_at": DATE,
        "updated_at": "2014/11/05 13:50:54 +0000",
        "storage_class": "standard",
        "note": "x" * 250,
    }


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each other way to read videos, and for dates."""
    count = effort.count(COUNT)
    data = orjson.dumps([video(number) for number in range(count)])
    ours = partial(codec.records_of(VideoFields, "videos"), Response(200, {}, data))
    question = f"{count:,} videos to objects, each"
    peers = [
        (Peer("orjson", lambda: partial(orjson.loads, data), "to dicts"), 2.1),
        (Peer("cattrs", lambda: careful(data), "by json and strptime", ("cattrs",)), 0.13),
        (Peer("pydantic", lambda: pydantic(data), "extra kept", ("pydantic",)), 0.65),
        (Peer("msgspec", lambda: msgspec(data), "dates as text, the rest dropped", ("msgspec",)), None),
    ]
    for peer, target in peers:
        yield compare(
            question, ours, peer, effort, target=target, per=count, collect=False, note="collector off"
        )
    yield compare(question, ours, peers[0][0], effort, per=count, note="collector on")
    strptime = Peer("strptime of Python", lambda: partial(datetime.strptime, DATE, SHAPE))
    iso = partial(datetime.fromisoformat, "2014-11-05T13:45:14+00:00")
    yield compare("a date", partial(codec.read_date, DATE), strptime, effort, target=0.05, floor=iso)


def careful(data: bytes) -> Work:
    """Return what cattrs does as it comes, with a hook for dates, and a field for the rest."""
    import attrs
    import cattrs

    kinds: dict[str, Any] = {**TYPES, "rest": dict[str, Any]}
    kind: Any = attrs.make_class("Video", {name: attrs.field(type=kind) for name, kind in kinds.items()})
    converter = cattrs.Converter()
    converter.register_structure_hook(datetime, lambda text, _: datetime.strptime(text, SHAPE))

    def read() -> list[object]:
        found = json.loads(data)
        for item in found:
            item["rest"] = {name: item[name] for name in item.keys() - TYPES.keys()}
        return [converter.structure(item, kind) for item in found]

    return read


def pydantic(data: bytes) -> Work:
    """Return what pydantic does, told how dates are written."""
    from pydantic import BeforeValidator, ConfigDict, TypeAdapter, create_model

    date = Annotated[datetime, BeforeValidator(lambda text: text.replace("/", "-").replace(" +", "+"))]
    kinds: dict[str, Any] = {name: (date if kind is datetime else kind, ...) for name, kind in TYPES.items()}
    kind: Any = create_model("Video", __config__=ConfigDict(extra="allow"), **kinds)
    return partial(TypeAdapter(list[kind]).validate_json, data)


def msgspec(data: bytes) -> Work:
    """Return what msgspec does, which keeps no unknown fields and takes dates of its own shape only."""
    from msgspec import defstruct
    from msgspec.json import Decoder

    kinds = [(name, str if kind is datetime else kind) for name, kind in TYPES.items()]
    kind: Any = defstruct("Video", kinds)
    return partial(Decoder(list[kind]).decode, data)
