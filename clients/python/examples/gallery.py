"""Runs the twenty programs of examples/gallery and stores the plots that they show.

    python3 gallery.py --url http://127.0.0.1:8000 --out plots     # the server's Python needs matplotlib

With `coding-env serve --preload matplotlib.pyplot,numpy` none of them has to import these first.
"""

import argparse
import pathlib

from coding_env import CodingEnv

GALLERY = pathlib.Path(__file__).resolve().parents[3] / "examples" / "gallery"


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs programs that plot, and stores what they show.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="a server that runs, http://HOST:PORT")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("plots"), help="the folder for the plots")
    parser.add_argument("--svg", action="store_true", help="SVG instead of PNG")
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)
    suffix, mime_types = ("svg", ["image/svg+xml"]) if arguments.svg else ("png", [])
    with CodingEnv(arguments.url) as env:
        for program in sorted(GALLERY.glob("*.py")):
            env.reset()
            result = env.step(program.read_text(encoding="utf-8"), display_mime_types=mime_types)
            if result.hint:
                raise SystemExit(result.hint)
            print(program.stem, result.outcome.name.lower(), f"{len(result.observation.displays)} shown", result.observation.stderr)
            for number, display in enumerate(result.observation.displays):
                display.save(arguments.out / f"{program.stem}-{number}.{suffix}")


if __name__ == "__main__":
    main()
