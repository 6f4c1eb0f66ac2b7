import Contracts
import FleetRuntime
import Foundation
import Logging
import Synchronization
import Testing

@testable import OrchestratorService

/// How the cache hears of purchases that begin and end.
@Suite(.timeLimit(.minutes(1)))
struct `Hints of purchases` {
    /// Answers the first notes only when it is let go on, and fails them.
    private final class SlowCache: PurchaseCache {
        struct Down: Error {}

        let asked = AsyncStream<Void>.makeStream()
        let released = AsyncStream<Void>.makeStream()
        let heard = AsyncStream<[IntentMark]>.makeStream()
        private let calls = Mutex(0)

        func availability(of events: [EventID]) async throws -> [EventID: Data] { [:] }

        func note(_ marks: [IntentMark]) async throws {
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            guard call == 1 else {
                heard.continuation.yield(marks)
                return
            }
            asked.continuation.finish()
            for await _ in released.stream {}
            throw Down()
        }
    }

    @Test func `are told together and in order while the cache is slow, and after it failed`() async throws {
        let cache = SlowCache()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let hints = PurchaseHints(cache, health: HealthBoard(), logger: logger)
        let intent = Intent(event: .make(), user: "anna")
        let (first, second) = (SagaID.make(), SagaID.make())
        hints.note([.begun(intent, first, hold: .seconds(1))])
        for await _ in cache.asked.stream {}
        hints.note([.ended(intent, first)])
        hints.note([])
        hints.note([.begun(intent, second, hold: .seconds(1)), .ended(intent, second)])
        cache.released.continuation.finish()
        var told = cache.heard.stream.makeAsyncIterator()
        let marks = try #require(await told.next())
        #expect(marks.map(\.saga) == [first, second, second])
        #expect(marks.map(\.isBeginning) == [false, true, false])
        hints.note([.ended(intent, first)])
        #expect(await told.next()?.count == 1)
    }
}

extension IntentMark {
    fileprivate var saga: SagaID {
        switch self {
        case .begun(_, let saga, _), .ended(_, let saga): saga
        }
    }

    fileprivate var isBeginning: Bool {
        if case .begun = self { true } else { false }
    }
}
