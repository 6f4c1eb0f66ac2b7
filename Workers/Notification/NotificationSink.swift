/// A way by which letters reach people.
package protocol NotificationSink: Sendable {
    /// A word for replies and records, such as `console`.
    var channel: String { get }
    /// Returns when the letter is out of our hands; ends soon when its task is cancelled.
    /// - Throws: `Undeliverable` when no later attempt can succeed; every other error is worth another attempt.
    func deliver(_ letter: RenderedMessage) async throws
}

/// The letter will never reach anybody this way, and why.
package struct Undeliverable: Error {
    package let reason: String

    package init(reason: String) {
        self.reason = reason
    }
}
