import functools
@functools.lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(80), fib.cache_info())
print(functools.reduce(lambda a, b: a * b, range(1, 6)), functools.partial(int, base=2)("101"))
@functools.singledispatch
def show(x): return "any"
@show.register
def _(x: int): return "int"
@show.register(list)
def _(x): return "list"
print(show("a"), show(1), show([]))
class C:
    @functools.cached_property
    def v(self):
        print("computed")
        return 1
c = C()
print(c.v, c.v)
print(sorted([3, 1, 2], key=functools.cmp_to_key(lambda a, b: b - a)))
