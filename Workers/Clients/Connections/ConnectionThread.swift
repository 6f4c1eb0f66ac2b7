import DequeModule
import Glibc
import Synchronization

/// Runs one connection's actor on one thread that sleeps in `poll` until there is a job, a readable socket or a tick.
///
/// A C library's handle may be used by one thread at a time and its calls block; so each connection owns a thread,
/// and the cooperative pool never waits for a socket. A `pipe(2)` wakes the thread, `poll(2)` is its only sleep.
package final class ConnectionThread: SerialExecutor, TaskExecutor {
    private struct Watch {
        let descriptor: Int32
        let tick: Duration
        var nextTick: ContinuousClock.Instant
        let onReady: @Sendable () -> Void
    }

    private struct State: ~Copyable {
        var jobs = Deque<UnownedJob>()
        var watch: Watch?
        var isAsleep = false
        var isRetired = false
    }

    private let wakeUp: (reader: Int32, writer: Int32)
    private let state = Mutex(State())
    private let identity = Atomic<UInt>(0)

    package init() {
        var ends: [Int32] = [-1, -1]
        let piped = unsafe pipe(&ends)
        precondition(piped == 0, "pipe failed: no descriptors left for a connection thread")
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        wakeUp = (ends[0], ends[1])
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let owned = unsafe Unmanaged.passRetained(self).toOpaque()
        var thread = pthread_t()
        let started = unsafe pthread_create(
            &thread, &attributes,
            { owner in
                guard let owner = unsafe owner else { return nil }
                unsafe Unmanaged<ConnectionThread>.fromOpaque(owner).takeRetainedValue().run()
                return nil
            }, owned)
        unsafe pthread_attr_destroy(&attributes)
        precondition(started == 0, "pthread_create failed: no threads left for a connection")
    }

    deinit {
        close(wakeUp.reader)
        close(wakeUp.writer)
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

    /// Calls `onReady` on this thread when `descriptor` becomes readable, and at least once every `tick`.
    package func watch(_ descriptor: Int32, every tick: Duration, onReady: @escaping @Sendable () -> Void) {
        let watch = Watch(
            descriptor: descriptor, tick: tick, nextTick: ContinuousClock.now + tick, onReady: onReady)
        state.withLock { $0.watch = watch }
        wake()
    }

    /// Brings the next tick forward to `instant`, if it would be later.
    package func tick(by instant: ContinuousClock.Instant) {
        let mustWake = state.withLock { state in
            guard let next = state.watch?.nextTick, instant < next else { return false }
            state.watch?.nextTick = instant
            return state.isAsleep
        }
        if mustWake { wake() }
    }

    /// Stops watching; call it before the descriptor is closed, for the number may be given to another.
    package func unwatch() {
        state.withLock { $0.watch = nil }
    }

    /// Ends the thread once its queue is empty; the executor must not be used afterwards.
    package func retire() {
        state.withLock { $0.isRetired = true }
        wake()
    }

    private func wake() {
        // A full pipe already holds a wake-up, so a short write is as good as a whole one.
        _ = unsafe [UInt8(1)].withUnsafeBytes { unsafe write(wakeUp.writer, $0.baseAddress, 1) }
    }

    private func run() {
        identity.store(UInt(pthread_self()), ordering: .releasing)
        while true {
            runJobs()
            let (watch, isOver) = state.withLock { state in
                state.isAsleep = state.jobs.isEmpty
                return (state.watch, state.isRetired && state.jobs.isEmpty)
            }
            if isOver { return }
            sleep(until: watch)
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

    private func sleep(until watch: Watch?) {
        var descriptors = [pollfd(fd: wakeUp.reader, events: Int16(POLLIN), revents: 0)]
        if let watch { descriptors.append(pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0)) }
        let isAsleep = state.withLock { $0.isAsleep }
        let timeout = isAsleep ? watch.map { ContinuousClock.now.duration(to: $0.nextTick).milliseconds } ?? -1 : 0
        unsafe poll(&descriptors, nfds_t(descriptors.count), max(timeout, watch == nil ? -1 : 0))
        state.withLock { $0.isAsleep = false }
        if descriptors[0].revents != 0 {
            var drained = [UInt8](repeating: 0, count: 64)
            while unsafe read(wakeUp.reader, &drained, drained.count) == drained.count {}
        }
        guard let watch else { return }
        let isReadable = descriptors[1].revents != 0
        if isReadable || ContinuousClock.now >= watch.nextTick { notify(watch) }
    }

    /// Runs the callback unless the watch was ended meanwhile, and sets its next tick.
    private func notify(_ watch: Watch) {
        let isCurrent = state.withLock { state in
            guard state.watch?.descriptor == watch.descriptor else { return false }
            state.watch?.nextTick = ContinuousClock.now + watch.tick
            return true
        }
        if isCurrent { watch.onReady() }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, capped at what `poll` can wait for.
    package var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
