import textwrap, string
print(textwrap.fill("The quick brown fox jumps over the lazy dog", 20))
print(textwrap.dedent("    a\n      b\n"), textwrap.shorten("many words are here", 12))
print(string.Template("$a and ${b}").substitute(a=1, b=2), string.ascii_lowercase[:5], string.capwords("a bc"))
print(textwrap.indent("x\ny", "> "))
