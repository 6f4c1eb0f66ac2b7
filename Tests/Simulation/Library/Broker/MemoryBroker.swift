import Contracts
import RabbitMQ
import Synchronization
import Topology

/// A broker in memory: it keeps what it confirmed until that is acknowledged, and may repeat, delay and reorder it.
package final class MemoryBroker: Sendable {
    struct Message: Sendable {
        let number: Int
        let publication: Publication
        var isRedelivered = false
        var visibleAt: Duration
    }

    struct Consumer {
        let queue: String
        var unsettled: [(tag: UInt64, message: Message)] = []
        var waiter: CheckedContinuation<Void, Never>?
    }

    struct State {
        var numbers = 0
        var queues: [String: [Message]] = [:]
        /// How many messages a queue takes before it refuses more.
        var limits: [String: Int] = [:]
        var consumers: [Int: Consumer] = [:]
        /// Raised when all connections break; a publisher of an older epoch must open again.
        var epoch = 0
        var isDown = false
        var isBlocked = false
    }

    let universe: Universe
    let state: Mutex<State>

    package init(_ universe: Universe) {
        self.universe = universe
        var state = State()
        for queue in Declarations.queues { state.queues[queue.name] = [] }
        self.state = Mutex(state)
    }

    /// Makes a queue of somebody outside the fleet.
    package func declare(_ queue: String) {
        state.withLock { if $0.queues[queue] == nil { $0.queues[queue] = [] } }
    }

    /// Makes a queue of somebody outside the fleet that refuses what comes when it holds so many messages.
    package func declare(_ queue: String, upTo limit: Int) {
        declare(queue)
        state.withLock { $0.limits[queue] = limit }
    }

    /// Lets everything into a queue again.
    package func lift(_ queue: String) {
        state.withLock { $0.limits[queue] = nil }
    }

    /// Takes everything out of a queue of somebody outside the fleet.
    package func drain(_ queue: String) -> [Publication] {
        state.withLock { state in
            defer { state.queues[queue] = [] }
            return (state.queues[queue] ?? []).map(\.publication)
        }
    }

    /// How many messages wait or are unsettled in the queues that somebody works on.
    package var backlog: Int {
        state.withLock { state in
            Queue.all.reduce(0) { $0 + (state.queues[$1.name]?.count ?? 0) }
                + state.consumers.values.reduce(0) { $0 + $1.unsettled.count }
        }
    }

    package func contents(of queue: String) -> [Publication] {
        state.withLock { ($0.queues[queue] ?? []).map(\.publication) }
    }

    // MARK: - Faults

    /// Breaks every connection and lets nobody in until `recover`; messages stay unless they are `lost`.
    package func stop(losing lost: Bool) {
        let woken = state.withLock { state in
            state.isDown = true
            state.epoch += 1
            let woken = state.consumers.keys.sorted().compactMap { state.dismiss($0) }
            if lost {
                for name in state.queues.keys { state.queues[name] = [] }
            }
            return woken
        }
        for waiter in woken { waiter.resume() }
    }

    package func recover() {
        state.withLock { $0.isDown = false }
    }

    package func set(blocked: Bool) {
        state.withLock { $0.isBlocked = blocked }
    }

    // MARK: - Publishing

    enum Routing { case taken, refused, noRoute }

    /// Puts a message where its exchange and key lead, unless there is no such place, or it is full.
    @discardableResult
    func route(_ publication: Publication) -> Routing {
        let (woken, routing) = state.withLock { state -> ([CheckedContinuation<Void, Never>], Routing) in
            guard let place = destination(of: publication, in: state) else { return ([], .noRoute) }
            if let limit = state.limits[place.queue], state.queues[place.queue]?.count ?? 0 >= limit {
                return ([], .refused)
            }
            return (put(publication, into: place.queue, after: place.pause, &state), .taken)
        }
        for waiter in woken { waiter.resume() }
        return routing
    }

    private func destination(of publication: Publication, in state: State) -> (queue: String, pause: Duration)? {
        guard publication.exchange.isEmpty else {
            return Self.bindings[publication.exchange + " " + publication.routingKey].map { ($0, .zero) }
        }
        if let retry = Self.retries[publication.routingKey] { return retry }
        return state.queues[publication.routingKey] == nil ? nil : (publication.routingKey, .zero)
    }

    private func put(
        _ publication: Publication, into queue: String, after pause: Duration, _ state: inout State
    ) -> [CheckedContinuation<Void, Never>] {
        let copies = universe.happens(\.duplicate) ? 2 : 1
        for _ in 0..<copies {
            var delay = pause
            if universe.happens(\.delay) { delay += universe.pause(from: .milliseconds(1), to: .seconds(20)) }
            state.numbers += 1
            let message = Message(
                number: state.numbers, publication: publication, visibleAt: universe.timeline.now + delay)
            let count = state.queues[queue]?.count ?? 0
            let place = universe.happens(\.reorder) ? universe.number(in: 0...count) : count
            state.queues[queue, default: []].insert(message, at: place)
        }
        return state.wake(queue)
    }

    private static let bindings = Dictionary(
        uniqueKeysWithValues: Declarations.bindings.map { ($0.exchange.rawValue + " " + $0.routingKey, $0.queue) })

    private static let retries = Dictionary(
        uniqueKeysWithValues: Queue.all.flatMap { queue in
            RetryTier.allCases.map { (queue.retry($0), (queue: queue.name, pause: $0.pause)) }
        })
}

extension MemoryBroker.State {
    /// Everybody who waits at a queue looks again.
    mutating func wake(_ queue: String) -> [CheckedContinuation<Void, Never>] {
        consumers.keys.sorted().compactMap { id in
            guard consumers[id]?.queue == queue, let waiter = consumers[id]?.waiter else { return nil }
            consumers[id]?.waiter = nil
            return waiter
        }
    }

    /// Ends a consumer; what it did not settle goes back to the front of its queue.
    mutating func dismiss(_ id: Int) -> CheckedContinuation<Void, Never>? {
        guard let consumer = consumers.removeValue(forKey: id) else { return nil }
        let returned = consumer.unsettled.map { unsettled in
            var message = unsettled.message
            message.isRedelivered = true
            return message
        }
        queues[consumer.queue, default: []].insert(contentsOf: returned, at: 0)
        return consumer.waiter
    }

    /// The first messages of a queue whose time has come.
    mutating func take(upTo limit: Int, from queue: String, at now: Duration) -> [MemoryBroker.Message] {
        var taken: [MemoryBroker.Message] = []
        var left: [MemoryBroker.Message] = []
        for message in queues[queue] ?? [] {
            if taken.count < limit && message.visibleAt <= now { taken.append(message) } else { left.append(message) }
        }
        queues[queue] = left
        return taken
    }

    /// When the next message of a queue that nobody can see yet will be seen.
    func nextVisible(in queue: String) -> Duration? {
        queues[queue]?.map(\.visibleAt).min()
    }
}
