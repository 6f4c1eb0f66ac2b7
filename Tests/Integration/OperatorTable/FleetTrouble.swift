import Foundation
import Postgres
import RabbitMQ
import TestKit
import Topology

/// What may happen to a fleet in the night, each with the way to bring it about and to mend it.
enum FleetTrouble: String, CaseIterable {
    case workerStopped = "worker stopped"
    case permissionRevoked = "permission revoked"
    case diskAlarm = "disk alarm"
    case memoryAlarm = "memory alarm"
    case postgresDown = "PostgreSQL down"
    case rabbitmqDown = "RabbitMQ down"
    case redisDown = "Redis down"
    case queueDeleted = "queue deleted"
    case queueWronglyDeclared = "queue wrongly declared"
    case passwordWrong = "password wrong"
    case poisonMessage = "poison message"
    case listenersQueueFull = "listener's queue full"

    func make(in fleet: TroubledFleet) async throws {
        switch self {
        case .workerStopped: try await fleet.stop("payment")
        case .permissionRevoked:
            try await fleet.script("REVOKE INSERT ON payment.charge FROM turnstile_payment")
            try await fleet.startPurchase()
        case .diskAlarm: try await fleet.rabbitmqctl("set_disk_free_limit", "999GB")
        case .memoryAlarm: try await fleet.rabbitmqctl("set_vm_memory_high_watermark", "0.0001")
        case .postgresDown: await fleet.postgres.shut()
        case .rabbitmqDown:
            await fleet.rabbitmq.shut()
            await fleet.management.shut()
        case .redisDown: await fleet.redis.shut()
        case .queueDeleted: try await fleet.administer { try await $0.deleteQueue("payment.commands") }
        case .queueWronglyDeclared:
            try await fleet.administer { administrator in
                try await administrator.deleteQueue("payment.commands")
                try await administrator.declareQueue(
                    "payment.commands", arguments: ["x-queue-type": .string("classic")])
                try await administrator.bindQueue(
                    "payment.commands", to: Exchange.commands.rawValue, routingKey: "payment")
            }
        case .passwordWrong:
            try await fleet.setBrokerPassword("another-password")
            await fleet.rabbitmq.cut()
        case .poisonMessage:
            try await fleet.publish(Data("{}".utf8), kind: "purchase.dream.v1")
        case .listenersQueueFull:
            try await fleet.administer { administrator in
                try await administrator.declareQueue(
                    Self.fullQueue,
                    arguments: [
                        "x-queue-type": .string("quorum"), "x-max-length": .integer(1),
                        "x-overflow": .string("reject-publish"),
                    ])
            }
            for _ in 0..<5 { try await fleet.startPurchase(answeredTo: Self.fullQueue) }
        }
    }

    func mend(in fleet: TroubledFleet) async throws {
        switch self {
        case .workerStopped: try await fleet.start("payment")
        case .permissionRevoked: try await fleet.script("GRANT INSERT ON payment.charge TO turnstile_payment")
        case .diskAlarm: try await fleet.rabbitmqctl("set_disk_free_limit", "256MB")
        case .memoryAlarm: try await fleet.rabbitmqctl("set_vm_memory_high_watermark", "0.4")
        case .postgresDown: try await fleet.postgres.open()
        case .rabbitmqDown:
            try await fleet.rabbitmq.open()
            try await fleet.management.open()
        case .redisDown: try await fleet.redis.open()
        case .queueDeleted: try await fleet.declareTopology()
        case .queueWronglyDeclared:
            try await fleet.administer { try await $0.deleteQueue("payment.commands") }
            try await fleet.declareTopology()
        case .passwordWrong: try await fleet.setBrokerPassword(TroubledFleet.password)
        case .poisonMessage:
            let (status, output) = try await fleet.turnstile(
                "dead", "drop", "orchestrator.commands", "--all", "--reason", "a dream")
            guard status == 0 else { throw Trouble("the letter cannot be dropped: \(output)") }
        case .listenersQueueFull:
            try await fleet.administer { try await $0.deleteQueue(Self.fullQueue) }
            let (status, output) = try await fleet.turnstile(
                "undelivered", "drop", Self.fullQueue, "--reason", "nobody reads it")
            guard status == 0 else { throw Trouble("the answers cannot be dropped: \(output)") }
        }
    }

    private static let fullQueue = "answers.shop"
}

extension TroubledFleet {
    func script(_ sql: String) async throws {
        let owner = database.owner()
        try await owner.script(sql)
        await owner.close()
    }

    func administer(_ work: (Administrator) async throws -> Void) async throws {
        let administrator = Administrator(try BrokerConfiguration(url: brokerURL), logger: database.logger)
        try await administrator.open()
        try await work(administrator)
        await administrator.close()
    }

    /// Starts a purchase as an upstream system that wants its answers in this queue.
    func startPurchase(answeredTo queue: String) async throws {
        let event = try await publishEvent()
        let body = #"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":1}"#
        try await publish(Data(body.utf8), kind: "purchase.start.v1", answeredTo: queue)
    }

    /// Sends a command as an upstream system does.
    func publish(_ body: Data, kind: String, answeredTo queue: String? = nil) async throws {
        let publisher = Publisher(try BrokerConfiguration(url: brokerURL), logger: database.logger)
        try await publisher.open()
        let properties = Properties(
            messageID: uniqueName("message"), type: kind, replyTo: queue, contentType: "application/json")
        _ = try await publisher.publish([
            Publication(
                exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true, properties: properties,
                body: body)
        ])
        await publisher.close()
    }
}
