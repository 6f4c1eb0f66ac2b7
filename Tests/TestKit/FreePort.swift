import NIOCore
import NIOPosix

/// Finds loopback ports that nobody listens on.
package enum FreePort {
    package static func find() throws -> Int {
        let channel = try ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).wait()
        defer { channel.close(promise: nil) }
        guard let port = channel.localAddress?.port else { throw Trouble("no free port") }
        return port
    }
}
