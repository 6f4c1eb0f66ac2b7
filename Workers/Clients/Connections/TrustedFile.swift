import Glibc

/// A file that only this user can have written.
package struct TrustedFile {
    private static let longest = 65_536

    package let content: [UInt8]

    /// Nil when there is no such file.
    ///
    /// Folder and file must belong to the user of this process and be writable by nobody else. What is checked is what
    /// is read, whatever is put in its place meanwhile; links are not followed.
    /// - Throws: `UntrustedFile`, which says what is wrong and how to mend it.
    package init?(in folder: String, named name: String) throws(UntrustedFile) {
        guard let directory = try Self.open(folder, O_DIRECTORY, path: folder) else { return nil }
        defer { close(directory) }
        try Self.check(directory, folder)
        let path = "\(folder)/\(name)"
        guard let file = try Self.open(name, O_NONBLOCK, in: directory, path: path) else { return nil }
        defer { close(file) }
        try Self.check(file, path)
        content = try Self.read(file, path)
    }

    private static func open(
        _ name: String, _ flags: Int32, in directory: Int32 = AT_FDCWD, path: String
    ) throws(UntrustedFile) -> Int32? {
        let descriptor = unsafe openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags)
        guard descriptor < 0 else { return descriptor }
        switch errno {
        case ENOENT: return nil
        case ELOOP, ENOTDIR: throw UntrustedFile(path: path, reason: "it is a link, or not what it should be")
        default: throw UntrustedFile(path: path, reason: systemWords(errno))
        }
    }

    private static func check(_ descriptor: Int32, _ path: String) throws(UntrustedFile) {
        var facts = stat()
        guard unsafe fstat(descriptor, &facts) == 0 else {
            throw UntrustedFile(path: path, reason: systemWords(errno))
        }
        guard facts.st_uid == geteuid() else { throw UntrustedFile(path: path, reason: "it belongs to another user") }
        guard facts.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw UntrustedFile(path: path, reason: "others can write it (mend: chmod go-w \(path))")
        }
    }

    private static func read(_ file: Int32, _ path: String) throws(UntrustedFile) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: longest)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw UntrustedFile(path: path, reason: systemWords(errno)) }
        return Array(bytes.prefix(count))
    }
}

/// A file that was not read, and why.
package struct UntrustedFile: Error, CustomStringConvertible {
    let path: String
    let reason: String

    package var description: String { "\(path) is not used: \(reason)" }
}
