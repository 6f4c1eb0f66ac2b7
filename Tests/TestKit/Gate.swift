import Foundation
import Synchronization

/// What a proxy lets through, changed while connections stand.
package final class Gate: Sendable {
    package enum Direction: Sendable { case requests, answers }

    private struct State {
        var blocked: Set<Direction> = []
        var delay = Duration.zero
        var isRefusing = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Lets nothing through in these directions; connections stand, as if a cable had been cut.
    package func block(_ directions: Set<Direction>) {
        state.withLock { $0.blocked = directions }
    }

    package func delay(_ duration: Duration) {
        state.withLock { $0.delay = duration }
    }

    package func refuse(_ isRefusing: Bool) {
        state.withLock { $0.isRefusing = isRefusing }
    }

    package var isRefusing: Bool { state.withLock { $0.isRefusing } }

    /// Lets everything through again, what was held back first.
    package func open() {
        let waiting = state.withLock { state in
            state.blocked = []
            state.delay = .zero
            state.isRefusing = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for waiter in waiting { waiter.resume() }
    }

    package func pass(_ direction: Direction) async throws {
        while state.withLock({ $0.blocked.contains(direction) }) {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    guard state.blocked.contains(direction) else { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if isOpen { continuation.resume() }
            }
        }
        let delay = state.withLock { $0.delay }
        if delay > .zero { try await Task.sleep(for: delay) }
    }
}
