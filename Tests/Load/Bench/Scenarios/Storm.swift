import Contracts
import RabbitMQ
import TestKit

/// Everybody comes at once for a few tickets, half over HTTP and half over AMQP, while others buy elsewhere.
///
/// Every ticket is sold, none twice; whoever comes after the last one is told so at once; nobody else notices.
enum Storm {
    private static let connections = 64
    /// Purchases a second of another event meanwhile.
    private static let bystanders = 20.0
    private static let refusalBound = 50.0

    static func trials(_ sizes: Sizes) -> [Trial] {
        [Trial(scenario: "storm") { try await play($0, starts: sizes.stormStarts, tickets: sizes.stormTickets) }]
    }

    private static func play(_ stage: Stage, starts: Int, tickets: Int) async throws -> Findings {
        let wanted = try await stage.target.publishEvents(1, capacity: tickets)
        let elsewhere = Buyers(try await stage.target.publishEvents(1))
        let first = SagaID.make()
        let (web, upstream) = (Buyers(wanted), Buyers(wanted))
        let answersQueue = try await AnswerQueue(stage.target)
        let publications = try (0..<starts / 2).map { try single(upstream[$0]).publication(replyTo: answersQueue.name) }
        let calm = SteadyStream(target: stage.target, buyers: elsewhere, rate: bystanders, count: Int(bystanders) * 10)
        let urls = try await stage.fleet.healthURLs()
        let storm = try await stage.measure {
            async let others = calm.run()
            async let health = unhealthy(urls)
            let began = ContinuousClock.now
            async let published = publish(publications, stage.target)
            let crowd = WebCrowd(url: stage.target.url, connections: connections)
            let answers = try await crowd.ask(starts - publications.count) {
                .init(path: "/saga/start", body: try single(web[$0]).body)
            }
            _ = try await published
            let asking = ContinuousClock.now - began
            let upstreamAnswers = try await answersQueue.collect(publications.count)
            return try await Result(
                answers: answers, upstream: upstreamAnswers, asking: asking, answering: ContinuousClock.now - began,
                others: others.map(\.took), unhealthy: health)
        }
        await answersQueue.close()
        try await stage.target.untilTold(0, since: first, within: .seconds(120))
        var findings = storm.findings(starts: starts)
        let sold = try await stage.target.count(
            "SELECT count(*) FROM reservation.ticket WHERE event_id = $1 AND status = 'valid'", [wanted[0].uuid])
        findings.figures["tickets sold"] = Double(sold)
        if sold != tickets { findings.complaints.append("\(sold) of \(tickets) tickets were sold") }
        return findings
    }

    private static func single(_ wish: Wish) -> Wish {
        var wish = wish
        wish.quantity = 1
        return wish
    }

    private static func publish(_ publications: [Publication], _ target: Target) async throws {
        let publisher = try await target.publisher()
        for first in stride(from: 0, to: publications.count, by: 500) {
            let refusals = try await publisher.publish(
                Array(publications[first..<min(first + 500, publications.count)]))
            guard refusals.isEmpty else { throw Trouble("the broker refused \(refusals.count) starts") }
        }
        await publisher.close()
    }

    /// How often a process said during the bystanders' ten seconds that it was not ready.
    private static func unhealthy(_ urls: [String]) async throws -> Int {
        var count = 0
        for _ in 0..<10 {
            for url in urls where await Web.status(url) != 200 { count += 1 }
            try await Task.sleep(for: .seconds(1))
        }
        return count
    }

    private struct Result: Sendable {
        let answers: [WebCrowd.Answer]
        let upstream: (accepted: Int, rejected: Int)
        let asking: Duration
        let answering: Duration
        let others: [Duration]
        let unhealthy: Int

        func findings(starts: Int) -> Findings {
            let refused = answers.filter { $0.status == 409 }
            let soldOut = refused.map { $0.began + $0.took }.min()
            let after = refused.filter { refusal in soldOut.map { refusal.began >= $0 } ?? false }
            var findings = Findings(figures: [
                "starts": Double(starts), "seconds to ask": asking.inSeconds,
                "seconds until all were answered": answering.inSeconds,
                "starts per second": Double(starts) / answering.inSeconds,
                "accepted over HTTP": Double(answers.count { $0.status == 202 }),
                "refused over HTTP": Double(refused.count), "accepted over AMQP": Double(upstream.accepted),
                "refused over AMQP": Double(upstream.rejected), "unready answers": Double(unhealthy),
            ])
            findings.latencies["others: start to completed"] = Percentiles(others)
            let strange = answers.count - refused.count - answers.count { $0.status == 202 }
            if strange > 0 { findings.complaints.append("\(strange) answers were neither 202 nor 409") }
            if unhealthy > 0 { findings.complaints.append("\(unhealthy) times a process was not ready") }
            guard !after.isEmpty else {
                findings.complaints.append("nobody was told that it is sold out")
                return findings
            }
            let refusal = Percentiles(after.map(\.took))
            findings.latencies["refusal once sold out"] = refusal
            if refusal.p99 >= Storm.refusalBound {
                findings.complaints.append("p99 of a refusal is \(format(refusal.p99)) ms")
            }
            return findings
        }
    }
}
