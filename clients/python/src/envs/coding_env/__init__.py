"""The name under which OpenEnv's examples import ``coding_env``. ``envs`` is a namespace package: others may put theirs beside it."""

from coding_env import *  # noqa: F403
from coding_env import __all__, __version__

__all__ = [*__all__, "__version__"]
