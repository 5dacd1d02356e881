"""500 episodes through a proxy to three servers, of which one after the other drains and restarts, one hangs, and one is killed.

deploy/proxy/test runs it: it makes the stubs and finds the programs. One client with one HTTP/2 connection steps all episodes. Every
reply has to belong to its episode and step, by its fields and by a variable in the episode that counts the steps that ran. Each episode
that was lost is told so once, by an error with a reason, and the client then starts a new one.
"""

import argparse
import asyncio
import collections
import contextlib
import dataclasses
import os
import signal
import socket
import sys
import tempfile
import time
import uuid
from pathlib import Path

import grpc
from google.rpc import error_details_pb2, status_pb2

from coding_env.v1 import coding_env_pb2 as pb
from coding_env.v1 import coding_env_pb2_grpc as rpc
from grpc_health.v1 import health_pb2

HERE = Path(__file__).resolve().parent
SERVERS = 3
SERVER_HEADER = "x-coding-env-server"
# The reasons that tell of an episode's end: the contract, "Errors".
LOST = {"EPISODE_SERVER_GONE", "EPISODE_NOT_FOUND", "EPISODE_CLOSED", "EPISODE_ENDED", "EPISODE_LOST"}
# Steps of an episode, before it is closed and the next one begins.
STEPS = 6
# How long an episode thinks between two steps, in seconds: from none to twice this.
PAUSE = 1.5
# The time between the first Resets, in seconds.
BEGIN_EVERY = 0.02
# Bounds, in seconds: of a call with all its retries, of anything that is waited for, of the whole.
CALL_WITHIN, WAIT_WITHIN, ALL_WITHIN = 120, 120, 540
DRAIN_SECONDS = 60


class Failed(Exception):
    """What the test found wrong."""


def reason_of(error):
    """The reason in an error's details, and how long to wait before a retry; None where the server did not say."""
    reason = retry = None
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
                    info = error_details_pb2.ErrorInfo()
                    detail.Unpack(info)
                    reason = info.reason
                elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
                    info = error_details_pb2.RetryInfo()
                    detail.Unpack(info)
                    retry = info.retry_delay.ToTimedelta().total_seconds()
    return reason, retry


@dataclasses.dataclass
class Lost(Exception):
    """The episode is no more, and the server said why."""

    reason: str
    message: str
    server: str


def free_ports(count):
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in listeners:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in listeners]


class Server:
    """One server, which can be started again under its name and at its address."""

    def __init__(self, program, index, port, folder):
        self.id, self.port, self.folder = f"coding-env-{index}", port, folder
        self.command = [program, "serve", "--listen", f"127.0.0.1:{port}", "--server-id", self.id]
        self.command += ["--warm-workers", "8", "--threads", "1", "--drain-timeout", f"{DRAIN_SECONDS}s", "--transforms", "none"]
        self.command += ["--log", "warn", "--state-dir", folder]
        self.process = None

    async def start(self):
        environment = {"PATH": os.environ["PATH"]}
        self.process = await asyncio.create_subprocess_exec(*self.command, env=environment, stdin=asyncio.subprocess.DEVNULL)
        await until(f"{self.id} to be ready", self.is_ready)

    async def is_ready(self):
        if self.process.returncode is not None:
            raise Failed(f"{self.id} ended with {self.process.returncode} at its start")
        return await self.readiness() == health_pb2.HealthCheckResponse.SERVING

    async def readiness(self):
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            check = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                return (await check(health_pb2.HealthCheckRequest(service="readiness"), timeout=2)).status
            except grpc.aio.AioRpcError:
                return None

    async def drain(self):
        """Ends it by SIGTERM; returns once it has ended."""
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), DRAIN_SECONDS + WAIT_WITHIN)
        if code != 0:
            raise Failed(f"{self.id} ended its drain with {code}")

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def kill_now(self):
        self.process.kill()

    async def kill(self):
        if self.process and self.process.returncode is None:
            self.process.kill()
            await asyncio.wait_for(self.process.wait(), WAIT_WITHIN)


async def until(what, condition):
    deadline = time.monotonic() + WAIT_WITHIN
    while not await condition():
        if time.monotonic() > deadline:
            raise Failed(f"waited {WAIT_WITHIN} s for {what}")
        await asyncio.sleep(0.05)


class World:
    """What all episodes have seen, and what goes on."""

    def __init__(self, stub):
        self.stub = stub
        self.stopping = False
        # Where each live episode is.
        self.homes = {}
        # Resets that each server has answered.
        self.placed = {}
        # Episodes that began, those that were closed, and those that were lost, with the reason.
        self.begun = set()
        self.closed = set()
        self.lost = {}
        self.steps = self.retries = self.refused = 0
        self.slowest_reset = 0.0

    def at(self, server):
        return {episode for episode, home in self.homes.items() if home == server}

    async def call(self, method, request, server):
        """A call with its retries: the same request again, to wherever the proxy sends it."""
        deadline = time.monotonic() + CALL_WITHIN
        pause = 0.02
        while True:
            # An episode's own calls bear the name of its server; a Reset asks for any.
            metadata = [("x-episode-id", request.episode_id)]
            if server:
                metadata.append((SERVER_HEADER, server))
            try:
                call = method(request, metadata=metadata, timeout=CALL_WITHIN)
                reply = await call
                told = dict(await call.initial_metadata()).get(SERVER_HEADER)
                if told != reply.server_id:
                    raise Failed(f"the header says server {told}, the reply {reply.server_id}")
                return reply
            except grpc.aio.AioRpcError as error:
                reason, retry = reason_of(error)
                if reason in LOST:
                    raise Lost(reason, error.details(), server) from error
                broken = reason is None and error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN)
                if not broken and retry is None:
                    raise Failed(f"{type(request).__name__}: {error.code()} {reason} {error.details()}") from error
                if time.monotonic() > deadline:
                    raise Failed(f"{type(request).__name__} was refused for {CALL_WITHIN} s: {error.details()}") from error
                self.retries += broken
                self.refused += not broken
            await asyncio.sleep(retry or pause)
            pause = min(pause * 2, 1)

    async def episode(self, number):
        """One episode after the other, until the test stops. They begin one by one: a Reset forks an interpreter."""
        await asyncio.sleep(number * BEGIN_EVERY)
        while not self.stopping:
            await self.one_episode(number)

    async def one_episode(self, number):
        episode, tag = str(uuid.uuid4()), f"tag-{number}-{uuid.uuid4().hex[:8]}"
        begun = time.monotonic()
        reset = await self.call(self.stub.Reset, pb.ResetRequest(episode_id=episode, request_id=str(uuid.uuid4())), None)
        self.slowest_reset = max(self.slowest_reset, time.monotonic() - begun)
        home = reset.server_id
        self.placed[home] = self.placed.get(home, 0) + 1
        self.homes[episode] = home
        self.begun.add(episode)
        try:
            for index in range(STEPS):
                # The variable tells how often steps ran, the tag whose they are; both are the episode's own.
                code = f"tag, ran = {tag!r}, 1\nprint(tag, ran)" if index == 0 else "ran += 1\nprint(tag, ran)"
                request = pb.StepRequest(episode_id=episode, action=pb.CodeAction(code=code), step_index=index)
                reply = await self.call(self.stub.Step, request, home)
                seen = (reply.server_id, reply.state.episode_id, reply.step_index, reply.state.step_count, reply.observation.stdout)
                wanted = (home, episode, index, index + 1, f"{tag} {index + 1}\n")
                if seen != wanted:
                    raise Failed(f"step {index} of {episode}: {seen} instead of {wanted}")
                self.steps += 1
                await asyncio.sleep(PAUSE * 2 * (hash((number, index)) % 97) / 97)
            reply = await self.call(self.stub.Close, pb.CloseRequest(episode_id=episode), home)
            if not reply.closed:
                raise Failed(f"episode {episode} of {home} was not there any more at its Close")
            self.closed.add(episode)
        except Lost as lost:
            self.lost[episode] = lost
            await self.stays_lost(episode, home)
        finally:
            del self.homes[episode]


    async def stays_lost(self, episode, home):
        """Whoever asks again gets no other answer: nothing runs in an episode that was given up."""
        request = pb.StepRequest(episode_id=episode, action=pb.CodeAction(code="ran += 1"))
        try:
            await self.call(self.stub.Step, request, home)
        except Lost:
            return
        raise Failed(f"a step ran in {episode}, of which was told that it is lost")


async def proxy_of(command, environment, listen, log):
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
    )

    async def answers():
        if process.returncode is not None:
            raise Failed(f"the proxy ended with {process.returncode} at its start")
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", listen)
        except OSError:
            return False
        writer.close()
        return True

    await until("the proxy to listen", answers)
    return process


async def streamed(stub):
    """Output comes through the proxy while the code runs, whole and in order."""
    lines = 100
    reset = await stub.Reset(pb.ResetRequest(episode_id=str(uuid.uuid4())), timeout=CALL_WITHIN)
    episode, metadata = reset.state.episode_id, [(SERVER_HEADER, reset.server_id)]
    code = f"import time\nfor n in range({lines}): print('line', n); time.sleep(0.01)"
    step = pb.StepRequest(episode_id=episode, action=pb.CodeAction(code=code), step_index=0)
    request = pb.StepStreamRequest(step=step, heartbeat={"nanos": 100_000_000})
    text, pieces, reply = b"", 0, None
    async for response in stub.StepStream(request, metadata=metadata, timeout=CALL_WITHIN):
        if reply is not None:
            raise Failed("a response came after the reply")
        kind = response.WhichOneof("event")
        if kind == "reply":
            reply = response.reply
        elif kind == "piece":
            piece = response.piece
            if (piece.offset, piece.dropped_bytes) != (len(text), 0):
                raise Failed(f"a piece at {piece.offset}, {piece.dropped_bytes} bytes dropped, after {len(text)} bytes")
            text += piece.data
            pieces += 1
    wanted = "".join(f"line {n}\n" for n in range(lines))
    if reply is None or text.decode() != wanted or reply.observation.stdout != wanted:
        raise Failed(f"a streamed step printed {text!r}, and replied {reply}")
    # A proxy that waited for the end would make one or two of them.
    if pieces < lines / 10:
        raise Failed(f"{lines} lines came in {pieces} pieces")
    await stub.Close(pb.CloseRequest(episode_id=episode), metadata=metadata, timeout=CALL_WITHIN)
    print(f"a streamed step: {lines} lines in {pieces} pieces", flush=True)


async def placed_on(world, server, tasks):
    """Waits until a server has got a new episode."""
    before = world.placed.get(server.id, 0)

    async def got_one():
        for task in tasks:
            if task.done():
                task.result()
        return world.placed.get(server.id, 0) > before

    await until(f"a new episode on {server.id}", got_one)


async def story(world, servers, tasks, episodes):
    """What happens to the servers, while the episodes go on."""

    def say(what):
        print(f"{time.monotonic() - start:6.1f} s  {what}", flush=True)

    start = time.monotonic()

    async def all_there():
        for task in tasks:
            if task.done():
                task.result()
        return len(world.homes) >= episodes * 0.9

    await until("the episodes to begin", all_there)
    shares = [len(world.at(server.id)) for server in servers]
    say(f"{len(world.homes)} episodes live on one connection: {shares}")
    if min(shares) < episodes / SERVERS / 2:
        raise Failed(f"the episodes are not spread over the servers: {shares}")

    for server in servers:
        held = len(world.at(server.id))
        await server.drain()
        say(f"{server.id} drained: it held {held} episodes, and {len(world.lost)} were lost")
        if world.lost:
            raise Failed(f"a drained server lets its episodes go on to their end: {list(world.lost.values())[:5]}")
        await server.start()
        await placed_on(world, server, tasks)
        say(f"{server.id} is back, and has new episodes")

    # A server that answers nothing any more, as one whose machine has gone; then one that is killed.
    frozen = await lost_with(world, servers, servers[2], servers[2].freeze, tasks, episodes)
    say(f"{servers[2].id} was frozen: it held {len(frozen)} episodes, and every one was told")
    servers[2].thaw()
    await placed_on(world, servers[2], tasks)
    say(f"{servers[2].id} goes on, and has new episodes")
    killed = await lost_with(world, servers, servers[1], servers[1].kill_now, tasks, episodes)
    say(f"{servers[1].id} was killed: it held {len(killed)} episodes, and every one was told")
    return frozen | killed, {servers[1].id, servers[2].id}


async def lost_with(world, servers, victim, strike, tasks, episodes):
    """Takes a server away; returns its episodes once each has been told, and the others have taken its place."""

    async def holds_its_share():
        return len(world.at(victim.id)) >= episodes / SERVERS / 4

    await until(f"episodes on {victim.id}", holds_its_share)
    # Replies of Resets that are under way may add a few.
    held = world.at(victim.id)
    strike()

    async def all_told():
        for task in tasks:
            if task.done():
                task.result()
        return not world.at(victim.id)

    await until(f"every episode of {victim.id} to be told", all_told)
    for server in servers:
        if server is not victim:
            await placed_on(world, server, tasks)

    async def as_many_as_before():
        return len(world.homes) >= episodes * 0.9

    await until("as many live episodes as before", as_many_as_before)
    return held


async def run(arguments):
    print(f"{arguments.episodes} episodes, {SERVERS} servers of {arguments.program}, {arguments.name}", flush=True)
    listen, *ports = free_ports(1 + SERVERS)
    proxy = channel = None
    tasks = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp", prefix="coding-env-proxy-"))
        os.chmod(folder, 0o711)
        log = stack.enter_context(open(Path(folder) / "proxy.log", "w+", encoding="utf-8", errors="replace"))
        servers = []
        for index, port in enumerate(ports):
            place = Path(folder) / str(index)
            place.mkdir(mode=0o1777)
            place.chmod(0o1777)
            servers.append(Server(arguments.program, index, port, str(place)))
        try:
            await asyncio.gather(*(server.start() for server in servers))
            proxy = await proxy_of(*arguments.make(listen, ports, folder), listen, log)
            # No retries of the library's own, so that every one is this test's, and counted.
            options = [("grpc.enable_retries", 0), ("grpc.max_reconnect_backoff_ms", 200), ("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{listen}", options=options)
            world = World(rpc.CodingEnvStub(channel))
            await streamed(world.stub)
            tasks = [asyncio.create_task(world.episode(number)) for number in range(arguments.episodes)]
            held, struck = await story(world, servers, tasks, arguments.episodes)
            world.stopping = True
            await asyncio.wait_for(asyncio.gather(*tasks), WAIT_WITHIN)
            check(world, held, struck)
        except Failed:
            log.seek(0)
            print("the proxy's log ends:", *log.read().splitlines()[-30:], sep="\n  ", flush=True)
            raise
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if channel:
                await channel.close()
            for server in servers:
                await server.kill()
            if proxy and proxy.returncode is None:
                proxy.kill()
                await proxy.wait()


def check(world, held, struck):
    told = dict(collections.Counter(lost.reason for lost in world.lost.values()))
    print(f"steps {world.steps}, episodes closed {len(world.closed)}, lost {len(world.lost)} {told}")
    print(f"calls sent again because a connection broke {world.retries}, because the server asked for it {world.refused}")
    print(f"slowest reset {world.slowest_reset:.2f} s; episodes by server {dict(sorted(world.placed.items()))}")
    strangers = [lost for lost in world.lost.values() if lost.server not in struck]
    if strangers:
        raise Failed(f"episodes of living servers were lost: {strangers}")
    # One that its server had closed before, and whose reply was under way, is not lost.
    untold = held - world.lost.keys() - world.closed
    if untold:
        raise Failed(f"episodes of a server that was gone were told nothing: {untold}")
    # Each is told its end once, and no other than one of the two.
    if world.closed & world.lost.keys() or world.begun != world.closed | world.lost.keys():
        raise Failed("an episode was both closed and lost, or neither")
    if not world.lost:
        raise Failed("the servers that were taken away held no episode")


def haproxy(listen, ports, _folder):
    environment = {f"SERVER_{index}": f"127.0.0.1:{port}" for index, port in enumerate(ports)}
    environment |= {"LISTEN": f"127.0.0.1:{listen}", "PATH": os.environ["PATH"]}
    return ["haproxy", "-db", "-f", str(HERE / "haproxy.cfg")], environment


PROXIES = {"haproxy": haproxy}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, help="the coding-env to run")
    parser.add_argument("--proxy", dest="name", choices=PROXIES, default="haproxy")
    parser.add_argument("--episodes", type=int, default=500)
    arguments = parser.parse_args()
    arguments.make = PROXIES[arguments.name]
    try:
        asyncio.run(asyncio.wait_for(run(arguments), ALL_WITHIN))
    except (Failed, asyncio.TimeoutError) as error:
        sys.exit(f"failed: {str(error) or f'not done within {ALL_WITHIN} s'}")
    print("ok")


if __name__ == "__main__":
    main()
