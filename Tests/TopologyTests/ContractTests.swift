import ContractDocuments
import Contracts
import Foundation
import Testing
import Topology

/// The channels of the contract, beside what the fleet declares on the broker.
struct `The contract's channels` {
    private let channels: [String: Document]

    init() throws {
        let document = try ContractDocument.asyncapi.get()
        func resolved(_ value: Document) -> Document {
            guard let target = value["$ref"]?.text else { return value }
            return document[target.split(separator: "/").dropFirst().map(String.init)] ?? value
        }
        var channels: [String: Document] = [:]
        for channel in document["channels"]?.members ?? [] {
            let members = channel.value.members.map { member -> Document.Member in
                switch member.name {
                case "bindings": Document.Member("bindings", resolved(member.value)["amqp"] ?? .null)
                case "messages":
                    Document.Member("messages", .list(member.value.members.map { resolved($0.value)["name"] ?? .null }))
                case "parameters":
                    Document.Member(
                        "parameters", .object(member.value.members.map { .init($0.name, resolved($0.value)) }))
                default: member
                }
            }
            channels[channel.name] = .object(members)
        }
        self.channels = channels
    }

    @Test func `name every exchange as it is declared`() throws {
        var seen: Set<String> = []
        for (name, channel) in channels where channel[["bindings", "is"]]?.text == "routingKey" {
            let exchange = try #require(channel[["bindings", "exchange"]])
            let declared = try #require(Exchange(rawValue: exchange["name"]?.text ?? ""), "\(name)")
            #expect(exchange["type"]?.text == declared.type)
            #expect(exchange["durable"] == .flag(true))
            seen.insert(declared.rawValue)
        }
        #expect(seen == Set(Exchange.allCases.map(\.rawValue)))
    }

    @Test func `carry each kind where its route leads`() {
        for kind in MessageKind.allCases {
            let envelope = Envelope(id: .make(), kind: kind, occurredAt: Date(), body: Data())
            switch kind.role {
            case .command: expect(kind, along: Route(of: OutgoingMessage(envelope, to: .owner)))
            case .reply: expect(kind, along: Route(of: OutgoingMessage(envelope, to: .orchestrator)))
            case .event: expect(kind, along: Route(of: OutgoingMessage(envelope, to: .listeners)))
            case .answer: #expect(kinds(of: "answers").contains(kind.rawValue))
            }
        }
    }

    private func expect(_ kind: MessageKind, along route: Route) {
        let ways = channels.filter { name, channel in
            kinds(of: name).contains(kind.rawValue) && channel[["bindings", "is"]]?.text == "routingKey"
        }
        #expect(ways.count == 1, "\(kind)")
        #expect(ways.first?.value["address"]?.text == route.routingKey)
        #expect(ways.first?.value[["bindings", "exchange", "name"]]?.text == route.exchange)
    }

    private func kinds(of channel: String) -> [String] {
        channels[channel]?["messages"]?.items.compactMap(\.text) ?? []
    }

    @Test func `name every queue with its arguments`() throws {
        var documented: Set<String> = []
        for name in ["queues", "retries", "deadLetters"] {
            let channel = try #require(channels[name])
            let queues = channel[["parameters", "queue", "enum"]]?.items.compactMap(\.text) ?? []
            for queue in queues {
                for pause in channel[["parameters", "pause", "enum"]]?.items.compactMap(\.text) ?? [""] {
                    documented.insert(try text(of: channel, queue, pause))
                }
            }
        }
        #expect(documented == Set(Declarations.queues.map(Self.text)))
    }

    /// The queue's name and arguments on one line, with the parameters filled in.
    private func text(of channel: Document, _ queue: String, _ pause: String) throws -> String {
        let milliseconds = RetryTier(rawValue: pause).map { "\($0.pause.components.seconds * 1_000)" } ?? pause
        let arguments = channel["x-arguments"]?.members ?? []
        let words = arguments.map { "\($0.name)=\(($0.value.text ?? "").replacing("{pause}", with: milliseconds))" }
        let address = try #require(channel["address"]?.text).replacing("{pause}", with: pause)
        return ([address] + words.sorted()).joined(separator: " ").replacing("{queue}", with: queue)
    }

    private static func text(of queue: QueueDeclaration) -> String {
        let words = queue.arguments.map { name, value in
            switch value {
            case .text(let text): "\(name)=\(text)"
            case .number(let number): "\(name)=\(number)"
            }
        }
        return ([queue.name] + words.sorted()).joined(separator: " ")
    }

    @Test func `name every binding`() throws {
        var documented: Set<String> = []
        for queue in try #require(channels["queues"]?["x-bound-to"]?.members) {
            for source in queue.value.items {
                documented.insert("\(queue.name) \(source["exchange"]?.text ?? "") \(source["routingKey"]?.text ?? "")")
            }
        }
        let declared = Declarations.bindings.filter { $0.exchange != .dead }
        #expect(documented == Set(declared.map { "\($0.queue) \($0.exchange.rawValue) \($0.routingKey)" }))
    }
}
