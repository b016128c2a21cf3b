import Testing

@testable import Sandbox

/// A plan out of the cache is byte for byte the one that would be compiled.
@Suite struct PlanCacheTests {
    private let kernel = KernelSupport(landlockABI: 7)

    private func policy(_ name: String) -> JailPolicy { JailPolicy(name: "p", program: .sealed, arguments: [name]) }

    private func root(_ id: UInt32) -> JailHost { JailHost(privileged: true, outerUser: id, outerGroup: id) }

    @Test func aCachedPlanIsTheOneThatIsCompiled() throws {
        var cache = PlanCache()
        for id: UInt32 in [2_000_000_001, 2_000_000_002, 2_000_000_001] {
            for name in ["a", "b"] {
                let found = try cache.plan(policy(name), host: root(id), kernel: kernel)
                #expect(try found == JailCompiler.compile(policy(name), host: root(id), kernel: kernel))
            }
        }
    }

    @Test func policiesAndHostsThatDifferDoNotShareAPlan() throws {
        var cache = PlanCache()
        let user = JailHost(privileged: false, outerUser: 1001, outerGroup: 1001)
        let first = try cache.plan(policy("a"), host: root(2_000_000_001), kernel: kernel)
        #expect(try cache.plan(policy("a"), host: user, kernel: kernel) != first)
        var weaker = policy("a")
        weaker.profile = "compat"
        #expect(try cache.plan(weaker, host: root(2_000_000_001), kernel: kernel) != first)
        #expect(try cache.plan(policy("a"), host: root(2_000_000_001), kernel: kernel) == first)
    }

    @Test func moreThanItHoldsAndPoliciesThatCannotBeMetAreCompiledAgain() throws {
        var cache = PlanCache()
        for round in 0..<2 * PlanCache.size {
            let name = "\(round % (PlanCache.size + 1))"
            let found = try cache.plan(policy(name), host: root(2_000_000_001), kernel: kernel)
            #expect(try found == JailCompiler.compile(policy(name), host: root(2_000_000_001), kernel: kernel))
        }
        var refused = policy("a")
        refused.profile = "no-such-profile"
        #expect(throws: JailError.self) { try cache.plan(refused, host: root(2_000_000_001), kernel: kernel) }
    }
}
