import FoundationEssentials

/// An answer whose body is read while it arrives, by one reader, part by part as the network brings it.
///
/// Reading throws a `CurlError` when the body does not arrive whole.
package struct CurlStream: AsyncSequence, Sendable {
    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let stream: CurlStream

        /// The next part, never empty; nil at the body's end.
        package func next() async throws(CurlError) -> Data? {
            try await stream.client.nextChunk(of: stream.id)
        }

        /// The same, wherever the reader runs.
        package func next(isolation actor: isolated (any Actor)?) async throws(CurlError) -> Data? {
            try await stream.client.nextChunk(of: stream.id)
        }
    }

    package let head: CurlHead
    let id: UInt64
    let client: CurlClient

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(stream: self) }
}
