import Foundation
import TestKit

/// Where the bench works: the sources, the run directory, and the servers that the script started.
struct Site: Sendable {
    let root: URL
    let run: URL
    let turnstileURL: String
    let databaseURL: String
    let brokerURL: String
    let managementURL: String
    let redisURL: String
    /// The floor program, when there is one.
    let floor: URL?
    /// The Python that has the peers' libraries, when they are asked for.
    let python: URL?

    init(_ environment: [String: String]) throws {
        func value(_ name: String) throws -> String {
            guard let value = environment[name] else { throw Trouble("\(name) is not set; run compose/dev bench") }
            return value
        }
        root = URL(filePath: try value("TURNSTILE_ROOT"))
        run = URL(filePath: try value("TURNSTILE_RUN"))
        turnstileURL = try value("TURNSTILE_URL")
        databaseURL = try value("DATABASE_URL")
        brokerURL = try value("AMQP_URL")
        managementURL = try value("AMQP_MANAGEMENT_URL")
        redisURL = try value("REDIS_URL")
        floor = environment["BENCH_FLOOR"].map { URL(filePath: $0) }
        python = environment["BENCH_PYTHON"].map { URL(filePath: $0) }
    }

    func program(_ name: String) -> URL { root.appending(path: ".build/release/\(name)") }

    func log(_ name: String) -> URL { run.appending(path: "log/\(name).log") }

    /// The pid of one of the private servers.
    func pid(ofServer name: String) throws -> Int32 {
        let text = try String(contentsOf: run.appending(path: "pid/\(name)"), encoding: .utf8)
        guard let pid = text.split(separator: " ").first.flatMap({ Int32($0) }) else {
            throw Trouble("there is no pid of \(name)")
        }
        return pid
    }

    /// The environment that the script gives a member of the fleet.
    func settings(of member: String) throws -> [String: String] {
        let file = run.appending(path: "settings/\(member)")
        var settings = ["PATH": "/usr/bin:/bin"]
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { throw Trouble("\(file.path): no setting: \(line)") }
            settings[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        return settings
    }

    /// A URL of the same server that leads to another database or virtual host.
    static func url(_ url: String, path: String) throws -> String {
        guard var parts = URLComponents(string: url) else { throw Trouble("this is no URL: \(url)") }
        parts.path = "/\(path)"
        guard let text = parts.string else { throw Trouble("no URL leads to \(path)") }
        return text
    }
}
