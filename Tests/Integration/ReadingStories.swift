import Contracts
import Foundation
import Hosting
import Postgres
import Redis
import TestKit
import Testing

/// What can be read of events and sagas.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A reader` {
    @Test func `finds events, availability, sagas by filter, and events nearby`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await fleet.buy(event, user: "ada", #""quantity":4"#)
            _ = try await fleet.buy(event, user: "bob", #""quantity":1,"paymentMethod":"sim_declined""#)
            #expect(try await fleet.call("GET", "/events/\(event)").status == 200)
            let availability = try await fleet.call("GET", "/events/\(event)/availability")
            #expect(try availability.decode(AvailabilityReading.self).tiers.map(\.name) == ["Floor"])
            func sagas(_ query: String) async throws -> Int {
                let page = try await fleet.call("GET", "/sagas?\(query)").json
                return (page["items"] as? [Any])?.count ?? -1
            }
            #expect(try await sagas("eventId=\(event)") == 2)
            #expect(try await sagas("state=completed&userId=ada") == 1)
            #expect(try await sagas("state=refused") == 1)
            #expect(try await sagas("state=charging") == 0)
            #expect(try await sagas("limit=1&cursor=\(saga.sagaId)") == 0)
            var nearby = 0
            while nearby == 0 {
                let answer = try await fleet.call(
                    "GET", "/recommendations?latitude=47.0&longitude=15.4&radiusKm=50")
                nearby = (try answer.json["events"] as? [Any])?.count ?? 0
            }
            #expect(nearby == 1)
        }
    }

    @Test func `sees what is free in the database, whatever was cached before an older backup was restored`()
        async throws
    {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let owner = fleet.database.owner()
            _ = try await owner.execute("CREATE TABLE public.backup AS TABLE reservation.tier")
            let redis = RedisClient(try RedisConfiguration(url: fleet.settings.redisURL), logger: fleet.logger)
            let key = "\(fleet.settings.redisPrefix)availability:\(event)"
            func left() async throws -> [Int] {
                let answer = try await fleet.call("GET", "/events/\(event)/availability")
                return try answer.decode(AvailabilityReading.self).tiers.map(\.available)
            }
            let free = try await left()
            _ = try await fleet.buy(event, #""quantity":4"#)
            try await until("the cache knows of the purchase", within: .seconds(20)) {
                try await redis.pipeline([["GET", key]])[0].text?.contains(#""available":\#((free.first ?? 0) - 4)"#)
                    == true
            }
            _ = try await owner.pipeline([
                Statement("TRUNCATE reservation.tier CASCADE"),
                Statement("INSERT INTO reservation.tier SELECT * FROM public.backup"),
                Statement("DROP TABLE public.backup"),
            ])
            await owner.close()
            try await until("the restored stock is shown", within: .seconds(20)) { try await left() == free }
            await redis.close()
        }
    }

    @Test func `follows a saga's stream until its outcome`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let started = try await fleet.start(event)
            let id = try started.decode(SagaReading.self).sagaId
            let stream = try await fleet.call("GET", "/sagas/\(id)/stream")
            let text = String(decoding: stream.body, as: UTF8.self)
            #expect(stream.headers["content-type"] == "text/event-stream")
            #expect(text.contains(#""to":"completed""#))
        }
    }

    @Test func `sees readiness and metrics`() async throws {
        try await withFleet { fleet in
            _ = try await fleet.buy(try await fleet.publish())
            #expect(try await fleet.call("GET", "/health/live").status == 200)
            #expect(try await fleet.call("GET", "/health/ready").status == 200)
            #expect(try await fleet.call("GET", "/metrics").status == 200)
        }
    }
}
