"""The incumbent, to be compared with: OpenEnv's own server and its own executor, both from its package, put together as its coding_env is.

    python3 -m venv /tmp/reference
    /tmp/reference/bin/pip install openenv==0.10.0 smolagents==1.26.0
    /tmp/reference/bin/python3 tests/openenv/reference.py --port 8001
    coding-env bench --only openenv,step_p50_to_openenv,steps_32_to_openenv --openenv http://127.0.0.1:8001

The package has the server and the executor, and not the environment between the two, which is a few lines: here it is as its wire was
recorded, in one respect kinder to it. The stock one takes one session and can't be given more; this one takes `--sessions`.
"""

import argparse
import ast
import re
import uuid

import uvicorn
from openenv.core.env_server import create_app
from openenv.core.env_server.base_transforms import CompositeTransform
from openenv.core.env_server.interfaces import Environment, Transform
from openenv.core.tools.local_python_executor import PyExecutor

from support import CodeAction, CodeObservation, CodeState

# What costs a program its reward: the first that its source matches is told.
DANGEROUS = [re.compile(text) for text in (r"import\s+os", r"import\s+subprocess", r"eval\(", r"exec\(", r"__import__", r"open\(")]


class Safety(Transform):
    def __call__(self, observation):
        code = observation.metadata.get("last_code")
        if code is not None:
            found = next((pattern.pattern for pattern in DANGEROUS if pattern.search(code)), None)
            observation.reward = 0.0 if found is None else -1.0
            if found is not None:
                observation.metadata["safety_violation"] = found
        return observation


class Quality(Transform):
    def __call__(self, observation):
        reward, code = observation.reward or 0.0, observation.metadata.get("last_code")
        if code is not None:
            reward += 0.1 if len(code.strip()) <= 100 else 0.0
            try:
                ast.parse(code)
            except SyntaxError:
                reward -= 0.2
        observation.reward = reward
        return observation


class PythonCodeActEnv(Environment):
    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self):
        super().__init__(transform=CompositeTransform([Safety(), Quality()]))
        self.begin(None)

    def begin(self, episode_id):
        self.executor = PyExecutor()
        self.code_state = CodeState(episode_id=episode_id)

    def reset(self, seed=None, episode_id=None, **_others):
        self.begin(str(uuid.uuid4()))
        return self._apply_transform(CodeObservation())

    def step(self, action, timeout_s=None, **_others):
        ended = self.executor.run(action.code)
        self.code_state.step_count += 1
        self.code_state.last_exit_code = ended.exit_code
        return self._apply_transform(CodeObservation(
            stdout=ended.stdout, stderr=ended.stderr, exit_code=ended.exit_code, metadata={"last_code": action.code}))

    @property
    def state(self):
        return self.code_state


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--sessions", type=int, default=64, help="WebSocket sessions that it takes at a time")
    arguments = parser.parse_args()
    app = create_app(PythonCodeActEnv, CodeAction, CodeObservation, env_name="coding_env",
                     max_concurrent_envs=arguments.sessions, state_cls=CodeState)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port)


if __name__ == "__main__":
    main()
