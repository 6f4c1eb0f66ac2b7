import Foundation
import Synchronization

/// How a child process ended, once it has.
final class Ending: Sendable {
    private let state = Mutex<(status: Int32, signalled: Bool)?>(nil)

    func note(_ process: Process) {
        let end = (process.terminationStatus, process.terminationReason == .uncaughtSignal)
        state.withLock { $0 = end }
    }

    /// The exit status, or the signal's number.
    var status: Int32? { state.withLock { $0?.status } }
    var wasSignalled: Bool { state.withLock { $0?.signalled ?? false } }
}
