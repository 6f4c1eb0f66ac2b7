import Contracts
import Engine
import Foundation
import Postgres
import RabbitMQ
import TestKit

/// Holds that run out at the worst moment, and a payment provider that has a bad day.
extension Fault {
    static let time: [Fault] = [
        Fault(
            "G4", "holds run out at the very moment of payment",
            how: "120 purchases whose payment takes as long as their hold, 2 s"
        ) { stage in
            let outcomes = try await stage.outcomes(of: 120, #""paymentMethod":"sim_slow:2000","holdSeconds":2"#)
            return "each ended one way: \(outcomes)"
        },
        Fault(
            "G5", "thousands of holds run out in the same second",
            how: "3,000 purchases that nobody pays, all held for 12 s", bound: .seconds(15)
        ) {
            stage in
            try await stage.publishStarts(3_000, #""paymentMethod":"sim_never","holdSeconds":12"#, as: "mass")
            try await until("all are held", within: .seconds(60)) {
                try await stage.books.count(
                    "orchestrator.saga WHERE user_id LIKE 'mass-%' AND (state = 'charging' OR outcome IS NOT NULL)")
                    >= 3_000
            }
            var slowest = Duration.zero
            let took = try await until("all have run out", within: .seconds(90), every: .milliseconds(200)) {
                let began = ContinuousClock.now
                _ = try await stage.web.call(
                    "GET", "\(await stage.fleet.orchestratorURLs[0])/events/\(stage.halls.floor)/availability")
                slowest = max(slowest, ContinuousClock.now - began)
                return try await stage.books.count("orchestrator.saga WHERE user_id LIKE 'mass-%' AND outcome IS NULL")
                    == 0
            }
            return
                "all were given back \(took.text) after the last was held; the slowest read meanwhile took \(slowest.text)"
        },
    ]

    static let payment: [Fault] = [
        Fault(
            "H1", "the provider's answer is lost after the charge", how: "100 purchases with sim_timeout_after_charge"
        ) { stage in
            let outcomes = try await stage.outcomes(of: 100, #""paymentMethod":"sim_timeout_after_charge""#)
            guard outcomes["completed"] == 100 else { throw Trouble("\(outcomes)") }
            return "each was charged once, all completed"
        },
        Fault("H2", "the provider fails twice before it works", how: "100 purchases with sim_flaky") { stage in
            let outcomes = try await stage.outcomes(of: 100, #""paymentMethod":"sim_flaky""#)
            guard outcomes["completed"] == 100 else { throw Trouble("\(outcomes)") }
            return "all completed"
        },
        Fault(
            "H3", "the provider is down for longer than holds last",
            how: "its table locked for 25 s; 60 purchases held for 5 s"
        ) { stage in
            let lock = Task {
                try await stage.books.hold(
                    "LOCK TABLE payment.simulated_charge IN ACCESS EXCLUSIVE MODE", for: .seconds(25))
            }
            try await stage.pause(.milliseconds(300))
            try await stage.publishStarts(60, #""paymentMethod":"sim_ok","holdSeconds":5"#, as: "unpaid")
            try await lock.value
            try await until("all have ended", within: .seconds(60)) {
                try await stage.books.count("orchestrator.saga WHERE user_id LIKE 'unpaid-%' AND outcome IS NULL") == 0
            }
            let outcomes = try await stage.tally("unpaid")
            return "they ended one way or the other: \(outcomes)"
        },
        Fault("H4", "the provider declines", how: "60 purchases with sim_declined, 20 with an unknown method") {
            stage in
            let declined = try await stage.outcomes(of: 60, #""paymentMethod":"sim_declined""#)
            let unknown = try await stage.outcomes(of: 20, #""paymentMethod":"sim_unheard_of""#)
            guard declined["refused"] == 60, unknown["refused"] == 20 else { throw Trouble("\(declined) \(unknown)") }
            return "all refused, their places back on sale"
        },
        Fault("H11", "the payment succeeds after the hold has run out", how: "60 purchases with sim_late, held for 2 s")
        { stage in
            let outcomes = try await stage.outcomes(of: 60, #""paymentMethod":"sim_late","holdSeconds":2"#)
            guard outcomes["completed"] == 60 else { throw Trouble("\(outcomes)") }
            return "the seats had not been let go: all completed"
        },
        Fault(
            "H13", "refunds fail again and again",
            how: "the provider's table locked for 20 s while 30 buyers want their money back"
        ) { stage in
            let sagas = try await stage.completedPurchases(30)
            let lock = Task {
                try await stage.books.hold(
                    "LOCK TABLE payment.simulated_charge IN ACCESS EXCLUSIVE MODE", for: .seconds(20))
            }
            try await stage.pause(.milliseconds(300))
            for saga in sagas {
                _ = try await stage.web.call("POST", "\(await stage.fleet.orchestratorURLs[0])/sagas/\(saga)/refund")
            }
            try await stage.pause(.seconds(8))
            let early = try await stage.books.count(
                "orchestrator.saga WHERE id IN (\(sagas.map { "'\($0)'" }.joined(separator: ","))) AND state = 'refunded'"
            )
            guard early == 0 else { throw Trouble("\(early) were called refunded before the money went back") }
            try await lock.value
            try await until("all are refunded", within: .seconds(60)) {
                try await stage.books.count(
                    "orchestrator.saga WHERE id IN (\(sagas.map { "'\($0)'" }.joined(separator: ","))) AND state = 'refunded'"
                ) == 30
            }
            return "none was called refunded before it was; then all 30"
        },
    ]
}

extension Stage {
    func publishStarts(_ count: Int, _ wish: String, as prefix: String) async throws {
        try await broker.publish(
            (0..<count).map { _ in
                Publication(
                    exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
                    properties: Properties(
                        messageID: SagaID.make().description, type: "purchase.start.v1", contentType: "application/json"
                    ),
                    body: Data(
                        #"{"userId":"\#(prefix)-\#(UUID())","eventId":"\#(halls.floor)","tier":"Floor","quantity":1,\#(wish)}"#
                            .utf8))
            })
    }

    /// Starts purchases that differ from the usual ones by `wish`, and waits until each has its outcome.
    func outcomes(of count: Int, _ wish: String) async throws -> [String: Int] {
        let prefix = "fate\(UInt32.random(in: 0...UInt32.max))"
        try await publishStarts(count, wish, as: prefix)
        try await until("all have ended", within: .seconds(60)) {
            try await books.count("orchestrator.saga WHERE user_id LIKE '\(prefix)-%' AND outcome IS NOT NULL") == count
        }
        return try await tally(prefix)
    }

    func tally(_ prefix: String) async throws -> [String: Int] {
        let rows = try await books.with {
            try await $0.query(
                "SELECT state, count(*) FROM orchestrator.saga WHERE user_id LIKE '\(prefix)-%' GROUP BY state",
                as: (String, Int).self)
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }

    func completedPurchases(_ count: Int) async throws -> [String] {
        let prefix = "paid\(UInt32.random(in: 0...UInt32.max))"
        try await publishStarts(count, #""paymentMethod":"sim_ok""#, as: prefix)
        try await until("all are completed", within: .seconds(60)) {
            try await books.count("orchestrator.saga WHERE user_id LIKE '\(prefix)-%' AND outcome = 'completed'")
                == count
        }
        return try await books.with {
            try await $0.query("SELECT id FROM orchestrator.saga WHERE user_id LIKE '\(prefix)-%'", as: (UUID).self)
        }.map { SagaID($0).description }
    }
}
