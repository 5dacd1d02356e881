import asyncio
async def inner():
    raise ValueError("from the coroutine")
async def outer():
    await inner()
try:
    asyncio.run(outer())
except ValueError as e:
    print(e, e.__traceback__ is not None)
