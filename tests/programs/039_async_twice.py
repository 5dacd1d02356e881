import asyncio
async def f(x):
    await asyncio.sleep(0)
    return x
print(asyncio.run(f(1)), asyncio.run(f(2)))
try:
    asyncio.get_running_loop()
except RuntimeError as e:
    print(e)
