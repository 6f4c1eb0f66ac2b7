import CLinux
import DequeModule
import Glibc
import Synchronization

/// Runs connections' actors on one thread that sleeps in `ppoll` until there is a job, a readable socket or a tick.
///
/// A C library's handle may be used by one thread at a time and its calls block; so each connection works on one
/// thread, alone or with those that serve the same purpose, and the cooperative pool never waits for a socket. A
/// `pipe(2)` wakes the thread, `ppoll(2)` is its only sleep.
package final class ConnectionThread: SerialExecutor, TaskExecutor {
    private struct Watch {
        let owner: ObjectIdentifier
        let descriptor: Int32
        var isListening = true
        let tick: Duration
        var nextTick: ContinuousClock.Instant
        let onReady: @Sendable () -> Void
    }

    private struct State: ~Copyable {
        var jobs = Deque<UnownedJob>()
        var watches: [Watch] = []
        var isAsleep = false
        var owners = 1
    }

    /// The two ends of the pipe that wakes the thread; -1 before it has begun.
    private let reader = Atomic<Int32>(-1)
    private let writer = Atomic<Int32>(-1)
    private let state = Mutex(State())
    private let identity = Atomic<UInt>(0)

    /// Begins at once, or as soon as the machine has a thread and two descriptors to give; until then jobs wait.
    ///
    /// - Parameter open: makes the pipe; nil while there are no descriptors for it.
    package init(opening open: @escaping @Sendable () -> Pipe? = Pipe.open) {
        if begin(open) { return }
        RuntimeEnvironment.task { [self] in
            while !begin(open) { try await RuntimeEnvironment.sleep(for: .milliseconds(100)) }
        }
    }

    deinit {
        let ends = [reader.load(ordering: .relaxed), writer.load(ordering: .relaxed)]
        for end in ends where end >= 0 { close(end) }
    }

    /// What wakes a sleeping thread: `pipe(2)`.
    package struct Pipe: Sendable {
        let reader: Int32
        let writer: Int32

        package static func open() -> Pipe? {
            var ends: [Int32] = [-1, -1]
            guard unsafe pipe(&ends) == 0 else { return nil }
            for end in ends {
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            }
            return Pipe(reader: ends[0], writer: ends[1])
        }
    }

    /// Whether there was a pipe and a thread to be had; without, everything is as before.
    private func begin(_ open: () -> Pipe?) -> Bool {
        if reader.load(ordering: .relaxed) < 0 {
            guard let pipe = open() else { return false }
            reader.store(pipe.reader, ordering: .relaxed)
            writer.store(pipe.writer, ordering: .releasing)
        }
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { unsafe pthread_attr_destroy(&attributes) }
        let owned = unsafe Unmanaged.passRetained(self)
        var thread = pthread_t()
        let started = unsafe pthread_create(
            &thread, &attributes,
            { owner in
                guard let owner = unsafe owner else { return nil }
                unsafe Unmanaged<ConnectionThread>.fromOpaque(owner).takeRetainedValue().run()
                return nil
            }, owned.toOpaque())
        if started != 0 { unsafe owned.release() }
        return started == 0
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = state.withLock { state in
            state.jobs.append(job)
            return state.isAsleep
        }
        if mustWake { wake() }
    }

    package func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "a connection was used off its own thread")
    }

    package func isIsolatingCurrentContext() -> Bool? {
        identity.load(ordering: .acquiring) == UInt(pthread_self())
    }

    /// Lends a new thread to connections that share it; it ends with the last of them.
    package static func lend<R>(to sharers: (ConnectionThread) throws -> R) rethrows -> R {
        let thread = ConnectionThread()
        defer { thread.retire() }
        return try sharers(thread)
    }

    /// The same thread for one connection more.
    package func shared() -> ConnectionThread {
        state.withLock { $0.owners += 1 }
        return self
    }

    /// Gives the thread up: without owners it ends once its queue is empty, and must not be used afterwards.
    package func retire() {
        state.withLock { $0.owners -= 1 }
        wake()
    }

    /// Calls `onReady` on this thread when `descriptor` becomes readable, and at least once every `tick`.
    ///
    /// Each owner watches one descriptor at most.
    package func watch(
        _ descriptor: Int32, for owner: AnyObject, every tick: Duration, onReady: @escaping @Sendable () -> Void
    ) {
        let watch = Watch(
            owner: ObjectIdentifier(owner), descriptor: descriptor, tick: tick, nextTick: .now + tick, onReady: onReady)
        state.withLock { state in
            state.watches.removeAll { $0.owner == watch.owner }
            state.watches.append(watch)
        }
        wake()
    }

    /// Brings the owner's next tick forward to `instant`, if it would be later.
    package func tick(by instant: ContinuousClock.Instant, for owner: AnyObject) {
        let id = ObjectIdentifier(owner)
        let mustWake = state.withLock { state in
            guard let index = state.watches.firstIndex(where: { $0.owner == id }),
                instant < state.watches[index].nextTick
            else { return false }
            state.watches[index].nextTick = instant
            return state.isAsleep
        }
        if mustWake { wake() }
    }

    /// Lets the owner's descriptor wake the thread, or with `false` only its ticks.
    package func listen(_ isListening: Bool, for owner: AnyObject) {
        let id = ObjectIdentifier(owner)
        state.withLock { state in
            guard let index = state.watches.firstIndex(where: { $0.owner == id }) else { return }
            state.watches[index].isListening = isListening
        }
        wake()
    }

    /// Stops watching; call it before the descriptor is closed, for the number may be given to another.
    package func unwatch(for owner: AnyObject) {
        let id = ObjectIdentifier(owner)
        state.withLock { $0.watches.removeAll { $0.owner == id } }
    }

    /// Waits, within a job, for `events` of one descriptor, and answers which there are; none at the deadline.
    ///
    /// The connections that share the thread read meanwhile what comes for them; jobs wait.
    package func wait(
        for events: Int32, of descriptor: Int32, until deadline: ContinuousClock.Instant
    ) -> Int32 {
        while true {
            let found = poll(descriptor, for: events, until: deadline)
            if found != 0 || ContinuousClock.now >= deadline { return found }
        }
    }

    private func wake() {
        // A full pipe already holds a wake-up, so a short write is as good as a whole one; who has not begun is awake.
        _ = unsafe [UInt8(1)].withUnsafeBytes { unsafe write(writer.load(ordering: .acquiring), $0.baseAddress, 1) }
    }

    private func run() {
        identity.store(UInt(pthread_self()), ordering: .releasing)
        while true {
            runJobs()
            let isOver = state.withLock { state in
                state.isAsleep = state.jobs.isEmpty
                return state.owners <= 0 && state.jobs.isEmpty
            }
            if isOver { return }
            sleep()
        }
    }

    private func runJobs() {
        while true {
            let next = state.withLock { state in
                state.isAsleep = false
                return state.jobs.popFirst()
            }
            guard let job = next else { return }
            unsafe job.runSynchronously(
                isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
        }
    }

    private func sleep() {
        let isAsleep = state.withLock { $0.isAsleep }
        let reader = reader.load(ordering: .relaxed)
        guard poll(reader, for: POLLIN, until: isAsleep ? nil : .now) != 0 else { return }
        var drained = [UInt8](repeating: 0, count: 64)
        while unsafe read(reader, &drained, drained.count) == drained.count {}
    }

    /// Sleeps until something happens to this descriptor or a watched one, a tick is due or the deadline has come.
    ///
    /// Tells the watches that are concerned, and answers what happened to this descriptor.
    private func poll(_ descriptor: Int32, for events: Int32, until deadline: ContinuousClock.Instant?) -> Int32 {
        let watches = state.withLock { $0.watches }
        var entries = [pollfd(fd: descriptor, events: Int16(events), revents: 0)]
        // A negative descriptor is passed over; `poll(2)`.
        entries += watches.map { pollfd(fd: $0.isListening ? $0.descriptor : -1, events: Int16(POLLIN), revents: 0) }
        let end = watches.reduce(deadline) { end, watch in min(end ?? watch.nextTick, watch.nextTick) }
        Self.sleep(watching: &entries, until: end)
        state.withLock { $0.isAsleep = false }
        for (watch, entry) in zip(watches, entries.dropFirst())
        where entry.revents != 0 || ContinuousClock.now >= watch.nextTick { notify(watch) }
        return Int32(entries[0].revents)
    }

    /// `ppoll(2)`, because `poll(2)` rounds a lane's pauses of a few milliseconds up to whole ones.
    private static func sleep(watching entries: inout [pollfd], until end: ContinuousClock.Instant?) {
        let count = nfds_t(entries.count)
        guard let end else {
            _ = unsafe precise_poll(&entries, count, nil)
            return
        }
        let (seconds, attoseconds) = max(.zero, ContinuousClock.now.duration(to: end)).components
        var timeout = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        _ = unsafe precise_poll(&entries, count, &timeout)
    }

    /// Runs the callback unless the watch was ended meanwhile, and sets its next tick.
    private func notify(_ watch: Watch) {
        let isCurrent = state.withLock { state in
            guard
                let index = state.watches.firstIndex(where: {
                    $0.owner == watch.owner && $0.descriptor == watch.descriptor
                })
            else { return false }
            state.watches[index].nextTick = ContinuousClock.now + watch.tick
            return true
        }
        if isCurrent { watch.onReady() }
    }
}
