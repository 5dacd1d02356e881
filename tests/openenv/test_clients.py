"""What users' programs do, with the package that is installed."""

import asyncio
import concurrent.futures
import subprocess
import threading
import unittest

from support import CodeAction, CodingEnv, Server, newest
from openenv.core.generic_client import GenericEnvClient


def code(source):
    return CodeAction(code=source)


class WithServer(unittest.TestCase):
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(*cls.flags)
        cls.addClassCleanup(cls.server.stop)

    def sync(self, **options):
        env = CodingEnv(base_url=self.server.url, **options).sync()
        self.addCleanup(env.close)
        return env


class Sessions(WithServer):
    def test_async(self):
        async def use():
            async with CodingEnv(base_url=self.server.url) as env:
                result = await env.reset()
                self.assertEqual((result.reward, result.done), (0.0, False))
                result = await env.step(code("x = 20"))
                self.assertEqual((result.observation.stdout, result.reward), ("20", 0.1))
                result = await env.step(code("print(x + 1)"))
                self.assertEqual(result.observation.stdout, "21\n")
                result = await env.step(code("print('before')\n1/0"))
                self.assertEqual((result.observation.stdout, result.observation.exit_code), ("before\n", 1))
                self.assertTrue(result.observation.stderr.endswith("ZeroDivisionError: division by zero\n"))
                state = await env.state()
                self.assertEqual((state.step_count, state.last_exit_code), (3, 1))
                return state.episode_id

        first, second = asyncio.run(use()), asyncio.run(use())
        self.assertNotEqual(first, second)

    def test_sync(self):
        with CodingEnv(base_url=self.server.url).sync() as env:
            env.reset(seed=7, episode_id="mine", whatever=[1])
            drawn = env.step(code("import random; random.random()")).observation.stdout
            state = env.state()
            self.assertEqual((state.episode_id, state.step_count), ("mine", 1))
            env.reset(seed=7)
            self.assertEqual(env.step(code("import random; random.random()")).observation.stdout, drawn)
            self.assertEqual(env.state().step_count, 1)

    def test_addresses_as_users_write_them(self):
        for url in (self.server.url + "/", self.server.url.replace("http://", "ws://"), self.server.url.split("://")[1]):
            with CodingEnv(base_url=url).sync() as env:
                self.assertEqual(env.step(code("1")).observation.stdout, "1")

    def test_generic_client(self):
        with GenericEnvClient(base_url=self.server.url).sync() as env:
            env.reset()
            result = env.step({"code": "print('generic')"})
            self.assertEqual(result.observation["stdout"], "generic\n")
            with self.assertRaisesRegex(RuntimeError, r"Invalid message \(code: VALIDATION_ERROR\)"):
                env.step({"message": "no code"})
            self.assertEqual(env.step({"code": "1"}).observation["stdout"], "1")

    def test_what_ends_a_program_ends_no_session(self):
        env = self.sync()
        env.step(code("x = 'kept'"))
        self.assertEqual(env.step(code("raise SystemExit(3)")).observation.exit_code, 3)
        self.assertEqual(env.step(code("print(x)")).observation.stdout, "kept\n")

    def test_a_lost_episode_is_done_and_a_reset_goes_on(self):
        env = self.sync()
        result = env.step(code("import os; os._exit(9)"))
        self.assertEqual((result.done, result.observation.exit_code), (True, 9))
        with self.assertRaisesRegex(RuntimeError, "EXECUTION_ERROR"):
            env.step(code("1"))
        env.reset()
        self.assertEqual(env.step(code("1")).observation.stdout, "1")

    def test_reconnect_is_a_fresh_session(self):
        env = self.sync()
        env.step(code("x = 1"))
        env.disconnect()
        env.connect()
        self.assertIn("NameError", env.step(code("x")).observation.stderr)

    def test_large_output_and_source(self):
        env = self.sync()
        self.assertEqual(len(env.step(code("print('x' * 1_000_000)")).observation.stdout), 1_000_001)
        result = env.step(code("y = 1 # " + "\u00e9" * 2_000_000))
        self.assertEqual(result.observation.stdout, "1")

    @unittest.skipUnless(newest(), "openenv-core has no such client")
    def test_mcp(self):
        from openenv.core.mcp_client import MCPToolClient

        async def use():
            async with MCPToolClient(base_url=self.server.url) as env:
                self.assertEqual([tool.name for tool in await env.list_tools()], ["execute_python"])
                await env.call_tool("execute_python", code="x = 41")
                return await env.call_tool("execute_python", code="x + 1")

        self.assertEqual(asyncio.run(use())["stdout"], "42")


class Capacity(WithServer):
    flags = ("--max-episodes", "2")

    def test_one_too_many_is_refused_and_a_place_is_free_at_once(self):
        first, second = self.sync(), self.sync()
        for env in (first, second):
            env.step(code("1"))
        # openenv-core often sees the close before it reads why.
        with self.assertRaises(Exception) as refused:
            self.sync().step(code("1"))
        if newest():
            self.assertIn("CAPACITY_REACHED", str(refused.exception))
        for _ in range(20):
            first.close()
            first = self.sync()
            first.step(code("1"))


class Timeouts(WithServer):
    flags = ("--max-episodes", "1", "--step-timeout", "2s")

    def test_the_servers_timeout_is_an_observation(self):
        env = self.sync()
        env.step(code("x = 'kept'"))
        result = env.step(code("print('begun', flush=True)\nwhile True: pass"))
        self.assertEqual((result.observation.stdout, result.observation.exit_code), ("begun\n", 124))
        self.assertEqual(env.step(code("print(x)")).observation.stdout, "kept\n")


class GivingUp(WithServer):
    flags = ("--max-episodes", "1", "--step-timeout", "10m")

    def test_a_client_that_gives_up_leaves_no_place_taken(self):
        env = CodingEnv(base_url=self.server.url, message_timeout_s=0.5).sync()
        env.step(code("import time"))
        with self.assertRaises((TimeoutError, asyncio.TimeoutError)):
            env.step(code("time.sleep(500)"))
        env.disconnect()
        self.assertEqual(self.sync().step(code("1")).observation.stdout, "1")


class Trainer(WithServer):
    """TRL's pattern: each rollout holds a client and steps it, without connect and without reset, all at the same time."""

    ROLLOUTS = 64

    def test_64_sessions_at_once(self):
        together = threading.Barrier(self.ROLLOUTS, timeout=60)

        def roll_out(number):
            env = CodingEnv(base_url=self.server.url)
            if not newest():
                env = env.sync()
            try:
                env.step(code(f"x = {number}"))
                together.wait()  # all are open
                for turn in range(5):
                    result = env.step(code(f"x += 1; print(x)"))
                    assert result.observation.stdout == f"{number + turn + 1}\n", result
                    assert result.reward == 0.1 and result.done is False
                return env.step(code("x")).observation.stdout
            finally:
                env.close()

        with concurrent.futures.ThreadPoolExecutor(self.ROLLOUTS) as pool:
            shown = list(pool.map(roll_out, range(self.ROLLOUTS)))
        self.assertEqual(shown, [str(number + 5) for number in range(self.ROLLOUTS)])


@unittest.skipUnless(newest(), "openenv-core has no such checks")
class Conformance(WithServer):
    def test_validate(self):
        ran = subprocess.run(["openenv", "validate", "--url", self.server.url], capture_output=True, text=True, timeout=120)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        told = ran.stdout + ran.stderr
        for check in ("openapi_version_available", "health_endpoint", "metadata_endpoint", "schema_endpoint",
                      "mcp_endpoint", "mode_endpoint_consistency"):
            self.assertIn(check, told)
        self.assertNotIn('"passed": false', told)

    def test_runtime_graders(self):
        from types import SimpleNamespace

        from openenv.validation.graders.runtime import basic
        from openenv.validation.runtime.collector import collect_runtime_evidence
        from openenv.validation.runtime.contracts import RuntimePlan

        plan = RuntimePlan.model_validate({
            "plan_schema_version": "1",
            "reset": {"episode_id": "an episode", "seed": 42},
            "actions": [{"code": source} for source in ("x = 1", "print(x)", "1/0", "import os", "x")],
        })
        evidence = collect_runtime_evidence(self.server.url, plan, episode_timeout_s=60)
        self.assertIsNone(evidence.failure_reason)
        subject = SimpleNamespace(
            runtime_evidence=evidence, manifest=SimpleNamespace(reward=SimpleNamespace(range=(-1.2, 0.1))))
        graders = [basic.ObservationSchemaGrader(), basic.RewardWellFormedGrader(), basic.StateContractGrader()]
        for grader in graders:
            result = grader.run(subject)
            self.assertEqual(result.status.value, "pass", f"{grader.check_id}: {result.evidence}")


if __name__ == "__main__":
    unittest.main()
