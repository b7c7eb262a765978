"""The few answers of the Hugging Face Hub that pushing and loading need, on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """Keeps repositories as files by name; what nobody expected is in `unknown`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repos: dict[str, dict[str, bytes]] = {}
        self.private: dict[str, bool] = {}
        self.refuse: int | None = None
        self.unknown: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _entry(name: str, content: bytes) -> dict[str, Any]:
    oid = hashlib.sha1(content).hexdigest()
    return {"type": "file", "path": name, "size": len(content), "oid": oid}


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, body: bytes, code: int = 200, **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: Any, code: int = 200, **headers: str) -> None:
        headers["Content_Type"] = "application/json"
        self._answer(json.dumps(value).encode(), code, **headers)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        found = b""
        while size := int(self.rfile.readline(), 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def do_POST(self) -> None:
        body, hub = self._body(), self.server
        if hub.refuse is not None:
            return self._json({"error": "no"}, hub.refuse)
        path = self.path.partition("?")[0]
        if path == "/api/repos/create":
            asked = json.loads(body)
            repo = f"{asked['organization']}/{asked['name']}"
            hub.repos.setdefault(repo, {})
            hub.private[repo] = bool(asked.get("private") or asked.get("visibility") == "private")
            return self._json({"url": f"{hub.address}/{repo}", "name": repo})
        if path == "/api/validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if "/preupload/" in path:
            files = [file["path"] for file in json.loads(body)["files"]]
            modes = [{"path": p, "uploadMode": "regular", "shouldIgnore": False} for p in files]
            return self._json({"files": modes})
        if "/commit/" in path:
            repo = path.removeprefix("/api/models/").partition("/commit/")[0]
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    hub.repos[repo][line["value"]["path"]] = content
            url = f"{hub.address}/{repo}/commit/{COMMIT}"
            return self._json({"success": True, "commitOid": COMMIT, "commitUrl": url})
        hub.unknown.append(f"POST {self.path}")
        return self._json({"error": "unknown"}, 404)

    def do_GET(self) -> None:
        hub, path = self.server, self.path.partition("?")[0]
        if hub.refuse is not None:
            return self._json({"error": "no"}, hub.refuse)
        if path.startswith("/api/models/"):
            repo = "/".join(path.split("/")[3:5])
            files = hub.repos.get(repo)
            if files is None:
                gone = {"error": "Repository not found"}
                return self._json(gone, 404, X_Error_Code="RepoNotFound")
            if "/tree/" in path:
                return self._json(
                    [
                        {
                            "type": "file",
                            "path": n,
                            "size": len(c),
                            "oid": hashlib.sha1(c).hexdigest(),
                        }
                        for n, c in files.items()
                    ]
                )
            siblings = [{"rfilename": name} for name in files]
            return self._json({"id": repo, "sha": COMMIT, "siblings": siblings, "private": False})
        parts = path.strip("/").split("/resolve/")
        if len(parts) == 2 and (files := hub.repos.get(parts[0])) is not None:
            content = files.get(parts[1].partition("/")[2])
            if content is not None:
                etag = f'"{hashlib.sha1(content).hexdigest()}"'
                return self._answer(content, ETag=etag, X_Repo_Commit=COMMIT)
        hub.unknown.append(f"{self.command} {self.path}")
        return self._json({"error": "unknown"}, 404)

    def do_HEAD(self) -> None:
        self.do_GET()


@contextmanager
def hub_server() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
