public import JSONBytes

extension ConformanceReport {
    /// `{"subject", "side", "conforms", "counts": {..}, "milliseconds", "checks": [{"requirement", "title", "group",
    /// "outcome": "passed|failed|skipped", "milliseconds", "why"?, "fix"?, "frames"?, "reason"?}]}`
    public var json: JSONValue {
        [
            "subject": .string(subject), "side": .string(side), "conforms": .bool(exitCode == 0),
            "counts": [
                "checks": JSONValue(results.count), "passed": JSONValue(passed.count),
                "failed": JSONValue(failed.count), "skipped": JSONValue(skipped.count),
            ],
            "milliseconds": JSONValue(milliseconds), "checks": .array(results.map(\.json)),
        ]
    }
}

extension CheckResult {
    var json: JSONValue {
        var object = JSONObject([
            ("requirement", .string(requirement)), ("title", .string(title)), ("group", .string(group)),
            ("milliseconds", JSONValue(milliseconds)),
        ])
        switch outcome {
        case .passed: object["outcome"] = "passed"
        case .failed(let why, let remedy, let transcript):
            object["outcome"] = "failed"
            object["why"] = .string(why)
            object["fix"] = .string(remedy)
            object["frames"] = JSONValue(transcript)
        case .skipped(let reason):
            object["outcome"] = "skipped"
            object["reason"] = .string(reason)
        }
        return .object(object)
    }
}
