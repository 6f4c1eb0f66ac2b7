/// A secret that lets somebody use the operators' routes, and the name by which the audit knows them.
package struct OperatorKey: Sendable {
    package static let shortest = 16

    package let name: String
    package let secret: String

    /// Reads `key` or `name:key`; nil when the key is too short to be one.
    init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        name = parts.count == 2 ? String(parts[0]) : "operator"
        secret = String(parts[parts.count - 1])
        guard secret.utf8.count >= Self.shortest, !name.isEmpty else { return nil }
    }
}
