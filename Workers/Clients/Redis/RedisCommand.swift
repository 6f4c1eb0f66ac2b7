import FoundationEssentials

/// A word of a command: its bytes, whatever they are.
package protocol RedisArgument: Sendable {
    func append(to bytes: inout [UInt8])
}

extension String: RedisArgument {
    package func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension Int: RedisArgument {
    package func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: String(self).utf8) }
}

extension Int64: RedisArgument {
    package func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: String(self).utf8) }
}

extension [UInt8]: RedisArgument {
    package func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
}

extension Data: RedisArgument {
    package func append(to bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
}

/// A Lua script that the server runs as one step; it is sent in full once and named by its digest afterwards.
package struct RedisScript: Sendable, Hashable {
    package let source: String

    package init(_ source: String) {
        self.source = source
    }
}

/// One command: words of any bytes, sent with their lengths, so no value can be mistaken for another word.
package struct RedisCommand: Sendable, ExpressibleByArrayLiteral {
    private(set) var bytes: [UInt8] = []
    private(set) var lengths: [Int] = []
    /// The script to run on the words, which then are its keys and arguments.
    private(set) var script: RedisScript?
    private var keyCount = 0

    package init(_ words: String...) {
        for word in words { append(word) }
    }

    package init(words: [any RedisArgument]) {
        for word in words { append(word) }
    }

    package init(arrayLiteral words: any RedisArgument...) {
        self.init(words: words)
    }

    /// A script with its keys (`KEYS[1]…`) and arguments (`ARGV[1]…`).
    package static func evaluate(
        _ script: RedisScript, keys: [String], arguments: [any RedisArgument] = []
    ) -> RedisCommand {
        var command = RedisCommand(words: keys + arguments)
        command.script = script
        command.keyCount = keys.count
        return command
    }

    package mutating func append(_ word: any RedisArgument) {
        let start = bytes.count
        word.append(to: &bytes)
        lengths.append(bytes.count - start)
    }

    /// The command as it is sent: a script by its digest where one is known, else in full.
    func resolved(digest: String?) -> RedisCommand {
        guard let script else { return self }
        var command = RedisCommand(digest == nil ? "EVAL" : "EVALSHA", digest ?? script.source, String(keyCount))
        command.bytes += bytes
        command.lengths += lengths
        return command
    }
}
