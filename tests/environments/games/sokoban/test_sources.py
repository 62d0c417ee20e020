"""Level sources: every kind, what is wrong with a misspelt one, and the download."""

import http.server
import io
import os
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from environments.errors import UserError
from environments.games.sokoban import boxoban
from environments.games.sokoban.boxoban import download
from environments.games.sokoban.generated import parse_generated
from environments.games.sokoban.level import LevelSet
from environments.games.sokoban.level_files import absolute, digest
from environments.games.sokoban.packed import pack_levels
from environments.games.sokoban.sources import load_levels
from tests.environments.games.sokoban.boards import DATA, real_levels
from tests.environments.games.sokoban.sound import assert_same

ROW = "#####\n#@$.#\n#####\n"
PARTS = {  # how many levels lie with the tests
    "unfiltered/train": 60,
    "unfiltered/valid": 60,
    "medium/train": 20,
    "medium/valid": 30,
    "hard": 30,
}


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """An empty cache, no given folder, and no network."""
    monkeypatch.delenv(boxoban.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(boxoban, "ARCHIVE", "http://127.0.0.1:1/levels.zip")  # nobody listens
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path


@pytest.fixture
def serve():
    """Serves bytes over HTTP on this machine; returns the address."""
    servers = []

    def start(content: bytes, length: int | None = None) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(length or len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/levels.zip"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def archive() -> bytes:
    """The levels beside the tests as GitHub would pack them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(DATA.rglob("*")):
            if path.is_file():
                packed.write(path, Path("boxoban-levels-master") / path.relative_to(DATA))
        packed.writestr("boxoban-levels-master/../../escaped.txt", "no level")
        packed.writestr("boxoban-levels-master/README.md", "no level")
    return buffer.getvalue()


@pytest.mark.parametrize(("part", "count"), PARTS.items())
def test_boxoban_is_read_from_the_given_folder(monkeypatch, part, count):
    monkeypatch.setenv(boxoban.VARIABLE, str(DATA))
    levels = load_levels(f"boxoban:{part}")
    assert len(levels) == count
    assert levels.source == f"boxoban:{part}"
    assert levels.shape == (10, 10)


def test_boxoban_is_downloaded_once_into_the_cache(nowhere, monkeypatch, serve):
    monkeypatch.setattr(boxoban, "ARCHIVE", serve(archive()))
    monkeypatch.setattr(boxoban, "LEVELS", PARTS)
    first = load_levels("boxoban:hard")
    monkeypatch.setattr(boxoban, "ARCHIVE", "http://127.0.0.1:1/levels.zip")
    assert_same(load_levels("boxoban:hard"), first)
    assert len(load_levels("boxoban:unfiltered/train")) == 60
    cache = nowhere / "cache" / "moravec"
    assert [path.name for path in cache.iterdir()] == ["boxoban"]
    assert (cache / "boxoban" / "LICENSE").exists()
    assert not list(nowhere.rglob("escaped.txt"))


def test_one_process_downloads_and_the_others_wait_for_it(nowhere, serve, caplog):
    folder, url = nowhere / "cache" / "boxoban", serve(archive())
    entered, go_on = threading.Event(), threading.Event()

    def slowly(*args):
        entered.set()
        assert go_on.wait(60)
        return check(*args)

    check = boxoban._check
    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(2) as pool:
        patched.setattr(boxoban, "_check", slowly)
        first = pool.submit(download, url, folder, PARTS)
        assert entered.wait(60)
        second = pool.submit(download, "http://127.0.0.1:1/levels.zip", folder, PARTS)
        while not caplog.messages:
            assert not second.done()
            time.sleep(0.01)
        go_on.set()
        first.result(60)
        second.result(60)  # of an address at which nothing is: it asked for nothing
    assert caplog.messages == ["waiting for another process that downloads the Boxoban levels"]
    assert len(list((folder / "hard").glob("*.txt"))) == 1


def test_what_the_given_folder_lacks_is_looked_for_in_the_cache(nowhere, monkeypatch):
    hard = nowhere / "cache" / "moravec" / "boxoban" / "hard"
    hard.parent.mkdir(parents=True)
    hard.symlink_to(DATA / "hard")
    given = nowhere / "given"
    given.mkdir()
    monkeypatch.setenv(boxoban.VARIABLE, str(given))
    assert len(load_levels("boxoban:hard")) == 30


def test_no_network_is_one_clear_line_and_leaves_nothing(nowhere):
    with pytest.raises(UserError, match=r"connect to the network, or set MORAVEC_BOXOBAN") as error:
        load_levels("boxoban:unfiltered/test")
    assert "\n" not in str(error.value)
    assert list((nowhere / "cache" / "moravec").iterdir()) == []


def test_a_wrong_download_is_refused_and_leaves_nothing(nowhere, serve):
    folder = nowhere / "boxoban"
    whole = archive()
    for url, message in (
        (serve(whole), "hold 60 levels in unfiltered/train, not 61"),
        (serve(b"no archive"), "arrived damaged"),
        (serve(whole[: len(whole) // 2], len(whole)), "arrived damaged"),
    ):
        with pytest.raises(UserError, match=message):
            download(url, folder, {**PARTS, "unfiltered/train": 61})
        assert list(nowhere.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_one_line(nowhere, monkeypatch):
    (nowhere / "cache").write_text("a file where the folder should be")
    with pytest.raises(UserError, match="cannot keep the Boxoban levels"):
        load_levels("boxoban:hard")


def test_a_given_folder_that_is_none(monkeypatch):
    monkeypatch.setenv(boxoban.VARIABLE, "/no/such/folder")
    with pytest.raises(UserError, match="MORAVEC_BOXOBAN=/no/such/folder is no folder"):
        load_levels("boxoban:hard")


def test_text_packed_and_folder_sources_agree(tmp_path):
    text = DATA / "hard" / "000.txt"
    levels = load_levels(str(text))
    packed = tmp_path / "hard.levels"
    packed.write_bytes(pack_levels(levels))
    unsuffixed = tmp_path / "hard"
    unsuffixed.write_bytes(pack_levels(levels))
    for source in (packed, unsuffixed, DATA / "hard"):
        found = load_levels(str(source))
        assert found.source == str(source)
        assert_same(found, levels)
    text_by_wrong_name = tmp_path / "text.levels"
    text_by_wrong_name.write_bytes(text.read_bytes())
    with pytest.raises(UserError, match="is not a packed level file"):
        load_levels(str(text_by_wrong_name))


def test_a_folder_is_read_in_the_order_of_names_and_padded(tmp_path):
    (tmp_path / "b.txt").write_text("#####\n#@$.#\n#####\n")
    (tmp_path / "a.txt").write_text("####\n#@ #\n#$ #\n#. #\n####\n\n#####\n#.$@#\n#####\n")
    levels = load_levels(str(tmp_path))
    assert levels.shape == (5, 5)
    assert [level.player for level in levels] == [(1, 1), (1, 3), (1, 1)]
    assert [int(level.walls.sum()) for level in levels] == [19, 22, 22]


def test_errors_in_a_folder_name_the_file(tmp_path):
    with pytest.raises(UserError, match="holds no level files"):
        load_levels(str(tmp_path))
    (tmp_path / "a.txt").write_text("#####\n# $.#\n#####\n")
    (tmp_path / "b.txt").write_text("#####\n#@$.#\n###\n")
    with pytest.raises(UserError, match=r"a\.txt:1:1: no player .* \(and 1 more\)"):
        load_levels(str(tmp_path))


def test_a_folder_of_all_kinds_is_read_with_the_folders_in_it(tmp_path, caplog):
    packed = pack_levels(load_levels("####\n#@ #\n#$ #\n#. #\n####\n"))
    for name, content in {
        "a/deep/1.XSB": ROW.encode(),
        "b.sok": ROW.encode(),
        "c.SLC": b"<Level><L>#####</L>\n<L>#@$.#</L>\n<L>#####</L></Level>",
        "d.levels": packed,
        "e/2.txt": ROW.encode(),
        "readme.txt": b"These levels are mine.",
        "z.levels": packed[:-1],
        "README.md": ROW.encode(),
        ".hidden/3.txt": ROW.encode(),
        "LICENSE": b"Do as you like.",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / "a" / "round").symlink_to(tmp_path / "a")  # it has no end
    levels = load_levels(tmp_path)
    assert levels.shape == (5, 5)
    assert [found.player for found in levels] == [(1, 1)] * 5
    assert [int(found.walls.sum()) for found in levels] == [22, 22, 22, 19, 22]
    assert [line.split(": ")[0] for line in levels.left_out] == [
        f"{tmp_path}/readme.txt:1:1",
        f"{tmp_path}/z.levels",
    ]
    (warning,) = caplog.messages
    assert warning.startswith(f"{tmp_path}: 5 levels; left out: {tmp_path}/readme.txt:1:1: ")
    assert "(and 1 more)" in warning


def test_a_folder_in_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text(ROW)

    def scandir(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)  # as root, every folder can be read
    with pytest.raises(UserError, match="cannot be read: permission denied"):
        load_levels(tmp_path)


COLLECTION = f"{ROW}\n#####\n#@* #\n#####\n\n#######\n#@ $ .#\n#######\n\n{ROW}"


def test_levels_of_no_use_are_left_out_and_told(tmp_path, caplog):
    file = tmp_path / "mine.xsb"
    file.write_text(COLLECTION)
    levels = load_levels(file, (4, 6))
    assert (len(levels), levels.shape) == (2, (4, 6))
    assert levels.left_out == (
        f"{file}:5:1: this level is solved already",
        f"{file}:9:1: levels of 3x7 do not fit a 4x6 board",
    )
    assert len(caplog.messages) == 1
    assert [len(load_levels(file)), load_levels(file).shape] == [3, (3, 7)]
    assert len(load_levels(file, largest=(20, 6))) == 2
    assert load_levels(file, largest=(20, 6)).shape == (3, 5)
    with pytest.raises(UserError, match=r":1:1: levels of 3x5 do not fit a 3x4 board \(and 3 more"):
        load_levels(file, (3, 4))


def test_levels_of_one_size_are_refused_together():
    for source in ("generated:size=6,boxes=1,count=7,seed=0", str(DATA / "hard")):
        with pytest.raises(UserError, match=r"(6x6|10x10) do not fit a 5x5 board"):
            load_levels(source, (5, 5))


def test_levels_are_loaded_once_for_all_who_hold_them(tmp_path, monkeypatch):
    file = tmp_path / "a.txt"
    file.write_text(ROW)
    for source in (str(file), str(tmp_path), "generated:size=6,boxes=1,count=7,seed=0", ROW):
        levels = load_levels(source)
        assert load_levels(source) is levels
        padded = load_levels(source, (9, 9))
        assert padded.shape == (9, 9)
        assert load_levels(source, (9, 9)) is padded
    levels = load_levels(file)
    assert load_levels(file) is levels
    monkeypatch.chdir(tmp_path)
    assert len(load_levels("a.txt")) == 1
    file.write_text(COLLECTION)
    assert len(load_levels(file)) == 3
    assert len(load_levels("a.txt")) == 3


def test_the_home_folder_is_found_for_boxoban(monkeypatch):
    monkeypatch.setenv("HOME", str(DATA.parent))
    monkeypatch.setenv(boxoban.VARIABLE, "~/boxoban")
    assert len(load_levels("boxoban:hard")) == 30


def test_digests_and_absolute_paths_are_of_files(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_text(ROW)
    before = digest(str(tmp_path))
    assert len(before) == 64
    monkeypatch.chdir(tmp_path)
    assert absolute("a/1.txt") == str(tmp_path / "a" / "1.txt")
    assert digest(absolute("a")) == digest("a")
    (tmp_path / "notes.md").write_text("no levels")
    assert digest(str(tmp_path)) == before
    (tmp_path / "a" / "1.txt").rename(tmp_path / "a" / "2.txt")
    assert digest(str(tmp_path)) != before
    for source in ("generated:size=6,boxes=1,count=7,seed=0", "boxoban:hard", ROW, "missing.txt"):
        assert (digest(source), absolute(source)) == ("", source)


def test_generated_sources():
    levels = load_levels("generated:size=6,boxes=1,count=7,seed=0")
    assert (len(levels), levels.shape) == (7, (6, 6))
    assert levels.source == "generated:size=6,boxes=1,count=7,seed=0"
    assert_same(load_levels("generated:seed=0, count=7,boxes=1,size=6,split=train"), levels)
    held_out = load_levels("generated:size=6,boxes=1,count=7,seed=0,split=held_out")
    assert {w.tobytes() for w in held_out.boxes} != {w.tobytes() for w in levels.boxes}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("generated:", "is not KEY=VALUE"),
        ("generated:size=6", "boxes is missing; write generated:"),
        ("generated:size=6,boxs=1,count=1,seed=0", "did you mean 'boxes'"),
        ("generated:size=6,size=6,boxes=1,count=1,seed=0", "size is given twice"),
        ("generated:size=4,boxes=1,count=1,seed=0", "size must be a whole number from 5 to 64"),
        ("generated:size=6,boxes=0,count=1,seed=0", "boxes must be"),
        ("generated:size=6,boxes=1,count=0,seed=0", "count must be"),
        ("generated:size=6,boxes=1,count=-1,seed=0", "count must be .* not '-1'"),
        ("generated:size=6,boxes=1,count=1e3,seed=0", "count must be .* not '1e3'"),
        ("generated:size=6,boxes=1,count=1,seed=9223372036854775808", "seed must be"),
        ("generated:size=6,boxes=8,count=1,seed=0", "no level with 8 boxes .* at most 6"),
        ("generated:size=20,boxes=30,count=1,seed=0", "no level with 30 boxes .* at most 24"),
        (f"generated:size=6,boxes=1,count={'9' * 5000},seed=0", "count must be .* to 10000000"),
        ("generated:size=6,boxes=1,count=1,seed=0,split=test", "no split .* 'test'.* held_out"),
        ("boxoban:unfiltered/vaild", "did you mean 'unfiltered/valid'"),
        ("boxoban:", "choose from hard, medium/train"),
        ("boxobam:hard", "did you mean 'boxoban'"),
        ("no/such/file.txt", "'no/such/file.txt' is no file or folder"),
        ("", "'' is no file or folder"),
        ("x" * 5000, "is no file or folder"),
        ("~nobody-of-this-name/levels.txt", "is no file or folder"),
        ("/proc/self/mem", "/proc/self/mem: cannot be read: "),
    ],
)
def test_a_misspelt_source_is_one_line_that_says_what_to_do(source, message):
    with pytest.raises(UserError, match=message) as error:
        load_levels(source)
    assert "\n" not in str(error.value)


def test_the_largest_sources_are_read():
    wanted = parse_generated("generated:size=64,boxes=64,count=10000000,seed=9223372036854775807")
    assert (wanted.size, wanted.seed, wanted.split) == (64, 2**63 - 1, "train")


@pytest.mark.skipif(boxoban.VARIABLE not in os.environ, reason=f"{boxoban.VARIABLE} is not set")
@pytest.mark.parametrize("part", PARTS)
def test_the_given_boxoban_levels_are_all_well_formed(part):
    folder = Path(os.environ[boxoban.VARIABLE], part)
    if not folder.is_dir():
        pytest.skip(f"{folder} does not exist")
    levels = load_levels(f"boxoban:{part}")
    assert isinstance(levels, LevelSet)
    assert len(levels) == sum(path.read_text().count(";") for path in folder.glob("*.txt"))
    assert levels.boxes.any(axis=1).all()
    assert levels.shape == real_levels()[0].shape
