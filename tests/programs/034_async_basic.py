import asyncio
async def work(name, n):
    for i in range(n):
        await asyncio.sleep(0)
        print(name, i)
    return name * 2
async def main():
    return await asyncio.gather(work("a", 2), work("b", 3))
print(asyncio.run(main()))
