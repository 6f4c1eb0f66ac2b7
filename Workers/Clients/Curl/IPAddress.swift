import Glibc

/// An address of IPv4 or IPv6.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// Four or sixteen of them, in the network's order.
    package let bytes: [UInt8]

    /// Nil for any other number of bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Reads `192.0.2.1` or `2001:db8::1`, without brackets, port or zone; nil for anything else.
    ///
    /// `inet_pton(3)`.
    package init?(_ text: String) {
        var found = [UInt8](repeating: 0, count: 16)
        if unsafe inet_pton(AF_INET, text, &found) == 1 {
            bytes = Array(found.prefix(4))
        } else if unsafe inet_pton(AF_INET6, text, &found) == 1 {
            bytes = found
        } else {
            return nil
        }
    }

    package var isV6: Bool { bytes.count == 16 }

    /// The usual text, without brackets.
    ///
    /// `inet_ntop(3)`.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        _ = unsafe inet_ntop(isV6 ? AF_INET6 : AF_INET, bytes, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension IPAddress {
    /// Whether the internet routes it, by IANA's registries of special-purpose addresses.
    ///
    /// An address that carries one of IPv4 (mapped, NAT64, 6to4) is not public: the outer form hides what it leads to.
    package var isPublic: Bool {
        if isV6 { return Self.globalV6.contains(self) && !Self.specialV6.contains { $0.contains(self) } }
        return !Self.specialV4.contains { $0.contains(self) }
    }

    private struct Block: Sendable {
        let prefix: [UInt8]
        let length: Int

        init(_ prefix: [UInt8], _ length: Int) {
            self.prefix = prefix
            self.length = length
        }

        func contains(_ address: IPAddress) -> Bool {
            for (index, byte) in prefix.enumerated() {
                let bits = max(0, min(8, length - 8 * index))
                let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - bits))
                guard address.bytes[index] & mask == byte & mask else { return false }
            }
            return true
        }
    }

    private static let specialV4 = [
        Block([0], 8), Block([10], 8), Block([100, 64], 10), Block([127], 8), Block([169, 254], 16),
        Block([172, 16], 12), Block([192, 0, 0], 24), Block([192, 0, 2], 24), Block([192, 31, 196], 24),
        Block([192, 52, 193], 24), Block([192, 88, 99], 24), Block([192, 168], 16), Block([192, 175, 48], 24),
        Block([198, 18], 15), Block([198, 51, 100], 24), Block([203, 0, 113], 24), Block([224], 3),
    ]

    /// Only this block of IPv6 is handed out for global use.
    private static let globalV6 = Block([0x20], 3)

    private static let specialV6 = [
        Block([0x20, 0x01, 0x00], 23), Block([0x20, 0x01, 0x0D, 0xB8], 32), Block([0x20, 0x02], 16),
        Block([0x26, 0x20, 0x00, 0x4F, 0x80, 0x00], 48), Block([0x3F, 0xFF, 0x00], 20),
    ]
}
