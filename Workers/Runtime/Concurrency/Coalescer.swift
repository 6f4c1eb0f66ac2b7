import Connections
import Synchronization

/// Gathers concurrent calls into batches: while one batch is under way, the next one fills.
///
/// At low load a batch is one call and nobody waits for company.
package final class Coalescer<Input: Sendable, Output: Sendable>: Sendable {
    /// Answers each input, in order.
    package typealias Work = @Sendable ([Input]) async -> [Result<Output, any Error>]

    private struct Waiting {
        let input: Input
        let continuation: CheckedContinuation<Output, any Error>
    }

    private struct State {
        var waiting: [Waiting] = []
        var isWorking = false
    }

    private let limit: Int
    private let capacity: Int
    private let executor: (any TaskExecutor)?
    private let work: Work
    private let state = Mutex(State())

    /// A batch holds at most `limit` calls; past `capacity` waiting calls, further ones are refused.
    ///
    /// - Parameter executor: where batches had better be worked on; nil for wherever there is room.
    package init(
        limit: Int, capacity: Int = 20_000, on executor: (any TaskExecutor)? = nil, work: @escaping Work
    ) {
        self.limit = limit
        self.capacity = capacity
        self.executor = executor
        self.work = work
    }

    /// Returns what the batch decided for `input`.
    /// - Throws: `Overloaded` when too many calls wait already.
    package func submit(_ input: Input) async throws -> Output {
        try await withCheckedThrowingContinuation { continuation in
            switch admit(Waiting(input: input, continuation: continuation)) {
            case .refused: continuation.resume(throwing: Overloaded())
            case .gathered: break
            case .first: RuntimeEnvironment.task(on: executor) { await self.drain() }
            }
        }
    }

    private enum Admission {
        case refused
        /// A batch is under way and the next one will hold it.
        case gathered
        /// Nobody works yet.
        case first
    }

    private func admit(_ call: Waiting) -> Admission {
        state.withLock { state in
            guard state.waiting.count < capacity else { return .refused }
            state.waiting.append(call)
            if state.isWorking { return .gathered }
            state.isWorking = true
            return .first
        }
    }

    private func drain() async {
        while let batch = nextBatch() {
            let results = await work(batch.map(\.input))
            precondition(results.count == batch.count, "a coalesced batch left out an answer")
            for (waiting, result) in zip(batch, results) { waiting.continuation.resume(with: result) }
        }
    }

    /// Nil when nobody waits any more; the next call begins anew.
    private func nextBatch() -> [Waiting]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWorking = false
                return nil
            }
            let batch = Array(state.waiting.prefix(limit))
            state.waiting.removeFirst(batch.count)
            return batch
        }
    }
}

/// More calls wait than the process will hold.
package struct Overloaded: Error {
    package init() {}
}
