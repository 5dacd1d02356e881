"""Files of an episode: in memory, from and to folders, and what goes wrong with them."""

import asyncio
import datetime
import os
import pathlib
import stat
import threading

import pytest

from coding_env import (
    AsyncCodingEnv,
    CodingEnv,
    EpisodeGoneError,
    FileErrorKind,
    FileKind,
    FilesError,
    NewFile,
    Reason,
    RefusedError,
    escape,
)
from coding_env import _files


def test_what_is_written_is_there_and_comes_back(env):
    time = datetime.datetime(2001, 9, 9, 1, 46, 40, tzinfo=datetime.timezone.utc)
    result = env.files.write(
        {
            "data/a.csv": b"1,2\n",
            "notes.txt": "caf\u00e9",
            b"r\xff": b"raw",
            "bin/tool": NewFile("#!/bin/sh\necho ran\n", mode=0o755, modify_time=time),
        }
    )
    assert (result.files, result.bytes) == (4, 4 + 5 + 3 + 19)
    step = env.step("import os, subprocess\nprint(open('notes.txt').read(), os.stat('bin/tool').st_mtime)\nsubprocess.check_output('bin/tool')")
    assert step.observation.stdout == "caf\u00e9 1000000000.0\n", step.observation.stderr
    assert step.observation.result == "b'ran\\n'"

    assert env.files.read("data/*.csv", "notes.txt") == {"data/a.csv": b"1,2\n", "notes.txt": "caf\u00e9".encode()}
    raw = os.fsdecode(b"r\xff")
    assert env.files.read("r?") == {raw: b"raw"} == env.files.read(b"r\xff") == env.files.read(raw)
    found = {info.path: info for info in env.files.list(sha256=True)}
    assert sorted(found) == ["bin", "bin/tool", "data", "data/a.csv", "notes.txt", raw]
    assert found["bin"].kind is FileKind.DIRECTORY and found["bin"].sha256 is None
    tool = found["bin/tool"]
    assert (tool.kind, tool.mode, tool.size, tool.modify_time) == (FileKind.FILE, 0o755, 19, time)
    assert len(tool.sha256) == 32
    assert env.files.delete("data", recursive=True) == 2
    assert env.files.delete("data", "bin/*") == 1
    assert [info.path for info in env.files.list("*/**")] == []


def test_a_name_with_special_characters_can_be_meant(env):
    env.files.write({"a[1].txt": b"1", "a1.txt": b"2"})
    assert list(env.files.read("a[1].txt")) == ["a1.txt"]
    assert list(env.files.read(escape("a[1].txt"))) == ["a[1].txt"]


def test_failures_are_told_file_by_file(env):
    env.step("import os; os.symlink('/etc', 'link'); os.mkdir('full'); open('full/x', 'w').close()")
    with pytest.raises(FilesError) as caught:
        env.files.write({"good": b"x", "link/bad": b"x", "full": b"x"})
    error = caught.value
    assert (error.reason, error.failed, error.truncated, error.result.files) == (Reason.FILES, 2, False, 1)
    assert {failure.path: failure.kind for failure in error.failures} == {
        "link/bad": FileErrorKind.NOT_A_DIRECTORY,
        "full": FileErrorKind.IS_A_DIRECTORY,
    }
    with pytest.raises(FilesError) as caught:
        env.files.read("good", "nothing")
    assert caught.value.result == {"good": b"x"}
    assert caught.value.failures[0].kind is FileErrorKind.NOT_FOUND
    assert "nothing" in str(caught.value)
    with pytest.raises(FilesError, match="not empty"):
        env.files.delete("full")
    with pytest.raises(RefusedError) as refused:
        env.files.read("../a", "/b")
    assert [violation.field for violation in refused.value.violations] == ["files[0].path", "files[1].path"]
    env.step("os._exit(1)")
    with pytest.raises(EpisodeGoneError):
        env.files.list()


def test_an_episode_starts_with_files(server):
    with CodingEnv(server.url) as env:
        env.reset(files={"a.txt": "hello", "b/c": b"x"})
        assert env.step("open('a.txt').read() + open('b/c').read()").observation.result == "'hellox'"
        with pytest.raises(RefusedError) as refused:
            env.reset(files={"/a": b""})
        assert refused.value.violations[0].field == "files[0].path"


def make_tree(folder):
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "deep" / "er" / "x.bin").write_bytes(os.urandom(700_000))
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o755)
    os.utime(folder / "tool", ns=(1_000_000_000_000_000_005, 1_000_000_000_000_000_005))
    for number in range(30):
        (folder / "deep" / f"{number}.txt").write_text(str(number))
    (folder / "link").symlink_to("/etc/passwd")


def described(folder):
    found = {}
    for path in sorted(pathlib.Path(folder).rglob("*")):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode):
            found[str(path.relative_to(folder))] = (stat.S_IMODE(status.st_mode), status.st_mtime_ns, path.read_bytes())
        elif stat.S_ISDIR(status.st_mode):
            found[str(path.relative_to(folder))] = None
    return found


@pytest.mark.parametrize("call_bytes", [_files._CALL_BYTES, 1000])
def test_whole_directories_go_up_and_down(env, tmp_path, monkeypatch, call_bytes):
    monkeypatch.setattr(_files, "_CALL_BYTES", call_bytes)
    local = tmp_path / "local"
    local.mkdir()
    make_tree(local)
    seen = []
    result = env.files.upload(local, "in/put", progress=seen.append)
    expected = described(local)
    files = [entry for entry in expected.values() if entry is not None]
    size = sum(len(entry[2]) for entry in files)
    assert result.bytes == size == seen[-1].bytes == seen[-1].bytes_total
    assert seen[-1].files == seen[-1].files_total == result.files
    assert [each.bytes for each in seen] == sorted(each.bytes for each in seen)
    assert "link" not in [info.path for info in env.files.list("in/put/*")]

    seen.clear()
    back = tmp_path / "back"
    result = env.files.download("in/put", back, progress=seen.append)
    assert described(back) == expected
    assert (result.files, result.bytes) == (len(files), size) == (seen[-1].files, seen[-1].bytes)

    # One file, and all.
    env.files.download("in/put/tool", tmp_path / "tool")
    assert (tmp_path / "tool").read_text() == "#!/bin/sh\n"
    env.files.upload(tmp_path / "tool", "other/")
    env.files.upload(tmp_path / "tool", "named")
    assert sorted(env.files.read("other/tool", "named")) == ["named", "other/tool"]
    env.files.download("", tmp_path / "all")
    assert described(tmp_path / "all" / "in" / "put") == expected


def test_a_hostile_server_can_not_write_elsewhere(tmp_path):
    for path in ("../x", "a/../../x", "/x", "a//b", "a/.", "", "a\0"):
        with pytest.raises(ValueError):
            _files._within(str(tmp_path), "", path)
    assert _files._within("/base", "in", "in/a/b") == "/base/a/b"


def test_what_can_not_be_read_here_is_told(env, tmp_path):
    (tmp_path / "gone").write_text("x")
    source = {"a": tmp_path / "gone", "b": b"x"}
    with pytest.raises(FileNotFoundError):
        env.files.write({**source, "c": tmp_path / "never"})
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError):
        env.files.write({"f": tmp_path / "fifo"})
    # It goes while the call is made.
    late = tmp_path / "late"
    late.write_text("x")
    with pytest.raises(FileNotFoundError):
        env.files.write({"big": bytes(600_000), "late": late}, progress=lambda _: late.unlink())
    assert env.files.list("l*") == []


def test_files_move_while_a_step_runs(env):
    done = []
    code = "import os, time\nopen('ready', 'w').close()\nwhile not os.path.exists('go'): time.sleep(0.002)\nprint(open('go').read())"
    thread = threading.Thread(target=lambda: done.append(env.step(code)))
    thread.start()
    while not env.files.list("read?"):
        pass
    env.files.write({"go": "went"})
    thread.join(60)
    assert done[0].observation.stdout == "went\n"


def test_with_asyncio(server, tmp_path):
    async def main():
        async with AsyncCodingEnv(server.url) as env:
            await env.reset(files={"a.txt": "hello"})
            await env.files.write({f"out/{number}.csv": str(number) for number in range(100)})
            found = await env.files.read("out/*.csv", "a.txt")
            assert len(found) == 101 and found["a.txt"] == b"hello"
            make_tree(tmp_path)
            await env.files.upload(tmp_path, "tree")
            await env.files.download("tree", tmp_path.parent / "back")
            assert described(tmp_path.parent / "back") == described(tmp_path)
            assert await env.files.delete("tree", recursive=True) > 30
            names = [info.path for info in await env.files.list("out/9?.csv")]
            assert sorted(names) == [f"out/{number}.csv" for number in range(90, 100)]
            with pytest.raises(FilesError):
                await env.files.read("nothing")
            with pytest.raises(FileNotFoundError):
                await env.files.write({"x": tmp_path / "never"})
            # Two at the same time, and a step.
            await asyncio.gather(env.files.write({"p": b"p"}), env.files.read("a.txt"), env.step("1"))

    asyncio.run(main())


def test_a_connection_that_breaks_leaves_nothing_half_written(server, tmp_path):
    from proxy import Proxy

    with Proxy(server.address) as proxy, CodingEnv(f"http://{proxy.address}", retry_first=0.01) as env:
        env.reset()
        content = os.urandom(3_000_000)
        broken = []

        def progress(step):
            if step.bytes > 1_000_000 and not broken:
                broken.append(step)
                proxy.break_all()

        env.files.write({"large": content}, progress=progress)
        assert broken
        assert env.files.read("large") == {"large": content}
        assert [info.path for info in env.files.list()] == ["large"]
