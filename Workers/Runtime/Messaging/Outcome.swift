import Contracts

/// What became of one message; the lane does the rest.
///
/// A refusal (sold out, card declined) is a reply, never an error.
package enum Outcome: Sendable, Equatable {
    /// Done; these messages follow from it.
    case reply([OutgoingMessage])
    /// Not now; the same message comes again after a pause, and the attempt counts.
    case retry(after: Duration, reason: String)
    /// Never; the message goes to the dead letters, and these answers go to whoever waits.
    case deadLetter(reason: String, answers: [OutgoingMessage] = [])
}

/// Decides a batch of messages as a whole, in one transaction or more, and is repeatable.
///
/// When it throws, nothing of the batch has happened, or will be recognised when the batch comes again.
package protocol BatchHandler: Sendable {
    /// One outcome per envelope, in order.
    func handle(_ batch: [Envelope]) async throws -> [Outcome]
}

/// A handler behind a closure that is written where the handler's type is known.
///
/// The compiler then makes code for that type alone; behind `any BatchHandler` a generic handler would look up its types
/// and functions at every step.
package struct AnyBatchHandler: BatchHandler {
    private let handling: @Sendable ([Envelope]) async throws -> [Outcome]

    package init(_ handling: @escaping @Sendable ([Envelope]) async throws -> [Outcome]) {
        self.handling = handling
    }

    package func handle(_ batch: [Envelope]) async throws -> [Outcome] { try await handling(batch) }
}

/// An error that says whether waiting may mend it.
package protocol RecoverableFailure: Error {
    var isTransient: Bool { get }
    /// Whether others got in the way at that moment, and no server is away: another try should succeed, and what meets
    /// the same again and again is at fault itself.
    var isConflict: Bool { get }
}

extension RecoverableFailure {
    package var isConflict: Bool { false }
}

extension Error {
    /// Whether the same work will succeed when a server is back, however long that takes, and cannot before.
    package var isMendedByWaiting: Bool {
        guard let failure = self as? any RecoverableFailure else { return false }
        return failure.isTransient && !failure.isConflict
    }
}

/// Somebody else changed what was decided on before the decision was written; it must be taken again.
package struct OptimisticLockFailure: RecoverableFailure {
    package let isTransient = true
    package let isConflict = true

    package init() {}
}

/// The same message was handled before, or by another replica at the same time; the next look finds its recorded
/// replies.
package struct DuplicateMessage: RecoverableFailure {
    package let isTransient = true
    package let isConflict = true

    package init() {}
}
