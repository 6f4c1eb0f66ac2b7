import Foundation
import Glibc
import TestKit

/// Other people's way to do the same purchases, as programs under `Tests/Load/Peers`.
enum Peer: String, Sendable, CaseIterable {
    case faststream, dbos, celery

    /// How many purchases keep it busy for about a quarter of a minute on two cores.
    var purchases: Int {
        switch self {
        case .faststream: 4_000
        case .dbos: 1_500
        case .celery: 2_000
        }
    }
}

/// Runs the programs that the fleet is compared with, on the same servers, and meters them alike.
struct Yardstick: Sendable {
    let site: Site
    let meter: Meter
    let cleaner: Cleaner

    /// The least that one purchase costs.
    func run(_ floor: FloorRun, by program: URL) async throws -> Findings {
        try await cleaner.recreate("floor")
        try await renewVirtualHost("floor")
        let broker = try URLComponents(string: site.brokerURL).unwrapped("AMQP_URL")
        var settings = ["PATH": "/usr/bin:/bin", "DATABASE_URL": try Site.url(site.databaseURL, path: "floor")]
        settings["AMQP_HOST"] = broker.host
        settings["AMQP_PORT"] = broker.port.map { String($0) }
        settings["AMQP_USER"] = broker.user
        settings["AMQP_PASSWORD"] = broker.password
        settings["AMQP_VHOST"] = "floor"
        let said = try await metered(
            "floor", program, ["\(floor.purchases)", "500", "\(floor.rate)", "\(floor.events)"], settings)
        let rate = try number(before: " sagas/s", in: said)
        var findings = Findings(figures: ["purchases per second": rate, "purchases": Double(floor.purchases)])
        if floor.rate > 0 {
            findings.figures["start to notified p50 ms"] = try number(after: "p50=", in: said)
            findings.figures["start to notified p99 ms"] = try number(after: "p99=", in: said)
        }
        return findings
    }

    private struct PeerReport: Decodable {
        let purchases: Int
        let completed: Int
        let seconds: Double
    }

    /// A peer on a database of its own; it says as JSON in its last line what it did.
    func run(_ peer: Peer, purchases: Int, with python: URL) async throws -> Findings {
        try await cleaner.recreate("peers")
        try await renewVirtualHost("peers")
        let folder = site.root.appending(path: "Tests/Load/Peers")
        let settings = [
            "PATH": "/usr/bin:/bin", "HOME": NSHomeDirectory(), "PYTHONPATH": folder.path,
            "PYTHONDONTWRITEBYTECODE": "1",
            "DATABASE_URL": try Site.url(site.databaseURL, path: "peers"),
            "AMQP_URL": try Site.url(site.brokerURL, path: "peers"),
        ]
        let said = try await metered(
            peer.rawValue, python, [folder.appending(path: "\(peer.rawValue)_saga.py").path, "\(purchases)"], settings)
        let line = said.split(separator: "\n").last { $0.hasPrefix("{") } ?? ""
        let report = try JSONDecoder().decode(PeerReport.self, from: Data(line.utf8))
        guard report.completed == purchases else {
            throw Trouble("\(peer.rawValue) completed \(report.completed) of \(purchases) purchases")
        }
        return Findings(figures: [
            "purchases per second": Double(report.completed) / report.seconds, "purchases": Double(report.completed),
        ])
    }

    private func renewVirtualHost(_ name: String) async throws {
        let api = try ManagementAPI()
        try await api.call("PUT", "/vhosts/\(name)", body: "{}")
        try await api.call("DELETE", "/vhosts/\(name)")
        try await api.call("PUT", "/vhosts/\(name)", body: "{}")
        try await api.call(
            "PUT", "/permissions/\(name)/\(api.user)", body: #"{"configure":".*","write":".*","read":".*"}"#)
    }

    /// Runs a program to its end, metering it and its children; what it said.
    private func metered(_ name: String, _ program: URL, _ arguments: [String], _ settings: [String: String])
        async throws -> String
    {
        try await cleaner.emptyServers()
        let log = site.log(name)
        try Data().write(to: log)
        let child = try Child(name, program, arguments, environment: settings, log: log)
        let metered = Metered(component: "program", process: name, pid: child.pid, extent: .endingChild)
        do {
            try await meter.measure([metered]) { try await child.ended(within: .seconds(600)) }
        } catch {
            try child.signal(SIGTERM)
            try await child.ended(within: .seconds(60))
            throw error
        }
        let said = try String(contentsOf: log, encoding: .utf8)
        guard child.status == 0 else {
            throw Trouble("\(name) ended with status \(child.status ?? -1): \(said.suffix(600))")
        }
        return said
    }

    private func number(before mark: String, in text: String) throws -> Double {
        let head = try text.range(of: mark).map { text[..<$0.lowerBound] }.unwrapped("\(mark) in \(text)")
        return try Double(head.split(whereSeparator: { $0 == " " || $0 == "\n" }).last ?? "").unwrapped("a number")
    }

    private func number(after mark: String, in text: String) throws -> Double {
        let tail = try text.range(of: mark).map { text[$0.upperBound...] }.unwrapped("\(mark) in \(text)")
        return try Double(tail.prefix { $0.isNumber || $0 == "." }).unwrapped("a number after \(mark)")
    }
}

extension Optional {
    /// - Throws: `Trouble` that names what is missing.
    func unwrapped(_ what: String) throws -> Wrapped {
        guard let self else { throw Trouble("missing: \(what)") }
        return self
    }
}
