import Foundation
import TestKit

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
