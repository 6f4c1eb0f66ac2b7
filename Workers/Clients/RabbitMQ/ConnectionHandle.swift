import CRabbitMQ
import Glibc

/// The only owner of an `amqp_connection_state_t`; letting it go closes the socket.
///
/// The library allows one thread at a time. After any error but `notFound`, `preconditionFailed` and
/// `accessRefused` the connection is in an unknown state and must be let go.
@safe struct ConnectionHandle: ~Copyable {
    /// The one channel a connection carries here.
    static let channel: amqp_channel_t = 1
    /// The largest frame asked for; the library sets as much memory aside for reading and for writing.
    private static let frameMax: Int32 = 131_072

    let pointer: amqp_connection_state_t
    var arena: Arena

    init() throws(BrokerError) {
        guard let created = unsafe amqp_new_connection() else {
            throw BrokerError(.connectionLost, during: "connecting", "no memory for a connection")
        }
        unsafe pointer = created
        arena = Arena(capacity: Int(Self.frameMax))
    }

    deinit { unsafe amqp_destroy_connection(pointer) }

    /// The socket's number, or -1 when the library has closed it.
    var descriptor: Int32 { unsafe amqp_get_sockfd(pointer) }

    /// The largest frame both sides agreed on.
    var frameLimit: Int { unsafe Int(amqp_get_frame_max(pointer)) }

    /// Opens the TCP connection; `amqp_socket_open_noblock`.
    func connect(to host: BrokerConfiguration.Host, _ configuration: BrokerConfiguration) throws(BrokerError) {
        var patience = timeval(configuration.connectTimeout)
        let socket = unsafe amqp_tcp_socket_new(pointer)
        let status = unsafe amqp_socket_open_noblock(socket, host.host, Int32(host.port), &patience)
        if status == AMQP_STATUS_TIMEOUT.rawValue {
            throw BrokerError(.connectTimedOut, during: "connecting", "no answer from \(host.host):\(host.port)")
        }
        if status == AMQP_STATUS_SOCKET_ERROR.rawValue {
            throw BrokerError(
                .connectionLost, during: "connecting", "nothing accepts connections at \(host.host):\(host.port)")
        }
        try check(status, "connecting to \(host.host):\(host.port)")
        setOption(IPPROTO_TCP, TCP_NODELAY, 1)
        // A machine that is gone says nothing: the kernel asks it after five seconds without a word, and gives up after
        // ten, long before the heartbeat would.
        setOption(Int(SOL_SOCKET), SO_KEEPALIVE, 1)
        setOption(IPPROTO_TCP, TCP_KEEPIDLE, 5)
        setOption(IPPROTO_TCP, TCP_KEEPINTVL, 2)
        setOption(IPPROTO_TCP, TCP_KEEPCNT, 3)
        setOption(IPPROTO_TCP, TCP_USER_TIMEOUT, 10_000)
    }

    /// Logs in and agrees on heartbeats, with the capabilities the library leaves out; `amqp_login_with_properties`.
    func logIn(_ configuration: BrokerConfiguration) throws(BrokerError) {
        var handshake = timeval(configuration.connectTimeout)
        var patience = timeval(configuration.rpcTimeout)
        unsafe amqp_set_handshake_timeout(pointer, &handshake)
        unsafe amqp_set_rpc_timeout(pointer, &patience)
        let heartbeat = Int32(clamping: configuration.heartbeat.components.seconds)
        let reply = unsafe broker_login(
            pointer, configuration.virtualHost, Self.frameMax, heartbeat, configuration.connectionName,
            configuration.user, configuration.password)
        do throws(BrokerError) { try unsafe check(reply, "logging in") } catch {
            guard error.code == .timedOut else { throw error }
            throw BrokerError(.connectTimedOut, during: error.operation, error.detail)
        }
        guard frameLimit >= 4096 else {
            throw BrokerError(.protocolViolation, during: "logging in", "frames of \(frameLimit) bytes")
        }
    }

    /// The next frame, or nil when none comes in time; heartbeats are answered on the way.
    func readFrame(waiting: Duration = .zero) throws(BrokerError) -> Frame? {
        var frame = unsafe amqp_frame_t()
        var patience = timeval(waiting)
        let status = unsafe amqp_simple_wait_frame_noblock(pointer, &frame, &patience)
        if status == AMQP_STATUS_TIMEOUT.rawValue { return nil }
        try check(status, "reading frames")
        guard unsafe frame.channel <= Self.channel else {
            throw BrokerError(.protocolViolation, during: "reading frames", "a frame on a channel never opened")
        }
        let copy = try unsafe Frame(copying: frame)
        // All is copied, and the library is between two frames: the only time it can reuse its memory.
        unsafe amqp_maybe_release_buffers_on_channel(pointer, frame.channel)
        return copy
    }

    /// Whether frames wait inside the library, where `poll` does not see them.
    var hasBufferedFrames: Bool {
        unsafe amqp_frames_enqueued(pointer) != 0 || amqp_data_in_buffer(pointer) != 0
    }

    /// Holds small packets back until it is called with false, so that a batch travels in full ones; `TCP_CORK`.
    func holdPackets(_ isHolding: Bool) {
        setOption(IPPROTO_TCP, TCP_CORK, isHolding ? 1 : 0)
    }

    /// Says goodbye and waits for the answer; `amqp_connection_close`.
    func sayGoodbye() {
        _ = unsafe amqp_connection_close(pointer, AMQP_REPLY_SUCCESS)
    }

    /// Options only make the connection better: one that cannot be set is left as it is.
    private func setOption(_ level: Int, _ name: Int32, _ value: Int32) {
        var value = value
        _ = unsafe setsockopt(descriptor, Int32(level), name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}

extension ConnectionHandle {
    /// Turns a library status into an error.
    func check(_ status: Int32, _ operation: String) throws(BrokerError) {
        guard status != AMQP_STATUS_OK.rawValue else { return }
        let code: BrokerError.Code =
            switch amqp_status_enum(status) {
            case AMQP_STATUS_TIMEOUT: .timedOut
            case AMQP_STATUS_BAD_AMQP_DATA, AMQP_STATUS_UNKNOWN_CLASS, AMQP_STATUS_UNKNOWN_METHOD,
                AMQP_STATUS_WRONG_METHOD, AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION, AMQP_STATUS_UNEXPECTED_STATE:
                .protocolViolation
            case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD: .accessRefused
            default: .connectionLost
            }
        throw BrokerError(code, during: operation, unsafe String(cString: amqp_error_string2(status)))
    }

    /// Turns the answer to a request into an error, and confirms a close where the broker asks for it.
    func check(_ reply: amqp_rpc_reply_t, _ operation: String) throws(BrokerError) {
        switch unsafe reply.reply_type {
        case AMQP_RESPONSE_NORMAL: return
        case AMQP_RESPONSE_SERVER_EXCEPTION:
            switch unsafe Frame(copyingMethod: reply.reply) {
            case .channelClosed(let code, let text):
                try confirmChannelClose()
                throw BrokerError(replyCode: code, text: text, during: operation)
            case .connectionClosed(let code, let text):
                try confirmConnectionClose()
                throw BrokerError(replyCode: code, text: text, during: operation)
            case let answer:
                throw BrokerError(.protocolViolation, during: operation, "unexpected answer \(answer)")
            }
        case AMQP_RESPONSE_LIBRARY_EXCEPTION: try unsafe check(reply.library_error, operation)
        default: throw BrokerError(.connectionLost, during: operation, "the broker closed the socket")
        }
    }

    /// Answers `channel.close`, after which the channel's number may be opened again.
    func confirmChannelClose() throws(BrokerError) {
        var answer = amqp_channel_close_ok_t()
        let status = unsafe amqp_send_method(pointer, Self.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &answer)
        try check(status, "closing the channel")
    }

    /// Answers `connection.close`, after which only letting go is left.
    func confirmConnectionClose() throws(BrokerError) {
        var answer = amqp_connection_close_ok_t()
        let status = unsafe amqp_send_method(pointer, 0, AMQP_CONNECTION_CLOSE_OK_METHOD, &answer)
        try check(status, "closing the connection")
    }
}

extension timeval {
    fileprivate init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
    }
}
