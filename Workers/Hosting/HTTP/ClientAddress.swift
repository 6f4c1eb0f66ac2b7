import NIOCore

/// Whom a connection is counted for.
package enum ClientAddress {
    /// The address without its port; of IPv6 the network of 64 bits, which one customer of a provider owns whole.
    package static func of(_ address: SocketAddress?) -> String {
        guard let text = address?.ipAddress else { return "unknown" }
        return network(of: text)
    }

    static func network(of text: String) -> String {
        guard text.contains(":") else { return text }
        if let embedded = text.split(separator: ":").last, embedded.contains(".") { return String(embedded) }
        let halves = text.split(separator: "%")[0].components(by: "::")
        let head = halves[0].split(separator: ":")
        let tail = halves.count > 1 ? halves[1].split(separator: ":") : []
        let zeros = Array(repeating: Substring("0"), count: max(0, 8 - head.count - tail.count))
        return (head + zeros + tail).prefix(4).joined(separator: ":") + "::/64"
    }
}

extension Substring {
    /// At most two parts: what stands before the first separator, and what behind it.
    fileprivate func components(by separator: String) -> [Substring] {
        guard let range = firstRange(of: separator) else { return [self] }
        return [self[..<range.lowerBound], self[range.upperBound...]]
    }
}
