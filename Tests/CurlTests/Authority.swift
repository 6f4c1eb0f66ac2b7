import Curl
import Foundation
import Glibc
import Synchronization

/// A certificate authority that lives as long as a test, made by the `openssl` program.
struct Authority: Sendable {
    /// A certificate with its key, both files in PEM.
    struct Certificate: Sendable {
        let certificate: URL
        let key: URL
    }

    let folder: URL
    let certificate: URL

    /// Lends a folder with a new authority, and deletes it.
    static func lend<R>(to body: (Authority) async throws -> R) async throws -> R {
        let folder = FileManager.default.temporaryDirectory.appending(path: "curl-tests-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            do { try FileManager.default.removeItem(at: folder) } catch { print("left behind: \(folder.path)") }
        }
        return try await body(try await Authority(in: folder, "authority"))
    }

    /// An authority that nobody told of.
    func stranger() async throws -> Authority { try await Authority(in: folder, "stranger") }

    private init(in folder: URL, _ name: String) async throws {
        self.folder = folder
        certificate = folder.appending(path: "\(name).pem")
        try await Self.openssl(
            in: folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "\(name).key", "-out", "\(name).pem", "-days", "30", "-subj", "/CN=\(name) of a test", "-addext",
            "keyUsage=critical,keyCertSign")
    }

    /// Signs a certificate for a host or address, such as `DNS:localhost`.
    ///
    /// - Parameter days: how long it holds; with a negative number it has expired.
    func sign(_ host: String, days: Int = 30) async throws -> Certificate {
        let name = UUID().uuidString
        try Data("subjectAltName=\(host)\n".utf8).write(to: folder.appending(path: "\(name).ext"))
        try await Self.openssl(
            in: folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "\(name).key", "-out", "\(name).csr", "-subj", "/CN=server of a test")
        let authority = certificate.deletingPathExtension().lastPathComponent
        try await Self.openssl(
            in: folder, "x509", "-req", "-in", "\(name).csr", "-CA", "\(authority).pem", "-CAkey", "\(authority).key",
            "-CAcreateserial", "-days", "\(days)", "-extfile", "\(name).ext", "-out", "\(name).pem")
        return Certificate(
            certificate: folder.appending(path: "\(name).pem"), key: folder.appending(path: "\(name).key"))
    }

    /// A certificate that vouches for itself.
    func selfSigned(_ host: String) async throws -> Certificate {
        let name = UUID().uuidString
        try await Self.openssl(
            in: folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            "\(name).key", "-out", "\(name).pem", "-days", "30", "-subj", "/CN=self", "-addext",
            "subjectAltName=\(host)")
        return Certificate(
            certificate: folder.appending(path: "\(name).pem"), key: folder.appending(path: "\(name).key"))
    }

    private static func openssl(in folder: URL, _ arguments: String...) async throws {
        let program = try Program("openssl", arguments, in: folder)
        let status = await program.end()
        guard status == 0 else { throw Program.Failure(what: "openssl \(arguments): \(program.output)") }
    }
}

/// A program that runs beside a test, found in the usual folders.
final class Program: Sendable {
    struct Failure: Error {
        let what: String
    }

    private let process: Mutex<Process>
    private let text = Mutex("")
    private let ended = Signal()

    /// Whether it is installed.
    static func isThere(_ name: String) -> Bool { find(name) != nil }

    private static func find(_ name: String) -> URL? {
        ["/usr/bin", "/usr/sbin", "/usr/local/bin"].map { URL(filePath: $0).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    init(_ name: String, _ arguments: [String], in folder: URL) throws {
        guard let program = Self.find(name) else { throw Failure(what: "\(name) is not installed") }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        let pipe = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = pipe
        process.standardError = pipe
        let ended = ended
        process.terminationHandler = { _ in ended.fire() }
        self.process = Mutex(process)
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let data = handle.availableData
            guard !data.isEmpty else { return handle.readabilityHandler = nil }
            self?.text.withLock { $0 += String(decoding: data, as: UTF8.self) }
        }
        try self.process.withLock { try $0.run() }
    }

    /// All that it has said so far.
    var output: String { text.withLock { $0 } }

    /// Waits for its end and answers its status.
    func end() async -> Int32 {
        await ended.wait()
        return process.withLock { $0.terminationStatus }
    }

    /// Kills it: a child of a task's thread has inherited that thread's mask, in which other signals are blocked.
    func stop() async {
        _ = process.withLock { kill($0.processIdentifier, SIGKILL) }
        await ended.wait()
    }
}

/// Servers with TLS, each on a port of its own, until the body has ended.
enum TLSServer {
    /// `openssl s_server`, which with `-www` answers with a page about the connection, with `-WWW` with the folder's files.
    static func openssl<R>(
        _ certificate: Authority.Certificate, in folder: URL, _ more: [String],
        _ body: (Int) async throws -> R
    ) async throws -> R {
        try await run(
            "openssl", in: folder,
            {
                [
                    "s_server", "-accept", "127.0.0.1:\($0)", "-cert", certificate.certificate.path, "-key",
                    certificate.key.path,
                ] + more
            }, body)
    }

    /// `nghttpd`, which serves the folder's files over HTTP/2.
    static func nghttpd<R>(
        _ certificate: Authority.Certificate, in folder: URL, _ body: (Int) async throws -> R
    ) async throws -> R {
        try await run(
            "nghttpd", in: folder,
            {
                [
                    "--address=127.0.0.1", "--htdocs=\(folder.path)", "--echo-upload", "\($0)", certificate.key.path,
                    certificate.certificate.path,
                ]
            }, body)
    }

    private static func run<R>(
        _ name: String, in folder: URL, _ arguments: (Int) -> [String], _ body: (Int) async throws -> R
    ) async throws -> R {
        let port = try await RawServer.run { _ in
        } while: {
            $0.port
        }
        let program = try Program(name, arguments(port), in: folder)
        do {
            try await accepts(port, program)
            let result = try await body(port)
            await program.stop()
            return result
        } catch {
            await program.stop()
            throw error
        }
    }

    /// Waits until somebody listens on the port.
    private static func accepts(_ port: Int, _ program: Program) async throws {
        let client = CurlClient()
        for _ in 0..<500 {
            do {
                _ = try await client.send(.get("https://127.0.0.1:\(port)/"))
                return await client.close()
            } catch  where error.code == .couldNotConnect {
                try await Task.sleep(for: .milliseconds(10))
            } catch {
                return await client.close()
            }
        }
        throw Program.Failure(what: "the server does not listen: \(program.output)")
    }
}
