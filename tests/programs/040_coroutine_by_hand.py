class Awaitable:
    def __await__(self):
        got = yield "ask"
        return got * 2
async def f():
    return await Awaitable() + 1
c = f()
print(c.send(None))
try:
    c.send(20)
except StopIteration as e:
    print(e.value)
