import asyncio
async def inner():
    raise KeyError("async key")
async def main():
    await inner()
asyncio.run(main())
