import Contracts
import FoundationEssentials

/// Joins the schemas by saga, page by page, and judges each saga by what it left everywhere.
///
/// The schemas are read at different moments, so a saga that looks wrong is read again, itself before and after the
/// rest, and is judged by a look during which it did not change.
struct FateCheck: Sendable {
    private let reader: FateReader
    private let options: Verifier.Options

    init(_ reader: FateReader, options: Verifier.Options) {
        self.reader = reader
        self.options = options
    }

    func run() async throws -> (violations: [Violation], sagas: Int) {
        var suspects: [SagaID] = []
        var sagas = 0
        var last: SagaID?
        repeat {
            let page = try await reader.page(after: last, options.page)
            let end = page.count < options.page ? nil : page.last?.0
            var fates = Dictionary(uniqueKeysWithValues: page.map { ($0, Fate(saga: $1)) })
            try await reader.complete(&fates, .range(after: last, upTo: end))
            suspects += fates.filter { !$1.violations(of: $0, settled: options.settled).isEmpty }.keys
            sagas += page.count
            last = end
        } while last != nil
        return (try await confirm(suspects), sagas)
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
            let before = try await reader.sagas(part)
            var fates = before.mapValues { Fate(saga: $0) }
            try await reader.complete(&fates, .some(part))
            let after = try await reader.sagas(part)
            for id in part {
                guard let fate = fates[id] else { continue }
                let found = fate.violations(of: id, settled: options.settled)
                if !found.isEmpty { remaining.append(id) }
                if before[id] == after[id] { violations += found }
            }
        }
        return (remaining, violations)
    }
}
