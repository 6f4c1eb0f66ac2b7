import Logging

/// A logged-in connection with one open channel, guarded against calls that never return.
///
/// It lives on one thread. After a thrown error other than `notFound`, `preconditionFailed` and `accessRefused` it
/// must be let go, which closes the socket.
struct Session: ~Copyable {
    private static let framesAtOnce = 8_192
    private static let bytesAtOnce = 8 * 1024 * 1024

    private var handle: ConnectionHandle
    private var assembly: MessageAssembly
    private let lifeline: CallTimeoutGuard
    private let keeper: Task<Void, Never>
    private let rpcTimeout: Duration

    /// Connects to the first host that answers, and opens a channel; a refused login is not tried elsewhere.
    static func open(_ configuration: BrokerConfiguration, _ logger: Logger) throws(BrokerError) -> Session {
        var last = BrokerError(.invalidConfiguration, during: "connecting", "no host is configured")
        for host in configuration.hosts {
            do throws(BrokerError) { return try Session(configuration, host) } catch {
                guard error.isTransient else { throw error }
                logger.debug(
                    "broker not reachable", metadata: ["host": "\(host.host):\(host.port)", "error": "\(error)"])
                last = error
            }
        }
        throw last
    }

    private init(_ configuration: BrokerConfiguration, _ host: BrokerConfiguration.Host) throws(BrokerError) {
        let handle = try ConnectionHandle()
        try handle.connect(to: host, configuration)
        try handle.logIn(configuration)
        try handle.openChannel()
        let lifeline = CallTimeoutGuard(of: handle.descriptor, limit: configuration.confirmTimeout)
        self.handle = handle
        assembly = MessageAssembly(keeping: configuration.bodyLimit)
        self.lifeline = lifeline
        keeper = Task.detached { await lifeline.keepWatch() }
        rpcTimeout = configuration.rpcTimeout
    }

    deinit {
        keeper.cancel()
        lifeline.cut()
    }

    var descriptor: Int32 { handle.descriptor }
    var frameLimit: Int { handle.frameLimit }
    var hasBufferedFrames: Bool { handle.hasBufferedFrames }
    var serverProperties: FieldTable { handle.serverProperties }

    /// Makes library calls under guard.
    mutating func perform<Result: ~Copyable>(
        _ calls: (inout ConnectionHandle) throws(BrokerError) -> Result
    ) throws(BrokerError) -> Result {
        try guarded { session throws(BrokerError) in try calls(&session.handle) }
    }

    /// Reads what has arrived, sends the heartbeat if it is due, and reports what happened, in order.
    ///
    /// A close by the broker is confirmed and thrown. A broker that never stops sending must not keep the thread, so
    /// the answer says whether reading ended early and more may be there.
    mutating func drain(_ report: (BrokerEvent) -> Void) throws(BrokerError) -> Bool {
        try guarded { session throws(BrokerError) in
            var size = 0
            for _ in 0..<Self.framesAtOnce {
                guard size < Self.bytesAtOnce else { return true }
                guard let frame = try session.handle.readFrame() else { return false }
                if case .body(let fragment) = frame { size += fragment.count }
                if let event = try session.accept(frame) { report(event) }
            }
            return true
        }
    }

    /// Tells the broker that we live while nothing is read from it, which is when the library would say so.
    mutating func sendHeartbeat() throws(BrokerError) {
        try perform { handle throws(BrokerError) in try handle.sendHeartbeat() }
    }

    /// Opens the channel again after the broker has closed it.
    mutating func reopenChannel() throws(BrokerError) {
        try perform { handle throws(BrokerError) in try handle.openChannel() }
        assembly.beginChannel()
    }

    /// Gets one message from a queue, or nil when it is empty; other events on the way are lost.
    mutating func get(_ queue: String) throws(BrokerError) -> Delivery? {
        try guarded { session throws(BrokerError) in
            guard let opening = try session.handle.get(queue) else { return nil }
            var event = try session.accept(opening)
            while true {
                if case .delivered(let delivery)? = event { return delivery }
                guard let frame = try session.handle.readFrame(waiting: session.rpcTimeout) else {
                    throw BrokerError(.timedOut, during: "getting from queue \(queue)", "the message did not follow")
                }
                event = try session.accept(frame)
            }
        }
    }

    private mutating func guarded<Result: ~Copyable>(
        _ body: (inout Session) throws(BrokerError) -> Result
    ) throws(BrokerError) -> Result {
        lifeline.enter()
        defer { lifeline.leave() }
        do throws(BrokerError) { return try body(&self) } catch { throw lifeline.explain(error) }
    }

    private mutating func accept(_ frame: consuming Frame) throws(BrokerError) -> BrokerEvent? {
        switch try assembly.accept(frame) {
        case .channelClosed(let error)?:
            try handle.confirmChannelClose()
            throw error
        case .connectionClosed(let error)?:
            try handle.confirmConnectionClose()
            throw error
        case let event: return event
        }
    }

    /// Ends the connection in good order.
    consuming func close() {
        lifeline.enter()
        handle.sayGoodbye()
        lifeline.leave()
    }
}

extension BrokerConfiguration {
    /// How often a connection without traffic is looked after.
    var tick: Duration { min(.seconds(1), min(heartbeat, confirmTimeout) / 4) }
}
