import operator, types
print(operator.itemgetter(1, 0)("ab"), operator.attrgetter("real")(3), operator.methodcaller("upper")("x"))
ns = types.SimpleNamespace(a=1, b=[2])
ns.c = 3
print(ns, types.MappingProxyType({"a": 1})["a"])
def f(self): return "bound"
print(types.MethodType(f, object())())
