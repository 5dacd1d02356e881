import re
m = re.search(r"(?P<y>\d{4})-(\d\d)", "on 2024-05-01")
print(m.group("y"), m.groups(), m.span(), m)
print(re.sub(r"(\w)(\w*)", lambda m: m[1].upper() + m[2], "hello big world"))
print(re.split(r"[,;]\s*", "a, b;c"), re.findall(r"\b\w", "ab cd"), re.fullmatch("a+", "aab"))
print(re.compile("x", re.I | re.M).flags, re.escape("a.b*c"))
try:
    re.compile("(unclosed")
except re.error as e:
    print(e)
