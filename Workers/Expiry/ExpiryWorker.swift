import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// Notes which timers are wanted and which are not; `DueTimers` makes them ring.
package struct ExpiryWorker<Book: TimerStore>: CommandHandler {
    let timers: Book

    package init(timers: Book) {
        self.timers = timers
    }

    package func handle(_ batch: [Envelope], in transaction: Book.Transaction) async throws -> [Outcome] {
        let requests = batch.map(TimerRequest.init)
        try await timers.note(
            wanted: requests.compactMap(\.wanted), unwanted: requests.compactMap(\.unwanted), in: transaction)
        return requests.map(\.outcome)
    }
}

/// What one message asks of the timers.
private enum TimerRequest {
    case schedule(FleetTimer)
    case cancel(TimerKey)
    case unusable(reason: String)

    init(_ envelope: Envelope) {
        do {
            self = try Self.read(envelope)
        } catch {
            self = .unusable(reason: DeadLetterReason.malformedBody(error))
        }
    }

    private static func read(_ envelope: Envelope) throws -> TimerRequest {
        guard envelope.kind == .schedule || envelope.kind == .unschedule else {
            return .unusable(reason: DeadLetterReason.unexpectedKind(envelope.kind))
        }
        guard let sagaID = envelope.sagaID else {
            return .unusable(reason: DeadLetterReason.missingSaga)
        }
        guard envelope.kind == .schedule else {
            let command = try envelope.decode(CancelTimer.self)
            return .cancel(try key(sagaID, command.subject))
        }
        let command = try envelope.decode(ScheduleTimer.self)
        return .schedule(
            FleetTimer(
                key: try key(sagaID, command.subject), dueAt: command.dueAt, step: envelope.step,
                commandID: envelope.id, traceparent: envelope.traceparent))
    }

    private static func key(_ sagaID: SagaID, _ subject: String) throws -> TimerKey {
        guard (1...Limits.identifierLength).contains(subject.utf8.count), !subject.utf8.contains(0) else {
            throw UnusableSubject()
        }
        return TimerKey(sagaID: sagaID, subject: subject)
    }

    var wanted: FleetTimer? {
        if case .schedule(let timer) = self { timer } else { nil }
    }

    var unwanted: TimerKey? {
        if case .cancel(let key) = self { key } else { nil }
    }

    var outcome: Outcome {
        switch self {
        case .schedule, .cancel: .reply([])
        case .unusable(let reason): .deadLetter(reason: reason)
        }
    }
}

/// A subject that cannot name a timer.
private struct UnusableSubject: Error, CustomStringConvertible {
    var description: String { "subject must have 1 to \(Limits.identifierLength) bytes and no NUL" }
}
