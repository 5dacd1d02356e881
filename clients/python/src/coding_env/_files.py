"""What a client does with the files of an episode, without input and output to the server: see ``_core.py``.

Many files go in one call, but no more than about 64 MiB of them, so that a connection that breaks costs no more than that again. A file is
whole or not there at either end: the server names it when it is complete, and so does a download.
"""

from __future__ import annotations

import abc
import dataclasses
import datetime
import os
import stat
import uuid
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

from google.protobuf.timestamp_pb2 import Timestamp

from . import models
from ._core import Core, Download, Flow, Upload
from .errors import FilesError
from .v1 import coding_env_pb2 as pb

#: A path in a workspace: text, or the bytes of a name that is not UTF-8.
RemotePath = Union[str, bytes]
#: What is to be in a file: bytes, text (as UTF-8), or a file of this machine; with more about it, a ``NewFile``.
Content = Union[bytes, str, "os.PathLike[str]", "models.NewFile"]
#: Told now and then how far a call is.
OnProgress = Callable[["models.Progress"], None]

_PIECE_BYTES = 256 << 10
_MESSAGE_PIECES = 1000
_CALL_BYTES = 64 << 20
_CALL_FILES = 1000
_SPECIAL = frozenset("*?[{")


def text_of(path: RemotePath) -> str:
    """A path as text; bytes that are no UTF-8 become lone surrogates, as in ``os.fsdecode``."""
    return path if isinstance(path, str) else path.decode("utf-8", "surrogateescape")


def fields_of(path: RemotePath) -> Dict[str, Any]:
    """A path as the fields of a message."""
    try:
        return {"path": path.encode().decode()} if isinstance(path, str) else {"path": path.decode()}
    except UnicodeError:
        raw = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
        return {"raw_path": raw}


def escape(path: str) -> str:
    """A glob that matches this path alone."""
    return "".join("\\" + char if char in "*?[]{}\\" else char for char in path)


def _selector(pattern: RemotePath) -> pb.FileSelector:
    if isinstance(pattern, str) and any(char in _SPECIAL for char in pattern):
        return pb.FileSelector(glob=pattern)
    return pb.FileSelector(**fields_of(pattern))


def _path(message: Any) -> str:
    return text_of(message.raw_path or message.path)


def _failure(message: pb.FileFailure) -> models.FileFailure:
    return models.FileFailure(_path(message), models.FileErrorKind.of(message.error.kind), message.error.message)


def _info(message: pb.FileInfo) -> models.FileInfo:
    time = message.modify_time
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return models.FileInfo(
        path=_path(message),
        kind=models.FileKind.of(message.kind),
        mode=message.mode,
        size=message.size,
        modify_time=epoch + datetime.timedelta(0, time.seconds, time.nanos / 1000),
        sha256=message.sha256 or None,
    )


def _timestamp(time: Optional[datetime.datetime]) -> Optional[Timestamp]:
    if time is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(time.astimezone(datetime.timezone.utc))
    return stamp


@dataclasses.dataclass
class _Source:
    """A file that is to be written."""

    path: RemotePath
    content: Union[bytes, "os.PathLike[str]", None]
    size: int
    mode: Optional[int] = None
    modify_time: Optional[Timestamp] = None

    @classmethod
    def of(cls, path: RemotePath, content: Content) -> "_Source":
        mode, time = None, None
        if isinstance(content, models.NewFile):
            mode, time, content = content.mode, _timestamp(content.modify_time), content.content
        if isinstance(content, str):
            content = content.encode()
        if isinstance(content, (bytes, bytearray, memoryview)):
            content = bytes(content)
            return cls(path, content, len(content), mode, time)
        found = os.stat(content)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError(f"{os.fspath(content)!r} is no regular file")
        return cls(path, content, found.st_size, found.st_mode & 0o777 if mode is None else mode, time)

    def header(self) -> pb.FileInfo:
        kind: Any = pb.FILE_KIND_DIRECTORY if self.content is None else pb.FILE_KIND_FILE
        return pb.FileInfo(kind=kind, mode=self.mode, modify_time=self.modify_time, **fields_of(self.path))

    def pieces(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            for start in range(0, len(self.content), _PIECE_BYTES):
                yield self.content[start : start + _PIECE_BYTES]
        elif self.content is not None:
            with open(self.content, "rb", buffering=0) as file:
                while True:
                    piece = file.read(_PIECE_BYTES)
                    if not piece:
                        return
                    yield piece


class _Meter:
    """Counts what has been moved. A call that is sent again counts anew from where it began."""

    def __init__(self, progress: Optional[OnProgress], files: int, size: int) -> None:
        self._progress = progress
        self._total = (files, size)
        self.files = self.bytes = 0

    def add(self, files: int, size: int) -> None:
        self.files += files
        self.bytes += size
        if self._progress is not None:
            self._progress(models.Progress(self.files, self._total[0], self.bytes, self._total[1]))


def _messages(episode: str, sources: Sequence[_Source], meter: _Meter) -> Iterator[pb.WriteFilesRequest]:
    message = pb.WriteFilesRequest(episode_id=episode)
    size, done = 0, 0
    for source in sources:
        chunk = message.chunks.add(file=source.header())
        for piece in source.pieces():
            if size + len(piece) > _PIECE_BYTES and size:
                yield message
                meter.add(done, size)
                message, size, done = pb.WriteFilesRequest(), 0, 0
                chunk = message.chunks.add()
            if chunk.data:
                chunk = message.chunks.add()
            chunk.data = piece
            size += len(piece)
        if chunk.HasField("end"):
            chunk = message.chunks.add()
        chunk.end.SetInParent()
        done += 1
        if len(message.chunks) >= _MESSAGE_PIECES:
            yield message
            meter.add(done, size)
            message, size, done = pb.WriteFilesRequest(), 0, 0
    yield message
    meter.add(done, size)


def _batches(items: Iterable[Any], size_of: Callable[[Any], int]) -> Iterator[List[Any]]:
    batch: List[Any] = []
    size = 0
    for item in items:
        if batch and (size + size_of(item) > _CALL_BYTES or len(batch) >= _CALL_FILES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += size_of(item)
    if batch:
        yield batch


def _local_sources(local: str, remote: str) -> List[_Source]:
    """A directory with all that is in it, or a file. Links within are left out."""

    def source(path: str, name: str, content: Optional[str]) -> _Source:
        found = os.lstat(path)
        time = Timestamp(seconds=found.st_mtime_ns // 10**9, nanos=found.st_mtime_ns % 10**9)
        place: Any = None if content is None else _Local(content)
        return _Source(name, place, found.st_size if content is not None else 0, found.st_mode & 0o777, time)

    if not os.path.isdir(local):
        name = remote + os.path.basename(local) if not remote or remote.endswith("/") else remote
        real = os.path.realpath(local)
        if not os.path.isfile(real):
            raise FileNotFoundError(f"{local!r} is neither a regular file nor a directory")
        return [source(real, name, real)]
    base = remote.rstrip("/")
    sources = []
    for folder, folders, files in os.walk(local):
        within = os.path.relpath(folder, local)
        prefix = "/".join(part for part in (base, "" if within == "." else within.replace(os.sep, "/")) if part)
        folders[:] = sorted(name for name in folders if not os.path.islink(os.path.join(folder, name)))
        if prefix:
            sources.append(source(folder, prefix, None))
        for name in sorted(files):
            path = os.path.join(folder, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                sources.append(source(path, f"{prefix}/{name}" if prefix else name, path))
    # A directory's time changes when something is put into it, so its own entry comes after what is in it.
    directories = [source for source in sources if source.content is None]
    files_first = [source for source in sources if source.content is not None]
    return files_first + directories[::-1]


class _Local:
    """A file of this machine."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __fspath__(self) -> str:
        return self._path


class _Reading(abc.ABC):
    """Takes the messages of a ReadFiles apart."""

    def __init__(self) -> None:
        self.summary: Optional[pb.FilesSummary] = None

    def take(self, message: pb.ReadFilesResponse) -> None:
        for chunk in message.chunks:
            if chunk.HasField("file"):
                self.begin(chunk.file)
            if chunk.data:
                self.more(chunk.data)
            if chunk.HasField("end"):
                self.end(whole=not chunk.end.HasField("error"))
        if message.HasField("summary"):
            self.summary = message.summary

    @abc.abstractmethod
    def begin(self, file: pb.FileInfo) -> None: ...

    @abc.abstractmethod
    def more(self, data: bytes) -> None: ...

    @abc.abstractmethod
    def end(self, whole: bool) -> None: ...

    @abc.abstractmethod
    def abandon(self) -> None:
        """The call has failed, or is tried again from its beginning."""


class _IntoMemory(_Reading):
    def __init__(self) -> None:
        super().__init__()
        self.files: Dict[str, bytes] = {}
        self._path = ""
        self._pieces: List[bytes] = []

    def begin(self, file: pb.FileInfo) -> None:
        self._path, self._pieces = _path(file), []

    def more(self, data: bytes) -> None:
        self._pieces.append(data)

    def end(self, whole: bool) -> None:
        if whole:
            self.files[self._path] = b"".join(self._pieces)
        self._pieces = []

    def abandon(self) -> None:
        self.files, self._pieces = {}, []


class _IntoFolder(_Reading):
    """Writes what comes below a folder, each file under its name when it is complete."""

    def __init__(self, place: Callable[[str], str], meter: _Meter) -> None:
        super().__init__()
        self._place = place
        self._meter = meter
        self._file: Any = None
        self._info: Optional[pb.FileInfo] = None
        self._temporary = ""

    def begin(self, file: pb.FileInfo) -> None:
        self._info = file
        place = self._place(_path(file))
        os.makedirs(os.path.dirname(place) or ".", exist_ok=True)
        self._temporary = os.path.join(os.path.dirname(place), f".{uuid.uuid4().hex}.part")
        self._file = open(self._temporary, "xb", buffering=0)

    def more(self, data: bytes) -> None:
        self._file.write(data)
        self._meter.add(0, len(data))

    def end(self, whole: bool) -> None:
        assert self._info is not None
        file, self._file = self._file, None
        file.close()
        if not whole:
            os.unlink(self._temporary)
            return
        os.chmod(self._temporary, self._info.mode)
        time = self._info.modify_time
        nanos = time.seconds * 10**9 + time.nanos
        os.utime(self._temporary, ns=(nanos, nanos))
        os.replace(self._temporary, self._place(_path(self._info)))
        self._meter.add(1, 0)

    def abandon(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
            os.unlink(self._temporary)


def _within(base: str, remote: str, path: str) -> str:
    """Where a file that is downloaded belongs. The server's word for its path is not enough to write elsewhere."""
    name = path[len(remote) + 1 :] if remote else path
    parts = name.split("/")
    if not name or any(part in ("", ".", "..") or "\0" in part or os.sep in part for part in parts):
        raise ValueError(f"the server named {path!r}, which is no path beneath {remote!r}")
    return os.path.join(base, *parts)


def first_files(files: Optional[Mapping[RemotePath, Content]]) -> List[pb.ResetFile]:
    """The files of a reset."""
    found = []
    for path, content in (files or {}).items():
        source = _Source.of(path, content)
        data = b"".join(source.pieces())
        found.append(pb.ResetFile(data=data, mode=source.mode, modify_time=source.modify_time, **fields_of(path)))
    return found


class FileFlows:
    """The operations on files, as generators."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def write(self, files: Mapping[RemotePath, Content], progress: Optional[OnProgress]) -> Flow[models.WriteResult]:
        return (yield from self._send([_Source.of(path, content) for path, content in files.items()], progress))

    def upload(self, local: str, remote: str, progress: Optional[OnProgress]) -> Flow[models.WriteResult]:
        return (yield from self._send(_local_sources(local, remote), progress))

    def _send(self, sources: List[_Source], progress: Optional[OnProgress]) -> Flow[models.WriteResult]:
        meter = _Meter(progress, len(sources), sum(source.size for source in sources))
        written = size = failed = 0
        failures: List[models.FileFailure] = []
        for batch in _batches(sources, lambda source: source.size):
            start = (meter.files, meter.bytes)

            def messages(batch: List[_Source] = batch, start: Tuple[int, int] = start) -> Iterator[pb.WriteFilesRequest]:
                meter.files, meter.bytes = start
                return _messages(self._core.current_id(), batch, meter)

            response = yield from self._core.files_call(lambda timeout, headers: Upload("WriteFiles", messages, timeout, headers))
            written += response.written
            size += response.bytes
            failed += response.failed
            failures.extend(map(_failure, response.failures))
        result = models.WriteResult(written, size)
        if failed:
            raise FilesError("can't be written", failures, failed, False, result)
        return result

    def read(self, patterns: Sequence[RemotePath], max_file_bytes: Optional[int]) -> Flow[Dict[str, bytes]]:
        request = pb.ReadFilesRequest(files=[_selector(pattern) for pattern in patterns], max_file_bytes=max_file_bytes)
        into = _IntoMemory()
        yield from self._receive(request, into)
        _check("can't be read", into.summary, into.files)
        return into.files

    def _receive(self, request: pb.ReadFilesRequest, into: _Reading) -> Flow[None]:
        request.episode_id = self._core.current_id()

        def again() -> None:
            into.abandon()
            into.summary = None

        try:
            yield from self._core.files_call(
                lambda timeout, headers: Download("ReadFiles", request, timeout, headers, again, into.take)
            )
        except BaseException:
            into.abandon()
            raise

    def list(self, patterns: Sequence[RemotePath], sha256: bool) -> Flow[List[models.FileInfo]]:
        request = pb.ListFilesRequest(files=[_selector(pattern) for pattern in patterns], sha256=sha256)
        found, summary = yield from self._list(request)
        _check("can't be listed", summary, found)
        return found

    def _list(self, request: pb.ListFilesRequest) -> Flow[Tuple[List[models.FileInfo], Optional[pb.FilesSummary]]]:
        request.episode_id = self._core.current_id()
        found: List[models.FileInfo] = []
        summaries: List[pb.FilesSummary] = []

        def take(message: pb.ListFilesResponse) -> None:
            found.extend(map(_info, message.files))
            if message.HasField("summary"):
                summaries.append(message.summary)

        yield from self._core.files_call(
            lambda timeout, headers: Download("ListFiles", request, timeout, headers, found.clear, take)
        )
        return found, summaries[-1] if summaries else None

    def download(self, remote: str, local: str, progress: Optional[OnProgress]) -> Flow[models.WriteResult]:
        remote = remote.rstrip("/")
        selectors = [pb.FileSelector(glob=f"{escape(remote)}/**" if remote else "**")]
        if remote:
            selectors.insert(0, pb.FileSelector(**fields_of(remote)))
        found, summary = yield from self._list(pb.ListFilesRequest(files=selectors))
        _check("can't be listed", summary, found)
        files = [info for info in found if info.kind is models.FileKind.FILE]
        single = bool(remote) and [info.path for info in files] == [remote] and len(found) == 1

        def place(path: str) -> str:
            return local if single else _within(local, remote, path)

        meter = _Meter(progress, len(files), sum(info.size for info in files))
        if not single:
            os.makedirs(local, exist_ok=True)
        for info in found:
            if info.kind is models.FileKind.DIRECTORY and info.path != remote:
                os.makedirs(place(info.path), exist_ok=True)
        failures: List[models.FileFailure] = []
        failed, truncated = 0, False
        for batch in _batches(files, lambda info: info.size):
            into = _IntoFolder(place, meter)
            request = pb.ReadFilesRequest(files=[pb.FileSelector(**fields_of(info.path)) for info in batch])
            yield from self._receive(request, into)
            if into.summary is not None:
                failed += into.summary.failed
                truncated |= into.summary.truncated
                failures.extend(map(_failure, into.summary.failures))
        result = models.WriteResult(meter.files, meter.bytes)
        if failed or truncated:
            raise FilesError("can't be read", failures, failed, truncated, result)
        return result

    def delete(self, patterns: Sequence[RemotePath], recursive: bool) -> Flow[int]:
        deleted: int = 0
        while True:
            request = pb.DeleteFilesRequest(
                episode_id=self._core.current_id(), files=[_selector(pattern) for pattern in patterns], recursive=recursive
            )
            response = yield from self._core.file_unary("DeleteFiles", request)
            deleted += int(response.deleted)
            if response.failed:
                failures = list(map(_failure, response.failures))
                raise FilesError("can't be deleted", failures, response.failed, response.truncated, deleted)
            if not response.truncated or not response.deleted:
                return deleted


def _check(what: str, summary: Optional[pb.FilesSummary], result: Any) -> None:
    if summary is None:
        raise FilesError("can't be told: the server's reply has no end", [], 0, True, result)
    if summary.failed or summary.truncated:
        raise FilesError(what, list(map(_failure, summary.failures)), summary.failed, summary.truncated, result)
