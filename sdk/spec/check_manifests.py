"""Does manifest-v1.schema.json say the same as the vectors? Needs `jsonschema` from PyPI.

    python check_manifests.py          from anywhere, in an environment that has the package

The Swift tests hold the reader to the same vectors, so that reader and schema agree wherever a schema can.
"""
import json
import pathlib
import re
import sys

from jsonschema import Draft202012Validator

SPEC = pathlib.Path(__file__).resolve().parent
REPOSITORY = SPEC.parents[1]


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def judge(validator, vector):
    """What is wrong with one vector, or None."""
    expected = vector["valid"] or vector.get("schema") == "accepts"
    try:
        document = vector["manifest"] if "manifest" in vector else json.loads(vector["text"])
    except json.JSONDecodeError:
        return None if not vector["valid"] else "is no JSON document"
    errors = [error.message[:200] for error in validator.iter_errors(document)]
    if expected and errors:
        return f"the schema refuses it: {errors[0]}"
    if not expected and not errors:
        return "the schema accepts it, and the reader refuses it"
    return None


def undescribed(schema):
    """Fields of the manifest that an editor could say nothing about."""
    return [name for name, field in schema["properties"].items() if not {"description", "$ref"} & set(field)]


def main():
    schema = load(SPEC / "manifest-v1.schema.json")
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    failures = [f"{name}: has no description" for name in undescribed(schema)]

    vectors = load(SPEC / "vectors" / "manifests.json")["vectors"]
    for vector in vectors:
        problem = judge(validator, vector)
        if problem:
            failures.append(f"{vector['name']}: {problem}")

    examples = re.findall(r"```json\n(.*?)```", (SPEC / "manifest-v1.md").read_text(encoding="utf-8"), re.DOTALL)
    manifests = {f"example {number} of manifest-v1.md": json.loads(text) for number, text in enumerate(examples, 1)}
    for pattern in ("Plugins/*/plugin.json", "Tests/Fixtures/plugins/*/plugin.json", "sdk/*/examples/*/plugin.json"):
        manifests.update({str(path.relative_to(REPOSITORY)): load(path) for path in REPOSITORY.glob(pattern)})
    for name, manifest in manifests.items():
        failures += [f"{name}: {error.json_path}: {error.message[:200]}" for error in validator.iter_errors(manifest)]

    for failure in failures:
        print(failure, file=sys.stderr)
    if failures or not examples or len(vectors) < 300:
        sys.exit(f"{len(failures)} disagreements over {len(vectors)} vectors and {len(manifests)} manifests")
    print(f"schema and vectors agree: {len(vectors)} vectors, {len(manifests)} manifests")


main()
