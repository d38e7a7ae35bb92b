"""Doing what the page does, without a browser: begin, send, finish, follow, play."""

import json
from pathlib import Path
from typing import Any

import httpx


def send(film: str, address: str) -> None:
    """Send a film through the application and say what came of it."""
    data = Path(film).read_bytes()
    with httpx.Client(base_url=address, timeout=60) as page:
        page.get("/").raise_for_status()
        about = {"name": Path(film).name, "size": len(data), "type": "video/mp4"}
        begun = page.post("/uploads/", json=about).raise_for_status().json()
        video = send_parts(begun, data)
        page.post("/uploads/done", json={"upload": begun["upload"], "video": video}).raise_for_status()
        url = follow(page, video)
        played = page.get(url, headers={"Range": "bytes=0-1023"}, follow_redirects=True)
        print(f"{played.status_code} {played.headers['content-type']} from {url.partition('?')[0]}?auth=...")
        assert played.status_code == 206
        assert page.get(url.replace("auth=", "auth=1")).status_code == 403


def send_parts(begun: dict[str, Any], data: bytes) -> str:
    """Send a file straight to the cloud and return the id of the video."""
    size = begun["part_size"]
    video = ""
    with httpx.Client(timeout=60) as cloud:
        for part in range(begun["parts"]):
            content = data[part * size : (part + 1) * size]
            sent = cloud.put(begun["location"], content=content, headers={"X-Part": str(part)})
            if sent.raise_for_status().content:
                video = sent.json()["id"]
    print(f"{begun['parts']} parts are up: video {video}")
    return video


def follow(page: httpx.Client, video: str) -> str:
    """Follow the encodings of a video and return the signed URL that plays it."""
    with page.stream("GET", f"/films/{video}/events") as events:
        name = ""
        for line in events.iter_lines():
            kind, _, text = line.partition(": ")
            if kind == "event":
                name = text
            elif kind == "data":
                told = json.loads(text)
                if name == "ready":
                    return str(told["url"])
                if name == "failed":
                    raise SystemExit(told["reason"])
                print(
                    f"{told['percent']:.0f} %",
                    *(f"{e['name']} {e['percent']:.0f} %" for e in told["encodings"]),
                )
    raise SystemExit("The events ended too early")
