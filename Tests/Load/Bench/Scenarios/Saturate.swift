import Contracts
import Postgres
import TestKit

/// As many purchases as there are, over AMQP, as fast as the fleet takes them.
enum Saturate {
    static func trials(_ sizes: Sizes) -> [Trial] {
        [
            Trial(
                scenario: "saturate", floor: FloorRun(purchases: sizes.purchases, isAlsoAfter: true),
                peers: Peer.allCases
            ) { try await play($0, purchases: sizes.purchases, events: sizes.events) }
        ]
    }

    /// The same on one event, whose one tier everybody wants.
    static func hotTrials(_ sizes: Sizes) -> [Trial] {
        [
            Trial(
                scenario: "hot", floor: FloorRun(purchases: sizes.purchases, events: 1, isAlsoAfter: true)
            ) { try await play($0, purchases: sizes.purchases, events: 1) }
        ]
    }

    /// What helps on this machine: more processes, or more lanes in each.
    static func scaleTrials(_ sizes: Sizes) -> [Trial] {
        let layouts: [(String, Layout)] = [
            ("1 process, 1 lane", Layout()), ("1 process, 2 lanes", Layout(lanes: 2)),
            ("1 process, 4 lanes", Layout(lanes: 4)), ("2 processes, 1 lane", Layout(replicas: 2)),
            ("3 processes, 1 lane", Layout(replicas: 3)),
        ]
        return layouts.map { name, layout in
            Trial(scenario: "scale", variant: name, layout: layout) {
                try await play($0, purchases: sizes.purchases, events: sizes.events)
            }
        }
    }

    static func play(_ stage: Stage, purchases: Int, events: Int) async throws -> Findings {
        let buyers = Buyers(try await stage.target.publishEvents(events))
        let rush = try Rush(stage.target, (0..<purchases).map { buyers[$0] })
        return try await sell(rush, stage)
    }

    /// Sells everything that the rush wants, in which nobody may be refused.
    static func sell(_ rush: Rush, _ stage: Stage) async throws -> Findings {
        let first = SagaID.make()
        let before = try await stage.target.written()
        let began = ContinuousClock.now
        let published = try await stage.measure {
            let published = try await rush.publish()
            try await rush.untilAllTold(within: .seconds(1_800))
            return published
        }
        let seconds = (ContinuousClock.now - began).inSeconds
        let after = try await stage.target.written()
        try await stage.target.demandCompleted(rush.publications.count, since: first)
        let count = Double(rush.publications.count)
        return Findings(figures: [
            "purchases per second": count / seconds, "purchases": count, "seconds": seconds,
            "seconds to publish": published.inSeconds,
            "database bytes per purchase": (after.tables - before.tables) / count,
            "log bytes per purchase": (after.log - before.log) / count,
        ])
    }
}

extension Target {
    /// The bytes of all tables and indexes of the database, and those that its log has ever had.
    fileprivate func written() async throws -> (tables: Double, log: Double) {
        let rows = try await database.query(
            "SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint",
            as: (Int, Int).self)
        guard let (tables, log) = rows.first else { throw Trouble("the database does not say its size") }
        return (Double(tables), Double(log))
    }
}
