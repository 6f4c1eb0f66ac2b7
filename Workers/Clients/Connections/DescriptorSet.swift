import CLinux
import Glibc

/// Many descriptors behind one, which is readable while something has happened to any of them.
///
/// A `ConnectionThread` watches one descriptor for each owner; an owner with several has its set watched. `epoll(7)`.
package struct DescriptorSet: ~Copyable {
    /// What happened to one member.
    package struct Event: Sendable {
        package let descriptor: Int32
        /// There is something to read, or the other side has hung up.
        package let isReadable: Bool
        package let isWritable: Bool
        package let hasFailed: Bool
    }

    /// The one to watch.
    package let descriptor: Int32

    /// Nil when the process has no descriptor left.
    package init?() {
        let opened = descriptor_set_open()
        guard opened >= 0 else { return nil }
        descriptor = opened
    }

    deinit {
        close(descriptor)
    }

    /// Watches a descriptor from now on, for these events and no others.
    ///
    /// - Returns: false when the kernel has no room, or the descriptor is none that can be watched.
    package func watch(_ member: Int32, reading: Bool, writing: Bool) -> Bool {
        let events = (reading ? POLLIN : 0) | (writing ? POLLOUT : 0)
        return descriptor_set_watch(descriptor, member, Int16(events)) == 0
    }

    /// Stops watching; one that was never watched, or is closed already, is left alone.
    package func unwatch(_ member: Int32) {
        descriptor_set_unwatch(descriptor, member)
    }

    /// What has happened by now, to at most 64 members; who is left out is told of the next time.
    package func events() -> [Event] {
        var entries = [pollfd](repeating: pollfd(fd: -1, events: 0, revents: 0), count: 64)
        let found = unsafe descriptor_set_take(descriptor, &entries, Int32(entries.count))
        return entries.prefix(Int(found)).map { entry in
            let what = Int32(entry.revents)
            return Event(
                descriptor: entry.fd, isReadable: what & (POLLIN | POLLHUP) != 0, isWritable: what & POLLOUT != 0,
                hasFailed: what & POLLERR != 0)
        }
    }
}
