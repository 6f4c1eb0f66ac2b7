import Glibc
import Synchronization

/// Cuts a connection whose library call does not come back, so that its thread is never stuck for ever.
///
/// `amqp_basic_publish` sends without a deadline, and a broker under alarm neither reads nor hangs up. The socket is
/// held by a descriptor of our own (`dup`), so that its number cannot be given to another file meanwhile.
final class CallTimeoutGuard: Sendable {
    private let descriptor: Int32
    private let limit: Duration
    private let birth = ContinuousClock.now
    /// Milliseconds from birth at which the present call is overdue; zero while no call is under way.
    private let deadline = Atomic<Int64>(0)
    private let wasCut = Atomic<Bool>(false)

    init(of socket: Int32, limit: Duration) {
        descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        self.limit = limit
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Marks the beginning of a library call.
    func enter() {
        deadline.store(milliseconds(since: birth, at: .now + limit), ordering: .releasing)
    }

    /// Marks the end of a library call.
    func leave() {
        deadline.store(0, ordering: .releasing)
    }

    /// Ends the connection in both directions, whoever may be waiting on it; `shutdown(2)`.
    func cut() {
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Looks after the calls until the task is cancelled.
    func keepWatch() async {
        while true {
            do { try await Task.sleep(for: min(.seconds(1), limit / 4)) } catch { return }
            let overdue = deadline.load(ordering: .acquiring)
            guard overdue != 0, milliseconds(since: birth, at: .now) > overdue else { continue }
            wasCut.store(true, ordering: .releasing)
            return cut()
        }
    }

    /// The error a call ended with, or that the call had to be cut off.
    func explain(_ error: BrokerError) -> BrokerError {
        guard wasCut.load(ordering: .acquiring) else { return error }
        return BrokerError(.timedOut, during: error.operation, "the socket took nothing for \(limit) and was cut")
    }

    private func milliseconds(since start: ContinuousClock.Instant, at instant: ContinuousClock.Instant) -> Int64 {
        let (seconds, attoseconds) = start.duration(to: instant).components
        return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
    }
}
