import sys, types
m = types.ModuleType("handmade", "doc of it")
exec("def f(): return __name__", m.__dict__)
sys.modules["handmade"] = m
import handmade
from handmade import f
print(f(), handmade.__doc__)
del sys.modules["handmade"]
