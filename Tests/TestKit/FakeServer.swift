import NIOCore
import NIOPosix

/// One client of a server that a test plays itself, byte by byte.
package struct FakeClient {
    private var bytes: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var unread = ByteBuffer()

    fileprivate init(
        _ bytes: NIOAsyncChannelInboundStream<ByteBuffer>, _ writer: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.bytes = bytes.makeAsyncIterator()
        self.writer = writer
    }

    /// Waits until so many bytes have come; an error when the client hangs up first.
    package mutating func read(_ count: Int) async throws -> [UInt8] {
        while unread.readableBytes < count {
            guard var more = try await bytes.next(isolation: #isolation) else { throw Trouble("the client hung up") }
            unread.writeBuffer(&more)
        }
        return unread.readBytes(length: count) ?? []
    }

    /// Waits until the client has hung up.
    package mutating func readToEnd() async throws {
        while try await bytes.next(isolation: #isolation) != nil {}
    }

    /// Returns once the bytes are on their way; waits while the client does not read.
    package func write(_ bytes: [UInt8]) async throws {
        try await writer.write(ByteBuffer(bytes: bytes))
    }
}

/// Listens on loopback while `body` runs, and plays the server for every client that comes.
///
/// What a client's conversation throws ends that conversation alone.
package func withFakeServer<R: Sendable>(
    serving serve: @escaping @Sendable (inout FakeClient) async throws -> Void,
    _ body: @escaping @Sendable (_ port: Int) async throws -> R
) async throws -> R {
    typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .bind(host: "127.0.0.1", port: 0) { channel in
            channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
        }
    let port = listener.channel.localAddress?.port ?? 0
    return try await withThrowingTaskGroup(of: R?.self) { group in
        group.addTask {
            try await withThrowingDiscardingTaskGroup { conversations in
                try await listener.executeThenClose { clients in
                    for try await client in clients {
                        conversations.addTask { await converse(client, serve) }
                    }
                }
            }
            return nil
        }
        group.addTask { try await body(port) }
        defer { group.cancelAll() }
        while let next = try await group.next() {
            if let next { return next }
        }
        throw Trouble("the fake server stopped listening")
    }
}

private func converse(
    _ stream: NIOAsyncChannel<ByteBuffer, ByteBuffer>,
    _ serve: @Sendable (inout FakeClient) async throws -> Void
) async {
    do {
        try await stream.executeThenClose { inbound, outbound in
            var client = FakeClient(inbound, outbound)
            try await serve(&client)
        }
    } catch {
        // The client has hung up or the test is over; either way this conversation is.
        return
    }
}
