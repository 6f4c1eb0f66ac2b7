import NIOCore
import NIOPosix

/// One TCP connection to an orchestrator, for saying what no HTTP client would.
package struct RawConnection: Sendable {
    private typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let port: Int
    private let source: String

    /// - Parameter source: whose address the connections come from; all of 127.0.0.0/8 is this machine's.
    package init(port: Int, source: String = "127.0.0.1") {
        self.port = port
        self.source = source
    }

    /// Sends the parts with pauses between; returns the head of the answer, or all until the other side has hung up.
    package func say(
        _ parts: [String], every pause: Duration = .zero, within limit: Duration, untilClosed: Bool = false
    )
        async throws -> (
            answer: String, took: Duration
        )
    {
        let began = ContinuousClock.now
        let stream = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(to: try SocketAddress(ipAddress: source, port: 0))
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
            }
        let answer = try await stream.executeThenClose { inbound, outbound in
            try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask {
                    do {
                        for part in parts {
                            try await outbound.write(ByteBuffer(string: part))
                            if pause > .zero { try await Task.sleep(for: pause) }
                        }
                    } catch is ChannelError {
                        // The other side has had enough, which the reader will see.
                        return nil
                    } catch is IOError {
                        return nil
                    }
                    return nil
                }
                group.addTask {
                    var text = ""
                    do {
                        for try await bytes in inbound {
                            text += String(buffer: bytes)
                            if !untilClosed, text.contains("\r\n\r\n") { break }
                        }
                    } catch is IOError {
                        return text
                    }
                    return text
                }
                group.addTask {
                    try await Task.sleep(for: limit)
                    return "still open"
                }
                while let next = try await group.next() {
                    guard let next else { continue }
                    group.cancelAll()
                    return next
                }
                return ""
            }
        }
        return (answer, ContinuousClock.now - began)
    }
}
