import FoundationEssentials

/// Asks to be told once when a time has come.
package struct ScheduleTimer: Message {
    package static let kind = MessageKind.schedule
    /// What the timer is for; one timer per saga and subject.
    package let subject: String
    package let dueAt: Date

    package init(subject: String, dueAt: Date) {
        self.subject = subject
        self.dueAt = dueAt
    }
}

/// Asks to forget a timer; one that has not been scheduled yet will not be.
package struct CancelTimer: Message {
    package static let kind = MessageKind.unschedule
    package let subject: String

    package init(subject: String) { self.subject = subject }
}
