größe = 3
名前 = "x"
def ñ(π): return π * 2
print(größe, 名前, ñ(2))
ﬁ = 1
print(fi)
