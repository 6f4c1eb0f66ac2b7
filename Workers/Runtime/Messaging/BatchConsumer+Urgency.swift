extension BatchConsumer {
    /// How soon somebody wants what follows from a message.
    package enum Urgency: Sendable {
        /// A purchase, and so a buyer, waits for the answer.
        case awaited
        /// Nobody waits: a timer that is due much later, a letter, a hint.
        case unhurried

        /// The shortest time from one batch to the next while messages are lively.
        var breath: Duration {
            switch self {
            case .awaited: .zero
            case .unhurried: .milliseconds(50)
            }
        }
    }
}
