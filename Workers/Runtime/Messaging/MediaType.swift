/// What a message's content type says of its body.
enum MediaType {
    /// Types that tools set whatever the body is; the body itself then says whether it is JSON.
    private static let unspecific: Set<String> = ["text/plain", "application/octet-stream"]

    /// Whether a body of this type may be read as JSON in UTF-8; types have no case, and may have parameters.
    static func mayBeJSON(_ text: String) -> Bool {
        // What nearly every message says; taking the text apart would cost as much as reading the rest of the message.
        if text == "application/json" { return true }
        let parts = text.lowercased().split(separator: ";", omittingEmptySubsequences: false)
            .map { $0.trimmingSpaces }
        guard let type = parts.first else { return true }
        let isKnown =
            type.isEmpty || type == "application/json" || type == "text/json" || unspecific.contains(type)
            || (type.hasPrefix("application/") && type.hasSuffix("+json"))
        return isKnown && parts.dropFirst().allSatisfy(isReadable)
    }

    /// Whether a parameter leaves the text in UTF-8, of which ASCII is a part.
    private static func isReadable(_ parameter: String) -> Bool {
        let pair = parameter.split(separator: "=", maxSplits: 1).map { $0.trimmingSpaces }
        guard pair.count == 2, pair[0] == "charset" else { return true }
        return ["utf-8", "utf8", "us-ascii"].contains(pair[1].filter { $0 != "\"" })
    }
}

extension StringProtocol {
    fileprivate var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}
