import CCurl
import Connections
import Glibc

/// The only owner of a `CURLM` handle: transfers, the connections that are kept, and the sockets of both.
@safe struct MultiHandle: ~Copyable {
    private let pointer: UnsafeMutableRawPointer
    private let wishes: Wishes

    /// Starts the library, once for the process, and makes a handle without connections.
    ///
    /// - Throws: `failed` when memory or descriptors have run out.
    static func open(_ configuration: CurlConfiguration) throws(TransferFailure) -> MultiHandle {
        guard isReady, let sockets = DescriptorSet(), let pointer = unsafe curl_multi_init() else {
            throw TransferFailure(.failed, "memory or descriptors have run out")
        }
        let multi = unsafe MultiHandle(pointer, sockets)
        try multi.setUp(configuration)
        return multi
    }

    private init(_ pointer: UnsafeMutableRawPointer, _ sockets: consuming DescriptorSet) {
        unsafe self.pointer = unsafe pointer
        wishes = Wishes(sockets)
    }

    private func setUp(_ configuration: CurlConfiguration) throws(TransferFailure) {
        let context = unsafe Unmanaged.passUnretained(wishes).toOpaque()
        let results = unsafe [
            curl_multi_set_watcher(pointer, watchSocket, context),
            curl_multi_set_timer(pointer, setTimer, context),
            curl_multi_set_number(pointer, CURLMOPT_MAXCONNECTS, max(1, configuration.keptConnections)),
            curl_multi_set_number(pointer, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX)),
        ]
        for code in results { try check(code) }
    }

    deinit {
        withExtendedLifetime(wishes) { _ = unsafe curl_multi_cleanup(pointer) }
    }

    /// Readable when there is something for `act` to do.
    var descriptor: Int32 { wishes.sockets.descriptor }

    /// When `act` must be called at the latest; nil while there is nothing to wait for.
    var timer: ContinuousClock.Instant? { wishes.timer }

    /// Takes a transfer up; it begins with the next `act`.
    ///
    /// `curl_multi_add_handle(3)`.
    borrowing func add(_ easy: borrowing EasyHandle) throws(TransferFailure) {
        try check(unsafe curl_multi_add_handle(pointer, easy.pointer))
    }

    /// Ends a transfer wherever it is; it must not be called by what the library calls.
    ///
    /// `curl_multi_remove_handle(3)`.
    borrowing func remove(_ easy: borrowing EasyHandle) {
        _ = unsafe curl_multi_remove_handle(pointer, easy.pointer)
    }

    /// Reads, writes and does what is due, without waiting.
    ///
    /// `curl_multi_socket_action(3)`.
    borrowing func act() {
        var running: Int32 = 0
        for event in wishes.sockets.events() {
            let what =
                (event.isReadable ? CURL_CSELECT_IN : 0) | (event.isWritable ? CURL_CSELECT_OUT : 0)
                | (event.hasFailed ? CURL_CSELECT_ERR : 0)
            _ = unsafe curl_multi_socket_action(pointer, event.descriptor, what, &running)
        }
        if let timer = wishes.timer, timer <= .now {
            wishes.timer = nil
            _ = unsafe curl_multi_socket_action(pointer, CURL_SOCKET_TIMEOUT, 0, &running)
        }
    }

    /// The transfers that have ended since the last time, by their number, and how.
    ///
    /// `curl_multi_info_read(3)`.
    borrowing func finished() -> [(id: UInt64, code: CURLcode)] {
        var found: [(id: UInt64, code: CURLcode)] = []
        var remaining: Int32 = 0
        while let message = unsafe curl_multi_info_read(pointer, &remaining) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            var id: UnsafeMutableRawPointer?
            _ = unsafe curl_get_pointer(message.pointee.easy_handle, CURLINFO_PRIVATE, &id)
            unsafe found.append((UInt64(UInt(bitPattern: id)), message.pointee.data.result))
        }
        return found
    }

    private func check(_ code: CURLMcode) throws(TransferFailure) {
        guard code != CURLM_OK else { return }
        throw TransferFailure(.failed, unsafe words(curl_multi_strerror(code)))
    }

    /// `curl_global_init(3)`; with TLS a write to a closed socket would otherwise be the end of the process.
    private static let isReady: Bool = {
        ignoreBrokenPipes()
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    }()
}

/// What the library waits for.
private final class Wishes {
    let sockets: DescriptorSet
    var timer: ContinuousClock.Instant?

    init(_ sockets: consuming DescriptorSet) {
        self.sockets = sockets
    }
}

/// `CURLMOPT_SOCKETFUNCTION(3)`.
private func watchSocket(
    _ easy: UnsafeMutableRawPointer?, _ socket: curl_socket_t, _ what: Int32, _ context: UnsafeMutableRawPointer?,
    _ own: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context = unsafe context else { return -1 }
    let wishes = unsafe Unmanaged<Wishes>.fromOpaque(context).takeUnretainedValue()
    guard what != CURL_POLL_REMOVE else {
        wishes.sockets.unwatch(socket)
        return 0
    }
    // One that cannot be watched costs its transfer, which then runs into its limit; an error would end all of them.
    _ = wishes.sockets.watch(socket, reading: what & CURL_POLL_IN != 0, writing: what & CURL_POLL_OUT != 0)
    return 0
}

/// `CURLMOPT_TIMERFUNCTION(3)`.
private func setTimer(
    _ multi: UnsafeMutableRawPointer?, _ milliseconds: Int, _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context = unsafe context else { return -1 }
    let wishes = unsafe Unmanaged<Wishes>.fromOpaque(context).takeUnretainedValue()
    wishes.timer = milliseconds < 0 ? nil : .now + .milliseconds(milliseconds)
    return 0
}
