# What real programs ask of the system, in one file. MANAGER: sockets with names are there.
import asyncio, ctypes, fcntl, json, mmap, multiprocessing, os, random, resource, select, shutil, signal, socket, sqlite3, struct
import subprocess, sys, tempfile, threading, time, uuid, platform, pathlib, tarfile, zipfile, concurrent.futures, queue, faulthandler
import hashlib, secrets, logging, decimal, datetime, glob, pickle, dbm.dumb, ssl, errno

faulthandler.enable()

# threads
seen = []
threads = [threading.Thread(target=seen.append, args=(i,), name="worker") for i in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
assert sorted(seen) == list(range(8))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert sum(pool.map(lambda x: x * x, range(10))) == 285

# asyncio, also with a subprocess and a signal
async def main():
    await asyncio.gather(*(asyncio.sleep(0.001) for _ in range(10)))
    assert await asyncio.get_running_loop().run_in_executor(None, lambda: 5) == 5
    process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    out, _ = await process.communicate(b"hello")
    assert out == b"hello" and process.returncode == 0
    done = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, done.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await done.wait()
asyncio.run(main())

# subprocess
assert subprocess.check_output(["sh", "-c", "echo a; ls / >/dev/null; cat /dev/null | wc -l"]).split() == [b"a", b"0"]
assert subprocess.run([sys.executable, "-c", "raise SystemExit(3)"], start_new_session=True).returncode == 3
assert subprocess.run("exit 4", shell=True, cwd="/").returncode == 4
process = subprocess.Popen(["sleep", "60"])
process.send_signal(signal.SIGTERM)
assert process.wait() == -signal.SIGTERM
assert os.system("true") == 0

# multiprocessing
def double(x):
    return 2 * x

context = multiprocessing.get_context("fork")
with context.Pool(2) as pool:
    assert pool.map(double, range(4)) == [0, 2, 4, 6]
results = context.Queue()
child = context.Process(target=results.put, args=("x",))
child.start()
assert results.get() == "x"
child.join()
one, two = context.Pipe()
one.send([1, 2])
assert two.recv() == [1, 2] and not two.poll()
counter = context.Value("i", 1)
with counter.get_lock():
    counter.value += 1
with concurrent.futures.ProcessPoolExecutor(2, context) as pool:
    assert list(pool.map(double, range(3))) == [0, 2, 4]
if globals().get("MANAGER"):
    with context.Manager() as manager:
        shared = manager.dict()
        children = [context.Process(target=shared.__setitem__, args=(i, i)) for i in range(3)]
        [c.start() for c in children]
        [c.join() for c in children]
        assert dict(shared) == {0: 0, 1: 1, 2: 2}

# files
with tempfile.TemporaryDirectory() as directory:
    root = pathlib.Path(directory)
    (root / "a").mkdir()
    (root / "a" / "f").write_text("text")
    os.symlink("f", root / "a" / "l")
    os.link(root / "a" / "f", root / "a" / "h")
    os.mkfifo(root / "fifo")
    os.chmod(root / "a" / "f", 0o600)
    os.utime(root / "a" / "f", (10**9, 10**9))
    shutil.copy2(root / "a" / "f", root / "g")
    shutil.copytree(root / "a", root / "b")
    shutil.move(root / "b", root / "c")
    assert (root / "c" / "l").read_text() == "text"
    os.truncate(root / "g", 2)
    with open(root / "g", "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        fcntl.lockf(file, fcntl.LOCK_SH)
        os.posix_fallocate(file.fileno(), 0, 8192)
        os.fsync(file.fileno())
        with mmap.mmap(file.fileno(), 8192) as mapping:
            mapping[0:2] = b"zz"
            mapping.flush()
        os.pwrite(file.fileno(), b"q", 5)
        assert os.pread(file.fileno(), 1, 5) == b"q"
        os.writev(file.fileno(), [b"a", b"b"])
    with tarfile.open(root / "t.tar.gz", "w:gz") as archive:
        archive.add(root / "a", "a")
    shutil.unpack_archive(root / "t.tar.gz", root / "u")
    shutil.make_archive(str(root / "z"), "zip", root / "a")
    subprocess.check_call(["cp", "-a", str(root / "a"), str(root / "v")])
    subprocess.check_call(["ls", "-la", str(root)], stdout=subprocess.DEVNULL)
    with tempfile.NamedTemporaryFile(dir=root) as file, tempfile.TemporaryFile() as other:
        file.write(b"x")
        other.write(b"y")
    database = sqlite3.connect(root / "db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table t (a)")
    with database:
        database.executemany("insert into t values (?)", [(i,) for i in range(100)])
    assert database.execute("select sum(a) from t").fetchone() == (4950,)
    database.close()
    assert sorted(os.listdir(root / "a")) == ["f", "h", "l"] and glob.glob(str(root / "a" / "*"))
    shutil.disk_usage(root)
    here = os.getcwd()
    os.chdir(root)
    os.chdir(here)

# ctypes, with a callback
libc = ctypes.CDLL(None)
assert libc.abs(-3) == 3
compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))(lambda a, b: a[0] - b[0])
numbers = (ctypes.c_int * 3)(3, 1, 2)
libc.qsort(numbers, 3, ctypes.sizeof(ctypes.c_int), compare)
assert list(numbers) == [1, 2, 3]

# signals and time
signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01)
signal.pause()
assert seen[-1] == "alarm"
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
signal.raise_signal(signal.SIGUSR2)
assert signal.sigwait({signal.SIGUSR2}) == signal.SIGUSR2
signal.alarm(0)
time.sleep(0.001)
time.get_clock_info("monotonic"), time.process_time(), time.thread_time(), datetime.datetime.now().astimezone()

# forks and waits
pid = os.fork()
if pid == 0:
    os.setsid()
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
pid = os.posix_spawnp("true", ["true"], os.environ)
os.waitid(os.P_PID, pid, os.WEXITED)

# waiting
left, right = socket.socketpair()
left.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
left.settimeout(1)
left.sendall(b"ping")
poll = select.poll()
poll.register(right, select.POLLIN)
assert poll.poll(1000) and select.select([right], [], [], 1)[0]
epoll = select.epoll()
epoll.register(right.fileno(), select.EPOLLIN)
assert epoll.poll(1) and right.recv(4) == b"ping"
if sys.version_info >= (3, 9):
    socket.send_fds(left, [b"f"], [0])
    os.close(socket.recv_fds(right, 1, 1)[1][0])
left.shutdown(socket.SHUT_WR)
if hasattr(os, "eventfd"):
    os.close(os.eventfd(1))

# about the process and the host
resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
resource.getrusage(resource.RUSAGE_CHILDREN), os.times(), os.getloadavg() if os.path.exists("/proc/loadavg") else None
os.nice(0), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0), os.cpu_count(), os.sched_yield()
os.sched_setaffinity(0, os.sched_getaffinity(0))
platform.platform(), os.uname(), os.getgroups(), os.getresuid(), os.umask(0o22), os.sysconf("SC_PAGE_SIZE"), os.getpgid(0)
uuid.uuid4(), secrets.token_bytes(8), os.urandom(8), random.random(), hashlib.sha256(b"").digest()
ssl.create_default_context()
os.closerange(200, 300)
sys.stdout.write("")
os.isatty(0)
json.dumps({"done": True})
