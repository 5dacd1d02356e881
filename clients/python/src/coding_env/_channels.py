"""Connections, shared by all environments of a process that lead to the same place."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from typing import Any, Callable, Dict, Generic, List, Mapping, TypeVar

import grpc
import grpc.aio
from google.protobuf.descriptor_pb2 import MethodDescriptorProto

from . import _details_pb2 as details_pb
from .options import Target
from .v1 import coding_env_pb2 as pb

C = TypeVar("C")

_SERVICE = pb.DESCRIPTOR.services_by_name["CodingEnv"]
#: How many channels stay open that nobody uses, so that environments which follow one another use one connection.
_IDLE_MAX = 8


def rpcs(channel: Any) -> Dict[str, Any]:
    """The RPCs of the contract by name, and the health check that probes use as "Health"."""
    found = {}
    for method in _SERVICE.methods:
        streams = MethodDescriptorProto()
        method.CopyToProto(streams)
        kinds = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
            (True, True): channel.stream_stream,
        }
        found[method.name] = kinds[streams.client_streaming, streams.server_streaming](
            f"/{_SERVICE.full_name}/{method.name}",
            request_serializer=getattr(pb, method.input_type.name).SerializeToString,
            response_deserializer=getattr(pb, method.output_type.name).FromString,
        )
    found["Health"] = channel.unary_unary(
        "/grpc.health.v1.Health/Check",
        request_serializer=details_pb.HealthCheckRequest.SerializeToString,
        response_deserializer=details_pb.HealthCheckResponse.FromString,
    )
    return found


class Shared(Generic[C]):
    """A channel and who uses it."""

    def __init__(self, target: Target, channel: C) -> None:
        self.target = target
        self.channel = channel
        self.rpcs: Mapping[str, Any] = rpcs(channel)
        self.users = 0


class Pool(Generic[C]):
    """The channels of a process (or of an event loop)."""

    def __init__(self, make: Callable[[Target], C]) -> None:
        self._make = make
        # Reentrant, because a garbage collection within may give a channel back.
        self._lock = threading.RLock()
        #: Those that nobody uses are in the order in which they were given back.
        self._channels: Dict[Target, Shared[C]] = {}

    def take(self, target: Target) -> Shared[C]:
        with self._lock:
            shared = self._channels.get(target)
            if shared is None:
                shared = self._channels[target] = Shared(target, self._make(target))
            shared.users += 1
            return shared

    def give_back(self, shared: Shared[C]) -> None:
        with self._lock:
            shared.users -= 1
            if shared.users == 0 and self._channels.get(shared.target) is shared:
                self._channels[shared.target] = self._channels.pop(shared.target)

    def take_out_idle(self, keep: int = _IDLE_MAX) -> List[C]:
        """Removes channels that nobody uses, but for the last `keep`. They are the caller's to close."""
        with self._lock:
            idle = [shared for shared in self._channels.values() if shared.users == 0]
            surplus = idle[: max(0, len(idle) - keep)]
            for shared in surplus:
                del self._channels[shared.target]
            return [shared.channel for shared in surplus]

    def take_out(self, target: Target) -> List[C]:
        """Removes the channel to a place that is gone, if nobody uses it any more. It is the caller's to close."""
        with self._lock:
            shared = self._channels.get(target)
            if shared is None or shared.users > 0:
                return []
            del self._channels[target]
            return [shared.channel]

    def forget(self) -> None:
        """In a process that was forked: its parent's channels are of no use to it."""
        self._lock = threading.RLock()
        self._channels = {}


def channel_to(target: Target) -> grpc.Channel:
    """A channel of the caller's own."""
    credentials = target.credentials()
    if credentials is None:
        return grpc.insecure_channel(target.address, options=target.channel_arguments())
    return grpc.secure_channel(target.address, credentials, options=target.channel_arguments())


def aio_channel_to(target: Target) -> grpc.aio.Channel:
    """A channel of the caller's own, for asyncio."""
    credentials = target.credentials()
    if credentials is None:
        return grpc.aio.insecure_channel(target.address, options=target.channel_arguments())
    return grpc.aio.secure_channel(target.address, credentials, options=target.channel_arguments())


#: For blocking calls.
POOL: Pool[grpc.Channel] = Pool(channel_to)

_loops_lock = threading.Lock()
_loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pool[grpc.aio.Channel]] = weakref.WeakKeyDictionary()


def loop_pool() -> Pool[grpc.aio.Channel]:
    """The channels of the running event loop."""
    loop = asyncio.get_running_loop()
    with _loops_lock:
        pool = _loops.get(loop)
        if pool is None:
            pool = _loops[loop] = Pool(aio_channel_to)
        return pool


def _after_fork() -> None:
    global _loops_lock
    _loops_lock = threading.Lock()
    _loops.clear()
    POOL.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
