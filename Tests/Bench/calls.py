"""Calls beside a bare socketpair and go-plugin, idle plugins, a storm of kills, and a soak on demand: for `run`.

Every number that has a bar is printed with it, met or missed. Two placements for everyone: all on one CPU, and the
host's threads and the plugin's pinned to two.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GO_PACKAGES = ["golang-go", "golang-github-hashicorp-go-plugin-dev", "golang-google-grpc-dev"]
MEGABYTE = 1 << 20
LIMIT_SECONDS = 120


class Sizes:
    """How much is measured: `quick` fits into two minutes with the builds done."""

    def __init__(self, quick):
        self.blocks = 3 if quick else 7
        self.rounds = 2000 if quick else 4000
        self.idle = 100 if quick else 500
        self.per_call_seconds = 3 if quick else 20
        self.storm_seconds = 5 if quick else 60
        self.least_kills = 40 if quick else 500


def fail(reason):
    sys.exit(f"bench: {reason}")


def build(folder):
    """The bench's plugin and go-plugin's peer, which needs Debian's Go."""
    fixtures = f"{ROOT}/Tests/Fixtures/plugins"
    os.makedirs(f"{folder}/bench/bin")
    sources = [f"{ROOT}/Tests/Bench/plugin/bench.c"] + [f"{fixtures}/{name}.c" for name in ("abi", "frames", "text")]
    subprocess.run(["cc", "-O2", "-static", "-Wall", "-Wextra", "-Werror", "-o", f"{folder}/bench/bin/bench", *sources],
                   check=True)
    shutil.copy(f"{ROOT}/Tests/Bench/plugin/plugin.json", f"{folder}/bench/plugin.json")
    shutil.copytree(f"{folder}/bench", f"{folder}/bench-per-call")
    with open(f"{folder}/bench/plugin.json") as manifest:
        about = json.load(manifest)
    with open(f"{folder}/bench-per-call/plugin.json", "w") as manifest:
        json.dump(about | {"isolation": "per-call"}, manifest)
    if shutil.which("go") is None or not os.path.isdir("/usr/share/gocode/src/github.com/hashicorp/go-plugin"):
        if os.geteuid() != 0:
            fail("the peer go-plugin is missing; as root: apt-get install " + " ".join(GO_PACKAGES))
        subprocess.run(["apt-get", "install", "-y", "-q", "--no-install-recommends", *GO_PACKAGES], check=True,
                       stdout=subprocess.DEVNULL)
    cache = f"{ROOT}/.build/bench-go"
    environment = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=cache)
    subprocess.run(["go", "build", "-o", f"{folder}/go-plugin", f"{ROOT}/Tests/Bench/go-plugin/main.go"],
                   env=environment, check=True)


def build_hello(folder):
    """The SDK's hello as a plugin in a folder of its own."""
    scratch = f"{ROOT}/.build/bench-hello"
    package = f"{ROOT}/Tests/Bench/Hello"
    words = ["swift", "build", "-c", "release", "--package-path", package, "--scratch-path", scratch]
    if subprocess.run(words, stdout=subprocess.DEVNULL).returncode != 0:
        fail("the hello plugin could not be built; see: " + " ".join(words))
    os.makedirs(f"{folder}/idle/bin")
    subprocess.run(["strip", "-o", f"{folder}/idle/bin/hello", f"{scratch}/release/hello"], check=True)
    with open(f"{ROOT}/Tests/Bench/Hello/python/plugin.json") as manifest:
        about = json.load(manifest)
    about["runtime"] = {"executable": "bin/hello"}
    about["description"] = "The smallest plugin in Swift, for the bench"
    with open(f"{folder}/idle/plugin.json", "w") as manifest:
        json.dump(about, manifest)
    return f"{folder}/idle"


def run(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_SECONDS, cwd="/")
    if done.returncode != 0:
        fail(f"{' '.join(words)}: status {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


class Held:
    """nexus-bench, which says `ready` and waits until it is told to go on."""

    def __init__(self, folder, mode, plugin, count, prefix=()):
        words = [*prefix, f"{folder}/nexus-bench", mode, f"{folder}/nexus-jail", plugin, str(count)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/")
        self.ready = self.process.stdout.readline().split()
        if self.ready[:1] != ["ready"]:
            self.process.kill()
            fail(f"{' '.join(words)} did not become ready")

    def finish(self):
        try:
            output, _ = self.process.communicate("go\n", timeout=LIMIT_SECONDS)
        finally:
            self.process.kill()
        return json.loads(output)


def measure_block(folder, rounds, here, there, samples):
    """One block of each, one after the other, so that a change of the machine's load meets all of them."""
    place = "one CPU" if here == there else "two CPUs"
    pins = ["taskset", "-c", str(there)]
    held = Held(folder, "calls", f"{folder}/bench", rounds, pins)
    for thread in os.listdir(f"/proc/{held.process.pid}/task"):
        os.sched_setaffinity(int(thread), {here})
    found = held.finish()
    calls = found.pop("calls")
    peer = run(["taskset", "-c", str(here), f"{folder}/go-plugin", str(rounds), str(rounds * 4), str(there)])
    peer_calls = peer.pop("calls")
    small = run([f"{folder}/pingpong", str(rounds), str(here), str(there)])["pingpong"]
    large = run([f"{folder}/pingpong", str(rounds // 10), str(here), str(there), str(MEGABYTE)])["pingpong"]
    for name, values in found.items():
        # A block's throughput is one sample: nanoseconds for each call.
        values = [value / calls for value in values] if name.startswith("throughput") else values
        samples.setdefault((place, name), []).extend(values)
    for name, values in peer.items():
        values = [value / peer_calls for value in values] if name == "throughput" else values
        samples.setdefault((place, f"go-plugin {name}"), []).extend(values)
    samples.setdefault((place, "socketpair"), []).extend(small)
    samples.setdefault((place, "socketpair, 1 MiB"), []).extend(large)


def measure_calls(folder, sizes, placements):
    samples = {}
    for _ in range(sizes.blocks):
        for here, there in placements:
            measure_block(folder, sizes.rounds, here, there, samples)
    rows = {}
    for (place, name), values in samples.items():
        ordered = sorted(values)
        rows.setdefault(place, {})[name] = {
            "samples": len(ordered), "median_us": round(statistics.median(ordered) / 1000, 2),
            "p99_us": round(ordered[len(ordered) * 99 // 100] / 1000, 2)}
    return rows


def measure_per_call(folder, seconds, placements):
    """What isolation adds to a call: percentiles of `per-call` less those of `shared`, in ms. The host, its launcher
    and the plugins share the CPUs of the placement."""
    rows = {}
    for here, there in placements:
        words = [f"{folder}/nexus-bench", "per-call", f"{folder}/nexus-jail", f"{folder}/bench", str(seconds)]
        found = run(["taskset", "-c", f"{here},{there}", *words])
        row = {"calls": len(found["per-call"])}
        for name, values in found.items():
            ordered = sorted(values)
            row[f"{name}_median_ms"] = round(statistics.median(ordered) / 1e6, 3)
            row[f"{name}_p99_ms"] = round(ordered[len(ordered) * 99 // 100] / 1e6, 3)
        for what in ("median", "p99"):
            row[f"added_{what}_ms"] = round(row[f"per-call_{what}_ms"] - row[f"shared_{what}_ms"], 3)
        rows["one CPU" if here == there else "two CPUs"] = row
    return rows


def descendants(process):
    """All processes below one, by /proc/PID/task/PID/children."""
    found, rest = [], [process]
    while rest:
        current = rest.pop()
        try:
            for thread in os.listdir(f"/proc/{current}/task"):
                with open(f"/proc/{current}/task/{thread}/children") as children:
                    rest += [int(child) for child in children.read().split()]
        except FileNotFoundError:
            continue
        found.append(current)
    return found[1:]


def field(path, name):
    """A line `name: N kB` of proc(5), in kB."""
    with open(path) as lines:
        for line in lines:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    return 0


def kernel_memory():
    """What grows with processes, namespaces and mounts, in kB."""
    names = ("SUnreclaim", "KernelStack", "PageTables", "Percpu")
    return sum(field("/proc/meminfo", name) for name in names)


def measure_idle(folder, hello, count):
    before = kernel_memory()
    held = Held(folder, "idle", hello, count)
    below = descendants(int(held.ready[1]))
    pss = sum(field(f"/proc/{process}/smaps_rollup", "Pss") for process in below)
    kernel = kernel_memory() - before
    resident = field(f"/proc/{held.process.pid}/status", "VmRSS")
    found = held.finish()
    return {
        "plugins": count, "answered": found["answered"], "processes": len(below), "host_mb": round(resident / 1024, 1),
        "pss_kb_each": round(pss / count), "kernel_kb_each": round(kernel / count),
        "start_ms_each": round(found["start"] / count / 1e6, 2)}


def measure_storm(folder, seconds):
    words = [f"{folder}/nexus-bench", "storm", f"{folder}/nexus-jail", f"{folder}/bench", str(seconds)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=4 * seconds + LIMIT_SECONDS, cwd="/")
    if done.returncode != 0:
        fail(f"{' '.join(words)}: status {done.returncode}\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    late = {}
    for name in ("quiet", "storm"):
        ordered = sorted(found[name])
        late[name] = ordered[len(ordered) * 99 // 100]
    return {
        "seconds": seconds, "kills": found["kills"], "errors": found["errors"], "calls": len(found["storm"]),
        "quiet_p99_us": round(late["quiet"] / 1000), "storm_p99_us": round(late["storm"] / 1000),
        "p99_ratio": round(late["storm"] / late["quiet"], 2)}


def measure_soak(folder, seconds):
    words = [f"{folder}/nexus-bench", "soak", f"{folder}/nexus-jail", f"{folder}/bench", str(seconds)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=seconds + LIMIT_SECONDS, cwd="/")
    if done.returncode != 0:
        fail(f"{' '.join(words)}: status {done.returncode}\n{done.stderr[-2000:]}")
    found = json.loads(done.stdout)
    third = len(found["memory"]) // 3
    middle, last = (statistics.mean(found["memory"][start:start + third]) for start in (third, 2 * third))
    return {
        "seconds": seconds, "calls": found["calls"], "last_mb": round(last / MEGABYTE, 2),
        "last_to_middle": round(last / middle, 4),
        "descriptors_grown": found["descriptors"][-1] - found["descriptors"][third]}


def bars(result, sizes):
    """(what, measured, bar, met)"""
    found = []

    def most(what, value, bar):
        found.append((what, value, f"≤ {bar}", value <= bar))

    def least(what, value, bar):
        found.append((what, value, f"≥ {bar}", value >= bar))

    for place, rows in result["calls"].items():
        median = {name: row["median_us"] for name, row in rows.items()}
        most(f"call / socketpair, {place}", round(median["call"] / median["socketpair"], 2),
             2.0 if place == "one CPU" else 1.2)
        if place == "one CPU":
            most(f"call / go-plugin's, {place}", round(median["call"] / median["go-plugin call"], 2), 0.25)
        least(f"throughput of 16 / go-plugin's, {place}",
              round(median["go-plugin throughput"] / median["throughput"], 2), 5)
        most(f"1 MiB / socketpair, {place}", round(median["megabyte"] / median["socketpair, 1 MiB"], 2), 2)
    for place, row in result["per_call"].items():
        most(f"per-call: median added, ms, {place}", row["added_median_ms"], 0.3)
        most(f"per-call: p99 added, ms, {place}", row["added_p99_ms"], 3)
    idle, storm = result["idle"], result["storm"]
    least("idle plugins that answer", idle["answered"], idle["plugins"])
    most("idle: the host's resident MB", idle["host_mb"], 150)
    most("idle: KB of PSS a plugin, with its init", idle["pss_kb_each"], 1024)
    most("idle: KB of kernel memory a plugin", idle["kernel_kb_each"], 717)
    least("storm: kills", storm["kills"], sizes.least_kills)
    most("storm: errors of the 20 others", storm["errors"], 0)
    most("storm: p99 / quiet p99", storm["p99_ratio"], 3)
    if "soak" in result:
        most("soak: memory, last third / middle third", result["soak"]["last_to_middle"], 1.05)
        most("soak: descriptors grown", result["soak"]["descriptors_grown"], 0)
    return found


def measure(folder, hello, placements, quick, soak_seconds):
    sizes = Sizes(quick)
    result = {"calls": measure_calls(folder, sizes, placements),
              "per_call": measure_per_call(folder, sizes.per_call_seconds, placements),
              "idle": measure_idle(folder, hello, sizes.idle),
              "storm": measure_storm(folder, sizes.storm_seconds)}
    if soak_seconds:
        result["soak"] = measure_soak(folder, soak_seconds)
    names = ("what", "measured", "bar", "met")
    result["bars"] = [dict(zip(names, bar)) for bar in bars(result, sizes)]
    result["not_measured"] = [] if soak_seconds else ["soak; see --soak"]
    return result


def show_bars(bars):
    print(f"\n{'bar':<48}{'measured':>10}{'bar':>10}")
    for bar in bars:
        print(f"{bar['what']:<48}{bar['measured']:>10}{bar['bar']:>10}   {'met' if bar['met'] else 'MISSED'}")


def show(result):
    for place, rows in result["calls"].items():
        print(f"\n{'calls, ' + place:<34}{'samples':>9}{'median':>11}{'p99':>11}   µs; throughput: µs for each call")
        for name, row in rows.items():
            print(f"{name:<34}{row['samples']:>9}{row['median_us']:>11.2f}{row['p99_us']:>11.2f}")
    for place, row in result["per_call"].items():
        print(f"\n{'per-call, ' + place:<20}{row}", end="")
    print(f"\n\n{'idle':<8}{result['idle']}\n{'storm':<8}{result['storm']}")
    if "soak" in result:
        print(f"{'soak':<8}{result['soak']}")
    show_bars(result["bars"])
    if result["not_measured"]:
        print("not measured: " + "; ".join(result["not_measured"]))
