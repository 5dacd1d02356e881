import tokenize, io, keyword
toks = tokenize.generate_tokens(io.StringIO("x = (1)\n").readline)
print([(tokenize.tok_name[t.type], t.string) for t in toks])
print(keyword.iskeyword("for"), keyword.iskeyword("print"), "x1".isidentifier())
