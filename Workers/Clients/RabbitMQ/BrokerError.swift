/// Why the broker, or the connection to it, did not do what was asked.
package struct BrokerError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The settings cannot be used, whatever the broker says.
        case invalidConfiguration
        case connectTimedOut
        case connectionLost
        case accessRefused
        case notFound
        case preconditionFailed
        /// The broker accepts no messages while a resource alarm is on.
        case blocked
        case timedOut
        case protocolViolation
        /// The broker ended the consumer, as it does when the queue is deleted.
        case cancelled
        /// `open` was not called, or `close` was.
        case closed
    }

    package let code: Code
    package let operation: String
    /// The broker's or the library's own words.
    package let detail: String

    package init(_ code: Code, during operation: String, _ detail: String) {
        self.code = code
        self.operation = operation
        self.detail = detail
    }

    /// Whether the same call may succeed later, on a new connection, without anybody changing anything.
    package var isTransient: Bool {
        switch code {
        case .connectTimedOut, .connectionLost, .blocked, .timedOut, .protocolViolation, .cancelled: true
        case .invalidConfiguration, .accessRefused, .notFound, .preconditionFailed, .closed: false
        }
    }

    /// What is wrong, for people; programs look at `code`.
    package var description: String {
        switch code {
        case .connectTimedOut: "RabbitMQ cannot be reached (\(detail))"
        case .connectionLost where operation.hasPrefix("connecting"): "RabbitMQ cannot be reached (\(detail))"
        case .accessRefused where operation == "logging in": "RabbitMQ refuses the login (\(detail))"
        case .accessRefused: "RabbitMQ does not permit \(operation) (\(detail))"
        case .blocked: "RabbitMQ accepts no messages (\(detail))"
        case .connectionLost: "the connection to RabbitMQ broke while \(operation) (\(detail))"
        case .timedOut: "RabbitMQ did not answer in time while \(operation) (\(detail))"
        default: "RabbitMQ: \(operation) failed (\(detail))"
        }
    }
}

extension BrokerError {
    /// Translates the reply code with which the broker closed a channel or a connection.
    init(replyCode: UInt16, text: String, during operation: String) {
        let code: Code =
            switch replyCode {
            case 403, 530: .accessRefused
            case 404: .notFound
            case 405, 406: .preconditionFailed
            case 501...505, 540: .protocolViolation
            default: .connectionLost
            }
        self.init(code, during: operation, "\(replyCode) \(text)")
    }
}
