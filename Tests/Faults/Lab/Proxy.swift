import Foundation
import Logging
import NIOCore
import NIOPosix
import TestKit

/// A TCP proxy in front of one server, for one part of the fleet, whose gate decides what comes through.
final class Proxy: Sendable {
    private typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    let gate = Gate()
    let port: Int
    private let listener: NIOAsyncChannel<Stream, Never>
    private let target: (host: String, port: Int)
    private let connections = Connections()

    init(to host: String, _ port: Int) async throws {
        target = (host, port)
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
            }
        self.port = listener.channel.localAddress?.port ?? 0
    }

    /// Serves until the task is cancelled.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            try await listener.executeThenClose { clients in
                for try await client in clients {
                    group.addTask { await self.serve(client) }
                }
            }
        }
    }

    /// Ends every connection that stands.
    func cut() async {
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

/// The proxies of the fleet: the orchestrators' and the workers', in front of each server.
struct Proxies: Sendable {
    enum Side: Sendable, CaseIterable { case orchestrators, workers }

    private let all: [Side: [Servers.Name: Proxy]]

    init(_ place: Place) async throws {
        let urls: [Servers.Name: String] = [
            .postgres: place.databaseURL, .rabbitmq: place.brokerURL, .redis: place.redisURL,
        ]
        var all: [Side: [Servers.Name: Proxy]] = [:]
        for side in Side.allCases {
            for (server, url) in urls {
                guard let parts = URLComponents(string: url), let host = parts.host, let port = parts.port else {
                    throw Trouble("\(url) has no host and port")
                }
                all[side, default: [:]][server] = try await Proxy(to: host, port)
            }
        }
        self.all = all
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for proxy in all.values.flatMap(\.values) { group.addTask { try await proxy.run() } }
            try await group.waitForAll()
        }
    }

    /// Those in front of a server, for one side or both.
    func of(_ server: Servers.Name, _ sides: [Side] = Side.allCases) -> [Proxy] {
        sides.compactMap { all[$0]?[server] }
    }

    /// A server's URL by way of its proxy.
    func url(_ url: String, of server: Servers.Name, for side: Side) throws -> String {
        guard var parts = URLComponents(string: url), let port = all[side]?[server]?.port else {
            throw Trouble("\(url) cannot be proxied")
        }
        parts.port = port
        guard let text = parts.string else { throw Trouble("\(url) cannot be proxied") }
        return text
    }
}
