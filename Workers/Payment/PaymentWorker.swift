import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Logging
import Postgres

/// Charges, closes and refunds one payment per saga, and answers when the provider has.
///
/// What the provider leaves open is not waited for: the charge falls due, and `PendingCharges` sees to it.
package struct PaymentWorker<Book: ChargeStore>: ExternalCallHandler {
    package typealias Transaction = Book.Transaction

    /// What is to be done about a command, or about the charge of several.
    package enum Attempt: Sendable {
        case deadLetter(MessageID, reason: String)
        /// There is nothing to ask, or somebody else asks.
        case answer(Charge)
        case ask(Charge)
    }

    package enum Result: Sendable {
        case deadLettered(MessageID, reason: String)
        case standing(Charge)
        case found(Finding)
    }

    private let book: Book
    private let desk: PaymentGateway
    private let settlement: Settlement<Book>
    /// When a charge falls due whose process died between question and answer.
    private let crashNet: Duration
    private let now: @Sendable () -> Date
    private let logger: Logger

    package init(
        book: Book, desk: PaymentGateway, pauses: Pauses = Pauses(), crashNet: Duration = .seconds(5),
        now: @escaping @Sendable () -> Date = { RuntimeEnvironment.date }, logger: Logger
    ) {
        self.book = book
        self.desk = desk
        self.settlement = Settlement(book: book, pauses: pauses, logger: logger)
        self.crashNet = crashNet
        self.now = now
        self.logger = logger
    }

    /// Opens the charges of sagas that have none; a charge that is new has had no commands before.
    package func open(_ batch: [Envelope], in transaction: Transaction) async throws -> [Attempt]? {
        var charges: [SagaID: Charge] = [:]
        for envelope in batch {
            do throws(PaymentCommand.Illegible) {
                let order = try PaymentCommand(envelope)
                guard order.command.operation == .charge else { return nil }
                charges[order.sagaID] = order.firstCharge
            } catch {
                return nil
            }
        }
        guard charges.count == batch.count else { return nil }
        let ordered = charges.values.sorted { $0.sagaID < $1.sagaID }
        let opened = try await book.open(ordered, dueAfter: crashNet, in: transaction)
        return opened.count == ordered.count ? ordered.map(Attempt.ask) : nil
    }

    /// Opens the charges of sagas that have none, and brings the others to where their newest command wants them.
    package func prepare(_ batch: [Envelope], in transaction: Transaction) async throws -> [Attempt] {
        var attempts: [Attempt] = []
        var orders: [PaymentCommand] = []
        for envelope in batch {
            do throws(PaymentCommand.Illegible) {
                orders.append(try PaymentCommand(envelope))
            } catch {
                attempts.append(.deadLetter(envelope.id, reason: error.reason))
            }
        }
        let ours = Set(orders.map(\.command.id))
        for charge in try await accept(orders, in: transaction) {
            attempts.append(!charge.state.isFinished && ours.contains(charge.owed.id) ? .ask(charge) : .answer(charge))
        }
        return attempts
    }

    package func carryOut(_ attempts: [Attempt]) async -> [Result] {
        var results: [Result] = []
        var questions: [Charge] = []
        for attempt in attempts {
            switch attempt {
            case .deadLetter(let id, let reason): results.append(.deadLettered(id, reason: reason))
            case .answer(let charge): results.append(.standing(charge))
            case .ask(let charge): questions.append(charge)
            }
        }
        return results + (await desk.ask(questions)).map(Result.found)
    }

    package func conclude(
        _ batch: [Envelope], _ results: [Result], isUndisturbed: Bool, in transaction: Transaction
    ) async throws -> [Outcome] {
        var reasons: [MessageID: String] = [:]
        var charges: [SagaID: Charge] = [:]
        var findings: [Finding] = []
        for result in results {
            switch result {
            case .deadLettered(let id, let reason): reasons[id] = reason
            case .standing(let charge): charges[charge.sagaID] = charge
            case .found(let finding): findings.append(finding)
            }
        }
        let settled =
            isUndisturbed
            ? try await settlement.recordUndisturbed(findings, in: transaction)
            : try await settlement.record(findings, whenFinished: nil, in: transaction)
        try await amend(settled, besides: Set(batch.map(\.id)), in: transaction)
        charges.merge(settled) { _, new in new }
        return try batch.map { envelope in
            if let reason = reasons[envelope.id] { return .deadLetter(reason: reason) }
            guard let command = Charge.Command(envelope), let charge = envelope.sagaID.flatMap({ charges[$0] }) else {
                throw MissingCharge(message: envelope.id)
            }
            return .reply(try charge.reply(to: command, at: now()).map { [$0] } ?? [])
        }
    }

    /// Adds and advances charges; returns them all as they stand, locked until the transaction ends.
    ///
    /// Whoever locks several charges does so in the order of their sagas, so that nobody waits in a circle.
    private func accept(_ orders: [PaymentCommand], in transaction: Transaction) async throws -> [Charge] {
        var charges: [SagaID: Charge] = [:]
        for order in orders where charges[order.sagaID] == nil { charges[order.sagaID] = order.firstCharge }
        guard !charges.isEmpty else { return [] }
        let sagas = charges.keys.sorted()
        let added = try await book.add(sagas.compactMap { charges[$0] }, dueAfter: crashNet, in: transaction)
        let known = sagas.filter { !added.contains($0) }
        if !known.isEmpty {
            for charge in try await book.find(known, in: transaction) { charges[charge.sagaID] = charge }
        }
        if orders.count == added.count { return sagas.compactMap { charges[$0] } }
        let before = charges
        for order in orders {
            guard let charge = charges[order.sagaID] else { continue }
            reportOtherTerms(of: order, than: charge)
            charges[order.sagaID] = charge.accepting(order.command)
        }
        let changes = sagas.compactMap { saga -> ChargeChange? in
            guard let from = before[saga], let to = charges[saga], from != to else { return nil }
            return ChargeChange(from: from, to: to, dueAfter: crashNet)
        }
        if !changes.isEmpty { _ = try await book.apply(changes, noting: [], in: transaction) }
        return sagas.compactMap { charges[$0] }
    }

    /// The first amount stands: whoever sends another one is at fault, and no second charge comes of it.
    private func reportOtherTerms(of order: PaymentCommand, than charge: Charge) {
        guard order.command.operation == .charge, !charge.terms.areNone, order.terms != charge.terms else { return }
        var facts = charge.facts
        facts["stands"] = "\(charge.terms.amount)"
        facts["asked"] = "\(order.terms.amount)"
        facts["isMethodTheSame"] = "\(charge.terms.method == order.terms.method)"
        logger.error("a charge was asked for again on other terms, which are ignored", metadata: facts)
    }

    /// Answers commands that were handled before without an answer, so that their repeats find it.
    private func amend(
        _ settled: [SagaID: Charge], besides batch: Set<MessageID>, in transaction: Transaction
    ) async throws {
        let answers = try settled.values.sorted { $0.sagaID < $1.sagaID }.compactMap { charge -> HandledMessage? in
            guard !batch.contains(charge.owed.id), let reply = try charge.reply(to: charge.owed, at: now()) else {
                return nil
            }
            return HandledMessage(id: charge.owed.id, replies: [reply])
        }
        if !answers.isEmpty { try await book.amend(answers, in: transaction) }
    }
}

/// A command's charge was not in the books although it had just been put there.
struct MissingCharge: Error {
    let message: MessageID
}
