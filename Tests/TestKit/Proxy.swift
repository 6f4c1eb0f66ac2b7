import NIOCore
import NIOPosix

/// A TCP proxy in front of one server, for one part of the fleet, whose gate decides what comes through.
package final class Proxy: Sendable {
    private typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    package let gate = Gate()
    package let port: Int
    private let listener: NIOAsyncChannel<Stream, Never>
    private let target: (host: String, port: Int)
    private let connections = Connections()

    /// - Parameter listening: the port to listen on; 0 leaves the choice to the system.
    package init(to host: String, _ port: Int, listening: Int = 0) async throws {
        target = (host, port)
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: listening) { channel in
                channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
            }
        self.port = listener.channel.localAddress?.port ?? 0
    }

    /// Serves until the task is cancelled.
    package func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { clients in
                for try await client in clients {
                    group.addTask { await self.serve(client) }
                }
            }
        }
    }

    /// Ends every connection that stands.
    package func cut() async {
        await connections.cancelAll()
    }

    private func serve(_ client: Stream) async {
        let task = Task {
            do {
                try await client.executeThenClose { requests, toClient in
                    if gate.isRefusing { return }
                    let server = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                        .connect(host: target.host, port: target.port) { channel in
                            channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
                        }
                    try await server.executeThenClose { answers, toServer in
                        try await withThrowingTaskGroup(of: Void.self) { group in
                            group.addTask { try await self.pass(requests, to: toServer, .requests) }
                            group.addTask { try await self.pass(answers, to: toClient, .answers) }
                            try await group.next()
                            group.cancelAll()
                        }
                    }
                }
            } catch {
                // Whatever ends one side ends the other: that is what a proxy is for.
                return
            }
        }
        let id = await connections.add(task)
        await task.value
        await connections.remove(id)
    }

    private func pass(
        _ source: NIOAsyncChannelInboundStream<ByteBuffer>, to target: NIOAsyncChannelOutboundWriter<ByteBuffer>,
        _ direction: Gate.Direction
    ) async throws {
        for try await bytes in source {
            try await gate.pass(direction)
            try await target.write(bytes)
        }
    }

    private actor Connections {
        private var tasks: [Int: Task<Void, Never>] = [:]
        private var next = 0

        func add(_ task: Task<Void, Never>) -> Int {
            next += 1
            tasks[next] = task
            return next
        }

        func remove(_ id: Int) { tasks[id] = nil }

        func cancelAll() {
            for task in tasks.values { task.cancel() }
        }
    }
}
