import FoundationEssentials

/// Names a Redis and how long to wait for it; a cache that is slow is a cache that is not there.
package struct RedisConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
    package let host: String
    package let port: Int
    package let database: Int
    let user: String?
    let password: String?
    /// For connecting, and for each round trip.
    package var timeout: Duration = .milliseconds(50)
    /// Failures in a row before nothing is tried any more.
    package var breakerFailures = 3
    /// How long nothing is tried.
    package var breakerPause: Duration = .seconds(2)

    /// Reads `redis://[[user]:password@]host[:port][/database]`.
    package init(url: String) throws {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty else {
            throw RedisError(.invalidURL, detail: "the Redis URL must look like redis://host:6379/0")
        }
        guard parts.scheme == "redis" else {
            throw RedisError(.invalidURL, detail: "the Redis URL must start with redis://; TLS needs a tunnel")
        }
        guard let database = parts.path.isEmpty || parts.path == "/" ? 0 : Int(parts.path.dropFirst()), database >= 0
        else {
            throw RedisError(.invalidURL, detail: "the Redis URL must end with the number of a database")
        }
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        port = parts.port ?? 6379
        self.database = database
        user = parts.user.flatMap { $0.isEmpty ? nil : $0 }
        password = parts.password.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Where it points, without the password.
    package var description: String { "redis://\(host):\(port)/\(database)" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// What a new connection says first.
    var greeting: [RedisCommand] {
        var commands: [RedisCommand] = []
        if let password {
            commands.append(user.map { ["AUTH", $0, password] } ?? ["AUTH", password])
        }
        if database != 0 { commands.append(["SELECT", database]) }
        return commands
    }
}
