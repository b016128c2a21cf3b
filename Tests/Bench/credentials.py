"""What a credential adds to a call, and what 10,000 secrets cost: for `run`. Every number has a bar."""
import json
import shutil
import statistics
import subprocess

import calls

COUNT = 10_000
STORE_ROUNDS = 5
LIMIT_SECONDS = 900


def build(folder):
    """The bench's plugin, whose tool `lent` is `echo` with a credential. In a folder of its own: what gets users'
    credentials serves each user in another process."""
    shutil.copytree(f"{folder}/bench", f"{folder}/bench-lent")
    with open(f"{folder}/bench-lent/plugin.json") as manifest:
        about = json.load(manifest)
    about["permissions"] = {"credentials": [{"name": "key", "scope": "user", "reason": "To measure its binding"}]}
    about["tools"].append({"name": "lent", "description": "Returns its arguments", "credentials": ["key"],
                           "inputSchema": {"type": "object"}})
    with open(f"{folder}/bench-lent/plugin.json", "w") as manifest:
        json.dump(about, manifest)


def run(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=LIMIT_SECONDS, cwd="/")
    if done.returncode != 0:
        calls.fail(f"{' '.join(words)}: status {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def measure_binding(folder, rounds):
    """One call without and one with, in turn, to one process. Medians in µs."""
    found = run([f"{folder}/nexus-bench", "binding", f"{folder}/nexus-jail", f"{folder}/bench-lent", str(rounds)])
    median = {name: statistics.median(values) / 1000 for name, values in found.items()}
    return {"calls": len(found["with"]), "without_us": round(median["without"], 2), "with_us": round(median["with"], 2),
            "added_us": round(median["with"] - median["without"], 2)}


def measure_store(folder):
    """Medians, but for a rotation: the slowest counts. Reads go on while the master key is rotated."""
    found = run([f"{folder}/nexus-bench", "secrets", str(COUNT), str(STORE_ROUNDS)])
    median = {name: statistics.median(values) for name, values in found.items() if isinstance(values, list)}
    return {"secrets": found["secrets"], "set_us": round(median["set"] / 1000),
            "open_us": round(median["open"] / 1000, 1),
            "list_ms": round(median["list"] / 1e6, 1), "rotation_s": round(max(found["rotate-master"]) / 1e9, 2),
            "reads": sum(found["reads"]), "fewest_reads": min(found["reads"]), "failed_reads": found["failed-reads"],
            "start_ms": round(found["start"] / 1e6)}


def measure(folder, quick):
    build(folder)
    result = {"binding": measure_binding(folder, 1000 if quick else 10_000)}
    bars = [("binding: µs added to a call, median", result["binding"]["added_us"], "≤ 30",
             result["binding"]["added_us"] <= 30)]
    if not quick:
        store = result["store"] = measure_store(folder)
        bars += [("10,000 secrets listed, ms", store["list_ms"], "< 50", store["list_ms"] < 50),
                 ("10,000 rotated while reads go on, s", store["rotation_s"], "< 5", store["rotation_s"] < 5),
                 ("rotation: fewest reads during one", store["fewest_reads"], "≥ 1", store["fewest_reads"] >= 1),
                 ("rotation: reads that failed", store["failed_reads"], "≤ 0", store["failed_reads"] == 0)]
    result["bars"] = [dict(zip(("what", "measured", "bar", "met"), bar)) for bar in bars]
    return result


def show(result):
    print(f"\n{'binding':<8}{result['binding']}")
    if "store" in result:
        print(f"{'secrets':<8}{result['store']}")
    calls.show_bars(result["bars"])
