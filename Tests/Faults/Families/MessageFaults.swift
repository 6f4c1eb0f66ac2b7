import Contracts
import Foundation
import Postgres
import RabbitMQ
import Synchronization
import TestKit

/// Messages that come twice, in the wrong order, too late, for nobody, or make no sense.
extension Fault {
    static let messages: [Fault] =
        orders + nonsense + [
            Fault(
                "D10", "a command names another amount than the first",
                how: "payment.charge for 50 completed purchases, with 1 cent and new ids"
            ) {
                stage in
                try await stage.pause(.seconds(3))
                let sagas = try await stage.books.with {
                    try await $0.query(
                        "SELECT id FROM orchestrator.saga WHERE state = 'completed' ORDER BY id DESC LIMIT 50",
                        as: (UUID).self)
                }
                try await stage.broker.publish(
                    sagas.map { saga in
                        Publication(
                            exchange: "turnstile.commands", routingKey: "payment", isMandatory: true,
                            properties: Properties(
                                messageID: UUID().uuidString, correlationID: SagaID(saga).description,
                                type: MessageKind.charge.rawValue, contentType: "application/json",
                                headers: ["step": .integer(2)]),
                            body: Data(#"{"amount":{"currency":"EUR","minor":1},"method":"sim_ok"}"#.utf8))
                    })
                try await stage.pause(.seconds(2))
                let wrong = try await stage.books.count("payment.charge WHERE amount_minor = 1")
                guard wrong == 0 else { throw Trouble("\(wrong) charges took the amount of the message") }
                return "\(sagas.count) charges kept the amount in the books"
            },
            Fault(
                "D12", "dead letters are replayed twice",
                how: "300 commands buried, then all of them replayed two times at once"
            ) { stage in
                let seen = try await Interceptor.commands(of: .reservation, stage.broker)
                    .run(for: .seconds(8), every: .milliseconds(200)) { $0 }
                let dead = Array(seen.prefix(300))
                try await stage.broker.publish(dead.map { $0.again(in: "reservation.commands.dead") })
                let consumer = Consumer(
                    try stage.broker.configuration, queue: "reservation.commands.dead", prefetch: 1_000,
                    logger: stage.broker.logger)
                try await consumer.open()
                var replayed = 0
                while replayed < dead.count {
                    let batch = try await consumer.take(upTo: 1_000)
                    guard let last = batch.last else { break }
                    let publications = batch.map { $0.again(in: "reservation.commands") }
                    try await stage.broker.publish(publications + publications)
                    try await consumer.acknowledge(through: last.tag)
                    replayed += batch.count
                }
                await consumer.close()
                return "\(replayed) letters were replayed twice, and recognised"
            },
        ]

    private static let everybody: [FleetRole] = [.reservation, .payment, .notification, .expiry]

    private static let orders = [
        Fault(
            "D1", "every message comes ten times, to two workers at once",
            how: "interceptor: each of the fleet's queues, 10 copies, two of each process; 12 s", rate: 10
        ) {
            stage in
            try await stage.fleet.up(2)
            // A repeat is answered by a repeat, so each id is copied once: copies of copies would multiply without end.
            let known = Mutex<Set<String>>([])
            _ = try await stage.intercept(for: .seconds(12), every: .milliseconds(100)) { batch in
                batch.flatMap { delivery in
                    let isNew = known.withLock { $0.insert(delivery.properties.messageID ?? "").inserted }
                    return Array(repeating: delivery, count: isNew ? 10 : 1)
                }
            }
            return "\(known.withLock { $0.count }) messages were handed on ten times each"
        },
        Fault(
            "D2", "messages come in any order",
            how: "interceptor: each of the fleet's queues shuffled by the second, 12 s"
        ) { stage in
            let seen = try await stage.intercept(for: .seconds(12), every: .seconds(1)) { $0.shuffled() }
            return "\(seen.count) messages were shuffled"
        },
        Fault("D3", "old messages come again", how: "interceptor: every message handed on, and again 6 s later") {
            stage in
            let seen = try await stage.intercept(for: .seconds(6), every: .milliseconds(100)) { $0 }
            try await stage.pause(.seconds(6))
            for (queue, deliveries) in Dictionary(grouping: seen, by: \.home) {
                try await stage.broker.publish(deliveries.map { $0.again(in: queue) })
            }
            return "\(seen.count) messages of steps long gone came again"
        },
        Fault(
            "D5", "a compensation comes before what it compensates",
            how: "interceptor: reservation commands reversed by two seconds; 60 purchases cancelled at once"
        ) {
            stage in
            let cancelling = Task {
                for number in 0..<60 {
                    let url = await stage.fleet.orchestratorURLs[0]
                    let body =
                        #"{"userId":"hasty-\#(number)-\#(UUID())","eventId":"\#(stage.halls.floor)","tier":"Floor","quantity":1}"#
                    let saga =
                        try await stage.web.call("POST", "\(url)/saga/start", body: Data(body.utf8)).text("sagaId")
                        ?? ""
                    _ = try await stage.web.call("POST", "\(url)/sagas/\(saga)/cancel")
                    try await stage.pause(.milliseconds(120))
                }
            }
            _ = try await Interceptor.commands(of: .reservation, stage.broker)
                .run(for: .seconds(10), every: .seconds(2)) { $0.reversed() }
            try await cancelling.value
            let tombstones = try await stage.books.count("reservation.hold WHERE quantity = 0")
            guard tombstones > 0 else { throw Trouble("no release came before its reserve") }
            return "\(tombstones) releases came first and left tombstones"
        },
    ]

    private static let nonsense = [
        Fault("D4", "replies for sagas that nobody knows", how: "100 replies with random saga ids") { stage in
            let replies = (0..<100).map { _ in
                Publication(
                    exchange: "turnstile.replies", routingKey: "orchestrator", isMandatory: true,
                    properties: Properties(
                        messageID: UUID().uuidString, correlationID: SagaID.make().description,
                        type: MessageKind.captured.rawValue, contentType: "application/json",
                        headers: ["step": .integer(2)]),
                    body: Data(#"{"chargeId":"ch_1","amount":{"currency":"EUR","minor":4500}}"#.utf8))
            }
            return try await stage.expectBuried(replies, from: "orchestrator.replies", exactly: nil)
        },
        Fault("D6", "bodies that are no messages", how: "the poison corpus, to every queue") { stage in
            var told: [String] = []
            for (exchange, key, kind, queue) in [
                ("turnstile.commands", "orchestrator", "purchase.start.v1", "orchestrator.commands"),
                ("turnstile.commands", "reservation", "reservation.reserve.v1", "reservation.commands"),
                ("turnstile.commands", "payment", "payment.charge.v1", "payment.commands"),
                ("turnstile.commands", "expiry", "expiry.schedule.v1", "expiry.commands"),
                ("turnstile.commands", "notification", "notification.send.v1", "notification.commands"),
                ("turnstile.replies", "orchestrator", "payment.captured.v1", "orchestrator.replies"),
            ] {
                let poison = Poison.bodies.map { body in
                    Publication(
                        exchange: exchange, routingKey: key, isMandatory: true,
                        properties: Properties(
                            messageID: UUID().uuidString, correlationID: SagaID.make().description, type: kind,
                            contentType: "application/json", headers: ["step": .integer(1)]),
                        body: body)
                }
                told.append(try await stage.expectBuried(poison, from: queue, exactly: poison.count))
            }
            return "\(Poison.bodies.count) bodies to six queues, all buried"
        },
        Fault(
            "D7", "messages that do not say what they are",
            how: "no id, no kind, unknown kinds and versions, other content types"
        ) { stage in
            let body = Data(#"{"userId":"ada","eventId":"\#(stage.halls.floor)","tier":"Floor","quantity":1}"#.utf8)
            let kind = "purchase.start.v1"
            let properties: [Properties] = [
                Properties(type: kind, contentType: "application/json"),
                Properties(messageID: "", type: kind, contentType: "application/json"),
                Properties(messageID: UUID().uuidString, contentType: "application/json"),
                Properties(messageID: UUID().uuidString, type: "purchase.start.v2", contentType: "application/json"),
                Properties(messageID: UUID().uuidString, type: "purchase.explode.v1", contentType: "application/json"),
                Properties(
                    messageID: UUID().uuidString, type: "reservation.reserve.v1", contentType: "application/json"),
                Properties(messageID: UUID().uuidString, type: kind, contentType: "application/xml"),
                Properties(
                    messageID: UUID().uuidString, type: String(repeating: "x", count: 255),
                    contentType: "application/json"),
            ]
            let publications = properties.map {
                Publication(
                    exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true, properties: $0,
                    body: body)
            }
            return try await stage.expectBuried(
                publications, from: "orchestrator.commands", exactly: publications.count)
        },
        Fault(
            "D8", "headers of every kind and size",
            how: "management API: nested tables, 1000 x-death entries, odd numbers, 60 KB of text"
        ) { stage in
            let before = try await stage.broker.depth(of: "orchestrator.commands.dead")
            let deaths = (0..<1_000).map { #"{"queue":"q\#($0)","reason":"expired","count":\#($0)}"# }.joined(
                separator: ",")
            let headers = [
                #"{"a":{"b":{"c":{"d":[1,"two",{"e":false}]}}}}"#, #"{"x-death":[\#(deaths)]}"#,
                #"{"yes":true,"big":9007199254740993,"half":0.5,"attempt":"many","step":"first"}"#,
                #"{"long":"\#(String(repeating: "x", count: 60_000))"}"#,
                #"{"attempt":-7,"traceparent":"ff-zz","step":99999999999}"#,
            ]
            for header in headers {
                let wish =
                    #"{\"userId\":\"header-\#(UUID())\",\"eventId\":\"\#(stage.halls.floor)\",\"tier\":\"Floor\",\"quantity\":1}"#
                try await stage.broker.management(
                    "POST", "/exchanges/%2F/turnstile.commands/publish",
                    #"{"routing_key":"orchestrator","payload_encoding":"string","payload":"\#(wish)","properties":{"message_id":"\#(UUID())","type":"purchase.start.v1","content_type":"application/json","delivery_mode":2,"headers":\#(header)}}"#
                )
            }
            let started = "orchestrator.saga WHERE user_id LIKE 'header-%' AND created_at > now() - interval '1 minute'"
            try await until("messages with odd headers are taken or buried", within: .seconds(20)) {
                try await stage.books.count(started) + stage.broker.depth(of: "orchestrator.commands.dead") - before
                    >= headers.count
            }
            let sold = try await stage.books.count(started)
            let buried = try await stage.broker.depth(of: "orchestrator.commands.dead") - before
            return "\(sold) of \(headers.count) were taken as purchases, \(buried) buried"
        },
    ]
}

/// Bodies that no decoder may choke on.
enum Poison {
    static let bodies: [Data] = [
        Data(), Data("null".utf8), Data("[]".utf8), Data("{".utf8), Data("not json".utf8), Data([0xff, 0xfe, 0x00]),
        Data(#"{"userId":"#.utf8), Data(#"{"userId":NaN}"#.utf8), Data(#"{"quantity":1e999}"#.utf8),
        Data(#"{"quantity":9007199254740993000000}"#.utf8), Data(#"{"userId":"\ud800"}"#.utf8),
        Data((String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)).utf8),
        Data(#"{"userId":"a\#u{0}b"}"#.utf8), Data(#"{"amount":{"currency":"EUR","minor":"many"}}"#.utf8),
        Data(String(repeating: "x", count: 70_000).utf8), Data("\u{feff}{}".utf8),
        Data(("{\"userId\":\"" + String(repeating: "y", count: 65_000) + "\"}").utf8),
    ]
}

extension Delivery {
    /// The queue that a message of the fleet was on its way to.
    fileprivate var home: String {
        exchange == "turnstile.replies" ? "orchestrator.replies" : "\(routingKey).commands"
    }
}

extension Stage {
    /// Intercepts every queue of the fleet's inner traffic at once.
    fileprivate func intercept(
        for time: Duration, every pause: Duration, _ plan: @escaping Interceptor.Plan
    ) async throws -> [Delivery] {
        try await withThrowingTaskGroup(of: [Delivery].self) { group in
            for role in [FleetRole.reservation, .payment, .notification, .expiry] {
                group.addTask { try await Interceptor.commands(of: role, broker).run(for: time, every: pause, plan) }
            }
            group.addTask { try await Interceptor.replies(broker).run(for: time, every: pause, plan) }
            return try await group.reduce(into: [Delivery]()) { $0 += $1 }
        }
    }

    /// Publishes what cannot be understood, and waits until it lies among the dead letters.
    fileprivate func expectBuried(_ publications: [Publication], from queue: String, exactly count: Int?) async throws
        -> String
    {
        try await broker.administrator { try await $0.purgeQueue(queue + ".dead") }
        try await broker.publish(publications)
        if let count {
            try await until("\(count) messages are buried from \(queue)", within: .seconds(20)) {
                try await broker.depth(of: queue + ".dead") == count
            }
        } else {
            try await pause(.seconds(3))
        }
        let buried = try await broker.depth(of: queue + ".dead")
        try await broker.administrator { try await $0.purgeQueue(queue + ".dead") }
        return "\(buried) of \(publications.count) were buried from \(queue)"
    }
}
