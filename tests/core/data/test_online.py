"""Optional downloads: names, hashes, resume, and a clear word when offline."""

import hashlib
import http.server
import os
import threading
from dataclasses import replace

import pytest

from scaling_core.base.inputs import noted_inputs
from scaling_core.data import online

PAYLOAD = bytes(range(256)) * 400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALING_DATA", str(tmp_path))
    return tmp_path


class Server(http.server.BaseHTTPRequestHandler):
    """Serves PAYLOAD with ranges; cuts the first answer short when told to."""

    cut = None
    ranges: list = []

    def do_GET(self):
        if self.path.endswith("missing"):
            return self.send_error(404, "Not Found")
        asked = self.headers.get("Range")
        type(self).ranges.append(asked)
        start = int(asked[6:-1]) if asked else 0
        body = PAYLOAD[start:]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if type(self).cut:
            body, type(self).cut = body[: type(self).cut], None
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def served(folder, monkeypatch):
    """A registry of one file that a server on this machine gives out."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Server.ranges, Server.cut = [], None
    digest = hashlib.sha256(PAYLOAD).hexdigest()
    file = online.OnlineFile(
        "some.bin", "someone/thing", "c0ffee", "file", len(PAYLOAD), digest, "MIT"
    )
    monkeypatch.setattr(online, "REGISTRY", {file.name: file})
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setattr(
        online.OnlineFile, "url", property(lambda self: address + self.path)
    )
    monkeypatch.setattr(online.time, "sleep", lambda seconds: None)
    yield file
    server.shutdown()
    server.server_close()


def test_registry_is_complete_and_well_formed():
    assert len(online.REGISTRY) == 30
    for name, file in online.REGISTRY.items():
        assert name == file.name and len(file.sha256) == 64 and len(file.commit) == 40
        assert (
            int(file.sha256, 16)
            and file.size > 0
            and file.licence in {"MIT", "none stated"}
        )
        assert (
            file.url
            == f"https://raw.githubusercontent.com/{file.repository}/{file.commit}/{file.path}"
        )


def test_absence_is_noted(folder):
    assert online.locate("isoflops.csv") is None
    assert noted_inputs()[str((folder / "isoflops.csv").resolve())] is None


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match="there are: epoch_chinchilla.csv"):
        online.locate("../secrets")


def test_wrong_bytes_are_refused(folder):
    (folder / "isoflops.csv").write_text("a,b\n")
    with pytest.raises(online.DownloadError, match="remove it and fetch again"):
        online.locate("isoflops.csv")


def test_fetch_then_locate(served, folder):
    (path,) = online.fetch()
    assert path.read_bytes() == PAYLOAD and online.locate("some.bin") == path
    assert not list(folder.glob("*.part"))
    assert online.fetch(["some.bin"]) == [path] and len(Server.ranges) == 1


def test_interrupted_download_goes_on_where_it_stopped(served):
    Server.cut = 70_000
    (path,) = online.fetch()
    assert path.read_bytes() == PAYLOAD
    assert (
        Server.ranges[0] is None
        and Server.ranges[1].startswith("bytes=")
        and Server.ranges[1] != "bytes=0-"
    )


def test_wrong_content_is_removed(served, folder, monkeypatch):
    monkeypatch.setitem(online.REGISTRY, "some.bin", replace(served, sha256="0" * 64))
    with pytest.raises(online.DownloadError, match="expected 000000000000"):
        online.fetch()
    assert not list(folder.iterdir())


def test_server_refusal_and_no_network_are_said(served, monkeypatch):
    monkeypatch.setitem(online.REGISTRY, "some.bin", replace(served, path="missing"))
    with pytest.raises(online.DownloadError, match="404"):
        online.fetch()
    monkeypatch.setattr(
        online.OnlineFile, "url", property(lambda self: "http://127.0.0.1:9/file")
    )
    with pytest.raises(online.DownloadError, match="Offline"):
        online.fetch(tries=2)


@pytest.mark.skipif(
    not os.environ.get("SCALING_DATA"),
    reason="SCALING_DATA is not set: no folder of optional data",
)
def test_given_folder_holds_what_the_registry_says():
    present = [name for name in online.REGISTRY if online.locate(name)]
    if not present:
        pytest.skip("the folder named by SCALING_DATA holds none of the optional files")
    for name in present:
        assert online.locate(name).stat().st_size == online.REGISTRY[name].size
