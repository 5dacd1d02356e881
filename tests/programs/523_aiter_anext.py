# requires: 3.10
import asyncio
async def g():
    yield 1
    yield 2
async def main():
    it = aiter(g())
    print(await anext(it), await anext(it), await anext(it, "default"))
asyncio.run(main())
