"""The configured CloudKey clients of a sandbox, with and without a socket; one library behind both eras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from cloudreel.cloudkey import NotFound
from cloudreel.sandbox import Sandbox
from cloudreel.signing import SecLevel

if TYPE_CHECKING:
    from pathlib import Path

ASSETS = ["mp4_h264_aac", "jpeg_thumbnail_medium"]


@pytest.mark.anyio
async def test_both_eras_share_a_library_without_a_socket() -> None:
    async with Sandbox.asgi() as sb, sb.cloudkey() as ck, sb.cloudkey_rest() as rest:
        media = await ck.media.create(meta={"title": "t"})
        assert await rest.media.list() == [{"id": media["id"], "meta": {"title": "t"}, "assets": []}]
        await rest.media.delete(id=media["id"])
        with pytest.raises(NotFound):
            await ck.media.info(id=media["id"])


@pytest.mark.anyio
async def test_other_accounts_are_an_option_away() -> None:
    async with Sandbox.asgi() as sb, sb.cloudkey(**sb.config["cloudkey_root"]) as root:
        users = {user["username"] for user in await root.user.list()}
        assert users == {"user", "root"}
        async with sb.cloudkey_rest(**sb.config["cloudkey_rest_root"]) as rest:
            assert (await rest.user.whoami())["username"] == "root"


@pytest.mark.anyio
async def test_viewers_are_where_the_tables_say() -> None:
    tables = {"countries": {"127.0.0.1": "fr"}, "asnums": {"127.0.0.1": "AS64496"}}
    async with Sandbox.asgi(**tables) as sb, sb.cloudkey() as ck:
        media = (await ck.media.create())["id"]
        async with httpx.AsyncClient(transport=sb.transport()) as viewer:
            for countries, asnum, status in (
                *((["fr"], "AS64496", 200), (["-", "fr"], "AS64496", 403), (["fr"], "AS1", 403)),
            ):
                level = SecLevel.COUNTRY | SecLevel.ASNUM
                url = ck.media.get_embed_url(media, seclevel=level, countries=countries, asnum=asnum)
                assert (await viewer.get(url)).status_code == status


def test_a_film_is_sent_encoded_and_played_over_a_socket(sandbox: Sandbox, clip: Path) -> None:
    with sandbox.sync.cloudkey() as ck, httpx.Client() as viewer:
        url = ck.file.upload_file(clip)["url"]
        media = ck.media.create(url=url, assets_names=ASSETS)["id"]
        ck.media.wait_for_assets(media, ASSETS, timeout=90)
        film = viewer.get(ck.media.get_stream_url(media))
        assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")
        assert viewer.get(ck.media.get_stream_url(media, "jpeg_thumbnail_medium")).status_code == 200
        refused = viewer.get(ck.media.get_stream_url(media, expires=1))
        assert (refused.status_code, "(expired)" in refused.text) == (403, True)
        assert "<video" in viewer.get(ck.media.get_embed_url(media)).text
        assert viewer.get(ck.media.get_swf_url(media)).status_code == 200
        assert viewer.get(ck.media.get_qtref_url(media)).content == film.content


def test_the_older_era_sends_encodes_and_plays_over_a_socket(sandbox: Sandbox, clip: Path) -> None:
    with sandbox.sync.cloudkey_rest() as ck, httpx.Client() as viewer:
        media = ck.media.publish(url=ck.file.upload_file(clip)["url"], presets=["mp4_h264_aac"])["id"]
        with sandbox.sync.cloudkey() as later:  # which has a way to wait
            later.media.wait_for_assets(media, ["mp4_h264_aac"], timeout=90)
        assert [found["id"] for found in ck.media.iterate()] == [media]
        film = viewer.get(ck.media.get_stream_url(id=media, preset="mp4_h264_aac"))
        assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")
        assert viewer.get(ck.media.get_stream_url(id=media)).status_code == 200


def test_accounts_and_media_survive_a_restart(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as sb, sb.sync.cloudkey() as ck:
        config = sb.config["cloudkey"]
        media = ck.media.create(meta={"title": "kept"})["id"]
    with Sandbox(tmp_path) as sb, sb.sync.cloudkey() as ck:
        assert sb.config["cloudkey"]["api_key"] == config["api_key"]
        assert ck.media.get_meta(id=media) == {"title": "kept"}
