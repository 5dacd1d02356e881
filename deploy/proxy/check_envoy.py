"""Checks envoy.yaml against Envoy's own API, and that it names the servers as the other configurations and the chart do.

Envoy itself is not run: it is in no package registry. Its API is, as the messages of the PyPI package xds-protos; a field that is not there, or
that has another type, fails here.
"""

import re
import sys
from pathlib import Path

import yaml
from envoy.config.bootstrap.v3 import bootstrap_pb2
from google.protobuf import json_format

# These register the messages that the configuration holds as google.protobuf.Any.
from envoy.extensions.filters.http.router.v3 import router_pb2  # noqa: F401
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2 as manager_pb2
from envoy.extensions.retry.priority.previous_priorities.v3 import previous_priorities_config_pb2  # noqa: F401
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2  # noqa: F401

HERE = Path(__file__).resolve().parent


def addresses(locality):
    return [end.endpoint.address.socket_address for end in locality.lb_endpoints]


def main():
    text = yaml.safe_load((HERE / "envoy.yaml").read_text())
    bootstrap = json_format.ParseDict(text, bootstrap_pb2.Bootstrap())
    clusters = {cluster.name: cluster for cluster in bootstrap.static_resources.clusters}
    servers = re.findall(r"(?m)^ +server (\S+) ", (HERE / "haproxy.cfg").read_text())
    assert set(clusters) == {"ready", *servers}, f"clusters {set(clusters)}, servers {servers}"

    manager = manager_pb2.HttpConnectionManager()
    [listener] = bootstrap.static_resources.listeners
    assert listener.filter_chains[0].filters[0].typed_config.Unpack(manager)
    routes = list(manager.route_config.virtual_hosts[0].routes)
    default = routes.pop()
    assert default.route.cluster == "ready" and not default.match.headers
    named = {}
    for route in routes:
        [header] = route.match.headers
        assert header.name == "x-coding-env-server"
        named[header.string_match.exact] = route.route.cluster
    assert named == {server: server for server in servers}, named
    for route in [default, *routes]:
        assert route.route.HasField("timeout") and route.route.timeout.ToSeconds() == 0, "a step may take an hour"

    suffix = ".coding-env-servers.coding-env.svc.cluster.local"
    everyone = {server + suffix for server in servers}
    for name, cluster in clusters.items():
        [check] = cluster.health_checks
        assert check.grpc_health_check.service_name == ("readiness" if name == "ready" else "liveness")
        localities = sorted(cluster.load_assignment.endpoints, key=lambda locality: locality.priority)
        assert [locality.priority for locality in localities] == list(range(len(localities)))
        held = [{address.address for address in addresses(locality)} for locality in localities]
        own = {name + suffix}
        assert held == ([everyone] if name == "ready" else [own, everyone - own]), (name, held)
    print(f"envoy.yaml: {len(clusters)} clusters, {len(routes) + 1} routes, as Envoy's API has them")


if __name__ == "__main__":
    sys.exit(main())
