import Contracts
import Foundation
import Glibc
import RabbitMQ
import TestKit
import WireJSON

/// What a broker does to those who rely on it.
extension Fault {
    static let broker: [Fault] = [
        Fault("B1", "the broker is killed and restarted", how: "SIGKILL to RabbitMQ, start") { stage in
            try await stage.servers.kill9(.rabbitmq)
            try await stage.pause(.seconds(2))
            let seen = await stage.readiness()
            try await stage.servers.up()
            return "without it: \(seen)"
        },
        Fault(
            "B-wiped", "the broker loses everything in the middle of a sale",
            how: "RabbitMQ stopped, its data deleted, started empty, topology applied", rate: 60
        ) { stage in
            try await stage.crowdOfOpenSagas(2_000)
            try await stage.servers.kill9(.rabbitmq)
            let open = try await stage.books.count("orchestrator.saga WHERE outcome IS NULL")
            try stage.servers.wipeBroker()
            try await stage.servers.up()
            try await stage.broker.applyTopology()
            return "\(open) sagas were open when every message was gone"
        },
        Fault("B2", "the broker stops and starts its application", how: "rabbitmqctl stop_app, 3 s, start_app") {
            stage in
            try await stage.servers.rabbitmqctl("stop_app")
            try await stage.pause(.seconds(3))
            try await stage.servers.rabbitmqctl("start_app")
            return "connections were closed with 320"
        },
        Fault(
            "B3", "the broker runs out of memory", how: "vm_memory_high_watermark 0.0001, 20 s, 0.4"
        ) { stage in
            try await stage.servers.rabbitmqctl("set_vm_memory_high_watermark", "0.0001")
            try await stage.pause(.seconds(20))
            let seen = await stage.readiness()
            try await stage.servers.rabbitmqctl("set_vm_memory_high_watermark", "0.4")
            return "blocked: \(seen)"
        },
        Fault("B4", "the broker's disk is full", how: "disk_free_limit 999GB, 10 s, 256MB") { stage in
            try await stage.servers.rabbitmqctl("set_disk_free_limit", "999GB")
            try await stage.pause(.seconds(10))
            let seen = await stage.readiness()
            try await stage.servers.rabbitmqctl("set_disk_free_limit", "256MB")
            return "blocked: \(seen)"
        },
        Fault("B5", "the broker hangs", how: "SIGSTOP to RabbitMQ, 40 s, SIGCONT") { stage in
            try stage.servers.signal(.rabbitmq, SIGSTOP)
            let noticed = try await stage.unready(.orchestrator, within: .seconds(35))
            try await stage.pause(max(.zero, .seconds(40) - noticed))
            try stage.servers.signal(.rabbitmq, SIGCONT)
            return "noticed after \(noticed.text)"
        },
        Fault(
            "B6", "every connection is closed by the broker", how: "DELETE of each over the management API, three times"
        ) {
            stage in
            var closed = 0
            for _ in 1...3 {
                closed += try await stage.broker.closeAllConnections()
                try await stage.pause(.seconds(3))
            }
            return "\(closed) connections closed"
        },
        Fault(
            "B7", "a queue is deleted with its messages",
            how: "payment.commands and orchestrator.replies deleted, 4 s, topology applied"
        ) {
            stage in
            try await stage.broker.administrator {
                try await $0.deleteQueue("payment.commands")
                try await $0.deleteQueue("orchestrator.replies")
            }
            try await stage.pause(.seconds(4))
            let seen = await stage.readiness()
            try await stage.broker.applyTopology()
            return "without them: \(seen)"
        },
        Fault("B8", "queues are purged", how: "every working queue purged, five times in two seconds") { stage in
            for _ in 1...5 {
                try await stage.broker.administrator { administrator in
                    for queue in ["orchestrator.commands", "orchestrator.replies"]
                        + FleetRole.workers.map({ "\($0.rawValue).commands" })
                    {
                        try await administrator.purgeQueue(queue)
                    }
                }
                try await stage.pause(.milliseconds(400))
            }
            return "whatever was in them was asked for again by the watchdog"
        },
        Fault("B9", "a binding is removed", how: "reservation.commands unbound, 6 s, topology applied") { stage in
            try await stage.broker.management(
                "DELETE", "/bindings/%2F/e/turnstile.commands/q/reservation.commands/reservation")
            let noticed = try await stage.unready(.orchestrator)
            try await stage.pause(.seconds(5))
            try await stage.broker.applyTopology()
            return "mandatory messages came back; noticed after \(noticed.text)"
        },
        Fault(
            "B12", "a queue is full",
            how: "policy max-length 5 with reject-publish on reservation.commands, its worker stopped, 6 s"
        ) {
            stage in
            for worker in await stage.fleet.of(.reservation) { try await stage.fleet.stop(worker) }
            try await stage.broker.management(
                "PUT", "/policies/%2F/full",
                #"{"pattern":"^reservation\\.commands$","apply-to":"queues","priority":9,"definition":{"max-length":5,"overflow":"reject-publish","delivery-limit":5,"dead-letter-exchange":"turnstile.dead","dead-letter-strategy":"at-least-once"}}"#
            )
            let noticed = try await stage.unready(.orchestrator)
            try await stage.pause(.seconds(6))
            try await stage.broker.management("DELETE", "/policies/%2F/full")
            try await stage.fleet.up()
            return "refused messages waited; noticed after \(noticed.text)"
        },
        Fault(
            "B14", "an exchange is gone", how: "turnstile.replies deleted (404 closes channels), 5 s, topology applied"
        ) {
            stage in
            try await stage.broker.administrator { try await $0.deleteExchange("turnstile.replies") }
            try await stage.pause(.seconds(5))
            let seen = await stage.readiness()
            try await stage.broker.applyTopology()
            return "without it: \(seen)"
        },
        Fault(
            "B16", "a deep backlog", how: "10,000 starts published while the orchestrator is down", bound: .seconds(60),
            rate: 5
        ) {
            stage in
            for member in await stage.fleet.of(.orchestrator) { try await stage.fleet.kill9(member) }
            let starts = 10_000
            try await stage.broker.publish(
                try (0..<starts).map { number in
                    Publication(
                        exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
                        properties: Properties(
                            messageID: SagaID.make().description, type: "purchase.start.v1",
                            contentType: "application/json"),
                        body: try WireFormat.encode(
                            StartPurchase(
                                userId: "backlog-\(UUID())", eventId: stage.halls.floor, tier: "Floor", quantity: 1,
                                email: nil)))
                })
            try await stage.fleet.up()
            let began = ContinuousClock.now
            var most = 0
            try await until("the backlog is worked off", within: .seconds(120), every: .milliseconds(500)) {
                for member in await stage.fleet.all { most = max(most, try member.resources().megabytes) }
                return try await stage.books.count(
                    "orchestrator.saga WHERE user_id LIKE 'backlog-%' AND outcome IS NOT NULL") >= starts
            }
            let took = ContinuousClock.now - began
            return "\(starts) purchases in \(took.text), no process above \(most) MB"
        },
    ]
}

extension Stage {
    /// Starts purchases whose payment stays pending, so that so many sagas are open at once.
    func crowdOfOpenSagas(_ count: Int) async throws {
        try await broker.publish(
            (0..<count).map { number in
                Publication(
                    exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
                    properties: Properties(
                        messageID: SagaID.make().description, type: "purchase.start.v1", contentType: "application/json"
                    ),
                    body: Data(
                        """
                        {"userId":"open-\(UUID())","eventId":"\(halls.floor)","tier":"Floor","quantity":1,
                        "paymentMethod":"\(number.isMultiple(of: 2) ? "sim_slow:15000" : "sim_ok")"}
                        """.utf8))
            })
        try await until("sagas are open", within: .seconds(30)) {
            try await books.count("orchestrator.saga WHERE outcome IS NULL") > count / 2
        }
    }
}
