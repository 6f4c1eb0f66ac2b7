import Connections
import DequeModule
import Logging

extension FaultPoint {
    /// A batch is on its way, and nothing of it is confirmed.
    fileprivate static let published = FaultPoint("publisher.sent")
}

/// Publishes batches of messages and reports which of them no queue has taken, over a connection of its own.
///
/// After an error the publisher is closed and the fate of what waited for an answer is unknown: publish it again
/// after `open`. Only `blocked` leaves the connection open.
package actor Publisher {
    private struct Waiter {
        let continuation: CheckedContinuation<Result<[Refusal], BrokerError>, Never>
        let since: ContinuousClock.Instant
    }

    private let configuration: BrokerConfiguration
    /// How long a batch waits for answers that the connection does not depend on; nil where it does.
    private let answerLimit: Duration?
    private let logger: Logger
    private let thread: ConnectionThread
    private var session: Session?
    private var closing = BrokerError(.closed, during: "publishing", "not open")
    private var tracker = ConfirmTracker()
    private var waiters: [ConfirmTracker.BatchID: Waiter] = [:]
    /// Batches that came while the broker was blocked, and are not sent yet.
    private var held = Deque<(batch: [Publication], waiter: Waiter)>()
    /// Whether this connection has confirmed anything.
    private var isProven = false
    /// How long a connection that is not proven may take for its first confirm.
    private var firstPatience: Duration
    /// Whether the broker has said that it accepts no messages.
    package private(set) var isBlocked = false
    /// The broker's words for that.
    private var blockedBecause = ""

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - thread: one that others use as well; nil for a thread of its own.
    ///   - answerLimit: how long a batch waits for the broker's answers before the missing ones count as refusals
    ///     (`unanswered`) and the connection goes on; nil to give the connection up after the confirm timeout.
    package init(
        _ configuration: BrokerConfiguration, on thread: ConnectionThread? = nil,
        answersWithin answerLimit: Duration? = nil,
        logger: Logger
    ) {
        self.thread = thread?.shared() ?? ConnectionThread()
        self.configuration = configuration
        self.answerLimit = answerLimit
        self.logger = logger
        firstPatience = configuration.firstConfirmTimeout
    }

    isolated deinit {
        thread.unwatch(for: self)
        session = nil
        thread.retire()
    }

    /// Connects and asks for confirms; an earlier connection is given up.
    package func open() async throws(BrokerError) {
        drop(BrokerError(.connectionLost, during: "publishing", "given up for a new connection"))
        do throws(BrokerError) { try connect() } catch {
            drop(error)
            throw error
        }
        pump()
    }

    /// Sends all messages, waits for the broker's answer to each, and names those that were refused.
    ///
    /// An empty answer means that every message is safe in its queues. Task cancellation does not end the wait, the
    /// confirm timeout does. Concurrent calls get their own answers.
    /// - Important: After a thrown error each message may or may not have been queued.
    package func publish(_ batch: [Publication]) async throws(BrokerError) -> [Refusal] {
        guard !batch.isEmpty else { return [] }
        guard session != nil else { throw closing }
        let answer = await withCheckedContinuation { continuation in
            let waiter = Waiter(continuation: continuation, since: .now)
            if isBlocked { held.append((batch, waiter)) } else { send(batch, for: waiter) }
        }
        return try answer.get()
    }

    /// Ends the connection; those who wait for answers get an error.
    package func close() async {
        thread.unwatch(for: self)
        if let session = session.take() { session.close() }
        drop(BrokerError(.closed, during: "publishing", "closed"))
    }
}

extension Publisher {
    private func connect() throws(BrokerError) {
        var session = try Session.open(configuration, logger)
        try session.perform { handle throws(BrokerError) in try handle.confirmPublications() }
        let tick = answerLimit.map { min(configuration.tick, $0 / 4) } ?? configuration.tick
        thread.watch(session.descriptor, for: self, every: tick) { [weak self] in
            self?.assumeIsolated { $0.tick() }
        }
        self.session = consume session
    }

    private func send(_ batch: [Publication], for waiter: Waiter) {
        guard var open = session.take() else { return waiter.continuation.resume(returning: .failure(closing)) }
        let (indices, refused) = Self.sort(batch, frameLimit: open.frameLimit)
        guard !indices.isEmpty else {
            session = consume open
            return waiter.continuation.resume(returning: .success(refused))
        }
        waiters[tracker.register(batch, sending: indices, refused: refused)] = waiter
        do throws(BrokerError) {
            try open.perform { handle throws(BrokerError) in
                if indices.count > 1 { handle.holdPackets(true) }
                for index in indices { try handle.publish(batch[index]) }
                if indices.count > 1 { handle.holdPackets(false) }
            }
            FaultPoint.published.pass()
            let mustRead = open.hasBufferedFrames
            session = consume open
            if mustRead { pump() }
        } catch {
            drop(error)
        }
    }

    /// Tells what can be sent from what AMQP cannot express.
    private static func sort(_ batch: [Publication], frameLimit: Int) -> (indices: [Int], refused: [Refusal]) {
        var indices: [Int] = []
        var refused: [Refusal] = []
        indices.reserveCapacity(batch.count)
        for (index, publication) in batch.enumerated() {
            if let flaw = publication.flaw(frameLimit: frameLimit) {
                refused.append(Refusal(index: index, reason: .returned(code: 311, text: flaw)))
            } else {
                indices.append(index)
            }
        }
        return (indices, refused)
    }

    private func tick() {
        pump()
        expire()
    }

    /// Reads the answers that have arrived.
    private func pump() {
        guard var open = session.take() else { return }
        do throws(BrokerError) {
            let isMore = try open.drain { receive($0) }
            session = consume open
            if isMore { thread.tick(by: .now, for: self) }
        } catch {
            return drop(error)
        }
        while !isBlocked, let (batch, waiter) = held.popFirst() { send(batch, for: waiter) }
    }

    private func receive(_ event: BrokerEvent) {
        switch event {
        case .settled(let tag, let isMultiple, let isAccepted):
            isProven = true
            firstPatience = configuration.firstConfirmTimeout
            for (batch, refusals) in tracker.settle(tag, isMultiple: isMultiple, isAccepted: isAccepted) {
                waiters.removeValue(forKey: batch)?.continuation.resume(returning: .success(refusals))
            }
        case .returned(let code, let text, let message):
            tracker.refuse(returned: message, code: code, text: text)
        case .blocked(let reason):
            isBlocked = true
            blockedBecause = reason
            logger.warning("the broker accepts no messages", metadata: ["reason": "\(reason)"])
        case .unblocked:
            isBlocked = false
            logger.notice("the broker accepts messages again")
        case .delivered, .consumerCancelled, .channelClosed, .connectionClosed: break
        }
    }

    /// Ends the waits that have lasted too long: alone under an alarm or an answer limit, otherwise with the connection.
    private func expire() {
        guard isBlocked else {
            if let answerLimit { return abandon(before: .now - answerLimit) }
            let patience = isProven ? configuration.confirmTimeout : firstPatience
            guard waiters.values.contains(where: { $0.since + patience < .now }) else { return }
            if !isProven { firstPatience = min(firstPatience * 2, configuration.confirmTimeout) }
            return drop(BrokerError(.timedOut, during: "publishing", "no confirm in \(patience)"))
        }
        let overdue = ContinuousClock.now - (answerLimit ?? configuration.confirmTimeout)
        let error = BrokerError(.blocked, during: "publishing", "the broker accepts no messages: \(blockedBecause)")
        for (batch, waiter) in waiters where waiter.since < overdue {
            waiters[batch] = nil
            tracker.forget(batch)
            waiter.continuation.resume(returning: .failure(error))
        }
        while let first = held.first, first.waiter.since < overdue {
            held.removeFirst()
            first.waiter.continuation.resume(returning: .failure(error))
        }
    }

    /// Lets go those whose answers are late, with the answers that they have.
    private func abandon(before moment: ContinuousClock.Instant) {
        for (batch, waiter) in waiters where waiter.since < moment {
            waiters[batch] = nil
            waiter.continuation.resume(returning: .success(tracker.abandon(batch)))
        }
    }

    /// Gives the connection up, and with it all answers.
    private func drop(_ error: BrokerError) {
        thread.unwatch(for: self)
        session = nil
        closing = error
        isBlocked = false
        isProven = false
        tracker = ConfirmTracker()
        let lost = Array(waiters.values) + held.map(\.waiter)
        waiters = [:]
        held = []
        for waiter in lost { waiter.continuation.resume(returning: .failure(error)) }
    }
}
