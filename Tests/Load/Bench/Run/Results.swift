import Foundation
import Logging
import Postgres
import TestKit

/// All records of a run in one file, which is whole at any moment.
struct Results: Sendable {
    private struct File: Codable {
        var began: Date
        var ended: Date
        var arguments: [String]
        var scale: Double
        var machine: Machine
        var records: [Record]
    }

    private let url: URL
    private var file: File

    /// - Parameter adding: whether the records that are in the file stay in it.
    init(_ url: URL, adding: Bool, arguments: [String], scale: Double, machine: Machine) throws {
        self.url = url
        file = File(
            began: Date(), ended: Date(), arguments: arguments, scale: scale, machine: machine, records: [])
        guard adding, FileManager.default.fileExists(atPath: url.path) else { return }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        let earlier = try decoder.decode(File.self, from: Data(contentsOf: url))
        file.records = earlier.records
        file.began = earlier.began
    }

    var records: [Record] { file.records }

    /// The last round of which there is a record; 0 when there is none.
    var lastRound: Int { file.records.map(\.round).max() ?? 0 }

    mutating func add(_ record: Record) throws {
        file.records.append(record)
        try save()
    }

    /// Leaves the latest records out of every comparison from now on.
    mutating func discount(latest count: Int) throws {
        for index in file.records.indices.suffix(count) { file.records[index].isDisturbed = true }
        try save()
    }

    private mutating func save() throws {
        file.ended = Date()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        try encoder.encode(file).write(to: url, options: .atomic)
    }
}

/// What everything ran on, for whoever compares figures.
struct Machine: Codable, Sendable {
    let processor: String
    let cores: Int
    let memoryGB: Double
    let kernel: String
    let versions: [String: String]
    let commit: String
    /// The servers' settings that decide how safe a write is.
    let durability: [String: String]

    static func look(_ site: Site) async throws -> Machine {
        let cpu = try String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8).split(separator: "\n")
            .first { $0.hasPrefix("model name") }?.split(separator: ":").last
        let cleaner = Cleaner(site: site, logger: .init(label: "bench"))
        let owner = try cleaner.owner(of: "postgres")
        var durability: [String: String] = [:]
        for name in ["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"] {
            durability[name] = try await owner.query("SELECT current_setting($1)", [name], as: String.self).first
        }
        let postgres = try await owner.query("SHOW server_version", as: String.self).first ?? "unknown"
        await owner.close()
        return Machine(
            processor: cpu.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown",
            cores: ProcessInfo.processInfo.activeProcessorCount,
            memoryGB: (Double(ProcessInfo.processInfo.physicalMemory) / 1_073_741_824 * 10).rounded() / 10,
            kernel: try await said("uname", ["-sr"]),
            versions: [
                "PostgreSQL": postgres, "RabbitMQ": try await cleaner.brokerVersion(),
                "Redis": try await said("redis-server", ["--version"]),
                "Swift": try await said("swift", ["--version"]),
            ],
            commit: try await said("git", ["-C", site.root.path, "describe", "--always", "--dirty"]),
            durability: durability)
    }

    /// The first line that a program says; empty when it says nothing or is not there.
    private static func said(_ program: String, _ arguments: [String]) async throws -> String {
        let (status, output) = try await Command.attempt("/usr/bin/env", [program] + arguments)
        return status == 0 ? String(output.split(separator: "\n").first ?? "") : ""
    }
}
