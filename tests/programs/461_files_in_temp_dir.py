import os, tempfile, pathlib
with tempfile.TemporaryDirectory() as d:
    p = pathlib.Path(d) / "sub" / "f.txt"
    p.parent.mkdir()
    p.write_text("one\ntwo\nthree", encoding="utf-8")
    with p.open() as f:
        print([line.rstrip() for line in f])
    with open(p, "ab") as f:
        f.write(b"\xc3\xa9")
    print(p.read_text(encoding="utf-8")[-1], p.stat().st_size, p.suffix, p.stem)
    print(sorted(os.listdir(d)), p.relative_to(d), os.path.exists(p))
    p.unlink()
print(os.path.exists(d))
