/// The token that a fresh home starts with, in a 0600 file, for agents of the user who started the host.
public enum FirstToken {
    public static func ensure(in home: Home, user: String, tokens: TokenStore) throws(HostError) {
        if try FileBytes.read(home.firstToken, limit: 256, isPrivate: true) != nil { return }
        let (_, bearer) = try tokens.create(user: user)
        try FileBytes.write(Array((bearer + "\n").utf8), to: home.firstToken)
    }
}
