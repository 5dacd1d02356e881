import asyncio
async def inner(n):
    await asyncio.sleep(0)
    raise ValueError(n)
async def outer():
    return await inner(3)
async def main():
    await outer()
import sys
try:
    asyncio.run(main())
except ValueError as e:
    raise RuntimeError("wrapped") from None
