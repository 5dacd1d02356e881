"""Checks the chart: what it renders against Kubernetes' own schemas, and against the program that it starts.

deploy/test runs it. HELM and CODING_ENV_BIN name the two programs; see deploy/requirements.txt for the packages.
"""

import functools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import kubernetes_validate
import yaml

DEPLOY = Path(__file__).resolve().parent
ROOT = DEPLOY.parent
CHART = DEPLOY / "helm" / "coding-env"
HELM = os.environ.get("HELM", "helm")
PROGRAM = os.environ.get("CODING_ENV_BIN", str(ROOT / "target" / "release" / "coding-env"))

# Each set of values, and the oldest and newest Kubernetes that it is for.
RENDERINGS = {
    "default": ([], ("1.27", "1.37")),
    "namespace": (["values-namespace.yaml"], ("1.33", "1.37")),
    "gvisor": (["values-gvisor.yaml"], ("1.27", "1.37")),
    "full": (["ci/full-values.yaml"], ("1.27", "1.37")),
}
# Kinds that are not Kubernetes' own, so that its schemas do not describe them.
FOREIGN = {"ServiceMonitor"}
# What Kubernetes' restricted standard allows as volumes.
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
UNITS = {"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
# A bound on each command, in seconds.
WITHIN = 60


def helm(*arguments):
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, timeout=WITHIN)


def template(files=(), *sets, chart=CHART, kubernetes="1.34", only=None):
    """The result of `helm template` of a release `coding-env` in namespace `lab`."""
    arguments = ["template", "coding-env", str(chart), "--namespace", "lab", "--kube-version", f"{kubernetes}.0"]
    for file in files:
        arguments += ["--values", str(CHART / file)]
    for item in sets:
        arguments += ["--set-json", item]
    if only:
        arguments += ["--show-only", only]
    return helm(*arguments)


def objects(*arguments, **keywords):
    result = template(*arguments, **keywords)
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return [item for item in yaml.safe_load_all(result.stdout) if item]


def of_kind(items, kind):
    return [item for item in items if item["kind"] == kind]


def pod_of(items):
    [workload] = of_kind(items, "StatefulSet")
    return workload["spec"]["template"]


def container_of(items):
    [container] = pod_of(items)["spec"]["containers"]
    return container


def variables_of(items):
    return {entry["name"]: entry.get("value", "") for entry in container_of(items)["env"]}


def seconds(text):
    """A duration of the program's help, or of a variable."""
    value, unit = re.fullmatch(r"(\d+)(ms|s|m|h|d)", text).groups()
    return int(value) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def size(text):
    value, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi|Ti)?", text).groups()
    return int(value) * UNITS[unit or ""]


def constant(file, name):
    """A constant of the server's source: a bound in seconds, or a text."""
    source = (ROOT / file).read_text()
    found = re.search(rf'\bconst {name}: (?:Duration = Duration::from_secs\((\d+)\)|&str = "([^"]+)");', source)
    if not found:
        raise AssertionError(f"{file} has no constant {name} any more: look at how the server does it now")
    number, text = found.groups()
    return int(number) if number else text


@functools.cache
def serve_help():
    """The flags of `coding-env serve`: name to (variable, default)."""
    text = subprocess.run([PROGRAM, "serve", "--help"], capture_output=True, text=True, timeout=WITHIN, check=True).stdout
    flags = {}
    for part in re.split(r"(?m)^ {2,6}(?:-\w, )?--(?=[a-z])", text)[1:]:
        name = re.match(r"[a-z-]+", part).group()
        variable = re.search(r"\[env: (\w+)=", part)
        default = re.search(r"\[default: ([^\]]*)\]", part)
        if variable:
            flags[name] = (variable.group(1), default.group(1) if default else None)
    if not flags:
        raise AssertionError("`serve --help` has no flags")
    return flags


def each_rendering(test):
    """Runs a test for each set of values, and tells for which it failed."""

    @functools.wraps(test)
    def run(self):
        for name, items in self.rendered.items():
            with self.subTest(values=name):
                test(self, name, items)

    return run


class Chart(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.rendered = {name: objects(files, kubernetes=versions[0]) for name, (files, versions) in RENDERINGS.items()}

    # Form

    def test_every_values_file_is_tested(self):
        there = {str(path.relative_to(CHART)) for path in [*CHART.glob("values-*.yaml"), *CHART.glob("ci/*.yaml")]}
        tested = {file for files, _ in RENDERINGS.values() for file in files}
        self.assertEqual(there, tested)

    def test_helm_has_nothing_to_say_against_the_chart(self):
        for name, (files, versions) in RENDERINGS.items():
            with self.subTest(values=name):
                values = [item for file in files for item in ("--values", str(CHART / file))]
                result = helm("lint", "--strict", "--kube-version", f"{versions[1]}.0", *values, str(CHART))
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    @each_rendering
    def test_kubernetes_own_schemas_accept_what_is_rendered(self, name, items):
        for item in items:
            if item["kind"] in FOREIGN:
                continue
            for version in RENDERINGS[name][1]:
                kubernetes_validate.validate(item, version, strict=True)

    def test_the_schemas_would_notice(self):
        [budget] = of_kind(self.rendered["default"], "PodDisruptionBudget")
        wrong = json.loads(json.dumps(budget))
        wrong["spec"]["maxUnavailabel"] = 1
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(wrong, "1.37", strict=True)

    def test_values_that_make_no_sense_are_refused(self):
        for item, named in [
            ('settings={"max-episode": 5}', "max-episode"),
            ('settings={"drain-timeout": "5s"}', "drain-timeout"),
            ('drain={"timeoutSeconds": -1}', "timeoutSeconds"),
            ('drain={"timeoutSeconds": "30s"}', "timeoutSeconds"),
            ('admin={"port": 8000}', "port"),
            ('isolation={"level": "namespaces"}', "level"),
            ('replica=3', "replica"),
            ('serviceMonitor={"enabled": true}', "networkPolicy.scrapers"),
        ]:
            with self.subTest(value=item):
                result = template((), item)
                self.assertNotEqual(result.returncode, 0)
                self.assertIn(named, result.stderr)

    # Parts that have to fit together

    @each_rendering
    def test_names_and_labels_fit_together(self, _name, items):
        keys = [(item["kind"], item["metadata"]["name"]) for item in items]
        self.assertEqual(len(keys), len(set(keys)))
        [workload] = of_kind(items, "StatefulSet")
        labels = pod_of(items)["metadata"]["labels"]
        selectors = [service["spec"]["selector"] for service in of_kind(items, "Service")]
        selectors.append(workload["spec"]["selector"]["matchLabels"])
        selectors += [item["spec"]["selector"]["matchLabels"] for item in of_kind(items, "PodDisruptionBudget")]
        selectors += [item["spec"]["podSelector"]["matchLabels"] for item in of_kind(items, "NetworkPolicy")]
        for selector in selectors:
            self.assertLessEqual(selector.items(), labels.items())
        services = {service["metadata"]["name"]: service for service in of_kind(items, "Service")}
        governing = services[workload["spec"]["serviceName"]]["spec"]
        self.assertEqual(governing["clusterIP"], "None")
        self.assertTrue(governing["publishNotReadyAddresses"], "a server that drains would lose its name")
        for monitor in of_kind(items, "ServiceMonitor"):
            wanted = monitor["spec"]["selector"]["matchLabels"]
            seen = [s for s in services.values() if wanted.items() <= s["metadata"]["labels"].items()]
            [service] = seen
            ports = {port["name"] for port in service["spec"]["ports"]}
            self.assertLessEqual({end["port"] for end in monitor["spec"]["endpoints"]}, ports)
        for scaler in of_kind(items, "HorizontalPodAutoscaler"):
            target = scaler["spec"]["scaleTargetRef"]
            self.assertEqual((target["kind"], target["name"]), ("StatefulSet", workload["metadata"]["name"]))
            self.assertNotIn("replicas", workload["spec"], "every upgrade would undo what the autoscaler did")

    def test_long_release_names_stay_within_what_kubernetes_takes(self):
        for release in ["a" * 53, "coding-env-" + "b" * 42]:
            result = helm("template", release, str(CHART), "--kube-version", "1.34.0")
            self.assertEqual(result.returncode, 0, result.stderr)
            for item in filter(None, yaml.safe_load_all(result.stdout)):
                name = item["metadata"]["name"]
                # A pod's name is a label, and has -NNN behind.
                self.assertLessEqual(len(name), 63 if item["kind"] != "StatefulSet" else 59)
                self.assertRegex(name, r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$")

    @each_rendering
    def test_ports_are_those_that_the_server_listens_on(self, _name, items):
        variables = variables_of(items)
        listen = int(variables["CODING_ENV_LISTEN"].rpartition(":")[2])
        admin = int(variables["CODING_ENV_ADMIN_LISTEN"].rpartition(":")[2])
        container = container_of(items)
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        self.assertEqual(ports, {"grpc": listen, "admin": admin})
        self.assertIn(f"\nEXPOSE {listen}\n", (ROOT / "Dockerfile").read_text())
        for service in of_kind(items, "Service"):
            for port in service["spec"]["ports"]:
                self.assertIn(port["targetPort"], ports)
                if service["spec"].get("clusterIP") == "None":
                    self.assertEqual(port["port"], ports[port["targetPort"]])
        for policy in of_kind(items, "NetworkPolicy"):
            for rule in policy["spec"]["ingress"]:
                for port in rule["ports"]:
                    self.assertIn(port["port"], ports)

    # Against the program

    @each_rendering
    def test_every_setting_of_the_program_is_in_the_chart_and_no_other(self, _name, items):
        flags = serve_help()
        known = {variable for variable, _ in flags.values()}
        own = set(re.findall(r"name: (CODING_ENV_[A-Z_]*[A-Z])$", (CHART / "templates/statefulset.yaml").read_text(), re.M))
        schema = json.loads((CHART / "values.schema.json").read_text())
        settable = {f"CODING_ENV_{name.upper().replace('-', '_')}" for name in schema["properties"]["settings"]["properties"]}
        self.assertEqual(own & settable, set(), "set by the chart and by `settings`")
        # A pod's standard input has ended before the server starts.
        unfit = {"CODING_ENV_END_WITH_STDIN"}
        self.assertEqual(sorted(own | settable), sorted(known - unfit))
        ours = {name for name in variables_of(items) if name.startswith("CODING_ENV_")}
        self.assertLessEqual(ours, known)

    def test_large_numbers_arrive_as_they_are(self):
        self.assertEqual(variables_of(self.rendered["full"])["CODING_ENV_MAX_TOTAL_MEMORY_BYTES"], "4294967296")
        self.assertEqual(variables_of(self.rendered["full"])["CODING_ENV_ACCEPT_OPEN_SIGNALS"], "true")

    @each_rendering
    def test_the_grace_period_covers_every_phase_of_the_servers_end(self, _name, items):
        flags = serve_help()
        connections = constant("src/server.rs", "CONNECTIONS_END_WITHIN")
        warden = constant("src/executor/mod.rs", "WARDEN_ENDS_WITHIN")
        traces = constant("src/server.rs", "TRACES_END_WITHIN")
        variables = variables_of(items)
        drain = seconds(variables.get("CODING_ENV_DRAIN_TIMEOUT") or flags["drain-timeout"][1])
        grace = seconds(variables.get("CODING_ENV_INTERRUPT_GRACE") or flags["interrupt-grace"][1])
        phases = drain + 2 * grace + connections + warden + traces
        self.assertGreaterEqual(pod_of(items)["spec"]["terminationGracePeriodSeconds"], phases + 5)

    @each_rendering
    def test_probes_ask_for_what_the_server_tells_and_wait_for_as_long_as_it_may_take(self, _name, items):
        templates = constant("src/executor/mod.rs", "TEMPLATE_STARTS_WITHIN")
        readiness = constant("src/server.rs", "READINESS")
        liveness = constant("src/server.rs", "LIVENESS")
        container = container_of(items)
        admin = int(variables_of(items)["CODING_ENV_ADMIN_LISTEN"].rpartition(":")[2])
        for probe, service in [("startupProbe", readiness), ("readinessProbe", readiness), ("livenessProbe", liveness)]:
            self.assertEqual(container[probe]["grpc"], {"port": admin, "service": service})
        startup = container["startupProbe"]
        self.assertGreaterEqual(startup["periodSeconds"] * startup["failureThreshold"], templates + 20)

    # Security

    @each_rendering
    def test_pods_are_what_the_restricted_standard_asks_for(self, name, items):
        pod, container = pod_of(items)["spec"], container_of(items)
        context, own = pod["securityContext"], container["securityContext"]
        self.assertIs(pod["automountServiceAccountToken"], False)
        self.assertIs(pod["enableServiceLinks"], False)
        self.assertIs(own["readOnlyRootFilesystem"], True)
        self.assertIs(own["allowPrivilegeEscalation"], False)
        self.assertEqual(own["capabilities"]["drop"], ["ALL"])
        self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & pod.keys())
        self.assertNotIn("privileged", own)
        for volume in pod["volumes"]:
            self.assertLessEqual(volume.keys() - {"name"}, RESTRICTED_VOLUMES)
        if name == "namespace":
            # Root, and what goes with it, in a user namespace alone.
            self.assertIs(pod["hostUsers"], False)
            return
        self.assertIs(context["runAsNonRoot"], True)
        self.assertIn(f"\nUSER {context['runAsUser']}:{context['runAsGroup']}\n", (ROOT / "Dockerfile").read_text())
        self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertNotIn("add", own["capabilities"])
        self.assertNotIn("procMount", own)

    @each_rendering
    def test_what_can_be_written_has_a_size_that_the_limits_cover(self, _name, items):
        container = container_of(items)
        volumes = {volume["name"]: volume for volume in pod_of(items)["spec"]["volumes"]}
        writable = [mount for mount in container["volumeMounts"] if not mount.get("readOnly")]
        self.assertEqual([mount["mountPath"] for mount in writable], ["/tmp"])
        self.assertEqual(variables_of(items)["CODING_ENV_STATE_DIR"], "/tmp")
        empty = volumes[writable[0]["name"]]["emptyDir"]
        self.assertEqual(empty["medium"], "Memory")
        self.assertLessEqual(size(empty["sizeLimit"]) * 2, size(container["resources"]["limits"]["memory"]))

    @each_rendering
    def test_nothing_leaves_a_pod_and_only_clients_come_in(self, name, items):
        [policy] = of_kind(items, "NetworkPolicy")
        self.assertEqual(sorted(policy["spec"]["policyTypes"]), ["Egress", "Ingress"])
        self.assertEqual(policy["spec"]["egress"], [])
        reached = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        self.assertEqual(reached, {"grpc", "admin"} if name == "full" else {"grpc"})
        [closed] = of_kind(objects((), 'networkPolicy={"clients": []}'), "NetworkPolicy")
        self.assertEqual(closed["spec"]["ingress"], [])

    def test_secrets_come_from_secrets(self):
        variables = variables_of(self.rendered["full"])
        mounts = [mount["mountPath"] for mount in container_of(self.rendered["full"])["volumeMounts"] if mount.get("readOnly")]
        files = [value for name, value in variables.items() if re.search("TOKENS|TLS", name)]
        self.assertEqual(len(files), 4)
        for file in files:
            self.assertTrue(any(file.startswith(f"{mount}/") for mount in mounts), file)
        for volume in pod_of(self.rendered["full"])["spec"]["volumes"]:
            if "secret" in volume:
                self.assertEqual(volume["secret"]["defaultMode"], 0o440)

    # Words

    def test_notes_tell_how_to_connect(self):
        with tempfile.TemporaryDirectory() as folder:
            chart = Path(folder) / "coding-env"
            shutil.copytree(CHART, chart)
            # `helm template` leaves the notes out, so here they become a value of a file that it shows.
            notes = (chart / "templates/NOTES.txt").read_text()
            (chart / "templates/_notes.tpl").write_text('{{- define "notes" -}}\n' + notes + "\n{{- end -}}\n")
            (chart / "templates/notes.yaml").write_text('notes: {{ include "notes" . | quote }}\n')
            plain = objects((), chart=chart, only="templates/notes.yaml")[0]["notes"]
            full = objects(["ci/full-values.yaml"], chart=chart, only="templates/notes.yaml")[0]["notes"]
        for part in [
            "http://coding-env.lab.svc:8000",
            "dns:///coding-env-headless.lab.svc:8000",
            "coding-env-N.coding-env-servers.lab.svc:8000",
            "port-forward service/coding-env 8000:8000",
            "grpcurl -plaintext 127.0.0.1:8000",
            "whoever reaches the port runs code",
        ]:
            self.assertIn(part, plain)
        for part in ["https://coding-env.lab.svc:443", "authorization: Bearer $TOKEN", "port-forward service/coding-env 8000:443"]:
            self.assertIn(part, full)
        self.assertNotIn("whoever reaches the port", full)

    def test_the_autoscaler_scales_before_servers_are_full(self):
        [scaler] = of_kind(self.rendered["full"], "HorizontalPodAutoscaler")
        [metric] = scaler["spec"]["metrics"]
        target = int(metric["pods"]["target"]["averageValue"])
        self.assertTrue(0 < target < int(variables_of(self.rendered["full"])["CODING_ENV_MAX_EPISODES"]))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Program(unittest.TestCase):
    """The program itself, with the variables that the chart gives it, asked what the kubelet and Prometheus ask."""

    def test_a_server_as_the_chart_starts_it(self):
        items = objects()
        listen, admin = free_port(), free_port()
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, tempfile.TemporaryFile() as log:
            variables = dict(variables_of(items))
            variables |= {
                "CODING_ENV_SERVER_ID": "coding-env-0",
                "CODING_ENV_LISTEN": f"127.0.0.1:{listen}",
                "CODING_ENV_ADMIN_LISTEN": f"127.0.0.1:{admin}",
                "CODING_ENV_STATE_DIR": folder,
                "CODING_ENV_WARM_WORKERS": "1",
                "PATH": os.environ["PATH"],
            }
            command = [PROGRAM, *container_of(items)["args"]]
            server = subprocess.Popen(command, env=variables, stdin=subprocess.DEVNULL, stderr=log)
            try:
                self.ask(server, admin, container_of(items), log)
                scaler = of_kind(objects(["ci/full-values.yaml"]), "HorizontalPodAutoscaler")[0]
                metric = scaler["spec"]["metrics"][0]["pods"]["metric"]["name"]
                with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=10) as answer:
                    self.assertRegex(answer.read().decode(), rf"(?m)^{metric}(\{{.*\}})? 0(\.0)?$")
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(timeout=WITHIN), 0)
            finally:
                if server.poll() is None:
                    server.kill()
                    server.wait(timeout=WITHIN)

    def ask(self, server, admin, container, log):
        """Asks as the probes of the chart do, until all have been answered with SERVING."""
        deadline = time.monotonic() + WITHIN
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"]:
            name = container[probe]["grpc"]["service"]
            command = [PROGRAM, "health", "--url", f"http://127.0.0.1:{admin}", "--service", name, "--timeout", "5s"]
            while True:
                answer = subprocess.run(command, capture_output=True, text=True, timeout=WITHIN)
                if answer.returncode == 0:
                    break
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    self.fail(f"{probe}: {answer.stdout}{answer.stderr}\n{log.read().decode()}")
                time.sleep(0.1)
            self.assertEqual(answer.stdout.strip(), "SERVING")


if __name__ == "__main__":
    if not os.access(PROGRAM, os.X_OK):
        sys.exit(f"no program at {PROGRAM}: build it, or name it by CODING_ENV_BIN")
    unittest.main(verbosity=2)
