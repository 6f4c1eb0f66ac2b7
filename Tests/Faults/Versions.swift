import Foundation
import TestKit

/// What the run was made with, in one line.
enum Versions {
    static func text(_ place: Place) async throws -> String {
        let broker = try await Command.run("/usr/bin/dpkg-query", ["-W", "-f", "${Version}", "rabbitmq-server"])
        let redis = try await Command.run("/usr/bin/redis-server", ["--version"])
        let postgres = try await Command.run("/usr/bin/psql", ["--version"])
        let commit = try await Command.run("/usr/bin/git", ["-C", place.root.path, "rev-parse", "--short", "HEAD"])
        let version = { (text: String) in
            text.split(whereSeparator: { $0.isWhitespace || $0 == "=" }).first { $0.first?.isNumber == true }
                ?? "unknown"
        }
        return "RabbitMQ \(broker.split(separator: "-").first ?? "unknown"), PostgreSQL \(version(postgres)), "
            + "Redis \(version(redis)), debug build of \(commit.trimmingCharacters(in: .whitespacesAndNewlines))"
    }
}
