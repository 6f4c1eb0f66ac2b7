/// Follows the redirects of one call: only those that were asked for, and never out of TLS.
struct Redirects {
    private var remaining: Int
    /// The request to send next.
    private(set) var request: CurlRequest

    init(_ request: CurlRequest) {
        self.request = request
        remaining = request.redirectLimit
    }

    /// Whether the request has to be sent again, elsewhere; `request` then is the new one.
    ///
    /// Another origin gets none of the caller's headers but `Accept` and `Accept-Language`, for others may be secrets.
    ///
    /// - Throws: `redirectRefused` beyond the limit, out of TLS, to another scheme, to another origin than the address
    ///   was given for, and where `Location` cannot be read.
    mutating func mustFollow(_ head: CurlHead, from url: borrowing URLHandle) throws(TransferFailure) -> Bool {
        guard request.redirectLimit > 0, ["GET", "HEAD"].contains(request.method),
            [301, 302, 303, 307, 308].contains(head.status), let location = head.headers["Location"]
        else { return false }
        guard remaining > 0 else { throw .refused("there are more than \(request.redirectLimit) redirects") }
        remaining -= 1
        guard let text = url.resolving(location) else { throw .refused("its location cannot be read") }
        let target = try Self.target(text)
        guard url.scheme == target.scheme || target.scheme == "https" else { throw .refused("it leads out of TLS") }
        if url.origin != target.origin {
            guard request.address == nil else { throw .refused("it leads away from the address that was given") }
            request.headers.keepOnly(["Accept", "Accept-Language"])
        }
        request.url = text
        return true
    }

    private static func target(_ text: String) throws(TransferFailure) -> URLHandle {
        do throws(TransferFailure) { return try URLHandle.parse(text) } catch { throw .refused(error.words) }
    }
}

extension TransferFailure {
    fileprivate static func refused(_ words: String) -> TransferFailure { TransferFailure(.redirectRefused, words) }
}

extension CurlHeaders {
    fileprivate mutating func keepOnly(_ names: [String]) {
        var kept = CurlHeaders()
        for name in names { for value in values(of: name) { kept.add(name, value) } }
        self = kept
    }
}
