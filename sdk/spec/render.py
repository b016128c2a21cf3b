#!/usr/bin/env python3
"""Makes what follows from abi-v1.json: the tables of abi-v1.md and vectors/lifecycle.json.

Without arguments it writes them; with --check it changes nothing and exits 1 if one of them is out of date.
"""
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = json.loads((HERE / "abi-v1.json").read_text(encoding="utf-8"))
PLACES = {
    "session": lambda side: ["session"],
    "own": lambda side: ["odd" if side == "host" else "even"],
    "peer": lambda side: ["even" if side == "host" else "odd"],
    "session-or-peer": lambda side: ["session", "even" if side == "host" else "odd"],
    # Only the plugin has errors of the whole session.
    "peer-or-session": lambda side: ["even"] if side == "host" else ["odd", "session"],
}
STREAM_WORDS = {
    "session": "0", "own": "sender's own", "peer": "the other side's", "session-or-peer": "0 or a call's",
    "peer-or-session": "the other side's; 0 in 6.3",
}


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def table(header, rows):
    return "\n".join([row(*header), "|" + "---|" * len(header), *(row(*cells) for cells in rows)])


def seconds(milliseconds):
    return "none" if milliseconds is None else f"{milliseconds // 1000} s"


def number(tag):
    return f"0x{tag:x}" if tag >= 0x8000 else str(tag)


def kinds():
    return table(
        ["Kind", "Number", "Sent by", "Stream", "Meaning"],
        [[kind["name"], kind["number"], kind["sender"], STREAM_WORDS[kind["stream"]],
          kind["meaning"] + (" (terminal)" if kind["terminal"] else "")] for kind in SCHEMA["kinds"]])


def fields():
    rows = []
    for kind in SCHEMA["kinds"]:
        for field in kind["fields"]:
            optional = [] if field["required"] else ["optional"]
            notes = "; ".join(optional + ([field["notes"]] if field["notes"] else []))
            rows.append([kind["name"], number(field["tag"]), field["name"], field["type"], notes])
    return table(["Kind", "Tag", "Field", "Type", "Notes"], rows)


def moves():
    deadlines = {state["name"]: state["deadline"] for state in SCHEMA["states"]}
    return table(
        ["State", "Message", "Next state", "Deadline in the next state"],
        [[move["state"], move["message"], move["next"], seconds(deadlines[move["next"]])] for move in SCHEMA["moves"]])


def traffic():
    alive = [s["name"] for s in SCHEMA["states"] if s["name"] not in ("created", "disposed", "failed")]
    return table(
        ["Message", "Changes no state and is allowed in"],
        [[", ".join(entry["messages"]) + (" on a stream" if "result" in entry["messages"] else ""),
          "every state but created, disposed and failed" if entry["states"] == alive else ", ".join(entry["states"])]
         for entry in SCHEMA["traffic"]])


def errors():
    return table(
        ["Code", "Meaning", "Retryable", "To callers", "Recovery"],
        [[e["code"], e["meaning"], "yes" if e["retryable"] else "no", "yes" if e["fromPlugin"] else "no", e["recovery"]]
         for e in SCHEMA["errors"]])


def limits():
    rows = [[limit["name"], f"{limit['value']:,}", limit["applies"]] for limit in SCHEMA["limits"]]
    return table(["Name", "Limit", "Applies to"], rows)


def services():
    rows = []
    for service in SCHEMA["services"]:
        for direction in ("request", "response"):
            for member in service[direction]:
                kind = member["type"] + ("" if member["required"] else ", optional")
                rows.append([service["name"], direction, member["name"], kind, member["meaning"]])
    return table(["Service", "Direction", "Member", "Type", "Meaning"], rows)


def permissions():
    return table(
        ["Service", "What it does", "Permission", "Errors"],
        [[s["name"], s["meaning"], f"`{s['permission']}`", ", ".join(s["errors"])] for s in SCHEMA["services"]])


def requirements():
    path = HERE / "abi-v1.requirements.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return table(
        ["Requirement", "Class", "Enforced by"],
        [[name, entry["class"], ", ".join(f"`{test}`" for test in entry["tests"])] for name, entry in entries.items()])


def places(kind):
    sides = ["host", "plugin"] if kind["sender"] == "both" else [kind["sender"]]
    return [f"{side}/{place}" for side in sides for place in PLACES[kind["stream"]](side)]


def lifecycle():
    """Every kind in every state: on its first place, and for `error` on the session's stream as well."""
    by_state = {(move["state"], move["message"]): move["next"] for move in SCHEMA["moves"]}
    allowed = {message: entry["states"] for entry in SCHEMA["traffic"] for message in entry["messages"]}
    final = [state["name"] for state in SCHEMA["states"] if state["final"]]
    vectors = []
    for state in (entry["name"] for entry in SCHEMA["states"]):
        for kind in SCHEMA["kinds"]:
            name = kind["name"]
            spots = [("error", "plugin/session"), ("error on a stream", "plugin/odd")]
            for title, place in spots if name == "error" else [(name, places(kind)[0])]:
                of_session = place.endswith("/session")
                if name == "abort" and state not in final:
                    outcome = "failed"
                elif (state, name) in by_state and of_session:
                    outcome = by_state[state, name]
                elif state in allowed.get(name, []) and (name != "error" or not of_session):
                    outcome = "deliver"
                else:
                    outcome = "refused"
                vectors.append(
                    {"name": f"{state}: {title}", "state": state, "kind": name, "place": place, "outcome": outcome})
    reach = {"created": []}
    for move in SCHEMA["moves"]:
        if move["next"] not in reach and move["next"] not in ("failed", "disposing", "disposed"):
            reach[move["next"]] = reach[move["state"]] + [move["message"]]
    reach["disposing"] = reach["stopped"] + ["dispose"]
    reach["disposed"] = reach["disposing"] + ["disposed"]
    reach["failed"] = ["abort"]
    head = {
        "about": "places: who may send a kind, and on which stream (session is 0, odd the host's, even the plugin's); "
                 "anywhere else it is refused in every state. reach: kinds that lead to a state. deadlines in "
                 "milliseconds. vectors: what a kind does in a state: the next state, deliver (no change) or refused "
                 "(unexpected-message; the session fails). Made by render.py.",
        "places": {kind["name"]: places(kind) for kind in SCHEMA["kinds"]},
        "reach": {state["name"]: reach[state["name"]] for state in SCHEMA["states"]},
        "deadlines": {s["name"]: s["deadline"] for s in SCHEMA["states"] if s["deadline"] is not None},
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    body = ",\n".join("  " + json.dumps(vector) for vector in vectors)
    return "{\n" + "\n".join(lines) + '\n "vectors": [\n' + body + "\n ]\n}\n"


def document(text):
    makers = {maker.__name__: maker for maker in (
        kinds, fields, moves, traffic, errors, limits, services, permissions, requirements)}

    def replace(match):
        return f"<!-- {match[1]}: made from abi-v1.json -->\n\n{makers[match[1]]()}\n\n<!-- end -->"
    return re.sub(r"<!-- (\w+): made from abi-v1\.json -->.*?<!-- end -->", replace, text, flags=re.DOTALL)


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit("usage: render.py [--check]")
    markdown = HERE / "abi-v1.md"
    made = {markdown: document(markdown.read_text(encoding="utf-8")), HERE / "vectors" / "lifecycle.json": lifecycle()}
    for path, text in made.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            sys.exit(f"{path.name} is out of date; run sdk/spec/render.py")
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
