/// Reads an answer's head line by line; interim answers are passed over, trailers counted only.
struct HeadParser {
    enum Progress: Equatable {
        case goesOn
        /// This line ended the head of the final answer.
        case complete
        case tooLarge
        case unreadable
    }

    private let limit: Int
    private var count = 0
    private(set) var status = 0
    private(set) var headers = CurlHeaders()
    private(set) var isComplete = false

    /// - Parameter limit: in bytes, of all lines together.
    init(limit: Int) {
        self.limit = limit
    }

    /// Takes one line with its end, as libcurl hands them on.
    mutating func take(_ line: [UInt8]) -> Progress {
        count += line.count
        guard count <= limit else { return .tooLarge }
        guard !isComplete else { return .goesOn }
        let text = line.withoutEnd
        if text.isEmpty { return endOfBlock() }
        if text.starts(with: Array("HTTP/".utf8)) { return begin(text) }
        guard status != 0 else { return .unreadable }
        field(text)
        return .goesOn
    }

    /// A line such as `HTTP/1.1 200 OK` begins a new head.
    private mutating func begin(_ line: ArraySlice<UInt8>) -> Progress {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2, let code = Int(String(decoding: words[1], as: UTF8.self)),
            (100...999).contains(code)
        else { return .unreadable }
        status = code
        headers = CurlHeaders()
        return .goesOn
    }

    private mutating func endOfBlock() -> Progress {
        guard status >= 200 else { return .goesOn }
        isComplete = true
        return .complete
    }

    private mutating func field(_ line: ArraySlice<UInt8>) {
        if line.first?.isBlank == true { return headers.extendLast(with: line.trimmedText) }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
        headers.add(line[..<colon].trimmedText, line[(colon + 1)...].trimmedText)
    }
}

extension [UInt8] {
    fileprivate var withoutEnd: ArraySlice<UInt8> {
        var line = self[...]
        while let last = line.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { line.removeLast() }
        return line
    }
}

extension ArraySlice<UInt8> {
    /// Without blanks at either end, broken sequences of UTF-8 repaired.
    fileprivate var trimmedText: String {
        var rest = self.drop { $0.isBlank }
        while rest.last?.isBlank == true { rest.removeLast() }
        return String(decoding: rest, as: UTF8.self)
    }
}

extension UInt8 {
    fileprivate var isBlank: Bool { self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") }
}
