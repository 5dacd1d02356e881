import re
def tokens(s):
    for num, op in re.findall(r"\s*(?:(\d+)|(.))", s):
        yield int(num) if num else op
def expr(ts):
    v = term(ts)
    while ts and ts[0] in "+-" if isinstance(ts[0] if ts else 0, str) else False:
        v = v + term(ts) if ts.pop(0) == "+" else v - term(ts)
    return v
def term(ts):
    t = ts.pop(0)
    if t == "(":
        v = expr(ts)
        ts.pop(0)
        return v
    if not isinstance(t, int):
        raise SyntaxError(f"unexpected {t!r}")
    return t
print(expr(list(tokens("1 + (20 - 3) + 4"))))
expr(list(tokens("1 + )")))
