"""Of the Python half of the harness: what becomes of a worker that is copied. A worker runs this text when it is first asked for copies.

The worker looks at what it has that can't be copied, and is then copied by `make_copies` of the native half. A copy gets all that it shares with the worker by now as its own:
its streams, the files that are open, memory that is mapped to be shared or is a file of the worker's.
"""

import fcntl
import stat

OBSTACLES = ("threads", "child_processes", "sockets", "event_loop", "pipes", "descriptors")  # in this order: src/executor/branch.rs
COPY_HEADER = struct.Struct("<BBQ")  # kind, has seed, seed; the rest is the path of the copy's files, or nothing where that is the worker's
NOT_TO_REPEAT = os.O_CREAT | os.O_EXCL | os.O_TRUNC | os.O_NOCTTY | os.O_NOFOLLOW | os.O_TMPFILE & ~os.O_DIRECTORY
DELETED = " (deleted)"
SHARED_WITHOUT_FILE = "/dev/zero" + DELETED
PIECE_BYTES = 1 << 20


class Held:
    """What a worker has that its copies need to have for themselves."""

    def __init__(self):
        self.streams = [], []  # descriptors of stdout's pipe and of stderr's
        self.files = []  # descriptors of files and directories, with their paths and what fstat tells
        self.twins = {}  # of those, descriptors that share their position with one before, and that one
        self.mapped = []  # mappings: first address, size, protection, whether it is shared, offset, inode, path
        self.pid = getpid()
        self.random = None
        self.cwd = None


def copy_worker(worker):
    """Has the worker copied. Returns what `exchange` is to send: in a copy, that it is ready."""
    try:
        held, found = look_at(worker)
    except Exception as error:
        held, found = None, [("descriptors", "what the program holds can't be told: {}".format(error))]
    answer = pack_obstacles(found, held is not None and bool(held.mapped or held.files))
    if found:
        return answer
    made = worker.native.make_copies(answer)
    if type(made) is not tuple:
        return b""
    try:
        become_copy(worker, held, *made)
    except BaseException as error:
        try:
            os.write(2, "the copy could not be made: {!r}\n".format(error).encode("utf-8", "replace"))
        finally:
            leave(70)
    return struct.pack("<IB", 1, READY)


def pack_obstacles(found, shares):
    """`shares`: copies read of the worker what it would change if it went on before they are ready."""
    body = struct.pack("<BBB", OBSTACLES_FRAME, shares, len(found))
    for word, sentence in found:
        text = encode(sentence)[:TEXT_BYTES_MAX // len(OBSTACLES)]
        body += struct.pack("<BI", OBSTACLES.index(word), len(text)) + text
    return struct.pack("<I", len(body)) + body


def look_at(worker):
    """What the worker holds, and each kind of what can't be copied, with a sentence."""
    held, found = Held(), []
    threads, children, fds, maps = look_at_process(worker)
    if threads:
        found.append(("threads", "{} beside the main one".format(counted(threads, "thread runs", "threads run"))))
    if children:
        found.append(("child_processes", counted(children, "child process runs", "child processes run")))
    others = look_at_descriptors(worker, held, fds)
    events = sys.modules.get("asyncio.events")
    if events is not None and events._get_running_loop() is not None:
        others.setdefault("event_loop", []).append("asyncio")
    what = {
        "sockets": ("socket is open", "sockets are open"), "event_loop": ("event loop is there", "event loops are there"),
        "pipes": ("end of a pipe is open", "ends of pipes are open"),
        "descriptors": ("descriptor is open that has no file", "descriptors are open that have no file, or one without a name that can't be read"),
    }
    for word in OBSTACLES:
        if word in others:
            found.append((word, counted(len(others[word]), *what[word]) + ": " + ", ".join(others[word][:8])))
    if not found:
        held.twins = find_twins(held.files)
        held.mapped = query_mappings(worker) if maps is None else read_mappings(worker, maps)
        library = sys.modules.get("random")
        if library is not None:
            held.random = library.getstate()
        try:
            held.cwd = os.getcwd()
        except OSError:
            pass  # it was removed
    return held, found


def look_at_process(worker):
    """How many threads there are beside the main one, how many children run, the numbers of descriptors, and the map's text, or None where it can be read."""
    try:
        os.close(os.open("/proc/self/maps", os.O_RDONLY))
    except PermissionError:
        return told_by_warden(worker)
    return len(os.listdir("/proc/self/task")) - 1, count_children(), os.listdir("/proc/self/fd"), None


def told_by_warden(worker):
    """The same, where the level keeps /proc from episodes."""
    fd = worker.native.ask_for_facts()
    if fd < 0:
        raise OSError(-fd, "the warden does not tell")
    try:
        text = os.pread(fd, os.fstat(fd).st_size, 0)
    finally:
        os.close(fd)
    counts, fds, maps = text.split(b"\n", 2)
    threads, children = map(int, counts.split())
    return threads - 1, children, fds.decode().split(), maps


def counted(number, one, many):
    return "{} {}".format(number, one if number == 1 else many)


def count_children():
    """Children that run. One that has ended and that nobody has waited for is the program's own, and stays so."""
    count = 0
    for thread in os.listdir("/proc/self/task"):
        try:
            with open("/proc/self/task/{}/children".format(thread)) as file:
                pids = file.read().split()
        except OSError:
            continue
        for pid in pids:
            try:
                with open("/proc/{}/stat".format(pid), "rb") as file:
                    count += not file.read().rpartition(b")")[2].lstrip().startswith((b"Z", b"X"))
            except OSError:
                pass  # it has ended
    return count


def look_at_descriptors(worker, held, fds):
    """Sorts what is open. Returns what can't be copied, by its word."""
    others = {}
    for name in fds:
        fd = int(name)
        if fd == CONTROL:
            continue
        try:
            status, path = os.fstat(fd), os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue  # that of the list itself
        kind, identity = stat.S_IFMT(status.st_mode), (status.st_dev, status.st_ino)
        word = None
        if kind == stat.S_IFIFO:
            if identity in worker.streams:
                held.streams[worker.streams.index(identity)].append(fd)
            else:
                word = "pipes"
        elif kind == stat.S_IFSOCK:
            word = "sockets"
        elif kind == stat.S_IFREG and status.st_nlink == 0 and not is_readable(fd):
            word = "descriptors"
        elif kind == stat.S_IFREG and not path.startswith("/memfd:") or kind == stat.S_IFDIR:
            held.files.append((fd, path, status))
        elif path == "anon_inode:[eventpoll]":
            word = "event_loop"
        elif kind not in (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFLNK):
            word = "descriptors"
        if word:
            others.setdefault(word, []).append("{} ({})".format(name, path))
    return others


def find_twins(files):
    """Descriptors that are duplicates of one before: a change of the position of one is seen by the other."""
    opened, twins = {}, {}
    for fd, _, status in files:
        if stat.S_ISREG(status.st_mode) and not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_PATH:  # which has no position
            opened.setdefault((status.st_dev, status.st_ino), []).append(fd)
    for fds in opened.values():
        for place, fd in enumerate(fds):
            later = [other for other in fds[place + 1:] if other not in twins]
            if later and fd not in twins:
                twins.update((other, fd) for other in moved_along(fd, later))
    return twins


def moved_along(fd, others):
    """Of these descriptors, those whose position is that of `fd`."""
    def positions():
        return [(other, os.lseek(other, 0, os.SEEK_CUR)) for other in others]

    position, before = os.lseek(fd, 0, os.SEEK_CUR), positions()
    os.lseek(fd, position ^ 1, os.SEEK_SET)
    after = positions()
    os.lseek(fd, position, os.SEEK_SET)
    return [other for (other, old), (_, new) in zip(before, after) if old != new]


def is_readable(fd):
    """Whether what is in a file can be read by this descriptor."""
    try:
        os.pread(fd, 0, 0)
    except OSError:
        return False
    return True


def query_mappings(worker):
    """As `read_mappings`, by asking the kernel for each mapping, or by its text where it does not answer (Linux before 6.11)."""
    found, address = [], 0
    places = b"\0".join(map(os.fsencode, worker.places()))
    with open("/proc/self/maps", "rb", buffering=0) as file:
        while True:
            mapping = worker.native.next_own_mapping(file.fileno(), address, places)
            if mapping is None:
                return found
            if type(mapping) is int:
                return read_mappings(worker, file.readall())
            start, address, flags, offset, inode, path = mapping
            found.append((start, address - start, flags & 7, flags & 8 != 0, offset, inode, os.fsdecode(path)))


def read_mappings(worker, text):
    """Mappings whose memory a copy would share, of no file or of one without a name, and those of the episode's own files: first address, size, protection, whether it is shared, offset, inode, path."""
    found = []
    for line in text.splitlines():
        fields = line.split(None, 5)
        if len(fields) < 5:
            continue
        shared = fields[1].endswith(b"s")
        path = os.fsdecode(fields[5]) if len(fields) == 6 else SHARED_WITHOUT_FILE if shared else ""
        if shared and path.endswith(DELETED) or path.startswith("/") and worker.owns(path):
            start, end = (int(address, 16) for address in fields[0].split(b"-"))
            protection = sum(bit for bit, letter in ((1, b"r"), (2, b"w"), (4, b"x")) if letter in fields[1])
            found.append((start, end - start, protection, shared, int(fields[2], 16), int(fields[4]), path))
    return found


def become_copy(worker, held, order, stdout, stderr):
    """Makes this process, which shares with the one that it is a copy of whatever a fork shares, one of its own."""
    worker.pid = getpid()
    _, has_seed, seed = COPY_HEADER.unpack_from(order)
    worker.streams = [(status.st_dev, status.st_ino) for status in map(os.fstat, (stdout, stderr))]
    for new, fds in zip((stdout, stderr), held.streams):
        for fd in fds:
            os.dup2(new, fd, os.get_inheritable(fd))
        os.close(new)
    home = os.fsdecode(order[COPY_HEADER.size:])
    moved = move_paths(worker, held.pid, home)
    try:
        os.chdir(moved(held.cwd or worker.home))
    except OSError:
        os.chdir(worker.home)
    renewed = {}
    for fd, path, status in held.files:
        if fd in held.twins:
            os.dup2(held.twins[fd], fd, os.get_inheritable(fd))
        else:
            renew_file(fd, path, moved(path), status)
        access = fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_PATH | os.O_ACCMODE)
        if access == os.O_RDWR or access == os.O_RDONLY and status.st_ino not in renewed:
            renewed[status.st_ino] = fd
    later = []
    for start, size, protection, shared, offset, inode, path in held.mapped:
        if not renew_mapping(worker, renewed, start, size, protection, shared, offset, inode, moved(path)):
            later.append((start, size, protection))
    failed = worker.native.copy_is_ready()
    if failed:
        raise OSError(-failed, "the warden refuses it")
    for start, size, protection in later:
        renew_memory(worker, start, size, protection, True)
    if has_seed:
        reseed_all(seed)
    elif held.random is not None:
        sys.modules["random"].setstate(held.random)


def move_paths(worker, pid, home):
    """Lets everything that names the directory of the worker's files name that of the copy's, `home`, if it has another. Returns what tells the new path of an old one."""
    places = [("/proc/{}".format(pid), "/proc/self")]
    if home:
        # What is around the directory is the copy's own, too.
        old, new = os.path.dirname(worker.home), os.path.dirname(home)
        places.append((worker.home, home))
        places += [(old, new)] if old != "/" else [(Worker.temporary, new + "/tmp"), (Worker.shared_memory, new + "/shm")]

    def moved(path):
        for old, new in places:
            if path == old or path.startswith(old + "/"):
                return new + path[len(old):]
        return path

    if home:
        move_home(worker, home, moved)
    return moved


def move_home(worker, home, moved):
    temporary = Worker.temporary
    for name in ("HOME", "PWD", "TMPDIR"):
        value = os.environ.get(name)
        if value is not None:
            os.environ[name] = moved(value)
    library = sys.modules.get("tempfile")
    if library is not None and type(library.tempdir) is str:
        library.tempdir = moved(library.tempdir)
    sys.path[:] = [moved(path) if type(path) is str else path for path in sys.path]
    worker.home, Worker.temporary, Worker.shared_memory = home, moved(temporary), moved(Worker.shared_memory)


def renew_file(fd, old_path, path, status):
    """Opens a file again, so that its position is this process's own, under the same number."""
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    regular = stat.S_ISREG(status.st_mode)
    position = os.lseek(fd, 0, os.SEEK_CUR) if regular and not flags & os.O_PATH else None
    flags &= ~NOT_TO_REPEAT
    if regular:
        flags &= ~os.O_DIRECTORY  # a part of O_TMPFILE
    if regular and status.st_nlink == 0:
        new = copy_nameless(fd, flags, status)
    else:
        new = None
        try:
            new = os.open(path, flags)
            found = os.fstat(new)
            if path == old_path and status.st_nlink and not same_place(found, status):
                os.close(new)
                new = None
        except OSError:
            if path != old_path:
                raise
        if new is None:
            # Its name is another's by now, and it is no file of the episode's own.
            new = os.open("/proc/self/fd/{}".format(fd), flags)
    if position is not None:
        os.lseek(new, position, os.SEEK_SET)
    os.dup2(new, fd, os.get_inheritable(fd))
    os.close(new)


def same_place(found, status):
    """Whether two files are the same, or are at the same place of two file systems."""
    return found.st_dev != status.st_dev or found.st_ino == status.st_ino


def copy_nameless(fd, flags, status):
    """A file that has no name any more is copied by its descriptor. It may be another user's by now, who lets nobody open it again."""
    target = open_nameless()
    at = 0
    while True:
        piece = os.pread(fd, PIECE_BYTES, at)
        if not piece:
            break
        while piece:
            written = os.pwrite(target, piece, at)
            at, piece = at + written, piece[written:]
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    new = os.open("/proc/self/fd/{}".format(target), flags)
    os.close(target)
    return new


def open_nameless():
    """A new file without a name, also on a file system that makes none such."""
    flags = os.O_RDWR | os.O_CLOEXEC
    try:
        return os.open(Worker.temporary, os.O_TMPFILE | flags, 0o600)
    except OSError:
        path = os.path.join(Worker.temporary, ".{}".format(os.urandom(16).hex()))
        fd = os.open(path, os.O_CREAT | os.O_EXCL | flags, 0o600)
        os.unlink(path)
        return fd


def renew_mapping(worker, renewed, start, size, protection, shared, offset, inode, path):
    """Makes a mapping this process's own. False: it has its content, and is still to be made one that is shared. What was mapped for itself stays as it is, whatever becomes of the file."""
    fd, opened = -1, None
    if shared and inode in renewed and path != SHARED_WITHOUT_FILE:
        fd = renewed[inode]
    elif shared and not path.endswith(DELETED):
        fd = opened = os.open(path, os.O_RDWR if protection & 2 else os.O_RDONLY)
    renew_memory(worker, start, size, protection, fd >= 0, fd, offset)
    if opened is not None:
        os.close(opened)
    return fd >= 0 or not shared


def renew_memory(worker, start, size, protection, shared, fd=-1, offset=0):
    failed = worker.native.renew_mapping(start, size, protection, shared, fd, offset)
    if failed:
        raise OSError(-failed, os.strerror(-failed))


def reseed_all(seed):
    """As after a Reset with this seed."""
    reseed_loaded(seed)
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder) is not SeedLater]
    sys.meta_path.insert(0, SeedLater(seed))
