"""What is in an account: from an upload to its end, with every service, in processes of their own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cloudreel.sandbox.faults import Fault

if TYPE_CHECKING:
    from cloudreel.sandbox import Sandbox
    from conftest import Command

SERVICES = ["telestream", "panda", "cloudkey", "cloudkey_rest"]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stored(sandbox: Sandbox, id: str) -> str:
    known = sandbox.world.snapshot()
    found = next(each for each in [*known["videos"], *known["media"]] if each["id"] == id)
    return str(found["sha256"])


def test_a_film_goes_up_is_encoded_comes_back_and_goes(
    ran: Command, said: Command, clip: Path, sandbox: Sandbox
) -> None:
    uploaded = ran("upload", str(clip))
    assert (uploaded.returncode, uploaded.stderr) == (0, "")
    id, path = uploaded.stdout.rstrip("\n").split("\t")
    assert path == str(clip)
    assert stored(sandbox, id) == digest(clip)

    watched = said("watch", id, "--poll", "0.1")
    assert (watched.returncode, watched.stderr) == (0, "")
    assert watched.stdout.splitlines()[-1] == f"{id}\th264\tsuccess\t100\t"

    listed = said("ls")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert listed.stdout.split("\t")[:3] == [id, "success", str(clip.stat().st_size)]

    fetched = said("get", id, "h264/*.mp4", "--to", "films")
    assert (fetched.returncode, fetched.stderr) == (0, "")
    film = Path.cwd() / fetched.stdout.rstrip("\n")
    assert film.stat().st_size == sandbox.world.snapshot()["encodings"][0]["file_size"]

    removed = ran("rm", id, "--yes")
    assert (removed.returncode, removed.stdout, removed.stderr) == (0, f"{id}\n", "")
    assert sandbox.world.snapshot()["videos"] == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_for_machines(
    said: Command, clip: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    monkeypatch.setenv("CLOUDREEL_SERVICE", service)
    uploaded = said("upload", "--json", str(clip))
    assert (uploaded.returncode, uploaded.stderr) == (0, "")
    told = json.loads(uploaded.stdout)
    id = told["id"]
    assert told == {"id": id, "file": str(clip)}

    watched = said("watch", "--json", id, "--poll", "0.1")
    states = [json.loads(line) for line in watched.stdout.splitlines()]
    assert watched.returncode == 0
    assert all(state["item"] == id for state in states)
    assert (states[-1]["good"], states[-1]["percent"]) == (True, 100.0)
    assert stored(sandbox, id) == digest(clip)

    item = next(json.loads(line) for line in said("ls", "--json").stdout.splitlines() if id in line)
    assert (item["title"], item["size"]) == (clip.name, clip.stat().st_size)
    assert item["details"]["id"] == id

    files = [json.loads(line) for line in said("ls", "--json", id).stdout.splitlines()]
    assert any(file["name"].endswith(".mp4") for file in files)
    fetched = [json.loads(line) for line in said("get", "--json", id).stdout.splitlines()]
    assert [file["name"] for file in fetched] == [file["name"] for file in files]
    for source in (file for file in fetched if file["name"].startswith("source")):
        assert digest(Path.cwd() / source["path"]) == digest(clip)


def test_a_backup_holds_all_and_goes_on(ran: Command, said: Command, clip: Path, tmp_path: Path) -> None:
    id = json.loads(said("upload", "--json", str(clip), "-s", "panda").stdout)["id"]
    assert said("watch", id, "-s", "panda").returncode == 0

    first = ran("backup", "copy", "--json", "-s", "panda")
    assert first.returncode == 0
    files = {line["file"]: line for line in map(json.loads, first.stdout.splitlines()) if line["id"] == id}
    assert files.keys() >= {f"source/{clip.name}"}
    for file in files.values():
        assert (digest(tmp_path / file["path"]), (tmp_path / file["path"]).stat().st_size) == (
            file["sha256"],
            file["size"],
        )
    assert files[f"source/{clip.name}"]["sha256"] == digest(clip)
    summary = json.loads(first.stderr)["summary"]
    assert (summary["kept"], summary["failed"]) == (0, 0)

    again = said("backup", "copy", "-s", "panda")
    assert (again.returncode, again.stdout) == (0, "")
    assert f"0 files fetched (0 bytes), {summary['fetched']} kept" in again.stderr

    damaged, missing, *_ = [tmp_path / file["path"] for file in files.values()]
    before = damaged.read_bytes()
    damaged.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    missing.unlink()
    quick = said("backup", "copy", "-s", "panda", "--quick")
    assert quick.stdout.splitlines() == [str(missing.relative_to(tmp_path))]
    mended = said("backup", "copy", "-s", "panda")
    assert mended.stdout.splitlines() == [str(damaged.relative_to(tmp_path))]
    assert damaged.read_bytes() == before


def test_a_backup_that_breaks_off_goes_on(
    said: Command, clip: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    id = json.loads(said("upload", "--json", str(clip), "-p", "none", "-s", "panda").stdout)["id"]
    assert said("watch", id, "-s", "panda").returncode == 0
    sandbox.world.faults.add(Fault("status", path="/outputs/*", status=404))
    broken = said("backup", "copy", "-s", "panda", "--jobs", "1")
    assert broken.returncode == 4
    assert "1 failed: the same command tries them again" in broken.stderr
    mended = said("backup", "copy", "-s", "panda", "--json")
    assert mended.returncode == 0
    assert len(mended.stdout.splitlines()) == 1


def test_a_failed_encoding_is_told(said: Command, tmp_path: Path) -> None:
    noise = tmp_path / "noise.mp4"
    noise.write_bytes(b"no film at all")
    id = said("upload", str(noise)).stdout.split("\t")[0]
    watched = said("watch", id)
    assert watched.returncode == 1
    told = [line.split("\t") for line in watched.stdout.splitlines()]
    assert any(line[:3] == [id, "source", "fail"] and line[4] for line in told)


def test_nothing_to_watch(said: Command, sandbox: Sandbox) -> None:
    watched = said("watch", "-s", "cloudkey")
    assert (watched.returncode, watched.stdout, watched.stderr) == (0, "", "Nothing is being encoded\n")


@pytest.mark.parametrize(
    ("arguments", "changes", "code", "complaint"),
    [
        (["ls", "0" * 32], {}, 4, "404 RecordNotFound"),
        (["get", "0" * 32], {}, 4, "404 RecordNotFound"),
        (["watch", "0" * 32], {}, 4, "404 RecordNotFound"),
        (["rm", "0" * 32, "--yes"], {}, 4, "404 RecordNotFound"),
        (["rm", "0" * 32], {}, 2, "say --yes"),
        (["ls"], {"TELESTREAM_SECRET_KEY": "wrong"}, 3, "401 NotAuthorized"),
        (["ls"], {"TELESTREAM_SECRET_KEY": ""}, 2, "set TELESTREAM_ACCESS_KEY and TELESTREAM_SECRET_KEY"),
        (["ls"], {"CLOUDREEL_SERVICE": ""}, 2, "choose one with --service"),
        (["ls"], {"CLOUDREEL_SERVICE": "vimeo"}, 2, "vimeo"),
        (["ls"], {"TELESTREAM_API_PORT": "1"}, 5, "nothing was sent"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_cannot_be_done_says_why(
    said: Command,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    changes: dict[str, str],
    code: int,
    complaint: str,
    as_json: bool,
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    refused = said(*arguments, *(["--json"] if as_json else []))
    assert (refused.returncode, refused.stdout) == (code, "")
    if as_json:
        error = json.loads(refused.stderr)["error"]
        assert error["exit_code"] == code
        assert complaint in error["message"]
    else:
        assert complaint in refused.stderr
        assert "Error: " in refused.stderr
