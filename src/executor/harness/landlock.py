"""What level landlock has instead of /dev/shm, for multiprocessing by fork. A template of that level runs this file in the harness's names.

Semaphores lie in anonymous shared memory, which forks inherit; shared memory in files below TMPDIR. Only multiprocessing's own modules are
given these, and only once they are imported: whoever looks for named semaphores elsewhere finds none, as joblib does, and goes on without.
What needs sockets with names can't be had: the error says so.
"""

import errno

LACKS = "isolation level landlock has no {}; {}"


class InsteadOfSharedMemory(AfterImport):
    """Changes the modules of multiprocessing that can't work as they are."""

    def __init__(self, native):
        super().__init__(CHANGES)
        self.native = native

    def act(self, name, module):
        CHANGES[name](module, self.native)


def use_anonymous_semaphores(module, native):
    real = module._multiprocessing.SemLock
    # musl's sem_close takes only what its sem_open gave (glibc's refuses), so there none may be deleted.
    kept = None if "CS_GNU_LIBC_VERSION" in os.confstr_names else []

    class SemLock(real):
        """A semaphore that has no name."""

        def __new__(cls, kind, value, maxvalue, name, unlink):
            if not unlink:
                raise PermissionError(errno.EACCES, LACKS.format(
                    "named semaphores", "use multiprocessing's start method fork"))
            handle = native.make_semaphore(value)
            if handle < 0:
                raise OSError(-handle, os.strerror(-handle))
            self = cls._rebuild(handle, kind, maxvalue, None)
            if kept is not None:
                kept.append(self)
            return self

        def __del__(self, drop=native.drop_semaphore):
            drop(self.handle)

    SemLock.__module__ = real.__module__
    module._multiprocessing = types.SimpleNamespace(SemLock=SemLock)


def use_files_as_shared_memory(module, native):
    def path(name):
        name = name.lstrip("/")
        if name in ("", ".", "..") or "/" in name:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), name)
        # Looked up each time: a copy's is another one.
        return os.path.join(Worker.temporary, ".shared-memory", name)

    def shm_open(name, flags, mode=0o777):
        os.makedirs(os.path.dirname(path(name)), 0o700, exist_ok=True)
        return os.open(path(name), flags | os.O_NOFOLLOW, mode)

    def shm_unlink(name):
        os.unlink(path(name))

    module._posixshmem = types.SimpleNamespace(shm_open=shm_open, shm_unlink=shm_unlink)


def use_files_as_heap(module, native):
    module.Arena._dir_candidates = []


def tell_of_sockets(*args, **kwargs):
    raise PermissionError(errno.EPERM, LACKS.format(
        "sockets with names, so no managers, listeners and clients of multiprocessing",
        "use its Pipe, Queue, Value, Array or shared_memory"))


def tell_listeners(module, native):
    module.SocketListener = module.SocketClient = tell_of_sockets


def tell_managers(module, native):
    # Otherwise a process that is started for it fails, and all that its parent hears is EOFError.
    module.BaseManager.start = tell_of_sockets


CHANGES = {
    "multiprocessing.synchronize": use_anonymous_semaphores,
    "multiprocessing.shared_memory": use_files_as_shared_memory,
    "multiprocessing.heap": use_files_as_heap,
    "multiprocessing.connection": tell_listeners,
    "multiprocessing.managers": tell_managers,
}


def do_without_shared_memory(native):
    loaded = [name for name in CHANGES if name in sys.modules]
    later = InsteadOfSharedMemory(native)
    sys.meta_path.insert(0, later)
    for name in loaded:
        later.act(name, sys.modules[name])
