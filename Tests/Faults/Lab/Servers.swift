import Foundation
import Glibc
import TestKit

/// The three private servers, as the script keeps them: stopped, killed, paused, started again.
struct Servers: Sendable {
    enum Name: String, Sendable, CaseIterable { case postgres, rabbitmq, redis }

    let place: Place

    func signal(_ server: Name, _ signal: Int32) throws {
        guard kill(try place.pid(ofServer: server.rawValue), signal) == 0 else {
            throw Trouble("\(server.rawValue) cannot be signalled")
        }
    }

    /// Signals the server and every process below it, for those whose work is done by children.
    func signalAll(_ server: Name, _ signal: Int32) async throws {
        try self.signal(server, signal)
        let parent = try place.pid(ofServer: server.rawValue)
        for child in try children(of: parent) where kill(child, signal) != 0 && errno != ESRCH {
            throw Trouble("a child of \(server.rawValue) cannot be signalled")
        }
    }

    /// Starts whichever does not run, and waits until all answer.
    func up() async throws {
        try await script(["servers", "up"])
    }

    func kill9(_ server: Name) async throws {
        try await end(server, SIGKILL)
    }

    /// Ends a server and waits until its process is gone.
    func end(_ server: Name, _ signal: Int32) async throws {
        let pid = try place.pid(ofServer: server.rawValue)
        try self.signal(server, signal)
        try await until("\(server.rawValue) ends", within: .seconds(60)) { !Self.isAlive(pid) }
    }

    func rabbitmqctl(_ arguments: String...) async throws {
        try await script(["servers", "rabbitmqctl"] + arguments)
    }

    /// Deletes everything the broker has ever stored; it must not run.
    func wipeBroker() throws {
        try FileManager.default.removeItem(at: place.run.appending(path: "data/rabbitmq/mnesia"))
    }

    static func isAlive(_ pid: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return stat.split(separator: ")").last?.split(separator: " ").first != "Z"
    }

    private func children(of parent: Int32) throws -> [Int32] {
        try String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)
            .split(separator: " ").compactMap { Int32($0) }
    }

    private func script(_ arguments: [String]) async throws {
        try await Command.run(
            place.root.appending(path: "compose/dev").path, arguments,
            environment: ["TURNSTILE_RUN": place.run.path], within: .seconds(200))
    }
}
