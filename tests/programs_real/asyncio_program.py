import asyncio
import sys


async def square(n):
    await asyncio.sleep(0.001 * (5 - n))
    return n * n


async def main():
    print(await asyncio.gather(*map(square, range(5))))
    print(await asyncio.to_thread(sum, range(10)))
    queue = asyncio.Queue()
    await asyncio.gather(queue.put("queued"), asyncio.sleep(0))
    print(await queue.get())
    try:
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
    except asyncio.TimeoutError:
        print("timed out")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(input()[::-1])", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    print((await process.communicate(b"abc\n"))[0], process.returncode)
    shell = await asyncio.create_subprocess_shell("exit 3")
    print(await shell.wait())
    loop = asyncio.get_running_loop()
    print(await loop.run_in_executor(None, pow, 2, 10))


asyncio.run(main())
