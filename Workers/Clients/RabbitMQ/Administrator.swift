import Connections
import Logging

/// Declares, checks and empties exchanges and queues, one request at a time.
///
/// An answer of `notFound`, `preconditionFailed` or `accessRefused` costs the channel, which is opened again at once;
/// after other errors `open` must be called.
package actor Administrator: Closeable {
    private let configuration: BrokerConfiguration
    private let logger: Logger
    private let thread = ConnectionThread()
    private var session: Session?
    private var ledger = DeliveryLedger()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    package init(_ configuration: BrokerConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    isolated deinit {
        thread.unwatch(for: self)
        session = nil
        thread.retire()
    }

    /// Connects; an earlier connection is given up.
    package func open() async throws(BrokerError) {
        drop()
        let session = try Session.open(configuration, logger)
        ledger.beginEpoch()
        thread.watch(session.descriptor, for: self, every: configuration.tick) { [weak self] in
            self?.assumeIsolated { $0.pump() }
        }
        self.session = consume session
    }

    /// Ends the connection; messages got but not acknowledged return to their queues.
    package func close() async {
        thread.unwatch(for: self)
        if let session = session.take() { session.close() }
    }

    /// Makes sure that the exchange exists as described; another of that name is `preconditionFailed`.
    package func declareExchange(_ name: String, kind: String, durable: Bool = true) async throws(BrokerError) {
        try perform { handle throws(BrokerError) in
            try handle.declareExchange(name, kind: kind, isDurable: durable, isPassive: false)
        }
    }

    /// Checks that a durable exchange exists and is of that kind: `notFound`, or `preconditionFailed`.
    package func checkExchange(_ name: String, kind: String) async throws(BrokerError) {
        try perform { handle throws(BrokerError) in
            // The broker does not compare kinds when asked passively; declaring what exists changes nothing.
            try handle.declareExchange(name, kind: kind, isDurable: true, isPassive: true)
            try handle.declareExchange(name, kind: kind, isDurable: true, isPassive: false)
        }
    }

    package func deleteExchange(_ name: String) async throws(BrokerError) {
        try perform { handle throws(BrokerError) in try handle.deleteExchange(name) }
    }

    /// Makes sure that the queue exists with these arguments; with others it is `preconditionFailed`.
    package func declareQueue(
        _ name: String, arguments: FieldTable = [:], durable: Bool = true
    ) async throws(BrokerError) {
        try perform { handle throws(BrokerError) in
            _ = try handle.declareQueue(name, arguments: arguments, isDurable: durable, isPassive: false)
        }
    }

    package func bindQueue(_ queue: String, to exchange: String, routingKey: String) async throws(BrokerError) {
        try perform { handle throws(BrokerError) in
            try handle.bindQueue(queue, to: exchange, routingKey: routingKey)
        }
    }

    /// The messages ready in the queue and its consumers; a missing queue is `notFound`.
    package func checkQueue(_ name: String) async throws(BrokerError) -> (messages: Int, consumers: Int) {
        try perform { handle throws(BrokerError) in
            try handle.declareQueue(name, arguments: [:], isPassive: true)
        }
    }

    /// Deletes the queue with its messages; a missing one is no error.
    package func deleteQueue(_ name: String) async throws(BrokerError) {
        try perform { handle throws(BrokerError) in try handle.deleteQueue(name) }
    }

    /// Removes the messages that are ready in the queue.
    package func purgeQueue(_ name: String) async throws(BrokerError) {
        try perform { handle throws(BrokerError) in try handle.purgeQueue(name) }
    }

    /// Takes one message out of the queue, to be acknowledged or rejected, or nil when it is empty.
    package func get(_ queue: String) async throws(BrokerError) -> Delivery? {
        guard var delivery = try use({ session throws(BrokerError) in try session.get(queue) }) else { return nil }
        ledger.take(delivery.tag)
        delivery.tag = ledger.opaque(delivery.tag)
        return delivery
    }

    /// Removes a message that `get` has taken.
    package func acknowledge(_ tag: UInt64) async throws(BrokerError) {
        guard let open = try ledger.settle(tag) else { return }
        try perform { handle throws(BrokerError) in try handle.acknowledge(open, isMultiple: false) }
    }

    /// Gives a message that `get` has taken back, or with `requeue` false to the dead-letter exchange.
    package func reject(_ tag: UInt64, requeue: Bool) async throws(BrokerError) {
        guard let open = try ledger.settle(tag) else { return }
        try perform { handle throws(BrokerError) in try handle.reject(open, requeue: requeue) }
    }

    /// The broker's product name and version, as it gave them when the connection was opened.
    package func serverProperties() async throws(BrokerError) -> (product: String, version: String) {
        let table = try use { session throws(BrokerError) in session.serverProperties }
        func text(_ key: String) -> String {
            if case .string(let value)? = table[key] { value } else { "unknown" }
        }
        return (text("product"), text("version"))
    }
}

extension Administrator {
    private func perform<Answer>(
        _ calls: (inout ConnectionHandle) throws(BrokerError) -> Answer
    ) throws(BrokerError) -> Answer {
        try use { session throws(BrokerError) in try session.perform(calls) }
    }

    /// Uses the connection, and gives it up or reopens its channel when that fails.
    private func use<Answer>(
        _ body: (inout Session) throws(BrokerError) -> Answer
    ) throws(BrokerError) -> Answer {
        guard var open = session.take() else {
            throw BrokerError(.closed, during: "administering the broker", "not open")
        }
        do throws(BrokerError) {
            let answer = try body(&open)
            session = consume open
            return answer
        } catch {
            guard [.notFound, .preconditionFailed, .accessRefused].contains(error.code) else {
                drop()
                throw error
            }
            ledger.beginEpoch()
            try open.reopenChannel()
            session = consume open
            throw error
        }
    }

    /// Keeps the heartbeat going; nothing else is expected to arrive.
    private func pump() {
        guard var open = session.take() else { return }
        do throws(BrokerError) {
            let isMore = try open.drain { _ in }
            session = consume open
            if isMore { thread.tick(by: .now, for: self) }
        } catch {
            logger.debug("administrator's connection lost", metadata: ["error": "\(error)"])
            drop()
        }
    }

    private func drop() {
        thread.unwatch(for: self)
        session = nil
    }
}
