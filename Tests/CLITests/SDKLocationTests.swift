import Testing

@testable import nexus

struct SDKLocationTests {
    private func find(
        _ folder: AuthorFolder, option: String? = nil, variable: String? = nil,
        program: String = "bin/nexus"
    ) throws -> String {
        try SDKLocation.find(
            option: option.map { "\(folder.path)/\($0)" },
            environment: variable.map { [SDKLocation.variable: "\(folder.path)/\($0)"] } ?? [:],
            program: "\(folder.path)/\(program)", needing: "swift/Package.swift"
        ).path.replacing(folder.path + "/", with: "")
    }

    @Test func theOptionIsStrongerThanTheVariableAndThatThanTheProgramsPlace() throws {
        let folder = try AuthorFolder()
        for place in ["option", "variable", "checkout"] {
            try folder.write("\(place)/sdk/swift/Package.swift", "")
        }
        let program = "checkout/bin/nexus"
        #expect(
            try find(folder, option: "option", variable: "variable", program: program) == "option/sdk")
        #expect(try find(folder, variable: "variable", program: program) == "variable/sdk")
        #expect(try find(folder, program: program) == "checkout/sdk")
    }

    @Test(arguments: [
        "bin/nexus", ".build/debug/nexus", ".build/x86_64-unknown-linux-gnu/debug/nexus",
    ])
    func aCheckoutIsFoundFromWhereItsProgramsAreBuilt(program: String) throws {
        let folder = try AuthorFolder()
        try folder.write("sdk/swift/Package.swift", "")
        #expect(try find(folder, program: program) == "sdk")
    }

    @Test func theSDKFolderItselfWillDo() throws {
        let folder = try AuthorFolder()
        try folder.write("sdk/swift/Package.swift", "")
        #expect(try find(folder, option: "sdk", program: "elsewhere/x/nexus") == "sdk")
    }

    @Test func aNamedPlaceWithoutSDKIsAnErrorAndNothingElseIsTried() throws {
        let folder = try AuthorFolder()
        try folder.write("sdk/swift/Package.swift", "")
        let failure = #expect(throws: CommandFailure.self) { try find(folder, option: "nowhere") }
        #expect(
            failure?.message.hasPrefix("--sdk: \(folder.path)/nowhere holds no swift/Package.swift")
                == true)
        let other = #expect(throws: CommandFailure.self) { try find(folder, variable: "nowhere") }
        #expect(other?.message.hasPrefix("$NEXUS_SDK: ") == true)
    }

    @Test func whereNothingIsFoundTheWayOutIsNamed() throws {
        let folder = try AuthorFolder()
        let failure = #expect(throws: CommandFailure.self) { try find(folder) }
        #expect(failure?.message.contains("--sdk DIR or $NEXUS_SDK") == true)
        #expect(failure?.message.contains(folder.path) == true)
    }
}
