import Foundation
import Logging
import Postgres
import TestKit

/// Carries out trials one after another, each with a fleet of its own, and notes what came of them.
struct Conductor: Sendable {
    let site: Site
    let sizes: Sizes
    let withPeers: Bool
    private let meter: Meter
    private let cleaner: Cleaner
    private let logger: Logger

    init(_ site: Site, sizes: Sizes, withPeers: Bool) throws {
        var logger = Logger(label: "bench")
        logger.logLevel = .error
        self.logger = logger
        self.site = site
        self.sizes = sizes
        self.withPeers = withPeers
        meter = try Meter(site)
        cleaner = Cleaner(site: site, logger: logger)
    }

    /// One trial with everything that it is compared with, as close together as can be.
    func run(_ trial: Trial, round: Int, note: (Record) throws -> Void) async throws {
        try await floor(trial, round, note)
        try note(await fleet(trial, round))
        if trial.floor?.isAlsoAfter == true { try await floor(trial, round, note) }
        guard withPeers, let python = site.python else { return }
        for peer in trial.peers {
            try note(
                await record(trial, peer.rawValue, round) { record in
                    record.findings = try await yardstick.run(
                        peer, purchases: sizes.peerPurchases(peer), with: python)
                })
        }
    }

    private var yardstick: Yardstick { Yardstick(site: site, meter: meter, cleaner: cleaner) }

    private func floor(_ trial: Trial, _ round: Int, _ note: (Record) throws -> Void) async throws {
        guard let floor = trial.floor, let program = site.floor else { return }
        try note(
            await record(trial, "floor", round) { record in
                record.findings = try await yardstick.run(floor, by: program)
            })
    }

    private func fleet(_ trial: Trial, _ round: Int) async -> Record {
        let fleet = FleetProcesses(site)
        let record = await record(trial, "fleet", round) { record in
            let database = trial.stock.database
            try await prepare(trial.stock)
            try await fleet.start(trial.layout, on: database)
            let target = try Target(site, database: database, logger: logger)
            let stage = Stage(target: target, fleet: fleet, meter: meter, cleaner: cleaner, round: round)
            record.findings = try await trial.play(stage)
            try await fleet.check()
            record.soundness = try await Verification(site: site, cleaner: cleaner).run(on: database)
            await target.database.close()
            try await fleet.stop()
        }
        await fleet.stopAll()
        return record
    }

    private func prepare(_ stock: Trial.Stock) async throws {
        switch stock {
        case .fresh: try await cleaner.renew(stock.database)
        case .kept(let name, let sagas):
            if try await cleaner.exists(name) {
                let owner = try cleaner.owner(of: name)
                let isNoted = try await Past.isNoted(in: owner, sagas: sagas)
                await owner.close()
                if isNoted { return try await cleaner.emptyServers() }
            }
            try await cleaner.renew(name)
        }
    }

    /// Whatever goes wrong is part of the record, and the other trials go on.
    private func record(
        _ trial: Trial, _ subject: String, _ round: Int, _ body: (inout Record) async throws -> Void
    ) async -> Record {
        var record = Record(
            scenario: trial.scenario, variant: trial.variant, subject: subject, round: round, began: Date())
        _ = meter.take()
        do {
            try await body(&record)
        } catch {
            record.failure = "\(error)"
        }
        record.consumption = meter.take()
        return record
    }
}
