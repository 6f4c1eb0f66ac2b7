import Connections
import FoundationEssentials
import Synchronization

/// Calls servers over HTTP/1.1 and HTTP/2, over connections that are kept and used again, all on one thread.
///
/// Every call ends within its time and memory. Environment, netrc, cookies and proxies play no part.
package actor CurlClient {
    private let configuration: CurlConfiguration
    private let thread: ConnectionThread
    /// Born with the first call, gone for good with `close`.
    private var scheduler: TransferScheduler?
    private var isClosed = false
    private var lastID: UInt64 = 0
    /// The streamed answers that are being read.
    private var streams: [UInt64: Transfer] = [:]
    /// The calls whose tasks were cancelled and have not been told.
    private let cancelled = Mutex<Set<UInt64>>([])

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// - Parameter thread: one that others use as well; nil for a thread of its own.
    package init(_ configuration: CurlConfiguration = CurlConfiguration(), on thread: ConnectionThread? = nil) {
        self.configuration = configuration
        self.thread = thread?.shared() ?? ConnectionThread()
    }

    isolated deinit {
        thread.unwatch(for: self)
        scheduler = nil
        thread.retire()
    }

    /// Sends a request and answers with the whole response, whatever its status.
    ///
    /// Cancelling the task ends the transfer at once.
    ///
    /// - Throws: A `CurlError` that says whether the request may have been sent.
    package func send(_ request: CurlRequest) async throws(CurlError) -> CurlResponse {
        let transfer = try await perform(request, isStreamed: false, until: .end)
        return CurlResponse(head: try head(of: transfer), body: transfer.takeBody())
    }

    /// Sends a request and lends its answer to `read` while the body arrives; it then ends the transfer, if it still runs.
    ///
    /// The server waits while the reader does. It goes over HTTP/1.1 and a connection that nobody shares meanwhile.
    ///
    /// - Throws: What `read` throws, or a `CurlError` when there is no head.
    package nonisolated func withResponse<R: Sendable>(
        to request: CurlRequest, read: (CurlStream) async throws -> R
    ) async throws -> R {
        let (id, head) = try await openStream(request)
        do {
            let result = try await read(CurlStream(head: head, id: id, client: self))
            await closeStream(id)
            return result
        } catch {
            await closeStream(id)
            throw error
        }
    }

    /// Ends all calls, as `closed`, and all connections; later calls fail at once.
    package func close() {
        isClosed = true
        scheduler?.endAll(.closed)
        thread.unwatch(for: self)
        scheduler = nil
    }

    /// What has arrived of a stream since the last time; nil at its end.
    func nextChunk(of id: UInt64) async throws(CurlError) -> Data? {
        guard let transfer = streams[id] else { return nil }
        await wait(for: .chunk, of: transfer)
        guard !Task.isCancelled else {
            abort(transfer, .cancelled)
            throw transfer.error(.cancelled)
        }
        let chunk = transfer.takeBody()
        resume(transfer)
        guard chunk.isEmpty else { return chunk }
        try transfer.outcome?.get()
        return nil
    }

    private func openStream(_ request: CurlRequest) async throws(CurlError) -> (UInt64, CurlHead) {
        let transfer = try await perform(request, isStreamed: true, until: .head)
        let head = try head(of: transfer)
        streams[transfer.id] = transfer
        return (transfer.id, head)
    }

    private func closeStream(_ id: UInt64) {
        guard let transfer = streams.removeValue(forKey: id) else { return }
        abort(transfer, .cancelled)
    }

    /// Sends a request, and again where redirects lead, until the final answer has come as far as is wished.
    private func perform(
        _ request: CurlRequest, isStreamed: Bool, until wish: Transfer.Wish
    ) async throws(CurlError) -> Transfer {
        let deadline = ContinuousClock.now + request.timeout.bounded
        var redirects = Redirects(request)
        while true {
            let transfer = try begin(redirects.request, until: deadline, isStreamed: isStreamed)
            await wait(for: wish, of: transfer)
            guard let head = transfer.head else { return transfer }
            do throws(TransferFailure) {
                guard try redirects.mustFollow(head, from: transfer.url) else { return transfer }
                abort(transfer, .cancelled)
            } catch {
                abort(transfer, error)
                throw transfer.error(error)
            }
        }
    }

    private func begin(
        _ request: CurlRequest, until deadline: ContinuousClock.Instant, isStreamed: Bool
    ) throws(CurlError) -> Transfer {
        lastID += 1
        do throws(TransferFailure) {
            let scheduler = try open()
            let transfer = try Transfer(
                request, id: lastID, until: deadline, isStreamed: isStreamed, to: configuration.addresses)
            guard transfer.url.scheme == "https" || !configuration.requiresTLS else { throw .withoutTLS }
            scheduler.admit(transfer)
            reschedule()
            return transfer
        } catch {
            throw CurlError(error.code, during: "sending a request", error.words, mayHaveBeenSent: false)
        }
    }

    private func open() throws(TransferFailure) -> TransferScheduler {
        guard !isClosed else { throw .closed }
        if let scheduler { return scheduler }
        let fresh = try TransferScheduler(configuration)
        scheduler = fresh
        thread.watch(fresh.descriptor, for: self, every: .seconds(3_600)) { [weak self] in
            self?.assumeIsolated { $0.act() }
        }
        return fresh
    }

    private func head(of transfer: Transfer) throws(CurlError) -> CurlHead {
        if !transfer.isStreamed || transfer.head == nil { try transfer.outcome?.get() }
        guard let head = transfer.head else { throw transfer.error(.cancelled) }
        return head
    }

    /// Waits on this thread until the wish is satisfied; a cancelled task ends the transfer.
    private func wait(for wish: Transfer.Wish, of transfer: Transfer) async {
        let id = transfer.id
        while !transfer.satisfies(wish) {
            guard !Task.isCancelled else { return abort(transfer, .cancelled) }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    // On the way here this thread may have run the handler, or the transfer, and found nobody to wake.
                    if Task.isCancelled || transfer.satisfies(wish) { return continuation.resume() }
                    transfer.wait(for: wish, continuation)
                }
            } onCancel: {
                noteCancellation(of: id)
            }
        }
    }

    private nonisolated func noteCancellation(of id: UInt64) {
        _ = cancelled.withLock { $0.insert(id) }
        thread.tick(by: .now, for: self)
    }

    private func abort(_ transfer: Transfer, _ failure: TransferFailure) {
        scheduler?.abort(transfer, failure)
        reschedule()
    }

    private func resume(_ transfer: Transfer) {
        scheduler?.resume(transfer)
        reschedule()
    }

    private func act() {
        scheduler?.act()
        for id in cancelled.withLock({ exchange(&$0, with: []) }) { scheduler?.wake(id) }
        reschedule()
    }

    private func reschedule() {
        if let moment = scheduler?.nextMoment { thread.tick(by: moment, for: self) }
    }
}

extension TransferFailure {
    fileprivate static let closed = TransferFailure(.closed, "the client was closed")
    fileprivate static let withoutTLS = TransferFailure(.invalidRequest, "the URL's scheme is not https")
    fileprivate static let cancelled = TransferFailure(.cancelled, "the task was cancelled")
}
