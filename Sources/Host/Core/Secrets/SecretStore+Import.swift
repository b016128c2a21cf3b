public import PluginABI

extension SecretStore {
    /// Whether this very value is stored. For importing twice what is to be stored once; the time of the comparison
    /// tells nothing of the value.
    public func holds(_ address: SecretAddress, _ value: SecretBytes) throws(HostError) -> Bool {
        guard let stored = try peek(address) else { return false }
        return stored.withBytes { stored in
            value.withBytes { value in
                guard stored.count == value.count else { return false }
                var difference: UInt8 = 0
                for index in stored.indices { difference |= stored[index] ^ value[index] }
                return difference == 0
            }
        }
    }
}
