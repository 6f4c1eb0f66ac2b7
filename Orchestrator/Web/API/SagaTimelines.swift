import Contracts
import Engine
import SagaCore
import Synchronization
import WireJSON

/// The timelines that streams show: each is read once per change, however many follow it.
package final class SagaTimelines: Sendable {
    struct Timeline: Sendable {
        let version: Int
        /// Each line as JSON, in order.
        let lines: [String]
        let hasOutcome: Bool
    }

    private struct Followed {
        var followers = 0
        var timeline: Timeline?
        var reading: Task<Timeline?, any Error>?
    }

    private let queries: SagaQueries<PurchaseSaga>
    private let followed = Mutex<[SagaID: Followed]>([:])

    package init(_ queries: SagaQueries<PurchaseSaga>) {
        self.queries = queries
    }

    /// Keeps what is read of the saga until as many have left.
    func enter(_ saga: SagaID) {
        followed.withLock { $0[saga, default: Followed()].followers += 1 }
    }

    func leave(_ saga: SagaID) {
        followed.withLock { followed in
            followed[saga]?.followers -= 1
            if followed[saga]?.followers ?? 1 <= 0 { followed[saga] = nil }
        }
    }

    /// The timeline at this version or a later one, if there is such; nil for a saga that is none.
    func timeline(of saga: SagaID, atLeast version: Int) async throws -> Timeline? {
        // A reading that is under way may have begun before the change; the one after it did not.
        for _ in 1...2 {
            switch look(at: saga, atLeast: version) {
            case .known(let timeline): return timeline
            case .reading(let reading):
                let found = try await reading.value
                if let found, found.version < version { continue }
                return found
            }
        }
        return followed.withLock { $0[saga]?.timeline }
    }

    private enum Look {
        case known(Timeline)
        case reading(Task<Timeline?, any Error>)
    }

    private func look(at saga: SagaID, atLeast version: Int) -> Look {
        followed.withLock { followed in
            if let known = followed[saga]?.timeline, known.version >= version { return .known(known) }
            if let reading = followed[saga]?.reading { return .reading(reading) }
            let reading = Task { try await self.read(saga) }
            followed[saga]?.reading = reading
            return .reading(reading)
        }
    }

    private func read(_ saga: SagaID) async throws -> Timeline? {
        defer { followed.withLock { $0[saga]?.reading = nil } }
        guard let history = try await queries.history(of: saga) else { return nil }
        let lines = try history.timeline.map {
            String(decoding: try WireFormat.encode(TimelineEntry($0)), as: UTF8.self)
        }
        let timeline = Timeline(
            version: history.saga.version, lines: lines, hasOutcome: history.saga.state.outcome != nil)
        followed.withLock { followed in
            if followed[saga]?.timeline?.version ?? 0 <= timeline.version { followed[saga]?.timeline = timeline }
        }
        return timeline
    }
}
