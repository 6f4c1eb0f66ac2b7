import Contracts
import Logging
import RabbitMQ

/// What a log line says of a message: ids and its kind, never its body.
extension Envelope {
    package var facts: Logger.Metadata {
        var facts: Logger.Metadata = ["messageId": "\(id)", "kind": "\(kind.rawValue)"]
        if let sagaID { facts["saga"] = "\(sagaID)" }
        if let traceparent { facts["trace"] = "\(TraceContext.traceID(of: traceparent))" }
        return facts
    }
}

extension Delivery {
    /// Of what could not be read, as far as it says who it is.
    var facts: Logger.Metadata {
        func short(_ text: String?) -> Logger.MetadataValue {
            "\((text ?? "none").prefix(Limits.identifierLength))"
        }
        var facts: Logger.Metadata = ["messageId": short(properties.messageID), "kind": short(properties.type)]
        if let saga = properties.correlationID.flatMap({ SagaID($0) }) { facts["saga"] = "\(saga)" }
        if let trace = properties.headers.text(.traceparent).flatMap(TraceContext.valid) {
            facts["trace"] = "\(TraceContext.traceID(of: trace))"
        }
        return facts
    }
}
