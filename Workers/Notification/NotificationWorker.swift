import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// Tells buyers how their purchases ended: one letter per saga and template, however often it is asked for.
package struct NotificationWorker<Store: NotificationStore>: ExternalCallHandler {
    /// What to do about one message.
    package enum Attempt: Sendable {
        case deliver(RenderedMessage, number: Int)
        case answer(Standing)
        case deadLetter(reason: String)
    }

    /// What was done about one message.
    package enum Result: Sendable {
        case attempted(AttemptReport)
        case answer(Standing)
        case deadLetter(reason: String)
    }

    let store: Store
    let desk: NotificationSender
    /// Longer than a round of the desk takes, so that a claim ends only after a crash.
    let lease = Duration.seconds(15)
    /// After so many attempts, over hours with the saga's own repeats, the buyer counts as unreachable.
    let attemptsMax = 25

    package init(store: Store, desk: NotificationSender) {
        self.store = store
        self.desk = desk
    }

    package func prepare(_ batch: [Envelope], in transaction: Store.Transaction) async throws -> [Attempt] {
        let requests = batch.map(LetterRequest.init)
        let standings = try await store.begin(
            requests.compactMap(\.letter).uniqueByKey, through: desk.sink.channel, by: desk.id, for: lease,
            in: transaction)
        return requests.map { request in
            switch request {
            case .unusable(let reason): .deadLetter(reason: reason)
            case .letter(let letter): Self.attempt(of: letter, standings[letter.key] ?? .elsewhere(.zero))
            }
        }
    }

    private static func attempt(of letter: RenderedMessage, _ standing: Standing) -> Attempt {
        switch standing {
        case .ours(let number): .deliver(letter, number: number)
        case .elsewhere, .delivered, .failed: .answer(standing)
        }
    }

    package func carryOut(_ attempts: [Attempt]) async -> [Result] {
        let results = await desk.deliver(attempts.compactMap(\.letter).uniqueByKey)
        return attempts.map { attempt in
            switch attempt {
            case .deliver(let letter, let number):
                .attempted(report(of: letter.key, number, results[letter.key] ?? .failed(reason: "not attempted")))
            case .answer(let standing): .answer(standing)
            case .deadLetter(let reason): .deadLetter(reason: reason)
            }
        }
    }

    private func report(of key: LetterKey, _ number: Int, _ result: DeliveryResult) -> AttemptReport {
        guard case .failed(let reason) = result, number >= attemptsMax else {
            return AttemptReport(key: key, number: number, result: result)
        }
        let refusal = DeliveryResult.refused(reason: "given up after \(number) attempts: \(reason)")
        return AttemptReport(key: key, number: number, result: refusal)
    }

    package func conclude(
        _ batch: [Envelope], _ results: [Result], isUndisturbed: Bool, in transaction: Store.Transaction
    ) async throws -> [Outcome] {
        var reports: [LetterKey: AttemptReport] = [:]
        for case .attempted(let report) in results { reports[report.key] = report }
        try await store.conclude(Array(reports.values), through: desk.sink.channel, in: transaction)
        let now = RuntimeEnvironment.date
        return try zip(batch, results).map { try outcome(of: $1, for: $0, at: now) }
    }

    private func outcome(of result: Result, for command: Envelope, at now: Date) throws -> Outcome {
        switch result {
        case .deadLetter(let reason): .deadLetter(reason: reason)
        case .answer(let standing): try answer(standing, to: command, at: now)
        case .attempted(let report):
            switch report.result {
            case .delivered: try answer(.delivered(channel: desk.sink.channel), to: command, at: now)
            case .refused(let reason): try answer(.failed(reason: reason), to: command, at: now)
            case .failed(let reason): .retry(after: pause(after: command.attempt), reason: reason)
            }
        }
    }

    private func answer(_ standing: Standing, to command: Envelope, at now: Date) throws -> Outcome {
        switch standing {
        case .delivered(let channel):
            .reply([try command.reply(NotificationDelivered(channel: channel), at: now)])
        case .failed(let reason):
            .reply([try command.reply(NotificationFailed(reason: reason), at: now)])
        case .elsewhere(let claim):
            .retry(after: min(claim, .seconds(10)), reason: "another worker is delivering the letter")
        case .ours: .retry(after: .seconds(1), reason: "the letter was not attempted")
        }
    }

    private func pause(after attempt: Int) -> Duration {
        attempt == 1 ? .seconds(1) : attempt == 2 ? .seconds(10) : .seconds(60)
    }
}

extension NotificationWorker.Attempt {
    fileprivate var letter: RenderedMessage? {
        if case .deliver(let letter, _) = self { letter } else { nil }
    }
}

extension [RenderedMessage] {
    /// The first letter of each key, in order.
    fileprivate var uniqueByKey: [RenderedMessage] {
        var seen = Set<LetterKey>(minimumCapacity: count)
        return filter { seen.insert($0.key).inserted }
    }
}
