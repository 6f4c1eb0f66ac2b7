import Connections
import Logging
import Synchronization

/// Receives the messages of one queue, over a connection of its own.
///
/// Heartbeats go on while the program works on what it has taken. After an error the consumer is closed; `open`
/// connects it again, and what the broker was not told to be acknowledged comes again.
package actor Consumer {
    private static let tag = "consumer"

    private let configuration: BrokerConfiguration
    private let queue: String
    private let prefetch: UInt16
    private let logger: Logger
    private let thread: ConnectionThread
    private var session: Session?
    /// Why nothing will arrive any more; nil while the consumer is active.
    private var ending: Ending? = .failed(BrokerError(.closed, during: "consuming", "not open"))
    /// What has arrived and was not taken, under the channel's own tags.
    private var buffer = WaitingDeliveries()
    private var ledger = DeliveryLedger()
    /// Whether so much waits to be taken that nothing is read.
    private var isReadingStopped = false
    private let untold = PendingAcknowledgements()
    private let isInterrupted = Atomic(false)
    private var waiters: [Int: Waiter] = [:]
    private var nextWaiter = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// - Parameter thread: one that others use as well; nil for a thread of its own.
    package init(
        _ configuration: BrokerConfiguration, queue: String, prefetch: UInt16, on thread: ConnectionThread? = nil,
        logger: Logger
    ) {
        self.thread = thread?.shared() ?? ConnectionThread()
        self.configuration = configuration
        self.queue = queue
        self.prefetch = prefetch
        self.logger = logger
    }

    isolated deinit {
        thread.unwatch(for: self)
        session = nil
        thread.retire()
    }

    /// Connects and begins to consume, or throws `notFound` for a missing queue.
    ///
    /// An earlier connection is given up.
    package func open() async throws(BrokerError) {
        drop(BrokerError(.connectionLost, during: "consuming", "given up for a new connection"))
        do throws(BrokerError) { try connect() } catch {
            drop(error)
            throw error
        }
        pump()
    }

    /// Waits for a message, and for the moment if fewer than `limit` are there, and takes what has arrived by then.
    ///
    /// An empty answer means that none will come: the task was cancelled, or the consumer cancelled or interrupted.
    package func take(
        upTo limit: Int, notBefore moment: ContinuousClock.Instant? = nil
    ) async throws(BrokerError) -> [Delivery] {
        let wish = Wish(limit: limit, moment: moment)
        while mustWait(for: wish), !Task.isCancelled { await arrival(of: wish) }
        if buffer.isEmpty, case .failed(let error)? = ending { throw error }
        var taken = buffer.removeFirst(upTo: limit)
        for index in taken.indices {
            ledger.take(taken[index].tag)
            taken[index].tag = ledger.opaque(taken[index].tag)
        }
        readAgain()
        return taken
    }

    /// Ends a wait for messages, and every later one at once; what was taken may still be acknowledged.
    package nonisolated func interrupt() {
        isInterrupted.store(true, ordering: .releasing)
        thread.tick(by: .now, for: self)
    }

    /// Tells the broker that this delivery and all taken before it are dealt with.
    package func acknowledge(through tag: UInt64) async throws(BrokerError) {
        try tell(through: tag)
    }

    /// Has the broker told within `delay`, or earlier if many deliveries wait for that; does not wait for it.
    ///
    /// Each acknowledgement costs a quorum queue an entry in its log, and the later one includes the earlier. One that
    /// cannot be sent is logged: the connection is lost then, and its deliveries come again.
    package nonisolated func acknowledge(through tag: UInt64, within delay: Duration) {
        let due = untold.note(tag, due: .now + delay, enough: UInt64(prefetch / 2))
        thread.tick(by: due, for: self)
    }

    /// Gives one delivery back, or with `requeue` false to the queue's dead-letter exchange; a failed attempt.
    package func reject(_ tag: UInt64, requeue: Bool) async throws(BrokerError) {
        guard let open = try ledger.settle(tag) else { return }
        try perform { handle throws(BrokerError) in try handle.reject(open, requeue: requeue) }
    }

    /// Stops the flow of messages and hands back those that were not taken; taken ones may still be acknowledged.
    package func cancel() async throws(BrokerError) {
        guard ending == nil else { return }
        try perform { handle throws(BrokerError) in try handle.cancel(consumer: Self.tag) }
        var untaken = takeBack()
        while drain() { untaken += takeBack() }
        if case .failed(let error)? = ending { throw error }
        ending = .cancelledByOwner
        tellAcknowledged()
        let isAlone = !ledger.isAnythingTaken
        untaken += takeBack()
        readAgain()
        wakeServed()
        try perform { handle throws(BrokerError) in
            if isAlone, let last = untaken.last { return try handle.handBack(last, isMultiple: true) }
            for tag in untaken { try handle.handBack(tag, isMultiple: false) }
        }
    }

    /// Ends the connection; the broker hands out again what was not acknowledged.
    package func close() async {
        tellAcknowledged()
        thread.unwatch(for: self)
        if let session = session.take() { session.close() }
        drop(BrokerError(.closed, during: "consuming", "closed"))
    }
}

extension Consumer {
    private func connect() throws(BrokerError) {
        var session = try Session.open(configuration, logger)
        try session.perform { handle throws(BrokerError) in
            try handle.declareQueue(queue, arguments: [:], isPassive: true)
            try handle.prefetch(prefetch)
            try handle.consume(queue, consumer: Self.tag)
        }
        ledger.beginEpoch()
        ending = nil
        thread.watch(session.descriptor, for: self, every: configuration.tick) { [weak self] in
            self?.assumeIsolated { $0.tick() }
        }
        self.session = consume session
    }

    /// Whether a taker has nothing to go on with: no first message, no full batch before its moment, and no ending.
    private func mustWait(for wish: Wish) -> Bool {
        guard ending == nil, !isInterrupted.load(ordering: .acquiring) else { return false }
        guard !buffer.isEmpty else { return true }
        guard let moment = wish.moment, buffer.count < wish.limit else { return false }
        return moment > .now
    }

    private func tick() {
        pump()
        guard let due = untold.due else { return }
        if due <= .now { tellAcknowledged() } else { thread.tick(by: due, for: self) }
    }

    private func tell(through tag: UInt64) throws(BrokerError) {
        guard let open = try ledger.settle(through: tag) else { return }
        try perform { handle throws(BrokerError) in try handle.acknowledge(open, isMultiple: true) }
    }

    /// Where nobody waits for it: a failure has ended the session, and whoever takes next hears why.
    private func tellAcknowledged() {
        guard let tag = untold.take() else { return }
        do throws(BrokerError) { try tell(through: tag) } catch {
            logger.debug("an acknowledgement was not sent", metadata: ["queue": "\(queue)", "error": "\(error)"])
        }
    }

    /// Reads what has arrived and wakes those who need not wait any longer.
    ///
    /// While too much waits to be taken nothing is read, and only the heartbeat goes on.
    private func pump() {
        guard !isReadingStopped else { return sendHeartbeat() }
        let isMore = drain()
        if buffer.size >= configuration.waitingLimit {
            stopReading()
        } else if isMore {
            thread.tick(by: .now, for: self)
        }
        wakeServed()
    }

    /// Reads some of what has arrived; answers whether more may be there.
    private func drain() -> Bool {
        guard var open = session.take() else { return false }
        do throws(BrokerError) {
            let isMore = try open.drain { receive($0) }
            session = consume open
            return isMore
        } catch {
            drop(error)
            return false
        }
    }

    /// Lets go of what waits to be taken; answers its tags.
    private func takeBack() -> [UInt64] {
        defer { buffer.removeAll() }
        return buffer.tags
    }

    private func stopReading() {
        isReadingStopped = true
        thread.listen(false, for: self)
        logger.info("reading pauses until what has come is taken", metadata: ["queue": "\(queue)"])
    }

    /// Goes on reading once enough has been taken.
    private func readAgain() {
        guard isReadingStopped, buffer.size < configuration.waitingLimit / 2 else { return }
        isReadingStopped = false
        thread.listen(true, for: self)
        thread.tick(by: .now, for: self)
    }

    private func sendHeartbeat() {
        guard var open = session.take() else { return }
        do throws(BrokerError) {
            try open.sendHeartbeat()
            session = consume open
        } catch {
            drop(error)
        }
    }

    private func receive(_ event: BrokerEvent) {
        switch event {
        case .delivered(let delivery): buffer.append(delivery)
        case .consumerCancelled:
            ending = .failed(BrokerError(.cancelled, during: "consuming", "the broker ended it; is \(queue) deleted?"))
        case .returned, .settled, .blocked, .unblocked, .channelClosed, .connectionClosed: break
        }
    }

    private func perform(
        _ calls: (inout ConnectionHandle) throws(BrokerError) -> Void
    ) throws(BrokerError) {
        guard var open = session.take() else {
            throw BrokerError(.connectionLost, during: "answering a delivery", "the connection is closed")
        }
        do throws(BrokerError) { try open.perform(calls) } catch {
            drop(error)
            throw error
        }
        let mustRead = open.hasBufferedFrames
        session = consume open
        if mustRead { pump() }
    }

    /// Gives the connection up; buffered messages go with it, for they will come again.
    private func drop(_ error: BrokerError) {
        thread.unwatch(for: self)
        session = nil
        buffer.removeAll()
        isReadingStopped = false
        ending = .failed(error)
        wakeServed()
    }

    /// Waits until the wish is served, or the task cancelled.
    private func arrival(of wish: Wish) async {
        let id = nextWaiter
        nextWaiter += 1
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A call within an actor may give its thread away, and much can happen since the caller looked.
                guard mustWait(for: wish), !Task.isCancelled else { return continuation.resume() }
                waiters[id] = Waiter(wish: wish, continuation: continuation)
                mindMoment(of: wish)
            }
        } onCancel: {
            Task { await self.wake(id) }
        }
    }

    /// A message that waits for a taker's moment wakes nobody when it comes.
    private func mindMoment(of wish: Wish) {
        if !buffer.isEmpty, let moment = wish.moment { thread.tick(by: moment, for: self) }
    }

    private func wakeServed() {
        for (id, waiter) in waiters {
            if mustWait(for: waiter.wish) { mindMoment(of: waiter.wish) } else { wake(id) }
        }
    }

    private func wake(_ id: Int) {
        waiters.removeValue(forKey: id)?.continuation.resume()
    }
}
