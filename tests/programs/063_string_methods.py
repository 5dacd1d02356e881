s = "The quick brown Fox"
print(s.lower(), s.upper(), s.title(), s.swapcase(), s.casefold())
print(s.split(), s.partition(" "), s.rsplit(" ", 1), s.find("q"), s.replace("o", "0"))
print("a,b,,c".split(","), "  x ".strip() + "|", "xxhixx".strip("x"), "abc".center(9, "-"))
print("%s is %d and %.1f %%" % ("x", 3, 2.5), "{0} {1!r} {k:>4}".format("a", "b", k="c"))
print("abc"[::-1], "abc"[-2:], "abc" * 2, "b" in "abc", "abc".encode(), b"\xff\x00".hex())
print("prefix_x".removeprefix("prefix_"), "x.py".removesuffix(".py"))
