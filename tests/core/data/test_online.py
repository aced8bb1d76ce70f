"""Optional downloads: names, hashes, resume, and a clear word when offline."""

import hashlib
import http.server
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from scaling_core.base.inputs import noted_inputs
from scaling_core.data import online
from tests.faults import KILLED, in_child, killed_at, often

PAYLOAD = bytes(range(256)) * 400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SCALING_DATA", str(tmp_path))
    return tmp_path


class Server(http.server.BaseHTTPRequestHandler):
    """Serves PAYLOAD; cuts the first answer short when told to."""

    cut: int | None = None
    served = 0

    def do_GET(self):
        if self.path.endswith("missing"):
            return self.send_error(404, "Not Found")
        type(self).served += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(PAYLOAD)))
        self.end_headers()
        body, type(self).cut = PAYLOAD[: self.cut], None
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def served(folder, monkeypatch):
    """A registry of one file that a server on this machine gives out."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Server.served, Server.cut = 0, None
    digest = hashlib.sha256(PAYLOAD).hexdigest()
    file = online.OnlineFile("a/some.bin", "someone/thing", "c0ffee", "file", digest)
    monkeypatch.setattr(online, "REGISTRY", {file.name: file})
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    monkeypatch.setattr(
        online.OnlineFile, "url", property(lambda self: address + self.path)
    )
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    yield file
    server.shutdown()
    server.server_close()


def test_registry_is_complete_and_well_formed():
    assert len(online.REGISTRY) == 3
    for name, file in online.REGISTRY.items():
        assert name == file.name and len(file.sha256) == 64 and len(file.commit) == 40
        assert int(file.sha256, 16) and file.licence in {"MIT", "none stated"}
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
    assert path.read_bytes() == PAYLOAD and online.locate("a/some.bin") == path
    assert list(path.parent.iterdir()) == [path]
    assert online.fetch(["a/some.bin"]) == [path] and Server.served == 1


def test_a_connection_that_breaks_off_is_tried_again(served, folder):
    Server.cut = 70_000
    (path,) = online.fetch()
    assert path.read_bytes() == PAYLOAD and Server.served == 2
    assert list(path.parent.iterdir()) == [path]


def test_wrong_content_is_removed(served, folder, monkeypatch):
    wrong = replace(served, sha256="0" * 64)
    monkeypatch.setitem(online.REGISTRY, served.name, wrong)
    with pytest.raises(online.DownloadError, match="0000"):
        online.fetch()
    assert not list((folder / "a").iterdir())


def test_a_file_that_is_there_is_never_overwritten(served, folder):
    (folder / "a").mkdir()
    (folder / "a" / "some.bin").write_text("mine")
    with pytest.raises(online.DownloadError, match="remove it and fetch again"):
        online.fetch()
    assert (folder / "a" / "some.bin").read_text() == "mine" and not Server.served


def test_server_refusal_and_no_network_are_said(served, monkeypatch):
    monkeypatch.setitem(online.REGISTRY, served.name, replace(served, path="missing"))
    with pytest.raises(online.DownloadError, match="404"):
        online.fetch()
    monkeypatch.setattr(
        online.OnlineFile, "url", property(lambda self: "http://127.0.0.1:9/file")
    )
    with pytest.raises(online.DownloadError, match="Offline"):
        online.fetch(tries=2)


@often("`scaling fetch` is killed")
def test_a_killed_fetch_leaves_no_part_under_the_name(served, folder, times):
    """At each write in turn; then the same call brings the whole file."""
    path, died = folder / "a" / "some.bin", 0
    for write in range(times):
        path.unlink(missing_ok=True)
        code = killed_at(write % 8, folder, online.fetch)
        assert code in (0, KILLED)
        died += code == KILLED
        assert not path.exists() or path.read_bytes() == PAYLOAD
        assert online.fetch() == [path] and path.read_bytes() == PAYLOAD
    assert died


@often("two `scaling fetch` at once")
def test_two_fetches_at_once_bring_one_whole_file(served, folder, times):
    path = folder / "a" / "some.bin"
    for _ in range(times):
        path.unlink(missing_ok=True)
        with ThreadPoolExecutor(2) as pool:
            codes = list(pool.map(in_child, [online.fetch] * 2))
        assert codes == [0, 0] and path.read_bytes() == PAYLOAD
        assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(
    not os.environ.get("SCALING_DATA"),
    reason="SCALING_DATA is not set: no folder of optional data",
)
def test_given_folder_holds_what_the_registry_says():
    present = [name for name in online.REGISTRY if online.locate(name)]
    if not present:
        pytest.skip("the folder named by SCALING_DATA holds none of the optional files")
