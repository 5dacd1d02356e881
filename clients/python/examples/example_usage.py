"""The whole flow: reset, a few steps, the state, close.

    python3 example_usage.py                                # starts a container of the image coding-env:latest
    python3 example_usage.py --image my-coding-env:latest   # of another image
    python3 example_usage.py --url http://127.0.0.1:8000    # uses a server that runs
"""

import argparse

from envs.coding_env import CodeAction, CodingEnv, Outcome

CODE_SAMPLES = [
    "print('Hello, World!')",
    "x = 5 + 3\nprint(f'Result: {x}')",
    "import math\nprint(math.pi)",
    "[x, x * 2]  # variables live on, and a last expression is shown as at a prompt",
    "print('before the error')\n1 / 0",
]


def main() -> None:
    parser = argparse.ArgumentParser(description="Resets an environment, runs a few steps in it, and shows what comes back.")
    parser.add_argument("--url", help="a server that runs, http://HOST:PORT")
    parser.add_argument("--image", default="coding-env:latest", help="the image to start where no --url is given")
    arguments = parser.parse_args()

    if arguments.url:
        coding_env = CodingEnv(base_url=arguments.url)
    else:
        print(f"Starting a container of {arguments.image} ...")
        coding_env = CodingEnv.from_docker_image(arguments.image)
    try:
        run_samples(coding_env)
    finally:
        # Always clean up. This ends the episode, and removes the container if one was started here. It stops no other server.
        coding_env.close()
    print("Closed the environment")


def run_samples(coding_env: CodingEnv) -> None:
    reset = coding_env.reset()
    print(f"Reset complete: exit_code={reset.observation.exit_code}")

    for code in CODE_SAMPLES:
        result = coding_env.step(CodeAction(code=code))
        print("\nCode:", code.replace("\n", "\n      "))
        show("stdout", result.observation.stdout)
        show("result", result.observation.result or "")
        show("stderr", result.observation.stderr)
        print(f"  → exit_code: {result.observation.exit_code}")
        if result.reward is not None:
            print(f"  → reward: {result.reward}")
        if result.outcome is Outcome.RAISED:
            print(f"  → the code raised; its variables are still there: done={result.done}")

    state = coding_env.state()
    print(f"\nState: episode_id={state.episode_id} step_count={state.step_count} last_exit_code={state.last_exit_code}")


def show(name: str, text: str) -> None:
    if text:
        print(f"  → {name}:", text.rstrip().replace("\n", "\n            "))


if __name__ == "__main__":
    main()
