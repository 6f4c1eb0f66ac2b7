import CPostgres
import Connections
import Synchronization

/// Where the ticket of the session that is open now lies for other threads.
final class CancelHandle: Sendable {
    private let ticket = Mutex<CancelTicket?>(nil)

    func place(_ new: CancelTicket?) {
        ticket.withLock { $0 = new }
    }

    func send() {
        ticket.withLock { $0 }?.send()
    }
}

/// Lets any thread ask the server to end what one session is doing; libpq only reads it, so it may be shared.
final class CancelTicket: Sendable {
    /// The address of a `PGcancel`, which this ticket alone owns; kept as a number because pointers are not `Sendable`.
    private let address: UInt

    /// Takes over a `PGcancel`; nil if there is none because the session was never opened.
    init?(_ pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        address = UInt(bitPattern: pointer)
    }

    deinit {
        unsafe PQfreeCancel(OpaquePointer(bitPattern: address))
    }

    /// Sends the request without waiting for it; whether it came in time shows in the statement's own outcome.
    func send() {
        Task { await CancelRequest().run(self) }
    }

    /// Connects to the server and waits for it to hang up; may block as long as the server is silent.
    fileprivate func sendBlocking() {
        var reason = [CChar](repeating: 0, count: 256)
        // A refusal needs no answer: the client's deadline ends the statement anyway.
        _ = unsafe PQcancel(OpaquePointer(bitPattern: address), &reason, Int32(reason.count))
    }
}

/// One cancellation on a thread of its own, because `PQcancel` blocks and cancellations are rare.
private actor CancelRequest {
    private let thread = ConnectionThread()
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    isolated deinit {
        thread.retire()
    }

    func run(_ ticket: CancelTicket) {
        ticket.sendBlocking()
    }
}
