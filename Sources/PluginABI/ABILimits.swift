/// Every limit of the plugin ABI (abi-v1.md section 10). Sizes in bytes.
public enum ABILimits {
    /// Frame header, fixed.
    public static let headerBytes = 16
    /// Body of any frame.
    public static let bodyBytes = 4 << 20
    /// Body of a frame before the handshake is complete: a stranger gets little memory.
    public static let handshakeBodyBytes = 4 << 10
    /// Fields in one body.
    public static let fieldsPerFrame = 256
    /// JSON in one field.
    public static let jsonBytes = 2 << 20
    /// Names: tools, services, credentials, error codes.
    public static let nameBytes = 128
    /// Free text: messages of errors and logs.
    public static let textBytes = 16 << 10
    /// One credential value.
    public static let credentialBytes = 16 << 10
    /// Credentials in one call.
    public static let credentialsPerCall = 16
    /// Calls of a plugin to the host that may be open at once.
    public static let openHostCalls = 32
    /// The bytes of one `data` frame.
    public static let dataBytes = 256 << 10
    /// What a plugin may send as `data` on a call before it is granted more.
    public static let initialCreditBytes = 256 << 10
    /// Unspent credit of one call.
    public static let creditBytes = 16 << 20
}
