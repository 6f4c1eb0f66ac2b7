import Contracts
import Foundation
import Glibc
import Postgres
import TestKit

/// A cache that forgets, lies, hangs or is not there: a hint that is missing or wrong must cost time only.
extension Fault {
    static let cache: [Fault] = [
        Fault("F1", "the cache forgets everything", how: "FLUSHALL, ten times") { stage in
            for _ in 1...10 {
                try await stage.redis("FLUSHALL")
                try await stage.pause(.milliseconds(300))
            }
            return "sales went on"
        },
        Fault("F2", "the cache hangs", how: "SIGSTOP to Redis, 8 s, SIGCONT; CLIENT PAUSE 3 s") { stage in
            try stage.servers.signal(.redis, SIGSTOP)
            let before = await stage.buyers.tally.accepted
            try await stage.pause(.seconds(8))
            let sold = await stage.buyers.tally.accepted - before
            let seen = await stage.readiness()
            try stage.servers.signal(.redis, SIGCONT)
            try await stage.redis("CLIENT", "PAUSE", "3000")
            try await stage.pause(.seconds(3))
            guard sold > 30 else { throw Trouble("only \(sold) purchases were accepted in 8 s without the cache") }
            return "\(sold) purchases were accepted in 8 s without it: \(seen)"
        },
        Fault(
            "F3", "the cache restarts empty, and purchase intents with it",
            how: "SIGKILL to Redis, start; a second start by the same buyer"
        ) {
            stage in
            let (body, saga) = try await stage.pendingPurchase()
            try await stage.servers.kill9(.redis)
            try await stage.pause(.seconds(2))
            try await stage.servers.up()
            return try await stage.expectInProgress(body, saga)
        },
        Fault(
            "F4", "a purchase intent expires while its holder is still at it",
            how: "DEL of the key; the same buyer starts again"
        ) {
            stage in
            let (body, saga) = try await stage.pendingPurchase()
            try await stage.redis(
                "EVAL", "for _,k in ipairs(redis.call('KEYS','intent:*')) do redis.call('DEL',k) end", "0")
            return try await stage.expectInProgress(body, saga)
        },
        Fault(
            "F6", "the cache is full",
            how: "CONFIG SET maxmemory 1mb with noeviction, 8 s; then allkeys-lru at 2mb, 5 s"
        ) { stage in
            try await stage.redis("CONFIG", "SET", "maxmemory-policy", "noeviction")
            try await stage.redis("CONFIG", "SET", "maxmemory", "1mb")
            try await stage.pause(.seconds(8))
            let seen = await stage.readiness()
            try await stage.redis("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
            try await stage.redis("CONFIG", "SET", "maxmemory", "2mb")
            try await stage.pause(.seconds(5))
            try await stage.redis("CONFIG", "SET", "maxmemory", "256mb")
            return "writes were refused with OOM: \(seen)"
        },
        Fault(
            "F7", "the cache lies",
            how: "availability set to 999999, -5, \"abc\", a list and a hash while 60 buy 20 places"
        ) { stage in
            let event = try await stage.buyers.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":100},"capacity":20}"#)
            let key = "availability:\(event)"
            let liar = Task {
                while !Task.isCancelled {
                    for lie in [
                        #"{"version":1,"asOf":"2026-01-01T00:00:00.000Z","tiers":[{"name":"Floor","capacity":20,"available":999999}]}"#,
                        #"{"version":1,"asOf":"2026-01-01T00:00:00.000Z","tiers":[{"name":"Floor","capacity":20,"available":-5}]}"#,
                        #"{"version":1,"asOf":"2026-01-01T00:00:00.000Z","tiers":[{"name":"Floor","capacity":20,"available":0}]}"#,
                        "abc",
                    ] {
                        try await stage.redis("SET", key, lie)
                        try await stage.pause(.milliseconds(20))
                    }
                }
            }
            let outcomes = try await stage.rush(60, on: event)
            liar.cancel()
            _ = await liar.result
            guard outcomes["completed"] == 20 else { throw Trouble("20 places and 60 buyers: \(outcomes)") }
            try await stage.redis("DEL", key)
            try await stage.redis("RPUSH", key, "x")
            let floor = "availability:\(stage.halls.floor)"
            try await stage.redis("DEL", floor)
            try await stage.redis("HSET", floor, "a", "b")
            let repaired = try await until("a key of another type is replaced", within: .seconds(10)) {
                try await stage.redis("TYPE", floor).contains("string")
            }
            return "20 of 60 got places; a key of another type was replaced after \(repaired.text)"
        },
        Fault("F8", "the cache answers too late", how: "proxy: 80 ms delay, more than the timeout of 50 ms, 8 s") {
            stage in
            for proxy in stage.proxies.of(.redis) { proxy.gate.delay(.milliseconds(80)) }
            let before = await stage.buyers.tally.accepted
            try await stage.pause(.seconds(8))
            let sold = await stage.buyers.tally.accepted - before
            for proxy in stage.proxies.of(.redis) { proxy.gate.open() }
            let wrong = try await stage.wrongAvailability()
            guard wrong == 0 else { throw Trouble("\(wrong) answers were of another question") }
            return "\(sold) purchases were accepted in 8 s; no answer was taken for another's"
        },
        Fault(
            "F9", "scripts are gone, data is loading, the server is busy",
            how: "SCRIPT FLUSH and DEBUG RELOAD, ten times; DEBUG SLEEP 1"
        ) { stage in
            for _ in 1...10 {
                try await stage.redis("SCRIPT", "FLUSH")
                try await stage.redis("DEBUG", "RELOAD", "NOSAVE", "NOFLUSH", "MERGE", allowingErrors: true)
                try await stage.pause(.milliseconds(300))
            }
            try await stage.redis("DEBUG", "SLEEP", "1")
            return "scripts were loaded again"
        },
        Fault(
            "F10", "an older availability is written after a newer one",
            how: "SIGSTOP to the reservation worker, 3 s, SIGCONT; the cache compared with the stock"
        ) { stage in
            try await until("the availability is cached", within: .seconds(10)) {
                try await stage.redis("GET", "availability:\(stage.halls.floor)").contains("version")
            }
            let worker = try await stage.fleet.first(.reservation)
            try worker.signal(SIGSTOP)
            try await stage.pause(.seconds(3))
            try worker.signal(SIGCONT)
            try await stage.pause(.seconds(2))
            let wrong = try await stage.wrongAvailability()
            guard wrong == 0 else { throw Trouble("the cache shows what was true before") }
            return "a worker that had stood still wrote nothing older over anything newer"
        },
    ]
}

extension Stage {
    @discardableResult
    func redis(_ words: String..., allowingErrors: Bool = false) async throws -> String {
        guard let port = URLComponents(string: place.redisURL)?.port else { throw Trouble("Redis has no port") }
        let (_, output) = try await Command.attempt("/usr/bin/redis-cli", ["-p", String(port)] + words)
        guard allowingErrors || !output.hasPrefix("ERR") else { throw Trouble("redis \(words): \(output)") }
        return output
    }

    /// A purchase whose payment stays open, and the request that began it.
    func pendingPurchase() async throws -> (body: Data, saga: String) {
        let body = Data(
            #"{"userId":"slow-\#(UUID())","eventId":"\#(halls.floor)","tier":"Floor","quantity":1,"paymentMethod":"sim_slow:6000"}"#
                .utf8)
        let answer = try await web.call("POST", "\(await fleet.orchestratorURLs[0])/saga/start", body: body)
        guard answer.status == 202, let saga = answer.text("sagaId") else { throw Trouble("status \(answer.status)") }
        return (body, saga)
    }

    func expectInProgress(_ body: Data, _ saga: String) async throws -> String {
        let answer = try await web.call("POST", "\(await fleet.orchestratorURLs[0])/saga/start", body: body)
        guard answer.status == 409, answer.text("code") == "purchase-in-progress", answer.text("sagaId") == saga else {
            throw Trouble("the second start got \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return "the second start was refused by PostgreSQL and named the first"
    }

    /// How many tiers of this sale are shown with more than there is; the sale goes on, so less is no fault.
    func wrongAvailability() async throws -> Int {
        var wrong = 0
        let url = await fleet.orchestratorURLs[0]
        for (event, tier, capacity) in [
            (halls.floor, "Floor", 1_000_000), (halls.seated, "Hall", 200), (halls.small, "Box", 15),
        ] {
            let before = try await books.with {
                try await $0.query(
                    "SELECT available FROM reservation.availability WHERE event_id = '\(event)'", as: Int.self
                ).first ?? 0
            }
            let answer = try await web.call("GET", "\(url)/events/\(event)/availability")
            let tiers = try answer.json["tiers"] as? [[String: Any]]
            let shown = tiers?.first?["available"] as? Int ?? -1
            let isOfThisTier = tiers?.first?["name"] as? String == tier && tiers?.first?["capacity"] as? Int == capacity
            if !isOfThisTier || shown > before + 40 { wrong += 1 }
        }
        return wrong
    }
}
