import Synchronization

/// A server that is asked and says nothing: hung, or cut off without a word.
struct NoAnswer: Error, CustomStringConvertible {
    let limit: Duration

    var description: String { "no answer within \(limit.components.seconds) s" }
}

/// Waits no longer than the limit; what comes later is thrown away.
///
/// Not a task group, which would wait for the loser: a call into a hung server ends by its own, longer deadline.
/// - Throws: `NoAnswer`, or what the work throws in time.
package func within<R: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async throws -> R) async throws -> R
{
    try await withCheckedThrowingContinuation { continuation in
        let first = FirstResult(continuation)
        let timer = Task {
            do { try await Task.sleep(for: limit) } catch { return }
            first.resume(.failure(NoAnswer(limit: limit)))
        }
        Task {
            do { first.resume(.success(try await work())) } catch { first.resume(.failure(error)) }
            timer.cancel()
        }
    }
}

/// Resumes a continuation once, with whatever comes first.
private final class FirstResult<R: Sendable>: Sendable {
    private let waiting: Mutex<CheckedContinuation<R, any Error>?>

    init(_ continuation: CheckedContinuation<R, any Error>) {
        waiting = Mutex(continuation)
    }

    func resume(_ result: Result<R, any Error>) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(with: result)
    }
}
