extension CurlRequest {
    /// Fields by which a caller could say something else than what is sent.
    private static let reserved: Set<String> = [
        "connection", "content-length", "expect", "http2-settings", "keep-alive", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    ]

    /// Refuses what would be sent as something else than it says: no method, name or value can end its line.
    ///
    /// - Throws: `invalidRequest`.
    func check() throws(TransferFailure) {
        guard method.isToken, method != "CONNECT" else { throw .invalid("the method is none that can be sent") }
        guard method != "HEAD" || body == nil else { throw .invalid("a HEAD request has no body") }
        guard timeout > .zero, connectTimeout > .zero, (silence ?? timeout) > .zero else {
            throw .invalid("a limit of time is not positive")
        }
        for field in headers.fields { try check(field) }
    }

    private func check(_ field: CurlHeaders.Field) throws(TransferFailure) {
        guard field.name.isToken else { throw .invalid("a header's name is none that can be sent") }
        guard field.value.isFieldValue else { throw .invalid("the value of header \(field.name) holds a control") }
        let name = field.name.lowercased()
        guard !Self.reserved.contains(name), !(decompresses && name == "accept-encoding") else {
            throw .invalid("the header \(field.name) is the client's own")
        }
    }
}

extension TransferFailure {
    fileprivate static func invalid(_ words: String) -> TransferFailure { TransferFailure(.invalidRequest, words) }
}

extension String {
    /// Whether it is a token of RFC 9110: letters, digits and some marks of ASCII, at least one.
    fileprivate var isToken: Bool {
        !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Whether it has no control but the tabulator.
    fileprivate var isFieldValue: Bool { utf8.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) } }
}
