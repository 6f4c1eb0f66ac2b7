import DequeModule
import Synchronization

/// Hands out a fixed number of permits, first come first served; nobody waits longer than agreed.
final class AsyncSemaphore: Sendable {
    enum Grant {
        case granted, expired, closed
    }

    private struct Waiter {
        let id: UInt64
        let continuation: CheckedContinuation<Grant, Never>
    }

    private struct State {
        var free: Int
        var isClosed = false
        var lastID: UInt64 = 0
        var waiters = Deque<Waiter>()
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: count))
    }

    /// How many wait for a permit now.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Takes a permit; `release` gives it back exactly once, and only if it was granted.
    func acquire(within limit: Duration) async -> Grant {
        let (grant, id) = state.withLock { state -> (Grant?, UInt64) in
            if state.isClosed { return (.closed, 0) }
            if state.free > 0 {
                state.free -= 1
                return (.granted, 0)
            }
            state.lastID += 1
            return (nil, state.lastID)
        }
        if let grant { return grant }
        let alarm = Task {
            do {
                try await Task.sleep(for: limit)
                expire(id)
            } catch {
                return  // Cancelled, for the permit came in time.
            }
        }
        defer { alarm.cancel() }
        return await withCheckedContinuation { enqueue(Waiter(id: id, continuation: $0)) }
    }

    func release() {
        let next = state.withLock { state in
            let next = state.waiters.popFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.continuation.resume(returning: .granted)
    }

    /// Turns away everybody who waits or comes later.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: .closed) }
    }

    /// Joins the line, unless a permit was given back or everything closed meanwhile.
    private func enqueue(_ waiter: Waiter) {
        let grant = state.withLock { state -> Grant? in
            if state.isClosed { return .closed }
            if state.free > 0 {
                state.free -= 1
                return .granted
            }
            state.waiters.append(waiter)
            return nil
        }
        if let grant { waiter.continuation.resume(returning: grant) }
    }

    private func expire(_ id: UInt64) {
        let waiter = state.withLock { state in
            state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume(returning: .expired)
    }
}
