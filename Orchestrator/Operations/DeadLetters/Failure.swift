import Crypto
import FoundationEssentials

/// What makes two failures the same one: queue, kind, and the reason without its numbers, ids and quotations.
package enum Failure {
    package static func fingerprint(queue: String, kind: String?, reason: String) -> String {
        let digest = SHA256.hash(data: Data("\(queue)|\(kind ?? "")|\(shape(of: reason))".utf8))
        return digest.prefix(6).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    /// Words stay; a word with a digit in it, and what stands between double quotes, may differ.
    static func shape(of reason: String) -> String {
        var words: [String] = []
        var isQuoted = false
        for piece in reason.split(separator: "\"", omittingEmptySubsequences: false) {
            if isQuoted {
                words.append("…")
            } else {
                let parts = piece.split(whereSeparator: { $0.isWhitespace || "(),;:=".contains($0) })
                words += parts.map { $0.contains(where: \.isNumber) ? "#" : String($0) }
            }
            isQuoted.toggle()
        }
        return words.joined(separator: " ")
    }
}
