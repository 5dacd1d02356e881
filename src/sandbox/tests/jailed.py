# What a program sees and can do in a template's root, before any cell.
import asyncio, ctypes, decimal, errno, hashlib, json, lzma, os, pwd, socket, sqlite3, ssl, subprocess, sys, tempfile, threading, zlib

mode = sys.argv[1]
top = sorted(os.listdir("/"))
allowed = {"bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "proc", "root", "sbin", "tmp", "usr", "workspace", "opt"}
assert set(top) <= allowed, top
assert os.getcwd() == "/"
assert os.listdir("/workspace") == os.listdir("/tmp") == os.listdir("/dev/shm") == []
prefix = os.path.realpath(sys.base_prefix)
if prefix.startswith("/root/"):
    at = "/root"
    while at != prefix:  # nothing beside the way to it
        (name,) = os.listdir(at)
        at += "/" + name
else:
    assert not os.path.exists("/root")
for path in ("/etc/shadow", "/home", "/work", "/var", "/run", "/sys", "/etc/ssl/private", "/etc/ssh", "/boot", "/mnt", "/srv"):
    assert not os.path.lexists(path), path
assert sorted(os.listdir("/dev")) == ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"]
assert [entry.pw_name for entry in pwd.getpwall()] == ["root", "episode", "nobody"]
assert socket.gethostname() == "episode" and socket.gethostbyname("localhost") == "127.0.0.1"
# An empty network: one interface, and it is down.
assert [name for _, name in socket.if_nameindex()] == ["lo"]
probe = socket.socket()
try:
    probe.connect(("127.0.0.1", 9))
except OSError as error:
    assert error.errno in (errno.ENETUNREACH, errno.EADDRNOTAVAIL), error
else:
    raise AssertionError("connected")

open("/dev/null", "w").write("x")
assert open("/dev/zero", "rb").read(1) == b"\0" and len(open("/dev/urandom", "rb").read(4)) == 4
for directory, _, _ in os.walk("/"):
    if directory.startswith(("/proc", "/usr/share", "/usr/lib/")):
        continue
    if directory == "/tmp":
        # The template's own, for its preloads: a few files.
        open("/tmp/probe", "w").write("x" * (1 << 20))
        os.unlink("/tmp/probe")
        assert os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize == 16 << 20
        continue
    try:
        open(directory + "/probe", "w")
    except OSError as error:
        assert error.errno in (errno.EROFS, errno.EACCES), (directory, error)
    else:
        raise AssertionError("wrote in " + directory)
for path in ("/usr/bin/env", "/etc/passwd", "/lib", sys.executable):
    for attempt in (lambda: os.chmod(path, 0o777), lambda: os.rename(path, "/tmp/x"), lambda: os.utime(path)):
        try:
            attempt()
        except OSError as error:
            assert error.errno in (errno.EROFS, errno.EPERM, errno.EBUSY, errno.EACCES, errno.EXDEV), (path, error)
        else:
            raise AssertionError(path)
# The mounts' flags, as a program that may remount would meet them.
for line in open("/proc/self/mountinfo"):
    fields = line.split()
    point, options = fields[4], fields[5].split(",")
    if not point.startswith("/proc"):
        assert ("ro" in options or point == "/tmp") and "nosuid" in options, line
        assert "nodev" in options or point.startswith("/dev/"), line

assert subprocess.check_output(["sh", "-c", "ls / | wc -l"]).split() == [str(len(top)).encode()]
assert b"root" in subprocess.check_output(["ls", "-l", "/"])
assert subprocess.check_output([sys.executable, "-c", "import json; print(json.dumps(1))"]) == b"1\n"
thread = threading.Thread(target=lambda: None)
thread.start()
thread.join()
assert os.getuid() == 0
ssl.create_default_context()
