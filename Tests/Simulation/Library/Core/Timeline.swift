import FoundationEssentials
import Synchronization

/// Virtual time: it stands still while anybody can work and then jumps to the next moment that somebody waits for.
package final class Timeline: Sendable {
    fileprivate struct Sleeper {
        let due: Duration
        let number: Int
    }

    fileprivate struct State {
        var now = Duration.zero
        var numbers = 0
        /// A binary heap, the earliest first; sleepers that were woken early stay in it without a continuation.
        var heap: [Sleeper] = []
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
    }

    /// When every simulation begins.
    package static let epoch = Date(timeIntervalSince1970: 1_790_000_000)

    private let origin = ContinuousClock.now
    private let state = Mutex(State())

    package init() {}

    package var now: Duration { state.withLock { $0.now } }

    package var date: Date {
        let (seconds, attoseconds) = now.components
        return Self.epoch.addingTimeInterval(Double(seconds) + Double(attoseconds) / 1e18)
    }

    package var instant: ContinuousClock.Instant { origin + now }

    /// Waits, whatever happens to the task meanwhile.
    package func wait(for pause: Duration) async {
        _ = await withCheckedContinuation { continuation in
            state.withLock { $0.add(continuation, after: pause) }
        }
    }

    /// - Throws: `CancellationError` when the task is cancelled first.
    package func sleep(for pause: Duration) async throws {
        let number = state.withLock { state in
            state.numbers += 1
            return state.numbers
        }
        let isOver = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    guard !Task.isCancelled else { return true }
                    state.add(continuation, after: pause, as: number)
                    return false
                }
                if isCancelled { continuation.resume(returning: false) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: false)
        }
        if !isOver { throw CancellationError() }
    }

    /// Goes on to the next moment somebody waits for, and wakes that one; false when nobody waits.
    package func advance() -> Bool {
        while true {
            let next = state.withLock { state -> (Bool, CheckedContinuation<Bool, Never>?) in
                guard let sleeper = state.removeFirst() else { return (false, nil) }
                guard let continuation = state.waiting.removeValue(forKey: sleeper.number) else { return (true, nil) }
                state.now = max(state.now, sleeper.due)
                return (true, continuation)
            }
            guard next.0 else { return false }
            guard let continuation = next.1 else { continue }
            continuation.resume(returning: true)
            return true
        }
    }
}

extension Timeline.State {
    fileprivate mutating func add(_ continuation: CheckedContinuation<Bool, Never>, after pause: Duration) {
        numbers += 1
        add(continuation, after: pause, as: numbers)
    }

    fileprivate mutating func add(
        _ continuation: CheckedContinuation<Bool, Never>, after pause: Duration, as number: Int
    ) {
        waiting[number] = continuation
        heap.append(.init(due: now + max(pause, .zero), number: number))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    fileprivate mutating func removeFirst() -> Timeline.Sleeper? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[least])
            {
                least = child
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

extension Timeline.Sleeper {
    fileprivate func precedes(_ other: Self) -> Bool {
        due == other.due ? number < other.number : due < other.due
    }
}
