import io, zipfile, tarfile
b = io.BytesIO()
with zipfile.ZipFile(b, "w") as z:
    z.writestr("a/b.txt", "content")
with zipfile.ZipFile(b) as z:
    print(z.namelist(), z.read("a/b.txt"), z.testzip())
t = io.BytesIO()
with tarfile.open(fileobj=t, mode="w") as tf:
    info = tarfile.TarInfo("x.txt")
    info.size = 3
    tf.addfile(info, io.BytesIO(b"abc"))
t.seek(0)
print(tarfile.open(fileobj=t).getnames())
