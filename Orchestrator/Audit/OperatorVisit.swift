import Contracts
import FoundationEssentials
import Synchronization

/// One request of an operator that may change something, and the line that it leaves in the audit.
package final class OperatorVisit: Sendable {
    private enum Trace {
        case none
        case written(ActionID)
        case harmless
    }

    private let name: String
    private let address: String?
    private let book: AuditStore
    private let trace = Mutex(Trace.none)

    package init(_ name: String, from address: String?, book: AuditStore) {
        self.name = name
        self.address = address
        self.book = book
    }

    /// Writes down what is about to be done.
    @discardableResult
    package func willDo(_ action: NewAction) async throws -> ActionID {
        let id = try await book.begin(action, by: name, from: address)
        trace.withLock { $0 = .written(id) }
        return id
    }

    /// Nothing was changed, and nothing will be: a dry run, or nothing to do.
    package func didNothing() {
        trace.withLock { $0 = .harmless }
    }

    /// Writes down how it ended, and the action too if nobody has.
    package func ended(_ result: String, of action: @autoclosure () -> NewAction) async throws {
        switch trace.withLock({ $0 }) {
        case .written(let id): try await book.end(id, result)
        case .harmless: break
        case .none: try await book.end(try await willDo(action()), result)
        }
    }

    /// There was nothing to write down about a request that failed before it did anything.
    package func failed(_ result: String) async throws {
        guard case .written(let id) = trace.withLock({ $0 }) else { return }
        try await book.end(id, result)
    }
}
