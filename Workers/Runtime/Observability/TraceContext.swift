import Contracts
import FoundationEssentials

/// W3C Trace Context: the one line by which requests and messages of one cause are found together.
///
/// Only `traceparent` is carried. `tracestate` belongs to tracing systems that we are none of, and to keep it, every
/// row and message would grow by up to half a kilobyte.
package enum TraceContext {
    /// The context as version 00 if the text is a well-formed `traceparent`, else nil: a malformed one is ignored.
    ///
    /// Of a later version the known part counts, as the recommendation wants it.
    package static func valid(_ text: String) -> String? {
        let bytes = text.utf8Span.span
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash else { return nil }
        guard let isFirstVersion = isZero(bytes, 0..<2), isZero(bytes, 3..<35) == false,
            isZero(bytes, 36..<52) == false, isZero(bytes, 53..<55) != nil
        else { return nil }
        if isFirstVersion { return bytes.count == 55 ? text : nil }
        let isForbidden = bytes[0] == UInt8(ascii: "f") && bytes[1] == UInt8(ascii: "f")
        guard !isForbidden, bytes.count == 55 || bytes[55] == dash else { return nil }
        return "00" + text.dropFirst(2).prefix(53)
    }

    /// Whether a lower-case hexadecimal number is zero; nil for what is no number.
    private static func isZero(_ bytes: Span<UInt8>, _ places: Range<Int>) -> Bool? {
        var isZero = true
        for place in places {
            guard isLowercaseHexadecimal(bytes[place]) else { return nil }
            if bytes[place] != zero { isZero = false }
        }
        return isZero
    }

    /// The context of a message that follows from `cause`: the same trace, and the message as its span.
    ///
    /// - Parameters:
    ///   - cause: a well-formed context.
    ///   - span: a UUID's text, whose second half becomes the span's id.
    package static func child(of cause: String, span: String) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(55)
        let prefix = cause.utf8Span.span
        for place in 0..<min(36, prefix.count) { bytes.append(prefix[place]) }
        appendSpan(span, to: &bytes)
        bytes.append(dash)
        bytes.append(zero)
        bytes.append(isSampled(cause) ? zero + 1 : zero)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The context of what nobody traced before us: a trace named like the thing it is about, and recorded by nobody.
    package static func root(_ id: some Identifier) -> String {
        let text = id.description
        var bytes = Array("00-".utf8) + text.utf8.filter { $0 != dash } + [dash]
        appendSpan(text, to: &bytes)
        bytes += "-00".utf8
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The 32 digits that name the trace.
    package static func traceID(of traceparent: String) -> String {
        String(traceparent.dropFirst(3).prefix(32))
    }

    private static let dash = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")

    /// The last sixteen digits of a UUID's text.
    private static func appendSpan(_ text: String, to bytes: inout [UInt8]) {
        let digits = text.utf8Span.span
        for place in 19..<36 where digits[place] != dash { bytes.append(digits[place]) }
    }

    /// Whether the lowest flag is set, the only one that is known; `a` is ten, and its code is odd.
    private static func isSampled(_ traceparent: String) -> Bool {
        guard let digit = traceparent.utf8.last else { return false }
        return (digit % 2 == 1) == (digit <= UInt8(ascii: "9"))
    }

    private static func isLowercaseHexadecimal(_ byte: UInt8) -> Bool {
        (zero...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}
