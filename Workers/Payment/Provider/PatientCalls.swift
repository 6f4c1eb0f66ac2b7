import Connections
import Synchronization

/// Makes many calls at once, bounded in number, and waits for each of them no longer than agreed.
///
/// A call that is overdue is cancelled and not waited for, even if it ignores that; what it says later is not heard.
struct PatientCalls: Sendable {
    /// The most calls that are waited for at the same time.
    let width: Int
    let patience: Duration
    /// Where the calls had better run; nil for wherever there is room.
    let executor: (any TaskExecutor)?
    private let metronome: Metronome

    init(width: Int, patience: Duration, on executor: (any TaskExecutor)? = nil) {
        self.width = width
        self.patience = patience
        self.executor = executor
        metronome = Metronome(every: patience / 4)
    }

    private enum Event<Answer: Sendable>: Sendable {
        case answered(Int, Answer)
        case tick
    }

    /// One answer per item, in order; `overdue` answers for a call that did not.
    func make<Item: Sendable, Answer: Sendable>(
        _ items: [Item], overdue: (Item) -> Answer, call: @escaping @Sendable (Item) async -> Answer
    ) async -> [Answer] {
        guard !items.isEmpty else { return [] }
        let (events, feed) = AsyncStream.makeStream(of: Event<Answer>.self)
        var desk = Desk<Answer>(count: items.count)
        let start = { (index: Int) in
            let item = items[index]
            return RuntimeEnvironment.task(on: executor) { _ = feed.yield(.answered(index, await call(item))) }
        }
        let ticks = metronome.listen { feed.yield(.tick) }
        desk.fill(upTo: width, start)
        for await event in events {
            switch event {
            case .answered(let index, let answer): desk.settle(index, with: answer)
            case .tick:
                for index in desk.overdue(for: patience) { desk.settle(index, with: overdue(items[index])) }
            }
            desk.fill(upTo: width, start)
            if desk.isDone { break }
        }
        metronome.forget(ticks)
        feed.finish()
        // Answers are only missing when our own task was cancelled.
        return desk.answers.enumerated().map { index, answer in answer ?? overdue(items[index]) }
    }
}

/// One timer for all calls of all batches, so that neither costs one; it stops a beat after the last has ended.
private final class Metronome: Sendable {
    private struct State {
        var listeners: [Int: @Sendable () -> Void] = [:]
        var next = 0
        var isBeating = false
    }

    private let period: Duration
    private let state = Mutex(State())

    init(every period: Duration) {
        self.period = period
    }

    /// Calls `tick` with every beat until it is forgotten.
    func listen(_ tick: @escaping @Sendable () -> Void) -> Int {
        let (number, mustBegin) = state.withLock { state in
            state.next += 1
            state.listeners[state.next] = tick
            defer { state.isBeating = true }
            return (state.next, !state.isBeating)
        }
        if mustBegin { RuntimeEnvironment.task { try await self.beat() } }
        return number
    }

    func forget(_ number: Int) {
        state.withLock { $0.listeners[number] = nil }
    }

    private func beat() async throws {
        while state.withLock(\.isBeating) {
            try await RuntimeEnvironment.sleep(for: period)
            let listeners = state.withLock { state in
                state.isBeating = !state.listeners.isEmpty
                return state.listeners.sorted { $0.key < $1.key }
            }
            for (_, tick) in listeners { tick() }
        }
    }
}

/// Which calls are under way, since when, and what the others answered.
private struct Desk<Answer> {
    private struct Open {
        let since: ContinuousClock.Instant
        let task: Task<Void, Never>
    }

    private(set) var answers: [Answer?]
    private var open: [Int: Open] = [:]
    private var next = 0

    init(count: Int) {
        answers = Array(repeating: nil, count: count)
    }

    var isDone: Bool { next == answers.count && open.isEmpty }

    mutating func fill(upTo width: Int, _ start: (Int) -> Task<Void, Never>) {
        while open.count < width, next < answers.count {
            open[next] = Open(since: RuntimeEnvironment.instant, task: start(next))
            next += 1
        }
    }

    /// Takes the first answer of a call and forgets later ones.
    mutating func settle(_ index: Int, with answer: Answer) {
        guard let call = open.removeValue(forKey: index) else { return }
        call.task.cancel()
        answers[index] = answer
    }

    func overdue(for patience: Duration) -> [Int] {
        let limit = RuntimeEnvironment.instant - patience
        return open.filter { $0.value.since <= limit }.map(\.key)
    }
}
