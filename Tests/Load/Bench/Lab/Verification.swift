import Foundation
import Postgres
import TestKit

/// The end of every trial: the fleet comes to rest, and `turnstile verify --settled` finds nothing.
struct Verification: Sendable {
    let site: Site
    let cleaner: Cleaner

    private struct Report: Decodable {
        let isSound: Bool
        let sagas: Int
        let seconds: Double
        let broken: [String: Int]
    }

    /// What is on its way when a scenario ends may take a moment; what is broken stays broken.
    func run(on database: String, within limit: Duration = .seconds(60)) async throws -> Soundness {
        try await until("the queues are empty", within: limit) { try await cleaner.messages().work == 0 }
        let deadline = ContinuousClock.now + limit
        var report = try await verify(database)
        while !report.isSound, ContinuousClock.now < deadline {
            try await Task.sleep(for: .seconds(2))
            report = try await verify(database)
        }
        let filed = try await deadLetters(database)
        guard filed == 0 else { throw Trouble("there are \(filed) dead letters") }
        return Soundness(
            isSound: report.isSound, sagas: report.sagas, seconds: report.seconds, broken: report.broken)
    }

    /// Those that still lie in their queues, and those that the orchestrator has filed.
    private func deadLetters(_ database: String) async throws -> Int {
        let owner = try cleaner.owner(of: database)
        let filed = try await owner.query("SELECT count(*) FROM orchestrator.dead_letter", as: Int.self).first ?? 0
        await owner.close()
        return try await cleaner.messages().dead + filed
    }

    private func verify(_ database: String) async throws -> Report {
        let (status, output) = try await Command.attempt(
            site.program("turnstile").path, ["verify", "--settled", "--json"],
            environment: ["DATABASE_URL": try Site.url(site.databaseURL, path: database), "LOG_LEVEL": "error"],
            within: .seconds(3_600))
        guard let start = output.firstIndex(of: "{") else {
            throw Trouble("turnstile verify: status \(status): \(output.suffix(600))")
        }
        return try JSONDecoder().decode(Report.self, from: Data(output[start...].utf8))
    }
}
