/// A connection that somebody must close.
package protocol Closeable: Sendable {
    func close() async
}

extension Closeable {
    /// Lends the connection to one piece of work, and closes it however that ends.
    package func lent<R: Sendable>(to work: (Self) async throws -> R) async throws -> R {
        do {
            let result = try await work(self)
            await close()
            return result
        } catch {
            await close()
            throw error
        }
    }
}
