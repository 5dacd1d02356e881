"""The lines of the environment's own description work as they stand."""

import coding_env as package


def test_the_quick_start_with_a_server_that_runs(server):
    from envs.coding_env import CodeAction, CodingEnv

    coding_env = CodingEnv(base_url=server.url)
    shown = []
    try:
        # Reset
        result = coding_env.reset()
        assert f"Reset complete: exit_code={result.observation.exit_code}" == "Reset complete: exit_code=0"
        assert (result.observation.stdout, result.reward, result.done) == ("", 0.0, False)

        # Execute Python code
        code_samples = ["print('Hello, World!')", "x = 5 + 3\nprint(f'Result: {x}')", "import math\nprint(math.pi)"]

        for code in code_samples:
            result = coding_env.step(CodeAction(code=code))
            shown.append((result.observation.stdout.strip(), result.observation.exit_code, result.reward, result.done))

        state = coding_env.state()
        assert (state.step_count, state.last_exit_code) == (3, 0)
        assert state.episode_id == coding_env.episode_id
    finally:
        # Always clean up
        coding_env.close()
    assert shown == [("Hello, World!", 0, 0.1, False), ("Result: 8", 0, 0.1, False), ("3.141592653589793", 0, 0.1, False)]

    # It did not stop the server.
    with CodingEnv(base_url=server.url) as another:
        another.reset()
        assert another.step("1 + 1").observation.result == "2"


def test_both_names_are_one_package():
    import envs.coding_env

    assert set(envs.coding_env.__all__) == {*package.__all__, "__version__"}
    for name in package.__all__:
        assert getattr(envs.coding_env, name) is getattr(package, name), name


def test_others_may_put_environments_beside_it(tmp_path, monkeypatch):
    (tmp_path / "envs" / "echo_env").mkdir(parents=True)
    (tmp_path / "envs" / "echo_env" / "__init__.py").write_text("NAME = 'echo'\n")
    monkeypatch.syspath_prepend(tmp_path)
    import envs.coding_env
    from envs.echo_env import NAME

    assert NAME == "echo" and envs.coding_env.CodingEnv is package.CodingEnv
