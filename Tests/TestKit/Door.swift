import Foundation

/// The way to a server that can be shut, so that nothing accepts connections there, and opened again at the same port.
package actor Door {
    /// Where the server is reached while the door is open.
    package nonisolated let url: String
    private let target: (host: String, port: Int)
    private let port: Int
    private var proxy: Proxy?
    private var serving: Task<Void, any Error>?

    /// An open door before the server of this URL.
    package init(to url: String) async throws {
        guard var parts = URLComponents(string: url), let host = parts.host, let port = parts.port else {
            throw Trouble("\(url) has no host and port")
        }
        target = (host, port)
        let proxy = try await Proxy(to: host, port)
        self.port = proxy.port
        parts.port = proxy.port
        guard let text = parts.string else { throw Trouble("\(url) has no place for another port") }
        self.url = text
        self.proxy = proxy
        serving = Task { try await proxy.run() }
    }

    /// Ends every connection, and refuses new ones.
    package func shut() async {
        serving?.cancel()
        await proxy?.cut()
        (proxy, serving) = (nil, nil)
    }

    /// Ends every connection; new ones come through.
    package func cut() async { await proxy?.cut() }

    package func open() async throws {
        guard proxy == nil else { return }
        let proxy = try await Proxy(to: target.host, target.port, listening: port)
        self.proxy = proxy
        serving = Task { try await proxy.run() }
    }
}
