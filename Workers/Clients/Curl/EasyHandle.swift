import CCurl
import FoundationEssentials

/// The only owner of a `CURL` handle, set up for one request.
@safe struct EasyHandle: ~Copyable {
    let pointer: UnsafeMutableRawPointer
    private let lastWords: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?
    private var route: UnsafeMutablePointer<curl_slist>?

    /// Makes a handle with everything set up that connects to nothing yet.
    ///
    /// - Parameter transfer: is told what happens, and must live as long as the handle.
    static func open(
        for transfer: Transfer, _ configuration: CurlConfiguration
    ) throws(TransferFailure) -> EasyHandle {
        guard let pointer = unsafe curl_easy_init() else { throw .outOfMemory }
        var easy = unsafe EasyHandle(pointer)
        try easy.limitReach(of: transfer, configuration)
        try easy.setTrust(configuration)
        try easy.setRequest(transfer)
        try easy.setRoute(transfer.request.address)
        try easy.report(to: transfer)
        return easy
    }

    private init(_ pointer: UnsafeMutableRawPointer) {
        unsafe self.pointer = unsafe pointer
        unsafe lastWords = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe lastWords.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe headers = nil
        unsafe route = nil
        _ = unsafe curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, lastWords)
    }

    deinit {
        unsafe curl_easy_cleanup(pointer)
        unsafe curl_slist_free_all(headers)
        unsafe curl_slist_free_all(route)
        unsafe lastWords.deallocate()
    }

    /// How the current answer comes; asked for when its head is complete.
    var connection: (CurlHead.Version, isReused: Bool) {
        var version = 0
        var opened = 0
        _ = unsafe curl_get_number(pointer, CURLINFO_HTTP_VERSION, &version)
        _ = unsafe curl_get_number(pointer, CURLINFO_NUM_CONNECTS, &opened)
        return (version == CURL_HTTP_VERSION_2_0 ? .http2 : .http1, opened == 0)
    }

    /// The `errno` of the last system call on the connection that failed; zero if none did.
    ///
    /// `CURLINFO_OS_ERRNO(3)`.
    var systemError: Int {
        var number = 0
        _ = unsafe curl_get_number(pointer, CURLINFO_OS_ERRNO, &number)
        return number
    }

    /// What libcurl says about the failure: the server's words where it has any.
    ///
    /// `CURLOPT_ERRORBUFFER(3)`.
    borrowing func lastWords(_ code: CURLcode) -> String {
        let told = unsafe words(lastWords)
        return told.isEmpty ? unsafe words(curl_easy_strerror(code)) : told
    }

    /// Lets a paused body go on; what had arrived is handed on before this returns.
    ///
    /// `curl_easy_pause(3)`.
    borrowing func resume() {
        _ = unsafe curl_easy_pause(pointer, CURLPAUSE_CONT)
    }
}

/// How each option is set.
extension EasyHandle {
    private func set(_ option: CURLoption, _ number: Int) throws(TransferFailure) {
        try check(unsafe curl_set_number(pointer, option, number))
    }

    private func set(_ option: CURLoption, _ text: String?) throws(TransferFailure) {
        try check(unsafe curl_set_text(pointer, option, text))
    }

    private func check(_ code: CURLcode) throws(TransferFailure) {
        guard code != CURLE_OK else { return }
        throw TransferFailure(.init(code), unsafe words(curl_easy_strerror(code)))
    }

    private static func append(
        _ line: String, to list: inout UnsafeMutablePointer<curl_slist>?
    ) throws(TransferFailure) {
        guard let longer = unsafe curl_slist_append(list, line) else { throw .outOfMemory }
        unsafe list = unsafe longer
    }

    /// Nothing outside the call decides where it goes: no proxy, netrc, cookie, redirect or signal.
    private func limitReach(of transfer: Transfer, _ configuration: CurlConfiguration) throws(TransferFailure) {
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_PROXY, "")
        try set(CURLOPT_NOPROXY, "*")
        try set(CURLOPT_NETRC, 0)
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_PROTOCOLS_STR, configuration.requiresTLS ? "https" : "http,https")
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        try set(CURLOPT_PATH_AS_IS, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, transfer.request.connectTimeout.bounded.wholeMilliseconds)
        try set(CURLOPT_MAXAGE_CONN, max(1, Int(configuration.keptFor.bounded.components.seconds)))
        // Without it the end of a transfer waits for a resolver that does not answer.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
    }

    /// TLS 1.2 or later, and a certificate for this host by an authority that is trusted.
    private func setTrust(_ configuration: CurlConfiguration) throws(TransferFailure) {
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        guard let file = configuration.authoritiesFile else { return }
        try set(CURLOPT_CAINFO, file)
        // The folder of the system's authorities is trusted besides the file, unless it is taken away.
        try set(CURLOPT_CAPATH, nil)
    }

    private mutating func setRequest(_ transfer: Transfer) throws(TransferFailure) {
        let request = transfer.request
        try check(unsafe curl_set_url(pointer, transfer.url.pointer))
        // One paused stream of HTTP/2 would hold up the others of its connection.
        let newest = transfer.isStreamed ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS
        try set(CURLOPT_HTTP_VERSION, Int(newest))
        // A length that is announced and too large ends the transfer before the body comes; HEAD only asks for it.
        if request.method != "HEAD" {
            try check(unsafe curl_set_size(pointer, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(max(0, request.bodyLimit))))
        }
        if request.decompresses { try set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate") }
        try setMethod(request)
        for field in request.headers.fields {
            // libcurl takes a name with a colon and nothing behind it as "leave this header out".
            let value = field.value.allSatisfy { $0 == " " || $0 == "\t" } ? ";" : ": \(field.value)"
            unsafe try Self.append(field.name + value, to: &headers)
        }
        for own in ["Accept", "Content-Type", "Expect"] where request.headers[own] == nil {
            unsafe try Self.append(own + ":", to: &headers)
        }
        try check(unsafe curl_set_list(pointer, CURLOPT_HTTPHEADER, headers))
    }

    private func setMethod(_ request: CurlRequest) throws(TransferFailure) {
        if request.method == "HEAD" { return try set(CURLOPT_NOBODY, 1) }
        if request.body != nil || request.impliesBody {
            let body = request.body ?? Data()
            try check(unsafe curl_set_size(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
            let code = unsafe body.withUnsafeBytes { bytes in
                let start = unsafe bytes.baseAddress.map { unsafe UnsafeMutableRawPointer(mutating: $0) }
                return body.isEmpty
                    ? unsafe curl_set_text(pointer, CURLOPT_COPYPOSTFIELDS, "")
                    : unsafe curl_set_pointer(pointer, CURLOPT_COPYPOSTFIELDS, start)
            }
            try check(code)
        } else {
            try set(CURLOPT_HTTPGET, 1)
        }
        try set(CURLOPT_CUSTOMREQUEST, request.method)
    }

    /// Connects every host and port to this address instead of resolving the name.
    ///
    /// `CURLOPT_CONNECT_TO(3)`.
    private mutating func setRoute(_ address: IPAddress?) throws(TransferFailure) {
        guard let address else { return }
        unsafe try Self.append("::\(address.isV6 ? "[\(address)]" : "\(address)"):", to: &route)
        try check(unsafe curl_set_list(pointer, CURLOPT_CONNECT_TO, route))
    }
}

extension Duration {
    /// For libcurl, in which zero means no limit.
    fileprivate var wholeMilliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
