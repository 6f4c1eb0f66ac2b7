import Contracts
import FleetRuntime
import Foundation
import Postgres
import Recommendation
import TestKit
import Testing

@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(2)))
struct RecommendationTests {
    @Test func `news of the same event, however often, are one place, and the newest wins`() async throws {
        try await PlaceBench.with { bench in
            let event = EventID.make()
            let first = try Envelope.published(event, "Old", at: Date(timeIntervalSinceNow: -60))
            let second = try Envelope.published(event, "New")
            let outcomes =
                try await bench.handle([first, second, first]) + bench.handle([first])
                + bench.handle([.published(event, "Older", at: Date(timeIntervalSinceNow: -120))])
            #expect(outcomes.allSatisfy { $0 == .reply([]) })
            #expect(try await bench.names(within: 10, of: 52.52, 13.405) == ["New"])
        }
    }

    @Test func `interest adds up, once per message`() async throws {
        try await PlaceBench.with { bench in
            let event = EventID.make()
            let look = try Envelope.observed("anna", event)
            _ = try await bench.handle([look, .observed("anna", event, weight: 5), .observed("bob", event)])
            _ = try await bench.handle([look, .observed("anna", event, weight: 10)])
            let rows = try await bench.owner.query(
                "SELECT user_id || ' ' || weight FROM recommendation.interest ORDER BY user_id", as: String.self)
            #expect(rows == ["anna 16", "bob 1"])
        }
    }

    @Test func `what cannot be used is deadLettered alone`() async throws {
        try await PlaceBench.with { bench in
            var stray = try Envelope.observed("anna", .make())
            stray.kind = .notify
            var garbled = try Envelope.published(.make(), "X")
            garbled.body = Data("[]".utf8)
            let outcomes = try await bench.handle([
                stray, garbled, .published(.make(), "Beyond", latitude: 91), .published(.make(), ""),
                .observed("anna", .make(), weight: 0), .observed("", .make()), .published(.make(), "Good"),
            ])
            #expect(
                outcomes.map(\.burialWord) == [
                    "unexpected-kind:", "malformed-body:", "malformed-body:",
                    "malformed-body:", "malformed-body:", "malformed-body:", nil,
                ])
            #expect(try await bench.names(within: 1, of: 52.52, 13.405) == ["Good"])
        }
    }
}

@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(2)))
struct NearbyEventsTests {
    @Test func `events within the radius come nearest first, with their distance`() async throws {
        try await PlaceBench.with { bench in
            try await bench.publish([
                ("Hamburg", 53.5511, 9.9937), ("Potsdam", 52.3906, 13.0645), ("Paris", 48.8566, 2.3522),
                ("Berlin", 52.52, 13.405),
            ])
            let found = try await bench.nearby.within(kilometres: 300, of: 52.52, 13.405, limit: 10)
            #expect(found.map(\.name) == ["Berlin", "Potsdam", "Hamburg"])
            #expect(abs(found[0].distanceKilometres) < 0.001)
            #expect(abs(found[1].distanceKilometres - 27.2) < 0.5)
            #expect(abs(found[2].distanceKilometres - 255.3) < 1)
            #expect(found[1].venue == Venue(name: "Hall", city: "Town", latitude: 52.3906, longitude: 13.0645))
            #expect(try await bench.nearby.within(kilometres: 300, of: 52.52, 13.405, limit: 2).count == 2)
            #expect(try await bench.names(within: 255, of: 52.52, 13.405) == ["Berlin", "Potsdam"])
        }
    }

    @Test func `events to come are told before those that have begun`() async throws {
        try await PlaceBench.with { bench in
            _ = try await bench.handle([
                .published(.make(), "Begun here", starts: -3_600),
                .published(.make(), "To come nearby", latitude: 52.6),
                .published(.make(), "To come here"),
            ])
            let names = try await bench.names(within: 50, of: 52.52, 13.405)
            #expect(names == ["To come here", "To come nearby", "Begun here"])
        }
    }

    @Test func `the antimeridian and the poles are places like any other`() async throws {
        try await PlaceBench.with { bench in
            try await bench.publish([
                ("East of the line", -17, -179.9), ("West of the line", -17, 179.9), ("North Pole", 90, 0),
                ("Beside the Pole", 89.9, 180), ("South Pole", -90, 77),
            ])
            #expect(try await bench.names(within: 15, of: -17, 179.95) == ["West of the line"])
            #expect(Set(try await bench.names(within: 25, of: -17, 180)) == ["East of the line", "West of the line"])
            #expect(try await bench.names(within: 25, of: -17, -180).count == 2)
            #expect(try await bench.names(within: 12, of: 90, 123) == ["North Pole", "Beside the Pole"])
            #expect(try await bench.names(within: 1, of: -90, -180) == ["South Pole"])
            #expect(try await bench.names(within: 20_100, of: 90, 0).count == 5)
        }
    }

    @Test(arguments: [(Double.nan, 0.0, 10.0), (91, 0, 10), (0, .infinity, 10), (52.52, 13.405, -1)])
    func `a question without sense has an empty answer`(latitude: Double, longitude: Double, radius: Double)
        async throws
    {
        try await PlaceBench.with { bench in
            try await bench.publish([("Berlin", 52.52, 13.405)])
            #expect(try await bench.names(within: radius, of: latitude, longitude) == [])
        }
    }

    @Test func `among fifty thousand places the index answers, also for the whole world`() async throws {
        try await PlaceBench.with { bench in
            try await bench.owner.script(
                """
                SET statement_timeout = 0;
                INSERT INTO recommendation.place
                    (event_id, name, starts_at, venue_name, city, latitude, longitude, published_at)
                SELECT gen_random_uuid(), 'Event ' || n, now() + (n % 400 - 200) * interval '1 day', '', '',
                    degrees(asin(random() * 2 - 1)), random() * 360 - 180, now()
                FROM generate_series(1, 50000) AS n
                """)
            let before = try await bench.scans()
            #expect(try await bench.nearby.within(kilometres: 500, of: 48.2, 16.4, limit: 20).count == 20)
            let world = try await bench.nearby.within(kilometres: 20_000, of: 48.2, 16.4, limit: 200)
            let after = try await bench.scans()
            #expect(after.ofTable == before.ofTable)
            #expect(after.ofIndex > before.ofIndex)
            let nearest = try await bench.owner.query(
                """
                SELECT event_id
                FROM recommendation.place
                WHERE starts_at >= now()
                ORDER BY recommendation.arc_km(location <-> recommendation.point_on_earth(48.2, 16.4)), event_id
                LIMIT 200
                """, as: UUID.self)
            #expect(world.map(\.eventID.uuid) == nearest)
        }
    }
}

extension PlaceBench {
    /// How often the table was read from end to end, and its index of locations used.
    fileprivate func scans() async throws -> (ofTable: Int, ofIndex: Int) {
        for each in [orchestrator, owner] {
            _ = try await each.query("SELECT pg_stat_force_next_flush()", as: String.self)
        }
        let rows = try await owner.query(
            """
            SELECT seq_scan, pg_stat_get_numscans('recommendation.place_location'::regclass)
            FROM pg_stat_user_tables
            WHERE relid = 'recommendation.place'::regclass
            """, as: (Int, Int).self)
        let row = try #require(rows.first)
        return (row.0, row.1)
    }
}

extension Outcome {
    /// The first word of the reason, if the message was deadLettered.
    fileprivate var burialWord: Substring? {
        if case .deadLetter(let reason, _) = self { reason.split(separator: " ").first } else { nil }
    }
}
