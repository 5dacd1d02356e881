# requires: 3.11
import asyncio
async def ok(n):
    await asyncio.sleep(0)
    return n
async def fail():
    raise ValueError("task failed")
async def main():
    async with asyncio.TaskGroup() as tg:
        a, b = tg.create_task(ok(1)), tg.create_task(ok(2))
    print(a.result() + b.result())
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(fail())
    except* ValueError as eg:
        print(eg.exceptions)
asyncio.run(main())
