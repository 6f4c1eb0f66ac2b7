import Glibc
import Synchronization

/// A named place where a process can be made to die, to show that nothing is lost there.
///
/// `FAULT=name:3` in the environment kills the process (SIGKILL) when it comes by for the third time. Only debug
/// builds look: in a release build passing a point does nothing, and no setting changes that.
package struct FaultPoint: Sendable {
    package let name: String

    package init(_ name: String) {
        self.name = name
    }

    package func pass() {
        #if DEBUG
            FaultTrap.armed?.note(name)
        #endif
    }
}

#if DEBUG
    /// The one point that this process was told to die at.
    private final class FaultTrap: Sendable {
        static let armed = FaultTrap(environment("FAULT"))

        private let name: String
        private let remaining: Mutex<Int>

        private init?(_ text: String?) {
            guard let parts = text?.split(separator: ":"), parts.count == 2, let nth = Int(parts[1]), nth > 0
            else { return nil }
            name = String(parts[0])
            remaining = Mutex(nth)
        }

        func note(_ passed: String) {
            guard passed == name else { return }
            let mustDie = remaining.withLock { remaining in
                remaining -= 1
                return remaining == 0
            }
            if mustDie { kill(getpid(), SIGKILL) }
        }

        private static func environment(_ name: String) -> String? {
            guard let value = unsafe getenv(name) else { return nil }
            return unsafe String(cString: value)
        }
    }
#endif
