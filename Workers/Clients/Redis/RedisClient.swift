import Connections
import Logging
import Synchronization

/// One connection to Redis on one thread; it connects when needed and gives up soon.
///
/// Any failure drops the connection, so that a late reply can never answer the next command. After several failures
/// in a row calls are refused at once for a while.
package actor RedisClient {
    private let configuration: RedisConfiguration
    private let logger: Logger
    private let thread = ConnectionThread()
    private let breaker: Mutex<CircuitBreaker>
    private var context: RedisContext?
    private var digests: [RedisScript: String] = [:]
    private var isClosed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    package init(_ configuration: RedisConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        breaker = Mutex(
            CircuitBreaker(failures: configuration.breakerFailures, pause: configuration.breakerPause))
    }

    isolated deinit {
        context = nil
        thread.retire()
    }

    /// Whether Redis is being asked now; for metrics and health.
    package nonisolated var state: CircuitBreaker.State {
        breaker.withLock { $0.state }
    }

    /// Sends the commands in one round trip and answers each; an error reply is a value, and the others still hold.
    ///
    /// Other clients' commands may come between them: what must be one step is a script.
    package nonisolated func pipeline(_ commands: [RedisCommand]) async throws(RedisError) -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        guard breaker.withLock({ $0.admits(at: .now) }) else { throw .refused }
        return try await attempt(commands)
    }

    /// Runs one script as one step.
    package nonisolated func evaluate(
        script: RedisScript, keys: [String], arguments: [any RedisArgument] = []
    ) async throws(RedisError) -> RedisReply {
        try await pipeline([.evaluate(script, keys: keys, arguments: arguments)])[0]
    }

    /// Closes the connection for good.
    package func close() {
        isClosed = true
        context = nil
    }

    private func attempt(_ commands: [RedisCommand]) throws(RedisError) -> [RedisReply] {
        guard !isClosed else { throw RedisError(.closed, detail: "the client was closed") }
        // Who was let in before the breaker opened, and waited behind the failures, is refused too.
        guard breaker.withLock({ $0.state != .open }) else { throw .refused }
        do {
            let replies = try run(commands)
            if breaker.withLock({ $0.succeed() }) { logger.notice("redis is back") }
            return replies
        } catch {
            context = nil
            if breaker.withLock({ $0.fail(at: .now) }) {
                logger.warning("redis is skipped for a while", metadata: ["error": "\(error)"])
            }
            throw error
        }
    }

    /// Sends scripts by digest, loads those that have none yet, and sends in full those the server has forgotten.
    private func run(_ commands: [RedisCommand]) throws(RedisError) -> [RedisReply] {
        let unknown = Set(commands.compactMap(\.script)).filter { digests[$0] == nil }.sorted { $0.source < $1.source }
        let loads = unknown.map { RedisCommand("SCRIPT", "LOAD", $0.source) }
        var replies = try exchange(loads + commands.map { $0.resolved(digest: $0.script.flatMap { digests[$0] }) })
        for (script, reply) in zip(unknown, replies) { digests[script] = reply.text }
        replies.removeFirst(loads.count)
        let forgotten = commands.indices.filter { commands[$0].script != nil && replies[$0].isUnknownScript }
        guard !forgotten.isEmpty else { return replies }
        let again = try exchange(forgotten.map { commands[$0].resolved(digest: nil) })
        for (index, reply) in zip(forgotten, again) { replies[index] = reply }
        return replies
    }

    /// One round trip, on a new connection if the old one is gone.
    private func exchange(_ commands: [RedisCommand]) throws(RedisError) -> [RedisReply] {
        if context?.isQuiet() != true { context = try connected() }
        guard let replies = try context?.exchange(commands, until: .now + configuration.timeout) else {
            throw RedisError(.connectionLost, detail: "there is no connection")
        }
        return replies
    }

    private func connected() throws(RedisError) -> RedisContext {
        let fresh = try RedisContext.open(configuration)
        let answers = try fresh.exchange(configuration.greeting, until: .now + configuration.timeout)
        for case .error(let words) in answers {
            throw RedisError(.serverError(words), detail: "redis refused the connection")
        }
        return fresh
    }
}

extension RedisError {
    fileprivate static let refused = RedisError(.unavailable, detail: "redis failed lately and is not asked for now")
}
