import contextvars, asyncio
v = contextvars.ContextVar("v", default=0)
ctx = contextvars.copy_context()
def f():
    v.set(5)
    return v.get()
print(ctx.run(f), v.get(), ctx[v])
async def task(n):
    v.set(n)
    await asyncio.sleep(0)
    return v.get()
async def main():
    return await asyncio.gather(task(1), task(2))
print(asyncio.run(main()), v.get())
