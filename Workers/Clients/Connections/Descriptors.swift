import Glibc

/// The file descriptors that this process may have open at once: its sockets, its files and its pipes.
package enum Descriptors {
    /// Raises the soft limit to the hard one, as far as the kernel lets us; call it first in `main`.
    ///
    /// A soft limit of 1,024 is kept small for programs that use `select(2)`; none of our libraries does.
    /// `setrlimit(2)`.
    package static func raiseLimit() {
        guard var limits = limits(), limits.rlim_cur < limits.rlim_max else { return }
        limits.rlim_cur = limits.rlim_max
        // A refusal leaves the limit as it is, and whoever counts on descriptors asks for it.
        _ = unsafe setrlimit(resource, &limits)
    }

    /// How many may be open now, by the soft limit of `getrlimit(2)`.
    package static var limit: Int {
        limits().flatMap { Int(exactly: $0.rlim_cur) } ?? Int(Int32.max)
    }

    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

    private static func limits() -> rlimit? {
        var limits = rlimit()
        return unsafe getrlimit(resource, &limits) == 0 ? limits : nil
    }
}
