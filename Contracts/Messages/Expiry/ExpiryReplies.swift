import FoundationEssentials

/// A scheduled time has come.
package struct TimerElapsed: Message {
    package static let kind = MessageKind.elapsed
    package let subject: String
    package let dueAt: Date

    package init(subject: String, dueAt: Date) {
        self.subject = subject
        self.dueAt = dueAt
    }
}
