import Contracts
import NIOHTTP1
import TestKit

/// The orchestrator's HTTP side, asked by clients that keep their connections.
enum WebScenarios {
    private static let connections = 64
    /// Those who wait for their outcome are more, for they do nothing meanwhile.
    private static let waiting = 256

    static func trials(_ sizes: Sizes) -> [Trial] {
        [
            Trial(scenario: "http", variant: "intake") { try await takeIn($0, sizes.webStarts) },
            Trial(scenario: "http", variant: "end to end") { try await seeThrough($0, sizes.webWaits) },
            Trial(scenario: "http", variant: "availability") { try await look($0, sizes.webReads) },
        ]
    }

    /// Starts as fast as they are accepted; what is accepted must then be completed.
    private static func takeIn(_ stage: Stage, _ count: Int) async throws -> Findings {
        let buyers = Buyers(try await stage.target.publishEvents(64))
        let crowd = WebCrowd(url: stage.target.url, connections: connections)
        let first = SagaID.make()
        let (answers, accepting, all) = try await stage.measure {
            let began = ContinuousClock.now
            let answers = try await crowd.ask(count) { .init(path: "/saga/start", body: try buyers[$0].body) }
            let accepting = ContinuousClock.now - began
            try demand(202, of: answers)
            try await stage.target.untilTold(count, since: first, within: .seconds(1_800))
            return (answers, accepting, ContinuousClock.now - began)
        }
        try await stage.target.demandCompleted(count, since: first)
        return Findings(
            figures: [
                "accepted per second": Double(count) / accepting.inSeconds,
                "purchases per second": Double(count) / all.inSeconds, "purchases": Double(count),
            ],
            latencies: ["start to 202": Percentiles(answers.map(\.took))])
    }

    /// Each client waits for the outcome of its purchase before it buys again.
    private static func seeThrough(_ stage: Stage, _ count: Int) async throws -> Findings {
        let buyers = Buyers(try await stage.target.publishEvents(64))
        let crowd = WebCrowd(url: stage.target.url, connections: waiting)
        let first = SagaID.make()
        let (answers, took) = try await stage.measure {
            let began = ContinuousClock.now
            let answers = try await crowd.ask(count) {
                .init(path: "/saga/start", body: try buyers[$0].body, prefer: "wait=30")
            }
            return (answers, ContinuousClock.now - began)
        }
        try demand(200, of: answers)
        try await stage.target.untilTold(count, since: first, within: .seconds(60))
        try await stage.target.demandCompleted(count, since: first)
        return Findings(
            figures: ["purchases per second": Double(count) / took.inSeconds, "purchases": Double(count)],
            latencies: ["start to outcome": Percentiles(answers.map(\.took))])
    }

    /// What is left of an event, from the cache.
    private static func look(_ stage: Stage, _ count: Int) async throws -> Findings {
        let events = try await stage.target.publishEvents(64)
        let crowd = WebCrowd(url: stage.target.url, connections: connections)
        let (answers, took) = try await stage.measure {
            let began = ContinuousClock.now
            let answers = try await crowd.ask(count) {
                .init(method: .GET, path: "/events/\(events[$0 % events.count])/availability")
            }
            return (answers, ContinuousClock.now - began)
        }
        try demand(200, of: answers)
        return Findings(
            figures: ["requests per second": Double(count) / took.inSeconds, "requests": Double(count)],
            latencies: ["request": Percentiles(answers.map(\.took))])
    }

    private static func demand(_ status: Int, of answers: [WebCrowd.Answer]) throws {
        let others = Dictionary(grouping: answers.filter { $0.status != status }, by: \.status).mapValues(\.count)
        guard others.isEmpty else { throw Trouble("instead of \(status) there were \(others)") }
    }
}
