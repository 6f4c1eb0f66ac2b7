import Foundation
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that says byte by byte what its script says, true or not.
struct RawServer: Sendable {
    typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let port: Int
    private let accepted: Counter

    /// How many connections there have been.
    var connections: Int { accepted.value }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Serves every connection with the script until the body has ended; each is closed when its script ends.
    static func run<R: Sendable>(
        _ script: @escaping @Sendable (Peer) async throws -> Void, while body: @Sendable (RawServer) async throws -> R
    ) async throws -> R {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0) { $0.eventLoop.makeSucceededFuture($0) }
        let counter = Counter()
        let server = RawServer(port: listener.channel.localAddress?.port ?? 0, accepted: counter)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await listener.executeThenClose { connections in
                    try await withThrowingDiscardingTaskGroup { scripts in
                        for try await connection in connections {
                            counter.increment()
                            scripts.addTask { await serve(connection, script) }
                        }
                    }
                }
            }
            let result = try await body(server)
            group.cancelAll()
            return result
        }
    }

    private static func serve(_ channel: any Channel, _ script: @Sendable (Peer) async throws -> Void) async {
        do {
            // It reads from here on; a channel that comes after the end is just closed.
            let connection = try await channel.eventLoop.submit { try Stream(wrappingChannelSynchronously: channel) }
                .get()
            try await connection.executeThenClose { inbound, outbound in
                try await channel.setOption(.autoRead, value: true).get()
                try await script(Peer(channel: channel, inbound: inbound, outbound: outbound))
            }
        } catch {
            return  // The other side has hung up, or the test is over.
        }
    }
}

/// One connection, seen from the server.
final class Peer {
    private let channel: any Channel
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    init(
        channel: any Channel, inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.inbound = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Answers each request of this connection, until the other side hangs up.
    func serve(_ answer: (String) async throws -> Void) async throws {
        var text = ""
        while let bytes = try await inbound.next(isolation: #isolation) {
            text += String(buffer: bytes)
            while let request = Self.takeRequest(from: &text) { try await answer(request) }
        }
    }

    /// The next request with its body; the rest is lost.
    func request() async throws -> String {
        var text = ""
        while let bytes = try await inbound.next(isolation: #isolation) {
            text += String(buffer: bytes)
            if let request = Self.takeRequest(from: &text) { return request }
        }
        throw HungUp()
    }

    /// Waits for the first bytes, whatever they are.
    func anything() async throws { _ = try await inbound.next(isolation: #isolation) }

    func say(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    func say(bytes: [UInt8]) async throws { try await outbound.write(ByteBuffer(bytes: bytes)) }

    /// Waits until the other side has hung up.
    func hangUp() async throws {
        while try await inbound.next(isolation: #isolation) != nil {}
    }

    /// Ends the connection with a RST instead of a FIN.
    func reset() async throws {
        try await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await channel.close().get()
    }

    private static func takeRequest(from text: inout String) -> String? {
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let head = text[..<end.upperBound]
        let length =
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
        let rest = text[end.upperBound...].utf8
        guard rest.count >= length else { return nil }
        let bodyEnd = rest.index(rest.startIndex, offsetBy: length)
        defer { text = String(text[bodyEnd...]) }
        return String(text[..<bodyEnd])
    }
}

struct HungUp: Error {}

/// Counts from any thread.
final class Counter: Sendable {
    private let count = Mutex(0)

    var value: Int { count.withLock { $0 } }

    func increment() { count.withLock { $0 += 1 } }
}

/// Something that happens once, and can be waited for.
struct Signal: Sendable {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func fire() { continuation.finish() }

    func wait() async {
        for await _ in stream {}
    }
}
