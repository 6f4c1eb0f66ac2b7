import Synchronization

/// The highest tag that is acknowledged and that the broker has not heard of, and when it must.
final class PendingAcknowledgements: Sendable {
    private struct State {
        var tag: UInt64?
        var due = ContinuousClock.now
        var told: UInt64 = 0
    }

    private let state = Mutex(State())

    var due: ContinuousClock.Instant? {
        state.withLock { $0.tag == nil ? nil : $0.due }
    }

    /// Notes a tag; answers when the broker must hear of it: at once when `enough` deliveries wait for that.
    func note(_ tag: UInt64, due: ContinuousClock.Instant, enough: UInt64) -> ContinuousClock.Instant {
        state.withLock { state in
            if state.tag == nil { state.due = due }
            state.tag = max(tag, state.tag ?? 0)
            if tag > state.told, tag - state.told >= enough { state.due = .now }
            return state.due
        }
    }

    func take() -> UInt64? {
        state.withLock { state in
            state.told = state.tag ?? state.told
            return state.tag.take()
        }
    }
}
