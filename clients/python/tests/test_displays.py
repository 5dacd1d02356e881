"""Plots, tables and the like, as a user gets them."""

import asyncio

import pytest

from coding_env import AsyncCodingEnv, Display, Limits, Representation, RefusedError

SHOWN = """
class Shown:
    def __repr__(self): return "text"
    def _repr_html_(self): return "<b>"
    def _repr_svg_(self): return "<svg/>"
    def _repr_png_(self): return b"\\x89PNG"
"""


def ways(display):
    return {one.mime_type: one.data for one in display.representations}


def test_what_is_shown_can_be_read_and_saved(env, tmp_path):
    observation = env.step(SHOWN + "display(5)\nShown()").observation
    first, last = observation.displays
    assert (first.is_result, last.is_result) == (False, True)
    assert (ways(first), observation.result) == ({"text/plain": b"5"}, "text")
    assert last.data("image/png") == b"\x89PNG"
    assert last.data("image/gif") is None
    for suffix, data in [("png", b"\x89PNG"), ("svg", b"<svg/>"), ("html", b"<b>")]:
        last.save(tmp_path / f"shown.{suffix}")
        assert (tmp_path / f"shown.{suffix}").read_bytes() == data
    with pytest.raises(ValueError, match="there is text/html, image/svg\\+xml, image/png"):
        last.save(tmp_path / "shown.pdf")
    assert not (tmp_path / "shown.pdf").exists()
    assert env.step("5").observation.displays == ()


def test_the_caller_chooses(env):
    observation = env.step(SHOWN + "Shown()", display_mime_types=["image/svg+xml"]).observation
    assert ways(observation.displays[0]) == {"image/svg+xml": b"<svg/>"}
    with pytest.raises(RefusedError) as refused:
        env.step("1", display_mime_types=["svg"])
    assert refused.value.violations[0].field == "display_mime_types[0]"


def test_bounds_are_told(env, tmp_path):
    env.reset(limits=Limits(displays=1, display_bytes=1024))
    result = env.step("for _ in range(3): display({'text/html': 'x' * 1025}, raw=True)")
    (display,) = result.observation.displays
    assert display == Display((Representation("text/html", b"", 1025, ".displays/1-1.html"),))
    assert result.reported.displays_dropped == 2
    assert display.data("text/html") is None
    with pytest.raises(ValueError, match="text/html \\(in .displays/1-1.html\\)"):
        display.save(tmp_path / "x.html")


def test_with_asyncio(server):
    async def run():
        async with AsyncCodingEnv(server.url) as env:
            await env.reset()
            result = await env.step(SHOWN + "Shown()", display_mime_types=("image/png",))
            return ways(result.observation.displays[0])

    assert asyncio.run(run()) == {"image/png": b"\x89PNG"}


def test_a_missing_module_comes_with_a_hint(env):
    result = env.step("import no_such_module")
    assert "has no module `no_such_module`" in result.hint
    info = env.server_info()
    assert all(package.name for runtime in info.runtimes for package in runtime.packages)
