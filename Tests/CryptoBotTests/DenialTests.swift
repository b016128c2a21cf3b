import Glibc
import Testing

@testable import CryptoBotCore

@Suite struct DenialTests {
    @Test(arguments: [
        (EPERM, false, "seccomp"), (ENOSYS, false, "seccomp"), (ENOENT, true, "mount namespace"),
        (EROFS, true, "read-only root"), (EACCES, true, "file permissions or Landlock"),
        (EAGAIN, false, "resource limits"), (EIO, true, "the kernel"),
    ])
    func layerFollowsFromTheErrnoThatWasSeen(errno: Int32, isPath: Bool, layer: String) {
        #expect(Denial(errno: errno, call: "open", isPath: isPath).layer == layer)
    }

    @Test func detailNamesCallAndErrno() {
        let denial = Denial(errno: EROFS, call: "open /x", isPath: true)
        #expect(denial.detail == "open /x: EROFS, the file system is read-only")
        #expect(Denial(errno: 4_000, call: "open /x", isPath: true).detail == "open /x: errno 4000, refused")
    }
}
