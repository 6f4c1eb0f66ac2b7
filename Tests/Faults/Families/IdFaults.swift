import Contracts
import Foundation
import Postgres
import RabbitMQ
import TestKit

/// Ids that their senders chose, for two requests or so that they meet another's.
extension Fault {
    static let ids = [
        Fault(
            "id-reused", "one message id for a cancel and a start, and for what the journal holds",
            how: "40 purchases cancelled under ids that starts then use, 40 starts under ids of the journal"
        ) { stage in
            let (words, bystanders) = try await stage.besideBystanders { try await stage.reuseIDs(40) }
            return "\(words); \(bystanders) bystanders bought meanwhile, each within 2 s"
        },
        Fault(
            "id-foreseen", "cancels under the ids that another purchase's messages will have",
            how: "30 purchases; for each, its three answers' ids worked out and used to cancel purchases of one's own"
        ) { stage in
            let (words, bystanders) = try await stage.besideBystanders { try await stage.foreseeIDs(30) }
            return "\(words); \(bystanders) bystanders bought meanwhile, each within 2 s"
        },
    ]
}

extension Stage {
    fileprivate func reuseIDs(_ count: Int) async throws -> String {
        let session = "reuse-\(UUID())"
        var messages: [Publication] = []
        var cancelled: [SagaID] = []
        for number in 0..<count {
            let saga = try await start("\(session)-own-\(number)", "sim_never")
            cancelled.append(saga)
            let id = UUID().uuidString
            messages.append(command("purchase.cancel.v1", id, #"{"sagaId":"\#(saga)"}"#))
            messages.append(command("purchase.start.v1", id, wish("\(session)-other-\(number)")))
        }
        // One by one, so that the cancels come first.
        for message in messages { try await broker.publish([message]) }
        let lines = try await books.with {
            try await $0.query(
                "SELECT message_id FROM orchestrator.saga_step ORDER BY saga_id DESC LIMIT \(count)", as: (UUID).self)
        }
        try await broker.publish(
            lines.enumerated().map { command("purchase.start.v1", "\($1)", wish("\(session)-line-\($0)")) })
        try await until("the cancels are done, and the starts under ids of the journal begin", within: .seconds(20)) {
            let ended = try await books.count(
                "orchestrator.saga WHERE user_id LIKE '\(session)-own-%' AND outcome = 'refused'")
            let begun = try await books.count("orchestrator.saga WHERE user_id LIKE '\(session)-line-%'")
            return ended == cancelled.count && begun == lines.count
        }
        let wrong = try await books.count("orchestrator.saga WHERE user_id LIKE '\(session)-other-%'")
        guard wrong == 0 else { throw Trouble("\(wrong) starts were taken under ids of cancels") }
        return "\(cancelled.count) cancels done, as many starts under their ids refused; \(await readiness())"
    }

    fileprivate func foreseeIDs(_ count: Int) async throws -> String {
        let session = "foresee-\(UUID())"
        let steps: [(Int, MessageKind, MessageKind)] = [
            (1, .reserve, .reserved), (2, .charge, .captured), (3, .confirm, .confirmed),
        ]
        for number in 0..<count {
            let victim = try await start("\(session)-victim-\(number)", "sim_slow:1000")
            for (step, kind, reply) in steps {
                let own = try await start("\(session)-own-\(number)-\(step)", "sim_never")
                let sent = MessageID.derived(from: victim, step: step, kind: kind)
                let id = MessageID.derived(from: sent.uuid, reply.rawValue)
                try await broker.publish([command("purchase.cancel.v1", "\(id)", #"{"sagaId":"\#(own)"}"#)])
            }
        }
        try await until("every purchase has its end", within: .seconds(30)) {
            try await books.count("orchestrator.saga WHERE user_id LIKE '\(session)-%' AND outcome IS NULL") == 0
        }
        let completed = try await books.count(
            "orchestrator.saga WHERE user_id LIKE '\(session)-victim-%' AND outcome = 'completed'")
        guard completed == count else { throw Trouble("\(count - completed) of \(count) paid purchases were stranded") }
        return "\(completed) purchases completed whose ids a stranger used, \(count * 3) of the stranger's cancelled"
    }

    private func start(_ user: String, _ method: String) async throws -> SagaID {
        let urls = await fleet.orchestratorURLs
        let answer = try await web.call("POST", "\(urls[0])/saga/start", body: Data(wish(user, method).utf8))
        guard let saga = answer.text("sagaId").flatMap({ SagaID($0) }) else {
            throw Trouble("\(user) got status \(answer.status)")
        }
        return saga
    }

    private func wish(_ user: String, _ method: String = "sim_ok") -> String {
        #"{"userId":"\#(user)","eventId":"\#(halls.floor)","tier":"Floor","quantity":1,"paymentMethod":"\#(method)"}"#
    }

    private func command(_ kind: String, _ id: String, _ body: String) -> Publication {
        Publication(
            exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
            properties: Properties(messageID: id, type: kind, contentType: "application/json"), body: Data(body.utf8))
    }
}
