"""Where the servers of a pool are: a name, a list, or a function that gives the list of the moment."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import socket
from typing import Awaitable, Callable, Dict, Mapping, Sequence, Union

from .errors import UrlError
from .options import Options, Target, parse_url

#: ``"dns:///HOST:PORT"``, a URL, several URLs, or a function that gives the URLs of the moment.
Servers = Union[str, Sequence[str], Callable[[], Sequence[str]]]
#: Gives the servers of the moment by their URLs.
Resolver = Callable[[], Awaitable[Mapping[str, Target]]]

_NAME = re.compile(r"(?:///)?(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")


def resolver(target: Servers, options: Options, secure: bool) -> Resolver:
    """What gives the servers of a target by their URLs. Raises UrlError when it is none."""

    def of_urls(urls: Sequence[str]) -> Dict[str, Target]:
        return {url: parse_url(url, options) for url in urls}

    if callable(target):
        discover = target

        async def discovered() -> Dict[str, Target]:
            # It may block: on a file, a database, an API.
            return of_urls(await asyncio.get_running_loop().run_in_executor(None, discover))

        return discovered
    if isinstance(target, str) and target.startswith("dns:"):
        match = _NAME.fullmatch(target[len("dns:") :])
        port = int(match["port"]) if match else 0
        if match is None or not 0 < port < 65536:
            raise UrlError(f"{target!r} is no name of servers: it has to be like dns:///coding-env-headless.ns.svc:8000")
        host = match["v6"] or match["host"]

        async def resolved() -> Dict[str, Target]:
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            scheme = "https" if secure else "http"
            addresses = (f"[{each[4][0]}]" if each[0] == socket.AF_INET6 else each[4][0] for each in found)
            targets = of_urls([f"{scheme}://{address}:{port}" for address in addresses])
            if not secure:
                return targets
            return {url: dataclasses.replace(each, server_name=host) for url, each in targets.items()}

        return resolved
    fixed = of_urls([target] if isinstance(target, str) else list(target))
    if not fixed:
        raise UrlError("a pool needs a URL at least")

    async def listed() -> Dict[str, Target]:
        return fixed

    return listed
