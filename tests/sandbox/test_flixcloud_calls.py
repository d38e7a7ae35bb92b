"""The calls of Flix Cloud: statements 1 to 14, 16 and 22 to 24 of flixcloud.md section 9, by raw HTTP.

The jobs made here fail at once or do not matter: what becomes of jobs is tested next door.
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import httpx
import pytest

from cloudreel.sandbox.app import create_app
from cloudreel.sandbox.flixcloud import jobs
from cloudreel.sandbox.state import World

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Flix

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
FILES = (
    "<file-locations><input><url>http://gone.example/in.mpg</url></input>"
    "<output><url>ftp://files.example/out.avi</url></output></file-locations>"
)

# The same request as four clients write it.
GEM = f"{HEAD}<api-request><api-key>KEY</api-key><recipe-id>3</recipe-id><pass-through>a&amp;b</pass-through>{FILES}</api-request>"  # noqa: E501
PYTHON = """<?xml version="1.0" encoding="utf-8"?>
<api-request>
    <api-key>
        KEY
    </api-key>
    <recipe-id>
        3
    </recipe-id>
    <file-locations>
        <input>
            <url>
                http://gone.example/in.mpg
            </url>
        </input>
        <output>
            <url>
                ftp://files.example/out.avi
            </url>
            <parameters>
                <user>
                    bob
                </user>
                <password>
                    s3cret &amp; more
                </password>
            </parameters>
        </output>
    </file-locations>
</api-request>
"""
PHP = """<?xml version="1.0" encoding="UTF-8"?>
<api-request>
  <file-locations>
    <output>
      <parameters>
        <password></password>
        <user>&quot;bob&quot;</user>
      </parameters>
      <url>ftp://files.example/out.avi</url>
    </output>
    <input>
      <url>http://gone.example/in.mpg</url>
    </input>
  </file-locations>
  <recipe-id>3</recipe-id>
  <api-key>KEY</api-key>
  <notification-url>http://127.0.0.1:9/hook</notification-url>
  <pass-through>order-77</pass-through>
</api-request>
"""
NET = """<?xml version="1.0" encoding="utf-8"?>\r
<api-request xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">\r
  <api-key>KEY</api-key>\r
  <recipe-id>3</recipe-id>\r
  <cue-points>\r
    <event>\r
      <cue-point>\r
        <name>cuept4</name>\r
        <time>1.4</time>\r
      </cue-point>\r
    </event>\r
    <navigation>\r
      <cue-point>\r
        <name>cuept1</name>\r
        <time>3.4</time>\r
        <parameter>\r
          <key>First</key>\r
          <value>Value1</value>\r
        </parameter>\r
        <parameter>\r
          <key>Second</key>\r
          <value>Value2</value>\r
        </parameter>\r
      </cue-point>\r
    </navigation>\r
  </cue-points>\r
  <file-locations>\r
    <input>\r
      <url>http://gone.example/in.mpg</url>\r
    </input>\r
    <output>\r
      <url>ftp://files.example/out.avi</url>\r
    </output>\r
    <thumbnails>\r
      <url>ftp://files.example/Pub/</url>\r
      <prefix>thumb</prefix>\r
    </thumbnails>\r
  </file-locations>\r
</api-request>"""


def errors(response: httpx.Response) -> list[str]:
    assert response.headers["content-type"] == "application/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)
    assert root.tag == "errors"
    return [error.text or "" for error in root.findall("error")]


# -- making jobs -----------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_1_a_valid_document_makes_a_job(flix: Flix) -> None:
    first = await flix.send(flix.document())
    assert (first.status_code, first.headers["content-type"]) == (201, "application/xml; charset=utf-8")
    job = ElementTree.fromstring(first.content)
    assert job.tag == "job"
    id, date = job
    assert (id.tag, id.attrib) == ("id", {"type": "integer"})
    assert (date.tag, date.attrib) == ("initialized-job-at", {"type": "datetime"})
    # 22: the date carries an offset, here Z.
    assert datetime.fromisoformat(date.text or "").utcoffset() is not None
    assert await flix.create() == int(id.text or "") + 1


@pytest.mark.anyio
@pytest.mark.parametrize("document", [GEM, PYTHON, PHP, NET], ids=["gem", "python", "php", "net"])
@pytest.mark.parametrize("accept", ["text/xml", "application/xml"])
async def test_6_7_10_every_client_is_understood(flix: Flix, document: str, accept: str) -> None:
    """Order is free, white space and namespaces carry no meaning, either type is accepted."""
    response = await flix.send(document.replace("KEY", flix.key), accept=accept)
    assert response.status_code == 201, response.text
    assert response.headers["content-type"] == "application/xml; charset=utf-8"


@pytest.mark.anyio
async def test_2_what_makes_no_sense_is_refused_with_status_200(flix: Flix) -> None:
    response = await flix.send(f"{HEAD}<api-request><api-key>{flix.key}</api-key></api-request>")
    assert response.status_code == 200
    assert errors(response) == ["file_locations is required", "recipe_id or recipe_name is required"]
    assert flix.world.snapshot()["jobs"] == []


@pytest.mark.anyio
async def test_a_request_without_a_key_is_told_so(flix: Flix) -> None:
    response = await flix.send(f"{HEAD}<api-request/>")
    assert (response.status_code, errors(response)[-1]) == (200, "api_key is required")
    response = await flix.send(flix.document().replace(flix.key, " "))
    assert (response.status_code, errors(response)) == (200, ["api_key is required"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"jobs please",
        b"<api-request><api-key></api-request>",
        b"<api-request/><recipe-settings/>",
        b"<api-request>\xff</api-request>",
        b'<!DOCTYPE a [<!ENTITY e "e">]><api-request>&e;</api-request>',
    ],
)
async def test_3_what_is_not_well_formed_is_malformed(flix: Flix, body: bytes) -> None:
    response = await flix.send(body)
    assert (response.status_code, errors(response)) == (400, ["Malformed XML"])


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        "<job/>",
        "<api-request>text</api-request>",
        "<api-request><api_key>k</api_key></api-request>",
        "<api-request><api-key><b/></api-key></api-request>",
        "<api-request><recipe-id>3</recipe-id><recipe-id>3</recipe-id></api-request>",
        "<api-request><file-locations><output/><output/></file-locations></api-request>",
        "<api-request><file-locations><input><prefix>p</prefix></input></file-locations></api-request>",
        "<api-request><cue-points><cue-point/></cue-points></api-request>",
        "<api-request><recipe-settings><speed>2</speed></recipe-settings></api-request>",
    ],
)
async def test_4_what_has_other_elements_has_an_invalid_schema(flix: Flix, body: str) -> None:
    response = await flix.send(HEAD + body)
    assert response.status_code == 400
    (error,) = errors(response)
    assert error.startswith("Schema is invalid")


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["wrong", "aaaa:bbbbbb:0:cccc:dddd", "\N{SNOWMAN}"])
async def test_5_a_wrong_key_is_refused_without_a_word(flix: Flix, key: str) -> None:
    response = await flix.send(flix.document().replace(flix.key, key))
    assert (response.status_code, response.content) == (401, b"")


@pytest.mark.anyio
async def test_a_loose_sandbox_takes_any_key(tmp_path: Path) -> None:
    world = World.open(tmp_path, strict=False)
    async with world.running():
        transport = httpx.ASGITransport(app=create_app(world))
        async with httpx.AsyncClient(transport=transport, base_url="http://sandbox.local") as http:
            assert (await http.post("/jobs", content=GEM)).status_code == 201
            assert (await http.get("/jobs/1/status", auth=("name", "wrong"))).status_code == 200
            assert (await http.get("/jobs/1/status")).status_code == 401
    world.close()


@pytest.mark.anyio
async def test_8_a_recipe_is_named_or_numbered(flix: Flix) -> None:
    await flix.create(recipe="<recipe-name>mpg2avi</recipe-name>")
    await flix.create(recipe="<recipe-id>17</recipe-id><recipe-name></recipe-name>")
    found = [(job["recipe_id"], job["recipe_name"]) for job in flix.world.snapshot()["jobs"]]
    assert found == [(3, "mpg2avi"), (17, "web-sd")]


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["www.flixcloud.com", "flixcloud.com"])
async def test_9_the_host_may_be_bare(flix: Flix, host: str) -> None:
    assert (await flix.send(flix.document(), host=host)).status_code == 201


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/job"), ("POST", "/api/jobs"), ("GET", "/jobs/1"), ("GET", "/job/1/status")],
)
async def test_24_a_wrong_path_leads_nowhere(flix: Flix, method: str, path: str) -> None:
    assert (await flix.http.request(method, path)).status_code == 404


@pytest.mark.anyio
async def test_a_second_root_is_taken_when_the_account_says_so(flix: Flix) -> None:
    """The vendor's Ruby library writes recipe settings after the root (flixcloud.md 3.4)."""
    document = flix.document() + "<recipe-settings><width>160</width></recipe-settings>\n"
    assert (await flix.send(document)).status_code == 400
    assert (await flix.control("/flixcloud", {"second_root": True})).status_code == 200
    assert (await flix.send(document)).status_code == 201


# -- status and recipes ----------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("user", ["name", "user", "dotNETClient", ""])
async def test_11_12_the_password_is_the_key(flix: Flix, user: str) -> None:
    assert flix.key.count(":") == 4
    id = await flix.create()
    response = await flix.http.get(f"/jobs/{id}/status", auth=(user, flix.key))
    assert response.status_code == 200


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Basic", "Basic %%%", "Bearer KEY", "name:KEY"),
        *map(basic, ("", "name:", "name:wrong", "wrong:name:wrong")),
    ],
)
async def test_16_a_wrong_key_is_denied(flix: Flix, authorization: str) -> None:
    sent = {"authorization": authorization.replace("KEY", flix.key)}
    check_denied(await flix.http.get("/jobs/1/status", headers=sent))


@pytest.mark.anyio
@pytest.mark.parametrize("credentials", ["KEY", "KEY:", "KEY:x", "name:KEY:", "name:x:KEY"])
async def test_16_a_key_in_the_wrong_place_is_denied(flix: Flix, credentials: str) -> None:
    sent = {"authorization": basic(credentials.replace("KEY", flix.key))}
    check_denied(await flix.http.get("/jobs/1/status", headers=sent))


def check_denied(response: httpx.Response) -> None:
    assert (response.status_code, response.text) == (401, "Access denied.")
    assert response.headers["www-authenticate"].startswith("Basic ")


@pytest.mark.anyio
@pytest.mark.parametrize("id", ["0", "99", "x", "%01", "1%0A"])
async def test_an_unknown_job_is_not_found(flix: Flix, id: str) -> None:
    response = await flix.http.get(f"/jobs/{id}/status", auth=("name", flix.key))
    assert (response.status_code, errors(response)) == (404, ["There is no such job"])


@pytest.mark.anyio
async def test_13_14_every_task_has_a_word_and_a_percentage(flix: Flix) -> None:
    id = await flix.create(input="http://gone.example/in.mpg")
    await flix.settled(id)
    job = ElementTree.fromstring((await flix.status(id)).content)
    assert [child.tag for child in job] == ["id", "task-state", *jobs.TASKS]
    assert (job.findtext("id"), job.findtext("task-state")) == (str(id), "failed_job")
    ids = []
    for name, word in zip(jobs.TASKS, ("failed", "initialized", "initialized"), strict=True):
        task_id, state, percentage = job.findall(f"{name}/*")
        assert (task_id.tag, task_id.attrib) == ("task_id", {"type": "integer"})
        assert (state.tag, state.attrib, state.text) == ("state", {}, word)
        assert (percentage.tag, percentage.attrib, percentage.text) == ("state", {"type": "float"}, "0.0")
        ids.append(int(task_id.text or ""))
    assert ids == sorted(set(ids))


@pytest.mark.anyio
async def test_23_recipes_are_listed_for_a_key_in_the_query(flix: Flix) -> None:
    response = await flix.http.get("/recipes", params={"api_key": flix.key})
    root = ElementTree.fromstring(response.content)
    assert root.tag == "recipes"
    found = {recipe.findtext("id"): recipe.findtext("name") for recipe in root.findall("recipe")}
    assert found["3"] == "mpg2avi"
    assert {recipe.findtext("active") for recipe in root.findall("recipe")} == {"true"}
    refused = await flix.http.get("/recipes", params={"api_key": "wrong"})
    assert (refused.status_code, refused.text) == (401, "Access denied.")
    assert (await flix.http.get("/recipes")).status_code == 401


# -- the account -----------------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "given",
    [{"verb": "PUT"}, [], {"notify_with": "GET"}, {"notification_url": "ftp://a"}, {"second_root": 1}],
)
async def test_the_account_has_no_other_settings(flix: Flix, given: object) -> None:
    before = (await flix.http.get("/__sandbox__/flixcloud")).json()
    response = await flix.control("/flixcloud", given)
    assert (response.status_code, response.json()["error"]) == (400, "BadRequest")
    assert (await flix.http.get("/__sandbox__/flixcloud")).json() == before


@pytest.mark.anyio
async def test_the_settings_end_with_a_reset_and_the_key_does_not(flix: Flix) -> None:
    before = (await flix.http.get("/__sandbox__/flixcloud")).json()
    await flix.control("/flixcloud", {"notify_with": "PUT", "notification_url": "http://app.example/"})
    first = await flix.create()
    await flix.control("/reset")
    assert (await flix.http.get("/__sandbox__/flixcloud")).json() == before
    assert flix.world.snapshot()["jobs"] == []
    assert (await flix.status(first)).status_code == 404
    assert await flix.create() == first + 1


def test_the_key_and_the_address_are_known(tmp_path: Path) -> None:
    world = World.open(tmp_path)
    key = world.credentials["flixcloud"]["api_key"]
    assert world.config["flixcloud"] == {"base_url": world.base_url, "api_key": key}
    world.close()
    again = World.open(tmp_path)
    assert again.credentials["flixcloud"] == {"api_key": key}
    again.close()


@pytest.mark.parametrize(
    ("size", "duration", "transfer", "output"),
    [(0, None, 0, 0), (1, 1, 10, 1010), (2**20, 60_000, 10, 1010), (2**20 + 1, 60_001, 20, 2020)],
)
def test_costs_grow_with_bytes_and_minutes(size: int, duration: int, transfer: int, output: int) -> None:
    assert (jobs.transfer_cost(size), jobs.output_cost(size, duration)) == (transfer, output)
