internal import Foundation

/// Where the SDKs are: the `sdk` folder of a checkout.
struct SDKLocation: Equatable {
    /// Absolute, with `swift` and `python` in it.
    let path: String
    static let variable = "NEXUS_SDK"

    var swift: String { "\(path)/swift" }
    /// For `PYTHONPATH`.
    var python: String { "\(path)/python/src" }

    /// `--sdk`, else `$NEXUS_SDK`, else the checkout that `program` stands in (`bin/..` or `.build/debug/../..`).
    ///
    /// - Parameter part: what is needed of it, a path such as `swift/Package.swift`.
    /// - Throws: `CommandFailure` with the places that were looked at.
    static func find(
        option: String?, environment: [String: String], program: String, needing part: String
    ) throws(CommandFailure) -> SDKLocation {
        let named = option.map { ("--sdk", $0) } ?? environment[variable].map { ("$\(variable)", $0) }
        if let (source, folder) = named, !folder.isEmpty {
            if let found = here(ProjectPath.absolute(folder), part) { return found }
            throw CommandFailure(
                "\(source): \(folder) holds no \(part) and no sdk/\(part); name a checkout of Nexus, or its sdk folder"
            )
        }
        let places = checkouts(of: program)
        for place in places {
            if let found = here(place, part) { return found }
        }
        throw CommandFailure(
            "there is no sdk/\(part) in \(places.joined(separator: " or ")); "
                + "name a checkout of Nexus with --sdk DIR or $\(variable)")
    }

    /// The program's folder's parent, and for SwiftPM's folders the package.
    private static func checkouts(of program: String) -> [String] {
        let folder = URL(fileURLWithPath: program).deletingLastPathComponent()
        let parent = folder.deletingLastPathComponent()
        var places = [parent.path]
        for place in [parent, parent.deletingLastPathComponent()]
        where place.lastPathComponent == ".build" {
            places.append(place.deletingLastPathComponent().path)
        }
        return places
    }

    private static func here(_ folder: String, _ part: String) -> SDKLocation? {
        for path in ["\(folder)/sdk", folder]
        where FileManager.default.fileExists(atPath: "\(path)/\(part)") {
            return SDKLocation(path: path)
        }
        return nil
    }
}
