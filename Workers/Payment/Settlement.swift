import Connections
import Contracts
import Logging
import Postgres

/// Writes what the provider said into the books, whoever else writes there at the same time.
///
/// Most changes are made without a look; those that lost against another writer are decided again by what stands.
struct Settlement<Book: ChargeStore>: Sendable {
    let book: Book
    let pauses: Pauses
    let logger: Logger

    /// Records the findings and returns the charges as they stand then.
    /// - Parameter whenFinished: when a finished charge is looked at again, for its answer is not sent yet; nil if the
    ///   caller answers it by other means.
    func record(
        _ findings: [Finding], whenFinished: Duration?, in transaction: Book.Transaction
    ) async throws -> [SagaID: Charge] {
        guard !findings.isEmpty else { return [:] }
        var standing = Dictionary(uniqueKeysWithValues: findings.map { ($0.charge.sagaID, $0.charge) })
        let changes = findings.compactMap { change(of: $0.charge, by: $0.answer, whenFinished) }
        let made = try await book.apply(changes, noting: findings.compactMap(AttemptNote.init), in: transaction)
        for change in changes where made.contains(change.to.sagaID) { standing[change.to.sagaID] = change.to }
        let lost = Set(changes.map(\.to.sagaID)).subtracting(made)
        guard !lost.isEmpty else { return standing }
        for charge in try await book.find(Array(lost), in: transaction) { standing[charge.sagaID] = charge }
        let second = findings.compactMap { finding -> ChargeChange? in
            guard lost.contains(finding.charge.sagaID), let charge = standing[finding.charge.sagaID] else { return nil }
            return change(of: charge, by: finding.answer, whenFinished)
        }
        guard !second.isEmpty else { return standing }
        // These rows are locked, so nobody comes between.
        _ = try await book.apply(second, noting: [], in: transaction)
        for change in second { standing[change.to.sagaID] = change.to }
        return standing
    }

    /// Records the findings as if nobody else had written meanwhile, and returns the charges as they stand then.
    ///
    /// Finished charges are answered by the caller.
    /// - Throws: `OptimisticLockFailure`, here or with the commit, when somebody has.
    func recordUndisturbed(_ findings: [Finding], in transaction: Book.Transaction) async throws -> [SagaID: Charge] {
        let changes = findings.compactMap { change(of: $0.charge, by: $0.answer, nil) }
        try await book.applyAll(changes, noting: findings.compactMap(AttemptNote.init), in: transaction)
        var standing = Dictionary(uniqueKeysWithValues: findings.map { ($0.charge.sagaID, $0.charge) })
        for change in changes { standing[change.to.sagaID] = change.to }
        return standing
    }

    private func change(of charge: Charge, by answer: ProviderAnswer, _ whenFinished: Duration?) -> ChargeChange? {
        switch ChargeRules.judge(answer, in: charge.state, owing: charge.owed.operation) {
        case .keep: return nil
        case .move(let state): return move(charge, to: state, whenFinished)
        case .askAgain:
            let charge = (before: charge, after: charge.afterVainAttempt())
            let pause = pauses.pause(
                after: charge.after.attempts, of: answer.operation, chance: RuntimeEnvironment.random(in: 0...1))
            return ChargeChange(from: charge.before, to: charge.after, dueAfter: pause)
        case .contradiction(let state):
            var facts = charge.facts
            facts["stands"] = "\(charge.state)"
            facts["answer"] = "\(answer)"
            logger.error("the provider contradicts itself", metadata: facts)
            return state == charge.state ? nil : move(charge, to: state, whenFinished)
        }
    }

    /// What is not finished now, such as a refund that follows a close, is due at once.
    private func move(_ charge: Charge, to state: Charge.State, _ whenFinished: Duration?) -> ChargeChange {
        ChargeChange(
            from: charge, to: charge.moved(to: state), dueAfter: state.isFinished ? whenFinished : .zero)
    }
}
