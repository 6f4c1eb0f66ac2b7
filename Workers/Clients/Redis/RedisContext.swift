import CHiredis
import Connections
import Glibc

/// The only owner of a `redisContext`; letting it go closes the socket.
///
/// After any error it must be let go.
@safe struct RedisContext: ~Copyable {
    /// What the answers to one exchange may hold: whoever sends more is no Redis that we have asked anything.
    private static let elementsAtOnce: UInt64 = 100_000
    private static let bytesAtOnce = 64 * 1024 * 1024

    private let context: UnsafeMutablePointer<redisContext>
    private let allowance: UnsafeMutablePointer<reply_allowance>

    /// Connects within the timeout.
    ///
    /// `redisConnectWithTimeout`.
    static func open(_ configuration: RedisConfiguration) throws(RedisError) -> RedisContext {
        let limit = timeval(configuration.timeout)
        guard let opened = unsafe redisConnectWithTimeout(configuration.host, Int32(configuration.port), limit) else {
            throw RedisError(.connectionLost, detail: "hiredis has no memory")
        }
        let context = unsafe RedisContext(opened)
        try context.check()
        context.stopBlocking()
        return context
    }

    private init(_ context: UnsafeMutablePointer<redisContext>) {
        unsafe self.context = unsafe context
        unsafe allowance = .allocate(capacity: 1)
        unsafe allowance.initialize(to: reply_allowance())
        if unsafe context.pointee.reader != nil { unsafe limit_replies(context, allowance) }
    }

    deinit {
        unsafe redisFree(context)
        unsafe allowance.deallocate()
    }

    /// Whether the link stands and is silent; anything to read before we asked means that it cannot be used.
    func isQuiet() -> Bool {
        var entry = pollfd(fd: unsafe context.pointee.fd, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) == 0
    }

    /// Sends the commands together and reads as many replies, all before the deadline.
    func exchange(
        _ commands: [RedisCommand], until deadline: ContinuousClock.Instant
    ) throws(RedisError) -> [RedisReply] {
        for command in commands { try append(command) }
        var replies: [RedisReply] = []
        replies.reserveCapacity(commands.count)
        unsafe allowance.pointee.elements = Self.elementsAtOnce
        var received = 0
        var isSent = false
        while replies.count < commands.count {
            let isReadable = try wait(orWritable: !isSent, until: deadline)
            if !isSent {
                var done: Int32 = 0
                unsafe redisBufferWrite(context, &done)
                try check()
                isSent = done == 1
            }
            guard isReadable else { continue }
            let unread = unsafe context.pointee.reader.pointee.len
            unsafe redisBufferRead(context)
            try check()
            received += unsafe context.pointee.reader.pointee.len - unread
            guard received <= Self.bytesAtOnce else {
                throw RedisError(.protocolViolation, detail: "more than \(Self.bytesAtOnce) bytes of answers")
            }
            while replies.count < commands.count, let reply = try nextReply() { replies.append(reply.value) }
        }
        return replies
    }

    /// Puts a command into the output buffer, its words with their lengths.
    ///
    /// `redisAppendCommandArgv`.
    private func append(_ command: RedisCommand) throws(RedisError) {
        let appended = unsafe command.bytes.withUnsafeBytes { buffer in
            var start = unsafe buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            var words: [UnsafePointer<CChar>?] = unsafe []
            for length in command.lengths {
                unsafe words.append(start)
                unsafe start = unsafe start?.advanced(by: length)
            }
            return unsafe redisAppendCommandArgv(context, Int32(command.lengths.count), &words, command.lengths)
        }
        guard appended == REDIS_OK else { throw failure() }
    }

    /// The next whole reply that has been read, or nil.
    ///
    /// `redisGetReplyFromReader`.
    private func nextReply() throws(RedisError) -> ReplyHandle? {
        var reply: UnsafeMutableRawPointer?
        guard unsafe redisGetReplyFromReader(context, &reply) == REDIS_OK else {
            guard unsafe allowance.pointee.is_exceeded == 0 else {
                throw RedisError(.protocolViolation, detail: "an answer of too many elements, or nested too deeply")
            }
            throw failure()
        }
        guard let reply = unsafe reply else { return nil }
        return unsafe ReplyHandle(reply)
    }

    /// Sleeps until something came or can be written; answers whether something came.
    private func wait(
        orWritable: Bool, until deadline: ContinuousClock.Instant
    ) throws(RedisError) -> Bool {
        let interest = orWritable ? POLLIN | POLLOUT : POLLIN
        var entry = pollfd(fd: unsafe context.pointee.fd, events: Int16(interest), revents: 0)
        let rest = ContinuousClock.now.duration(to: deadline)
        let ready = rest > .zero ? unsafe poll(&entry, 1, rest.milliseconds) : 0
        guard ready != 0 else { throw RedisError(.timedOut, detail: "no answer in time") }
        return ready > 0 && entry.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0
    }

    /// Lets reads and writes return at once, for `poll` does the waiting; hiredis looks at its own flag too.
    private func stopBlocking() {
        let descriptor = unsafe context.pointee.fd
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        unsafe context.pointee.flags &= ~REDIS_BLOCK
    }

    private func check() throws(RedisError) {
        if unsafe context.pointee.err != 0 { throw failure() }
    }

    private func failure() -> RedisError {
        let isLate = errno == ETIMEDOUT || errno == EAGAIN
        let words = unsafe withUnsafeBytes(of: context.pointee.errstr) { words in
            unsafe String(decoding: words.prefix { $0 != 0 }, as: UTF8.self)
        }
        switch unsafe context.pointee.err {
        case REDIS_ERR_PROTOCOL: return RedisError(.protocolViolation, detail: words)
        case REDIS_ERR_IO where isLate: return RedisError(.timedOut, detail: words)
        default: return RedisError(.connectionLost, detail: words)
        }
    }
}

extension timeval {
    /// A duration for `select` and `setsockopt`, in whole microseconds.
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, capped at what `poll` can wait for.
    fileprivate var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
