exec(compile("1 + 1", "<one>", "single"))
exec(compile("'text'", "<two>", "single"))
exec(compile("None", "<three>", "single"))
print(_)
