import Contracts
import Foundation
import Testing
import Topology

@Suite struct `The topology` {
    @Test func `gives every queue its retry tiers and a place for dead letters`() {
        let names = Set(Declarations.queues.map(\.name))
        #expect(names.count == Declarations.queues.count)
        for queue in Queue.all {
            #expect(names.contains(queue.name))
            #expect(names.contains(queue.dead))
            for tier in RetryTier.allCases { #expect(names.contains(queue.retry(tier))) }
            #expect(Declarations.bindings.contains(Binding(exchange: .dead, routingKey: queue.name, queue: queue.dead)))
        }
    }

    @Test func `binds only queues that it declares`() {
        let names = Set(Declarations.queues.map(\.name))
        for binding in Declarations.bindings { #expect(names.contains(binding.queue), "\(binding)") }
    }

    @Test func `has a way for every kind of message`() throws {
        for kind in MessageKind.allCases {
            let envelope = Envelope(id: .make(), kind: kind, occurredAt: Date(), body: Data())
            switch kind.role {
            case .command:
                let route = Route(of: OutgoingMessage(envelope, to: .owner))
                let owner = try #require(kind.owner)
                let binding = Binding(
                    exchange: .commands, routingKey: route.routingKey, queue: Queue.commands(of: owner).name)
                #expect(route.isMandatory && Declarations.bindings.contains(binding))
            case .reply:
                let route = Route(of: OutgoingMessage(envelope, to: .orchestrator))
                #expect(route.exchange == "turnstile.replies" && route.isMandatory)
            case .event:
                let route = Route(of: OutgoingMessage(envelope, to: .listeners))
                #expect(route.exchange == "turnstile.events" && !route.isMandatory)
                #expect(!route.routingKey.contains(".v"))
            case .answer:
                let route = Route(of: OutgoingMessage(envelope, to: .upstream(queue: "q")))
                #expect(route.exchange.isEmpty && route.routingKey == "q" && route.isMandatory)
            }
        }
    }

    @Test(arguments: zip([0, 1, 2, 10, 11, 60, 3_600], ["1s", "1s", "10s", "10s", "60s", "60s", "60s"]))
    func `waits in the shortest tier that is long enough`(seconds: Int, tier: String) {
        #expect(RetryTier.waiting(atLeast: .seconds(seconds)).rawValue == tier)
    }

    @Test func `is covered by the policies in the broker's definitions`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../compose/rabbitmq/definitions.json")
        let definitions = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        let policies = try #require(definitions?["policies"] as? [[String: Any]])
        for queue in Declarations.queues {
            let matching = try policies.filter { policy in
                let pattern = try NSRegularExpression(pattern: try #require(policy["pattern"] as? String))
                return pattern.firstMatch(in: queue.name, range: NSRange(location: 0, length: queue.name.utf16.count))
                    != nil
            }
            #expect(matching.count == 1, "\(queue.name) must be under one policy")
            let limits = matching.first?["definition"] as? [String: Any]
            #expect(limits?["overflow"] as? String == "reject-publish", "\(queue.name)")
        }
    }
}
