import asyncio
async def agen(n):
    try:
        for i in range(n):
            yield i
            await asyncio.sleep(0)
    finally:
        print("closed")
class Ctx:
    async def __aenter__(self):
        print("enter")
        return self
    async def __aexit__(self, *exc):
        print("exit", exc[0].__name__)
        return True
async def main():
    print([x async for x in agen(3) if x != 1])
    async with Ctx():
        raise KeyError("k")
    g = agen(5)
    print(await g.__anext__())
    await g.aclose()
asyncio.run(main())
