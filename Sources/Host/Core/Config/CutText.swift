extension StringProtocol {
    /// At most `limit` Unicode scalars. `prefix` counts characters, and one character may hide a million scalars.
    func cut(to limit: Int) -> String {
        var short = String.UnicodeScalarView()
        short.append(contentsOf: unicodeScalars.prefix(limit))
        return String(short)
    }
}
