/// The version of the host and its command line.
public enum HostVersion {
    public static let current = "0.1.0"
}
