import CCurl

/// The only owner of a parsed URL: what is judged here is what libcurl connects to, for nobody parses it again.
@safe struct URLHandle: ~Copyable {
    let pointer: OpaquePointer
    /// `http` or `https`.
    let scheme: String
    /// Scheme, host and port, the latter also where it is the usual one.
    let origin: String

    /// Parses an absolute URL of printable ASCII.
    ///
    /// `curl_url_set(3)`.
    ///
    /// - Throws: `invalidRequest` for anything else, for another scheme, and for a URL with user or password.
    static func parse(_ text: String) throws(TransferFailure) -> URLHandle {
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw TransferFailure(.invalidRequest, "the URL holds blanks, controls or letters beyond ASCII")
        }
        // The library would read "http:/a" and "http:///a" as "http://a".
        let scheme = text.prefix { $0 != "/" }
        guard text.dropFirst(scheme.count).hasPrefix("//"), text.dropFirst(scheme.count + 2).first != "/" else {
            throw TransferFailure(.invalidRequest, "the URL names no host")
        }
        guard let pointer = unsafe curl_url() else { throw .outOfMemory }
        let flags = UInt32(CURLU_DISALLOW_USER | CURLU_PATH_AS_IS)
        let result = unsafe curl_url_set(pointer, CURLUPART_URL, text, flags)
        let url = unsafe URLHandle(pointer)
        guard result == CURLUE_OK else {
            throw TransferFailure(.invalidRequest, unsafe "the URL cannot be read: \(words(curl_url_strerror(result)))")
        }
        guard url.scheme == "http" || url.scheme == "https" else {
            throw TransferFailure(.invalidRequest, "the URL's scheme is neither http nor https")
        }
        return url
    }

    private init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
        let parts = [CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT].map { unsafe part($0, of: pointer) ?? "" }
        scheme = parts[0]
        origin = "\(parts[0])://\(parts[1]):\(parts[2])"
    }

    deinit {
        unsafe curl_url_cleanup(pointer)
    }

    /// The URL that a reference leads to from here, without a fragment; nil for one that cannot be read.
    ///
    /// `curl_url_set(3)` resolves it by RFC 3986.
    borrowing func resolving(_ reference: String) -> String? {
        guard let copy = unsafe curl_url_dup(pointer) else { return nil }
        defer { unsafe curl_url_cleanup(copy) }
        guard unsafe curl_url_set(copy, CURLUPART_URL, reference, UInt32(CURLU_DISALLOW_USER)) == CURLUE_OK,
            unsafe curl_url_set(copy, CURLUPART_FRAGMENT, nil, 0) == CURLUE_OK
        else { return nil }
        return unsafe part(CURLUPART_URL, of: copy)
    }
}

/// `curl_url_get(3)`.
private func part(_ part: CURLUPart, of url: OpaquePointer) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(url, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text = unsafe text else {
        return nil
    }
    defer { unsafe curl_free(text) }
    return unsafe String(cString: text)
}

/// A C string that the library keeps.
func words(_ text: UnsafePointer<CChar>?) -> String {
    guard let text = unsafe text else { return "" }
    return unsafe String(cString: text)
}
