import Logging

/// Lends a fixed number of connections, opened when first needed; who waits longer than agreed is turned away.
///
/// A connection that lost its link comes back like any other and opens again at its next use.
package actor PostgresPool {
    private let configuration: PostgresConfiguration
    private let logger: Logger
    private let size: Int
    private let permits: AsyncSemaphore
    private let patience: Duration
    private var resting: [PostgresConnection] = []
    private var isClosed = false
    /// Connections lent out now.
    package private(set) var inUse = 0

    /// - Parameter patience: how long a caller waits for a connection before `.poolExhausted`.
    package init(
        _ configuration: PostgresConfiguration, size: Int, patience: Duration = .seconds(3), logger: Logger
    ) {
        precondition(size > 0, "a pool needs at least one connection")
        self.configuration = configuration
        self.size = size
        self.patience = patience
        self.logger = logger
        permits = AsyncSemaphore(size)
    }

    /// Connections at rest now, whether their link stands or not.
    package var idle: Int { resting.count }

    /// Callers that wait for a connection now.
    package nonisolated var waiting: Int { permits.waiting }

    /// Lends one connection for the time of the body; the session's settings and locks are the body's to restore.
    package nonisolated func withConnection<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let connection = try await take()
        let result: R
        do {
            result = try await body(connection)
        } catch {
            await giveBack(connection)
            throw error
        }
        await giveBack(connection)
        return result
    }

    /// Runs the body in a transaction on a connection of its own; see `PostgresConnection.transaction`.
    package nonisolated func transaction<R>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await withConnection { try await $0.transaction(body) }
    }

    /// Turns everybody away and closes every connection as it comes back.
    package func close() async {
        isClosed = true
        permits.close()
        let closing = resting
        resting = []
        for connection in closing { await connection.close() }
    }

    private func take() async throws(PostgresError) -> PostgresConnection {
        switch await permits.acquire(within: patience) {
        case .granted: break
        case .expired:
            throw PostgresError(
                .poolExhausted, operation: "pool", detail: "all \(size) connections stayed in use for \(patience)")
        case .closed: throw PostgresError(.closed, operation: "pool", detail: "the pool was closed")
        }
        inUse += 1
        return resting.popLast() ?? PostgresConnection(configuration, logger: logger)
    }

    private func giveBack(_ connection: PostgresConnection) async {
        inUse -= 1
        if isClosed {
            await connection.close()
        } else {
            resting.append(connection)
        }
        permits.release()
    }
}
