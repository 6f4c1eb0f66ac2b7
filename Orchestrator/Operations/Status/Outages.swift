import Connections
import FoundationEssentials
import Synchronization

/// Since when each server has not answered this process.
package final class Outages: Sendable {
    enum Server { case database, broker, redis }

    private let beginnings = Mutex<[Server: Date]>([:])

    package init() {}

    /// When the outage began of which this is one more sign.
    @discardableResult
    func note(_ server: Server) -> Date {
        beginnings.withLock { beginnings in
            let began = beginnings[server] ?? RuntimeEnvironment.date
            beginnings[server] = began
            return began
        }
    }

    func end(_ server: Server) {
        beginnings.withLock { $0[server] = nil }
    }

    /// Does the work, and remembers whether the server took part.
    func watching<R: Sendable>(_ server: Server, _ work: () async throws -> R) async throws -> R {
        do {
            let result = try await work()
            end(server)
            return result
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            note(server)
            throw error
        }
    }
}
