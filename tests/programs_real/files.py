import getpass
import fcntl
import glob
import mmap
import os
import pathlib
import shutil
import tempfile

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder)
    (path / "a" / "b").mkdir(parents=True)
    (path / "a" / "b" / "c.txt").write_text("text")
    os.symlink("c.txt", path / "a" / "b" / "link")
    os.link(path / "a" / "b" / "c.txt", path / "hard")
    print(sorted(p.relative_to(path).as_posix() for p in path.rglob("*")))
    print((path / "a/b/link").read_text(), (path / "hard").stat().st_nlink)
    shutil.copytree(path / "a", path / "copy", symlinks=True)
    shutil.move(path / "copy", path / "moved")
    print(sorted(os.path.basename(p) for p in glob.glob(f"{folder}/**/*", recursive=True)))
    shutil.make_archive(os.path.join(folder, "archive"), "gztar", path / "a")
    print(os.path.getsize(path / "archive.tar.gz") > 0)
    os.chmod(path / "hard", 0o600)
    os.truncate(path / "hard", 2)
    os.utime(path / "hard", (1, 2))
    print(oct((path / "hard").stat().st_mode), (path / "hard").stat().st_mtime, (path / "hard").read_text())
print(os.path.exists(folder))

with tempfile.NamedTemporaryFile() as file, tempfile.SpooledTemporaryFile() as spooled, tempfile.TemporaryFile() as plain:
    for each in (file, spooled, plain):
        each.write(b"some bytes")
        each.seek(0)
        print(each.read())
    fcntl.flock(file, fcntl.LOCK_EX)
    fcntl.lockf(plain, fcntl.LOCK_EX)

with open("mapped", "w+b") as file:
    file.truncate(mmap.PAGESIZE)
    with mmap.mmap(file.fileno(), 0) as view:
        view[:5] = b"hello"
        view.flush()
    print(file.read(5))
shared = mmap.mmap(-1, mmap.PAGESIZE)
if os.fork() == 0:
    shared[0] = 42
    os._exit(0)
os.wait()
print(shared[0])
fd = os.open(".", os.O_RDONLY)
print(os.listdir(fd) == os.listdir("."), os.stat("mapped", dir_fd=fd).st_size == mmap.PAGESIZE)
print(shutil.disk_usage(".").total > 0, os.access("mapped", os.W_OK))
os.mkfifo("fifo")
print(os.stat("fifo").st_mode & 0o170000 == 0o010000)
print(getpass.getuser())
