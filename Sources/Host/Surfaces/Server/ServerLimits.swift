/// Every limit of the HTTP front.
enum ServerLimits {
    /// The longest message of MCP, in bytes.
    static let messageBytes = 4 << 20
    /// Open connections of one listener; more wait in the kernel's queue until one closes. They must not use up
    /// the descriptors that plugins are started with.
    static let connections = 1_024
    /// For a request's head, from the connection's beginning; and without a byte of a request that has begun; and,
    /// after an answer, for the client to close.
    static let idleSeconds: Int64 = 20
    /// From a request's head to the last byte of its body, however steadily it drips.
    static let bodySeconds: Int64 = 30
    /// For a client to take a piece of a stream.
    static let stalledSeconds: Int64 = 30
}
