"""Uploads to Panda out of a page of another origin, as users of the service had them in their own sites."""

from __future__ import annotations

import hashlib
import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from shutil import which
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from cloudreel.signing import signed_params

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from cloudreel.sandbox import Sandbox

pytestmark = pytest.mark.skipif(not which("chromium"), reason="there is no chromium on the PATH to drive")

PAGE = b"""<!doctype html><meta charset="utf-8"><title>Send a film</title>
<form method="post" enctype="multipart/form-data"><input type="file" name="file"></form>
<script>
const form = document.forms[0];

function sign(url, fields) {
  form.action = url;
  for (const [name, value] of Object.entries(fields)) {
    form.prepend(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
  }
}

function request(verb, url, headers, body) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(verb, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.onerror = () => reject(new Error(`${verb} ${url} was not let through`));
    xhr.onload = () => resolve({
      status: xhr.status, text: xhr.responseText,
      range: xhr.getResponseHeader("Range"), location: xhr.getResponseHeader("Location"),
    });
    xhr.send(body);
  });
}

function send(url, range, first, end) {
  const headers = {"Content-Type": "application/octet-stream", "Content-Range": range};
  return request("PUT", url, headers, form.file.files[0].slice(first, end));
}
</script>"""


class _Application(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def application() -> Iterator[str]:
    """The URL of somebody's site."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Application) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def opened(page: Page, application: str, clip: Path) -> Page:
    """The site's page, with the clip chosen for sending."""
    page.goto(application)
    page.set_input_files("input[type=file]", clip)
    return page


def signed(sandbox: Sandbox, path: str, params: dict[str, Any]) -> dict[str, str]:
    config = sandbox.config["panda"]
    keys = {name: config[name] for name in ("access_key", "secret_key", "cloud_id")}
    moment = datetime.now(UTC).isoformat()
    return signed_params("POST", path, params, host=config["api_host"], timestamp=moment, **keys)


def check_stored(sandbox: Sandbox, video: dict[str, Any], clip: Path) -> None:
    assert (video["status"], video["original_filename"]) == ("processing", "clip.mp4")
    [stored] = [each for each in sandbox.world.snapshot()["videos"] if each["id"] == video["id"]]
    assert stored["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()


def test_a_form_with_signed_fields_sends_a_video(opened: Page, sandbox: Sandbox, clip: Path) -> None:
    fields = signed(sandbox, "/videos.json", {"profiles": "none", "payload": "from a form ♥"})
    opened.evaluate("([url, fields]) => sign(url, fields)", [f"{sandbox.base_url}/v2/videos.json", fields])
    with opened.expect_navigation():
        opened.evaluate("form.submit()")
    video = json.loads(opened.locator("body").inner_text())
    assert video["payload"] == "from a form ♥"
    check_stored(sandbox, video, clip)


def test_a_script_sends_a_video_and_reads_the_answer(opened: Page, sandbox: Sandbox, clip: Path) -> None:
    fields = signed(sandbox, "/videos.json", {"profiles": "none"})
    url = f"{sandbox.base_url}/v2/videos.json"
    opened.evaluate("([url, fields]) => sign(url, fields)", [url, fields])
    post = 'url => request("POST", url, {}, new FormData(form))'
    answer = opened.evaluate(post, url)
    assert answer["status"] == 200
    check_stored(sandbox, json.loads(answer["text"]), clip)
    again = opened.evaluate(post, url)
    assert (again["status"], json.loads(again["text"])["error"]) == (401, "NotAuthorized")


def test_a_script_sends_chunks_and_follows_the_upload(opened: Page, sandbox: Sandbox, clip: Path) -> None:
    size, half = clip.stat().st_size, clip.stat().st_size // 2
    asked = {"file_size": size, "file_name": "clip.mp4", "profiles": "none"}
    create = '([url, fields]) => request("POST", url, {}, new URLSearchParams(fields))'
    fields = signed(sandbox, "/videos/upload.json", asked)
    created = opened.evaluate(create, [f"{sandbox.base_url}/v2/videos/upload.json", fields])
    assert created["status"] == 201
    session = json.loads(created["text"])

    def send(location: str, content_range: str, first: int, end: int) -> dict[str, Any]:
        arguments = [location, content_range, first, end]
        answer: dict[str, Any] = opened.evaluate("arguments => send(...arguments)", arguments)
        return answer

    location = session["location"]
    nothing = send(location, f"bytes */{size}", 0, 0)
    assert (nothing["status"], nothing["range"]) == (204, None)
    first = send(location, f"bytes 0-{half - 1}/{size}", 0, half)
    assert (first["status"], first["range"], first["location"]) == (204, f"0-{half - 1}", None)
    move = f"{sandbox.base_url}/__sandbox__/uploads/{session['id']}/move"
    httpx.post(move).raise_for_status()
    asked_again = send(location, f"bytes */{size}", 0, 0)
    assert asked_again["range"] == f"0-{half - 1}"
    assert asked_again["location"] != location
    last = send(asked_again["location"], f"bytes {half}-{size - 1}/{size}", half, size)
    assert last["status"] == 200
    check_stored(sandbox, json.loads(last["text"]), clip)
