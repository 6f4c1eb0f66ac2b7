import Contracts
import FoundationEssentials

/// Joins the schemas by saga, page by page, and judges each saga by what it left everywhere.
///
/// The schemas are read at different moments, so a saga that looks wrong is read again, itself before and after the
/// rest, and is judged by a look during which it did not change.
struct ReconciliationCheck: Sendable {
    private let reader: ReconciliationReader
    private let options: Verifier.Options

    init(_ reader: ReconciliationReader, options: Verifier.Options) {
        self.reader = reader
        self.options = options
    }

    func run() async throws -> (violations: [Violation], sagas: Int) {
        var suspects: [SagaID] = []
        try await SagaRanges(connection: reader.sagas, length: options.page).forEach { range in
            suspects += try await self.suspects(in: range)
        }
        return (try await confirm(suspects), try await reader.count())
    }

    /// Sold and settled purchases are most of them and prove themselves together; the rest is judged one by one.
    private func suspects(in range: SagaSelection) async throws -> [SagaID] {
        let others = try await reader.unsold(range)
        let agrees = others.count <= options.page / 2 ? try await reader.agrees(on: range, leavingOut: others) : false
        let selection = agrees ? .some(others) : range
        return try await fates(of: selection).filter { !$1.violations(of: $0, settled: options.settled).isEmpty }.map(
            \.key)
    }

    private func fates(of selection: SagaSelection) async throws -> [SagaID: Reconciliation] {
        var fates = Dictionary(
            uniqueKeysWithValues: try await reader.sagas(selection).map { ($0, Reconciliation(saga: $1)) })
        try await reader.complete(&fates, selection)
        return fates
    }

    /// What still looks wrong after a few looks, with growing pauses between them.
    private func confirm(_ suspects: [SagaID]) async throws -> [Violation] {
        var remaining = suspects.sorted()
        var violations: [Violation] = []
        var pause = options.pause
        for _ in 0..<options.looks where !remaining.isEmpty {
            try await Task.sleep(for: pause)
            pause *= 2
            (remaining, violations) = try await look(at: remaining)
        }
        return violations
    }

    /// The sagas that are still suspect, and what is wrong with those of them that stood still.
    private func look(at ids: [SagaID]) async throws -> ([SagaID], [Violation]) {
        var remaining: [SagaID] = []
        var violations: [Violation] = []
        for start in stride(from: 0, to: ids.count, by: options.page) {
            let part = Array(ids[start..<min(start + options.page, ids.count)])
            let fates = try await fates(of: .some(part))
            let after = Dictionary(uniqueKeysWithValues: try await reader.sagas(.some(part)))
            for id in part {
                guard let fate = fates[id] else { continue }
                let found = fate.violations(of: id, settled: options.settled)
                if !found.isEmpty { remaining.append(id) }
                if fate.saga == after[id] { violations += found }
            }
        }
        return (remaining, violations)
    }
}
