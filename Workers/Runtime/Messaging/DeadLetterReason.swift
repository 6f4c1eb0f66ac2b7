import Contracts
import RabbitMQ

/// Why a message that makes no sense is deadLettered: one stable word by which operators group, then the detail.
package enum DeadLetterReason {
    package static func malformedBody(_ detail: some Any) -> String { "malformed-body: \(detail)" }

    package static func tooLarge(_ delivery: Delivery) -> String {
        let rest = delivery.isWithoutBody ? "; the body is left out" : ""
        return "too-large: \(delivery.sizeWhenSent) bytes, the limit is \(Limits.messageBytes)\(rest)"
    }

    package static func unexpectedKind(_ kind: MessageKind) -> String {
        "unexpected-kind: \(kind.rawValue) is not for this queue"
    }

    package static let missingSaga = "missing-saga: the property correlation_id must name the saga"
}
