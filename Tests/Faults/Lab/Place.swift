import Foundation
import TestKit

/// Where the suite works: the sources, the servers' run directory, and the addresses that it left there.
struct Place: Sendable {
    let root: URL
    let run: URL
    let databaseURL: String
    let brokerURL: String
    let managementURL: String
    let redisURL: String

    init(_ environment: [String: String]) throws {
        func value(_ name: String) throws -> String {
            guard let value = environment[name] else { throw Trouble("\(name) is not set; run compose/dev faults") }
            return value
        }
        root = URL(filePath: try value("TURNSTILE_ROOT"))
        run = URL(filePath: try value("TURNSTILE_RUN"))
        databaseURL = try value("DATABASE_URL")
        brokerURL = try value("AMQP_URL")
        managementURL = try value("AMQP_MANAGEMENT_URL")
        redisURL = try value("REDIS_URL")
    }

    /// A program of the debug build, the only one that knows fault points.
    func program(_ name: String) -> URL { root.appending(path: ".build/debug/\(name)") }

    func log(_ name: String) -> URL { run.appending(path: "log/\(name).log") }

    /// The pid of one of the private servers.
    func pid(ofServer name: String) throws -> Int32 {
        let text = try String(contentsOf: run.appending(path: "pid/\(name)"), encoding: .utf8)
        guard let pid = text.split(separator: " ").first.flatMap({ Int32($0) }) else {
            throw Trouble("there is no pid of \(name)")
        }
        return pid
    }
}
