import Connections

/// Gathers concurrent calls into batches: while one batch is under way, the next one fills.
///
/// At low load a batch is one call and nobody waits for company.
package actor Coalescer<Input: Sendable, Output: Sendable> {
    /// Answers each input, in order.
    package typealias Work = @Sendable ([Input]) async -> [Result<Output, any Error>]

    private struct Waiting {
        let input: Input
        let continuation: CheckedContinuation<Output, any Error>
    }

    private let limit: Int
    private let capacity: Int
    private let executor: (any TaskExecutor)?
    private let work: Work
    private var waiting: [Waiting] = []
    private var isWorking = false

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
        guard waiting.count < capacity else { throw Overloaded() }
        return try await withCheckedThrowingContinuation { continuation in
            waiting.append(Waiting(input: input, continuation: continuation))
            if !isWorking {
                isWorking = true
                World.task(on: executor) { await self.drain() }
            }
        }
    }

    private func drain() async {
        while !waiting.isEmpty {
            let batch = Array(waiting.prefix(limit))
            waiting.removeFirst(batch.count)
            let results = await work(batch.map(\.input))
            precondition(results.count == batch.count, "a coalesced batch left out an answer")
            for (waiting, result) in zip(batch, results) { waiting.continuation.resume(with: result) }
        }
        isWorking = false
    }
}

/// More calls wait than the process will hold.
package struct Overloaded: Error {
    package init() {}
}
